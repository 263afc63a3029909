# SPDX-License-Identifier: Apache-2.0
"""Hosts that are reached by a real ssh connection, through an sshd of the tests' own. A host can go away with all that runs
on it, and can have a wrong clock: libfaketime, loaded into everything that its sshd starts."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from cloud import TOP, Cloud, collections

sys.path.insert(0, str(TOP / "tests/integration/carry"))
from machine import free_port, run  # noqa: E402  (after the path above)

FAKETIME = pathlib.Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1")


class Host:
    """One sshd on loopback, on a port of its own."""

    def __init__(self, work, clock=None):
        for program, package in (("sshd", "openssh-server"), ("ssh", "openssh-client")):
            assert shutil.which(program, path=os.defpath + ":/usr/sbin:/sbin"), f"install {package}: scripts/setup-debian test"
        assert os.geteuid() == 0, "the tests run an sshd: run them as root"
        self.work = pathlib.Path(work)
        self.work.mkdir()
        self.port = free_port()
        self.sshd = None
        for key in ("host_key", "client_key"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.work / key)
        shutil.copy(self.work / "client_key.pub", self.work / "authorized_keys")
        self.set_clock(clock)
        self.start()

    def set_clock(self, clock):
        """Before it starts: None is right, +1h and -1h are wrong."""
        if clock:
            assert FAKETIME.exists(), "install libfaketime: scripts/setup-debian test"
        # Programs are kept here, not in root's home, which other tests set aside. Monotonic clocks stay: waiting takes as
        # long as on any host.
        wrong = f" LD_PRELOAD={FAKETIME} FAKETIME={clock} FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1" if clock else ""
        (self.work / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.work}/host_key\nAuthorizedKeysFile {self.work}/authorized_keys\n"
            f"StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nPidFile none\nSubsystem sftp internal-sftp\n"
            f"SetEnv XDG_CACHE_HOME={self.work}/cache{wrong}\n")

    @property
    def inventory(self):
        """The variables with which Ansible reaches it."""
        return (f"ansible_connection=ssh ansible_host=127.0.0.1 ansible_port={self.port} ansible_user=root "
                f"ansible_ssh_private_key_file={self.work}/client_key ansible_python_interpreter=/usr/bin/python3 "
                f"ansible_remote_tmp={self.work}/tmp "
                "ansible_ssh_common_args='-F /dev/null -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR'")

    def start(self):
        """Come (back) to life."""
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(self.work / "sshd_config"), "-E", str(self.work / "log")])
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
                return
            except OSError:
                assert self.sshd.poll() is None and time.monotonic() < deadline, (self.work / "log").read_text()
                time.sleep(0.02)

    def lose(self):
        """Go away: the sshd and everything below it end at once, as when the machine loses its power."""
        victims, found = [self.sshd.pid], True
        os.kill(self.sshd.pid, signal.SIGSTOP)
        while found:
            found = [pid for pid in children(victims) if pid not in victims]
            for pid in found:
                signalled(pid, signal.SIGSTOP)
            victims += found
        for pid in reversed(victims):
            signalled(pid, signal.SIGKILL)
        self.sshd.wait(timeout=20)

    def stop(self):
        """The end of the test."""
        if self.sshd.poll() is None:
            self.lose()


def children(parents):
    """The processes of which one of these is the parent."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) in parents:
            found.append(int(status.parent.name))
    return found


def signalled(pid, which):
    """Signals a process that may have ended."""
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        pass


class Remote(Cloud):
    """A cloud with hosts behind ssh beside those that are directories."""

    def __init__(self, work, hosts=("node1",), core="ansible-2.19", native=None):
        super().__init__(work, hosts, core)
        self.native = native
        self.far = {}
        self.more = {}
        (self.work / "control").mkdir()

    def add(self, name, clock=None):
        """A host behind ssh."""
        self.far[name] = Host(self.work / f"sshd-{name}", clock)
        lines = [line for line in (self.work / "inventory").read_text().splitlines() if line != name]
        (self.work / "inventory").write_text("\n".join([*lines, f"{name} {self.far[name].inventory}"]) + "\n")
        return self.far[name]

    def environment(self):
        """Of an operator who has ssh's connections shared and kept, as is Ansible's default."""
        placed = {name: str(collections(self.native)) for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS")} if self.native else {}
        return {**super().environment(), **placed, "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.work / "control"), "ANSIBLE_HOST_KEY_CHECKING": "false",
                "ANSIBLE_TIMEOUT": "20", **self.more}

    def stop(self):
        """Ends the connections and the hosts."""
        for master in (self.work / "control").iterdir():
            subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={master}", "any"], capture_output=True, timeout=20, check=False)
        for host in self.far.values():
            host.stop()


class When(threading.Thread):
    """Waits until something has come about, then does something."""

    def __init__(self, condition, action):
        super().__init__(daemon=True)
        self.condition, self.action, self.is_done = condition, action, False
        self.start()

    def run(self):
        """In its own thread."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.condition():
                self.action()
                self.is_done = True
                return
            time.sleep(0.002)
