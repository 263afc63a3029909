# SPDX-License-Identifier: Apache-2.0
"""Wall time, CPU time and peak memory of a command and all its children, and the tables that are made of them."""

import dataclasses
import os
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one run cost: seconds of wall and CPU time (user and system, children included)."""

    wall: float
    cpu: float
    #: what the command printed
    said: str = dataclasses.field(default="", repr=False, compare=False)

    def __str__(self):
        return f"{self.wall:9.3f} s wall {self.cpu:9.3f} s CPU"


def run(argv, env=None, cwd=None, stdin=None):
    """Run a command to its end and return its Cost; a failing command ends the benchmark with its output."""
    with tempfile.TemporaryFile() as output:
        before = time.monotonic()
        child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=stdin, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - before
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
        if child.returncode != 0:
            raise SystemExit(f"bench: {argv} ended with {child.returncode}:\n{said[-4000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, said)


def peak_memory(argv, env=None):
    """Peak resident memory of one process in KiB, by GNU time: a child of ours would begin with the memory of this Python."""
    with tempfile.NamedTemporaryFile("r") as report:
        subprocess.run(["time", "--format=%M", f"--output={report.name}", *argv], env=env, stdout=subprocess.DEVNULL, check=True, timeout=600)
        return int(report.read())


def median(costs):
    """The median of wall and of CPU time, each for itself."""
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs))


def machine():
    """One line that says where the figures come from."""
    model = next(
        (line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.machine(),
    )
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}"


class Comparison:
    """Collects the rows of one comparison; prints them and the closing RATIO and CPU lines of `make bench`."""

    def __init__(self, name):
        self.name = name
        self.closing = []
        print(f"\n== {name}: {machine()}", flush=True)

    def row(self, what, cost):
        """Print one measured line."""
        print(f"  {what:<58} {cost}", flush=True)

    def note(self, text):
        """Print a figure that is no comparison of two."""
        print(f"  {text}", flush=True)

    def versus(self, case, peer, ours):
        """How many times less wall and CPU time than the peer, for the closing lines."""
        self.closing.append(f"RATIO {self.name} {case} {peer.wall / ours.wall:.1f}")
        self.closing.append(f"CPU {self.name} {case} {peer.cpu / ours.cpu:.1f}")

    def close(self):
        """Print the closing lines."""
        print("\n" + "\n".join(self.closing), flush=True)
