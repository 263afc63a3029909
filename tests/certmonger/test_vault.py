# SPDX-License-Identifier: Apache-2.0
"""cert_request as a helper of certmonger: certmonger makes the keys, tracks and renews, a role of a real OpenBao signs."""

from __future__ import annotations

import importlib.util
import json
import subprocess

import pytest
from lab import Certificate, Until
from module import TOP, call, command, done, entry, unchanged

PROGRAM = command("cert_request")
POLICY = 'path "int/sign/*" { capabilities = ["update"] }'


@pytest.fixture(scope="module")
def bao(shared):
    """A root, an authority below it, a role for example.org, and a token that may have it signed."""
    found = importlib.util.spec_from_file_location("openbao", TOP / "tests/openbao.py")
    openbao = importlib.util.module_from_spec(found)
    found.loader.exec_module(openbao)
    server = openbao.OpenBao(shared.place / "bao", tls=True)
    try:
        key = {"key_type": "ec", "key_bits": 256}
        for mount in ("root", "int"):
            server.api(f"sys/mounts/{mount}", {"type": "pki", "config": {"max_lease_ttl": "8760h"}})
        root = server.api("root/root/generate/internal", {"common_name": "Bao Root", **key})["certificate"]
        csr = server.api("int/intermediate/generate/internal", {"common_name": "Bao Issuing", **key})["csr"]
        signed = server.api("root/root/sign-intermediate", {"csr": csr, "ttl": "4380h"})["certificate"]
        server.api("int/intermediate/set-signed", {"certificate": f"{signed}\n{root}"})
        role = {"allowed_domains": "example.org", "allow_subdomains": True, "key_type": "any", "max_ttl": "2000h"}
        server.api("int/roles/web", role)
        server.api("sys/policies/acl/hosts", {"policy": POLICY})
        (shared.place / "bao" / "root.pem").write_text(root + "\n", encoding="utf-8")
        (shared.place / "bao" / "int.pem").write_text(signed + "\n", encoding="utf-8")
        yield server
    finally:
        server.close()


@pytest.fixture
def authority(lab, bao):
    """certmonger told of it as the CA `bao`; the file of its options."""
    token = bao.api("auth/token/create", {"policies": ["hosts"]})["auth"]["client_token"]
    (lab.place / "token").write_text(token, encoding="utf-8")
    vault = {"url": [bao.url], "ca_path": str(bao.authority), "mount": "int", "role": "web", "retry_window": "2s",
             "auth": {"method": "token", "token_file": str(lab.place / "token")}}
    options = lab.place / "bao.json"
    options.write_text(json.dumps({"certificates": [{"ttl": "60d", "issuer": {"vault": vault}}]}), encoding="utf-8")
    lab.getcert("add-ca", "-c", "bao", "-e", f"{' '.join(map(str, PROGRAM))} --certmonger {options}")
    yield options
    lab.getcert("remove-ca", "-c", "bao")


def verified(lab, bao, name="web"):
    """openssl's word on the certificate of a request."""
    argv = ["openssl", "verify", "-CAfile", bao.place / "root.pem", "-untrusted", bao.place / "int.pem", "-purpose", "sslserver", "-verify_hostname",
            f"{name}.example.org", lab.file(f"{name}.crt")]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout


def test_a_role_signs_what_certmonger_tracks_and_renews(lab, bao, authority):
    wished = entry(lab, ca="bao", issuer={"ca_file": str(lab.file("ca.pem"))})
    assert done(lab, wished).of()["action"] == "issue"
    assert ": OK" in verified(lab, bao) and Certificate(lab.file("web.crt")).issuer == "CN=Bao Issuing"
    assert lab.listed(lab.file("web.crt"))["status"] == "MONITORING"
    Until()("certmonger writes the root", lab.file("ca.pem").exists)
    assert Certificate(lab.file("ca.pem")).subject == Certificate(bao.place / "root.pem").subject
    unchanged(lab, wished)
    before = Certificate(lab.file("web.crt")).serial
    lab.getcert("resubmit", "-f", lab.file("web.crt"), "-w")
    assert Certificate(lab.file("web.crt")).serial != before and ": OK" in verified(lab, bao)
    unchanged(lab, wished)


def test_a_name_that_the_role_does_not_allow_is_refused_with_its_words(lab, bao, authority):
    answer = call(lab, entry(lab, ca="bao", dns=["web.elsewhere.test"]))
    assert answer.failure()["kind"] == "certmonger.refused", json.dumps(answer, indent=1)
    assert "not allowed by this role" in answer.failure()["msg"]
    assert lab.listed(lab.file("web.crt"))["status"] == "CA_REJECTED"


def test_a_token_that_may_not_is_somebody_s_to_mend(lab, bao, authority):
    (lab.place / "token").write_text(bao.api("auth/token/create", {"policies": ["default"]})["auth"]["client_token"], encoding="utf-8")
    answer = call(lab, entry(lab, ca="bao", issuer={"wait_timeout": "5s"}))
    assert answer.failed and lab.listed(lab.file("web.crt"))["status"] == "CA_UNCONFIGURED", json.dumps(answer, indent=1)


def test_a_sealed_server_is_waited_for_and_it_goes_on_by_itself(lab, bao, authority):
    """certmonger's own way with what is unreachable is to do nothing for a week."""
    bao.seal()
    try:
        call(lab, entry(lab, ca="bao", issuer={"wait_timeout": "1s"}))
        Until()("it waits", lambda: lab.listed(lab.file("web.crt"))["status"] == "CA_WORKING")
    finally:
        bao.unseal()
    lab.getcert("refresh", "-f", lab.file("web.crt"))
    Until()("it is issued", lambda: lab.listed(lab.file("web.crt"))["status"] == "MONITORING")
    assert ": OK" in verified(lab, bao)
