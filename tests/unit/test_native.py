# SPDX-License-Identifier: Apache-2.0
"""How the action reads a trip, and when it uses standard input."""

from __future__ import annotations

import types

import pytest

from ansible_collections.tls.everywhere.plugins.plugin_utils import native
from ansible_collections.tls.everywhere.plugins.plugin_utils.native import NativeAction, Trip


def read(stdout, status=0, stderr=""):
    return native._read("cert_request", Trip(status, stdout, stderr))


def test_an_answer_is_the_result_and_noise_becomes_a_warning():
    result = read('motd\n{"changed": true, "warnings": ["w"]}\n')
    assert result["changed"] is True and result["warnings"] == ["w", "output that is no answer: motd"]
    assert "failed" not in result


def test_a_status_without_failed_fails():
    assert read('{"changed": false}\n', status=1)["failed"] is True


@pytest.mark.parametrize("stdout", ["", "Segmentation fault\n", "{broken}\n", '["a list"]\n', "{\n}x}\n"])
def test_no_answer(stdout):
    result = read(stdout, status=139, stderr="oops")
    assert result["failed"] is True and result["error"]["kind"] == "program.no_answer" and result["rc"] == 139
    assert result["module_stdout"] == stdout and result["module_stderr"] == "oops"
    assert result["msg"] == "'cert_request' ended with status 139 and gave no answer"


def test_an_architecture_that_is_not_shipped_is_named_with_those_that_are(monkeypatch):
    monkeypatch.setattr(native.placement, "shipped", lambda: (types.SimpleNamespace(machine="x86_64"), types.SimpleNamespace(machine="aarch64")))
    result = read("tls.everywhere: unshipped riscv64\n")
    assert result["msg"] == "no 'cert_request' for 'riscv64'; this copy of the collection has it for aarch64, x86_64"
    assert result["error"]["kind"] == "program.no_architecture" and result["error"]["hint"]


def test_every_directory_that_refused_is_named():
    result = read("tls.everywhere: refused /a: cannot be written\ntls.everywhere: refused /b: is not ours alone\ntls.everywhere: nowhere x86_64\n")
    assert result["msg"] == "'cert_request' could not be placed on the target: /a: cannot be written; /b: is not ours alone"
    assert result["error"]["kind"] == "program.not_placed" and "tls_everywhere_program_directory" in result["error"]["hint"]


def action(transport="ssh", has_pipelining=True, become=None, password=None, enabled=False):
    """A NativeAction with nothing but what the decision looks at."""
    it = NativeAction.__new__(NativeAction)
    it._connection = types.SimpleNamespace(transport=transport, has_pipelining=has_pipelining, become=become)
    it.get_become_option = lambda option: password
    it._is_pipelining_enabled = lambda style: enabled
    return it


SUDO = types.SimpleNamespace(pipelining=True)
SU = types.SimpleNamespace(pipelining=False)
# As up to ansible-core 2.18.
OLD_SUDO = types.SimpleNamespace(name="sudo", require_tty=False)
OLD_SU = types.SimpleNamespace(name="ansible.builtin.su", require_tty=False)
OLD_MACHINECTL = types.SimpleNamespace(name="community.general.machinectl", require_tty=True)


@pytest.mark.parametrize(("it", "expected"), [
    (action(), True),
    (action(has_pipelining=False), False),
    (action(become=SUDO), True),
    (action(become=SU), False),
    (action(become=OLD_SUDO), True),
    (action(become=OLD_SU), False),
    (action(become=OLD_MACHINECTL), False),
    (action(become=SUDO, password="x"), True),
    (action(transport="local", become=SUDO), True),
    (action(transport="local", become=SUDO, password="x"), False),
    (action(transport="local", become=SUDO, password="x", enabled=True), True),
])
def test_standard_input_is_used_where_nothing_else_wants_it(it, expected):
    assert it._can_pipe() is expected


@pytest.mark.parametrize(("trip", "enabled", "expected"), [
    (Trip(1, "", "sudo: sorry, you must have a tty to run sudo"), False, True),
    (Trip(1, "", "sudo: sorry, you must have a tty to run sudo"), True, False),
    (Trip(1, "", "sudo: a password is required"), False, False),
    (Trip(1, '{"failed": true}', "tty"), False, False),
    (Trip(0, "tls.everywhere: missing x86_64", "tty"), False, False),
])
def test_a_terminal_is_tried_only_where_sudo_asks_for_one(trip, enabled, expected):
    assert action(enabled=enabled)._wants_terminal(trip) is expected
