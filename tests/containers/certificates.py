# SPDX-License-Identifier: Apache-2.0
"""Certificates of services by the openssl command, and what is really served."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def openssl(*arguments, check=True):
    """What openssl prints."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 or not check, f"openssl {arguments}: {done.stderr}"
    return done.stdout


def fingerprint(path):
    """SHA-256 of the first certificate in a file, as AB:CD:..."""
    return openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]


NEW_KEY = ("-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "30")


class Pair:
    """A directory with tls.crt, tls.key and both in tls.pem."""

    def __init__(self, directory, name="service.test", has_authority=False):
        self.directory = pathlib.Path(directory)
        self.name = name
        self.authority = None
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key, self.combined = (self.directory / f"tls.{ending}" for ending in ("crt", "key", "pem"))
        if has_authority:
            # libvirt and QEMU take no certificate that is an authority itself, as those are that sign themselves.
            self.authority = ["-CA", self.directory / "ca.crt", "-CAkey", self.directory.parent / "ca.key", "-addext", "basicConstraints=CA:FALSE"]
            openssl("req", *NEW_KEY, "-subj", "/CN=authority", "-keyout", self.directory.parent / "ca.key", "-out", self.directory / "ca.crt")
        self.renew()

    def fingerprint(self):
        """Of the file, as it is now."""
        return fingerprint(self.certificate)

    def renew(self, in_place=False, key_of=None):
        """A new pair. As every good writer does it, each file is replaced by a rename; `in_place` writes into the old
        ones. `key_of` takes another pair's key, which then does not match."""
        new = self.directory.parent / f".{self.directory.name}.new"
        new.mkdir()
        certificate, key = new / "crt", new / "key"
        openssl("req", *NEW_KEY, "-subj", f"/CN={self.name}", "-addext", f"subjectAltName=DNS:{self.name}", *(self.authority or ()),
                "-keyout", key, "-out", certificate)
        if key_of:
            key.write_bytes(key_of.key.read_bytes())
        (new / "pem").write_bytes(certificate.read_bytes() + key.read_bytes())
        for path, target in ((certificate, self.certificate), (key, self.key), (new / "pem", self.combined)):
            # Services in containers drop to users of all kinds; these keys protect nothing.
            path.chmod(0o644)
            if in_place and target.exists():
                target.write_bytes(path.read_bytes())
            else:
                os.rename(path, target)
        for left in new.iterdir():
            left.unlink()
        new.rmdir()
        return self.fingerprint()


def fingerprint_served(container, port, name="service.test", starttls=None):
    """The leaf that is served at a port of a container's own loopback device, by the openssl command; None if there
    is none. It goes in through the network namespace, so no other container can answer for one that has its own."""
    into = ["nsenter", "--target", str(container.pid()), "--net"]
    client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name]
    client += ["-starttls", starttls] if starttls else []
    if starttls == "vnc":
        client = [sys.executable, HERE / "vnc_leaf.py", str(port)]
    done = subprocess.run([*into, *client], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    leaf = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", done.stdout, re.DOTALL)
    if not leaf:
        return None
    shown = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=leaf.group(0), capture_output=True, text=True,
                           timeout=30, check=True)
    return shown.stdout.strip().partition("=")[2]


CA = """
[ca]
default_ca = d
[d]
database = {place}/index.txt
new_certs_dir = {place}
rand_serial = yes
default_md = sha256
policy = p
x509_extensions = e
[p]
commonName = supplied
[e]
subjectAltName = DNS:{name}
"""


def expired(pair):
    """Put a certificate of the past in the place of a pair's own, for the same key."""
    place = pair.directory.parent / "past"
    place.mkdir()
    (place / "index.txt").write_text("")
    (place / "ca.cnf").write_text(CA.format(place=place, name=pair.name))
    openssl("req", "-new", "-key", pair.key, "-subj", f"/CN={pair.name}", "-out", place / "csr")
    openssl("ca", "-selfsign", "-batch", "-notext", "-config", place / "ca.cnf", "-in", place / "csr", "-keyfile", pair.key, "-out", place / "crt",
            "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
    os.rename(place / "crt", pair.certificate)
