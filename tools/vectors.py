#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns one folder of golden vectors into a header: vectors.py SOURCE_FOLDER TARGET.h

A vector is one or more `in` lines (hex) or `text` lines (\\r \\n), which are joined, then the `out`
or `error` lines that must come of them. tests/golden reads the same files where there is a file
system. The header defines jw::vectors::<folder>, an array of jw::Vector (core/base/vector.h)."""
import pathlib
import sys

source, target = map(pathlib.Path, sys.argv[1:3])
wire = source.name
data, rows = bytearray(), []


def stop(where, reason):
    sys.exit(f"vectors: {where}: {reason}")


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def payload(word, rest):
    if word == "in":
        return bytes.fromhex(rest)
    return rest.encode().decode("unicode_escape").encode("latin-1")


for path in sorted(source.glob("*.vec")):
    begun, expected = None, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() + ["in"], 1):
        where = f"{path.name}:{number}"
        word, _, rest = line.partition(" ")
        if word in ("in", "text"):
            if expected:
                rows.append(f'    {{"{wire}/{begun[0]}", Bytes({wire}_bytes).subspan({begun[1]}, '
                            f"{begun[2] - begun[1]}), {quoted(chr(10).join(expected))}}},"
                            .replace(chr(10), "\\n"))
                begun, expected = None, []
            start = (where, len(data)) if begun is None else begun[:2]
            try:
                data += payload(word, rest)
            except ValueError as error:
                stop(where, error)
            begun = (*start, len(data))
        elif word in ("out", "error") and begun is not None:
            expected.append(line)
        elif line and not line.startswith("#"):
            stop(where, "expected `#`, `in`, `text`, or behind these `out` or `error`")
    if begun[0] != where:
        stop(begun[0], "nothing is expected of the last vector")
if not rows:
    stop(source, "no vector")

hexed = [", ".join(f"0x{byte:02X}" for byte in data[at:at + 16]) for at in range(0, len(data), 16)]
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(f"""// Written by tools/vectors.py from vectors/{wire}.
#pragma once
#include "core/base/vector.h"

namespace jw::vectors {{

inline constexpr std::uint8_t {wire}_bytes[] = {{
    {(","+chr(10)+"    ").join(hexed)},
}};
inline constexpr Vector {wire}[] = {{
{chr(10).join(rows)}
}};

}}  // namespace jw::vectors
""", encoding="utf-8")
