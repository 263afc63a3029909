# SPDX-License-Identifier: Apache-2.0
"""How far a clock is off, and what is said about it."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_clock


@pytest.mark.parametrize(("answer", "ahead"), [
    ("1000\n", 0), ("1003", 0), ("999", 0),
    ("4603", 3600), ("-5", None), ("", None), ("Wed Nov 25", None),
    ("400", -599),
])
def test_the_time_that_the_question_took_is_no_difference(answer, ahead):
    assert pki_clock.offset(answer, 1000.0, 1003.0) == ahead


@pytest.mark.parametrize(("ahead", "words"), [
    (None, None), (0, None), (299, None), (-299, None),
    (3600, "the clock of 'node1' is 60 minutes ahead of the controller's; a certificate begins 65 minutes before it is made, so that this does"),
    (-3600, "is 60 minutes behind the controller's"),
    (-7200, "is 120 minutes behind the controller's; a certificate begins 65 minutes before it is made, and beyond that hosts"),
])
def test_what_is_said(ahead, words):
    said = pki_clock.warning("node1", ahead)
    assert said is words is None or words in said


def test_the_tolerance_is_that_of_the_executables():
    source = pathlib.Path(__file__).resolve().parents[2] / "crates/pki/src/time.rs"
    found = re.search(r"CLOCK_TOLERANCE: Lifetime = Lifetime\(([0-9_]+)\)", source.read_text())
    assert int(found.group(1)) == pki_clock.TOLERATED
