# SPDX-License-Identifier: Apache-2.0
"""One OpenBao for the tests of a file, a directory and a mount for each test; the collection is placed once."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1]))
import lab as labs  # noqa: E402  (after the path above)
import openbao  # noqa: E402


def directory():
    """A private directory under /var/tmp."""
    return pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-vault-pki.", dir="/var/tmp"))


@pytest.fixture(scope="module")
def bao():
    """A server in memory, unsealed."""
    path = directory()
    server = openbao.OpenBao(path)
    yield server
    server.close()
    shutil.rmtree(path)


@pytest.fixture
def lab(request, bao):
    """Two hosts and a mount of their own; a parameter is the ansible-core."""
    path = directory()
    yield labs.Lab(path, bao, core=getattr(request, "param", labs.NEWEST), mount=f"pki-{path.name.rpartition('.')[2]}")
    shutil.rmtree(path)


def pytest_sessionfinish():
    """Remove the placed collections, if a test asked for them."""
    for path in labs.PLACED:
        shutil.rmtree(path)
