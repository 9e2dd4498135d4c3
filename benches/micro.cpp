// SPDX-License-Identifier: Apache-2.0
// What decoding and encoding cost, with Google Benchmark: every input is one of many that take
// turns, every case runs once a repetition, and ratios are of one repetition.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <bit>
#include <map>

#include "benches/can_frames.h"
#include "benches/frames.h"
#include "benches/packs.h"
#include "benches/report.h"
#include "benches/store.h"
#include "core/base/crc.h"
#include "core/base/float_bits.h"
#include "core/bus/modbus_frame.h"
#include "core/codec/modbus.h"
#include "core/codec/p1.h"
#include "core/device/p1/p1_reading.h"
#include "core/device/registers/register_value.h"
#include "core/device/tinybms/frames.h"
#include "core/device/tinybms/pack_reading.h"
#include "core/sink/batch.h"
#include "core/steer/battery/law.h"
#include "generated/devices/devices.h"
#include "host/crc32c.h"

namespace jw::bench {
namespace {

using benchmark::DoNotOptimize;
using benchmark::State;

/// The loop that most firmware has, without a branch that random bits would make slow.
std::uint16_t crc16_bitwise(Bytes bytes) {
    std::uint16_t crc = 0xFFFF;
    for (const std::uint8_t byte : bytes) {
        crc = static_cast<std::uint16_t>(crc ^ byte);
        for (int bit = 0; bit < 8; ++bit) {
            crc = static_cast<std::uint16_t>((crc >> 1) ^ (0xA001U & (0U - (crc & 1U))));
        }
    }
    return crc;
}

/// take_rtu() with that loop in place of the product's.
Result<modbus::Frame> take_rtu_bitwise(Bytes stream) {
    const auto size = modbus::pdu_size(stream.subspan(1), modbus::Side::reply);
    if (!size) {
        return size.error();
    }
    const std::size_t sum_at = 1 + *size;
    if (stream.size() < sum_at + modbus::crc_size) {
        return JW_FAIL(truncated);
    }
    if (crc16_bitwise(stream.first(sum_at + modbus::crc_size)) != 0) {
        return JW_FAIL(bad_checksum);
    }
    return modbus::Frame{0, stream[0], stream.subspan(1, *size), sum_at + modbus::crc_size};
}

Result<modbus::Frame> take_rtu_ours(Bytes stream) {
    return modbus::take_rtu(stream, modbus::Side::reply);
}

using TakeRtu = Result<modbus::Frame> (*)(Bytes);

/// From the frame to its registers.
template <TakeRtu take>
Bytes registers_in(const RtuFrame& frame) {
    const auto taken = take(frame);
    const auto found =
        taken ? modbus::registers_of(taken->pdu, modbus::Function::read_holding_registers, 20)
              : Result<Bytes>(taken.error());
    if (!found) {
        give_up("a frame was refused");
    }
    return *found;
}

/// Frame, CRC, and the ten numbers as the floats that they are.
template <TakeRtu take>
void rtu_to_floats(State& state) {
    const auto frames = rtu_frames();
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        const Bytes registers = registers_in<take>(frames[i++ % frames.size()]);
        std::array<float, floats_per_frame> floats{};
        for (std::size_t n = 0; n < floats.size(); ++n) {
            const auto raw =
                registers::raw_value(registers.subspan(4 * n, 4), registers::WordOrder::abcd);
            floats[n] = std::bit_cast<float>(static_cast<std::uint32_t>(raw));
        }
        DoNotOptimize(floats);
    }
}

/// The same, on to integers of a quantity as the product keeps them.
template <TakeRtu take>
void rtu_to_values(State& state) {
    const auto frames = rtu_frames();
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        const Bytes registers = registers_in<take>(frames[i++ % frames.size()]);
        std::array<std::int64_t, floats_per_frame> values{};
        for (std::size_t n = 0; n < values.size(); ++n) {
            const auto raw =
                registers::raw_value(registers.subspan(4 * n, 4), registers::WordOrder::abcd);
            values[n] = scaled_f32(static_cast<std::uint32_t>(raw), 1000, 1).value_or(0);
        }
        DoNotOptimize(values);
    }
}

void tcp_to_registers(State& state) {
    const auto frames = tcp_frames();
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        const auto taken = modbus::take_tcp(frames[i++ % frames.size()]);
        auto found = modbus::registers_of(taken->pdu, modbus::Function::read_holding_registers, 20);
        DoNotOptimize(found);
    }
}

void crc16_of(State& state) {
    const auto inputs = random_bytes(static_cast<std::size_t>(state.range(0)));
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        DoNotOptimize(crc16_modbus(inputs[i++ % inputs.size()]));
    }
}

void crc32c_of(State& state) {
    const auto inputs = random_bytes(static_cast<std::size_t>(state.range(0)));
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        DoNotOptimize(crc32c(inputs[i++ % inputs.size()]));
    }
}

void crc32c_portable_of(State& state) {
    const auto inputs = random_bytes(static_cast<std::size_t>(state.range(0)));
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        DoNotOptimize(crc32c_portable(inputs[i++ % inputs.size()]));
    }
}

/// From the bytes of the line to the values of a reading.
void p1_to_values(State& state) {
    const auto telegrams = p1_telegrams();
    std::array<std::uint8_t, 4096> buffer{};
    p1::Receiver receiver(buffer);
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        Values values;
        for (const char c : telegrams[i++ % telegrams.size()]) {
            const auto received = receiver.put(static_cast<std::uint8_t>(c));
            if (received && (received->code != Code::ok || !received->checked ||
                             !p1::read_values(received->telegram, 1, values))) {
                give_up("a telegram was refused");
            }
        }
        DoNotOptimize(values);
    }
}

struct Heard final : DeviceOut {
    std::size_t readings = 0;
    std::size_t values = 0;
    void reading(const Reading& reading, Instant /*now*/) override {
        ++readings;
        values = reading.values.size();
    }
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error /*error*/, Instant /*now*/) override { give_up("a poll failed"); }
    void acted(ResultCode /*code*/,
               std::optional<std::int64_t> /*value*/,
               Instant /*now*/) override {}
};

/// One poll of an EM24 without a wire: the question, its answer of 80 registers, the reading of 13
/// values.
void register_map_poll(State& state) {
    auto answers = random_bytes(2 + 160);
    std::vector<std::byte> block(em24::driver.memory);
    Arena arena(block);
    Heard heard;
    DeviceSettings settings;
    settings.name = "meter";
    ModbusClient& meter = *em24::driver.make(arena, settings, heard)->modbus();
    Instant now;
    std::size_t i = 0;
    const auto poll = [&] {
        now = now + seconds(1);
        const std::size_t before = heard.readings;
        while (heard.readings == before) {
            std::array<std::uint8_t, limits::modbus_pdu_size_max> question{};
            Writer asked(question);
            (void)meter.ask(asked, now);
            const std::size_t size = 2U * question[4];  // no question has more than 255 registers
            auto& answer = answers[i++ % answers.size()];
            answer[0] = question[0];
            answer[1] = static_cast<std::uint8_t>(size);
            meter.answered(Bytes(answer).first(2 + size), now);
        }
    };
    poll();  // with the questions for who it is
    for ([[maybe_unused]] const auto _ : state) {
        poll();
        DoNotOptimize(heard.values);
    }
}

/// A new reading of a pack every 250 ms, and what the law makes of it.
void battery_law(State& state) {
    auto packs = battery_packs();
    battery::Law law({});
    Instant now;
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        now = now + milliseconds(250);
        battery::Pack& pack = packs[i++ % packs.size()];
        pack.at = now;
        auto limits = law.step({&pack, 1}, now).limits(now);
        DoNotOptimize(limits);
    }
    if (!law.verdict().may_send) {
        give_up("no pack was believed");
    }
}

void can_encode(State& state) {
    const auto states = can_states();
    const can_out::Frame& limits = can_limits();
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        auto frame = can_out::encode(limits, states[i++ % states.size()]);
        DoNotOptimize(frame);
    }
}

void can_decode(State& state) {
    const auto frames = can_frames();
    const can_out::Frame& limits = can_limits();
    can_out::BatteryState battery;
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        if (!can_out::decode(limits, frames[i++ % frames.size()], battery)) {
            give_up("a frame was refused");
        }
        DoNotOptimize(battery.charge_current_ma);
    }
}

void slcan_write(State& state) {
    const auto frames = can_frames();
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        std::array<std::uint8_t, slcan::line_max> line;
        Writer out(line);
        slcan::put_frame(frames[i++ % frames.size()], out);
        DoNotOptimize(line);
    }
}

void slcan_read(State& state) {
    const auto lines = slcan_lines();
    slcan::Receiver receiver;
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        Bytes line = lines[i++ % lines.size()];
        auto message = receiver.take(line);
        DoNotOptimize(message);
    }
}

void socket_write(State& state) {
    const auto frames = can_frames();
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        std::array<std::uint8_t, linux_can::frame_size> bytes;
        Writer out(bytes);
        linux_can::put_frame(frames[i++ % frames.size()], out);
        DoNotOptimize(bytes);
    }
}

void socket_read(State& state) {
    const auto frames = socket_frames();
    std::size_t i = 0;
    for ([[maybe_unused]] const auto _ : state) {
        auto message = linux_can::read_frame(frames[i++ % frames.size()]);
        DoNotOptimize(message);
    }
}

constexpr std::size_t batch_readings = 100;

std::vector<std::vector<std::uint8_t>> readings() {
    std::vector<std::vector<std::uint8_t>> result;
    for (std::size_t i = 0; i < inputs_rotated; ++i) {
        result.push_back(encoded_reading(i));
    }
    return result;
}

template <class Batch>
void write_batches(State& state, Batch& batch) {
    const auto payloads = readings();
    std::uint64_t seq = 0;
    BatchHead head{"gw-lindenweg", "lindenweg-12", 0x1234'5678'9ABC'DEF0};
    for ([[maybe_unused]] const auto _ : state) {
        batch.begin(head);
        for (std::size_t i = 0; i < batch_readings; ++i) {
            ++seq;
            Record record;
            record.id = {head.epoch, RecordClass::telemetry, seq};
            record.payload = payloads[seq % payloads.size()];
            const Result<bool> added =
                batch.add(record, 1'790'000'000'000 + static_cast<std::int64_t>(seq));
            if (!added || !*added) {
                give_up("a batch has no room");
            }
        }
        auto text = batch.end();
        DoNotOptimize(text);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(batch_readings) * state.iterations());
}

void json_batch(State& state) {
    std::vector<char> buffer(batch_readings * 1024);
    JsonBatch batch(buffer);
    write_batches(state, batch);
}

void cbor_batch(State& state) {
    std::vector<std::uint8_t> buffer(batch_readings * 1024);
    std::vector<BatchEntry> entries(batch_readings);
    CborBatch batch(buffer, entries);
    write_batches(state, batch);
}

/// Collects nanoseconds of CPU per item, by the name of the case.
class Collector final : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context& /*context*/) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            const auto items = run.counters.find("items_per_second");
            ns_[run.benchmark_name()].push_back(items != run.counters.end()
                                                    ? 1e9 / static_cast<double>(items->second)
                                                    : run.GetAdjustedCPUTime());
        }
    }
    /// The first repetition warmed up.
    void forget() { ns_.clear(); }
    [[nodiscard]] const std::vector<double>& ns(const std::string& name) const {
        return ns_.at(name);
    }

  private:
    std::map<std::string, std::vector<double>> ns_;
};

constexpr double rtu_least = 8;
constexpr double law_most_ns = 2000;
constexpr double can_most_ns = 20;
constexpr double tinybms_most_ns = 60;

Row measured(const Collector& times, const char* name, std::string what, const char* note = "") {
    Row row;
    row.what = std::move(what);
    row.figure = spread(times.ns(name)).median;
    row.unit = "ns";
    row.note = note;
    return row;
}

void compare(
    Row& row, const Collector& times, const char* other, const char* name, const char* as) {
    row.beside = as;
    row.ratio = paired(times.ns(other), times.ns(name));
    row.note += fmt::format(
        "{}{}: {:.1f} ns", row.note.empty() ? "" : "; ", as, spread(times.ns(other)).median);
}

void add_can(Report& report, const Collector& times) {
    const struct {
        const char* name;
        const char* what;
    } cases[] = {{"can_encode", "CAN frame 0x351 from its values"},
                 {"can_decode", "CAN frame 0x351 to its values"},
                 {"slcan_write", "CAN frame to slcan text"},
                 {"slcan_read", "slcan text to its CAN frame"},
                 {"socket_write", "CAN frame to a socket's bytes"},
                 {"socket_read", "a socket's bytes to their CAN frame"}};
    for (const auto& one : cases) {
        Row row = measured(times, one.name, one.what);
        row.target = fmt::format("≤ {} ns", can_most_ns);
        row.reached = row.figure <= can_most_ns;
        report.add(row);
    }
}

void add_tinybms(Report& report, const Collector& times) {
    for (const char* size : {"8", "117"}) {
        Row frame = measured(times,
                             fmt::format("tinybms_take/{}", size).c_str(),
                             fmt::format("TinyBMS frame with CRC, {} bytes", size));
        frame.target = fmt::format("≤ {} ns", tinybms_most_ns);
        frame.reached = spread(times.ns(fmt::format("tinybms_take/{}", size).c_str())).median <=
                        tinybms_most_ns;
        report.add(frame);
    }
    report.add(measured(
        times, "tinybms_reading", "TinyBMS live poll to its reading", "117 bytes, 30 values"));
}

Report report_of(const Collector& times) {
    constexpr const char* bitwise = "bitwise CRC, same flags";
    Report report;
    Row floats = measured(times, "rtu_to_floats", "Modbus RTU decode with CRC, 45 bytes");
    floats.note = "to ten floats";
    compare(floats, times, "rtu_to_floats_bitwise", "rtu_to_floats", bitwise);
    floats.target = fmt::format("≥ {}×", rtu_least);
    floats.reached = floats.ratio->median >= rtu_least;
    report.add(floats);
    Row values = measured(times, "rtu_to_values", "the same, on to ten scaled integers");
    compare(values, times, "rtu_to_values_bitwise", "rtu_to_values", bitwise);
    report.add(values);
    report.add(measured(times, "tcp_to_registers", "Modbus TCP decode, 51 bytes"));
    for (const char* size : {"8", "45", "205"}) {
        report.add(measured(times,
                            fmt::format("crc16_of/{}", size).c_str(),
                            fmt::format("CRC-16 Modbus of {} bytes", size)));
    }
    Row crc32c = measured(times, "crc32c_of/200", "CRC-32C of 200 bytes");
    compare(crc32c, times, "crc32c_portable_of/200", "crc32c_of/200", "the portable one");
    report.add(crc32c);
    report.add(measured(
        times, "p1_to_values", "P1 telegram of DSMR 5 to a reading", "from the bytes of the line"));
    report.add(measured(times,
                        "register_map_poll",
                        "register map: question, 80 registers, reading",
                        "EM24, 13 values, no wire"));
    Row law = measured(times, "battery_law", "battery: a reading to its limits", "16 cells");
    law.target = fmt::format("≤ {} µs", law_most_ns / 1000);
    law.reached = law.figure <= law_most_ns;
    report.add(law);
    add_can(report, times);
    add_tinybms(report, times);
    report.add(measured(times,
                        "json_batch",
                        "JSON batch, per reading",
                        "100 readings of 14 values from the store"));
    report.add(measured(times,
                        "cbor_batch",
                        "CBOR batch, per reading",
                        "100 readings of 14 values from the store"));
    return report;
}

/// 117 bytes: what every live poll brings; 8 bytes: what it sends.
void tinybms_take(State& state) {
    const bool reply = state.range(0) > 8;
    const auto frames = tinybms_frames(reply);
    std::size_t i = 0;
    for ([[maybe_unused]] auto turn : state) {
        const auto taken = tinybms::take(frames[i++ % frames.size()],
                                         reply ? modbus::Side::reply : modbus::Side::request);
        if (!taken) {
            give_up("a TinyBMS frame was refused");
        }
        DoNotOptimize(*taken);
    }
}

/// From the bytes of the line to what the driver makes of a live poll.
void tinybms_reading(State& state) {
    const auto frames = tinybms_frames(true);
    tinybms::CellOrder order{.series = 16};
    std::size_t i = 0;
    Values values;
    for ([[maybe_unused]] auto turn : state) {
        const auto taken = tinybms::take(frames[i++ % frames.size()], modbus::Side::reply);
        if (!taken) {
            give_up("a TinyBMS frame was refused");
        }
        std::array<std::uint16_t, tinybms::live_words> words{};
        for (std::size_t n = 0; n < words.size(); ++n) {
            words[n] = taken->message.word(n);
        }
        values.clear();
        DoNotOptimize(tinybms::put_live(words, order, values));
        DoNotOptimize(values);
    }
}

void register_cases() {
    benchmark::RegisterBenchmark("rtu_to_floats", rtu_to_floats<take_rtu_ours>);
    benchmark::RegisterBenchmark("rtu_to_floats_bitwise", rtu_to_floats<take_rtu_bitwise>);
    benchmark::RegisterBenchmark("rtu_to_values", rtu_to_values<take_rtu_ours>);
    benchmark::RegisterBenchmark("rtu_to_values_bitwise", rtu_to_values<take_rtu_bitwise>);
    benchmark::RegisterBenchmark("tcp_to_registers", tcp_to_registers);
    benchmark::RegisterBenchmark("crc16_of", crc16_of)->Arg(8)->Arg(45)->Arg(205);
    benchmark::RegisterBenchmark("crc32c_of", crc32c_of)->Arg(200);
    benchmark::RegisterBenchmark("crc32c_portable_of", crc32c_portable_of)->Arg(200);
    benchmark::RegisterBenchmark("p1_to_values", p1_to_values);
    benchmark::RegisterBenchmark("register_map_poll", register_map_poll);
    benchmark::RegisterBenchmark("battery_law", battery_law);
    benchmark::RegisterBenchmark("can_encode", can_encode);
    benchmark::RegisterBenchmark("can_decode", can_decode);
    benchmark::RegisterBenchmark("slcan_write", slcan_write);
    benchmark::RegisterBenchmark("slcan_read", slcan_read);
    benchmark::RegisterBenchmark("socket_write", socket_write);
    benchmark::RegisterBenchmark("socket_read", socket_read);
    benchmark::RegisterBenchmark("tinybms_take", tinybms_take)->Arg(8)->Arg(117);
    benchmark::RegisterBenchmark("tinybms_reading", tinybms_reading);
    benchmark::RegisterBenchmark("json_batch", json_batch);
    benchmark::RegisterBenchmark("cbor_batch", cbor_batch);
}

int run(const Arguments& arguments) {
    use_hardware_crc32c();
    std::string name = "micro";
    std::string least_time =
        arguments.quick ? "--benchmark_min_time=0.001" : "--benchmark_min_time=0.1";
    std::array<char*, 2> options{name.data(), least_time.data()};
    int count = options.size();
    benchmark::Initialize(&count, options.data());
    register_cases();
    Collector times;
    const int repetitions = arguments.quick ? 1 : 5;
    for (int i = 0; i <= repetitions; ++i) {
        if (i == 1) {
            times.forget();
        }
        benchmark::RunSpecifiedBenchmarks(&times);
    }
    return report_of(times).finish(arguments);
}

}  // namespace
}  // namespace jw::bench

int main(int argc, char** argv) {
    return jw::bench::run(
        jw::bench::arguments(argc, argv, "What decoding and encoding cost, per item."));
}
