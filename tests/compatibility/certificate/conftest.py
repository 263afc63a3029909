# SPDX-License-Identifier: Apache-2.0
"""Every test gets a certmonger of its own; the collection is placed once."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lab as labs  # noqa: E402  (after the path above)
import standin_ipa  # noqa: E402

sys.path.insert(0, str(labs.collections()))


@pytest.fixture
def lab():
    """A certmonger with nothing in it."""
    place = tempfile.mkdtemp(prefix="tls-everywhere-certmonger.", dir="/var/tmp")
    made = labs.Lab(place)
    yield made
    made.close()
    shutil.rmtree(place)


@pytest.fixture
def ipa(lab):
    """The stand-in for FreeIPA, which certmonger asks through its real ipa-submit."""
    endpoint = standin_ipa.StandInIpa(lab.place / "ipa")
    helper = next(line for line in lab.getcert("list-cas", "-c", "IPA").stdout.splitlines() if "helper-location" in line).split()[1]
    lab.getcert("modify-ca", "-c", "IPA", "-e", f"{helper} -J {endpoint.url} -u admin -W secret -d example.com -h 127.0.0.1")
    yield endpoint
    endpoint.close()


def pytest_sessionfinish():
    """Remove the placed collections, if a test asked for them."""
    for place in labs.PLACED:
        shutil.rmtree(place)
