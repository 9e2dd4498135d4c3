# SPDX-License-Identifier: Apache-2.0
"""What joulectl says of stores: whole, damaged, without superblocks, or none at all."""
import contextlib
import json
import pathlib
import subprocess
import tempfile

import harness
from harness import case, expect, joulectl

BLOCK = 4096


@contextlib.contextmanager
def store():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([harness.MAKE_STORE, folder], check=True, timeout=60)
        yield pathlib.Path(folder)


def lines(run):
    return [json.loads(line) for line in run.stdout.splitlines()]


def counts(run):
    return {line["class"]: line for line in lines(run)}


@case
def outbox_dump_prints_every_record():
    with store() as folder:
        before = (folder / "outbox.store").read_bytes()
        run = joulectl("outbox", "dump", str(folder))
        expect(run.returncode == 1, run)  # record 30 is no reading
        records = [line for line in lines(run) if line["class"] == "telemetry"]
        expect([record["seq"] for record in records] == list(range(1, 301)), run)
        expect(records[4]["message"] == {"device": "grid", "power_w": 5}, records[4])
        expect((records[4]["kind"], records[4]["boot"], records[4]["up_ms"]) ==
               ("reading", 1, 5000), records[4])
        expect(records[4]["time"] == 1_790_000_005_000, records[4])
        expect(records[29]["error"] == "malformed", records[29])
        expect(sum(line["class"] == "alarm" for line in lines(run)) == 1, run)
        expect((folder / "outbox.store").read_bytes() == before)
        expect(sorted(path.name for path in folder.iterdir()) == ["outbox.store"])


@case
def outbox_count_counts():
    with store() as folder:
        run = joulectl("outbox", "count", str(folder))
        expect(run.returncode == 0, run)
        telemetry = counts(run)["telemetry"]
        expect((telemetry["records"], telemetry["first"], telemetry["last"]) == (300, 1, 300), run)
        expect(counts(run)["alarm"]["records"] == 1 and counts(run)["billing"]["records"] == 0)


@case
def outbox_verify_names_what_is_damaged():
    with store() as folder:
        run = joulectl("outbox", "verify", str(folder))
        expect(run.returncode == 1 and counts(run)["telemetry"]["malformed"] == 1, run)
        path = folder / "outbox.store"
        whole = path.read_bytes()
        at = whole.index(b"grid", 6 * BLOCK) + 1  # inside the first reading
        path.write_bytes(whole[:at] + b"?" + whole[at + 1:])
        run = joulectl("outbox", "verify", str(folder))
        expect(run.returncode == 1, run)
        telemetry = counts(run)["telemetry"]
        expect(telemetry["damaged"] > 0 and telemetry["last"] == 300, run)
        expect(telemetry["records"] + telemetry["damaged"] == 300, run)
        expect("damaged" in run.stderr, run)


@case
def outbox_reads_a_store_that_lost_its_superblocks():
    with store() as folder:
        path = folder / "outbox.store"
        path.write_bytes(bytes(2 * BLOCK) + path.read_bytes()[2 * BLOCK:])
        run = joulectl("outbox", "count", str(folder))
        expect(run.returncode == 0 and counts(run)["telemetry"]["records"] == 300, run)


@case
def outbox_says_where_there_is_no_store():
    with tempfile.TemporaryDirectory() as folder:
        run = joulectl("outbox", "count", folder)
        expect(run.returncode == 2 and "outbox.store" in run.stderr, run)
        pathlib.Path(folder, "outbox.store").write_bytes(bytes(64 * BLOCK))
        run = joulectl("outbox", "count", folder)
        expect(run.returncode == 1 and folder in run.stderr, run)
        pathlib.Path(folder, "outbox.store").write_bytes(b"")
        expect(joulectl("outbox", "verify", folder).returncode == 1)
    expect(joulectl("outbox", "eat", "/").returncode == 2)
