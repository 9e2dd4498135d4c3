// SPDX-License-Identifier: Apache-2.0
// Alerts on a simulated clock: debounce, hysteresis, chatter, stale values, the ring,
// acknowledging.
#include "core/task/alerts.h"

#include <utility>

#include "core/base/test.h"

namespace jw {
namespace {

constexpr Duration tick = seconds(1);

/// One battery with values that the test sets each second, its rules, and the ring over the faults.
struct Scene final : FaultOut {
    explicit Scene(const AlertRule& rule) {
        watches[0].rule = rule;
        watches[0].rule.device = "battery";
        device.name = "battery";
        device.poll = seconds(1);
        device.values = List<LatestValue>(values);
    }
    void changed(const Fault& fault, Instant at) override {
        ++changes;
        alerts.changed(fault, at);
    }
    void set(Quantity quantity, std::int64_t number, std::uint8_t index = 0) {
        Reading reading;
        reading.device = "battery";
        reading.values.put(quantity, index, number);
        (void)snapshot.update(0, reading, now);
    }
    /// So many seconds with that value in each of them.
    void live(int for_s, Quantity quantity, std::int64_t number) {
        for (int i = 0; i < for_s; ++i) {
            set(quantity, number);
            wait(1);
        }
    }
    /// So many seconds without a reading.
    void wait(int for_s) {
        for (int i = 0; i < for_s; ++i) {
            (void)alerts.step(snapshot, faults, now);
            now = now + tick;
        }
    }

    DeviceSnapshot device;
    std::array<LatestValue, 8> values;
    Snapshot snapshot{std::span(&device, 1)};
    std::array<ActiveFault, 20> active;
    Faults faults{active, *this};
    std::array<Alert, 5> ring;
    std::array<AlertWatch, 1> watches;
    std::array<AlertBattery, 1> batteries{AlertBattery{"battery"}};
    Alerts alerts{{ring, watches, batteries}, 1000};
    Instant now{1'000'000};
    int changes = 0;
};

const AlertRule hot{"", Quantity::temperature_mc, Quantity::none, true, 50'000, 2'000};
const AlertRule empty{
    "", Quantity::soc_permille, Quantity::none, false, 100, 20, seconds(10), Severity::alarm};

TEST(what_lasts_as_long_as_it_must_is_told_once) {
    Scene scene(hot);
    scene.live(10, Quantity::temperature_mc, 50'001);
    EXPECT(scene.changes == 0);
    scene.live(100, Quantity::temperature_mc, 51'234);
    EXPECT(scene.changes == 1);
    const Alert& alert = scene.alerts.items()[0];
    EXPECT(alert.id == 1000);
    EXPECT(alert.status == AlertStatus::active);
    EXPECT(alert.fault.source == "battery");
    EXPECT(alert.fault.kind == FaultKind::value_high);
    EXPECT(alert.fault.severity == Severity::warning);
    EXPECT(alert.fault.text ==
           "Temperature 51.2 °C is above 50.0 °C: let it cool, lower the load.");
    EXPECT(alert.value == 51'234);
    EXPECT(alert.threshold == 50'000);
    EXPECT(alert.quantity == Quantity::temperature_mc);
}

TEST(the_bound_itself_is_within) {
    Scene scene(hot);
    scene.live(60, Quantity::temperature_mc, 50'000);
    EXPECT(scene.changes == 0);
}

TEST(what_comes_and_goes_is_not_told) {
    Scene scene(hot);
    for (int i = 0; i < 20; ++i) {
        scene.live(9, Quantity::temperature_mc, 60'000);
        scene.live(1, Quantity::temperature_mc, 49'999);
    }
    EXPECT(scene.changes == 0);
}

TEST(an_alert_ends_only_well_within_the_bound_and_not_at_once) {
    Scene scene(hot);
    scene.live(11, Quantity::temperature_mc, 51'000);
    scene.live(60, Quantity::temperature_mc, 48'001);
    EXPECT(scene.changes == 1);
    for (int i = 0; i < 5; ++i) {
        scene.live(9, Quantity::temperature_mc, 48'000);
        scene.live(1, Quantity::temperature_mc, 48'500);
    }
    EXPECT(scene.changes == 1);
    scene.live(11, Quantity::temperature_mc, 48'000);
    EXPECT(scene.changes == 2);
    EXPECT(scene.alerts.items()[0].status == AlertStatus::cleared);
    EXPECT(scene.alerts.items()[0].cleared == scene.now - tick);
    EXPECT(!scene.faults.raised("battery", FaultKind::value_high));
}

TEST(below_is_the_mirror_of_above) {
    Scene scene(empty);
    scene.live(60, Quantity::soc_permille, 100);
    EXPECT(scene.changes == 0);
    scene.live(11, Quantity::soc_permille, 95);
    EXPECT(scene.alerts.items()[0].fault.kind == FaultKind::value_low);
    EXPECT(scene.alerts.items()[0].fault.severity == Severity::alarm);
    EXPECT(scene.alerts.items()[0].fault.text ==
           "Soc 9.5 % is below 10.0 %: charge it, lower the load.");
    scene.live(60, Quantity::soc_permille, 119);
    EXPECT(scene.changes == 1);
    scene.live(11, Quantity::soc_permille, 120);
    EXPECT(scene.changes == 2);
}

TEST(a_value_that_is_stale_proves_nothing) {
    Scene scene(hot);
    scene.live(5, Quantity::temperature_mc, 60'000);
    scene.wait(60);
    EXPECT(scene.changes == 0);
    scene.live(11, Quantity::temperature_mc, 60'000);
    EXPECT(scene.changes == 1);
    scene.live(5, Quantity::temperature_mc, 20'000);
    scene.wait(60);
    EXPECT(scene.changes == 1);
    scene.live(11, Quantity::temperature_mc, 20'000);
    EXPECT(scene.changes == 2);
}

TEST(of_several_sensors_the_worst_counts) {
    Scene scene(hot);
    for (int i = 0; i < 11; ++i) {
        scene.set(Quantity::temperature_mc, 20'000, 1);
        scene.set(Quantity::temperature_mc, 55'000, 2);
        scene.set(Quantity::temperature_mc, 21'000, 3);
        scene.wait(1);
    }
    EXPECT(scene.changes == 1);
    EXPECT(scene.alerts.items()[0].value == 55'000);
}

TEST(a_difference_is_of_two_values_that_are_both_there) {
    Scene scene(battery_alert_rules()[7]);
    scene.live(20, Quantity::cell_voltage_max_mv, 3400);
    EXPECT(scene.changes == 0);
    for (int i = 0; i < 11; ++i) {
        scene.set(Quantity::cell_voltage_max_mv, 3400);
        scene.set(Quantity::cell_voltage_min_mv, 3299);
        scene.wait(1);
    }
    EXPECT(scene.changes == 1);
    EXPECT(scene.alerts.items()[0].value == 101);
    EXPECT(scene.alerts.items()[0].fault.text ==
           "Difference of cell voltage max 0.101 V is above 0.100 V: let the cells balance.");
}

TEST(the_rules_of_a_battery_are_those_of_the_table) {
    struct Row {
        Quantity quantity;
        std::int64_t good;
        std::int64_t bad;
    };
    constexpr Row rows[] = {
        {Quantity::temperature_mc, 50'000, 50'001},
        {Quantity::temperature_mc, 0, -1},
        {Quantity::cell_voltage_max_mv, 3650, 3651},
        {Quantity::cell_voltage_min_mv, 2500, 2499},
        {Quantity::current_ma, -100'000, -100'001},
        {Quantity::current_ma, 50'000, 50'001},
        {Quantity::soc_permille, 100, 99},
    };
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        Scene scene(battery_alert_rules()[i]);
        scene.live(20, rows[i].quantity, rows[i].good);
        EXPECT(scene.changes == 0);
        scene.live(11, rows[i].quantity, rows[i].bad);
        EXPECT(scene.changes == 1);
    }
}

TEST(every_bit_of_a_battery_is_an_alert_with_a_sentence) {
    Scene scene(hot);
    scene.set(Quantity::battery_alarm_bits, (1 << battery_alarms) - 1);
    scene.wait(20);
    EXPECT(scene.changes == 13);
    EXPECT(scene.faults.active().size() == 13);
    for (const ActiveFault& active : scene.faults.active()) {
        EXPECT(active.fault.severity == Severity::alarm);
        EXPECT(!active.fault.about.empty());
        EXPECT(active.fault.text.view().ends_with('.'));
    }
    scene.set(Quantity::battery_alarm_bits, 0);
    scene.wait(2);
    EXPECT(scene.faults.active().empty());
}

TEST(a_warning_of_a_battery_that_becomes_an_alarm_is_another_alert) {
    Scene scene(hot);
    scene.set(Quantity::battery_warning_bits, 2);
    scene.wait(2);
    EXPECT(scene.alerts.items().back().fault.severity == Severity::warning);
    scene.set(Quantity::battery_alarm_bits, 2);
    scene.wait(2);
    EXPECT(scene.alerts.items().size() == 2);
    EXPECT(scene.alerts.items()[0].status == AlertStatus::cleared);
    EXPECT(scene.alerts.items()[1].status == AlertStatus::active);
    EXPECT(scene.alerts.items()[1].fault.severity == Severity::alarm);
    EXPECT(scene.alerts.items()[1].fault.about == "high_voltage");
    EXPECT(scene.faults.active().size() == 1);
}

void raise(Scene& scene, std::string_view source) {
    scene.faults.raise(source, FaultKind::device_silent, Severity::warning, "Silent.", scene.now);
}
void clear(Scene& scene, std::string_view source) {
    scene.faults.clear(source, FaultKind::device_silent, scene.now);
}

TEST(every_fault_is_an_alert) {
    Scene scene(hot);
    raise(scene, "grid");
    raise(scene, "grid");
    EXPECT(scene.alerts.items().size() == 1);
    EXPECT(!scene.alerts.items()[0].value);
    clear(scene, "grid");
    raise(scene, "grid");
    EXPECT(scene.alerts.items().size() == 2);
    EXPECT(scene.alerts.items()[0].status == AlertStatus::cleared);
    EXPECT(scene.alerts.items()[1].status == AlertStatus::active);
    EXPECT(scene.alerts.items()[1].id == 1001);
}

TEST(where_the_ring_is_full_what_is_over_goes_first) {
    Scene scene(hot);
    for (const std::string_view source : {"a", "b", "c", "d", "e"}) {
        raise(scene, source);
    }
    clear(scene, "c");
    raise(scene, "f");
    EXPECT(scene.alerts.items().size() == 5);
    EXPECT(scene.alerts.items()[0].fault.source == "a");
    EXPECT(scene.alerts.items()[2].fault.source == "d");
    raise(scene, "g");
    EXPECT(scene.alerts.items().size() == 5);
    EXPECT(scene.alerts.items()[0].fault.source == "b");
    EXPECT(scene.alerts.items()[4].id == 1006);
    clear(scene, "a");  // which nobody knows any more
    EXPECT(scene.alerts.items()[0].status == AlertStatus::active);
}

TEST(acknowledging_needs_an_alert_that_lasts) {
    Scene scene(hot);
    raise(scene, "grid");
    EXPECT(scene.alerts.acknowledge(999, "session").code() == Code::not_found);
    EXPECT(scene.alerts.acknowledge(1000, "session").has_value());
    EXPECT(scene.alerts.acknowledge(1000, "another").has_value());
    EXPECT(scene.alerts.items()[0].status == AlertStatus::acknowledged);
    EXPECT(scene.alerts.items()[0].acknowledged_by == "session");
    EXPECT(scene.faults.raised("grid", FaultKind::device_silent));
    clear(scene, "grid");
    EXPECT(scene.alerts.items()[0].status == AlertStatus::cleared);
    EXPECT(scene.alerts.acknowledge(1000, "session").code() == Code::out_of_range);
}

TEST(only_what_is_over_is_forgotten) {
    Scene scene(hot);
    for (const std::string_view source : {"a", "b", "c"}) {
        raise(scene, source);
    }
    clear(scene, "a");
    clear(scene, "c");
    scene.alerts.forget_cleared();
    EXPECT(scene.alerts.items().size() == 1);
    EXPECT(scene.alerts.items()[0].fault.source == "b");
}

TEST(ids_rise_over_a_reload_and_the_revision_tells_of_every_change) {
    Scene before(hot);
    raise(before, "a");
    raise(before, "b");
    Scene after(hot);
    raise(after, "own");
    std::uint32_t revision = after.alerts.revision();
    const auto has_changed = [&] {
        return std::exchange(revision, after.alerts.revision()) != revision;
    };
    after.alerts.inherit(before.alerts.items());
    EXPECT(has_changed());
    EXPECT(after.alerts.items().size() == 3);
    EXPECT(after.alerts.items()[0].fault.source == "a");
    EXPECT(after.alerts.items()[2].fault.source == "own");
    raise(after, "c");
    EXPECT(has_changed());
    EXPECT(after.alerts.items().back().id == 1002);
    EXPECT(after.alerts.acknowledge(1002, "x").has_value());
    EXPECT(has_changed());
    (void)after.alerts.step(after.snapshot, after.faults, after.now);
    EXPECT(!has_changed());
    clear(after, "c");
    EXPECT(has_changed());
    after.alerts.forget_cleared();
    EXPECT(has_changed());
}

}  // namespace
}  // namespace jw
