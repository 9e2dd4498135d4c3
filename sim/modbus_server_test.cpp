// SPDX-License-Identifier: Apache-2.0
// The simulated device by itself, and ModbusLine against it, through every fault.
#include "sim/modbus_server.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/test.h"
#include "sim/modbus_link.h"

using namespace jw;
using namespace jw::sim;

namespace {

constexpr Instant t0{1'000'000};

ModbusUnit meter(std::uint8_t id = 1) {
    ModbusUnit unit;
    unit.id = id;
    const std::array<std::uint16_t, 4> registers{10, 20, 30, 40};
    unit.holding.set(100, registers);
    unit.input.set(7, 0x1234);
    const std::array<std::uint16_t, 10> coils{1, 0, 1, 1, 0, 0, 0, 0, 0, 1};
    unit.coils.set(0, coils);
    unit.discrete_inputs.set(3, 1);
    unit.identification = {"Jouleway", "SIM-1", "V1", "", "Simulated meter"};
    return unit;
}

/// What the unit answers to a PDU written as text of hex bytes without spaces.
std::vector<std::uint8_t> ask(ModbusUnit& unit, std::vector<std::uint8_t> pdu) {
    std::array<std::uint8_t, 253> buffer{};
    Writer reply(buffer);
    answer_request(unit, pdu, reply);
    return {reply.written().begin(), reply.written().end()};
}

using Pdu = std::vector<std::uint8_t>;

struct Poller final : ModbusClient {
    [[nodiscard]] Instant due() const override { return waiting ? never : due_at; }
    std::uint8_t ask(Writer& pdu, Instant now) override {
        EXPECT(!waiting);
        waiting = true;
        ++asked;
        due_at = now + milliseconds(100);
        // Another register each time, so that an answer in the wrong place shows.
        address = static_cast<std::uint16_t>(100 + asked % 4);
        (void)modbus::encode_read(pdu, modbus::Function::read_holding_registers, address, 1);
        return unit;
    }
    void answered(Bytes pdu, Instant now) override {
        EXPECT(waiting);
        waiting = false;
        last_answer = now;
        if (modbus::is_exception(pdu)) {
            ++exceptions;
            return;
        }
        const auto value = modbus::registers_of(pdu, modbus::Function::read_holding_registers, 1);
        EXPECT(value && modbus::register_at(*value, 0) == (address - 99) * 10);
        ++answers;
    }
    void failed(Error error, Instant now) override {
        EXPECT(waiting);
        waiting = false;
        ++failures;
        failure = error.code;
        due_at = later(due_at, now);
    }

    std::uint8_t unit = 1;
    std::uint16_t address = 0;
    Instant due_at;
    Instant last_answer;
    bool waiting = false;
    int asked = 0;
    int answers = 0;
    int exceptions = 0;
    int failures = 0;
    Code failure = Code::ok;
};

/// One poller of unit 1 for `duration`, with the faults that `change` sets.
template <class Change>
Poller poll(ModbusFraming framing, Duration duration, Change change) {
    std::vector<ModbusUnit> units{meter()};
    ModbusLink link(framing, units);
    ModbusLineSettings settings;
    settings.framing = framing;
    change(link.server.faults);
    Poller poller;
    const std::array<ModbusClient*, 1> clients{&poller};
    std::array<ModbusOpenRequest, 1> open;
    std::array<std::uint8_t, modbus_buffer_size> in{};
    std::array<std::uint8_t, modbus_buffer_size> out{};
    ModbusLine line(link, settings, clients, {open, in, out});
    line.connected(link.now);
    link.run(line, t0 + duration);
    EXPECT(poller.asked ==
           poller.answers + poller.exceptions + poller.failures + (poller.waiting ? 1 : 0));
    return poller;
}

constexpr std::array framings{ModbusFraming::tcp, ModbusFraming::rtu, ModbusFraming::rtu_over_tcp};

}  // namespace

TEST(a_simulated_device_reads_what_was_set_and_refuses_the_rest) {
    ModbusUnit unit = meter();
    EXPECT(ask(unit, {3, 0, 100, 0, 2}) == Pdu({3, 4, 0, 10, 0, 20}));
    EXPECT(ask(unit, {4, 0, 7, 0, 1}) == Pdu({4, 2, 0x12, 0x34}));
    EXPECT(ask(unit, {1, 0, 0, 0, 10}) == Pdu({1, 2, 0x0D, 0x02}));
    EXPECT(ask(unit, {2, 0, 3, 0, 1}) == Pdu({2, 1, 1}));
    EXPECT(ask(unit, {3, 0, 102, 0, 3}) == Pdu({0x83, 2}));
    EXPECT(ask(unit, {3, 0xFF, 0xFF, 0, 1}) == Pdu({0x83, 2}));
    EXPECT(ask(unit, {3, 0, 100, 0, 0}) == Pdu({0x83, 3}));
    EXPECT(ask(unit, {0x44, 1, 2}) == Pdu({0xC4, 1}));
    EXPECT(ask(unit, {}).empty());
}

TEST(a_simulated_device_obeys_writes) {
    ModbusUnit unit = meter();
    EXPECT(ask(unit, {6, 0, 100, 0xAB, 0xCD}) == Pdu({6, 0, 100, 0xAB, 0xCD}));
    EXPECT(unit.holding.get(100) == 0xABCD);
    EXPECT(ask(unit, {16, 0, 101, 0, 2, 4, 0, 1, 0, 2}) == Pdu({16, 0, 101, 0, 2}));
    EXPECT(unit.holding.get(101) == 1 && unit.holding.get(102) == 2);
    EXPECT(ask(unit, {5, 0, 1, 0xFF, 0}) == Pdu({5, 0, 1, 0xFF, 0}));
    EXPECT(unit.coils.get(1) == 1);
    EXPECT(ask(unit, {15, 0, 0, 0, 3, 1, 0b010}) == Pdu({15, 0, 0, 0, 3}));
    EXPECT(unit.coils.get(0) == 0 && unit.coils.get(1) == 1 && unit.coils.get(2) == 0);
    // Writes first, reads then (V1.1b3, 6.17).
    EXPECT(ask(unit, {23, 0, 100, 0, 1, 0, 100, 0, 1, 2, 0, 9}) == Pdu({23, 2, 0, 9}));
    EXPECT(ask(unit, {6, 0, 99, 0, 1}) == Pdu({0x86, 2}));
    unit.refuse = [](const modbus::Request&) { return modbus::Exception::illegal_value; };
    EXPECT(ask(unit, {6, 0, 100, 0, 1}) == Pdu({0x86, 3}));
    EXPECT(unit.holding.get(100) == 9);
}

TEST(a_simulated_device_says_what_it_is) {
    ModbusUnit unit = meter();
    const Pdu basic = ask(unit, {43, 14, 1, 0});
    const auto reply = modbus::decode_reply(basic);
    EXPECT(reply && reply->object_count == 3 && !reply->more_follows);
    Reader objects(reply->data);
    EXPECT(modbus::take_object(objects)->text == "Jouleway");
    EXPECT(ask(unit, {43, 14, 4, 1}).size() == 7 + 2 + 5);
    EXPECT(ask(unit, {43, 14, 4, 9}) == Pdu({0xAB, 2}));
    unit.identification[1] = std::string(240, 'x');
    const Pdu first = ask(unit, {43, 14, 1, 0});
    const auto part = modbus::decode_reply(first);
    EXPECT(part && part->more_follows && part->next_object == 1 && part->object_count == 1);
}

TEST(time_passes_inside_a_simulated_device) {
    std::vector<ModbusUnit> units{meter()};
    units[0].live = [](ModbusUnit& unit, Instant now) {
        unit.holding.set(100, static_cast<std::uint16_t>(now.ms() / 1000));
    };
    ModbusServer server(ModbusFraming::tcp, units);
    const std::array<std::uint8_t, 12> request{0, 1, 0, 0, 0, 6, 1, 3, 0, 100, 0, 1};
    server.received(request, Instant{5'000'000});
    Pdu bytes;
    server.take(Instant{5'000'000}, bytes);
    EXPECT(bytes == Pdu({0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 5}));
}

TEST(a_missing_unit_is_silent_on_serial_and_named_by_a_tcp_gateway) {
    std::vector<ModbusUnit> units{meter(1), meter(2)};
    ModbusServer tcp(ModbusFraming::tcp, units);
    const std::array<std::uint8_t, 12> request{0, 1, 0, 0, 0, 6, 9, 3, 0, 100, 0, 1};
    tcp.received(request, t0);
    Pdu bytes;
    tcp.take(t0, bytes);
    EXPECT(bytes == Pdu({0, 1, 0, 0, 0, 3, 9, 0x83, 11}));
    ModbusServer rtu(ModbusFraming::rtu, units);
    std::array<std::uint8_t, 8> frame{};
    Writer out(frame);
    modbus::put_rtu(out, 9, Bytes(request).subspan(7));
    rtu.received(frame, t0);
    EXPECT(rtu.next() == never && rtu.requests() == 1);
}

TEST(a_broadcast_is_obeyed_by_all_and_answered_by_none) {
    std::vector<ModbusUnit> units{meter(1), meter(2)};
    ModbusServer server(ModbusFraming::rtu, units);
    std::array<std::uint8_t, 8> frame{};
    Writer out(frame);
    const std::array<std::uint8_t, 5> pdu{6, 0, 100, 0, 9};
    modbus::put_rtu(out, 0, pdu);
    server.received(frame, t0);
    EXPECT(units[0].holding.get(100) == 9 && units[1].holding.get(100) == 9);
    EXPECT(server.next() == never);
}

TEST(a_single_tcp_device_also_answers_as_unit_255) {
    std::vector<ModbusUnit> units{meter(7)};
    ModbusServer server(ModbusFraming::tcp, units);
    const std::array<std::uint8_t, 12> request{0, 1, 0, 0, 0, 6, 255, 3, 0, 100, 0, 1};
    server.received(request, t0);
    Pdu bytes;
    server.take(t0, bytes);
    EXPECT(bytes == Pdu({0, 1, 0, 0, 0, 5, 255, 3, 2, 0, 10}));
}

TEST(a_serial_request_of_unknown_length_is_refused_by_name) {
    std::vector<ModbusUnit> units{meter()};
    ModbusServer server(ModbusFraming::rtu, units);
    std::array<std::uint8_t, 7> frame{};
    Writer out(frame);
    const std::array<std::uint8_t, 4> pdu{0x44, 1, 2, 3};
    modbus::put_rtu(out, 1, pdu);
    server.received(Bytes(frame).first(3), t0);
    EXPECT(server.next() == never);
    server.received(Bytes(frame).subspan(3), t0);
    Pdu bytes;
    server.take(t0, bytes);
    EXPECT(bytes.size() == 5 && bytes[1] == 0xC4 && bytes[2] == 1);
}

TEST(a_simulated_device_forgets_bytes_that_are_no_request) {
    std::vector<ModbusUnit> units{meter()};
    ModbusServer tcp(ModbusFraming::tcp, units);
    const std::array<std::uint8_t, 12> foreign{0, 1, 0, 9, 0, 6, 1, 3, 0, 100, 0, 1};
    tcp.received(foreign, t0);
    EXPECT(tcp.requests() == 0 && tcp.refused_bytes() == 12 && tcp.next() == never);
}

TEST(requests_are_answered_however_they_are_cut) {
    std::vector<ModbusUnit> units{meter()};
    for (const auto framing : framings) {
        std::array<std::uint8_t, 12> buffer{};
        Writer request(buffer);
        const std::array<std::uint8_t, 5> pdu{3, 0, 100, 0, 1};
        if (framing == ModbusFraming::tcp) {
            modbus::put_tcp(request, 1, 1, pdu);
        } else {
            modbus::put_rtu(request, 1, pdu);
        }
        ModbusServer server(framing, units);
        for (std::size_t i = 0; i < request.size(); ++i) {
            EXPECT(server.next() == never);
            server.received(request.written().subspan(i, 1), t0);
        }
        EXPECT(server.next() == t0 && server.requests() == 1);
    }
}

TEST(half_a_serial_request_is_forgotten_after_silence) {
    std::vector<ModbusUnit> units{meter()};
    ModbusServer server(ModbusFraming::rtu, units);
    const std::array<std::uint8_t, 8> request{0x01, 0x03, 0x00, 0x64, 0x00, 0x01, 0xC5, 0xD5};
    server.received(Bytes(request).first(4), t0);
    server.received(request, t0 + seconds(1));
    EXPECT(server.requests() == 1 && server.refused_bytes() == 4);
}

TEST(a_healthy_device_answers_every_question) {
    for (const auto framing : framings) {
        const Poller poller = poll(framing, seconds(10), [](ModbusFaults&) {});
        EXPECT(poller.answers >= 99 && poller.failures == 0);
    }
}

TEST(a_device_that_drops_requests_costs_timeouts_only) {
    for (const auto framing : framings) {
        const Poller poller =
            poll(framing, seconds(600), [](ModbusFaults& faults) { faults.drop_percent = 20; });
        EXPECT(poller.answers > 500 && poller.failures > 50 && poller.failure == Code::timeout);
    }
}

TEST(a_device_that_answers_too_late_never_gives_a_wrong_value) {
    // The poller checks each value against the register that it asked for.
    for (const auto framing : framings) {
        for (const int delay_ms : {1010, 1050, 1100, 1500, 1990}) {
            const Poller poller = poll(framing, seconds(60), [&](ModbusFaults& faults) {
                faults.delay = milliseconds(delay_ms);
            });
            EXPECT(poller.answers == 0 && poller.failures > 20);
        }
        const Poller slow = poll(
            framing, seconds(60), [](ModbusFaults& faults) { faults.delay = milliseconds(900); });
        EXPECT(slow.answers > 50 && slow.failures == 0);
    }
}

TEST(a_wrong_id_half_a_frame_and_garbage_are_survived) {
    for (const auto framing : framings) {
        const Poller wrong =
            poll(framing, seconds(600), [](ModbusFaults& faults) { faults.wrong_id_percent = 20; });
        EXPECT(wrong.answers > 500 && wrong.failures > 50);
        const Poller half = poll(
            framing, seconds(600), [](ModbusFaults& faults) { faults.half_frame_percent = 20; });
        EXPECT(half.answers > 500 && half.failures > 50);
        const Poller garbage =
            poll(framing, seconds(600), [](ModbusFaults& faults) { faults.garbage_percent = 20; });
        EXPECT(garbage.answers > 500 && garbage.failures > 50);
    }
}

TEST(an_exception_is_an_answer) {
    const Poller poller = poll(ModbusFraming::tcp, seconds(10), [](ModbusFaults& faults) {
        faults.exception_percent = 100;
        faults.exception = modbus::Exception::device_busy;
    });
    EXPECT(poller.exceptions >= 99 && poller.failures == 0 && poller.answers == 0);
}

TEST(a_device_that_slept_answers_again) {
    const Poller poller = poll(ModbusFraming::rtu, seconds(100), [](ModbusFaults& faults) {
        faults.asleep_from = t0 + seconds(10);
        faults.asleep_to = t0 + seconds(90);
    });
    EXPECT(poller.failures >= 39 && poller.answers > 150);
    EXPECT(t0 + seconds(99) < poller.last_answer);
}

TEST(everything_at_once_and_many_units_still_end_each_question_once) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const ModbusFraming framing = framings[seed % 3];
        std::vector<ModbusUnit> units{meter(1), meter(2), meter(3)};
        ModbusLink link(framing, units, seed);
        ModbusLineSettings settings;
        settings.framing = framing;
        ModbusFaults& faults = link.server.faults;
        faults.delay = milliseconds(static_cast<std::int64_t>(seed) * 20);
        faults.drop_percent = 5;
        faults.wrong_id_percent = framing == ModbusFraming::tcp ? 5 : 0;
        faults.half_frame_percent = framing == ModbusFraming::tcp ? 0 : 5;
        faults.garbage_percent = framing == ModbusFraming::tcp ? 0 : 5;
        faults.exception_percent = 5;
        settings.open_requests_max = 3;
        std::array<Poller, 3> pollers;
        for (std::size_t i = 0; i < 3; ++i) {
            pollers[i].unit = static_cast<std::uint8_t>(i + 1);
        }
        const std::array<ModbusClient*, 3> clients{&pollers[0], &pollers[1], &pollers[2]};
        std::array<ModbusOpenRequest, 3> open;
        std::array<std::uint8_t, modbus_buffer_size> in{};
        std::array<std::uint8_t, modbus_buffer_size> out{};
        ModbusLine line(link, settings, clients, {open, in, out});
        line.connected(link.now);
        link.run(line, t0 + seconds(300));
        for (const Poller& poller : pollers) {
            EXPECT(poller.answers > 100 && poller.failures > 0 && poller.exceptions > 0);
            EXPECT(poller.asked ==
                   poller.answers + poller.exceptions + poller.failures + (poller.waiting ? 1 : 0));
        }
    }
}

TEST(the_same_seed_gives_the_same_bytes) {
    std::array<Pdu, 2> runs;
    for (Pdu& bytes : runs) {
        std::vector<ModbusUnit> units{meter()};
        ModbusServer server(ModbusFraming::tcp, units, 42);
        server.faults.garbage_percent = 50;
        server.faults.drop_percent = 10;
        const std::array<std::uint8_t, 12> request{0, 1, 0, 0, 0, 6, 1, 3, 0, 100, 0, 1};
        for (int i = 0; i < 100; ++i) {
            server.received(request, t0);
        }
        server.take(t0, bytes);
    }
    EXPECT(!runs[0].empty() && runs[0] == runs[1]);
}
