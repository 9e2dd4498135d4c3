// SPDX-License-Identifier: Apache-2.0
#include "core/model/thinning.h"

#include <array>

#include "core/base/test.h"
#include "core/model/keep.h"

using namespace jw;

namespace {

constexpr std::uint64_t room = 160'000;  // a sixteenth is 10 000

/// A meter that is read once a second.
struct Meter {
    std::array<KeptValue, 4> memory{};
    Keep keep;
    Reading kept;
    int second = 0;
    explicit Meter(Duration interval) : keep(memory, interval) {}
    bool read(std::uint32_t every, std::int64_t power_w, std::int64_t relay_closed = 1) {
        Reading reading;
        reading.device = "meter";
        reading.values.put(Quantity::power_w, 0, power_w);
        reading.values.put(Quantity::energy_wh, 0, 1000 + second);
        reading.values.put(Quantity::relay_closed, 0, relay_closed);
        return keep.add(reading, Instant{} + seconds(second++), kept, every);
    }
    std::int64_t value(Quantity quantity) const {
        const Value* found = kept.values.find(quantity);
        return found == nullptr ? -1 : found->number;
    }
};

}  // namespace

TEST(a_store_that_fills_is_written_half_as_often_with_each_half_of_what_was_left) {
    EXPECT(keep_every(0, room, 1) == 1 && keep_every(79'999, room, 1) == 1);
    EXPECT(keep_every(80'000, room, 1) == 2 && keep_every(119'999, room, 1) == 2);
    EXPECT(keep_every(120'000, room, 2) == 4 && keep_every(139'999, room, 2) == 4);
    EXPECT(keep_every(140'000, room, 4) == 8 && keep_every(149'999, room, 4) == 8);
    EXPECT(keep_every(150'000, room, 8) == 16 && keep_every(room, room, 8) == 16);
}

TEST(a_step_is_left_only_a_sixteenth_below_where_it_began) {
    EXPECT(keep_every(140'000, room, 16) == 16 && keep_every(139'999, room, 16) == 8);
    EXPECT(keep_every(130'000, room, 8) == 8 && keep_every(129'999, room, 8) == 4);
    EXPECT(keep_every(110'000, room, 4) == 4 && keep_every(109'999, room, 4) == 2);
    EXPECT(keep_every(70'000, room, 2) == 2 && keep_every(69'999, room, 2) == 1);
}

TEST(a_fill_that_goes_up_and_down_by_less_than_a_sixteenth_changes_nothing) {
    for (std::uint64_t around = 0; around <= room; around += 1'000) {
        std::uint32_t every = keep_every(around, room, 1);
        const std::uint32_t first = keep_every(around + 9'000, room, every);
        for (int turn = 0; turn < 4; ++turn) {
            every = keep_every(around + (turn % 2 == 0 ? 0 : 9'000), room, first);
            EXPECT(every == first);
        }
    }
}

TEST(a_store_that_is_found_full_or_empty_goes_there_at_once) {
    EXPECT(keep_every(room, room, 1) == 16 && keep_every(0, room, 16) == 1);
    EXPECT(keep_every(0, 0, 1) == 16);            // a class without any room
    EXPECT(keep_every(room + 1, room, 1) == 16);  // higher classes took of its room
    EXPECT(keep_every(std::uint64_t{1} << 40, std::uint64_t{1} << 40, 1) == 16);
}

TEST(of_intervals_that_are_thinned_one_record_is_made_by_the_rule_of_one_interval) {
    Meter meter(seconds(10));
    EXPECT(!meter.read(4, 100));
    for (int i = 1; i < 40; ++i) {
        EXPECT(!meter.read(4, i == 20 ? -500 : 100));
    }
    EXPECT(meter.read(4, 741) && meter.keep.thinned() == 3);  // the fourth interval ends
    EXPECT(meter.value(Quantity::power_w) == (39 * 100 - 500 + 741) / 41);
    EXPECT(meter.value(Quantity::power_min_w) == -500);
    EXPECT(meter.value(Quantity::power_max_w) == 741);
    EXPECT(meter.value(Quantity::energy_wh) == 1040);
}

TEST(a_meter_whose_every_reading_is_kept_is_thinned_by_readings_and_then_no_longer) {
    Meter meter(Duration{});
    EXPECT(meter.read(1, 10) && meter.value(Quantity::power_max_w) == -1);
    EXPECT(!meter.read(2, 20) && meter.read(2, 40));
    EXPECT(meter.value(Quantity::power_w) == 30 && meter.value(Quantity::power_max_w) == 40);
    EXPECT(!meter.read(2, 50));
    EXPECT(meter.read(1, 70) && meter.value(Quantity::power_w) == 60);  // with what was gathered
    EXPECT(meter.read(1, 80) && meter.value(Quantity::power_w) == 80);
    EXPECT(meter.keep.thinned() == 2);
}

TEST(a_state_that_changes_does_not_wait_however_much_is_thinned) {
    for (const Duration interval : {Duration{}, seconds(10)}) {
        Meter meter(interval);
        (void)meter.read(1, 10, 1);
        (void)meter.read(1, 10, 0);
        EXPECT(!meter.read(16, 10, 0));
        EXPECT(meter.read(16, 10, 1) && meter.value(Quantity::relay_closed) == 1);
        EXPECT(meter.read(16, 10, 0) && meter.value(Quantity::relay_closed) == 0);
        EXPECT(!meter.read(16, 10, 0));
    }
}

TEST(what_was_thinned_and_what_was_kept_are_the_intervals_there_were) {
    Meter meter(seconds(5));
    Meter unthinned(seconds(5));
    std::uint64_t kept = 0;
    std::uint64_t intervals = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::uint32_t every =
            thinning_steps[static_cast<std::size_t>(i / 100 % 5)].keep_every;
        const std::int64_t relay_closed = i / 37 % 2;
        kept += meter.read(every, i, relay_closed) ? 1 : 0;
        intervals += unthinned.read(1, i, relay_closed) ? 1 : 0;
        if (i % 613 == 0) {
            meter.second += 23;  // silent for a while
            unthinned.second += 23;
        }
    }
    EXPECT(kept + meter.keep.thinned() == intervals && meter.keep.thinned() > 500);
    EXPECT(unthinned.keep.thinned() == 0);
}
