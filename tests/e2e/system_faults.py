#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real gateway on a machine that is no good: a slow medium, one that turns read-only, a clock
that nobody has set yet."""
import errno
import http.client
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.error

from faulty_system import TroubledGateway
from simulated_site import Broker, Collector, Devices, Gateway, Site, report, settings, wait_for


class SystemFaults(unittest.TestCase):
    def setUp(self):
        self.site = self.enterContext(Site())
        self.broker = self.site.add(Broker(self.site.folder))
        self.collector = self.site.add(Collector(self.broker, "gw-1"))
        self.collector.start()

    def settings(self, meters=1, **changes):
        ports = [self.site.add(Devices("demo_meter", "--tcp", "0")).where["port"]
                 for _ in range(meters)]
        return settings(self.site.folder, self.broker, ports, **changes)

    def start(self, gateway):
        self.site.add(gateway)
        gateway.start()
        gateway.wait_ready()
        return gateway

    def accepted(self, gateway):
        return sum(gateway.accepted_now().values())

    def all_is_there(self, accepted):
        self.assertGreater(sum(accepted.values()), 20)
        wait_for(lambda: not self.collector.missing(accepted), f"{accepted} has arrived")
        self.assertFalse(self.collector.problems)

    def polled(self, gateway):
        return gateway.ask("/api/v1/devices")["items"][0]["readings"]

    def age(self, gateway):
        return gateway.ask("/api/v1/outbox")["sinks"][0]["oldest_age_s"]

    def test_the_age_of_a_backlog_outlasts_a_reload_and_a_restart(self):
        gateway = self.start(TroubledGateway(self.site.folder, self.settings(clock="system")))
        wait_for(lambda: self.accepted(gateway) > 10, "readings are accepted")
        gateway.wait_drained()
        self.broker.kill()
        wait_for(lambda: (self.age(gateway) or 0) >= 3, "a backlog of 3 s")
        boot = gateway.ask("/api/v1/outbox")["boot"]
        gateway.process.send_signal(signal.SIGHUP)

        def now_at(boot):
            try:
                outbox = gateway.ask("/api/v1/outbox")
            except (OSError, http.client.HTTPException):
                return False  # between two daemons nobody listens
            return outbox["boot"] == boot
        wait_for(lambda: now_at(boot + 1), "the next daemon")
        # That it is known takes the sync of the opening, without which nothing counts as accepted.
        self.assertGreaterEqual(wait_for(lambda: self.age(gateway), "the age is known"), 3)
        age = self.age(gateway)
        gateway.kill()
        gateway.start()
        gateway.wait_ready()
        self.assertGreaterEqual(wait_for(lambda: self.age(gateway), "the age is known"), age)
        told = re.search(r'jouleway_outbox_oldest_age_seconds\{sink="broker"\} ([\d.]+)',
                         gateway.ask("/metrics"))
        self.assertGreaterEqual(float(told[1]), age)

    def durations(self, gateway, what):
        """How often it took at most so many seconds: {bound: count}."""
        rows = re.findall(r'jouleway_%s_seconds_bucket\{le="([^"]+)"\} (\d+)' % what,
                          gateway.ask("/metrics"))
        return {float(bound): int(count) for bound, count in rows}

    def test_the_loop_does_not_notice_a_medium_that_takes_200_ms_a_sync(self):
        gateway = self.start(TroubledGateway(
            self.site.folder, self.settings(4, clock="system"), sync_ms=200))
        longest = 0
        while self.accepted(gateway) < 400:
            begun = time.monotonic()
            gateway.ask("/healthz")
            longest = max(longest, time.monotonic() - begun)
            gateway.listen()
        # Asking takes more than the turn of the loop: connecting, and this machine's other work.
        self.assertLess(longest, 0.15)
        stalls = self.durations(gateway, "loop_stall")
        turns = stalls[float("inf")]
        self.assertGreater(turns, 1000)
        self.assertGreaterEqual(stalls[0.005], 0.99 * turns, "p99 of a turn is at most 5 ms")
        self.assertEqual(stalls[0.1], turns, "no turn takes more than 100 ms")
        syncs = self.durations(gateway, "storage_sync_duration")
        self.assertGreater(syncs[float("inf")], syncs[0.1] + 10, "the medium was slow")
        self.all_is_there(gateway.accepted_now())

    def test_a_medium_that_reads_slowly_costs_time_that_is_told_and_no_reading(self):
        gateway = self.start(TroubledGateway(self.site.folder, self.settings(clock="system")))
        wait_for(lambda: self.accepted(gateway) > 20, "readings are accepted")
        self.broker.signal(signal.SIGSTOP)
        before = self.accepted(gateway)
        wait_for(lambda: self.accepted(gateway) > before + 80,
                 "a backlog, and the window of the sink is full")

        def stalled():
            """How many turns took longer than 100 ms."""
            stalls = self.durations(gateway, "loop_stall")
            return stalls[float("inf")] - stalls[0.1]
        wait_for(lambda: gateway.ask("/api/v1/status")["delivery"]["oldest_age_s"] is not None,
                 "the age of the backlog is known")
        gateway.trouble(read_ms=150)
        # Nothing is read where nothing has moved, whoever asks.
        quiet, during = stalled(), self.accepted(gateway)
        wait_for(lambda: self.accepted(gateway) > during + 20, "readings are accepted all the same")
        self.assertLess(stalled() - quiet, 5, "of this machine's other work")
        quiet = stalled()
        self.broker.signal(signal.SIGCONT)
        wait_for(lambda: stalled() > quiet + 5, "the loop says that it stood still", 30)
        during = self.accepted(gateway)
        wait_for(lambda: self.accepted(gateway) > during + 10, "and goes on", 30)
        gateway.trouble(read_ms=0)
        self.all_is_there(gateway.accepted_now())

    def test_it_is_ready_once_the_medium_took_a_first_record(self):
        gateway = self.start(TroubledGateway(self.site.folder, self.settings(), sync_ms=3000))

        def ready():
            try:
                return gateway.ask("/readyz")["ready"]
            except urllib.error.HTTPError as error:
                self.assertEqual(error.code, 503)
                return False
        self.assertFalse(ready())
        gateway.trouble(sync_ms=0)
        wait_for(ready, "it is ready")

    def test_a_medium_that_is_read_only_for_a_while_costs_nothing_accepted(self):
        gateway = self.start(TroubledGateway(self.site.folder, self.settings(clock="system")))
        wait_for(lambda: self.accepted(gateway) > 20, "readings are accepted")
        gateway.trouble(write_error=errno.EROFS)
        wait_for(lambda: "storage_failed" in gateway.faults(), "the fault shows")
        during = self.accepted(gateway)
        # What is polled meanwhile is not called accepted.
        polled = self.polled(gateway)
        wait_for(lambda: self.polled(gateway) > polled + 20, "polling goes on")
        self.assertEqual(self.accepted(gateway), during)
        gateway.trouble(write_error=0)
        wait_for(lambda: self.accepted(gateway) > during + 20, "readings are accepted again", 30)
        wait_for(lambda: "storage_failed" not in gateway.faults(), "the fault is cleared", 30)
        self.all_is_there(gateway.accepted_now())

    def test_a_reload_does_not_hold_up_a_gateway_that_is_told_to_stop(self):
        gateway = self.start(TroubledGateway(
            self.site.folder, self.settings(clock="system"), sync_ms=1000))
        # Nobody who does not listen is told anything more.
        wait_for(lambda: sum(gateway.listen().accepted.values()) > 0, "readings are accepted")
        gateway.process.send_signal(signal.SIGTERM)
        wait_for(lambda: gateway.listen().stopping, "it stops")
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: gateway.process.poll() is not None, "it has ended")
        self.assertEqual(gateway.process.returncode, 0)

    def test_nothing_is_gathered_any_more_while_a_stop_waits_for_the_medium(self):
        for number in (signal.SIGHUP, signal.SIGTERM):
            gateway = self.start(TroubledGateway(self.site.folder, self.settings(clock="system")))
            wait_for(lambda: self.accepted(gateway) > 20, "readings are accepted")
            gateway.trouble(sync_ms=1000)
            polled = self.polled(gateway)
            wait_for(lambda: self.polled(gateway) > polled + 5, "something waits for the medium")
            boot = gateway.ask("/api/v1/outbox")["boot"]
            gateway.process.send_signal(number)
            gathered = []

            def over():
                try:
                    if gateway.ask("/api/v1/outbox")["boot"] != boot:
                        return True  # the next daemon
                    gathered.append(self.polled(gateway))
                    return False
                except (OSError, http.client.HTTPException):
                    return True
            wait_for(over, "it has stopped")
            # At 20 readings a second; the first answers may come before the signal.
            self.assertGreater(len(gathered), 10)
            self.assertLess(gathered[-1] - gathered[0], 5)
            gateway.trouble(sync_ms=0)
            gateway.kill()

    @unittest.skipUnless(os.geteuid() == 0, "mounting needs root")
    def test_a_file_system_that_turned_read_only_gives_back_everything_accepted(self):
        disk, image = self.site.folder / "disk", self.site.folder / "image"
        disk.mkdir()
        with open(image, "wb") as file:
            file.truncate(48 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        mount = ["mount", "-o", "loop", str(image), str(disk)]
        subprocess.run(mount, check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=False)
        wishes = self.settings(clock="system", storage__path=str(disk / "state"),
                               storage__size_mb=16)
        gateway = self.start(Gateway(self.site.folder, wishes))
        wait_for(lambda: self.accepted(gateway) > 20, "readings are accepted")
        self.broker.signal(signal.SIGSTOP)  # from here on they are on the disk alone
        wait_for(lambda: self.accepted(gateway) > 60, "and more")
        # As after an error of the disk (errors=remount-ro): files that are open refuse, too.
        subprocess.run(["mount", "-o", "remount,abort", str(disk)], check=True)
        wait_for(lambda: "storage_failed" in gateway.faults(), "the fault shows")
        accepted = gateway.accepted_now()
        gateway.kill()
        subprocess.run(["umount", str(disk)], check=True)
        subprocess.run(mount, check=True)
        self.broker.signal(signal.SIGCONT)
        gateway.start()
        gateway.wait_ready()
        self.all_is_there(accepted)
        wait_for(lambda: self.accepted(gateway) > sum(accepted.values()) + 20, "it goes on")

    def test_readings_from_before_the_clock_was_set_get_their_time(self):
        self.broker.signal(signal.SIGSTOP)
        begun = time.time()
        gateway = self.start(TroubledGateway(self.site.folder, self.settings(), clock_unset=1))
        self.assertIsNone(gateway.ask("/api/v1/status")["time"])
        wait_for(lambda: self.accepted(gateway) > 40, "readings are accepted")
        before = gateway.accepted_now()
        gateway.trouble(clock_unset=0)
        wait_for(lambda: gateway.ask("/api/v1/status")["time"], "the gateway believes the clock")
        ended = time.time()
        wait_for(lambda: self.accepted(gateway) > sum(before.values()) + 10, "more readings")
        gateway.kill()  # the store knows the time of that boot
        gateway.start()
        gateway.wait_ready()
        self.broker.signal(signal.SIGCONT)
        self.all_is_there(gateway.accepted_now())
        epoch = next(iter(before))[0]
        times = [self.collector.records[(epoch, 3, seq)]["time"]
                 for seq in range(1, before[(epoch, 3)] + 1)]
        self.assertEqual(times, sorted(times))
        self.assertGreaterEqual(times[0], begun * 1000 - 5)
        self.assertLessEqual(times[-1], ended * 1000 + 5)

    def test_a_boot_that_never_learns_the_time_says_so_in_its_records(self):
        gateway = self.start(TroubledGateway(self.site.folder, self.settings(), clock_unset=1))
        wait_for(lambda: self.accepted(gateway) > 30, "readings are accepted")
        self.all_is_there(gateway.accepted_now())
        with self.collector.lock:
            records = list(self.collector.records.values())
        for record in records:
            self.assertNotIn("time", record)
            self.assertLess(0, record["up_ms"])
            self.assertEqual(record["boot"], 1)


if __name__ == "__main__":
    sys.exit(report(unittest.main(argv=sys.argv, exit=False, verbosity=2, warnings="ignore")))
