// SPDX-License-Identifier: Apache-2.0
// joulenode: reads a meter over Modbus RTU, keeps every reading on flash until its gateway has it
// on disk. Runs on QEMU's virt machine: meter behind the second serial line, gateway behind the
// first.
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
constexpr const char* node_name = "node-1";

OutboxSettings outbox_settings() {
    OutboxSettings settings;
    settings.segment_blocks = 2;
    settings.sink_slots = 1;
    for (ClassSettings& of_class : settings.classes) {
        of_class.commit = {};  // flash has no cache to wait for
    }
    return settings;
}

// Everything the node has, in static memory. Each part is a variable of its own, so that
// docs/FOOTPRINT.md can say by name what it takes.
board::SemihostFlash flash;
std::array<Segment, flash_segments_max> segments;
std::array<SinkCursor, 1> sinks;
std::array<ClockPair, 1> clocks;
std::array<std::uint8_t, payload_max + Outbox::record_overhead> outbox_record;
Outbox outbox{flash, outbox_settings(), {segments, sinks, clocks, outbox_record}};

alignas(8) std::array<std::byte, 1024> device_memory;
std::array<ModbusOpenRequest, 1> open_requests;
std::array<std::uint8_t, limits::modbus_rtu_size_max> line_in;
std::array<std::uint8_t, 16> line_out;

std::array<std::uint8_t, 900> batch;
std::array<BatchEntry, batch_records_max> entries;
std::array<std::uint8_t, payload_max + Outbox::record_overhead> record;
std::array<std::uint8_t, 960> frame;
std::array<std::uint8_t, 32> received;

/// Keeps what the meter gives.
class Keeper final : public DeviceOut {
  public:
    void reading(const Reading& reading, Instant now) override {
        std::array<std::uint8_t, payload_max> payload{};
        Writer out(payload);
        to_cbor(reading, out);
        if (out.ok()) {
            (void)outbox.append(RecordClass::telemetry, RecordKind::reading, out.written(), now);
        }
    }
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error /*error*/, Instant /*now*/) override {}
    void acted(ResultCode /*code*/,
               std::optional<std::int64_t> /*value*/,
               Instant /*now*/) override {}
};

void tell_synced(void* /*context*/, SyncTicket ticket) {
    outbox.synced(ticket, done, board::now());
}

void receive(Uart16550& uart, Line& line) {
    std::array<std::uint8_t, 64> bytes{};
    if (const std::size_t size = uart.receive(bytes); size > 0) {
        line.received(Bytes(bytes).first(size), board::now());
    }
}

/// Reads, keeps and sends until the machine is switched off.
[[noreturn]] void run() {
    Uart16550 gateway_uart = board::first_uart();
    auto meter_uart = board::second_uart();
    const Name sink = "gateway";
    flash.use_synced(&tell_synced, nullptr);
    if (!meter_uart || !flash.open("node.flash", flash_blocks) ||
        !outbox.open({&sink, 1}, board::fresh(), board::now())) {
        board::log("joulenode: no meter line or no flash\n");
        board::stop(1);
    }
    Keeper keeper;
    Arena arena(device_memory);
    DeviceSettings settings;
    settings.name = "meter";
    settings.poll = milliseconds(100);
    Device& meter = *demo_meter::driver.make(arena, settings, keeper);
    const std::array<ModbusClient*, 1> clients{meter.modbus()};
    ModbusLineSettings line_settings;
    line_settings.framing = ModbusFraming::rtu;
    line_settings.baud = 115200;
    ModbusLine line(*meter_uart, line_settings, clients, {open_requests, line_in, line_out});
    NodeUplink uplink(outbox, gateway_uart, node_name, {batch, entries, record, frame, received});
    line.connected(board::now());
    board::log("joulenode: running\n");
    for (;;) {
        receive(*meter_uart, line);
        (void)line.step(board::now());
        (void)outbox.step(board::now());
        std::array<std::uint8_t, 32> bytes{};
        if (const std::size_t size = gateway_uart.receive(bytes); size > 0) {
            uplink.received(Bytes(bytes).first(size), board::now());
        }
        (void)uplink.step(board::now());
    }
}

}  // namespace
}  // namespace jw

int main() {
    jw::run();
}
