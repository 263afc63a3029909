# SPDX-License-Identifier: Apache-2.0
"""What must not be passed over in silence, and whom a failure must not take along."""

from __future__ import annotations

import json

import pytest
from lab import CORES, GROUP, Lab, touched, touching

MODE = {"letsencrypt_self_sign_only": True, "letsencrypt_zone": "acme-sign.test", "letsencrypt_provider": {}}
DOWN = {"letsencrypt_directory": "https://localhost:9/dir", "letsencrypt_retry": {"deadline": "2s"}}


def test_a_group_that_a_further_file_names_and_nobody_has_is_told(place):
    lab = Lab(place, None, web1={"main": ["www.example.test"], "smtp": ["mail.example.test"]})
    files = {"smtp": [{"content": "combined", "path": str(place / "exim.pem"), "group": "nobody-has-this"}]}
    ran = lab.one(letsencrypt_files=files, ok=False, **MODE)
    assert "certificate 'smtp' (mail.example.test): " in ran.flat() and "nobody-has-this" in ran.flat()
    assert lab.at("web1", "www.example.test", "fullchain.cer").exists(), "the other is not kept back"


def test_three_plays_may_ask_centrally(world, place):
    lab = Lab(place, world, web1={"main": ["o1.example.test"]}, web2={"main": ["o2.example.test"]}, rests={})
    ran = lab.three(letsencrypt_placement="central", letsencrypt_dns_host="ns", letsencrypt_central_directory=str(place / "central"))
    for host, name in (("web1", "o1.example.test"), ("web2", "o2.example.test")):
        lab.assert_served(host, name, [name])
    assert ran.recap("rests", "changed") == 0
    assert not list(place.glob("web*/state/*/account.key"))


@pytest.mark.parametrize("placement", ["host", "central"])
def test_a_server_that_is_down_takes_nobody_along(world, place, placement):
    more = {"letsencrypt_placement": placement, "letsencrypt_central_directory": str(place / "central")}
    lab = Lab(place, world, web1={"main": ["h1.example.test"]}, web2={"main": ["h2.example.test"]})
    (place / "told").mkdir()
    handlers = touching(place / "told", "letsencrypt updated main", "letsencrypt updated more")
    lab.one(**more)
    lab.certs["web1"]["more"] = ["h3.example.test"]
    lab.at("web1", "h1.example.test", "ca.cer").unlink()
    ran = lab.one(handlers, ok=False, **more, **DOWN)
    assert ran.recap("web2", "failed") == 0, "nothing is due there"
    assert ran.recap("web1", "failed") == 1 and "certificate 'more' (h3.example.test): " in ran.flat()
    assert touched(place / "told") == {"web1 letsencrypt updated main": 1}, "its chain is new, and no later run would tell"


def gone(lab):
    """Nobody listens where the host of the DNS should be."""
    variables = lab.variables
    lab.variables = lambda host: {**variables(host), **({"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9} if host == "ns" else {})}


@pytest.mark.parametrize("placement", ["host", "central"])
def test_a_host_of_the_dns_that_is_gone_takes_nobody_along(world, place, placement):
    lab = Lab(place, world, web1={"main": ["h4.example.test"]}, web2={"main": ["h5.example.test"]})
    gone(lab)
    ran = lab.one(ok=False, letsencrypt_placement=placement, letsencrypt_dns_host="ns")
    for host in ("web1", "web2"):
        assert (ran.recap(host, "failed"), ran.recap(host, "unreachable")) == (1, 0)
    assert "certificate 'main' (h5.example.test): " in ran.flat() and "'ns' cannot be reached" in ran.flat()


def test_handlers_run_where_records_cannot_be_taken_back(world, place):
    lab = Lab(place, world, web1={"main": ["h6.example.test"]}, web2={"main": ["h7.example.test"]})
    gone(lab)
    (place / "told").mkdir()
    # Whoever publishes is there, whoever takes back is not.
    role = "{{ 'ns' if _letsencrypt_completed is defined else 'localhost' }}"
    ran = lab.one(touching(place / "told", "letsencrypt updated main"), letsencrypt_dns_host=role)
    assert touched(place / "told") == {"web1 letsencrypt updated main": 1, "web2 letsencrypt updated main": 1}
    assert "records are left in the DNS: 'ns' cannot be reached" in ran.flat()


def test_handlers_run_where_no_file_for_puppet_can_be_written(place):
    lab = Lab(place, None, web1={"main": ["www.example.test"]})
    gone(lab)
    (place / "told").mkdir()
    handlers = touching(place / "told", "letsencrypt updated main")
    more = {"letsencrypt_legacy_directory": str(place / "hiera"), **MODE}
    ran = lab.one(handlers, ok=False, letsencrypt_legacy_host="ns", **more)
    assert touched(place / "told") == {"web1 letsencrypt updated main": 1}
    assert ran.recap("web1", "failed") == 1 and "no file for puppet: 'ns' cannot be reached" in ran.flat()
    lab.one(handlers, **more)
    assert (place / "hiera" / "web1.certs.yaml").exists() and touched(place / "told") == {"web1 letsencrypt updated main": 1}


def test_what_was_mended_restarts_its_containers_beside_what_is_new(place):
    lab = Lab(place, None, web1={"gitea": ["gitea.example.test"]})
    handler = {"name": "restart", "listen": "tls certificate changed",
               "ansible.builtin.copy": {"content": "{{ letsencrypt_restart | to_json }}", "dest": str(place / "restart.json"), "mode": "0644"}}
    lab.one(**MODE)
    lab.at("web1", "gitea.example.test", "ca.cer").unlink()
    lab.certs["web1"]["new"] = ["new.example.test"]
    lab.one([handler], **MODE)
    assert sorted(each["name"] for each in json.loads((place / "restart.json").read_text())) == ["gitea", "new"]


@pytest.mark.parametrize("core", (CORES[0], CORES[-1]))
def test_certcheck_names_a_host_whose_variables_say_nothing_yet(place, core):
    lab = Lab(place, None, core=core, web1={"main": ["www.example.test"]}, web2={"db": ["{{ ansible_facts.fqdn }}"]})
    listed = place / "ssldomains"
    roles = [{"hosts": "ns", "roles": ["letsencrypt-config-certcheck"]}]
    more = {"letsencrypt_certcheck_domain_list": str(listed), "letsencrypt_certcheck_owner": "root", "letsencrypt_certcheck_group": GROUP, **MODE}
    ran = lab.play(roles, **more)
    assert listed.read_text().splitlines() == ["www.example.test 443"]
    assert "certcheck: the names of 'web2' are left out" in ran.flat()


def test_check_mode_foresees_certificates_on_a_host_without_group_and_directories(place):
    lab = Lab(place, None, bare=True, web1={"main": ["www.example.test"]})
    for group in (GROUP, "group-that-the-role-makes"):
        ran = lab.one(arguments=["--check", "-v"], letsencrypt_group=group, **MODE)
        assert ran.recap("web1", "failed") == 0 and '"action": "issue"' in ran.text and not lab.directory("web1").exists()
