#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever was told 202 can rely on the command: the real gateway is killed right after the answer,
and between every two steps of a command that came through the API.

    tests/e2e/command_answer.py [--answers N] [--rounds R]

N kills come after a 202, at once or up to 30 ms later; R times all steps are gone through. After
the restart the command is known under its id, ends in a result, was executed at most once, and the
same Idempotency-Key has the same answer. Before that: no 202 while the disk is busy, and 503 where
it refuses. 600 commands in a row are all carried out, and a key is good for one body only."""
import argparse
import errno
import json
import random
import sys
import threading
import time

from faulty_system import TroubledGateway
from local_command import Operator
from modbus_proxy import ModbusProxy
from simulated_site import Broker, Collector, Devices, Site, settings, wait_for

ENDS = ("executed", "interrupted")


class Scene:
    """One meter behind a proxy that counts what changes it, and the gateway."""

    def __init__(self, site):
        broker = site.add(Broker(site.folder))
        self.collector = site.add(Collector(broker, "gw-1"))
        self.collector.start()
        meter = site.add(Devices("demo_meter", "--tcp", "0"))
        self.proxy = site.add(ModbusProxy(meter.where["port"]))
        wishes = settings(site.folder, broker, [self.proxy.port], clock="system",
                          devices__0__poll_s=60)
        self.operator = Operator(wishes)
        self.gateway = site.add(TroubledGateway(site.folder, wishes))
        self.start()

    def start(self):
        self.gateway.trouble(counting=0)
        self.gateway.start()
        self.gateway.wait_ready()

    def wait_idle(self):
        def idle():
            status, devices = self.operator.request(
                self.operator.url.replace("commands", "devices"))
            return status == 200 and devices["items"][0]["state"] == "online" and \
                self.gateway.listen().waiting == 0
        wait_for(idle, "the gateway has nothing to do")

    def results(self):
        """{id: codes that were reported}."""
        with self.collector.lock:
            codes = {}
            for record in self.collector.records.values():
                if "code" in record:
                    codes.setdefault(record["id"], set()).add(record["code"])
        return codes

    def two_results(self):
        return {name: codes for name, codes in self.results().items() if len(codes) > 1}


class Campaign:
    def __init__(self, scene, seed):
        self.scene, self.chance = scene, random.Random(seed)
        self.sent = self.kills = self.promised = self.unanswered = 0
        self.codes = {}

    def command(self, prepare, deadly):
        """One command; `deadly(status)` kills the gateway, or not. Says whether it died."""
        scene, operator = self.scene, self.scene.operator
        scene.wait_idle()
        self.sent += 1
        key, value, writes = f"key-{self.sent}", self.sent % 2, scene.proxy.writes
        prepare()
        status, said = operator.switch(value, key)
        died = deadly(status)
        if died:
            self.kills += 1
            scene.gateway.process.wait()
            scene.start()
        if status is None:
            self.unanswered += 1
            status, said = operator.switch(value, key)  # nobody knows: ask again
        else:
            self.promised += died
            assert operator.state(said["id"])[0] == 200, f"{key}: 202, then unknown"
        assert status == 202, f"{key}: {status} {said}"
        name = said["id"]
        ended = wait_for(lambda: (state := operator.state(name)[1])["state"] == "done" and state,
                         f"{key} ends")
        times = scene.proxy.writes - writes
        assert ended["code"] in ENDS, ended
        assert times <= 1, f"{key}: executed {times} times"
        assert ended["code"] != "executed" or times == 1, f"{key}: nobody asked the device"
        assert operator.switch(value, key) == (202, {"id": name}), f"{key}: another answer"
        assert scene.proxy.writes - writes == times, f"{key}: executed again"
        self.codes[ended["code"]] = self.codes.get(ended["code"], 0) + died
        return died

    def kill_after_the_answer(self):
        def deadly(status):
            assert status == 202, status
            end = time.monotonic() + self.chance.choice((0, self.chance.uniform(0, 0.03)))
            while time.monotonic() < end:
                self.scene.gateway.listen()
            self.scene.gateway.process.kill()
            return True
        self.command(lambda: None, deadly)

    def kill_before_step(self, step):
        """Says whether the command came to that step."""
        gateway, known = self.scene.gateway, len(self.scene.results())

        def deadly(_):
            # Watched from afar: asking the gateway would be steps of its own.
            wait_for(lambda: gateway.process.poll() is not None or
                     len(self.scene.results()) > known, "the kill, or the end of the command")
            gateway.trouble(counting=0)
            return gateway.steps() >= step
        return self.command(lambda: gateway.trouble(steps=0, kill_at=step, counting=1), deadly)


def slow_disk(scene):
    """No answer before the sync, and nobody else waits for it."""
    scene.wait_idle()
    scene.gateway.trouble(sync_ms=700)
    said = []
    begun = time.monotonic()
    asking = threading.Thread(target=lambda: said.append(scene.operator.switch(1, "slow")))
    asking.start()
    longest = 0
    while asking.is_alive():
        asked = time.monotonic()
        scene.gateway.ask("/healthz")
        longest = max(longest, time.monotonic() - asked)
    took = time.monotonic() - begun
    scene.gateway.trouble(sync_ms=0)
    assert said[0][0] == 202, said
    assert took >= 0.7, f"202 after {took:.3f} s, the disk needs 0.7 s"
    assert longest < 0.35, f"others waited {longest:.3f} s"
    wait_for(lambda: scene.operator.state(said[0][1]["id"])[1]["state"] == "done", "its end")
    return 1


def refusing_disk(scene):
    """What the disk does not take is not begun, and the same key has the same answer."""
    scene.wait_idle()
    writes = scene.proxy.writes
    scene.gateway.trouble(write_error=errno.EROFS)
    for _ in range(2):
        status, said = scene.operator.switch(0, "refused")
        assert (status, said["type"]) == (503, "/problems/not-written"), said
    scene.gateway.trouble(write_error=0)
    assert scene.proxy.writes == writes, "the device was asked all the same"
    assert scene.operator.switch(0, "refused")[0] == 503
    wait_for(lambda: scene.operator.switch(0, "accepted again")[0] == 202, "the disk is good again")
    wait_for(lambda: scene.proxy.writes == writes + 1, "the device is asked")
    return 2


def many_commands(scene):
    """More commands than the table has room for; its keys are known after a restart, too."""
    scene.wait_idle()
    writes = scene.proxy.writes
    names = []
    for number in range(600):
        status, said = scene.operator.switch(number % 2, f"many-{number}")
        assert status == 202, f"many-{number}: {status} {said}"
        names.append(said["id"])
        wait_for(lambda: scene.proxy.writes == writes + number + 1, f"many-{number} is executed")
    wait_for(lambda: scene.operator.state(names[-1])[1]["state"] == "done", "the last one ends")
    for restarted in (False, True):
        if restarted:
            scene.gateway.process.kill()
            scene.gateway.process.wait()
            scene.start()
            scene.wait_idle()
        for number in (200, 599):
            key, value = f"many-{number}", number % 2
            status, said = scene.operator.switch(1 - value, key)
            assert (status, said["type"]) == (422, "/problems/key-reused"), f"{key}: {said}"
            assert scene.operator.switch(value, key) == (202, {"id": names[number]}), key
    assert scene.proxy.writes == writes + 600, "a repeated request was carried out"
    # The table needed the place of the first one: its key is a new one.
    status, said = scene.operator.switch(0, "many-0")
    assert status == 202 and said["id"] != names[0], said
    wait_for(lambda: scene.proxy.writes == writes + 601, "what is promised is carried out")
    return 1


def run(arguments):
    begun = time.monotonic()
    with Site() as site:
        scene = Scene(site)
        passed = slow_disk(scene) + many_commands(scene)
        campaign = Campaign(scene, arguments.seed)
        for _ in range(arguments.answers):
            campaign.kill_after_the_answer()
        for _ in range(arguments.rounds):
            step = 1
            while campaign.kill_before_step(step):
                step += 1
        passed += refusing_disk(scene)
        assert not scene.collector.problems, scene.collector.problems[:3]
        assert not scene.two_results(), scene.two_results()
        assert campaign.promised and campaign.unanswered, "kills before and after answers"
        print(json.dumps({
            "campaign": "command_answer", "commands": campaign.sent, "kills": campaign.kills,
            "promised": campaign.promised, "unanswered": campaign.unanswered,
            "executed": campaign.codes.get("executed", 0),
            "interrupted": campaign.codes.get("interrupted", 0), "executed_twice": 0, "lost": 0,
            "seconds": round(time.monotonic() - begun, 1)}))
    print(f"{passed + 1} passed, 0 failed, 0 skipped")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
