#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the reliability campaigns with the release build, and writes what they counted.

    tools/reliability.py             the counts of every CI run (about three minutes on two cores)
    tools/reliability.py --night     the larger ones; adds a line per campaign to the ledger
    tools/reliability.py --planted   plants the known bugs, and notes who found them after how long
                                     (--planted=01,14: these)
    tools/reliability.py --only a,b  these campaigns alone; none: --only -
    tools/reliability.py --write     keeps the figures and writes docs/RELIABILITY.md from all kept

Each campaign prints one line of JSON; it fails where anything accepted was lost, or where it
counted nothing. The ledger (docs/reliability-ledger.jsonl) adds up nights; a line counts only as
long as the folders that it tested are the same (their hash stands in it)."""
import argparse
import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
LEDGER = ROOT / "docs" / "reliability-ledger.jsonl"
KEPT = ROOT / "docs" / "reliability-figures.json"
CUTS = BUILD / "tests" / "power_cut"
E2E = ROOT / "tests" / "e2e"
OUTBOX = ("core/base", "core/model", "core/outbox")
LAW = ("core/base", "core/model", "core/steer")
BATTERY = BUILD / "tests" / "battery"
PATH = OUTBOX + ("core/bus", "core/codec", "core/device", "core/sink", "core/task", "core/trust",
                 "host", "apps/jouleway")


class Campaign:
    """What is run, what its numbers mean, and what it tested."""

    def __init__(self, name, title, kind, command, ci, night, sentence, folders, beside):
        self.name, self.title, self.kind = name, title, kind
        self.command, self.ci, self.night = command, ci, night
        self.sentence, self.folders, self.beside = sentence, folders, beside


CAMPAIGNS = [
    Campaign("power_cut", "Power cut at any storage operation", "simulated",
             [CUTS / "power_cut"], ["--cuts", "5000000", "--threads", "2"],
             ["--cuts", "500000000", "--threads", "2"],
             "{cuts} cuts, {records_accepted} records accepted, {lost} lost", OUTBOX,
             "mosquitto's test rig: 15 000 mechanical power cycles"),
    Campaign("histories", "Every history of a few operations, every cut, up to two of the unsynced "
             "writes kept", "simulated, exhaustive",
             [CUTS / "histories"], ["--length", "4", "--threads", "2"],
             ["--length", "5", "--threads", "2"],
             "all {histories} histories of {length} operations, {cuts} cuts, {lost} lost", OUTBOX,
             "CrashMonkey: three operations found 24 of 26 file system bugs"),
    Campaign("damage", "Every bit of a small store flipped, every length cut off", "simulated, "
             "exhaustive", [CUTS / "damage"], ["--stride", "1"], ["--stride", "1"],
             "{bits_flipped} bits, {lengths} lengths: it always started, {intact_lost} intact "
             "records lost, {counted_damaged} damaged ones counted", OUTBOX,
             "mosquitto does not start on a zero-filled file (#3159, #2639)"),
    Campaign("world", "Whole worlds: devices, gateways, brokers, networks, all with faults",
             "simulated", [BUILD / "tests" / "world" / "world"], ["--seeds", "200"],
             ["--seeds", "20000"], "seeds {seeds}, {device_hours} device-hours, {accepted} records "
             "accepted, {power_cuts} power cuts, {lost} lost, {executed_twice} of {commands} "
             "commands executed twice, {unreported} not reported", PATH,
             "TigerBeetle: 1 024 cores around the clock, about 1000 times real time"),
    Campaign("battery_limits", "Batteries that charge, empty, freeze, fall silent and talk "
             "nonsense, under random settings", "simulated", [BATTERY / "battery_limits"],
             ["--states", "10000000", "--threads", "2"],
             ["--states", "1000000000", "--threads", "2", "--from", "1000000"],
             "{states} states, {violations} violations of I-12 to I-15, I-18 and I-22; {charging} "
             "of them allowed charging, {discharging} discharging", LAW,
             "no peer publishes such a figure"),
    Campaign("battery_silence", "Silence of a BMS in a random state: the longest that a current "
             "outlives the last reading", "simulated", [BATTERY / "battery_silence"],
             ["--states", "10000"], ["--states", "1000000", "--from", "1000000"],
             "{states} states: charging {charge_ms} ms; discharging on the grid "
             "{discharge_grid_ms} ms, off it {discharge_off_grid_ms} ms, or {discharge_outside_ms} "
             "ms if a cell lay outside the middle band", LAW,
             "Victron 3 s, SMA 60 s, dbus-serialbattery 60 s"),
    Campaign("cut_points", "The disk cut off at a block write: ext4 on dm-log-writes in a guest "
             "kernel, played back to random points", "real processes, real file system",
             [sys.executable, ROOT / "tests" / "uml" / "cut_points.py"], ["--cuts", "20"],
             ["--cuts", "5000", "--seconds", "600"], "{cuts} cuts in a log of {log_entries} block "
             "writes, {accepted_checked} times an accepted record was looked for, {lost} lost",
             PATH, "no peer publishes such a figure"),
    Campaign("command_kill", "kill -9 between every two steps of a command", "real processes, real "
             "broker", [sys.executable, E2E / "command_kill.py"], ["--rounds", "10"],
             ["--rounds", "1000"], "{kills} kills over {commands} commands, {executed} of the cut "
             "ones executed, {interrupted} reported as interrupted, {executed_twice} executed "
             "twice, {lost} not reported", PATH, "no peer publishes such a figure"),
    Campaign("command_answer", "kill -9 right after the API said 202, and between every two steps "
             "of such a command", "real processes, real broker",
             [sys.executable, E2E / "command_answer.py"], ["--answers", "200", "--rounds", "5"],
             ["--answers", "10000", "--rounds", "100"], "{kills} kills, {promised} of them after "
             "the 202: every command known afterwards, {executed} executed, {interrupted} reported "
             "as interrupted, {executed_twice} executed twice, {lost} not reported", PATH,
             "no peer publishes such a figure"),
    Campaign("kill_points", "kill -9 at named points: before, in the middle of or behind a call of "
             "its start, its load, a reconnection, a reload, a stop, a command", "real processes, "
             "real broker", [sys.executable, E2E / "kill_points.py"], ["--rounds", "1"],
             ["--rounds", "60"], "{kills} kills at {points} named points, none of them missed, "
             "{accepted} records accepted, {lost} lost, {commands} commands, {executed_twice} "
             "executed twice", PATH, "RocksDB's db_crashtest has such points, and no count"),
    Campaign("kill", "kill -9 of the real gateway under load", "real processes, real broker",
             [sys.executable, E2E / "kill.py"],
             ["--kills", "1000", "--records", "2000000", "--gateways", "3"],
             ["--kills", "20000", "--records", "40000000", "--gateways", "3"],
             "{kills} kills, {accepted} records accepted, {lost} lost, {duplicates} sent again",
             PATH, "NATS 2.12.1 lost 14.1 % of 930 005 acknowledged messages at a power loss"),
    Campaign("kill_broker", "The same, and the broker killed and its store lost, two-stage release "
             "on", "real processes, real broker", [sys.executable, E2E / "kill.py"],
             ["--kills", "200", "--gateways", "2", "--two-stage"],
             ["--kills", "4000", "--gateways", "2", "--two-stage"],
             "{kills} kills, {broker_kills} of the broker, {accepted} accepted, {lost} lost", PATH,
             "mosquitto alone: see the next row"),
    Campaign("kill_plain", "The same with two-stage release off: what a plain broker costs",
             "real processes, real broker", [sys.executable, E2E / "kill.py"],
             ["--kills", "60", "--plain"], ["--kills", "400", "--plain"],
             "{kills} kills, {broker_kills} of the broker, {accepted} accepted, {lost} lost",
             PATH, "this is the difference that two-stage release makes"),
    Campaign("soak", "An hour of load and trouble: does it keep what it takes?",
             "real processes, real broker", [sys.executable, E2E / "soak.py"], None,
             ["--minutes", "60"], "{minutes} minutes, {accepted} records accepted, {requests} "
             "requests, memory {memory_kb_per_hour} kB an hour, at most {files_most} open files",
             PATH, "no peer publishes such a figure"),
]
LOSS_EXPECTED = {"kill_plain"}
# What the campaigns found in the product, and the commit that mended it.
FOUND = [
    "histories: after failed syncs, copies counted as safe too early, generations came again, and "
    "segments lost the rest (d807844).",
    "world, seeds 5 and 43: a command waited for the next poll of its line, was reported silent "
    "and carried out all the same (f85e7b0).",
    "world, seeds 99, 125, 143 and 864: a journal found full, whose first sync failed, got stuck; "
    "a command begun after a failed sync could be executed twice (1345b22).",
    "battery_limits: time in which a current could not rise counted for its next rise; a stage of "
    "charging went below an empty pack; packs that exclude each other were steered; the board's "
    "sensor did not stand for lost ones (937f217).",
    "kill: a restart forgot the wall time of a boot where one of the sixteen boots before had "
    "never learned it; records that were sent again had no time (6d41fd5).",
]


def folder_hash(folders):
    """Of the product's files in these folders, tests left out."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".h", ".cpp"} and not path.stem.endswith("_test"):
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def commit():
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True,
                          text=True)
    return told.stdout.strip() or "unknown"


def run(campaign, night):
    """The numbers of one campaign, or the end of what it said."""
    arguments = campaign.night if night else campaign.ci
    begun = time.monotonic()
    told = subprocess.run([str(part) for part in campaign.command] + arguments, cwd=ROOT,
                          capture_output=True, text=True, timeout=20000,
                          env={**os.environ, "JOULEWAY_BUILD": str(BUILD)})
    lines = [line for line in told.stdout.splitlines() if line.startswith("{")]
    numbers = json.loads(lines[-1]) if lines else {}
    numbers["wall_s"] = round(time.monotonic() - begun, 1)
    lost = numbers.get("lost", numbers.get("intact_lost", 0))
    good = told.returncode == 0 and bool(lines) and (lost == 0 or campaign.name in LOSS_EXPECTED)
    if not good:
        print((told.stdout + told.stderr)[-2000:], file=sys.stderr)
    return good, numbers


def in_words(number):
    """1842331 as 1 842 331."""
    return f"{number:,}".replace(",", " ") if isinstance(number, int) else str(number)


def kept():
    """The figures that were counted last: {"campaigns": {name: …}, "planted": {name: …}}."""
    return json.loads(KEPT.read_text()) if KEPT.exists() else {"campaigns": {}, "planted": {}}


def row(campaign, figure):
    words = campaign.sentence.format(**{k: in_words(v) for k, v in figure["numbers"].items()})
    arguments = " ".join(campaign.night if figure["night"] else campaign.ci)
    program = pathlib.Path(campaign.command[-1]).relative_to(ROOT)
    return (f"| {campaign.title} | {campaign.kind} | {words} | {figure['numbers']['wall_s']:g} s "
            f"| {figure['commit']} | `{program} {arguments}` | {campaign.beside} |")


def ledger_rows():
    """Sums of the nights whose tested folders are as they are now."""
    sums = {}
    if LEDGER.exists():
        for line in LEDGER.read_text().splitlines():
            night = json.loads(line)
            campaign = next((c for c in CAMPAIGNS if c.name == night["campaign"]), None)
            if campaign and night["folders"] == folder_hash(campaign.folders):
                of_name = sums.setdefault(night["campaign"], {"nights": 0})
                of_name["nights"] += 1
                for key, value in night["numbers"].items():
                    if isinstance(value, int):
                        of_name[key] = of_name.get(key, 0) + value
    return sums


def plant(names):
    """Plants the known bugs; gives whether each was found by some campaign, and by which."""
    told = subprocess.run([sys.executable, ROOT / "tests" / "planted" / "run.py", "--only", names],
                          cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    bugs = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    return told.returncode == 0, {bug["planted"]: {**bug, "commit": commit()} for bug in bugs}


def planted_table(planted):
    """Who found which planted bug, after how many seconds."""
    if not planted:
        return "They have not been planted yet."
    of_name = {}
    rows = []
    for _, bug in sorted(planted.items()):
        said = []
        for name, result in bug["campaigns"].items():
            name = name.rsplit("/", 1)[-1]
            of_name.setdefault(name, []).append(result["found"])
            said.append(f"{name} {result['seconds']:g} s" if result["found"] else f"not by {name}")
        rows.append(f"| {bug['what']} | {', '.join(said)} | {bug['commit']} |")
    shares = ", ".join(f"{name} {sum(found)} of {len(found)}" for name, found in of_name.items())
    found = sum(bug["found"] for bug in planted.values())
    return (f"{found} of {len(rows)} are found. Of those that each campaign was tried on it found: "
            f"{shares}.\n\n"
            "| planted bug | found by, after | commit |\n|---|---|---|\n" + "\n".join(rows))


PAGE = """# Reliability

What the store survives is a claim only together with the faults that were tried. This page is
written by `tools/reliability.py --write`; nobody edits it.

## Fault model

1. Between two finished syncs any part of the writes may reach the medium, in any order, the last
   one torn at any byte.
2. A sync or a write may fail, once or from then on; the disk may be full or read-only.
3. Any bit of the medium may rot; any tail of the file may be missing or zero.
4. The process may be killed at any moment, also while it starts.
5. The broker may be killed at any moment and lose everything that it acknowledged.
6. Outside the model: a disk that loses what it called synced, two independent damages that hit the
   same record and its number, and whoever has the machine in hand.

*Simulated* means the real outbox over a simulated medium, or the real law of a battery on a
simulated clock; *real processes* means the shipped
gateway, simulated devices on loopback and a real mosquitto.

## Figures

{machine}; the machine was shared with other work.

| what | kind | counted | took | commit | command | beside |
|---|---|---|---|---|---|---|
{rows}

A record counts as accepted once the gateway said that it is on the medium; lost means accepted and
neither delivered nor announced as a gap. Records sent again carry the same identity.

## Planted bugs

A campaign that never found anything has not been shown to work: known bugs (`tests/planted`) are
put into a copy of the sources one by one, three of them in every CI run.

{planted}

## Bugs that the campaigns found

{found}

## Nights

{ledger}
"""


def write_page(figures):
    KEPT.write_text(json.dumps(figures, indent=1) + "\n")
    sums = ledger_rows()
    told = "\n".join(f"- {name}: {json.dumps(numbers)}" for name, numbers in sums.items())
    rows = [row(campaign, figures["campaigns"][campaign.name]) for campaign in CAMPAIGNS
            if campaign.name in figures["campaigns"]]
    (ROOT / "docs" / "RELIABILITY.md").write_text(PAGE.format(
        machine=f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}",
        rows="\n".join(rows), planted=planted_table(figures["planted"]),
        found="\n".join(f"- {bug}" for bug in FOUND),
        ledger=told or "No night has been counted for the present code yet."))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--night", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--planted", nargs="?", const="")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    passed = failed = 0
    figures = kept()
    for campaign in CAMPAIGNS:
        if arguments.only and campaign.name not in arguments.only.split(","):
            continue
        if not arguments.night and campaign.ci is None:
            continue
        good, numbers = run(campaign, arguments.night)
        passed, failed = passed + good, failed + (not good)
        print(f"{campaign.name}: {'ok' if good else 'FAILED'} {json.dumps(numbers)}", flush=True)
        if good:
            figures["campaigns"][campaign.name] = {
                "commit": commit(), "night": arguments.night, "numbers": numbers}
        if good and arguments.night:
            with LEDGER.open("a") as ledger:
                ledger.write(json.dumps({"campaign": campaign.name, "commit": commit(),
                                         "folders": folder_hash(campaign.folders),
                                         "numbers": numbers}) + "\n")
    if arguments.planted is not None:
        good, bugs = plant(arguments.planted)
        figures["planted"].update(bugs)
        passed, failed = passed + good, failed + (not good)
    if arguments.write and failed == 0:
        write_page(figures)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or (passed == 0 and not arguments.write) else 0


if __name__ == "__main__":
    sys.exit(main())
