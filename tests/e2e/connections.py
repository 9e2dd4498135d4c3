# SPDX-License-Identifier: Apache-2.0
"""A listener on loopback that gives each connection a thread of its own; a relay that can cut."""
import socket
import threading


class Connections:
    """`serve(connection)` runs for each until it returns; close() takes no more."""

    def __init__(self, serve):
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def close(self):
        self.listener.close()


class Relay:
    """Passes bytes on to a port of loopback, until its connections are cut."""

    def __init__(self, port):
        self.far = ("127.0.0.1", port)
        self.open = []
        self.listener = Connections(self.serve)
        self.port = self.listener.port

    def serve(self, near):
        try:
            far = socket.create_connection(self.far)
        except OSError:
            near.close()
            return
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open.append((near, far))
        threading.Thread(target=self.pass_on, args=(far, near), daemon=True).start()
        self.pass_on(near, far)

    @staticmethod
    def pass_on(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
        except OSError:
            pass
        for side in (source, target):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends every connection; new ones are taken."""
        for pair in self.open:
            for side in pair:
                try:
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                side.close()
        self.open = []

    def kill(self):
        self.listener.close()
        self.cut()
