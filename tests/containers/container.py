# SPDX-License-Identifier: Apache-2.0
"""One container, and what can be seen of it without asking the program under test."""

from __future__ import annotations

import dataclasses
import os
import pathlib


@dataclasses.dataclass(frozen=True)
class Standing:
    """What moves when somebody touches a container: a restart shows in all of it, a reload in the processes."""

    id: str
    state: str
    started_at: str
    restarts: int
    pids: tuple


class Container:
    """A container of an engine."""

    def __init__(self, engine, name):
        self.engine = engine
        self.name = name

    def __repr__(self):
        return f"{self.engine.name}:{self.name}"

    def inspect(self):
        """What the engine knows."""
        return self.engine.inspect(self.name)

    def state(self):
        """running, exited, paused, ..."""
        return self.inspect()["State"]["Status"]

    def started_at(self):
        """When its first process was started."""
        return self.inspect()["State"]["StartedAt"]

    def restarts(self):
        """How often its restart policy acted."""
        return self.inspect()["RestartCount"]

    def pid(self):
        """The first process, as the host numbers it; 0 when it does not run."""
        return self.inspect()["State"]["Pid"]

    def pids(self):
        """All processes in its PID namespace, the first one first, as the host numbers them. Not for containers that share
        the host's namespace."""
        first = self.pid()
        if not first:
            return ()
        namespace = os.readlink(f"/proc/{first}/ns/pid")
        assert namespace != os.readlink("/proc/self/ns/pid"), f"{self} has the PID namespace of the host"
        return (first, *(pid for pid in all_pids() if pid != first and namespace_of(pid) == namespace))

    def standing(self):
        """Everything that would tell that it was touched."""
        known = self.inspect()
        state = known["State"]
        return Standing(known["Id"], state["Status"], state["StartedAt"], known["RestartCount"], self.pids())

    def programs(self):
        """PID by PID the program that runs, by the name that the kernel knows."""
        return {pid: comm for pid in self.pids() if (comm := read(pid, "comm"))}

    def exec(self, *command, check=True):
        """Run something inside."""
        return self.engine.cli("exec", self.name, *command, check=check)

    def logs(self):
        """What it said."""
        return self.engine.cli("logs", self.name, both=True)

    def signal(self, number, pid=None):
        """A signal to the first process (or another one) by the kernel, past the engine."""
        os.kill(pid or self.pid(), number)

    def restart(self, seconds=1):
        """Through the engine."""
        self.engine.cli("restart", "--time", seconds, self.name)

    def remove(self):
        """Remove it."""
        self.engine.remove(self.name)


def all_pids():
    """The processes of this machine."""
    return sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def namespace_of(pid):
    """The PID namespace of a process; None when it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def read(pid, name):
    """A file of /proc/PID; None when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except OSError:
        return None


def parent(pid):
    """The process that another one belongs to; None when it is gone."""
    stat = read(pid, "stat")
    # The name of the program may have spaces and brackets of its own.
    return int(stat.rpartition(")")[2].split()[1]) if stat else None


def standings(containers):
    """How several containers stand. Take it before and after: those that nobody may touch must be equal."""
    return {repr(container): container.standing() for container in containers}
