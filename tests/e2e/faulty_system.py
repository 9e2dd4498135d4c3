# SPDX-License-Identifier: Apache-2.0
"""A gateway that lives with what preload.cpp does to it: slow or refusing medium, a clock that
nobody set, a kill between two of its steps."""
import mmap
import struct

from simulated_site import BUILD, Gateway

PRELOAD = BUILD / "tests" / "e2e" / "libjouleway_preload.so"
FIELDS = ("sync_ms", "clock_unset", "write_error", "counting", "steps", "kill_at")


class TroubledGateway(Gateway):
    """Its troubles can be changed while it runs."""

    def __init__(self, folder, settings, **troubles):
        super().__init__(folder, settings)
        path = self.folder / "trouble"
        path.write_bytes(bytes(4 * len(FIELDS)))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4 * len(FIELDS))
        self.environment = {"LD_PRELOAD": str(PRELOAD), "JOULEWAY_TROUBLE": str(path)}
        self.trouble(**troubles)

    def trouble(self, **troubles):
        for name, value in troubles.items():
            struct.pack_into("=I", self.memory, 4 * FIELDS.index(name), value)

    def steps(self):
        return struct.unpack_from("=I", self.memory, 4 * FIELDS.index("steps"))[0]
