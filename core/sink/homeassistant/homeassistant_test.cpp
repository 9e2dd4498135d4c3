// SPDX-License-Identifier: Apache-2.0
// What Home Assistant is told: names, units, topics, states, wishes.
#include <array>
#include <string_view>

#include "core/base/test.h"
#include "core/sink/homeassistant/message.h"

namespace jw::homeassistant {
namespace {

constexpr Instant now = Instant{} + seconds(1000);

/// A device in a snapshot of its own.
struct Scene {
    std::array<LatestValue, 64> room{};
    DeviceSnapshot device;
    Scene() {
        device.name = "grid";
        device.state = DeviceState::online;
        device.poll = seconds(10);
        device.last_reading = now;
        device.values = List<LatestValue>(room);
    }
    void has(Quantity quantity, std::uint8_t index, std::int64_t number, Duration age = {}) {
        EXPECT(device.values.push({{quantity, index, number}, now - age}));
    }
};

/// Room for a text, and whether a part of it stands there.
struct Message {
    std::array<char, 65536> buffer{};
    Text text{buffer};
    [[nodiscard]] bool says(std::string_view part) const {
        return text.view().find(part) != std::string_view::npos;
    }
};

Announcement grid(std::span<const Key> keys, std::span<const Control> controls = {}) {
    Announcement device;
    device.gateway = "gw-1";
    device.device = "grid";
    device.title = "Grid meter";
    device.maker = "Eastron";
    device.expire = seconds(30);
    device.keys = keys;
    device.controls = controls;
    return device;
}

TEST(each_quantity_has_a_name_that_no_other_has) {
    std::array<char, 80> first_buffer{};
    std::array<char, 80> second_buffer{};
    for (const QuantityInfo& row : quantities()) {
        if (row.quantity == Quantity::none) {
            continue;
        }
        EXPECT(entity(row.quantity).quantity == row.quantity);
        EXPECT(!entity(row.quantity).name.empty());
        Text first(first_buffer);
        put_member(row.quantity, 0, first);
        for (const QuantityInfo& other : quantities()) {
            if (other.quantity == row.quantity || other.quantity == Quantity::none) {
                continue;
            }
            EXPECT(entity(other.quantity).name != entity(row.quantity).name);
            Text second(second_buffer);
            put_member(other.quantity, 0, second);
            EXPECT(first.view() != second.view());
        }
    }
}

TEST(a_state_has_the_published_units_and_leaves_out_what_is_stale) {
    Scene scene;
    scene.has(Quantity::power_w, 0, -1520);
    scene.has(Quantity::energy_import_wh, 1, 1230412);
    scene.has(Quantity::voltage_mv, 3, 230100);
    scene.has(Quantity::frequency_mhz, 0, 49980, seconds(31));
    scene.has(Quantity::relay_closed, 0, 1);
    scene.has(Quantity::temperature_mc, 2, -500);
    scene.has(Quantity::rated_power_w, 0, 5000, seconds(180));
    scene.has(Quantity::cycle_count, 0, 41, seconds(180));
    scene.has(Quantity::pulse_count, 0, 7, seconds(181));
    Message state;
    put_state(scene.device, now, 1790000000123, state.text);
    EXPECT(state.text.view() ==
           "{\"time\":1790000000123,\"power_w\":-1520,\"energy_import_t1_kwh\":1230.412,"
           "\"voltage_l3_v\":230.1,\"relay_closed\":\"ON\",\"temperature_2_c\":-0.5,"
           "\"rated_power_w\":5000,\"cycle_count\":41}");
}

TEST(a_battery_tells_its_power_both_ways_and_its_state_as_a_word) {
    Scene scene;
    scene.has(Quantity::power_w, 0, 800);
    scene.has(Quantity::battery_state, 0, 1);
    Message state;
    put_state(scene.device, now, std::nullopt, state.text);
    EXPECT(state.text.view() ==
           "{\"power_w\":800,\"battery_state\":\"charging\",\"discharging_power_w\":-800}");
    const Key keys[] = {{Quantity::power_w, 0}, {Quantity::battery_state, 0}};
    Message discovery;
    EXPECT(put_discovery(grid(keys), discovery.text) == 0);
    EXPECT(discovery.says("\"discharging_power_w\":{\"p\":\"sensor\""));
    EXPECT(discovery.says("\"ops\":[\"idle\",\"charging\",\"full\",\"discharging\",\"fault\"]"));
}

TEST(a_number_that_no_word_stands_for_is_absent) {
    Scene scene;
    scene.has(Quantity::battery_state, 0, 17);
    Message state;
    put_state(scene.device, now, std::nullopt, state.text);
    EXPECT(state.text.view() == "{}");
}

TEST(an_entity_says_all_that_home_assistant_asks_for) {
    const Key keys[] = {{Quantity::power_w, 1}};
    Message discovery;
    EXPECT(put_discovery(grid(keys), discovery.text) == 0);
    EXPECT(discovery.says(
        "\"power_l1_w\":{\"p\":\"sensor\",\"uniq_id\":\"jouleway_gw-1_grid_power_l1_w\","
        "\"def_ent_id\":\"sensor.grid_power_l1\",\"name\":\"Power L1\",\"dev_cla\":\"power\","
        "\"unit_of_meas\":\"W\",\"stat_cla\":\"measurement\",\"sug_dsp_prc\":0,\"exp_aft\":30,"
        "\"val_tpl\":\"{{ value_json.power_l1_w | default('None') }}\"}"));
    EXPECT(
        discovery.says("\"stat_t\":\"jouleway/gw-1/grid/state\",\"avty\":["
                       "{\"t\":\"jouleway/gw-1/status\"},{\"t\":\"jouleway/gw-1/grid/status\"}],"
                       "\"avty_mode\":\"all\"}"));
    EXPECT(discovery.says("\"via_device\":\"jouleway_gw-1\""));
}

TEST(cells_are_announced_but_not_enabled) {
    const Key keys[] = {{Quantity::cell_voltage_mv, 16}};
    Message discovery;
    EXPECT(put_discovery(grid(keys), discovery.text) == 0);
    EXPECT(discovery.says("\"name\":\"Cell voltage 16\""));
    EXPECT(discovery.says("\"ent_cat\":\"diagnostic\",\"en\":false"));
}

TEST(the_name_of_the_device_is_not_repeated) {
    const Key keys[] = {{Quantity::power_w, 1}, {Quantity::power_w, 0}};
    Announcement device = grid(keys);
    device.title = "power";
    Message discovery;
    EXPECT(put_discovery(device, discovery.text) == 0);
    EXPECT(discovery.says("\"name\":\"L1\""));
    EXPECT(discovery.says("\"name\":null"));
}

TEST(what_can_be_set_is_a_switch_or_a_number_with_its_range) {
    const Key keys[] = {{Quantity::relay_closed, 0}, {Quantity::charge_limit_permille, 0}};
    const Control controls[] = {{keys[0], 0, 1}, {keys[1], 0, 1000}};
    Message discovery;
    EXPECT(put_discovery(grid(keys, controls), discovery.text) == 0);
    EXPECT(discovery.says("\"relay_closed_set\":{\"p\":\"switch\""));
    EXPECT(discovery.says("\"cmd_t\":\"jouleway/gw-1/grid/set/relay_closed\""));
    EXPECT(discovery.says("\"min\":0,\"max\":100,\"step\":0.1,\"mode\":\"box\""));
    EXPECT(!discovery.says("\"relay_closed\":{"));
    EXPECT(read_wish(controls[0], "ON") == 1);
    EXPECT(read_wish(controls[1], "12.5") == 125);
    for (const std::string_view wrong :
         {"", "12.55", "-", ".5", "1e3", "ON", "99999999999999999"}) {
        EXPECT(!read_wish(controls[1], wrong));
    }
    EXPECT(!read_wish(controls[0], "on"));
}

TEST(a_name_that_is_no_id_is_escaped_everywhere) {
    Announcement device = grid({});
    device.gateway = "a/b";
    device.device = "x+y_#";
    Message discovery;
    EXPECT(put_discovery(device, discovery.text) == 0);
    EXPECT(discovery.says("\"ids\":\"jouleway_a_2fb_x_2by_5f_23\""));
    EXPECT(discovery_topic("ha", "a/b", "x+y").view() == "ha/device/jouleway_a_2fb/x_2by/config");
    EXPECT(device_topic("gw", "a+b", "state").view() == "jouleway/gw/a_2bb/state");
}

TEST(what_a_device_says_of_itself_cannot_break_the_message) {
    Announcement device = grid({});
    device.serial = "7\"\xB0\\1";
    Message discovery;
    EXPECT(put_discovery(device, discovery.text) == 0);
    EXPECT(discovery.says("\"sn\":\"7???1\""));
}

TEST(a_message_that_grows_too_large_leaves_entities_out_and_stays_whole) {
    std::array<Key, 64> keys{};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        keys[i] = {Quantity::cell_voltage_mv, static_cast<std::uint8_t>(i + 1)};
    }
    std::array<char, 8192> buffer{};
    Text out(buffer);
    const std::size_t left_out = put_discovery(grid(keys), out);
    EXPECT(left_out > 0 && left_out < keys.size());
    EXPECT(out.ok());
    EXPECT(out.view().ends_with("\"avty_mode\":\"all\"}"));
}

TEST(topics_are_read_back) {
    EXPECT(discovered_device("homeassistant", "gw", "homeassistant/device/jouleway_gw/grid/config")
               .value_or("") == "grid");
    for (const std::string_view other : {"homeassistant/device/jouleway_gw/_gateway/config",
                                         "homeassistant/device/jouleway_gw2/grid/config",
                                         "homeassistant/device/jouleway_gw/a/b/config",
                                         "homeassistant/device/jouleway_gw//config"}) {
        EXPECT(!discovered_device("homeassistant", "gw", other));
    }
    const auto wish = wish_of("gw", "jouleway/gw/pump/set/power_limit_permille");
    EXPECT(wish && wish->device == "pump" && wish->quantity == Quantity::power_limit_permille);
    for (const std::string_view other : {"jouleway/gw/pump/set/colour",
                                         "jouleway/gw2/pump/set/relay_closed",
                                         "jouleway/gw/set/relay_closed",
                                         "jouleway/gw/pump/state"}) {
        EXPECT(!wish_of("gw", other));
    }
}

TEST(a_device_is_online_while_it_answers) {
    Scene scene;
    EXPECT(is_online(scene.device, now));
    EXPECT(!is_online(scene.device, now + seconds(31)));
    scene.device.state = DeviceState::refusing;
    EXPECT(!is_online(scene.device, now));
    scene.device.state = DeviceState::online;
    scene.device.last_reading = Instant{-1};
    EXPECT(!is_online(scene.device, now));
}

TEST(faults_are_a_problem_and_none_is_none) {
    Message none;
    put_faults({}, none.text);
    EXPECT(none.text.view() == "{\"state\":\"OFF\",\"faults\":[]}");
    Fault fault;
    fault.kind = FaultKind::device_silent;
    fault.severity = Severity::warning;
    fault.text = "It does not answer.";
    const Fault* const faults[] = {&fault};
    Message one;
    put_faults(faults, one.text);
    EXPECT(one.text.view() ==
           "{\"state\":\"ON\",\"faults\":[{\"kind\":\"device_silent\",\"severity\":\"warning\","
           "\"text\":\"It does not answer.\"}]}");
}

}  // namespace
}  // namespace jw::homeassistant
