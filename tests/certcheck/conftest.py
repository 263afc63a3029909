# SPDX-License-Identifier: Apache-2.0
"""One Chromium for all tests; each test has pages of its own."""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser as browsers  # noqa: E402  (after the path above)


@pytest.fixture(scope="session")
def chromium():
    """Debian's. Where it is missing the tests fail: `scripts/setup-debian test` installs it."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-chromium.", dir="/var/tmp"))
    browser = browsers.Browser(place)
    yield browser
    browser.close()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def tab(chromium):
    """Makes tabs."""
    made = []

    def one(path, **options):
        made.append(browsers.Tab(chromium, **options))
        made[-1].open(path)
        return made[-1]

    yield one
    for opened in made:
        opened.close()


@pytest.fixture
def place():
    """A directory that is removed."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-certcheck.", dir="/var/tmp"))
    yield made
    shutil.rmtree(made)
