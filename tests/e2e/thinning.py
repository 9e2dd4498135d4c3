#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real broker stands still while a small store fills: readings are kept less often, which
is told, counted and over once the broker goes on; all that was accepted arrives."""
import signal
import statistics
import sys
import unittest

from simulated_site import Broker, Collector, Devices, Gateway, Site, report, settings, wait_for

METERS = 10
POLL_S = 0.02


class Thinning(unittest.TestCase):
    def setUp(self):
        self.site = self.enterContext(Site())
        self.broker = self.site.add(Broker(self.site.folder))
        self.collector = self.site.add(Collector(self.broker, "gw-1"))
        self.collector.start()
        meters = [self.site.add(Devices("demo_meter", "--tcp", "0")) for _ in range(METERS)]
        wishes = settings(self.site.folder, self.broker, [m.where["port"] for m in meters],
                          clock="system", storage__size_mb=1, storage__segment_kb=64)
        wishes["storage"]["when_full"] = {"telemetry": "thin_out"}
        for device in wishes["devices"]:
            device["poll_s"] = POLL_S
        self.gateway = self.site.add(Gateway(self.site.folder, wishes))
        self.gateway.start()
        self.gateway.wait_ready()

    def outbox(self):
        return self.gateway.ask("/api/v1/outbox")

    def changes(self):
        """(time, keep_every) of the events that arrived, in their order."""
        with self.collector.lock:
            return [(record["time"], record["keep_every"])
                    for _, record in sorted(self.collector.records.items())
                    if record.get("kind") == "keep_changed"]

    def readings(self, since, until):
        with self.collector.lock:
            return [record for _, record in sorted(self.collector.records.items())
                    if record.get("device") == "meter-0" and "power_w" in record
                    and since <= record["time"] < until]

    def test_a_store_that_nobody_collects_is_thinned_until_somebody_does(self):
        wait_for(lambda: self.readings(0, 1 << 60), "a reading")
        self.assertEqual(self.outbox()["keep_every"], 1)
        self.broker.signal(signal.SIGSTOP)
        wait_for(lambda: self.outbox()["keep_every"] >= 2, "every second reading is kept", 60)
        self.assertIn("readings_thinned", self.gateway.faults())
        wait_for(lambda: self.outbox()["keep_every"] >= 4, "every fourth reading is kept", 60)
        before = self.outbox()["classes"][3]["accepted_to"]
        wait_for(lambda: self.outbox()["classes"][3]["accepted_to"] > before + 40 * METERS,
                 "some of them", 60)
        self.broker.signal(signal.SIGCONT)
        self.gateway.wait_drained()
        wait_for(lambda: self.outbox()["keep_every"] == 1, "every reading is kept again")
        self.assertNotIn("readings_thinned", self.gateway.faults())

        told = wait_for(lambda: [c for c in self.changes() if c[1] == 1], "the last event")
        self.assertEqual([every for _, every in self.changes()][:2], [2, 4])
        wait_for(lambda: not self.collector.missing(dict(self.gateway.accepted)), "all is there")
        self.assertFalse(self.collector.problems)
        telemetry = self.outbox()["classes"][3]
        self.assertEqual(telemetry["dropped"] + telemetry["rejected"], 0)
        self.assertGreater(telemetry["thinned"], METERS * 10)
        self.assertFalse([gap for gap in self.collector.gaps if gap[1] == 3])
        metrics = self.gateway.ask("/metrics")
        self.assertIn("jouleway_outbox_keep_every 1\n", metrics)
        self.assertRegex(metrics, r'jouleway_outbox_thinned_total{class="telemetry"} [1-9]')
        self.spacing(told[0][0])

    def spacing(self, last):
        """As often as set, then so much less often, by the clock of the records themselves."""
        changes = self.changes()
        (second, _), (fourth, _) = changes[:2]
        then = next((time for time, every in changes if time > fourth and every != 4), last)

        def distance(since, until):
            times = [record["time"] for record in self.readings(since, until)]
            return statistics.median(b - a for a, b in zip(times, times[1:]))
        as_set = distance(0, second)
        self.assertGreater(distance(second + 500, fourth), 1.6 * as_set)
        self.assertGreater(distance(fourth + 500, then), 3 * as_set)
        # What is not kept by itself is in what is kept: means with their extremes.
        merged = self.readings(second + 500, then)
        self.assertTrue(all("power_min_w" in record for record in merged), merged[:3])


if __name__ == "__main__":
    sys.exit(report(unittest.main(argv=sys.argv, exit=False, verbosity=2, warnings="ignore")))
