# SPDX-License-Identifier: Apache-2.0
"""Cases, expectations and the program under test, for the tests of joulectl."""
import subprocess
import sys
import traceback

PROGRAM = None
ROOT = None
CASES = []


def case(function):
    CASES.append(function)
    return function


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
    failed = 0
    for function in CASES:
        try:
            function()
        except Exception:  # a test that breaks has failed, and says how
            failed += 1
            print(f"FAILED {function.__name__}", file=sys.stderr)
            traceback.print_exc()
    print(f"{len(CASES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not CASES else 0
