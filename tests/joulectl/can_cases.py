# SPDX-License-Identifier: Apache-2.0
"""What joulectl says of CAN logs, and the DBC files held against its own decoding."""
import json
import re

import harness
from harness import case, expect, joulectl

PROFILES = ("victron", "pylontech", "pylontech-old", "sma")
GOOD = {"351": "4302E8039E07D001", "355": "3C00640084170000", "356": "6114D3FEEB000000",
        "35A": "AAAAAA02AAAAAA02"}


def log(frames, seconds=3, step=1.0):
    return "".join(f"({100 + step * i + 0.001 * n:.6f}) can0 {id}#{data}\n"
                   for i in range(seconds) for n, (id, data) in enumerate(frames.items()))


def check(text, *arguments):
    run = joulectl("can", "check", "-", *arguments, stdin=text)
    found = [json.loads(line) for line in run.stdout.splitlines()]
    expect(run.returncode == (1 if len(found) > 1 else 0), run)
    return found[:-1]


def read_dbc(text):
    """{id: {signal: (start, bits, order, signed, factor, offset)}}"""
    messages, signals = {}, {}
    for line in text.splitlines():
        message = re.fullmatch(r"BO_ (\d+) \w+: (\d+) \w+", line)
        signal = re.fullmatch(
            r" SG_ (\w{1,32}) : (\d+)\|(\d+)@([01])([+-]) \((-?\d+),(-?\d+)\) "
            r'\[0\|\d\] "[^"]*" \w+', line)
        if message:
            signals = messages.setdefault(int(message[1]), {})
        elif signal:
            expect(signal[1] not in signals, line)
            signals[signal[1]] = (int(signal[2]), int(signal[3]), signal[4] == "0",
                                  signal[5] == "-", int(signal[6]), int(signal[7]))
        else:
            expect(not line.startswith((" SG_", "BO_ ")), line)
    return messages


def physical(data, start, bits, big_endian, signed, factor, offset):
    if big_endian:
        first = start // 8
        raw = int.from_bytes(data[first:first + bits // 8], "big")
    else:
        raw = int.from_bytes(data.ljust(8, b"\0"), "little") >> start & (1 << bits) - 1
    if signed and raw >> (bits - 1):
        raw -= 1 << bits
    return raw * factor + offset


@case
def a_can_frame_is_decoded_with_what_it_says():
    run = joulectl("decode", "candump", stdin="(1.5) can0 356#6114D3FEEB00\ncan0 123#00\n")
    known, unknown = map(json.loads, run.stdout.splitlines())
    expect(run.returncode == 0 and known["time_us"] == 1_500_000, run)
    expect(known["values"] == {"voltage_mv": 52170, "current_ma": -30100, "temperature_mc": 23500},
           run)
    expect("values" not in unknown and unknown["data"] == "00", run)
    sma = joulectl("decode", "candump", "--profile", "sma", stdin="can0 356#6114D3FEEB00\n")
    expect(json.loads(sma.stdout)["values"]["current_ma"] == 30100, sma)


@case
def a_bad_line_of_a_can_log_is_refused_and_the_next_is_read():
    run = joulectl("decode", "candump", stdin="can0 123#00\ncan0 351#123\ncan0 123#00\n")
    refused = json.loads(run.stdout.splitlines()[1])
    expect(run.returncode == 1 and len(run.stdout.splitlines()) == 3, run)
    expect((refused["error"], refused["at"], refused["from"]) == ("malformed", 24, 12), run)


@case
def a_profile_that_is_not_there_is_wrong_usage():
    for arguments in (("decode", "candump", "--profile", "x"), ("can", "dbc", "x"),
                      ("can", "check", "-", "--profile", "x")):
        run = joulectl(*arguments, stdin="")
        expect(run.returncode == 2 and "victron" in run.stderr, run)


@case
def can_check_finds_nothing_in_a_good_log():
    expect(check(log(GOOD)) == [])


@case
def can_check_finds_what_is_wrong():
    less = {id: data for id, data in GOOD.items() if id != "355"}
    expect(check(log(less)) == [{"finding": "missing", "id": "355", "name": "charge"}])
    slow = check(log(GOOD, step=1.3))
    expect([found["finding"] for found in slow] == ["period"] * 4, slow)
    expect((slow[0]["period_ms"], slow[0]["least_ms"], slow[0]["most_ms"]) == (1000, 1300, 1300))
    pair = check(log(GOOD | {"35A": "AEAAAA02AAAAAA02"}, 1))
    expect([(found["finding"], found["alarm"], found["block"]) for found in pair] ==
           [("invalid_pair", "high_voltage", "alarm")], pair)
    zero = check(log(GOOD | {"351": "0000E8039E07D001"}, 1))
    expect([found["finding"] for found in zero] == ["charge_voltage_zero"], zero)
    expect(check(log(GOOD) + "can0 351#1\n")[0]["finding"] == "bad_line")


@case
def a_dbc_file_says_what_joulectl_decodes():
    frames = {"351": "4302E8039E07D001", "355": "3C00640084170000", "356": "6114D3FEEB00",
              "35F": "4C4901033C02AA00", "373": "B90CC20C27012801", "378": "690F00006B0E0000",
              "379": "3001000000000000", "372": "0100000002000000"}
    compared = 0
    for profile in PROFILES:
        dbc = read_dbc(joulectl("can", "dbc", profile).stdout)
        for id, data in frames.items():
            run = joulectl("decode", "candump", "--profile", profile, stdin=f"can0 {id}#{data}\n")
            values = json.loads(run.stdout).get("values")
            expect((values is None) == (int(id, 16) not in dbc), profile, id)
            signals = dbc.get(int(id, 16), {})
            for name, value in (values or {}).items():
                if value is None:
                    continue
                fine = signals.get(name + "_fine", signals[name])
                expect(physical(bytes.fromhex(data), *fine) == value, profile, id, name)
                compared += 1
    expect(compared > 50, compared)


@case
def the_page_of_conversions_is_what_the_tables_say():
    page = (harness.ROOT / "docs" / "pgn-conversions.md").read_text(encoding="utf-8")
    expect(page == joulectl("can", "conversions").stdout,
           "write it with `joulectl can conversions > docs/pgn-conversions.md`")


@case
def recorded_can_logs_are_in_order():
    folder = harness.recorded("tinybms")
    for name, profile, frames in (("victron_smartbms_candump.log", "victron", 48),
                                  ("pylontech_us_candump.log", "pylontech", 34)):
        run = joulectl("can", "check", str(folder / name), "--profile", profile)
        summary = json.loads(run.stdout)
        expect(run.returncode == 0 and summary["frames"] == frames, run)


@case
def lines_of_an_slcan_adapter_are_decoded():
    run = joulectl("decode", "slcan", stdin="t35180302E80364\rt35183302E8039E07D001\rz\rF20\rt3")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    expect(run.returncode == 1 and len(lines) == 5, run)
    expect((lines[0]["error"], lines[0]["from"]) == ("malformed", 0), run)
    expect(lines[1]["values"]["charge_voltage_mv"] == 56300 and lines[1]["at"] == 16, run)
    expect(lines[2]["kind"] == "accepted" and lines[3]["state"] == "passive", run)
    expect((lines[4]["error"], lines[4]["at"]) == ("truncated", 46), run)
