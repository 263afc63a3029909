# SPDX-License-Identifier: Apache-2.0
"""From puppet's specs, and from names of services, to elements of certificate_requests."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_layout, certificate_plan, certmonger_plan

DATA = pathlib.Path(__file__).resolve().parents[1] / "compatibility/certificate/data"
CATALOGUE = certificate_layout.Catalogue(certificate_layout.shipped())
NETWORKS = ("ctlplane", "storage", "storage_mgmt", "internal_api", "external")
VALUES = {f"fqdn_{network}": f"node.{network.replace('_', '')}.example.com" for network in NETWORKS}
VALUES |= {f"cloud_name_{network}": f"overcloud.{network.replace('_', '')}.example.com" for network in NETWORKS} | {"internal_api": "172.16.2.10"}
HOST = certmonger_plan.Host("IPA", {"certmonger_ca_vnc": "vnc"}, "EXAMPLE.COM", VALUES)
SETTINGS = certificate_plan.Settings(
    "/etc/pki/tls", "/etc/certmonger/", "# Ansible managed", True, None, None, chains={"IPA": "/etc/ipa/ca.crt"}, completes_realm=True,
)
MYSQL = {
    "service_certificate": "/etc/pki/tls/certs/mysql.crt", "service_key": "/etc/pki/tls/private/mysql.key", "hostname": "node.example.com",
    "dnsnames": ["vip.example.com", "192.0.2.7"], "principal": "mysql/node.example.com", "key_size": "2048",
}


def planned(specs=(), services=(), host=HOST):
    """The plan and what is wrong."""
    notes = certificate_plan.Notes()
    return certmonger_plan.plan(list(specs) if isinstance(specs, tuple) else specs, list(services), host, CATALOGUE, notes), notes


def wishes(plan):
    """What cert_request is asked for in the end."""
    notes = certificate_plan.Notes()
    found = certificate_plan.plan(plan.requests, SETTINGS, notes)
    assert notes.faults == [] and notes.warnings == []
    return found


def classes():
    """Every class of puppet-tripleo with the specs that the templates pass to it."""
    return yaml.safe_load((DATA / "puppet_tripleo.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("each", classes(), ids=lambda each: f"{each['class']}-{each['template'].rpartition('/')[2]}")
def test_every_spec_of_puppet_tripleo_is_what_its_class_makes_of_it(each):
    plan, notes = planned(each["specs"])
    assert notes.faults == [] and notes.warnings == []
    found = wishes(plan)
    assert len(found.wishes) == len(each["specs"])
    for (title, spec), wish in zip(each["specs"].items(), found.wishes):
        files = {file["content"]: file for file in wish["files"]}
        assert files["certificate"]["path"] == spec["service_certificate"] and files["private_key"]["path"] == spec["service_key"]
        nickname = each["nickname"].replace("${title}", title).replace("$name", title)
        assert wish["name"] == nickname and wish["issuer"]["certmonger"]["post_save"]
        assert wish["key_usage"] == [] and wish["extended_key_usage"] == (["clientAuth", "serverAuth"] if "eku" in each else [])
        if "principal" in spec:
            assert wish["principal"][0].endswith("@EXAMPLE.COM") and wish["principal"][0].startswith(spec["principal"].partition("/")[0] + "/")
        assert wish["issuer"]["certmonger"].get("ca_file") == spec.get("cacertfile")
        for owned in each.get("files", []):
            file = files.get({"$service_certificate": "certificate", "$service_key": "private_key"}.get(owned["path"]), {})
            wanted = {key: owned[key] for key in ("owner", "group", "mode") if key in owned}
            assert not file or title == "qemu-server-cert" or wanted.items() <= file.items(), title
        if "service_pem" in spec:
            copies = next(copy for copy in found.copies if copy["name"] == nickname)
            assert copies["files"][0]["path"] == spec["service_pem"] and copies["files"][0]["mode"] == "0640"
            assert copies["files"][0]["parts"] == ["certificate", "chain", "root", "private_key"]


def test_all_specs_at_once_are_one_plan():
    plan, notes = planned([each["specs"] for each in classes()])
    assert notes.faults == [] and len(plan.requests) == 34
    assert len(wishes(plan).wishes) == 32, "rabbitmq is there three times, each time the same"
    assert "/etc/pki/tls/certs/haproxy" in plan.directories and "/etc/pki/libvirt/private" in plan.directories and "/etc" not in plan.directories


def test_hieras_values_are_those_of_the_host_and_addresses_are_no_names():
    specs = {"etcd": {**MYSQL, "hostname": "%{hiera('fqdn_internal_api')}", "dnsnames": ["%{hiera(\"fqdn_internal_api\")}", "%{hiera('internal_api')}"]}}
    plan, notes = planned(specs)
    assert notes.faults == []
    assert plan.requests[0]["dns"] == ["node.internalapi.example.com"] and plan.requests[0]["ip"] == ["172.16.2.10"]
    _plan, notes = planned({"x": {**MYSQL, "hostname": "%{hiera('fqdn_tenant')}"}})
    assert notes.faults[0] == "certificates_specs.x.hostname: nobody says what hiera's 'fqdn_tenant' is; give it in certmonger_values"


def test_specs_come_by_name_as_a_list_of_such_and_with_their_names():
    by_name, _notes = planned({"mysql": MYSQL})
    lists, _notes = planned([{"mysql": MYSQL}])
    named, _notes = planned([{"name": "mysql", **MYSQL}])
    assert by_name == lists == named and by_name.requests[0]["id"] == "mysql"


def test_the_words_of_puppets_own_type_are_known():
    plan, notes = planned({"web": {
        "certfile": "/etc/web.crt", "keyfile": "/etc/web.key", "hostname": "web.example.com", "dnsname": "web.example.com", "ca": "local",
        "wait": True, "ignore_ca_errors": False, "presave_cmd": "/bin/true", "postsave_cmd": "/bin/reload web", "profile": "caWeb", "eku": "id-kp-serverAuth",
    }})
    assert notes.faults == [] and notes.warnings == []
    assert plan.requests[0] == {
        "name": "web", "id": "web", "ca": "local", "common_name": "web.example.com", "dns": ["web.example.com"], "cert_path": "/etc/web.crt",
        "key_path": "/etc/web.key", "profile": "caWeb", "run_before": "/bin/true", "run_after": "/bin/reload web", "key_usage": [],
        "extended_key_usage": ["id-kp-serverAuth"],
    }
    assert plan.directories == [], "what belongs to everybody is left alone"


@pytest.mark.parametrize(("more", "authority"), [
    ({}, "ipa"), ({"certmonger_ca": "local"}, "local"), ({"certmonger_ca": "self-sign"}, "local"), ({"ca": "mine"}, "mine"),
])
def test_the_ca_is_the_specs_or_the_hosts(more, authority):
    plan, _notes = planned({"x": {**MYSQL, **more}})
    assert plan.requests[0]["ca"] == authority


def test_a_service_may_have_a_ca_of_its_own():
    plan, notes = planned(services=["libvirt-vnc-server-cert", "mysql"])
    assert notes.faults == [] and [request["ca"] for request in plan.requests] == ["vnc", "ipa"]
    assert plan.requests[0]["ca_file"] == "/etc/pki/CA/certs/vnc.crt" and plan.requests[0]["key_group"] == "qemu"


def test_services_are_taken_from_the_catalogue_for_each_network():
    plan, notes = planned(services=["mysql", "haproxy-{network}", "keystone-internal_api"])
    assert notes.faults == []
    found = {request["name"]: request for request in plan.requests}
    assert len(found) == 7
    assert found["mysql"]["principal"] == ["mysql/node.internalapi.example.com@EXAMPLE.COM"]
    assert found["mysql"]["dns"] == ["node.internalapi.example.com", "overcloud.internalapi.example.com"]
    assert found["haproxy-external"]["dns"] == ["overcloud.external.example.com"] and found["haproxy-external"]["id"] == "haproxy-external-cert"
    assert found["keystone-internal_api"]["cert_path"] == "/etc/pki/tls/certs/httpd/keystone-internal_api.crt"
    assert found["keystone-internal_api"]["restart"] == {}
    assert len(wishes(plan).wishes) == 7


def test_puppets_own_hooks_are_used_where_the_catalogue_is_not_wanted_or_does_not_know():
    host = certmonger_plan.Host("local", {}, None, VALUES, hooks=False)
    plan, _notes = planned({"mysql": {**MYSQL, "postsave_cmd": "/bin/x"}, "own": {**MYSQL, "notify_service": "foo.service"}}, host=host)
    assert plan.requests[0]["run_after"] == "/bin/x" and "restart" not in plan.requests[0]
    assert plan.requests[1]["run_after"] == "systemctl try-reload-or-restart -- foo.service"
    assert plan.requests[0]["principal"] == ["mysql/node.example.com"], "its realm is completed later"
    plan, _notes = planned({"mysql": {**MYSQL, "postsave_cmd": "/bin/x"}})
    assert "run_after" not in plan.requests[0] and "galera-bundle-podman-0" in plan.requests[0]["restart"]["containers"]


@pytest.mark.parametrize(("specs", "services", "text"), [
    ({"x": {}}, [], "certificates_specs.x.hostname: is required"), ({"x": {"hostname": "a"}}, [], "x.service_certificate: is required"),
    ("text", [], "certificates_specs: is no dictionary"), ({"x": "text"}, [], "certificates_specs.x: is no dictionary"),
    ({}, ["mysqll"], "the catalogue has no 'mysqll', did you mean 'mysql'?"), ({}, ["keystone-tenant"], "'keystone-tenant' needs the variable 'fqdn_tenant'"),
])
def test_faults_name_the_spec(specs, services, text):
    _plan, notes = planned(specs, services)
    assert any(text in fault for fault in notes.faults), notes.faults


def test_keys_that_nobody_knows_are_named():
    _plan, notes = planned({"x": {**MYSQL, "key_sise": 2048}})
    assert notes.warnings == ["certificates_specs.x: nobody knows 'key_sise', it has no effect, did you mean 'key_size'?"]


def test_a_service_that_is_tracked_no_more_is_named_and_nothing_else():
    plan, notes = planned({"httpd-internal_api": {"ensure": "absent"}})
    assert notes.faults == []
    (request,) = plan.requests
    assert request["ensure"] == "absent" and request["cert_path"] == "/etc/pki/tls/certs/httpd/httpd-internal_api.crt"
    assert request["key_path"] == "/etc/pki/tls/private/httpd/httpd-internal_api.key"
