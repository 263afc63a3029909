# SPDX-License-Identifier: Apache-2.0
"""pki_backend: hashi_vault at a real OpenBao, with upstream's variables; openssl and the server itself are the witnesses."""

from __future__ import annotations

import pathlib
import sys

import pytest
from cloud import Cloud, mode, openssl
from cloud import ROOT as STANDALONE

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import openbao  # noqa: E402  (after the path above)

ROOT = {"name": "ExampleCorpRoot", "cn": "Example Corp Root CA", "country_name": "GB", "organization_name": "Example Corporation",
        "email_address": "pki@example.com", "ttl": "3650d", "vault_path": "pki_root"}
SUB = {"name": "ExampleCorpIntermediate", "cn": "Example Corp Openstack Infrastructure Intermediate CA", "ttl": "1825d", "vault_path": "pki_int",
       "signed_by": "pki_root"}
OWN = "web_{{ inventory_hostname }}"
PASSWORD = "osa-secret-pass"
KINDS = {"certificate": "web.crt", "certificate_chain": "web.pem", "ca_bundle": "web-ca.pem", "private_key": "web.key"}


@pytest.fixture
def bao(tmp_path):
    """A server with what upstream's documentation asks the operator for."""
    server = openbao.OpenBao(tmp_path / "openbao").prepare()
    yield server
    server.close()


def wishes(cloud, bao, location="", **more):
    """Both authorities, trust, and a certificate of its own for each host, in upstream's words."""
    dest = f"{cloud.work}/{{{{ inventory_hostname }}}}/ssl"
    return {
        "pki_backend": "hashi_vault", "pki_hashi_vault_host": bao.url, "pki_hashi_vault_login": "osa", "pki_hashi_vault_password": PASSWORD,
        "pki_key_location": location, "pki_authorities": [ROOT, SUB], "pki_install_ca": [{"name": "ExampleCorpRoot"}],
        "pki_certificates": [{"name": OWN, "cn": "{{ inventory_hostname }}", "san": {"dns": ["api.example.org"], "ip": ["10.0.0.1"]}, **more}],
        "pki_install_certificates": [{"name": OWN, "type": kind, "dest": f"{dest}/{name}"} for kind, name in KINDS.items()],
    }


def check(cloud, host):
    """What is on the host is what upstream would have there, but for the root in the chain that is served."""
    at, root = cloud.work / host / "ssl", cloud.work / "trust" / host / "ExampleCorpRoot.crt"
    assert openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", at / "web.pem", at / "web.crt").strip().endswith("OK")
    assert openssl("x509", "-in", at / "web.pem", "-noout", "-pubkey") == openssl("pkey", "-in", at / "web.key", "-pubout")
    assert [(at / name).read_text().count("BEGIN CERTIFICATE") for name in ("web.crt", "web.pem", "web-ca.pem")] == [1, 2, 2]
    assert (at / "web-ca.pem").read_text().endswith(root.read_text())
    assert [mode(at / name) for name in KINDS.values()] == ["0644", "0644", "0644", "0600"]
    names = openssl("x509", "-in", at / "web.crt", "-noout", "-ext", "subjectAltName", "-issuer")
    assert all(text in names for text in (f"DNS:{host}", "DNS:api.example.org", "IP Address:10.0.0.1", SUB["cn"]))


def serials(cloud):
    """The serial numbers of all hosts."""
    return {host: cloud.serial(cloud.work / host / "ssl" / "web.crt") for host in cloud.hosts}


def test_upstreams_variables_give_upstreams_files_with_keys_that_never_travel(three, bao):
    asked = wishes(three, bao)
    foreseen = three.run(arguments=("--check",), **asked)
    assert foreseen.changed() > 0 and not bao.api("sys/mounts/pki_root").get("keys")
    ran = three.run(arguments=("-vvv", "--diff"), **asked)
    for host in three.hosts:
        check(three, host)
        for line in (three.work / host / "ssl" / "web.key").read_text().splitlines()[1:-1]:
            holders = [path for path in three.work.rglob("*") if path.is_file() and line.encode() in path.read_bytes()]
            assert line not in ran.text and [str(path.relative_to(three.work)) for path in holders] == [f"{host}/ssl/web.key"]
    assert PASSWORD not in ran.text and not three.pki.exists()
    assert bao.api("pki_int/issuer/ExampleCorpIntermediate/json")["certificate"] in (three.work / "node1/ssl/web-ca.pem").read_text()
    # Upstream never wrote the organization, for a letter too many.
    assert "O = Example Corporation" in openssl("x509", "-in", three.work / "trust/node1/ExampleCorpRoot.crt", "-noout", "-subject", "-nameopt", "oneline")
    before = serials(three)
    again = three.run(**asked)
    assert again.changed() == 0 and serials(three) == before, again.text
    # Renewal, changed names and a lost file: upstream looks at the last only, and then issues all certificates of the play.
    (three.work / "node2/ssl/web.crt").unlink()
    three.run("main_certs.yml", **dict(asked, pki_regen_cert="web_node1"))
    after = serials(three)
    assert after["node1"] != before["node1"] and after["node3"] == before["node3"]
    three.run("main_certs.yml", **wishes(three, bao, san={"dns": ["api.example.org", "new.example.org"], "ip": ["10.0.0.1"]}))
    assert "DNS:new.example.org" in openssl("x509", "-in", three.work / "node3/ssl/web.crt", "-noout", "-ext", "subjectAltName")
    renewed = serials(three)
    three.run("main_certs.yml", **wishes(three, bao), pki_renew_before="2159h")
    assert not set(renewed.values()) & set(serials(three).values())


def test_with_keys_on_the_setup_host_no_other_asks_the_server(three, bao):
    asked = wishes(three, bao, "setup_host")
    three.run(**asked)
    for host in three.hosts:
        check(three, host)
        assert three.key(f"web_{host}").read_text() == (three.work / host / "ssl/web.key").read_text()
    assert three.run(**asked).changed() == 0


def test_a_sealed_server_is_no_empty_one_and_hurts_no_certificate(cloud, bao):
    bao.seal()
    failed = cloud.run(ok=False, **wishes(cloud, bao))
    assert "is sealed; nothing is made" in failed.flat()
    bao.unseal()
    with pytest.raises(openbao.Refused):
        bao.api("pki_root/issuers", method="LIST")
    cloud.run(**wishes(cloud, bao))
    before = serials(cloud)
    bao.seal()
    assert "is sealed; nothing is made" in cloud.run("main_ca.yml", ok=False, **wishes(cloud, bao)).flat()
    kept = cloud.run("main_certs.yml", **wishes(cloud, bao))
    assert kept.changed() == 0 and serials(cloud) == before
    bao.unseal()
    assert [len(bao.api(f"{mount}/issuers", method="LIST")["keys"]) for mount in ("pki_root", "pki_int")] == [1, 2]


def test_a_password_that_is_wrong_makes_nothing_and_is_in_no_output(cloud, bao):
    failed = cloud.run(arguments=("-vvv",), ok=False, **dict(wishes(cloud, bao), pki_hashi_vault_password="another-secret"))
    assert failed.recap("node1", "failed") == 1 and "another-secret" not in failed.text
    with pytest.raises(openbao.Refused):
        bao.api("pki_root/issuers", method="LIST")


def upstream_made(bao):
    """What upstream's role leaves on a server: a root with a name, an intermediate without, no organization anywhere."""
    bao.api("pki_root/root/generate/internal", {"common_name": ROOT["cn"], "issuer_name": ROOT["name"], "country": "GB", "ttl": "3650d"})
    csr = bao.api("pki_int/intermediate/generate/internal", {"common_name": SUB["cn"]})["csr"]
    signed = bao.api("pki_root/root/sign-intermediate", {"csr": csr, "format": "pem_bundle", "ttl": "1825d"})["certificate"]
    bao.api("pki_int/intermediate/set-signed", {"certificate": signed})


def test_what_upstream_made_is_adopted_as_it_is(cloud, bao):
    upstream_made(bao)
    before = {mount: bao.api(f"{mount}/issuers", method="LIST") for mount in ("pki_root", "pki_int")}
    ran = cloud.run(**wishes(cloud, bao))
    check(cloud, "node1")
    assert {mount: bao.api(f"{mount}/issuers", method="LIST") for mount in before} == before
    assert "issuer 'ExampleCorpRoot' differs" in ran.flat() and "it stays as it is" in ran.flat()
    assert cloud.run(**wishes(cloud, bao)).changed() == 0


def test_two_backends_in_one_play_and_a_list_of_them(work, bao):
    cloud = Cloud(work, core="ansible-2.16")
    asked = wishes(cloud, bao)
    dest = f"{cloud.work}/{{{{ inventory_hostname }}}}/own"
    asked["pki_authorities"].append(dict(STANDALONE, name="Alone", cn="Alone CA", backend="standalone"))
    asked["pki_install_ca"].append({"name": "Alone"})
    asked["pki_certificates"].append({"name": "own", "cn": "own", "backend": "standalone", "provider": "ownca", "signed_by": "Alone", "san": {"dns": ["own"]}})
    asked["pki_install_certificates"] += [
        {"src": f"{cloud.pki}/certs/{place}", "dest": f"{dest}.{end}", "type": kind, "backend": "standalone"}
        for place, end, kind in (("certs/own.crt", "crt", "certificate"), ("private/own.key.pem", "key", "private_key"))]
    cloud.run(**asked)
    check(cloud, "node1")
    assert openssl("verify", "-CAfile", cloud.work / "trust/node1/Alone.crt", cloud.work / "node1/own.crt").strip().endswith("OK")
    assert mode(cloud.work / "node1/own.key") == "0600" and cloud.run(**asked).changed() == 0


def test_a_host_may_log_in_as_somebody_who_can_only_have_things_signed(cloud, bao):
    bao.api("sys/policies/acl/sign", {"policy": 'path "pki_int/sign/default" { capabilities = ["create", "update"] }'})
    bao.api("sys/auth/approle", {"type": "approle"})
    bao.api("auth/approle/role/host", {"token_policies": "sign", "token_type": "batch"})
    role = bao.api("auth/approle/role/host/role-id")["role_id"]
    secret = bao.api("auth/approle/role/host/secret-id", {})["secret_id"]
    auth = {"method": "approle", "role_id": role, "secret_id": secret}
    cloud.run("main_ca.yml", **wishes(cloud, bao))
    cloud.run("main_ca_install.yml", **wishes(cloud, bao))
    ran = cloud.run("main_certs.yml", arguments=("-vvv",), **dict(wishes(cloud, bao), pki_hashi_vault_host_auth=auth, pki_hashi_vault_password=""))
    check(cloud, "node1")
    assert secret not in ran.text


def test_a_rotated_root_is_not_taken_back_and_regenerating_is_refused(cloud, bao):
    cloud.run(**wishes(cloud, bao))
    bao.api("pki_root/root/generate/internal", {"common_name": "Root 2", "issuer_name": "root-2", "key_type": "ec"})
    bao.api("pki_root/config/issuers", {"default": "root-2"})
    assert cloud.run(**wishes(cloud, bao)).changed() == 0
    assert bao.api("pki_root/issuer/default")["issuer_name"] == "root-2"
    failed = cloud.run("main_ca.yml", ok=False, **wishes(cloud, bao), pki_regen_ca="ExampleCorpRoot")
    assert "rotate_root" in failed.flat()
