# SPDX-License-Identifier: Apache-2.0
"""That scripts/count-results, which makes the sums of `make test`, hides no failure."""

import pathlib
import subprocess
import tempfile

COUNT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "count-results"
CARGO = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.10s\n"
CARGO_FAILED = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s\n"

# name: (part, exit status, what it printed, the counts)
CASES = {
    "adds_all_crates": ("rust", 0, CARGO + "noise\n" + CARGO, "24 0 6"),
    "counts_failures_of_cargo": ("rust", 101, CARGO + CARGO_FAILED, "13 2 3"),
    "reads_pytest": ("unit", 0, "===== 7 passed, 1 skipped, 2 warnings in 1.23s =====\n", "7 0 1"),
    "reads_quiet_pytest": ("unit", 0, "7 passed in 61.00s (0:01:01)\n", "7 0 0"),
    "counts_errors_of_pytest": ("unit", 1, "== 1 failed, 2 passed, 3 errors in 0.10s ==\n", "2 4 0"),
    "reads_the_plain_line": ("static", 1, "static: 5 passed, 2 failed, 1 skipped\n", "5 2 1"),
    "takes_a_failed_part_without_counts_as_a_failure": ("demo", 1, "it broke\n", "0 1 0"),
    "takes_a_failed_part_as_a_failure_whatever_it_counted": ("rust", 124, CARGO, "12 1 3"),
    "takes_a_part_that_ran_nothing_as_a_failure": ("unit", 0, "== 3 skipped in 0.01s ==\n", "0 1 3"),
    "takes_a_part_without_counts_as_one_test": ("demo", 0, "PLAY RECAP: ok=5 failed=0\n", "1 0 0"),
    "takes_the_build_as_no_test": ("build", 0, "", "0 0 0"),
    "takes_a_failed_build_as_a_failure": ("build", 1, "", "0 1 0"),
}


def counting_checks():
    """All checks as (name, function)."""
    for name, case in CASES.items():
        yield f"count-results {name}", lambda c=case: count(*c)


def count(part, status, printed, expected):
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        log.write(printed)
        log.flush()
        done = subprocess.run([COUNT, part, str(status), log.name], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == expected, f"counted {done.stdout.strip()}, not {expected}"
