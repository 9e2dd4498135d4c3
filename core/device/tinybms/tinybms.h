// SPDX-License-Identifier: Apache-2.0
#pragma once
// tinybms: the driver of an Enepaq TinyBMS on its UART (communication protocols, revision D). It
// polls the Modbus form, wakes what sleeps, tells new events and writes settings.
#include <array>
#include <cstdint>
#include <optional>

#include "core/device/device.h"
#include "core/device/tinybms/fault_log.h"
#include "core/device/tinybms/frames.h"
#include "core/device/tinybms/pack_reading.h"
#include "core/device/tinybms/parameters.h"

namespace jw::tinybms {

/// One BMS on a line of its own.
///
/// Live registers are read on a fixed grid of `poll` (100 ms to 1 s); everything else, events every
/// second, settings and statistics every minute, in between, where it is over before the next live
/// poll. No answer within 200 ms: the same is asked once more, since the first question only wakes
/// a BMS that sleeps. Still none: 1 s of peace. From the third such pair on each is a timeout.
/// An answer is known by its size, which changes from live poll to live poll (54 to 56 registers):
/// one that comes late is not taken for that of a later poll.
///
/// battery_alarm_bits: see FaultLog. battery_state: regeneration counts as charging. Settings are
/// part of the reading behind their own, cycle_count (full charges) as well.
class TinyBms final : public Device, public Line {
  public:
    TinyBms(const DeviceSettings& settings, DeviceOut& out);

    Status act(Quantity quantity, std::int64_t value, Instant now) override;
    [[nodiscard]] std::size_t parameter_count() const override { return writable_count(); }
    [[nodiscard]] Parameter parameter(std::size_t index) const override;
    /// A register that is not answered is read back all the same; busy also until the settings were
    /// read once. See words_for().
    Status write_parameter(std::string_view name, std::int64_t value, Instant now) override;
    Status poll_now(Instant now) override;
    Line* stream() override { return this; }
    void use_bus(Bus& bus) override { bus_ = &bus; }

    void connected(Instant now) override;
    void disconnected(Instant now) override;
    void received(Bytes bytes, Instant now) override;
    Instant step(Instant now) override;

  private:
    enum class Ask : std::uint8_t { events, version, settings, statistics, write, read_back };
    static constexpr std::size_t regular_asks = 4;  // events to statistics

    /// A question that waits for its answer.
    struct Open {
        bool open = false;
        Ask what = Ask::events;
        std::uint8_t count = 0;  // of registers asked for
        std::uint8_t tries = 0;
        std::uint32_t dropped = 0;  // by the receiver when it was asked first
        Instant until;
    };

    /// What comes regularly, by its Ask.
    struct Regular {
        Instant due{0};
        std::uint8_t misses = 0;
    };

    /// A write_parameter() under way.
    struct Write {
        bool active = false;
        Writable which;
        std::int64_t value = 0;
        std::uint32_t words = 0;
        Ask step = Ask::write;
        std::uint8_t tries = 0;
        Instant until;
    };

    void ask_live(Instant now, std::uint8_t tries);
    bool ask_between(Instant now);
    void ask(Ask what, Instant now);
    [[nodiscard]] Message question(Ask what, std::array<std::uint8_t, 4>& room) const;
    void send(const Message& message);
    void drain(Instant now);
    void take(const Message& message, Instant now);
    void take_live(const Message& message, Instant now);
    void take_registers(const Message& message, Instant now);
    void take_read_back(const Message& message, Instant now);
    void refused(const Message& message, Instant now);
    void live_missed(Instant now);
    void between_missed(Instant now);
    void miss(Ask what, Instant now);
    void end_write(ResultCode code, std::optional<std::int64_t> value, Instant now);
    void tell_events(const Message& message, Instant now);
    void skip_to(Instant now);
    [[nodiscard]] std::uint8_t words_written() const;
    [[nodiscard]] Instant next_turn(Instant now) const;

    DeviceOut& out_;
    Bus* bus_ = nullptr;
    DeviceInfo info_;
    Duration poll_;
    Receiver receiver_{Side::reply};
    bool connected_ = false;
    bool contact_ = false;  // the last live poll was answered
    std::uint8_t silent_pairs_ = 0;
    std::uint8_t live_count_ = live_words;
    Instant live_at_{0};  // of the next live poll
    Open live_;
    Open between_;
    std::array<Regular, regular_asks> regular_{};
    Write write_;
    CellOrder cells_;
    FaultLog faults_;
    std::uint32_t lifetime_s_ = 0;
    std::uint32_t read_errors_ = 0;
    std::optional<std::int64_t> current_ma_;
    Instant current_at_{-1};
    std::array<std::uint16_t, setting_words> settings_{};
    std::array<std::uint16_t, statistic_words> statistics_{};
    bool settings_known_ = false;
    bool settings_new_ = false;
    bool statistics_new_ = false;
};

extern const Driver driver;

}  // namespace jw::tinybms
