# SPDX-License-Identifier: Apache-2.0
"""A real OpenBao in memory, as its project publishes it (tests/requirements-openbao.txt), for tests, benchmarks and molecule."""

from __future__ import annotations

import functools
import itertools
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[1]
TOKEN = "root-token-of-the-test"
NUMBERS = itertools.count()
# Names that are given back to the system at the end of the process, one for each port.
RESERVED = []

# What OpenStack-Ansible's documentation asks the operator for: two mounts, a role, a user with a policy.
PREPARED = (
    ("sys/mounts/pki_root", {"type": "pki", "config": {"max_lease_ttl": "87600h"}}),
    ("sys/mounts/pki_int", {"type": "pki", "config": {"max_lease_ttl": "87600h"}}),
    ("pki_int/roles/default", {"allow_any_name": True, "key_type": "any", "ttl": "2160h", "max_ttl": "8760h"}),
    ("sys/policies/acl/pki", {"policy": "\n".join(
        f'path "{mount}/*" {{ capabilities = ["create", "read", "update", "delete", "list", "patch", "sudo"] }}' for mount in ("pki_root", "pki_int"))}),
    ("sys/auth/userpass", {"type": "userpass"}),
    ("auth/userpass/users/osa", {"password": "osa-secret-pass", "policies": "pki"}),
)


class Refused(Exception):
    """The server answered with an error."""


@functools.lru_cache(maxsize=None)
def program():
    """The executable, where no other Python moves it."""
    done = subprocess.run([TOP / "scripts" / "openbao"], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(done.stdout.strip())


def free_port():
    """A port that nobody has, nor the one after it, and that the system gives to no connection by itself. No other process gets it here
    while this one lives: who asks may listen on it much later."""
    while True:
        port = 10_000 + (os.getpid() % 140 * 64 + next(NUMBERS) * 2) % 9_000
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind(f"\0tls-everywhere-port-{port}")
            for number in (port, port + 1):
                with socket.socket() as tcp:
                    tcp.bind(("127.0.0.1", number))
        except OSError:
            mine.close()
            continue
        RESERVED.append(mine)
        return port


def api(url, path, data=None, method=None, token=TOKEN, kind="application/json", authority=None):
    """What the server at an address answers: its `data`, or the whole of an answer without one."""
    request = urllib.request.Request(
        f"{url}/v1/{path}", method=method or ("GET" if data is None else "POST"), data=None if data is None else json.dumps(data).encode(),
        headers={"X-Vault-Token": token, "Content-Type": kind})
    context = ssl.create_default_context(cafile=str(authority)) if authority else None
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            raise Refused(f"{path}: {error.code} {error.read().decode(errors='replace')}") from error
    found = json.loads(text) if text else {}
    return found.get("data") or found


class OpenBao:
    """A running server; with `tls` it listens on https and `authority` is whom to trust."""

    def __init__(self, place, tls=False, detached=False):
        self.place = pathlib.Path(place)
        self.place.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.authority = self.place / "tls" / "vault-ca.pem" if tls else None
        command = [program(), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={TOKEN}", f"-dev-listen-address=127.0.0.1:{self.port}"]
        if tls:
            self.authority.parent.mkdir()
            command += ["-dev-tls", f"-dev-tls-cert-dir={self.authority.parent}"]
        with (self.place / "log").open("ab") as log:
            # Settings in the environment and files of the user's stay out.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=detached,
                                            env={"HOME": str(self.place), "PATH": os.environ["PATH"]})
        self._wait()

    def _wait(self):
        end = time.monotonic() + 60
        while True:
            assert self.process.poll() is None and time.monotonic() < end, (self.place / "log").read_text(errors="replace")[-2000:]
            try:
                self.api("sys/health")
                return
            except (OSError, Refused):
                time.sleep(0.05)

    def api(self, path, data=None, **more):
        """The answer's `data`, or the whole of an answer without one."""
        return api(self.url, path, data, authority=self.authority, **more)

    def prepare(self, calls=PREPARED):
        """What the operator does before the first run."""
        for path, data in calls:
            self.api(path, data)
        return self

    def seal(self):
        """Closes it; nothing but its state can be asked for then."""
        self.api("sys/seal", {})

    def unseal(self):
        """Opens it with the key that a development server prints."""
        log = (self.place / "log").read_text(errors="replace")
        key = log.partition("Unseal Key: ")[2].split()[0]
        self.api("sys/unseal", {"key": key})

    def close(self):
        """Its end."""
        self.process.kill()
        self.process.wait(timeout=20)


def kill(pid):
    """The end of one that outlives who started it."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
