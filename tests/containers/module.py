# SPDX-License-Identifier: Apache-2.0
"""container_restart as Ansible and a renewal hook call it: options in, one line of JSON out."""

from __future__ import annotations

import ast
import functools
import json
import os
import pathlib
import subprocess
import time

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("CONTAINER_RESTART") or TOP / f"plugins/native/linux-{os.uname().machine}/tls_everywhere")
#: of the one file that is shipped, the first argument is the module; cargo has an executable for each
COMMAND = (PROGRAM, "container_restart") if PROGRAM.name == "tls_everywhere" else (PROGRAM,)


class Answer(dict):
    """What the program answered, and how long it took."""

    seconds = 0.0

    def __getattr__(self, name):
        return self.get(name)

    def of(self, container):
        """What it says of one container."""
        name = getattr(container, "name", container)
        found = [one for one in self["containers"] if one["name"] == name]
        assert len(found) == 1, f"{name} is not once in {json.dumps(self, indent=1)}"
        return found[0]


@functools.cache
def documented():
    """RETURN of the module."""
    tree = ast.parse((TOP / "plugins/modules/container_restart.py").read_text(encoding="utf-8"))
    found = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    return yaml.safe_load(found["RETURN"].value)


def answered(value, spec, path=""):
    """The path of each key of an answer, and whether it is documented."""
    for key, inner in value.items():
        yield f"{path}{key}", key in spec
        if contains := spec.get(key, {}).get("contains"):
            for part in inner if isinstance(inner, list) else [inner]:
                yield from answered(part, contains, f"{path}{key}.")


def own(answer):
    """An answer without what every module may answer."""
    return {key: value for key, value in answer.items() if key not in ("changed", "failed", "diff", "invocation", "warnings")}


def call(options, check=False, environment=None, timeout=200, program=COMMAND):
    """Run the program on options; `program` is how it is reached where it is not here."""
    assert PROGRAM.exists(), f"no '{PROGRAM}'; run: make build"
    started = time.monotonic()
    task = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
    done = subprocess.run([*program], input=json.dumps(task), capture_output=True, text=True, timeout=timeout, cwd="/",
                          env={"PATH": os.environ["PATH"], **(environment or {})}, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == 1, f"one line was expected: {done.stdout!r} {done.stderr!r}"
    answer = Answer(json.loads(lines[0]))
    answer.seconds = time.monotonic() - started
    undocumented = [path for path, is_documented in answered(own(answer), documented()) if not is_documented]
    assert undocumented == [], "answered, but not documented"
    assert (done.returncode == 0) == (not answer.get("failed")), (done.returncode, answer)
    return answer


class Restart:
    """container_restart on one engine, quick where a test does not say otherwise."""

    def __init__(self, engine, work, program=COMMAND):
        self.engine = engine
        self.program = program
        self.base = {"state_dir": str(work / "state"), "stable_for": 0, "verify_timeout": 20, "manager": "engine", "stop_timeout": 1}
        if engine.socket:
            self.base |= {"socket": str(engine.socket)}
        else:
            self.base |= {"engine": "podman"}
        self.environment = {name: value for name, value in engine.environment().items() if name.startswith("CONTAINERS_")}

    def __call__(self, service, check=False, **options):
        """Run it for the certificate of a service (or of a pair)."""
        pair = getattr(service, "pair", service)
        task = {**self.base, "certificate": str(pair.certificate), "private_key": str(pair.key), **options}
        return call({key: value for key, value in task.items() if value is not None}, check, self.environment, program=self.program)

    def succeeds(self, service, **options):
        """Run it, and see that it did not fail."""
        answer = self(service, **options)
        assert not answer.failed, json.dumps(answer, indent=1)
        return answer

    def fails(self, service, kind, **options):
        """Run it, and see that it failed for this reason."""
        answer = self(service, **options)
        assert answer.failed and answer["error"]["kind"] == kind, json.dumps(answer, indent=1)
        return answer
