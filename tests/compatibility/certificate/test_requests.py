# SPDX-License-Identifier: Apache-2.0
"""Every request of tripleo-heat-templates and every spec of puppet-tripleo, issued by a real certmonger, and again without a change."""

from __future__ import annotations

import os

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_layout
from lab import DATA, OLDEST, belongs, names, openssl, released, serial

NETWORKS = ("ctlplane", "storage", "storage_mgmt", "internal_api", "external")
NODE = "overcloud-controller-0"


def harmless(lab, service):
    """A service of the catalogue for a machine that is no controller: its files are in the lab, users and groups are ours, and nobody's
    container or unit is touched."""
    found = lab.moved(service)
    for each in (found.get("access", {}), found.get("pem", {}), found.get("ca_copy", {})):
        for key in [key for key in each if key.endswith(("owner", "group"))]:
            each[key] = "root"
    if "restart" in found:
        found["restart"] = {"action": "none", "containers": ["tls-everywhere-no-such-container"]}
        found["bundle"] = None
    return {**found, **({"run_after": "echo units"} if "run_after" in found else {})}


def catalogue(lab):
    """All of it."""
    return {name: harmless(lab, service) for name, service in certificate_layout.shipped().items()}


def places(lab):
    """The directories that the templates make."""
    for path in ("tls/certs/httpd", "tls/private/httpd", "tls/certs/haproxy", "tls/private/haproxy", "libvirt/private", "libvirt-vnc", "libvirt-nbd",
                 "qemu", "CA/certs"):
        lab.at(f"/etc/pki/{path}").mkdir(parents=True, exist_ok=True)


def failed_hooks(lab):
    """What hooks said when a step of theirs failed."""
    logs = {path.name: path.read_text() for path in (lab.place / "log").iterdir()}
    assert logs, "no hook ran at all"
    return {name: text for name, text in logs.items() if "failed with status" in text}


def unowned(requests):
    """The requests without users that this machine has not."""
    return [{key: value for key, value in each.items() if key not in ("owner", "group")} for each in requests]


@pytest.mark.parametrize("release", ["tht_2021_03.yml", "tht_wallaby.yml"])
def test_all_requests_of_a_release_are_issued_with_their_copies_and_again_without_a_change(lab, ipa, release):
    places(lab)
    requests = unowned(released(release))
    values = {
        "certificate_requests": requests, "certificate_layout": "tripleo", "certificate_catalogue": catalogue(lab),
        "certificate_ca_files": {"IPA": str(ipa.ca)},
    }
    text, _changed = lab.play("linux-system-roles.certificate", **values)
    assert "certificate_is_changed\": true" in text
    wished = {each["name"]: each for each in requests}
    assert lab.tracked() == {"MONITORING": len(wished)} and len(ipa.calls) == len(wished) and failed_hooks(lab) == {}
    for name, request in wished.items():
        certificate, key = lab.at(f"/etc/pki/tls/certs/{name}.crt"), lab.at(f"/etc/pki/tls/private/{name}.key")
        wanted = request["dns"] if isinstance(request["dns"], list) else [request["dns"]]
        assert names(certificate) == set(wanted) and belongs(certificate, key), name
        assert "OK" in openssl("verify", "-CAfile", str(ipa.ca), str(certificate)) and key.stat().st_mode & 0o007 == 0
    for network in ("ctlplane", "storage", "internal_api"):
        pem = lab.at(f"/etc/pki/tls/certs/haproxy/overcloud-haproxy-{network}.pem")
        assert serial(pem) == serial(lab.at(f"/etc/pki/tls/certs/haproxy-{network}-cert.crt")) and pem.stat().st_mode & 0o777 == 0o640
        assert [line for line in pem.read_text().splitlines() if "BEGIN" in line] == ["-----BEGIN CERTIFICATE-----"] * 2 + ["-----BEGIN PRIVATE KEY-----"]
    assert serial(lab.at("/etc/pki/libvirt/servercert.pem")) == serial(lab.at("/etc/pki/tls/certs/libvirt-server-cert.crt"))
    text, changed = lab.play("linux-system-roles.certificate", **values)
    assert changed == 0 and "certificate_is_changed\": false" in text and len(ipa.calls) == len(wished)
    assert "Prepare the host first" in text and text.count("\nincluded: ") == 1, "a run that changes nothing is one task"


def test_all_specs_of_puppet_are_issued_and_again_without_a_change(lab, ipa):
    values = {f"fqdn_{network}": f"{NODE}.{network.replace('_', '')}.example.com" for network in NETWORKS}
    values |= {f"cloud_name_{network}": f"overcloud.{network.replace('_', '')}.example.com" for network in NETWORKS}
    specs = [lab.moved(each["specs"]) for each in yaml.safe_load((DATA / "puppet_tripleo.yml").read_text())]
    settings = {
        "certificates_specs": specs, "certmonger_ca": "IPA", "certmonger_realm": "EXAMPLE.COM", "certmonger_local_ca": False,
        "certmonger_values": {**values, "internal_api": "172.16.2.10"}, "certmonger_catalogue": catalogue(lab), "certmonger_ca_files": {"IPA": str(ipa.ca)},
        "certmonger_program_directory": f"{lab.place}/libexec", "certmonger_hook_directory": str(lab.at("/etc/tls-everywhere")),
    }
    lab.play("tls.everywhere.certmonger", **settings)
    made = {name: spec for each in specs for name, spec in each.items()}
    assert lab.tracked() == {"MONITORING": len(made)} and failed_hooks(lab) == {}
    for name, spec in made.items():
        assert belongs(spec["service_certificate"], spec["service_key"]), name
        if "service_pem" in spec:
            assert serial(spec["service_pem"]) == serial(spec["service_certificate"]) and os.stat(spec["service_pem"]).st_mode & 0o777 == 0o640, name
    calls = len(ipa.calls)
    assert lab.play("tls.everywhere.certmonger", **settings)[1] == 0 and len(ipa.calls) == calls


def test_a_renewal_without_ansible_makes_the_copies_first_then_runs_the_users_script_then_looks_for_containers(lab, ipa):
    pem, seen = lab.at("/etc/haproxy.pem"), lab.place / "seen"
    lab.at("/etc").mkdir(parents=True, exist_ok=True)
    certificate = lab.at("/etc/pki/tls/certs/web.crt")
    request = {
        "name": "web", "dns": "web.example.com", "ca": "ipa", "principal": "HTTP/web.example.com@EXAMPLE.COM", "pem": {"path": str(pem), "mode": "0640"},
        "run_after": f"openssl x509 -noout -serial -in {pem} >>{seen}; exit 0", "restart": {"containers": ["tls-everywhere-no-such-container"]},
    }
    values = {"certificate_requests": [request], "certificate_ca_files": {"IPA": str(ipa.ca)}}
    before = sorted(lab.root.rglob("*"))
    text, changed = lab.play("tls.everywhere.certificate", arguments=["--check", "--diff"], **values)
    assert changed > 0 and sorted(lab.root.rglob("*")) == before and lab.tracked() == {} and "PRIVATE KEY" not in text
    lab.play("tls.everywhere.certificate", **values)
    first = serial(certificate)
    assert serial(pem) == first and seen.read_text().splitlines() == [first], "the user's script saw the new PEM"
    lab.getcert("resubmit", "-f", str(certificate), "-w")
    second = serial(certificate)
    assert second != first and serial(pem) == second and seen.read_text().splitlines() == [first, second]
    log = (lab.place / "log/web.log").read_text()
    assert log.index("files\n") < log.index("run_after\n") < log.index("containers\n") and "there is no such container" in log
    pem.write_text("garbage")
    text, changed = lab.play("tls.everywhere.certificate", arguments=["--diff"], **values)
    assert "PRIVATE KEY" not in text
    assert changed == 1 and serial(pem) == second == serial(certificate), "a run puts a copy right without a new certificate"


def test_programs_of_an_older_version_become_links_and_its_hooks_go_on(lab, ipa):
    lab.core = OLDEST
    certificate, pem, programs = lab.at("/etc/pki/tls/certs/web.crt"), lab.at("/etc/web.pem"), lab.place / "libexec"
    lab.at("/etc").mkdir(parents=True, exist_ok=True)
    request = {
        "name": "web", "dns": "web.example.com", "ca": "ipa", "principal": "HTTP/web.example.com@EXAMPLE.COM", "pem": {"path": str(pem)},
        "restart": {"containers": ["tls-everywhere-no-such-container"]},
    }
    values = {"certificate_requests": [request], "certificate_ca_files": {"IPA": str(ipa.ca)}}
    lab.play("tls.everywhere.certificate", **values)
    hook = lab.at("/etc/tls-everywhere/web.sh").read_text()
    # When each program was a file of its own; these fail, so whoever still runs them is seen.
    (programs / "tls_everywhere").unlink()
    for name in ("cert_request", "container_restart"):
        (programs / name).unlink()
        (programs / name).write_text("#!/bin/sh\nexit 7\n")
        (programs / name).chmod(0o755)
        assert f"{programs}/{name}" in hook
    assert lab.play("tls.everywhere.certificate", **values)[1] == 2, "the file, and the links"
    assert {os.readlink(programs / name) for name in ("cert_request", "container_restart")} == {"tls_everywhere"}
    assert lab.at("/etc/tls-everywhere/web.sh").read_text() == hook
    first = serial(certificate)
    lab.getcert("resubmit", "-f", str(certificate), "-w")
    assert serial(pem) == serial(certificate) != first and failed_hooks(lab) == {}
    assert lab.play("tls.everywhere.certificate", **values)[1] == 0


def test_a_pem_beside_the_certificate_does_not_make_the_hook_wait_for_the_task_that_waits_for_it(lab, ipa):
    lab.core = OLDEST
    request = {
        "name": "rgw", "dns": "rgw.example.com", "ca": "ipa", "principal": "ceph_rgw/rgw.example.com@EXAMPLE.COM",
        "pem": {"path": str(lab.at("/etc/pki/tls/certs/rgw.pem"))}, "restart": {"containers": ["tls-everywhere-no-such-container"]},
    }
    lab.play("tls.everywhere.certificate", certificate_requests=[request], certificate_ca_files={"IPA": str(ipa.ca)})
    assert failed_hooks(lab) == {}


def test_what_freeipa_would_refuse_is_told_before_anything_is_requested(lab, ipa):
    settings = {
        "certmonger_services": ["mysql", "redis"], "certmonger_ca": "IPA", "certmonger_realm": "EXAMPLE.COM", "certmonger_local_ca": False,
        "fqdn_internal_api": f"{NODE}.internalapi.example.com", "cloud_names": {"cloud_name_internal_api": "overcloud.internalapi.example.com"},
        "certmonger_check_registration": True, "certmonger_fqdn": f"{NODE}.example.com", "certmonger_metadata": {"compact_service_mysql": ["internalapi"]},
    }
    text, _changed = lab.play("tls.everywhere.certmonger", ok=False, **settings)
    assert f"certificate 'redis': the service 'redis/{NODE}.internalapi.example.com' is not registered" in text
    assert "certificate 'mysql': the name 'overcloud.internalapi.example.com' is no host that" in text and "service 'mysql/" not in text
    assert ipa.calls == [] and lab.tracked() == {}


def test_one_call_each_registers_the_hosts_and_the_services(lab):
    step = {
        "step": "registration", "fqdn": f"{NODE}.example.com", "metadata": {"compact_service_HTTP": ["ctlplane"]},
        "metadata_settings": [{"service": "mysql", "network": "internal_api", "type": "vip"}],
    }
    text = lab.step("tls.everywhere.certmonger_role", step, cloud_names={"cloud_name_internal_api": "overcloud.internalapi.example.com"})
    for principal in (f"HTTP/{NODE}.ctlplane.example.com", "mysql/overcloud.internalapi.example.com"):
        assert f'"name": "{principal}"' in text
    assert text.count('"managedby_host"') == 2


def test_what_upstreams_role_and_puppet_requested_is_taken_over_without_a_new_certificate(lab, ipa):
    upstream, puppet = lab.at("/etc/pki/tls/certs/web.crt"), lab.at("/etc/pki/tls/certs/mysql.crt")
    web, node = "web.example.com", f"{NODE}.internalapi.example.com"
    # The options that linux-system-roles.certificate 1.9.1 and puppet-certmonger give to getcert.
    lab.getcert("request", "-c", "IPA", "-f", str(upstream), "-k", str(lab.at("/etc/pki/tls/private/web.key")), "-N", f"CN={web}", "-D", web, "-K",
                f"HTTP/{web}@EXAMPLE.COM", "-u", "digitalSignature", "-u", "keyEncipherment", "-U", "1.3.6.1.5.5.7.3.1", "-U", "1.3.6.1.5.5.7.3.2",
                "-C", "/bin/true", "-r", "-w")
    lab.getcert("request", "-c", "IPA", "-I", "mysql", "-f", str(puppet), "-k", str(lab.at("/etc/pki/tls/private/mysql.key")), "-N", f"CN={node}", "-D", node,
                "-K", f"mysql/{node}@EXAMPLE.COM", "-C", "/bin/true", "-g", "2048", "-w")
    before = serial(upstream), serial(puppet), len(ipa.calls)
    request = {"name": "web", "dns": web, "ca": "ipa", "principal": f"HTTP/{web}@EXAMPLE.COM", "run_after": "true", "pem": {"path": f"{lab.root}/web.pem"}}
    lab.play("tls.everywhere.certificate", certificate_requests=[request], certificate_ca_files={"IPA": str(ipa.ca)})
    spec = {"service_certificate": str(puppet), "service_key": str(lab.at("/etc/pki/tls/private/mysql.key")), "hostname": node,
            "principal": f"mysql/{node}", "postsave_cmd": "/bin/true", "key_size": "2048"}
    settings = {
        "certificates_specs": {"mysql": spec}, "certmonger_ca": "IPA", "certmonger_realm": "EXAMPLE.COM", "certmonger_local_ca": False,
        "certmonger_catalogue": catalogue(lab), "certmonger_program_directory": f"{lab.place}/libexec",
        "certmonger_hook_directory": str(lab.at("/etc/tls-everywhere")),
    }
    lab.play("tls.everywhere.certmonger", **settings)
    assert (serial(upstream), serial(puppet), len(ipa.calls)) == before and lab.tracked() == {"MONITORING": 2}
    assert serial(lab.root / "web.pem") == before[0], "what a hook would make is there without one having run"
    assert "post-save command: " + str(lab.at("/etc/tls-everywhere/mysql.sh")) in lab.getcert("list", "-i", "mysql").stdout


def test_test_mode_hands_out_certificates_and_keys_and_leaves_nothing(lab):
    request = {"name": "web", "dns": "web.example.com", "ca": "self-sign", "key_type": "ec"}
    asked = {"ansible.builtin.assert": {"that": [
        "'BEGIN CERTIFICATE' in certificate_test_certs.web.cert_content", "'PRIVATE KEY' in certificate_test_certs.web.key_content",
        "certificate_test_certs.web.ca == certificate_test_certs.web.cert",
    ]}}
    tasks = [{"ansible.builtin.include_role": {"name": "tls.everywhere.certificate"}}, asked]
    lab.run_tasks(tasks, True, (), {"certificate_requests": [request], "certificate_test_mode": True, "certificate_test_remove_files": True})
    assert lab.tracked() == {} and not lab.at("/etc/pki/tls/certs/web.crt").exists() and not lab.at("/etc/pki/tls/private/web.key").exists()
