# SPDX-License-Identifier: Apache-2.0
"""From an empty server to certificates on all hosts, and to the end of the mount."""

from __future__ import annotations

import re
import shutil
import urllib.request

import openbao
import pytest
from lab import CORES, HOSTS, lifetime, openssl, verifies


@pytest.fixture(name="further")
def make_further(lab):
    """A root that hosts trust besides."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", lab.place / "further.key",
            "-out", lab.place / "further.pem", "-subj", "/CN=further", "-days", 100)
    return (lab.place / "further.pem").read_text()


@pytest.mark.parametrize("lab", CORES, indirect=True)
def test_a_root_is_made_and_two_hosts_get_certificates_below_it(lab):
    ran = lab.run("generate_root_ca", "main", "status", arguments=["-vvvv", "--diff"])
    for host in HOSTS:
        lab.assert_verified(host)
        assert f"DNS:{host}.example.test" in openssl("x509", "-in", lab.at(host, f"{host}.pem"), "-noout", "-ext", "subjectAltName")
    # Its issuer's own list and certificate, also when another has become the default.
    told = openssl("x509", "-in", lab.at("web1", "web1.pem"), "-noout", "-ext", "crlDistributionPoints,authorityInfoAccess")
    own = f"{lab.bao.url}/v1/{lab.mount}/issuer/{lab.issuer()['issuer_id']}"
    assert re.findall(r"URI:(\S+)", told) == [f"{lab.bao.url}/v1/{lab.mount}/ocsp", f"{own}/der", f"{own}/crl/der"]
    for kind, place in (("x509", "der"), ("crl", "crl/der")):
        with urllib.request.urlopen(f"{own}/{place}", timeout=30) as answer:
            (lab.place / kind).write_bytes(answer.read())
        assert "root-1" in openssl(kind, "-inform", "DER", "-in", lab.place / kind, "-noout", "-issuer")
    key = lab.at("web1", "web1.key").read_text().splitlines()[1]
    assert openbao.TOKEN not in ran.text and key not in ran.text and "PRIVATE KEY" not in ran.text
    serials = [lab.serial(host) for host in HOSTS]
    again = lab.run("generate_root_ca", "main", "status")
    assert again.changed() == 0 and [lab.serial(host) for host in HOSTS] == serials and lab.issuers() == {"root-1"}
    assert lab.run("generate_root_ca", "main", "status", arguments=["--check"]).changed() == 0


def test_check_mode_over_an_empty_server_foresees_and_makes_nothing(lab):
    for entries in (("generate_root_ca", "main"), ("get_csr",)):
        assert lab.run(*entries, arguments=["--check"]).changed() >= 1
    with pytest.raises(openbao.Refused):
        lab.bao.api(f"sys/mounts/{lab.mount}")


def test_the_entry_points_are_tags_and_an_authority_below_the_root_issues(lab):
    play = [{"hosts": "all", "gather_facts": False, "roles": ["tls.everywhere.vault_pki"]}]
    below = {"vault_pki_intermediate_name": "intermediate-1"}
    lab.play(play, arguments=["-t", "generate_root_ca,distribute_ca"], **below)
    assert lab.issuers() == {"root-1", "intermediate-1"} and not lab.at("web1", "web1.pem").exists()
    lab.play(play, **below)
    for host in HOSTS:
        lab.assert_verified(host)
        assert lab.at(host, f"{host}.pem").read_text().count("BEGIN CERTIFICATE") == 2
    told = lab.play(play, arguments=["-t", "get_root_ca"], vault_pki_root_ca_path=f"{lab.place}/root.pem", **below)
    assert (lab.place / "root.pem").read_text() == (lab.place / "web1" / "ca.pem").read_text() and "-----BEGIN CERTIFICATE-----" in told.text


def test_the_system_trusts_live_roots_as_files_of_their_own(lab, further):
    lab.run("generate_root_ca", "distribute_ca", vault_pki_trust_system=True)
    for host in HOSTS:
        held = lab.place / host / "anchors" / f"vault_pki-{lab.mount}@root-1.crt"
        assert held.read_text() == (lab.place / host / "ca.pem").read_text() and (lab.place / host / "updated").exists()
        (lab.place / host / "updated").unlink()
        (held.parent / f"vault_pki-{lab.mount}@gone.crt").write_text(held.read_text())
        for name in ("others.crt", f"vault_pki-{lab.mount}-int@root-1.crt"):
            (held.parent / name).write_text(held.read_text())
    lab.run("distribute_ca", vault_pki_trust_system=True)
    kept = {"others.crt", *(f"vault_pki-{mount}@root-1.crt" for mount in (lab.mount, f"{lab.mount}-int"))}
    for host in HOSTS:
        assert {path.name for path in (lab.place / host / "anchors").iterdir()} == kept
        assert (lab.place / host / "updated").exists()
    assert lab.run("distribute_ca", vault_pki_trust_system=True).changed() == 0
    # A host has not confirmed while its system does not trust what lies there, and is told again by the next run.
    refused = {"vault_pki_trust_system": True, "vault_pki_trust_store_command": {"apt": "false"}, "vault_pki_extra_roots": [further]}
    for _run in range(2):
        assert [lab.run("distribute_ca", ok=False, **refused).recap(host, "failed") for host in HOSTS] == [1, 1]
    for path in (lab.place / host / "updated" for host in HOSTS):
        path.unlink()
    lab.run("distribute_ca", vault_pki_trust_system=True, vault_pki_extra_roots=[further])
    assert all((lab.place / host / "updated").exists() for host in HOSTS)


def test_one_certificate_keeps_to_its_ttl_and_needs_no_sans_and_a_client_gets_one_of_its_own(lab):
    lab.run("generate_root_ca", "distribute_ca")
    ran = lab.run("generate_certificate", arguments=["-vvv"], play={"hosts": "web2"}, vault_pki_common_name="api.example.test", vault_pki_ttl="48h")
    lab.assert_verified("web2", "api.example.test")
    assert 47 < lifetime(lab.at("web2", "api.example.test.pem")) < 49
    assert "PRIVATE KEY" not in ran.text and not lab.at("web1", "api.example.test.pem").exists()
    facts = openssl("x509", "-in", lab.at("web2", "api.example.test.pem"), "-noout", "-enddate", "-ext", "subjectAltName")
    assert re.findall(r"DNS:(\S+)", facts) == ["api.example.test"]
    client = {"name": "probe", "dns": ["probe.example.test"], "type": "client"}
    shutil.rmtree(lab.at("web1", ""))
    lab.run("generate_certificate", "issue", play={"hosts": "web1"}, vault_pki_certificates=[client], vault_pki_common_name="api.example.test",
            vault_pki_sans=["www.example.test", "192.0.2.7"])
    said = openssl("x509", "-in", lab.at("web1", "api.example.test.pem"), "-noout", "-ext", "subjectAltName")
    usages = openssl("x509", "-in", lab.at("web1", "probe.pem"), "-noout", "-ext", "extendedKeyUsage")
    assert "Client Authentication" in usages and "Server" not in usages
    assert all(name in said for name in ("DNS:api.example.test", "DNS:www.example.test", "IP Address:192.0.2.7"))


def test_hosts_log_in_by_a_role_that_may_only_sign(lab):
    group = f"hosts-{lab.mount}"
    secrets = [{"name": host, "path": str(lab.place / host / "wrapped")} for host in HOSTS]
    ran = lab.run("generate_root_ca", "authorize", arguments=["-vvv"],
                  vault_pki_access=[{"name": group, "sign": ["server"], "approle": {"token_ttl": "60s", "secret_ids": secrets}}])
    told = lab.bao.api(f"auth/approle/role/{group}/role-id")["role_id"]
    wrapped = [(lab.place / host / "wrapped").read_text().strip() for host in HOSTS]
    assert not [secret for secret in wrapped if secret in ran.text] and all((lab.place / host / "wrapped").stat().st_mode & 0o077 == 0 for host in HOSTS)
    login = {"method": "approle", "role_id": told, "wrapped_secret_id_file": "{{ vault_pki_directory | dirname }}/wrapped"}
    ran = lab.run("main", arguments=["-vvv"], vault_pki_host_auth=login)
    for host in HOSTS:
        lab.assert_verified(host)
    assert openbao.TOKEN not in ran.text and not [secret for secret in wrapped if secret in ran.text]
    # Nothing is due, so nobody logs in: what was wrapped is spent.
    assert lab.run("main", vault_pki_host_auth=login).changed() == 0
    ran = lab.run("reissue_certificates", ok=False, vault_pki_host_auth=login)
    assert "wrapp" in ran.flat()


def test_only_allowed_domains_are_certified_and_a_long_ttl_is_cut(lab):
    strict = {"vault_pki_allow_any_name": False, "vault_pki_allowed_domains": ["inside.test"], "vault_pki_allow_subdomains": True, "vault_pki_max_ttl": "240h"}
    outside = {"vault_pki_certificates": [{"name": "www", "dns": ["www.outside.test"]}]}
    ran = lab.run("generate_root_ca", "main", ok=False, **outside, **strict)
    assert "not allowed by this role" in ran.flat()
    lab.run("configure", "generate_certificate", play={"hosts": "web1"}, vault_pki_common_name="www.inside.test", vault_pki_ttl="8000h", **strict)
    assert 239 < lifetime(lab.at("web1", "www.inside.test.pem")) < 241
    assert lab.bao.api(f"{lab.mount}/roles/server")["max_ttl"] == 240 * 3600


def test_one_host_is_reissued_a_revoked_certificate_is_replaced_and_a_sealed_server_hurts_nobody(lab, further):
    lab.run("generate_root_ca", "main")
    before = {host: lab.serial(host) for host in HOSTS}
    lab.run("reissue_certificates", arguments=["--limit", "web2"])
    assert lab.serial("web1") == before["web1"] and lab.serial("web2") != before["web2"]
    number = before["web1"].partition("=")[2]
    # The authority of an entry is its own: the role's is none of the mount.
    lab.run("revoke", "issue", vault_pki_revoke=[{"serial": number, "authority": "root-1"}], vault_pki_intermediate_name="none")
    assert number.lower() in [each.replace(":", "").replace("-", "") for each in lab.bao.api(f"{lab.mount}/certs/revoked?list=true")["keys"]]
    assert lab.serial("web1") != before["web1"]
    for host in HOSTS:
        lab.assert_verified(host)
    assert "Vault cannot authorize approle" in lab.run("status", ok=False, vault_pki_token="another").flat()
    nobody = {"vault_pki_url": [f"http://127.0.0.1:{openbao.free_port()}"], "vault_pki_connection": {"retry_window": "1s"}}
    assert "Vault cannot be asked" in lab.run("status", ok=False, **nobody).flat()
    lab.bao.seal()
    try:
        assert "Unit is sealed" in lab.run("status", ok=False).flat()
        assert lab.run("issue").changed() == 0
        trusted = {host: (lab.place / host / "ca.pem").read_bytes() for host in HOSTS}
        for entry in ("main", "rotate_root", "get_root_ca"):
            assert "is sealed; nothing is made" in lab.run(entry, ok=False, vault_pki_extra_roots=[further]).flat()
        assert {host: (lab.place / host / "ca.pem").read_bytes() for host in HOSTS} == trusted
    finally:
        lab.bao.unseal()


def test_the_mount_is_removed_only_if_it_is_named_again_and_comes_back_another_time(lab):
    ran = lab.run("generate_root_ca", "main", "disable_pki", ok=False)
    assert "vault_pki_confirm" in ran.flat() and lab.issuers() == {"root-1"}
    export = lab.place / "export"
    lab.run("disable_pki", vault_pki_confirm=lab.mount, vault_pki_export_directory=str(export))
    with pytest.raises(openbao.Refused):
        lab.bao.api(f"sys/mounts/{lab.mount}")
    assert "Missing CA cert" in lab.run("status", ok=False).flat()
    kept = [path for path in export.rglob("*") if path.is_file()]
    assert any(verifies(lab.at("web1", "web1.pem"), path) for path in kept if b"BEGIN CERTIFICATE" in path.read_bytes())
    assert not [path for path in kept if b"PRIVATE KEY" in path.read_bytes()]
    lab.run("generate_root_ca", "main")
    for host in HOSTS:
        lab.assert_verified(host)


def test_a_mount_that_the_charm_made_is_adopted_with_its_certificates(lab):
    """By the charm's own calls: mount, root, addresses, roles, and one certificate with a key of the server's."""
    name = "Vault Root Certificate Authority (charm-pki-local)"
    lab.bao.api(f"sys/mounts/{lab.mount}", {"type": "pki", "config": {"default_lease_ttl": "8759h", "max_lease_ttl": "87600h"}})
    root = lab.bao.api(f"{lab.mount}/root/generate/internal", {"common_name": name, "ttl": "87599h"})
    for role, server in (("local", True), ("local-client", False)):
        lab.bao.api(f"{lab.mount}/roles/{role}", {"allow_any_name": True, "allow_glob_domains": True, "enforce_hostnames": False, "max_ttl": "8760h",
                                                   "server_flag": server, "client_flag": True})
    lab.bao.api(f"{lab.mount}/issuer/default", {"issuer_name": "root-1"}, method="PATCH", kind="application/merge-patch+json")
    issued = lab.bao.api(f"{lab.mount}/issue/local", {"common_name": "web1.example.test", "ip_sans": "127.0.0.1"})
    lab.at("web1", "web1.pem").write_text(issued["certificate"] + "\n" + "\n".join(issued["ca_chain"]) + "\n")
    lab.at("web1", "web1.key").write_text(issued["private_key"] + "\n")
    lab.at("web1", "web1.key").chmod(0o640)
    before = lab.serial("web1")
    charm = {"vault_pki_role": "local", "vault_pki_client_role": "local-client", "vault_pki_root_common_name": name, "vault_pki_role_options": {},
             "vault_pki_key": {"algorithm": "rsa", "size": 2048}, "vault_pki_certificate_defaults": {"key": {"algorithm": "rsa"}}}
    lab.run("generate_root_ca", "main", **charm)
    assert lab.issuers() == {"root-1"} and lab.issuer()["certificate"].strip() == root["certificate"].strip() and lab.serial("web1") == before
    for host in HOSTS:
        lab.assert_verified(host)
    assert lab.run("generate_root_ca", "main", **charm).changed() == 0
    assert "private_key" in lab.bao.api(f"{lab.mount}/issue/local", {"common_name": "charm.example.test"})
