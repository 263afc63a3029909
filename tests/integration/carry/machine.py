# SPDX-License-Identifier: Apache-2.0
"""What the tests put on the machine and take away again: users, an sshd, a chroot without Python."""

from __future__ import annotations

import fcntl
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

PASSWORD = "Login-pAssw0rd-7731"
SUDOERS = pathlib.Path("/etc/sudoers.d/tls-everywhere-carry")
PYTHON = "/usr/bin/python3"

#: sudo without a password; sudo to it; sudo that insists on a terminal; sudo with a password
USERS = ("tlscarry-login", "tlscarry-other", "tlscarry-tty", "tlscarry-asked")

NEEDED = {"sshd": "openssh-server", "sudo": "sudo", "setfacl": "acl", "busybox": "busybox-static", "dash": "dash",
          "openssl": "openssl", "useradd": "passwd", "runuser": "util-linux"}


def run(*command, **more):
    """Runs a command of the fixtures to its end."""
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=60, **more)


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Machine:
    """Everything below `work`, the users and the sudoers file. Not for two runs at once, which the lock sees to."""

    def __init__(self, work: pathlib.Path):
        missing = [package for program, package in NEEDED.items() if not shutil.which(program, path=os.defpath + ":/usr/sbin:/sbin")]
        assert not missing, f"the tests need the Debian packages {missing}; scripts/setup-debian test installs them"
        assert os.geteuid() == 0, "the tests make users and an sshd: run them as root"
        self.work = work
        self.work.chmod(0o755)
        self.lock = open("/run/lock/tls-everywhere-carry", "w", encoding="ascii")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.chroot = work / "chroot"
        self.control = work / "control"
        self.control.mkdir()
        self.sshd = None
        self.made_run_sshd = False
        # Where tasks that become root keep their programs: root's home is that of the machine.
        self.kept = pathlib.Path("/root/.cache/tls.everywhere")
        # What stands there already, of a demo or another run, would be found before any other place is tried.
        self.kept_aside = self.kept.with_name("tls.everywhere.aside")

    def start(self):
        """Users, chroot, sshd."""
        if self.kept.is_dir() and not self.kept_aside.exists():
            self.kept.rename(self.kept_aside)
        self._remove_users()
        self._make_users()
        self._make_chroot()
        self._make_path_without_acl()
        self._start_sshd()

    def stop(self):
        """Everything that start() made outside of `work`."""
        for master in self.control.iterdir():
            subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={master}", "any"], capture_output=True, timeout=20, check=False)
        if self.sshd:
            os.killpg(self.sshd.pid, signal.SIGTERM)
            self.sshd.wait(timeout=20)
        self._remove_users()
        shutil.rmtree(self.kept, ignore_errors=True)
        if self.kept_aside.exists():
            self.kept_aside.rename(self.kept)
        if self.made_run_sshd:
            shutil.rmtree("/run/sshd", ignore_errors=True)
        self.lock.close()

    def _make_users(self):
        password = run("openssl", "passwd", "-6", PASSWORD).stdout.strip()
        homes = self.work / "home"
        homes.mkdir()
        for user in USERS:
            run("useradd", "--create-home", "--base-dir", homes, "--shell", "/bin/sh", "--password", password, user)
        SUDOERS.parent.mkdir(mode=0o750, exist_ok=True)
        SUDOERS.write_text(
            "tlscarry-login,tlscarry-tty ALL=(ALL) NOPASSWD: ALL\n"
            "tlscarry-asked ALL=(ALL) ALL\n"
            "Defaults:tlscarry-tty requiretty\n", encoding="ascii")
        SUDOERS.chmod(0o440)
        run("visudo", "--check", "--quiet")

    def _remove_users(self):
        SUDOERS.unlink(missing_ok=True)
        for user in USERS:
            try:
                uid = pwd.getpwnam(user).pw_uid
            except KeyError:
                continue
            for place in pathlib.Path("/var/tmp").glob(f"tls.everywhere.{uid}.*"):
                shutil.rmtree(place, ignore_errors=True)
            run("userdel", "--force", user)

    def _make_chroot(self):
        for directory in ("bin", "dev", "etc", "proc", "root", "tmp", "var/tmp"):
            (self.chroot / directory).mkdir(parents=True)
        for directory in ("tmp", "var/tmp"):
            (self.chroot / directory).chmod(0o1777)
        shutil.copy(shutil.which("busybox"), self.chroot / "bin" / "busybox")
        run("chroot", self.chroot, "/bin/busybox", "--install", "-s", "/bin")
        (self.chroot / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="ascii")
        (self.chroot / "etc" / "group").write_text("root:x:0:\n", encoding="ascii")
        for device in ("null", "urandom", "random", "zero"):
            source = os.stat(f"/dev/{device}")
            os.mknod(self.chroot / "dev" / device, 0o20666, source.st_rdev)
            (self.chroot / "dev" / device).chmod(0o666)
        enter = self.work / "enter-chroot"
        enter.write_text(
            "#!/bin/sh\n"
            f'PATH=/bin exec /usr/sbin/chroot {self.chroot} /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n', encoding="ascii")
        enter.chmod(0o755)

    def _make_path_without_acl(self):
        """A PATH in which everything but setfacl is found."""
        self.without_acl = self.work / "without-acl"
        self.without_acl.mkdir()
        for directory in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
            for program in pathlib.Path(directory).iterdir():
                link = self.without_acl / program.name
                if program.name != "setfacl" and not link.is_symlink():
                    link.symlink_to(program)

    def _start_sshd(self):
        self.port, self.port_without_acl, self.port_chroot = free_port(), free_port(), free_port()
        for key in ("host_key", "client_key"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.work / key)
        shutil.copy(self.work / "client_key.pub", self.work / "authorized_keys")
        (self.work / "authorized_keys").chmod(0o644)
        (self.work / "sshd.log").touch()
        config = self.work / "sshd_config"
        config.write_text(f"""\
ListenAddress 127.0.0.1:{self.port}
ListenAddress 127.0.0.1:{self.port_without_acl}
ListenAddress 127.0.0.1:{self.port_chroot}
HostKey {self.work}/host_key
AuthorizedKeysFile {self.work}/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
PidFile none
Subsystem sftp internal-sftp
MaxStartups 100
MaxSessions 100
Match LocalPort {self.port_without_acl}
    SetEnv PATH={self.without_acl}
Match LocalPort {self.port_chroot}
    ForceCommand {self.work}/enter-chroot
""", encoding="ascii")
        if not os.path.isdir("/run/sshd"):
            os.mkdir("/run/sshd", 0o755)
            self.made_run_sshd = True
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(config), "-E", str(self.work / "sshd.log")],
                                     start_new_session=True)
        deadline = time.monotonic() + 20
        for port in (self.port, self.port_without_acl, self.port_chroot):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=2).close()
                    break
                except OSError:
                    log = (self.work / "sshd.log").read_text(encoding="utf-8", errors="replace")
                    assert self.sshd.poll() is None and time.monotonic() < deadline, f"sshd did not start:\n{log}"
                    time.sleep(0.05)
