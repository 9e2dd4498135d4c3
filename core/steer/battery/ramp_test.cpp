// SPDX-License-Identifier: Apache-2.0
// The ramps of R8: at each point, between the points, beyond them.
#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

struct At {
    std::int64_t at;
    std::int64_t permille;
};

void expect_ramp(const Ramp& ramp, std::initializer_list<At> table) {
    for (const At& row : table) {
        EXPECT(permille_at(ramp, row.at) == row.permille);
    }
}

TEST(charging_by_the_fullest_cell) {
    expect_ramp(LawSettings{}.charge_by_cell,
                {{0, 1000},
                 {3374, 1000},
                 {3375, 1000},
                 {3376, 970},
                 {3387, 640},
                 {3400, 250},
                 {3412, 154},
                 {3425, 50},
                 {3437, 29},
                 {3450, 5},
                 {3475, 3},
                 {3500, 0},
                 {9000, 0}});
}

TEST(discharging_by_the_emptiest_cell) {
    expect_ramp(LawSettings{}.discharge_by_cell,
                {{0, 0},
                 {2800, 0},
                 {2850, 2},
                 {2900, 5},
                 {2950, 27},
                 {3000, 50},
                 {3050, 150},
                 {3100, 250},
                 {3145, 625},
                 {3190, 1000},
                 {5000, 1000}});
}

TEST(charging_by_the_temperature) {
    expect_ramp(LawSettings{}.charge_by_temperature,
                {{-40'000, 0},
                 {0, 0},
                 {1000, 125},
                 {2000, 250},
                 {3500, 375},
                 {5000, 500},
                 {7500, 750},
                 {10'000, 1000},
                 {25'000, 1000},
                 {40'000, 1000},
                 {42'500, 750},
                 {45'000, 500},
                 {47'500, 375},
                 {50'000, 250},
                 {52'500, 125},
                 {55'000, 0},
                 {90'000, 0}});
}

TEST(discharging_by_the_temperature) {
    expect_ramp(LawSettings{}.discharge_by_temperature,
                {{-20'000, 0},
                 {-10'000, 0},
                 {-5000, 125},
                 {0, 250},
                 {2500, 375},
                 {5000, 500},
                 {10'000, 1000},
                 {40'000, 1000},
                 {45'000, 500},
                 {50'000, 250},
                 {55'000, 0}});
}

TEST(both_by_the_temperature_of_the_board) {
    expect_ramp(LawSettings{}.by_board_temperature,
                {{0, 1000},
                 {70'000, 1000},
                 {75'000, 625},
                 {80'000, 250},
                 {85'000, 125},
                 {90'000, 0},
                 {120'000, 0}});
}

TEST(by_the_charge_only_where_the_owner_wants_it) {
    EXPECT(permille_at(LawSettings{}.charge_by_soc, 1000) == 1000);
    EXPECT(permille_at(LawSettings{}.discharge_by_soc, 0) == 1000);
    const Ramp charge{{850, 1000}, {900, 500}, {950, 200}, {980, 100}};
    const Ramp discharge{{50, 100}, {100, 200}, {150, 500}, {200, 1000}};
    expect_ramp(charge, {{850, 1000}, {875, 750}, {900, 500}, {950, 200}, {980, 100}, {1000, 100}});
    expect_ramp(discharge, {{0, 100}, {50, 100}, {100, 200}, {125, 350}, {200, 1000}});
}

TEST(the_lowest_of_the_ramps_counts) {
    LawScene scene;
    scene.packs[0].temperatures_mc[0] = 5000;  // 500
    scene.set_cell(11, 3400);                  // 250
    scene.read();
    EXPECT(scene.charge_ma() == 12'500);
    EXPECT(scene.law.verdict().charge_rule == Rule::cell_high);
    EXPECT(scene.discharge_ma() == 25'000);
    EXPECT(scene.law.verdict().discharge_rule == Rule::temperature);
}

TEST(the_emptiest_cell_holds_discharging_down_alone) {
    LawScene scene;
    scene.set_cells(3250);
    scene.set_cell(4, 3100);
    scene.read();
    EXPECT(scene.discharge_ma() == 12'500);
    EXPECT(scene.charge_ma() == 50'000);
    EXPECT(scene.row(Rule::cell_low).index == 4);
}

TEST(a_hot_board_holds_both_down) {
    LawScene scene;
    scene.packs[0].board_temperature_mc = 80'000;
    scene.read();
    EXPECT(scene.charge_ma() == 12'500 && scene.discharge_ma() == 12'500);
    EXPECT(scene.law.verdict().charge_rule == Rule::board_temperature);
}

TEST(a_full_charge_holds_charging_down_where_the_owner_wants_it) {
    LawSettings settings;
    settings.charge_by_soc = {{850, 1000}, {900, 500}, {950, 200}, {980, 100}};
    LawScene scene(settings);
    scene.packs[0].soc_permille = 900;
    scene.read();
    EXPECT(scene.charge_ma() == 25'000 && scene.discharge_ma() == 50'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::soc);
}

TEST(every_chemistry_has_ramps_that_pass_the_check) {
    for (const Chemistry chemistry : {Chemistry::lfp, Chemistry::nmc, Chemistry::lto}) {
        const LawSettings settings = settings_for(chemistry);
        EXPECT(!check(settings));
        EXPECT(settings.chemistry == chemistry);
        EXPECT(permille_at(settings.charge_by_cell, cell_ceiling_mv(chemistry) + 50) == 0);
        EXPECT(permille_at(settings.discharge_by_cell, 1800) == 0);
    }
}

}  // namespace
}  // namespace jw::battery
