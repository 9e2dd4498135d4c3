// SPDX-License-Identifier: Apache-2.0
// The P1 driver: telegrams to readings, silence to timeouts.
#include "core/device/p1/p1_device.h"

#include <algorithm>

#include "core/device/p1/p1_reading.h"

namespace jw::p1 {
namespace {

// A telegram with a long message and the history of thirteen months stays below this.
constexpr std::size_t buffer_size = 4096;

// DSMR 2.2 to 4.2 send every 10 s, 5.0 every second; until two telegrams came, 10 s it is.
constexpr Duration expected_at_first = seconds(10);
constexpr Duration expected_min = seconds(1);

// A meter's second is not ours: a telegram may come this much before `poll` is over.
constexpr Duration early = milliseconds(500);

constexpr Capability capabilities[] = {
    {Quantity::power_w, 0},
    {Quantity::power_w, 1},
    {Quantity::power_w, 2},
    {Quantity::power_w, 3},
    {Quantity::export_power_w, 0},
    {Quantity::reactive_power_var, 0},
    {Quantity::reactive_power_var, 1},
    {Quantity::reactive_power_var, 2},
    {Quantity::reactive_power_var, 3},
    {Quantity::power_factor_permille, 0},
    {Quantity::power_factor_permille, 1},
    {Quantity::power_factor_permille, 2},
    {Quantity::power_factor_permille, 3},
    {Quantity::voltage_mv, 1},
    {Quantity::voltage_mv, 2},
    {Quantity::voltage_mv, 3},
    {Quantity::current_ma, 1},
    {Quantity::current_ma, 2},
    {Quantity::current_ma, 3},
    {Quantity::frequency_mhz, 0},
    {Quantity::energy_import_wh, 0},
    {Quantity::energy_import_wh, 1},
    {Quantity::energy_import_wh, 2},
    {Quantity::energy_import_wh, 3},
    {Quantity::energy_import_wh, 4},
    {Quantity::energy_export_wh, 0},
    {Quantity::energy_export_wh, 1},
    {Quantity::energy_export_wh, 2},
    {Quantity::energy_export_wh, 3},
    {Quantity::energy_export_wh, 4},
    {Quantity::reactive_energy_import_varh, 0},
    {Quantity::reactive_energy_export_varh, 0},
    {Quantity::gas_volume_l, 0},
    {Quantity::water_volume_l, 0},
    {Quantity::heat_energy_wh, 0},
    {Quantity::tariff, 0},
    {Quantity::power_failure_count, 0},
    {Quantity::current_limit_ma, 0},
    {Quantity::demand_average_w, 0},
    {Quantity::demand_peak_w, 0},
};

bool same(const DeviceInfo& a, const DeviceInfo& b) {
    return a.maker == b.maker && a.model == b.model && a.version == b.version &&
           a.serial == b.serial;
}

Error refused(Code code) {
    Error error = JW_FAIL(malformed);
    error.code = code;
    return error;
}

Device* make(Arena& arena, const DeviceSettings& settings, DeviceOut& out) {
    const auto buffer = arena.array<std::uint8_t>(buffer_size);
    return &arena.make<P1Device>(settings, buffer, out);
}

}  // namespace

const Driver driver{"p1",
                    LineKind::stream,
                    buffer_size + sizeof(P1Device) + alignof(P1Device),
                    capabilities,
                    &make};

P1Device::P1Device(const DeviceSettings& settings, MutableBytes buffer, DeviceOut& out)
    : receiver_(buffer),
      out_(out),
      poll_(settings.poll),
      expected_(std::max(settings.poll, expected_at_first)),
      sign_(settings.sign < 0 ? std::int8_t{-1} : std::int8_t{1}) {
    info_.name = settings.name;
    info_.driver = std::string_view(driver.name);
}

Status P1Device::act(Quantity /*quantity*/, std::int64_t /*value*/, Instant /*now*/) {
    return JW_FAIL(unsupported);
}

Status P1Device::poll_now(Instant /*now*/) {
    return JW_FAIL(unsupported);
}

void P1Device::connected(Instant now) {
    receiver_.reset();
    last_telegram_ = Instant{-1};
    wait(now);
}

void P1Device::disconnected(Instant now) {
    receiver_.reset();
    wait(now);
    out_.failed(JW_FAIL(not_found), now);
}

void P1Device::received(Bytes bytes, Instant now) {
    for (const std::uint8_t byte : bytes) {
        if (const auto ended = receiver_.put(byte)) {
            take(*ended, now);
        }
    }
}

Instant P1Device::step(Instant now) {
    if (silent_at_.us < 0) {
        wait(now);
    } else if (now >= silent_at_) {
        wait(now);
        out_.failed(JW_FAIL(timeout), now);
    }
    return silent_at_;
}

void P1Device::wait(Instant now) {
    silent_at_ = now + expected_ * 3;
}

void P1Device::take(const Received& received, Instant now) {
    // Also a refused telegram breaks the silence: the meter is there, and answers wrongly.
    const bool due = last_reading_.us < 0 || now - last_reading_ >= poll_ - early;
    Reading reading;
    reading.device = info_.name;
    Code code = received.code;
    if (code == Code::ok) {
        code = read_values(received.telegram, sign_, reading.values).code();
    }
    if (code == Code::ok && last_telegram_.us >= 0) {
        const Duration distance = now - last_telegram_;
        expected_ = std::clamp(distance, expected_min, expected_at_first);
    }
    wait(now);
    if (code != Code::ok) {
        out_.failed(refused(code), now);
        return;
    }
    last_telegram_ = now;
    DeviceInfo info = describe(received.telegram);
    info.name = info_.name;
    info.driver = info_.driver;
    if (!identified_ || !same(info, info_)) {
        identified_ = true;
        info_ = info;
        out_.identified(info_, now);
    }
    if (due && !reading.values.empty()) {
        last_reading_ = now;
        out_.reading(reading, now);
    }
}

}  // namespace jw::p1
