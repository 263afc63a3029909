# SPDX-License-Identifier: Apache-2.0
"""From the variables of OpenDev's letsencrypt roles to what the modules are asked for."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.action import letsencrypt_role
from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import ACME_DNS_CHALLENGE, CERT_REQUEST, PKI_CA
from ansible_collections.tls.everywhere.plugins.plugin_utils import letsencrypt_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles" / "letsencrypt"
SETTINGS = {
    "cert_directory": "/etc/letsencrypt-certs", "central_directory": "/central", "state_directory": "/state", "group": "letsencrypt", "owner": "root",
    "key": {}, "renew_before": "", "self_sign_directory": "/state/test-authority", "zone": "acme.opendev.org", "propagation": {}, "placement": "host",
    "acme": {"directory": "letsencrypt", "account_key": "", "contact": ["mailto:a@b.org"], "terms_agreed": True, "parallel": 8, "eab": {}, "profile": ""},
}
EXAMPLE = {"hostname-main-cert": ["hostname01.opendev.org", "hostname.opendev.org"], "hostname-secondary-cert": ["foo.opendev.org:5000"]}


def entry(given, key="main"):
    """The one entry without a fault."""
    plan = letsencrypt_plan.plan({key: given})
    assert plan.faults == {}
    return plan.entries[0]


def test_the_example_of_opendevs_documentation():
    plan = letsencrypt_plan.plan(EXAMPLE)
    assert plan.faults == {} and [each.directory for each in plan.entries] == ["hostname01.opendev.org", "foo.opendev.org"]
    assert [each.checked for each in plan.entries] == ["hostname01.opendev.org 443", "foo.opendev.org 5000"]
    assert plan.entries[1].names == ["foo.opendev.org"]


def test_the_files_are_those_of_acme_sh():
    files = letsencrypt_plan.wish(entry(["a.example.org", "b.example.org"]), SETTINGS)["files"]
    place = "/etc/letsencrypt-certs/a.example.org"
    assert [(file["content"], file["path"]) for file in files] == [
        ("private_key", f"{place}/a.example.org.key"), ("certificate", f"{place}/a.example.org.cer"), ("chain", f"{place}/ca.cer"),
        ("fullchain", f"{place}/fullchain.cer")]
    assert files[0]["mode"] == "0640" and all((file["owner"], file["group"]) == ("root", "letsencrypt") for file in files)


@pytest.mark.parametrize("given", [
    ["a.example.org"], ["*.example.org", "example.org"], {"names": ["a.example.org"], "key": {"algorithm": "ecdsa"}, "profile": "shortlived"},
    {"names": ["a.example.org"], "files": [{"content": "jks", "path": "/etc/zk.jks", "passphrase": "secret"}], "containers": ["zk"]},
])
@pytest.mark.parametrize("signed", [None, "PEM"])
def test_what_is_asked_for_has_no_fault(given, signed):
    one = entry(given)
    for wish in (letsencrypt_plan.wish(one, SETTINGS, signed), letsencrypt_plan.wish(one, SETTINGS, signed, force=True)):
        assert review(CERT_REQUEST, {"certificates": [wish]}).faults == []
        assert not (signed and "force" in wish["renew"])
    order = letsencrypt_plan.order("main", "CSR", one.more.get("profile"), SETTINGS)
    asked = {"certificates": [order], **letsencrypt_plan.authority(SETTINGS), **letsencrypt_plan.dns(SETTINGS)}
    assert review(ACME_DNS_CHALLENGE, asked).faults == [] and order.get("profile") == one.more.get("profile")
    assert review(PKI_CA, letsencrypt_plan.test_authority(SETTINGS, {"main": "CSR"})).faults == []


@pytest.mark.parametrize("given", [
    "a.example.org", [], None, [""], [1], {"names": []}, {"name": ["a.example.org"]}, ["../a.example.org"], [".hidden"], {"names": ["a"], "mode": "0600"},
])
def test_what_is_no_certificate_is_told_under_its_key(given):
    plan = letsencrypt_plan.plan({"bad": given, "good": ["a.example.org"]})
    assert list(plan.faults) == ["bad"] and [each.key for each in plan.entries] == ["good"]


def test_two_certificates_cannot_share_a_directory():
    plan = letsencrypt_plan.plan({"one": ["a.example.org:443"], "two": ["a.example.org:444", "b.example.org"]})
    assert "'one'" in plan.faults["two"] and len(plan.entries) == 1


@pytest.mark.parametrize("given", [None, "", {}, []])
def test_a_host_may_have_no_certificates(given):
    assert letsencrypt_plan.plan(given) == letsencrypt_plan.Plan([], {})


def test_files_can_be_given_beside_the_certificates():
    plan = letsencrypt_plan.plan(EXAMPLE, {"hostname-main-cert": [{"content": "combined", "path": "/etc/exim.pem"}], "unknown": []})
    assert plan.entries[0].more["files"] == [{"content": "combined", "path": "/etc/exim.pem"}] and list(plan.faults) == ["unknown"]


@pytest.mark.parametrize(("directory", "issuer", "is_foreign"), [
    ("letsencrypt", "CN=R11,O=Let's Encrypt,C=US", False), ("letsencrypt", "CN=(STAGING) Wannabe Watercress R11,O=Let's Encrypt,C=US", True),
    ("letsencrypt-staging", "CN=(STAGING) Wannabe Watercress R11,O=Let's Encrypt,C=US", False), ("letsencrypt", f"CN={letsencrypt_plan.TEST_NAME}", True),
    ("letsencrypt-staging", f"CN={letsencrypt_plan.TEST_NAME}", True), ("https://ca.example.org/dir", "CN=ours", False),
])
def test_what_another_mode_has_left(directory, issuer, is_foreign):
    settings = {**SETTINGS, "acme": {"directory": directory}}
    assert letsencrypt_plan.is_foreign(issuer, settings) == is_foreign
    assert not letsencrypt_plan.is_foreign(issuer, {**settings, "self_sign_only": True})


def test_each_server_has_a_state_and_an_account_of_its_own():
    directories = ["letsencrypt", "letsencrypt-staging", "https://a.org/dir", "https://a.org/other", "https://b.org:14000/dir"]
    places = [letsencrypt_plan.authority({**SETTINGS, "acme": {"directory": each}})["account_key"] for each in directories]
    assert len(set(places)) == len(directories) and all(place.startswith("/state/") and place.count("/") == 3 for place in places)
    central = letsencrypt_plan.authority({**SETTINGS, "placement": "central"})
    assert central["state_dir"] == "/central/letsencrypt"


def test_made_up_records_look_like_real_ones():
    records = letsencrypt_plan.made_up(entry(["a.example.org", "*.example.org", "example.org"]), "CSR", "acme.example.org")
    assert [record["name"] for record in records] == ["_acme-challenge.a.example.org", "_acme-challenge.example.org"]
    assert all(len(record["value"]) == 43 and record["target"] == "acme.example.org" for record in records)
    assert letsencrypt_plan.txt_required(records) == [["main", record["value"]] for record in records]


def test_records_of_many_hosts_are_published_once():
    record = {"name": "x", "target": "t", "zone": "z", "value": "v", "ttl": 1, "certificate": "c", "identifier": "i"}
    assert letsencrypt_plan.published([record, dict(record, certificate="d")]) == [{"target": "t", "value": "v", "zone": "z"}]
    assert letsencrypt_plan.foreign_records([("main", "v")], "z") == [{"target": "z", "value": "v", "zone": "z"}]


def test_defaults_are_as_they_are_described():
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    assert {name for name, option in options.items() if "default" in option} == set(defaults)
    assert {name: options[name]["default"] for name in defaults} == defaults


class Handler:
    """As much of a handler as is looked at."""

    def __init__(self, name, listen=None, role="r"):
        self.name, self.listen, self.role = name, listen, role

    def get_name(self, include_role_fqcn=True):
        """With its role before it."""
        return f"{self.role} : {self.name}"


class Templar:
    """Fills nothing in."""

    @staticmethod
    def template(text):
        """The text."""
        return text


@pytest.mark.parametrize(("handler", "names"), [
    (Handler("a"), {"a", "r : a"}), (Handler(None, "one"), {"one"}), (Handler("a", ["one", "two"]), {"a", "r : a", "one", "two"}), (Handler(None), set()),
])
def test_a_handler_is_heard_by_its_name_and_its_topics(handler, names):
    action = letsencrypt_role.ActionModule.__new__(letsencrypt_role.ActionModule)
    action._templar = Templar()
    assert set(action._handler_names(handler)) == names


@pytest.mark.parametrize("name", ["2001:db8::1", "a.example.org:https", "a.example.org:"])
@pytest.mark.parametrize("names", [["{}"], ["b.example.org", "{}"]])
def test_what_follows_a_colon_is_a_port(name, names):
    given = [each.format(name) for each in names]
    assert letsencrypt_plan.plan({"main": given}).faults["main"].startswith(f"'{name}': what follows ':' is a port")
