# SPDX-License-Identifier: Apache-2.0
"""cert_request as Ansible calls it: options in, one line of JSON out."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("CERT_REQUEST") or TOP / f"plugins/native/linux-{os.uname().machine}/tls_everywhere")


class Answer(dict):
    """What the program answered, and how long it took."""

    seconds = 0.0

    def __getattr__(self, name):
        return self.get(name)

    def of(self, name="web"):
        """What it says of one certificate."""
        return self["certificates"][name]

    def kinds(self, name="web"):
        """The kinds of reasons for what was done."""
        return {reason["kind"] for reason in self.of(name)["reasons"]}

    def failure(self, name="web"):
        """Why one certificate failed."""
        assert self.get("failed"), f"it did not fail: {json.dumps(self, indent=1)}"
        return self.of(name)["error"]


def entry(lab, name="web", ca="local", **options):
    """A certificate of certmonger with EC keys, for they are made at once; `issuer` and `files` are added to."""
    files = options.pop("files", [])
    attributes = options.pop("attributes", {})
    saved = [{"content": content, "path": str(lab.file(f"{name}.{end}")), **attributes.get(content, {})}
             for content, end in (("certificate", "crt"), ("private_key", "key"))]
    issuer = {"ca": ca, "wait_timeout": "20s", **options.pop("issuer", {})}
    key = {"algorithm": "ecdsa", **options.pop("key", {})}
    return {"name": name, "dns": [f"{name}.example.org"], "key": key, "issuer": {"certmonger": issuer}, "files": saved + files, **options}


def command(name):
    """How a module is called: of the one file that is shipped by the first argument, of cargo's executables by their names."""
    return [PROGRAM, name] if PROGRAM.name == "tls_everywhere" else [PROGRAM.with_name(name)]


def call(lab, *entries, check=False, environment=None, **options):
    """Run the module on certificates."""
    assert PROGRAM.exists(), f"no '{PROGRAM}'; run: make build"
    task = {"certificates": list(entries), "state_dir": str(lab.place / "state"), **options, "_ansible_check_mode": check, "_ansible_diff": True}
    started = time.monotonic()
    done = subprocess.run(command("cert_request"), input=json.dumps(task), capture_output=True, text=True, timeout=150, cwd="/",
                          env={**lab.environment, **(environment or {})}, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == 1, f"one line was expected: {done.stdout!r} {done.stderr!r}"
    answer = Answer(json.loads(lines[0]))
    answer.seconds = time.monotonic() - started
    assert (done.returncode == 0) == (not answer.get("failed")), (done.returncode, answer)
    return answer


def done(lab, *entries, **options):
    """Run the module; it must not fail."""
    answer = call(lab, *entries, **options)
    assert not answer.get("failed"), json.dumps(answer, indent=1)
    return answer


def unchanged(lab, *entries, **options):
    """Check mode and a run both find nothing to do."""
    for check in (True, False):
        answer = done(lab, *entries, check=check, **options)
        assert not answer["changed"], json.dumps(answer, indent=1)
    return answer
