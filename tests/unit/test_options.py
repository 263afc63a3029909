# SPDX-License-Identifier: Apache-2.0
"""Options on the controller: plain values, faults, secrets, censoring."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.tls.everywhere.plugins.plugin_utils.options import MASK, Fault, censor, known, plain, private_keys, review, secrets

SPEC = {
    "name": {"type": "str", "required": True, "aliases": ["title"]},
    "size": {"type": "int"},
    "place": {"type": "path"},
    "tone": {"type": "str", "choices": ["warm", "cold"]},
    "anything": {"type": "dict"},
    "password": {"type": "str", "no_log": True, "aliases": ["secret"]},
    "keys": {"type": "list", "elements": "dict", "options": {
        "passphrase": {"type": "str", "no_log": True},
        "bits": {"type": "int"},
        "deep": {"type": "dict", "options": {"pin": {"type": "int", "no_log": True}}},
    }},
}


class Vaulted:
    """As ansible-core up to 2.18 hands inline vault values over."""

    __ENCRYPTED__ = True

    def __str__(self):
        return "decrypted"

    def __len__(self):
        return 9


@pytest.mark.parametrize(("value", "expected"), [
    (Vaulted(), "decrypted"),
    ({"a": [Vaulted(), (1, 2.5, None, True)]}, {"a": ["decrypted", [1, 2.5, None, True]]}),
    (b"bytes", "bytes"),
    (datetime.date(2026, 11, 22), "2026-11-22"),
    ({1: {"x"}}, {"1": ["x"]}),
])
def test_plain(value, expected):
    assert plain(value) == expected


def test_plain_takes_tags_off_strings():
    class Tagged(str):
        pass

    assert type(plain(Tagged("x"))) in (str, Tagged) and plain(Tagged("x")) == "x"


def paths(options):
    return [(fault.path, fault.message) for fault in review(SPEC, options).faults]


def test_sound_options_have_no_faults():
    assert paths({"title": "x", "size": "3", "place": "~/y", "keys": [{"bits": 1, "deep": {"pin": "7"}}], "anything": {"a": 1}}) == []


def test_unknown_options_are_named_with_their_place_and_the_nearest_name():
    assert paths({"name": "x", "siz": 1}) == [("siz", "unknown option 'siz', did you mean 'size'?")]
    assert paths({"name": "x", "keys": [{}, {"pasphrase": "y"}]}) == [
        ("keys[1].pasphrase", "unknown option 'pasphrase', did you mean 'passphrase'?")]
    found = paths({"name": "x", "keys": [{"deep": {"zzz": 1}}]})
    assert found == [("keys[0].deep.zzz", "unknown option 'zzz'; known are: pin")]


def test_all_faults_are_told_at_once():
    found = paths({"size": "many", "tone": "hot", "keys": [{"bits": "few"}], "nonsense": 1})
    assert [path for path, message in found].count("") == 3
    assert {path for path, message in found} == {"", "nonsense", "keys[0]"}
    text = " ".join(message for path, message in found)
    assert "missing required arguments: name" in text and "many" in text and "tone" in text


def test_fault_reads_as_a_sentence():
    assert str(Fault("a[0]", "is wrong")) == "a[0]: is wrong" and str(Fault("", "is wrong")) == "is wrong"


def test_review_does_not_change_the_options(monkeypatch):
    monkeypatch.setenv("HOME", "/controller")
    options = {"name": "x", "size": "3", "place": "~/y"}
    review(SPEC, options)
    assert options == {"name": "x", "size": "3", "place": "~/y"}


def test_option_under_two_names_is_warned_of():
    assert "'title'" in " ".join(review(SPEC, {"name": "x", "title": "x"}).warnings)


@pytest.mark.parametrize(("options", "expected"), [
    ({"password": "one", "secret": "two"}, {"one", "two"}),
    ({"keys": [{"passphrase": "three", "bits": 5}, {"deep": {"pin": 1234}}]}, {"three", "1234"}),
    ({"keys": {"passphrase": "not a list"}}, {"not a list"}),
    ({"keys": '[{"passphrase": "in JSON"}]'}, {'[{"passphrase": "in JSON"}]'}),
    ({"password": " padded\n"}, {" padded\n", "padded"}),
    ({"password": {"a": ["x1", {"b": "x2"}]}}, {"x1", "x2"}),
    ({"password": None}, set()),
    ({"password": ""}, set()),
    ({"keys": [None, 7]}, {"7"}),
])
def test_secrets(options, expected):
    assert secrets(SPEC, options) == expected


def test_misspelt_options_are_not_echoed():
    given = {"title": "a", "pasword": "x", "anything": {"free": 1}, "keys": [{"pasphrase": "y", "bits": 5}, 7, {"deep": {"pi": 1, "pin": 2}}]}
    assert known(SPEC, given) == {"title": "a", "anything": {"free": 1}, "keys": [{"bits": 5}, 7, {"deep": {"pin": 2}}]}


def test_private_keys_are_found_in_every_option():
    key = "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----"
    certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    assert private_keys({"name": f"{certificate}\n{key}\n{certificate}", "unknown": [{"a": 1}]}) == {key}
    assert private_keys({"name": certificate}) == set()
    assert private_keys(["-----BEGIN PRIVATE KEY-----\nMIGH"]) == {"-----BEGIN PRIVATE KEY-----\nMIGH"}


def test_censor_replaces_everywhere():
    hidden = {"hunter2", "hunter2-long", "ab", "1234"}
    value = {"msg": "it was hunter2!", "list": ["xhunter2-longx", 1234, 12345, True, None], "hunter2": 1, "short": "ab", "fable": "fable"}
    assert censor(value, hidden) == {
        "msg": f"it was {MASK}!", "list": [f"x{MASK}x", MASK, 12345, True, None], MASK: 1, "short": MASK, "fable": "fable"}


def test_censor_without_secrets_is_the_same_object():
    value = {"a": 1}
    assert censor(value, set()) is value
