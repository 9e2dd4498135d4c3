// SPDX-License-Identifier: Apache-2.0
// joulenode: reads a meter over Modbus RTU, keeps every reading on flash until its gateway has it on
// disk. Runs on QEMU's virt machine: meter behind the second serial line, gateway behind the first.
#include <array>

#include "core/base/arena.h"
#include "core/base/cbor.h"
#include "core/bus/modbus_line.h"
#include "core/device/demo_meter/demo_meter.h"
#include "core/outbox/outbox.h"
#include "core/task/node_uplink.h"
#include "firmware/boards/qemu_virt/board.h"

namespace jw {
namespace {

constexpr std::uint32_t flash_blocks = 64;  // 256 KiB
constexpr std::uint32_t flash_segments_max = 32;
constexpr std::size_t payload_max = 160;
constexpr std::size_t batch_records_max = 8;
constexpr const char* name = "node-1";

OutboxSettings outbox_settings() {
    OutboxSettings settings;
    settings.segment_blocks = 2;
    for (ClassSettings& of_class : settings.classes) {
        of_class.commit = {};  // flash has no cache to wait for
    }
    return settings;
}

/// Everything the node has, in static memory; what each part takes stands in docs/FOOTPRINT.md.
struct Node final : DeviceOut {
    board::SemihostFlash flash;
    Uart16550 uplink_uart = board::first_uart();
    Uart16550 meter_uart = board::first_uart();

    std::array<Segment, flash_segments_max> segments;
    std::array<SinkCursor, 1> sinks;
    std::array<ClockPair, 1> clocks;
    std::array<std::uint8_t, payload_max + Outbox::record_overhead> outbox_record;
    Outbox outbox{flash, outbox_settings(), {segments, sinks, clocks, outbox_record}};

    alignas(8) std::array<std::byte, 1024> device_memory;
    Arena arena{device_memory};
    Device* meter = nullptr;
    std::array<ModbusClient*, 1> clients{};
    alignas(8) std::array<std::byte, 640> line_memory;

    std::array<std::uint8_t, 900> batch;
    std::array<BatchEntry, batch_records_max> entries;
    std::array<std::uint8_t, payload_max + Outbox::record_overhead> record;
    std::array<std::uint8_t, 960> frame;
    std::array<std::uint8_t, 32> received;
    NodeUplink uplink{outbox, uplink_uart, name, {batch, entries, record, frame, received}};

    void reading(const Reading& reading, Instant now) override {
        std::array<std::uint8_t, payload_max> payload{};
        Writer out(payload);
        to_cbor(reading, out);
        if (out.ok()) {
            (void)outbox.append(
                RecordClass::telemetry, RecordKind::reading, out.written(), now);
        }
    }
    void identified(const DeviceInfo&, Instant) override {}
    void failed(Error, Instant) override {}
    void acted(ResultCode, std::optional<std::int64_t>, Instant) override {}
};

}  // namespace
}  // namespace jw
