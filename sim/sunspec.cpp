// SPDX-License-Identifier: Apache-2.0
// The simulated SunSpec inverter and the day over its roof.
#include "sim/sunspec.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace jw::sim {
namespace {

constexpr std::uint16_t not_implemented = 0xFFFF;
constexpr std::uint16_t not_implemented_signed = 0x8000;
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t sunrise_s = 6 * 3600;
constexpr std::int64_t sunset_s = 20 * 3600;
constexpr std::int64_t battery_wh = 10'240;
constexpr std::int64_t battery_w = 4'000;

constexpr std::uint16_t power_of_ten(int exponent) {
    return static_cast<std::uint16_t>(exponent);
}

/// Models one behind the other, as they are built.
class Chain {
  public:
    Chain(RegisterTable& table, std::uint16_t base) : table_(table), end_(base) {
        add(0x5375);
        add(0x6E53);
    }
    /// Appends a model, everything in it not implemented. Returns its address.
    std::uint16_t model(std::uint16_t id, std::uint16_t length) {
        const std::uint16_t at = end_;
        add(id);
        add(length);
        for (std::uint16_t i = 0; i < length; ++i) {
            add(not_implemented);
        }
        return at;
    }
    void end() {
        add(not_implemented);
        add(0);
    }

  private:
    void add(std::uint16_t word) { table_.set(end_++, word); }

    RegisterTable& table_;
    std::uint16_t end_;
};

/// Sun, clouds and battery, second by second; integers only.
class Roof {
  public:
    Roof(std::uint64_t seed, Duration start) : random_(seed), time_s_(start.us / 1'000'000) {}

    void live(std::int64_t seconds_to, std::int64_t limit_w) {
        while (second_ < seconds_to) {
            ++second_;
            live_one_second(limit_w);
        }
    }

    [[nodiscard]] std::int64_t string_w(int string) const {
        return string == 0 ? roof_w_ * 6 / 10 : roof_w_ - roof_w_ * 6 / 10;
    }
    [[nodiscard]] std::int64_t roof_w() const { return roof_w_; }
    [[nodiscard]] std::int64_t charge_w() const { return charge_w_; }
    [[nodiscard]] std::int64_t ac_w() const { return ac_w_; }
    [[nodiscard]] std::int64_t produced_wh() const { return produced_ws_ / 3600; }
    [[nodiscard]] std::int64_t string_wh(int string) const { return string_ws_[string] / 3600; }
    [[nodiscard]] std::int64_t soc_permille() const {
        return stored_ws_ / 3600 * 1000 / battery_wh;
    }
    [[nodiscard]] std::int64_t frequency_mhz() const { return frequency_mhz_; }
    [[nodiscard]] std::int64_t cabinet_dc() const { return 250 + ac_w_ / 50; }

  private:
    std::int64_t random(std::int64_t below) {
        random_ = random_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::int64_t>((random_ >> 33) % static_cast<std::uint64_t>(below));
    }

    void live_one_second(std::int64_t limit_w) {
        const std::int64_t time_s = (time_s_ + second_) % day_s;
        clouds_permille_ = std::clamp<std::int64_t>(clouds_permille_ + random(41) - 20, 250, 1000);
        frequency_mhz_ =
            std::clamp<std::int64_t>(frequency_mhz_ + 10 * (random(3) - 1), 49'900, 50'100);
        std::int64_t sun_w = 0;
        if (time_s > sunrise_s && time_s < sunset_s) {
            const std::int64_t up = (time_s - sunrise_s) * 1000 / (sunset_s - sunrise_s);
            sun_w = 9'200 * (4 * up * (1000 - up) / 1000) / 1000 * clouds_permille_ / 1000;
        }
        // By day a third fills the battery, by night it gives a steady kilowatt.
        const bool full = stored_ws_ >= battery_wh * 3600;
        const bool empty = stored_ws_ <= battery_wh * 3600 / 10;
        charge_w_ = sun_w > 1'000 ? (full ? 0 : std::min(sun_w / 3, battery_w))
                    : empty       ? 0
                                  : -1'000;
        // What may not go out is not produced.
        roof_w_ = std::max<std::int64_t>(0, std::min(sun_w, limit_w * 100 / 97 + charge_w_));
        ac_w_ = std::min((roof_w_ - charge_w_) * 97 / 100, limit_w);
        stored_ws_ += charge_w_;
        produced_ws_ += std::max<std::int64_t>(0, ac_w_);
        string_ws_[0] += string_w(0);
        string_ws_[1] += string_w(1);
    }

    std::uint64_t random_;
    std::int64_t time_s_;
    std::int64_t second_ = 0;
    std::int64_t clouds_permille_ = 900;
    std::int64_t frequency_mhz_ = 50'000;
    std::int64_t roof_w_ = 0;
    std::int64_t charge_w_ = 0;
    std::int64_t ac_w_ = 0;
    std::int64_t stored_ws_ = battery_wh * 3600 / 2;
    std::int64_t produced_ws_ = 12'345'678LL * 3600;
    std::int64_t string_ws_[2] = {8'000'000LL * 3600, 5'000'000LL * 3600};
};

/// The registers over the roof.
class Inverter {
  public:
    Inverter(RegisterTable& table, const SunSpecSettings& settings)
        : roof_(settings.seed, settings.start) {
        Chain chain(table, settings.base);
        common(table, chain.model(1, 66), settings.serial);
        ac_ = chain.model(103, 50);
        nameplate(table, chain.model(120, 26));
        basic_settings(table, chain.model(121, 30));
        controls_ = chain.model(123, 24);
        strings_ = chain.model(160, 8 + 2 * 20);
        storage_ = chain.model(124, 24);
        chain.end();
        set_fixed(table);
    }

    void live(ModbusUnit& unit, Instant now) {
        RegisterTable& table = unit.holding;
        const std::uint16_t revert_s = at(table, controls_, 7);
        if (written_) {
            written_ = false;
            revert_at_ =
                revert_s == 0 || revert_s == not_implemented ? never : now + seconds(revert_s);
        }
        if (now >= revert_at_) {
            put(table, controls_, 5, 10'000);
            put(table, controls_, 9, 0);
            revert_at_ = never;
        }
        const bool limited = at(table, controls_, 9) == 1;
        const std::int64_t limit_w =
            limited ? sunspec_rated_w * at(table, controls_, 5) / 10'000 : sunspec_rated_w;
        roof_.live(now.us / 1'000'000, limit_w);
        unit.power_w = -roof_.ac_w();
        show(table);
    }

    modbus::Exception refuse(const modbus::Request& request) {
        const std::uint32_t first = request.address;
        const std::uint32_t end = first + request.write_count();
        if (first < controls_ + 2U || end > controls_ + 26U) {
            return modbus::Exception::illegal_address;
        }
        const std::uint32_t limit = controls_ + 5U;
        if (first <= limit && limit < end &&
            modbus::register_at(request.data, limit - first) > 10'000) {
            return modbus::Exception::illegal_value;
        }
        written_ = true;
        return modbus::Exception::none;
    }

  private:
    static std::uint16_t at(const RegisterTable& table, std::uint16_t model, unsigned offset) {
        return table.get(static_cast<std::uint16_t>(model + offset));
    }
    static void put(RegisterTable& table, std::uint16_t model, unsigned offset, std::int64_t word) {
        table.set(static_cast<std::uint16_t>(model + offset), static_cast<std::uint16_t>(word));
    }
    static void put_32(RegisterTable& table, std::uint16_t model, unsigned offset, std::int64_t n) {
        put(table, model, offset, n >> 16 & 0xFFFF);
        put(table, model, offset + 1, n & 0xFFFF);
    }
    static void put_text(RegisterTable& table,
                         std::uint16_t model,
                         unsigned offset,
                         unsigned size,
                         std::string_view text) {
        const auto byte = [&](unsigned i) {
            return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
        };
        for (unsigned i = 0; i < size; ++i) {
            put(table, model, offset + i, byte(2 * i) << 8 | byte(2 * i + 1));
        }
    }

    static void common(RegisterTable& table, std::uint16_t model, std::uint32_t serial) {
        put_text(table, model, 2, 16, "Jouleway");
        put_text(table, model, 18, 16, "Sim Hybrid 10");
        put_text(table, model, 34, 8, "");
        put_text(table, model, 42, 8, "1.0");
        put_text(table, model, 50, 16, "SH" + std::to_string(serial));
        put(table, model, 66, 1);
    }
    static void nameplate(RegisterTable& table, std::uint16_t model) {
        put(table, model, 2, 82);  // a roof and a storage
        put(table, model, 3, sunspec_rated_w / 10);
        put(table, model, 4, 1);
        put(table, model, 5, sunspec_rated_w / 10);
        put(table, model, 6, 1);
        put(table, model, 19, battery_wh / 10);
        put(table, model, 20, 1);
        put(table, model, 23, battery_w / 10);
        put(table, model, 24, 1);
        put(table, model, 25, battery_w / 10);
        put(table, model, 26, 1);
        for (const unsigned offset : {7U, 8U, 9U, 10U, 11U, 13U, 14U, 15U, 16U, 17U, 18U, 22U}) {
            put(table, model, offset, not_implemented_signed);
        }
    }
    static void basic_settings(RegisterTable& table, std::uint16_t model) {
        for (unsigned offset = 4; offset < 32; ++offset) {
            put(table, model, offset, not_implemented_signed);
        }
        put(table, model, 2, sunspec_rated_w / 10);
        put(table, model, 22, 1);
        put(table, model, 3, 230);
        put(table, model, 23, 0);
    }

    void set_fixed(RegisterTable& table) const {
        for (const unsigned offset : {34U, 35U, 36U}) {
            put(table, ac_, offset, not_implemented_signed);
        }
        put(table, ac_, 6, power_of_ten(-2));
        put(table, ac_, 13, power_of_ten(-1));
        put(table, ac_, 17, power_of_ten(-2));
        for (const unsigned offset : {19U, 21U, 26U, 32U}) {
            put(table, ac_, offset, 0);
        }
        put(table, ac_, 23, power_of_ten(-2));
        put(table, ac_, 28, not_implemented_signed);
        put(table, ac_, 30, not_implemented_signed);
        put(table, ac_, 37, power_of_ten(-1));
        put_32(table, ac_, 40, 0);
        put_32(table, ac_, 42, 0);
        put(table, controls_, 4, 1);
        put(table, controls_, 5, 10'000);
        put(table, controls_, 7, 0);
        put(table, controls_, 9, 0);
        for (const unsigned offset : {10U, 15U, 16U, 17U, 24U, 25U}) {
            put(table, controls_, offset, not_implemented_signed);
        }
        put(table, controls_, 23, power_of_ten(-2));
        put(table, strings_, 2, power_of_ten(-2));
        put(table, strings_, 3, power_of_ten(-1));
        put(table, strings_, 4, 0);
        put(table, strings_, 5, 0);
        put_32(table, strings_, 6, 0);
        put(table, strings_, 8, 2);
        set_fixed_storage(table);
    }
    void set_fixed_storage(RegisterTable& table) const {
        put(table, storage_, 2, battery_w);
        put(table, storage_, 3, 100);
        put(table, storage_, 4, 100);
        put(table, storage_, 5, 0);
        put(table, storage_, 7, 1000);
        put(table, storage_, 12, 10'000);
        put(table, storage_, 13, 10'000);
        put(table, storage_, 17, 0);
        for (const unsigned offset : {18U, 19U}) {
            put(table, storage_, offset, 0);
        }
        put(table, storage_, 20, not_implemented_signed);
        put(table, storage_, 21, power_of_ten(-2));
        put(table, storage_, 22, power_of_ten(-1));
        put(table, storage_, 23, not_implemented_signed);
        put(table, storage_, 24, not_implemented_signed);
        put(table, storage_, 25, power_of_ten(-2));
    }

    void show(RegisterTable& table) const {
        const std::int64_t w = roof_.ac_w();
        const std::int64_t voltage_dv = 2'300 + w / 500;
        const std::int64_t phase_ca = w * 1000 / 3 / voltage_dv;  // hundredths of an ampere
        put(table, ac_, 2, 3 * phase_ca);
        for (unsigned phase = 0; phase < 3; ++phase) {
            put(table, ac_, 3 + phase, phase_ca);
            put(table, ac_, 7 + phase, voltage_dv * 1732 / 1000);
            put(table, ac_, 10 + phase, voltage_dv + phase);
        }
        // Small powers are told more finely.
        const bool fine = w < 3'000 && w > -3'000;
        put(table, ac_, 14, fine ? w * 10 : w);
        put(table, ac_, 15, power_of_ten(fine ? -1 : 0));
        put(table, ac_, 16, roof_.frequency_mhz() / 10);
        put(table, ac_, 18, w);
        put(table, ac_, 20, w / 50);
        put(table, ac_, 22, 9'998);
        put_32(table, ac_, 24, roof_.produced_wh());
        put(table, ac_, 31, roof_.roof_w());
        put(table, ac_, 33, roof_.cabinet_dc());
        put(table, ac_, 38, w == 0 ? 2 : 4);
        for (int string = 0; string < 2; ++string) {
            show_string(table, string);
        }
        const std::int64_t charge_w = roof_.charge_w();
        put(table, storage_, 8, roof_.soc_permille());
        put(table, storage_, 11, charge_w > 0 ? 4 : charge_w < 0 ? 3 : 6);
    }
    void show_string(RegisterTable& table, int string) const {
        const unsigned module = 10 + 20U * static_cast<unsigned>(string);
        const std::int64_t w = roof_.string_w(string);
        const std::int64_t voltage_dv = w > 0 ? 4'200 : 0;
        put(table, strings_, module, string + 1);
        put_text(table, strings_, module + 1, 8, string == 0 ? "South" : "West");
        put(table, strings_, module + 9, w > 0 ? w * 1000 / voltage_dv : 0);
        put(table, strings_, module + 10, voltage_dv);
        put(table, strings_, module + 11, w);
        put_32(table, strings_, module + 12, roof_.string_wh(string));
        put(table, strings_, module + 16, not_implemented_signed);
        put(table, strings_, module + 17, w > 0 ? 4 : 2);
    }

    Roof roof_;
    std::uint16_t ac_ = 0;
    std::uint16_t controls_ = 0;
    std::uint16_t strings_ = 0;
    std::uint16_t storage_ = 0;
    bool written_ = false;
    Instant revert_at_ = never;
};

}  // namespace

ModbusUnit sunspec_inverter(const SunSpecSettings& settings) {
    ModbusUnit unit;
    unit.id = settings.unit;
    unit.identification = {"Jouleway", "SH10", "1.0"};
    const auto inverter = std::make_shared<Inverter>(unit.holding, settings);
    unit.live = [inverter](ModbusUnit& self, Instant now) { inverter->live(self, now); };
    unit.refuse = [inverter](const modbus::Request& request) { return inverter->refuse(request); };
    unit.live(unit, Instant{});
    return unit;
}

}  // namespace jw::sim
