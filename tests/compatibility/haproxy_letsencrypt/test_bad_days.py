# SPDX-License-Identifier: Apache-2.0
"""When it does not work, HAProxy keeps what it has."""

from __future__ import annotations

from lab import NAME, VIP, openssl, serial
from servers import OVERRIDES


def test_haproxy_has_nothing_to_start_with(make):
    """The role makes a placeholder and starts HAProxy with it. The server cannot be asked, the play fails; once it can, the timer gets a real one."""
    lab = make(nodes=1)
    [node] = lab.nodes
    lab.haproxy(node, **OVERRIDES)
    lab.pebble.stop()
    start = ["haproxy", "-W", "-D", "-f", "/etc/haproxy/haproxy.cfg", "-p", "/run/haproxy.pid"]
    refused = lab.play(node, ok=False, haproxy_letsencrypt_start=start)
    placeholder = lab.served(node)
    assert placeholder == serial(lab.pem(node)) and "cannot connect to" in refused.text
    assert openssl("x509", "-in", lab.pem(node), "-noout", "-ext", "subjectAltName").count(f"DNS:{NAME}") == 1
    assert "cannot connect to" in lab.timer(node, ok=False) and lab.served(node) == placeholder
    lab.pebble.start()
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


def test_one_of_two_certificates_is_refused_and_the_other_is_served(make):
    """The play fails for the one, after HAProxy serves the other."""
    lab = make(nodes=1, domainBlocklist=["s3.example.com"])
    [node] = lab.nodes
    other = "192.0.2.30"
    node.run("ip", "addr", "add", f"{other}/32", "dev", "eth0")
    lab.private_certificate(node)
    lab.pem(node, other).write_text(lab.pem(node).read_text())
    lab.haproxy(node, addresses=[(VIP, VIP), (other, other)], **OVERRIDES).start()
    private = lab.served(node)
    binds = [{"address": VIP, "type": "external"}, {"address": other, "type": "external", "letsencrypt_domains": ["s3.example.com"]}]
    refused = lab.play(node, ok=False, haproxy_vip_binds=binds)
    assert "s3.example.com" in refused.text
    assert lab.served(node) == serial(lab.pem(node)) != private == lab.served(node, other) and lab.trusted(node)
