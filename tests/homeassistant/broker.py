# SPDX-License-Identifier: Apache-2.0
"""A real mosquitto and whoever listens there with the flags as they were sent."""
import pathlib
import subprocess
import sys
import threading

from checker import Message

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from simulated_site import Broker, wait_for  # noqa: E402

__all__ = ["Broker", "Listener", "publish", "wait_for"]


def publish(broker, topic, payload, qos=1, retain=False):
    words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", topic,
             "-q", str(qos), "-V", "5"]
    words += ["-r"] if retain else []
    words += ["-s"] if payload else ["-n"]
    subprocess.run(words, input=payload or None, check=True, timeout=20)


class Listener:
    """Everything that is published, in order; marks of the test may be put in between."""

    def __init__(self, broker, *topics):
        self.records, self.lock = [], threading.Lock()
        filters = [word for topic in topics or ("#",) for word in ("-t", topic)]
        self.process = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-V", "5", "-q", "1",
             "--retain-as-published", "-F", "%U|%q|%r|%t|%x", *filters],
            stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        wait_for(lambda: publish(broker, "listening", b"?", 0) or self.messages("listening"),
                 "the listener is there")

    def read(self):
        for line in self.process.stdout:
            time, qos, retain, topic, payload = line.rstrip("\n").split("|", 4)
            message = Message(topic, bytes.fromhex(payload), int(qos), retain == "1", float(time))
            with self.lock:
                self.records.append(message)

    def messages(self, topic=None):
        with self.lock:
            return [r for r in self.records
                    if isinstance(r, Message) and topic in (None, r.topic)]

    def last(self, topic):
        found = self.messages(topic)
        return found[-1].text() if found else None

    def mark(self, mark):
        with self.lock:
            self.records.append(mark)

    def taken(self):
        with self.lock:
            return [r for r in self.records
                    if not isinstance(r, Message) or r.topic != "listening"]

    def kill(self):
        self.process.kill()
        self.process.wait()
