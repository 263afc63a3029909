# SPDX-License-Identifier: Apache-2.0
"""The committed argument specs are those of the executables, the documentation is that of the specs."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from ansible_collections.tls.everywhere.plugins.module_utils import argument_specs

TOP = pathlib.Path(__file__).resolve().parents[2]
NATIVE = TOP / "plugins" / "native" / f"linux-{os.uname().machine}"
MODULES = {
    "acme_dns_challenge": argument_specs.ACME_DNS_CHALLENGE,
    "cert_check": argument_specs.CERT_CHECK,
    "cert_request": argument_specs.CERT_REQUEST, "container_restart": argument_specs.CONTAINER_RESTART, "file_set": argument_specs.FILE_SET,
    "pki_ca": argument_specs.PKI_CA,
}
SECRETS = {
    "acme_dns_challenge": {"api_key", "application_credential_secret", "hmac_key", "password", "secret", "secret_key", "session_token", "token"},
    "cert_check": set(),
    "cert_request": {"challenge_password", "passphrase", "private_key_content"}, "container_restart": set(), "file_set": {"content", "content_base64"},
    "pki_ca": {"passphrase", "token", "role_id", "secret_id", "wrapped_secret_id", "jwt", "password"},
}
# Its issuer acme has the ways to publish and the accounts of the other module.
SECRETS["cert_request"] |= SECRETS["acme_dns_challenge"] | {"token", "role_id", "secret_id", "wrapped_secret_id", "jwt", "password"}

inside_the_repository = pytest.mark.skipif(not (TOP / "scripts").exists(), reason="a placed collection has no scripts")


@inside_the_repository
def test_what_two_modules_have_in_common_is_documented_in_the_same_words():
    said = subprocess.run([TOP / "scripts" / "share-documentation", "--check"], check=False, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stdout


@inside_the_repository
def test_the_committed_file_is_what_the_executables_say():
    assert (NATIVE / "tls_everywhere").exists(), "run make build first"
    made = subprocess.run([TOP / "scripts" / "generate-argument-specs", "--print"], check=True, capture_output=True, text=True, timeout=60)
    committed = (TOP / "plugins" / "module_utils" / "argument_specs.py").read_text(encoding="utf-8")
    assert made.stdout == committed, "run scripts/generate-argument-specs"


def documents(module):
    """The DOCUMENTATION, EXAMPLES and RETURN of a module."""
    tree = ast.parse((TOP / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    return {node.targets[0].id: yaml.safe_load(node.value.value) for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)}


def differences(spec, documented, path=""):
    """Every option where spec and documentation are not the same."""
    for name in sorted(set(spec) | set(documented)):
        where = f"{path}{name}"
        if name not in spec or name not in documented:
            yield f"{where}: only in the {'spec' if name in spec else 'documentation'}"
            continue
        for key in ("type", "elements", "choices", "aliases", "default"):
            if spec[name].get(key) != documented[name].get(key):
                yield f"{where}.{key}: {spec[name].get(key)!r} in the spec, {documented[name].get(key)!r} documented"
        if spec[name].get("required", False) != documented[name].get("required", False):
            yield f"{where}.required"
        yield from differences(spec[name].get("options", {}), documented[name].get("suboptions", {}), f"{where}.")


@pytest.mark.parametrize("module", MODULES)
def test_every_option_is_documented_as_it_is(module):
    assert list(differences(MODULES[module], documents(module)["DOCUMENTATION"]["options"])) == []


@pytest.mark.parametrize("module", MODULES)
def test_every_mentioned_option_and_result_exists(module):
    texts = documents(module)
    text = str(texts["DOCUMENTATION"]) + str(texts["RETURN"])
    for kind, start, inner in (("O", texts["DOCUMENTATION"]["options"], "suboptions"), ("RV", texts["RETURN"], "contains")):
        for mentioned in re.findall(rf"\b{kind}\(([^)=]+)", text):
            level = start
            for part in mentioned.replace("[]", "").split("."):
                assert part in level, f"{kind}({mentioned})"
                level = level[part].get(inner, {})


@pytest.mark.parametrize("module", MODULES)
def test_examples_use_options_that_exist(module):
    from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

    seen = 0
    for task in documents(module)["EXAMPLES"]:
        for name, options in task.items():
            if name.startswith("tls.everywhere."):
                seen += 1
                assert review(MODULES[name.rsplit(".", 1)[1]], options).faults == [], task["name"]
    assert seen >= 3


@pytest.mark.parametrize("module", MODULES)
def test_secrets_are_never_logged(module):
    def each(spec):
        for name, option in spec.items():
            yield name, option
            yield from each(option.get("options", {}))

    secret = {name for name, option in each(MODULES[module]) if option.get("no_log")}
    assert secret == SECRETS[module]
    assert not [name for name, option in each(MODULES[module]) if name in secret and not option.get("no_log")]
