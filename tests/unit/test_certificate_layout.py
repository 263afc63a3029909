# SPDX-License-Identifier: Apache-2.0
"""The catalogue of TripleO's services, and the requests of tripleo-heat-templates with its hooks in the place of their own."""

from __future__ import annotations

import json
import pathlib

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CONTAINER_RESTART
from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_layout, certificate_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

DATA = pathlib.Path(__file__).resolve().parents[1] / "compatibility/certificate/data"
CATALOGUE = certificate_layout.Catalogue(certificate_layout.shipped())
SETTINGS = certificate_plan.Settings(
    "/etc/pki/tls", "/etc/certmonger/", "# Ansible managed", True, None, None, chains={"IPA": "/etc/ipa/ca.crt"}, catalogue=CATALOGUE,
)
RELEASES = ["tht_2021_03.yml", "tht_wallaby.yml"]


def released(name):
    """The requests of a release of tripleo-heat-templates, with what is known of each."""
    return [request for template in yaml.safe_load((DATA / name).read_text(encoding="utf-8")) for request in template["requests"]]


def planned(request):
    """The plan of one request, which has no fault."""
    notes = certificate_plan.Notes()
    plan = certificate_plan.plan([request], SETTINGS, notes)
    assert notes.faults == [] and notes.warnings == [], request["name"]
    return plan


def hooked(request):
    """What a request of the templates is followed by: the options of container_restart, the copies' paths, the text of run_after."""
    plan = planned(request)
    texts = {script.path: script.content for script in plan.scripts if script.content}
    mapping = [json.loads(text) for path, text in texts.items() if path.endswith(".json") and not path.endswith(".files.json")]
    users = [text for path, text in texts.items() if "post-scripts" in path]
    copies = {file["path"]: file for each in plan.copies for file in each["files"]}
    return (mapping or [None])[0], copies, (users or [""])[0]


def request(release, name):
    """One request by its name, the last of that name."""
    return [each["request"] for each in released(release) if each["request"]["name"] == name][-1]


def names(mapping):
    """The containers of a mapping by name, bundles cut down to the first replica."""
    plain = [each["name"] if isinstance(each, dict) else each for each in mapping["containers"]]
    return [name for name in plain if not (name[-1].isdigit() and name[-1] != "0")]


@pytest.mark.parametrize("release", RELEASES)
def test_every_request_of_the_templates_is_in_the_catalogue_and_has_a_hook(release):
    for each in released(release):
        mapping, copies, users = hooked(each["request"])
        name = each["request"]["name"]
        assert mapping is not None or users, name
        assert "podman" not in users and "pkill" not in users and "hiera" not in users, name
        if mapping is not None:
            assert review(CONTAINER_RESTART, mapping).faults == [] and mapping["missing"] == "skip", name
            assert mapping["certificate"] in copies or mapping["certificate"] == each["cert"], name


# The hooks of the templates that do not reach their goal (tripleo-hooks.md of the reference), and what stands in their place.
BROKEN = [
    ("tht_2021_03.yml", "haproxy-ctlplane-cert", ["haproxy", "haproxy-bundle-podman-0"], "auto"),
    ("tht_2021_03.yml", "haproxy-storage-cert", ["haproxy", "haproxy-bundle-podman-0"], "auto"),
    ("tht_2021_03.yml", "haproxy-storage_mgmt-cert", ["haproxy", "haproxy-bundle-podman-0"], "auto"),
    ("tht_2021_03.yml", "haproxy-internal_api-cert", ["haproxy", "haproxy-bundle-podman-0"], "auto"),
    ("tht_2021_03.yml", "haproxy-external-cert", ["haproxy", "haproxy-bundle-podman-0"], "auto"),
    ("tht_wallaby.yml", "haproxy-internal_api-cert", ["haproxy", "haproxy-bundle-podman-0"], "auto"),
    ("tht_wallaby.yml", "haproxy-external-cert", ["haproxy", "haproxy-bundle-podman-0"], "auto"),
    ("tht_2021_03.yml", "metrics_qdr", ["metrics_qdr"], "restart"), ("tht_wallaby.yml", "metrics_qdr", ["metrics_qdr"], "restart"),
    ("tht_2021_03.yml", "neutron", ["neutron_dhcp"], "exec"), ("tht_wallaby.yml", "neutron", ["neutron_dhcp"], "exec"),
    ("tht_2021_03.yml", "redis", ["redis_tls_proxy"], "auto"), ("tht_wallaby.yml", "redis", ["redis_tls_proxy"], "auto"),
    ("tht_2021_03.yml", "libvirt-server-cert", ["nova_virtproxyd", "nova_libvirt"], "auto"),
    ("tht_2021_03.yml", "libvirt-client-cert", ["nova_virtproxyd", "nova_libvirt"], "auto"),
    ("tht_2021_03.yml", "qemu-server-cert", ["nova_virtqemud", "nova_libvirt"], "exec"),
    ("tht_2021_03.yml", "qemu-nbd-client-cert", ["nova_virtqemud", "nova_libvirt"], "exec"),
    ("tht_wallaby.yml", "libvirt-server-cert", ["nova_virtproxyd", "nova_libvirt"], "auto"),
    ("tht_wallaby.yml", "etcd", ["etcd", "cinder_api", "cinder_api_cron", "cinder_scheduler", "cinder_volume", "cinder_backup"], None),
]
# Those that have no hook at all in the templates, and those that work: rewritten without grep.
OTHERS = [
    ("tht_wallaby.yml", "mysql", ["mysql", "galera-bundle-podman-0"], "auto"), ("tht_wallaby.yml", "neutron_ovn", ["neutron_api"], "restart"),
    ("tht_wallaby.yml", "ovn_controller", ["ovn_controller"], "auto"), ("tht_wallaby.yml", "ovn_metadata", ["ovn_metadata_agent"], "restart"),
    ("tht_wallaby.yml", "ovn_octavia", ["octavia_driver_agent"], "restart"), ("tht_wallaby.yml", "ovn_bgp_agent", ["ovn_bgp_agent"], "restart"),
    ("tht_wallaby.yml", "ovn_dbs", [
        "ovn_dbs", "ovn_cluster_north_db_server", "ovn_cluster_south_db_server", "ovn_cluster_northd", "ovn-dbs-bundle-podman-0",
    ], "auto"),
    ("tht_wallaby.yml", "rabbitmq", ["rabbitmq", "rabbitmq-bundle-podman-0"], "auto"), ("tht_wallaby.yml", "memcached", ["memcached"], "auto"),
    ("tht_wallaby.yml", "novnc-proxy", ["nova_vnc_proxy"], "exec"), ("tht_wallaby.yml", "libvirt-vnc-client-cert", ["nova_vnc_proxy"], "exec"),
    ("tht_2021_03.yml", "libvirt-vnc-server-cert", ["nova_virtqemud", "nova_libvirt"], "exec"),
]


@pytest.mark.parametrize(("release", "name", "containers", "action"), BROKEN + OTHERS)
def test_each_service_is_told_to_exactly_its_containers(release, name, containers, action):
    mapping, _copies, users = hooked(request(release, name))
    assert names(mapping) == containers and mapping.get("action") == action and users == ""


def test_requests_that_differ_in_nothing_but_their_hooks_are_one():
    requests = [each["request"] for each in released("tht_wallaby.yml")]
    assert len({each["name"] for each in requests}) < len(requests)
    notes = certificate_plan.Notes()
    plan = certificate_plan.plan(requests, SETTINGS, notes)
    assert notes.faults == [] and len(plan.wishes) == len({each["name"] for each in requests})


@pytest.mark.parametrize(("name", "unit"), [("ceph_grafana", "grafana"), ("ceph_dashboard", "mgr"), ("ceph_rgw", "rgw")])
@pytest.mark.parametrize("release", RELEASES)
def test_the_units_of_ceph_are_restarted_where_they_run(release, name, unit):
    mapping, _copies, users = hooked(request(release, name))
    assert mapping is None and "systemctl try-restart" in users and unit in users and "awk" not in users


@pytest.mark.parametrize("release", RELEASES)
def test_apis_that_share_a_certificate_are_found_and_no_other_httpd_is_touched(release):
    for network in ("ctlplane", "storage", "storage_mgmt", "internal_api", "external"):
        mapping, copies, users = hooked(request(release, f"httpd-{network}"))
        assert users == "" and "containers" not in mapping
        assert mapping["certificate"] == f"/etc/pki/tls/certs/httpd/httpd-{network}.crt" and mapping["certificate"] in copies


@pytest.mark.parametrize("release", RELEASES)
def test_whatever_the_templates_hooks_copy_is_copied(release):
    copied = 0
    for each in released(release):
        text = each["request"].get("run_after", "")
        _mapping, copies, _users = hooked(each["request"])
        for line in text.splitlines():
            words = [word.strip('"') for word in line.split()]
            if words[:1] == ["cp"] and words[-1].startswith("/etc/"):
                copied += 1
                assert words[-1] in copies, f"{each['request']['name']}: {line}"
            if "service_pem=" in line or line.startswith("pemfile="):
                path = line.partition("=")[2].strip('"')
                assert copies[path]["parts"] == ["certificate", "chain", "root", "private_key"] and copies[path]["mode"] == "0640"
    assert copied >= 20


def test_access_is_the_catalogues_unless_the_template_says_it():
    _mapping, copies, _users = hooked(request("tht_wallaby.yml", "qemu-server-cert"))
    assert copies["/etc/pki/qemu/server-key.pem"] == {
        "content": "private_key", "path": "/etc/pki/qemu/server-key.pem", "group": "qemu", "mode": "0640",
    }
    assert copies["/etc/pki/qemu/ca-cert.pem"] == {
        "content": "ca_bundle", "path": "/etc/pki/qemu/ca-cert.pem", "owner": "root", "group": "root", "mode": "0644",
    }
    key, certificate = planned(request("tht_wallaby.yml", "qemu-server-cert")).wishes[0]["files"]
    assert key["owner"] == "root" and key["group"] == "qemu" and certificate["mode"] == "0640"
    key, certificate = planned(request("tht_2021_03.yml", "novnc-proxy")).wishes[0]["files"]
    assert key["mode"] == "0640" and certificate["mode"] == "0644"


def test_what_the_catalogue_does_not_know_and_what_the_user_says_stays():
    other = {"name": "other", "dns": "x", "ca": "local", "run_after": "pkill other"}
    assert CATALOGUE.applied(other) == other
    mapping, _copies, users = hooked({"name": "redis", "dns": "x", "ca": "local", "restart": {"containers": ["mine"]}, "run_after": "pkill"})
    assert mapping["containers"] == ["mine"] and users == ""
    gone = {"name": "redis", "ensure": "absent"}
    assert CATALOGUE.applied(gone) == gone and CATALOGUE.applied("text") == "text"


def test_a_deployer_changes_services_key_by_key_and_takes_them_away():
    services = certificate_layout.merged(certificate_layout.shipped(), {
        "redis": {"restart": {"containers": ["my_redis"]}, "certificate": None}, "mysql": None, "own": {"restart": {}},
    })
    assert services["redis"]["restart"] == {"containers": ["my_redis"]} and services["redis"]["principal"] == "redis"
    assert "certificate" not in services["redis"] and "mysql" not in services and services["own"] == {"restart": {}}
    with pytest.raises(certificate_layout.BadCatalogue, match="nobody knows 'restrat' of 'redis'"):
        certificate_layout.merged({}, {"redis": {"restrat": {}}})
    with pytest.raises(certificate_layout.BadCatalogue, match="'redis' is no dictionary"):
        certificate_layout.merged({}, {"redis": "no"})


def test_the_catalogue_itself_is_sound():
    services = certificate_layout.merged(certificate_layout.shipped(), {})
    for name, service in services.items():
        assert {"principal", "names", "certificate", "private_key"} <= set(service), name
        assert ("restart" in service) != ("run_after" in service), name
        options = certificate_layout.restart(certificate_layout.filled(service, "internal_api"))
        assert options is None or review(CONTAINER_RESTART, {"certificate": "/x", **options}).faults == [], name
    # One certificate, one container: only what is shared by its nature names more.
    several = {name for name, service in services.items() if len((service.get("restart") or {}).get("containers", [])) > 1}
    assert several == {
        "etcd", "libvirt-vnc-server-cert", "libvirt-server-cert", "libvirt-client-cert", "qemu-server-cert", "qemu-client-cert", "qemu-nbd-client-cert",
        "ovn_dbs",
    }
    assert services["keystone-{network}"]["restart"] == {}, "who serves it, whoever that is"
