#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the `in` lines of golden vectors into binary fuzz seeds.

`in 01 03 …` is hex, `text …` is text with \\r \\n; lines that follow each other make up one
seed, as tests/golden reads them."""
import pathlib
import sys

source, target = map(pathlib.Path, sys.argv[1:3])
target.mkdir(parents=True, exist_ok=True)
count = 0
for vector in sorted(source.glob("*.vec")):
    seed = b""
    for number, line in enumerate(vector.read_text().splitlines() + [""]):
        if line.startswith("text "):
            seed += line[5:].encode().decode("unicode_escape").encode("latin-1")
        elif line.startswith("in "):
            seed += bytes.fromhex(line[3:])
        elif seed:
            (target / f"{vector.stem}_{number}").write_bytes(seed)
            seed = b""
            count += 1
if count == 0:
    sys.exit(f"seeds: no vector in {source} has an `in` or `text` line")
