# SPDX-License-Identifier: Apache-2.0
"""Pebble and HAProxy on their machines, and HAProxy's configuration as OpenStack-Ansible generates it."""

from __future__ import annotations

import functools
import json
import pathlib
import re
import subprocess

from network import wait_until

TOP = pathlib.Path(__file__).resolve().parents[3]

# What openstack-ansible-haproxy_server (b86fdd53) and openstack-ansible (ff080374) make of haproxy_ssl_letsencrypt_enable with their defaults: the global
# part, the service 'base', and the service 'letsencrypt' with all nodes.
GLOBAL = """\
global
        chroot /var/lib/haproxy
        user haproxy
        group haproxy
        maxconn 4096
        tune.maxrewrite 1280
        stats socket /var/run/haproxy.stat level admin mode 600
        ssl-default-bind-options ssl-min-ver TLSv1.2 prefer-client-ciphers
        tune.ssl.default-dh-param 2048

defaults
        option dontlognull
        option redispatch
        option httpclose
        retries 3
        timeout client 50s
        timeout connect 10s
        timeout http-request 5s
        timeout server 50s
        maxconn 4096
"""
BASE = """
frontend base-redirect-front-{index}
bind {address}:80
    mode http
    redirect scheme https if !{{ ssl_fc }} !{{ path_beg /.well-known/acme-challenge/ }}
    acl letsencrypt-acl path_beg /.well-known/acme-challenge/
    use_backend letsencrypt-back if letsencrypt-acl

frontend base-front-{index}
    bind {address}:443 ssl crt /etc/haproxy/ssl/haproxy_{hostname}-{file}.pem alpn h2,http/1.1
    option forwardfor except 127.0.0.0/8
    http-request add-header X-Forwarded-Proto https
    mode http
    http-request return status 200 content-type text/plain string {hostname}
"""
LETSENCRYPT = """
frontend letsencrypt-front-1
    bind 127.0.0.1:8888
    option forwardfor except 127.0.0.0/8
    mode http
    default_backend letsencrypt-back

backend letsencrypt-back
    mode http
    balance {balance}
    option forwardfor
{arguments}{servers}
"""
# What the guide has OpenStack-Ansible's users set in haproxy_letsencrypt_service_overrides.
OVERRIDES = {"balance": "roundrobin", "arguments": ["option redispatch 1", "retries 10", "retry-on conn-failure empty-response 404"], "server": "no-check"}


def configuration(hostname, addresses, nodes, balance="leastconn", arguments=(), server=""):
    """HAProxy's file of a node: `addresses` are those of the binds, each with how its file is called."""
    fronts = [BASE.format(index=index, address=address, file=file, hostname=hostname) for index, (address, file) in enumerate(addresses, 1)]
    check = "check port 8888 inter 4000 rise 1 fall 5"
    servers = "\n".join(f"    server {node.name} {node.address}:8888 {check} {server}".rstrip() for node in nodes)
    lines = "".join(f"    {line}\n" for line in arguments)
    return GLOBAL + "".join(fronts) + LETSENCRYPT.format(balance=balance, arguments=lines, servers=servers)


@functools.lru_cache(maxsize=None)
def pebble_program():
    """Pebble 2.10, which scripts/pebble lays into the cache."""
    done = subprocess.run([TOP / "scripts/pebble"], check=True, capture_output=True, text=True, timeout=180)
    return done.stdout.strip()


class Pebble:
    """An ACME server that validates: http-01 on port 80 of whoever has the name."""

    def __init__(self, machine, **more):
        self.machine = machine
        self.url = "https://192.0.2.1:14000/dir"
        self.ca_file = machine.place / "pebble.pem"
        key = machine.place / "pebble.key"
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=pebble",
                 "-addext", "subjectAltName=IP:192.0.2.1", "-keyout", key, "-out", self.ca_file]
        subprocess.run(list(map(str, words)), check=True, capture_output=True, timeout=60)
        settings = {"listenAddress": "192.0.2.1:14000", "managementListenAddress": "192.0.2.1:15000", "certificate": str(self.ca_file), "privateKey": str(key),
                    "httpPort": 80, "tlsPort": 5001, "ocspResponderURL": "", "externalAccountBindingRequired": False, "retryAfter": {"authz": 1, "order": 1},
                    "keyAlgorithm": "ecdsa", "profiles": {"default": {"description": "ninety days", "validityPeriod": 7776000}}, **more}
        (machine.place / "pebble.json").write_text(json.dumps({"pebble": settings}))
        self.process = None
        self.start()

    def start(self):
        """Until it answers."""
        quiet = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        self.process, self.log = self.machine.spawn(pebble_program(), "-config", self.machine.place / "pebble.json", environment=quiet)
        look = ("curl", "--silent", "--fail", "--cacert", self.ca_file, self.url)
        wait_until(lambda: self.machine.run(*look, check=False).returncode == 0, f"Pebble does not answer: {self.log}")

    def stop(self):
        """It is gone."""
        self.process.terminate()
        self.process.wait(timeout=30)

    def said(self):
        """Its log."""
        return self.log.read_text(errors="replace")

    def orders(self):
        """How many orders were made."""
        return self.said().count("POST /order-plz")

    def roots(self):
        """The root of what it issues."""
        text = self.machine.run("curl", "--silent", "--fail", "--cacert", self.ca_file, "https://192.0.2.1:15000/roots/0").stdout
        path = self.machine.place / "root.pem"
        path.write_text(text)
        return path


class HAProxy:
    """A master and its workers, as the unit of Debian runs them, but for systemd."""

    def __init__(self, node, text):
        self.node = node
        (node.lib / "haproxy").mkdir(exist_ok=True)
        (node.etc / "haproxy/conf.d").mkdir(parents=True, exist_ok=True)
        self.file = node.etc / "haproxy/haproxy.cfg"
        self.file.write_text(text)
        self.process = None

    def start(self):
        """Until it listens."""
        self.process, self.log = self.node.spawn("haproxy", "-W", "-f", "/etc/haproxy/haproxy.cfg", "-p", "/run/haproxy.pid")
        wait_until(self.is_up, f"HAProxy does not run: {self.log}")

    def is_up(self):
        """Whether it answers at its socket."""
        assert self.process.poll() is None, self.log.read_text(errors="replace")
        return self.ask("show info", check=False).returncode == 0

    def ask(self, text, check=True):
        """Its runtime API, by another client than ours."""
        return self.node.run("socat", "-", "UNIX-CONNECT:/var/run/haproxy.stat", text=f"{text}\n", check=check)

    def worker(self):
        """The process that serves now."""
        return int(re.search(r"^Pid: ([0-9]+)$", self.ask("show info").stdout, re.MULTILINE).group(1))

    def handed_on(self):
        """How many requests went to the nodes that ask."""
        rows = [line.split(",") for line in self.ask("show stat").stdout.splitlines()]
        return next(int(row[7]) for row in rows if row[:2] == ["letsencrypt-back", "BACKEND"])
