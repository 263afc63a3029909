# SPDX-License-Identifier: Apache-2.0
"""From the variables of ansible-role-pki to wishes, and which older roots stay trusted."""

from __future__ import annotations

import base64
import datetime
import subprocess

import pytest
from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_host, pki_names, pki_outcome, pki_plan, pki_trust

SETTINGS = {
    "backend": "standalone", "dir": "/p", "cert_dir": "/p/certs", "key": {}, "file_mode": {"private_key": "0600", "certificate": "0644"},
    "install_owner": "root", "install_group": "root", "key_location": "setup_host", "key_mode": "0600", "cert_mode": "0644",
    "cert_dir_mode": "0755", "key_dir_mode": "0700", "trust_store": "/t/", "create_certificates": True,
}
LEAF = {"name": "web", "cn": "web", "provider": "ownca", "signed_by": "Root"}


def leaf(**more):
    """The wish for a leaf and the notes about it."""
    notes = pki_plan.Notes(False)
    return pki_plan.certificate({**LEAF, **more}, SETTINGS, notes), notes


@pytest.mark.parametrize(("san", "names"), [
    (None, {}), ("", {}), ({}, {}), ({"dns": [], "ip": []}, {}),
    ("DNS:a,IP:10.0.0.1", {"dns": ["a"], "ip": ["10.0.0.1"]}),
    (" DNS:a , DNS:a,email:x@y.z", {"dns": ["a"], "email": ["x@y.z"]}),
    ("IP:fe80::0001,URI:https://a/b:1", {"ip": ["fe80::1"], "uri": ["https://a/b:1"]}),
    ({"dns": ["a", "b", "a"], "ip": ["::1"], "uri": [], "other": []}, {"dns": ["a", "b"], "ip": ["::1"]}),
    ({"dns": "abc"}, {"dns": ["abc"]}),
    ({"other": ["1.2.3;UTF8:x"]}, {"other_name": [{"type_id": "1.2.3", "value": "x"}]}),
])
def test_both_forms_of_alternative_names(san, names):
    assert pki_names.alternative_names(san) == names


@pytest.mark.parametrize("san", ["a", "DNSS:a", "IP:x.x.x.x", {"dnss": ["a"]}, {"other": ["x"]}])
def test_alternative_names_that_are_none(san):
    with pytest.raises(pki_names.BadValue):
        pki_names.alternative_names(san)


@pytest.mark.parametrize(("given", "means"), [("3650d", "3650d"), ("+3650d", "3650d"), (" +30d ", "30d"), ("+1w2d3h", "788400s"), ("90m", "90m")])
def test_lifetimes(given, means):
    assert pki_names.lifetime(given) == means


@pytest.mark.parametrize("given", ["", "30", "20300101000000Z", "++30d", "-1d", "1y"])
def test_lifetimes_that_are_none(given):
    with pytest.raises(pki_names.BadValue):
        pki_names.lifetime(given)


@pytest.mark.parametrize(("value", "everything", "names"), [
    ("", False, []), (None, False, []), (False, False, []), ("false", False, []), ("True", True, []), (True, True, []), ("yes", True, []),
    ("web", False, ["web"]), (["a", "b"], False, ["a", "b"])])
def test_selections(value, everything, names):
    assert pki_names.selection(value) == (everything, frozenset(names))


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".a", " a", "a\n", "x" * 129, "ü" * 65])
def test_names_that_would_climb(name):
    with pytest.raises(pki_names.BadValue):
        pki_names.file_name(name)


@pytest.mark.parametrize(("wished", "ttl", "means"), [("", "20d", None), ("30d", "90d", "30d"), ("30d", "20d", None), ("33%", "1d", "33%"), ("1w", "7d", None)])
def test_renewal_is_never_earlier_than_the_beginning(wished, ttl, means):
    assert pki_names.renew_before(wished, ttl) == means


def test_lists_are_flattened_once_equal_entries_collapse_and_false_conditions_drop():
    notes = pki_plan.Notes(False)
    chosen = pki_plan.select([[LEAF], LEAF, [{**LEAF, "condition": False}, {**LEAF, "condition": "False"}], None], notes, "x")
    assert chosen == [LEAF, {**LEAF, "condition": "False"}]
    pki_plan.check_keys(chosen[1], pki_plan.CERTIFICATE, "x", notes)
    assert "is text and drops nothing" in notes.warnings[0]


@pytest.mark.parametrize(("asked", "said"), [
    ("wbe", ["pki_regen_cert: there is no certificate 'wbe' here, did you mean 'web'?"]), ("web", []), (True, []), ("", []), ("rabbitmq_node1", [])])
def test_a_misspelt_name_is_noticed_and_another_callers_is_not(asked, said):
    plan = {"certificates": [{"name": "web"}], "host_certificates": [{"name": "db"}], "settings": {"regen_cert": asked}}
    assert pki_plan.misspelt({"node1": plan}) == said


def test_an_omitted_key_is_not_given():
    chosen = pki_plan.select([[{**LEAF, "cn": "__omit_place_holder__3f"}]], pki_plan.Notes(False), "x")
    assert "cn" not in chosen[0]


def test_a_leaf_asks_for_what_upstream_certifies():
    wish, notes = leaf(country_name="GB", organization_name="Org", subject={"title": "x"}, key_passphrase="secret")
    assert list(wish["subject"].items()) == [("country", "GB"), ("organization", "Org"), ("common_name", "web"), ("title", "x")]
    assert wish["key"] == {"algorithm": "rsa", "size": 4096, "passphrase": "secret", "reuse": True, "format": "traditional"}
    assert (wish["ttl"], wish["key_usage"], wish["extended_key_usage"], notes.faults) == ("3650d", [], [], [])
    files = pki_plan.certificate_files(wish, "/p", "/p/certs")
    assert {file["content"]: file["path"] for file in files["files"]}["ca_bundle"] == "/p/certs/certs/web-ca_bundle.crt"
    assert files["issuer"]["private_ca"]["chain"] == "/p/roots/Root/certs/Root-chain.crt"


@pytest.mark.parametrize(("wrong", "words"), [
    ({"provider": "selfsigned"}, "cannot sign a certificate"), ({"signed_by": None}, "signed_by"), ({"backend": "acme"}, "is not served"),
    ({"basic_constraints": "CA:TRUE"}, "describe it in pki_authorities"), ({"name": "../x"}, "cannot become a file name"), ({"ttl": "soon"}, "lifetime")])
def test_a_leaf_with_a_fault_is_none(wrong, words):
    wish, notes = leaf(**wrong)
    assert wish is None and words in "; ".join(notes.faults)


def test_an_intermediate_may_sign_as_many_generations_as_the_list_has_below_it():
    def entry(name, above, constraints="CA:TRUE"):
        return {"name": name, "cn": name, "provider": "ownca", "signed_by": above, "basic_constraints": constraints}
    entries = [entry("A", "Root"), entry("B", "A"), entry("C", "B"), entry("D", "Root", "CA:TRUE,pathlen:0")]
    wishes = [pki_plan.authority(each, entries, SETTINGS, pki_plan.Notes(False)) for each in entries]
    assert [wish.get("path_length") for wish in wishes] == [2, 1, None, 0]


def test_hosts_that_wish_something_else_under_one_name():
    faults = {}
    wishes = pki_plan.merged({"a": [{"name": "x", "dns": ["a"]}], "b": [{"name": "x", "dns": ["b"]}, {"name": "y"}], "c": [{"name": "y"}]}, faults)
    assert [wish["name"] for wish in wishes] == ["x", "y"]
    assert list(faults) == ["b"] and "another dns" in faults["b"][0]


def test_drift_reduces_the_wish_and_is_said():
    wish = {"name": "Root", "type": "root", "subject": {}, "key": {"size": 4096, "passphrase": "p"}, "path_length": 1}
    drift = {"item": "authorities[Root]", "kind": "authority.drift", "msg": "differs", "differences": [{"what": "subject"}, {"what": "key"}]}
    call, warnings = pki_outcome.as_it_is({"authorities": [wish]}, {"failures": [drift, {"item": "authorities[X]", "kind": "other"}]})
    assert call["authorities"] == [{"name": "Root", "type": "root", "key": {"passphrase": "p"}, "path_length": 1}]
    assert warnings == ["differs; it stays as it is"]


def test_a_fault_of_an_option_is_that_of_its_certificate():
    result = {"faults": [{"path": "certificates[1].dns[0]", "message": "bad"}, {"path": "parallel", "message": "other"}]}
    assert pki_outcome.refused([{"name": "a"}, {"name": "b"}], result) == {"b": {"kind": "input.invalid", "msg": "dns[0]: bad"}}


def test_keys_on_hosts_need_a_private_key_that_is_installed_there():
    notes = pki_plan.Notes(False)
    settings = {**SETTINGS, "key_location": "host"}
    install = [{"name": "web", "type": "private_key", "dest": "/k"}, {"name": "web", "dest": "/c"}, {"name": "other", "dest": "/o"}]
    plan = pki_plan.host_plan({"certificates": [LEAF, {**LEAF, "name": "other"}], "install_certificates": install}, settings, notes)
    pki_host.split(plan, [LEAF, {**LEAF, "name": "other"}])
    assert [wish["name"] for wish in plan["host_certificates"]] == ["web"] and [wish["name"] for wish in plan["certificates"]] == ["other"]
    assert [wish["dest"] for wish in plan["install_certificates"]] == ["/o"]
    assert plan["host_certificates"][0]["files"][0] == {"content": "private_key", "path": "/k", "mode": "0600", "owner": "root", "group": "root"}


@pytest.mark.parametrize(("content", "is_key"), [
    (b"-----BEGIN PRIVATE KEY-----\n", True), (b"x\n-----BEGIN EC PRIVATE KEY-----", True), (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", True),
    (b"\xfe\xed\xfe\xed\0\0", True), (b"\x30\x82\x01\x02\x02\x01\x03\x30", True), (b"-----BEGIN CERTIFICATE-----", False),
    (b"-----BEGIN PUBLIC KEY-----", False), (b"\x30\x82\x01\x02\x30\x82", False), (b"", False)])
def test_what_must_be_kept_closed(content, is_key):
    assert pki_trust.carries_private_key(content) is is_key


def root(at, name, days=100, key=None):
    """A self-signed certificate as DER, by openssl."""
    source = ["-key", key] if key else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", at / f"{name}.key"]
    subprocess.run(["openssl", "req", "-x509", *map(str, source), "-subj", "/CN=Root", "-days", str(days), "-outform", "DER", "-out", at / name],
                   check=True, capture_output=True, timeout=30)
    return (at / name).read_bytes()


def test_only_other_valid_keys_overlap(tmp_path):
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    old, ended = root(tmp_path, "old"), root(tmp_path, "ended", days=1)
    current = root(tmp_path, "current")
    again = root(tmp_path, "again", key=tmp_path / "current.key")
    generations = pki_trust.Generations(current, {1000: old, 1001: ended, 1002: again, 1003: current})
    assert generations.overlap(now) == {1000: old, 1001: ended}
    assert generations.overlap(now + datetime.timedelta(days=2)) == {1000: old}
    assert pki_trust.is_self_issued(old)
    bundle = pki_trust.pem(old)
    wide = pki_trust.widened(bundle, [generations], now + datetime.timedelta(days=2))
    assert pki_trust.certificates(wide) == [old, current]
    assert pki_trust.widened(wide, [generations], now + datetime.timedelta(days=2)) == wide
    assert pki_trust.widened(pki_trust.pem(ended + b""), [pki_trust.Generations(current, {1003: current})], now) == pki_trust.pem(ended)


def test_what_is_said_before_authorities_are_regenerated(tmp_path):
    text = base64.b64encode(pki_trust.pem(root(tmp_path, "root"))).decode()
    # All have the name of the root as their issuer's, as leaves below it do.
    authorities, leaves = {"Root": {"current": text}}, {f"web{number:02}": text for number in range(21)}
    assert pki_trust.foretold(authorities, leaves, ["Root", "New"], ["New"]) == [
        "authority 'Root' gets a new certificate for the key that it has: the 21 certificates below it stay valid"]
    [said] = pki_trust.foretold(authorities, leaves, ["Root"], ["Root", "New"])
    assert said.startswith("authority 'Root' gets a new key: 21 certificates below it must be signed again")
    assert "(web00, web01," in said and said.endswith("web19, …)")
    assert pki_trust.foretold({}, {}, ["Root"], ["Root"]) == []


def test_identity_reads_what_openssl_reads_and_survives_rubbish(tmp_path):
    der = root(tmp_path, "x", days=9000)
    shown = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-enddate"], input=der, check=True, capture_output=True, timeout=30)
    end = datetime.datetime.strptime(shown.stdout.decode().strip().partition("=")[2], "%b %d %H:%M:%S %Y GMT")
    assert pki_trust.identity(der).not_after == end
    for at in range(0, len(der), 7):
        pki_trust.identity(der[:at])
        pki_trust.identity(der[:at] + b"\xff" + der[at + 1:])
    assert pki_trust.identity(b"") is None and pki_trust.identity(base64.b64decode("MAA=")) is None
