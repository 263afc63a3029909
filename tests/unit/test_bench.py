# SPDX-License-Identifier: Apache-2.0
"""The closing lines of `make bench` have the form that other programs read."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest

MEASURE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "bench" / "measure.py"
pytestmark = pytest.mark.skipif(not MEASURE.exists(), reason="a placed collection has no benchmarks")


@pytest.fixture
def measure(monkeypatch):
    """The module that all comparisons use."""
    spec = importlib.util.spec_from_file_location("measure", MEASURE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "measure", module)
    spec.loader.exec_module(module)
    return module


def test_a_comparison_closes_with_ratio_and_cpu_of_each_case(measure, capsys):
    comparison = measure.Comparison("private_ca")
    comparison.row("a row", measure.Cost(1.0, 2.0))
    comparison.versus("cold-100", measure.Cost(30.0, 28.0), measure.Cost(1.5, 0.5))
    comparison.versus("nochange-100", measure.Cost(10.0, 9.0), measure.Cost(2.0, 0.01))
    comparison.close()
    closing = capsys.readouterr().out.splitlines()[-4:]
    assert closing == ["RATIO private_ca cold-100 20.0", "CPU private_ca cold-100 56.0",
                       "RATIO private_ca nochange-100 5.0", "CPU private_ca nochange-100 900.0"]


def test_cost_counts_children(measure):
    cost = measure.run(["sh", "-c", "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'"])
    assert cost.cpu > 0.01 and cost.wall > 0.01
