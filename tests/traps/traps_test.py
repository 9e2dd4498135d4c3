#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each kind of undefined behaviour, in code compiled as the core is, ends the program at once.

traps_test.py [--sanitizer] -- [EMULATOR…] PROGRAM. On the desk the end is a signal (with
--sanitizer, an exit that is not 0), under QEMU the fault of the machine."""
import signal
import subprocess
import sys

CASES = ("sum", "product", "array", "std_array", "shift")
SIGNALS = (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT)


def run(command, case):
    if "qemu" in command[0]:
        at = command.index("-semihosting-config") + 1
        command = [*command[:at], f"{command[at]},arg=traps,arg={case}", *command[at + 1:]]
    else:
        command = [*command, case]
    return subprocess.run(command, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def died(command, ended, sanitizer):
    if "came back" in ended.stdout or "no such case" in ended.stdout:
        return False
    if "qemu" in command[0]:
        return "RISCV fault" in ended.stdout or ended.returncode == 128 + signal.SIGABRT
    return ended.returncode != 0 if sanitizer else -ended.returncode in SIGNALS


def main():
    sanitizer = "--sanitizer" in sys.argv
    command = sys.argv[sys.argv.index("--") + 1:]
    failed = 0
    defined = run(command, "nothing")
    if defined.returncode != 0 or "came back" not in defined.stdout:
        print(f"what is defined does not come back:\n{defined.stdout}")
        failed += 1
    for case in CASES:
        ended = run(command, case)
        good = died(command, ended, sanitizer)
        print(f"{case}: trapped" if good else f"{case}: {ended.returncode}, {ended.stdout}")
        failed += 0 if good else 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
