# SPDX-License-Identifier: Apache-2.0
"""An MQTT broker (3.1.1 and 5) for one client that misbehaves on purpose. A test says how by
overriding publish(); what it takes goes to the records, as with a subscriber at a real broker."""
import json
import select
import socket
import threading

from connections import Connections
from simulated_site import ARRAYS

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14
RECEIVE_MAXIMUM = 0x21


def variable(data, at):
    """A variable byte integer at `at`, and where the rest begins."""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift, more = at + 1, shift + 7, data[at] & 128
        if not more:
            return value, at


class Gone(Exception):
    """The connection has ended."""


class Session:
    """One connection of the gateway."""

    def __init__(self, broker, connection, number):
        self.broker, self.connection, self.number = broker, connection, number
        self.buffer = b""
        self.level = 4
        self.open = []       # packet ids that were not acknowledged yet
        self.published = 0   # messages of QoS 1 in this session

    def send(self, first, body):
        self.connection.sendall(bytes([first, len(body)]) + body)

    def acknowledge(self, packet, reason=0):
        self.open.remove(packet)
        refusal = bytes([reason]) if reason else b""
        self.send(PUBACK << 4, packet.to_bytes(2, "big") + refusal)

    def read(self, size):
        while len(self.buffer) < size:
            more = self.connection.recv(1 << 16)
            if not more:
                raise Gone
            self.buffer += more
        result, self.buffer = self.buffer[:size], self.buffer[size:]
        return result

    def packet(self):
        first, size = self.read(1), b""
        while not size or size[-1] & 128:
            size += self.read(1)
        return first[0], self.read(variable(size, 0)[0])

    def next_kind(self, wait_s):
        """What the packet is that comes next, if one comes within that time."""
        if not self.buffer and select.select([self.connection], [], [], wait_s)[0]:
            self.buffer = self.connection.recv(1 << 16)
        return self.buffer[0] >> 4 if self.buffer else None

    def run(self):
        try:
            while True:
                self.take(*self.packet())
        except (Gone, OSError):
            self.connection.close()
            with self.broker.lock:
                self.broker.sessions.remove(self)

    def take(self, first, body):
        kind = first >> 4
        if kind == CONNECT:
            self.level = body[6]
            limit = self.broker.receive_maximum
            words = bytes([RECEIVE_MAXIMUM]) + limit.to_bytes(2, "big") if limit else b""
            self.send(0x20, b"\0\0" + (bytes([len(words)]) + words if self.level == 5 else b""))
        elif kind == SUBSCRIBE:
            codes = body[:2] + (b"\0" if self.level == 5 else b"") + b"\1"
            self.send(0x90, codes)
        elif kind == PINGREQ:
            self.send(0xD0, b"")
        elif kind == DISCONNECT:
            raise Gone
        elif kind == PUBLISH and first & 6:
            self.take_publish(body)

    def take_publish(self, body):
        size = int.from_bytes(body[:2], "big")
        topic, at = body[2:2 + size].decode(), 2 + size
        packet, at = int.from_bytes(body[at:at + 2], "big"), at + 2
        if self.level == 5:
            length, at = variable(body, at)
            at += length
        with self.broker.lock:
            self.open.append(packet)
            self.published += 1
            self.broker.open_most = max(self.broker.open_most, len(self.open))
            self.broker.publish(self, packet, topic, body[at:])


class ScriptedBroker:
    """Behaves well unless publish() is overridden, which runs under the lock."""

    def __init__(self, records, receive_maximum=None):
        self.records, self.receive_maximum = records, receive_maximum
        self.lock = threading.RLock()
        self.sessions = []
        self.connects = 0
        self.open_most = 0  # messages that ever waited at once for their acknowledgement
        self.listener = Connections(self.serve)
        self.port = self.listener.port

    def serve(self, connection):
        with self.lock:
            self.connects += 1
            session = Session(self, connection, self.connects)
            self.sessions.append(session)
        session.run()

    def batch(self, topic, payload):
        """The batch in it, or nothing."""
        return json.loads(payload) if topic.rsplit("/", 1)[-1] in ARRAYS else None

    def store(self, topic, payload):
        if batch := self.batch(topic, payload):
            with self.records.lock:
                self.records.take(batch)

    def publish(self, session, packet, topic, payload):
        """What happens with one message; the default takes it and says so."""
        self.store(topic, payload)
        session.acknowledge(packet)

    def kill(self):
        self.listener.close()
        with self.lock:
            for session in self.sessions:
                try:
                    session.connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
