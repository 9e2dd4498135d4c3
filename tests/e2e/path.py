#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The path with real processes: a reading from a device's bytes to an acknowledged record, a
command back, and what happens when something on the way fails."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

from signed_command import issuers, published, retained, signed
from simulated_site import (JOULECTL, JOULEWAY, Broker, Collector, Devices, Gateway, Site,
                            free_port, report, settings, wait_for)


class Path(unittest.TestCase):
    def setUp(self):
        self.site = self.enterContext(Site())
        self.broker = self.site.add(Broker(self.site.folder))
        self.collector = self.site.add(Collector(self.broker, "gw-1"))
        self.collector.start()
        self.meter = self.site.add(Devices("demo_meter", "--tcp", "0"))

    def gateway(self, **changes):
        wishes = settings(self.site.folder, self.broker, [self.meter.where["port"]], clock="system",
                          **changes)
        wishes["commands"] = issuers(self.site.folder)
        gateway = self.site.add(Gateway(self.site.folder, wishes))
        gateway.start()
        gateway.wait_ready()
        return gateway

    def arrived(self, array, test, what):
        def found():
            with self.collector.lock:
                return next((r for r in self.collector.records.values() if test(r)), None)
        return wait_for(found, what)

    def command(self, name, **changes):
        return {"id": name, "issuer": "operator", "target": "meter-0", "quantity": "relay_closed",
                "value": 1, "expiry": int(time.time() * 1000) + 60000, "counter": 1, **changes}

    def result(self, name):
        return self.arrived("results", lambda r: r.get("id") == name, f"the result of {name}")

    def test_a_reading_arrives_with_its_identity_and_time(self):
        self.gateway()
        reading = self.arrived("readings", lambda r: "power_w" in r, "a reading")
        self.assertEqual(reading["device"], "meter-0")
        self.assertLess(abs(reading["time"] - time.time() * 1000), 30000)
        self.assertFalse(self.collector.problems)

    def test_a_signed_command_is_executed_once_reported_and_then_cleared(self):
        self.gateway()
        self.arrived("readings", lambda r: r.get("relay_closed") == 1, "the relay is closed")
        topic = "jouleway/v1/gw-1/commands/switch-1"
        published(self.broker, topic, signed(self.command("switch-1", value=0)))
        self.assertEqual(self.result("switch-1")["code"], "executed")
        self.arrived("readings", lambda r: r.get("relay_closed") == 0, "the relay is open")
        wait_for(lambda: retained(self.broker, topic) == "", "the request is cleared")
        # The same request again, and one with a counter that was used: neither moves the relay.
        published(self.broker, topic, signed(self.command("switch-1", value=0)))
        published(self.broker, "jouleway/v1/gw-1/commands/switch-2",
                  signed(self.command("switch-2")))
        self.assertEqual(self.result("switch-2")["code"], "repeated")
        wait_for(lambda: retained(self.broker, topic) == "", "the repeated request is cleared")

    def test_commands_that_must_not_be_executed_have_their_code(self):
        self.gateway()
        self.arrived("readings", lambda r: "power_w" in r, "a reading")
        root = "jouleway/v1/gw-1/commands/"
        wrong = json.loads(signed(self.command("forged")))
        wrong["value"] = 0
        cases = {
            "forged": (json.dumps(wrong), "denied"),
            "late": (signed(self.command("late", expiry=int(time.time() * 1000) - 5)), "expired"),
            "nobody": (signed(self.command("nobody", target="attic")), "unknown_target"),
            "wide": (signed(self.command("wide", value=7)), "out_of_range"),
            "strange": (signed(self.command("strange", quantity="power_w")), "unsupported"),
            "rubbish": ("{not json", "malformed"),
        }
        for name, (payload, _) in cases.items():
            published(self.broker, root + name, payload)
        for name, (_, code) in cases.items():
            self.assertEqual(self.result(name)["code"], code, name)

    def test_the_broker_goes_and_returns_and_nothing_is_missing(self):
        gateway = self.gateway()
        self.arrived("readings", lambda r: "power_w" in r, "a reading")
        self.broker.signal(signal.SIGSTOP)
        before = sum(gateway.listen().accepted.values())
        wait_for(lambda: sum(gateway.listen().accepted.values()) > before + 20,
                 "readings go on being accepted")
        self.broker.signal(signal.SIGCONT)
        gateway.wait_drained()
        wait_for(lambda: not self.collector.missing(dict(gateway.accepted)), "all is there")
        self.assertFalse(self.collector.problems)

    def test_a_reload_takes_new_settings_and_refuses_bad_ones(self):
        gateway = self.gateway()
        self.arrived("readings", lambda r: "power_w" in r, "a reading")
        wishes = json.loads(gateway.settings.read_text())
        gateway.settings.write_text(json.dumps({**wishes, "devices": [{"name": "?"}]}))
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the settings stay as they were" in gateway.tail(), "it says so")
        wishes["devices"][0]["name"] = "renamed"
        gateway.settings.write_text(json.dumps(wishes))
        gateway.process.send_signal(signal.SIGHUP)
        self.arrived("readings", lambda r: r.get("device") == "renamed", "the new name")
        gateway.wait_drained()
        wait_for(lambda: not self.collector.missing(dict(gateway.accepted)), "all is there")

    def test_a_stop_and_a_reload_are_told_and_a_kill_is_not(self):
        gateway = self.gateway()

        def kinds():
            with self.collector.lock:
                records = self.collector.records
                return [records[key]["kind"] for key in sorted(records)
                        if key[1] == 2 and "device" not in records[key]]
        so_far = ["started"]
        for number, told in ((signal.SIGHUP, ["started", "settings_changed"]),
                             (signal.SIGTERM, ["stopped", "started"]),
                             (signal.SIGKILL, ["started"])):
            wait_for(lambda: kinds() == so_far, f"the collector has {so_far}")
            if number == signal.SIGHUP:
                gateway.process.send_signal(number)
            else:
                gateway.kill(number)
                gateway.start()
                gateway.wait_ready()
            so_far += told
        wait_for(lambda: kinds() == so_far, f"the collector has {so_far}")

    def test_a_device_that_gets_another_driver_has_room_for_its_values(self):
        inverter = self.site.add(Devices("sunspec", "--tcp", "0"))
        gateway = self.gateway(buses__0__port=inverter.where["port"],
                               devices__0__driver="sunspec")

        def names():
            try:
                items = gateway.ask("/api/v1/readings/latest")["items"]
            except urllib.error.URLError:
                return set()  # between the two daemons of a reload nobody listens
            return {value["name"] for value in items[0]["values"]}
        wait_for(lambda: "dc_power_w" in names(), "the inverter is read")
        wishes = json.loads(gateway.settings.read_text())
        wishes["buses"][0]["port"] = self.meter.where["port"]
        wishes["devices"][0]["driver"] = "demo_meter"
        gateway.settings.write_text(json.dumps(wishes))
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "relay_closed" in names(), "the meter is read")
        self.assertNotIn("dc_power_w", names())

    def test_a_silent_device_sleeps_and_comes_back(self):
        gateway = self.gateway()
        self.arrived("readings", lambda r: "power_w" in r, "a reading")
        port = self.meter.where["port"]
        self.meter.kill()
        url = f"http://{json.loads(gateway.settings.read_text())['web']['listen']}/api/v1/devices"

        def state():
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["items"][0]["state"]
        wait_for(lambda: state() == "asleep", "the device counts as asleep", 30)
        self.meter.__init__("demo_meter", "--tcp", str(port))
        wait_for(lambda: state() == "online", "it is back", 60)

    def test_the_door_opens_to_the_password_and_to_nothing_else(self):
        made = subprocess.run([str(JOULECTL), "password"], input="correct horse\n", text=True,
                              capture_output=True, check=True)
        web = {"listen": f"127.0.0.1:{free_port()}", "password_scrypt": made.stdout.strip()}
        self.gateway(web=web)

        def status(path, **body):
            asked = urllib.request.Request(f"http://{web['listen']}/api/v1/{path}",
                                           json.dumps(body).encode() if body else None,
                                           {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(asked, timeout=10) as answer:
                    return answer.status
            except urllib.error.HTTPError as refused:
                return refused.code
        self.assertEqual(status("devices"), 401)
        self.assertEqual(status("session", password="correct horse"), 204)
        self.assertEqual(status("session", password="correct horsf"), 401)

    def test_a_second_process_is_refused_and_bad_settings_are_all_named(self):
        gateway = self.gateway()
        second = subprocess.run(gateway.command, capture_output=True, text=True, timeout=20)
        self.assertEqual(second.returncode, 3, second.stderr)
        wrong = pathlib.Path(self.site.folder) / "wrong.json"
        wrong.write_text('{"gateway":"GW","buses":[{"name":"a","type":"modbus_tcp","host":"h",'
                         '"port":70000}],"devices":[{"name":"d","driver":"none","bus":"b"}]}')
        check = subprocess.run([str(JOULEWAY), "--check-config", "--config", str(wrong)],
                               capture_output=True, text=True, timeout=20)
        self.assertEqual(check.returncode, 2)
        for pointer in ("/gateway", "/buses/0/port", "/devices/0/driver"):
            self.assertIn(pointer, check.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "mounting needs root")
    def test_a_full_disk_is_told_and_the_gateway_goes_on(self):
        disk = pathlib.Path(self.site.folder) / "disk"
        disk.mkdir()
        # One megabyte taken, half of one free: less than the store fills ahead.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "none", str(disk)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        (disk / "filler").write_bytes(bytes(1000 * 1024))
        gateway = self.gateway(storage__path=str(disk / "state"), storage__size_mb=8)
        url = f"http://{json.loads(gateway.settings.read_text())['web']['listen']}/api/v1/faults"

        def faults():
            with urllib.request.urlopen(url, timeout=5) as answer:
                return [fault["kind"] for fault in json.load(answer)["items"]]
        wait_for(lambda: "storage_failed" in faults() or "records_dropped" in faults(),
                 "the fault shows", 30)
        self.assertIsNone(gateway.process.poll())
        (disk / "filler").unlink()
        before = sum(gateway.listen().accepted.values())
        wait_for(lambda: sum(gateway.listen().accepted.values()) > before + 20,
                 "readings are accepted again once there is space", 30)


if __name__ == "__main__":
    sys.exit(report(unittest.main(argv=sys.argv, exit=False, verbosity=2, warnings="ignore")))
