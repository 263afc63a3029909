# SPDX-License-Identifier: Apache-2.0
"""Both modules together, as playbooks use them; openssl judges what comes out."""

from __future__ import annotations

import pathlib

import pytest
from sites import openssl

HERE = pathlib.Path(__file__).resolve().parent


def succeed(played):
    """The run, which must not have failed."""
    assert played.status == 0, played.output[-6000:]
    return played


def changes(played) -> list[tuple[str, str]]:
    """The host and name of every task that changed something."""
    return [(line["host"], line["task"]) for line in played.lines if line["result"].get("changed")]


def assert_served(certificate: pathlib.Path, key: pathlib.Path, root: pathlib.Path, name: str):
    """openssl follows the chain in the certificate's own file to the root, finds the name, and the key is its key."""
    openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", certificate, "-verify_hostname", name, certificate)
    of_certificate = openssl("x509", "-in", certificate, "-noout", "-pubkey")
    assert of_certificate == openssl("pkey", "-in", key, "-pubout")


def test_requests_of_all_hosts_are_signed_in_one_call_on_the_controller(site):
    first = succeed(site.play(HERE / "central.yml"))
    for host in ("web1", "web2"):
        assert first.result(host, "ask")["pending"] == ["web"]
        assert first.result(host, "install")["renewed"] == ["web"]
        directory = site.directory(host)
        assert_served(directory / "web.pem", directory / "web.key", directory / "root.pem", f"{host}.example.org")
    signed = [line for line in first.lines if line["task"] == "sign"]
    assert len(signed) == 1 and [each["name"] for each in signed[0]["result"]["signed"]] == ["web1", "web2"]
    # Only the authorities' own keys are where the authorities are, and none was ever in an answer.
    keys = [path.name for path in site.directory("controller").rglob("*") if path.is_file() and "PRIVATE KEY" in path.read_text()]
    assert sorted(keys) == ["Intermediate.key.pem", "Root.key.pem"]
    assert "PRIVATE KEY" not in str(first.lines) + first.output
    assert changes(succeed(site.play(HERE / "central.yml"))) == []


def test_a_certificate_on_the_list_of_pki_ca_is_replaced(site):
    played = succeed(site.play(HERE / "revocation.yml"))
    changed = {line["task"]: line["result"]["changed"] for line in played.lines}
    assert changed == {"authority": True, "first": True, "not revoked": False, "revoke": True, "revoked": True,
                       "replaced": False, "authority again": False}
    reasons = played.result("controller", "revoked")["certificates"]["web"]["reasons"]
    assert [reason["kind"] for reason in reasons] == ["revoked"]
    directory = site.directory("controller")
    assert_served(directory / "web.pem", directory / "web.key", directory / "ca.pem", "web.example.org")
    # With the list, openssl refuses the old one, which the backup is, and takes the new one.
    (old,) = directory.glob("web.pem.*~")
    crl = directory / "crls.pem"
    crl.write_text("".join(path.read_text() for path in directory.glob("ca/roots/*/crl/*.crl")), encoding="ascii")
    check = ["verify", "-CAfile", directory / "ca.pem", "-CRLfile", crl, "-crl_check"]
    openssl(*check, directory / "web.pem")
    with pytest.raises(AssertionError, match="certificate revoked"):
        openssl(*check, old)


def test_an_intermediate_that_somebody_outside_signed_issues(site):
    first = succeed(site.play(HERE / "outside.yml"))
    request = first.result("controller", "request")["authorities"]["Department"]["csr"]
    assert changes(succeed(site.play(HERE / "outside.yml"))) == [], "the request stays the same"
    directory = site.directory("controller")
    before = sorted(path for path in directory.rglob("*") if path.is_file())

    server = site.sign_outside(request, "basicConstraints=critical,CA:FALSE")
    refused = site.play(HERE / "outside.yml", answer=server)
    assert refused.status != 0
    assert "CA:TRUE" in refused.result("controller", "install")["msg"], refused.output
    assert sorted(path for path in directory.rglob("*") if path.is_file()) == before

    answer = site.sign_outside(request, "basicConstraints=critical,CA:TRUE,pathlen:0",
                               "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid")
    succeed(site.play(HERE / "outside.yml", answer=answer))
    assert_served(directory / "web.pem", directory / "web.key", site.outside() / "outside.pem", "web.example.org")
    assert changes(succeed(site.play(HERE / "outside.yml", answer=answer))) == []
