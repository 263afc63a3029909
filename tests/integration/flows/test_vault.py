# SPDX-License-Identifier: Apache-2.0
"""The example of cert_request's documentation that is about Vault, in a playbook against a real OpenBao, with everything shown that is shown."""

from __future__ import annotations

import ast
import importlib.util
import json

import pytest
import yaml
from sites import TOP, openssl

POLICY = 'path "pki/sign/server" { capabilities = ["update"] }'


@pytest.fixture
def bao(tmp_path):
    """A server with an authority, the role of the example, and an AppRole that may have it sign."""
    found = importlib.util.spec_from_file_location("openbao", TOP / "tests/openbao.py")
    openbao = importlib.util.module_from_spec(found)
    found.loader.exec_module(openbao)
    server = openbao.OpenBao(tmp_path / "bao", tls=True)
    try:
        server.api("sys/mounts/pki", {"type": "pki", "config": {"max_lease_ttl": "8760h"}})
        server.root = server.api("pki/root/generate/internal", {"common_name": "Bao Root", "key_type": "ec", "key_bits": 256, "ttl": "8000h"})
        server.api("pki/roles/server", {"allow_any_name": True, "key_type": "any", "max_ttl": "4000h"})
        server.api("sys/policies/acl/hosts", {"policy": POLICY})
        server.api("sys/auth/approle", {"type": "approle"})
        server.api("auth/approle/role/hosts", {"token_policies": ["hosts"], "token_ttl": "10m"})
        yield server
    finally:
        server.close()


def example(site, bao):
    """The task, its places below the controller's directory, its server the real one; and what it must not show."""
    tree = ast.parse((TOP / "plugins/modules/cert_request.py").read_text(encoding="utf-8"))
    text = next(node.value.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "EXAMPLES")
    place = site.directory("controller")
    text = text.replace("/etc/", f"{place}/etc/").replace("owner: keystone", "owner: root")
    [task] = [task for task in yaml.safe_load(text) if '"vault": {' in json.dumps(task)]
    secrets = {
        "role-id": bao.api("auth/approle/role/hosts/role-id")["role_id"],
        "secret-id": bao.api("auth/approle/role/hosts/secret-id", {})["secret_id"],
    }
    for directory in ("vault", "keystone/ssl"):
        (place / "etc" / directory).mkdir(parents=True)
    for name, secret in secrets.items():
        (place / "etc/vault" / name).write_text(secret + "\n", encoding="ascii")
    task["tls.everywhere.cert_request"]["defaults"]["issuer"]["vault"].update(url=[bao.url], ca_path=str(bao.authority))
    return {**task, "register": "answer"}, secrets


def test_the_example_runs_shows_no_secret_and_the_second_run_changes_nothing(site, bao):
    task, secrets = example(site, bao)
    # A secret in the options themselves is hidden as well.
    other = json.loads(json.dumps(task).replace("keystone", "glance"))
    other["tls.everywhere.cert_request"]["defaults"]["issuer"]["vault"]["auth"] = {
        "method": "approle", "role_id": secrets["role-id"], "secret_id": secrets["secret-id"]}
    (site.directory("controller") / "etc/glance/ssl").mkdir(parents=True)
    playbook = site.work / "vault.yml"
    playbook.write_text(json.dumps([{"hosts": "controller", "gather_facts": False, "tasks": [task, {**other, "name": "Secrets in the options"}]}]),
                        encoding="utf-8")
    # The playbook's own text is not shown, but for what a module was called with.
    played = site.play(playbook, "-vvv", "--diff")
    assert played.status == 0, played.output[-6000:]
    assert [line["result"]["changed"] for line in played.lines] == [True, True]
    root = site.work / "root.pem"
    root.write_text(bao.root["certificate"], encoding="ascii")
    for name in ("keystone", "glance"):
        ssl = site.directory("controller") / "etc" / name / "ssl"
        openssl("verify", "-x509_strict", "-CAfile", root, "-verify_hostname", f"{name}.internal.example.org", ssl / f"{name}.pem")
        assert openssl("x509", "-in", ssl / f"{name}.pem", "-noout", "-pubkey") == openssl("pkey", "-in", ssl / f"{name}.key", "-pubout")
    again = site.play(playbook, "-vvv", "--diff")
    assert again.status == 0 and [line["result"]["changed"] for line in again.lines] == [False, False], again.output[-6000:]
    shown = played.output + again.output + str(played.lines) + str(again.lines)
    for secret in (*secrets.values(), "PRIVATE KEY-----"):
        assert secret not in shown


def authorities(site, bao):
    """The examples of pki_ca about authorities in OpenBao, their places below the controller's directory, their server the real one."""
    tree = ast.parse((TOP / "plugins/modules/pki_ca.py").read_text(encoding="utf-8"))
    text = next(node.value.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "EXAMPLES")
    place = site.directory("controller")
    (place / "root").mkdir(parents=True)
    (place / "root/.bao-token").write_text("root-token-of-the-test\n", encoding="ascii")
    tasks = [task for task in yaml.safe_load(text) if ".bao-token" in json.dumps(task)]
    tasks = json.loads(json.dumps(tasks).replace("/root/", f"{place}/root/").replace("https://bao.example.org:8200", bao.url))
    for task in tasks:
        task["tls.everywhere.pki_ca"]["backend"]["vault"].update(mount="authorities", ca_path=str(bao.authority))
    return tasks


def test_an_authority_is_made_asked_for_taken_in_and_activated_as_in_the_examples(site, bao):
    bao.api("sys/mounts/authorities", {"type": "pki", "config": {"max_lease_ttl": "87600h"}})
    made, asked, taken, activated, seen = authorities(site, bao)

    def play(*tasks):
        playbook = site.work / "authorities.yml"
        playbook.write_text(json.dumps([{"hosts": "controller", "gather_facts": False, "tasks": list(tasks)}]), encoding="utf-8")
        played = site.play(playbook, "-vvv", "--diff")
        assert played.status == 0, played.output[-6000:]
        assert "root-token-of-the-test" not in played.output + str(played.lines)
        return [line["result"] for line in played.lines]

    first = play(made, asked)
    assert [result["changed"] for result in first] == [True, True]
    request = (site.directory("controller") / "root/int-2.csr").read_text(encoding="ascii")
    assert first[1]["authorities"]["int-2"]["csr"] == request
    answer = site.sign_outside(request, "basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign",
                               "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid")
    (site.work / "int-2-and-chain.pem").write_text(answer, encoding="ascii")
    (site.work / "company-root.pem").write_text((site.outside() / "outside.pem").read_text(encoding="ascii"), encoding="ascii")
    results = play(taken, activated, seen)
    assert [result["changed"] for result in results] == [True, True, False]
    assert {issuer["name"]: issuer["state"] for issuer in results[2]["issuers"]} == {
        "root-1": "present", "int-1": "retired", "int-2": "active", "": "present"}
    assert [result["changed"] for result in play(taken, activated)] == [False, False]
