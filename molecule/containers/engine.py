#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The private dockerd of the scenario: engine.py start|remember|verify|stop DIR. It lives from `start` to `stop`."""

import dataclasses
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "containers"))
import certificates  # noqa: E402  (after the path above)
import engines  # noqa: E402
import images  # noqa: E402
import services  # noqa: E402

NAMES = ("one", "two")


def start(engine, work):
    """The daemon and both containers, whose certificates a play will replace."""
    stop(engine, work)
    for part in ("docker", "images", "state"):
        (work / part).mkdir(parents=True)
    engine.start()
    engine.load("proxy", images.proxy(work / "images"))
    for name in NAMES:
        pair = certificates.Pair(work / "pki" / name, f"{name}.test")
        services.start(engine, work / "services", "haproxy", name=name, pair=pair)


def standing(engine, work):
    """How both stand, what is served and what is in the file."""
    known = {}
    for name in NAMES:
        container = engine.container(name)
        file, served = work / "pki" / name / "tls.pem", certificates.fingerprint_served(container, 8443, f"{name}.test")
        known[name] = {**dataclasses.asdict(container.standing()), "served": served, "file": certificates.fingerprint(file)}
    return known


def remember(engine, work):
    """Keep it."""
    (work / "before.json").write_text(json.dumps(standing(engine, work)))


def verify(engine, work):
    """Compare with what was kept: as it would be read from its file."""
    before, after = json.loads((work / "before.json").read_text()), json.loads(json.dumps(standing(engine, work)))
    one, two = (after[name] for name in NAMES)
    for name, state in (*before.items(), *after.items()):
        assert state["served"] == state["file"], f"{name} does not serve what is in its file: {state}"
    assert one["file"] != before["one"]["file"] and one["pids"] != before["one"]["pids"], (before, after)
    assert one["started_at"] == before["one"]["started_at"], "it was restarted, where a reload is enough"
    assert two == before["two"], (before["two"], two)


def stop(engine, work):
    """End the containers, the daemon, and what it has mounted; nothing if it does not run."""
    number = work / "docker/pid"
    if number.exists():
        engine.remove(*NAMES)
        os.kill(int(number.read_text()), signal.SIGTERM)
        engines.until("dockerd has ended", lambda: not number.exists())
        engines.unmount_below(work / "docker")


if __name__ == "__main__":
    action, place = sys.argv[1], pathlib.Path(sys.argv[2])
    {"start": start, "remember": remember, "verify": verify, "stop": stop}[action](engines.Docker(place / "docker"), place)
