# SPDX-License-Identifier: Apache-2.0
"""What Home Assistant knows of MQTT discovery, as tables: keys, classes, units, state classes.
From home-assistant.io (mqtt.markdown) and home-assistant/core (mqtt/*.py, sensor/const.py)."""
import re

LONG = {  # short key: long key
    "dev": "device", "o": "origin", "cmps": "components", "avty": "availability",
    "avty_mode": "availability_mode", "avty_t": "availability_topic",
    "avty_tpl": "availability_template", "migr_discvry": "migrate_discovery",
    "t": "topic", "pl_avail": "payload_available", "pl_not_avail": "payload_not_available",
    "ids": "identifiers", "cns": "connections", "mf": "manufacturer", "mdl": "model",
    "mdl_id": "model_id", "hw": "hw_version", "sw": "sw_version", "sn": "serial_number",
    "sa": "suggested_area", "cu": "configuration_url", "url": "support_url",
    "p": "platform", "uniq_id": "unique_id", "def_ent_id": "default_entity_id",
    "obj_id": "object_id", "dev_cla": "device_class", "ent_cat": "entity_category",
    "en": "enabled_by_default", "ic": "icon", "json_attr_t": "json_attributes_topic",
    "e": "encoding", "stat_t": "state_topic", "val_tpl": "value_template",
    "unit_of_meas": "unit_of_measurement", "stat_cla": "state_class",
    "sug_dsp_prc": "suggested_display_precision", "exp_aft": "expire_after",
    "frc_upd": "force_update", "ops": "options", "pl_on": "payload_on", "pl_off": "payload_off",
    "off_dly": "off_delay", "cmd_t": "command_topic", "cmd_tpl": "command_template",
    "stat_on": "state_on", "stat_off": "state_off", "opt": "optimistic", "ret": "retain",
    "pl_rst": "payload_reset", "pl_prs": "payload_press", "l_ver_t": "latest_version_topic",
    "pl_inst": "payload_install", "tit": "title", "rel_u": "release_url",
    "rel_s": "release_summary", "dsp_prc": "display_precision",
}
ROOT = {"device", "origin", "components", "availability", "availability_mode", "state_topic",
        "command_topic", "qos", "encoding", "migrate_discovery", "~"}
DEVICE = {"identifiers", "connections", "name", "manufacturer", "model", "model_id", "hw_version",
          "sw_version", "serial_number", "suggested_area", "configuration_url", "via_device"}
ORIGIN = {"name", "sw_version", "support_url"}
EVERY = {"platform", "unique_id", "name", "default_entity_id", "device_class", "entity_category",
         "enabled_by_default", "icon", "json_attributes_topic", "qos", "encoding", "availability",
         "availability_mode", "~"}
VALUE = {"state_topic", "value_template"}
PLATFORMS = {
    "sensor": VALUE | {"unit_of_measurement", "state_class", "suggested_display_precision",
                       "expire_after", "force_update", "last_reset_value_template", "options"},
    "binary_sensor": VALUE | {"payload_on", "payload_off", "off_delay", "expire_after"},
    "switch": VALUE | {"command_topic", "payload_on", "payload_off", "state_on", "state_off",
                       "optimistic", "retain"},
    "number": VALUE | {"command_topic", "command_template", "min", "max", "step", "mode",
                       "payload_reset", "unit_of_measurement", "optimistic", "retain"},
    "select": VALUE | {"command_topic", "options", "optimistic", "retain"},
    "button": {"command_topic", "payload_press", "retain"},
    "update": VALUE | {"latest_version_topic", "payload_install", "title", "release_url",
                       "release_summary", "display_precision", "command_topic", "retain"},
}
NEEDED = {"number": {"command_topic"}, "select": {"command_topic", "options"},
          "switch": {"command_topic"}, "button": {"command_topic"}, "sensor": {"state_topic"},
          "binary_sensor": {"state_topic"}}
ENERGY = {"mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "J", "kJ", "MJ", "GJ", "cal", "kcal", "Mcal",
          "Gcal"}
GAUGE, COUNTER, ANY = {"measurement"}, {"total", "total_increasing"}, {
    "measurement", "total", "total_increasing"}
CLASSES = {  # device class of a sensor: (units, None where there is none; state classes)
    "power": ({"mW", "W", "kW", "MW", "GW", "TW"}, GAUGE),
    "reactive_power": ({"mvar", "var", "kvar"}, GAUGE),
    "apparent_power": ({"mVA", "VA", "kVA"}, GAUGE),
    "power_factor": ({"%", None}, GAUGE),
    "energy": (ENERGY, COUNTER),
    "energy_storage": (ENERGY, GAUGE),
    "reactive_energy": ({"varh", "kvarh"}, COUNTER),
    "voltage": ({"µV", "mV", "V", "kV", "MV"}, GAUGE),
    "current": ({"µA", "mA", "A"}, GAUGE),
    "frequency": ({"mHz", "Hz", "kHz", "MHz", "GHz"}, GAUGE),
    "battery": ({"%"}, GAUGE),
    "temperature": ({"°C", "°F", "K"}, GAUGE),
    "temperature_delta": ({"°C", "°F", "K"}, GAUGE),
    "gas": ({"L", "m³", "ft³", "CCF", "MCF"}, COUNTER),
    "water": ({"L", "gal", "m³", "ft³", "CCF", "MCF"}, COUNTER),
    "enum": ({None}, set()),
    "timestamp": ({None}, set()),
    "uptime": ({None}, set()),
    "duration": ({"µs", "ms", "s", "min", "h", "d"}, ANY),
    "signal_strength": ({"dB", "dBm"}, GAUGE),
    "data_size": ({"B", "kB", "MB", "GB"}, ANY),
    "data_rate": ({"B/s", "kB/s", "MB/s"}, GAUGE),
}
# Without a class Home Assistant takes any unit; these are the ones that mean something here.
FREE_UNITS = {None, "%", "Ah"}
BINARY_CLASSES = {"connectivity", "problem", "battery_charging", "power", "running", "safety",
                  "tamper"}
UPDATE_STATE = {"installed_version", "latest_version", "title", "release_summary", "release_url",
                "entity_picture", "in_progress", "update_percentage"}
ID = re.compile(r"[a-zA-Z0-9_-]+")
CONFIG = re.compile(r"(?P<component>[^/]+)/(?:(?P<node>[^/]+)/)?(?P<object>[^/]+)/config/?")


def long_form(value):
    """The same with every key written out, at every depth but below `components`."""
    if isinstance(value, list):
        return [long_form(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for key, item in value.items():
        name = LONG.get(key, key)
        result[name] = {k: long_form(v) for k, v in item.items()} \
            if name == "components" and isinstance(item, dict) else long_form(item)
    return result
