# SPDX-License-Identifier: Apache-2.0
"""A certmonger of our own: bus, directories and helpers below one directory, and the witnesses that look at it."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import time

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow own="*"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    {policy}
  </policy>
</busconfig>
"""
EVERYBODY = '<allow send_destination="*"/>'

# An authority of certmonger is a program. This one answers as the file beside it says; 0 is certmonger's own local CA.
HELPER = """#!/bin/sh
case "$CERTMONGER_OPERATION" in SUBMIT|POLL) ;; *) exit 6 ;; esac
echo "$CERTMONGER_OPERATION $CERTMONGER_CA_PROFILE" >>{place}/asked
code=$(cat {place}/code)
[ ! -e {place}/thinks ] || sleep "$(cat {place}/thinks)"
case $code in
    0) exec /usr/lib/certmonger/local-submit ;;
    1) echo cookie; exit 1 ;;
    5) echo 1; echo cookie; exit 5 ;;
    *) echo "the helper says $code"; exit "$code" ;;
esac
"""


class Until:
    """Waits for something that must come."""

    def __init__(self, seconds=20.0):
        self.end = time.monotonic() + seconds

    def __call__(self, what, question):
        while not (answer := question()):
            assert time.monotonic() < self.end, f"it did not happen: {what}"
            time.sleep(0.02)
        return answer


@dataclasses.dataclass
class Lab:
    """One bus and one certmonger."""

    place: pathlib.Path
    policy: str = EVERYBODY
    private: bool = False
    processes: dict = dataclasses.field(default_factory=dict)

    @property
    def socket(self):
        """Where the bus, or certmonger itself, listens."""
        return self.place / "socket"

    @property
    def environment(self):
        """What certmonger, getcert and the module are started with."""
        directories = {f"CERTMONGER_{name}_DIR": str(self.place / name.lower()) for name in ("CONFIG", "REQUESTS", "CAS", "LOCAL_CA")}
        address = {"CERTMONGER_PVT_ADDRESS" if self.private else "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.socket}"}
        files = {"CERTMONGER_SYSTEM_LOCK_FILE": str(self.place / "lock"), "CERTMONGER_TMPDIR": str(self.place / "tmp"), "TMPDIR": str(self.place / "tmp")}
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **directories, **address, **files}

    def start(self):
        """Start the bus, if there shall be one, and certmonger."""
        for name in ("config", "requests", "cas", "local_ca", "tmp", "files"):
            (self.place / name).mkdir(exist_ok=True)
        helper = self.place / "helper"
        helper.write_text(HELPER.format(place=self.place), encoding="utf-8")
        helper.chmod(0o755)
        self.answers(0)
        if not self.private:
            self.start_bus()
        self.start_certmonger()
        return self

    def start_bus(self):
        """A bus with one policy for all."""
        configuration = self.place / "bus.conf"
        configuration.write_text(BUS.format(socket=self.socket, policy=self.policy), encoding="utf-8")
        self.spawn("bus", ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile"])
        Until()("the bus listens", self.socket.exists)

    def start_certmonger(self):
        """certmonger, which is ready when getcert is answered."""
        options = ["-L", "-P", str(self.socket)] if self.private else ["-S"]
        self.spawn("certmonger", ["certmonger", *options, "-n", "-d", "1"])
        if self.policy == EVERYBODY:
            Until()("certmonger answers", lambda: self.getcert("list-cas", check=False).returncode == 0)

    def spawn(self, name, command):
        """Start a process of the lab; what it says goes to a file."""
        with open(self.place / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")

    def stop(self, *names):
        """End processes of the lab, all by default."""
        for name in names or ("certmonger", "bus"):
            process = self.processes.pop(name, None)
            if process:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if not names:
            shutil.rmtree(self.place, ignore_errors=True)

    def getcert(self, *arguments, check=True):
        """certmonger's own client: what people and these tests look with."""
        return subprocess.run(["getcert", *map(str, arguments)], env=self.environment, capture_output=True, text=True, timeout=60, check=check)

    def request(self, nickname, name, *arguments, directory=None):
        """Have getcert ask for a certificate of certmonger's local CA, as a person does."""
        path = (directory or self.file("")) / name
        self.getcert("request", "-I", nickname, "-f", f"{path}.crt", "-k", f"{path}.key", "-G", "EC", "-g", "256", "-c", "local", "-w", *arguments)

    def answers(self, code):
        """What the helper answers from now on."""
        # In one step: it may be asked at any moment.
        (self.place / "code.new").write_text(f"{code}\n", encoding="utf-8")
        (self.place / "code.new").rename(self.place / "code")

    def thinks(self, seconds):
        """How long the helper thinks before it answers, from now on; what it answers it knows before."""
        (self.place / "thinks").write_text(f"{seconds}\n", encoding="utf-8")

    @property
    def asked(self):
        """How often the helper was asked."""
        path = self.place / "asked"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0

    def add_helper(self, name="helper"):
        """Make the helper an authority."""
        self.getcert("add-ca", "-c", name, "-e", self.place / "helper")

    def listed(self, path):
        """What `getcert list` says of the request for a file, by its words."""
        found = self.getcert("list", "-v").stdout.split("\nRequest ID ")[1:]
        of_file = [text for text in found if f"location='{path}'" in text]
        assert len(of_file) == 1, f"{len(of_file)} requests for {path}: {found}"
        lines = (line.strip().split(": ", 1) for line in of_file[0].splitlines()[1:] if ":" in line)
        facts = {line[0].rstrip(":"): line[1] if len(line) > 1 else "" for line in lines}
        return {"nickname": of_file[0].split("'")[1], **facts}

    def tracked(self):
        """How many requests certmonger tracks."""
        return self.getcert("list").stdout.count("\nRequest ID ")

    def file(self, name):
        """A path for a file of a test."""
        return self.place / "files" / name


@dataclasses.dataclass
class Certificate:
    """What openssl says of a certificate file."""

    path: pathlib.Path

    def say(self, *arguments):
        """Ask openssl."""
        command = ["openssl", "x509", "-in", str(self.path), "-noout", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    @property
    def serial(self):
        """The serial number."""
        return self.say("-serial").split("=")[1]

    @property
    def subject(self):
        """The subject."""
        return self.say("-subject", "-nameopt", "RFC2253").split("=", 1)[1]

    @property
    def issuer(self):
        """The issuer."""
        return self.say("-issuer", "-nameopt", "RFC2253").split("=", 1)[1]

    @property
    def names(self):
        """The alternative names, as a set."""
        text = self.say("-ext", "subjectAltName")
        return set(re.findall(r"(?:DNS|IP Address|email):[^,\s]+", text))

    @property
    def public_key(self):
        """The public key, PEM."""
        return self.say("-pubkey")

    def belongs_to(self, key):
        """Whether the private key file is its key."""
        of_key = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout"], capture_output=True, text=True, check=True).stdout.strip()
        return of_key == self.public_key


def self_signed(name, certificate, key, days=100):
    """A pair that nobody of the lab made."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key), "-out", str(certificate),
               "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", str(days)]
    subprocess.run(command, capture_output=True, check=True)


def clock(date):
    """The environment of a program that shall believe a date. Not by the wrapper `faketime`: it fails where a semaphore of an
    earlier process with its number was left behind."""
    library = f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1"
    assert os.path.exists(library), "install libfaketime: scripts/setup-debian test"
    return {**os.environ, "LD_PRELOAD": library, "FAKETIME": f"{date} 00:00:00"}
