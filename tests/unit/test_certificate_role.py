# SPDX-License-Identifier: Apache-2.0
"""The step `ensure` of the role certificate: what it does at once, and what it leaves to the tasks that prepare a host."""

from __future__ import annotations

import pathlib

import jinja2
import pytest
import yaml
from ansible_collections.tls.everywhere.plugins.action import certificate_role

ROLE = pathlib.Path(certificate_role.__file__).parents[2] / "roles" / "certificate"
READY = {"changed": False, "done": False, "booted": True, "ready": True, "missing": [], "programs": [], "ostree": False, "selinux": False, "family": "Debian"}
ARGUMENTS = {"step": "ensure", "requests": [{"name": "web"}], "settings": {"directory": "/etc/pki/tls"}, "booted": None, "trust": []}


class Action(certificate_role.ActionModule):
    """The action on a host that says this of itself."""

    def __init__(self, **host):
        self.host, self.asked = {**READY, **host}, []

    def _look(self, arguments):
        return self.host

    def _requests(self, arguments):
        self.asked.append(arguments)
        return {"changed": True, "certificates": {}}


@pytest.mark.parametrize(("host", "arguments"), [
    ({"ready": False}, {}), ({"programs": ["cert_request"]}, {}), ({"booted": False}, {}), ({}, {"booted": False}), ({}, {"booted": "False"}),
    ({}, {"trust": [{"name": "ca"}]}), ({"family": ""}, {"settings": {"directory": ""}}),
])
def test_what_must_be_prepared_is_left_to_the_role(host, arguments):
    action = Action(**host)
    result = action._ensure({**ARGUMENTS, **arguments})
    assert not result["done"] and not result["changed"] and action.asked == []


@pytest.mark.parametrize("booted", [None, "", True, "True"])
def test_on_a_host_that_is_ready_all_is_done_at_once(booted):
    action = Action()
    result = action._ensure({**ARGUMENTS, "booted": booted})
    assert result["done"] and result["changed"] and action.asked[0]["host"] == action.host and "ansible_facts" not in result


def test_without_facts_the_family_becomes_one():
    result = Action(family="RedHat")._ensure({**ARGUMENTS, "settings": {"directory": ""}})
    assert result["done"] and result["ansible_facts"] == {"os_family": "RedHat"}


def test_nothing_wished_is_done():
    action = Action(ready=False)
    assert action._ensure({**ARGUMENTS, "requests": []})["done"] and action.asked == []


@pytest.mark.parametrize(("host", "settings", "directory", "label"), [
    ({"family": "RedHat", "selinux": True}, {"directory": "", "hook_setype": "x_t"}, "/etc/pki/tls", "x_t"),
    ({"family": "Debian", "selinux": True}, {"directory": "", "hook_setype": "x_t"}, "/etc/ssl", None),
    ({"family": "Debian", "selinux": True}, {"directory": "/mine", "hook_setype": "x_t"}, "/mine", "x_t"),
    ({"family": "RedHat", "selinux": False}, {"directory": "/mine", "hook_setype": "x_t"}, "/mine", None),
    ({}, {"directory": "/mine", "hook_setype": "x_t"}, "/mine", None),
])
def test_places_and_labels_are_those_of_the_host(host, settings, directory, label):
    found = certificate_role._for_host(settings, host)
    assert (found["directory"], found["hook_setype"]) == (directory, label)


@pytest.mark.parametrize("family", ["Debian", "Suse", "RedHat", ""])
def test_with_and_without_facts_certificates_are_at_the_same_place(family):
    """What the role's variable says with facts is what the action says by os-release; without facts the variable leaves it to the action."""
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    template = jinja2.Environment().from_string(variables["__certificate_default_directory"])
    facts = {"os_family": family} if family else {}
    assert template.render(ansible_facts=facts) == certificate_role.DIRECTORIES.get(family, "")
