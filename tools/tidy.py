#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that no compiler checks: `tidy.py [ROOT] [--ids FILE]`.

Prints file:line: what: what to do; exits 1 on any breach. tools/tidy_test.py breaks each rule
once and sees it reported."""
import ast
import pathlib
import re
import subprocess
import sys

# Who may include whom inside core, besides itself. The path of a reading goes from top to bottom.
MAY_INCLUDE = {
    "base": set(),
    "bus": {"base"},
    "codec": {"base"},
    "device": {"base", "bus", "codec", "model"},
    "model": {"base"},
    "outbox": {"base", "model"},
    "sink": {"base", "codec", "model"},
    "steer": {"base", "model"},
    "task": set("base bus codec device model outbox sink steer trust update".split()),
    "trust": {"base", "model"},
    "update": {"base", "model", "trust"},
}
# Who may include whom at the top, besides itself. Nothing includes apps.
TOP_MAY_INCLUDE = {
    "core": set(),
    "host": {"core"},
    "firmware": {"core"},
    "sim": {"core"},
    "hub": {"core", "host"},
    "apps": {"core", "host", "firmware", "sim", "hub"},
    "fuzz": {"core", "host", "sim"},
    "benches": {"core", "host", "sim", "hub"},
    "tests": {"core", "host", "sim", "hub"},
}
DEPENDENCIES = "see the dependency rule in ARCHITECTURE.md"
CORE_HEADERS = set(
    "array bit charconv compare concepts cstddef cstdint cstring initializer_list limits optional "
    "span string_view tuple type_traits utility variant algorithm".split())
CORE_EXTRA_HEADERS = {"core/base/arena.h": {"new"}, "core/base/test.h": {"cstdio"}}
BANNED_IN_CORE = [
    (r"\b(malloc|calloc|realloc|free)\s*\(", "memory from the heap", "take a span at construction"),
    (r"(?<!::)\bnew\s+[\w:(]|\bdelete\b(?!\s*;)", "memory from the heap",
     "use an Arena or a member"),
    (r"\b(float|double)\b", "floating point", "use a scaled integer"),
    (r"\bstd::(string|vector|map|function|unique_ptr|shared_ptr)\b", "a type that uses the heap",
     "use core/base/list.h, text.h or a span"),
    (r"\bstd::(time|rand|getenv|chrono)\b|\b(printf|fopen)\s*\(", "clock, I/O or environment",
     "take it as an argument"),
    (r"\b(throw|dynamic_cast|typeid)\b", "exceptions or RTTI", "return a Result"),
    (r"\+\s*[\w.]+(\(\))?\s*>=?\s*[\w.]*(end|size|room|remaining|capacity|limit)(\(\)|_)?\b",
     "a sum that may overflow compared with a bound", "compare `n > size - at`"),
    (r"(?i)(?<![a-z])(samples?|data_?points?|measurements?|assets?|exporters?)(?![a-z])",
     "a second word for one idea", "say reading, device or sink (glossary in ARCHITECTURE.md)"),
]
BANNED_IN_CPP = [
    (r"(?<![\w.>:])(system|popen)\s*\(|std::system\s*\(", "a shell", "call the library or exec"),
    (r"\b(class|struct)\s+(\w*(Impl|Manager|Helper|Util)|I[A-Z][a-z]\w*)\b",
     "a type name without a noun", "name what it is"),
]
NOT_FUNCTIONS = set("if for while switch do else namespace class struct enum union extern".split())
PRODUCT_FREE = {"base", "bus", "codec", "model"}
PRODUCTS = (r"(?i)\b(azure|aws|gcp|sparkplug|fronius|sungrow|solaredge|growatt|huawei|victron|"
            r"eastron)\b")
SLEEP = r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\(|waitForTimeout"
# Where a fixed sleep may stand, and why.
SLEEPS_ALLOWED = {"host/file_storage_test.cpp": "plays a medium that takes 200 ms for a sync"}
BAD_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
UPPER_NAMES = {"CMakeLists.txt", "CMakePresets.json", "Dockerfile"}
# Lines that a file may have above 600 until it is split; a number here only ever goes down.
RATCHET = {}  # path: lines
PAGES = {".ts", ".tsx", ".mjs", ".css"}
CODE = PAGES | {".h", ".cpp", ".c", ".py", ".sh", ".cmake"}
CPP = {".h", ".cpp", ".c"}
# Written in pieces, so that this file passes its own rule.
MACHINE = ("(?<![\\w.$}-])/(" + "wo" + "rk|ro" + "ot|fa" + "rm)/|/tmp/" + "brief|bash" + "_jobs|"
           "\\.lib" + "rary/")
REGISTRY = "registry" + r"\.npmjs\.org|deb\." + r"debian\.org|pypi" + r"\.org|\"" + "resolved\":"

errors = []
root = pathlib.Path(".")


def fail(path, line, what, instead):
    errors.append(f"{path}:{line}: {what}: {instead}")


def listing():
    """Every file that is tracked or would be, as paths relative to the root."""
    git = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                         capture_output=True, check=False)
    if git.returncode == 0 and (root / ".git").exists():
        paths = [pathlib.Path(p.decode()) for p in git.stdout.split(b"\0") if p]
    else:
        skipped = {"build", "node_modules", "dist", ".git", ".run", "__pycache__"}
        paths = [p.relative_to(root) for p in root.rglob("*") if p.is_file()]
        paths = [p for p in paths if not skipped & set(p.parts)]
    return sorted(p for p in paths if (root / p).is_file())


def without_text(line):
    """The line without comments and without what stands inside quotes."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return re.sub(r"'(\\.|[^'\\])'", "''", line).split("//")[0]


def core_folder(path):
    return path.parts[1] if path.parts[0] == "core" and len(path.parts) > 2 else None


def check_include(path, number, line):
    if not (match := re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)):
        return
    top, core = path.parts[0], core_folder(path)
    name, is_test = match[2], path.stem.endswith("_test") or path.stem == "test_main"
    if match[1] == "<":
        allowed = CORE_HEADERS | CORE_EXTRA_HEADERS.get(str(path), set())
        if core and not is_test and name not in allowed:
            fail(path, number, f"<{name}> is not allowed in core", "use core/base or an argument")
        return
    parts = name.split("/")
    if len(parts) < 2 or parts[0] not in TOP_MAY_INCLUDE:
        if top in ("core", "host", "firmware", "sim") and parts[0] != "generated":
            fail(path, number, f'"{name}" is not named from the root', "write the whole path")
    elif parts[0] != top and parts[0] not in TOP_MAY_INCLUDE.get(top, set()):
        fail(path, number, f"{top} may not include {parts[0]}", DEPENDENCIES)
    elif core and parts[0] == "core" and parts[1] not in MAY_INCLUDE.get(core, set()) | {core}:
        fail(path, number, f"core/{core} may not include core/{parts[1]}", DEPENDENCIES)


def check_cpp(path, lines):
    core = core_folder(path)
    is_test = path.stem.endswith("_test") or path.name in ("test.h", "test_main.cpp")
    if path.suffix == ".h" and (lines[1:2] != ["#pragma once"] or lines[2][:2] != "//"):
        fail(path, 2, "a header without #pragma once and a sentence that says what it is",
             "put both below the licence line")
    for number, line in enumerate(lines, 1):
        check_include(path, number, line)
        code = without_text(line)
        rules = BANNED_IN_CPP + (BANNED_IN_CORE if core and not is_test else [])
        for pattern, what, instead in rules:
            if re.search(pattern, code) and not code.lstrip().startswith("#include"):
                fail(path, number, what, instead)
        if core in PRODUCT_FREE and re.search(PRODUCTS, line):
            fail(path, number, f"core/{core} names a product or a cloud", "say what the wire does")
    check_function_length(path, lines)


def check_function_length(path, lines):
    """Finds each brace block whose head is a function's and measures it."""
    head, stack = "", []
    for number, line in enumerate(lines, 1):
        code = "" if line.lstrip().startswith("#") or line.endswith("\\") else without_text(line)
        for character in code + " ":
            if character == "{":
                first = re.match(r"\s*(\w*)", head)[1]
                stack.append((number, "(" in head and first not in NOT_FUNCTIONS))
                head = ""
            elif character == "}" and stack:
                began, function = stack.pop()
                if function and number - began >= 70:
                    fail(path, began, f"a function of {number - began + 1} lines", "split it")
                head = ""
            else:
                head = "" if character == ";" else head + character


def check_text(path, text, lines):
    code = path.suffix in CODE or path.name == "CMakeLists.txt" or text.startswith("#!")
    for number, line in enumerate(lines, 1):
        if path.suffix in PAGES:  # a sentence for people stands in one line
            too_long = len(re.sub(r"'[^']*'|`[^`]*`", "", line)) > 120
        else:
            too_long = code and len(line) > 100
        if too_long:
            fail(path, number, "a line longer than 100 columns (pages: 120)", "break it")
        if re.search(r"\b(FIX" + "ME|TO" + r"DO|XX" + r"X)\b", line):
            fail(path, number, "an open end", "finish it, or put a line into docs/roadmap.md")
        if re.search(MACHINE, line):
            fail(path, number, "a path of one machine", "name it relative to the project")
        if re.search(REGISTRY, line):
            fail(path, number, "the host of a registry", "leave it to the client's settings")
        if code and str(path) not in SLEEPS_ALLOWED:
            if re.search(SLEEP, without_text(line)):
                fail(path, number, "a fixed sleep", "wait for what should happen, with a deadline")
    limit = RATCHET.get(str(path), 600)
    if code and len(lines) > limit:
        fail(path, limit + 1, f"a file of {len(lines)} lines", f"split it, at most {limit}")
    if code and path.name != "CMakeLists.txt" and "SPDX" not in "\n".join(lines[:3]):
        fail(path, 1, "no licence line", "begin with SPDX-License-Identifier: Apache-2.0")


def check_python(path, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 70:
            fail(path, node.lineno, "a function longer than 70 lines", "split it")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "asyncio.sleep"):
            pause = node.args[0]
            if isinstance(pause, ast.Constant) and pause.value > 0.2:
                fail(path, node.lineno, "a fixed sleep", "poll for what should happen")


def check_markdown(path, lines):
    fenced, titles = False, 0
    for number, line in enumerate(lines, 1):
        fenced ^= line.lstrip().startswith("```")
        if fenced:
            continue
        titles += line.startswith("# ")
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            target = target.split("#")[0]
            if re.match(r"[a-z]+:", target):
                continue
            if target and not (root / path.parent / target).exists():
                fail(path, number, f"the link {target} leads nowhere", "mend or remove it")
    if titles != 1:
        fail(path, 1, f"{titles} headings of the first level", "have exactly one")


def check_name(path):
    for part in path.parts:
        stem = part.split(".")[0] if not part.startswith(".") else ""
        if BAD_NAMES & set(re.split(r"[_-]", stem)):
            fail(path, 0, f"{part} names no idea", "a thing that fits nowhere lacks a noun")
        mixed = re.search(r"[A-Z]", stem) and not re.fullmatch(r"[A-Z_]+", stem)
        if mixed and part not in UPPER_NAMES:
            fail(path, 0, f"{part} has capitals", "write file and folder names in lower case")


def read(name):
    return (root / name).read_text() if (root / name).exists() else ""


def check_devices(files):
    rows = "\n".join(line for line in read("docs/devices.md").splitlines() if line.startswith("|"))
    inside = [p for p in files if p.parts[:2] == ("core", "device") and len(p.parts) > 3]
    tested = {p.parts[2] for p in inside if p.stem.endswith("_test")}
    folders = {p.parts[2] for p in inside}
    for folder in sorted(folders - tested):
        fail(f"core/device/{folder}", 0, "a device without a test", f"add {folder}_test.cpp")
    maps = {p.stem for p in files if p.parts[0] == "devices" and p.suffix == ".json"}
    for name in sorted(folders | maps):
        if not re.search(rf"\b{name}\b", rows):
            fail("docs/devices.md", 0, f"no row names {name}", "add what it reads and its proof")


def check_vectors(files):
    users = "\n".join(read(p) for p in files if p.name == "CMakeLists.txt"
                      or p.stem.endswith("_test"))
    registered = set(re.findall(r"fuzz_decoder\(\w+\s+([\w/]+)", users))
    folders = {p.parts[1] for p in files if p.parts[0] == "vectors" and len(p.parts) > 2}
    for folder in sorted(folders):
        if folder not in registered and f"vectors/{folder}" not in users:
            fail(f"vectors/{folder}", 0, "vectors that nothing runs", "name them in a test")


def file_id(path, salt):
    """The twin of jw::file_id in core/base/result.h."""
    value = 2166136261 ^ salt
    for byte in path.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return ((value >> 16) ^ value) & 0xFFFF


def check_file_ids(files, output):
    names = [str(p) for p in files if p.suffix in (".h", ".cpp")]
    header = read("core/base/result.h")
    salt = int((re.search(r"file_id_salt = (\d+)", header) or [0, 0])[1])
    ids = {}
    for name in names:
        ids.setdefault(file_id(name, salt), []).append(name)
    for twins in (same for same in ids.values() if len(same) > 1):
        free = next(s for s in range(1 << 16) if len({file_id(n, s) for n in names}) == len(names))
        fail(twins[0], 0, f"shares its file id with {twins[1]}",
             f"set file_id_salt in core/base/result.h to {free}")
    if output:
        rows = (f"{number:04X} {same[0]}\n" for number, same in sorted(ids.items()))
        pathlib.Path(output).write_text("".join(rows))


def check_codemap(files):
    text = read("ARCHITECTURE.md")
    part = text.split("## Codemap", 1)[1].split("\n## ", 1)[0] if "## Codemap" in text else ""
    rows = {m[1].rstrip("/") for m in re.finditer(r"^\|\s*`([\w/.-]+)`", part, re.M)}
    folders = {p.parts[0] for p in files if len(p.parts) > 1 and not p.parts[0].startswith(".")}
    deeper = [p for p in files if p.parts[0] in ("core", "apps") and len(p.parts) > 2]
    folders |= {"/".join(p.parts[:2]) for p in deeper}
    for folder in sorted(folders - rows):
        fail("ARCHITECTURE.md", 0, f"the codemap lacks {folder}", "add a row that says what it is")
    for row in sorted(rows - folders):
        fail("ARCHITECTURE.md", 0, f"the codemap names {row}", "it does not exist: remove the row")


def main():
    global root
    arguments = sys.argv[1:]
    output = arguments.pop(arguments.index("--ids") + 1) if "--ids" in arguments else None
    root = pathlib.Path(next((a for a in arguments if not a.startswith("--")), ".")).resolve()
    files = listing()
    for path in files:
        check_name(path)
        data = (root / path).read_bytes()
        if len(data) > 300 * 1024:
            fail(path, 0, f"a file of {len(data)} bytes", "keep recorded or generated data outside")
        if b"\0" in data[:8000]:
            continue
        text = data.decode(errors="replace")
        lines = text.splitlines()
        check_text(path, text, lines)
        if path.suffix in CPP:
            check_cpp(path, lines)
        elif path.suffix == ".py":
            check_python(path, text)
        elif path.suffix == ".md":
            check_markdown(path, lines)
    check_devices(files)
    check_vectors(files)
    check_file_ids(files, output)
    check_codemap(files)
    print("\n".join(errors) or f"tidy: {len(files)} files are clean")
    sys.exit(1 if errors else 0)


main()
