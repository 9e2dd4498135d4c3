# SPDX-License-Identifier: Apache-2.0
"""A site of real processes for the end-to-end tests: broker, simulated devices, gateway, and a
subscriber that remembers every record. Nothing here sleeps for a fixed time: everything waits for
what it needs, with a deadline."""
import json
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("JOULEWAY_BUILD", ROOT / "build" / "release"))
JOULEWAY = BUILD / "apps" / "jouleway" / "jouleway"
JOULECTL = BUILD / "apps" / "joulectl" / "joulectl"
CLASSES = ("alarm", "result", "billing", "telemetry")
ARRAYS = ("readings", "events", "faults", "results")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, deadline_s=20.0):
    """Polls `condition` until it is true; fails with `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        select.select([], [], [], 0.005)
    return value


class Broker:
    """A real mosquitto; its store can be on disk, and rolled back."""

    def __init__(self, folder, port=None, persistence=False):
        self.port = port or free_port()
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true",
                 "max_inflight_messages 0", "max_queued_messages 0",
                 f"persistence {'true' if persistence else 'false'}",
                 f"persistence_location {self.folder}/", "autosave_interval 1"]
        if os.geteuid() == 0:
            lines.append("user root")
        self.config.write_text("\n".join(lines) + "\n")
        self.process = None
        self.start()

    def start(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([program, "-c", str(self.config)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.answers, "the broker listens")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            return True
        except OSError:
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class Records:
    """What arrived from one gateway: each record by its identity, in order of first arrival."""

    def __init__(self):
        self.records = {}      # (epoch, class, seq) -> record
        self.gaps = []         # (epoch, class, from, to, reason)
        self.duplicates = 0
        self.problems = []
        self.reached = {}      # (epoch, class) -> seq up to which nothing is missing
        self.last = {}         # (epoch, class) -> highest seq that arrived first
        self.batches = 0
        self.lock = threading.Lock()
        self.strict_order = True

    def take(self, batch):
        """Gives the records of the batch that were not known."""
        self.batches += 1
        epoch, number = batch["epoch"], batch["class"]
        fresh = []
        for name in ARRAYS:
            for record in batch.get(name, ()):
                key = (epoch, number, record["seq"])
                known = self.records.get(key)
                if known is None:
                    self.records[key] = record
                    fresh.append(record)
                    if self.strict_order and record["seq"] <= self.last.get(key[:2], 0):
                        self.problems.append(f"{key} arrived after {self.last[key[:2]]}")
                    self.last[key[:2]] = max(self.last.get(key[:2], 0), record["seq"])
                else:
                    self.duplicates += 1
                    # Sent again after the clock was set, it has a time in place of boot and up_ms.
                    if ("time" in known) == ("time" in record) and known != record:
                        self.problems.append(f"{key} came twice with different content")
        for gap in batch.get("gaps", ()):
            self.gaps.append((epoch, number, gap["from"], gap["to"], gap["reason"]))
        return fresh

    def contiguous(self, epoch, number):
        seq = self.reached.get((epoch, number), 0)
        gaps = {g[2]: g[3] for g in self.gaps if g[0] == epoch and g[1] == number}
        while True:
            if (epoch, number, seq + 1) in self.records:
                seq += 1
            elif seq + 1 in gaps:
                seq = gaps[seq + 1]
            else:
                break
        self.reached[(epoch, number)] = seq
        return seq

    def has(self, epoch, number, seq):
        with self.lock:
            return (epoch, number, seq) in self.records

    def missing(self, accepted):
        """Of {(epoch, class): seq accepted}: what neither came nor was announced as a gap."""
        with self.lock:
            gaps = {}
            for epoch, number, first, last, _ in self.gaps:
                gaps.setdefault((epoch, number), []).append((first, last))
            result = []
            for (epoch, number), to in accepted.items():
                for seq in range(1, to + 1):
                    if (epoch, number, seq) not in self.records and \
                            not any(a <= seq <= b for a, b in gaps.get((epoch, number), ())):
                        result.append((epoch, number, seq))
            return result


class Collector(Records):
    """Subscribes to everything of one gateway. With a durable file it plays a hub: what it has is
    synced to the file, then said on the durable topic."""

    def __init__(self, broker, gateway, durable_file=None):
        super().__init__()
        self.broker, self.gateway = broker, gateway
        self.file = open(durable_file, "a+") if durable_file else None
        self.cleared = set()  # ids of commands whose retained request was taken back
        self.durable = None
        self.process = None
        self.thread = None

    def start(self):
        where = ["-h", "127.0.0.1", "-p", str(self.broker.port), "-q", "1"]
        root = f"jouleway/v1/{self.gateway}"
        self.process = subprocess.Popen(
            ["mosquitto_sub", *where, "-i", f"collector-{random.randrange(1 << 30)}", "-c",
             "-t", f"{root}/#", "-F", "%t %p"],
            stdout=subprocess.PIPE, text=True, bufsize=1 << 16)
        if self.file:
            self.durable = subprocess.Popen(
                ["mosquitto_pub", *where, "-r", "-l", "-t", f"{root}/durable"],
                stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=self.read, args=(self.process,), daemon=True)
        self.thread.start()

    def stop(self):
        for process in (self.process, self.durable):
            if process:
                process.kill()
                process.wait()
        if self.thread:
            self.thread.join()

    def read(self, process):
        for line in process.stdout:
            topic, _, payload = line.rstrip("\n").partition(" ")
            if "/commands/" in topic and not payload:
                self.cleared.add(topic.rsplit("/", 1)[-1])
            # The last line of a subscriber that was killed may be cut off.
            if topic.rsplit("/", 1)[-1] in ARRAYS and line.endswith("\n"):
                with self.lock:
                    self.take(json.loads(payload))

    def note(self, batch):
        return super().take(batch)

    def take(self, batch):
        fresh = self.note(batch)
        if self.file and fresh:
            for record in fresh:
                self.file.write(json.dumps([batch["epoch"], batch["class"], record]) + "\n")
            self.file.flush()
            os.fdatasync(self.file.fileno())
            self.say_durable(batch["epoch"])
        return fresh

    def say_durable(self, epoch):
        to = [self.contiguous(epoch, number) for number in range(4)]
        try:
            self.durable.stdin.write(json.dumps({"v": 1, "epoch": epoch, "to": to}) + "\n")
            self.durable.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass


class Devices:
    """Simulated devices in one joulectl process; `where` names their addresses."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([str(JOULECTL), "sim", *arguments],
                                        stdout=subprocess.PIPE, text=True)
        self.where = json.loads(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.wait()


class Gateway:
    """The real daemon. The accepted numbers that it tells its service manager are remembered."""

    def __init__(self, folder, settings, command=None):
        self.folder = pathlib.Path(folder)
        self.settings = self.folder / "jouleway.json"
        self.settings.write_text(json.dumps(settings))
        self.notify = self.folder / "notify.sock"
        self.command = command or [str(JOULEWAY), "--config", str(self.settings)]
        self.accepted = {}
        self.waiting = None
        self.ready = False
        self.stopping = False
        self.process = None
        self.socket = None
        self.log = open(self.folder / "jouleway.log", "ab")
        self.environment = {}

    def start(self):
        if self.socket:
            self.socket.close()
        self.notify.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(str(self.notify))
        self.socket.setblocking(False)
        self.ready = self.stopping = False
        environment = {**os.environ, **self.environment, "NOTIFY_SOCKET": str(self.notify)}
        self.process = subprocess.Popen(self.command, env=environment,
                                        stdout=self.log, stderr=self.log)

    def listen(self):
        """Takes what the gateway said since the last call."""
        while True:
            try:
                words = self.socket.recv(4096).decode()
            except (BlockingIOError, ConnectionError):
                return self
            for line in words.splitlines():
                key, _, value = line.partition("=")
                if key == "READY":
                    self.ready = True
                elif key == "STOPPING":
                    self.stopping = True
                elif key == "STATUS" and value.startswith("epoch "):
                    fields = value.split()
                    epoch, numbers, self.waiting = fields[1], fields[3].split(","), int(fields[5])
                    for number, seq in enumerate(numbers):
                        key = (epoch, number)
                        self.accepted[key] = max(self.accepted.get(key, 0), int(seq))

    def wait_ready(self, deadline_s=20.0):
        wait_for(lambda: self.listen().ready or self.process.poll() is not None,
                 "the gateway is ready", deadline_s)
        assert self.process.poll() is None, \
            f"the gateway ended with {self.process.returncode}: {self.tail()}"

    def wait_drained(self, deadline_s=60.0):
        wait_for(lambda: self.listen().waiting == 0, "the gateway delivered everything", deadline_s)

    def ask(self, path):
        """What the API answers to a GET: JSON as such, anything else as text."""
        listen = json.loads(self.settings.read_text())["web"]["listen"]
        with urllib.request.urlopen(f"http://{listen}{path}", timeout=10) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers["Content-Type"] else text

    def accepted_now(self):
        """{(epoch, class): seq accepted} as the API tells it."""
        outbox = self.ask("/api/v1/outbox")
        return {(outbox["epoch"], number): row["accepted_to"]
                for number, row in enumerate(outbox["classes"])}

    def confirmed(self, accepted):
        """Whether all sinks confirmed all of these."""
        outbox = self.ask("/api/v1/outbox")
        return all(sink["confirmed_to"][number] >= to for sink in outbox["sinks"]
                   for (epoch, number), to in accepted.items() if epoch == outbox["epoch"])

    def faults(self):
        return [fault["kind"] for fault in self.ask("/api/v1/faults")["items"]]

    def tail(self):
        return (self.folder / "jouleway.log").read_text(errors="replace")[-2000:]

    def kill(self, number=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait()
        if self.socket:  # else it was never started
            self.listen()
        return self.process.returncode if self.process else None

    def stop(self):
        self.kill()
        self.log.close()
        if self.socket:
            self.socket.close()


class Site:
    """A folder that goes away, and whatever was started in it."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jouleway-e2e-"))
        self.things = []
        return self

    def add(self, thing):
        self.things.append(thing)
        return thing

    def __exit__(self, kind, *_):
        for thing in reversed(self.things):
            (getattr(thing, "stop", None) or thing.kill)()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"kept for a look: {self.folder}")


def settings(folder, broker, devices, **changes):
    """Settings of a gateway: a Modbus TCP meter per address of `devices`, one MQTT sink."""
    count = len(devices)
    result = {
        "gateway": "gw-1", "site": "house",
        "storage": {"path": str(pathlib.Path(folder) / "state"), "size_mb": 64, "segment_kb": 256,
                    "commit_s": 0.05},
        "buses": [{"name": f"bus-{i}", "type": "modbus_tcp", "host": "127.0.0.1",
                   "port": devices[i]} for i in range(count)],
        "devices": [{"name": f"meter-{i}", "driver": "demo_meter", "bus": f"bus-{i}",
                     "poll_s": 0.05, "keep_s": 0} for i in range(count)],
        "sinks": [{"name": "broker", "type": "mqtt", "host": "127.0.0.1", "port": broker.port,
                   "batch": {"readings": 100, "age_ms": 50}}],
        "web": {"listen": f"127.0.0.1:{free_port()}"},
    }
    for path, value in changes.items():
        target, parts = result, path.split("__")
        for part in parts[:-1]:
            target = target[int(part)] if part.isdigit() else target[part]
        target[parts[-1]] = value
    return result


def report(program):
    """Prints the counts of a finished unittest.main(); gives the exit code."""
    result = program.result
    failed, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or result.testsRun == skipped else 0
