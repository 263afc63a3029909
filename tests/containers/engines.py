# SPDX-License-Identifier: Apache-2.0
"""Container engines of this run only: a dockerd, and podman as root and as a user, each with a storage of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import time

from container import Container, all_pids, read

# Where no limit can be raised (CAP_SYS_RESOURCE is missing in some sandboxes) and cgroups are v1, podman works with
# these; elsewhere they do no harm.
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
tmp_dir = "{place}/libpod"
[engine.runtimes]
runc = ["/usr/sbin/runc"]
"""

STORAGE_CONF = """
[storage]
driver = "overlay"
graphroot = "{place}/root"
runroot = "{place}/run"
"""

# What a container gets when a test says nothing: no network but its own loopback device.
DEFAULTS = ("--network", "none")


def needed(program):
    """The path of a program; without it nothing here can be tested."""
    path = shutil.which(program)
    assert path, f"no '{program}' here; install it with: scripts/setup-debian containers"
    return path


def until(what, is_so, seconds=60, pause=0.05):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = is_so()
        if found:
            return found
        time.sleep(pause)
    raise AssertionError(f"not within {seconds} s: {what}")


class Engine:
    """What both engines do by the same words of their command lines."""

    name = "engine"
    socket: pathlib.Path | None = None
    # For a removal that waits for no first process that ignores its end.
    at_once: tuple = ()

    def __init__(self, place):
        self.place = pathlib.Path(place)
        self.made = []

    def command(self):
        """The command line without arguments."""
        raise NotImplementedError

    def environment(self):
        """What the command line needs to find this engine."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.place)}

    def cli(self, *arguments, check=True, timeout=120, both=False):
        """Run the command line; its output, with `both` its errors too, without the last line break."""
        done = subprocess.run([*self.command(), *map(str, arguments)], env=self.environment(), capture_output=True, text=True,
                              timeout=timeout, cwd="/", stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, f"{self.name} {shlex.join(map(str, arguments))}: {done.stderr}{self.log()}"
        return (done.stdout + (done.stderr if both else "")).rstrip("\n")

    def log(self):
        """The last words of the daemon, for a failed test."""
        return ""

    def load(self, image, tarball):
        """Make an image of a tarball of a root file system."""
        self.cli("import", tarball, f"{image}:latest", timeout=300)

    def run(self, name, image, *command, mounts=(), options=()):
        """Start a container in the background. `mounts` are HOST:INSIDE[:ro], as on the command line."""
        settings = list(options)
        if not any(str(option).startswith("--net") for option in settings):
            settings += DEFAULTS
        for mount in mounts:
            settings += ["--volume", mount]
        self.made.append(name)
        self.cli("run", "--detach", "--name", name, *settings, f"{self.image(image)}:latest", *command)
        return Container(self, name)

    def image(self, image):
        """The image's name in this engine's storage."""
        return image

    def container(self, name):
        """A container that is there already."""
        return Container(self, name)

    def inspect(self, name):
        """What the engine knows of a container."""
        return json.loads(self.cli("inspect", "--type", "container", name))[0]

    def kill(self, name, signal_name):
        """A signal through the engine, which is what must not be done to Docker's."""
        self.cli("kill", "--signal", signal_name, name)

    def remove(self, *names):
        """Remove containers, running or not."""
        for name in names:
            self.cli("rm", "--force", "--volumes", *self.at_once, name, check=False)
            if name in self.made:
                self.made.remove(name)

    def clean(self):
        """Remove every container that was made here."""
        self.remove(*reversed(self.made))


class Docker(Engine):
    """A dockerd without bridge and packet filter; it starts a containerd of its own."""

    name = "docker"

    def __init__(self, place):
        super().__init__(place)
        self.socket = self.place / "docker.sock"
        self.daemon = None

    def command(self):
        return [needed("docker"), "--host", f"unix://{self.socket}"]

    def environment(self):
        return {**super().environment(), "DOCKER_CONFIG": str(self.place / "config")}

    def start(self):
        """Start the daemon and wait for it."""
        command = [needed("dockerd"), "--data-root", self.place / "data", "--exec-root", self.place / "exec", "--pidfile", self.place / "pid",
                   "--host", f"unix://{self.socket}", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"]
        with open(self.place / "log", "ab") as log:
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        until("dockerd answers", lambda: self.daemon.poll() is not None or self.answers())
        assert self.answers(), self.log()

    def answers(self):
        """Whether the daemon answers."""
        return self.cli("version", "--format", "{{.Server.Version}}", check=False) != ""

    def log(self):
        path = self.place / "log"
        return "\n" + "\n".join(path.read_text().splitlines()[-8:]) if path.exists() else ""

    def stop(self):
        """End the daemon, its containerd, and what is mounted below its directories."""
        self.clean()
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(timeout=60)
        unmount_below(self.place)


class Podman(Engine):
    """podman of root: no daemon. `api()` starts its service, which is how it gets a socket."""

    name = "podman"
    at_once = ("--time", "0")

    def __init__(self, place):
        super().__init__(place)
        # With a longer one podman still starts containers, but refuses its own clean-up after they end, and no restart
        # policy acts.
        assert len(f"{self.place}/run") < 50, f"'{self.place}' is too long for podman"
        (self.place / "containers.conf").write_text(CONTAINERS_CONF.format(place=self.place))
        (self.place / "storage.conf").write_text(STORAGE_CONF.format(place=self.place))

    def command(self):
        return [needed("podman")]

    def environment(self):
        return {**super().environment(), "CONTAINERS_CONF": str(self.place / "containers.conf"),
                "CONTAINERS_STORAGE_CONF": str(self.place / "storage.conf")}

    def start(self):
        """There is nothing to start; see that it works."""
        self.cli("info")

    def image(self, image):
        return f"localhost/{image}"

    @contextlib.contextmanager
    def api(self):
        """The REST service on a socket while this lasts."""
        socket = self.place / "podman.sock"
        command = [*self.command(), "system", "service", "--time=0", f"unix://{socket}"]
        with open(self.place / "service.log", "ab") as log:
            service = subprocess.Popen(command, env=self.environment(), cwd="/", stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            until("podman's socket is there", lambda: service.poll() is not None or socket.exists())
            self.socket = socket
            yield socket
        finally:
            self.socket = None
            service.terminate()
            service.wait(timeout=30)
            socket.unlink(missing_ok=True)

    def stop(self):
        """Nothing runs but what ends a container that was just removed."""
        self.clean()
        self.wait_for_cleaning()
        unmount_below(self.place)

    def wait_for_cleaning(self):
        """Until podman has cleaned up behind the containers that were removed. The conmon of a command that came through its
        API stays for five minutes (exit_command_delay of containers.conf); the tests are over then, so it is ended, and said."""
        deadline = time.monotonic() + 20
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in self.processes():
            print(f"ended at last: {(read(pid, 'cmdline') or '').replace(chr(0), ' ')}", file=sys.stderr)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self):
        """conmon and podman's own clean-up, which name the storage on their command line."""
        return [pid for pid in all_pids() if f"{self.place}/" in (read(pid, "cmdline") or "")]


class Rootless(Podman):
    """podman of a user that is made for it."""

    name = "podman-rootless"

    def __init__(self, place, user):
        super().__init__(place)
        self.user = user
        self.runtime = self.place / "runtime"
        self.runtime.mkdir(mode=0o700)

    def start(self):
        subprocess.run(["useradd", "--create-home", "--home-dir", self.place / "home", "--shell", "/bin/sh", self.user], check=True, timeout=60)
        subprocess.run(["chown", "--recursive", f"{self.user}:", self.place], check=True, timeout=60)
        super().start()

    def command(self):
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *super().command()]

    def environment(self):
        return {**super().environment(), "HOME": str(self.place / "home"), "XDG_RUNTIME_DIR": str(self.runtime), "USER": self.user}

    def stop(self):
        self.clean()
        self.wait_for_cleaning()
        # The process that keeps podman's user namespace, and nothing else of this user.
        self.cli("system", "migrate", check=False)
        pause = self.runtime / "libpod/tmp/pause.pid"
        if pause.exists():
            os.kill(int(pause.read_text()), signal.SIGKILL)
        unmount_below(self.place)
        until("the user has no process", lambda: subprocess.run(["pgrep", "-u", self.user], capture_output=True, timeout=30).returncode)
        subprocess.run(["userdel", self.user], check=True, capture_output=True, timeout=60)


def unmount_below(place):
    """Engines leave mounts behind; the innermost goes first."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        points = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{place}/")]
    for point in sorted(points, reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True, timeout=60)
