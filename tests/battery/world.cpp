// SPDX-License-Identifier: Apache-2.0
// Random packs: mostly near thresholds, where mistakes live.
#include "tests/battery/world.h"

#include <algorithm>

namespace jw::battery_campaign {
namespace {

using battery::Chemistry;

std::int64_t between(Random& random, std::int64_t least, std::int64_t most) {
    return least +
           static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most - least) + 1));
}

bool about_time(const battery::LawField& field) {
    const std::string_view name = field.name;
    return name.starts_with("fresh") || name.starts_with("charge_zero") ||
           name.starts_with("discharge_zero") || name.starts_with("silent_after");
}

}  // namespace

LawSettings random_settings(Random& random, bool times) {
    const auto chemistry = static_cast<Chemistry>(random.below(3));
    for (;;) {
        LawSettings settings = battery::settings_for(chemistry);
        settings.off_grid = random.one_in(2);
        settings.board_for_cells = !random.one_in(4);
        for (int i = 0; i < 4; ++i) {
            const auto fields = battery::law_fields();
            const battery::LawField& field = fields[random.below(fields.size())];
            const std::int64_t number = between(random, field.least, field.most);
            if (about_time(field) && !times) {
                continue;
            }
            if (const auto* member = std::get_if<Duration LawSettings::*>(&field.member)) {
                settings.*(*member) = milliseconds(number);
            } else {
                settings.*(*std::get_if<std::int64_t LawSettings::*>(&field.member)) = number;
            }
        }
        if (random.one_in(4)) {
            settings.charge_by_soc = {{850, 1000}, {900, 500}, {950, 200}, {980, 100}};
            settings.discharge_by_soc = {{50, 100}, {100, 200}, {150, 500}, {200, 1000}};
        }
        if (!battery::check(settings)) {
            return settings;
        }
    }
}

BatteryWorld::BatteryWorld(Random& random, const LawSettings& settings)
    : random_(random),
      settings_(settings),
      count_(1 + (random.one_in(3) ? random.below(3) : 0)),
      calm_(std::array<std::uint64_t, 3>{1, 6, 60}[random.below(3)]),
      cells_(between(random, 4, 16)) {
    // Some of them live through a wrap of 32-bit milliseconds.
    now_ = Instant{random.one_in(4) ? ((std::int64_t{1} << 32) - 30'000) * 1000
                                    : between(random, 1, 1'000'000'000)};
    for (std::size_t i = 0; i < count_; ++i) {
        set_up(packs_[i]);
        packs_[i].at = Instant{-1};
        well_[i] = packs_[i];
    }
}

void BatteryWorld::set_up(Pack& pack) {
    const std::int64_t ceiling = battery::cell_ceiling_mv(settings_.chemistry);
    const std::int64_t cells = random_.one_in(20) ? between(random_, 4, 16) : cells_;
    pack.cell_count = cells;
    pack.cell_full_mv = ceiling - between(random_, 0, 200);
    pack.cell_overvoltage_mv = *pack.cell_full_mv + between(random_, 1, 150);
    pack.cell_empty_mv = *pack.cell_full_mv - between(random_, 300, 900);
    pack.cell_undervoltage_mv = *pack.cell_empty_mv - between(random_, 1, 300);
    pack.charge_current_max_ma = between(random_, 0, 200'000);
    pack.discharge_current_max_ma = between(random_, 0, 200'000);
    pack.temperature_max_mc = between(random_, 30, 70) * 1000;
    pack.charge_temperature_min_mc = between(random_, -10, 10) * 1000;
    pack.settings_at = Instant{0};
    pack.soc_permille = between(random_, 0, 1000);
    pack.current_ma = between(random_, -100'000, 100'000);
    pack.activity = static_cast<std::int64_t>(BatteryActivity::idle);
    pack.alarm_bits = 0;
    pack.temperatures_mc = {between(random_, 12, 35) * 1000, between(random_, 12, 35) * 1000};
    pack.board_temperature_mc = between(random_, 20, 60) * 1000;
    pack.cells_mv = {};
    pack.voltage_mv = 0;
    middle_mv_ = between(random_, settings_.middle_band_low_mv, settings_.middle_band_high_mv);
    for (std::size_t i = 0; i < static_cast<std::size_t>(cells); ++i) {
        pack.cells_mv[i] = around(middle_mv_, 8);
        *pack.voltage_mv += *pack.cells_mv[i];
    }
}

std::int64_t BatteryWorld::around(std::int64_t middle, std::int64_t spread) {
    return middle + between(random_, -spread, spread);
}

/// A cell voltage at which something happens.
std::int64_t BatteryWorld::corner(const Pack& pack) {
    const std::int64_t over = *pack.cell_overvoltage_mv;
    const std::int64_t under = *pack.cell_undervoltage_mv;
    const std::array<std::int64_t, 10> corners{
        over,
        over - settings_.cell_margin_mv,
        over + settings_.cell_critical_mv,
        over - settings_.cell_margin_mv - settings_.cell_release_mv,
        under,
        under + settings_.cell_margin_mv,
        settings_.middle_band_low_mv,
        settings_.middle_band_high_mv,
        settings_.charge_by_cell.points[0].at,
        settings_.protect_from_mv};
    return std::clamp<std::int64_t>(around(corners[random_.below(corners.size())], 2), 1, 5000);
}

void BatteryWorld::spoil(Pack& pack) {
    constexpr std::array<std::int64_t, 8> odd{
        INT64_MIN, INT64_MAX, -1, 0, 1, 5001, 65'535, -32'768};
    const battery::Number number =
        random_.one_in(3) ? battery::Number() : battery::Number(odd[random_.below(odd.size())]);
    const std::array<battery::Number*, 18> places{&pack.voltage_mv,
                                                  &pack.current_ma,
                                                  &pack.soc_permille,
                                                  &pack.activity,
                                                  &pack.alarm_bits,
                                                  &pack.cells_mv[random_.below(16)],
                                                  &pack.temperatures_mc[0],
                                                  &pack.temperatures_mc[1],
                                                  &pack.board_temperature_mc,
                                                  &pack.cell_count,
                                                  &pack.cell_full_mv,
                                                  &pack.cell_empty_mv,
                                                  &pack.cell_overvoltage_mv,
                                                  &pack.cell_undervoltage_mv,
                                                  &pack.charge_current_max_ma,
                                                  &pack.discharge_current_max_ma,
                                                  &pack.temperature_max_mc,
                                                  &pack.charge_temperature_min_mc};
    *places[random_.below(places.size())] = number;
    if (random_.one_in(8)) {
        pack.settings_at = Instant{-1};
    }
}

void BatteryWorld::move(std::size_t index) {
    Pack& pack = well_[index];
    const auto cells = static_cast<std::size_t>(*pack.cell_count);
    const std::int64_t drift = between(random_, -3, 3);
    for (std::size_t i = 0; i < cells; ++i) {
        pack.cells_mv[i] = std::clamp<std::int64_t>(*pack.cells_mv[i] + drift, 1500, 4600);
    }
    const std::size_t one = random_.below(cells);
    pack.cells_mv[random_.below(cells)] = around(middle_mv_, 8);  // what balances itself
    if (trouble(20)) {
        pack.cells_mv[one] = corner(pack);
    }
    if (trouble(100)) {  // all of them elsewhere
        const std::int64_t to = corner(pack);
        for (std::size_t i = 0; i < cells; ++i) {
            pack.cells_mv[i] = to;
        }
    }
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < cells; ++i) {
        sum += *pack.cells_mv[i];
    }
    pack.voltage_mv = sum + around(0, sum / 1000);
    pack.current_ma = std::clamp<std::int64_t>(around(*pack.current_ma, 2000), -250'000, 250'000);
    pack.soc_permille = trouble(40)
                            ? between(random_, 0, 1000)
                            : std::clamp<std::int64_t>(around(*pack.soc_permille, 3), 0, 1000);
    auto& sensor = pack.temperatures_mc[random_.below(2)];
    if (trouble(100) || (!sensor && random_.one_in(50))) {
        sensor = random_.one_in(3) ? battery::Number() : between(random_, -15'000, 75'000);
    } else if (sensor && random_.one_in(20)) {
        sensor = between(random_, 12, 35) * 1000;
    } else if (sensor) {
        sensor = std::clamp<std::int64_t>(around(*sensor, 300), -30'000, 100'000);
    }
    if (trouble(150)) {
        pack.board_temperature_mc =
            random_.one_in(3) ? battery::Number() : between(random_, 0, 100'000);
    }
    pack.activity = static_cast<std::int64_t>(trouble(200) ? BatteryActivity::fault
                                                           : BatteryActivity::charging);
    pack.alarm_bits = trouble(200) ? static_cast<std::int64_t>(random_.below(8192)) : 0;
    if (trouble(300)) {  // the owner wrote registers of the BMS
        set_up(pack);
    }
}

void BatteryWorld::begin() {
    for (std::size_t i = 0; i < count_; ++i) {
        packs_[i] = well_[i];
        packs_[i].at = now_;
    }
}

void BatteryWorld::go_on() {
    const std::uint64_t kind = random_.below(calm_ < 60 ? 100 : 96);
    const std::int64_t most_ms = kind < 80 ? 400 : kind < 95 ? 3000 : kind < 99 ? 20'000 : 400'000;
    now_ = now_ + microseconds(between(random_, 1, most_ms * 1000));
    for (std::size_t i = 0; i < count_; ++i) {
        if (now_ < silent_until_[i] || trouble(10)) {
            continue;
        }
        if (trouble(120)) {
            silent_until_[i] = now_ + milliseconds(between(random_, 1, 400'000));
        }
        if (trouble(200)) {
            frozen_until_[i] = now_ + seconds(between(random_, 1, 200));
        }
        if (now_ >= frozen_until_[i]) {
            move(i);
            packs_[i] = well_[i];
            if (trouble(30)) {
                spoil(packs_[i]);
            }
        }
        packs_[i].at = random_.one_in(2000) ? now_ + seconds(1000) : now_;
        packs_[i].online = true;
    }
}

std::optional<Lowering> BatteryWorld::command() {
    if (!random_.one_in(50)) {
        return std::nullopt;
    }
    Lowering lowering;
    if (!random_.one_in(3)) {
        lowering.charge_current_ma =
            random_.one_in(9) ? INT64_MAX : between(random_, -1000, 150'000);
    }
    if (!random_.one_in(3)) {
        lowering.discharge_current_ma =
            random_.one_in(9) ? INT64_MAX : between(random_, -1000, 150'000);
    }
    lowering.until = random_.one_in(9) ? never : now_ + milliseconds(between(random_, -10, 90'000));
    return lowering;
}

}  // namespace jw::battery_campaign
