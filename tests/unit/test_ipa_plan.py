# SPDX-License-Identifier: Apache-2.0
"""What FreeIPA must know of a host, and what a request would be refused for."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.plugin_utils import ipa_plan

DATA = pathlib.Path(__file__).resolve().parents[1] / "compatibility/certificate/data"
FQDN = "overcloud-controller-0.example.com"
NETWORKS = ("ctlplane", "storage", "storage_mgmt", "internal_api", "external")
CLOUD = {network: f"overcloud.{network.replace('_', '')}.example.com" for network in NETWORKS} | {"external": "overcloud.example.com"}


def released(name):
    """The templates of a release."""
    return yaml.safe_load((DATA / name).read_text(encoding="utf-8"))


def lacking(release):
    """What a controller with every service of a release would be refused."""
    templates = released(release)
    settings = [each for template in templates for each in template["metadata_settings"]]
    known = ipa_plan.registration(ipa_plan.compacted(settings, NETWORKS, CLOUD), FQDN)
    return ipa_plan.lacking([each["request"] for template in templates for each in template["requests"]], known)


def test_a_later_release_registers_all_that_it_asks_for():
    assert lacking("tht_wallaby.yml") == []


def test_each_template_of_the_later_release_registers_what_it_asks_for_itself():
    for template in released("tht_wallaby.yml"):
        known = ipa_plan.registration(ipa_plan.compacted(template["metadata_settings"], NETWORKS, CLOUD), FQDN)
        assert ipa_plan.lacking([each["request"] for each in template["requests"]], known) == [], template["template"]


def test_the_two_faults_of_the_first_release_are_found_service_by_service():
    found = []
    for template in released("tht_2021_03.yml"):
        known = ipa_plan.registration(ipa_plan.compacted(template["metadata_settings"], NETWORKS, CLOUD), FQDN)
        found += ipa_plan.lacking([each["request"] for each in template["requests"]], known)
    assert [each.partition(";")[0] for each in found] == [
        f"certificate 'etcd': the name 'overcloud.internalapi.example.com' is no host that '{FQDN}' manages",
        "certificate 'ovn_dbs': the service 'ovn_controller/overcloud-controller-0.internalapi.example.com' is not registered",
    ]
    assert "type node, or vip for a name of the cloud" in found[0]


def test_nodes_and_vips_become_hosts_and_services():
    settings = [
        {"service": "HTTP", "network": "internal_api", "type": "node"}, {"service": "HTTP", "network": "storage_mgmt", "type": "node"},
        {"service": "HTTP", "network": "internal_api", "type": "node"}, {"service": "haproxy", "network": "internal_api", "type": "vip"},
        {"service": "HTTP", "network": "tenant", "type": "node"},
    ]
    metadata = ipa_plan.compacted(settings, NETWORKS, CLOUD)
    assert metadata == {
        "compact_service_HTTP": ["internalapi", "storagemgmt"], "managed_service_haproxyinternal_api": "haproxy/overcloud.internalapi.example.com",
    }
    known = ipa_plan.registration(metadata, FQDN)
    assert known.hosts == (
        "overcloud-controller-0.internalapi.example.com", "overcloud-controller-0.storagemgmt.example.com", "overcloud.internalapi.example.com",
    )
    assert known.ipaservices[0] == {"name": "HTTP/overcloud-controller-0.internalapi.example.com", "force": True, "host": [FQDN]}
    assert known.ipahosts[-1] == {"name": "overcloud.internalapi.example.com", "force": True, "managedby_host": [FQDN]}


def test_what_another_authority_signs_needs_no_registration():
    known = ipa_plan.registration({}, FQDN)
    assert ipa_plan.lacking([{"name": "web", "ca": "self-sign", "dns": "other.example.com"}], known) == []
    assert ipa_plan.lacking([{"name": "web", "ca": "ipa", "dns": FQDN, "principal": []}], known) == []


@pytest.mark.parametrize(("metadata", "fqdn", "text"), [
    ({}, "short", "'short' is not a fully qualified name"), ({"other": "x"}, FQDN, "'other' is neither compact_service_"),
    ({"managed_service_x": "x"}, FQDN, "'x' is not a principal"), ({"compact_service_x": {"a": 1}}, FQDN, "is no list of networks"),
])
def test_metadata_that_nobody_can_read_are_named(metadata, fqdn, text):
    with pytest.raises(ipa_plan.BadMetadata, match=text):
        ipa_plan.registration(metadata, fqdn)


@pytest.mark.parametrize(("setting", "text"), [
    ({"service": "x"}, "has no service, network and type"), ("x", "has no service"),
    ({"service": "x", "network": "storage", "type": "y"}, "neither node nor vip"),
    ({"service": "x", "network": "lost", "type": "vip"}, "which has no cloud name"),
])
def test_settings_that_nobody_can_read_are_named(setting, text):
    with pytest.raises(ipa_plan.BadMetadata, match=text):
        ipa_plan.compacted([setting], (*NETWORKS, "lost"), CLOUD)
