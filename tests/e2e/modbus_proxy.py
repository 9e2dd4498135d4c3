# SPDX-License-Identifier: Apache-2.0
"""Stands between the gateway and a Modbus TCP device, and spoils answers on purpose."""
import socket
import struct
import threading
import time

from connections import Connections

HEADER = struct.Struct(">HHHB")  # transaction, protocol, length, unit
POISON = 0x55  # fills what is spoiled: no register of a true answer looks like it
WRITES = {5, 6, 15, 16}


class ModbusProxy:
    """`spoil(connection, frame)` sends one answer, or something else; by default the answer."""

    def __init__(self, port):
        self.device = ("127.0.0.1", port)
        self.spoil = self.honest
        self.spoiled = 0
        self.writes = 0  # requests that change something at the device
        self.listener = Connections(self.serve)
        self.port = self.listener.port

    @staticmethod
    def frame(file):
        head = file.read(HEADER.size)
        if len(head) < HEADER.size:
            raise EOFError
        return head + file.read(HEADER.unpack(head)[2] - 1)

    def serve(self, connection):
        device = socket.create_connection(self.device)
        device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        questions, answers = connection.makefile("rb"), device.makefile("rb")
        try:
            while True:
                question = self.frame(questions)
                self.writes += question[HEADER.size] in WRITES
                device.sendall(question)
                self.spoil(connection, self.frame(answers))
        except (EOFError, OSError):
            connection.close()
            device.close()

    @staticmethod
    def honest(connection, frame):
        connection.sendall(frame)

    @staticmethod
    def poisoned(frame):
        """The same answer with other registers: function and size as before."""
        size = HEADER.size + 2
        return frame[:size] + bytes([POISON]) * (len(frame) - size)

    def late(self, seconds):
        """Answers come when the gateway has given them up and asks for something else."""
        def spoil(connection, frame):
            self.spoiled += 1
            time.sleep(seconds)  # tidy: the device that is late is what is tried here
            connection.sendall(self.poisoned(frame))
        return spoil

    def wrong_transaction(self, connection, frame):
        self.spoiled += 1
        transaction = (struct.unpack_from(">H", frame)[0] + 7) & 0xFFFF
        connection.sendall(struct.pack(">H", transaction) + self.poisoned(frame)[2:])

    def half_a_frame(self, connection, frame):
        self.spoiled += 1
        connection.sendall(self.poisoned(frame)[:len(frame) // 2])

    def exception(self, connection, frame):
        self.spoiled += 1
        transaction, protocol, _, unit = HEADER.unpack_from(frame)
        connection.sendall(HEADER.pack(transaction, protocol, 3, unit) +
                           bytes([frame[HEADER.size] | 0x80, 4]))

    def kill(self):
        self.listener.close()
