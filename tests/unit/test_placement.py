# SPDX-License-Identifier: Apache-2.0
"""What is shipped, the command line, and how answers are read."""

from __future__ import annotations

import hashlib
import shlex
import subprocess

import pytest

from ansible_collections.tls.everywhere.plugins.plugin_utils.placement import Program, Remark, answer, command, remarks, script, shipped


def test_shipped_lists_each_machine(tmp_path):
    for kind, text in (("linux-x86_64", "one"), ("linux-aarch64", "two"), ("freebsd-amd64", "three")):
        (tmp_path / "native" / kind).mkdir(parents=True)
        (tmp_path / "native" / kind / "tls_everywhere").write_text(text)
        (tmp_path / "native" / kind / "cert_request").write_text("of an older build")
    (tmp_path / "native" / "linux-riscv64").mkdir()
    assert shipped(str(tmp_path)) == (
        Program("aarch64", str(tmp_path / "native/linux-aarch64/tls_everywhere"), hashlib.sha256(b"two").hexdigest(), 3),
        Program("x86_64", str(tmp_path / "native/linux-x86_64/tls_everywhere"), hashlib.sha256(b"one").hexdigest(), 3),
    )


def test_all_actions_and_the_role_carry_the_same_programs():
    from ansible_collections.tls.everywhere.plugins.action import acme_dns_challenge, cert_check, cert_request, certificate_role, container_restart
    from ansible_collections.tls.everywhere.plugins.action import file_set, pki_ca

    actions = [each.ActionModule for each in (acme_dns_challenge, cert_check, cert_request, container_restart, file_set, pki_ca)]
    assert {action.NAME for action in actions} == {"acme_dns_challenge", "cert_check", "cert_request", "container_restart", "file_set", "pki_ca"}
    # One object: hashed once for all of them.
    assert all(programs is shipped() for programs in [certificate_role.PROGRAMS, *(action.PROGRAMS for action in actions)])


def test_nothing_shipped_is_no_error(tmp_path):
    assert shipped(str(tmp_path)) == ()


def test_command_keeps_its_words_whole():
    line = command("run", "probe", [Program("x86_64", "/p", "ab", 3), Program("aarch64", "/q", "cd", 4)], "-", ["/a b", "/c'd"])
    words = shlex.split(line)
    assert words[:2] == ["/bin/sh", "-c"] and words[3:] == [
        "tls.everywhere", "run", "probe", "x86_64=ab:3 aarch64=cd:4", "-", "/a b", "/c'd"]
    done = subprocess.run(["/bin/sh", "-n", "-c", words[2]], capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


def test_script_travels_without_comments():
    assert all(line and not line.startswith("#") for line in script().splitlines())


def test_remarks_are_found_between_noise():
    output = "Welcome!\r\ntls.everywhere: refused /a b: is not ours alone\r\ntls.everywhere: placed /c\r\nnot tls.everywhere: held /d\n"
    assert remarks(output) == [Remark("refused", "/a b: is not ours alone"), Remark("placed", "/c")]


@pytest.mark.parametrize(("output", "expected"), [
    ('{"a": 1}\n', ('{"a": 1}', [])),
    ('hello\r\n{"a": 1}\r\n', ('{"a": 1}', ["hello"])),
    ('{"a":\n1}\nbye\n', ('{"a":\n1}', ["bye"])),
    ("no answer\n", (None, ["no answer"])),
    ("}\n{\n", (None, ["}", "{"])),
    ("", (None, [])),
])
def test_answer(output, expected):
    assert answer(output) == expected
