# SPDX-License-Identifier: Apache-2.0
"""A gateway that lives with what preload.cpp does to it: slow or refusing medium, a clock that
nobody set, a kill between two of its steps or at a named point."""
import mmap
import struct

from simulated_site import BUILD, Gateway

PRELOAD = BUILD / "tests" / "e2e" / "libjouleway_preload.so"
# As trouble.h has them.
FIELDS = ("sync_ms", "read_ms", "clock_unset", "write_error", "counting", "steps", "kill_at",
          "broker_port", "web_port", "segment_size", "point_nth", "point_hits", "point_moment",
          "point_waits")
POINT_SIZE = 48
MOMENTS = ("before", "half", "after")


class TroubledGateway(Gateway):
    """Its troubles can be changed while it runs."""

    def __init__(self, folder, settings, **troubles):
        super().__init__(folder, settings)
        path = self.folder / "trouble"
        size = 4 * len(FIELDS) + 2 * POINT_SIZE
        path.write_bytes(bytes(size))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), size)
        self.environment = {"LD_PRELOAD": str(PRELOAD), "JOULEWAY_TROUBLE": str(path)}
        self.trouble(**troubles)

    def trouble(self, **troubles):
        for name, value in troubles.items():
            struct.pack_into("=I", self.memory, 4 * FIELDS.index(name), value)

    def told(self, name):
        return struct.unpack_from("=I", self.memory, 4 * FIELDS.index(name))[0]

    def steps(self):
        return self.told("steps")

    def die_at(self, point, nth, moment, since=""):
        """It dies when it comes to that point for the nth time from now on, or since that call."""
        self.trouble(point_nth=0, point_hits=0, point_moment=MOMENTS.index(moment),
                     point_waits=1 if since else 0)
        struct.pack_into(f"={POINT_SIZE}s{POINT_SIZE}s", self.memory, 4 * len(FIELDS),
                         point.encode(), since.encode())
        self.trouble(point_nth=nth)
