# SPDX-License-Identifier: Apache-2.0
"""Renewal without Ansible, certificates of single addresses, and what certbot leaves."""

from __future__ import annotations

import re
import stat

from lab import NAME, RELOAD, VIP, openssl, serial
from network import wait_until
from servers import OVERRIDES


def overwritten_and_failing(lab, node):
    """Somebody overwrites HAProxy's file, as OpenStack-Ansible's handler does when its private certificate is renewed. A reload that fails is told, and
    done by the next run: the real certificate is put back, and nobody is asked."""
    real, orders = serial(lab.pem(node)), lab.pebble.orders()
    private = lab.private_certificate(node)
    node.run(*RELOAD)
    wait_until(lambda: lab.served(node) == private, "HAProxy does not serve it")
    keep = {"on": ["expiry"]}
    said = lab.timer(node, ok=False, renew=keep, sockets=[], reload=["false"])
    assert "'false' ended with status 1, HAProxy keeps what it has" in said
    assert lab.served(node) == private != serial(lab.pem(node)) == real
    assert "HAProxy was reloaded" in lab.timer(node, reload=RELOAD)
    assert lab.served(node) == real and lab.pebble.orders() == orders


def test_the_timer_renews_and_haproxy_serves_it(make):
    """First over HAProxy's socket, then, where there is none, by a reload. Nothing else than the unit's own command is run."""
    lab = make(nodes=1)
    [node] = lab.nodes
    lab.start_all(**OVERRIDES)
    lab.play(node)
    first, worker = lab.served(node), lab.haproxies["node1"].worker()
    assert "HAProxy serves what its files hold" in lab.timer(node) and lab.pebble.orders() == 1
    said = lab.timer(node, renew={"force": True}, after=[f"touch {node.place}/told"])
    second = lab.served(node)
    assert second != first and lab.pebble.orders() == 2 and lab.trusted(node)
    assert "over its socket" in said and lab.haproxies["node1"].worker() == worker and (node.place / "told").exists()
    assert "HAProxy was reloaded" in lab.timer(node, sockets=[])
    assert lab.haproxies["node1"].worker() != worker and lab.served(node) == serial(lab.pem(node)) not in {first, second}
    assert lab.pebble.orders() == 3
    overwritten_and_failing(lab, node)
    hook = node.etc / "tls-everywhere/haproxy_letsencrypt.json"
    assert stat.S_IMODE(hook.stat().st_mode) == 0o600 and "PRIVATE KEY" not in hook.read_text()


def test_each_address_can_have_a_certificate_of_its_own(make):
    lab = make(nodes=1)
    [node] = lab.nodes
    other = "192.0.2.30"
    lab.network.name("s3.example.com", other)
    node.run("ip", "addr", "add", f"{other}/32", "dev", "eth0")
    lab.private_certificate(node)
    lab.pem(node, other).write_text(lab.pem(node).read_text())
    lab.haproxy(node, addresses=[(VIP, VIP), (other, other)], **OVERRIDES).start()
    binds = [{"address": VIP, "type": "external"}, {"address": other, "type": "external", "letsencrypt_domains": ["s3.example.com"]},
             {"address": "192.0.2.20", "type": "internal"}]
    lab.play(node, haproxy_vip_binds=binds)
    assert lab.trusted(node, NAME) and lab.trusted(node, "s3.example.com")
    assert lab.served(node) == serial(lab.pem(node)) != lab.served(node, other) == serial(lab.pem(node, other))
    assert not lab.pem(node, "192.0.2.20").exists() and lab.pebble.orders() == 2


def test_what_certbot_has_is_kept_until_it_is_due(make):
    """A real certbot got it, as OpenStack-Ansible has it do. Nobody is asked for another, and certbot renews it no more."""
    lab = make(nodes=1)
    [node] = lab.nodes
    lab.start_all(**OVERRIDES)
    words = ["certbot", "certonly", "--agree-tos", "--non-interactive", "--text", "--rsa-key-size", "4096", "--key-type", "rsa", "--email", "ops@example.net",
             "--domains", NAME, "--expand", "--server", lab.pebble.url, "--standalone", "--http-01-port", "8888", "--http-01-address", node.address]
    node.run("env", f"REQUESTS_CA_BUNDLE={lab.pebble.ca_file}", *words, "--logs-dir", node.place / "certbot", seconds=120)
    live, hooks = node.etc / "letsencrypt/live" / NAME, node.etc / "letsencrypt/renewal-hooks"
    (hooks / "post").mkdir(parents=True, exist_ok=True)
    (hooks / "post/haproxy-renew").write_text("#!/bin/bash\nsystemctl reload haproxy\n")
    certbots = openssl("x509", "-in", live.parent.parent / "archive" / NAME / "cert1.pem", "-noout", "-serial").strip()
    assert lab.pebble.orders() == 1
    lab.play(node)
    assert lab.served(node) == serial(lab.pem(node)) == certbots and lab.pebble.orders() == 1
    assert not (hooks / "post/haproxy-renew").exists()
    assert [path.name for path in (node.etc / "letsencrypt/renewal").iterdir()] == [f"{NAME}.conf.replaced"]
    again = lab.play(node)
    assert again.changed == 0, again.text
    assert "'cloud.example.com': keep" in lab.timer(node) and lab.pebble.orders() == 1
    lab.timer(node, renew={"force": True})
    assert lab.served(node) != certbots and lab.trusted(node) and lab.pebble.orders() == 2
    assert re.findall(r"There are now ([0-9]+) accounts", lab.pebble.said())[-1] == "1", "certbot's account goes on"
    assert openssl("x509", "-in", lab.pem(node), "-noout", "-text").count("id-ecPublicKey") == 1
