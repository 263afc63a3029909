# SPDX-License-Identifier: Apache-2.0
"""A container that is a machine: systemd as its first process, podman inside, containers as units."""

from __future__ import annotations

import pathlib

from container import Container, all_pids, parent, read
from engines import Engine, until

CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
netns = "host"
cgroupns = "host"
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}\n'

# Debian enables each service that it installs; here systemd starts none of them.
TARGET = """
[Unit]
Description=A machine for tests
Requires=sysinit.target basic.target dbus.socket
After=sysinit.target basic.target dbus.socket
AllowIsolate=yes
"""

# Instead of --privileged, which asks for rights that some sandboxes do not have.
RIGHTS = ("SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "SYS_CHROOT", "MKNOD")


class Machine:
    """Started on docker; `podman` is the engine inside."""

    def __init__(self, docker, work, tarballs):
        self.work = pathlib.Path(work)
        for part in ("storage", "shared"):
            (self.work / part).mkdir()
        for name, text in (("containers.conf", CONTAINERS_CONF), ("policy.json", POLICY), ("tests.target", TARGET)):
            (self.work / name).write_text(text)
        images = tarballs["tiny"].parent
        mounts = [
            "/sys/fs/cgroup:/sys/fs/cgroup:rw", f"{self.work}/storage:/var/lib/containers", f"{self.work}/shared:{self.work}/shared",
            f"{self.work}/containers.conf:/etc/containers/containers.conf:ro", f"{self.work}/policy.json:/etc/containers/policy.json:ro",
            f"{self.work}/tests.target:/etc/systemd/system/tests.target:ro", f"{images}:{images}:ro",
        ]
        options = [f"--cap-add={right}" for right in RIGHTS]
        options += ["--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", "--cgroupns=host", "--env=container=docker"]
        options += [f"--tmpfs={path}" for path in ("/run", "/run/lock", "/tmp")]
        self.container = docker.run("machine", "svc", "/lib/systemd/systemd", "--unit=tests.target", mounts=mounts, options=options)
        until("systemd has started", lambda: self.systemctl("is-active", "tests.target", check=False) == "active")
        self.podman = Inner(self)
        for name, tarball in tarballs.items():
            self.podman.load(name, tarball)

    def remove(self):
        """Remove it, and the cgroups of the containers inside: they are in the host's tree, and nobody else would."""
        inside = self.podman.cli("ps", "--all", "--quiet", "--no-trunc", check=False).split()
        self.container.remove()
        for name in inside:
            for group in pathlib.Path("/sys/fs/cgroup").glob(f"**/libpod_parent/libpod-{name}"):
                until(f"{group} is empty", lambda group=group: not (group / "cgroup.procs").read_text())
                group.rmdir()

    @property
    def shared(self):
        """A directory that has the same path inside and outside."""
        return self.work / "shared"

    def exec(self, *command, check=True):
        """Run something inside."""
        return self.container.exec(*command, check=check)

    def systemctl(self, *arguments, check=True):
        """Ask systemd."""
        return self.exec("systemctl", *arguments, check=check)

    def show(self, unit, *names):
        """Properties of a unit."""
        lines = self.systemctl("show", unit, *[f"--property={name}" for name in names]).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def unit_of(self, name):
        """Let a container that was made by hand be run by a unit that makes it anew at each start, as Quadlet's do."""
        unit = f"container-{name}.service"
        self.exec("sh", "-c", f"podman generate systemd --new --name {name} > /etc/systemd/system/{unit} && podman rm --force --time 0 {name}")
        self.systemctl("daemon-reload")
        self.systemctl("start", unit)
        return unit


class Inner(Engine):
    """podman in the machine."""

    name = "podman-inside"

    def __init__(self, machine):
        super().__init__(machine.work)
        self.machine = machine

    def command(self):
        return [*self.machine.container.engine.command(), "exec", self.machine.container.name, "podman"]

    def environment(self):
        return self.machine.container.engine.environment()

    def image(self, image):
        return f"localhost/{image}"

    def run(self, name, image, *command, mounts=(), options=()):
        super().run(name, image, *command, mounts=mounts, options=options)
        return Nested(self, name)

    def container(self, name):
        return Nested(self, name)


class Nested(Container):
    """A container in the machine."""

    def pid(self):
        """The first process as the host numbers it, not as the machine does."""
        inside = super().pid()
        first = self.engine.machine.container.pid()
        for pid in all_pids() if inside else ():
            # Its cgroup does not tell: the machine has the host's tree of cgroups, and podman begins at its root.
            if numbers(pid)[1:2] == [inside] and first in ancestors(pid):
                return pid
        return 0


def ancestors(pid):
    """The processes above one, as far as they are still there."""
    while pid := parent(pid):
        yield pid


def numbers(pid):
    """A process's number in each PID namespace, the host's first."""
    lines = (read(pid, "status") or "").splitlines()
    return [int(number) for line in lines if line.startswith("NSpid:") for number in line.split()[1:]]
