# SPDX-License-Identifier: Apache-2.0
"""A VNC client that does what nova-novncproxy does before it hands a console on: VeNCrypt, then TLS with a certificate of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct

# Of the RFB protocol: the security type VeNCrypt, and its sort with X.509 and no password.
VENCRYPT, X509_NONE = 19, 260


class Connection:
    """A socket that is read in exact numbers of bytes."""

    def __init__(self, link):
        self.link = link

    def take(self, count):
        """So many bytes, or EOFError when the other side has hung up."""
        taken = b""
        while len(taken) < count:
            more = self.link.recv(count - len(taken))
            if not more:
                raise EOFError(f"the server hung up after {taken!r}")
            taken += more
        return taken

    def number(self, form):
        """One number of struct's form, big end first."""
        return struct.unpack(f">{form}", self.take(struct.calcsize(form)))[0]

    def give(self, content):
        """Send all of it."""
        self.link.sendall(content)


def negotiate(plain):
    """Up to the moment when the server expects TLS."""
    assert plain.take(12) == b"RFB 003.008\n"
    plain.give(b"RFB 003.008\n")
    assert VENCRYPT in plain.take(plain.number("B"))
    plain.give(bytes([VENCRYPT]))
    assert plain.take(2) == b"\x00\x02"
    plain.give(b"\x00\x02")
    assert plain.number("B") == 0
    assert X509_NONE in [plain.number("I") for _ in range(plain.number("B"))]
    plain.give(struct.pack(">I", X509_NONE))
    assert plain.number("B") == 1


def admitted(secured):
    """The server says yes, or hangs up once it has seen that there is no certificate: then a PermissionError."""
    try:
        assert secured.number("I") == 0
    except (EOFError, ssl.SSLError, ConnectionError) as refusal:
        raise PermissionError("the server wants another certificate, or one at all") from refusal


@contextlib.contextmanager
def console(port, name, trusted, own=()):
    """A console of a virtual machine; yields what the server calls itself and the serial of its certificate."""
    context = ssl.create_default_context(cafile=str(trusted))
    if own:
        context.load_cert_chain(*map(str, own))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        negotiate(Connection(link))
        with context.wrap_socket(link, server_hostname=name) as wrapped:
            secured = Connection(wrapped)
            admitted(secured)
            secured.give(b"\x01")  # Others may look at the same screen.
            secured.take(20)  # Its size and its pixels.
            yield secured.take(secured.number("I")).decode(), "serial=" + wrapped.getpeercert()["serialNumber"]
