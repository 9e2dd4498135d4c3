# SPDX-License-Identifier: Apache-2.0
"""Recording from and replaying onto a CAN bus through an slcan adapter on a pseudo terminal, and
logs in one form turned into another. On SocketCAN the same is tested in tests/uml/can_tools.py."""
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import tempfile
import threading
import time
import tty

import harness
from harness import case, expect, joulectl


class Adapter:
    """Answers as an slcan adapter does; keeps what it was told and the frames with their times."""

    def __init__(self, knows_speed=True):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self.slave, self.knows_speed = slave, knows_speed
        self.told, self.frames, self.ended = [], [], False
        self.opened = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        os.close(self.master)
        os.close(self.slave)

    def run(self):
        rest = b""
        while not self.ended:
            if not select.select([self.master], [], [], 0.02)[0]:
                continue
            *lines, rest = (rest + os.read(self.master, 4096)).split(b"\r")
            for line in lines:
                self.answer(line.decode())

    def answer(self, line):
        self.told.append(line)
        if line[:1] in ("t", "T"):
            self.frames.append((time.monotonic(), line))
            os.write(self.master, b"z\r")
        elif line.startswith("S") and not self.knows_speed:
            os.write(self.master, b"\a")
        elif line.startswith("F"):
            os.write(self.master, b"F00\r")
        else:
            os.write(self.master, b"\r")
            if line == "O":
                self.opened.set()

    def says(self, text):
        os.write(self.master, text.encode())


def recording(adapter, *arguments):
    """A recorder whose adapter is open."""
    run = subprocess.Popen([harness.PROGRAM, "can", "record", adapter.path, *arguments],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    expect(adapter.opened.wait(10), "the adapter was never opened", adapter.told)
    time.sleep(0.05)  # its answer is on its way
    return run


@case
def frames_of_an_adapter_are_recorded_as_candump_writes_them():
    with Adapter() as adapter:
        run = recording(adapter, "--bitrate", "250000", "--frames", "2")
        adapter.says("t35184302E8039E07D001\rt3058000000000")
        adapter.says("0000000\rT1FFFFFFF0\r")
        out, errors = run.communicate(timeout=20)
        expect(run.returncode == 0 and json.loads(errors)["frames"] == 2, errors)
        lines = out.splitlines()
        name = os.path.basename(adapter.path)
        expect([line.split(" ", 1)[1] for line in lines] ==
               [f"{name} 351#4302E8039E07D001", f"{name} 305#0000000000000000"], out)
        expect(abs(float(lines[0][1:].split(")")[0]) - time.time()) < 20, out)
        expect(adapter.told[:5] == ["", "", "C", "S5", "O"], adapter.told)


@case
def a_recorded_log_never_takes_more_than_its_bytes():
    with Adapter() as adapter, tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "bus.log"
        run = recording(adapter, "--out", str(log), "--bytes", "4000")
        for n in range(0, 500, 10):
            adapter.says("".join(f"t3512{i:04X}\r" for i in range(n, n + 10)))
            time.sleep(0.005)
        deadline = time.monotonic() + 20
        while "01F3" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=20)
        summary = json.loads(errors)
        expect(run.returncode == 0 and summary["frames"] == 500, errors)
        expect(summary["files_given_up"] > 0, errors)
        sizes = [path.stat().st_size for path in pathlib.Path(folder).iterdir()]
        expect(len(sizes) == 4 and max(sizes) <= 1000, sizes)  # none ever had more than a quarter
        files = [log.with_name(f"bus.log.{age}") for age in (3, 2, 1)] + [log]
        kept = [int(line.rsplit("#", 1)[1], 16)
                for path in files for line in path.read_text().splitlines()]
        expect(kept == list(range(500 - len(kept), 500)) and len(kept) > 60, kept)


@case
def a_log_is_replayed_with_its_times():
    text = "".join(f"({100 + 0.2 * i:.6f}) can0 35{i}#0{i}\n" for i in range(4))
    with Adapter() as adapter:
        run = joulectl("can", "replay", "-", adapter.path, "--speed", "2", stdin=text)
        expect(run.returncode == 0 and json.loads(run.stdout)["frames"] == 4, run)
        expect([line for _, line in adapter.frames] == [f"t35{i}10{i}" for i in range(4)])
        took = adapter.frames[-1][0] - adapter.frames[0][0]
        expect(0.28 < took < 1, took)


@case
def frames_of_one_id_are_all_replayed():
    text = "".join(f"(1.0) can0 351#{i:04X}\n" for i in range(50))
    with Adapter() as adapter:
        run = joulectl("can", "replay", "-", adapter.path, stdin=text)
        expect(run.returncode == 0, run)
        expect([line for _, line in adapter.frames] == [f"t3512{i:04X}" for i in range(50)])


@case
def what_cannot_be_replayed_or_recorded_is_said():
    with Adapter() as adapter:
        run = joulectl("can", "replay", "-", adapter.path, stdin="can0 351#00\n")
        expect(run.returncode == 1 and "has no times" in run.stderr, run)
        run = joulectl("can", "replay", "-", adapter.path, stdin="(1.0) can0 351#0\n")
        expect(run.returncode == 1 and "line 1, column 17" in run.stderr, run)
        run = joulectl("can", "replay", "-", adapter.path, "--speed", "0", stdin="")
        expect(run.returncode == 2 and "--speed" in run.stderr, run)
    for arguments, words in ((("record", "/no/adapter"), "is the adapter plugged in?"),
                             (("record", "can-none"), "can-none"),
                             (("replay", "-", "can-none"), "can-none")):
        run = joulectl("can", *arguments, stdin="(1.0) can0 351#00\n")
        expect(run.returncode == 1 and words in run.stderr, run)
    run = joulectl("can", "record", "can0", "--bitrate", "83333")
    expect(run.returncode == 2 and "--bitrate must be" in run.stderr, run)
    run = joulectl("can", "record", "can0", "--bytes", "100")
    expect(run.returncode == 2 and "--bytes" in run.stderr, run)


@case
def an_adapter_that_does_not_know_the_speed_is_said():
    with Adapter(knows_speed=False) as adapter:
        run = joulectl("can", "record", adapter.path)
        expect(run.returncode == 1 and "refuses to open" in run.stderr, run)


@case
def logs_are_turned_from_one_form_into_the_other_and_back():
    text = ("(1436509052.249713) can1 351#4302E8039E07D001\n"
            "(1436509053.000001) can1 1FFFFFFF#\n")
    csv = joulectl("can", "convert", "-", "--to", "savvycan", stdin=text)
    expect(csv.returncode == 0, csv)
    expect(csv.stdout == "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
           "1436509052249713,00000351,false,Rx,1,8,43,02,E8,03,9E,07,D0,01,\n"
           "1436509053000001,1FFFFFFF,true,Rx,1,0,\n", csv)
    back = joulectl("can", "convert", "-", "--to", "candump", stdin=csv.stdout)
    expect(back.returncode == 0 and back.stdout == text, back)


@case
def a_bad_line_is_told_and_the_others_are_converted():
    run = joulectl("can", "convert", "-", "--to", "savvycan", stdin="x\n\n(1.0) can0 351#00\n")
    expect(run.returncode == 1 and "line 1" in run.stderr, run)
    expect(run.stdout.endswith("\n1000000,00000351,false,Rx,0,1,00,\n"), run)
