# SPDX-License-Identifier: Apache-2.0
"""A battery site of real processes: a simulated TinyBMS, the gateway, a CAN bus with a GX device on
it and somebody who writes down what passes. Frames are decoded here by hand, not by our tables."""
import bisect
import collections
import json
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import threading
import time
import tty

from simulated_site import JOULECTL, Gateway, free_port, wait_for

LIMITS, CHARGE, MEASURED, ALARMS, EXTREMES = 0x351, 0x355, 0x356, 0x35A, 0x373
KEEP_ALIVE = 0x305
MANUFACTURER, NAME, SERIAL, FAMILY = "Jouleway", "House battery", "JW-2026-0042", "LFP 16s"
TEXTS = {(0x35E,): MANUFACTURER, (0x370, 0x371): NAME, (0x380, 0x381): SERIAL, (0x382,): FAMILY}

Frame = collections.namedtuple("Frame", "time id data")
Answer = collections.namedtuple("Answer", "time registers")
Limits = collections.namedtuple("Limits", "time charge_v charge_a discharge_a discharge_v")


def limits_of(frame):
    charge_v, charge_a, discharge_a, discharge_v = struct.unpack("<HhhH", frame.data)
    return Limits(frame.time, charge_v / 10, charge_a / 10, discharge_a / 10, discharge_v / 10)


def pair(frame, bit):
    """Two bits of 0x35A: 1 raised, 2 not raised, 0 not supported."""
    return int.from_bytes(frame.data, "little") >> bit & 3


BMS_INTERNAL_ALARM, BMS_INTERNAL_WARNING = 22, 54


class TimeLine:
    """Prints what happens, in seconds since its start, in order."""

    def __init__(self, title):
        self.begun = time.time()
        self.rows = []
        print(f"\n{title}", flush=True)

    def tell(self, text, at=None):
        at = time.time() if at is None else at
        self.rows.append((at, text))
        return at

    def limits(self, frames):
        """Every change of what 0x351 says."""
        before = None
        for frame in frames:
            if frame.time >= self.begun and frame.id == LIMITS:
                said = limits_of(frame)
                if before != said[1:]:
                    self.tell(f"0x351: charge {said.charge_v:.1f} V {said.charge_a:.1f} A, "
                              f"discharge {said.discharge_a:.1f} A", frame.time)
                before = said[1:]

    def show(self):
        for at, text in sorted(self.rows):
            print(f"  {at - self.begun:8.3f} s  {text}")
        print(end="", flush=True)


class Bms:
    """The simulated TinyBMS, which is changed while it runs."""

    def __init__(self, folder, scene="nominal"):
        self.device = str(pathlib.Path(folder) / "bms")
        self.answers = []
        self.process = subprocess.Popen(
            [str(JOULECTL), "sim", "tinybms", "--pty", self.device, "--scene", scene, "--control"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL)  # where it counts, on a terminal
        json.loads(self.process.stdout.readline())
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        for line in self.process.stdout:
            row = json.loads(line)
            said = bytes.fromhex(row["said"])
            if said[:2] == b"\xaa\x03":
                words = struct.unpack(f">{said[2] // 2}H", said[3:3 + said[2]])
                self.answers.append(Answer(row["time_us"] / 1e6, words))

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def set(self, registers):
        self.tell("set " + " ".join(f"{address} {word}" for address, word in registers.items()))

    def set_cell(self, cell, millivolts):
        """The cell, and the highest of all as the BMS tells it apart."""
        self.set({cell: 10 * millivolts, 41: max(millivolts, 3290)})

    def live_answers(self):
        """Those from register 0 on: the driver knows them by their size."""
        return [answer for answer in self.answers if 54 <= len(answer.registers) <= 56]

    def said(self, cell, millivolts, since):
        """The first answer that holds this voltage of the cell."""
        return next((answer for answer in self.live_answers()
                     if answer.time >= since and answer.registers[cell] == 10 * millivolts), None)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.listener.join()
        self.process.stdin.close()
        self.process.stdout.close()


class CanBus:
    """A bus: what passed on it, and a GX device that says every second that it is there."""

    def __init__(self):
        self.frames = []
        self.ended = threading.Event()
        self.gx = threading.Thread(target=self.keep_alive, daemon=True)

    def keep_alive(self):
        while not self.ended.wait(1):
            self.send("305", "0000000000000000")

    def since(self, at, identifier=None):
        """Frames of the battery, by time."""
        first = bisect.bisect_left(self.frames, at, key=lambda frame: frame.time)
        return [frame for frame in self.frames[first:]
                if (frame.id == identifier if identifier else frame.id != KEEP_ALIVE)]

    def wait(self, condition, what, deadline_s=20, since=None):
        """The first frame that fulfils it; of those behind `since`, else of those from now on."""
        at = len(self.frames) if since is None else \
            bisect.bisect_left(self.frames, since, key=lambda frame: frame.time)

        def look():
            nonlocal at
            while at < len(self.frames):
                at += 1
                if condition(self.frames[at - 1]):
                    return self.frames[at - 1]
            return None

        return wait_for(look, what, deadline_s)

    def wait_limits(self, condition, what, deadline_s=20, since=None):
        frame = self.wait(lambda one: one.id == LIMITS and condition(limits_of(one)), what,
                          deadline_s, since)
        return limits_of(frame)

    def log(self, since=0):
        """As candump -L writes it."""
        return "".join(f"({frame.time:.6f}) can0 {frame.id:03X}#{frame.data.hex().upper()}\n"
                       for frame in self.frames if frame.time >= since)


class VirtualCan(CanBus):
    """vcan0, read by candump; needs a kernel that has it, and root."""

    LINE = re.compile(r"\((\d+\.\d+)\) vcan0 ([0-9A-F]{3})#([0-9A-F]*)")

    def __init__(self):
        super().__init__()
        self.settings = {"name": "can", "type": "can", "device": "vcan0"}
        self.ip("add", "vcan0", "type", "vcan")
        self.ip("set", "vcan0", "up")
        self.candump = subprocess.Popen(["candump", "-L", "-D", "vcan0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.gx.start()

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", "link", *words], check=True)

    def read(self):
        for line in self.candump.stdout:
            found = self.LINE.match(line)
            if found:  # else that the interface is down
                self.frames.append(Frame(float(found[1]), int(found[2], 16),
                                         bytes.fromhex(found[3])))

    @staticmethod
    def send(identifier, data):
        subprocess.run(["cansend", "vcan0", f"{identifier}#{data}"], check=False,
                       stderr=subprocess.DEVNULL)

    def stop(self):
        self.ended.set()
        self.gx.join()
        self.candump.kill()
        self.candump.wait()
        self.reader.join()
        self.candump.stdout.close()
        self.ip("del", "vcan0")


class Adapter(CanBus):
    """An slcan adapter at the other end of a pseudo terminal."""

    def __init__(self):
        super().__init__()
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.settings = {"name": "can", "type": "slcan", "device": os.ttyname(self.slave),
                         "baud": 115200}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.gx.start()

    def read(self):
        heard = b""
        while not self.ended.is_set():
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            heard += os.read(self.master, 4096)
            at = time.time()
            *commands, heard = heard.split(b"\r")
            for command in commands:
                self.obey(command.decode(), at)

    def obey(self, command, at):
        if command.startswith("t"):
            size = int(command[4])
            assert len(command) == 5 + 2 * size, command
            self.frames.append(Frame(at, int(command[1:4], 16), bytes.fromhex(command[5:])))
        answer = {"F": b"F00", "t": b"z", "V": b"V1013"}.get(command[:1], b"")
        os.write(self.master, answer + b"\r")

    def send(self, identifier, data):
        os.write(self.master, f"t{identifier}{len(data) // 2}{data}\r".encode())

    def stop(self):
        self.ended.set()
        self.gx.join()
        self.reader.join()
        os.close(self.master)
        os.close(self.slave)


def battery_gateway(folder, bms, can, law=None):
    """The gateway between them; `law` differs from what a house has."""
    return Gateway(folder, {
        "gateway": "gw-1", "site": "house", "clock": "system",
        "storage": {"path": str(pathlib.Path(folder) / "state"), "size_mb": 16},
        "buses": [{"name": "bms", "type": "serial", "device": bms.device, "baud": 115200},
                  can.settings],
        "devices": [{"name": "pack-1", "driver": "tinybms", "bus": "bms"}],
        "batteries": [{"name": "battery", "packs": ["pack-1"], "charge_current_max_a": 40,
                       "discharge_current_max_a": 60, "law": law or {},
                       "can": {"bus": "can", "profile": "victron", "name": NAME,
                               "serial": SERIAL, "family": FAMILY}}],
        "web": {"listen": f"127.0.0.1:{free_port()}"},
    })
