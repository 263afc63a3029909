# SPDX-License-Identifier: Apache-2.0
"""What OpenStack-Ansible's documentation says cannot be done: a real HAProxy serves the private authority's certificate on
the internal address and the user's own on the external one; then one is renewed, the other stays."""

from __future__ import annotations

import contextlib

import servers
from cloud import INTERMEDIATE, ROOT, certificate
from test_provided import user_set


def wishes(cloud):
    """One entry list for both addresses: generated for the internal one, the user's for the external one."""
    at, files = cloud.work, (("certificate", ".crt"), ("private_key", ".key"), ("ca_bundle", "-ca.crt"))
    sources = {"certificate": f"{at}/user.pem", "private_key": f"{at}/user.key", "ca_bundle": f"{at}/ca.pem"}
    entries = [{"name": "internal", "type": kind, "src": "", "dest": f"{at}/node1/internal{end}"} for kind, end in files]
    entries += [{"name": "external", "type": kind, "src": sources[kind], "dest": f"{at}/node1/external{end}"} for kind, end in files]
    return {
        "pki_authorities": [ROOT, INTERMEDIATE], "pki_install_certificates": entries,
        "pki_certificates": [certificate("internal", san={"dns": ["internal.example.org"], "ip": []})],
        "pki_handler_cert_installed": "haproxy cert installed",
    }


def assemble(cloud):
    """What os_haproxy's handler does: certificate, authorities and key in one file."""
    join = "; ".join(["umask 0077", *(f"cat {name}.crt {name}-ca.crt {name}.key > {name}.pem" for name in ("internal", "external"))])
    return {"name": "Assemble", "listen": "haproxy cert installed", "ansible.builtin.shell": {"cmd": join, "chdir": f"{cloud.work}/node1"}}


@contextlib.contextmanager
def haproxy(cloud):
    """HAProxy with one frontend for each address; yields their ports."""
    ports = {name: servers.free_port() for name in ("internal", "external")}
    frontends = "\n".join(
        f"frontend {name}\n mode http\n bind 127.0.0.1:{port} ssl crt {cloud.work}/node1/{name}.pem\n http-request return status 200\n"
        for name, port in ports.items())
    (cloud.work / "haproxy.cfg").write_text(f"defaults\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n{frontends}")
    with servers.running(["haproxy", "-db", "-f", cloud.work / "haproxy.cfg"], cloud.work / "haproxy.log", ports["external"]):
        yield ports


def served(port, name, trusted):
    """The serial that is served for a name, once openssl has verified it with the trusted file."""
    return servers.Client(trusted, name).serial(port)


def test_two_addresses_two_authorities(cloud):
    user_set(cloud.work, san="DNS:public.example.org")
    cloud.run(handlers=[assemble(cloud)], **wishes(cloud))
    root, own = cloud.authority("ExampleCorpRoot"), cloud.serial(cloud.work / "user.pem")
    with haproxy(cloud) as ports:
        first = served(ports["internal"], "internal.example.org", root)
        assert first == cloud.serial(cloud.leaf("internal"))
        assert served(ports["external"], "public.example.org", cloud.work / "ca.pem") == own
    cloud.run(handlers=[assemble(cloud)], **wishes(cloud), pki_regen_cert="internal")
    with haproxy(cloud) as ports:
        second = served(ports["internal"], "internal.example.org", root)
        assert second == cloud.serial(cloud.leaf("internal")) != first
        assert served(ports["external"], "public.example.org", cloud.work / "ca.pem") == own
