#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an assembly and a C++ file that make files part of a program (host/embedded.h).

usage: embed.py OUT_BASE [--folder NAME=FOLDER]... [NAME=FILE]...

Files of a folder are gzipped, or taken from the file of the same name with .gz where there is one.
A folder that does not exist adds nothing.
"""
import gzip
import hashlib
import pathlib
import sys


def folder_files(name, folder):
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".gz":
            zipped = path.with_name(path.name + ".gz")
            content = zipped.read_bytes() if zipped.is_file() else None
            if content is None:
                content = gzip.compress(path.read_bytes(), 9, mtime=0)
            files[f"{name}/{path.relative_to(folder).as_posix()}"] = (content, True)
        elif path.is_file() and not path.with_suffix("").exists():
            relative = path.with_suffix("").relative_to(folder).as_posix()
            files[f"{name}/{relative}"] = (path.read_bytes(), True)
    return files


def collect(arguments):
    files = {}
    folder = False
    for argument in arguments:
        if argument == "--folder":
            folder = True
            continue
        name, _, path = argument.partition("=")
        path = pathlib.Path(path)
        if folder:
            if path.parts and path.is_dir():
                files.update(folder_files(name, path))
        else:
            files[name] = (path.read_bytes(), False)
        folder = False
    return sorted(files.items())


def main():
    out = pathlib.Path(sys.argv[1])
    parts = out.with_name(out.name + ".parts")
    parts.mkdir(exist_ok=True)
    assembly = ["/* Written by tools/embed.py. */", "    .section .rodata"]
    table = []
    symbols = []
    for index, (name, (content, gzipped)) in enumerate(collect(sys.argv[2:])):
        part = parts / str(index)
        part.write_bytes(content)
        symbol = f"jw_embedded_{index}"
        assembly += [
            "    .balign 16",
            f"    .globl {symbol}",
            f"    .hidden {symbol}",
            f"{symbol}:",
            f'    .incbin "{part.resolve().as_posix()}"',
        ]
        symbols.append(f"extern const std::uint8_t {symbol}[];")
        digest = hashlib.sha256(content).hexdigest()
        view = f"{{{symbol}, {len(content)}}}"
        table.append(f'    {{"{name}", "{digest}", {"true" if gzipped else "false"}, {view}}},')
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
    pathlib.Path(f"{out}.S").write_text("\n".join(assembly) + "\n")
    pathlib.Path(f"{out}.cpp").write_text("\n".join(source) + "\n")


if __name__ == "__main__":
    main()
