# SPDX-License-Identifier: Apache-2.0
"""The examples of the modules' documentation run as they are; only the paths and the owner are those of the test."""

from __future__ import annotations

import ast
import json

import yaml
from sites import TOP, openssl

SECRET = "Root-passphrase-of-the-examples"
LATER = "on a later day"


def examples(module: str, site) -> list[dict]:
    """The tasks, with every path below the controller's directory; nothing but paths and owners is touched."""
    tree = ast.parse((TOP / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    text = next(node.value.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "EXAMPLES")
    directory = site.directory("controller")
    for place in ("/etc/pki/tls/private", "/etc/ssl/private", "/etc/ssl/certs", "/etc/haproxy"):
        (directory / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    text = text.replace("/etc/", f"{directory}/etc/").replace("owner: haproxy", "owner: root").replace("group: haproxy", "group: root")
    # Those of certmonger, of ACME servers and of Vault need one, and have it in tests/certmonger, crates/cert-request/tests/acme and test_vault.py.
    return [task for task in yaml.safe_load(text) if not any(f'"{issuer}": {{' in json.dumps(task) for issuer in ("certmonger", "acme", "vault"))]


def run(site, name: str, tasks: list[dict]):
    """One play of these tasks; it must not fail."""
    play = {"hosts": "controller", "gather_facts": False, "tasks": tasks,
            "module_defaults": {"tls.everywhere.cert_request": {"state_dir": str(site.directory("controller") / "state")}}}
    playbook = site.work / f"{name}.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    played = site.play(playbook, vault_root_passphrase=SECRET)
    assert played.status == 0, played.output[-6000:]
    assert SECRET not in played.output + str(played.lines)
    return played


def halves(tasks: list[dict]) -> tuple[list[dict], list[dict]]:
    """What comes before somebody outside has answered, and the rest."""
    at = next(index for index, task in enumerate(tasks) if LATER in task["name"])
    return tasks[:at], tasks[at:]


def changed(played) -> list[str]:
    """The names of the tasks that changed something."""
    return [line["task"] for line in played.lines if line["result"].get("changed")]


def test_the_examples_of_pki_ca_run(site):
    for name in ("web01", "web02"):
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
                          "-subj", f"/CN={name}.example.org", "-addext", f"subjectAltName=DNS:{name}.example.org")
        (site.work / f"{name}.csr").write_text(request, encoding="ascii")
    today, later = halves(examples("pki_ca", site))
    first = run(site, "today", today)
    assert changed(first) == [task["name"] for task in today], "each does something"
    assert changed(run(site, "today", today)) == []
    request = next(line["result"]["authorities"]["Department"]["csr"] for line in first.lines
                   if "Department" in line["result"].get("authorities", {}))
    answer = site.sign_outside(request, "basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign",
                               "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid")
    (site.work / "department-and-chain.pem").write_text(answer, encoding="ascii")
    assert changed(run(site, "later", later)) == [task["name"] for task in later]
    again = changed(run(site, "later", later))
    assert again == [later[-1]["name"]], "only what shall be made anew is made anew"


def test_the_examples_of_cert_request_run(site):
    directory = site.directory("controller")
    authority = {
        "name": "Prepare the authority that the examples use",
        "tls.everywhere.pki_ca": {
            "backend": {"files": {"directory": f"{directory}/etc/pki/CA"}},
            "authorities": [
                {"name": "Root", "key": {"algorithm": "ecdsa"}},
                {"name": "Intermediate", "type": "intermediate", "parent": "Root", "state": "active", "key": {"algorithm": "ecdsa"}},
            ],
        },
    }
    today, later = halves(examples("cert_request", site))
    trust = directory / "etc" / "ssl" / "certs" / "ca-certificates.crt"
    trust.write_text((site.outside() / "outside.pem").read_text(encoding="ascii"), encoding="ascii")
    run(site, "before", [authority])
    played = run(site, "today", today)
    assert not any(line["status"] == "skipped" for line in played.lines)
    request = site.work / "public.csr"
    answer = site.sign_outside(request.read_text(encoding="ascii"), "subjectAltName=DNS:cloud.example.org")
    (site.work / "public-and-chain.pem").write_text(answer, encoding="ascii")
    assert changed(run(site, "later", later)) == [task["name"] for task in later]
    assert changed(run(site, "later", later)) == []
    repeated = run(site, "today", today)
    assert changed(repeated) == [], "what is there stays"
    for certificate in directory.glob("etc/**/*.pem"):
        if certificate.parent.name in ("private", "haproxy") and "CA" not in certificate.parts:
            assert openssl("x509", "-in", certificate, "-noout", "-pubkey") == openssl("pkey", "-in", certificate, "-pubout")
