# SPDX-License-Identifier: Apache-2.0
"""Debian's RabbitMQ with mutual TLS on the files that rabbitmq_server asks the role for, on a node of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess

import pytest
import servers
from cloud import mode, openssl

# RabbitMQ answers a protocol that it does not speak with the header of the one that it does, and hangs up.
UNKNOWN_PROTOCOL, ITS_PROTOCOL = b"AMQP\x00\x00\x09\x00", b"AMQP\x00\x00\x09\x01"
TOOLS = "/usr/lib/rabbitmq/bin"


@dataclasses.dataclass
class Node:
    """A running node and the files that it serves."""

    site: servers.Deployment
    port: int
    environment: dict

    def forget_files(self):
        """Erlang keeps PEM files in memory for two minutes; this is how an operator has them read again."""
        command = [*servers.as_user("rabbitmq"), f"{TOOLS}/rabbitmqctl", "eval", "ssl:clear_pem_cache()."]
        subprocess.run(command, env=self.environment, cwd=self.environment["HOME"], check=True, capture_output=True, timeout=60)


def environment(home, port):
    """Nothing of the machine's own RabbitMQ: not its node, directories, configuration, cookie or epmd."""
    epmd, distribution = servers.free_port(), servers.free_port()
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8",
        "ERL_EPMD_PORT": str(epmd), "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_NODENAME": f"pki{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution), "RABBITMQ_MNESIA_BASE": f"{home}/mnesia", "RABBITMQ_LOG_BASE": f"{home}/log",
        "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf", "RABBITMQ_ADVANCED_CONFIG_FILE": f"{home}/advanced.config",
        "RABBITMQ_CONF_ENV_FILE": f"{home}/no-environment", "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins", "RABBITMQ_PID_FILE": f"{home}/pid",
    }


@contextlib.contextmanager
def rabbitmq(work, site):
    """The node, with a TLS listener only."""
    home, port = servers.state(work, "rabbitmq", "rabbitmq"), servers.free_port()
    (home / "rabbitmq.conf").write_text(
        f"listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:{port}\n"
        f"ssl_options.cacertfile = {site.host}/rabbitmq-ca.pem\nssl_options.certfile = {site.host}/rabbitmq.pem\n"
        f"ssl_options.keyfile = {site.host}/rabbitmq.key\nssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n")
    variables = environment(home, port)
    epmd = [*servers.as_user("rabbitmq"), "/usr/bin/epmd", "-port", variables["ERL_EPMD_PORT"], "-address", "127.0.0.1"]
    node = [*servers.as_user("rabbitmq"), f"{TOOLS}/rabbitmq-server"]
    with servers.running(epmd, work / "epmd.log", variables["ERL_EPMD_PORT"]), servers.running(node, work / "node.log", port, variables):
        yield Node(site, port, variables)


@pytest.fixture(scope="module")
def node():
    """One node for the tests below, on what the role installed for it."""
    with servers.place() as work:
        site = servers.Deployment(work, servers.described("rabbitmq", nobody="rabbitmq", daemon="rabbitmq")).with_client()
        site.install()
        with rabbitmq(work, site) as started:
            yield started


@pytest.mark.parametrize("name", ["rabbit1", "rabbit1.example.org", "10.1.2.3"])
def test_a_client_with_a_certificate_is_answered(node, name):
    client = node.site.client(name)
    assert client.ask(node.port, UNKNOWN_PROTOCOL) == ITS_PROTOCOL
    assert client.serial(node.port) == node.site.serial("rabbitmq_node1")


def test_a_client_without_a_certificate_is_refused(node):
    assert node.site.stranger("rabbit1").refused(node.port, UNKNOWN_PROTOCOL)


def test_a_client_of_another_authority_is_refused(node, tmp_path):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", tmp_path / "own.key",
            "-out", tmp_path / "own.pem", "-subj", "/CN=client")
    client = dataclasses.replace(node.site.stranger("rabbit1"), own=("-cert", tmp_path / "own.pem", "-key", tmp_path / "own.key"))
    assert client.refused(node.port, UNKNOWN_PROTOCOL)


def test_a_renewed_certificate_is_served_and_its_key_is_never_open(node):
    site, client = node.site, node.site.client("rabbit1")
    first, key = client.serial(node.port), (site.host / "rabbitmq.key").read_bytes()
    site.renew("rabbitmq_node1")
    assert (site.host / "rabbitmq.key").read_bytes() != key and mode(site.host / "rabbitmq.key") == "0600"
    node.forget_files()
    assert client.serial(node.port) == site.serial("rabbitmq_node1") != first
    assert client.ask(node.port, UNKNOWN_PROTOCOL) == ITS_PROTOCOL
