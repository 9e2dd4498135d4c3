// SPDX-License-Identifier: Apache-2.0
#pragma once
// A driver: what it is (Driver, constant data) and what it does (Device). No I/O, no clock, no
// heap.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/ports.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/bus/line.h"
#include "core/bus/modbus_line.h"
#include "core/model/command.h"
#include "core/model/device_info.h"
#include "core/model/reading.h"

namespace jw {

namespace registers {
struct RegisterMap;
}

/// What a device tells the program. One object per device, given to it when it is made.
class DeviceOut {
  public:
    virtual void reading(const Reading& reading, Instant now) = 0;
    /// What the device says of itself; also when it changed.
    virtual void identified(const DeviceInfo& info, Instant now) = 0;
    /// A poll that brought no reading. timeout, not_found: it does not answer (asleep); anything
    /// else: it answers wrongly (refusing).
    virtual void failed(Error error, Instant now) = 0;
    /// The end of an act(): what came of it and what reading back gave.
    virtual void acted(ResultCode code, std::optional<std::int64_t> value, Instant now) = 0;
    /// Something happened that people should know; one sentence. What comes too often is left out.
    virtual void event(std::string_view /*sentence*/, Instant /*now*/) {}
    /// For devices that keep their readings themselves until they are confirmed (nodes): stores
    /// this one as it is, with the instant it was taken at, and gives its number here.
    virtual Result<std::uint64_t> store(const Reading& /*reading*/, Instant /*taken_at*/) {
        return JW_FAIL(unsupported);
    }
    /// The highest of those numbers that is on the medium.
    [[nodiscard]] virtual std::uint64_t stored_to() const { return 0; }

  protected:
    ~DeviceOut() = default;
};

/// What the program says of one device (a part of the settings).
struct DeviceSettings {
    Name name;
    Name driver;
    Duration poll = seconds(1);
    Duration keep = seconds(60);
    Duration silent_after = seconds(600);  // silence becomes a fault then; 0: never
    std::uint8_t unit = 1;                 // Modbus unit id
    std::int8_t sign = 0;  // 0: as the driver says; +1, -1: of power, for meters built in turned
    bool cells_reversed = false;  // the BMS's first cell is the one at the positive end
    std::uint16_t base = 0xFFFF;  // SunSpec: the one base to look at; 0xFFFF: 40000, 0, 50000
    /// Of a driver that was loaded at run time; it outlives the device.
    const registers::RegisterMap* map = nullptr;
};

/// `none`: it lives on the readings of other devices. No driver has `can`: a CAN bus carries what
/// batteries and inverters say to each other.
enum class LineKind : std::uint8_t { modbus, stream, none, can };

/// One of a device's own settings, a register that is written rarely. Numbers are in units of
/// 10^-decimals.
struct Parameter {
    const char* name = "";
    const char* unit = "";
    std::uint8_t decimals = 0;
    bool writable = false;
    std::int64_t least = 0;  // of what may be written
    std::int64_t most = 0;
    std::optional<std::int64_t> value;  // as last read
};

class Device {
  public:
    /// Starts to set `quantity`; the end is told by DeviceOut::acted(). One at a time.
    /// Errors: unsupported (nothing of that name to set), out_of_range, busy.
    virtual Status act(Quantity quantity, std::int64_t value, Instant now) = 0;
    /// Its own settings, always in the same order and number.
    [[nodiscard]] virtual std::size_t parameter_count() const { return 0; }
    [[nodiscard]] virtual Parameter parameter(std::size_t /*index*/) const { return {}; }
    /// Starts to write one and to read it back; the end is told as act()'s. Errors: not_found,
    /// out_of_range, denied (it would break an order that the device demands, or must not be
    /// written now), busy.
    virtual Status write_parameter(std::string_view /*name*/,
                                   std::int64_t /*value*/,
                                   Instant /*now*/) {
        return JW_FAIL(not_found);
    }
    /// Polls as soon as the line allows. Errors: unsupported (it talks by itself).
    virtual Status poll_now(Instant now) = 0;
    /// Exactly one of the two is not null, by the driver's line kind; both are with `none`.
    virtual ModbusClient* modbus() { return nullptr; }
    virtual Line* stream() { return nullptr; }
    /// The way back to a device that talks by itself; the program calls it once, before the first
    /// byte.
    virtual void use_bus(Bus& /*bus*/) {}

  protected:
    ~Device() = default;
};

/// One key of what a driver can give, or of what can be set.
struct Capability {
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    bool settable = false;
    std::int64_t least = 0;  // of what can be set
    std::int64_t most = 0;
};

struct Driver {
    const char* name;
    LineKind line;
    /// Bytes of arena that make() takes.
    std::size_t memory;
    /// What it can give at most; a device may have less. SunSpec lists all of its models.
    std::span<const Capability> capabilities;
    Device* (*make)(Arena& arena, const DeviceSettings& settings, DeviceOut& out);
    /// The device hands its readings to DeviceOut::store() as well; nothing is gathered here.
    bool stores_readings = false;
    Duration poll = seconds(1);  // where the settings say nothing
};

}  // namespace jw
