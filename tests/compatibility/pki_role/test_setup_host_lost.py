# SPDX-License-Identifier: Apache-2.0
"""The setup host, behind a real ssh connection, loses its power in the middle of a run: what is in service stays, the error
names the host, and the next run finishes without signing again what was signed."""

from __future__ import annotations

import pathlib

import pytest
from cloud import INTERMEDIATE, ROOT, certificate, openssl
from remote import Remote, When

NAMES = [f"web{number}" for number in range(4)]
SLOW = {"algorithm": "rsa", "size": 4096}  # so that there is a middle of signing


@pytest.fixture
def cloud(work):
    """Two hosts and a setup host behind ssh."""
    it = Remote(work, hosts=("node1", "node2"))
    it.add("deploy")
    yield it
    it.stop()


def wishes(cloud, location="setup_host", **more):
    """Certificates of their own for each host, all made on the host `deploy`."""
    at = f"{cloud.work}/{{{{ inventory_hostname }}}}"
    owned = ["%s_{{ inventory_hostname }}" % name for name in NAMES]
    return {
        "pki_setup_host": "deploy", "pki_setup_host_python_interpreter": "/usr/bin/python3", "pki_key_location": location,
        "pki_authorities": [ROOT, INTERMEDIATE], "pki_certificates": [certificate(name, **more) for name in owned],
        "pki_install_certificates": [
            {"name": name, "type": kind, "dest": f"{at}/{name}{ending}"}
            for name in owned for kind, ending in (("certificate_chain", ".pem"), ("private_key", ".key"))],
    }


def leaves(cloud):
    """The serials of what is signed, by name."""
    found = sorted((cloud.pki / "certs/certs").glob("web?_node?.crt"))
    return {path.stem: cloud.serial(path) for path in found if path.read_text().startswith("-----BEGIN")}


def all_names(cloud):
    """The name of every certificate."""
    return sorted(f"{name}_{host}" for name in NAMES for host in cloud.hosts)


def in_service(cloud):
    """All that the hosts have."""
    return cloud.snapshot(cloud.work / "node1"), cloud.snapshot(cloud.work / "node2")


def check(cloud):
    """Every host serves a certificate that openssl verifies, with its key."""
    for name in all_names(cloud):
        chain = cloud.work / name.rpartition("_")[2] / f"{name}.pem"
        assert openssl("verify", "-CAfile", cloud.authority("ExampleCorpRoot"), "-untrusted", chain, chain).strip().endswith("OK")
        assert openssl("x509", "-in", chain, "-noout", "-pubkey") == openssl("pkey", "-in", chain.with_suffix(".key"), "-pubout")
        assert openssl("x509", "-in", chain, "-noout", "-serial").strip() == cloud.serial(cloud.leaf(name))


def lost_after(cloud, step, ok=False, **asked):
    """A run during which the setup host goes away right after one step."""
    place = cloud.work / "steps"
    place.mkdir()
    callbacks = pathlib.Path(__file__).parent / "callback"
    cloud.more = {"ANSIBLE_CALLBACK_PLUGINS": str(callbacks), "ANSIBLE_CALLBACKS_ENABLED": "steps", "STEPS_AFTER": step, "STEPS_AT": str(place)}

    def lose():
        cloud.far["deploy"].lose()
        (place / "go").touch()

    watch = When((place / "reached").exists, lose)
    ran = cloud.run("main_certs.yml", ok=ok, **asked)
    cloud.more = {}
    assert watch.is_done, f"the step '{step}' was not reached:\n{ran.text}"
    return ran


def named(ran):
    """The error says which host is gone."""
    assert "deploy" in ran.flat() and "UNREACHABLE" in ran.text, ran.text
    return ran.flat()


def test_it_goes_away_between_signing_and_installing(cloud):
    asked = wishes(cloud)
    cloud.run(**asked)
    before, first = in_service(cloud), leaves(cloud)
    changed = wishes(cloud, san={"dns": ["new.example.org"]})
    named(lost_after(cloud, "certificates", **changed))
    signed = leaves(cloud)
    assert list(signed) == all_names(cloud) and not set(signed.values()) & set(first.values())
    assert in_service(cloud) == before
    cloud.far["deploy"].start()
    cloud.run("main_certs.yml", **changed)
    assert leaves(cloud) == signed
    check(cloud)
    assert cloud.run("main_certs.yml", **changed).changed() == 0


def test_it_goes_away_in_the_middle_of_signing(cloud):
    asked = wishes(cloud, key=SLOW)
    cloud.run("main_ca.yml", **asked)
    assert not (cloud.work / "node1").exists()
    watch = When(lambda: len(leaves(cloud)) >= 2, cloud.far["deploy"].lose)
    ran = cloud.run("main_certs.yml", ok=False, **asked)
    assert watch.is_done
    named(ran)
    signed = leaves(cloud)
    assert 2 <= len(signed) < len(all_names(cloud)), "it was not in the middle"
    assert not (cloud.work / "node1").exists() and not (cloud.work / "node2").exists()
    cloud.far["deploy"].start()
    cloud.run("main_certs.yml", **asked)
    assert {name: serial for name, serial in leaves(cloud).items() if name in signed} == signed
    check(cloud)
    assert cloud.run("main_certs.yml", **asked).changed() == 0


def test_it_goes_away_before_it_has_signed_the_requests_of_the_hosts(cloud):
    cloud.run(**wishes(cloud, "host"))
    before, first = in_service(cloud), leaves(cloud)
    changed = wishes(cloud, "host", san={"dns": ["new.example.org"]})
    named(lost_after(cloud, "host_request", **changed))
    kept = [{path: what for path, what in now.items() if path in old} for now, old in zip(in_service(cloud), before)]
    assert kept == list(before) and leaves(cloud) == first
    cloud.far["deploy"].start()
    cloud.run("main_certs.yml", **changed)
    check(cloud)
    assert cloud.run("main_certs.yml", **changed).changed() == 0


def test_it_goes_away_when_it_has_signed_the_requests_of_the_hosts_and_nothing_more_is_needed_of_it(cloud):
    asked = wishes(cloud, "host")
    cloud.run("main_ca.yml", **asked)
    lost_after(cloud, "host_sign", ok=True, **asked)
    check(cloud)
    signed = leaves(cloud)
    cloud.far["deploy"].start()
    assert cloud.run("main_certs.yml", **asked).changed() == 0 and leaves(cloud) == signed
