#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pebble and HAProxy for the scenario: services.py ports|pebble|haproxy|stop DIR. They live until `stop`."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]

HAPROXY = """\
global
    stats socket {work}/haproxy.stat level admin mode 600
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend web
    bind 127.0.0.1:{http}
    acl letsencrypt-acl path_beg /.well-known/acme-challenge/
    http-request redirect scheme https unless letsencrypt-acl
    use_backend letsencrypt-back if letsencrypt-acl
frontend tls
    bind 127.0.0.1:{https} ssl crt {work}/ssl/one.pem
    bind 127.0.0.1:{other} ssl crt {work}/ssl/two.pem
    http-request return status 200
"""


def ports(work):
    """Free ones, chosen once."""
    file = work / "ports.json"
    if not file.exists():
        probes = [socket.socket() for _each in range(6)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        names = ("acme", "management", "http", "https", "other", "challenge")
        file.write_text(json.dumps(dict(zip(names, (probe.getsockname()[1] for probe in probes)))))
        for probe in probes:
            probe.close()
    return json.loads(file.read_text())


def pebble(work):
    """An authority that looks at HAProxy's port."""
    port = ports(work)
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=pebble",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{work}/pebble.key", "-out", f"{work}/pebble.pem"]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    settings = {"listenAddress": f"127.0.0.1:{port['acme']}", "managementListenAddress": f"127.0.0.1:{port['management']}",
                "certificate": f"{work}/pebble.pem", "privateKey": f"{work}/pebble.key", "httpPort": port["http"], "tlsPort": port["https"],
                "ocspResponderURL": "", "externalAccountBindingRequired": False, "retryAfter": {"authz": 1, "order": 1},
                "profiles": {"default": {"description": "ninety days", "validityPeriod": 7776000}}}
    (work / "pebble.json").write_text(json.dumps({"pebble": settings}))
    program = subprocess.run([TOP / "scripts/pebble"], check=True, capture_output=True, text=True, timeout=180).stdout.strip()
    spawn(work, "pebble", port["acme"], program, "-config", f"{work}/pebble.json")


def haproxy(work):
    """Start it with the frontends of the scenario and what the role wrote, or have it read its files again."""
    port = ports(work)
    if (work / "haproxy.pid").exists():
        os.kill(int((work / "haproxy.pid").read_text()), signal.SIGUSR2)
        time.sleep(0.5)
        return
    (work / "haproxy.cfg").write_text(HAPROXY.format(work=work, **port))
    spawn(work, "haproxy", port["http"], "haproxy", "-W", "-f", f"{work}/haproxy.cfg", "-f", f"{work}/letsencrypt.cfg")


def spawn(work, name, port, *command):
    """A process that outlives us, once it listens."""
    quiet = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
    with open(work / f"{name}.log", "ab") as log:
        process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], **quiet}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                   start_new_session=True)
    (work / f"{name}.pid").write_text(str(process.pid))
    end = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        assert process.poll() is None and time.monotonic() < end, (work / f"{name}.log").read_text()
        time.sleep(0.1)


def stop(work):
    """End both; nothing if they do not run."""
    for name in ("haproxy", "pebble"):
        pid = work / f"{name}.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGTERM)
            pid.unlink()


if __name__ == "__main__":
    {"ports": lambda work: print(json.dumps(ports(work))), "pebble": pebble, "haproxy": haproxy, "stop": stop}[sys.argv[1]](pathlib.Path(sys.argv[2]))
