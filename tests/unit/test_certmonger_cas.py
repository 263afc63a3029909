# SPDX-License-Identifier: Apache-2.0
"""Which commands make the CAs that certmonger knows those that it shall know."""

from __future__ import annotations

import pytest
from ansible_collections.tls.everywhere.plugins.plugin_utils import certmonger_cas

# As `LC_ALL=C getcert list-cas` of certmonger 0.79.17 prints it.
LISTED = """\
CA 'SelfSign':
\tis-default: no
\tca-type: INTERNAL:SELF
\tnext-serial-number: 01
CA 'IPA':
\tis-default: no
\tca-type: EXTERNAL
\thelper-location: /usr/libexec/certmonger/ipa-submit
CA 'local':
\tis-default: no
\tca-type: EXTERNAL
\thelper-location: /usr/libexec/certmonger/local-submit
CA 'scep1':
\tis-default: no
\tca-type: EXTERNAL
\thelper-location: /usr/libexec/certmonger/scep-submit -u http://127.0.0.1:9/scep     -i foo     -n
CA 'mine':
\tis-default: no
\tca-type: EXTERNAL
\thelper-location: /opt/helper 'a b'
"""
PLACES = certmonger_cas.Places("/usr/local/libexec/tls-everywhere", "/etc/tls-everywhere")


def changes(*wished):
    """The commands and the faults."""
    faults = []
    found = certmonger_cas.changes(list(wished), certmonger_cas.known(LISTED), PLACES, faults)
    return [change.argv for change in found], faults


def test_what_certmonger_says_is_read_and_its_helpers_are_found():
    known = certmonger_cas.known(LISTED)
    assert list(known) == ["SelfSign", "IPA", "local", "scep1", "mine"] and known["SelfSign"] == "" and known["mine"] == "/opt/helper 'a b'"
    assert certmonger_cas.helpers(known) == "/usr/libexec/certmonger"
    assert certmonger_cas.helpers({"IPA": "/usr/lib/certmonger/ipa-submit -J http://x"}) == "/usr/lib/certmonger"


@pytest.mark.parametrize("wished", [
    {"name": "mine", "command": ["/opt/helper", "a b"]}, {"name": "mine", "command": "/opt/helper  'a b'"}, {"name": "none", "state": "absent"},
    {"name": "scep1", "scep": {"url": "http://127.0.0.1:9/scep", "identifier": "foo", "prefer_non_renewal": True}},
])
def test_what_is_there_is_left_alone(wished):
    assert changes(wished) == ([], [])


def test_what_is_missing_is_added_what_differs_is_changed_and_what_is_surplus_is_removed():
    found, faults = changes(
        {"name": "vnc", "subca": "vnc"}, {"name": "mine", "command": "/opt/other"}, {"name": "scep1", "state": "absent"},
        {"name": "scep2", "scep": {"url": "https://x/scep", "tls_ca_file": "/etc/x.pem"}},
    )
    assert faults == [] and found == [
        ["getcert", "add-ca", "-c", "vnc", "-e", f"{PLACES.programs}/ipa-subca vnc /usr/libexec/certmonger/ipa-submit"],
        ["getcert", "modify-ca", "-c", "mine", "-e", "/opt/other"], ["getcert", "remove-ca", "-c", "scep1"],
        ["getcert", "add-ca", "-c", "scep2", "-e", "/usr/libexec/certmonger/scep-submit -u https://x/scep -R /etc/x.pem"],
    ]


@pytest.mark.parametrize(("wished", "text"), [
    ("text", "is no dictionary with a name"), ({"name": "IPA", "command": "x"}, "'IPA' is certmonger's own"),
    ({"name": "x"}, "give exactly one of command, subca, scep"),
    ({"name": "x", "command": "a", "subca": "b"}, "give exactly one of"), ({"name": "x", "scep": {}}, "give exactly one of"),
    ({"name": "x", "scep": {"uri": "a"}}, "scep: is no dictionary with a url"), ({"name": "x", "scep": {"url": "a", "id": "b"}}, "scep: nobody knows 'id'"),
    ({"name": "x", "comand": "a"}, "nobody knows 'comand', did you mean 'command'?"), ({"name": "x", "state": "gone"}, "'gone' is neither present nor absent"),
])
def test_faults_name_the_entry(wished, text):
    _found, faults = changes(wished)
    assert len(faults) == 1 and faults[0].startswith("certmonger_cas[0]") and text in faults[0]


def test_one_name_is_one_ca():
    _found, faults = changes({"name": "x", "command": "a"}, {"name": "x", "command": "b"})
    assert faults == ["certmonger_cas[1]: 'x' is there twice"]


def test_modules_of_this_collection_are_helpers():
    found, faults = changes(
        {"name": "tree", "pki_ca": {"backend": {}}}, {"name": "acme", "acme_dns_challenge": {"directory": "letsencrypt"}},
        {"name": "vault", "cert_request": {"certificates": [{"issuer": {"vault": {"role": "web"}}}]}})
    assert not faults
    assert [argv[-1] for argv in found] == [
        "/usr/local/libexec/tls-everywhere/pki_ca --certmonger /etc/tls-everywhere/ca-tree.json",
        "/usr/local/libexec/tls-everywhere/acme_dns_challenge --certmonger /etc/tls-everywhere/ca-acme.json",
        "/usr/local/libexec/tls-everywhere/cert_request --certmonger /etc/tls-everywhere/ca-vault.json",
    ]


@pytest.mark.parametrize(("wished", "says"), [
    ({"name": "a/b", "pki_ca": {"backend": {}}}, "becomes the name of a file"),
    ({"name": "..", "pki_ca": {"backend": {}}}, "becomes the name of a file"),
    ({"name": "tree", "pki_ca": "backend"}, "is no dictionary of options of tls.everywhere.pki_ca"),
    ({"name": "tree", "pki_ca": {"a": 1}, "command": "x"}, "give exactly one of"),
])
def test_options_of_modules_that_cannot_be_kept_are_refused(wished, says):
    found, faults = changes(wished)
    assert found == [] and len(faults) == 1 and says in faults[0]
