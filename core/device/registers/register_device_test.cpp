// SPDX-License-Identifier: Apache-2.0
// The register engine against a device made of images.
#include "core/device/registers/register_device.h"

#include <array>

#include "core/base/test.h"
#include "core/device/registers/fake_device.h"

using namespace jw;
using namespace jw::registers;

namespace {

constexpr std::uint64_t nothing_i16[] = {0x8000};
constexpr Block blocks[] = {{Table::coil, 4, 1}, {Table::holding, 100, 9}, {Table::input, 0, 2}};
constexpr Row make_row(Quantity quantity, Table table, std::uint16_t address, Format format) {
    Row row;
    row.quantity = quantity;
    row.table = table;
    row.address = address;
    row.format = format;
    return row;
}
constexpr auto make_rows() {
    std::array<Row, 7> rows{
        make_row(Quantity::relay_closed, Table::coil, 4, Format::bit),
        make_row(Quantity::power_limit_permille, Table::holding, 100, Format::u16),
        make_row(Quantity::current_limit_ma, Table::holding, 101, Format::u32),
        make_row(Quantity::power_w, Table::holding, 104, Format::i16),
        make_row(Quantity::voltage_mv, Table::holding, 105, Format::u16),
        make_row(Quantity::temperature_mc, Table::holding, 108, Format::i16),
        make_row(Quantity::energy_import_wh, Table::input, 0, Format::u32)};
    rows[0].write_function = 5;
    rows[0].most = 1;
    rows[1].write_function = 6;
    rows[1].multiply = 10;
    rows[1].most = 1000;
    rows[2].write_function = 16;
    rows[2].order = WordOrder::cdab;
    rows[2].most = 1'000'000;
    rows[3].scale_register = 106;
    rows[3].sign = -1;
    rows[4].multiply = 100;
    rows[5].absent = nothing_i16;
    return rows;
}
constexpr auto rows = make_rows();
constexpr RegisterMap map{.name = "tested",
                          .maker = {.constant = "ACME"},
                          .model = {Identity::Kind::text, {}, Table::holding, 200, 4},
                          .version = {},
                          .serial = {Identity::Kind::number, {}, Table::holding, 204, 2},
                          .blocks = blocks,
                          .rows = rows};
static_assert(validate(map).problem == Problem::none);

/// A device of the map with its fake far side.
struct Bench {
    std::array<std::uint16_t, 1> coils{1};
    // limit 100 %, 16 A low word first, -, 25 x 10^1 W, 230.0 V, scale 1, -, 0x8000
    std::array<std::uint16_t, 9> holding{100, 16000, 0, 7, 25, 2300, 1, 9, 0x8000};
    std::array<std::uint16_t, 2> input{1, 0};
    std::array<std::uint16_t, 6> identity{0x4142, 0x4300, 0, 0, 0, 77};
    FakeDevice far;
    Recorder out;
    alignas(std::max_align_t) std::array<std::byte, memory_of(map)> memory{};
    Arena arena{memory};
    DeviceSettings settings;
    RegisterDevice* device = nullptr;
    Instant now{};

    explicit Bench(std::int8_t sign = 0) {
        EXPECT(far.shelves.push({Table::coil, 4, coils}));
        EXPECT(far.shelves.push({Table::holding, 100, holding}));
        EXPECT(far.shelves.push({Table::input, 0, input}));
        EXPECT(far.shelves.push({Table::holding, 200, identity}));
        settings.name = "bench";
        settings.sign = sign;
        settings.unit = 17;
        device = &arena.make<RegisterDevice>(map, arena, settings, out);
    }
    void run(Duration duration) { now = far.run(*device, now, now + duration); }
    [[nodiscard]] std::int64_t value(Quantity quantity) const {
        const Value* found = out.last.values.find(quantity);
        return found != nullptr ? found->number : -999'999;
    }
};

}  // namespace

TEST(the_blocks_of_a_map_become_one_reading) {
    Bench bench;
    bench.run(milliseconds(900));
    EXPECT(bench.out.readings == 1);
    EXPECT(bench.out.last.device == "bench");
    EXPECT(bench.value(Quantity::relay_closed) == 1);
    EXPECT(bench.value(Quantity::power_limit_permille) == 1000);
    EXPECT(bench.value(Quantity::current_limit_ma) == 16'000);
    EXPECT(bench.value(Quantity::power_w) == -250);
    EXPECT(bench.value(Quantity::voltage_mv) == 230'000);
    EXPECT(bench.value(Quantity::energy_import_wh) == 65'536);
    EXPECT(bench.out.last.values.find(Quantity::temperature_mc) == nullptr);
    EXPECT(bench.out.last.values.size() == 6);
}

TEST(a_device_says_once_who_it_is) {
    Bench bench;
    bench.run(seconds(5));
    EXPECT(bench.out.identities == 1);
    EXPECT(bench.out.info.name == "bench");
    EXPECT(bench.out.info.driver == "tested");
    EXPECT(bench.out.info.maker == "ACME");
    EXPECT(bench.out.info.model == "ABC");
    EXPECT(bench.out.info.serial == "77");
}

TEST(polls_keep_to_their_grid) {
    Bench bench;
    bench.run(milliseconds(10'500));
    EXPECT(bench.out.readings == 11);
    // 2 of identity once, then 3 blocks a poll.
    EXPECT(bench.far.questions.size() == 2 + 3 * 11);
}

TEST(the_settings_turn_the_sign_of_power) {
    Bench bench(1);
    bench.run(milliseconds(500));
    EXPECT(bench.value(Quantity::power_w) == 250);
    EXPECT(bench.value(Quantity::current_limit_ma) == 16'000);
}

TEST(the_scale_is_taken_from_the_same_answer_as_its_value) {
    Bench bench;
    bench.run(milliseconds(500));
    bench.holding[4] = 2500;
    bench.holding[6] = 0xFFFF;  // 10^-1
    bench.run(seconds(1));
    EXPECT(bench.value(Quantity::power_w) == -250);
}

TEST(a_refused_block_is_asked_in_halves_and_the_missing_row_is_remembered) {
    Bench bench;
    // The device lacks everything from 105 on; the scale register of power at 106 is gone with it.
    bench.far.shelves[1].values = std::span(bench.holding).first(5);
    bench.run(milliseconds(900));
    EXPECT(bench.out.readings == 1);
    EXPECT(bench.out.failures == 0);
    EXPECT(bench.value(Quantity::power_limit_permille) == 1000);
    EXPECT(bench.value(Quantity::current_limit_ma) == 16'000);
    EXPECT(bench.out.last.values.find(Quantity::power_w) == nullptr);
    EXPECT(bench.out.last.values.find(Quantity::voltage_mv) == nullptr);
    EXPECT(bench.value(Quantity::energy_import_wh) == 65'536);
    const std::size_t asked = bench.far.questions.size();
    bench.run(seconds(1));
    EXPECT(bench.out.readings == 2);
    EXPECT(bench.out.last.values.size() == 4);
    EXPECT(bench.far.questions.size() - asked <= 4);
}

TEST(a_device_that_answers_only_short_questions_gives_all_its_values) {
    Bench bench;
    bench.far.count_max = 4;
    bench.run(milliseconds(900));
    EXPECT(bench.out.last.values.size() == 6);
}

TEST(a_device_that_has_none_of_the_rows_refuses_and_is_tried_again) {
    Bench bench;
    bench.far.exception = 2;
    bench.far.exceptions_left = 40;
    bench.run(milliseconds(900));
    EXPECT(bench.out.readings == 0);
    EXPECT(bench.out.failures == 1);
    EXPECT(bench.out.error == Code::unsupported);
    bench.far.exceptions_left = 0;
    bench.run(seconds(3));
    EXPECT(bench.out.readings > 0);
    EXPECT(bench.out.last.values.size() == 6);
}

TEST(busy_is_asked_again_with_back_off_inside_the_same_poll) {
    Bench bench;
    bench.far.exception = 6;
    bench.far.exceptions_left = 3;
    bench.run(milliseconds(950));
    EXPECT(bench.out.failures == 0);
    EXPECT(bench.out.readings == 1);
    bench.far.exceptions_left = 100;
    bench.run(seconds(4));
    EXPECT(bench.out.failures == 1);
    EXPECT(bench.out.error == Code::busy);
}

TEST(an_exception_that_no_repeating_mends_fails_the_poll_as_refused) {
    Bench bench;
    bench.far.exception = 4;
    bench.far.exceptions_left = 1;
    bench.run(milliseconds(900));
    EXPECT(bench.out.error == Code::denied);
    EXPECT(bench.out.readings == 0);
    bench.run(seconds(2));
    EXPECT(bench.out.readings > 0);
}

TEST(a_gateway_that_cannot_reach_the_device_counts_as_silence) {
    Bench bench;
    bench.far.exception = 11;
    bench.far.exceptions_left = 100;
    bench.run(seconds(3));
    EXPECT(bench.out.error == Code::timeout);
}

TEST(one_lost_answer_costs_no_reading) {
    Bench bench;
    bench.run(milliseconds(500));
    std::array<std::uint8_t, 253> buffer{};
    Writer pdu{buffer};
    bench.now = bench.device->due();
    EXPECT(bench.device->ask(pdu, bench.now) == 17);
    bench.device->failed(JW_FAIL(bad_checksum), bench.now);
    bench.run(milliseconds(500));
    EXPECT(bench.out.failures == 0);
    EXPECT(bench.out.readings == 2);
}

TEST(a_silent_device_fails_and_repeats_nothing) {
    Bench bench;
    bench.run(milliseconds(500));
    const int before = bench.out.readings;
    bench.far.silent = true;
    bench.run(seconds(300));
    EXPECT(bench.out.error == Code::timeout);
    EXPECT(bench.out.readings == before);
    // 1, 2, 4, 8, 16, 30, 30 … s and a timeout each: seldom enough not to burden the line.
    EXPECT(bench.out.failures < 16);
}

TEST(a_device_that_answers_again_is_back_within_a_minute_and_says_anew_who_it_is) {
    for (int asleep_s = 1; asleep_s < 400; asleep_s += 7) {
        Bench bench;
        bench.run(milliseconds(500));
        bench.far.silent = true;
        bench.run(seconds(asleep_s));
        bench.far.silent = false;
        const int before = bench.out.readings;
        bench.run(seconds(60));
        EXPECT(bench.out.readings > before);
        EXPECT(asleep_s < 4 || bench.out.identities == 2);
    }
}

TEST(a_sleeping_device_is_asked_as_soon_as_its_line_comes_back) {
    Bench bench;
    bench.run(milliseconds(500));
    const Instant awake = bench.device->due();
    bench.device->connected(bench.now);
    EXPECT(bench.device->due() == awake);  // it was not asleep
    bench.far.silent = true;
    bench.run(seconds(120));
    EXPECT(bench.device->due() > bench.now);
    bench.far.silent = false;
    const int before = bench.out.readings;
    bench.device->connected(bench.now);
    bench.run(seconds(1));
    EXPECT(bench.out.readings > before);
}

TEST(a_line_that_is_not_connected_is_not_asked_twice_in_a_poll) {
    Bench bench;
    std::array<std::uint8_t, 253> buffer{};
    Writer pdu{buffer};
    (void)bench.device->ask(pdu, bench.now);
    bench.device->failed(JW_FAIL(not_found), bench.now);
    EXPECT(bench.out.failures == 1);
    EXPECT(bench.out.error == Code::not_found);
}

TEST(a_device_whose_line_is_not_connected_learns_it_unasked) {
    Bench bench;
    bench.device->failed(JW_FAIL(not_found), bench.now);
    EXPECT(bench.out.failures == 1 && bench.out.error == Code::not_found);
    EXPECT(bench.device->due() > bench.now);
    // A command ends too, after as many tries as one that is sent.
    EXPECT(bench.device->act(Quantity::relay_closed, 0, bench.now).has_value());
    for (int i = 0; i < 10 && bench.out.acts == 0; ++i) {
        EXPECT(bench.device->due() <= bench.now);
        bench.device->failed(JW_FAIL(not_found), bench.now);
        bench.now = bench.now + seconds(1);
    }
    EXPECT(bench.out.acts == 1 && bench.out.code == ResultCode::device_silent);
    EXPECT(bench.coils[0] == 1);
}

TEST(garbage_instead_of_an_answer_is_refused) {
    Bench bench;
    for (int i = 0; i < 2; ++i) {
        std::array<std::uint8_t, 253> buffer{};
        Writer pdu{buffer};
        (void)bench.device->ask(pdu, bench.now);
        const std::array<std::uint8_t, 4> short_answer{3, 2, 0, 0};
        bench.device->answered(short_answer, bench.now);
    }
    EXPECT(bench.out.error == Code::malformed);
}

TEST(a_relay_is_set_read_back_and_told) {
    Bench bench;
    bench.run(milliseconds(500));
    EXPECT(bench.device->act(Quantity::relay_closed, 0, bench.now).has_value());
    EXPECT(bench.device->act(Quantity::relay_closed, 1, bench.now).code() == Code::busy);
    bench.run(milliseconds(100));
    EXPECT(bench.out.acts == 1);
    EXPECT(bench.out.code == ResultCode::executed);
    EXPECT(bench.out.value == 0);
    EXPECT(bench.coils[0] == 0);
    // And the next reading is taken at once.
    EXPECT(bench.value(Quantity::relay_closed) == 0);
}

TEST(registers_are_set_in_their_scale_and_word_order) {
    Bench bench;
    EXPECT(bench.device->act(Quantity::power_limit_permille, 600, bench.now).has_value());
    bench.run(milliseconds(100));
    EXPECT(bench.out.code == ResultCode::executed);
    EXPECT(bench.out.value == 600);
    EXPECT(bench.holding[0] == 60);
    EXPECT(bench.device->act(Quantity::current_limit_ma, 100'000, bench.now).has_value());
    bench.run(milliseconds(100));
    EXPECT(bench.out.code == ResultCode::executed);
    EXPECT(bench.holding[1] == 0x86A0);
    EXPECT(bench.holding[2] == 1);
}

TEST(what_cannot_be_set_is_refused_before_anything_is_sent) {
    Bench bench;
    EXPECT(bench.device->act(Quantity::voltage_mv, 1, bench.now).code() == Code::unsupported);
    EXPECT(bench.device->act(Quantity::relay_closed, 2, bench.now).code() == Code::out_of_range);
    EXPECT(bench.device->act(Quantity::relay_closed, -1, bench.now).code() == Code::out_of_range);
    EXPECT(bench.far.questions.empty());
}

TEST(a_write_without_effect_is_not_confirmed) {
    Bench bench;
    bench.far.writes_ignored = true;
    EXPECT(bench.device->act(Quantity::relay_closed, 0, bench.now).has_value());
    bench.run(milliseconds(100));
    EXPECT(bench.out.code == ResultCode::not_confirmed);
    EXPECT(bench.out.value == 1);
}

TEST(a_refused_write_and_a_silent_device_are_told) {
    Bench bench;
    EXPECT(bench.device->act(Quantity::relay_closed, 0, bench.now).has_value());
    bench.far.exception = 4;
    bench.far.exceptions_left = 1;
    bench.run(milliseconds(100));
    EXPECT(bench.out.code == ResultCode::device_refused);
    EXPECT(bench.device->act(Quantity::relay_closed, 0, bench.now).has_value());
    bench.far.silent = true;
    bench.run(seconds(8));
    EXPECT(bench.out.acts == 2);
    EXPECT(bench.out.code == ResultCode::device_silent);
}

TEST(a_write_whose_answer_was_lost_is_found_out_by_reading_back) {
    Bench bench;
    EXPECT(bench.device->act(Quantity::relay_closed, 0, bench.now).has_value());
    std::array<std::uint8_t, 253> buffer{};
    Writer pdu{buffer};
    (void)bench.device->ask(pdu, bench.now);
    bench.coils[0] = 0;
    bench.device->failed(JW_FAIL(timeout), bench.now);
    bench.run(milliseconds(100));
    EXPECT(bench.out.code == ResultCode::executed);
}

TEST(a_busy_device_is_written_again_later) {
    Bench bench;
    bench.run(milliseconds(500));
    EXPECT(bench.device->act(Quantity::relay_closed, 0, bench.now).has_value());
    bench.far.exception = 6;
    bench.far.exceptions_left = 2;
    bench.run(milliseconds(400));
    EXPECT(bench.out.code == ResultCode::executed);
}

TEST(a_poll_can_be_asked_for_at_once) {
    Bench bench;
    bench.run(milliseconds(500));
    EXPECT(bench.device->poll_now(bench.now).has_value());
    bench.run(milliseconds(100));
    EXPECT(bench.out.readings == 2);
}

namespace {

/// Whether the reading has this value; says which it has where not.
bool reads(const SelfTest& test, const Recorder& out, const Value& expected) {
    const Value* found = out.last.values.find(expected.quantity, expected.index);
    if (found != nullptr && found->number == expected.number) {
        return true;
    }
    std::array<char, 64> buffer{};
    Text name{buffer};
    put_name(expected.quantity, expected.index, name);
    std::printf("devices/%s.json: %.*s: expected %lld, read ",
                test.driver.name,
                static_cast<int>(name.size()),
                buffer.data(),
                static_cast<long long>(expected.number));
    if (found != nullptr) {
        std::printf("%lld\n", static_cast<long long>(found->number));
    } else {
        std::printf("nothing\n");
    }
    return false;
}

void run(const SelfTest& test) {
    alignas(std::max_align_t) std::array<std::byte, 4096> memory{};
    Arena arena{memory};
    Recorder out;
    DeviceSettings settings;
    settings.name = "tested";
    Device* device = test.driver.make(arena, settings, out);
    EXPECT(arena.used() <= test.driver.memory);
    static std::array<std::uint16_t, 1024> words{};
    std::size_t used = 0;
    FakeDevice far;
    for (const Image& image : test.images) {
        const auto shelf = std::span(words).subspan(used, image.values.size());
        std::copy(image.values.begin(), image.values.end(), shelf.begin());
        used += image.values.size();
        EXPECT(far.shelves.push({image.table, image.start, shelf}));
    }
    (void)far.run(*device->modbus(), {}, Instant{900'000});
    EXPECT(out.readings == 1);
    for (const Value& expected : test.expected) {
        EXPECT(reads(test, out, expected));
    }
    EXPECT(out.last.values.size() == test.expected.size());
    EXPECT(out.info.driver == test.map.name);
    const Label* const said[] = {
        &out.info.maker, &out.info.model, &out.info.version, &out.info.serial};
    for (std::size_t i = 0; i < test.identity.size(); ++i) {
        const bool same = said[i]->view() == test.identity[i];
        EXPECT(same);
        if (!same) {
            std::printf("devices/%s.json: identity %zu: expected \"%.*s\", read \"%.*s\"\n",
                        test.driver.name,
                        i,
                        static_cast<int>(test.identity[i].size()),
                        test.identity[i].data(),
                        static_cast<int>(said[i]->size()),
                        said[i]->view().data());
        }
    }
}

}  // namespace

TEST(every_file_of_devices_reads_its_own_registers_as_it_says) {
    for (const SelfTest& test : self_tests()) {
        const int failures = jw::test::failures;
        run(test);
        if (jw::test::failures != failures) {
            std::printf("devices/%s.json: its test fails\n", test.driver.name);
        }
    }
}

#if UINTPTR_MAX == UINT32_MAX
static_assert(sizeof(RegisterDevice) < 400, "a node has 10 KB for everything");
#endif
