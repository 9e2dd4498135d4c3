#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much RAM the node takes, by part, gated; docs/FOOTPRINT.md says it.

    tools/footprint.py IMAGE                     the document is true and the limit holds
    tools/footprint.py IMAGE --stack N           and the N bytes of stack just measured fit it
    tools/footprint.py IMAGE --stack N --write   writes the document

Exit code: 0 all holds, 1 it does not."""
import argparse
import pathlib
import re
import subprocess
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parent.parent / "docs" / "FOOTPRINT.md"
LIMIT = 10_240
STACK_STEP = 256  # a measured stack is rounded up to this
PARTS = {
    "Outbox": ["outbox", "segments", "sinks", "clocks", "outbox_record", "registered_crc32c"],
    "Meter: device, Modbus line": ["device_memory", "open_requests", "line_in", "line_out"],
    "Uplink to the gateway": ["batch", "entries", "record", "received"],
    "Board, console": ["flash", "report_stack()::most", "report_stack()::next"],
    "C library (start, argument line of the debugger)": [
        "cmdline.0", "argv.1", "__stdio", "feature_bytes", "got_feature_bytes"],
}
HEAP = {"malloc", "calloc", "realloc", "free", "sbrk", "_sbrk", "operator new(unsigned int)"}

NOTES = f"""
- **Static** is `__bss_end` less `__data_start` of the linked image; the parts are sizes of its
  symbols. The C library's buffers for the argument line of a debugger would not be on a real
  board; they count here all the same.
- **Stack** is painted when the program starts; the firmware says on its console how much of it
  was ever overwritten. The number is the most that was seen while the power was cut 50 times
  (`tests/node`), rounded up to {STACK_STEP}. It holds the objects of the meter's line and of the
  uplink as well, which live in the main function.
- **Heap**: no function that allocates is in the image.
- There is no TLS, no IP stack and no operating system in this firmware: its gateway is at the
  other end of a serial line. A board with a radio takes the memory of that beside this.

Written by `tools/footprint.py`; ctest `footprint` (preset `rv32`) compares it with the image,
ctest `node` with a measured stack.
"""


def read_symbols(image, nm="riscv64-unknown-elf-nm"):
    """[(name, size, section letter, address)] of the image."""
    lines = subprocess.run([nm, "-S", "-C", str(image)], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    found = []
    for line in lines:
        if match := re.match(r"([0-9a-f]+) (?:([0-9a-f]+) )?(\w) (.+)", line):
            address, size, letter, name = match.groups()
            name = name.replace("jw::", "").replace("(anonymous namespace)::", "")
            found.append((name, int(size or "0", 16), letter.lower(), int(address, 16)))
    return found


def measure(symbols):
    """({part: bytes}, heap functions found): what .data and .bss hold."""
    at = {name: address for name, _, _, address in symbols}
    static = at["__bss_end"] - at["__data_start"]
    of_part = {part: 0 for part in PARTS}
    part_of = {name: part for part, names in PARTS.items() for name in names}
    other = 0
    for name, size, letter, _ in symbols:
        if letter in "dbsg" and size:
            if name in part_of:
                of_part[part_of[name]] += size
            else:
                other += size
    of_part["Other variables"] = other
    of_part["Space between, for alignment"] = static - sum(of_part.values())
    return of_part, sorted(HEAP & {name for name, _, _, _ in symbols})


def document(of_part, stack):
    static = sum(of_part.values())
    rows = [f"| {part} | {size} |" for part, size in of_part.items() if size]
    return "\n".join([
        "# RAM of the node", "",
        "What `joulenode` takes on a 32-bit machine (rv32imc, MinSizeRel), nothing left out.", "",
        "| part | bytes |", "|---|---:|", *rows,
        f"| **static: .data and .bss** | **{static}** |",
        f"| stack, most ever in use | {stack} |",
        "| heap | 0 |",
        f"| **total** | **{static + stack}** |",
        f"| limit | {LIMIT} |", NOTES])


def documented_stack(text):
    match = re.search(r"^\| stack, most ever in use \| (\d+) \|$", text, re.MULTILINE)
    return int(match.group(1)) if match else None


def problems(of_part, heap, text, stack=None):
    """What does not hold, in words."""
    result = []
    if heap:
        result.append(f"the image can allocate: {', '.join(heap)}")
    said = documented_stack(text)
    if said is None:
        return [*result, "the document gives no stack"]
    if stack is not None and stack > said:
        result.append(f"the stack needed {stack} bytes, the document says {said}")
    total = sum(of_part.values()) + max(said, stack or 0)
    if total > LIMIT:
        result.append(f"{total} bytes in total, the limit is {LIMIT}")
    if text != document(of_part, said):
        result.append("the document is not what this image gives; write it again with --write")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--stack", type=int, help="bytes of stack that a run was seen to need")
    parser.add_argument("--write", action="store_true", help="write docs/FOOTPRINT.md")
    wanted = parser.parse_args()
    of_part, heap = measure(read_symbols(wanted.image))
    if wanted.write:
        if not wanted.stack:
            parser.error("--write needs a measured --stack")
        stack = -(-wanted.stack // STACK_STEP) * STACK_STEP
        DOCUMENT.write_text(document(of_part, stack), encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    found = problems(of_part, heap, text, wanted.stack)
    for problem in found:
        print(f"footprint: {problem}", file=sys.stderr)
    if not found:
        static, stack = sum(of_part.values()), documented_stack(text)
        print(f"footprint: {static} static + {stack} stack + 0 heap = {static + stack} "
              f"of {LIMIT} bytes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
