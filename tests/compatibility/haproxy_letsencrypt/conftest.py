# SPDX-License-Identifier: Apache-2.0
"""Every test gets machines of its own; the collection is placed once."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lab as labs  # noqa: E402  (after the path above)


@pytest.fixture
def make():
    """Makes a lab; all are gone afterwards."""
    made = []

    def one(**options):
        place = tempfile.mkdtemp(prefix="tls-everywhere-haproxy-lab.", dir="/var/tmp")
        pathlib.Path(place).chmod(0o755)
        made.append((place, None))
        lab = labs.Lab(place, **options)
        made[-1] = (place, lab)
        return lab

    yield one
    for place, lab in made:
        if lab:
            lab.close()
        shutil.rmtree(place)


def pytest_sessionfinish():
    """Remove the placed collections, if a test asked for them."""
    for place in labs.PLACED:
        shutil.rmtree(place)
