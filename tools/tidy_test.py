#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks each rule of tools/tidy.py once in a small clean tree and sees it reported."""
import pathlib
import subprocess
import sys
import tempfile

TIDY = pathlib.Path(__file__).with_name("tidy.py")
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "#pragma once\n// A header.\n"
CLEAN = {
    "core/base/result.h": HEADER + "inline constexpr unsigned file_id_salt = 0;\n",
    "core/base/arena.h": HEADER + "#include <new>\n",
    "core/codec/frame.cpp": SPDX + '#include <span>\n#include "core/base/result.h"\n',
    "core/device/meter/meter.cpp": SPDX + '#include "core/codec/frame.h"\n',
    "core/device/meter/meter_test.cpp": SPDX + '// vectors/meter\n#include <vector>\n',
    "host/tcp.cpp": SPDX + '#include <string>\n#include "core/base/result.h"\n',
    "apps/gateway/main.cpp": SPDX + '#include "host/tcp.h"\n',
    "vectors/meter/a.vec": "in 01\n",
    "docs/devices.md": "# Devices\n\n| device | what |\n|---|---|\n| `meter` | power |\n",
    "ARCHITECTURE.md": "# Architecture\n\nSee [devices](docs/devices.md).\n\n## Codemap\n\n"
    + "".join(f"| `{folder}/` | what it is |\n" for folder in (
        "apps", "apps/gateway", "core", "core/base", "core/codec", "core/device", "docs", "host",
        "vectors")),
}
LONG = "void f() {\n" + "    g();\n" * 70 + "}\n"


def code(text):
    return SPDX + text + "\n"


# Each row: the file that is written (None: removed), its text, and what tidy has to say.
BREACHES = [
    ("core/codec/bad.cpp", code('#include "core/model/reading.h"'), "may not include core/model"),
    ("core/outbox/bad.cpp", code('#include "core/sink/mqtt.h"'), "may not include core/sink"),
    ("core/base/bad.cpp", code('#include "host/tcp.h"'), "core may not include host"),
    ("host/bad.cpp", code('#include "sim/clock.h"'), "host may not include sim"),
    ("sim/bad.cpp", code('#include "host/tcp.h"'), "sim may not include host"),
    ("firmware/bad.cpp", code('#include "host/tcp.h"'), "firmware may not include host"),
    ("tests/bad.cpp", code('#include "apps/gateway/main.h"'), "tests may not include apps"),
    ("host/bad.cpp", code('#include "tcp.h"'), "not named from the root"),
    ("core/base/bad.cpp", code("#include <string>"), "<string> is not allowed in core"),
    ("core/base/bad.cpp", code("#include <new>"), "<new> is not allowed in core"),
    ("core/base/bad.cpp", code("void* p = malloc(4);"), "memory from the heap"),
    ("core/base/bad.cpp", code("int* p = new int(4);"), "memory from the heap"),
    ("core/base/bad.cpp", code("double volts = 1;"), "floating point"),
    ("core/base/bad.cpp", code("float volts = 1;"), "floating point"),
    ("core/base/bad.cpp", code("std::string name;"), "uses the heap"),
    ("core/base/bad.cpp", code("auto t = std::time(nullptr);"), "clock, I/O or environment"),
    ("core/base/bad.cpp", code("void f() { throw 1; }"), "exceptions or RTTI"),
    ("core/base/bad.cpp", code("bool b = at + n > buffer.size();"), "may overflow"),
    ("core/base/bad.cpp", code("bool b = at + n > end;"), "may overflow"),
    ("core/model/bad.cpp", code("int sample = 0;"), "second word for one idea"),
    ("core/model/bad.cpp", code("int data_points = 0;"), "second word for one idea"),
    ("core/model/bad.cpp", code("// Reads a Fronius inverter."), "names a product"),
    ("host/bad.cpp", code('int r = system("ls");'), "a shell"),
    ("host/bad.cpp", code('auto* f = popen("ls", "r");'), "a shell"),
    ("host/bad.cpp", code("class TcpManager {};"), "a type name without a noun"),
    ("host/bad.cpp", code("class IStorage {};"), "a type name without a noun"),
    ("host/bad.cpp", code("std::this_thread::sleep_for(x);"), "a fixed sleep"),
    ("host/bad.cpp", code("usleep(5);"), "a fixed sleep"),
    ("tests/bad.py", "# SPDX\nimport time\ntime.sleep(3)\n", "a fixed sleep"),
    ("host/bad.cpp", code("// " + "x" * 100), "longer than 100 columns"),
    ("host/bad.cpp", code(LONG), "a function of 72 lines"),
    ("tools/bad.py", "# SPDX\ndef f():\n" + "    pass\n" * 70, "longer than 70 lines"),
    ("host/bad.cpp", code("int x;\n" * 599), "a file of 601 lines"),
    ("host/bad.cpp", "int x;\n", "no licence line"),
    ("tools/bad.sh", "#!/bin/sh\n", "no licence line"),
    ("host/bad.h", SPDX + "int x;\n", "without #pragma once"),
    ("host/bad.h", SPDX + "#pragma once\nint x;\n", "without #pragma once"),
    ("host/bad.cpp", code("// FIX" + "ME: later"), "an open end"),
    ("docs/bad.md", "# A\n\nTO" + "DO\n", "an open end"),
    ("host/bad.cpp", code('const char* p = "/ro' + 'ot/x";'), "a path of one machine"),
    ("docs/bad.md", "# A\n\nSee /wo" + "rk/x.\n", "a path of one machine"),
    ("web/package-lock.json", '{"resol' + 'ved": "x"}\n', "host of a registry"),
    (".npmrc", "registry=https://regis" + "try.npmjs.org\n", "host of a registry"),
    ("host/util.cpp", code(""), "names no idea"),
    ("host/tcp_helper.cpp", code(""), "names no idea"),
    ("common/tcp.cpp", code(""), "names no idea"),
    ("host/TcpLine.cpp", code(""), "has capitals"),
    ("core/device/meter/meter_test.cpp", None, "a device without a test"),
    ("docs/devices.md", "# Devices\n\nThe meter.\n", "no row names meter"),
    ("devices/solar.json", "{}\n", "no row names solar"),
    ("vectors/forgotten/a.vec", "in 01\n", "vectors that nothing runs"),
    ("docs/bad.md", "# A\n\n# B\n", "2 headings of the first level"),
    ("docs/bad.md", "# A\n\n[b](gone.md)\n", "leads nowhere"),
    ("docs/bad.md", "# A\n" + "x\n" * 200000, "a file of 400004 bytes"),
    ("benches/bad.cpp", code(""), "the codemap lacks benches"),
    ("core/sink/bad.cpp", code(""), "the codemap lacks core/sink"),
    ("vectors/meter/a.vec", None, "the codemap names vectors"),
]


def tidy(change):
    """Runs tidy over the clean tree with one change; gives its exit code and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **change}.items():
            if text is not None:
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        ids = pathlib.Path(folder, "ids.txt")
        run = subprocess.run([sys.executable, TIDY, folder, "--ids", ids], capture_output=True,
                             text=True, check=False)
        return run.returncode, run.stdout + run.stderr, ids.read_text() if ids.exists() else ""


def twins():
    """Two paths of one file id, found as tidy computes it."""
    seen = {}
    for number in range(1 << 16):
        name, value = f"host/a{number}.cpp", 2166136261
        for byte in name.encode():
            value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
        other = seen.setdefault(((value >> 16) ^ value) & 0xFFFF, name)
        if other != name:
            return other, name
    raise AssertionError("no two names share an id")


def main():
    passed = failed = 0

    def expect(name, holds, printed):
        nonlocal passed, failed
        passed, failed = passed + holds, failed + (not holds)
        if not holds:
            print(f"FAILED {name}: tidy printed:\n{printed}")

    status, printed, ids = tidy({})
    expect("a clean tree passes", status == 0 and "clean" in printed, printed)
    expect("every file has its id written", len(ids.splitlines()) == 7, ids)
    for path, text, words in BREACHES:
        status, printed, _ = tidy({path: text})
        expect(f"{path}: {words}", status == 1 and words in printed, printed)
    first, second = twins()
    status, printed, _ = tidy({first: code(""), second: code("")})
    expect("two files with one id", status == 1 and "set file_id_salt" in printed, printed)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed or not passed else 0)


main()
