#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spoils a description of devices/ in each way and sees tools/devices.py name place and reason."""
import json
import pathlib
import subprocess
import sys
import tempfile

TOOL = pathlib.Path(__file__).with_name("devices.py")
GOOD = json.loads((TOOL.parent.parent / "devices/demo_meter.json").read_text())


def edit(*path_and_value):
    """A change: the path of a member, then its new value (None: it goes)."""
    *path, last, value = path_and_value

    def change(data):
        for key in path:
            data = data[key]
        if value is None:
            del data[last]
        else:
            data[last] = value
    return change


# What is changed, and what the message must hold.
BREACHES = [
    (edit("name", "other"), '/name: "other": must be the name of the file, demo_meter'),
    (edit("name", "Demo"), '/name: "Demo": must be text that fits'),
    (edit("titel", "x"), '/titel: "x": is not known here'),
    (edit("blocks", None), "/blocks: null: is missing"),
    (edit("blocks", []), "/blocks: []: must have at least one"),
    (edit("blocks", 1, "count", 0), "/blocks/1/count: 0: must be a whole number from 1 to 2000"),
    (edit("rows", 3, "name", "current_a"), '/rows/3/name: "current_a": is no quantity'),
    (edit("rows", 3, "name", "soc_l1_permille"), "is no quantity"),
    (edit("rows", 3, "format", "u8"), '/rows/3/format: "u8": must be one of bit, u16'),
    (edit("rows", 3, "table", "inputs"), '/rows/3/table: "inputs": must be one of coil'),
    (edit("rows", 3, "order", "ABCD"), '/rows/3/order: "ABCD": must be one of abcd'),
    (edit("rows", 3, "divide", 0), "/rows/3/divide: 0: must be a whole number from 1"),
    (edit("rows", 3, "multiply", 0.1), "/rows/3/multiply: 0.1: must be a whole number"),
    (edit("rows", 3, "address", True), "/rows/3/address: true: must be a whole number"),
    (edit("rows", 3, "absent", ["65535"]), '/rows/3/absent/0: "65535": must be the bits'),
    (edit("rows", 0, "set", "most", None), "/rows/0/set/most: null: is missing"),
    (edit("identity", "serial", "format", "hex"), '/identity/serial/format: "hex": must be one'),
    (edit("identity", "maker", None), "/identity/maker: null: is missing"),
    (edit("test", "expect", {}), "/test/expect: {}: must expect at least one value"),
    (edit("test", "expect", "power_kw", 1), '/test/expect/power_kw: "power_kw": is no quantity'),
    (edit("test", "registers", 1, "values", 0, 70000), "/test/registers/1/values/0: 70000"),
]


def run(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "demo_meter.json"
        path.write_text(text)
        return subprocess.run([sys.executable, TOOL, folder + "/out", path],
                              capture_output=True, text=True, check=False)


def main():
    failures = 0
    good = run(json.dumps(GOOD))
    if good.returncode != 0:
        failures += 1
        print(f"the good file is refused: {good.stderr}")
    cases = [(json.dumps(spoilt(change)), wanted) for change, wanted in BREACHES]
    cases.append(('{"name": }', "is not JSON: Expecting value: line 1 column 10"))
    cases.append(('{"name": "a", "name": "b"}', '"name": stands twice in one object'))
    for text, wanted in cases:
        result = run(text)
        if result.returncode == 0 or wanted not in result.stderr or "Trace" in result.stderr:
            failures += 1
            print(f"expected: {wanted}\nsaid:     {result.stderr.strip() or 'nothing'}")
    print(f"{len(cases) + 1 - failures} passed, {failures} failed, 0 skipped")
    return 1 if failures else 0


def spoilt(change):
    data = json.loads(json.dumps(GOOD))
    change(data)
    return data


if __name__ == "__main__":
    sys.exit(main())
