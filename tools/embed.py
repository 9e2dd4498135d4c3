#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an assembly and a C++ file that make files part of a program (host/embedded.h).

usage: embed.py OUT_BASE [--folder NAME=FOLDER]... [NAME=FILE]...

A file that ends in .gz stands in the table without that ending, marked as gzipped; the plain file
beside it is left out. A folder that does not exist adds nothing.
"""
import hashlib
import pathlib
import sys


def collect(arguments):
    files = {}
    plain = []
    folder = False
    for argument in arguments:
        if argument == "--folder":
            folder = True
            continue
        name, _, path = argument.partition("=")
        path = pathlib.Path(path)
        if not folder:
            plain.append((name, path))
        elif path.is_dir():
            inside = [p for p in path.rglob("*") if p.is_file()]
            plain += [(f"{name}/{p.relative_to(path).as_posix()}", p) for p in inside]
        folder = False
    for name, path in sorted(plain):
        files.setdefault(name.removesuffix(".gz"), path)
        if name.endswith(".gz"):
            files[name.removesuffix(".gz")] = path
    return sorted(files.items())


def main():
    out = sys.argv[1]
    files = collect(sys.argv[2:])
    assembly = ["/* Written by tools/embed.py. */", "    .section .rodata"]
    table = []
    symbols = []
    for index, (name, path) in enumerate(files):
        content = path.read_bytes()
        assembly += [
            "    .balign 16",
            f"    .globl jw_embedded_{index}",
            f"    .hidden jw_embedded_{index}",
            f"jw_embedded_{index}:",
            f'    .incbin "{path.resolve().as_posix()}"',
        ]
        symbols.append(f"extern const std::uint8_t jw_embedded_{index}[];")
        gzipped = "true" if path.suffix == ".gz" else "false"
        digest = hashlib.sha256(content).hexdigest()
        view = f"{{jw_embedded_{index}, {len(content)}}}"
        table.append(f'    {{"{name}", "{digest}", {gzipped}, {view}}},')
    assembly.append('    .section .note.GNU-stack,"",%progbits')
    source = [
        "// Written by tools/embed.py.",
        '#include "host/embedded.h"',
        'extern "C" {',
        *symbols,
        "}",
        "namespace jw {",
        "std::span<const EmbeddedFile> embedded_files() {",
        "    static const EmbeddedFile table[] = {",
        *table,
        "    };",
        "    return table;",
        "}",
        "const EmbeddedFile* embedded_file(std::string_view name) {",
        "    for (const EmbeddedFile& file : embedded_files()) {",
        "        if (file.name == name) {",
        "            return &file;",
        "        }",
        "    }",
        "    return nullptr;",
        "}",
        "}  // namespace jw",
    ]
    pathlib.Path(out + ".S").write_text("\n".join(assembly) + "\n")
    pathlib.Path(out + ".cpp").write_text("\n".join(source) + "\n")


if __name__ == "__main__":
    main()
