# SPDX-License-Identifier: Apache-2.0
"""Keys travel over real ssh connections, and what ssh says of them at -vvvv is not what they are."""

from __future__ import annotations

import base64

import pytest
from cloud import INTERMEDIATE, ROOT, certificate
from remote import Remote


@pytest.fixture
def cloud(work):
    """A setup host and a target, both behind ssh."""
    it = Remote(work, hosts=("node1",))
    for name in ("deploy", "node1"):
        it.add(name)
    yield it
    it.stop()


def shapes(key):
    """Parts of a key as it is, and of every base64 of it, whatever stands before."""
    lines = [line for line in key.decode().splitlines() if len(line) > 40 and not line.startswith("-")]
    coded = [base64.b64encode(b"x" * shift + key)[8 + 60:8 + 140].decode() for shift in range(3)]
    return lines + coded


@pytest.mark.parametrize("pipelining", ["true", "false"])
def test_no_key_is_printed_whatever_is_asked_of_ssh(cloud, pipelining):
    at = f"{cloud.work}/node1"
    asked = {
        "pki_setup_host": "deploy", "pki_authorities": [ROOT, INTERMEDIATE], "pki_certificates": [certificate("web")],
        "pki_install_certificates": [{"name": "web", "type": kind, "dest": f"{at}/web.{end}"} for kind, end in (
            ("certificate_chain", "pem"), ("private_key", "key"))],
    }
    cloud.more = {"ANSIBLE_PIPELINING": pipelining}
    ran = cloud.run(arguments=("-vvvv", "--diff"), **asked)
    key = cloud.dest("node1", "web.key").read_bytes()
    assert key == cloud.key("web").read_bytes()
    assert "censored due to no log" in ran.flat(), "ssh says nothing at all at this verbosity: the test sees nothing"
    assert not [shape for shape in shapes(key) if shape in ran.text]
    again = cloud.run(arguments=("-vvvv", "--diff"), **asked)
    assert again.changed() == 0 and not [shape for shape in shapes(key) if shape in again.text]
