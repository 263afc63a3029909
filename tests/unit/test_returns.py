# SPDX-License-Identifier: Apache-2.0
"""Every key that the programs answer is documented under RETURN, and every documented key is answered.

The answers are those of the case folders of the crates: each way in which a task can end that is worth a test.
"""

from __future__ import annotations

import ast
import json
import os
import pathlib
import subprocess

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
NATIVE = TOP / "plugins" / "native" / f"linux-{os.uname().machine}"
pytestmark = pytest.mark.skipif(not (TOP / "crates").exists(), reason="a placed collection has no crates")

#: what every module may answer
ANSIBLE = {"changed", "failed", "diff", "invocation", "warnings", "deprecations"}
#: of these, the documented keys are those of each value
BY_NAME = {"certificates", "authorities", "crls", "sets"}
#: no case folder can have them: they take a kill, see tests/kills.rs of the crate, or a server
NOT_IN_CASES = {"acme_dns_challenge": {"error.hint"}, "cert_request": {"recovered", "certificates.retry_at"},
                "file_set": {"recovered", "recovered.set", "recovered.action", "recovered.files"},
                # What a server tells of an authority, see tests/vault.rs of the crate.
                "pki_ca": {f"authorities.{name}" for name in ("issuer_id", "key_id", "root_ca", "is_default", "is_root", "usage", "leaf_not_after_behavior",
                                                              "chain_issuers", "default_before", "server_version")}}
#: nothing in a folder can have them: they take an engine, see tests/containers/test_restart_returns.py
WITH_AN_ENGINE = {"container_restart": {"fingerprint", "not_after", "containers", "acted", "planned", "proven", "unproven", "left_alone", "untouched",
                                        "failures"},
                  # They take a server, see tests/faults.rs of the crate; the certificates in them are those of "files".
                  "cert_check": {"endpoints"},
                  # They take a server, see tests/module/issue.rs of the crate.
                  "acme_dns_challenge": {"phase", "certificates", "updated", "pending", "failures", "txt_records", "account_uri", "requests", "updates",
                                         "timings"},
                  # They take a server, see tests/vault_servers.rs and tests/vault_config.rs of the crate.
                  "pki_ca": {"vault_config", "server", "issuers"}}


def documented(module: str) -> dict:
    """RETURN of a module."""
    tree = ast.parse((TOP / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    found = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    return yaml.safe_load(found["RETURN"].value)


def answer(module: str, case: pathlib.Path, sandbox: pathlib.Path) -> dict:
    """What the program answers to a case."""
    setup = case / "setup.sh"
    if setup.exists():
        subprocess.run(["sh", "-euc", 'umask 022; . "$0"', setup], cwd=sandbox, env={**os.environ, "DIR": str(sandbox)},
                       check=True, capture_output=True, timeout=60)
    options = json.loads((case / "args.json").read_text(encoding="utf-8").replace("$DIR", str(sandbox)))
    done = subprocess.run([NATIVE / "tls_everywhere", module], input=json.dumps({**options, "_ansible_diff": True}), capture_output=True, text=True,
                          timeout=60, check=False, env={"PATH": os.environ["PATH"]}, cwd=sandbox)
    return json.loads(done.stdout)


def keys(value: dict, spec: dict, path: str = ""):
    """The path of each key, and whether it is documented."""
    for key, inner in value.items():
        where = f"{path}{key}"
        yield where, key in spec
        contains = spec.get(key, {}).get("contains")
        if not contains:
            continue
        parts = inner if isinstance(inner, list) else inner.values() if key in BY_NAME else [inner]
        for part in parts:
            yield from keys(part, contains, f"{where}.")


def all_documented(spec: dict, path: str = ""):
    """The path of each documented key."""
    for key, value in spec.items():
        yield f"{path}{key}"
        yield from all_documented(value.get("contains", {}), f"{path}{key}.")


@pytest.mark.parametrize("module", ["acme_dns_challenge", "cert_check", "cert_request", "container_restart", "file_set", "pki_ca"])
def test_answers_and_documentation_have_the_same_keys(module, tmp_path):
    spec = documented(module)
    seen, missing = set(), {}
    for case in sorted((TOP / "crates" / module.replace("_", "-") / "tests" / "cases").iterdir()):
        sandbox = tmp_path / case.name
        sandbox.mkdir()
        said = {key: value for key, value in answer(module, case, sandbox).items() if key not in ANSIBLE}
        for path, is_documented in keys(said, spec):
            seen.add(path)
            if not is_documented:
                missing.setdefault(path, case.name)
    assert missing == {}, "answered, but not documented"
    elsewhere = WITH_AN_ENGINE.get(module, set())
    expected = {path for path in all_documented(spec) if path.partition(".")[0] not in elsewhere} - NOT_IN_CASES.get(module, set())
    assert expected - seen == set(), "documented, but in no case"
