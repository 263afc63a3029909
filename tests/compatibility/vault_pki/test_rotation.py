# SPDX-License-Identifier: Apache-2.0
"""Another root, while servers are looked at by clients that trust the old root, and by some that trust what their host was told: no
handshake may fail, wherever the rotation is stopped."""

from __future__ import annotations

import contextlib
import shutil

import openbao
import pytest
from lab import CORES, HOSTS
from served import Clients, Server, handshake

BELOW = {"vault_pki_intermediate_name": "intermediate-1"}
RELOAD = {"name": "Reload", "listen": "tls certificate changed",
          "ansible.builtin.file": {"path": "{{ vault_pki_directory }}/../reload", "state": "touch", "mode": "0644"}}


@pytest.fixture
def cloud(lab):
    """Two hosts that serve their certificates, with a root of which the first generation is kept beside."""
    ports = {host: openbao.free_port() for host in HOSTS}
    lab.endpoints = {host: [{"host": f"{host}.example.test", "address": "127.0.0.1", "port": port, "certificate": str(lab.at(host, f"{host}.pem"))}]
                     for host, port in ports.items()}
    lab.handlers = [RELOAD]
    lab.servers = []

    def begin(**values):
        lab.run("generate_root_ca", "main", **values)
        lab.old = (lab.place / "web1" / "ca.pem").read_text()
        lab.servers = [Server(lab.place / host, host, port) for host, port in ports.items()]
        lab.clients = Clients(lab.servers, {"old": lambda _server: lab.old, "host": lambda server: (server.place / "ca.pem").read_text()})

    lab.begin = begin
    yield lab
    lab.clients.close()
    for server in lab.servers:
        server.close()


def accepted(cloud, roots):
    """The hosts whose certificate a client with these roots accepts now."""
    return {server.name for server in cloud.servers if handshake(server.port, f"{server.name}.example.test", roots) is None}


def test_a_rotation_that_is_stopped_between_phases_goes_on_waits_for_missing_hosts_and_no_handshake_fails(cloud):
    cloud.begin(**BELOW)
    ran = cloud.run("rotate_root", arguments=["--check"], **BELOW)
    assert "phases: prepare, cross, distribute, intermediate, activate, reissue, retire, drop" in ran.flat() and ran.changed() == 1
    assert cloud.issuers() == {"root-1", "intermediate-1"}
    ran = cloud.run("rotate_root", ok=False, arguments=["--limit", "web1"], **BELOW)
    assert "name all of them in vault_pki_hosts" in ran.flat() and cloud.issuers() == {"root-1", "intermediate-1"}
    ran = cloud.run("rotate_root", ok=False, arguments=["--limit", "web1"], vault_pki_hosts=list(HOSTS), **BELOW)
    assert "web2 did not confirm" in ran.flat() and cloud.issuers() == {"root-1", "intermediate-1", "root-2", "root-2-x-root-1"}
    seen = {}
    for phase in ("distribute", "activate", "reissue", "retire"):
        cloud.run("rotate_root", vault_pki_rotate_until=phase, **BELOW)
        seen[phase] = (cloud.issuer()["issuer_name"], cloud.serial("web1"))
    new = cloud.bao.api(f"{cloud.mount}/issuer/root-2")["certificate"]
    cloud.clients.kinds.update(both=lambda _server: cloud.old + new, new=lambda _server: new)
    assert [issuer for issuer, _serial in seen.values()] == ["intermediate-1", "intermediate-2", "intermediate-2", "intermediate-2"]
    assert seen["distribute"][1] == seen["activate"][1] != seen["reissue"][1] == seen["retire"][1]
    assert accepted(cloud, cloud.old) == accepted(cloud, new) == accepted(cloud, cloud.old + new) == set(HOSTS)
    cloud.run("rotate_root", **BELOW)
    assert (cloud.place / "web1" / "ca.pem").read_text().strip() == new.strip() == (cloud.place / "web2" / "ca.pem").read_text().strip()
    cloud.clients.close()
    assert cloud.clients.failures == [] and min(cloud.clients.counts[kind] for kind in ("old", "host", "new", "both")) > 0
    after = {"vault_pki_root_name": "root-2", "vault_pki_intermediate_name": "intermediate-2"}
    assert cloud.run("rotate_root", **BELOW).changed() == 0
    assert cloud.run("generate_root_ca", "main", "status", **after).changed() == 0


def test_a_rotation_that_is_killed_in_the_middle_of_phases_is_finished_by_the_next_run(cloud):
    cloud.begin(**BELOW)
    first = cloud.serial("web1")
    both = [cloud.place / host / "ca.pem" for host in HOSTS]
    for reached in (
        lambda: "root-2" in cloud.issuers(),
        lambda: any(path.read_text() != cloud.old for path in both),
        lambda: "intermediate-2" in cloud.issuers(),
        lambda: cloud.serial("web1") != first,
        lambda: any(cloud.old not in path.read_text() for path in both),
    ):
        cloud.killed("rotate_root", reached, **BELOW)
    cloud.run("rotate_root", **BELOW)
    assert cloud.issuers() == {"root-1", "intermediate-1", "root-2", "root-2-x-root-1", "intermediate-2"}
    new = cloud.bao.api(f"{cloud.mount}/issuer/root-2")["certificate"]
    assert accepted(cloud, new) == set(HOSTS) and [path.read_text().strip() for path in both] == [new.strip()] * 2
    cloud.clients.close()
    assert cloud.clients.failures == []


def test_roots_that_issue_themselves_are_exchanged_in_one_run_and_the_way_back_is_open_until_one_is_retired(cloud):
    cloud.begin()
    cloud.run("rotate_root", vault_pki_rotate_until="reissue")
    new = cloud.bao.api(f"{cloud.mount}/issuer/root-2")["certificate"]
    assert accepted(cloud, new) == accepted(cloud, cloud.old) == set(HOSTS)
    cloud.killed("rotate_root", lambda: cloud.issuer()["issuer_name"] == "root-1", vault_pki_rotate_undo=True)
    cloud.run("rotate_root", vault_pki_rotate_undo=True)
    assert cloud.issuers() == {"root-1"} and (cloud.place / "web2" / "ca.pem").read_text() == cloud.old
    assert accepted(cloud, new) == set() and accepted(cloud, cloud.old) == set(HOSTS)
    cloud.run("rotate_root")
    new = cloud.bao.api(f"{cloud.mount}/issuer/root-2")["certificate"]
    assert accepted(cloud, new) == set(HOSTS)
    assert "'root-1' is out of service already" in cloud.run("rotate_root", ok=False, vault_pki_rotate_undo=True).flat()
    cloud.clients.close()
    assert cloud.clients.failures == []


@pytest.mark.parametrize("lab", CORES[:1], indirect=True)
def test_one_run_exchanges_a_root_that_issues_itself_for_one_with_an_authority_below(cloud):
    cloud.begin()
    ran = cloud.run("rotate_root", ok=False, **BELOW)
    assert "there is no authority 'intermediate-1'" in ran.flat() and cloud.issuers() == {"root-1"}
    # One that another program gave its certificate, and an operator who wants none replaced before its end.
    reasons = {"vault_pki_certificate_defaults": {"key": {"algorithm": "ecdsa"}, "renew": {"on": ["expiry", "revoked"]}}}
    more = {"vault_pki_new_intermediate_name": "intermediate-1", "vault_pki_probe_retries": 1, **reasons}
    other = cloud.place / "other"
    shutil.copytree(cloud.place / "web1" / "certs", other / "certs")
    with contextlib.closing(Server(other, "web1", openbao.free_port())) as server:
        cloud.endpoints["web1"].append({"host": "web1.example.test", "address": "127.0.0.1", "port": server.port})
        ran = cloud.run("rotate_root", ok=False, **more)
        assert "web1 did not confirm" in ran.flat() and cloud.old in (cloud.place / "web2" / "ca.pem").read_text()
        for file in (other / "certs").iterdir():
            shutil.copy(cloud.place / "web1" / "certs" / file.name, file)
        server.told.touch()
        cloud.run("rotate_root", **more)
    del cloud.endpoints["web1"][-1]
    assert not list(cloud.place.glob("web*/*.next"))
    new = cloud.bao.api(f"{cloud.mount}/issuer/root-2")["certificate"]
    assert accepted(cloud, new) == set(HOSTS) and cloud.issuer()["issuer_name"] == "intermediate-1"
    assert cloud.issuer()["ca_chain"] == [cloud.issuer()["certificate"], new]
    assert cloud.run("rotate_root", **more).changed() == 0
    cloud.clients.close()
    assert cloud.clients.failures == []


def test_a_batch_that_does_not_serve_its_new_certificate_keeps_the_next_from_beginning(cloud):
    cloud.begin()
    before = {host: cloud.serial(host) for host in HOSTS}
    call = f"openssl s_client -connect 127.0.0.1:{cloud.servers[0].port} -servername web1.example.test -verify_return_error -CAfile"
    cloud.run("validate", vault_pki_openstack_environment={"OS_CLOUD": "test"}, vault_pki_openstack_calls=[f"sh -c '{call} \"$OS_CACERT\" </dev/null'"])
    secret = {"OS_CLOUD": "test", "OS_PASSWORD": "secret-of-the-cloud"}
    ran = cloud.run("validate", ok=False, arguments=["-vvv"], vault_pki_openstack_environment=secret)
    assert "vault_pki_openstack_environment has OS_PASSWORD" in ran.flat() and secret["OS_PASSWORD"] not in ran.text
    cloud.handlers = []
    ran = cloud.run("reissue_certificates", ok=False, vault_pki_probe_retries=1)
    assert "stopped before web2: web1 failed" in ran.flat()
    assert cloud.serial("web1") != before["web1"] and cloud.serial("web2") == before["web2"]
