#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real gateway between every two steps (writes, syncs, sends) that a command takes, from
the first one on until the command is through without reaching the step: it is executed at most
once, always reported, and its retained request is cleared only with the result on disk.

    tests/e2e/command_kill.py [--every N] [--rounds R]

--every N tries each N-th step only, --rounds R goes through all of them R times."""
import argparse
import json
import sys
import time

from faulty_system import TroubledGateway
from modbus_proxy import ModbusProxy
from signed_command import issuers, published, signed
from simulated_site import Broker, Collector, Devices, Site, settings, wait_for

ROOT = "jouleway/v1/gw-1/commands/"


class Campaign:
    def __init__(self, site):
        self.broker = site.add(Broker(site.folder))
        self.collector = site.add(Collector(self.broker, "gw-1"))
        self.collector.start()
        meter = site.add(Devices("demo_meter", "--tcp", "0"))
        self.proxy = site.add(ModbusProxy(meter.where["port"]))
        # Nearly all steps are the command's: the meter is polled once a minute.
        wishes = settings(site.folder, self.broker, [self.proxy.port], clock="system",
                          commands=issuers(site.folder), devices__0__poll_s=60)
        self.gateway = site.add(TroubledGateway(site.folder, wishes))
        self.sent = 0
        self.codes = {}

    def start(self):
        self.gateway.trouble(counting=0)
        self.gateway.start()
        self.gateway.wait_ready()

    def wait_idle(self):
        def idle():
            sink = self.gateway.listen().ask("/api/v1/outbox")["sinks"][0]
            device = self.gateway.ask("/api/v1/devices")["items"][0]
            return sink["state"] == "connected" and sink["waiting"] == 0 and \
                device["state"] == "online"
        wait_for(idle, "the gateway is connected and has nothing to do")

    def results(self, name):
        with self.collector.lock:
            return [r for r in self.collector.records.values() if r.get("id") == name]

    def ended(self, name):
        return name in self.collector.cleared and self.results(name)

    def dies_at(self, step):
        """One command with a kill before that step; says whether it came to the kill."""
        self.wait_idle()
        self.sent += 1
        name, writes = f"switch-{self.sent}", self.proxy.writes
        self.gateway.trouble(steps=0, kill_at=step, counting=1)
        published(self.broker, ROOT + name, signed(
            {"id": name, "issuer": "operator", "target": "meter-0", "quantity": "relay_closed",
             "value": self.sent % 2, "expiry": int(time.time() * 1000) + 60000,
             "counter": self.sent}))
        wait_for(lambda: self.gateway.process.poll() is not None or self.ended(name),
                 "the kill, or the end of the command")
        self.gateway.trouble(counting=0)
        died = self.gateway.steps() >= step
        if died:
            self.gateway.process.wait()
            self.start()
        wait_for(lambda: self.ended(name), f"{name}, cut at step {step}, is reported and cleared")
        codes = {result["code"] for result in self.results(name)}
        times = self.proxy.writes - writes
        assert len(codes) == 1, f"{name}: reported as {codes}"
        code = codes.pop()
        assert code in ("executed", "interrupted"), f"{name}: {code}"
        assert times <= 1, f"{name}: executed {times} times"
        assert code != "executed" or times == 1, f"{name}: executed, but nobody asked the device"
        self.codes[code] = self.codes.get(code, 0) + died
        return died


def run(arguments):
    begun = time.monotonic()
    kills = 0
    with Site() as site:
        campaign = Campaign(site)
        campaign.start()
        for number in range(arguments.rounds):
            step = 1 + number % arguments.every
            while campaign.dies_at(step):
                kills += 1
                step += arguments.every
        assert not campaign.collector.problems, campaign.collector.problems[:3]
        print(json.dumps({"campaign": "command_kill", "commands": campaign.sent, "kills": kills,
                          "executed": campaign.codes.get("executed", 0),
                          "interrupted": campaign.codes.get("interrupted", 0),
                          "executed_twice": 0, "lost": 0,
                          "seconds": round(time.monotonic() - begun, 1)}))
    print(f"{1 if kills else 0} passed, {0 if kills else 1} failed, 0 skipped")
    return 0 if kills else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
