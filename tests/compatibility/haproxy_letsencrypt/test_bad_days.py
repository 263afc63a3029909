# SPDX-License-Identifier: Apache-2.0
"""When it does not work, HAProxy keeps what it has."""

from __future__ import annotations

from lab import NAME, openssl, serial
from servers import OVERRIDES

# How long the node looks whether it is reached; where nothing answers.
SOON = {"http": {"timeout": "2s"}}


def test_haproxy_has_nothing_to_start_with(make):
    """The role leaves a placeholder, and fails: nobody answers the server. With it HAProxy starts, and the next run gets a real one."""
    lab = make(nodes=1)
    [node] = lab.nodes
    haproxy = lab.haproxy(node, **OVERRIDES)
    refused = lab.play(node, ok=False, acme=SOON)
    placeholder = serial(lab.pem(node))
    assert NAME in refused.text and openssl("x509", "-in", lab.pem(node), "-noout", "-ext", "subjectAltName").count(f"DNS:{NAME}") == 1
    haproxy.start()
    assert lab.served(node) == placeholder
    lab.timer(node)
    assert lab.served(node) != placeholder and lab.trusted(node)


def test_the_server_refuses(make):
    """What it says is said, on the play and in the journal; HAProxy is not touched."""
    lab = make(nodes=1, domainBlocklist=[NAME])
    [node] = lab.nodes
    lab.start_all(**OVERRIDES)
    before, worker = lab.pem(node).read_bytes(), lab.haproxies["node1"].worker()
    refused = lab.play(node, ok=False)
    assert "rejectedIdentifier" in refused.text or "blocked" in refused.text, refused.text
    assert NAME in lab.timer(node, ok=False)
    assert lab.pem(node).read_bytes() == before and lab.haproxies["node1"].worker() == worker and lab.served(node) == serial(lab.pem(node))


def test_somebody_overwrites_haproxys_file(make):
    """As OpenStack-Ansible's handler does when its private certificate is renewed: the real one is put back, and nobody is asked."""
    lab = make(nodes=1)
    [node] = lab.nodes
    lab.start_all(**OVERRIDES)
    lab.play(node)
    real = serial(lab.pem(node))
    private = lab.private_certificate(node)
    node.run("sh", "-c", "kill -USR2 $(cat /run/haproxy.pid)")
    assert "over its socket" in lab.timer(node)
    assert lab.served(node) == serial(lab.pem(node)) == real != private and lab.pebble.orders() == 1
