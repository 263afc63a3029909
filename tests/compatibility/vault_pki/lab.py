# SPDX-License-Identifier: Apache-2.0
"""Hosts that are directories of this machine, plays that call the entry points of the role, and openssl as the witness."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import tempfile
import time

import openbao

CORES = ("ansible-2.14", "ansible-2.19")
NEWEST = CORES[-1]
HOSTS = ("web1", "web2")

# Where the collection was placed, to be removed at the end.
PLACED = []


@functools.lru_cache(maxsize=None)
def venv(core):
    """The virtual environment of one ansible-core."""
    done = subprocess.run([openbao.TOP / "scripts" / "venv", core], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(done.stdout.strip())


@functools.lru_cache(maxsize=None)
def collections():
    """The collection, placed; TLS_EVERYWHERE_NATIVE names a directory with executables that are not in the tree."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-vault-pki.", dir="/var/tmp"))
    PLACED.append(place)
    subprocess.run([openbao.TOP / "scripts" / "place-collection", place], check=True, timeout=60)
    native = os.environ.get("TLS_EVERYWHERE_NATIVE")
    if native:
        plugins = place / "ansible_collections/tls/everywhere/plugins"
        plugins.unlink()
        plugins.mkdir()
        for part in (openbao.TOP / "plugins").iterdir():
            if part.name != "native":
                (plugins / part.name).symlink_to(part)
        (plugins / "native").symlink_to(native)
    return place


@dataclasses.dataclass
class Ran:
    """One run of ansible-playbook."""

    status: int
    text: str

    def recap(self, host, what):
        """A figure of the recap: ok, changed, failed, unreachable."""
        return int(re.search(rf"^{re.escape(host)}\s+:.*\b{what}=([0-9]+)", self.text, re.MULTILINE).group(1))

    def changed(self):
        """The changes of all hosts."""
        return sum(int(count) for count in re.findall(r"\bchanged=([0-9]+)", self.text.partition("PLAY RECAP")[2]))

    def flat(self):
        """The output without the breaks that a terminal's width makes."""
        return re.sub(r"\s+", " ", self.text)


class Lab:
    """Two hosts that get certificates from one mount."""

    def __init__(self, place, bao, core, mount):
        self.place, self.bao, self.core, self.mount = pathlib.Path(place), bao, core, mount
        self.hosts, self.endpoints, self.handlers = list(HOSTS), {}, []
        for host in HOSTS:
            for part in ("certs", "anchors"):
                (self.place / host / part).mkdir(parents=True)

    def at(self, host, name):
        """A file of a host's certificates."""
        return self.place / host / "certs" / name

    def variables(self, host):
        """What is each host's own, and keeps the role off this machine's trust store."""
        at = self.place / host
        return {
            "ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3", "vault_pki_directory": str(at / "certs"),
            "vault_pki_trust_bundle": str(at / "ca.pem"), "vault_pki_state_directory": str(at / "state"),
            "vault_pki_trust_store_location": {"apt": str(at / "anchors")}, "vault_pki_trust_store_command": {"apt": f"touch {at}/updated"},
            "vault_pki_certificates": [{"name": host, "dns": [f"{host}.example.test"], "ip": ["127.0.0.1"]}],
            "vault_pki_endpoints": self.endpoints.get(host, []),
        }

    def settings(self, **more):
        """The role's variables that hold for all hosts."""
        return {"vault_pki_url": [self.bao.url], "vault_pki_token": openbao.TOKEN, "vault_pki_mount": self.mount, "vault_pki_trust_system": False,
                "vault_pki_key": {"algorithm": "ecdsa", "curve": "P-256"}, "vault_pki_certificate_defaults": {"key": {"algorithm": "ecdsa"}}, **more}

    def run(self, *entries, ok=True, arguments=(), play=None, **values):
        """The entry points one after the other in a play on all hosts."""
        tasks = [{"name": f"Entry {entry}", "ansible.builtin.include_role": {"name": "tls.everywhere.vault_pki", "tasks_from": entry}} for entry in entries]
        return self.play([{"hosts": "all", "gather_facts": False, "tasks": tasks, "handlers": self.handlers, **(play or {})}], ok, arguments, **values)

    def play(self, plays, ok=True, arguments=(), **values):
        """One run of ansible-playbook."""
        command, environment = self._command(plays, arguments, values)
        done = subprocess.run(command, env=environment, cwd=self.place, capture_output=True, text=True, timeout=300, check=False)
        ran = Ran(done.returncode, done.stdout + done.stderr)
        if ok is not None:
            assert (ran.status == 0) == ok, ran.text
        return ran

    def killed(self, entry, reached, **values):
        """A run that is killed with all its children, kill -9, as soon as `reached` says so."""
        tasks = [{"name": f"Entry {entry}", "ansible.builtin.include_role": {"name": "tls.everywhere.vault_pki", "tasks_from": entry}}]
        command, environment = self._command([{"hosts": "all", "gather_facts": False, "tasks": tasks, "handlers": self.handlers}], (), values)
        with (self.place / "killed.log").open("w") as log, subprocess.Popen(
                command, env=environment, cwd=self.place, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True) as process:
            end = time.monotonic() + 200
            while process.poll() is None and not reached():
                assert time.monotonic() < end, (self.place / "killed.log").read_text()
                time.sleep(0.02)
            was_running = process.poll() is None
            end_all(process.pid)
            process.wait(timeout=20)
        assert was_running, (self.place / "killed.log").read_text()

    def _command(self, plays, arguments, values):
        """How ansible-playbook is called, and its environment."""
        (self.place / "play.yml").write_text(json.dumps(plays))
        (self.place / "inventory.json").write_text(json.dumps({"all": {"hosts": {host: self.variables(host) for host in self.hosts}}}))
        (self.place / "variables.json").write_text(json.dumps(self.settings(**values)))
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.place), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.place / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self.place / "ansible" / "tmp"), "ANSIBLE_COLLECTIONS_PATH": str(collections()),
            "ANSIBLE_COLLECTIONS_PATHS": str(collections()), "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_DEPRECATION_WARNINGS": "False",
        }
        command = [venv(self.core) / "bin" / "ansible-playbook", "-i", self.place / "inventory.json", "-e", f"@{self.place}/variables.json",
                   self.place / "play.yml", *arguments]
        return command, environment

    def issuers(self):
        """The names of the mount's authorities, from the server itself."""
        facts = self.bao.api(f"{self.mount}/issuers?list=true")["key_info"].values()
        return {each["issuer_name"] for each in facts}

    def issuer(self, name="default"):
        """What the server says of one."""
        return self.bao.api(f"{self.mount}/issuer/{name}")

    def serial(self, host, name=None):
        """The serial number of a host's certificate."""
        return openssl("x509", "-in", self.at(host, f"{name or host}.pem"), "-noout", "-serial").strip()

    def assert_verified(self, host, name=None, root=None):
        """A host's certificate has its key, and leads to a root that the host trusts, or to the one given."""
        pem, key = (self.at(host, f"{name or host}.{ending}") for ending in ("pem", "key"))
        assert openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", pem, "-noout", "-pubkey")
        assert verifies(pem, root or self.place / host / "ca.pem")
        assert key.stat().st_mode & 0o777 == 0o600


def below(pid):
    """The processes that one has started, and theirs; since ansible-core 2.19 they are in sessions of their own."""
    children = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            children.setdefault(int(path.read_text(errors="replace").rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found, left = set(), [pid]
    while left:
        fresh = children.get(left.pop(), [])
        found.update(fresh)
        left += fresh
    return found


def end_all(pid):
    """Kills one with all below it, stopped before so that none starts another meanwhile."""
    stopped = set()
    while fresh := {pid, *below(pid)} - stopped:
        for each in fresh:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGSTOP)
        stopped |= fresh
    for each in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def verifies(pem, roots):
    """Whether openssl leads the first certificate of a file to one of the roots by the others, and by no other file."""
    command = ["openssl", "verify", "-no-CAfile", "-no-CApath", "-no-CAstore", "-trusted", roots, "-untrusted", pem, pem]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def lifetime(pem):
    """The hours from the beginning to the end of the first certificate of a file."""
    dates = dict(line.split("=", 1) for line in openssl("x509", "-in", pem, "-noout", "-startdate", "-enddate").splitlines())
    return (ssl.cert_time_to_seconds(dates["notAfter"]) - ssl.cert_time_to_seconds(dates["notBefore"])) / 3600


def openssl(*arguments):
    """What openssl prints; its refusal is ours."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"openssl {arguments}: {done.stdout}{done.stderr}"
    return done.stdout
