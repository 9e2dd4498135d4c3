#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the release, runs every bench, prints one table and writes it to docs/PERFORMANCE.md.

    ./bench                 all of them, some minutes; the page is written
    ./bench --quick         a smoke run of some seconds: do they work? Nothing is written
    ./bench micro start     only these; their rows are printed, nothing is written
    ./bench --keep          everything, but only printed

Each program writes its rows where --json says (benches/report.h)."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / "build" / "release" / "benches"
PAGE = ROOT / "docs" / "PERFORMANCE.md"
BEGIN, END = "<!-- made by ./bench -->", "<!-- end of what ./bench made -->"
# In the order of the table; joulebench has rows of its own.
PROGRAMS = ["outbox_append", "outbox_latency", "joulebench", "start", "micro"]
MINUTES_MAX = 15


def say(*words):
    print("bench:", *words, file=sys.stderr, flush=True)


def found(name):
    """The program of that name, in the folder of the benches or in one of its own."""
    for path in (BUILT / name, BUILT / name / name):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def build():
    log = ROOT / "build" / "logs" / "bench.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    say("building")
    with open(log, "w", encoding="utf-8") as out:
        for command in (["cmake", "--preset", "release"],
                        ["cmake", "--build", "--preset", "release", "--target", *PROGRAMS]):
            ended = subprocess.run(command, cwd=ROOT, stdout=out, stderr=out, check=False)
            if ended.returncode != 0:
                sys.exit(f"bench: the build failed, see {log.relative_to(ROOT)}")


def run(name, folder, quick):
    """The report of one program; None where it is not built."""
    program = found(name)
    if program is None:
        say(f"{name} is not built, its rows are missing")
        return None
    report = folder / f"{name}.json"
    command = [str(program), "--json", str(report), "--folder", str(folder)]
    command += (["all"] if name == "joulebench" else []) + (["--quick"] if quick else [])
    say(name, "...")
    began = time.monotonic()
    try:
        ended = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=False, text=True,
                               stderr=subprocess.STDOUT, timeout=60 * MINUTES_MAX,
                               stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        sys.exit(f"bench: {name} was stopped after {MINUTES_MAX} minutes")
    if ended.returncode != 0 or not report.exists():
        sys.exit(f"bench: {name} ended with {ended.returncode}:\n{ended.stdout}")
    say(f"{name} took {time.monotonic() - began:.0f} s")
    try:
        return checked(json.loads(report.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f"bench: the report of {name} is no report: {error}")


def checked(report):
    """The report, if it keeps the contract of benches/report.h."""
    if not report["rows"]:
        raise ValueError("it has no rows")
    for row in report["rows"]:
        for key in ("what", "beside", "figure", "unit", "ratio", "least", "reached", "note"):
            row[key]  # pylint: disable=pointless-statement
        if row["ratio"] is not None:
            row["ratio"]["median"], row["ratio"]["min"], row["ratio"]["max"]
        if row["least"] and not isinstance(row["reached"], bool):
            raise ValueError(f"{row['what']}: a target without its outcome")
    return report


def number(value):
    """Three digits that count, in groups of three."""
    if value is None:
        return ""
    if abs(value) >= 1000:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}".replace(",", " ")
    return f"{value:.3g}"


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(rows):
    lines = ["| what | measured | beside | ratio, median (min–max) | target | reached | note |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        ratio = row["ratio"]
        spread = "" if ratio is None else \
            f"{number(ratio['median'])}× ({number(ratio['min'])}–{number(ratio['max'])})"
        reached = {True: "yes", False: "**no**", None: ""}[row["reached"] if row["least"] else None]
        cells = [row["what"], f"{number(row['figure'])} {row['unit']}", row["beside"], spread,
                 row["least"], reached, row["note"]]
        lines.append("| " + " | ".join(cell(c) for c in cells) + " |")
    return "\n".join(lines)


def first_line(*command):
    try:
        ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False, text=True,
                               stderr=subprocess.DEVNULL)
    except OSError:
        return ""
    return ended.stdout.splitlines()[0].strip() if ended.stdout else ""


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine(folder):
    """What the figures belong to; the name of the machine is nobody's business."""
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text("utf-8"))
    changed = "" if not first_line("git", "status", "--porcelain", "--untracked-files=no") \
        else ", with changes"
    return "\n".join([
        f"- processor: {cpu()}, {os.cpu_count()} cores, {platform.machine()}, "
        f"{int(memory[1]) >> 20} GB",
        f"- system: Linux {platform.release()}, files on "
        f"{first_line('findmnt', '-no', 'FSTYPE', '-T', str(folder))}",
        f"- compiler: {first_line('c++', '--version')}; the hardened release build "
        "(cmake/hardening.cmake)",
        f"- libraries: {libraries()}",
        f"- commit {first_line('git', 'rev-parse', '--short', 'HEAD')}{changed}, "
        f"{datetime.date.today().isoformat()}",
    ])


def libraries():
    versions = []
    for name, package in (("SQLite", "libsqlite3-0"), ("RocksDB", "librocksdb7.8"),
                          ("mosquitto", "mosquitto"), ("Google Benchmark", "libbenchmark-dev")):
        version = first_line("dpkg-query", "-W", "-f", "${Version}\n", package)
        if version:
            versions.append(f"{name} {version}")
    return ", ".join(versions)


def disk_line(reports):
    """What fdatasync of the disk took, program by program."""
    parts = [f"{name} p50 {number(report['disk']['fdatasync_p50_us'])} µs, "
             f"p99 {number(report['disk']['fdatasync_p99_us'])} µs"
             for name, report in reports.items() if report.get("disk")]
    return "fdatasync of the same disk in the same run (4 KiB, file written beforehand): " + \
        ("; ".join(parts) or "not measured")


def missed(rows):
    lines = [f"- {row['what']}, beside {row['beside'] or 'nothing'}: target {row['least']}"
             for row in rows if row["least"] and not row["reached"]]
    if not lines:
        return "Every target was reached in this run."
    return "Not reached in this run (why: see above):\n\n" + "\n".join(lines)


def write_page(made):
    text = PAGE.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    PAGE.write_text(f"{text[:begin]}\n\n{made}\n\n{text[end:]}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(prog="./bench", description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", help="only these: " + ", ".join(PROGRAMS))
    parser.add_argument("--quick", action="store_true",
                        help="a smoke run; the figures mean nothing")
    parser.add_argument("--keep", action="store_true", help="leave docs/PERFORMANCE.md as it is")
    parser.add_argument("--built", action="store_true", help="do not build first")
    options = parser.parse_args()
    if unknown := [name for name in options.programs if name not in PROGRAMS]:
        parser.error(f"unknown: {' '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    if not options.built:
        build()
    (ROOT / "build").mkdir(exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
    try:
        reports = {}
        for name in options.programs or PROGRAMS:
            report = run(name, folder, options.quick)
            if report is not None:
                reports[name] = report
        if not reports:
            sys.exit("bench: there is no bench to run; tools/install.sh bench, then build")
        rows = [row for report in reports.values() for row in report["rows"]]
        made = "\n\n".join([machine(folder), disk_line(reports), table(rows), missed(rows)])
    finally:
        shutil.rmtree(folder)
    print(made)
    if not (options.quick or options.keep or options.programs):
        write_page(made)
        say(f"written to {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
