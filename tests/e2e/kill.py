#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real gateway at random moments under load, with a real broker, again and again; then
everything that it said was on disk must have been delivered, in order, nothing invented.

    tests/e2e/kill.py [--kills N] [--records R] [--gateways G] [--seed S] [--meters M]
                      [--two-stage | --plain]

Most lives are short, one in six is long enough for confirmations to reach the disk. It goes on
until there were N kills and R accepted records; G gateways, each with its own broker, share them.
--two-stage also kills the broker and rolls its store back; the subscriber plays a hub that says
what it has on its own disk. With --plain the same is done without that, and the loss is printed."""
import argparse
import concurrent.futures
import json
import random
import signal
import sys
import time

from simulated_site import Broker, Devices, Gateway, Site, settings, wait_for
from tally import Tally

LONG_LIFE_S = (1.2, 2.4)


def load(folder, broker, arguments, meters):
    """Settings of a gateway that reads each of its meters a hundred times a second."""
    ports = [meters[i % len(meters)].where["port"] for i in range(arguments.meters)]
    wishes = settings(folder, broker, ports, clock="system",
                      sinks__0__two_stage=arguments.two_stage,
                      sinks__0__batch={"readings": 500, "bytes": 200000, "age_ms": 20})
    for device in wishes["devices"]:
        device["poll_s"] = 0.01
    return wishes


def life(gateway, length_s):
    """One life of the gateway: from its start to SIGKILL, perhaps before it is ready."""
    gateway.start()
    end = time.monotonic() + length_s
    while time.monotonic() < end:
        gateway.listen()
        wait = min(0.002, max(end - time.monotonic(), 0))
        time.sleep(wait)  # tidy: the moment of the kill is what is random here
    assert gateway.process.poll() is None, f"it ended by itself: {gateway.tail()}"
    gateway.kill()


class Lives:
    """A gateway with its broker and its subscriber, killed until it is enough."""

    def __init__(self, arguments, seed):
        self.arguments, self.chance, self.seed = arguments, random.Random(seed), seed
        self.broker_dies = arguments.two_stage or arguments.plain
        self.kills = self.broker_kills = 0
        self.lost = []

    def run(self):
        """Itself again, with what was counted."""
        with Site() as site:
            self.broker = site.add(Broker(site.folder, persistence=self.broker_dies))
            durable = site.folder / "hub.jsonl" if self.arguments.two_stage else None
            self.collector = site.add(Tally(self.broker, "gw-1", durable))
            self.collector.start()
            meters = [site.add(Devices("demo_meter", "--tcp", "0", "--seed", str(i)))
                      for i in range(2)]
            self.gateway = site.add(Gateway(
                site.folder, load(site.folder, self.broker, self.arguments, meters)))
            share = self.arguments.gateways
            while self.kills * share < self.arguments.kills or \
                    sum(self.gateway.accepted.values()) * share < self.arguments.records:
                self.one_life(site)
            self.accepted = dict(self.gateway.accepted)
            self.deliver_the_rest()
            return self

    def one_life(self, site):
        self.kills += 1
        broker_dies = self.broker_dies and self.kills % 10 == 0
        if broker_dies:  # with messages that it acknowledged and could not pass on
            self.collector.process.send_signal(signal.SIGSTOP)
        long = self.kills % 6 == 4 or broker_dies
        between = LONG_LIFE_S if long else (0, self.arguments.life_s)
        life(self.gateway, self.chance.uniform(*between))
        if broker_dies:
            self.broker_kills += 1
            self.collector.stop()
            self.broker.kill()
            for file in site.folder.glob("mosquitto.db*"):
                file.unlink()  # the store of the broker is rolled back to nothing
            self.broker.start()
            self.collector.start()

    def deliver_the_rest(self):
        self.gateway.start()
        self.gateway.wait_ready()
        wait_for(lambda: self.gateway.listen() and self.gateway.confirmed(self.accepted),
                 "the broker confirmed everything accepted", 300)
        if not self.arguments.plain:
            wait_for(lambda: not self.collector.missing(self.accepted),
                     "the subscriber has everything accepted", 300)
        self.lost = self.collector.missing(self.accepted)
        self.gateway.kill(15)


def run(arguments):
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(arguments.gateways) as pool:
        all_lives = list(pool.map(lambda number: Lives(arguments, arguments.seed + number).run(),
                                  range(arguments.gateways)))

    def total(number):
        return sum(number(lives) for lives in all_lives)
    accepted = total(lambda lives: sum(lives.accepted.values()))
    print(json.dumps({
        "campaign": "kill", "kills": total(lambda lives: lives.kills),
        "broker_kills": total(lambda lives: lives.broker_kills),
        "two_stage": arguments.two_stage, "accepted": accepted,
        "delivered": total(lambda lives: lives.collector.delivered),
        "lost": total(lambda lives: len(lives.lost)),
        "duplicates": total(lambda lives: lives.collector.duplicates),
        "gaps": total(lambda lives: len(lives.collector.gaps)),
        "gateways": arguments.gateways, "seed": arguments.seed,
        "seconds": round(time.monotonic() - begun, 1)}))
    problems = [] if arguments.plain else [
        problem for lives in all_lives
        for problem in lives.collector.problems + [f"lost: {key}" for key in lives.lost[:5]]]
    for problem in problems[:10]:
        print("kill:", problem, file=sys.stderr)
    bad = bool(problems) or accepted == 0
    print(f"{0 if bad else 1} passed, {1 if bad else 0} failed, 0 skipped")
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--records", type=int, default=1)
    parser.add_argument("--gateways", type=int, default=1)
    parser.add_argument("--meters", type=int, default=64)
    parser.add_argument("--life-s", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--two-stage", action="store_true")
    parser.add_argument("--plain", action="store_true")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
