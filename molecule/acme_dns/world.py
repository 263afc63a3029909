#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pebble and BIND for the scenario: world.py start|stop DIR. They live from `start` to `stop`."""

import contextlib
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "compatibility" / "letsencrypt"))
import servers  # noqa: E402  (after the path above)


def start(work):
    """All of them, and the role's variables that lead to them."""
    stop(work)
    servers.Server.detached = True
    work.mkdir(parents=True, exist_ok=True)
    world = servers.World(work / "world")
    (work / "pids.json").write_text(json.dumps([server.process.pid for server in world.servers]))
    variables = {
        "letsencrypt_directory": world.pebble.directory, "letsencrypt_ca_file": str(world.pebble.place / "https.pem"), "letsencrypt_zone": servers.SIGNING,
        "letsencrypt_propagation": world.propagation(), "letsencrypt_provider": world.update(), "letsencrypt_parallel": 1,
        "root": str(world.pebble.root()), "primary_port": world.primary.port,
    }
    (work / "world.json").write_text(json.dumps(variables))


def stop(work):
    """The end of all; nothing if they do not run."""
    pids = work / "pids.json"
    if pids.exists():
        for pid in json.loads(pids.read_text()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        pids.unlink()


if __name__ == "__main__":
    {"start": start, "stop": stop}[sys.argv[1]](pathlib.Path(sys.argv[2]))
