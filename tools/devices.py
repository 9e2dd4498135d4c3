#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles devices/*.json to C++: devices.py OUT_FOLDER FILE...

What a file may say is docs/formats/devices.md. The shape is checked here, with file, path, value
and reason of every mistake; what the rows mean is checked by the compiler (static_assert of
registers::validate, which says the number of the row), and for files loaded at run time by the
same validate().
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLES = ["coil", "discrete_input", "holding", "input"]
FORMATS = ["bit", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
ORDERS = ["abcd", "cdab", "badc", "dcba"]
WHO = ["maker", "model", "version", "serial"]
LETTERS = {"phase": "l", "string": "s", "tariff": "t", "cell": "c", "sensor": ""}


def quantities():
    """Rows (enumerator, stem, unit, what the index counts) of the one table."""
    table = (ROOT / "core/model/quantity.cpp").read_text()
    rows = re.findall(r'\{Q::(\w+),\s*"(\w+)",\s*"(\w*)",\s*B::\w+,\s*I::(\w+)', table)
    return [row for row in rows if row[0] != "none"]


class File:
    """One description: collects what is wrong, with its path."""

    def __init__(self, path):
        self.path, self.errors, self.quantities = path, [], quantities()

    def wrong(self, where, value, reason):
        self.errors.append(f"{self.path}: {where}: {json.dumps(value)}: {reason}")

    def members(self, value, where, needed, optional=()):
        if not isinstance(value, dict):
            self.wrong(where or "/", value, "must be an object")
            return {}
        for key in value:
            if key not in needed and key not in optional:
                self.wrong(f"{where}/{key}", value[key], "is not known here")
        for key in needed:
            if key not in value:
                self.wrong(f"{where}/{key}", None, "is missing")
        return value

    def number(self, value, where, least, most):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(where, value, f"must be a whole number from {least} to {most}")
            return least
        return value

    def choice(self, value, where, choices):
        if value not in choices:
            self.wrong(where, value, "must be one of " + ", ".join(choices))
            return choices[0]
        return value

    def text(self, value, where, pattern=r".{1,96}"):
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.wrong(where, value, f"must be text that fits {pattern}")
            return ""
        return value

    def array(self, value, where):
        if not isinstance(value, list):
            self.wrong(where, value, "must be an array")
            return []
        return value

    def pattern(self, value, where):
        """Bits that mean "no value": "0xFFFF"."""
        if isinstance(value, str) and re.fullmatch(r"0x[0-9A-Fa-f]{1,16}", value):
            return int(value, 16)
        self.wrong(where, value, 'must be the bits in hexadecimal: "0xFFFF"')
        return 0

    def quantity(self, name, where):
        """power_l1_w -> ("power_w", 1), as core/model/quantity.h names it."""
        for enumerator, stem, unit, indexed in self.quantities:
            tail = f"_{unit}" if unit else ""
            if name == stem + tail:
                return enumerator, 0
            if indexed != "none":
                shape = f"{stem}_{LETTERS[indexed]}([1-9][0-9]{{0,2}}){tail}"
                found = re.fullmatch(shape, str(name))
                if found and int(found[1]) <= 255:
                    return enumerator, int(found[1])
        self.wrong(where, name, "is no quantity of core/model/quantity.h")
        return "none", 0


def identity(file, value, where):
    if isinstance(value, str):
        return f"{{.constant = {quoted(file.text(value, where, '.{0,32}'))}}}"
    value = file.members(value, where, ["table", "start", "count", "format"])
    kind = file.choice(value.get("format"), f"{where}/format", ["text", "number"])
    table = file.choice(value.get("table"), f"{where}/table", TABLES)
    start = file.number(value.get("start"), f"{where}/start", 0, 65535)
    count = file.number(value.get("count"), f"{where}/count", 1, 16)
    return (f"{{.kind = Identity::Kind::{kind}, .table = Table::{table},"
            f" .start = {start}, .count = {count}}}")


def block(file, value, where):
    value = file.members(value, where, ["table", "start", "count"])
    table = file.choice(value.get("table"), f"{where}/table", TABLES)
    start = file.number(value.get("start"), f"{where}/start", 0, 65535)
    count = file.number(value.get("count"), f"{where}/count", 1, 2000)
    return f"{{Table::{table}, {start}, {count}}},"


def row(file, value, where, number):
    """The row, its array of absent patterns, and its capability."""
    value = file.members(value, where, ["name", "table", "address", "format"],
                         ["order", "multiply", "divide", "sign", "scale", "absent", "set"])
    quantity, index = file.quantity(value.get("name"), f"{where}/name")
    table = file.choice(value.get("table"), f"{where}/table", TABLES)
    address = file.number(value.get("address"), f"{where}/address", 0, 65535)
    form = file.choice(value.get("format"), f"{where}/format", FORMATS)
    parts = [f".quantity = Quantity::{quantity}, .index = {index}",
             f".table = Table::{table}, .address = {address}, .format = Format::{form}"]
    if "order" in value:
        order = file.choice(value["order"], f"{where}/order", ORDERS)
        parts.append(f".order = WordOrder::{order}")
    for key in ("multiply", "divide"):
        if key in value:
            parts.append(f".{key} = {file.number(value[key], f'{where}/{key}', 1, 10**9)}")
    if "sign" in value:
        parts.append(f".sign = {file.number(value['sign'], f'{where}/sign', -1, 1)}")
    if "scale" in value:
        register = file.number(value["scale"], f"{where}/scale", 0, 65535)
        parts.append(f".scale_register = {register}")
    absent = ""
    if "absent" in value:
        bits = ", ".join(f"0x{file.pattern(p, f'{where}/absent/{i}'):X}"
                         for i, p in enumerate(file.array(value["absent"], f"{where}/absent")))
        if bits:
            absent = f"constexpr std::uint64_t absent_{number}[] = {{{bits}}};"
            parts.append(f".absent = absent_{number}")
    capability = f"Quantity::{quantity}, {index}"
    if "set" in value:
        change = file.members(value["set"], f"{where}/set", ["function", "least", "most"])
        function = file.number(change.get("function"), f"{where}/set/function", 5, 16)
        least, most = (file.number(change.get(k), f"{where}/set/{k}", -2**53, 2**53)
                       for k in ("least", "most"))
        parts.append(f".write_function = {function}, .least = {least}, .most = {most}")
        if index == 0:
            capability += f", true, {least}, {most}"
    return "{" + ",\n     ".join(parts) + "},", absent, "{" + capability + "},"


def self_test(file, value, where):
    value = file.members(value, where, ["registers", "expect", "identity"])
    arrays, images, expected = [], [], []
    for i, image in enumerate(file.array(value.get("registers"), f"{where}/registers")):
        at = f"{where}/registers/{i}"
        image = file.members(image, at, ["table", "start", "values"])
        table = file.choice(image.get("table"), f"{at}/table", TABLES)
        start = file.number(image.get("start"), f"{at}/start", 0, 65535)
        words = [file.number(w, f"{at}/values/{j}", 0, 65535)
                 for j, w in enumerate(file.array(image.get("values"), f"{at}/values"))]
        arrays.append(f"constexpr std::uint16_t image_{i}[] = {{{', '.join(map(str, words))}}};")
        images.append(f"{{Table::{table}, {start}, image_{i}}},")
    expect = value.get("expect")
    for name, number in (expect if isinstance(expect, dict) else {}).items():
        quantity, index = file.quantity(name, f"{where}/expect/{name}")
        if number is not None:
            number = file.number(number, f"{where}/expect/{name}", -2**62, 2**62)
            expected.append(f"{{Quantity::{quantity}, {index}, {number}}},")
    if not expected:
        file.wrong(f"{where}/expect", expect, "must expect at least one value")
    said = file.members(value.get("identity"), f"{where}/identity", WHO)
    texts = ", ".join(quoted(str(said.get(key, ""))) for key in WHO)
    return arrays, images, expected, texts


def quoted(text):
    return json.dumps(text)


DRIVER = """// Made by tools/devices.py from devices/{name}.json; change that file.
#include "generated/devices/devices.h"

#include "core/device/registers/register_device.h"

namespace jw::{name} {{
using namespace registers;  // NOLINT(google-build-using-namespace)
namespace {{
{absents}
constexpr Block blocks[] = {{
    {blocks}
}};
constexpr Row rows[] = {{
    {rows}
}};
constexpr Capability capabilities[] = {{
    {capabilities}
}};
}}  // namespace
constexpr RegisterMap map{{
    .name = "{name}",
    .maker = {maker},
    .model = {model},
    .version = {version},
    .serial = {serial},
    .registers_per_read_max = {limit},
    .blocks = blocks,
    .rows = rows,
}};
static_assert(MapIsRight<validate(map).problem, validate(map).part, validate(map).at>::right);
const Driver driver{{
    .name = "{name}",
    .line = LineKind::modbus,
    .memory = memory_of(map),
    .capabilities = capabilities,
    .make = make<map>,
}};
}}  // namespace jw::{name}
"""

TEST = """namespace {name}_test {{
{arrays}
constexpr Image images[] = {{
    {images}
}};
constexpr Value expected[] = {{
    {expected}
}};
}}  // namespace {name}_test
"""

TEST_ENTRY = """{{{name}::driver, {name}::map,
     {name}_test::images, {name}_test::expected, {{{texts}}}}},"""


def lines(items):
    return "\n    ".join(items)


def load(path):
    """The file and its top-level object, whose members are known."""
    file = File(path)
    try:
        data = json.loads(path.read_text(), object_pairs_hook=lambda pairs: once(file, pairs))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        sys.exit(f"{path}: is not JSON: {error}")
    return file, file.members(
        data, "", ["name", "title", "source", "identity", "blocks", "rows", "test"],
        ["registers_per_read_max"])


def compile_description(path):
    """Name, the C++ of the driver, the C++ of its self-test, the entry in the list of those."""
    file, data = load(path)
    name = file.text(data.get("name"), "/name", r"[a-z][a-z0-9_]{0,31}")
    if name != path.stem:
        file.wrong("/name", name, f"must be the name of the file, {path.stem}")
    file.text(data.get("title"), "/title")
    file.text(data.get("source"), "/source", r".{1,400}")
    said = file.members(data.get("identity"), "/identity", ["maker", "model"], WHO)
    who = {key: identity(file, said.get(key, ""), f"/identity/{key}") for key in WHO}
    limit = file.number(data.get("registers_per_read_max", 125), "/registers_per_read_max", 1, 125)
    blocks = [block(file, item, f"/blocks/{i}")
              for i, item in enumerate(file.array(data.get("blocks"), "/blocks"))]
    rows = [row(file, item, f"/rows/{i}", i)
            for i, item in enumerate(file.array(data.get("rows"), "/rows"))]
    for key, found in (("blocks", blocks), ("rows", rows)):
        if not found:
            file.wrong(f"/{key}", data.get(key), "must have at least one")
    arrays, images, expected, texts = self_test(file, data.get("test"), "/test")
    if file.errors:
        sys.exit("\n".join(file.errors))
    driver = DRIVER.format(
        name=name, limit=limit, blocks=lines(blocks), rows=lines(r[0] for r in rows),
        absents="\n".join(r[1] for r in rows if r[1]), capabilities=lines(r[2] for r in rows),
        **who)
    test = TEST.format(name=name, arrays="\n".join(arrays), images=lines(images),
                       expected=lines(expected))
    return name, driver, test, TEST_ENTRY.format(name=name, texts=texts)


def once(file, pairs):
    keys = [key for key, _ in pairs]
    for key in set(keys):
        if keys.count(key) > 1:
            file.wrong("/", key, "stands twice in one object")
    return dict(pairs)


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: devices.py OUT_FOLDER FILE...")
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    made = [compile_description(pathlib.Path(p)) for p in sorted(sys.argv[2:])]
    head = "// Made by tools/devices.py from devices/*.json.\n"
    declared = "\n".join(
        f"namespace jw::{name} {{\n"
        "extern const Driver driver;\nextern const registers::RegisterMap map;\n}"
        for name, *_ in made)
    (out / "devices.h").write_text(head + f"""#pragma once
#include "core/device/device.h"
#include "core/device/registers/register_map.h"

{declared}
""")
    for name, driver, _, _ in made:
        (out / f"{name}.cpp").write_text(driver)
    (out / "drivers.cpp").write_text(head + f"""#include "core/device/registers/drivers.h"

#include "generated/devices/devices.h"

namespace jw::registers {{
std::span<const Driver* const> drivers() {{
    static constexpr const Driver* all[] = {{
        {lines(f"&{name}::driver," for name, *_ in made)}
    }};
    return all;
}}
}}  // namespace jw::registers
""")
    tests = "\n".join(test for _, _, test, _ in made)
    entries = "\n    ".join(entry for *_, entry in made)
    (out / "self_tests.cpp").write_text(head + f"""#include "core/device/registers/self_test.h"

#include "generated/devices/devices.h"

namespace jw::registers {{
namespace {{
{tests}
const SelfTest all[] = {{
    {entries}
}};
}}  // namespace
std::span<const SelfTest> self_tests() {{
    return all;
}}
}}  // namespace jw::registers
""")


if __name__ == "__main__":
    main()
