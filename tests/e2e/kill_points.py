#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real gateway at named points of its life: before, in the middle of or right behind a
call that the table below names. Then everything that it said was on disk must have been delivered,
in order, nothing invented; commands ended in a result and were executed at most once.

    tests/e2e/kill_points.py [--rounds R] [--gateways G] [--seed S] [--only TEXT]

The first round kills at each row of the table as it stands. Further rounds go through it in random
order and come to a point up to the highest number of times that its row names. The product knows
nothing of the points: the preloaded library (kill_points.h) tells its calls apart. A point that is
not reached fails the test. G gateways, each with its own broker, share the rows."""
import argparse
import collections
import concurrent.futures
import json
import random
import shutil
import signal
import sys
import threading
import time

from connections import Relay
from faulty_system import TroubledGateway
from local_command import Operator
from modbus_proxy import ModbusProxy
from simulated_site import Broker, Devices, Site, settings, wait_for
from tally import Tally

# From when on it counts how often it comes there; `most`: how often it can.
Point = collections.namedtuple("Point", "when moment call nth most")
FRESH, START, RUN, CUT, BUS_CUT, RELOAD, STOP, COMMAND = (
    "a fresh store", "a start", "running", "a new connection to the broker", "a cut bus",
    "a reload", "a stop", "a command")
# Where it begins with a call of the gateway's own; calls before it do not count.
SINCE = {CUT: "connect broker", RELOAD: "send notify RELOADING", STOP: "send notify STOPPING"}
POINTS = [Point(*row) for row in (
    # A store that does not exist yet.
    (FRESH, "before", "truncate outbox", 1, 1),
    (FRESH, "after", "truncate outbox", 1, 1),
    (FRESH, "before", "sync folder", 1, 1),
    (FRESH, "before", "open commands", 1, 1),
    (FRESH, "before", "write outbox superblock", 1, 2),
    (FRESH, "half", "write outbox superblock", 1, 1),
    (FRESH, "before", "write outbox zeros", 17, 30),
    (FRESH, "half", "write commands head", 1, 1),
    (FRESH, "before", "sync outbox", 2, 4),  # the first one is that of the file's size
    (FRESH, "after", "sync outbox", 2, 4),
    # A start on what the life before left.
    (START, "before", "open outbox", 1, 1),
    (START, "before", "read outbox superblock", 1, 2),
    (START, "before", "read outbox store journal", 1, 2),
    (START, "before", "read outbox segments", 9, 40),
    (START, "before", "read commands", 1, 40),
    (START, "before", "write outbox store journal", 1, 1),
    (START, "half", "write outbox store journal", 1, 1),
    (START, "before", "sync outbox", 1, 5),
    (START, "after", "sync outbox", 1, 5),
    (START, "before", "send notify READY", 1, 1),
    (START, "before", "connect bus", 1, 8),
    (START, "before", "send bus read", 1, 99),
    (START, "after", "receive bus read", 1, 99),
    (START, "before", "connect broker", 1, 1),
    (START, "before", "send broker CONNECT", 1, 1),
    (START, "after", "receive broker CONNACK", 1, 1),
    (START, "after", "receive broker SUBACK", 1, 1),
    (START, "before", "send broker PUBLISH status", 1, 1),
    (START, "before", "send broker PUBLISH readings", 1, 20),
    (START, "after", "receive broker PUBACK", 1, 20),
    # Under load.
    (RUN, "before", "write outbox segment head", 1, 5),
    (RUN, "half", "write outbox segment head", 1, 5),
    (RUN, "before", "write outbox block head", 2, 20),
    (RUN, "half", "write outbox records", 2, 5),
    (RUN, "before", "sync outbox", 3, 20),
    (RUN, "after", "sync outbox", 3, 20),
    (RUN, "before", "write outbox cursors", 1, 3),
    (RUN, "half", "write outbox cursors", 1, 3),
    (RUN, "after", "write outbox cursors", 1, 3),
    (RUN, "before", "write outbox store journal", 1, 2),  # given up for space
    (RUN, "before", "send notify STATUS", 3, 30),         # on disk, and nobody was told
    (RUN, "after", "send notify STATUS", 3, 30),
    (RUN, "after", "send broker PUBLISH readings", 3, 30),
    # The connection to the broker or to a meter comes back.
    (CUT, "before", "connect broker", 1, 1),
    (CUT, "after", "receive broker CONNACK", 1, 1),
    (CUT, "after", "send broker PUBLISH readings", 1, 20),
    (CUT, "after", "receive broker PUBACK", 2, 20),
    (CUT, "before", "sync outbox", 1, 9),
    (CUT, "before", "sync outbox", 3, 9),
    (BUS_CUT, "before", "connect bus", 1, 1),
    # SIGHUP, SIGTERM.
    (RELOAD, "before", "send notify RELOADING", 1, 1),
    (RELOAD, "before", "sync outbox", 1, 4),
    (RELOAD, "before", "open outbox", 1, 1),
    (RELOAD, "before", "send broker CONNECT", 1, 1),
    (STOP, "before", "send notify STOPPING", 1, 1),
    (STOP, "half", "write outbox", 1, 1),
    (STOP, "before", "sync outbox", 1, 1),
    (STOP, "before", "send broker DISCONNECT", 1, 1),
    # A command through the API.
    (COMMAND, "before", "write commands begun", 1, 1),
    (COMMAND, "half", "write commands begun", 1, 1),
    (COMMAND, "before", "sync commands", 1, 3),
    (COMMAND, "after", "sync commands", 1, 3),
    (COMMAND, "before", "send web 202", 1, 1),
    (COMMAND, "after", "send web 202", 1, 1),
    (COMMAND, "before", "send bus write", 1, 1),
    (COMMAND, "after", "send bus write", 1, 1),
    (COMMAND, "after", "receive bus write", 1, 1),
    (COMMAND, "before", "write commands ended", 1, 1),
    (COMMAND, "half", "write commands ended", 1, 1),
    (COMMAND, "before", "write commands reported", 1, 1),
    (COMMAND, "after", "send broker PUBLISH results", 1, 1),
)]
SEGMENT_KB = 64


class Lives:
    """A gateway that dies at its share of the points."""

    def __init__(self, points, seed):
        self.points, self.chance = points, random.Random(seed)
        self.kills = self.commands = 0
        self.kept_safe = 0  # records accepted that have arrived
        self.store_is_fresh = True
        self.problems = []

    def run(self, rounds):
        """Itself again, with what was counted."""
        with Site() as site:
            self.begin(site)
            for number in range(rounds):
                points = list(self.points)
                if number > 0:
                    self.chance.shuffle(points)
                for point in points:
                    self.dies_at(point, self.chance.randint(1, point.most) if number else point.nth)
            self.kept_safe += sum(self.deliver().values())
            self.problems = self.collector.problems + [
                f"a gap of kind damaged: {gap}" for gap in self.collector.gaps
                if gap[4] == "damaged"]
            self.gateway.kill(signal.SIGTERM)
            return self

    def begin(self, site):
        broker = site.add(Broker(site.folder))
        self.collector = site.add(Tally(broker, "gw-1"))
        self.collector.start()
        self.broker = site.add(Relay(broker.port))
        meters = [site.add(Devices("demo_meter", "--tcp", "0", "--seed", str(i))) for i in range(2)]
        ports = [meter.where["port"] for meter in meters]
        self.proxy = site.add(ModbusProxy(ports[0]))
        self.bus = site.add(Relay(ports[1]))
        wishes = settings(site.folder, self.broker,
                          [self.proxy.port, self.bus.port] + [ports[i % 2] for i in range(22)],
                          clock="system", storage__size_mb=2, storage__segment_kb=SEGMENT_KB,
                          sinks__0__batch={"readings": 200, "bytes": 50000, "age_ms": 20})
        for device in wishes["devices"][1:]:
            device["poll_s"] = 0.01
        for device in wishes["devices"][-8:]:
            device["keep_s"] = 60  # so that there is something to keep at a stop
        self.operator = Operator(wishes)
        self.store = site.folder / "state"
        self.gateway = site.add(TroubledGateway(
            site.folder, wishes, broker_port=self.broker.port, segment_size=SEGMENT_KB * 1024,
            web_port=int(wishes["web"]["listen"].rpartition(":")[2])))

    def start(self):
        self.gateway.trouble(point_nth=0)
        self.gateway.start()
        self.gateway.wait_ready()

    def flows(self):
        """The gateway runs, and what it reads arrives."""
        self.start()
        before = self.collector.delivered
        wait_for(lambda: self.gateway.listen() and self.collector.delivered > before,
                 "readings arrive")
        self.store_is_fresh = False

    def deliver(self):
        """Until everything accepted has arrived; the gateway still runs then."""
        self.start()
        accepted = dict(self.gateway.accepted)
        try:
            wait_for(lambda: self.gateway.listen() and not self.collector.missing(accepted),
                     "the subscriber has everything accepted", 40)
        except AssertionError as late:
            raise AssertionError(f"lost: {self.collector.missing(accepted)[:5]}") from late
        return accepted

    def forget_store(self):
        """Everything accepted is delivered, then the store is gone, and what came meanwhile."""
        self.kept_safe += sum(self.deliver().values())
        self.gateway.kill()
        self.gateway.accepted.clear()
        shutil.rmtree(self.store)
        self.store_is_fresh = True

    def calm_life(self):
        """The broker confirms everything so far: wall times are kept of the last 16 boots only."""
        accepted = self.deliver()
        wait_for(lambda: self.gateway.confirmed(accepted), "the broker confirmed it", 60)
        self.gateway.kill(signal.SIGTERM)

    def dies_at(self, point, nth):
        if self.kills % 5 == 4:
            self.calm_life()
        if point.when == FRESH:
            self.forget_store()
        elif self.store_is_fresh or point.when != START:
            self.flows()
        if point.when == START:
            self.gateway.kill()
        if point.when == COMMAND:
            self.command_dies_at(point, nth)
            return
        since = SINCE.get(point.when, "")
        self.gateway.die_at(point.call, nth, point.moment, "" if since == point.call else since)
        if point.when in (FRESH, START):
            self.gateway.start()
        elif point.when == CUT:
            self.broker.cut()
        elif point.when == BUS_CUT:
            self.bus.cut()
        elif point.when == RELOAD:
            self.gateway.process.send_signal(signal.SIGHUP)
        elif point.when == STOP:
            self.gateway.process.send_signal(signal.SIGTERM)
        self.wait_dead(point, nth)

    def wait_dead(self, point, nth):
        wait_for(lambda: self.gateway.process.poll() is not None or not self.gateway.listen(),
                 f"the kill {point} number {nth}, after {self.gateway.told('point_hits')}")
        self.gateway.kill()
        assert self.gateway.process.returncode == -signal.SIGKILL and \
            self.gateway.told("point_hits") >= nth, \
            f"not reached, it ended by itself: {point} {self.gateway.tail()}"
        self.kills += 1

    def command_dies_at(self, point, nth):
        wait_for(lambda: self.operator.request(self.operator.url.replace("commands", "devices"))[1]
                 ["items"][0]["state"] == "online", "the device is there")
        self.commands += 1
        key, writes = f"key-{self.commands}", self.proxy.writes
        self.gateway.die_at(point.call, nth, point.moment)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.operator.switch(1, key)))
        asking.start()
        self.wait_dead(point, nth)
        asking.join()
        self.start()
        status, said = answers[0]
        if status is None:
            status, said = self.operator.switch(1, key)  # nobody knows: ask again
        assert status == 202, f"{key}, {point}: {status} {said}"
        state = wait_for(lambda: (state := self.operator.state(said["id"])[1])["state"] == "done"
                         and state, f"the end of {key}, {point}")
        times = self.proxy.writes - writes
        assert state["code"] in ("executed", "interrupted"), f"{point}: {state}"
        assert times <= 1 and (times == 1 or state["code"] != "executed"), \
            f"{point}: {state['code']}, and the device was asked {times} times"
        self.gateway.kill()


def run(arguments):
    begun = time.monotonic()
    points = [point for point in POINTS if arguments.only in f"{point.when}: {point.call}"]
    with concurrent.futures.ThreadPoolExecutor(arguments.gateways) as pool:
        all_lives = list(pool.map(
            lambda number: Lives(points[number::arguments.gateways],
                                 arguments.seed + number).run(arguments.rounds),
            range(arguments.gateways)))

    def total(number):
        return sum(number(lives) for lives in all_lives)
    print(json.dumps({
        "campaign": "kill_points", "points": len(set(points)), "rounds": arguments.rounds,
        "kills": total(lambda lives: lives.kills),
        "accepted": total(lambda lives: lives.kept_safe), "lost": 0,
        "delivered": total(lambda lives: lives.collector.delivered),
        "duplicates": total(lambda lives: lives.collector.duplicates),
        "gaps": total(lambda lives: len(lives.collector.gaps)),
        "commands": total(lambda lives: lives.commands), "executed_twice": 0,
        "seed": arguments.seed, "seconds": round(time.monotonic() - begun, 1)}))
    problems = [problem for lives in all_lives for problem in lives.problems]
    for problem in problems[:10]:
        print("kill_points:", problem, file=sys.stderr)
    failed = len(problems) > 0
    print(f"{0 if failed else len(points)} passed, {int(failed)} failed, 0 skipped")
    return int(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--gateways", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
