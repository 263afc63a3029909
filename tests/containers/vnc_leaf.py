# SPDX-License-Identifier: Apache-2.0
"""The certificate that a VNC server shows on the loopback device of the network that this is started in; nothing if there is none.

`python vnc_leaf.py PORT`, to be started by nsenter: openssl s_client does not speak VeNCrypt."""

from __future__ import annotations

import pathlib
import socket
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "compatibility/pki_role"))
from vencrypt import Connection, negotiate  # noqa: E402  (after the path above)

if __name__ == "__main__":
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as link:
            negotiate(Connection(link))
            with context.wrap_socket(link) as secured:
                print(ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True)))
    except OSError as error:
        print(error, file=sys.stderr)
