#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`joulectl can record` and `replay` beside can-utils on a real CAN interface; runs as root in a
guest kernel (run_in_guest.py).

    tests/uml/can_tools.py JOULECTL"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

JOULECTL = sys.argv[1]
FRAMES = ["351#4302E8039E07D001", "355#3C00640084170000", "356#6114D3FEEB00", "1FFFFFFF#",
          "305#0000000000000000", "351#0102", "351#0103", "35E#4A6F756C65776179"] * 5
STEP_S = 0.02
LOG = "".join(f"({100 + STEP_S * i:.6f}) can0 {frame}\n" for i, frame in enumerate(FRAMES))
CASES = []


def case(function):
    CASES.append(function)
    return function


def done(*command, stdin=""):
    """Runs a command that must succeed; gives what it prints."""
    run = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60,
                         check=False)
    assert run.returncode == 0, (command, run)
    return run.stdout


def frames(log):
    return [line.split()[2] for line in log.splitlines()]


def times(log):
    return [float(line[1:].split(")")[0]) for line in log.splitlines()]


def listeners():
    """How many sockets hear every frame."""
    text = pathlib.Path("/proc/net/can/rcvlist_all").read_text(encoding="ascii")
    return sum(line.rstrip().endswith(" raw") for line in text.splitlines())


def listening(*command):
    """A program that hears the interface and ends by itself after all frames of LOG."""
    before = listeners()
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while listeners() == before:
        assert time.monotonic() < deadline and program.poll() is None, (command, program.poll())
        time.sleep(0.01)
    return program


def ended(program):
    out, errors = program.communicate(timeout=30)
    assert program.returncode == 0, errors
    return out


@case
def what_candump_hears_is_what_is_recorded():
    candump = listening("candump", "-L", "can0", "-n", str(len(FRAMES)))
    record = listening(JOULECTL, "can", "record", "can0", "--frames", str(len(FRAMES)))
    done("canplayer", stdin=LOG)
    heard, recorded = ended(candump), ended(record)
    assert frames(heard) == frames(recorded) == FRAMES, (heard, recorded)
    late = [abs(a - b) for a, b in zip(times(heard), times(recorded))]
    print(f"  recorded at most {max(late) * 1000:.1f} ms behind the kernel's time stamps")
    assert max(late) < 0.5, late


@case
def a_replayed_log_arrives_in_its_order_and_time():
    candump = listening("candump", "-L", "can0", "-n", str(len(FRAMES)))
    summary = json.loads(done(JOULECTL, "can", "replay", "-", "can0", stdin=LOG))
    heard = ended(candump)
    assert frames(heard) == FRAMES, heard
    assert summary["frames"] == len(FRAMES), summary
    took, wanted = times(heard)[-1] - times(heard)[0], STEP_S * (len(FRAMES) - 1)
    print(f"  {took:.3f} s on the bus, {wanted:.3f} s in the log")
    assert wanted - 0.05 < took < wanted + 0.5, took


@case
def can_utils_take_the_logs_that_are_written_here():
    with tempfile.TemporaryDirectory() as folder:
        log, asc = pathlib.Path(folder) / "bus.log", pathlib.Path(folder) / "bus.asc"
        record = listening(JOULECTL, "can", "record", "can0", "--out", str(log), "--frames",
                           str(len(FRAMES)))
        done(JOULECTL, "can", "replay", "-", "can0", "--speed", "5", stdin=LOG)
        ended(record)
        candump = listening("candump", "-L", "can0", "-n", str(len(FRAMES)))
        done("canplayer", "-I", str(log))
        assert frames(ended(candump)) == FRAMES
        done("log2asc", "-I", str(log), "-O", str(asc), "can0")
        lines = [line for line in asc.read_text().splitlines() if " Rx " in line]
        assert len(lines) == len(FRAMES), asc.read_text()
        assert "351" in lines[0] and lines[0].split("d 8")[1].split()[:8] == \
            "43 02 E8 03 9E 07 D0 01".split(), lines[0]


@case
def a_log_whose_bus_goes_down_in_between_ends_with_words():
    candump = listening("candump", "-L", "can0", "-n", "2")
    replay = subprocess.Popen([JOULECTL, "can", "replay", "-", "can0", "--speed", "0.2"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    replay.stdin.write(LOG)
    replay.stdin.close()
    ended(candump)
    done("ip", "link", "set", "can0", "down")
    code, errors = replay.wait(timeout=30), replay.stderr.read()
    done("ip", "link", "set", "can0", "up")
    assert code == 1 and "is down" in errors, (code, errors)


def main():
    done("ip", "link", "add", "can0", "type", "vcan")
    done("ip", "link", "set", "can0", "up")
    failed = 0
    for function in CASES:
        begun = time.monotonic()
        try:
            function()
            print(f"ok      {function.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Exception:  # a case that breaks has failed, and says how
            failed += 1
            print(f"FAILED  {function.__name__}", flush=True)
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CASES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
