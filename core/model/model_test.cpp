// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "core/base/cbor.h"
#include "core/base/csv.h"
#include "core/base/json.h"
#include "core/base/test.h"
#include "core/model/command.h"
#include "core/model/device_info.h"
#include "core/model/event.h"
#include "core/model/filled.h"
#include "core/model/keep.h"
#include "core/model/reading.h"
#include "core/model/record.h"
#include "core/model/snapshot.h"
#include "core/model/wall_time.h"

using namespace jw;

namespace {

template <class M>
void round_trip() {
    const M message = filled<M>();
    std::array<std::uint8_t, 512> bytes{};
    Writer out(bytes);
    to_cbor(message, out);
    EXPECT(out.ok());
    M back;
    Reader in(out.written());
    EXPECT(from_cbor(in, back).has_value());
    EXPECT(in.remaining() == 0);
    std::array<std::uint8_t, 512> again{};
    Writer second(again);
    to_cbor(back, second);
    EXPECT(equal(out.written(), second.written()));
    std::array<char, 1024> one{};
    std::array<char, 1024> two{};
    Text json_one(one);
    Text json_two(two);
    to_json(message, json_one);
    to_json(back, json_two);
    EXPECT(json_one.ok() && json_one.view() == json_two.view());
    Text csv(one);
    csv.clear();
    csv_header<M>(csv);
    const std::size_t header = csv.size();
    to_csv(message, csv);
    EXPECT(csv.ok() && header > 0 && csv.size() > header);
}

}  // namespace

TEST(every_message_round_trips_through_cbor_and_writes_json_and_csv) {
    round_trip<Reading>();
    round_trip<Event>();
    round_trip<Fault>();
    round_trip<Command>();
    round_trip<CommandResult>();
    round_trip<DeviceInfo>();
}

TEST(names_of_quantities_round_trip_with_every_kind_of_index) {
    for (const QuantityInfo& row : quantities()) {
        for (unsigned index = 0; index < 12; ++index) {
            if (index != 0 && row.indexed == Indexed::none) {
                continue;
            }
            std::array<char, 64> buffer{};
            Text name(buffer);
            put_name(row.quantity, static_cast<std::uint8_t>(index), name);
            Quantity quantity = Quantity::none;
            std::uint8_t back = 0;
            const bool parsed = parse_name(name.view(), quantity, back);
            EXPECT(parsed == (row.quantity != Quantity::none));
            if (parsed) {
                EXPECT(quantity == row.quantity && back == index);
            }
        }
    }
    EXPECT(quantity_named("power_l0_w") == Quantity::none);
    EXPECT(quantity_named("relay_closed") == Quantity::relay_closed);
    EXPECT(quantity_named("power") == Quantity::none);
}

TEST(a_reading_in_json_names_phases_and_puts_cells_into_one_array) {
    Reading reading;
    reading.device = "pack";
    reading.values.put(Quantity::power_w, 0, -1520);
    reading.values.put(Quantity::power_w, 1, -500);
    reading.values.put(Quantity::cell_voltage_mv, 1, 3301);
    reading.values.put(Quantity::cell_voltage_mv, 3, 3299);
    reading.values.put(Quantity::energy_import_wh, 1, 12);
    std::array<char, 256> buffer{};
    Text out(buffer);
    to_json(reading, out);
    EXPECT(out.view() ==
           "{\"device\":\"pack\",\"power_w\":-1520,\"power_l1_w\":-500,"
           "\"cell_voltage_mv\":[3301,null,3299],\"energy_import_t1_wh\":12}");
}

TEST(keep_gives_means_of_gauges_last_of_counters_and_extremes_of_power) {
    std::array<KeptValue, 8> storage{};
    Keep keep(storage, seconds(10));
    Reading kept;
    const std::int64_t powers[] = {100, 300, -50, 250};
    bool stored = false;
    for (int i = 0; i < 4; ++i) {
        Reading reading;
        reading.device = "grid";
        reading.values.put(Quantity::power_w, 0, powers[i]);
        reading.values.put(Quantity::energy_import_wh, 0, 1000 + i);
        stored = keep.add(reading, Instant{} + seconds(i), kept);
        EXPECT(!stored);
    }
    Reading last;
    last.device = "grid";
    last.values.put(Quantity::power_w, 0, 401);
    last.values.put(Quantity::energy_import_wh, 0, 1009);
    EXPECT(keep.add(last, Instant{} + seconds(10), kept));
    EXPECT(kept.device == "grid");
    EXPECT(kept.values.find(Quantity::power_w)->number == 200);  // 1001 / 5
    EXPECT(kept.values.find(Quantity::power_min_w)->number == -50);
    EXPECT(kept.values.find(Quantity::power_max_w)->number == 401);
    EXPECT(kept.values.find(Quantity::energy_import_wh)->number == 1009);
}

TEST(keep_stores_a_changed_state_at_once_and_leaves_absent_values_out) {
    std::array<KeptValue, 8> storage{};
    Keep keep(storage, seconds(60));
    Reading kept;
    Reading reading;
    reading.device = "plug";
    reading.values.put(Quantity::relay_closed, 0, 0);
    reading.values.put(Quantity::power_w, 0, 5);
    EXPECT(!keep.add(reading, Instant{}, kept));
    Reading changed;
    changed.device = "plug";
    changed.values.put(Quantity::relay_closed, 0, 1);
    EXPECT(keep.add(changed, Instant{} + seconds(1), kept));
    EXPECT(kept.values.find(Quantity::relay_closed)->number == 1);
    EXPECT(kept.values.find(Quantity::power_w)->number == 5);
    EXPECT(!keep.flush(kept));
    EXPECT(!keep.add(changed, Instant{} + seconds(2), kept));
    EXPECT(keep.flush(kept));
    EXPECT(kept.values.find(Quantity::power_w) == nullptr);
}

TEST(the_snapshot_overwrites_and_a_value_grows_old) {
    std::array<LatestValue, 2> values{};
    std::array<DeviceSnapshot, 1> devices{};
    devices[0].name = "grid";
    devices[0].poll = seconds(1);
    devices[0].values = List<LatestValue>(values);
    Snapshot snapshot(devices);
    Reading reading;
    reading.values.put(Quantity::power_w, 0, 1);
    snapshot.update(0, reading, Instant{});
    reading.values.clear();
    reading.values.put(Quantity::power_w, 0, 2);
    reading.values.put(Quantity::voltage_mv, 1, 230000);
    reading.values.put(Quantity::voltage_mv, 2, 230000);
    snapshot.update(0, reading, Instant{} + seconds(1));
    EXPECT(snapshot.latest(0, Quantity::power_w)->value.number == 2);
    EXPECT(snapshot.latest(0, Quantity::voltage_mv, 2) == nullptr);
    EXPECT(snapshot.lost() == 1);
    const LatestValue& power = *snapshot.latest(0, Quantity::power_w);
    EXPECT(!devices[0].stale(power, Instant{} + seconds(11)));
    EXPECT(devices[0].stale(power, Instant{} + seconds(12)));
}

TEST(wall_time_comes_from_the_first_pair_of_a_boot) {
    std::array<ClockPair, 2> storage{};
    WallTime wall(storage);
    EXPECT(!wall.unix_ms({1, 5}));
    EXPECT(wall.learn({1, 1000, 1'790'000'000'000}));
    EXPECT(!wall.learn({1, 2000, 5}));
    EXPECT(wall.unix_ms({1, 400}) == 1'789'999'999'400);
    EXPECT(wall.learn({2, 0, 7}) && wall.learn({3, 0, 8}));
    EXPECT(!wall.unix_ms({1, 400}));
    EXPECT(wall.unix_ms({3, 2}) == 10);
}

TEST(names_that_are_no_quantity_are_refused) {
    for (const char* name : {"",
                             "power",
                             "power_kw",
                             "powerw",
                             "power_l_w",
                             "power_l0_w",
                             "power_x1_w",
                             "power_l256_w",
                             "power_l1x_w",
                             "power_1_w",
                             "frequency_1_mhz",
                             "relay_closed_1",
                             "none",
                             "volts"}) {
        std::uint8_t index = 0;
        Quantity quantity = Quantity::none;
        EXPECT(!parse_name(name, quantity, index));
        EXPECT(quantity_named(name) == Quantity::none);
    }
    EXPECT(quantity_named("power_l1_w") == Quantity::none);  // that is a name with an index
    EXPECT(info(static_cast<Quantity>(60000)).quantity == Quantity::none);
}

TEST(the_snapshot_counts_what_has_no_room_and_does_not_know_strangers) {
    std::array<LatestValue, 1> values{};
    std::array<DeviceSnapshot, 1> devices{};
    devices[0].name = "grid";
    devices[0].poll = seconds(60);
    devices[0].values = List<LatestValue>(values);
    Snapshot snapshot(devices);
    Reading reading;
    reading.device = "grid";
    reading.values.put(Quantity::power_w, 0, 1);
    reading.values.put(Quantity::voltage_mv, 1, 230'000);
    snapshot.update(0, reading, Instant{} + seconds(5));
    EXPECT(snapshot.lost() == 1);
    EXPECT(snapshot.find("grid") == devices.data() && snapshot.find("roof") == nullptr);
    EXPECT(snapshot.latest(0, Quantity::power_w, 1) == nullptr);
    EXPECT(snapshot.latest(0, Quantity::voltage_mv, 1) == nullptr);
    const LatestValue* latest = snapshot.latest(0, Quantity::power_w);
    EXPECT(latest != nullptr && !devices[0].stale(*latest, Instant{} + seconds(185)));
    EXPECT(devices[0].stale(*latest, Instant{} + seconds(186)));
}

TEST(cells_stand_in_one_array_wherever_they_are_met_and_absent_ones_are_null) {
    Reading reading;
    reading.values.put(Quantity::cell_voltage_mv, 3, 3299);
    reading.values.put(Quantity::cell_voltage_mv, 1, 3301);
    reading.values.put(Quantity::power_w, 0, 5);
    std::array<char, 256> buffer{};
    Text out(buffer);
    to_json(reading, out);
    EXPECT(out.view() == R"({"cell_voltage_mv":[3301,null,3299],"power_w":5})");
}

TEST(a_whole_beside_its_cells_has_a_name_of_its_own) {
    Reading reading;
    reading.values.put(Quantity::cell_voltage_mv, 0, 3300);
    std::array<char, 256> buffer{};
    Text alone(buffer);
    to_json(reading, alone);
    EXPECT(alone.view() == R"({"cell_voltage_mv":3300})");
    reading.values.put(Quantity::cell_voltage_mv, 2, 3299);
    Text out(buffer);
    to_json(reading, out);
    EXPECT(out.view() == R"({"cell_voltage_c0_mv":3300,"cell_voltage_mv":[null,3299]})");
    Quantity quantity = Quantity::none;
    std::uint8_t index = 9;
    EXPECT(parse_name("cell_voltage_c0_mv", quantity, index));
    EXPECT(quantity == Quantity::cell_voltage_mv && index == 0);
    EXPECT(!parse_name("power_l0_w", quantity, index));
}

TEST(values_beyond_the_most_of_a_reading_are_counted) {
    Values values;
    for (std::size_t i = 0; i < Values::capacity() + 3; ++i) {
        values.put(Quantity::temperature_mc, static_cast<std::uint8_t>(i), 1);
    }
    EXPECT(values.size() == Values::capacity() && values.left_out() == 3);
    values.clear();
    EXPECT(values.left_out() == 0);
}

TEST(keep_rounds_negative_means_away_from_zero_and_counts_what_has_no_room) {
    std::array<KeptValue, 1> storage{};
    Keep keep(storage, seconds(60));
    Reading kept;
    EXPECT(!keep.flush(kept));
    Reading reading;
    reading.device = "grid";
    reading.values.put(Quantity::power_w, 0, -1);
    reading.values.put(Quantity::voltage_mv, 1, 230'000);
    EXPECT(!keep.add(reading, Instant{} + seconds(1), kept));
    reading.values.clear();
    reading.values.put(Quantity::power_w, 0, -2);
    EXPECT(!keep.add(reading, Instant{} + seconds(2), kept));
    EXPECT(keep.left_out() == 1);
    EXPECT(keep.flush(kept) && kept.values.find(Quantity::power_w)->number == -2);
    EXPECT(kept.values.find(Quantity::power_min_w)->number == -2);
    EXPECT(kept.values.find(Quantity::power_max_w)->number == -1);
    EXPECT(!keep.flush(kept));
}

TEST(records_and_boots_are_the_same_only_if_every_part_is) {
    const RecordId id{7, RecordClass::billing, 9};
    EXPECT(id == (RecordId{7, RecordClass::billing, 9}));
    EXPECT(id != (RecordId{8, RecordClass::billing, 9}));
    EXPECT(id != (RecordId{7, RecordClass::alarm, 9}));
    EXPECT(id != (RecordId{7, RecordClass::billing, 8}));
    const BootTime time{3, 500};
    EXPECT(time == (BootTime{3, 500}) && time != (BootTime{4, 500}) && time != (BootTime{3, 501}));
}

TEST(a_number_that_no_device_can_mean_is_absent_and_counted) {
    Values values;
    values.put(Quantity::voltage_mv, 0, number_most + 1);
    values.put(Quantity::voltage_mv, 1, INT64_MIN);
    values.put(Quantity::voltage_mv, 2, -number_most);
    EXPECT(values.size() == 1 && values.left_out() == 2);
}

TEST(a_number_from_a_message_that_no_device_can_mean_is_absent_and_counted) {
    const std::uint8_t bytes[] = {0x83, 7, 0, 0x1B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    Reader in(bytes);
    Values values;
    EXPECT(values.from_cbor(in) && values.empty() && values.left_out() == 1);
}

TEST(the_mean_of_more_readings_than_count_in_it_stays_in_range) {
    std::array<KeptValue, 1> storage{};
    Keep keep(storage, seconds(60));
    Reading kept;
    Reading reading;
    reading.values.put(Quantity::voltage_mv, 0, -number_most);
    for (unsigned i = 0; i < (1U << 21) + 9; ++i) {
        (void)keep.add(reading, Instant{}, kept);
    }
    EXPECT(keep.flush(kept) && kept.values.find(Quantity::voltage_mv)->number == -number_most);
}

TEST(keep_leaves_out_what_no_device_can_mean) {
    std::array<KeptValue, 2> storage{};
    Keep keep(storage, seconds(60));
    Reading kept;
    Reading reading;
    EXPECT(reading.values.push({Quantity::voltage_mv, 0, INT64_MAX}));
    EXPECT(!keep.add(reading, Instant{}, kept) && !keep.add(reading, Instant{}, kept));
    EXPECT(keep.left_out() == 2 && !keep.flush(kept));
}

TEST(what_is_no_time_has_no_wall_time) {
    std::array<ClockPair, 2> storage{};
    WallTime wall(storage);
    EXPECT(!wall.learn({1, INT64_MIN, 0}) && !wall.learn({1, 0, INT64_MAX}));
    EXPECT(wall.learn({1, -time_ms_most, time_ms_most}));
    EXPECT(wall.unix_ms({1, time_ms_most}) == 3 * time_ms_most);
    EXPECT(!wall.unix_ms({1, INT64_MAX}) && !wall.unix_ms({1, INT64_MIN}));
}
