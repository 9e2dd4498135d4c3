// SPDX-License-Identifier: Apache-2.0
// Follows one reading through the real parts and writes down what each of them saw. With --check it
// compares that with what ARCHITECTURE.md shows, with --write it puts it there.
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/cbor.h"
#include "core/base/json.h"
#include "core/bus/modbus_line.h"
#include "core/device/demo_meter/demo_meter.h"
#include "core/outbox/outbox.h"
#include "core/sink/mqtt.h"
#include "core/task/delivery.h"
#include "sim/demo_meter.h"
#include "sim/modbus_server.h"
#include "sim/storage.h"

namespace jw {
namespace {

std::string hex(Bytes bytes, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size() && i < most; ++i) {
        std::array<char, 4> two{};
        std::snprintf(two.data(), two.size(), "%02X ", bytes[i]);
        text += two.data();
    }
    return bytes.size() > most ? text + "…" : text.substr(0, text.size() - 1);
}

std::string cut(std::string_view text, std::size_t most) {
    return text.size() > most ? std::string(text.substr(0, most)) + "…" : std::string(text);
}

/// The rows of the table, in the order in which they happened.
struct Trace {
    std::string rows;
    void row(const char* step, const char* file, const std::string& seen) {
        rows += std::string("| ") + step + " | `" + file + "` | `" + seen + "` |\n";
    }
};

class Wire final : public Bus {
  public:
    explicit Wire(sim::ModbusUnit& meter) : server(ModbusFraming::rtu, {&meter, 1}) {}
    Status send(Bytes bytes) override {
        asked.assign(bytes.begin(), bytes.end());
        server.received(bytes, now);
        return done;
    }
    sim::ModbusServer server;
    Instant now = Instant{} + seconds(1);
    std::vector<std::uint8_t> asked;
};

struct Heard final : DeviceOut {
    Reading last;
    bool got = false;
    void reading(const Reading& reading, Instant /*now*/) override {
        last = reading;
        got = true;
    }
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error /*error*/, Instant /*now*/) override {}
    void acted(ResultCode /*code*/,
               std::optional<std::int64_t> /*value*/,
               Instant /*now*/) override {}
};

struct NoLetters final : DeadLetters {
    void rejected(const Record& /*record*/) override {}
};

/// Polls the meter once and gives the last question with its answer.
bool poll(Trace& trace, Heard& heard) {
    sim::ModbusUnit meter = sim::demo_meter({.seed = 7});
    Wire wire(meter);
    std::array<std::byte, 4096> memory{};
    Arena arena(memory);
    DeviceSettings settings;
    settings.name = "workshop";
    Device* device = demo_meter::driver.make(arena, settings, heard);
    const std::array<ModbusClient*, 1> clients{device->modbus()};
    std::array<ModbusOpenRequest, 1> open{};
    std::array<std::uint8_t, 260> in{};
    std::array<std::uint8_t, 260> out{};
    ModbusLineSettings framing;
    framing.framing = ModbusFraming::rtu;
    ModbusLine line(wire, framing, clients, {open, in, out});
    line.connected(wire.now);
    std::vector<std::uint8_t> answer;
    for (int turn = 0; turn < 10'000 && !heard.got; ++turn) {
        std::vector<std::uint8_t> bytes;
        wire.server.take(wire.now, bytes);
        if (!bytes.empty()) {
            answer = bytes;
            line.received(bytes, wire.now);
        }
        (void)line.step(wire.now);
        wire.now = wire.now + milliseconds(1);
    }
    trace.row("1 the line asks", "core/bus/modbus_line.cpp", hex(wire.asked, 8));
    trace.row("2 the device answers", "core/codec/modbus.cpp", hex(answer, 12));
    return heard.got;
}

bool keep_and_send(Trace& trace, const Reading& reading) {
    SimStorage storage(SimStorage::Shape::file, 64);
    OutboxSettings settings;
    settings.segment_blocks = 2;
    settings.classes[3].commit = {};
    std::vector<Segment> segments(Outbox::segments_needed(storage, settings));
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 2> clocks{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> scratch{};
    Outbox outbox(storage, settings, {segments, sinks, clocks, scratch});
    const Name sink = "broker";
    const Instant now = Instant{} + seconds(2);
    bool fine = outbox.open({&sink, 1}, 0x1D0C'0FFE'E123'4567, now).has_value();
    const auto settle = [&] {
        for (int i = 0; i < 8; ++i) {
            (void)outbox.step(now);
            if (const auto answer = storage.answer()) {
                outbox.synced(answer->ticket, answer->result, now);
            }
        }
    };
    settle();
    outbox.learn_time(1'790'000'002'000, now);
    std::array<std::uint8_t, limits::record_payload_max> payload{};
    Writer out(payload);
    to_cbor(reading, out);
    const auto id = outbox.append(RecordClass::telemetry, RecordKind::reading, out.written(), now);
    settle();
    fine = fine && id && outbox.accepted_to(RecordClass::telemetry) == id->seq;
    trace.row("5 kept: CBOR, then synced", "core/outbox/outbox.cpp", hex(out.written(), 16));

    std::array<BatchUnderWay, 2> window{};
    std::array<char, 4096> batch{};
    std::array<std::uint8_t, 4096> record{};
    JsonBatch writer(batch);
    NoLetters letters;
    Delivery delivery(outbox, {.records_max = 1}, {window, record}, writer, letters);
    delivery.identify("gw-1", "house");
    delivery.begin(1, batch.size(), now);
    OutgoingBatch outgoing;
    fine = fine && delivery.next(now, outgoing);
    trace.row("6 sent to",
              "core/sink/mqtt.cpp",
              std::string(mqtt::batch_topic("gw-1", outgoing.kind).view()));
    trace.row("6 sent as", "core/sink/batch.cpp", cut(as_text(outgoing.payload), 150));
    delivery.sent(1);
    delivery.acknowledged(1, now);
    fine = fine && outbox.confirmed_to(0, RecordClass::telemetry) == 1;
    trace.row("7 acknowledged, releasable",
              "core/task/delivery.cpp",
              "confirmed_to = " + std::to_string(outbox.confirmed_to(0, RecordClass::telemetry)));
    return fine;
}

std::string table(bool& fine) {
    Trace trace;
    Heard heard;
    fine = poll(trace, heard);
    std::array<char, 1024> buffer{};
    Text json(buffer);
    to_json(heard.last, json);
    trace.row("3 decoded by a table",
              "devices/demo_meter.json",
              "power_w = " + std::to_string(heard.last.values.find(Quantity::power_w)->number));
    trace.row("4 means the same everywhere", "core/model/reading.h", cut(json.view(), 96));
    fine = keep_and_send(trace, heard.last) && fine;
    return "\n| step | where | what stood there |\n|---|---|---|\n" + trace.rows + "\n";
}

}  // namespace
}  // namespace jw

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "trace_test --check|--write ARCHITECTURE.md\n");
        return 2;
    }
    bool fine = false;
    const std::string wanted = jw::table(fine);
    std::ifstream in(argv[2]);
    std::string page{std::istreambuf_iterator<char>(in), {}};
    const std::string begin = "<!-- trace:begin -->\n";
    const std::size_t from = page.find(begin);
    const std::size_t to = page.find("<!-- trace:end -->");
    if (from == std::string::npos || to == std::string::npos) {
        std::fprintf(stderr, "%s: the marks of the trace are missing\n", argv[2]);
        return 1;
    }
    const std::size_t first = from + begin.size();
    const bool same = page.substr(first, to - first) == wanted;
    if (std::string(argv[1]) == "--write") {
        page.replace(first, to - first, wanted);
        std::ofstream(argv[2]) << page;
    } else if (!same) {
        std::fprintf(stderr,
                     "%s shows another trace; run trace_test --write on it:%s",
                     argv[2],
                     wanted.c_str());
    }
    const bool good = fine && (same || std::string(argv[1]) == "--write");
    std::printf("%d passed, %d failed, 0 skipped\n", good ? 1 : 0, good ? 0 : 1);
    return good ? 0 : 1;
}
