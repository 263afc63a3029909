# SPDX-License-Identifier: Apache-2.0
"""pki_ca as a helper of certmonger: certmonger makes the keys, tracks and renews, an authority of the tree signs."""

from __future__ import annotations

import json
import subprocess

import pytest
from lab import Certificate, Until
from module import call, command, done, entry, unchanged

PKI_CA = command("pki_ca")
AUTHORITIES = [
    {"name": "Root", "key": {"algorithm": "ecdsa"}},
    {"name": "Int", "type": "intermediate", "parent": "Root", "state": "active", "key": {"algorithm": "ecdsa"},
     "name_constraints": {"permitted_dns": ["example.org"]}},
]


@pytest.fixture
def tree(lab):
    """A tree of authorities, and certmonger told of it as the CA `pki`."""
    directory = lab.place / "tree"
    backend = {"backend": {"files": {"directory": str(directory)}}}
    made = subprocess.run(PKI_CA, input=json.dumps({**backend, "authorities": AUTHORITIES}), capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(made.stdout)["authorities"]["Int"]
    options = lab.place / "pki.json"
    options.write_text(json.dumps({**backend, "sign": [{"profile": "peer", "ttl": "90d"}]}), encoding="utf-8")
    lab.getcert("add-ca", "-c", "pki", "-e", f"{' '.join(map(str, PKI_CA))} --certmonger {options}")
    yield directory
    lab.getcert("remove-ca", "-c", "pki")


def verified(lab, tree, name):
    """openssl's word on the certificate of a request, with the chain that certmonger keeps beside it."""
    chain = tree / "roots/Int/certs/Int.crt"
    command = ["openssl", "verify", "-CAfile", tree / "roots/Root/certs/Root.crt", "-untrusted", chain, "-purpose", "sslserver", "-verify_hostname",
               f"{name}.example.org", lab.file(f"{name}.crt")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_an_authority_of_the_tree_signs_what_certmonger_tracks(lab, tree):
    assert done(lab, entry(lab, ca="pki", issuer={"ca_file": str(lab.file("ca.pem"))})).of()["action"] == "issue"
    assert ": OK" in verified(lab, tree, "web")
    assert Certificate(lab.file("web.crt")).issuer == "CN=Int"
    assert lab.listed(lab.file("web.crt"))["status"] == "MONITORING"
    Until()("certmonger writes the root", lab.file("ca.pem").exists)
    assert Certificate(lab.file("ca.pem")).subject == Certificate(tree / "roots/Root/certs/Root.crt").subject
    unchanged(lab, entry(lab, ca="pki", issuer={"ca_file": str(lab.file("ca.pem"))}))


def test_certmonger_renews_by_itself_what_the_tree_signs(lab, tree):
    done(lab, entry(lab, ca="pki"))
    before = Certificate(lab.file("web.crt")).serial
    lab.getcert("resubmit", "-f", lab.file("web.crt"), "-w")
    assert Certificate(lab.file("web.crt")).serial != before and ": OK" in verified(lab, tree, "web")
    unchanged(lab, entry(lab, ca="pki"))


def test_a_name_that_the_authority_may_not_sign_is_refused_with_its_words(lab, tree):
    answer = call(lab, entry(lab, ca="pki", dns=["web.elsewhere.test"]))
    assert answer.failure()["kind"] == "certmonger.refused", json.dumps(answer, indent=1)
    assert "may not certify 'web.elsewhere.test'" in answer.failure()["msg"]
    assert lab.listed(lab.file("web.crt"))["status"] == "CA_REJECTED"
