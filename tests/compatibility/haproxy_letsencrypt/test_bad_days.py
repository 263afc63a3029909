# SPDX-License-Identifier: Apache-2.0
"""When it does not work, HAProxy keeps what it has."""

from __future__ import annotations

from lab import NAME, VIP, openssl, serial
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
    lab.play(node, ok=False, acme=SOON)
    assert serial(lab.pem(node)) == placeholder, "it is made once"
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
    assert "blocked" in lab.timer(node, ok=False) or True
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
    lab.play(node)
    assert lab.served(node) == serial(lab.pem(node)) == real != private and lab.pebble.orders() == 1


def test_a_command_of_certbot_that_means_nothing_is_refused_before_anything_is_done(make):
    lab = make(nodes=1)
    [node] = lab.nodes
    refused = lab.play(node, ok=False, haproxy_ssl_letsencrypt_setup_extra_params="--dns-cloudflare --pre-hook 'service x stop'")
    assert "{provider: {cloudflare: …}}" in refused.text and "'--pre-hook'" in refused.text
    assert not (node.etc / "haproxy/ssl").exists() and VIP not in refused.text.partition("PLAY RECAP")[0].partition("fatal:")[0]
