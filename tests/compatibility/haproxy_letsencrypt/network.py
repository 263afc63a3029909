# SPDX-License-Identifier: Apache-2.0
"""Machines as namespaces: each has a network, a host name, an /etc, a /run and a /var/lib of its own. They meet on one bridge."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time

BRIDGE = "br0"
# Where a machine has files of its own in the place of the host's; /etc is a copy.
PRIVATE = ("run", "var/lib")


def wait_until(condition, what, seconds=20):
    """Until it holds; bounded."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"after {seconds} s: {what}"
        time.sleep(0.02)


class Machine:
    """One namespace of each kind, held open by a process that ends with the tests."""

    def __init__(self, place, name):
        self.name, self.place = name, place / name
        self.etc, self.runtime, self.lib = self.place / "etc", self.place / "run", self.place / "var/lib"
        for part in PRIVATE:
            (self.place / part).mkdir(parents=True)
        shutil.copytree("/etc", self.etc, symlinks=True, ignore_dangling_symlinks=True)
        self.processes = []
        mounts = "; ".join(f"mount --bind '{self.place}/{part}' '/{part}'" for part in ("etc", *PRIVATE))
        script = f"set -e; {mounts}; hostname {name}; ip link set lo up; touch '{self.place}/up'; exec sleep 900"
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--uts", "--propagation", "private", "sh", "-c", script],
            stdin=subprocess.DEVNULL, stderr=(self.place / "holder.log").open("wb"), start_new_session=True)
        wait_until((self.place / "up").exists, f"{name} is not up: {self._said()}")

    def _said(self):
        return (self.place / "holder.log").read_text()

    def command(self, *words):
        """The words that run a command in here."""
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--mount", "--uts", *map(str, words)]

    def run(self, *words, check=True, text=None, seconds=60):
        """A command in here, to its end."""
        done = subprocess.run(self.command(*words), input=text, capture_output=True, text=True, timeout=seconds)
        assert not check or done.returncode == 0, f"{self.name}: {words}: {done.stdout}{done.stderr}"
        return done

    def spawn(self, *words, environment=None):
        """A server in here, until the machine ends."""
        log = self.place / f"{os.path.basename(str(words[0]))}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *self.command(*words)], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], **(environment or {})}, cwd=self.place)
        self.processes.append(process)
        return process, log

    def close(self):
        """All that was started in here ends, also what went its own way."""
        daemon = self.runtime / "haproxy.pid"
        for pid in daemon.read_text().split() if daemon.exists() else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            process.wait(timeout=30)
        self.holder.kill()
        self.holder.wait(timeout=30)


class Network:
    """The machines of one test: 192.0.2.1 has the bridge, the others hang on it."""

    def __init__(self, place, first, *others):
        self.place = place
        self.hosts = place / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.machines = []
        self.hub = self._machine(first)
        self.hub.run("ip", "link", "add", BRIDGE, "type", "bridge")
        self.hub.run("ip", "addr", "add", "192.0.2.1/24", "dev", BRIDGE)
        self.hub.run("ip", "link", "set", BRIDGE, "up")
        self.nodes = [self._attached(name, index) for index, name in enumerate(others)]

    def _machine(self, name):
        machine = Machine(self.place, name)
        self.machines.append(machine)
        (machine.etc / "hosts").write_text(self.hosts.read_text())
        return machine

    def _attached(self, name, index):
        node = self._machine(name)
        node.address = f"192.0.2.{11 + index}"
        cable = f"to-{name}"
        self.hub.run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", node.holder.pid)
        self.hub.run("ip", "link", "set", cable, "master", BRIDGE, "up")
        node.run("ip", "addr", "add", f"{node.address}/24", "dev", "eth0")
        node.run("ip", "link", "set", "eth0", "up")
        # As OpenStack-Ansible sets it: HAProxy listens at an address that is at another node now.
        node.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind")
        return node

    def name(self, name, address):
        """A name that all know."""
        for machine in self.machines:
            with (machine.etc / "hosts").open("a") as hosts:
                hosts.write(f"{address} {name}\n")

    def move(self, address, node):
        """An address goes to a node, as keepalived moves it; the others do not know where it was."""
        for each in self.nodes:
            each.run("ip", "addr", "del", f"{address}/32", "dev", "eth0", check=False)
        node.run("ip", "addr", "add", f"{address}/32", "dev", "eth0")
        for each in (self.hub, *self.nodes):
            each.run("ip", "neigh", "flush", "all")

    def close(self):
        """The end of all machines, with their networks."""
        for machine in reversed(self.machines):
            machine.close()
