# SPDX-License-Identifier: Apache-2.0
"""A node of ours under QEMU: its firmware, its flash in a file, its two serial lines."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import threading
import tty

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from simulated_site import JOULECTL, ROOT  # noqa: E402 (its folder is known only now)

FIRMWARE = pathlib.Path(os.environ.get(
    "JOULENODE", ROOT / "build" / "rv32" / "apps" / "joulenode" / "joulenode"))
QEMU = shutil.which("qemu-system-riscv32")


class Cable:
    """A serial line between two pseudo terminals that stays when one side dies. Of so many bytes
    `damage_each` one arrives with a wrong bit."""

    def __init__(self, damage_each=0, chance=None):
        self.damage_each, self.chance = damage_each, chance
        self.damaged = 0
        pairs = [pty.openpty(), pty.openpty()]
        for _, end in pairs:
            tty.setraw(end)
        self.masters = [master for master, _ in pairs]
        self.held = [end for _, end in pairs]  # open for ever: a closed one would hang up
        self.ends = [os.ttyname(end) for end in self.held]
        self.running = True
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        other = dict(zip(self.masters, reversed(self.masters)))
        for master in self.masters:
            os.set_blocking(master, False)
        while self.running:
            for master in select.select(self.masters, [], [], 0.1)[0]:
                try:
                    os.write(other[master], self.damage(os.read(master, 4096)))
                except BlockingIOError:
                    pass  # nobody reads at the other end: bytes fall off, as from a real cable

    def damage(self, read):
        if not self.damage_each:
            return read
        result = bytearray(read)
        for at in range(len(result)):
            if self.chance.randrange(self.damage_each) == 0:
                result[at] ^= 1 << self.chance.randrange(8)
                self.damaged += 1
        return result

    def stop(self):
        self.running = False
        self.thread.join()
        for each in (*self.masters, *self.held):
            os.close(each)


class Node:
    """The machine with the firmware. Its flash is `node.flash` in the folder."""

    def __init__(self, folder, gateway_end, meter_end):
        self.folder = pathlib.Path(folder)
        self.flash = self.folder / "node.flash"
        self.log = self.folder / "node.log"
        self.command = [
            QEMU, "-machine", "virt", "-bios", "none", "-display", "none", "-monitor", "none",
            "-chardev", f"serial,id=gateway,path={gateway_end}", "-serial", "chardev:gateway",
            "-chardev", f"serial,id=meter,path={meter_end}", "-device", "pci-serial,chardev=meter",
            "-semihosting-config", "enable=on,target=native", "-kernel", str(FIRMWARE)]
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)

    def kill(self):
        """Cuts its power."""
        if self.process:
            assert self.process.poll() is None, f"the node ended by itself: {self.said()[-2000:]}"
            self.process.kill()
            self.process.wait()
            self.process = None

    def said(self):
        return self.log.read_text(errors="replace")

    def stack_bytes(self):
        """The most stack that any life of it has needed."""
        return max(map(int, re.findall(r"joulenode: stack (\d+) bytes", self.said())), default=0)

    def kept(self):
        """Everything that the outbox finds on a copy of its flash, as joulectl prints it."""
        if not self.flash.exists():
            return []
        folder = self.folder / "flash"
        folder.mkdir(exist_ok=True)
        shutil.copyfile(self.flash, folder / "outbox.store")
        dump = subprocess.run([str(JOULECTL), "outbox", "dump", str(folder)], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return [json.loads(line) for line in dump.stdout.splitlines()]
