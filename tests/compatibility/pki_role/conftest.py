# SPDX-License-Identifier: Apache-2.0
"""Every test gets a cloud of its own; the collection is placed once."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cloud as clouds  # noqa: E402  (after the path above)


@pytest.fixture
def work():
    """A private directory under /var/tmp that is gone afterwards."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-pki-role.", dir="/var/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def cloud(work):
    """One host."""
    return clouds.Cloud(work)


@pytest.fixture
def three(work):
    """Three hosts."""
    return clouds.Cloud(work, hosts=("node1", "node2", "node3"))


def pytest_sessionfinish():
    """Remove the placed collections, if a test asked for them."""
    for place in clouds.PLACED:
        shutil.rmtree(place)
