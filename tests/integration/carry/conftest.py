# SPDX-License-Identifier: Apache-2.0
"""The machine and the collection that all tests here share."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from machine import Machine  # noqa: E402
from plays import TOP  # noqa: E402

SYSTEM_TEMPORARY = pathlib.Path("/var/tmp")
NATIVE = pathlib.Path(os.environ.get("CARRY_NATIVE", TOP / "plugins" / "native"))


@pytest.fixture(scope="session")
def machine():
    """Users, sshd and chroot; gone when the tests are done."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-carry.", dir="/var/tmp"))
    it = Machine(work)
    # Ansible itself leaves the directory of an asynchronous task that runs as another unprivileged user, whatever the
    # module: its wrapper, which runs as that user, may not remove what the login user has made.
    before = set(SYSTEM_TEMPORARY.glob("ansible-tmp-*"))
    try:
        it.start()
        yield it
    finally:
        it.stop()
        shutil.rmtree(work, ignore_errors=True)
        for left in set(SYSTEM_TEMPORARY.glob("ansible-tmp-*")) - before:
            shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def programs():
    """The directory of this machine's executable."""
    directory = NATIVE / f"linux-{os.uname().machine}"
    assert (directory / "tls_everywhere").exists(), f"'{directory / 'tls_everywhere'}' is not built; run make build"
    return directory


@pytest.fixture(scope="session")
def place(machine, programs):
    """Lays the collection out with the executable under the names of the given machines."""
    def lay_out(name: str, *machines: str) -> pathlib.Path:
        collections = machine.work / f"collections-{name}"
        subprocess.run([TOP / "scripts" / "place-collection", collections], check=True, timeout=60)
        plugins = collections / "ansible_collections" / "tls" / "everywhere" / "plugins"
        plugins.unlink()
        plugins.mkdir()
        for part in (TOP / "plugins").iterdir():
            if part.name != "native":
                (plugins / part.name).symlink_to(part)
        for each in machines:
            (plugins / "native" / f"linux-{each}").mkdir(parents=True)
            for program in programs.iterdir():
                shutil.copy(program, plugins / "native" / f"linux-{each}" / program.name)
        return collections

    return lay_out


@pytest.fixture(scope="session")
def collections(place):
    """The collection as it is."""
    return place("whole", os.uname().machine)
