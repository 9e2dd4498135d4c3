#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts a simulated site, a broker and the gateway, and ends them; `./run` builds them first.

With --check it exits 0 once a reading of every simulated device was acknowledged by the broker and
the page answered, otherwise 1 with the reason and the end of each log."""
import argparse
import base64
import ctypes
import fcntl
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
JOULEWAY = ROOT / "build/release/apps/jouleway/jouleway"
JOULECTL = ROOT / "build/release/apps/joulectl/joulectl"
GATEWAY = "gw-lindenweg"
TITLES = {"grid": "Grid meter", "roof": "Roof", "workshop": "Workshop", "heat-pump": "Heat pump"}
DEADLINE_S = 90
PR_SET_PDEATHSIG = 1


class Trouble(Exception):
    """Something did not come up; its text says what."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    """Runs in a child: it gets no Ctrl-C of ours, and ends when we are killed."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Processes:
    """What was started, in order; ended the other way round."""

    def __init__(self, logs):
        self.logs, self.started = logs, []

    def start(self, name, *command):
        log = open(self.logs / f"{name}.log", "wb")
        command = [str(part) for part in command]
        try:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, preexec_fn=die_with_parent)
        except OSError as error:
            raise Trouble(f"{name} cannot be started: {error}") from error
        self.started.append((name, process))
        return process

    def ended(self):
        """The name and status of one that ended by itself, or None."""
        return next(((n, p.returncode) for n, p in self.started if p.poll() is not None), None)

    def stop(self):
        for _, process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.started.clear()

    def print_logs(self, lines=20):
        for log in sorted(self.logs.glob("*.log")):
            tail = log.read_text(errors="replace").splitlines()[-lines:]
            print(f"--- {log.relative_to(ROOT)}", *tail, sep="\n", file=sys.stderr)


class Site:
    def __init__(self, folder, listen, password):
        self.folder, self.listen, self.password = folder, listen, password
        self.processes = Processes(folder)
        self.broker_port = free_port()
        self.devices = []
        self.seen = {}  # device: (class, seq) of its first reading at the broker

    def url(self, path):
        host, port = self.listen.rsplit(":", 1)
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}{path}"

    def get(self, path):
        with urllib.request.urlopen(self.url(path), timeout=5) as answer:
            return answer.read().decode()

    def wait(self, what, holds, seconds):
        """Waits until holds() is true; a process that ends meanwhile is trouble."""
        ends = time.monotonic() + seconds
        while not holds():
            if ended := self.processes.ended():
                raise Trouble(f"{ended[0]} ended with status {ended[1]} while waiting for {what}")
            if time.monotonic() > ends:
                raise Trouble(f"no {what} within {seconds} s")
            time.sleep(0.1)

    def answers(self, path, text=""):
        try:
            return text in self.get(path)
        except (urllib.error.URLError, OSError):
            return False

    def connects(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def start_broker(self):
        settings = self.folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        settings.write_text(f"{user}listener {self.broker_port} 127.0.0.1\n"
                            "allow_anonymous true\npersistence false\nlog_dest stderr\n")
        mosquitto = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        self.processes.start("broker", mosquitto or "mosquitto", "-c", settings)
        self.wait("broker", lambda: self.connects(self.broker_port), 10)

    def start_devices(self):
        """One process plays a device on each kind of line and tells where, which gives the rest."""
        self.processes.start("devices", JOULECTL, "sim", "site", "--pty", self.folder / "serial")
        log = self.folder / "devices.log"
        self.wait("simulated site", lambda: b"\n" in log.read_bytes(), 10)
        told = json.loads(log.read_text().splitlines()[0])["devices"]
        buses, devices = [], []
        for one in told:
            device = {key: one.pop(key) for key in ("name", "driver", "unit") if key in one}
            device |= {"bus": f"{device['name']}-line", "title": TITLES[device["name"]],
                       "poll_s": 1, "keep_s": 5}
            buses.append({"name": device["bus"], **one})
            devices.append(device)
        self.devices = [device["name"] for device in devices]
        return buses, devices

    def start_gateway(self, buses, devices):
        web = {"listen": self.listen}
        if self.password:
            salt = secrets.token_bytes(16)
            digest = hashlib.scrypt(self.password.encode(), salt=salt, n=1 << 15, r=8, p=1,
                                    dklen=32, maxmem=1 << 26)
            text = [base64.b64encode(part).decode().rstrip("=") for part in (salt, digest)]
            web["password_scrypt"] = "$scrypt$ln=15,r=8,p=1$" + "$".join(text)
        settings = self.folder / "jouleway.json"
        settings.write_text(json.dumps({
            "gateway": GATEWAY, "site": "lindenweg-12", "clock": "system",
            "buses": buses, "devices": devices,
            "storage": {"path": str(self.folder / "store"), "size_mb": 64, "commit_s": 1},
            "sinks": [{"name": "broker", "type": "mqtt", "host": "127.0.0.1",
                       "port": self.broker_port}], "web": web}, indent=1))
        settings.chmod(0o600)
        self.processes.start("gateway", JOULEWAY, "--config", settings)
        self.wait("answer of the gateway", lambda: self.answers("/healthz"), 30)

    def start(self):
        self.start_broker()
        buses, devices = self.start_devices()
        self.start_gateway(buses, devices)

    def listen_at_broker(self):
        """Remembers the first reading of each device that comes by at the broker."""
        process = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.broker_port), "-q", "1", "-t",
             f"jouleway/v1/{GATEWAY}/readings"], stdout=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent)
        self.processes.started.insert(0, ("subscriber", process))

        def read():
            for line in process.stdout:
                batch = json.loads(line)
                for reading in batch["readings"]:
                    self.seen.setdefault(reading["device"], (batch["class"], reading["seq"]))

        threading.Thread(target=read, daemon=True).start()

    def all_acknowledged(self):
        """Every device was seen at the broker, and the gateway knows that it was acknowledged."""
        if not all(device in self.seen for device in self.devices):
            return False
        sink = json.loads(self.get("/api/v1/outbox"))["sinks"][0]
        return all(sink["confirmed_to"][self.seen[d][0]] >= self.seen[d][1] for d in self.devices)


def check(site):
    began = time.monotonic()
    site.start_broker()
    site.listen_at_broker()
    buses, devices = site.start_devices()
    site.start_gateway(buses, devices)
    site.wait("page with its title", lambda: site.answers("/", "<title>Jouleway"), 10)
    try:
        site.wait("acknowledged reading of every device", site.all_acknowledged, DEADLINE_S)
    except Trouble as trouble:
        missing = sorted(set(site.devices) - set(site.seen))
        unseen = ", ".join(missing) or "none"
        raise Trouble(f"{trouble}; not seen at the broker: {unseen}") from None
    print(f"run: readings of {', '.join(site.devices)} were acknowledged by the broker and the "
          f"page answered, after {time.monotonic() - began:.1f} s")


def serve(site):
    site.start()
    print(f"run: page    {site.url('/')}")
    if site.password:
        print(f"run: password {site.password}   (shown once; a new one at the next start)")
    print(f"run: broker  mosquitto_sub -p {site.broker_port} -t 'jouleway/v1/#' -v")
    print(f"run: logs    {site.folder.relative_to(ROOT)}/*.log      Ctrl-C ends it", flush=True)
    while (ended := site.processes.ended()) is None:
        time.sleep(0.2)
    raise Trouble(f"{ended[0]} ended with status {ended[1]}")


def main():
    parser = argparse.ArgumentParser(prog="./run", description=__doc__)
    parser.add_argument("--check", action="store_true", help="without a person: 0 once all works")
    parser.add_argument("--listen", default="127.0.0.1:8080", help="address and port of the page")
    arguments = parser.parse_args()
    folder = ROOT / ".run" / ("check" if arguments.check else "site")
    folder.mkdir(parents=True, exist_ok=True)
    lock = open(folder / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("run: another ./run of this folder is running", file=sys.stderr)
        return 1
    if arguments.check:
        for old in [entry for entry in folder.iterdir() if entry.name != "lock"]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    listen = f"127.0.0.1:{free_port()}" if arguments.check else arguments.listen
    # Reading is open on loopback, but the relay moves only for somebody who has signed in.
    site = Site(folder, listen, None if arguments.check else secrets.token_urlsafe(12))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        (check if arguments.check else serve)(site)
    except KeyboardInterrupt:
        print("\nrun: ending")
    except (Trouble, urllib.error.URLError, OSError) as trouble:
        site.processes.print_logs()
        print(f"run: {trouble}", file=sys.stderr)
        return 1
    finally:
        site.processes.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
