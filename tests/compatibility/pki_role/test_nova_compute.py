# SPDX-License-Identifier: Apache-2.0
"""Debian's libvirtd and QEMU with mutual TLS, on the files that os_nova asks the role for on a compute host and for the console proxy.

Both look for these files by the names and directories that they have here; nothing else tells libvirtd where they are."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import socket
import subprocess

import pytest
import servers
import vencrypt

HOST = "compute1.example.org"

# libvirtd in a mount namespace of its own: in /etc, /run and /var it finds only what is put there here.
PRIVATE = f"""
mount -t tmpfs tmpfs /mnt
cp -a /etc/. /mnt
mkdir -p /mnt/pki
mount --bind /mnt /etc
mount --bind "$1" /etc/pki
for directory in /run /var/lib /var/cache /var/log; do mount -t tmpfs tmpfs "$directory"; done
echo '127.0.0.1 {HOST}' >> /etc/hosts
# The user whom Debian's libvirt-daemon-system, which also brings units to start, would have made.
grep -q '^libvirt-qemu:' /etc/passwd || echo 'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
grep -q '^libvirt-qemu:' /etc/group || echo 'libvirt-qemu:x:64055:' >> /etc/group
exec libvirtd --listen --config "$2/libvirtd.conf" --pid-file "$2/pid"
"""


@pytest.fixture(scope="module")
def site():
    """What the role installed on a compute host, which is a console host too."""
    with servers.place() as work:
        deployment = servers.Deployment(work, servers.described("nova_compute"), servers.described("nova_api", nova1="compute1"))
        deployment.install()
        yield deployment


@dataclasses.dataclass
class Hypervisor:
    """A running libvirtd."""

    site: servers.Deployment
    port: int
    process: subprocess.Popen
    sockets: pathlib.Path

    def virsh(self, options=""):
        """Ask for the list of machines as a live migration connects: by TLS, with the client's files of this host."""
        inside = ["nsenter", "--mount", "--target", self.process.pid]
        return run(*inside, "virsh", "--connect", f"qemu+tls://{HOST}:{self.port}/system{options}", "list", "--all")

    def read_files_again(self):
        """The administrator's command for it."""
        done = run("virt-admin", "--connect", f"libvirtd:///system?socket={self.sockets}/libvirt-admin-sock", "server-update-tls", "libvirtd")
        assert done.returncode == 0, done.stderr


def run(*command):
    """Run a program to its end."""
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def hypervisor(site):
    """One libvirtd for the tests below; it listens with TLS and on sockets of its own."""
    work, port = site.cloud.work, servers.free_port()
    home, sockets = servers.state(work, "libvirt"), servers.state(work, "sockets")
    (home / "libvirtd.conf").write_text(
        f'listen_tls = 1\nlisten_tcp = 0\nlisten_addr = "127.0.0.1"\ntls_port = "{port}"\nunix_sock_dir = "{sockets}"\n'
        'auth_tls = "none"\nauth_unix_rw = "none"\nhost_uuid = "8d7a4b9c-3f5e-4a57-9d55-0a5c1d0e9f11"\n')
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", PRIVATE, "sh", site.host, home]
    with servers.running([*servers.as_user("root"), *command], work / "libvirtd.log", port) as process:
        yield Hypervisor(site, port, process, sockets)


def test_libvirt_lets_a_host_with_a_certificate_in(hypervisor):
    done = hypervisor.virsh()
    assert done.returncode == 0 and "Name" in done.stdout, done.stderr


def test_libvirt_refuses_a_host_without_a_certificate(hypervisor, tmp_path):
    (tmp_path / "cacert.pem").write_bytes((hypervisor.site.host / "CA/cacert.pem").read_bytes())
    done = hypervisor.virsh(f"?pkipath={tmp_path}")
    assert done.returncode != 0 and "Unable to read TLS confirmation" in done.stderr, done.stderr


def test_libvirt_serves_a_renewed_certificate_once_it_is_told(hypervisor):
    site, files = hypervisor.site, hypervisor.site.host / "libvirt"
    client = servers.Client(site.root, HOST, ("-cert", files / "clientcert.pem", "-key", files / "private/clientkey.pem"))
    first = client.serial(hypervisor.port)
    assert first == site.serial("nova_node1")
    site.renew("nova_node1")
    assert client.serial(hypervisor.port) == first, "libvirtd read the files before it was told to"
    hypervisor.read_files_again()
    assert client.serial(hypervisor.port) == site.serial("nova_node1") != first
    done = hypervisor.virsh()
    assert done.returncode == 0, done.stderr


@dataclasses.dataclass
class Machine:
    """A running QEMU without a guest."""

    site: servers.Deployment
    port: int
    monitor: pathlib.Path

    def console(self, *own):
        """Connect to its screen as the console proxy does."""
        return vencrypt.console(self.port, HOST, self.site.host / "novnc/ca-cert.pem", own)

    def proxy(self):
        """With the files that the console proxy has."""
        return self.console(self.site.host / "novnc/client-cert.pem", self.site.host / "novnc/client-key.pem")

    def read_files_again(self):
        """The monitor's command for it."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.monitor))
            with link.makefile("rw") as talk:
                talk.readline()
                for command, arguments in (("qmp_capabilities", {}), ("display-reload", {"type": "vnc", "tls-certs": True})):
                    talk.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
                    talk.flush()
                    answer = json.loads(talk.readline())
                    assert answer == {"return": {}}, answer


@pytest.fixture(scope="module")
def machine(site):
    """One QEMU for the tests below, whose group may read its key; it shows its screen to peers with a certificate only."""
    home, port = servers.state(site.cloud.work, "qemu", "nobody"), servers.free_port()
    command = [
        *servers.as_user("nobody", "daemon"), "qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none",
        "-object", f"tls-creds-x509,id=tls,endpoint=server,dir={site.host}/qemu,verify-peer=on", "-vnc", f"127.0.0.1:{port - 5900},tls-creds=tls",
        "-qmp", f"unix:{home}/monitor,server=on,wait=off"]
    with servers.running(command, site.cloud.work / "qemu.log", port):
        yield Machine(site, port, home / "monitor")


def test_qemu_shows_its_screen_to_the_console_proxy(machine):
    with machine.proxy() as (title, serial):
        assert title == "QEMU" and serial == machine.site.serial("nova_node1")


def test_qemu_refuses_a_client_without_a_certificate(machine):
    with pytest.raises(PermissionError), machine.console():
        raise AssertionError("it was let in")


def test_qemu_serves_a_renewed_certificate_once_it_is_told(machine):
    site = machine.site
    with machine.proxy() as (_title, first):
        site.renew("nova_node1")
    with machine.proxy() as (_title, serial):
        assert serial == first != site.serial("nova_node1")
    machine.read_files_again()
    with machine.proxy() as (_title, serial):
        assert serial == site.serial("nova_node1") != first
