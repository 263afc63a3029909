# SPDX-License-Identifier: Apache-2.0
"""The role haproxy_letsencrypt on a host with a running systemd and the HAProxy of the next Debian, as its package's own unit runs it. No server is
asked: what certbot had is not due. Orders are tested in tests/compatibility/haproxy_letsencrypt."""

from __future__ import annotations

import pytest
from engines import until

NAME, PORT, PEM = "cloud.example.com", 7443, "/etc/haproxy/ssl/haproxy_machine.pem"
LIVE = f"/etc/letsencrypt/live/{NAME}"
CONFIGURATION = f"""\
global
  user haproxy
  group haproxy
  stats socket /run/haproxy/admin.sock mode 660 level admin
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend tls
  bind 127.0.0.1:{PORT} ssl crt {PEM}
  http-request return status 200
"""
ROLE = {
    "haproxy_ssl_letsencrypt_enable": True, "haproxy_ssl_letsencrypt_domains": [NAME], "haproxy_ssl_letsencrypt_email": "ops@example.net",
    "haproxy_ssl_letsencrypt_certbot_server": "https://127.0.0.1:1/directory", "haproxy_letsencrypt_port": PORT,
    "haproxy_vip_binds": [{"address": "127.0.0.1", "type": "external", "pem": PEM}],
}
UNIT = "tls-everywhere-haproxy-letsencrypt"


class Node:
    """The machine as a node of HAProxy."""

    def __init__(self, machine, play):
        self.machine, self._play = machine, play

    def role(self, **variables):
        """Run the role; what was said."""
        return self._play([], {**ROLE, **variables}, roles=["tls.everywhere.haproxy_letsencrypt"], host=self.machine.host())

    def served(self):
        """The fingerprint that a client gets."""
        return self.machine.served(PORT)

    def fingerprint(self, path):
        """Of the first certificate in a file."""
        return self.machine.exec("openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]

    def pair(self, certificate, key, name):
        """A certificate that openssl makes."""
        self.machine.exec("sh", "-c", f"mkdir -p $(dirname {certificate}) && umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                          f"-days 80 -subj /CN={name} -addext subjectAltName=DNS:{name} -keyout {key} -out {certificate} 2>&1")

    def overwrite(self):
        """Somebody puts another certificate into HAProxy's file and has it read."""
        self.pair("/root/other.pem", "/root/other.key", NAME)
        self.machine.exec("sh", "-c", f"cat /root/other.pem /root/other.key >{PEM} && systemctl reload haproxy")
        until("HAProxy serves it", lambda: self.served() == self.fingerprint("/root/other.pem"))


@pytest.fixture
def node(newer, play):
    """The machine with what certbot has, and nothing for HAProxy, which does not run."""
    node = Node(newer, play)
    node.pair(f"{LIVE}/fullchain.pem", f"{LIVE}/privkey.pem", NAME)
    newer.exec("sh", "-c", f"mkdir -p /etc/haproxy && printf '%s' '{CONFIGURATION}' >/etc/haproxy/haproxy.cfg")
    yield node
    newer.systemctl("stop", f"{UNIT}.timer", "haproxy.service", check=False)
    newer.exec("sh", "-c", f"rm -rf /etc/haproxy/ssl /etc/haproxy/letsencrypt /etc/letsencrypt /etc/systemd/system/{UNIT}.* /etc/systemd/system/*/{UNIT}.* "
               "/etc/tls-everywhere /usr/local/libexec/tls-everywhere")
    newer.systemctl("daemon-reload")


def test_the_units_and_the_package_of_haproxy(node):
    """HAProxy is started with what certbot had. The timer is on; what it starts puts HAProxy right over its socket, or by the unit's own reload."""
    machine = node.machine
    assert "unreachable=0 failed=0" in node.role()
    assert machine.systemctl("is-active", f"{UNIT}.timer") == "active" and machine.systemctl("is-enabled", f"{UNIT}.timer") == "enabled"
    until("HAProxy serves what certbot had", lambda: node.served() == node.fingerprint(f"{LIVE}/fullchain.pem"))
    node.overwrite()
    worker = machine.exec("pgrep", "--newest", "haproxy")
    machine.systemctl("start", f"{UNIT}.service")
    assert node.served() == node.fingerprint(PEM) == node.fingerprint(f"{LIVE}/fullchain.pem")
    assert machine.exec("pgrep", "--newest", "haproxy") == worker
    assert "over its socket" in machine.exec("journalctl", "--no-pager", "--output=cat", f"--unit={UNIT}.service")
    node.overwrite()
    node.role(haproxy_letsencrypt_sockets=[], haproxy_letsencrypt_timer_state="absent")
    assert node.served() == node.fingerprint(f"{LIVE}/fullchain.pem") and machine.exec("pgrep", "--newest", "haproxy") != worker
    assert UNIT not in machine.exec("ls", "/etc/systemd/system") and machine.systemctl("is-active", f"{UNIT}.timer", check=False) == "inactive"
