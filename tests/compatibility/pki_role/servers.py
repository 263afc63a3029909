# SPDX-License-Identifier: Apache-2.0
"""Real servers that use what the role installed, and openssl as their client."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import onlooker
import yaml
from cloud import INTERMEDIATE, ROOT, Cloud, openssl
from test_callers import play

CALLERS = pathlib.Path(__file__).parent / "callers"

# As upstream's keys, but quicker to make than RSA-4096; its PKCS#1 form is what the servers must be able to read.
KEY = {"algorithm": "rsa", "size": 2048}


def described(caller, /, **words):
    """A caller's description with some of its words replaced: owners that this machine's servers have, names that it has."""
    text = (CALLERS / f"{caller}.yml").read_text()
    for old, new in words.items():
        assert old in text, f"{caller}.yml has no '{old}'"
        text = text.replace(old, new)
    return yaml.safe_load(text)


class Deployment:
    """One host with the files of some callers, all in one play, and a client's certificate besides if it is asked for."""

    def __init__(self, work, *callers, authority="ExampleCorpIntermediate", root="ExampleCorpRoot", handlers=(), watched=()):
        self.cloud = Cloud(work, hosts=("node1",))
        self.host = work / "node1"
        self.authority, self.root = self.cloud.authority(authority), self.cloud.authority(root)
        self.handlers = handlers
        self.watched = [self.host, self.cloud.pki, *(work / directory for directory in watched)]
        self.includes = [include for caller in callers for include in caller["includes"]]
        self.caller = {"topic": callers[0]["topic"], "facts": {name: value for caller in callers for name, value in caller["facts"].items()}}
        for include in self.includes:
            include["vars"]["pki_key"] = KEY

    def with_client(self, **more):
        """Ask for a client's certificate too, in variables that the role finds by their names."""
        signer = self.authority.stem
        files = (("certificate", "crt"), ("certificate_chain", "pem"), ("private_key", "key"), ("ca_bundle", "ca"))
        self.includes[0]["vars"].update(
            pki_certificates_client={
                "name": "client", "provider": "ownca", "cn": "client", "signed_by": signer, "extended_key_usage": ["clientAuth"], **more},
            pki_install_certificates_client=[
                {"name": "client", "type": kind, "dest": f"{{{{ dest }}}}/client/client.{end}"} for kind, end in files])
        return self

    def install(self):
        """Make the deployment's authorities, unless the caller brings its own, and all files."""
        authorities = {"entry": "main_ca.yml", "vars": {"pki_authorities": [ROOT, INTERMEDIATE], "pki_key": KEY}}
        own = self.authority.stem != INTERMEDIATE["name"]
        self.play([*([] if own else [authorities]), *self.includes], self.cloud.work)

    def renew(self, name):
        """A new key and certificate of one name, as an operator asks for them."""
        self.play(self.includes, *self.watched, arguments=("-e", f"pki_regen_cert={name}", "--tags", "pki"))

    def play(self, includes, *watched, arguments=()):
        """Run the includes; nobody without rights can read a key meanwhile."""
        with onlooker.watch(*watched) as seen:
            play(self.cloud, {**self.caller, "includes": includes}, handlers=self.handlers, arguments=arguments)
        assert not seen.keys, f"anybody could read {seen.keys}"

    def serial(self, name):
        """The serial of what the tree holds."""
        return self.cloud.serial(self.cloud.leaf(name))

    def stranger(self, name):
        """openssl as a client without a certificate, which expects this name of the server."""
        return Client(self.root, name)

    def client(self, name):
        """openssl as the client whose certificate was asked for above."""
        at = self.host / "client"
        return Client(self.root, name, ("-cert", at / "client.crt", "-cert_chain", at / "client.ca", "-key", at / "client.key"))


@contextlib.contextmanager
def place():
    """A directory that servers of other users can reach, gone afterwards."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-pki-role.", dir="/var/tmp"))
    work.chmod(0o755)
    try:
        yield work
    finally:
        shutil.rmtree(work)


def state(work, name, user=None):
    """A directory of a server's own below the work directory."""
    path = work / name
    path.mkdir()
    if user:
        shutil.chown(path, user)
    return path


def free_port():
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_user(user, group=None):
    """The words before a command that make another user run it, with no groups but the named one, and not longer than the tests run."""
    return ["setpriv", "--reuid", user, "--regid", group or user, "--clear-groups", "setpriv", "--pdeathsig", "TERM"]


@contextlib.contextmanager
def running(command, log, port, environment=None):
    """A server until the block ends, with all its children; yields it once it listens."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent, env=environment,
            start_new_session=True)
    try:
        wait_for(port, server, log)
        yield server
    finally:
        end(server)


def eventually(fact):
    """Whether something becomes true within ten seconds."""
    until = time.monotonic() + 10
    while not (true := fact()) and time.monotonic() < until:
        time.sleep(0.05)
    return true


def wait_for(port, server, log):
    """Until somebody listens on the port."""
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        assert server.poll() is None, f"{server.args} ended:\n{log.read_text(errors='replace')}"
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}:\n{log.read_text(errors='replace')}")


def end(server):
    """Ask the server and its children to end, then make them."""
    for sign, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, sign)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            server.poll()
            try:
                os.killpg(server.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)
    raise AssertionError(f"{server.args} does not end")


@dataclasses.dataclass(frozen=True)
class Client:
    """openssl, which trusts one file, expects one name or address, and shows a certificate if it has one."""

    trusted: pathlib.Path
    name: str
    own: tuple = ()

    def connect(self, port, words, *options):
        """Verify the server, say the words, and go as the options say."""
        expect = ["-verify_ip", self.name] if re.fullmatch(r"[0-9.]+", self.name) else ["-verify_hostname", self.name, "-servername", self.name]
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.trusted, "-verify_return_error", *expect, *self.own, *options]
        return subprocess.run(command, input=words, capture_output=True, timeout=30)

    def ask(self, port, words):
        """What the server answers until it hangs up."""
        return self.connect(port, words, "-quiet").stdout

    def refused(self, port, words):
        """Whether the server, itself found good, ends the connection without an answer. Its alert may be lost in the reset that follows."""
        done = self.connect(port, words, "-quiet")
        assert b"depth=0" in done.stderr and b"verify error" not in done.stderr, done.stderr.decode()
        return not done.stdout and (b" alert " in done.stderr or b"errno=104" in done.stderr)

    def serial(self, port, *options):
        """The serial of the certificate that is served, once openssl has verified it."""
        done = self.connect(port, b"", *options)
        assert done.returncode == 0 and b"Verify return code: 0 (ok)" in done.stdout, done.stderr.decode()
        served = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", done.stdout, re.DOTALL).group(0)
        return openssl("x509", "-noout", "-serial", text=served.decode()).strip()
