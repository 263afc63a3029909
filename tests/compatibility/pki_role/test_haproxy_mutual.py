# SPDX-License-Identifier: Apache-2.0
"""HAProxy with a certificate for each VIP, by the names that haproxy_server gives them, and with clients that must show one."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import subprocess

import pytest
import servers
from cloud import openssl

# The three kinds of VIP: of one interface, of a name, of every address. What is left of the bind line is the port.
BINDS = {
    "haproxy_node1-127.0.0.1-lo": "127.0.0.1:{port} interface lo",
    "haproxy_node1-localhost": "localhost:{port}",
    "haproxy_node1-*": "*:{port}",
}
REQUEST = b"GET / HTTP/1.1\r\nHost: internal.cloud\r\nConnection: close\r\n\r\n"


def assemble(work):
    """What haproxy_server's handler does for each VIP: certificate, authorities and key in one file."""
    names = " ".join(f"'{name}'" for name in BINDS)
    join = f"for name in {names}; do cat \"$name.crt\" \"$name-ca.crt\" \"$name.key\" > \"{work}/ssl/$name.pem\" || exit 1; done"
    return {"name": "Regen pem", "listen": "haproxy cert installed", "ansible.builtin.shell": {"cmd": f"umask 0077; {join}", "chdir": f"{work}/node1/tmp"}}


@dataclasses.dataclass
class Balancer:
    """A running HAProxy, its master process, and the port of each certificate's frontend."""

    site: servers.Deployment
    ports: dict
    master: subprocess.Popen

    def reload(self):
        """As systemd reloads it: the master starts a new worker, which soon listens in the old one's place."""
        self.master.send_signal(signal.SIGUSR2)


@contextlib.contextmanager
def haproxy(work, site):
    """One frontend for each certificate; all want to see one of the client."""
    ports = {name: servers.free_port() for name in BINDS}
    frontends = "".join(
        f"frontend {number}\n bind {bind.format(port=ports[name])} ssl crt {work}/ssl/{name}.pem verify required ca-file {site.host}/tmp/{name}-ca.crt\n"
        " http-request return status 200 hdr subject %[ssl_c_s_dn]\n" for number, (name, bind) in enumerate(BINDS.items()))
    (work / "haproxy.cfg").write_text(f"defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n{frontends}")
    with servers.running(["haproxy", "-W", "-db", "-f", work / "haproxy.cfg"], work / "haproxy.log", ports["haproxy_node1-*"]) as master:
        yield Balancer(site, ports, master)


@pytest.fixture(scope="module")
def balancer():
    """One HAProxy for the tests below, on what the role installed for it."""
    with servers.place() as work:
        servers.state(work, "ssl")
        shape = servers.described("haproxy", **{"172.29.236.9": "127.0.0.1", "br-mgmt": "lo", "address: public.example.org": "address: localhost"})
        site = servers.Deployment(work, shape, handlers=[assemble(work)], watched=["ssl"]).with_client()
        site.install()
        with haproxy(work, site) as started:
            yield started


@pytest.mark.parametrize("name", BINDS)
@pytest.mark.parametrize("asked", ["127.0.0.1", "infra1", "public.example.org", "internal.cloud"])
def test_each_vip_serves_its_own_certificate_for_all_names(balancer, name, asked):
    client = balancer.site.client(asked)
    assert client.serial(balancer.ports[name]) == balancer.site.serial(name)
    answer = client.ask(balancer.ports[name], REQUEST)
    assert answer.startswith(b"HTTP/1.1 200") and b"subject: /CN=client\r\n" in answer


def test_no_two_vips_serve_the_same(balancer):
    assert len({balancer.site.serial(name) for name in BINDS}) == len(BINDS)


def test_the_names_are_there_once_though_the_variables_repeat_them(balancer):
    for name in BINDS:
        said = openssl("x509", "-in", balancer.site.cloud.leaf(name), "-noout", "-ext", "subjectAltName").splitlines()[1]
        found = sorted(word.strip() for word in said.split(","))
        assert found == ["DNS:infra1", "DNS:infra1.example.org", "DNS:internal.cloud", "DNS:public.example.org", "IP Address:127.0.0.1"]


@pytest.mark.parametrize("name", BINDS)
def test_a_client_without_a_certificate_is_refused(balancer, name):
    assert balancer.site.stranger("infra1").refused(balancer.ports[name], REQUEST)


def test_one_vip_is_renewed_by_a_reload_and_the_others_keep_theirs(balancer):
    site, renewed = balancer.site, "haproxy_node1-127.0.0.1-lo"
    before = {name: site.serial(name) for name in BINDS}
    site.renew(renewed)
    balancer.reload()
    client, port = site.client("infra1"), balancer.ports[renewed]
    assert servers.eventually(lambda: client.serial(port) == site.serial(renewed) != before[renewed])
    for name in BINDS:
        assert client.serial(balancer.ports[name]) == site.serial(name)
        assert (site.serial(name) == before[name]) == (name != renewed)
