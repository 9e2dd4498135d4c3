// SPDX-License-Identifier: Apache-2.0
// The metrics of the former gateway, from the snapshot of any battery.
#include "core/sink/bms_topics/bms_topics.h"

#include <algorithm>
#include <array>

#include "core/model/battery.h"

namespace jw::bms_topics {
namespace {

constexpr std::uint8_t cells_max = 64;
// Settings and counters of a BMS are read once a minute; they are told for so long.
constexpr Duration seldom = seconds(180);

struct Member {
    const char* name;
    Quantity quantity;
    std::uint8_t index = 0;
    unsigned decimals = 0;  // told is number / 10^decimals
};
constexpr Member members[] = {
    {"uptime_s", Quantity::up_time_s},
    {"cycle_count", Quantity::cycle_count},
    {"pack_voltage_v", Quantity::voltage_mv, 0, 3},
    {"pack_current_a", Quantity::current_ma, 0, 3},
    {"power_w", Quantity::power_w},
    {"state_of_charge_pct", Quantity::soc_permille, 0, 1},
    {"state_of_health_pct", Quantity::soh_permille, 0, 1},
    {"mosfet_temperature_c", Quantity::temperature_mc, 3, 3},
    {"min_cell_voltage_v", Quantity::cell_voltage_min_mv, 0, 3},
    {"max_cell_voltage_v", Quantity::cell_voltage_max_mv, 0, 3},
    {"balancing_bits", Quantity::balancing_bits},
};
constexpr Member limit_members[] = {
    {"max_charge_current_a", Quantity::charge_current_limit_ma, 0, 3},
    {"max_discharge_current_a", Quantity::discharge_current_limit_ma, 0, 3},
    {"charge_overcurrent_limit_a", Quantity::charge_current_max_ma, 0, 3},
    {"discharge_overcurrent_limit_a", Quantity::discharge_current_max_ma, 0, 3},
};
struct AlarmMember {
    const char* name;
    BatteryAlarm alarm;
};
constexpr AlarmMember alarm_members[] = {
    {"high_charge", BatteryAlarm::high_charge_current},
    {"high_discharge", BatteryAlarm::high_current},
    {"cell_imbalance", BatteryAlarm::cell_imbalance},
};

void put_number(std::int64_t number, unsigned decimals, Text& out) {
    std::int64_t divisor = 1;
    for (unsigned i = 0; i < decimals; ++i) {
        divisor *= 10;
    }
    out.put(number < 0 ? "-" : "").put((number < 0 ? -number : number) / divisor);
    std::int64_t rest = (number < 0 ? -number : number) % divisor;
    if (decimals > 0) {
        out.put('.');
    }
    for (divisor /= 10; divisor > 0; divisor /= 10) {
        out.put(static_cast<char>('0' + rest / divisor));
        rest %= divisor;
    }
}

/// Writes the members of one JSON object.
class Members {
  public:
    Members(const DeviceSnapshot& device, Instant now, Text& out)
        : device_(device), now_(now), out_(out) {
        out_.put('{');
    }
    void key(const char* name) {
        out_.put(first_ ? "\"" : ",\"").put(name).put("\":");
        first_ = false;
    }
    /// The value, where it is there and not too old.
    [[nodiscard]] std::optional<std::int64_t> find(Quantity quantity, std::uint8_t index) const {
        for (const LatestValue& latest : device_.values) {
            if (latest.value.quantity == quantity && latest.value.index == index) {
                const bool gauge = info(quantity).behaviour == Behaviour::gauge;
                const bool old = gauge ? device_.stale(latest, now_) : now_ - latest.at > seldom;
                return old ? std::nullopt : std::optional(latest.value.number);
            }
        }
        return std::nullopt;
    }
    void put(std::span<const Member> members) {
        for (const Member& member : members) {
            if (const auto number = find(member.quantity, member.index)) {
                key(member.name);
                put_number(*number, member.decimals, out_);
            }
        }
    }
    Text& out() { return out_; }

  private:
    const DeviceSnapshot& device_;
    Instant now_;
    Text& out_;
    bool first_ = true;
};

/// The mean of the cells' own sensors, 1 and 2.
void put_mean_temperature(Members& all) {
    std::int64_t sum = 0;
    std::int64_t count = 0;
    for (const std::uint8_t sensor : {std::uint8_t{1}, std::uint8_t{2}}) {
        if (const auto number = all.find(Quantity::temperature_mc, sensor)) {
            sum += *number;
            ++count;
        }
    }
    if (count > 0) {
        all.key("average_temperature_c");
        put_number(sum / count, 3, all.out());
    }
}

void put_cells(Members& all) {
    std::array<std::optional<std::int64_t>, cells_max> cells;
    std::size_t count = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i] = all.find(Quantity::cell_voltage_mv, static_cast<std::uint8_t>(i + 1));
        count = cells[i] ? i + 1 : count;
    }
    if (count == 0) {
        return;
    }
    all.key("cell_voltages_mv");
    for (std::size_t i = 0; i < count; ++i) {
        all.out().put(i == 0 ? '[' : ',');
        if (cells[i]) {
            all.out().put(*cells[i]);
        } else {
            all.out().put("null");
        }
    }
    all.out().put(']');
    if (const auto bits = all.find(Quantity::balancing_bits, 0)) {
        all.key("cell_balancing");
        for (std::size_t i = 0; i < count; ++i) {
            const bool on = ((static_cast<std::uint64_t>(*bits) >> i) & 1U) != 0;
            all.out().put(i == 0 ? '[' : ',').put(on ? '1' : '0');
        }
        all.out().put(']');
    }
}

void put_alarms(Members& all, const DeviceSnapshot& device, Instant now) {
    const auto raw = all.find(Quantity::battery_alarm_bits, 0);
    const auto warnings = all.find(Quantity::battery_warning_bits, 0);
    if (!raw && !warnings) {
        return;
    }
    all.key("alarms");
    Members alarms(device, now, all.out());
    if (raw) {
        for (const AlarmMember& member : alarm_members) {
            const auto bit = static_cast<unsigned>(member.alarm);
            const bool on = ((static_cast<std::uint64_t>(*raw) >> bit) & 1U) != 0;
            alarms.key(member.name);
            alarms.out().put(on ? '2' : '0');  // 1 was never used
        }
        alarms.key("raw_alarm_bits");
        alarms.out().put(*raw);
    }
    if (warnings) {
        alarms.key("raw_warning_bits");
        alarms.out().put(*warnings);
    }
    alarms.out().put('}');
}

}  // namespace

Topic topic(std::string_view prefix, std::string_view device, std::string_view leaf) {
    std::array<char, Topic::capacity()> buffer{};
    Text out(buffer);
    out.put(prefix).put('/').put(device).put('/').put(leaf);
    return out.view();
}

bool is_battery(const DeviceSnapshot& device) {
    bool charge = false;
    bool cells = false;
    for (const LatestValue& latest : device.values) {
        charge = charge || latest.value.quantity == Quantity::soc_permille;
        cells = cells || latest.value.quantity == Quantity::cell_voltage_mv;
    }
    return charge && cells;
}

void put_metrics(const DeviceSnapshot& device,
                 Instant now,
                 std::optional<std::int64_t> unix_ms,
                 Text& out) {
    Members all(device, now, out);
    all.key("type");
    out.json("tinybms_metrics");
    if (unix_ms) {
        all.key("timestamp_ms");
        out.put(*unix_ms);
    }
    all.put(members);
    put_mean_temperature(all);
    put_cells(all);
    put_alarms(all, device, now);
    all.key("limits");
    Members limits(device, now, out);
    limits.put(limit_members);
    out.put("}}");
}

}  // namespace jw::bms_topics
