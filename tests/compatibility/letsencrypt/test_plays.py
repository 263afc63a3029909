# SPDX-License-Identifier: Apache-2.0
"""OpenDev's three plays and the single call: what they issue, whom they tell, what they ask for."""

from __future__ import annotations

import pytest
from lab import CORES, Lab, touched, touching
from servers import FILE, SIGNING


def test_the_single_call_issues_for_all_hosts_with_one_update_and_then_rests(world, place):
    certs = {"main": ["h1.example.test:8443", "h2.example.test"], "git": ["h3.example.test"]}
    lab = Lab(place, world, bare=True, web1=certs, web2={"web2": ["h4.example.test"]})
    (place / "told").mkdir()
    before, serial = world.primary.updates(), world.primary.serial(SIGNING)
    ran = lab.one(touching(place / "told", "letsencrypt updated main", "letsencrypt updated web2"))
    lab.assert_served("web1", "h1.example.test", ["h1.example.test", "h2.example.test"])
    lab.assert_served("web1", "h3.example.test", ["h3.example.test"])
    lab.assert_served("web2", "h4.example.test", ["h4.example.test"])
    assert touched(place / "told") == {"web1 letsencrypt updated main": 1, "web2 letsencrypt updated web2": 1}, "nobody listens to git, and that is no fault"
    assert world.primary.updates() - before == 2, "one adds all records of all hosts, one takes them back"
    assert world.primary.texts(SIGNING) == [] and world.primary.serial(SIGNING) > serial
    assert "was not found in either" not in ran.text
    files, asked, updates = lab.snapshot(), world.pebble.requests(), world.primary.updates()
    again = lab.one(touching(place / "told", "letsencrypt updated main"))
    assert again.changed() == 0 and lab.snapshot() == files and world.pebble.requests() == asked and world.primary.updates() == updates
    assert touched(place / "told") == {"web1 letsencrypt updated main": 1, "web2 letsencrypt updated web2": 1}


def test_three_plays_as_opendev_has_them_issue_and_then_rest(world, place):
    certs = {"web1": {"main": ["o1.example.test", "o2.example.test"]}, "web2": {"web2": ["o3.example.test"]}, "off": {"off": ["o4.example.test"]}}
    lab = Lab(place, world, core=CORES[0], bare=True, **certs)
    (place / "told").mkdir()
    serial = world.primary.serial(FILE)
    handlers = touching(place / "told", "letsencrypt updated main", "letsencrypt updated web2")
    lab.three(handlers, groups={"disabled": ["off"]})
    lab.assert_served("web1", "o1.example.test", ["o1.example.test", "o2.example.test"])
    lab.assert_served("web2", "o3.example.test", ["o3.example.test"])
    assert not lab.directory("off").exists()
    assert touched(place / "told") == {"web1 letsencrypt updated main": 1, "web2 letsencrypt updated web2": 1}
    assert len(world.primary.texts(FILE)) == 3 and world.primary.serial(FILE) > serial, "all at the zone itself; they stay until the next write"
    files, asked = lab.snapshot(), world.pebble.requests()
    serial = world.primary.serial(FILE)
    again = lab.three(handlers, groups={"disabled": ["off"]})
    assert again.changed() == 0 and lab.snapshot() == files and world.pebble.requests() == asked and world.primary.serial(FILE) == serial


def test_a_host_that_still_runs_opendevs_own_role_is_published_and_a_fourth_play_takes_all_back(world, place):
    lab = Lab(place, world, web1={"main": ["o6.example.test:8080", "o7.example.test"]}, old={"main": ["o8.example.test"]})
    fact = {"name": "As OpenDev's role leaves it", "ansible.builtin.set_fact": {"acme_txt_required": "{{ [('main', 'gfj9XqOfAcmeSh')] }}"}}
    known = {"name": "The facts are those of OpenDev's roles", "ansible.builtin.assert": {"that": [
        "acme_txt_required | length == 2", "acme_txt_required | map('first') | unique | list == ['main']",
        "acme_txt_required | map('last') | map('length') | unique | list == [43]", "letsencrypt_certcheck_domains == ['o6.example.test 8080']"]}}
    plays = [{"hosts": "web1", "roles": ["letsencrypt-request-certs"], "post_tasks": [known]}, {"hosts": "old", "tasks": [fact]},
             {"hosts": "adns", "roles": ["letsencrypt-install-txt-record"]}]
    before = world.primary.texts(FILE)
    lab.play(list(plays), letsencrypt_zone=FILE, letsencrypt_provider=world.file())
    added = [value for owner, value in world.primary.texts(FILE) if (owner, value) not in before]
    assert len(added) == 3 and "gfj9XqOfAcmeSh" in added
    back = {"name": "Take them back", "ansible.builtin.import_role": {"name": "tls.everywhere.letsencrypt", "tasks_from": "cleanup.yml"}}
    create = {"hosts": "web1", "roles": ["letsencrypt-create-certs"]}
    lab.play([*plays, create, {"hosts": "adns", "tasks": [back]}], letsencrypt_zone=FILE, letsencrypt_provider=world.file())
    lab.assert_served("web1", "o6.example.test", ["o6.example.test", "o7.example.test"])
    assert world.primary.texts(FILE) == before


@pytest.mark.parametrize("placement", ["host", "central"])
def test_two_hosts_may_have_the_same_names(world, place, placement):
    shared = ["h1.example.test", "h2.example.test"]
    lab = Lab(place, world, lb1={"vip": shared}, lb2={"vip": shared})
    updates = world.primary.updates()
    lab.one(letsencrypt_placement=placement, letsencrypt_central_directory=str(place / "central"))
    serials = {lab.assert_served(host, shared[0], shared) for host in ("lb1", "lb2")}
    # One account may get one order for both, so they are ordered one after the other; each host's own account has its own.
    wanted = 4 if placement == "central" else 2
    assert len(serials) == 2 and world.primary.updates() == updates + wanted and world.primary.texts(SIGNING) == []
