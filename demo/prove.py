#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prove with the openssl command what the playbook says, and print it as a table.

Usage: prove.py DIR. Reads DIR/answer.json (the result of cert_request) and DIR/run/*.port (the HAProxies that run).
Every certificate is verified against the root alone, by each of its names; a service whose HAProxy runs must serve
exactly its own certificate for each of its names in a real handshake. Exits 1 if one proof fails.
"""

import json
import pathlib
import re
import subprocess
import sys


def openssl(*argv, stdin=b""):
    """Run the openssl command; return (exit status, output of both streams)."""
    done = subprocess.run(
        ["openssl", *argv], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False
    )
    return done.returncode, done.stdout.decode(errors="replace")


def certificate_path(files):
    """The file that holds the leaf, which every reader finds first in it."""
    for content in ("certificate", "fullchain", "combined"):
        for entry in files:
            if entry["content"] == content:
                return entry["path"]
    raise SystemExit("no file of this certificate holds the certificate")


def sans(path):
    """The names in the certificate, as the openssl command reads them."""
    _, text = openssl("x509", "-in", path, "-noout", "-ext", "subjectAltName")
    return re.findall(r"DNS:([^,\s]+)", text)


def concrete(name):
    """A host name that a wildcard covers; other names as they are."""
    return name.replace("*", "anything", 1)


def verify(path, name, root, intermediate):
    """Does the chain of the file verify to the root for this name?"""
    status, text = openssl(
        "verify", "-x509_strict", "-CAfile", root, "-untrusted", intermediate, "-verify_hostname", concrete(name), path
    )
    return None if status == 0 else text.strip()


def handshake(port, name, root, fingerprint):
    """Is this very certificate served for this name, with a chain that verifies to the root?"""
    status, text = openssl(
        "s_client", "-connect", f"127.0.0.1:{port}", "-servername", concrete(name), "-verify_hostname", concrete(name),
        "-CAfile", root, "-verify_return_error",
    )
    if status != 0:
        return text.strip()
    _, served = openssl("x509", "-noout", "-fingerprint", "-sha256", stdin=text.encode())
    served = served.strip().partition("=")[2]
    return None if served == fingerprint else f"served {served}, expected {fingerprint}"


def key_faults(certificate):
    """What is wrong with the key files: a key of another certificate, or one that everybody can read."""
    _, wanted = openssl("x509", "-in", certificate_path(certificate["files"]), "-noout", "-pubkey")
    for entry in certificate["files"]:
        if entry["content"] not in ("private_key", "combined"):
            continue
        _, public = openssl("pkey", "-in", entry["path"], "-pubout")
        if public != wanted:
            yield f"{entry['path']} holds the key of another certificate"
        if pathlib.Path(entry["path"]).stat().st_mode & 0o007:
            yield f"{entry['path']} can be read by everybody"


def prove(service, certificate, demo):
    """Return (proof in words, list of what failed) for one service."""
    root = str(demo / "ca/roots/DemoRoot/certs/DemoRoot.crt")
    intermediate = str(demo / "ca/roots/DemoIntermediate/certs/DemoIntermediate.crt")
    path = certificate_path(certificate["files"])
    names = sans(path)
    failed = [why for name in names if (why := verify(path, name, root, intermediate))] + list(key_faults(certificate))
    count = f"{len(names)} name" + ("s" if len(names) > 1 else "")
    port_file = demo / "run" / (service.removeprefix("haproxy-") + ".port")
    if not (service.startswith("haproxy-") and port_file.exists()):
        return f"key matches, verified for {count}", failed
    port = port_file.read_text().strip()
    failed += [why for name in names if (why := handshake(port, name, root, certificate["fingerprint_sha256"]))]
    return f"served on 127.0.0.1:{port} for {count}", failed


def table(rows):
    """Print rows of strings in columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    """Prove all services, print the table, tell by the exit status."""
    demo = pathlib.Path(sys.argv[1])
    answer = json.loads((demo / "answer.json").read_text())
    rows, failures = [("SERVICE", "NAMES", "ISSUER", "EXPIRES", "FILES", "PROOF")], []
    for service, certificate in sorted(answer["certificates"].items()):
        proof, failed = prove(service, certificate, demo)
        failures += [f"{service}: {why}" for why in failed]
        names = sans(certificate_path(certificate["files"]))
        first = names[0] + (f" +{len(names) - 1}" if len(names) > 1 else "")
        files = ", ".join(pathlib.Path(entry["path"]).name for entry in certificate["files"])
        rows.append(
            (service, first, issuer_name(certificate), certificate["not_after"][:10], files,
             "FAILED" if failed else proof)
        )
    table(rows)
    for service in answer["renewed"]:
        reasons = "; ".join(reason["detail"] for reason in answer["certificates"][service]["reasons"])
        if len(answer["renewed"]) < len(answer["certificates"]):
            print(f"\nrenewed {service}: {reasons}")
    for failure in failures:
        print(f"FAILED {failure}")
    return 1 if failures else 0


def issuer_name(certificate):
    """The common name of the issuer, read from the file by the openssl command."""
    _, text = openssl("x509", "-in", certificate_path(certificate["files"]), "-noout", "-issuer", "-nameopt", "multiline")
    found = re.search(r"commonName\s*=\s*(.+)", text)
    return found.group(1).strip() if found else "?"


if __name__ == "__main__":
    sys.exit(main())
