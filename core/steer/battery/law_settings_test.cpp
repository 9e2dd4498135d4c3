// SPDX-License-Identifier: Apache-2.0
// Settings of the law that are wrong are told by name.
#include "core/steer/battery/law_settings.h"

#include <cstring>

#include "core/base/test.h"

namespace jw::battery {
namespace {

/// The name of what is complained about after `spoil`, or "".
template <class Spoil>
bool complains(const char* name, Spoil spoil) {
    LawSettings settings;
    spoil(settings);
    const auto complaint = check(settings);
    return complaint && std::strcmp(complaint->name, name) == 0 && complaint->why[0] != 0;
}

TEST(the_defaults_pass) {
    EXPECT(!check(LawSettings{}));
}

TEST(every_number_has_a_range_that_is_kept) {
    for (const LawField& field : law_fields()) {
        for (const std::int64_t number : {field.least - 1, field.most + 1}) {
            LawSettings settings;
            if (const auto* member = std::get_if<Duration LawSettings::*>(&field.member)) {
                settings.*(*member) = milliseconds(number);
            } else {
                settings.*(*std::get_if<std::int64_t LawSettings::*>(&field.member)) = number;
            }
            const auto complaint = check(settings);
            EXPECT(complaint && std::strcmp(complaint->name, field.name) == 0);
            EXPECT(complaint && complaint->least == field.least && complaint->most == field.most);
        }
    }
}

TEST(no_setting_lets_charging_go_on_for_longer_than_ten_seconds_of_silence) {
    EXPECT(complains("charge_zero_after_s",
                     [](LawSettings& s) { s.charge_zero_after = milliseconds(10'001); }));
}

TEST(a_ramp_must_rise_and_stay_within_all_and_nothing) {
    EXPECT(complains("charge_by_cell", [](LawSettings& s) {
        s.charge_by_cell = {{3400, 500}, {3400, 0}};
    }));
    EXPECT(complains("charge_by_cell", [](LawSettings& s) { s.charge_by_cell = {{3400, 1001}}; }));
    EXPECT(complains("charge_by_soc", [](LawSettings& s) { s.charge_by_soc = {{1001, 0}}; }));
    EXPECT(complains("by_board_temperature",
                     [](LawSettings& s) { s.by_board_temperature.size = 11; }));
}

TEST(what_belongs_in_an_order_must_be_in_it) {
    EXPECT(complains("charge_zero_after_s", [](LawSettings& s) {
        s.fresh_for = seconds(5);
        s.charge_zero_after = seconds(5);
    }));
    EXPECT(complains("discharge_zero_after_off_grid_s",
                     [](LawSettings& s) { s.discharge_zero_after_off_grid = seconds(5); }));
    EXPECT(complains("middle_band_low_mv", [](LawSettings& s) { s.middle_band_low_mv = 3375; }));
    EXPECT(complains("protect_to_mv", [](LawSettings& s) { s.protect_to_mv = 3500; }));
    EXPECT(complains("float_exit_permille", [](LawSettings& s) { s.float_exit_permille = 980; }));
    EXPECT(complains("imbalance_release_mv", [](LawSettings& s) { s.imbalance_release_mv = 100; }));
    EXPECT(
        complains("sustain_exit_permille", [](LawSettings& s) { s.sustain_exit_permille = 50; }));
    EXPECT(complains("cell_count", [](LawSettings& s) { s.cell_count = 17; }));
}

TEST(no_target_stands_above_what_the_chemistry_bears) {
    EXPECT(complains("cell_target_mv", [](LawSettings& s) { s.cell_target_mv = 3651; }));
    EXPECT(complains("protect_top_mv", [](LawSettings& s) { s.protect_top_mv = 3651; }));
    EXPECT(complains("silent_cell_mv", [](LawSettings& s) { s.silent_cell_mv = 3651; }));
}

}  // namespace
}  // namespace jw::battery
