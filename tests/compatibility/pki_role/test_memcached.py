# SPDX-License-Identifier: Apache-2.0
"""Debian's memcached with mutual TLS. OpenStack-Ansible has no caller for it: the files are asked for as its user certificates are."""

from __future__ import annotations

import contextlib

import servers

ASKED = b"version\r\nquit\r\n"
SHAPE = {
    "topic": "cert installed", "facts": {}, "includes": [{"entry": "main_certs.yml", "vars": {
        "pki_certificates": [{
            "name": "memcached_{{ inventory_hostname }}", "provider": "ownca", "cn": "cache1", "san": "DNS:cache1,IP:127.0.0.1",
            "signed_by": "ExampleCorpIntermediate"}],
        "pki_install_certificates": [
            {"name": "memcached_{{ inventory_hostname }}", "type": kind, "dest": f"{{{{ dest }}}}/{file}", "owner": "memcache"}
            for kind, file in (("certificate_chain", "memcached.pem"), ("private_key", "memcached.key"), ("ca_bundle", "memcached-ca.pem"))],
    }}],
}


@contextlib.contextmanager
def memcached(work, site):
    """The server; yields its port."""
    port = servers.free_port()
    files = f"ssl_chain_cert={site.host}/memcached.pem,ssl_key={site.host}/memcached.key,ssl_ca_cert={site.host}/memcached-ca.pem"
    command = [*servers.as_user("memcache"), "memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", "-Z", "-o", f"{files},ssl_verify_mode=2"]
    with servers.running(command, work / "memcached.log", port):
        yield port


def test_a_client_needs_a_certificate_and_a_renewed_one_is_served_after_refresh_certs():
    with servers.place() as work:
        site = servers.Deployment(work, SHAPE).with_client()
        site.install()
        client = site.client("cache1")
        with memcached(work, site) as port:
            first = client.serial(port)
            assert first == site.serial("memcached_node1")
            assert client.ask(port, ASKED).startswith(b"VERSION ")
            assert site.stranger("cache1").refused(port, ASKED)
            site.renew("memcached_node1")
            assert client.ask(port, b"refresh_certs\r\nquit\r\n") == b"OK\r\n"
            assert client.serial(port) == site.serial("memcached_node1") != first
            assert client.ask(port, ASKED).startswith(b"VERSION ")
