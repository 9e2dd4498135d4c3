# SPDX-License-Identifier: Apache-2.0
"""Runs in the guest: a real gateway on the logged file system. What it has accepted is written into
the log of the block device as a mark: whatever is cut behind a mark must hold that much."""
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from simulated_site import Devices, Gateway, Site, free_port, settings  # noqa: E402


class Nowhere:
    """No broker: everything stays in the store."""
    port = free_port()


def main():
    medium, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    with Site() as site:
        meter = site.add(Devices("demo_meter", "--tcp", "0"))
        wishes = settings(site.folder, Nowhere, [meter.where["port"]] * 4, clock="system",
                          storage__path=str(medium / "state"), storage__size_mb=8)
        gateway = site.add(Gateway(site.folder, wishes))
        gateway.start()
        gateway.wait_ready(60)
        marks, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            (epoch, _), *_ = accepted = gateway.accepted_now()
            words = ",".join([epoch, *map(str, accepted.values())])
            subprocess.run(["dmsetup", "message", "cuts", "0", "mark", words], check=True)
            marks += 1
            gateway.listen()
        print(f"writer: {marks} marks, the last one {words}", flush=True)
        gateway.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
