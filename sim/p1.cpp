// SPDX-License-Identifier: Apache-2.0
// The household behind a simulated smart meter, and its telegrams (DSMR P1 5.0.2, 3.0).
#include "sim/p1.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/crc.h"

namespace jw::sim {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t roof_peak_w = 4'200;
constexpr std::int64_t voltage_mv = 230'000;

/// A parabola from 6 to 20 o'clock, its top at 13.
std::int64_t sun_w(std::int64_t second_of_day) {
    const std::int64_t from_noon = (second_of_day - 13 * 3600) / 60;
    const std::int64_t half_day = 7 * 60;
    const std::int64_t height = half_day * half_day - from_noon * from_noon;
    return height <= 0 ? 0 : roof_peak_w * height / (half_day * half_day);
}

void put_digits(Text& out, std::int64_t value, unsigned digits) {
    std::int64_t place = 1;
    for (unsigned i = 1; i < digits; ++i) {
        place *= 10;
    }
    for (unsigned i = 0; i < digits; ++i, place /= 10) {
        out.put(static_cast<char>('0' + value / place % 10));
    }
}

/// A row such as 1-0:1.7.0(00.244*kW), the value given in thousandths.
void put_row(
    Text& out, std::string_view name, std::int64_t value, unsigned digits, std::string_view unit) {
    out.put(name).put('(');
    put_digits(out, value / 1000, digits);
    out.put('.');
    put_digits(out, value % 1000, 3);
    out.put('*').put(unit).put(")\r\n");
}

/// YYMMDDhhmmssX of a local Unix time; X tells summer from winter, by month here (days to date: H.
/// Hinnant, chrono-compatible algorithms).
void put_time(Text& out, std::int64_t local_s, bool season) {
    const std::int64_t days = local_s / day_s + 719'468;
    const std::int64_t era = days / 146'097;
    const std::int64_t of_era = days - era * 146'097;
    const std::int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
    const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted = (5 * of_year + 2) / 153;
    const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    const std::int64_t second = local_s % day_s;
    put_digits(out, year_of_era + (month <= 2 ? 1 : 0), 2);
    put_digits(out, month, 2);
    put_digits(out, of_year - (153 * shifted + 2) / 5 + 1, 2);
    put_digits(out, second / 3600, 2);
    put_digits(out, second / 60 % 60, 2);
    put_digits(out, second % 60, 2);
    if (season) {
        out.put(month >= 4 && month <= 10 ? 'S' : 'W');
    }
}

bool night(std::int64_t local_s) {
    const std::int64_t hour = local_s % day_s / 3600;
    return hour < 7 || hour >= 23;
}

}  // namespace

std::uint32_t P1Meter::random(std::uint32_t below) {
    random_ += 0x9E3779B97F4A7C15U;  // splitmix64
    std::uint64_t z = random_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return static_cast<std::uint32_t>((z ^ (z >> 31)) >> 32) % below;
}

void P1Meter::live_one_second() {
    const std::int64_t local_s = settings_.local_s + second_;
    const bool fridge = second_ % 2400 < 900;
    if (kettle_s_ > 0) {
        --kettle_s_;
    } else if (random(1800) == 0) {
        kettle_s_ = 150;
    }
    cloud_permille_ += static_cast<std::int64_t>(random(41)) - 20;
    cloud_permille_ = std::clamp<std::int64_t>(cloud_permille_, 300, 1000);
    use_w_ = 220 + (fridge ? 95 : 0) + (kettle_s_ > 0 ? 2000 : 0) + random(30);
    roof_w_ = settings_.roof ? sun_w(local_s % day_s) * cloud_permille_ / 1000 : 0;
    const std::int64_t power = power_w();
    (night(local_s) ? night_ws_ : day_ws_) += std::max<std::int64_t>(power, 0);
    export_ws_ += std::max<std::int64_t>(-power, 0);
    gas_ml_ += random(3);
    ++second_;
    if ((local_s + 1) % 300 == 0) {
        gas_sent_ml_ = gas_ml_;
        gas_sent_s_ = second_;
    }
}

void P1Meter::put_telegram(Text& out) const {
    const std::int64_t local_s = settings_.local_s + second_;
    const std::int64_t import_w = std::max<std::int64_t>(power_w(), 0);
    const std::int64_t export_w = std::max<std::int64_t>(-power_w(), 0);
    const std::size_t begin = out.size();
    out.put(settings_.old ? "/JWY5\\2SIM-P1-3\r\n\r\n" : "/JWY5\\2SIM-P1-5\r\n\r\n");
    if (!settings_.old) {
        out.put("1-3:0.2.8(50)\r\n0-0:1.0.0(");
        put_time(out, local_s, true);
        out.put(")\r\n");
    }
    out.put("0-0:96.1.1(4A575953494D3031)\r\n");  // JWYSIM01
    put_row(out, "1-0:1.8.1", night_ws_ / 3600, 6, "kWh");
    put_row(out, "1-0:1.8.2", day_ws_ / 3600, 6, "kWh");
    put_row(out, "1-0:2.8.1", 0, 6, "kWh");
    put_row(out, "1-0:2.8.2", export_ws_ / 3600, 6, "kWh");
    out.put("0-0:96.14.0(").put(night(local_s) ? "0001" : "0002").put(")\r\n");
    put_row(out, "1-0:1.7.0", import_w, 2, "kW");
    put_row(out, "1-0:2.7.0", export_w, 2, "kW");
    if (settings_.old) {
        out.put("0-1:24.1.0(03)\r\n0-1:24.3.0(");
        put_time(out, settings_.local_s + gas_sent_s_, false);
        out.put(")(00)(60)(1)(0-1:24.2.1)(m3)\r\n(");
        put_digits(out, gas_sent_ml_ / 1'000'000, 5);
        out.put('.');
        put_digits(out, gas_sent_ml_ / 1000 % 1000, 3);
        out.put(")\r\n!\r\n");
        return;
    }
    // The roof feeds phase 2, the kettle stands on phase 1, the rest is shared.
    const std::int64_t kettle_w = kettle_s_ > 0 ? 2000 : 0;
    const std::int64_t rest_w = (use_w_ - kettle_w) / 3;
    const std::int64_t phases[] = {use_w_ - 2 * rest_w, rest_w - roof_w_, rest_w};
    out.put("0-0:96.7.21(00004)\r\n");
    for (unsigned i = 0; i < 3; ++i) {
        const std::int64_t phase_mv = voltage_mv - phases[i] / 10 * 10;  // 1 mΩ: sags under load
        const char decade = static_cast<char>('3' + 2 * i);
        const char power_decade = static_cast<char>('2' + 2 * i);
        const char voltage_row[] = {'1', '-', '0', ':', decade, '2', '.', '7', '.', '0'};
        const char current_row[] = {'1', '-', '0', ':', decade, '1', '.', '7', '.', '0'};
        const char import_row[] = {'1', '-', '0', ':', power_decade, '1', '.', '7', '.', '0'};
        const char export_row[] = {'1', '-', '0', ':', power_decade, '2', '.', '7', '.', '0'};
        const std::int64_t magnitude = phases[i] < 0 ? -phases[i] : phases[i];
        put_row(out, {voltage_row, 10}, phase_mv, 3, "V");
        put_row(out, {current_row, 10}, magnitude * 1'000'000 / phase_mv, 3, "A");
        put_row(out, {import_row, 10}, std::max<std::int64_t>(phases[i], 0), 2, "kW");
        put_row(out, {export_row, 10}, std::max<std::int64_t>(-phases[i], 0), 2, "kW");
    }
    out.put("0-1:24.1.0(003)\r\n0-1:96.1.0(4A5759474153)\r\n0-1:24.2.1(");
    put_time(out, settings_.local_s + gas_sent_s_, true);
    out.put(")(");
    put_digits(out, gas_sent_ml_ / 1'000'000, 5);
    out.put('.');
    put_digits(out, gas_sent_ml_ / 1000 % 1000, 3);
    out.put("*m3)\r\n!");
    const std::uint16_t crc =
        crc16_arc(as_bytes(std::string_view(out.view().data() + begin, out.size() - begin)));
    for (unsigned shift = 16; shift > 0; shift -= 4) {
        out.put("0123456789ABCDEF"[(crc >> (shift - 4)) & 0xF]);
    }
    out.put("\r\n");
}

Instant P1Meter::step(Instant now, Text& out) {
    if (now < next_) {
        return next_;
    }
    while (Instant{} + seconds(second_) < now) {
        live_one_second();
    }
    put_telegram(out);
    const std::int64_t period = settings_.old ? 10 : 1;
    next_ = Instant{} + seconds(now.us / 1'000'000 / period * period + period);
    return next_;
}

}  // namespace jw::sim
