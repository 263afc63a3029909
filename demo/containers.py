#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The second act: two HAProxies in containers of a private dockerd, two certificates, one of them renewed.

Usage: containers.py DIR PLAYBOOK-COMMAND...: the command runs demo/containers.yml, with `-e renew=NAME` added to renew
one. Exits 1 unless exactly that one's container is reloaded and both serve, to the openssl command, what is in their files.
"""

import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "containers"))
import certificates  # noqa: E402  (after the path above)
import engines  # noqa: E402
import images  # noqa: E402

NAMES = ("keystone", "glance")
RENEWED = "keystone"
CONFIG = """
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend tls
  bind 127.0.0.1:8443 ssl crt /certs/tls.pem
  http-request return status 200
"""


def start(engine, demo):
    """Both containers."""
    (demo / "images").mkdir()
    engine.load("proxy", images.proxy(demo / "images"))
    (demo / "haproxy.cfg").write_text(CONFIG)
    for name in NAMES:
        # Both mount all certificates, as deployers do; each serves its own.
        engine.run(name, "proxy", "haproxy", "-W", "-db", "-f", "/haproxy.cfg",
                   mounts=[f"{demo}/pki:/pki:ro", f"{demo}/pki/{name}:/certs:ro", f"{demo}/haproxy.cfg:/haproxy.cfg:ro"])
    for name in NAMES:
        engines.until(f"{name} serves", lambda name=name: served(engine, name))


def served(engine, name):
    """The fingerprint that the openssl command is served inside the container's network."""
    return certificates.fingerprint_served(engine.container(name), 8443, f"{name}.example.com")


def standing(engine, demo):
    """How both stand, and what each serves beside what is in its file."""
    known = {}
    for name in NAMES:
        container = engine.container(name)
        known[name] = {"started_at": container.started_at(), "pids": container.pids(), "served": served(engine, name),
                       "file": certificates.fingerprint(demo / "pki" / name / "tls.pem")}
    return known


def compare(before, after):
    """Print what moved; exactly the renewed one may have, and both serve what is in their files."""
    good = True
    for name in NAMES:
        old, new = before[name], after[name]
        renewed = old["file"] != new["file"]
        touched = old["pids"] != new["pids"] or old["started_at"] != new["started_at"]
        good &= touched == renewed and new["served"] == new["file"] and old["served"] == old["file"]
        print(f"container {name}: serves {old['served'][:11]}… -> {new['served'][:11]}…, "
              f"{'reloaded, not restarted' if touched and old['started_at'] == new['started_at'] else 'restarted' if touched else 'not touched'}")
    if [name for name in NAMES if before[name]["file"] != after[name]["file"]] != [RENEWED] or not good:
        sys.exit("not exactly the container of the renewed certificate was reloaded, or one serves something else than its file")


def main():
    """The whole act."""
    demo, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    place = demo / "docker"
    place.mkdir()
    engine = engines.Docker(place)
    try:
        engine.start()
        subprocess.run(command, check=True, timeout=120)
        start(engine, demo)
        before = standing(engine, demo)
        subprocess.run([*command, "-e", f"renew={RENEWED}"], check=True, timeout=120)
        after = standing(engine, demo)
    finally:
        engine.stop()
    compare(before, after)


if __name__ == "__main__":
    main()
