#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real gateway at a device that answers wrongly, beside one that does not: nothing false is
read, the other device keeps its pace, and the bad one is back when it answers rightly again."""
import re
import sys
import time
import unittest

from modbus_proxy import POISON, ModbusProxy
from simulated_site import Broker, Collector, Devices, Gateway, Site, report, settings, wait_for

POLL_S = 0.05
TIMEOUT_S = 0.5
POISON_MV = (POISON << 8 | POISON) * 100  # what the voltage would be
PACE_S = 0.4  # between two readings of the good device, on a busy machine; less than the timeout


class DeviceFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = cls.enterClassContext(Site())
        cls.broker = cls.site.add(Broker(cls.site.folder))
        cls.collector = cls.site.add(Collector(cls.broker, "gw-1"))
        cls.collector.start()
        good, bad = (cls.site.add(Devices("demo_meter", "--tcp", "0")) for _ in range(2))
        cls.proxy = cls.site.add(ModbusProxy(bad.where["port"]))
        wishes = settings(cls.site.folder, cls.broker, [good.where["port"], cls.proxy.port],
                          clock="system")
        for bus in wishes["buses"]:
            bus["timeout_ms"] = int(TIMEOUT_S * 1000)
        for device in wishes["devices"]:
            device["poll_s"] = POLL_S
        cls.gateway = cls.site.add(Gateway(cls.site.folder, wishes))
        cls.gateway.start()
        cls.gateway.wait_ready()

    def setUp(self):
        self.proxy.spoil = self.proxy.honest
        wait_for(lambda: self.states() == ["online", "online"], "both devices answer", 60)

    def states(self):
        return [device["state"] for device in self.gateway.ask("/api/v1/devices")["items"]]

    def readings(self, device):
        with self.collector.lock:
            return sorted((r["time"], r) for r in self.collector.records.values()
                          if r.get("device") == device and "power_w" in r)

    def requests(self, result):
        """How many requests on the bad device's line ended so."""
        found = re.search(r'jouleway_bus_requests_total\{bus="bus-1",result="%s"\} (\d+)' % result,
                          self.gateway.ask("/metrics"))
        return int(found[1])

    def trouble(self, spoil, result, times):
        """Spoils some answers, then none; gives when the trouble was, in Unix ms."""
        before = self.requests(result)
        begun, spoiled = time.time(), self.proxy.spoiled
        self.proxy.spoil = spoil
        wait_for(lambda: self.proxy.spoiled >= spoiled + times, "answers were spoiled", 60)
        ended = time.time()
        self.proxy.spoil = self.proxy.honest
        wait_for(lambda: self.requests(result) > before, f"counted as {result}")
        back = len(self.readings("meter-1"))
        wait_for(lambda: len(self.readings("meter-1")) > back + 10, "the device is back", 60)
        self.assertEqual(self.states(), ["online", "online"])
        wait_for(lambda: self.readings("meter-0")[-1][0] > ended * 1000, "the other one goes on")
        times = [at for at, _ in self.readings("meter-0")
                 if begun * 1000 <= at <= ended * 1000 + PACE_S * 1000]
        longest = max(b - a for a, b in zip([begun * 1000, *times], [*times, ended * 1000]))
        self.assertLess(longest, PACE_S * 1000, "the good device lost its pace")
        for _, reading in self.readings("meter-1"):
            self.assertNotEqual(reading.get("voltage_l1_mv"), POISON_MV)
        self.assertFalse(self.collector.problems)

    def test_answers_that_come_late(self):
        self.trouble(self.proxy.late(TIMEOUT_S * 1.5), "timeout", 3)

    def test_answers_with_a_wrong_transaction_id(self):
        self.trouble(self.proxy.wrong_transaction, "stranger", 4)

    def test_half_a_frame_and_then_nothing(self):
        self.trouble(self.proxy.half_a_frame, "timeout", 4)

    def test_exceptions_in_place_of_readings(self):
        self.trouble(self.proxy.exception, "ok", 3)


if __name__ == "__main__":
    sys.exit(report(unittest.main(argv=sys.argv, exit=False, verbosity=2, warnings="ignore")))
