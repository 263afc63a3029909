# SPDX-License-Identifier: Apache-2.0
"""A small cloud on this machine: hosts that are directories, the thin role `pki`, and `openssl` as the witness."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]
ROLES = TOP / "extras" / "roles"

# Every ansible-core that the role runs with, the newest last.
CORES = ("ansible-2.14", "ansible-2.16", "ansible-2.18", "ansible-2.19")

# Where the collection was placed, to be removed at the end.
PLACED = []

# The key of tests that are not about keys: RSA-4096, the role's default, takes a second each.
QUICK = {"algorithm": "ecdsa", "curve": "P-256"}

ROOT = {
    "name": "ExampleCorpRoot", "provider": "selfsigned", "basic_constraints": "CA:TRUE", "cn": "Example Corp Root CA",
    "country_name": "GB", "state_or_province_name": "England", "ttl": "3650d",
    "key_usage": ["digitalSignature", "cRLSign", "keyCertSign"],
}
INTERMEDIATE = {
    **ROOT, "name": "ExampleCorpIntermediate", "provider": "ownca", "basic_constraints": "CA:TRUE,pathlen:0",
    "cn": "Example Corp Openstack Infrastructure Intermediate CA", "signed_by": "ExampleCorpRoot",
}


def certificate(name, **more):
    """A certificate as most callers describe it."""
    return {"name": name, "provider": "ownca", "cn": name, "san": {"dns": [name], "ip": ["10.0.0.1"]},
            "signed_by": "ExampleCorpIntermediate", **more}


@functools.lru_cache(maxsize=None)
def venv(name):
    """The virtual environment of one ansible-core."""
    done = subprocess.run([TOP / "scripts" / "venv", name], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(done.stdout.strip())


@functools.lru_cache(maxsize=None)
def collections(native=os.environ.get("TLS_EVERYWHERE_NATIVE")):
    """The collection, placed; TLS_EVERYWHERE_NATIVE names a directory with executables that are not in the tree."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-pki.", dir="/var/tmp"))
    PLACED.append(place)
    subprocess.run([TOP / "scripts" / "place-collection", place], check=True, timeout=60)
    if native:
        plugins = place / "ansible_collections/tls/everywhere/plugins"
        plugins.unlink()
        plugins.mkdir()
        for part in (TOP / "plugins").iterdir():
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


class Cloud:
    """Hosts, a setup host, and what the role made."""

    def __init__(self, work, hosts=("node1",), core="ansible-2.19"):
        self.work = pathlib.Path(work)
        self.hosts = hosts
        self.core = core
        self.pki = self.work / "pki"
        lines = ["[all:vars]", "ansible_connection=local", "ansible_python_interpreter=/usr/bin/python3", "[all]", *hosts, "setup"]
        (self.work / "inventory").write_text("\n".join(lines) + "\n")
        (self.work / "trust").mkdir(exist_ok=True)

    def dest(self, host, name):
        """Where a file of a host is."""
        return self.work / host / name

    def settings(self, **more):
        """The role's variables that hold for all plays here."""
        return {
            "pki_dir": str(self.pki), "pki_key": QUICK, "pki_install_owner": "", "pki_install_group": "",
            "pki_trust_store_location": {"apt": f"{self.work}/trust/{{{{ inventory_hostname }}}}/"},
            "pki_ca_install_command": {"apt": f"touch {self.work}/updated-{{{{ inventory_hostname }}}}"}, **more,
        }

    def include(self, entry="main.yml", handlers=(), tags=("pki",), **values):
        """One include of the role, exactly as OpenStack-Ansible's roles do it."""
        return {"name": "Include the PKI role", "ansible.builtin.include_role": {
            "name": "pki", "tasks_from": entry, "apply": {"tags": list(tags)}}, "vars": self.settings(**values), "tags": ["always"]}

    def play(self, *tasks, arguments=(), handlers=(), hosts=None, ok=True, role="pki", **play):
        """Run tasks as one play and return what came of it."""
        tasks = json.loads(json.dumps(tasks).replace('"name": "pki"', f'"name": "{role}"'))
        plays = [{"hosts": hosts or ",".join(self.hosts), "gather_facts": False, "tasks": tasks, "handlers": list(handlers), **play}]
        (self.work / "play.yml").write_text(json.dumps(plays))
        command = [venv(self.core) / "bin" / "ansible-playbook", "-i", self.work / "inventory", self.work / "play.yml", *arguments]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=300)
        ran = Ran(done.returncode, done.stdout + done.stderr)
        if ok is not None:
            assert (ran.status == 0) == ok, ran.text
        return ran

    def environment(self):
        """Nothing of the user's Ansible gets in."""
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.work), "ANSIBLE_ROLES_PATH": str(ROLES), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(collections()), "ANSIBLE_COLLECTIONS_PATHS": str(collections()),
            "ANSIBLE_LIBRARY": str(self.work / "library"),
            "ANSIBLE_HOME": str(self.work / "ansible"), "ANSIBLE_LOCAL_TEMP": str(self.work / "ansible" / "tmp"), "LC_ALL": "C.UTF-8",
        }

    def run(self, entry="main.yml", arguments=(), ok=True, handlers=(), hosts=None, **values):
        """Run one entry file."""
        return self.play(self.include(entry, **values), arguments=arguments, ok=ok, handlers=handlers, hosts=hosts)

    # What the role left, as openssl and the file system say.

    def leaf(self, name, suffix=""):
        """A certificate file of the tree."""
        return self.pki / "certs" / "certs" / f"{name}{suffix}.crt"

    def key(self, name):
        """A key of the tree."""
        return self.pki / "certs" / "private" / f"{name}.key.pem"

    def authority(self, name, suffix=""):
        """A certificate file of an authority."""
        return self.pki / "roots" / name / "certs" / f"{name}{suffix}.crt"

    def serial(self, path):
        """The serial number that openssl reads."""
        return openssl("x509", "-in", path, "-noout", "-serial").strip()

    def snapshot(self, directory=None):
        """Every file below: mode, owner, content or target of a link; modification times too."""
        found = {}
        for path in sorted((directory or self.pki).rglob("*")):
            status = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[str(path.relative_to(self.work))] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content)
        return found

    def verify(self, name):
        """openssl verifies a leaf with only the root trusted, and the key is the leaf's."""
        root, chain, leaf = self.authority("ExampleCorpRoot"), self.leaf(name, "-chain"), self.leaf(name)
        assert openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, leaf).strip().endswith("OK")
        public = openssl("pkey", "-in", self.key(name), "-pubout")
        assert openssl("x509", "-in", leaf, "-noout", "-pubkey") == public


def openssl(*arguments, check=True, text=None):
    """What openssl prints, given a text to read or none."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 or not check, f"openssl {arguments}: {done.stderr}"
    return done.stdout


def mode(path):
    """Permissions of a file, as octal text."""
    return f"{path.stat().st_mode & 0o7777:04o}"
