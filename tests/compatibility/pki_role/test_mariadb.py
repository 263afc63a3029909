# SPDX-License-Identifier: Apache-2.0
"""Debian's MariaDB with mutual TLS on the files that galera_server asks the role for, and its own client."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess

import pytest
import servers
from cloud import openssl

# Accounts: any certificate of a trusted authority; one subject of one issuer; none at all.
ACCOUNTS = """
CREATE USER anybody_known@'%' REQUIRE X509;
CREATE USER nova@'%' REQUIRE SUBJECT '/CN=client' AND ISSUER '{issuer}';
CREATE USER keystone@'%' REQUIRE SUBJECT '/CN=keystone';
CREATE USER anybody@'%';
"""


@dataclasses.dataclass
class Database:
    """A running server and the files that it serves."""

    site: servers.Deployment
    port: int
    socket: str

    def log_in(self, user, *options, certificate=True, host="localhost"):
        """What the real client says as this user, over TCP, once it has verified the server."""
        files = self.site.host / "client"
        own = (f"--ssl-cert={files}/client.pem", f"--ssl-key={files}/client.key") if certificate else ()
        options = options or (f"--ssl-ca={self.site.root}", "--ssl-verify-server-cert")
        return self.client(f"--host={host}", "--protocol=tcp", f"--port={self.port}", f"--user={user}", *options, *own)

    def client(self, *options, statement="SELECT CURRENT_USER()"):
        """Run the client."""
        command = ["mariadb", "--no-defaults", "--batch", "--skip-column-names", *options, "--execute", statement]
        return subprocess.run(command, capture_output=True, text=True, timeout=30)

    def serial(self):
        """The serial that openssl is served, verified."""
        return self.site.stranger("localhost").serial(self.port, "-starttls", "mysql")


@contextlib.contextmanager
def mariadb(work, site):
    """The server on a data directory of its own, which speaks TLS or nothing."""
    data, port = servers.state(work, "mariadb", "mysql"), servers.free_port()
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}", "--skip-test-db", "--auth-root-authentication-method=socket",
         "--auth-root-socket-user=root"], check=True, capture_output=True, timeout=120)
    issuer = openssl("x509", "-in", site.authority, "-noout", "-subject", "-nameopt", "compat").strip().removeprefix("subject=")
    (work / "accounts.sql").write_text(ACCOUNTS.format(issuer=issuer))
    command = [
        *servers.as_user("mysql"), "mariadbd", "--no-defaults", f"--datadir={data}", f"--tmpdir={data}", f"--socket={data}/socket",
        f"--pid-file={data}/pid", f"--port={port}", "--bind-address=127.0.0.1", f"--init-file={work}/accounts.sql", "--innodb-buffer-pool-size=8M",
        f"--ssl-cert={site.host}/certs/galera.pem", f"--ssl-key={site.host}/mysql/ssl/galera.key", f"--ssl-ca={site.host}/certs/galera-ca.pem",
        "--require-secure-transport=ON"]
    with servers.running(command, work / "mariadb.log", port):
        yield Database(site, port, f"{data}/socket")


@pytest.fixture(scope="module")
def database():
    """One server for the tests below, on what the role installed for it."""
    with servers.place() as work:
        site = servers.Deployment(work, servers.described("galera", nobody="mysql", db1="localhost")).with_client()
        site.install()
        with mariadb(work, site) as started:
            yield started


@pytest.mark.parametrize("user", ["anybody_known", "nova", "anybody"])
def test_a_client_with_a_certificate_gets_in(database, user):
    done = database.log_in(user)
    assert (done.returncode, done.stdout.strip()) == (0, f"{user}@%"), done.stderr


@pytest.mark.parametrize("user", ["anybody_known", "nova"])
def test_a_client_without_a_certificate_is_refused(database, user):
    assert "Access denied" in database.log_in(user, certificate=False).stderr


def test_a_client_with_anothers_certificate_is_refused(database):
    assert "Access denied" in database.log_in("keystone").stderr


def test_a_client_without_tls_is_refused(database):
    assert database.log_in("anybody", certificate=False).returncode == 0
    assert database.log_in("anybody", "--skip-ssl", certificate=False).returncode != 0


def test_the_client_refuses_a_server_of_another_name(database):
    done = database.log_in("anybody", host="127.0.0.1")
    assert done.returncode != 0 and "SSL" in done.stderr, done


def test_a_renewed_certificate_is_served_after_flush_ssl_and_its_key_is_never_open(database):
    site, first = database.site, database.serial()
    assert first == site.serial("galera_node1")
    site.renew("galera_node1")
    assert database.serial() == first, "the server read the files before it was told to"
    told = database.client(f"--socket={database.socket}", "--user=root", statement="FLUSH SSL")
    assert told.returncode == 0, told.stderr
    assert database.serial() == site.serial("galera_node1") != first
    assert database.log_in("nova").stdout.strip() == "nova@%"
