#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the power of a real disk: a real gateway writes to ext4 in a guest kernel (user-mode-linux),
dm-log-writes keeps every block that reached the medium, in the order in which it did. The log is
played back up to a number of points; each time a real gateway must start on what was there, and
deliver every record that was accepted by then.

    tests/uml/cut_points.py [--cuts N] [--seconds S] [--seed R]"""
import argparse
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from scripted_broker import ScriptedBroker  # noqa: E402
from simulated_site import (BUILD, Gateway, Records, Site, free_port, settings,  # noqa: E402
                            wait_for)

HERE = pathlib.Path(__file__).resolve().parent
MAGIC = 0x6A736677736872  # dm-log-writes.c, struct log_write_super
SUPER, ENTRY = struct.Struct("<QQQI"), struct.Struct("<QQQQ")
DISCARD, MARK = 4, 8
DISK_BYTES = 64 << 20


class Log:
    """What dm-log-writes wrote: the entries in the order in which they reached the medium."""

    def __init__(self, path):
        self.file = open(path, "rb")
        magic, version, count, self.block = SUPER.unpack(self.file.read(SUPER.size))
        assert (magic, version) == (MAGIC, 1), "this is no log of dm-log-writes"
        self.entries = []  # (sector, sectors, flags, where its data lies, mark)
        at = self.block
        for _ in range(count):
            self.file.seek(at)
            sector, sectors, flags, size = ENTRY.unpack(self.file.read(ENTRY.size))
            mark = self.file.read(size).decode() if flags & MARK else None
            self.entries.append((sector, sectors, flags, at + self.block, mark))
            at += self.block * (1 + (0 if flags & (DISCARD | MARK) else sectors))

    def apply(self, number, disk):
        sector, sectors, flags, where, _ = self.entries[number]
        if flags & MARK:
            return
        self.file.seek(where)
        size = sectors * self.block
        disk.seek(sector * self.block)
        disk.write(bytes(size) if flags & DISCARD else self.file.read(size))

    def accepted(self, to):
        """{(epoch, class): seq} as of the last mark among the first `to` entries."""
        marks = [entry[4] for entry in self.entries[:to] if entry[4] and "," in entry[4]]
        if not marks:
            return {}
        epoch, *numbers = marks[-1].split(",")
        return {(epoch, number): int(seq) for number, seq in enumerate(numbers)}


def write_in_guest(folder, seconds):
    """Boots the guest, lets the gateway write, and gives (disk as it was before, the log)."""
    disk, before, log = folder / "disk", folder / "before", folder / "log"
    for path, size in ((disk, DISK_BYTES), (log, DISK_BYTES + int(seconds) * (4 << 20))):
        with open(path, "wb") as file:
            file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", str(disk)], check=True)
    subprocess.run(["cp", "--sparse=always", str(disk), str(before)], check=True)
    told = subprocess.run(
        ["linux.uml", "mem=256M", "rootfstype=hostfs", "rootflags=/", "ro", "con0=fd:0,fd:1",
         "con=null", "quiet", f"init={HERE / 'guest.sh'}", f"ubda={disk}", f"ubdb={log}",
         f"jw_build={BUILD}", f"jw_python={sys.executable}", f"jw_writer={HERE / 'writer.py'}",
         f"jw_seconds={seconds}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=seconds * 4 + 120, check=False)
    words = told.stdout.decode(errors="replace")
    assert "guest: exit 0" in words, words[-2000:]
    return before, Log(log)


class Cuts:
    def __init__(self, site, before, log):
        self.site, self.log = site, log
        self.disk, self.at = before, 0
        self.folder = site.folder / "mounted"
        self.folder.mkdir()
        self.checked = 0
        self.lost = []

    def check(self, entries):
        """The disk with the first `entries` of the log: everything accepted by then is there."""
        with open(self.disk, "r+b") as disk:
            for number in range(self.at, entries):
                self.log.apply(number, disk)
        self.at = entries
        copy = self.site.folder / "copy"
        subprocess.run(["cp", "--sparse=always", str(self.disk), str(copy)], check=True)
        subprocess.run(["mount", "-o", "loop", str(copy), str(self.folder)], check=True)
        try:
            self.deliver(entries)
        finally:
            subprocess.run(["umount", str(self.folder)], check=True)

    def deliver(self, entries):
        accepted = self.log.accepted(entries)
        records = Records()
        broker = ScriptedBroker(records)
        gateway = Gateway(self.site.folder, settings(
            self.site.folder, broker, [free_port()], clock="system",
            storage__path=str(self.folder / "state"), storage__size_mb=8))
        try:
            gateway.start()
            gateway.wait_ready()
            try:
                wait_for(lambda: not records.missing(accepted), "everything accepted is there", 10)
            except AssertionError:
                self.lost += records.missing(accepted)
            assert not records.problems, records.problems[:3]
        finally:
            gateway.kill()
            broker.kill()
        self.checked += sum(accepted.values())


def run(arguments):
    begun = time.monotonic()
    chance = random.Random(arguments.seed)
    with Site() as site:
        before, log = write_in_guest(site.folder, arguments.seconds)
        cuts = Cuts(site, before, log)
        first = next(i for i, entry in enumerate(log.entries) if entry[4])
        # From right behind the first mark on; before it nothing was promised.
        points = sorted(chance.sample(range(first + 1, len(log.entries) + 1), arguments.cuts))
        for point in points:
            cuts.check(point)
        print(json.dumps({"campaign": "cut_points", "cuts": len(points),
                          "log_entries": len(log.entries), "accepted_checked": cuts.checked,
                          "lost": len(cuts.lost), "seed": arguments.seed,
                          "seconds": round(time.monotonic() - begun, 1)}))
        for key in cuts.lost[:5]:
            print(f"cut_points: lost: {key}", file=sys.stderr)
        bad = bool(cuts.lost) or cuts.checked == 0
    print(f"{0 if bad else 1} passed, {1 if bad else 0} failed, 0 skipped")
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    lacking = [name for name in ("linux.uml", "dmsetup", "mkfs.ext4") if not shutil.which(name)]
    if lacking or os.geteuid() != 0:
        print(f"skipped: it needs root and {' '.join(lacking) or 'nothing else'}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
