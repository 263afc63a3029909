# SPDX-License-Identifier: Apache-2.0
"""cert_check beside ssl-cert-check, the openssl command in a loop, and community.crypto.get_certificate in a loop.

One HAProxy serves 500 certificates, each at a port of its own. Our side judges chain, trust, names, dates, strength and who
serves; the peers read the end of the leaf. The loop of the playbook is measured with as many endpoints as its case says, 100
unless CERTCHECK_LOOP says another number, on both sides; ours is then a whole playbook run too. CERTCHECK_COUNT takes the
place of 500.

Then without a peer: peak memory, and 500 endpoints of which all hang.
"""

import contextlib
import datetime
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import measure
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
PROGRAM = TOP / "plugins" / "native" / f"linux-{os.uname().machine}" / "tls_everywhere"
COUNT = int(os.environ.get("CERTCHECK_COUNT", "500"))
LOOP = int(os.environ.get("CERTCHECK_LOOP", "100"))
FIRST_PORT = 21_000

OPENSSL_LOOP = """
while read -r host port; do
  openssl s_client -connect "$host:$port" -servername "$host" </dev/null 2>/dev/null | openssl x509 -noout -enddate -checkend 2592000
done <"$1"
"""


class Certificates:
    """A root, and leaves of it for one host."""

    def __init__(self, place):
        self.place = place
        self.now = datetime.datetime.now(datetime.timezone.utc)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench Root")])
        usage = x509.KeyUsage(*(name in ("key_cert_sign", "crl_sign") for name in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
            "encipher_only", "decipher_only")))
        self.root = self._signed(self.name, self.key.public_key(), [(x509.BasicConstraints(True, None), True), (usage, True)])
        self.path = place / "root.pem"
        self.path.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    def _signed(self, subject, key, extensions):
        builder = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number(), self.now - datetime.timedelta(days=1),
                                          self.now + datetime.timedelta(days=365))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def leaf(self, number):
        """Certificate and key in one file, as HAProxy wants them."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"service-{number}")])
        leaf = self._signed(subject, key.public_key(), [(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)])
        path = self.place / f"service-{number}.pem"
        path.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return path


def free_ports(count):
    """Ports that nobody has, below the range from which the system gives them to connections."""
    found = []
    for port in range(FIRST_PORT, 32_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise SystemExit("bench: not enough free ports")


@contextlib.contextmanager
def haproxy(work, ports, files):
    """HAProxy with a certificate at each port."""
    text = "global\n maxconn 4000\ndefaults\n mode http\n timeout client 30s\n timeout server 30s\n timeout connect 30s\n"
    text += "".join(f"frontend f{port}\n bind 127.0.0.1:{port} ssl crt {file}\n http-request return status 200\n" for port, file in zip(ports, files))
    (work / "haproxy.cfg").write_text(text, encoding="utf-8")
    with subprocess.Popen(["haproxy", "-db", "-f", work / "haproxy.cfg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(server, ports[-1])
            yield
        finally:
            server.kill()


def wait_for(server, port):
    """Until a server accepts connections."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if server.poll() is not None:
            raise SystemExit("bench: HAProxy does not start")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit("bench: HAProxy does not listen")


class Ours:
    """cert_check, called as a timer calls it."""

    def __init__(self, work, root):
        self.work = work
        self.trust = {"system": False, "ca_path": [str(root)]}

    def options(self, ports, **more):
        """The options of a task for these ports."""
        endpoints = [{"service": f"service-{port}", "host": "localhost", "address": "127.0.0.1", "port": port, "starttls": "none"} for port in ports]
        return {"endpoints": endpoints, "trust": self.trust, "timeout": 30, **more}

    def argv(self, name, ports, **more):
        """The command line, with the options in a file."""
        path = self.work / f"{name}.json"
        path.write_text(json.dumps(self.options(ports, **more)), encoding="utf-8")
        return [PROGRAM, "cert_check", "--config", path]

    def all_well(self, name, ports):
        """One run, which must find each endpoint and nothing wrong with it."""
        cost = measure.run(self.argv(name, ports))
        if f"{len(ports)} ok, 0 with warnings, 0 failed" not in cost.said:
            raise SystemExit(f"bench: cert_check does not find all well:\n{cost.said[:2000]}")
        return cost


def commands(comparison, ours, work, ports):
    """The programs of others that people have timers for."""
    listed = work / "list"
    listed.write_text("".join(f"localhost {port}\n" for port in ports), encoding="utf-8")
    mine = measure.median([ours.all_well("all", ports) for _ in range(5)])
    comparison.row(f"cert_check, {len(ports)} endpoints", mine)
    shell = measure.run(["sh", "-c", OPENSSL_LOOP, "loop", listed])
    told(shell, "notAfter=", len(ports), "openssl s_client")
    comparison.row("openssl s_client and openssl x509 in a loop", shell)
    comparison.versus(f"endpoints-{len(ports)}-s_client", shell, mine)
    peer = measure.run(["ssl-cert-check", "-b", "-f", listed])
    told(peer, "Valid", len(ports), "ssl-cert-check")
    comparison.row("ssl-cert-check with a list", peer)
    comparison.versus(f"endpoints-{len(ports)}-ssl-cert-check", peer, mine)


def told(cost, word, count, who):
    """The peer has seen each certificate, or it is no comparison."""
    if cost.said.count(word) != count:
        raise SystemExit(f"bench: {who} has seen {cost.said.count(word)} of {count}:\n{cost.said[:2000]}")


def playbooks(comparison, ours, work, ports):
    """What a playbook has for it."""
    environment = dict(os.environ, HOME=str(work / "home"), ANSIBLE_HOME=str(work / "home/.ansible"), ANSIBLE_LOCALHOST_WARNING="false",
                       ANSIBLE_INVENTORY_UNPARSED_WARNING="false", ANSIBLE_COLLECTIONS_PATH=f"{work / 'collections'}:{BIN.parent}",
                       ANSIBLE_PYTHON_INTERPRETER=sys.executable)

    def play(name, task):
        book = work / f"{name}.yml"
        book.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
        return measure.run([BIN / "ansible-playbook", book], env=environment, cwd=work)

    own = {"tls.everywhere.cert_check": ours.options(ports)}
    peer = {"community.crypto.get_certificate": {"host": "127.0.0.1", "port": "{{ item }}", "server_name": "localhost"}, "loop": ports,
            "register": "found", "failed_when": "found.expired"}
    play("own", own)  # places the program, compiles Python
    mine = measure.median([play("own", own) for _ in range(3)])
    theirs = play("peer", peer)
    comparison.row(f"a playbook with cert_check, {len(ports)} endpoints", mine)
    comparison.row("a playbook with community.crypto.get_certificate in a loop", theirs)
    comparison.versus(f"endpoints-{len(ports)}-playbook", theirs, mine)


def alone(comparison, ours, ports):
    """Memory, and what hangs."""
    comparison.note(f"peak memory, {len(ports)} endpoints that answer: {measure.peak_memory(ours.argv('all', ports)) / 1024:.1f} MB")
    with contextlib.ExitStack() as stack:
        # Its queue takes connections, and nobody answers.
        hanging = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in ports]
        argv = ours.argv("hanging", [each.getsockname()[1] for each in hanging], timeout=5)
        before = time.monotonic()
        # It ends with the status that says that something failed.
        peak = measure.peak_memory(["sh", "-c", '"$@" || [ $? = 2 ]', "sh", *argv])
        comparison.note(f"{len(ports)} endpoints that all hang, 5 s for each: {time.monotonic() - before:.1f} s, peak memory {peak / 1024:.1f} MB")


def main():
    """All comparisons, on one HAProxy."""
    comparison = measure.Comparison("certcheck")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-bench.", dir="/var/tmp") as directory:
        work = pathlib.Path(directory)
        (work / "home").mkdir()
        for program in ("haproxy", "ssl-cert-check"):
            if not shutil.which(program):
                raise SystemExit(f"bench: no {program}; install it with: scripts/setup-debian bench demo")
        subprocess.run([TOP / "scripts" / "place-collection", work / "collections"], check=True, timeout=60, stdout=subprocess.DEVNULL)
        certificates = Certificates(work)
        ports = free_ports(COUNT)
        with haproxy(work, ports, [certificates.leaf(number) for number in range(COUNT)]):
            ours = Ours(work, certificates.path)
            commands(comparison, ours, work, ports)
            playbooks(comparison, ours, work, ports[:LOOP])
            alone(comparison, ours, ports)
    comparison.close()


if __name__ == "__main__":
    main()
