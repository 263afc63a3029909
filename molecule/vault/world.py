#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenBao for the scenario: world.py start|revoke|stop DIR. It lives from `start` to `stop`."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
import openbao  # noqa: E402  (after the path above)


def start(work):
    """The server with nothing in it, and the variables that lead to it."""
    stop(work)
    work.mkdir(parents=True, exist_ok=True)
    server = openbao.OpenBao(work / "openbao", tls=True, detached=True)
    (work / "token").touch(0o600)
    (work / "token").write_text(openbao.TOKEN)
    world = {"pid": server.process.pid, "url": server.url, "authority": str(server.authority)}
    (work / "world.json").write_text(json.dumps(world))


def revoke(work):
    """Somebody revokes the certificate of the web server."""
    world = json.loads((work / "world.json").read_text())
    done = subprocess.run(["openssl", "x509", "-in", work / "web.pem"], check=True, capture_output=True, text=True, timeout=30)
    openbao.api(world["url"], "pki_int/revoke", {"certificate": done.stdout}, authority=world["authority"])


def stop(work):
    """Its end; nothing if it does not run."""
    path = work / "world.json"
    if path.exists():
        openbao.kill(json.loads(path.read_text())["pid"])
        path.unlink()


if __name__ == "__main__":
    {"start": start, "revoke": revoke, "stop": stop}[sys.argv[1]](pathlib.Path(sys.argv[2]))
