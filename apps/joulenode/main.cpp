// SPDX-License-Identifier: Apache-2.0
// joulenode: reads a meter over Modbus RTU, keeps every reading on flash until its gateway has it
// on disk. Runs on QEMU's virt machine: meter behind the second serial line, gateway behind the
// first.
#include <array>

#include "core/base/arena.h"
#include "core/base/cbor.h"
#include "core/base/text.h"
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
// Faster than a meter needs it, so that a thousand readings take seconds.
constexpr Duration poll = milliseconds(20);
// A UART holds 16 bytes: 1.4 ms of its line.
constexpr Duration look_again = milliseconds(1);
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
std::array<std::uint8_t, 32> received;

/// Keeps what the meter gives.
class Keeper final : public DeviceOut {
  public:
    void reading(const Reading& reading, Instant now) override {
        std::array<std::uint8_t, payload_max> payload{};
        Writer out(payload);
        to_cbor(reading, out);
        if (!out.ok() ||
            !outbox.append(RecordClass::telemetry, RecordKind::reading, out.written(), now)) {
            board::log("joulenode: a reading could not be kept\n");
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

/// Gives whatever has arrived to who takes it; says whether anything had.
template <class Taker>
bool receive(Uart16550& uart, Taker& taker) {
    std::array<std::uint8_t, 32> bytes{};
    const std::size_t size = uart.receive(bytes);
    if (size > 0) {
        taker.received(Bytes(bytes).first(size), board::now());
    }
    return size > 0;
}

/// Says on the console how much stack was needed, whenever it was more than ever before.
void report_stack() {
    static std::size_t most = 0;
    static Instant next{0};
    if (board::now() < next) {
        return;
    }
    next = board::now() + milliseconds(100);
    if (const std::size_t size = board::stack_high_water(); size > most) {
        most = size;
        std::array<char, 48> buffer{};
        Text text(buffer);
        text.put("joulenode: stack ").put(static_cast<std::uint32_t>(size)).put(" bytes\n");
        board::log(text.view());
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
    settings.poll = poll;
    Device& meter = *demo_meter::driver.make(arena, settings, keeper);
    const std::array<ModbusClient*, 1> clients{meter.modbus()};
    ModbusLineSettings line_settings;
    line_settings.framing = ModbusFraming::rtu;
    line_settings.baud = 115200;
    ModbusLine line(*meter_uart, line_settings, clients, {open_requests, line_in, line_out});
    NodeUplink uplink(outbox, gateway_uart, node_name, {batch, entries, record, received});
    line.connected(board::now());
    board::log("joulenode: running\n");
    for (;;) {
        const bool meter_said = receive(*meter_uart, line);
        const bool gateway_said = receive(gateway_uart, uplink);
        (void)line.step(board::now());
        (void)outbox.step(board::now());
        (void)uplink.step(board::now());
        if (!meter_said && !gateway_said) {
            report_stack();
            board::rest_until(board::now() + look_again);
        }
    }
}

}  // namespace
}  // namespace jw

int main() {
    jw::board::paint_stack();
    jw::run();
}
