#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the real joulectl: `joulectl_test.py PROGRAM ROOT MAKE_STORE`. Prints how many passed."""
import json
import pathlib
import sys

import harness
from harness import case, expect, joulectl


def lines(run):
    return [json.loads(line) for line in run.stdout.splitlines()]


REQUEST = "01 03 00 00 00 0A C5 CD"
TELEGRAM = "/JWY5\\2T-50\r\n\r\n1-0:1.7.0(00.244*kW)\r\n"


def sealed(telegram):
    """The telegram with its CRC, computed here bit by bit."""
    crc = 0
    for byte in (telegram + "!").encode():
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return f"{telegram}!{crc:04X}\r\n"


@case
def help_names_every_subcommand():
    run = joulectl("--help")
    expect(run.returncode == 0)
    for word in ("decode", "sim", "crc", "self"):
        expect(word in run.stdout)


@case
def wrong_usage_ends_with_2_and_says_what_to_do():
    for arguments in ([], ["decode"], ["decode", "smoke-signals"], ["fly"], ["crc", "md5", "00"],
                      ["crc", "modbus", "0"], ["decode", "p1", "no-such-file"],
                      ["decode", "p1", "."], ["sim", "p1"], ["sim", "toaster", "--tcp", "0"],
                      ["sim", "p1", "--tcp", "0", "--drop", "lots"],
                      ["sim", "p1", "--tcp", "0", "--drop", "101%"],
                      ["sim", "p1", "--tcp", "0", "--asleep-from", "25:00"],
                      ["sim", "p1", "--tcp", "0", "--asleep-to", "5"]):
        run = joulectl(*arguments)
        expect(run.returncode == 2, arguments, run)
        expect(run.stderr.startswith("joulectl: ") and not run.stdout, arguments, run)
    expect("p1" in joulectl("decode", "smoke-signals").stderr)


@case
def decode_reads_hex_with_white_space_and_comments():
    run = joulectl("decode", "modbus-rtu", stdin=f"# asked\n\t{REQUEST[:8]}\n{REQUEST[8:]} # ten\n")
    expect(run.returncode == 0, run)
    expect(lines(run) == [{"wire": "modbus-rtu", "at": 0, "size": 8, "unit": 1, "kind": "request",
                           "function": 3, "name": "read_holding_registers", "address": 0,
                           "count": 10}], run)


@case
def decode_reads_raw_bytes():
    run = joulectl("decode", "modbus-rtu", "--binary", stdin=bytes.fromhex(REQUEST))
    expect(run.returncode == 0 and lines(run)[0]["count"] == 10, run)


@case
def decode_says_which_frame_is_refused_and_goes_on():
    run = joulectl("decode", "modbus-rtu", stdin=f"{REQUEST}\n{REQUEST[:-1]}C\n{REQUEST}\n")
    expect(run.returncode == 1, run)
    first, second, third = lines(run)
    expect(first["at"] == 0 and third["at"] == 16, run)
    expect((second["error"], second["at"], second["from"]) == ("bad_checksum", 14, 8), run)


@case
def decode_finds_its_feet_again_without_line_ends():
    run = joulectl("decode", "modbus-rtu", "--binary",
                   stdin=bytes.fromhex("FF00" + REQUEST + "0102" + REQUEST))
    expect(run.returncode == 1, run)
    expect([("error" in line, line.get("from", line["at"])) for line in lines(run)] ==
           [(True, 0), (False, 2), (True, 10), (False, 12)], run)


@case
def decode_tells_replies_by_their_requests():
    run = joulectl("decode", "modbus-tcp",
                   stdin="0001 0000 0006 01 05 0001 FF00\n0001 0000 0006 01 05 0001 FF00\n"
                         "0002 0000 0006 01 01 0000 0003\n0002 0000 0004 01 01 01 05\n")
    expect(run.returncode == 0, run)
    expect([line["kind"] for line in lines(run)] == ["request", "reply"] * 2, run)
    expect(lines(run)[3]["bits"] == [1, 0, 1], run)


@case
def decode_refuses_what_is_no_hex():
    run = joulectl("decode", "modbus-rtu", stdin=f"{REQUEST}\n01 0G\n")
    expect(run.returncode == 1, run)
    expect(lines(run)[0]["count"] == 10 and lines(run)[-1]["error"] == "malformed", run)
    expect("line 2" in lines(run)[-1]["text"], run)


@case
def decode_refuses_an_input_without_any_frame():
    for text in ("", "# nothing\n"):
        run = joulectl("decode", "modbus-tcp", stdin=text)
        expect(run.returncode == 1 and lines(run)[0]["error"] == "not_found", run)


@case
def decode_modbus_vectors_as_they_say():
    for wire in ("modbus-rtu", "modbus-tcp"):
        folder = harness.ROOT / "vectors" / wire.replace("-", "_")
        for path in sorted(folder.glob("*.vec")):
            frame = None
            for line in path.read_text().splitlines():
                if line.startswith("in "):
                    frame = joulectl("decode", wire, stdin=line[3:])
                elif line.startswith("out "):
                    words = dict(word.split("=") for word in line.split()[2:])
                    said = lines(frame)
                    expect(frame.returncode == 0 and len(said) == 1, line, frame)
                    expect(said[0]["unit"] == int(words["unit"]), line, frame)
                    expect(said[0]["function"] == int(words["function"]), line, frame)
                elif line.startswith("error "):
                    expect(frame.returncode == 1 and "error" in lines(frame)[0], line, frame)


@case
def decode_p1_in_text_hex_and_raw():
    telegram = sealed(TELEGRAM)
    raw = telegram.encode()
    for run in (joulectl("decode", "p1", stdin=raw),
                joulectl("decode", "p1", stdin=raw.hex(" ")),
                joulectl("decode", "p1", "--binary", stdin=raw),
                joulectl("decode", "p1", stdin=telegram.replace("\r", ""))):
        expect(run.returncode == 0, run)
        expect(lines(run)[0]["values"] == {"power_w": 244}, run)
        expect(lines(run)[0]["checked"] is True and lines(run)[0]["model"] == "T-50", run)


@case
def decode_p1_refuses_changed_bytes():
    raw = sealed(TELEGRAM).encode()
    for at in range(0, len(raw), 3):  # tests/recorded changes each one
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]
        run = joulectl("decode", "p1", "--binary", stdin=changed)
        expect(run.returncode == 1 and "error" in lines(run)[0], at, run)


@case
def decode_p1_says_where():
    telegram = sealed(TELEGRAM)
    run = joulectl("decode", "p1", stdin=telegram + telegram.replace("244", "245") + telegram)
    expect(run.returncode == 1, run)
    first, second, third = lines(run)
    expect(first["at"] == 0 and third["at"] == 2 * len(telegram), run)
    expect((second["error"], second["at"]) ==
           ("bad_checksum", 2 * len(telegram) - len("XXXX\r\n")), run)


MODEL_1 = [1, 66] + [0x4A57] + [0] * 65


@case
def decode_sunspec_prints_each_model_with_its_points():
    image = {"base": 40000, "registers": [21365, 28243, *MODEL_1, 64001, 1, 7, 65535, 0]}
    run = joulectl("decode", "sunspec", stdin=json.dumps(image))
    expect(run.returncode == 0, run)
    common, unknown = lines(run)
    expect((common["model"], common["address"], common["at"]) == (1, 40002, 2), run)
    expect(common["points"]["Mn"] == "JW", run)
    expect((unknown["model"], unknown["known"], unknown["length"]) == (64001, False, 1), run)


@case
def decode_sunspec_says_where_an_image_breaks():
    for registers, error, at in (([1, 2, 3], "not_found", 0),
                                 ([21365, 28243, *MODEL_1], "truncated", 70),
                                 ([21365, 28243, *MODEL_1, 103, 50, 1], "truncated", 70),
                                 ([21365, 28243, 103, 1, 1], "malformed", 2)):
        run = joulectl("decode", "sunspec",
                       stdin=json.dumps({"base": 0, "registers": registers}))
        expect(run.returncode == 1, run)
        expect((lines(run)[-1]["error"], lines(run)[-1]["at"]) == (error, at), run)
    run = joulectl("decode", "sunspec", stdin='{"base":0}')
    expect(run.returncode == 1 and "registers" in lines(run)[0]["text"], run)


@case
def decode_sunspec_recorded_images_as_expected():
    images = sorted(harness.recorded("inverters/sunspec").glob("sim_*.json"))
    expect(len(images) == 3, images)
    for path in images:
        run = joulectl("decode", "sunspec", str(path))
        expect(run.returncode == 0, run)
        models = {model["model"]: model for model in lines(run)}
        for name, value in json.loads(path.read_text())["meta"]["expect"].items():
            parts = name.split(".")
            model = models[int(parts[0])]
            place = model["points"]
            if len(parts) == 3:
                place = model["modules"][int(parts[1].split("[")[1].rstrip("]")) - 1]
            expect(place[parts[-1]] == value, path.name, name, value, place[parts[-1]])


@case
def decode_p1_recorded_telegrams():
    telegrams = sorted(harness.recorded("inverters/p1").glob("*.txt"))
    expect(len(telegrams) == 10, telegrams)
    for path in telegrams:
        run = joulectl("decode", "p1", str(path))
        expect(run.returncode == 0 and len(lines(run)) == 1 and lines(run)[0]["values"], run)


@case
def crc_computes_what_the_wires_use():
    check = b"123456789".hex()
    for name, value in (("modbus", 0x4B37), ("arc", 0xBB3D), ("x25", 0x906E),
                        ("crc32c", 0xE3069283)):
        run = joulectl("crc", name, check)
        expect(run.returncode == 0 and lines(run)[0]["value"] == value, run)
    run = joulectl("crc", "modbus", "-", stdin=bytes.fromhex("010300000002"))
    expect(lines(run)[0]["wire"] == "C40B", run)


if __name__ == "__main__":
    harness.PROGRAM = sys.argv[1]
    harness.ROOT = pathlib.Path(sys.argv[2]).resolve()
    harness.MAKE_STORE = sys.argv[3]
    import gateway_cases  # noqa: F401  these register their cases
    import can_cases  # noqa: F401
    import outbox_cases  # noqa: F401
    import sim_cases  # noqa: F401
    import can_traffic_cases  # noqa: F401
    import tinybms_cases  # noqa: F401
    sys.exit(harness.run_all())
