# SPDX-License-Identifier: Apache-2.0
"""A real certmonger on a bus and in directories of its own, playbooks against it, and openssl and getcert as witnesses."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import yaml

TOP = pathlib.Path(__file__).resolve().parents[3]
DATA = pathlib.Path(__file__).parent / "data"
OLDEST, NEWEST = "ansible-2.14", "ansible-2.19"

# Where the collection was placed, to be removed at the end.
PLACED = []

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={place}/bus</listen><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""


@functools.lru_cache(maxsize=None)
def venv(core):
    """The virtual environment of one ansible-core."""
    done = subprocess.run([TOP / "scripts" / "venv", core], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(done.stdout.strip())


@functools.lru_cache(maxsize=None)
def collections():
    """The collection, placed; TLS_EVERYWHERE_NATIVE names a directory with executables that are not in the tree."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-certificate.", dir="/var/tmp"))
    PLACED.append(place)
    subprocess.run([TOP / "scripts" / "place-collection", place], check=True, timeout=60)
    native = os.environ.get("TLS_EVERYWHERE_NATIVE")
    if native:
        plugins = place / "ansible_collections/tls/everywhere/plugins"
        plugins.unlink()
        plugins.mkdir()
        for part in (TOP / "plugins").iterdir():
            if part.name != "native":
                (plugins / part.name).symlink_to(part)
        (plugins / "native").symlink_to(native)
    return place


def released(name):
    """The requests of a release of tripleo-heat-templates."""
    return [each["request"] for template in yaml.safe_load((DATA / name).read_text()) for each in template["requests"]]


def wait_until(condition, what, seconds=60):
    """Until it holds; bounded."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"after {seconds} s: {what}"
        time.sleep(0.05)


class Lab:
    """One certmonger with its bus."""

    def __init__(self, place):
        self.place = pathlib.Path(place)
        self.core = NEWEST
        self.root = self.place / "host"
        for directory in ("conf/cas", "requests", "cas", "local", "tmp", "host/etc/pki/tls/certs", "host/etc/pki/tls/private"):
            (self.place / directory).mkdir(parents=True)
        (self.place / "bus.conf").write_text(BUS.format(place=self.place))
        self.environment = {
            "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.place), "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.place}/bus",
            "CERTMONGER_CONFIG_DIR": f"{self.place}/conf", "CERTMONGER_REQUESTS_DIR": f"{self.place}/requests", "CERTMONGER_CAS_DIR": f"{self.place}/cas",
            "CERTMONGER_LOCAL_CA_DIR": f"{self.place}/local", "CERTMONGER_SYSTEM_LOCK_FILE": f"{self.place}/lock", "CERTMONGER_TMPDIR": f"{self.place}/tmp",
        }
        self.processes = []
        self.start()

    def start(self):
        """The bus, then certmonger."""
        self._spawn("dbus-daemon", f"--config-file={self.place}/bus.conf", "--nofork", "--nopidfile")
        wait_until((self.place / "bus").exists, "the bus is not there")
        self._spawn("certmonger", "-S", "-n")
        wait_until(lambda: self.getcert("list-cas", check=False).returncode == 0, "certmonger does not answer")

    def _spawn(self, *command):
        output = (self.place / f"{command[0]}.log").open("ab")
        self.processes.append(subprocess.Popen(command, env=self.environment, stdout=output, stderr=output))
        output.close()

    def close(self):
        """The end of both, certmonger first."""
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=60)

    def getcert(self, *arguments, check=True):
        """The witness's own client of certmonger."""
        return subprocess.run(["getcert", *arguments], env={**self.environment, "LC_ALL": "C"}, check=check, capture_output=True, text=True, timeout=120)

    def tracked(self):
        """How many requests are in which state, as getcert sees it."""
        found = {}
        for state in re.findall(r"^\tstatus: (\S+)$", self.getcert("list").stdout, re.MULTILINE):
            found[state] = found.get(state, 0) + 1
        return found

    def at(self, path):
        """Where a path of the host is here."""
        return self.root / str(path).lstrip("/")

    def moved(self, value):
        """The value with every path of the host moved into the lab."""
        if isinstance(value, dict):
            return {key: self.moved(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.moved(each) for each in value]
        return str(self.at(value)) if isinstance(value, str) and value.startswith("/etc/") else value

    def variables(self, **more):
        """What makes the role at home in the lab: nothing is installed and no service is started."""
        return {
            "__certificate_is_booted": True, "__certificate_provider_vars": {"certmonger": {"config_dir": f"{self.place}/conf/", "packages": [],
                "hooks_dirs_owner": "root", "hooks_dirs_group": "root", "hooks_dirs_mode": "0700"}},
            "__certificate_default_directory": str(self.at("/etc/pki/tls")), "certificate_hook_directory": str(self.at("/etc/tls-everywhere")),
            "certificate_hook_log_directory": f"{self.place}/log", "certificate_program_directory": f"{self.place}/libexec", "certificate_wait_timeout": "120s",
            **more,
        }

    def step(self, action, options, **variables):
        """One task; its result as it is printed."""
        return self.run_tasks([{action: options, "register": "answer"}, {"ansible.builtin.debug": {"var": "answer"}}], True, (), variables)[0]

    def play(self, role, ok=True, arguments=(), **variables):
        """One run of a role; its text, and how many tasks changed something."""
        tasks = [{"ansible.builtin.include_role": {"name": role}}, {"ansible.builtin.debug": {"var": "certificate_is_changed"}}]
        return self.run_tasks(tasks, ok, arguments, variables)

    def run_tasks(self, tasks, ok, arguments, variables):
        """A play of these tasks; its text, and how many changed something."""
        (self.place / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        # Only what comes from the command line is above a role's own variables, where upstream has its names of packages and paths.
        (self.place / "variables.json").write_text(json.dumps(self.variables(**variables)))
        environment = {
            **self.environment, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_COLLECTIONS_PATH": str(collections()), "ANSIBLE_COLLECTIONS_PATHS": str(collections()),
            "ANSIBLE_HOME": f"{self.place}/ansible",
            "ANSIBLE_LOCAL_TEMP": f"{self.place}/ansible/tmp", "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_ROLES_PATH": str(TOP / "extras" / "roles"),
        }
        programs = venv(self.core) / "bin"
        command = [programs / "python", programs / "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}",
                   "-e", f"@{self.place}/variables.json", self.place / "play.yml", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        text = done.stdout + done.stderr
        assert (done.returncode == 0) == ok, text
        return text, int(re.search(r"\bchanged=([0-9]+)", text).group(1))


def openssl(*arguments):
    """What openssl says of it."""
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def names(certificate):
    """The alternative names that are DNS names, as openssl prints them."""
    return set(re.findall(r"DNS:([^,\s]+)", openssl("x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName")))


def belongs(certificate, key):
    """Whether openssl finds the same public key in both."""
    return openssl("x509", "-in", str(certificate), "-noout", "-pubkey") == openssl("pkey", "-in", str(key), "-pubout")


def serial(certificate):
    """The serial number."""
    return openssl("x509", "-in", str(certificate), "-noout", "-serial").strip()
