# SPDX-License-Identifier: Apache-2.0
"""Hosts that are directories of this machine, playbooks that call the roles, and openssl as the witness."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from servers import TOP

CORES = ("ansible-2.14", "ansible-2.16", "ansible-2.18", "ansible-2.19")
NEWEST = CORES[-1]
#: a group that every Debian has, in the place of `letsencrypt`, which no test may make on this machine
GROUP = "daemon"

ROLES = TOP / "extras" / "roles"

# Where the collection was placed, to be removed at the end.
PLACED = []


@functools.lru_cache(maxsize=None)
def venv(core):
    """The virtual environment of one ansible-core."""
    done = subprocess.run([TOP / "scripts" / "venv", core], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(done.stdout.strip())


@functools.lru_cache(maxsize=None)
def collections():
    """The collection, placed; TLS_EVERYWHERE_NATIVE names a directory with executables that are not in the tree."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-letsencrypt.", dir="/var/tmp"))
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
    """Some hosts with their certificates, and who signs them."""

    def __init__(self, place, world, core=NEWEST, bare=False, **certs):
        self.place, self.world, self.core, self.bare, self.certs = pathlib.Path(place), world, core, bare, certs
        self.place.mkdir(parents=True, exist_ok=True)

    def directory(self, host):
        """Where a host has its certificates."""
        return self.place / host / "letsencrypt-certs"

    def at(self, host, name, file):
        """A file of a certificate, by its first name."""
        return self.directory(host) / name / file.replace("NAME", name)

    def variables(self, host):
        """What makes the role at home in the lab."""
        return {
            "ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3", "letsencrypt_group": GROUP,
            "letsencrypt_cert_directory": str(self.directory(host)), "letsencrypt_state_directory": str(self.place / host / "state"),
        }

    def inventory(self, groups):
        """All hosts in OpenDev's groups; `groups` adds others."""
        hosts = {host: {**self.variables(host), "letsencrypt_certs": certs} for host, certs in self.certs.items()}
        hosts["ns"] = self.variables("ns")
        children = {"letsencrypt": list(self.certs), "adns": ["ns"], "disabled": [], **groups}
        return {"all": {"hosts": hosts, "children": {name: {"hosts": {host: {} for host in members}} for name, members in children.items()}}}

    def settings(self, **more):
        """The role's variables that hold for all hosts."""
        world = self.world
        found = {} if world is None else {
            "letsencrypt_directory": world.pebble.directory, "letsencrypt_ca_file": str(world.pebble.place / "https.pem"),
            "letsencrypt_propagation": world.propagation(), "letsencrypt_account_email": "infra-root@example.test", "letsencrypt_parallel": 1,
        }
        return {**found, **more}

    def prepare(self):
        """The directories that the role would make, without the seconds that it takes; hosts that are `bare` have none."""
        for host, certs in self.certs.items():
            for path in [self.directory(host), *(self.directory(host) / first_name(given) for given in certs.values())]:
                if not path.exists():
                    path.mkdir(parents=True)
                    shutil.chown(path, "root", GROUP)
                    path.chmod(0o2750)

    def play(self, plays, ok=True, arguments=(), groups=None, **values):
        """One run of ansible-playbook."""
        for each in plays:
            each.setdefault("gather_facts", False)
        if not self.bare:
            self.prepare()
        (self.place / "play.yml").write_text(json.dumps(plays))
        (self.place / "inventory.json").write_text(json.dumps(self.inventory(groups or {})))
        (self.place / "variables.json").write_text(json.dumps(self.settings(**values)))
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.place), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.place / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self.place / "ansible" / "tmp"), "ANSIBLE_ROLES_PATH": f"{self.place}/roles:{ROLES}",
            "ANSIBLE_COLLECTIONS_PATH": str(collections()), "ANSIBLE_COLLECTIONS_PATHS": str(collections()),
        }
        command = [venv(self.core) / "bin" / "ansible-playbook", "-i", self.place / "inventory.json", "-e", f"@{self.place}/variables.json",
                   self.place / "play.yml", *arguments]
        done = subprocess.run(command, env=environment, cwd=self.place, capture_output=True, text=True, timeout=300)
        ran = Ran(done.returncode, done.stdout + done.stderr)
        if ok is not None:
            assert (ran.status == 0) == ok, ran.text
        return ran

    def three(self, handlers=(), publish=(), **values):
        """OpenDev's three plays, as their base.yaml has them."""
        hosts = "letsencrypt:!disabled"
        plays = [
            {"name": "Base: request certificates", "hosts": hosts, "roles": ["letsencrypt-acme-sh-install", "letsencrypt-request-certs"]},
            {"name": "Base: publish", "hosts": "adns:!disabled", "roles": ["letsencrypt-install-txt-record"], **dict(publish)},
            {"name": "Base: create", "hosts": hosts, "roles": ["letsencrypt-create-certs"], "handlers": list(handlers)},
        ]
        values.setdefault("letsencrypt_zone", "acme-file.test")
        values.setdefault("letsencrypt_provider", self.world and self.world.file())
        return self.play(plays, **values)

    def one(self, handlers=(), before=(), hosts="letsencrypt", **values):
        """The single call."""
        tasks = [*before, {"name": "Certificates", "ansible.builtin.import_role": {"name": "tls.everywhere.letsencrypt"}}]
        values.setdefault("letsencrypt_zone", "acme-sign.test")
        values.setdefault("letsencrypt_provider", self.world and self.world.update())
        return self.play([{"hosts": hosts, "tasks": tasks, "handlers": list(handlers)}], **values)

    def assert_served(self, host, name, names, root=None):
        """The four files of acme.sh belong together, hold these names and lead to the root, as openssl says; returns the serial."""
        key, certificate, chain, full = (self.at(host, name, file) for file in ("NAME.key", "NAME.cer", "ca.cer", "fullchain.cer"))
        assert openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", certificate, "-noout", "-pubkey")
        assert openssl("verify", "-CAfile", root or self.world.pebble.root(), "-untrusted", chain, full).strip().endswith("OK")
        assert set(re.findall(r"DNS:([^,\s]+)", openssl("x509", "-in", certificate, "-noout", "-ext", "subjectAltName"))) == set(names)
        assert full.read_text() == certificate.read_text() + chain.read_text()
        assert (mode(key), key.owner(), key.group()) == ("0640", "root", GROUP) and mode(key.parent) == "2750" and key.parent.group() == GROUP
        return openssl("x509", "-in", certificate, "-noout", "-serial").strip()

    def snapshot(self):
        """Every file of every host's certificates: mode, owner, time and content."""
        found = {}
        for host in self.certs:
            for path in sorted(self.directory(host).rglob("*")):
                status = path.lstat()
                found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, path.read_bytes() if path.is_file() else None)
        return found


def first_name(given):
    """Of a certificate, which names its directory."""
    return (given["names"] if isinstance(given, dict) else given)[0].partition(":")[0]


def touching(place, *topics):
    """Handlers that leave a file named by the host and the topic, as OpenDev names them: one for each certificate."""
    return [{"name": topic, "ansible.builtin.shell": {"cmd": f"echo x >> '{place}/{{{{ inventory_hostname }}}} {topic}'"}} for topic in topics]


def touched(place):
    """Which of them ran, and how often."""
    return {path.name: path.read_text().count("x") for path in sorted(pathlib.Path(place).iterdir())}


def openssl(*arguments, days_ago=0):
    """What openssl prints; its refusal is ours. With `days_ago` it believes in another day."""
    environment = {"PATH": os.environ["PATH"]}
    if days_ago:
        library = f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1"
        assert os.path.exists(library), "install libfaketime: scripts/setup-debian test"
        environment.update(LD_PRELOAD=library, FAKETIME=f"-{days_ago}d")
    done = subprocess.run(["openssl", *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"openssl {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def mode(path):
    """Permissions of a file, as octal text."""
    return f"{path.stat().st_mode & 0o7777:04o}"
