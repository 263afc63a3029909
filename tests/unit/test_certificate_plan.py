# SPDX-License-Identifier: Apache-2.0
"""From the variables of linux-system-roles.certificate to wishes and hook scripts."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_plan

DATA = pathlib.Path(__file__).resolve().parents[1] / "compatibility/certificate/data"
SETTINGS = certificate_plan.Settings("/etc/pki/tls", "/etc/certmonger/", "# Ansible managed", True, None, None)


def planned(*requests, settings=SETTINGS):
    """The plan and the notes."""
    notes = certificate_plan.Notes()
    return certificate_plan.plan(list(requests), settings, notes), notes


def wish(**entry):
    """The one wish of a request that has no fault."""
    plan, notes = planned({"name": "web", "dns": "www.example.com", "ca": "self-sign", **entry})
    assert notes.faults == [] and notes.warnings == []
    return plan.wishes[0]


def released(name):
    """The requests of a release of tripleo-heat-templates."""
    return [request for template in yaml.safe_load((DATA / name).read_text(encoding="utf-8")) for request in template["requests"]]


@pytest.mark.parametrize("release", ["tht_2021_03.yml", "tht_wallaby.yml"])
def test_every_request_of_tripleo_is_understood_without_a_word(release):
    requests = released(release)
    assert len(requests) in (34, 42), "41, of which a loop over two"
    for each in requests:
        plan, notes = planned(each["request"])
        assert notes.faults == [] and notes.warnings == [], each["request"]["name"]
        files = {file["content"]: file["path"] for file in plan.wishes[0]["files"]}
        assert files == {"certificate": each["cert"], "private_key": each["key"]}
        issuer = plan.wishes[0]["issuer"]["certmonger"]
        assert issuer["ca"] == "IPA" and ("post_save" in issuer) == ("run_after" in each["request"])


def test_the_whole_list_of_a_release_is_one_plan_and_equal_requests_are_one():
    requests = [each["request"] for each in released("tht_2021_03.yml")]
    plan, notes = planned(*requests)
    assert notes.faults == [], "rabbitmq is there three times, each time the same"
    names = [each["name"] for each in plan.wishes]
    assert names.count("rabbitmq") == 1 and len(names) == 32


def test_defaults_are_upstreams():
    found = wish()
    assert found["common_name"] == "www.example.com" and found["dns"] == ["www.example.com"]
    assert found["key_usage"] == ["digitalSignature", "keyEncipherment"] and found["extended_key_usage"] == ["serverAuth", "clientAuth"]
    assert found["key"] == {"reuse": True, "algorithm": "rsa"}
    assert found["issuer"] == {"certmonger": {"ca": "local", "auto_renew": True, "wait": True}}
    assert found["files"] == [
        {"content": "private_key", "path": "/etc/pki/tls/private/web.key"}, {"content": "certificate", "path": "/etc/pki/tls/certs/web.crt"},
    ]


@pytest.mark.parametrize(("entry", "name"), [
    ({"dns": ["a.example.com", "b.example.com"]}, "a.example.com"), ({"dns": [], "ip": "192.0.2.1"}, "192.0.2.1"),
    ({"dns": None, "email": ["x@example.com"]}, "x@example.com"), ({"common_name": "other"}, "other"),
    ({"dns": ["a" * 70], "ip": ["::1"]}, "::1"),
])
def test_the_common_name_is_the_first_name_that_there_is(entry, name):
    assert wish(**entry)["common_name"] == name


def test_what_a_template_leaves_empty_is_not_given():
    found = wish(key_size="", ip=[], email="", principal=None, owner="", dns=["www.example.com", ""])
    assert "size" not in found["key"] and found["ip"] == [] and found["dns"] == ["www.example.com"] and "principal" not in found
    assert "owner" not in found["files"][0]


@pytest.mark.parametrize(("name", "certificate", "key"), [
    ("/srv/tls/db", "/srv/tls/db.crt", "/srv/tls/db.key"), ("db", "/etc/pki/tls/certs/db.crt", "/etc/pki/tls/private/db.key"),
])
def test_a_path_is_a_name_too(name, certificate, key):
    files = {file["content"]: file["path"] for file in wish(name=name)["files"]}
    assert files == {"certificate": certificate, "private_key": key}


@pytest.mark.parametrize(("entry", "access"), [
    ({"owner": "qemu"}, {"owner": "qemu"}), ({"group": "qemu"}, {"group": "qemu", "mode": "0640"}),
    ({"group": "qemu", "mode": "0660"}, {"group": "qemu", "mode": "0660"}), ({"mode": 0o600}, {"mode": "0600"}),
])
def test_a_group_without_a_mode_may_read(entry, access):
    for file in wish(**entry)["files"]:
        assert {key: file[key] for key in ("owner", "group", "mode") if key in file} == access


def test_each_file_may_have_an_access_of_its_own():
    key, certificate = wish(group="haproxy", cert_mode="0644")["files"]
    assert key["mode"] == "0640" and certificate["mode"] == "0644" and certificate["group"] == "haproxy"


def test_hooks_are_scripts_under_upstreams_names():
    plan, _notes = planned({"name": "/srv/tls/db", "dns": "db", "ca": "ipa", "principal": "mysql/db@R", "run_after": "touch /tmp/x\n"})
    before, after = [script for script in plan.scripts if "/certmonger/" in script.path]
    assert after.path == "/etc/certmonger/post-scripts/db-cf21334.sh"
    assert after.content == "#!/bin/bash\n# Ansible managed\ntouch /tmp/x\n"
    assert before.content is None and before.wish["state"] == "absent"
    assert plan.wishes[0]["issuer"]["certmonger"]["post_save"] == after.path and "pre_save" not in plan.wishes[0]["issuer"]["certmonger"]
    assert plan.programs == set() and plan.copies == []


def test_keys_of_other_kinds():
    assert wish(key_type="ec", key_size=384)["key"] == {"reuse": True, "algorithm": "ecdsa", "curve": "P-384"}
    assert wish(key_size="4096", rekey="always")["key"] == {"reuse": False, "algorithm": "rsa", "size": 4096}
    assert wish(key_size=4096, rekey="never")["key"] == {"reuse": True, "algorithm": "rsa"}


@pytest.mark.parametrize(("entry", "text"), [
    ({"name": "a/b"}, "certificate_requests[0].name: 'a/b' is neither"), ({"ca": None}, "certificate_requests[0].ca: is required"),
    ({"ca": "ipa"}, "principal: Principal parameter is mandatory for 'ipa' CA."),
    ({"principal": ["HTTP/x"]}, "Invalid principal 'HTTP/x'. It should be formatted as"),
    ({"provider": "openssl"}, "provider: Chosen provider 'openssl' is not available."), ({"ip": "10.0.0"}, "'10.0.0' is not an IP address"),
    ({"key_usage": ["sign"]}, "'sign' is none of digitalSignature"), ({"extended_key_usage": ["web"]}, "'web' is neither an object identifier"),
    ({"key_size": "big"}, "'big' is no number of bits"), ({"key_type": "ec", "key_size": 2048}, "no elliptic curve of 2048 bits"),
    ({"pem": "/p"}, "pem: is a dictionary"), ({"ensure": "gone"}, "'gone' is neither present nor absent"),
])
def test_faults_name_the_option(entry, text):
    _plan, notes = planned({"name": "web", "dns": "x", "ca": "self-sign", **entry})
    assert any(text in fault for fault in notes.faults), notes.faults


def test_all_faults_come_at_once_and_unknown_keys_are_named():
    _plan, notes = planned({"name": "a/b", "ca": "local", "dnss": "x"}, "text", {"ca": "local"})
    assert len(notes.faults) == 3
    assert notes.warnings == ["certificate_requests[0] ('a/b'): nobody knows 'dnss', it has no effect, did you mean 'dns'?"]


def test_one_file_has_one_request():
    one = {"name": "web", "dns": "a", "ca": "local"}
    _plan, notes = planned(one, dict(one, dns="b"))
    assert notes.faults == ["certificate_requests[1]: '/etc/pki/tls/certs/web.crt' is requested twice, with different options"]


def test_what_shall_not_be_there_is_no_longer_tracked_and_loses_its_hooks():
    plan, notes = planned({"name": "web", "ensure": "absent"})
    assert notes.faults == [] and plan.wishes == []
    assert plan.absent[0]["name"] == "web" and {script.content for script in plan.scripts} == {None}
    assert [script.path for script in plan.scripts[2:]] == [f"/etc/tls-everywhere/web{ending}" for ending in (".sh", ".files.json", ".served", ".json")]


GIVEN = {
    "directory": "/etc/ssl", "config_directory": "/etc/certmonger/", "header": "#", "wait": True, "wait_timeout": "", "address": "", "hook_setype": "",
    "chains": {"IPA": "/etc/ipa/ca.crt"}, "places": {"directory": "/etc/x", "programs": "/opt/x", "logs": "/var/log/x"},
}


def test_what_a_variable_leaves_empty_is_not_set():
    notes = certificate_plan.Notes()
    found = certificate_plan.settings(GIVEN, notes)
    assert notes.faults == [] and found.wait_timeout is None and found.address is None and found.hook_setype is None and found.catalogue is None
    assert found.places.programs == "/opt/x" and found.chains == {"IPA": "/etc/ipa/ca.crt"}


@pytest.mark.parametrize(("more", "text"), [
    ({"layout": "kolla"}, "certificate_layout: 'kolla' is neither given nor tripleo"),
    ({"layout": "tripleo", "catalogue": {"redis": {"restrat": {}}}}, "nobody knows 'restrat' of 'redis'"),
])
def test_faults_of_the_layout_are_faults_of_the_plan(more, text):
    notes = certificate_plan.Notes()
    certificate_plan.settings({**GIVEN, **more}, notes)
    assert len(notes.faults) == 1 and text in notes.faults[0]


def test_a_principal_may_lack_its_realm_only_where_the_issuer_completes_it():
    request = {"name": "web", "dns": "www.example.com", "ca": "ipa", "principal": "HTTP/www.example.com"}
    notes = certificate_plan.Notes()
    settings = certificate_plan.settings({**GIVEN, "completes_realm": True}, notes)
    assert certificate_plan.plan([request], settings, notes).wishes[0]["principal"] == ["HTTP/www.example.com"] and notes.faults == []
    fault = "certificate_requests[0].principal: Invalid principal 'HTTP/www.example.com'. It should be formatted as 'primary/instance@REALM'"
    assert planned(request)[1].faults == [fault]


def test_hooks_that_certmonger_would_not_run_are_warned_of():
    settings = dataclasses.replace(SETTINGS, address="unix:path=/run/certmonger.socket")
    for entry, count in (({}, 0), ({"run_after": "true"}, 1)):
        _plan, notes = planned({"name": "web", "dns": "x", "ca": "self-sign", **entry}, settings=settings)
        assert len(notes.warnings) == count and all("own socket; use the bus" in warning for warning in notes.warnings)
