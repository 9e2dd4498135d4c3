// SPDX-License-Identifier: Apache-2.0
// What a TinyBMS's registers become, which faults hold, and what the driver asks. The tests whose
// names begin with D and a number are of mistakes that other gateways for this BMS make.
#include "core/device/tinybms/tinybms.h"

#include <array>

#include "core/base/test.h"
#include "core/device/registers/fake_device.h"

using namespace jw;
using namespace jw::tinybms;

namespace {

constexpr Instant start = Instant{} + seconds(100);

struct Live : std::array<std::uint16_t, 56> {
    Live() {
        fill(0);
        std::fill_n(begin(), 16, std::uint16_t{33'000});
        at(36) = 0x3333;  // 52.8 V
        at(37) = 0x4253;
        at(40) = 3300;
        at(41) = 3300;
        at(42) = 251;
        at(43) = 0x8000;
        at(48) = 312;
        at(45) = 48'500;
        at(46) = 0xF208;  // 83.554824 %
        at(47) = 0x04FA;
        at(50) = 0x97;
        at(53) = 16;
    }
};

std::optional<std::int64_t> number(const Values& values, Quantity quantity, int index = 0) {
    const jw::Value* const found = values.find(quantity, static_cast<std::uint8_t>(index));
    return found == nullptr ? std::nullopt : std::optional(found->number);
}

/// What a live poll gives, without the rest.
Values read(const Live& words, CellOrder order = {}) {
    Values values;
    (void)put_live(words, order, values);
    return values;
}

std::array<std::uint16_t, setting_words> good_settings() {
    std::array<std::uint16_t, setting_words> words{};
    words[0] = 3650;
    words[1] = 2800;
    words[6] = 28'000;
    words[7] = 16;
    words[15] = 3800;
    words[16] = 2500;
    words[17] = 150;
    words[18] = 100;
    words[19] = 60;
    words[20] = 0xFFFB;  // -5
    return words;
}

std::uint32_t bit(BatteryAlarm alarm) {
    return 1U << static_cast<unsigned>(alarm);
}

/// The log of a BMS, and what became of it.
struct Log {
    std::array<std::uint16_t, event_words> words{};
    FaultLog log;
    NewEvents fresh;
    Instant now = start;
    void put(std::size_t at, std::uint32_t time_s, std::uint8_t id) {
        words[2 * at] = static_cast<std::uint16_t>(time_s & 0xFFFF);
        words[2 * at + 1] = static_cast<std::uint16_t>(unsigned{id} << 8 | time_s >> 16);
    }
    void read(std::uint32_t lifetime_s = 10'000) { log.read(words, lifetime_s, now, fresh); }
};

}  // namespace

TEST(D3_cut_off_of_a_cell_is_told_as_one_and_a_sound_pack_has_no_alarm) {
    Values values;
    const auto settings = good_settings();
    EXPECT(put_settings(settings, values) == 0);
    EXPECT(number(values, Quantity::cell_overvoltage_mv) == 3800);
    EXPECT(number(values, Quantity::cell_undervoltage_mv) == 2500);
    EXPECT(number(read(Live()), Quantity::voltage_mv) == 52'800);  // far above 3800 mV
    FaultLog log;
    log.status(0x97, start);
    EXPECT(log.alarm_bits() == 0);
}

TEST(D4_current_limits_are_the_cut_offs_317_and_318_never_the_statistics_102_and_103) {
    Values values;
    const auto settings = good_settings();
    std::array<std::uint16_t, statistic_words> statistics{};
    statistics[2] = 9000;  // 900 A once seen
    statistics[3] = 8000;
    statistics[12] = 17;
    (void)put_settings(settings, values);
    put_statistics(statistics, values);
    EXPECT(number(values, Quantity::discharge_current_max_ma) == 150'000);
    EXPECT(number(values, Quantity::charge_current_max_ma) == 100'000);
    EXPECT(number(values, Quantity::cycle_count) == 17);
    EXPECT(values.size() == 11);
}

TEST(D5_present_temperature_is_of_the_sensors_and_never_of_the_statistics) {
    const Values values = read(Live());
    EXPECT(number(values, Quantity::temperature_mc, 1) == 25'100);
    EXPECT(!number(values, Quantity::temperature_mc, 2));  // none is connected
    EXPECT(number(values, Quantity::temperature_mc, 3) == 31'200);
    std::array<std::uint16_t, statistic_words> statistics{};
    statistics[13] = 0x1908;  // 8 and 25 °C since they were cleared
    Values more;
    put_statistics(statistics, more);
    EXPECT(!number(more, Quantity::temperature_mc, 1) && more.size() == 1);
}

TEST(D8_list_answers_are_pairs_and_a_list_asks_for_15_at_most) {
    std::array<std::uint8_t, 32> addresses{};
    std::array<std::uint8_t, 64> room{};
    Writer out(room);
    Message list;
    list.command = tinybms::Command::read_list;
    list.data = Bytes(addresses).first(32);
    EXPECT(!put(out, list));
    list.data = Bytes(addresses).first(30);
    EXPECT(put(out, list).has_value());
    // The document's registers 36 and 37 of 52.48 V.
    constexpr std::array<std::uint8_t, 13> answer{
        0xAA, 0x09, 0x08, 0x24, 0x00, 0x85, 0xEB, 0x25, 0x00, 0x51, 0x42, 0x1C, 0x15};
    const auto taken = tinybms::take(answer, Side::reply);
    EXPECT(taken && taken->message.data.size() == 8);
    EXPECT(taken->message.word(0) == 36 && taken->message.word(2) == 37);
    EXPECT(taken->message.word(1) == 0xEB85 && taken->message.word(3) == 0x4251);
}

TEST(D9_alarms_come_of_faults_and_not_of_the_number_of_the_status) {
    for (const int status : {0x91, 0x92, 0x93, 0x96, 0x97}) {
        FaultLog log;
        log.status(static_cast<std::uint16_t>(status), start);
        EXPECT(log.alarm_bits() == 0);
    }
    FaultLog log;
    log.status(0x9B, start);
    EXPECT(log.alarm_bits() == bit(BatteryAlarm::bms_internal));
    log.status(0x97, start + seconds(1));
    EXPECT(log.alarm_bits() == 0);
}

TEST(D10_serial_is_a_number_of_24_hex_digits_and_no_text) {
    constexpr std::array<std::uint16_t, version_words> words{
        0x0102, 0x0301, 242, 0x0418, 0x0026, 0x002C, 0x3437, 0x510D, 0x3133, 0x3732};
    DeviceInfo info;
    describe(words, info);
    EXPECT(info.serial == "0026002c3437510d31333732");
    EXPECT(info.version == "1.242, hardware 2.1");
    EXPECT(info.maker == "Enepaq" && info.model == "TinyBMS");
}

TEST(tinybms_statuses_become_activities_and_an_unknown_one_none) {
    const auto activity = [](std::uint16_t status) {
        Live words;
        words[50] = status;
        return number(read(words), Quantity::battery_state);
    };
    const auto is = [](BatteryActivity wanted) { return static_cast<std::int64_t>(wanted); };
    EXPECT(activity(0x91) == is(BatteryActivity::charging));
    EXPECT(activity(0x92) == is(BatteryActivity::full));
    EXPECT(activity(0x93) == is(BatteryActivity::discharging));
    EXPECT(activity(0x96) == is(BatteryActivity::charging));
    EXPECT(activity(0x97) == is(BatteryActivity::idle));
    EXPECT(activity(0x9B) == is(BatteryActivity::fault));
    EXPECT(!activity(0) && !activity(0x94));
}

TEST(tinybms_cells_are_numbered_without_the_registers_that_are_not_wired) {
    Live words;
    words[0] = words[1] = 0;  // as recorded hardware with 14 cells
    words[2] = 31'000;
    words[15] = 34'000;
    words[53] = 14;
    Values values = read(words);
    EXPECT(number(values, Quantity::cell_voltage_mv, 1) == 3100);
    EXPECT(number(values, Quantity::cell_voltage_mv, 14) == 3400);
    EXPECT(!number(values, Quantity::cell_voltage_mv, 15));
    values = read(words, {.reversed = true});
    EXPECT(number(values, Quantity::cell_voltage_mv, 1) == 3400);
    EXPECT(number(values, Quantity::cell_voltage_mv, 14) == 3100);
    words[0] = words[1] = 32'000;  // as the document has it
    words[14] = words[15] = 0;
    values = read(words);
    EXPECT(number(values, Quantity::cell_voltage_mv, 1) == 3200);
    EXPECT(number(values, Quantity::cell_voltage_mv, 3) == 3100);
    EXPECT(number(values, Quantity::cell_voltage_mv, 14) == 3300);
    EXPECT(!number(values, Quantity::cell_voltage_mv, 15));
}

TEST(tinybms_cell_that_reads_zero_among_the_wired_ones_is_shown_as_zero) {
    Live words;
    words[5] = 0;
    words[53] = 15;  // it counts one less
    Values values = read(words, {.series = 16});
    EXPECT(number(values, Quantity::cell_voltage_mv, 6) == 0);
    EXPECT(number(values, Quantity::cell_voltage_mv, 16) == 3300);
    // The same of a pack in the last registers, once it was seen there.
    Live last;
    last[0] = last[1] = 0;
    CellOrder order{.series = 14};
    Values before;
    (void)put_live(last, order, before);
    last[14] = last[15] = 0;
    values.clear();
    (void)put_live(last, order, values);
    EXPECT(number(values, Quantity::cell_voltage_mv, 12) == 3300);
    EXPECT(number(values, Quantity::cell_voltage_mv, 13) == 0);
    EXPECT(number(values, Quantity::cell_voltage_mv, 14) == 0);
}

TEST(tinybms_balancing_bits_turn_with_the_cells) {
    Live words;
    words[52] = 0x0003;
    EXPECT(number(read(words), Quantity::balancing_bits) == 0x0003);
    EXPECT(number(read(words, {.reversed = true}), Quantity::balancing_bits) == 0xC000);
}

TEST(tinybms_words_that_cannot_be_are_absent_and_counted) {
    Live words;
    CellOrder order;
    Values values;
    words[36] = 0;
    words[37] = 0x7F80;  // infinity
    words[38] = 0xFFFF;
    words[39] = 0x7F7F;  // the largest float
    words[45] = 50'001;
    words[50] = 0x42;
    EXPECT(put_live(words, order, values) == 4);
    EXPECT(!number(values, Quantity::voltage_mv) && !number(values, Quantity::current_ma));
    EXPECT(!number(values, Quantity::power_w) && !number(values, Quantity::soh_permille));
    EXPECT(number(values, Quantity::soc_permille) == 836);
    words[45] = 0;  // firmware that has none
    EXPECT(!number(read(words), Quantity::soh_permille));
    auto settings = good_settings();
    settings[17] = 0;     // no limit known is no limit of 0 and none of another register
    settings[15] = 5000;  // beyond the document
    Values set;
    EXPECT(put_settings(settings, set) == 2);
    EXPECT(!number(set, Quantity::discharge_current_max_ma));
    EXPECT(!number(set, Quantity::cell_overvoltage_mv));
    EXPECT(number(set, Quantity::charge_temperature_min_mc) == -5000);
}

TEST(tinybms_old_log_is_neither_news_nor_alarm_while_the_status_is_sound) {
    Log log;
    log.put(0, 100, 0x0B);
    log.put(1, 200, 0x03);
    log.log.status(0x97, start);
    log.read();
    EXPECT(log.fresh.empty() && log.log.alarm_bits() == 0);
    Log faulty;
    faulty.put(0, 100, 0x0B);
    faulty.put(1, 150, 0x61);  // it was started since
    faulty.put(2, 200, 0x03);
    faulty.log.status(0x9B, start);
    faulty.read();
    EXPECT(faulty.fresh.empty());
    EXPECT(faulty.log.alarm_bits() ==
           (bit(BatteryAlarm::high_voltage) | bit(BatteryAlarm::bms_internal)));
}

TEST(tinybms_events_are_new_by_time_and_id_and_told_oldest_first) {
    Log log;
    log.log.status(0x97, start);
    log.put(0, 500, 0x62);
    log.read();
    log.put(1, 700, 0x63);
    log.put(2, 600, 0x64);  // a ring: the older one may stand behind
    log.put(3, 700, 0x65);
    log.read();
    EXPECT(log.fresh.size() == 3);
    EXPECT(log.fresh[0].id == 0x64 && log.fresh[1].id == 0x63 && log.fresh[2].id == 0x65);
    log.read();
    EXPECT(log.fresh.empty());
    // Pushed on by one, as a full log is: only the last is new.
    log.put(0, 700, 0x63);
    log.put(1, 600, 0x64);
    log.put(2, 700, 0x65);
    log.put(3, 800, 0x63);
    log.read();
    EXPECT(log.fresh.size() == 1 && log.fresh[0].time_s == 800);
}

TEST(tinybms_event_times_begin_anew_after_24_bits) {
    Log log;
    log.log.status(0x9B, start);
    log.read(0xFF'FFF0);
    log.put(0, 0xFF'FFF8, 0x03);  // over-voltage, and 20 s later, past the turn, its recovery
    log.put(1, 0x00'000C, 0x79);
    log.read(0x100'0020);
    EXPECT(log.fresh.size() == 2 && log.fresh[0].id == 0x03);
    EXPECT(log.log.alarm_bits() == bit(BatteryAlarm::bms_internal));
}

TEST(tinybms_each_fault_has_its_alarm_and_its_recovery) {
    struct Row {
        std::uint8_t fault;
        std::uint8_t recovery;
        BatteryAlarm alarm;
    };
    constexpr Row rows[] = {{0x02, 0x7B, BatteryAlarm::low_voltage},
                            {0x03, 0x79, BatteryAlarm::high_voltage},
                            {0x04, 0x73, BatteryAlarm::high_temperature},
                            {0x05, 0x77, BatteryAlarm::high_current},
                            {0x06, 0x76, BatteryAlarm::high_charge_current},
                            {0x07, 0x78, BatteryAlarm::high_charge_current},
                            {0x0A, 0x75, BatteryAlarm::low_temperature},
                            {0x0B, 0x61, BatteryAlarm::contactor},
                            {0x0C, 0x61, BatteryAlarm::contactor},
                            {0x0D, 0x61, BatteryAlarm::contactor},
                            {0x0E, 0x61, BatteryAlarm::bms_internal},
                            {0x0F, 0x61, BatteryAlarm::bms_internal}};
    for (const Row& row : rows) {
        Log log;
        log.log.status(0x97, start);
        log.read();
        log.put(0, 9000, row.fault);
        log.read();
        EXPECT(log.log.alarm_bits() == bit(row.alarm));
        log.put(1, 9001, row.recovery);
        log.read();
        EXPECT(log.log.alarm_bits() == 0);
    }
}

TEST(tinybms_fault_without_recovery_ends_when_the_status_was_sound_for_ten_seconds) {
    Log log;
    log.log.status(0x97, start);
    log.read();
    log.put(0, 9000, 0x0B);
    log.read();
    log.log.status(0x97, start + milliseconds(9999));
    EXPECT(log.log.alarm_bits() == bit(BatteryAlarm::contactor));
    log.log.status(0x9B, start + seconds(12));
    log.log.status(0x97, start + seconds(20));
    EXPECT(log.log.alarm_bits() == bit(BatteryAlarm::contactor));
    log.log.status(0x97, start + seconds(22));
    EXPECT(log.log.alarm_bits() == 0);
    log.read();  // nothing new in the log: it does not come back
    EXPECT(log.log.alarm_bits() == 0);
}

TEST(tinybms_event_without_a_name_is_told_with_its_number) {
    std::array<char, 96> room{};
    Text text(room);
    put_sentence({1, 0x55}, text);
    EXPECT(text.view() == "It reports an unknown event (event 0x55).");
}

namespace {

/// The last thing that was sent; nobody answers.
struct Wire final : Bus {
    Status send(Bytes bytes) override {
        std::copy(bytes.begin(), bytes.end(), last.begin());
        size = bytes.size();
        return done;
    }
    std::array<std::uint8_t, frame_size_max> last{};
    std::size_t size = 0;
};

}  // namespace

TEST(tinybms_live_poll_is_the_documents_frame_of_registers_0_to_55) {
    registers::Recorder out;
    DeviceSettings settings;
    TinyBms device(settings, out);
    Wire wire;
    device.use_bus(wire);
    device.connected(start);
    constexpr std::array<std::uint8_t, 8> wanted{0xAA, 0x03, 0, 0, 0, 0x38, 0x5D, 0xC3};
    bool seen = false;
    Instant now = start;
    for (int i = 0; i < 20; ++i) {
        now = device.step(now);
        seen = seen || equal(Bytes(wire.last).first(wire.size), wanted);
    }
    EXPECT(seen && out.readings == 0);
}

TEST(tinybms_has_nothing_to_set_but_its_parameters) {
    registers::Recorder out;
    TinyBms device({}, out);
    EXPECT(device.act(Quantity::relay_closed, 1, start).code() == Code::unsupported);
    EXPECT(device.write_parameter("over_heat_cutoff", 50, start).code() == Code::busy);
    EXPECT(device.parameter(0).value == std::nullopt);
    EXPECT(device.step(start) == never);
}
