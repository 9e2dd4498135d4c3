#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns one folder of golden vectors into a header: vectors.py SOURCE_FOLDER TARGET.h

A vector is one or more `in` lines (hex) or `text` lines (with \\r \\n), which are joined, then one `out` line.
The header defines jw::vectors::<folder>, an array of jw::Vector (core/base/vector.h)."""
import pathlib
import sys

source, target = map(pathlib.Path, sys.argv[1:3])
wire = source.name
data, rows = bytearray(), []


def stop(where, reason):
    sys.exit(f"vectors: {where}: {reason}")


for path in sorted(source.glob("*.vec")):
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith("# "):
        stop(path, "the first line must be a comment that cites the source")
    begun = None
    for number, line in enumerate(lines, 1):
        where = f"{path.name}:{number}"
        word, _, rest = line.partition(" ")
        if word in ("in", "text"):
            begun = (where, len(data)) if begun is None else begun
            try:
                data += bytes.fromhex(rest) if word == "in" else rest.encode().decode("unicode_escape").encode("latin-1")
            except ValueError as error:
                stop(where, error)
        elif word == "out":
            if begun is None:
                stop(where, "`out` without `in` or `text` before it")
            text = rest.replace("\\", "\\\\").replace('"', '\\"')
            rows.append(f'    {{"{wire}/{begun[0]}", Bytes({wire}_bytes).subspan({begun[1]}, {len(data) - begun[1]}), "{text}"}},')
            begun = None
        elif line and not line.startswith("#"):
            stop(where, "a line begins with `#`, `in`, `text` or `out`")
    if begun is not None:
        stop(f"{path.name}", "the last vector has no `out` line")
if not rows:
    stop(source, "no vector")

hexed = [", ".join(f"0x{byte:02X}" for byte in data[at:at + 16]) for at in range(0, len(data), 16)]
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(
    f"// Written by tools/vectors.py from vectors/{wire}.\n#pragma once\n#include \"core/base/vector.h\"\n\nnamespace jw::vectors {{\n\n"
    f"inline constexpr std::uint8_t {wire}_bytes[] = {{\n    " + ",\n    ".join(hexed) + ",\n};\n"
    f"inline constexpr Vector {wire}[] = {{\n" + "\n".join(rows) + "\n};\n\n}  // namespace jw::vectors\n", encoding="utf-8")
