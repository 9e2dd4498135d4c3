#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns jumps of the core's machine code round, one at a time, and counts which tests notice.

Each conditional jump of a folder becomes "always" or "never"; the core tests and a short campaign
of power cuts run against that. A mutant that none of them notices has survived. Jumps to a failed
CHECK are left out: they are never taken by code that is right. Needs build/release."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
JUMP = re.compile(r"^\tj(?!mp)[a-z]+\t(\.L\d+)$")
SECONDS_MAX = 120  # a mutant that runs longer hangs: noticed
# What may notice a mutant, in this order: program of the build, arguments by day and at night.
PROGRAMS = (
    ("core/core_tests", [], []),
    ("tests/power_cut/power_cut", ["--cuts", "100000"], ["--cuts", "1000000"]),
    ("tests/power_cut/histories", ["--length", "1"], ["--length", "2"]),
    ("tests/power_cut/damage", ["--stride", "499"], ["--stride", "64"]),
    ("tests/world/world", ["--seeds", "4", "--minutes", "120"], ["--seeds", "20"]))
# What of the release build only traps or hardens; -O1 without what copies code keeps one jump for
# one decision. A copy for a rare case is no decision: to turn it round seldom shows.
UNWANTED = ("-fsanitize", "-g", "-O2", "-MD", "-c", "-fcf-protection", "-fstack", "-D_GLIBCXX",
            "-D_FORTIFY", "-U_FORTIFY")
WANTED = ("-O1", "-g1", "-fno-stack-protector", "-fno-if-conversion", "-fno-inline",
          "-fno-shrink-wrap", "-fno-tree-ch", "-S", "-o", "-")


def compile_command(source):
    """The compiler call of a source file, up to what names files."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]).resolve() == source.resolve():
            words = shlex.split(entry["command"])
            break
    else:
        sys.exit(f"mutate: {source} is not part of build/release")
    words = words[1:] if "ccache" in words[0] else words
    kept, skip = [], False
    for word in words:
        if skip or word == str(source):
            skip = False
        elif word in ("-MT", "-MF", "-o"):
            skip = True
        elif not word.startswith(UNWANTED) and not word.endswith(source.name):
            kept.append(word)
    return kept


def link_command(target):
    """The words that link a test program, and the archives in them, from the build's own record."""
    lines = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", target], check=True,
                           text=True, capture_output=True).stdout.splitlines()
    return shlex.split(lines[-1].removeprefix(": && ").removesuffix(" && :"))


def source_line(place):
    """The text at a place like core/outbox/read.cpp:12."""
    file, line = place.rsplit(":", 1)
    return (ROOT / file).read_text().splitlines()[int(line) - 1].strip()


def jumps(lines, folder):
    """Numbers of the lines with a jump of our own that does not lead to a failed CHECK."""
    of_source = places(lines, folder)
    checks = {place for place in set(of_source) - {None}
              if source_line(place).startswith("CHECK(")}
    after = {}
    for number, line in enumerate(lines):
        if line.endswith(":") and line.startswith(".L"):
            after[line[:-1]] = "\n".join(lines[number + 1:number + 8])
    result = []
    for number, line in enumerate(lines):
        match = JUMP.match(line)
        if (match and of_source[number] and of_source[number] not in checks and
                "check_failed" not in after.get(match.group(1), "")):
            result.append(number)
    return result


def places(lines, folder):
    """Which line of this folder's files each line of assembly comes from; None: of no such file."""
    files = dict(re.findall(r'\.file (\d+) "([^"]+)"', "\n".join(lines)))
    result, place = [], None
    for line in lines:
        if match := re.match(r"\t\.loc (\d+) (\d+)", line):
            parts = f"/{files.get(match.group(1), '')}".rpartition(f"/{folder}/")
            place = f"{folder}/{parts[2]}:{match.group(2)}" if parts[1] else None
        result.append(place)
    return result


def enters_loop(lines, number, folder):
    """Whether a jump leaves a loop before its first turn; where there is always a first turn, to
    leave it out changes nothing."""
    text = source_line(places(lines, folder)[number])
    target = JUMP.match(lines[number]).group(1) + ":"
    return text.startswith("for (") and target in lines[number:]


def notices(command):
    """Whether a test program fails, breaks or hangs."""
    try:
        return subprocess.run(command, cwd=BUILD, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=SECONDS_MAX,
                              check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def try_mutant(mutant, lines, links, folder):
    """Builds one mutant; gives the name of the program that noticed it, or None."""
    source, number, always = mutant
    changed = list(lines)
    target = JUMP.match(lines[number]).group(1)
    changed[number] = f"\tjmp\t{target}" if always else "\tnop"
    return try_program(source, f"{number}_{int(always)}", changed, links, folder)


def try_program(source, label, lines, links, folder):
    """Builds the test programs with this assembly for a source; gives the first that fails."""
    name = f"{folder}/{source.stem}_{label}"
    pathlib.Path(name + ".s").write_text("\n".join(lines) + "\n")
    subprocess.run(["as", name + ".s", "-o", name + ".o"], check=True)
    noticed = None
    for target_name, words, arguments in links:
        program = f"{name}_{pathlib.Path(target_name).name}"
        call = [program if word == target_name else word for word in words]
        call.insert(call.index(program) + 1, name + ".o")  # before the archive that has the same
        subprocess.run(call, cwd=BUILD, check=True)
        if noticed is None and notices([program, *arguments]):
            noticed = pathlib.Path(target_name).name
        os.unlink(program)
        if noticed:
            break
    os.unlink(name + ".s")
    os.unlink(name + ".o")
    return noticed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="for example core/outbox")
    parser.add_argument("--number", type=int, default=100, help="mutants to draw; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--night", action="store_true", help="longer campaigns")
    parser.add_argument("--least", type=int, default=0, help="per cent that must be noticed")
    wanted = parser.parse_args()
    links = [(target, link_command(target), night if wanted.night else day)
             for target, day, night in PROGRAMS]
    assembly, mutants = {}, []
    with tempfile.TemporaryDirectory() as folder:
        sources = [path for place in wanted.folders for path in sorted((ROOT / place).glob("*.cpp"))
                   if not path.name.endswith("_test.cpp")]
        for source in sources:
            text = subprocess.run([*compile_command(source), str(source), *WANTED],
                                  cwd=BUILD, check=True, text=True, capture_output=True).stdout
            assembly[source] = text.splitlines()
            ours = source.parent.relative_to(ROOT)
            mutants += [(source, number, always) for number in jumps(assembly[source], ours)
                        for always in (True, False)
                        if always or not enters_loop(assembly[source], number, ours)]
        for source in sources:
            # The same with its jumps as they are; where that fails, nothing would be shown.
            if try_program(source, "sound", assembly[source], links, folder):
                sys.exit(f"mutate: {source.name} fails its tests without any mutation")
        known = len(mutants)
        random.Random(wanted.seed).shuffle(mutants)
        mutants = mutants[:wanted.number or None]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(
                lambda mutant: try_mutant(mutant, assembly[mutant[0]], links, folder), mutants))
    for (source, number, always), by in zip(mutants, found):
        if by is None:
            place = places(assembly[source], source.parent.relative_to(ROOT))[number]
            print(f"survived: {place} {'always' if always else 'never'} jumps")
    noticed = sum(by is not None for by in found)
    print(json.dumps({"campaign": "mutants", "folders": [str(f) for f in wanted.folders],
                      "known": known, "tried": len(mutants), "noticed": noticed,
                      "by": {name: found.count(name) for name in sorted(set(found) - {None})},
                      "seed": wanted.seed}))
    return 0 if noticed * 100 >= wanted.least * len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
