#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checker refuses every mistake: a stream that is right is spoiled in one way for each rule,
goes through a real mosquitto, and must be refused by that rule. No rule is without its mistake."""
import copy
import json
import sys
import tempfile
import unittest

from broker import Broker, Listener, publish, wait_for
from checker import RULES, Mark, Message, check

CONFIG = "homeassistant/device/jouleway_gw1/grid/config"
STATE, STATUS = "jouleway/gw1/grid/state", "jouleway/gw1/grid/status"
GATEWAY = "jouleway/gw1/status"
SWITCH = "jouleway/gw1/grid/set/relay_closed"


def value_of(name):
    return "{{ value_json.%s | default('None') }}" % name


def discovery():
    """A device with one entity of each kind."""
    sensor = {"p": "sensor", "exp_aft": 30}
    return {
        "dev": {"ids": "jouleway_gw1_grid", "name": "Grid meter", "mf": "Eastron",
                "via_device": "jouleway_gw1"},
        "o": {"name": "Jouleway", "sw": "0.3.0"},
        "avty": [{"t": GATEWAY}, {"t": STATUS}], "avty_mode": "all", "stat_t": STATE, "qos": 1,
        "cmps": {
            "power_w": {**sensor, "uniq_id": "jouleway_gw1_grid_power_w", "name": "Power",
                        "def_ent_id": "sensor.grid_power", "dev_cla": "power",
                        "unit_of_meas": "W", "stat_cla": "measurement",
                        "val_tpl": value_of("power_w")},
            "temperature_mc": {**sensor, "uniq_id": "jouleway_gw1_grid_temperature_mc",
                               "dev_cla": "temperature", "unit_of_meas": "°C",
                               "stat_cla": "measurement", "val_tpl": value_of("temperature_c")},
            "energy": {**sensor, "uniq_id": "jouleway_gw1_grid_energy", "dev_cla": "energy",
                       "unit_of_meas": "kWh", "stat_cla": "total_increasing",
                       "val_tpl": value_of("energy_kwh")},
            "mode": {**sensor, "uniq_id": "jouleway_gw1_grid_mode", "dev_cla": "enum",
                     "ops": ["idle", "charging"], "val_tpl": value_of("mode")},
            "relay_set": {"p": "switch", "uniq_id": "jouleway_gw1_grid_relay_set", "name": "Relay",
                          "cmd_t": SWITCH, "val_tpl": value_of("relay")},
            "connection": {"p": "binary_sensor", "uniq_id": "jouleway_gw1_grid_connection",
                           "dev_cla": "connectivity", "stat_t": STATUS, "pl_on": "online",
                           "pl_off": "offline", "avty": [{"t": GATEWAY}]},
            "firmware": {"p": "update", "uniq_id": "jouleway_gw1_grid_firmware",
                         "stat_t": "jouleway/gw1/grid/update"},
        }}


def state(**changes):
    return {"power_w": -1520, "temperature_c": 21.5, "energy_kwh": 1230.412, "mode": "idle",
            "relay": "ON", **changes}


def good():
    """A gateway that starts, answers a birth, loses its device, is killed."""
    def said(topic, payload, time, **flags):
        body = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        return Message(topic, body.encode(), time=time, **flags)
    return [
        said(STATE, state(), 0.0), said(STATUS, "online", 0.0), said(GATEWAY, "online", 0.1),
        said(CONFIG, discovery(), 2.0), said(STATE, state(), 2.6),
        said("jouleway/gw1/grid/update", {"installed_version": "1.4", "in_progress": False}, 3.0),
        said(SWITCH, "OFF", 4.0, retain=False),
        Mark("birth", 10.0), said(CONFIG, discovery(), 14.0), said(STATE, state(), 14.6),
        said(STATUS, "offline", 30.0), said(STATE, state(), 40.0), said(STATUS, "online", 40.1),
        Mark("killed", 50.0), said(GATEWAY, "offline", 50.1)]


def component(entity, **changes):
    """Changes an entity of every discovery message; None takes a key away."""
    def spoil(records):
        for message in records:
            if isinstance(message, Message) and message.topic == CONFIG:
                document = json.loads(message.payload)
                for key, value in changes.items():
                    document["cmps"][entity].pop(key, None)
                    if value is not None:
                        document["cmps"][entity][key] = value
                message.payload = json.dumps(document, ensure_ascii=False).encode()
    return spoil


def document(change):
    def spoil(records):
        for message in records:
            if isinstance(message, Message) and message.topic == CONFIG:
                whole = json.loads(message.payload)
                change(whole)
                message.payload = json.dumps(whole, ensure_ascii=False).encode()
    return spoil


def states(**changes):
    def spoil(records):
        for message in records:
            if isinstance(message, Message) and message.topic == STATE:
                message.payload = json.dumps(state(**changes)).encode()
    return spoil


def message(index, **changes):
    def spoil(records):
        for key, value in changes.items():
            setattr(records[index], key, value)
    return spoil


def without(*indexes):
    def spoil(records):
        for index in sorted(indexes, reverse=True):
            del records[index]
    return spoil


def another_unique_id(records):
    component("power_w", uniq_id="jouleway_2")(records[8:])


def many_diagnostics(whole):
    for i in range(40):
        whole["cmps"][f"cell_{i}"] = {**whole["cmps"]["power_w"], "uniq_id": f"cell_{i}",
                                      "ent_cat": "diagnostic"}


def latin_1(records):
    for item in records:
        if isinstance(item, Message):
            item.payload = item.payload.replace("°".encode(), "°".encode("latin-1"))


def encoded_twice(records):
    for item in records:
        if isinstance(item, Message):
            item.payload = item.payload.replace("°".encode(), "Â°".encode())


# By rule: what breaks it. Some have more than one face.
MISTAKES = {
    "unit_wrong_for_class": [component("power_w", unit_of_meas=unit)
                             for unit in ("VAr", "kWp", "mAh", "l/min", "w")],
    "unit_missing": [component("power_w", unit_of_meas=None)],
    "state_class_wrong": [component("energy", stat_cla="measurement"),
                          component("mode", stat_cla="measurement")],
    "text_with_state_class": [states(power_w="-1520 W")],
    "object_id_in_payload": [component("power_w", obj_id="grid_power")],
    "unique_id_missing": [component("power_w", uniq_id=None)],
    "unique_id_changed": [another_unique_id,
                          component("energy", uniq_id="jouleway_gw1_grid_power_w")],
    "address_in_identifier": [document(lambda d: d["dev"].update(ids="meter_192.0.2.7")),
                              document(lambda d: d["dev"].update(ids=["/dev/ttyUSB0"]))],
    "device_name_repeated": [component("power_w", name="Grid meter power")],
    "birth_unanswered": [without(8, 9), message(8, time=30.0)],
    "command_retained": [message(6, retain=True), component("relay_set", ret=True)],
    "value_empty": [states(power_w=""), states(power_w=None)],
    "template_without_default": [component("power_w", val_tpl="{{ value_json.power_w }}")],
    "update_state_wrong": [message(5, payload=b'{"installed_version":"1.4","channel":"beta"}'),
                           message(5, payload=b'{"installed_version":null}')],
    "slash_at_the_end": [component("power_w", stat_t=STATE + "/"),
                         message(3, topic=CONFIG + "/")],
    "not_utf_8": [latin_1, encoded_twice],
    "diagnostics_enabled": [document(many_diagnostics)],
    "not_switched_off": [lambda records: records.insert(8, Mark("disabled", 12.0))],
    "id_illegal": [message(3, topic="homeassistant/device/grid meter/config"),
                   message(3, topic="homeassistant/device/gw1.local/grid/config"),
                   document(lambda d: d["cmps"].update({"power w": d["cmps"].pop("power_w")}))],
    "block_missing": [document(lambda d: d.pop("o")), document(lambda d: d["dev"].pop("ids")),
                      document(lambda d: d["o"].pop("name"))],
    "key_unknown": [component("power_w", unit="W"), component("relay_set", exp_aft=30),
                    component("mode", p="gauge"), document(lambda d: d["dev"].update(ip="x"))],
    "key_missing": [component("relay_set", cmd_t=None), component("mode", ops=None)],
    "class_unknown": [component("power_w", dev_cla="watts"),
                      component("connection", dev_cla="power_w")],
    "value_not_of_the_options": [states(mode="asleep")],
    "entity_id_wrong": [component("power_w", def_ent_id="grid power"),
                        component("power_w", def_ent_id="switch.grid_power")],
    "availability_lacking": [component("power_w", avty=[{"t": GATEWAY}]),
                             component("power_w", avty_mode="any")],
    "never_expires": [component("power_w", exp_aft=None)],
    "discovery_not_retained": [message(3, retain=False)],
    "state_not_retained": [message(4, retain=False), message(4, qos=0), message(1, retain=False)],
    "will_missing": [without(14)],
    "birth_of_the_gateway_missing": [without(1, 10, 12)],
    "state_while_unavailable": [without(12)],
    "state_too_soon": [message(4, time=2.1)],
    "state_not_repeated_after_announcement": [without(9, 10, 11, 12)],
}


class Checker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.broker = Broker(cls.folder.name)
        cls.listener = Listener(cls.broker)

    @classmethod
    def tearDownClass(cls):
        cls.listener.kill()
        cls.broker.kill()
        cls.folder.cleanup()

    def through_the_broker(self, records):
        """The same records with payload and flags as the broker delivered them; times as planned,
        since nobody wants to wait for them."""
        before = len(self.listener.messages())
        sent = [r for r in records if isinstance(r, Message)]
        for item in sent:
            publish(self.broker, item.topic, item.payload, item.qos, item.retain)
        wait_for(lambda: len(self.listener.messages()) >= before + len(sent), "all of it arrived")
        arrived = iter(self.listener.messages()[before:])
        result = []
        for item in records:
            if isinstance(item, Message):
                planned, item = item, next(arrived)
                self.assertEqual(item.topic, planned.topic)
                item.time = planned.time
            result.append(item)
        return result

    def test_what_is_right_passes(self):
        self.assertEqual(check(self.through_the_broker(good())), [])

    def test_silence_is_no_success(self):
        self.assertEqual(check([])[0][0], "nothing_announced")

    def test_every_rule_has_its_mistake(self):
        self.assertEqual(set(MISTAKES), set(RULES))


def refused(name, number):
    def test(self):
        records = copy.deepcopy(good())
        MISTAKES[name][number](records)
        found = check(self.through_the_broker(records))
        self.assertIn(name, [rule for rule, _ in found], found)
    return test


for rule_name, mistakes in MISTAKES.items():
    for i in range(len(mistakes)):
        setattr(Checker, f"test_{rule_name}_{i}_is_refused", refused(rule_name, i))

if __name__ == "__main__":
    program = unittest.main(argv=sys.argv, exit=False, warnings="ignore")
    bad = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - bad} passed, {bad} failed, 0 skipped")
    sys.exit(1 if bad else 0)
