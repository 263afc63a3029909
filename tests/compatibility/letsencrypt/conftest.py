# SPDX-License-Identifier: Apache-2.0
"""One world of servers for the tests of a file, a directory for each test; the collection is placed once."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lab as labs  # noqa: E402  (after the path above)
import servers  # noqa: E402


def directory():
    """A private directory under /var/tmp."""
    return pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-letsencrypt.", dir="/var/tmp"))


@pytest.fixture
def place():
    """A private directory that is gone afterwards."""
    path = directory()
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def world():
    """Pebble and the BINDs."""
    path = directory()
    made = servers.World(path / "world")
    yield made
    made.close()
    shutil.rmtree(path)


def pytest_sessionfinish():
    """Remove the placed collections, if a test asked for them."""
    for path in labs.PLACED:
        shutil.rmtree(path)
