# SPDX-License-Identifier: Apache-2.0
"""Nodes as OpenStack-Ansible deploys them, playbooks on them with its variables, and openssl as the witness of what is served."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import servers
from network import Network

TOP = pathlib.Path(__file__).resolve().parents[3]
OLDEST, NEWEST = "ansible-2.14", "ansible-2.19"
NAME, VIP = "cloud.example.com", "192.0.2.10"

# Where the collection was placed, to be removed at the end.
PLACED = []

# What has HAProxy read its files, where there is no systemd.
RELOAD = ["sh", "-c", "kill -USR2 $(cat /run/haproxy.pid)"]


@functools.lru_cache(maxsize=None)
def venv(core):
    """The virtual environment of one ansible-core."""
    done = subprocess.run([TOP / "scripts" / "venv", core], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(done.stdout.strip())


@functools.lru_cache(maxsize=None)
def collections():
    """The collection, placed; TLS_EVERYWHERE_NATIVE names a directory with executables that are not in the tree."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-haproxy.", dir="/var/tmp"))
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


class Run:
    """What a playbook said."""

    def __init__(self, status, text):
        self.status, self.text = status, text

    @property
    def changed(self):
        """How many tasks changed something."""
        return int(re.search(r"\bchanged=([0-9]+)", self.text).group(1))


class Lab:
    """A certificate authority, and nodes behind one external address."""

    def __init__(self, place, nodes=2, **pebble):
        self.place, self.core = pathlib.Path(place), NEWEST
        self.network = Network(self.place, "ca", *(f"node{number}" for number in range(1, nodes + 1)))
        self.nodes = self.network.nodes
        self.network.name(NAME, VIP)
        self.pebble = servers.Pebble(self.network.hub, **pebble)
        self.haproxies = {}
        self.network.move(VIP, self.nodes[0])

    def close(self):
        """The end of all."""
        self.network.close()

    # HAProxy.

    def haproxy(self, node, addresses=None, **options):
        """OpenStack-Ansible's file for a node, and an HAProxy that is not started yet."""
        text = servers.configuration(node.name, addresses or [(VIP, VIP)], self.nodes, **options)
        self.haproxies[node.name] = servers.HAProxy(node, text)
        return self.haproxies[node.name]

    def start_all(self, **options):
        """HAProxies on all nodes, each with a certificate of a private authority where the role puts its own, as OpenStack-Ansible's role pki leaves it."""
        for node in self.nodes:
            self.private_certificate(node)
            self.haproxy(node, **options).start()

    def pem(self, node, address=VIP):
        """HAProxy's file, as the host sees it."""
        return node.etc / f"haproxy/ssl/haproxy_{node.name}-{address}.pem"

    def private_certificate(self, node):
        """A valid certificate for the name that is not the server's."""
        pem = self.pem(node)
        pem.parent.mkdir(parents=True, exist_ok=True)
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=private authority",
                 "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", node.place / "private.key", "-out", node.place / "private.pem"]
        subprocess.run(list(map(str, words)), check=True, capture_output=True, timeout=60)
        pem.write_text((node.place / "private.pem").read_text() + (node.place / "private.key").read_text())
        return serial(pem)

    # The role.

    def variables(self, node, **more):
        """What OpenStack-Ansible's inventory and user_variables.yml say, and what makes the role at home in the lab."""
        return {
            "external_lb_vip_address": NAME, "internal_lb_vip_address": "192.0.2.20", "haproxy_bind_external_lb_vip_address": VIP,
            "management_address": node.address, "haproxy_ssl_letsencrypt_enable": True, "haproxy_ssl_letsencrypt_email": "ops@example.net",
            "haproxy_ssl_letsencrypt_certbot_server": self.pebble.url,
            "haproxy_letsencrypt_acme": {"ca_file": str(self.pebble.ca_file), **more.pop("acme", {})},
            "haproxy_letsencrypt_program_directory": str(node.place / "libexec"), "haproxy_letsencrypt_unit_directory": str(node.place / "units"),
            "haproxy_letsencrypt_reload": RELOAD, "tls_everywhere_program_directory": str(self.place / f"programs-{node.name}"), **more,
        }

    def command(self, node, arguments, variables):
        """How the role is run on a node."""
        (node.place / "units").mkdir(exist_ok=True)
        play = [{"hosts": "all", "gather_facts": False, "roles": [variables.pop("role", "tls.everywhere.haproxy_letsencrypt")]}]
        (node.place / "play.yml").write_text(json.dumps(play))
        (node.place / "variables.json").write_text(json.dumps(self.variables(node, **variables)))
        programs = venv(self.core) / "bin"
        return node.command(programs / "python", programs / "ansible-playbook", "-i", f"{node.name},", "-c", "local", "-e",
                            f"ansible_python_interpreter={sys.executable}", "-e", f"@{node.place}/variables.json", node.place / "play.yml", *arguments)

    def environment(self, node):
        """Ansible's directories are private ones."""
        home = node.place / "ansible"
        place = str(collections())
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home), "ANSIBLE_HOME": str(home), "ANSIBLE_LOCAL_TEMP": f"{home}/tmp",
                "ANSIBLE_COLLECTIONS_PATH": place, "ANSIBLE_COLLECTIONS_PATHS": place, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "False",
                "ANSIBLE_REMOTE_TEMP": f"{home}/remote", "ANSIBLE_ROLES_PATH": str(node.place / "roles")}

    def play(self, node, *arguments, ok=True, **variables):
        """One run of the role on one node."""
        return self.finish(node, self.begin(node, *arguments, **variables), ok)

    def begin(self, node, *arguments, **variables):
        """The same, not waited for."""
        log = (node.place / "play.log").open("w+")
        return subprocess.Popen(self.command(node, arguments, variables), env=self.environment(node), stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT), log

    def finish(self, node, begun, ok=True):
        """Its end."""
        process, log = begun
        process.wait(timeout=240)
        log.seek(0)
        run = Run(process.returncode, log.read())
        log.close()
        assert (run.status == 0) == ok, run.text
        return run

    def timer(self, node, ok=True, renew=None, **changes):
        """What the timer starts, as its unit says, with other words in its file: as after another run of the role, but quicker."""
        hook = node.etc / "tls-everywhere/haproxy_letsencrypt.json"
        settings = {**json.loads(hook.read_text()), **changes}
        if renew:
            settings["cert_request"]["certificates"][0]["renew"] = renew
        hook.write_text(json.dumps(settings))
        unit = (node.place / "units/tls-everywhere-haproxy-letsencrypt.service").read_text()
        words = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE).group(1))
        done = node.run(*words, check=False, seconds=120)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout

    # The witness.

    def served(self, node, address=VIP, port=443):
        """The serial that the node serves, asked on the node itself."""
        said = node.run("openssl", "s_client", "-connect", f"{address}:{port}", "-servername", NAME, text="").stdout
        return openssl("x509", "-noout", "-serial", text=said).strip()

    def trusted(self, node, name=NAME):
        """Whether openssl, from the authority's machine, trusts what is served for the name."""
        done = self.network.hub.run("openssl", "s_client", "-connect", f"{name}:443", "-servername", name, "-verify_hostname", name, "-verify_return_error",
                                    "-CAfile", self.pebble.roots(), text="", check=False)
        return done.returncode == 0 and "Verify return code: 0 (ok)" in done.stdout


def openssl(*arguments, text=None):
    """What openssl says of it."""
    return subprocess.run(["openssl", *map(str, arguments)], input=text, check=True, capture_output=True, text=True, timeout=60).stdout


def serial(certificate):
    """The serial number of the first certificate in a file."""
    return openssl("x509", "-in", certificate, "-noout", "-serial").strip()
