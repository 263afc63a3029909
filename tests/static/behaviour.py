# SPDX-License-Identifier: Apache-2.0
"""What the modules of the executable do as programs: make a certificate, and never read OpenSSL's configuration of the host."""

import json
import os
import socketserver
import subprocess
import threading

# A configuration that leaves OpenSSL without any algorithm: whoever reads it can make no key.
HOSTILE = """\
openssl_conf = init
config_diagnostics = 1
[init]
providers = providers
alg_section = algorithms
[providers]
base = base
[base]
activate = 1
[algorithms]
default_properties = fips=yes
"""
SECONDS = 60  # of an emulated program on a loaded machine; natively it takes milliseconds


class Program:
    """A module of one architecture's executable; a subclass says how it makes a self-signed certificate."""

    def __init__(self, command):
        self.command = command

    def checks(self):
        return [
            self.makes_a_certificate_that_openssl_verifies,
            self.is_unmoved_by_a_hostile_openssl_configuration,
            self.never_opens_the_openssl_configuration,
        ]

    def task(self, place):
        """The options, and the paths where certificate and key will be."""
        raise NotImplementedError

    def issue(self, place, environment=None):
        """Makes a self-signed certificate in a directory and has OpenSSL judge it."""
        options, certificate, key = self.task(place)
        done = subprocess.run(
            self.command, input=json.dumps(options), capture_output=True, text=True, timeout=SECONDS, check=False,
            env={"PATH": os.environ["PATH"], **(environment or {})},
        )
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        assert done.stdout.count("\n") == 1, f"not exactly one line: {done.stdout}"
        assert json.loads(done.stdout)["changed"] is True, done.stdout
        self.judge(certificate, key)

    def judge(self, certificate, key):
        """OpenSSL reads both, verifies the certificate, and finds the same public key in them."""
        said = openssl("verify", "-x509_strict", "-CAfile", certificate, certificate)
        assert said.returncode == 0, said.stdout + said.stderr
        of_certificate = openssl("x509", "-in", certificate, "-noout", "-pubkey")
        of_key = openssl("pkey", "-in", key, "-pubout")
        assert of_key.stdout.startswith("-----BEGIN PUBLIC KEY-----"), of_key.stderr
        assert of_certificate.stdout == of_key.stdout, "the key on disk is not the certificate's"

    def makes_a_certificate_that_openssl_verifies(self, place):
        self.issue(place)

    def is_unmoved_by_a_hostile_openssl_configuration(self, place):
        configuration = place / "hostile.cnf"
        configuration.write_text(HOSTILE, encoding="utf-8")
        control = openssl("genpkey", "-algorithm", "RSA", environment={"OPENSSL_CONF": str(configuration)})
        assert control.returncode != 0, "the configuration is not hostile: the host's openssl works with it"
        self.issue(place, {"OPENSSL_CONF": str(configuration), "OPENSSL_MODULES": str(place)})

    def never_opens_the_openssl_configuration(self, place):
        # Whoever opens a pipe that nobody writes waits for ever.
        pipe = place / "pipe.cnf"
        os.mkfifo(pipe)
        try:
            openssl("genpkey", "-algorithm", "RSA", environment={"OPENSSL_CONF": str(pipe)}, seconds=3)
            raise AssertionError("the pipe stops nobody: the host's openssl came back")
        except subprocess.TimeoutExpired:
            pass
        self.issue(place, {"OPENSSL_CONF": str(pipe), "OPENSSL_CONF_INCLUDE": str(place)})


class CertRequest(Program):
    """A host's certificate, self-signed."""

    def task(self, place):
        certificate, key = place / "certificate.pem", place / "key.pem"
        entry = {
            "name": "static",
            "dns": ["static.example"],
            "issuer": {"self_signed": {}},
            "key": {"algorithm": "ecdsa"},
            "files": [
                {"content": "private_key", "path": str(key)},
                {"content": "certificate", "path": str(certificate)},
            ],
        }
        return {"certificates": [entry]}, certificate, key


class PkiCa(Program):
    """A root authority."""

    def task(self, place):
        root = place / "ca" / "roots" / "StaticRoot"
        options = {
            "backend": {"files": {"directory": str(place / "ca")}},
            "authorities": [{"name": "StaticRoot", "common_name": "Static Root CA", "key": {"algorithm": "ecdsa"}}],
        }
        return options, root / "certs" / "StaticRoot.crt", root / "private" / "StaticRoot.key.pem"


class FileSet(Program):
    """A pair that openssl made, copied; what it is linked with reads nothing either."""

    def task(self, place):
        made, certificate, key = place / "made.pem", place / "certificate.pem", place / "key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=static.example",
                "-keyout", place / "made.key", "-out", made)
        files = [{"path": str(path), "content": source.read_text(encoding="ascii")} for path, source in ((key, place / "made.key"), (certificate, made))]
        return {"sets": [{"name": "static", "files": files}]}, certificate, key


class AcmeDnsChallenge(Program):
    """A request of the openssl command, and a server that is not there."""

    def checks(self):
        return [self.has_no_server, self.is_unmoved_by_a_hostile_openssl_configuration, self.never_opens_the_openssl_configuration]

    def has_no_server(self, place):
        self.issue(place)

    def issue(self, place, environment=None):
        """Has the program read a request of the openssl command, and look for a server at a port that nobody has."""
        request = place / "request.csr"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/", "-addext", "subjectAltName=DNS:a.test",
                "-keyout", place / "request.key", "-out", request)
        options = {"directory": "https://127.0.0.1:1/directory", "account_key": str(place / "account.key"), "state_dir": str(place / "state"),
                   "certificates": [{"name": "a", "csr": str(request)}], "provider": {"hook": {"command": ["/bin/false"]}}}
        done = subprocess.run(self.command, input=json.dumps(options), capture_output=True, text=True, timeout=SECONDS, check=False,
                              env={"PATH": os.environ["PATH"], **(environment or {})})
        answer = json.loads(done.stdout)
        assert answer["error"]["kind"] == "web.connect" and answer["certificates"]["a"]["reasons"][0]["kind"] == "missing", done.stdout


class NoContainers(socketserver.BaseRequestHandler):
    """A stand-in for an engine that has no containers."""

    def handle(self):
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n[]")


class ContainerRestart(Program):
    """A certificate that no container uses."""

    def checks(self):
        return [
            self.reads_the_certificate_as_openssl_does,
            self.is_unmoved_by_a_hostile_openssl_configuration,
            self.never_opens_the_openssl_configuration,
        ]

    def reads_the_certificate_as_openssl_does(self, place):
        self.issue(place)

    def issue(self, place, environment=None):
        """Has the program look at a certificate of the openssl command."""
        certificate, socket = place / "certificate.pem", place / "engine.sock"
        made = openssl("req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "9", "-subj", "/CN=a.test",
                       "-addext", "subjectAltName=DNS:a.test", "-keyout", place / "key.pem", "-out", certificate)
        assert made.returncode == 0, made.stderr
        socket.unlink(missing_ok=True)
        with socketserver.ThreadingUnixStreamServer(str(socket), NoContainers) as engine:
            threading.Thread(target=engine.serve_forever, daemon=True).start()
            options = {"certificate": str(certificate), "private_key": str(place / "key.pem"), "socket": str(socket)}
            done = subprocess.run(self.command, input=json.dumps(options), capture_output=True, text=True, timeout=SECONDS, check=False,
                                  env={"PATH": os.environ["PATH"], **(environment or {})})
            engine.shutdown()
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        shown = openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256").stdout.strip().partition("=")[2]
        assert json.loads(done.stdout)["fingerprint"] == shown, done.stdout


class CertCheck(Program):
    """A certificate in a file."""

    def checks(self):
        return [self.judges_a_certificate_of_openssl, self.is_unmoved_by_a_hostile_openssl_configuration, self.never_opens_the_openssl_configuration]

    def judges_a_certificate_of_openssl(self, place):
        self.issue(place)

    def issue(self, place, environment=None):
        """Has the program judge a certificate of the openssl command, and look at a port that nobody has."""
        certificate, key = place / "certificate.pem", place / "key.pem"
        made = openssl("req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "90", "-subj", "/CN=a.test",
                       "-addext", "subjectAltName=DNS:a.test", "-keyout", key, "-out", certificate)
        assert made.returncode == 0, made.stderr
        options = {"files": [{"path": str(certificate), "private_key": str(key), "names": ["a.test"]}], "domains": ["127.0.0.1 1"], "fail_on": "none",
                   "trust": {"system": False, "ca_path": [str(certificate)]}}
        done = subprocess.run(self.command, input=json.dumps(options), capture_output=True, text=True, timeout=SECONDS, check=False,
                              env={"PATH": os.environ["PATH"], **(environment or {})})
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        answer = json.loads(done.stdout)
        shown = openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256").stdout.strip().partition("=")[2]
        judged = answer["files"][0]
        assert judged["trusted_by"]["fingerprint_sha256"] == shown and [each["kind"] for each in judged["findings"]] == ["unserved"], done.stdout
        assert [each["kind"] for each in answer["endpoints"][0]["findings"]] == ["probe.connect"], done.stdout


PROGRAMS = {"acme_dns_challenge": AcmeDnsChallenge, "cert_check": CertCheck, "cert_request": CertRequest, "container_restart": ContainerRestart,
            "file_set": FileSet, "pki_ca": PkiCa}


def openssl(*argv, environment=None, seconds=SECONDS):
    """Runs the host's openssl, the witness."""
    return subprocess.run(
        ["openssl", *map(str, argv)], capture_output=True, text=True, timeout=seconds, check=False,
        env={"PATH": os.environ["PATH"], **(environment or {})},
    )
