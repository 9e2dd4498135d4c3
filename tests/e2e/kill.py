#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real gateway at random moments under load, with a real broker, again and again; then
everything that it said was on disk must have been delivered, in order, nothing invented.

    tests/e2e/kill.py [--kills N] [--seed S] [--meters M] [--two-stage | --plain]

--two-stage also kills the broker and rolls its store back; the subscriber plays a hub that says
what it has on its own disk. With --plain the same is done without that, and the loss is printed."""
import argparse
import json
import random
import sys
import time

from simulated_site import (Broker, Collector, Devices, Gateway, Site, settings, wait_for)


def life(gateway, chance, most_s):
    """One life of the gateway: from its start to SIGKILL at a random moment, perhaps before it is
    ready."""
    gateway.start()
    end = time.monotonic() + chance.uniform(0, most_s)
    while time.monotonic() < end:
        gateway.listen()
        wait = min(0.002, max(end - time.monotonic(), 0))
        time.sleep(wait)  # tidy: the moment of the kill is what is random here
    gateway.kill()


def run(arguments):
    chance = random.Random(arguments.seed)
    with Site() as site:
        broker = site.add(Broker(site.folder, persistence=arguments.two_stage or arguments.plain))
        durable = site.folder / "hub.jsonl" if arguments.two_stage else None
        collector = site.add(Collector(broker, "gw-1", durable))
        collector.start()
        meters = [site.add(Devices("demo_meter", "--tcp", "0", "--seed", str(i)))
                  for i in range(arguments.meters)]
        ports = [meter.where["devices"][0]["port"] if "devices" in meter.where
                 else meter.where["port"] for meter in meters]
        wishes = settings(site.folder, broker, ports)
        wishes["clock"] = "system"
        wishes["sinks"][0]["two_stage"] = arguments.two_stage
        for device in wishes["devices"]:
            device["poll_s"] = 0.01
        gateway = site.add(Gateway(site.folder, wishes))
        broker_kills = 0
        begun = time.monotonic()
        for number in range(arguments.kills):
            life(gateway, chance, arguments.life_s)
            if (arguments.two_stage or arguments.plain) and number % 10 == 9:
                collector.stop()
                broker.kill()
                for file in site.folder.glob("mosquitto.db*"):
                    file.unlink()  # the store of the broker is rolled back to nothing
                broker.start()
                collector.start()
                broker_kills += 1
        gateway.start()
        gateway.wait_ready()
        gateway.wait_drained(120)
        wait_for(lambda: not collector.missing(gateway.accepted) or arguments.plain,
                 "the subscriber has everything accepted", 60)
        # Counted before the stop: what a stop still puts on disk waits there for the next start.
        lost = collector.missing(gateway.accepted)
        accepted = sum(gateway.accepted.values())
        gateway.kill(15)
        result = {"campaign": "kill", "kills": arguments.kills, "broker_kills": broker_kills,
                  "two_stage": arguments.two_stage, "accepted": accepted,
                  "delivered": len(collector.records), "lost": len(lost),
                  "duplicates": collector.duplicates, "gaps": len(collector.gaps),
                  "seed": arguments.seed, "seconds": round(time.monotonic() - begun, 1)}
        problems = collector.problems + [f"lost: {key}" for key in lost[:5]]
        if arguments.plain:
            problems = []
        print(json.dumps(result))
        for problem in problems[:10]:
            print("kill:", problem, file=sys.stderr)
        bad = bool(problems) or accepted == 0
        print(f"{0 if bad else 1} passed, {1 if bad else 0} failed, 0 skipped")
        return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--meters", type=int, default=4)
    parser.add_argument("--life-s", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--two-stage", action="store_true")
    parser.add_argument("--plain", action="store_true")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
