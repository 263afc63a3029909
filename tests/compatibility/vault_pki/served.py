# SPDX-License-Identifier: Apache-2.0
"""A TLS server that takes up its files when a handler tells it to, and clients that never stop to look at it."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import ssl
import threading
import time


class Server:
    """Answers each connection with a handshake; its files are read when `reload` is newer than what it has."""

    def __init__(self, place, name, port):
        self.place, self.name, self.port = pathlib.Path(place), name, port
        self.read_at, self.context = None, None
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(0.2)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @property
    def told(self):
        """What a handler touches."""
        return self.place / "reload"

    def _current(self):
        told = self.told.stat().st_mtime_ns if self.told.exists() else 0
        if self.context is None or told != self.read_at:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.place / "certs" / f"{self.name}.pem", self.place / "certs" / f"{self.name}.key")
            self.read_at, self.context = told, context
        return self.context

    def _serve(self):
        while not self.ended.is_set():
            with contextlib.suppress(OSError):
                connection, _address = self.listener.accept()
                connection.settimeout(20)
                with contextlib.closing(connection), self._current().wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)

    def close(self):
        """Its end."""
        self.ended.set()
        self.thread.join(timeout=30)
        self.listener.close()


def handshake(port, name, roots):
    """None where a client with these roots accepts what is served under the name, else why not."""
    context = ssl.create_default_context(cadata=roots)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as tcp, context.wrap_socket(tcp, server_hostname=name):
            return None
    except (OSError, ssl.SSLError) as error:
        return str(error)


class Clients:
    """Clients with different roots, who look at all servers again and again; each is a function that tells the roots of now."""

    def __init__(self, servers, kinds):
        self.servers, self.kinds = servers, kinds
        self.failures, self.counts = [], dict.fromkeys(kinds, 0)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while not self.ended.is_set():
            for kind, roots in list(self.kinds.items()):
                for server in self.servers:
                    why = handshake(server.port, f"{server.name}.example.test", roots(server))
                    self.counts[kind] = self.counts.get(kind, 0) + 1
                    if why:
                        self.failures.append((time.strftime("%X"), kind, server.name, why))
            time.sleep(0.05)

    def close(self):
        """Their end."""
        self.ended.set()
        self.thread.join(timeout=60)
