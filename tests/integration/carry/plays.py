# SPDX-License-Identifier: Apache-2.0
"""Runs ansible-playbook and reads what came of it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]

#: exact versions are in tests/requirements-ansible-*.txt
CORES = ("2.14", "2.16", "2.18", "2.19")
NEWEST = CORES[-1]


def executables(core: str) -> pathlib.Path:
    """bin/ of the virtual environment of one ansible-core; made if it is not there."""
    made = subprocess.run([TOP / "scripts" / "venv", f"ansible-{core}"], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(made.stdout.strip()) / "bin"


@dataclasses.dataclass
class Played:
    """One finished run of ansible-playbook."""

    status: int
    #: standard output and error
    output: str
    #: ANSIBLE_LOG_PATH
    log: str
    #: of every task: host, task, status, result
    lines: list[dict]

    def result(self, host: str, task: str) -> dict:
        """The result of one task on one host; `status` is added to it."""
        found = [line for line in self.lines if line["host"] == host and line["task"] == task]
        assert found, f"no result of '{task}' on '{host}':\n{self.output[-6000:]}"
        return {**found[-1]["result"], "status": found[-1]["status"]}


def play(core: str, playbook: pathlib.Path, inventory: pathlib.Path, collections: pathlib.Path, machine, *arguments: str,
         environment: dict | None = None, limit: int = 240) -> Played:
    """Runs the playbook with nothing of the caller's environment or configuration."""
    where = machine.work / f"play-{core}-{len(list(machine.work.glob('play-*')))}"
    (where / "home").mkdir(parents=True)
    record = where / "record"
    record.touch()
    (where / "log").touch()
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(where / "home"),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
        # 2.14 knows the old name only, 2.19 warns of it.
        "ANSIBLE_COLLECTIONS_PATHS" if core == "2.14" else "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_FORKS": "6",
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_LOG_PATH": str(where / "log"),
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(machine.control),
        "ANSIBLE_TIMEOUT": "30",
        "CARRY_RECORD": str(record),
        **(environment or {}),
    }
    command = [executables(core) / "ansible-playbook", "-i", inventory, playbook, *arguments]
    done = subprocess.run([str(word) for word in command], cwd=where, env=settings, timeout=limit, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    return Played(done.returncode, done.stdout, (where / "log").read_text(encoding="utf-8", errors="replace"),
                  [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()])
