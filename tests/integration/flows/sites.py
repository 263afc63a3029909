# SPDX-License-Identifier: Apache-2.0
"""A site: hosts that are directories of this machine, the collection, and an authority outside."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "carry"))

from plays import NEWEST, TOP, Played, play  # noqa: E402

HOSTS = ("controller", "web1", "web2")


def openssl(*arguments) -> str:
    """What openssl prints; its refusal is ours."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "OPENSSL_CONF": "/dev/null"})
    assert done.returncode == 0, f"openssl {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclasses.dataclass
class Site:
    """Hosts, inventory and collection in one private directory."""

    work: pathlib.Path
    control: pathlib.Path
    inventory: pathlib.Path
    collections: pathlib.Path

    def directory(self, host: str) -> pathlib.Path:
        """Where a host's tasks work."""
        return self.work / host

    def play(self, playbook: pathlib.Path, *arguments: str, **variables) -> Played:
        """Runs a playbook; extra variables come as one JSON text."""
        return play(NEWEST, playbook, self.inventory, self.collections, self, "-e", json.dumps(variables), *arguments)

    def outside(self) -> pathlib.Path:
        """An authority of the openssl command line: outside.pem and outside.key in the returned directory."""
        directory = self.work / "outside"
        if not directory.is_dir():
            directory.mkdir()
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 3650,
                    "-subj", "/CN=Outside", "-addext", "basicConstraints=critical,CA:TRUE",
                    "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                    "-keyout", directory / "outside.key", "-out", directory / "outside.pem")
        return directory

    def sign_outside(self, request: str, *extensions: str) -> str:
        """A certificate for a request with these extensions, and the outside authority's own behind it."""
        directory = self.outside()
        (directory / "csr").write_text(request, encoding="ascii")
        (directory / "ext").write_text("\n".join(extensions), encoding="ascii")
        signed = openssl("x509", "-req", "-in", directory / "csr", "-CA", directory / "outside.pem", "-days", 90,
                         "-CAkey", directory / "outside.key", "-CAcreateserial", "-extfile", directory / "ext")
        return signed + (directory / "outside.pem").read_text(encoding="ascii")
