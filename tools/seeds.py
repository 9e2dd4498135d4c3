#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the `in` lines of golden vectors into binary fuzz seeds.

`in 01 03 …` is hex, `text …` is text with \\r \\n."""
import pathlib
import sys

source, target = map(pathlib.Path, sys.argv[1:3])
target.mkdir(parents=True, exist_ok=True)
count = 0
for vector in sorted(source.glob("*.vec")):
    for number, line in enumerate(vector.read_text().splitlines()):
        seed = target / f"{vector.stem}_{number}"
        if line.startswith("in "):
            seed.write_bytes(bytes.fromhex(line[3:]))
            count += 1
        elif line.startswith("text "):
            seed.write_bytes(line[5:].encode().decode("unicode_escape").encode("latin-1"))
            count += 1
if count == 0:
    sys.exit(f"seeds: no vector in {source} has an `in` or `text` line")
