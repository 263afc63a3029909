# SPDX-License-Identifier: Apache-2.0
"""Root file systems for images, made here: no registry is asked.

- `tiny`: a static busybox and nothing else;
- `proxy`: that, and this machine's haproxy and openssl with the libraries that they need;
- `svc`: Debian with every service that the tests have, systemd and podman. Kept in .cache/containers/.
"""

from __future__ import annotations

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

SUITE = "bookworm"
PACKAGES = (
    "apache2", "dbus", "etcd-server", "haproxy", "mariadb-server", "memcached", "nginx-light", "openssl", "podman", "procps", "python3-minimal",
    "rabbitmq-server", "redis-server", "runc", "socat", "stunnel4", "systemd-sysv",
)
# No page of documentation is read in a container.
OPTIONS = (
    "--mode=root", "--variant=minbase", '--aptopt=APT::Install-Recommends "false"', "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
)


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


def svc():
    """The tarball of the services, made if it is not in the cache; the second of two runs at once waits."""
    key = hashlib.sha256(repr((SUITE, PACKAGES, OPTIONS, os.uname().machine)).encode()).hexdigest()[:16]
    tarball = CACHE / f"svc-{key}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tarball.exists():
            bootstrap(tarball)
    return tarball


def bootstrap(tarball):
    """Debian, from the mirrors that this machine's apt uses."""
    started = time.monotonic()
    # By this ending mmdebstrap knows that it shall write a tarball.
    new = tarball.with_suffix(".new.tar")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-svc.", dir="/var/tmp") as work:
        sources = pathlib.Path(work) / "sources.list"
        sources.write_text("".join(f"{line}\n" for line in mirrors()))
        command = [needed("mmdebstrap"), *OPTIONS, f"--include={','.join(PACKAGES)}", SUITE, new, sources]
        done = subprocess.run(command, env={**os.environ, "TMPDIR": work}, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stderr[-3000:]
    new.rename(tarball)
    (CACHE / "made.txt").write_text(f"{tarball.name}: {tarball.stat().st_size} bytes in {time.monotonic() - started:.0f} s\n")


def mirrors():
    """Lines for sources.list: this machine's mirrors with the suite of the image."""
    host = re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.MULTILINE).group(1)
    wanted = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages", "Component: main"]
    lines = subprocess.run(wanted, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    suites = {host: SUITE, f"{host}-security": f"{SUITE}-security", f"{host}-updates": f"{SUITE}-updates"}
    pairs = {tuple(line.split()) for line in lines}
    found = sorted((uri, suites[release]) for uri, release in pairs if release in suites)
    assert found, "apt knows no mirror; run: apt-get update"
    return [f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {uri} {suite} main" for uri, suite in found]


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
