#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real gateway with simulated devices at a real mosquitto, as Home Assistant would see it: the
checker is content through start, birth, a silent device, a restart and a kill."""
import json
import re
import signal
import subprocess
import sys
import textwrap
import time
import unittest

from broker import Broker, Listener, publish, wait_for
from checker import Mark, check
from discovery import long_form
from simulated_site import ROOT as ROOT_FOLDER
from simulated_site import Devices, Gateway, Site, report, settings

GATEWAY = "jouleway/gw-1/status"
METER, INVERTER = "jouleway/gw-1/meter-0", "jouleway/gw-1/meter-1"
ROOT = "homeassistant/device/jouleway_gw-1/"


class Live(unittest.TestCase):
    def setUp(self):
        self.site = self.enterContext(Site())
        self.broker = self.site.add(Broker(self.site.folder))
        self.listener = self.site.add(Listener(
            self.broker, "listening", "homeassistant/#", "jouleway/gw-1/#"))
        self.meter = self.site.add(Devices("demo_meter", "--tcp", "0"))
        self.inverter = self.site.add(Devices("sunspec", "--tcp", "0"))

    def gateway(self, start=True, **changes):
        wishes = settings(self.site.folder, self.broker,
                          [self.meter.where["port"], self.inverter.where["port"]], clock="system",
                          devices__0__poll_s=0.5, devices__1__poll_s=0.5,
                          devices__1__driver="sunspec")
        wishes["live"] = [{"name": "ha", "type": "homeassistant", "host": "127.0.0.1",
                           "port": self.broker.port, "commands": True, **changes}]
        gateway = self.site.add(Gateway(self.site.folder, wishes))
        if start:
            gateway.start()
            gateway.wait_ready()
        return gateway

    def said(self, topic, payload, deadline_s=20.0):
        wait_for(lambda: self.listener.last(topic) == payload, f"{topic} is {payload}", deadline_s)

    def announced(self, topic, times=1):
        wait_for(lambda: len(self.listener.messages(ROOT + topic + "/config")) >= times,
                 f"{topic} is announced {times} times")
        return long_form(json.loads(self.listener.last(ROOT + topic + "/config")))

    def followed(self, device):
        """A state came behind the last announcement."""
        topic = f"jouleway/gw-1/{device}/state"
        wait_for(lambda: self.listener.messages(topic)[-1].time
                 > self.listener.messages(ROOT + device + "/config")[-1].time, "a state follows")

    def content(self):
        self.assertEqual(check(self.listener.taken()), [])

    def state(self, device):
        return json.loads(self.listener.last(f"jouleway/gw-1/{device}/state") or "{}")

    def test_a_life_of_a_gateway_has_no_known_mistake(self):
        gateway = self.gateway()
        self.announced("_gateway")
        meter, inverter = self.announced("meter-0"), self.announced("meter-1")
        self.said(METER + "/status", "online")
        self.said(INVERTER + "/status", "online")
        self.said(GATEWAY, "online")
        after = time.time()
        for device in (METER, INVERTER):
            wait_for(lambda d=device: any(m.time > after + 1 for m in
                                          self.listener.messages(d + "/state")), "states go on")
        self.assertIn("power_w", self.state("meter-0"))
        self.assertGreater(len(meter["components"]), 10)
        self.assertGreater(len(inverter["components"]), 10)
        # Home Assistant restarts.
        known = len(self.listener.messages(ROOT + "meter-0/config"))
        born = Mark("birth", time.time())
        self.listener.mark(born)
        publish(self.broker, "homeassistant/status", b"online")
        for device in ("_gateway", "meter-0", "meter-1"):
            self.announced(device, known + 1)
        self.followed("meter-0")
        self.followed("meter-1")
        # A device goes.
        self.meter.kill()
        self.said(METER + "/status", "offline", 40)
        # The gateway starts anew, without that device answering.
        gateway.kill(signal.SIGTERM)
        self.said(GATEWAY, "offline")
        gateway.start()
        gateway.wait_ready()
        self.said(GATEWAY, "online")
        self.announced("meter-1", known + 2)
        self.followed("meter-1")
        self.said(INVERTER + "/status", "online")
        self.assertEqual(self.listener.last(METER + "/status"), "offline")
        # It is killed.
        self.listener.mark(Mark("killed", time.time()))
        gateway.kill()
        self.said(GATEWAY, "offline")
        self.content()

    def test_a_switch_switches_and_a_command_that_was_kept_does_not(self):
        gateway = self.gateway()
        switch = self.announced("meter-0")["components"]["relay_closed_set"]
        self.assertEqual(switch["platform"], "switch")
        wait_for(lambda: self.state("meter-0").get("relay_closed") == "ON", "the relay is closed")
        publish(self.broker, switch["command_topic"], b"OFF")
        wait_for(lambda: self.state("meter-0").get("relay_closed") == "OFF", "the relay is open")
        self.content()
        gateway.kill(signal.SIGTERM)
        publish(self.broker, switch["command_topic"], b"ON", retain=True)
        before = len(self.listener.messages(METER + "/state"))
        gateway.start()
        gateway.wait_ready()
        wait_for(lambda: "is not carried out" in gateway.tail(), "the refusal is logged")
        wait_for(lambda: len(self.listener.messages(METER + "/state")) > before + 3, "states go on")
        self.assertEqual(self.state("meter-0")["relay_closed"], "OFF")
        self.assertIn("command_retained", [rule for rule, _ in check(self.listener.taken())])

    def test_without_commands_nothing_can_be_set(self):
        self.gateway(commands=False)
        components = self.announced("meter-0")["components"]
        self.assertEqual(components["relay_closed"]["platform"], "binary_sensor")
        self.assertFalse([c for c in components.values() if "command_topic" in c])
        self.content()

    def test_a_device_that_was_taken_out_is_cleared(self):
        gateway = self.gateway()
        self.announced("meter-0")
        self.announced("meter-1")
        self.followed("meter-0")
        self.followed("meter-1")
        wishes = json.loads(gateway.settings.read_text())
        del wishes["devices"][1]
        gateway.settings.write_text(json.dumps(wishes))
        gateway.process.send_signal(signal.SIGHUP)
        self.said(ROOT + "meter-1/config", "")
        self.said(INVERTER + "/state", "")
        self.announced("meter-0", 2)
        self.content()

    def test_switched_off_it_says_nothing(self):
        gateway = self.gateway(enabled=False)
        self.listener.mark(Mark("disabled", time.time()))
        wait_for(lambda: sum(gateway.listen().accepted.values()) > 60, "readings are accepted", 60)
        self.assertEqual(check(self.listener.taken()), [])
        self.assertEqual([m.topic for m in self.listener.messages()
                          if m.topic != "listening"], [])

    def test_a_battery_is_told_to_home_assistant_and_on_its_own_topics(self):
        line = str(self.site.folder / "bms")
        pack = self.site.add(Devices("tinybms", "--pty", line))
        battery = Listener(self.broker, "listening", "bms/#")
        self.site.add(battery)
        wishes = self.gateway(start=False)
        text = json.loads(wishes.settings.read_text())
        text["buses"].append({"name": "line", "type": "serial", "device": line, "baud": 115200})
        text["devices"].append({"name": "pack-1", "driver": "tinybms", "bus": "line",
                                "keep_s": 0})
        text["live"].append({"name": "panel", "type": "bms", "host": "127.0.0.1",
                             "port": self.broker.port, "device": "pack-1"})
        wishes.settings.write_text(json.dumps(text))
        wishes.start()
        wishes.wait_ready()
        entities = self.announced("pack-1")["components"]
        self.followed("pack-1")
        self.assertFalse(entities["cell_voltage_c1_mv"]["enabled_by_default"])
        state = self.state("pack-1")
        self.assertEqual(state["discharging_power_w"], -state["power_w"])
        self.assertIn(state["battery_state"], entities["battery_state"]["options"])
        wait_for(lambda: len(battery.messages("bms/pack-1/metrics")) > 2, "metrics go on")
        first = battery.messages("bms/pack-1/metrics")[0]
        self.assertEqual((first.qos, first.retain), (0, False))
        metrics = json.loads(battery.last("bms/pack-1/metrics"))
        self.assertEqual(metrics["type"], "tinybms_metrics")
        self.assertEqual(len(metrics["cell_voltages_mv"]), len(metrics["cell_balancing"]))
        self.assertLess(abs(sum(metrics["cell_voltages_mv"]) / 1000 - metrics["pack_voltage_v"]), 1)
        self.assertEqual(battery.last("bms/pack-1/status"), "online")
        pack.kill()
        wait_for(lambda: battery.last("bms/pack-1/status") == "offline", "the pack is silent", 60)
        self.said("jouleway/gw-1/pack-1/status", "offline")
        self.content()

    def test_the_how_to_holds(self):
        """Its commands are run as they stand there, but for the name of the broker."""
        text = (ROOT_FOLDER / "docs" / "how-to" / "home-assistant.md").read_text()
        blocks = [b for b in re.findall(r"```sh\n(.*?)```", text, re.S) if "mosquitto" in b]
        status, values, clear = [
            textwrap.dedent(b).replace("broker.example", f"127.0.0.1 -p {self.broker.port}")
            for b in blocks]
        gateway = self.gateway()
        self.announced("meter-0")
        self.said(METER + "/status", "online")
        said = self.shell(status).splitlines()
        for line in re.findall(r"```text\n(.*?)```", text, re.S)[0].split("\n"):
            if line.strip():
                self.assertIn(line.strip(), said)
        self.assertIn('"power_w":', self.shell(values))
        gateway.kill(signal.SIGTERM)
        self.shell(clear)
        left = self.shell(f"mosquitto_sub -h 127.0.0.1 -p {self.broker.port} -t '#' -F %t "
                          "--retained-only -W 1")
        self.assertEqual([t for t in left.split() if not t.startswith("jouleway/v1/")], [])

    @staticmethod
    def shell(command):
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                              timeout=60, check=False).stdout

    def test_the_broker_goes_and_returns(self):
        self.gateway()
        self.announced("meter-0")
        self.said(METER + "/status", "online")
        self.broker.kill()
        self.listener.kill()
        self.broker.start()
        self.listener = self.site.add(Listener(
            self.broker, "listening", "homeassistant/#", "jouleway/gw-1/#"))
        self.announced("meter-0")
        self.announced("meter-1")
        self.said(METER + "/status", "online")
        self.said(GATEWAY, "online")
        wait_for(lambda: self.listener.messages(METER + "/state"), "a state")
        self.content()


if __name__ == "__main__":
    sys.exit(report(unittest.main(argv=sys.argv, exit=False, verbosity=2, warnings="ignore")))
