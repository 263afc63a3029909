# SPDX-License-Identifier: Apache-2.0
"""pki_key_location: host. Keys are made on their hosts and never leave them."""

from __future__ import annotations

import re

import pytest
from cloud import CORES, INTERMEDIATE, ROOT, Cloud, certificate, mode, openssl

CAS = [ROOT, INTERMEDIATE]
OWN = "web_{{ inventory_hostname }}"


def wishes(cloud, location="host", **more):
    """A certificate of its own for each host."""
    dest = f"{cloud.work}/{{{{ inventory_hostname }}}}/ssl"
    return {
        "pki_authorities": CAS, "pki_key_location": location,
        "pki_certificates": [certificate(OWN, **{"cn": "{{ inventory_hostname }}", "san": {"dns": ["{{ inventory_hostname }}"]}, **more})],
        "pki_install_certificates": [
            {"name": OWN, "type": "certificate_chain", "dest": f"{dest}/web.pem"},
            {"name": OWN, "type": "private_key", "dest": f"{dest}/web.key"},
            {"name": OWN, "type": "ca_bundle", "dest": f"{dest}/web-ca.pem"}],
    }


def check(cloud, host):
    """openssl verifies what is on the host; its key is its certificate's."""
    at = cloud.work / host / "ssl"
    assert openssl("verify", "-CAfile", cloud.authority("ExampleCorpRoot"), "-untrusted", at / "web.pem", at / "web.pem").strip().endswith("OK")
    assert openssl("x509", "-in", at / "web.pem", "-noout", "-pubkey") == openssl("pkey", "-in", at / "web.key", "-pubout")
    assert mode(at / "web.key") == "0600"
    assert (at / "web-ca.pem").read_text().count("BEGIN CERTIFICATE") == 2


def key_lines(path):
    """Lines of a key that occur nowhere by chance."""
    return [line for line in path.read_text().splitlines() if len(line) > 40 and not line.startswith("-")]


def test_keys_are_made_on_their_hosts_and_seen_nowhere_else(three):
    asked = wishes(three)
    ran = three.run(arguments=("-vvv", "--diff"), **asked)
    for host in three.hosts:
        check(three, host)
        for line in key_lines(three.work / host / "ssl" / "web.key"):
            assert line not in ran.text
            holders = [path for path in three.work.rglob("*") if path.is_file() and line.encode() in path.read_bytes()]
            assert [str(path.relative_to(three.work)) for path in holders] == [f"{host}/ssl/web.key"]
    assert not list((three.pki / "certs/private").iterdir())
    again = three.run(**asked)
    assert again.changed() == 0, again.text


@pytest.mark.parametrize("core", CORES[:-1])
def test_keys_are_made_on_their_hosts_with_every_ansible_core(work, core):
    cloud = Cloud(work, hosts=("node1", "node2"), core=core)
    cloud.run(**wishes(cloud))
    for host in cloud.hosts:
        check(cloud, host)
    again = cloud.run(**wishes(cloud))
    assert again.changed() == 0, again.text


def test_moving_from_the_setup_host_makes_new_keys_and_rolls_back(three):
    three.run(**wishes(three, "setup_host"))
    old = {host: (three.work / host / "ssl/web.key").read_bytes() for host in three.hosts}
    three.run(**wishes(three))
    for host in three.hosts:
        check(three, host)
        assert (three.work / host / "ssl/web.key").read_bytes() != old[host]
        assert three.key(f"web_{host}").with_suffix(".pem.replaced").read_bytes() == old[host]
        assert not three.key(f"web_{host}").exists()
    assert three.run(**wishes(three)).changed() == 0
    three.run(**wishes(three), pki_remove_setup_host_keys=True)
    assert not list((three.pki / "certs/private").iterdir())
    three.run(**wishes(three, "setup_host"))
    for host in three.hosts:
        check(three, host)
        three.verify(f"web_{host}")


def test_a_changed_name_and_a_regenerated_certificate_reach_the_host(three):
    three.run(**wishes(three))
    before = {host: (three.work / host / "ssl/web.pem").read_bytes() for host in three.hosts}
    key = (three.work / "node1/ssl/web.key").read_bytes()
    three.run("main_certs.yml", **wishes(three, san={"dns": ["{{ inventory_hostname }}", "api.example.org"]}))
    assert "api.example.org" in openssl("x509", "-in", three.work / "node2/ssl/web.pem", "-noout", "-ext", "subjectAltName")
    assert (three.work / "node1/ssl/web.key").read_bytes() == key
    three.run("main_certs.yml", **wishes(three), pki_regen_cert="web_node2")
    for host in three.hosts:
        check(three, host)
        assert (three.work / host / "ssl/web.pem").read_bytes() != before[host]
    assert (three.work / "node1/ssl/web.key").read_bytes() == key


def test_a_new_signer_is_noticed_without_the_host_asking(three):
    three.run(**wishes(three))
    other = {**wishes(three, signed_by="Other"), "pki_authorities": [*CAS, dict(INTERMEDIATE, name="Other", cn="Other Intermediate")]}
    three.run(**other)
    for host in three.hosts:
        assert re.search("Other Intermediate", openssl("x509", "-in", three.work / host / "ssl/web.pem", "-noout", "-issuer"))
        check(three, host)
    assert three.run(**other).changed() == 0


def test_two_hosts_cannot_share_a_name(three):
    shared = wishes(three)
    shared["pki_certificates"] = [certificate("shared")]
    for install in shared["pki_install_certificates"]:
        install["name"] = "shared"
    failed = three.run(ok=False, **shared)
    assert "'shared' is wished by 'node1' and 'node2'" in failed.flat()
