# SPDX-License-Identifier: Apache-2.0
"""ansible-role-pki's backend hashi_vault: what its variables become, and what is done with what a server has already."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_host, pki_names, pki_plan, pki_vault

GIVEN = {
    "host": "https://vault.example.org:8200", "auth_method": "userpass", "auth_mount_point": "", "login": "osa", "password": "secret", "token": "",
    "role_id": "", "secret_id": "", "jwt": "", "role": "default", "engine_mount_point": "pki_int", "connection": {}, "host_auth": {},
}
SETTINGS = {
    "backend": "hashi_vault", "dir": "/p", "cert_dir": "/p/certs", "key": {"algorithm": "ecdsa", "curve": "P-256"}, "key_location": "",
    "file_mode": {"private_key": "0600", "certificate": "0644", "certificate_chain": "0644"}, "install_owner": "root", "install_group": "root",
    "key_mode": "0600", "cert_mode": "0644", "cert_dir_mode": "0755", "key_dir_mode": "0700", "trust_store": "/t/", "create_certificates": True,
    "vault": dict(GIVEN, connection={"url": ["https://vault.example.org:8200"]}),
}
ROOT = {"name": "Root", "cn": "Example Root", "vault_path": "pki_root", "ttl": "3650d", "organization_name": "Example"}
SUB = {"name": "Sub", "cn": "Example Sub", "vault_path": "/pki_int/", "signed_by": "pki_root", "key_type": "ec", "key_bits": 384}
LEAF = {"name": "web", "cn": "web.example.org", "san": {"dns": ["api.example.org"], "ip": ["10.0.0.1"]}}
FILES = [{"name": "web", "type": kind, "dest": f"/etc/{kind}"} for kind in ("certificate", "certificate_chain", "ca_bundle", "private_key")]


def planned(settings=None, **lists):
    """The plan of a host, as the role's step makes it, and the notes."""
    settings, notes = settings or SETTINGS, pki_plan.Notes(False)
    own, vault = pki_vault.split(lists, lists.get("authorities", []), settings)
    plan = pki_plan.host_plan(own, settings, notes)
    pki_host.split(plan, own.get("certificates", []))
    pki_vault.extend(plan, vault, lists.get("authorities", []), settings, notes)
    return plan, notes


@pytest.mark.parametrize(("given", "auth"), [
    ({}, {"method": "userpass", "username": "osa", "password": "secret"}),
    ({"auth_mount_point": "people"}, {"method": "userpass", "username": "osa", "password": "secret", "mount": "people"}),
    ({"auth_method": "token", "token": "t", "auth_mount_point": "x"}, {"method": "token", "token": "t"}),
    ({"auth_method": "approle", "role_id": "r", "secret_id": "s"}, {"method": "approle", "role_id": "r", "secret_id": "s"}),
    ({"auth_method": "jwt", "role_id": "r", "jwt": "j"}, {"method": "jwt", "role": "r", "jwt": "j"}),
    ({"auth_method": "cert", "role_id": "r"}, {"method": "cert", "role": "r"}), ({"auth_method": "none"}, {"method": "none"}),
    ({"connection": {"auth": {"method": "kubernetes", "role": "r"}}}, {"method": "kubernetes", "role": "r"})])
def test_who_we_are_in_our_words(given, auth):
    notes = pki_plan.Notes(False)
    assert pki_vault.connection({**GIVEN, **given}, notes)["auth"] == auth and notes.faults == []


def test_a_connection_has_an_address_and_a_way_that_we_know():
    notes = pki_plan.Notes(False)
    pki_vault.connection({**GIVEN, "host": "", "auth_method": "ldap"}, notes)
    assert [fault.split(":")[0] for fault in notes.faults] == ["pki_hashi_vault_host", "pki_hashi_vault_auth_method"]
    found = pki_vault.connection({**GIVEN, "host": "https://a,https://b", "connection": {"ca_path": "/ca.pem"}}, notes)
    assert found["url"] == ["https://a", "https://b"] and found["ca_path"] == "/ca.pem"


def test_a_certificate_is_what_the_server_would_have_made_of_it():
    plan, notes = planned(certificates=[LEAF], install_certificates=FILES)
    [wish] = plan["vault_certificates"]
    assert (wish["common_name"], wish["dns"], wish["ip"]) == ("web.example.org", ["web.example.org", "api.example.org"], ["10.0.0.1"])
    assert wish["issuer"]["vault"] == {"url": ["https://vault.example.org:8200"], "mount": "pki_int", "role": "default"}
    assert wish["key"] == {"algorithm": "ecdsa", "curve": "P-256", "format": "traditional"} and "ttl" not in wish and "key_usage" not in wish
    assert {file["path"]: (file["content"], file["mode"]) for file in wish["files"]} == {
        "/etc/certificate": ("certificate", "0644"), "/etc/certificate_chain": ("fullchain", "0644"), "/etc/ca_bundle": ("ca_bundle", "0644"),
        "/etc/private_key": ("private_key", "0600")}
    assert plan["certificates"] == plan["install_certificates"] == notes.faults == notes.warnings == []


@pytest.mark.parametrize(("more", "names"), [
    ({"exclude_cn_from_sans": True}, {"dns": ["api.example.org"], "ip": ["10.0.0.1"]}),
    ({"san": None, "alt_names": "a.example.org,root@example.org"}, {"dns": ["web.example.org", "a.example.org"], "email": ["root@example.org"]}),
    ({"san": None, "alt_names": ["a.example.org"]}, {"dns": ["web.example.org", "a.example.org"]}),
    ({"san": {"uri": ["spiffe://x"]}, "cn": "10.0.0.9"}, {"uri": ["spiffe://x"], "ip": ["10.0.0.9"]}),
    ({"san": "DNS:a", "cn": "Some Body"}, {"dns": ["a"]}), ({"san": None, "cn": "*.example.org"}, {"dns": ["*.example.org"]})])
def test_alternative_names(more, names):
    assert pki_vault.alternative_names({**LEAF, **more}) == names


def test_what_an_entry_says_wins():
    entry = {**LEAF, "role": "web", "engine_mount_point": "other/pki/", "ttl": "90d", "key_type": "rsa", "key_format": "pkcs8"}
    settings = dict(SETTINGS, regen_cert="web", renew_before="20d", vault=dict(SETTINGS["vault"], host_auth={"method": "token", "token_file": "/t"}))
    plan, _notes = planned(settings, certificates=[entry], install_certificates=FILES)
    [wish] = plan["vault_certificates"]
    assert wish["issuer"]["vault"] == {
        "url": ["https://vault.example.org:8200"], "mount": "other/pki", "role": "web", "auth": {"method": "token", "token_file": "/t"}}
    assert (wish["ttl"], wish["key"], wish["renew"]) == ("90d", {"algorithm": "rsa", "size": 2048, "format": "pkcs8"}, {"before": "20d", "force": True})


@pytest.mark.parametrize("where", [{"key_location": "setup_host"}, None])
def test_a_key_on_the_setup_host_goes_through_the_tree(where):
    settings = SETTINGS if where else dict(SETTINGS, key_location="setup_host")
    plan, _notes = planned(settings, certificates=[{**LEAF, **(where or {})}], install_certificates=FILES)
    assert plan["vault_certificates"] == [] and [wish["dest"] for wish in plan["install_certificates"]] == [file["dest"] for file in FILES]
    [call] = pki_plan.certificate_calls({"a": dict(plan, settings=settings)})
    [wish] = call.wishes
    assert wish["issuer"]["vault"]["mount"] == "pki_int" and wish["files"][0]["path"] == "/p/certs/certs/web.crt"


def test_a_bundle_holds_the_key_and_is_closed():
    files = [{"name": "web", "type": "certificate", "dest": "/b"}, {"name": "web", "type": "certificate", "dest": "/c", "mode": "0640"}]
    plan, _notes = planned(certificates=[{**LEAF, "format": "pem_bundle"}], install_certificates=files)
    assert [(file["content"], file["mode"]) for file in plan["vault_certificates"][0]["files"]] == [("combined", "0600"), ("combined", "0640")]


def test_what_nobody_installs_or_makes():
    plan, notes = planned(certificates=[LEAF], install_certificates=[FILES[0], {"name": "gone", "type": "certificate", "dest": "/gone"}])
    assert plan["vault_certificates"] == plan["install_certificates"] == [] and ["gone" in text for text in notes.warnings] == [True]


def test_two_backends_in_one_list():
    alone = {"name": "own", "cn": "own", "provider": "ownca", "signed_by": "Alone", "backend": "standalone"}
    standalone = {"name": "Alone", "cn": "Alone", "provider": "selfsigned", "backend": "standalone"}
    files = [*FILES, {"src": "/p/certs/certs/own.crt", "dest": "/own", "type": "certificate", "backend": "standalone"}, {"src": "/mine.pem", "dest": "/m"}]
    plan, notes = planned(
        authorities=[ROOT, SUB, standalone], certificates=[LEAF, alone], install_certificates=files,
        install_ca=[{"name": "Root"}, {"name": "Alone"}, {"name": "Mine", "src": "/mine-ca.pem"}])
    assert notes.faults == []
    assert [wish["name"] for wish in plan["authorities"]] == ["Alone"] and [wish["name"] for wish in plan["vault_authorities"]] == ["Root", "Sub"]
    assert [wish["name"] for wish in plan["certificates"]] == ["own"] and [wish["dest"] for wish in plan["install_certificates"]] == ["/own", "/m"]
    assert sorted(wish["source"] for wish in plan["install_ca"]) == ["/mine-ca.pem", "/p/roots/Alone/certs/Alone.crt", "vault:pki_root/Root"]


def test_authorities_in_our_words():
    plan, notes = planned(authorities=[
        {**ROOT, "permitted_dns_domains": "example.org,example.net", "max_path_length": 2, "email_address": "a@b", "organizational_unit_name": "IT"},
        dict(SUB, vault_key_name="k", serial_number=7, not_after="2099-01-01T00:00:00Z"), dict(SUB, name="Other", signed_by="Root", vault_path="o")])
    root, sub, other = plan["vault_authorities"]
    assert notes.faults == []
    assert root["wish"] == {
        "name": "Root", "type": "root", "subject": {"organization": "Example", "organizational_unit": "IT", "common_name": "Example Root"},
        "ttl": "3650d", "path_length": 2, "name_constraints": {"permitted_dns": ["example.org", "example.net"]}}
    assert sub["mount"] == "pki_int" and sub["above"] == {"mount": "pki_root", "name": "Root"} == other["above"]
    assert (sub["wish"]["key"], sub["wish"]["key_name"], sub["wish"]["subject"]["serial_number"]) == ({"algorithm": "ecdsa", "curve": "P-384"}, "k", "7")
    assert sub["wish"]["ttl"] == "2099-01-01T00:00:00Z"
    ttl = pki_vault.call(sub, mounts(pki_root=[issuer("Root")], pki_int=[]))[0]["ttl"]
    assert ttl.endswith("s") and int(ttl[:-1]) > 10**9


@pytest.mark.parametrize(("wrong", "words"), [
    ({"vault_path": ""}, "vault_path: is missing"), ({"vault_path": "a/../b"}, "no path of a mount"), ({"cn": ""}, "cn: is missing"),
    ({"key_type": "dsa"}, "none of rsa, ec"), ({"key_type": "ec", "key_bits": 512}, "no elliptic curve of 512"), ({"not_after": "2001-01-01"}, "is over"),
    ({"ttl": "soon"}, "lifetime")])
def test_an_authority_with_a_fault_is_none(wrong, words):
    plan, notes = planned(authorities=[{**ROOT, **wrong}])
    assert plan["vault_authorities"] == [] and words in "; ".join(notes.faults)


def test_trust_needs_to_know_the_mount():
    _plan, notes = planned(install_ca=[{"name": "Nobody"}])
    assert "says in which mount" in notes.faults[0]


def wish_of(entry, entries=(ROOT, SUB)):
    """The wish for an authority."""
    return pki_vault.authority(entry, entries, SETTINGS, pki_plan.Notes(False))


def mounts(**issuers):
    """What the server has."""
    return {mount: pki_vault.Mount(found) for mount, found in issuers.items()}


def issuer(name, is_default=True):
    """An issuer as pki_ca tells of it."""
    return {"name": name, "issuer_id": "1f", "is_default": is_default, "certificate": "PEM"}


def test_an_empty_mount_gets_an_authority_that_signs():
    options, remark = pki_vault.call(wish_of(ROOT), mounts(pki_root=[]))
    assert (options["state"], options["key"], remark) == ("active", SETTINGS["key"], "")
    options, _remark = pki_vault.call(wish_of(SUB), mounts(pki_root=[issuer("Root")], pki_int=[]))
    assert (options["parent"], options["parent_mount"], options["key"]["curve"]) == ("Root", "pki_root", "P-384")


def test_one_that_exists_is_looked_at_and_a_later_default_stays_so():
    options, _remark = pki_vault.call(wish_of(ROOT), mounts(pki_root=[issuer("Root", False), issuer("root-2")]))
    assert "state" not in options and "key" not in options


@pytest.mark.parametrize(("name", "words"), [("", ""), ("hand-made", "has the default issuer 'hand-made'")])
def test_what_upstream_or_a_person_made_is_taken_as_it_is(name, words):
    options, remark = pki_vault.call(wish_of(SUB), mounts(pki_root=[issuer("Root")], pki_int=[issuer(name)]))
    assert options is None and words in remark


def test_a_parent_without_a_name_is_called_by_its_identifier():
    assert pki_vault.call(wish_of(SUB, (SUB,)), mounts(pki_root=[issuer("")], pki_int=[]))[0]["parent"] == "1f"


def test_regenerating_is_refused_before_anything_is_asked():
    settings = dict(SETTINGS, regen_ca="Root")
    plan = {"settings": settings, "vault_authorities": [wish_of(ROOT)]}
    calls, faults, remarks = pki_vault.authority_calls({"a": plan, "b": plan})
    assert len(calls) == 1 and "rotate_root" in faults[0] and remarks == []
    _calls, faults, remarks = pki_vault.authority_calls({"a": dict(plan, settings=dict(SETTINGS, regen_ca=True))})
    assert faults == [] and "rotate_root" in remarks[0]
    other = dict(plan, vault_authorities=[wish_of(dict(ROOT, cn="Else"))])
    assert "by another host" in pki_vault.authority_calls({"a": plan, "b": other})[1][0]


def test_trust_is_read_by_name_else_the_default():
    found, problems = pki_vault.contents(
        ["vault:a/Root", "vault:b/Sub", "vault:c/x"], mounts(a=[issuer("Root", False), issuer("r2")], b=[issuer("")], c=[issuer("y", False)]))
    assert base64.b64decode(found["vault:a/Root"]) == b"PEM\n" and list(problems) == ["vault:c/x"] and set(found) == {"vault:a/Root", "vault:b/Sub"}


@pytest.mark.parametrize(("given", "found"), [
    ("90d", "90d"), ("720h", "720h"), (3600, "3600s"), ("", None), (None, None), ("+1d", "1d"),
    (" 2099-01-31", "2099-01-31T23:59:59Z"), ("2099-01-31 01:02:03Z", "2099-01-31T01:02:03Z"),
])
def test_lifetimes(given, found):
    assert pki_vault.lifetime(given) == found


@pytest.mark.parametrize("given", ["2020-01-01T00:00:00Z", "2099-02-31"])
def test_a_lifetime_of_the_past_or_of_no_day_is_none(given):
    with pytest.raises(pki_names.BadValue):
        pki_vault.lifetime(given)


def test_an_instant_is_the_same_wish_in_another_second():
    wishes = [planned(certificates=[dict(LEAF, ttl=None, not_after="2099-01-31")], install_certificates=FILES)[0] for _run in range(2)]
    for lists in (plan["vault_certificates"] + plan["certificates"] for plan in wishes):
        assert [wish["ttl"] for wish in lists] == ["2099-01-31T23:59:59Z"]
    left = pki_vault.timed({"name": "a", "ttl": "2099-01-31T23:59:59Z"})["ttl"]
    assert left.endswith("s") and int(left[:-1]) > 10**9
    assert pki_vault.timed({"name": "a"}) == {"name": "a"} and pki_vault.timed({"ttl": "90d"}) == {"ttl": "90d"}
