# SPDX-License-Identifier: Apache-2.0
"""A TinyBMS in joulectl: frames of its UART, dumps of its registers, the simulated device."""
import json
import os
import pathlib
import tempfile
import tty

import harness
import sim_cases
from harness import case, expect, joulectl

ASKED = "AA 07 01 32 00 79 CC"
ANSWERED = "AA 07 02 97 00 F2 9C"  # alone it would be the request for two registers at 151


def lines(run):
    return [json.loads(line) for line in run.stdout.splitlines()]


@case
def decode_tinybms_tells_replies_by_their_requests():
    run = joulectl("decode", "tinybms", stdin=f"{ASKED}\n{ANSWERED}\n{ANSWERED}\n")
    expect(run.returncode == 0, run)
    expect([line["kind"] for line in lines(run)] == ["request", "reply", "request"], run)
    expect(lines(run)[1]["registers"] == [151] and lines(run)[2]["address"] == 151, run)


@case
def decode_tinybms_vectors_as_they_say():
    seen = 0
    for path in sorted((harness.ROOT / "vectors" / "tinybms").glob("*.vec")):
        frame = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("in "):
                frame = joulectl("decode", "tinybms", stdin=line[3:])
            elif line.startswith("out "):
                _, kind, name, *words = line.split()
                said, = lines(frame)
                expect(frame.returncode == 0, line, frame)
                ambiguous = kind == "reply" and name in ("read_block", "read_list")
                expect(said["name"] == name and (said["kind"] == kind or ambiguous), line, frame)
                if "address" in said and not ambiguous:
                    expect(f"address={said['address']}" in words, line, frame)
                seen += 1
            elif line.startswith("error ") and "unsupported request" not in line:
                expect(frame.returncode == 1 and "error" in lines(frame)[0], line, frame)
                seen += 1
    expect(seen > 70, seen)


@case
def decode_tinybms_says_what_values_mean():
    for frame, expected in (
            ("AA 14 85 EB 51 42 CC 8B", {"voltage_mv": 52480}),
            ("AA 15 66 66 46 C1 18 B5", {"current_ma": -12400}),
            ("AA 1A C0 68 78 04 DF CC", {"state_of_charge_percent": 75.0}),
            ("AA 18 9B 00 CA CB", {"status": 155, "text": "fault"}),
            ("AA 1B 06 16 01 CE FF 00 80 9A A6",
             {"internal_degc": 27.8, "external_1_degc": -5.0, "external_2_degc": None}),
            ("AA 00 03 01 E0 CC", {"answers_name": "read_modbus", "reason": "wrong_checksum"})):
        run = joulectl("decode", "tinybms", stdin=frame)
        expect(run.returncode == 0, run)
        expect(expected.items() <= lines(run)[0].items(), expected, run)


@case
def decode_tinybms_says_what_is_refused_and_goes_on():
    for text in (f"{ASKED}\nAA 14 7E AF\n{ASKED}", f"{ASKED} AA 14 7E AF {ASKED}"):
        for run in (joulectl("decode", "tinybms", stdin=text),
                    joulectl("decode", "tinybms", "--binary", stdin=bytes.fromhex(text))):
            expect(run.returncode == 1, run)
            first, second, third = lines(run)
            expect(first["at"] == 0 and third["at"] == 11, run)
            expect((second["error"], second["from"]) == ("bad_checksum", 7), run)
    run = joulectl("decode", "tinybms", stdin="AA 14 7E AF")
    expect(lines(run)[0]["at"] == 2, run)


DUMP = """Init OK
Register 2: HEX=9b78, UINT_16=39800
Error reading register 3
Register 36: HEX=1eb8_425f, FLOAT=55.78
Register 42: HEX=FFFF8000, INT_16=-32768
Register 200: HEX=1226
Register 201: HEX=6500
Error reading register 202
Register 203: HEX=64b9
Register 36: HEX=xyz
"""


@case
def decode_tinybms_registers_of_a_dump():
    run = joulectl("decode", "tinybms-registers", stdin=DUMP)
    expect(run.returncode == 1, run)
    said = lines(run)
    expect(len(said) == 9, run)
    expect((said[0]["name"], said[0]["value"], said[0]["unit"]) == ("cell_voltage_3", 3980.0, "mV"),
           run)
    expect(said[1]["error"] == "not_found" and "register 3 was not read" in said[1]["text"], run)
    expect(said[1]["at"] == DUMP.index("Error reading register 3"), run)
    expect(said[2]["value"] == 55.78 and said[3]["value"] is None, run)
    expect("value" not in said[4] and said[5]["value"] == {"time_s": 4646, "id": 101}, run)
    expect("error" in said[6] and "value" not in said[7], run)  # half an event is none
    expect(said[8]["error"] == "malformed", run)


@case
def decode_tinybms_registers_of_an_image():
    image = {"base": 500, "registers": [0x102, 0x301, 242, 0x418, 38, 44, 0x3437, 0x510D, 1, 2]}
    run = joulectl("decode", "tinybms-registers", stdin=json.dumps(image))
    expect(run.returncode == 0, run)
    values = {line["name"]: line["value"] for line in lines(run)}
    expect(values["serial"] == "0026002c3437510d00010002" and values["firmware_build"] == 242, run)
    expect(values["firmware_version_and_flags"] == {"low": 1, "high": 3}, run)
    run = joulectl("decode", "tinybms-registers", stdin='{"base":0}')
    expect(run.returncode == 1 and "registers" in lines(run)[0]["text"], run)


@case
def decode_tinybms_registers_of_recorded_dumps():
    folder = harness.recorded("tinybms")
    for name, read, failed in (("hwserial", 71, 0), ("swserial_badline", 124, 18)):
        run = joulectl("decode", "tinybms-registers",
                       str(folder / f"tinybms_registers_14s_{name}.txt"))
        expect(run.returncode == (1 if failed else 0), run)
        wrong = [line for line in lines(run) if "error" in line]
        expect(len(wrong) == failed and len(lines(run)) == read + failed, run)
        expect(all("value" not in line for line in wrong), run)
        health = [line for line in lines(run) if line.get("name") == "set_state_of_charge"]
        expect(health and all(line["value"] is None for line in health), run)

STATUS = bytes.fromhex("AA187F1A")


def asked(path, request, size, seconds=20):
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor)
        os.write(descriptor, request)
        return sim_cases.hear(descriptor, size, seconds)
    finally:
        os.close(descriptor)


@case
def sim_tinybms_answers_on_a_terminal():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bms")
        with sim_cases.simulated("tinybms", "--pty", path, "--scene", "hot") as line:
            expect(line["driver"] == "tinybms" and line["device"] == path, line)
            said = sim_cases.decoded("tinybms", STATUS + asked(path, STATUS, 6))
            expect([one["kind"] for one in said] == ["request", "reply"], said)
            expect(said[1]["text"] == "fault", said)


@case
def sim_tinybms_asleep_answers_the_second_command():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bms")
        with sim_cases.simulated("tinybms", "--pty", path, "--scene", "asleep"):
            expect(asked(path, STATUS, 6, 0.5) == b"")
            expect(len(asked(path, STATUS, 6)) == 6)


@case
def sim_tinybms_holds_the_registers_of_a_dump():
    with tempfile.TemporaryDirectory() as folder:
        path, dump = os.path.join(folder, "bms"), pathlib.Path(folder, "dump.txt")
        dump.write_text(DUMP.replace("Register 36: HEX=xyz\n", ""), encoding="utf-8")
        with sim_cases.simulated("tinybms", "--pty", path, "--registers", str(dump)):
            voltage = bytes.fromhex("AA147F1F")
            said = sim_cases.decoded("tinybms", voltage + asked(path, voltage, 8))
            expect(said[1]["voltage_mv"] == 55780, said)
        dump.write_text(DUMP, encoding="utf-8")
        run = joulectl("sim", "tinybms", "--pty", path, "--registers", str(dump))
        expect(run.returncode == 2 and "line 10" in run.stderr, run)
