// SPDX-License-Identifier: Apache-2.0
// Sixteen cells of LFP in as many states as there are inputs.
#include "benches/packs.h"

#include "benches/frames.h"
#include "sim/random.h"

namespace jw::bench {

std::vector<battery::Pack> battery_packs() {
    Random random(7);
    const auto between = [&random](std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(
                           random.below(static_cast<std::uint64_t>(most - least + 1)));
    };
    std::vector<battery::Pack> packs(inputs_rotated);
    for (battery::Pack& pack : packs) {
        const std::int64_t middle = between(2900, 3480);
        std::int64_t sum = 0;
        for (auto& cell : pack.cells_mv) {
            cell = middle + between(-40, 40);
            sum += *cell;
        }
        pack.voltage_mv = sum + between(-100, 100);
        pack.current_ma = between(-60'000, 60'000);
        pack.soc_permille = between(0, 1000);
        pack.soh_permille = 990;
        pack.temperatures_mc = {between(-5000, 50'000), between(-5000, 50'000)};
        pack.board_temperature_mc = between(10'000, 85'000);
        pack.activity = 1;
        pack.alarm_bits = 0;
        pack.cell_count = 16;
        pack.cell_full_mv = 3450;
        pack.cell_empty_mv = 2800;
        pack.cell_overvoltage_mv = 3650;
        pack.cell_undervoltage_mv = 2500;
        pack.charge_current_max_ma = 60'000;
        pack.discharge_current_max_ma = 80'000;
        pack.temperature_max_mc = 60'000;
        pack.charge_temperature_min_mc = 0;
        pack.settings_at = Instant{0};
    }
    return packs;
}

}  // namespace jw::bench
