# SPDX-License-Identifier: Apache-2.0
"""Reports of a cloud that does not exist: what cert_check would say of it, the same each time."""

from __future__ import annotations

import hashlib
import json
import pathlib
import random
import subprocess
from datetime import datetime, timedelta, timezone

TOP = pathlib.Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=timezone.utc)
ROOT, BELOW = "CN=Cloud Root CA,O=Example", "CN=Cloud Services CA,O=Example"
ISRG, E7 = "CN=ISRG Root X1,O=Internet Security Research Group,C=US", "CN=E7,O=Let's Encrypt,C=US"

# Service, port, protocol, program.
SERVICES = [("keystone", 5000, "tls", "haproxy"), ("nova-api", 8774, "tls", "haproxy"), ("neutron", 9696, "tls", "haproxy"),
            ("glance", 9292, "tls", "haproxy"), ("cinder", 8776, "tls", "haproxy"), ("horizon", 443, "tls", "haproxy"),
            ("rabbitmq", 5671, "tls", "beam.smp"), ("mariadb", 3306, "mysql", "mariadbd"), ("octavia", 9876, "tls", "haproxy"),
            ("heat", 8004, "tls", "haproxy"), ("placement", 8778, "tls", "haproxy"), ("libvirt", 16514, "tls", "libvirtd"),
            ("vnc", 5900, "vnc", "qemu-system-x86"), ("designate", 9001, "tls", "haproxy"), ("barbican", 9311, "tls", "haproxy")]


def instant(at):
    """As a report has it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(text):
    """Something that looks like a fingerprint, another for each text."""
    return hashlib.sha256(text.encode()).hexdigest()


def certificate(subject, issuer, names, left, life=90, key=None):
    """The facts of one, with `left` days and some hours to go."""
    ends = NOW + timedelta(days=left, hours=5)
    return {"subject": subject, "issuer": issuer, "names": names, "not_before": instant(ends - timedelta(days=life)), "not_after": instant(ends),
            "serial": digest(f"{subject} {left}")[:32], "fingerprint_sha256": digest(f"{subject} {left} {key}"), "signature": "ecdsa-with-SHA256",
            "key": {"algorithm": "ecdsa", "curve": "P-256", "bits": 256, "sha256": digest(key or subject)}}


INTERMEDIATE = certificate(BELOW, ROOT, [], 1400, 3650)
ANCHOR = {"subject": ROOT, "fingerprint_sha256": digest("root"), "not_after": instant(NOW + timedelta(days=3300))}


def endpoint(number, host, name, left):
    """One that is well."""
    service, port, protocol, process = SERVICES[number % len(SERVICES)]
    if number >= len(SERVICES):
        service, port = f"{service}-{number // len(SERVICES)}", port + number // len(SERVICES)
    names = [f"{service}.internal.example.com", f"{name}.example.com", f"{service}.example.com"]
    leaf = certificate(f"CN={names[0]}", BELOW, names, left, key=f"{service} of {name}")
    return {"service": service, "host": f"{name}.example.com", "address": f"172.17.{host % 250}.{number % 250 + 10}", "port": port, "sni": names[0],
            "protocol": protocol, "status": "ok", "findings": [], "chain": [leaf, INTERMEDIATE], "trusted_by": ANCHOR,
            "served_by": {"process": process, "pid": 1000 + number, "container": service}, "seconds": 0.011}


def reports(hosts, each):
    """One report per host, all well."""
    chance, made = random.Random(7), []
    for host in range(hosts):
        name = f"ctl{host}"
        endpoints = [endpoint(number, host, name, chance.choice([85, 80, 77, 70, 66, 60, 52, 45, 38]) + chance.randint(-6, 4)) for number in range(each)]
        made.append({"version": 1, "generated_at": instant(NOW - timedelta(minutes=host % 50)), "host": f"{name}.example.com", "endpoints": endpoints,
                     "files": [], "shared_keys": [], "unserved": []})
    return made


def found(entry, level, kind, detail, **changes):
    """Something was found there."""
    entry.update({"status": level, "findings": [{"kind": kind, "level": level, "detail": detail}], **changes})


def cloud():
    """Three controllers with 15 services each, and what goes wrong in a year, all at once."""
    made = reports(3, len(SERVICES))
    first, second, third = (report["endpoints"] for report in made)
    gone = certificate("CN=keystone.internal.example.com", BELOW, ["keystone.internal.example.com"], -3)
    found(first[0], "fail", "expired", "the certificate ended on 2026-11-23; renew it and have haproxy read it again", chain=[gone, INTERMEDIATE])
    public = [certificate("CN=cloud.example.com", E7, ["cloud.example.com", "*.cloud.example.com"], 9), certificate(E7, ISRG, [], 470, 1000)]
    found(first[5], "warn", "expires_soon", "9 days are left of 90, and 30 were wished; look at what should have renewed it", chain=public,
          trusted_by={"subject": ISRG, "fingerprint_sha256": digest("isrg"), "not_after": "2035-06-04T11:04:38Z"})
    found(second[3], "fail", "stale", "serves another certificate than its file has; have the container glance read /etc/pki/tls/private/glance.pem again")
    found(second[6], "warn", "shared_key", "has the key of mariadb; give each service its own")
    second[6]["chain"][0]["key"]["sha256"] = second[7]["chain"][0]["key"]["sha256"]
    found(third[8], "fail", "probe.connect", "cannot connect to 172.17.2.18:9876: Connection refused", chain=[], trusted_by=None, served_by=None)
    found(third[11], "warn", "weak_key", "has an RSA key of 1024 bits; 2048 are the least")
    alone = certificate("CN=swift.internal.example.com", BELOW, ["swift.internal.example.com"], 33)
    path = "/etc/pki/tls/certs/swift.crt"
    entry = {"service": "swift", "path": path, "chain": [alone, INTERMEDIATE], "trusted_by": ANCHOR, "served_at": []}
    found(entry, "warn", "unserved", "no endpoint serves it")
    made[0]["files"].append(entry)
    made[0]["unserved"].append({"path": path, "subject": alone["subject"], "fingerprint_sha256": alone["fingerprint_sha256"]})
    return made


def hostile(text):
    """A report in which every text that can come from outside is this one."""
    leaf = {**certificate(f"CN={text}", f"CN={text}", [text] * 70, 50), "serial": text, "fingerprint_sha256": text, "signature": text,
            "key": {"algorithm": text, "curve": text, "bits": 256, "sha256": text}}
    [report] = reports(1, 2)
    report["host"] = text
    for number, entry in enumerate(report["endpoints"]):
        entry.update({"service": f"{number}{text}", "host": text, "address": f"{text}a", "sni": text, "protocol": text, "chain": [leaf, leaf],
                      "trusted_by": {**ANCHOR, "subject": text}, "served_by": {"process": text, "pid": 1, "container": text}})
        found(entry, "fail", text, text)
    report["files"].append({"service": text, "path": text, "chain": [leaf], "served_at": []})
    report["unserved"].append({"path": text, "subject": f"CN={text}", "fingerprint_sha256": "x"})
    return [report]


def page(place, made, name="page.html", what="page"):
    """The page of reports, as of NOW, by the crate itself."""
    files = []
    for number, report in enumerate(made):
        files.append(place / f"{name}.{number}.json")
        files[-1].write_text(json.dumps(report))
    words = [TOP / "target/debug/examples/page", str(int(NOW.timestamp())), what, *files]
    done = subprocess.run(words, check=True, capture_output=True, timeout=120)
    (place / name).write_bytes(done.stdout)
    return place / name
