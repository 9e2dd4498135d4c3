# SPDX-License-Identifier: Apache-2.0
"""The simulated devices as processes: addresses, talk, faults, and a clean end."""
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import time

import harness
from harness import case, expect, joulectl


@contextlib.contextmanager
def simulated(*arguments):
    """A running simulator and its line; it must end cleanly on SIGTERM."""
    process = subprocess.Popen([harness.PROGRAM, "sim", *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        ready, _, _ = select.select([process.stdout], [], [], 20)
        line = process.stdout.readline() if ready else ""
        expect(line.startswith("{"), "no line of addresses", arguments)
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        expect(process.wait(10) == 0, arguments, process.stderr.read())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def hear(descriptor, size, seconds=20):
    """Reads at least so many bytes, or what came in that time."""
    heard = b""
    ends = time.monotonic() + seconds
    while len(heard) < size and (left := ends - time.monotonic()) > 0:
        if select.select([descriptor], [], [], left)[0]:
            part = os.read(descriptor, 4096)
            if not part:
                break
            heard += part
    return heard


def connect(address):
    return socket.create_connection((address["host"], address["port"]), timeout=10)


def decoded(wire, heard):
    return [json.loads(line)
            for line in joulectl("decode", wire, "--binary", stdin=heard).stdout.splitlines()]


@case
def sim_p1_talks_on_tcp_to_everybody():
    with simulated("p1", "--tcp", "0") as line:
        expect(line["driver"] == "p1" and line["type"] == "tcp" and line["port"] > 0, line)
        with connect(line) as one, connect(line) as two:
            for peer in (one, two):
                frames = decoded("p1", hear(peer.fileno(), 900))
                expect(frames[0]["checked"] and frames[0]["maker"] == "JWY", frames)


@case
def sim_p1_talks_on_a_terminal_and_takes_its_link_away():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "p1")
        with simulated("p1", "--pty", str(path), "--old") as line:
            expect(line["device"] == str(path), line)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY)
            frames = decoded("p1", hear(descriptor, 300))
            os.close(descriptor)
            expect(frames[0]["checked"] is False and frames[0]["model"] == "SIM-P1-3", frames)
        expect(not path.is_symlink())


@case
def sim_says_why_it_cannot_listen():
    with simulated("p1", "--tcp", "0") as line:
        run = joulectl("sim", "p1", "--tcp", str(line["port"]))
        expect(run.returncode == 1 and str(line["port"]) in run.stderr, run)
    run = joulectl("sim", "p1", "--pty", "/no-such-folder/p1")
    expect(run.returncode == 1 and "/no-such-folder/p1" in run.stderr, run)


@case
def sim_that_drops_everything_or_sleeps_says_nothing():
    for fault in (["--drop", "100%"], ["--asleep-from", "0"],
                  ["--asleep-from", "00:00", "--asleep-to", "00:00"]):
        with simulated("p1", "--tcp", "0", *fault) as line, connect(line) as peer:
            expect(hear(peer.fileno(), 1, seconds=2.5) == b"", fault)


@case
def sim_wakes_up_again():
    with simulated("p1", "--tcp", "0", "--asleep-from", "0", "--asleep-to", "2") as line:
        with connect(line) as peer:
            expect(len(hear(peer.fileno(), 500)) >= 500)


READ_INPUTS = bytes.fromhex("000100000006010400000012")


@case
def sim_demo_meter_answers_on_tcp_and_obeys():
    with simulated("demo_meter", "--tcp", "0") as line, connect(line) as peer:
        expect(line["type"] == "modbus_tcp" and line["unit"] == 1, line)
        peer.sendall(READ_INPUTS)
        before = decoded("modbus-tcp", hear(peer.fileno(), 45))[0]["registers"]
        expect(len(before) == 18 and before[7] > 0, before)
        peer.sendall(bytes.fromhex("000200000006010500000000"))  # opens the relay
        expect(decoded("modbus-tcp", hear(peer.fileno(), 12))[0]["on"] is False)
        with connect(line) as other:
            other.sendall(READ_INPUTS)
            after = decoded("modbus-tcp", hear(other.fileno(), 45))[0]["registers"]
            expect(after[7] == 0, after)


@case
def sim_demo_meter_answers_on_a_terminal():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "meter")
        with simulated("demo_meter", "--pty", str(path)) as line:
            expect(line["type"] == "modbus_rtu" and line["device"] == str(path), line)
            descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
            os.write(descriptor, bytes.fromhex("0104000000127007"))
            heard = hear(descriptor, 41)
            os.close(descriptor)
            expect(len(decoded("modbus-rtu", heard)[0]["registers"]) == 18, heard)


@case
def sim_answers_with_an_exception_and_late_where_told_so():
    began = time.monotonic()
    with simulated("demo_meter", "--tcp", "0", "--exception", "6", "--delay", "700") as line:
        with connect(line) as peer:
            began = time.monotonic()
            peer.sendall(READ_INPUTS)
            frames = decoded("modbus-tcp", hear(peer.fileno(), 9))
            expect(frames[0]["text"] == "device_busy", frames)
            expect(time.monotonic() - began >= 0.7)


@case
def sim_sunspec_shows_the_image_it_was_given():
    with tempfile.NamedTemporaryFile("w", suffix=".json") as image:
        json.dump({"base": 40000, "registers": [21365, 28243, 7]}, image)
        image.flush()
        with simulated("sunspec", "--tcp", "0", "--image", image.name) as line:
            with connect(line) as peer:
                peer.sendall(bytes.fromhex("0001000000060103") + (40000).to_bytes(2, "big") +
                             b"\0\3")
                frames = decoded("modbus-tcp", hear(peer.fileno(), 15))
                expect(frames[0]["registers"] == [21365, 28243, 7], frames)


@case
def sim_says_what_is_wrong_with_an_image():
    for text, word in (("[", "JSON"), ('{"base":-1,"registers":[]}', "base"),
                       ('{"base":1}', "registers"), ('{"base":1,"registers":[1,65536]}', "[1]"),
                       ('{"base":65535,"registers":[1,2]}', "beyond")):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as image:
            image.write(text)
            image.flush()
            run = joulectl("sim", "sunspec", "--tcp", "0", "--image", image.name)
            expect(run.returncode == 2 and word in run.stderr and image.name in run.stderr, run)


@case
def sim_sunspec_is_an_inverter_where_no_image_is_given():
    with simulated("sunspec", "--tcp", "0") as line, connect(line) as peer:
        image = b""
        for first in (40000, 40100):
            peer.sendall(bytes.fromhex("000100000006 0103") + first.to_bytes(2, "big") + b"\0\x64")
            image += hear(peer.fileno(), 209)[9:]
        registers = [int.from_bytes(image[i:i + 2], "big") for i in range(0, len(image), 2)]
        run = joulectl("decode", "sunspec",
                       stdin=json.dumps({"base": 40000, "registers": registers}))
        models = [json.loads(line) for line in run.stdout.splitlines()]
        expect(models[0]["model"] == 1 and models[1]["model"] == 103, run)
        expect("power_w" in models[1]["values"], run)


@case
def sim_site_plays_one_of_each():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "rtu")
        with simulated("site", "--tcp", "0", "--pty", str(path)) as site:
            devices = {device["name"]: device for device in site["devices"]}
            expect([(d["driver"], d["type"]) for d in devices.values()] ==
                   [("demo_meter", "modbus_tcp"), ("sunspec", "modbus_tcp"), ("p1", "tcp"),
                    ("demo_meter", "modbus_rtu")], site)
            for name in ("workshop", "roof"):
                with connect(devices[name]) as peer:
                    peer.sendall(bytes.fromhex("000100000006010300000001"))
                    expect(decoded("modbus-tcp", hear(peer.fileno(), 9))[0]["text"] ==
                           "illegal_address")
            with connect(devices["grid"]) as peer:
                expect(decoded("p1", hear(peer.fileno(), 900))[0]["checked"])
            expect(path.exists())


@case
def sim_tinybms_is_changed_by_lines():
    process = subprocess.Popen([harness.PROGRAM, "sim", "tinybms", "--tcp", "0", "--control"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        line = json.loads(process.stdout.readline())
        for wrong in ("set 1", "set", "set 0 65536", "set 0 -1", "set 0 1 x", "silent 1", "sing"):
            process.stdin.write(f"{wrong}\n".encode())
            process.stdin.flush()
            expect("set REGISTER WORD" in json.loads(process.stdout.readline())["error"], wrong)
        process.stdin.write(b"silent\nset 0 36500 1 7\nspeak\nmumble\n")
        process.stdin.flush()
        expect("mumble" in json.loads(process.stdout.readline())["error"])
        with connect(line) as peer:
            peer.sendall(bytes.fromhex("AA 03 00 00 00 01 9D D1"))  # register 0
            heard = hear(peer.fileno(), 7)
        said = json.loads(process.stdout.readline())
        expect(bytes.fromhex(said["said"]) == heard, said, heard)
        expect(heard[3:5] == (36500).to_bytes(2, "big"), heard)
        expect(abs(said["time_us"] / 1e6 - time.time()) < 60, said)
    finally:
        process.kill()
        process.communicate()
