#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the real gateway for a long time under load and trouble, and fits a line through its memory
and its open files: neither may rise.

    tests/e2e/soak.py [--minutes M] [--memory-kb-per-hour N]

Four meters are polled twenty times a second; every minute the broker goes away for ten seconds and
a meter is started anew; pages, metrics and bad requests are asked for all the time. Memory is what
belongs to the process alone (private dirty); the first half warms up and does not count, as the
charts of the page fill for an hour."""
import argparse
import json
import os
import pathlib
import signal
import sys
import time
import urllib.error
import urllib.request

from simulated_site import Broker, Devices, Gateway, Site, settings, wait_for

PATHS = ("/api/v1/status", "/api/v1/devices", "/api/v1/readings/latest", "/api/v1/outbox", "/",
         "/api/v1/faults", "/metrics", "/api/v1/nothing", "/api/v1/readings/recent?device=x")


def private_kb(process):
    """Private dirty memory of a process, kB."""
    text = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines()
                if line.startswith("Private_Dirty:"))


def slope_per_hour(points):
    """Least squares through (seconds, value)."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def pester(gateway, count):
    listen = json.loads(gateway.settings.read_text())["web"]["listen"]
    try:
        with urllib.request.urlopen(f"http://{listen}{PATHS[count % len(PATHS)]}", timeout=10) as a:
            a.read()
    except urllib.error.HTTPError as refused:
        assert refused.code in (400, 404, 422), refused  # two paths are wrong on purpose


def measure(site, gateway, broker, meters, minutes):
    begun = time.monotonic()
    memory, files, asked = [], [], 0
    while (now := time.monotonic() - begun) < minutes * 60:
        second = int(now) % 60
        wanted = signal.SIGSTOP if 30 <= second < 40 else signal.SIGCONT
        broker.signal(wanted)
        if second == 50 and now - getattr(site, "renewed", -60) > 30:
            site.renewed = now
            meters[0].kill()
            meters[0].__init__("demo_meter", "--tcp", str(meters[0].port), "--seed", "1")
        for _ in range(20):
            pester(gateway, asked)
            asked += 1
        gateway.listen()
        memory.append((now, private_kb(gateway.process)))
        files.append((now, len(os.listdir(f"/proc/{gateway.process.pid}/fd"))))
        pause = max(0.0, begun + len(memory) - time.monotonic())
        time.sleep(pause)  # tidy: one look at the memory a second
    broker.signal(signal.SIGCONT)
    return memory, files, asked


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--memory-kb-per-hour", type=float, default=100)
    wanted = parser.parse_args()
    with Site() as site:
        broker = site.add(Broker(site.folder))
        meters = [site.add(Devices("demo_meter", "--tcp", "0", "--seed", str(i))) for i in range(4)]
        for meter in meters:
            where = meter.where
            meter.port = where["devices"][0]["port"] if "devices" in where else where["port"]
        gateway = site.add(Gateway(site.folder, settings(
            site.folder, broker, [meter.port for meter in meters])))
        gateway.start()
        gateway.wait_ready()
        memory, files, asked = measure(site, gateway, broker, meters, wanted.minutes)
        wait_for(lambda: gateway.listen().waiting == 0, "the backlog was delivered", 60)
        counted = [point for point in memory if point[0] > wanted.minutes * 30]
        file_counts = [count for at, count in files if at > wanted.minutes * 30]
        result = {"campaign": "soak", "minutes": wanted.minutes,
                  "accepted": sum(gateway.accepted.values()), "requests": asked,
                  "private_dirty_kb": counted[-1][1],
                  "memory_kb_per_hour": round(slope_per_hour(counted), 1),
                  "files_most": max(file_counts), "files_last": file_counts[-1]}
        print(json.dumps(result))
        bad = (result["memory_kb_per_hour"] > wanted.memory_kb_per_hour or
               result["files_most"] > file_counts[0] + 4 or result["accepted"] == 0)
        print(f"{int(not bad)} passed, {int(bad)} failed, 0 skipped")
        return int(bad)


if __name__ == "__main__":
    sys.exit(main())
