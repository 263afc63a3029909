# SPDX-License-Identifier: Apache-2.0
"""Hosts for the role certcheck: a real HAProxy, a real mail server, directories of their own, and playbooks on them."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
OLDEST, NEWEST = "ansible-2.14", "ansible-2.19"

SSL_POLICY = "ssl-default-bind-options ssl-min-ver TLSv1.2"


@functools.lru_cache(maxsize=None)
def venv(core):
    """The virtual environment of one ansible-core."""
    done = subprocess.run([TOP / "scripts/venv", core], check=True, capture_output=True, text=True, timeout=900)
    return pathlib.Path(done.stdout.strip())


def free_port():
    """A port below those that clients get, so that nobody takes it before the server does."""
    for port in range(20000 + os.getpid() % 5000, 32000):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in TAKEN:
            TAKEN.add(port)
            return port
    raise RuntimeError("no port is free")


TAKEN = set()


def listens(port):
    """Waits until somebody does."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port}")


class Run:
    """What a playbook said."""

    def __init__(self, done):
        self.status, self.text = done.returncode, done.stdout + done.stderr

    def changed(self, host):
        """How many tasks changed something there."""
        return int(re.search(rf"^{host} .*\bchanged=([0-9]+)", self.text, re.M).group(1))


class Lab:
    """An authority, a HAProxy with a port for each certificate, and a mail server."""

    def __init__(self, place):
        self.place, self.ports, self.children, self.wished = place, {}, [], {}
        self.haproxy, self.mail_port = None, free_port()
        for name in ["certificates", "mail", "collections"]:
            (place / name).mkdir()
        subprocess.run([TOP / "scripts/place-collection", place / "collections"], check=True, timeout=60)
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=Lab CA",
                     "-keyout", "ca.key", "-out", "ca.pem")

    def openssl(self, *words):
        """What openssl does in the directory of the certificates."""
        subprocess.run(["openssl", *words], cwd=self.place / "certificates", check=True, capture_output=True, timeout=60)

    def certificate(self, name, days):
        """A certificate for the name with its key in one file, which HAProxy serves after the next start."""
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj", f"/CN={name}",
                     "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt")
        pem = self.pem(name)
        pem.write_text(pem.with_suffix(".crt").read_text() + pem.with_suffix(".key").read_text())
        self.ports.setdefault(name, free_port())

    def pem(self, name):
        """Certificate and key of a name."""
        return self.place / "certificates" / f"{name}.pem"

    def serve(self):
        """HAProxy, with what its files hold now."""
        if self.haproxy:
            self.haproxy.terminate()
            self.haproxy.wait(20)
        lines = ["global", SSL_POLICY, "defaults", "mode http", "timeout connect 5s", "timeout client 5s", "timeout server 5s"]
        for name, port in self.ports.items():
            lines += [f"frontend {name}", f"bind 127.0.0.1:{port} ssl crt {self.pem(name)}", "http-request return status 200"]
        (self.place / "haproxy.cfg").write_text("\n".join(lines) + "\n")
        words = ["haproxy", "-db", "-f", self.place / "haproxy.cfg"]
        self.haproxy = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # pylint: disable=consider-using-with
        for port in self.ports.values():
            listens(port)

    def mail_server(self):
        """A real one, which keeps what it gets, and msmtp as the host's sendmail."""
        words = ["/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.mail_port}", "-c", "aiosmtpd.handlers.Mailbox", self.place / "mail/box"]
        self.children.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))  # pylint: disable=consider-using-with
        listens(self.mail_port)
        (self.place / "msmtprc").write_text(f"account default\nhost 127.0.0.1\nport {self.mail_port}\nfrom certcheck@example.com\ntls off\n")
        sendmail = self.place / "sendmail"
        sendmail.write_text(f'#!/bin/sh\nexec msmtp -C {self.place}/msmtprc "$@"\n')
        sendmail.chmod(0o755)
        return str(sendmail)

    def mails(self):
        """What it got, the oldest first."""
        new = self.place / "mail/box/new"
        return [path.read_text() for path in sorted(new.iterdir(), key=lambda path: path.stat().st_mtime_ns)] if new.exists() else []

    def close(self):
        """The end of all."""
        for child in [self.haproxy, *self.children]:
            if child:
                child.terminate()
                child.wait(20)

    # Hosts: all of them this machine, each with directories of its own.

    def variables(self, host):
        """What makes the role at home in the lab."""
        home = self.place / host
        for name in ["units", "textfiles"]:
            (home / name).mkdir(parents=True, exist_ok=True)
        return {"certcheck_directory": f"{home}/state", "certcheck_program_directory": f"{home}/libexec", "certcheck_hook_directory": f"{home}/hooks",
                "certcheck_unit_directory": f"{home}/units", "certcheck_textfile_directories": [f"{home}/missing", f"{home}/textfiles"],
                "ssl_cert_check_domain_list": f"{home}/ssldomains", "tls_everywhere_program_directory": f"{self.place}/programs",
                "certcheck_fleet_directory": f"{self.place}/fleet",
                "certcheck_options": {"trust": {"ca_path": [f"{self.place}/certificates/ca.pem"], "system": False}, "attribution": "never"}}

    def play(self, hosts, tasks=None, arguments=(), core=NEWEST, **variables):
        """The role, or tasks, on hosts. `variables` are per host."""
        inventory = {"all": {"hosts": {host: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **self.variables(host),
                                              **variables.get(host, {})} for host in hosts}}}
        (self.place / "inventory.json").write_text(json.dumps(inventory))
        play = {"hosts": ",".join(hosts), "gather_facts": False, **(tasks or {"roles": ["tls.everywhere.certcheck"]})}
        (self.place / "play.yml").write_text(json.dumps([play]))
        home = self.place / "ansible"
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home), "ANSIBLE_HOME": str(home), "ANSIBLE_LOCAL_TEMP": f"{home}/tmp",
                       "ANSIBLE_COLLECTIONS_PATH": f"{self.place}/collections", "ANSIBLE_COLLECTIONS_PATHS": f"{self.place}/collections",
                       "ANSIBLE_NOCOLOR": "1", "ANSIBLE_REMOTE_TEMP": f"{home}/remote", "ANSIBLE_LOCALHOST_WARNING": "False"}
        programs = venv(core) / "bin"
        words = [programs / "python", programs / "ansible-playbook", "-i", self.place / "inventory.json", self.place / "play.yml", *arguments]
        run = Run(subprocess.run(words, env=environment, cwd=self.place, check=False, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL))
        assert run.status == 0, run.text
        return run

    def timer(self, host, status=0):
        """What the timer starts, as its unit says."""
        unit = (self.place / host / "units/tls-everywhere-certcheck.service").read_text()
        words = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE).group(1))
        done = subprocess.run(words, env={"PATH": os.environ["PATH"]}, check=False, capture_output=True, text=True, timeout=180)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr
