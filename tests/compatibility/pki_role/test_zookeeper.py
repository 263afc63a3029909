# SPDX-License-Identifier: Apache-2.0
"""Debian's ZooKeeper with mutual TLS: the key stores that an operator makes of what the zookeeper role has installed."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import shutil
import subprocess

import pytest
import servers
from cloud import openssl

JAVA = pathlib.Path("/usr/share/java")
JARS = (
    "zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-simple", "netty-all", "netty-buffer", "netty-codec", "netty-common", "netty-handler",
    "netty-resolver", "netty-transport", "netty-transport-native-epoll", "netty-transport-native-unix-common", "snappy-java", "metrics-core",
    "jackson-annotations", "jackson-core", "jackson-databind", "commons-cli", "commons-io")
QUICK_START = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
FOUR_LETTERS = b"srvr"  # ZooKeeper's word for: what are you?
PASSWORD = "changeit"  # Of key stores that live as long as a test; Java wants one.


def java(main, *arguments, **settings):
    """The words that start a class of ZooKeeper with its settings."""
    jars = [JAVA / f"{jar}.jar" for jar in JARS]
    assert all(jar.exists() for jar in jars), jars
    options = [f"-D{name.replace('_', '.')}={value}" for name, value in settings.items()]
    return ["java", *QUICK_START, "-cp", ":".join(map(str, jars)), *options, f"org.apache.zookeeper.{main}", *map(str, arguments)]


def regenerate_pem(work):
    """What the zookeeper role's handler does: certificate, authorities and key in one file, ZooKeeper's PEM key store."""
    join = f"cat zk.crt zk-ca.crt zk.key > {work}/stores/zk.pem && chown nobody {work}/stores/zk.pem"
    return {"name": "Regen pem", "listen": "cert installed", "ansible.builtin.shell": {"cmd": f"umask 0077; {join}", "chdir": f"{work}/node1"}}


def import_into_jks(site, stores):
    """The same as a Java key store, through PKCS#12, with the tools that every guide names."""
    files, packed, store = site.host, stores / "zk.p12", stores / "zk.jks"
    openssl("pkcs12", "-export", "-name", "zookeeper", "-in", files / "zk.crt", "-certfile", files / "zk-ca.crt", "-inkey", files / "zk.key",
            "-out", packed, "-passout", f"pass:{PASSWORD}")
    keytool("-importkeystore", "-srckeystore", packed, "-srcstoretype", "PKCS12", "-srcstorepass", PASSWORD, "-destkeystore", store,
            "-deststoretype", "JKS", "-deststorepass", PASSWORD)
    shutil.chown(store, "nobody")
    return store


def keytool(*arguments):
    """What Java's own tool says."""
    command = ["keytool", *(f"-J{option}" for option in QUICK_START), *map(str, arguments)]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclasses.dataclass
class Ensemble:
    """A running server, alone, and the files that it serves."""

    site: servers.Deployment
    port: int

    def told(self, *commands):
        """What ZooKeeper's own client says to commands; it verifies the server's address."""
        settings = {
            "zookeeper_client_secure": "true", "zookeeper_clientCnxnSocket": "org.apache.zookeeper.ClientCnxnSocketNetty",
            "zookeeper_ssl_trustStore_location": self.site.trusted, "zookeeper_ssl_keyStore_location": client_store(self.site)}
        command = java("ZooKeeperMain", "-server", f"127.0.0.1:{self.port}", **settings)
        done = subprocess.run(command, input="\n".join([*commands, "quit", ""]), capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr


@contextlib.contextmanager
def zookeeper(work, site, store, name):
    """A server that has a TLS port only, with a key store of the role's files; it trusts what main_ca_install has installed."""
    data, port = servers.state(work, name, "nobody"), servers.free_port()
    password = f"ssl.keyStore.password={PASSWORD}\n" if store.suffix == ".jks" else ""
    (work / f"{name}.cfg").write_text(
        f"dataDir={data}\nsecureClientPort={port}\nsecureClientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
        "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\nssl.enabledProtocols=TLSv1.2,TLSv1.3\nssl.clientAuth=need\n"
        f"ssl.keyStore.location={store}\n{password}ssl.trustStore.location={site.trusted}\nssl.trustStore.type=PEM\n")
    command = [*servers.as_user("nobody", "nogroup"), *java("server.quorum.QuorumPeerMain", work / f"{name}.cfg")]
    with servers.running(command, work / f"{name}.log", port):
        yield Ensemble(site, port)


@pytest.fixture(scope="module")
def site():
    """What the role installed for ZooKeeper, of ZooKeeper's own authorities, and a client's certificate."""
    with servers.place() as work:
        servers.state(work, "stores")
        deployment = servers.Deployment(
            work, servers.described("zookeeper", **{"10.1.2.10": "127.0.0.1"}), authority="ZookeeperIntermediate", root="ZookeeperRoot",
            handlers=[regenerate_pem(work)], watched=["stores"]).with_client(key_format="pkcs8")
        deployment.stores = work / "stores"
        deployment.trusted = work / "ZookeeperRoot.pem"
        deployment.install()
        # The trust store's name ends in .crt; ZooKeeper's client goes by the ending.
        deployment.trusted.write_bytes((work / "trust/node1/ZookeeperRoot.crt").read_bytes())
        yield deployment


def client_store(site):
    """A client's key store, made as the server's is."""
    store = site.stores / "client.pem"
    store.touch(mode=0o600)
    store.write_bytes((site.host / "client/client.pem").read_bytes() + (site.host / "client/client.key").read_bytes())
    return store


@pytest.fixture(scope="module")
def java_store(site):
    """The files as a Java key store."""
    return import_into_jks(site, site.stores)


@pytest.fixture(scope="module", params=["pem", "jks"])
def ensemble(site, java_store, request):
    """One server for each kind of key store."""
    store = site.stores / "zk.pem" if request.param == "pem" else java_store
    with zookeeper(site.cloud.work, site, store, request.param) as started:
        yield started


def test_a_client_with_a_certificate_is_answered(ensemble):
    client = ensemble.site.client("127.0.0.1")
    assert client.ask(ensemble.port, FOUR_LETTERS).startswith(b"Zookeeper version:")
    assert client.serial(ensemble.port) == ensemble.site.serial("zookeeper_node1")


def test_a_client_without_a_certificate_is_refused(ensemble):
    assert ensemble.site.stranger("127.0.0.1").refused(ensemble.port, FOUR_LETTERS)


def test_zookeepers_own_client_writes_and_reads(ensemble):
    said = ensemble.told("create /lock held", "get /lock")
    assert "Created /lock" in said and "\nheld\n" in said, said


def test_java_finds_the_key_with_its_whole_chain(site, java_store):
    said = keytool("-list", "-v", "-keystore", java_store, "-storepass", PASSWORD)
    assert said.count("Alias name:") == 1 and "Entry type: PrivateKeyEntry" in said and "Certificate chain length: 3" in said
    prints = [openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256").strip().partition("=")[2] for path in (
        site.cloud.leaf("zookeeper_node1"), site.cloud.authority("ZookeeperIntermediate"), site.cloud.authority("ZookeeperRoot"))]
    assert [line.split()[1] for line in said.splitlines() if line.strip().startswith("SHA256:")] == prints


def test_a_renewed_certificate_is_served_after_a_restart_and_its_key_is_never_open(site):
    before = site.serial("zookeeper_node1")
    site.renew("zookeeper_node1")
    with zookeeper(site.cloud.work, site, site.stores / "zk.pem", "renewed") as ensemble:
        client = site.client("127.0.0.1")
        assert client.ask(ensemble.port, FOUR_LETTERS).startswith(b"Zookeeper version:")
        assert client.serial(ensemble.port) == site.serial("zookeeper_node1") != before
