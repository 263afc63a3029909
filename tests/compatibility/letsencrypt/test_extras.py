# SPDX-License-Identifier: Apache-2.0
"""What others read: certcheck's list, hiera's files, key stores. The authority of tests signs."""

from __future__ import annotations

import subprocess

import yaml
from lab import GROUP, Lab, mode, openssl

MODE = {"letsencrypt_self_sign_only": True, "letsencrypt_zone": "acme-sign.test", "letsencrypt_provider": {}}
CERTS = {"main": ["www.example.test:8443", "example.test"], "smtp": ["mail.example.test"]}


def test_certcheck_is_told_all_names_also_of_hosts_that_are_not_in_the_run(place):
    lab = Lab(place, None, web1=CERTS, web2={"db": ["db.example.test"]}, off={"off": ["off.example.test"]})
    listed = place / "ssldomains"
    roles = [{"hosts": "letsencrypt:!disabled", "roles": ["letsencrypt-request-certs", "letsencrypt-create-certs"]},
             {"hosts": "ns", "roles": ["letsencrypt-config-certcheck"]}]
    more = {"letsencrypt_certcheck_domain_list": str(listed), "letsencrypt_certcheck_owner": "root", "letsencrypt_certcheck_group": GROUP,
            "letsencrypt_certcheck_additional_domains": ["wiki.example.test 443"], "groups": {"disabled": ["off"]}, **MODE}
    ran = lab.play(roles, arguments=["--limit", "web1,ns"], **more)
    assert listed.read_text().splitlines() == ["www.example.test 8443", "mail.example.test 443", "db.example.test 443", "wiki.example.test 443"]
    assert (mode(listed), listed.group()) == ("0644", GROUP) and ran.recap("ns", "changed") == 1
    assert lab.play(roles, arguments=["--limit", "web1,ns"], **more).changed() == 0


def test_hiera_gets_one_file_of_each_host_that_only_its_owner_reads(place):
    lab = Lab(place, None, web1=CERTS, web2={"db": ["db.example.test"]})
    more = {"letsencrypt_legacy_directory": str(place / "hiera"), **MODE}
    ran = lab.one(arguments=["-vvvv", "--diff"], **more)
    assert sorted(path.name for path in (place / "hiera").iterdir()) == ["web1.certs.yaml", "web2.certs.yaml"]
    held = yaml.safe_load((place / "hiera" / "web1.certs.yaml").read_text())
    assert sorted(held) == ["cert_mail.example.test", "cert_www.example.test"] and mode(place / "hiera" / "web1.certs.yaml") == "0600"
    for name in ("www.example.test", "mail.example.test"):
        files = {"key_contents": "NAME.key", "full_chain_contents": "fullchain.cer", "chain_contents": "ca.cer", "cert_contents": "NAME.cer"}
        assert held[f"cert_{name}"] == {word: lab.at("web1", name, file).read_text() for word, file in files.items()}
        assert held[f"cert_{name}"]["key_contents"].splitlines()[1] not in ran.text
    assert lab.one(**more).changed() == 0


def test_key_stores_and_a_file_of_all_for_smtp_follow_the_certificate(place):
    exim, store, java = place / "exim.pem", place / "gearman.p12", place / "zookeeper.jks"
    files = {"smtp": [{"content": "combined", "path": str(exim), "parts": ["private_key", "certificate", "chain"], "owner": "root", "group": GROUP,
                       "mode": "0640"}]}
    stores = [{"content": "pkcs12", "path": str(store), "passphrase": "changeit"}, {"content": "jks", "path": str(java), "passphrase": "changeit"}]
    lab = Lab(place, None, web1={"main": {"names": ["zk.example.test"], "files": stores}, "smtp": ["mail.example.test"]})
    ran = lab.one(letsencrypt_files=files, arguments=["-vvvv"], **MODE)
    parts = [line for line in exim.read_text().splitlines() if "BEGIN" in line]
    assert parts == ["-----BEGIN PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"] and mode(exim) == "0640"
    assert openssl("x509", "-in", exim, "-noout", "-serial") == openssl("x509", "-in", lab.at("web1", "mail.example.test", "NAME.cer"), "-noout", "-serial")
    inside = openssl("pkcs12", "-in", store, "-passin", "pass:changeit", "-nodes", "-nocerts")
    (place / "inside.key").write_text(inside)
    assert openssl("pkey", "-in", place / "inside.key", "-pubout") == openssl("pkey", "-in", lab.at("web1", "zk.example.test", "NAME.key"), "-pubout")
    command = ["keytool", "-list", "-keystore", java, "-storepass", "changeit"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert "main, " in listed and "PrivateKeyEntry" in listed and mode(java) == "0600" and mode(store) == "0600"
    assert "changeit" not in ran.text
    assert lab.one(letsencrypt_files=files, **MODE).changed() == 0
