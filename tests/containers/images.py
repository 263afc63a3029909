# SPDX-License-Identifier: Apache-2.0
"""Root file systems for images, made here: no registry is asked.

- `tiny`: a static busybox and nothing else;
- `proxy`: that, and this machine's haproxy and openssl with the libraries that they need;
- `virt`: the same with this machine's libvirt and QEMU;
- `svc`: Debian with every service that the tests have, systemd and podman;
- `newer`: the next Debian with systemd and the engines that it has, a machine only.

The last two are kept in .cache/containers/.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from engines import needed

TOP = pathlib.Path(__file__).resolve().parents[2]
CACHE = TOP / ".cache" / "containers"

@dataclasses.dataclass(frozen=True)
class Debian:
    """A root file system of Debian's packages. `without` are paths that nothing here uses."""

    name: str
    suite: str
    variant: str
    packages: tuple
    without: tuple = ()


SVC = Debian("svc", "bookworm", "minbase", (
    "apache2", "corosync", "dbus", "etcd-server", "galera-4", "haproxy", "mariadb-server", "memcached", "nginx-light", "openssl", "openvswitch-common",
    "pacemaker", "pacemaker-cli-utils", "podman", "procps", "python3-minimal", "rabbitmq-server", "redis-server", "resource-agents", "runc", "socat",
    "stunnel4", "systemd-sysv",
))
# Python and sshd are for Ansible, which comes from outside.
NEWER = Debian("newer", "trixie", "essential", (
    "apache2-bin", "ca-certificates", "certmonger", "curl",
    "dbus", "docker-cli", "docker.io", "haproxy", "netavark", "openssh-server", "openssl", "podman", "procps", "python3", "runc", "systemd-sysv",
    "valkey-server",
), without=(
    "/usr/bin/containerd-shim", "/usr/bin/containerd-shim-runc-v1", "/usr/bin/containerd-stress", "/usr/bin/ctr", "/usr/lib/*/gconv/*",
    "/usr/lib/cni/*", "/usr/libexec/podman/podman-testing", "/usr/sbin/docker-proxy",
))
# No page of documentation is read in a container.
PAGES = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")


def tiny(directory):
    """A tarball of busybox with its names."""
    root = pathlib.Path(directory) / "tiny"
    busybox(root)
    return packed(root)


def proxy(directory):
    """A tarball of busybox, haproxy and openssl."""
    root = pathlib.Path(directory) / "proxy"
    busybox(root)
    for program in ("haproxy", "openssl"):
        with_libraries(root, needed(program))
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    return packed(root)


def virt(directory):
    """A tarball of busybox, libvirt's daemon and clients, and QEMU."""
    root = pathlib.Path(directory) / "virt"
    busybox(root)
    for program in ("libvirtd", "qemu-system-x86_64", "virsh", "virt-admin"):
        with_libraries(root, needed(program))
    # What both load only when they run. A driver brings libraries of its own.
    modules = [*pathlib.Path("/usr/lib").glob("*/libvirt/connection-driver/*.so"), *pathlib.Path("/usr/lib").glob("*/qemu/accel-*.so")]
    for module in modules:
        with_libraries(root, str(module))
    for directory in ("/usr/share/libvirt/cpu_map", "/usr/share/qemu/keymaps", "/usr/share/seabios"):
        shutil.copytree(directory, root / directory.lstrip("/"))
    (root / "var/run").symlink_to("../run")
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\nlibvirt-qemu:x:64055:64055::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nkvm:x:64054:\nlibvirt:x:64053:\nlibvirt-qemu:x:64055:\n")
    return packed(root)


def svc():
    """The tarball of the services."""
    return cached(SVC)


def newer():
    """The tarball of the machine with newer engines."""
    return cached(NEWER)


def cached(wanted):
    """The tarball of a Debian, made if it is not in the cache; the second of two runs at once waits."""
    key = hashlib.sha256(repr((wanted, PAGES, os.uname().machine)).encode()).hexdigest()[:16]
    tarball = CACHE / f"{wanted.name}-{key}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{wanted.name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tarball.exists():
            bootstrap(wanted, tarball)
    return tarball


def bootstrap(wanted, tarball):
    """Debian, from the mirrors that this machine's apt uses."""
    started = time.monotonic()
    # By this ending mmdebstrap knows that it shall write a tarball.
    new = tarball.with_suffix(".new.tar")
    with tempfile.TemporaryDirectory(prefix=f"tls-everywhere-{wanted.name}.", dir="/var/tmp") as work:
        sources = pathlib.Path(work) / "sources.list"
        sources.write_text("".join(f"{line}\n" for line in mirrors(wanted.suite)))
        options = ["--mode=root", f"--variant={wanted.variant}", '--aptopt=APT::Install-Recommends "false"']
        options += [f"--dpkgopt=path-exclude={path}" for path in PAGES + wanted.without]
        command = [needed("mmdebstrap"), *options, f"--include={','.join(wanted.packages)}", wanted.suite, new, sources]
        done = subprocess.run(command, env={**os.environ, "TMPDIR": work}, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stderr[-3000:]
    new.rename(tarball)
    (CACHE / f"{wanted.name}.txt").write_text(f"{tarball.name}: {tarball.stat().st_size} bytes in {time.monotonic() - started:.0f} s\n")


def mirrors(suite):
    """Lines for sources.list: this machine's mirrors with the suite of an image."""
    host = re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.MULTILINE).group(1)
    wanted = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages", "Component: main"]
    lines = subprocess.run(wanted, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    suites = {f"{host}{part}": f"{suite}{part}" for part in ("", "-security", "-updates")}
    pairs = {tuple(line.split()) for line in lines}
    found = sorted((uri, suites[release]) for uri, release in pairs if release in suites)
    assert found, "apt knows no mirror; run: apt-get update"
    return [f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {uri} {release} main" for uri, release in found]


def busybox(root):
    """A static busybox under all its names."""
    (root / "bin").mkdir(parents=True)
    for part in ("etc", "tmp", "run", "var", "certs", "config"):
        (root / part).mkdir()
    shutil.copy(needed("busybox"), root / "bin/busybox")
    names = subprocess.run([needed("busybox"), "--list"], check=True, capture_output=True, text=True, timeout=30).stdout.split()
    for name in names:
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")


def with_libraries(root, program):
    """A program of this machine with the libraries that the loader would load for it."""
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True, timeout=30).stdout
    for path in [program, *re.findall(r"(/\S+) \(0x", listed)]:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def packed(root):
    """The tarball beside a tree."""
    tarball = root.with_suffix(".tar")
    subprocess.run(["tar", "--directory", root, "--create", "--owner=0", "--group=0", "--file", tarball, "."], check=True, timeout=60)
    return tarball
