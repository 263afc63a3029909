# SPDX-License-Identifier: Apache-2.0
"""One lab for the run, since a certmonger takes two seconds to start; tests that break theirs start their own."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lab import Lab  # noqa: E402  (after the path above)


def make(**options):
    """A lab in a directory of its own."""
    assert os.geteuid() == 0, "certmonger wants root"
    for program in ("certmonger", "dbus-daemon", "getcert"):
        assert shutil.which(program), f"no '{program}'; run: scripts/setup-debian test"
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-certmonger.", dir="/var/tmp"))
    place.chmod(0o755)
    return Lab(place, **options)


@pytest.fixture(scope="session")
def shared():
    """The lab of the run."""
    lab = make()
    try:
        lab.start()
        lab.add_helper()
        yield lab
    finally:
        lab.stop()


@pytest.fixture
def lab(shared):
    """The lab of the run, as a test may expect it: the helper issues, and nothing is tracked."""
    shared.answers(0)
    yield shared
    for line in shared.getcert("list").stdout.splitlines():
        if line.startswith("Request ID "):
            shared.getcert("stop-tracking", "-i", line.split("'")[1])
    for path in shared.file("").iterdir():
        path.unlink()


@pytest.fixture
def own(request):
    """A lab that the test may break; options by `pytest.mark.lab(...)`."""
    mark = request.node.get_closest_marker("lab")
    lab = make(**(mark.kwargs if mark else {}))
    try:
        yield lab.start()
    finally:
        lab.stop()


def pytest_configure(config):
    """Our mark."""
    config.addinivalue_line("markers", "lab(**options): the options of the test's own lab")
