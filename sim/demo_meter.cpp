// SPDX-License-Identifier: Apache-2.0
// The demo meter and the workshop behind it.
#include "sim/demo_meter.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace jw::sim {
namespace {

constexpr std::uint16_t relay_coil = 0;
constexpr std::uint16_t model_register = 256;
constexpr std::uint16_t version_register = 264;
constexpr std::uint16_t serial_register = 268;

/// Two characters a register, the rest zeros.
void set_text(RegisterTable& table, std::uint16_t first, std::size_t count, std::string_view text) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = [&](std::size_t n) {
            return n < text.size() ? static_cast<unsigned char>(text[n]) : 0U;
        };
        table.set(static_cast<std::uint16_t>(first + i),
                  static_cast<std::uint16_t>(at(2 * i) << 8 | at(2 * i + 1)));
    }
}

void set_32(RegisterTable& table, std::uint16_t first, std::int64_t value) {
    table.set(first, static_cast<std::uint16_t>(value >> 16 & 0xFFFF));
    table.set(static_cast<std::uint16_t>(first + 1), static_cast<std::uint16_t>(value & 0xFFFF));
}

/// What the phases use, second by second.
class Workshop {
  public:
    explicit Workshop(std::uint64_t seed) : random_(seed) {}

    void live(ModbusUnit& unit, Instant now) {
        const bool closed = unit.coils.get(relay_coil) != 0;
        while (seconds(second_) <= now - Instant{}) {
            live_one_second(closed);
        }
        unit.power_w = show(unit.input, closed);
    }

  private:
    std::int64_t random(std::int64_t below) {
        random_ = random_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::int64_t>((random_ >> 33) % static_cast<std::uint64_t>(below));
    }

    void live_one_second(bool closed) {
        ++second_;
        if (machine_s_ > 0) {
            --machine_s_;
        } else if (random(40) == 0) {
            machine_s_ = 10 + random(60);
        }
        const std::int64_t machine_w = machine_s_ > 0 ? 1'100 + random(120) : 0;
        phases_w_ = {240 + random(40), 60 + random(15) + machine_w, 150 + random(25)};
        frequency_mhz_ =
            std::clamp<std::int64_t>(frequency_mhz_ + 10 * (random(3) - 1), 49'900, 50'100);
        if (closed) {
            import_ws_ += phases_w_[0] + phases_w_[1] + phases_w_[2];
        }
    }

    /// Gives the power of all phases.
    std::int64_t show(RegisterTable& input, bool closed) const {
        std::int64_t power_w = 0;
        for (std::uint16_t i = 0; i < 3; ++i) {
            const std::int64_t w = closed ? phases_w_[i] : 0;
            const std::int64_t voltage_dv = 2'300 + i - w / 400;
            power_w += w;
            input.set(i, static_cast<std::uint16_t>(voltage_dv));
            input.set(static_cast<std::uint16_t>(3 + i),
                      static_cast<std::uint16_t>(w * 1'000 / voltage_dv));  // 10 mA
            input.set(static_cast<std::uint16_t>(8 + i), static_cast<std::uint16_t>(w));
        }
        set_32(input, 6, power_w);
        input.set(11, static_cast<std::uint16_t>(frequency_mhz_ / 10));
        input.set(12, 0);  // exponent of the powers
        input.set(13, static_cast<std::uint16_t>(253 + second_ / 60 % 20));
        set_32(input, 14, import_ws_ / 36'000);  // 10 Wh
        set_32(input, 16, 0);
        return power_w;
    }

    std::uint64_t random_;
    std::int64_t second_ = 0;
    std::int64_t machine_s_ = 0;
    std::array<std::int64_t, 3> phases_w_{};
    std::int64_t frequency_mhz_ = 50'000;
    std::int64_t import_ws_ = 4'321LL * 3'600'000;
};

}  // namespace

ModbusUnit demo_meter(const DemoMeterSettings& settings) {
    ModbusUnit unit;
    unit.id = settings.unit;
    unit.coils.set(relay_coil, 1);
    set_text(unit.holding, model_register, 8, "Demo Meter 3P");
    set_text(unit.holding, version_register, 4, "1.0");
    set_32(unit.holding, serial_register, settings.serial);
    unit.identification = {"Jouleway", "DM3", "1.0"};
    const auto workshop = std::make_shared<Workshop>(settings.seed);
    unit.live = [workshop](ModbusUnit& self, Instant now) { workshop->live(self, now); };
    unit.live(unit, Instant{});
    return unit;
}

}  // namespace jw::sim
