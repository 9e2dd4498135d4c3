#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a guest kernel (user-mode-linux), for what the kernel outside does not have:
CAN interfaces, queues that delay, block devices that fail. The guest sees the same files, read-only
but for empty /tmp and /run of its own; its output is printed as it comes, its exit code is ours.

    tests/uml/run_in_guest.py [--modules can,can-raw,vcan] [--memory 256M] [--timeout S] -- CMD…

The environment goes along. Modules are loaded in the order given; their dependencies are not."""
import argparse
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

INIT = pathlib.Path(__file__).resolve().parent / "init.sh"
EXIT = "guest: exit "


def script_of(command):
    """What the guest's shell is to do: our environment, our folder, the command."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in os.environ.items()
             if name.isidentifier() and name not in ("TMPDIR", "_")]
    lines.append(f"cd {shlex.quote(os.getcwd())}")
    lines.append(shlex.join(command))
    return "\n".join(lines) + "\n"


def run(command, modules=(), memory="256M", timeout=300, out=sys.stdout):
    """Gives the exit code of the command; 125 where the guest ended without one."""
    if not shutil.which("linux.uml"):
        print("run_in_guest: linux.uml is missing: run `tools/install.sh test`", file=sys.stderr)
        return 125
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "command"
        script.write_text(script_of(command), encoding="utf-8")
        guest = subprocess.Popen(
            ["linux.uml", f"mem={memory}", "rootfstype=hostfs", "rootflags=/", "ro",
             "con0=fd:0,fd:1", "con=null", "quiet", f"init={INIT}", f"jw_command={script}",
             f"jw_modules={','.join(modules)}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
        # The kernel is a family of processes, which goes as one.
        late = threading.Timer(timeout, os.killpg, (guest.pid, signal.SIGKILL))
        late.start()
        code = None
        try:
            for line in guest.stdout:
                text = line.decode(errors="replace").rstrip("\r\n")
                if text.startswith(EXIT):
                    code = int(text[len(EXIT):])
                else:
                    print(text, file=out, flush=True)
        finally:
            late.cancel()
            guest.wait()
    if code is None:
        print(f"run_in_guest: the guest ended without an exit code (at most {timeout} s)",
              file=sys.stderr)
        return 125
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", default="")
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("command", nargs="+")
    wish = parser.parse_args()
    modules = [name for name in wish.modules.split(",") if name]
    return run(wish.command, modules, wish.memory, wish.timeout)


if __name__ == "__main__":
    sys.exit(main())
