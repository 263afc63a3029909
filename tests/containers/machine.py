# SPDX-License-Identifier: Apache-2.0
"""A container that is a machine: systemd as its first process, engines inside, containers as units of systemd."""

from __future__ import annotations

import pathlib
import shlex
import shutil
import subprocess
import tempfile

import module
from certificates import Pair, fingerprint, fingerprint_served
from container import Container, all_pids, parent, read
from engines import Engine, Podman, needed, until

CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
netns = "host"
cgroupns = "host"
log_driver = "k8s-file"
pids_limit = 0
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

# For Debian's own docker.service, which leaves these words to the administrator.
DOCKER = 'DOCKER_OPTS="--bridge none --iptables=false --ip6tables=false --userland-proxy=false"\n'

HAPROXY = """
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend tls
  bind 127.0.0.1:{port} ssl crt /certs/tls.pem
  http-request return status 200
"""

# Instead of --privileged, which asks for rights that some sandboxes do not have.
RIGHTS = ("SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "SYS_CHROOT", "MKNOD")

# What is in the containers of a machine that cannot take this machine's programs: its own.
HTTPD_MODULES = tuple(f"/usr/lib/apache2/modules/mod_{name}.so" for name in ("authz_core", "mpm_event", "socache_shmcb", "ssl"))
PROGRAMS = ("/usr/sbin/apache2", "/usr/sbin/haproxy", "/usr/bin/openssl", "/usr/bin/valkey-server", "/usr/bin/valkey-cli", *HTTPD_MODULES)


class Machine:
    """Started on docker. `podman`, and `docker` where the image has it, are the engines inside."""

    def __init__(self, docker, work, tarballs, image="svc"):
        self.work = pathlib.Path(work)
        self.image = image
        files = {"/etc/containers/containers.conf": CONTAINERS_CONF, "/etc/containers/policy.json": POLICY, "/etc/default/docker": DOCKER,
                 "/etc/systemd/system/tests.target": TARGET}
        directories = {"/var/lib/containers": self.work / "podman-storage", "/var/lib/docker": self.work / "docker-storage", str(self.shared): self.shared}
        for directory in directories.values():
            directory.mkdir(parents=True)
        mounts = [f"{outside}:{inside}" for inside, outside in directories.items()]
        for inside, text in files.items():
            path = self.work / pathlib.Path(inside).name
            path.write_text(text)
            mounts.append(f"{path}:{inside}:ro")
        mounts += [f"{control_groups(image)}:/sys/fs/cgroup:rw", f"{tarballs['tiny'].parent}:{tarballs['tiny'].parent}:ro"]
        options = [f"--cap-add={right}" for right in RIGHTS]
        options += ["--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", "--cgroupns=host", "--env=container=docker"]
        options += [f"--tmpfs={path}" for path in ("/run", "/run/lock", "/tmp")]
        self.container = docker.run(f"{self.work.name}-{image}", image, "/lib/systemd/systemd", "--unit=tests.target", mounts=mounts, options=options)
        # It outlives the tests, which remove what they made.
        docker.made.remove(self.container.name)
        until("systemd has started", lambda: self.systemctl("is-active", "tests.target", check=False) == "active")
        self.podman, self.docker = Inner(self, "podman"), Inner(self, "docker", "/run/docker.sock")
        self.program = self.shared / "container_restart"
        shutil.copy(module.PROGRAM, self.program)
        if image == "newer":
            self.load_own_programs(tarballs["tiny"])
        else:
            for name, tarball in tarballs.items():
                self.podman.load(name, tarball)

    def load_own_programs(self, tiny):
        """Give its engines an image of its own programs, with the libraries that they need, and of busybox."""
        tarball = self.shared / "newer.tar"
        lists = f"for program in {' '.join(PROGRAMS)}; do echo $program; ldd $program | grep -o '/[^ ]*'; done | sort -u"
        self.exec("sh", "-euc", f"{lists} | tar -chf {tarball} -T - 2>/dev/null && tar --concatenate -f {tarball} {tiny}")
        self.systemctl("start", "docker.service")
        for engine in (self.podman, self.docker):
            engine.load("newer", tarball)

    def remove(self):
        """Remove it, and the cgroups of the containers inside: they are in the host's tree, and nobody else would."""
        inside = self.podman.cli("ps", "--all", "--quiet", "--no-trunc", check=False).split()
        self.container.remove()
        tree = pathlib.Path("/sys/fs/cgroup")
        for name in inside:
            # Of each hierarchy of v1, and of v2.
            for group in (*tree.glob(f"*/libpod_parent/libpod-{name}"), *tree.glob(f"libpod_parent/libpod-{name}")):
                until(f"{group} is empty", lambda group=group: not (group / "cgroup.procs").read_text())
                group.rmdir()

    @property
    def shared(self):
        """A directory that has the same path inside and outside."""
        return self.work / "shared"

    def directory(self):
        """A new directory of one test below it."""
        return pathlib.Path(tempfile.mkdtemp(prefix="test.", dir=self.shared))

    def exec(self, *command, check=True):
        """Run something in it."""
        return self.container.exec(*command, check=check)

    def systemctl(self, *arguments, check=True):
        """Ask systemd."""
        return self.exec("systemctl", *arguments, check=check)

    def show(self, unit, *names):
        """Properties of a unit."""
        lines = self.systemctl("show", unit, *[f"--property={name}" for name in names]).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def write(self, path, text):
        """A file of its own, which systemd reads."""
        copy = self.shared / pathlib.Path(path).name
        copy.write_text(text)
        self.exec("install", "-D", "-m", "0644", copy, path)
        self.systemctl("daemon-reload")

    def host(self):
        """Variables for an inventory: a login by ssh through a pipe, for it has no network but its own loopback device."""
        key = self.work / "login"
        if not key.exists():
            subprocess.run([needed("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, timeout=60)
            shutil.copy(f"{key}.pub", self.shared / "login.pub")
            self.exec("install", "-D", "-m", "0600", self.shared / "login.pub", "/root/.ssh/authorized_keys")
            self.exec("mkdir", "-p", "/run/sshd")
        pipe = [*self.container.engine.command(), "exec", "--interactive", self.container.name, "/usr/sbin/sshd", "-i", "-o", "UsePAM=no"]
        common = ["-F", "/dev/null", "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
                  "-o", f"ProxyCommand={shlex.join(map(str, pipe))}"]
        return {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_user": "root", "ansible_ssh_private_key_file": str(key),
                "ansible_ssh_common_args": shlex.join(common), "ansible_python_interpreter": "/usr/bin/python3"}

    def unit_of(self, name):
        """Let a container that was made by hand be run by a unit that makes it anew at each start, as Quadlet's do."""
        unit = f"container-{name}.service"
        self.exec("sh", "-c", f"podman generate systemd --new --name {name} > /etc/systemd/system/{unit} && podman rm --force --time 0 {name}")
        self.systemctl("daemon-reload")
        self.systemctl("start", unit)
        return unit

    def haproxy(self, name, port, start):
        """A pair, and HAProxy in a container of the machine's network that serves it once `start` has been called."""
        pair = Pair(self.shared / name)
        (pair.directory / "haproxy.cfg").write_text(HAPROXY.format(port=port))
        start(pair)
        until(f"{name} serves", lambda: self.served(port) == fingerprint(pair.combined))
        return pair

    def served(self, port):
        """The fingerprint that a client in it gets at a port."""
        return fingerprint_served(self.container, port)

    def standing(self, name):
        """What a restart of a unit's container would change."""
        known = self.podman.inspect(name)
        unit = self.show(f"{name}.service", "InvocationID", "NRestarts")
        return known["Id"], known["State"]["StartedAt"], unit["InvocationID"], unit["NRestarts"]

    def restart_of(self, engine):
        """container_restart, run inside, for an engine of it."""
        outer = self.container.engine
        return module.Restart(engine, self.work, [*outer.command(), "exec", "--interactive", self.container.name, self.program])

    def restart(self, pair, **options):
        """The same for a pair whose containers are run by units."""
        task = {"manager": None, "stop_timeout": None, "stable_for": 1, "verify_timeout": 10, "certificate": str(pair.combined), "private_key": None}
        return self.restart_of(self.podman).succeeds(pair, **{**task, **options})


def control_groups(image):
    """What the machine takes for the tree of cgroups. A systemd of today wants v2; where this machine has v1, there is a v2 without
    controllers beside it."""
    tree = pathlib.Path("/sys/fs/cgroup")
    return tree / "unified" if image == "newer" and (tree / "unified").exists() else tree


class Inner(Engine):
    """An engine in the machine, by its command line; `socket` is for the program under test."""

    def __init__(self, machine, program, socket=None):
        super().__init__(machine.work)
        self.machine, self.program, self.socket = machine, program, socket
        self.name = f"{program}-inside"
        self.at_once = Podman.at_once if program == "podman" else ()

    def command(self):
        return [*self.machine.container.engine.command(), "exec", self.machine.container.name, self.program]

    def environment(self):
        return self.machine.container.engine.environment()

    def image(self, image):
        return f"localhost/{image}" if self.program == "podman" else image

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
