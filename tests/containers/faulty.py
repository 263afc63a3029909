# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for engines on a bad day, which no real engine has when it is wanted: silent, talking garbage, or a real one
with somebody else at work in the middle of a request."""

from __future__ import annotations

import socket
import socketserver
import threading


class Server:
    """Answers on a Unix socket while it lasts."""

    def __init__(self, path):
        self.path = path
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            """One connection."""

            def handle(self):
                outer.answer(self.request)

        self.server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self.server.daemon_threads = True
        self.ended = threading.Event()

    def answer(self, connection):
        """What happens to one connection."""
        raise NotImplementedError

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.path

    def __exit__(self, *_):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


class Silent(Server):
    """Takes every question and answers none."""

    def answer(self, connection):
        connection.recv(65536)
        self.ended.wait(60)


class Garbage(Server):
    """Says the same to everybody."""

    def __init__(self, path, says):
        super().__init__(path)
        self.says = says

    def answer(self, connection):
        asked = connection.recv(65536)
        head = self.says.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        connection.sendall(head if asked.startswith(b"HEAD") else self.says)


class Replacing(Server):
    """A real engine, in front of which something happens once, when a request for a path comes."""

    def __init__(self, path, engine, mark, happens):
        super().__init__(path)
        self.engine, self.mark, self.happens = engine, mark.encode(), happens

    def answer(self, connection):
        asked = connection.recv(65536)
        if self.mark in asked.partition(b"\r\n")[0] and self.happens:
            happens, self.happens = self.happens, None
            happens()
        with socket.socket(socket.AF_UNIX) as real:
            real.connect(str(self.engine))
            real.sendall(asked)
            while part := real.recv(65536):
                connection.sendall(part)
