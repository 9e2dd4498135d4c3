#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs the suites that `./test` names, counts every test truthfully, prints each time.

A suite that ran nothing has failed. The last line is `N passed, N failed, N skipped`, alone."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "logs"
RECORDED = ROOT.parent / "shared" / "data"
JOBS = str(os.cpu_count() or 2)
# How the test programs say how many they ran; the groups are named passed, failed, skipped, ran.
SUMMARIES = [
    r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed, (?P<skipped>\d+) skipped$",
    r"^\s*Tests\s+(?:(?P<failed>\d+) failed \| )?(?:(?P<passed>\d+) passed)?"
    r"(?: \| )?(?:(?P<skipped>\d+) skipped)? \(\d+\)",
    r"^\[==========\] (?P<ran>\d+) tests? from .* ran\.",
    r"^\[  SKIPPED \] (?P<skipped>\d+) tests?",
    r"^\[  FAILED  \] (?P<failed>\d+) tests?",
    r"^(?:#|ℹ) pass (?P<passed>\d+)$",
    r"^(?:#|ℹ) fail (?P<failed>\d+)$",
    r"^(?:#|ℹ) (?:skipped|todo) (?P<skipped>\d+)$",
    r"^Ran (?P<ran>\d+) tests? in ",
    r"^FAILED \(.*?(?:failures|errors)=(?P<failed>\d+)",
    r"^OK \(skipped=(?P<skipped>\d+)\)",
]


class Count:
    """How many tests of a suite passed, failed and were skipped."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def counted(output, succeeded):
    """Reads the counts that a test program printed; one that prints none counts as one test."""
    sums = {"passed": 0, "failed": 0, "skipped": 0, "ran": 0}
    known = False
    for line in re.sub(r"\x1b\[[0-9;]*m", "", output).splitlines():
        for pattern in SUMMARIES:
            if match := re.match(pattern, line):
                known = True
                for name, value in match.groupdict().items():
                    sums[name] += int(value or 0)
                break
    if not known:
        return Count(1, 0) if succeeded else Count(0, 1)
    passed = sums["passed"] + max(0, sums["ran"] - sums["failed"] - sums["skipped"])
    count = Count(passed, sums["failed"], sums["skipped"])
    if (not succeeded and count.failed == 0) or count.passed + count.failed + count.skipped == 0:
        count.failed += 1  # it broke outside of its tests, or ran none
    return count


def run(suite, *command, folder=ROOT, minutes=20, **environment):
    """Runs a command, keeps what it prints in the suite's log; gives (succeeded, output)."""
    LOGS.mkdir(parents=True, exist_ok=True)
    command = [str(part) for part in command]
    try:
        ended = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, errors="replace",
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                               text=True, timeout=60 * minutes, env={**os.environ, **environment})
        status, output = ended.returncode, ended.stdout
    except subprocess.TimeoutExpired as late:
        status, output = -1, (late.stdout or b"").decode(errors="replace")
        output += f"\nstopped after {minutes} minutes\n"
    except OSError as error:
        status, output = -1, f"{error}\n"
    with open(LOGS / f"{suite}.log", "a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n{output}\n[exit {status}]\n")
    if status != 0:
        lines = output.splitlines()
        print(f"--- {suite}: {' '.join(command)} ended with {status}:")
        print("\n".join(["..."] * (len(lines) > 80) + lines[-80:]), flush=True)
    return status == 0, output


def build(suite, preset, *targets, options=()):
    """Configures and builds a preset; gives whether both succeeded."""
    if not run(suite, "cmake", "--preset", preset, *options)[0]:
        return False
    wanted = ["--target", *targets] if targets else []
    every = ["--", "-k", "0"] if preset == "lint" else []  # all findings at once
    return run(suite, "cmake", "--build", "--preset", preset, "-j", JOBS, *wanted, *every,
               minutes=60)[0]


def ctest(suite, preset, *filters, minutes=40):
    """Runs ctest and counts the tests inside each of its programs."""
    report = LOGS / f"{suite}.xml"
    report.unlink(missing_ok=True)
    succeeded, _ = run(suite, "ctest", "--preset", preset, "-j", JOBS, "--output-junit", report,
                       "--test-output-size-passed", 10_000_000, "--test-output-size-failed",
                       10_000_000, *filters, minutes=minutes)
    total = Count()
    if report.exists():
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            total.add(counted_case(suite, case))
    if not succeeded and total.failed == 0:
        total.failed += 1
    return total


def counted_case(suite, case):
    name, seconds = case.get("name"), float(case.get("time") or 0)
    if case.find("skipped") is not None:
        print(f"    {suite}: {name} skipped: {case.find('skipped').get('message')}")
        return Count(0, 0, 1)
    count = counted(case.findtext("system-out") or "", case.get("status") == "run")
    if count.failed or count.skipped or seconds > 10:
        print(f"    {suite}: {name}: {count} in {seconds:.0f} s", flush=True)
    return count


def suite_format():
    files = [*ROOT.glob("*/**/*.h"), *ROOT.glob("*/**/*.cpp")]
    ours = sorted(f for f in files if not {"build", "node_modules"} & set(f.parts))
    succeeded, _ = run("format", "clang-format", "--dry-run", "-Werror", *ours)
    return Count(1, 0) if succeeded else Count(0, 1)


def suite_dev():
    if not build("dev", "dev", options=["-DJW_WEB=OFF"]):
        return Count(0, 1)
    return ctest("dev", "dev", "-LE", "campaign|nightly")


def suite_rv32():
    return ctest("rv32", "rv32") if build("rv32", "rv32") else Count(0, 1)


def suite_fuzz():
    if not build("fuzz", "fuzz", "fuzzers", options=["-DJW_FUZZ_RUNS=20000"]):
        return Count(0, 1)
    return ctest("fuzz", "fuzz", "-R", "^fuzz_")


# The suite `reliability` runs these, with the counts that docs/RELIABILITY.md shows.
COUNTED_THERE = r"^((power_cut|histories|damage)_campaign|world|e2e_(command_)?kill.*|uml_.*)$"


def suite_release():
    if not build("release", "release"):
        return Count(0, 1)
    return ctest("release", "release", "-LE", "nightly", "-E", COUNTED_THERE)


def suite_reliability():
    """The campaigns against store and gateway; the suite `release` has built what they need."""
    succeeded, output = run("reliability", sys.executable, "tools/reliability.py", minutes=60)
    return counted(output, succeeded)


def suite_web():
    web = ROOT / "web"
    wanted, installed = web / "package-lock.json", web / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        if not run("web", "npm", "ci", "--no-audit", "--no-fund", folder=web)[0]:
            return Count(0, 1)
    succeeded, output = run("web", "npm", "test", folder=web)
    return counted(output, succeeded)


def suite_browser():
    succeeded, output = run("browser", "npm", "run", "browser", folder=ROOT / "web")
    return counted(output, succeeded)


def suite_package():
    succeeded, output = run("package", "tools/package.sh", "--test")
    return counted(output, succeeded)


def suite_lint():
    return Count(1, 0) if build("lint", "lint") else Count(0, 1)


def suite_tsan():
    if not build("tsan", "tsan", options=["-DJW_WEB=OFF"]):
        return Count(0, 1)
    return ctest("tsan", "tsan", "-LE", "campaign|nightly")


def suite_night():
    """What is labelled nightly: planted bugs, long campaigns, long fuzzing."""
    count = ctest("night", "release", "-L", "nightly", minutes=300)
    if build("night", "fuzz", "fuzzers", options=["-DJW_FUZZ_RUNS=5000000"]):
        count.add(ctest("night", "fuzz", "-R", "^fuzz_", minutes=300))
    return count


COVERING = ["core_tests", "sim_tests", "golden_tests", "recorded_tests", "trace_test", "power_cut",
            "histories", "damage", "world"]


def suite_coverage():
    """The tests of core reach at least 95 % of its lines and 90 % of its branches."""
    if not build("coverage", "coverage", *COVERING, "fuzzers"):
        return Count(0, 1)
    for counter in (ROOT / "build" / "coverage").rglob("*.gcda"):
        counter.unlink()
    count = ctest("coverage", "coverage", "-LE", "campaign|nightly", "-R",
                  "^(core|sim|golden|recorded|trace|power_cut|histories|damage|fuzz_.*)$")
    succeeded, output = run("coverage", "build/coverage/tests/world/world", "--seeds", "10",
                            "--minutes", "120")
    count.add(counted(output, succeeded))
    succeeded, output = run(
        "coverage", "gcovr", "--root", ".", "--object-directory", "build/coverage",
        "--filter", "core/", "--exclude", r".*_test\.cpp", "--exclude", r".*/test(_main)?\..*",
        "--exclude-throw-branches", "--exclude-unreachable-branches",
        "--exclude-branches-by-pattern", r"^\s*CHECK\(",  # its other branch ends the program
        "--sort-percentage",
        "--fail-under-line", "95", "--fail-under-branch", "90", "--print-summary")
    for line in output.splitlines():
        if re.match(r"(lines|branches|functions): ", line):
            print(f"    coverage of core: {line}")
    count.add(Count(1, 0) if succeeded else Count(0, 1))
    return count


PLAIN = ["format", "web", "dev", "rv32", "fuzz"]
CI = [*PLAIN, "release", "reliability", "browser", "package"]
MODES = {
    "plain": PLAIN,
    "--ci": CI,
    "--nightly": [*CI, "coverage", "tsan", "lint", "night"],
    "--coverage": ["coverage"],
}


def main():
    names = sys.argv[1:] or ["plain"]
    known = {name[6:]: suite for name, suite in globals().items() if name.startswith("suite_")}
    if names == ["--list"]:
        print(json.dumps({"suites": sorted(known), "modes": MODES}, indent=1))
        return 0
    names = MODES.get(names[0], names)
    if unknown := [name for name in names if name not in known]:
        print(f"test: unknown: {' '.join(unknown)}; see ./test --list", file=sys.stderr)
        return 2
    if sys.argv[1:2] in (["--ci"], ["--nightly"]):
        os.environ.setdefault("JOULEWAY_RECORDED", "required")
    total = Count()
    if os.environ.get("JOULEWAY_RECORDED") == "required" and not RECORDED.is_dir():
        print(f"test: recorded data is required, but {RECORDED} is absent")
        total.add(Count(0, 1))
    lines = []
    for name in names:
        began = time.monotonic()
        (LOGS / f"{name}.log").unlink(missing_ok=True)
        print(f"{name} ...", flush=True)
        count = known[name]()
        if count.passed + count.failed == 0:
            print(f"    {name}: no test ran, which counts as a failure")
            count.failed += 1
        lines.append(f"{name:<9} {time.monotonic() - began:6.0f} s  {count}")
        print(lines[-1], flush=True)
        total.add(count)
    print("\n" + "\n".join(lines))
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
