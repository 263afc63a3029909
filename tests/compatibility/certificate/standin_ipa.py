# SPDX-License-Identifier: Apache-2.0
"""A stand-in for FreeIPA, which no Debian package serves: the JSON-RPC call that certmonger's real ipa-submit makes, answered with a
certificate of an authority that openssl made. Names and services may be required to be registered first."""

from __future__ import annotations

import base64
import http.server
import json
import pathlib
import subprocess
import textwrap
import threading

# FreeIPA's own numbers and names of errors.
NO_ACCESS, NOT_FOUND, UNKNOWN = (2100, "ACIError"), (4001, "NotFound"), (3009, "CommandError")


class Refused(Exception):
    """An answer with an error."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.body = {"code": kind[0], "name": kind[1], "message": message, "data": {}}


class StandInIpa:
    """The endpoint. `services` is a set of principals that are registered; None registers all."""

    def __init__(self, place):
        self.place = pathlib.Path(place)
        self.place.mkdir(parents=True)
        self.ca, self.services, self.denies, self.calls = self.place / "ca.crt", None, False, []
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj", "/O=EXAMPLE.COM/CN=Certificate Authority",
                      "-keyout", "ca.key", "-out", "ca.crt")
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One call."""

            def do_POST(self):
                """Answers it."""
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps({**endpoint.answer(body), "id": body.get("id"), "principal": "admin@EXAMPLE.COM", "version": "4.9"}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments):
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ipa/json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """The end of it."""
        self.server.shutdown()
        self.server.server_close()

    def answer(self, body):
        """What one call gets."""
        method, (arguments, options) = body["method"].partition("/")[0], body["params"]
        self.calls.append((method, options))
        try:
            return {"result": {"result": self.call(method, arguments, options), "value": "", "summary": None}, "error": None}
        except Refused as refused:
            return {"result": None, "error": refused.body}

    def call(self, method, arguments, options):
        """The result of cert_request; there is no other call."""
        if method != "cert_request":
            raise Refused(UNKNOWN, f"unknown command '{method}'")
        principal = options.get("principal", "").partition("@")[0]
        if self.denies:
            raise Refused(NO_ACCESS, "Insufficient access: not allowed to perform operation: request certificate")
        if self.services is not None and principal not in self.services:
            raise Refused(NO_ACCESS if options.get("add") else NOT_FOUND, f"{principal}: service not found")
        return {"certificate": self.sign(arguments[0]), "request_id": len(self.calls), "cacn": options.get("cacn", "ipa")}

    def sign(self, request):
        """The certificate for a request, base64 of DER both."""
        name = f"{threading.get_ident()}"
        lines = "\n".join(textwrap.wrap("".join(request.split()), 64))
        (self.place / f"{name}.csr").write_text(f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "365", "-copy_extensions", "copyall",
                      "-outform", "DER", "-out", f"{name}.der")
        return base64.b64encode((self.place / f"{name}.der").read_bytes()).decode()

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.place, check=True, capture_output=True, timeout=60)
