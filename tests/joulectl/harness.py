# SPDX-License-Identifier: Apache-2.0
"""Cases, expectations and the program under test, for the tests of joulectl."""
import os
import subprocess
import sys
import traceback

PROGRAM = None
ROOT = None
MAKE_STORE = None  # program that makes a store
CASES = []


def case(function):
    CASES.append(function)
    return function


class Skipped(Exception):
    """Its text says what is missing."""


def recorded(name):
    """A folder of the recorded data sets beside the project; without it the case is skipped, or
    fails where JOULEWAY_RECORDED=required."""
    folder = ROOT.parent / "shared" / "data" / name
    if folder.exists():
        return folder
    if os.environ.get("JOULEWAY_RECORDED") == "required":
        raise AssertionError(f"{folder} is absent and JOULEWAY_RECORDED=required")
    raise Skipped(f"{folder} is absent")


def expect(holds, *shown):
    if not holds:
        raise AssertionError("\n".join(str(one) for one in shown))


def joulectl(*arguments, stdin=b""):
    """Runs it to its end; what it prints is text."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    run = subprocess.run([PROGRAM, *arguments], input=given, capture_output=True, timeout=60,
                         check=False)
    run.stdout, run.stderr = run.stdout.decode(), run.stderr.decode()
    return run


def run_all():
    passed = failed = skipped = 0
    for function in CASES:
        try:
            function()
            passed += 1
        except Skipped as reason:
            skipped += 1
            print(f"SKIPPED {function.__name__}: {reason}")
        except Exception:  # a test that breaks has failed, and says how
            failed += 1
            print(f"FAILED {function.__name__}", file=sys.stderr)
            traceback.print_exc()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0
