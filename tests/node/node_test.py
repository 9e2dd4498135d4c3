#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""joulenode from its meter to the broker: 1 000 readings, its power cut 50 times, bytes of
its line damaged, none lost.

Truth is the node's own flash: after each cut it is copied and walked, and what was found there once
counts as accepted. All of it, in its order and once, is what the subscriber must get."""
import os
import random
import subprocess
import sys
import threading
import time
import unittest

from node_rig import FIRMWARE, QEMU, Cable, Node
from simulated_site import ROOT, Broker, Collector, Devices, Gateway, Site, settings, wait_for

READINGS = int(os.environ.get("JOULENODE_READINGS", "1000"))
CUTS = int(os.environ.get("JOULENODE_CUTS", "50"))
DAMAGE_EACH = 10_000  # bytes on the line to the gateway
SEED = int(os.environ.get("JOULENODE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
REQUIRED = os.environ.get("CI") == "true" or os.environ.get("JOULEWAY_RECORDED") == "required"
IDENTITY = ("seq", "time", "boot", "up_ms", "device")


def values(message):
    return {name: value for name, value in message.items() if name not in IDENTITY}


def node_settings(folder, broker, line):
    result = settings(folder, broker, [])
    result["buses"] = [{"name": "node-line", "type": "serial", "device": line, "baud": 115200}]
    result["devices"] = [{"name": "shed", "driver": "node", "bus": "node-line", "poll_s": 1}]
    return result


class Listener:
    """Takes what the gateway says of itself, which else waits for its reader."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while not self.ended.wait(0.02):
            self.gateway.listen()

    def stop(self):
        self.ended.set()
        self.thread.join()


class Accepted:
    """What was found on the flash at any time, by epoch and number."""

    def __init__(self):
        self.readings = {}
        self.lives = set()
        self.problems = []

    def look(self, node):
        for item in node.kept():
            if item.get("gap", {}).get("reason") == "dropped":
                continue  # delivered, then overwritten; the numbers must be known from before
            if item.get("kind") != "reading":
                self.problems.append(item)
                continue
            key = (item["epoch"], item["seq"])
            known = self.readings.setdefault(key, values(item["message"]))
            if known != values(item["message"]):
                self.problems.append(f"{key} changed on the flash")
            self.lives.add(item["boot"])

    def in_order(self):
        return [self.readings[key] for key in sorted(self.readings)]


class NodeTest(unittest.TestCase):
    def setUp(self):
        absent = [name for name, there in (("qemu-system-riscv32", QEMU),
                                           (str(FIRMWARE), FIRMWARE.exists())) if not there]
        if absent:
            message = f"absent: {', '.join(absent)}; build it with the preset rv32"
            if REQUIRED:
                self.fail(message)
            self.skipTest(message)

    def test_no_reading_is_lost_when_the_power_is_cut(self):
        print(f"seed {SEED}")
        chance = random.Random(SEED)
        with Site() as site:
            broker = site.add(Broker(site.folder))
            collector = site.add(Collector(broker, "gw-1"))
            collector.start()
            cable = site.add(Cable(DAMAGE_EACH, random.Random(SEED)))
            gateway = site.add(Gateway(site.folder, node_settings(site.folder, broker,
                                                                  cable.ends[0])))
            gateway.start()
            gateway.wait_ready()
            site.add(Listener(gateway))
            meter = site.add(Devices("demo_meter", "--pty", str(site.folder / "meter")))
            node = site.add(Node(site.folder, cable.ends[1], meter.where["device"]))
            accepted = Accepted()
            began = time.monotonic()
            for _ in range(CUTS):
                node.start()
                time.sleep(chance.uniform(0.05, 1.4))
                node.kill()
                accepted.look(node)
            print(f"{len(accepted.readings)} readings in {len(accepted.lives)} lives "
                  f"after {CUTS} cuts and {time.monotonic() - began:.0f} s", flush=True)

            def received():
                with collector.lock:
                    return [values(record) for key, record in sorted(collector.records.items())
                            if key[1] == 3]
            node.start()
            wait_for(lambda: len(received()) >= READINGS, f"{READINGS} readings arrive", 120)
            meter.kill()  # nothing new any more
            wait_for(lambda: accepted.look(node) or len(received()) >= len(accepted.readings),
                     "everything on the flash arrives", 60)
            node.kill()
            accepted.look(node)
            print(f"{len(received())} readings received, {len(accepted.lives)} lives, "
                  f"{cable.damaged} bytes damaged, stack {node.stack_bytes()} bytes, "
                  f"{time.monotonic() - began:.0f} s")
            self.check(accepted, received(), collector)
            subprocess.run([sys.executable, str(ROOT / "tools" / "footprint.py"), str(FIRMWARE),
                            "--stack", str(node.stack_bytes())], check=True)

    def check(self, accepted, received, collector):
        numbers = sorted(accepted.readings)
        self.assertEqual(accepted.problems, [])
        self.assertEqual(collector.problems, [])
        self.assertGreaterEqual(len(numbers), READINGS)
        self.assertGreater(len(accepted.lives), CUTS // 4, "most lives ended before a reading")
        self.assertEqual([seq for _, seq in numbers], list(range(1, len(numbers) + 1)))
        self.assertEqual(len(received), len(numbers), "lost (fewer) or sent on twice (more)")
        self.assertEqual(received, accepted.in_order())


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main(verbosity=2)
