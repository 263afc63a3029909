# SPDX-License-Identifier: Apache-2.0
"""A world for ACME clients: two authoritative BINDs with a delegated signing zone, a recursive one, and a Pebble.

It lives in a network namespace of its own, so that servers have addresses and port 53 of their own: lego looks at no other port. Nothing of
the machine is changed, and nothing outside can be reached.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

PRIMARY, SECONDARY, RESOLVER = "127.53.0.1", "127.53.0.2", "127.53.0.3"
#: zone of the hosts, whose challenges are CNAMEs into the other; and a zone whose names have no CNAME, for certbot, which follows none
HOSTS, SIGNING, PLAIN = "example.test", "acme-sign.test", "plain.test"
KEY_NAME = "acme-update"
SECRET = "dGhlIHNlY3JldCBvZiB0aGUgYmVuY2htYXJrIG9mIEFDTUU="
#: for clients that want a credentials file
CA_PORT, MANAGEMENT_PORT = 14000, 15000
DIRECTORY = f"https://localhost:{CA_PORT}/dir"
RNDC = 'key "rndc" { algorithm hmac-sha256; secret "cm5kYyBvZiBhIGJlbmNobWFyaw=="; };\n'
INSIDE = "TLS_EVERYWHERE_ACME_BENCH"


def enter_namespace():
    """Starts this program again in a network and mount namespace, where the host's resolver is ours."""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        raise SystemExit("bench: the comparison acme needs root, for a network namespace of its own")
    addresses = " && ".join(f"ip addr add {address}/8 dev lo" for address in (PRIMARY, SECONDARY, RESOLVER))
    resolver = f'printf "nameserver {RESOLVER}\\n" > "$0" && mount --bind "$0" /etc/resolv.conf'
    script = f'ip link set lo up && {addresses} && {resolver} && rm -f "$0" && exec "$@"'
    where = f"/var/tmp/tls-everywhere-bench-resolv.{os.getpid()}"
    os.environ[INSIDE] = "1"
    # Whatever was started ends with it, also when it is killed.
    ending = ["--pid", "--fork", "--kill-child", "--mount-proc"]
    os.execvp("unshare", ["unshare", "--net", "--mount", *ending, "sh", "-euc", script, where, sys.executable, *sys.argv])


def listens(address, port):
    """Whether somebody does."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_for(what, is_so, seconds=20):
    """Until it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: {what} for {seconds} s")
        time.sleep(0.02)


class Server:
    """A process with a directory, a log and an end."""

    def __init__(self, place, argv, env=None):
        self.place = place
        self.log = place / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=place)

    def close(self):
        """Ends it."""
        self.process.kill()
        self.process.wait()


class Named(Server):
    """BIND's server at an address of its own."""

    def __init__(self, place, address, options, rest, files):
        place.mkdir()
        for name, content in files.items():
            (place / name).write_text(content)
        (place / "rndc.key").write_text(RNDC)
        (place / "named.conf").write_text(
            f'{RNDC}controls {{ inet {address} port 953 allow {{ any; }} keys {{ "rndc"; }}; }};\n'
            f'options {{ directory "{place}"; pid-file "named.pid"; session-keyfile none; statistics-file "statistics";\n'
            f"listen-on port 53 {{ {address}; }}; listen-on-v6 {{ none; }}; dnssec-validation no; empty-zones-enable no;\n"
            f"query-source address {address}; notify-source {address}; transfer-source {address}; {options} }};\n{rest}\n"
        )
        # Debian's AppArmor profile belongs to the path /usr/sbin/named; a copy has none.
        program = place / "named"
        shutil.copy("/usr/sbin/named", program)
        super().__init__(place, [program, "-g", "-n", "1", "-c", place / "named.conf"])
        self.address = address
        wait_for("named does not listen", lambda: listens(address, 53) and listens(address, 953))

    def rndc(self, *command):
        """Gives it a command."""
        subprocess.run(["rndc", "-s", self.address, "-p", "953", "-k", self.place / "rndc.key", *command], check=True, capture_output=True)

    def dig(self, *words):
        """What dig says of it."""
        return subprocess.run(["dig", f"@{self.address}", *words], check=True, capture_output=True, text=True).stdout

    def updates(self):
        """How many DNS UPDATE messages it has got, by its own statistics."""
        statistics = self.place / "statistics"
        statistics.unlink(missing_ok=True)
        self.rndc("stats")
        wait_for("named writes no statistics", lambda: statistics.exists() and "--- Statistics Dump ---" in statistics.read_text())
        counted = re.search(r"^\s+(\d+) UPDATE$", statistics.read_text(), re.MULTILINE)
        return int(counted[1]) if counted else 0


def zone(name, lines=(), ttl=60):
    """A zone file with both servers."""
    head = [f"$TTL {ttl}", f"@ SOA ns1.{HOSTS}. host.{HOSTS}. 1 600 60 3600 {ttl}", f"@ NS ns1.{HOSTS}.", f"@ NS ns2.{HOSTS}."]
    own = [f"ns1 A {PRIMARY}", f"ns2 A {SECONDARY}"] if name == HOSTS else []
    return "\n".join([*head, *own, *lines, ""])


class World:
    """The name servers."""

    def __init__(self, place, count):
        key = f'key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
        policy = f"update-policy {{ grant {KEY_NAME} zonesub TXT; }};"
        hosts = [f"h{n} A 127.0.0.1\n_acme-challenge.h{n} CNAME h{n}.{SIGNING}." for n in range(count)]
        plain = [f"h{n} A 127.0.0.1" for n in range(count)]
        files = {"hosts": zone(HOSTS, hosts), "sign": zone(SIGNING, ttl=1), "plain": zone(PLAIN, plain, ttl=1)}
        zones = ((HOSTS, "hosts", ""), (SIGNING, "sign", policy), (PLAIN, "plain", policy))
        primaries = "".join(f'zone "{name}" {{ type primary; file "{file}"; {more} }};\n' for name, file, more in zones)
        secondaries = "".join(f'zone "{name}" {{ type secondary; file "{file}"; primaries {{ {PRIMARY}; }}; }};\n' for name, file, _ in zones)
        stubs = "".join(f'zone "{name}" {{ type static-stub; server-addresses {{ {PRIMARY}; {SECONDARY}; }}; }};\n' for name, *_ in zones)
        local = 'zone "localhost" { type primary; file "localhost"; };\nzone "." { type primary; file "root"; };\n'
        authoritative = "recursion no; minimal-responses yes; allow-transfer { 127.0.0.0/8; };"
        told = f"notify explicit; notify-delay 0; serial-query-rate 1000; also-notify {{ {SECONDARY}; }};"
        self.primary = Named(place / "primary", PRIMARY, f"{authoritative} {told}", key + primaries, files)
        self.secondary = Named(place / "secondary", SECONDARY, authoritative, secondaries, {})
        # Pebble asks three times for each name, over TCP, and for all names at once.
        recursive = "tcp-clients 1000; tcp-listen-queue 1000; recursion yes; allow-recursion { 127.0.0.0/8; }; max-ncache-ttl 1; servfail-ttl 0;"
        here = "$TTL 60\n@ SOA localhost. root.localhost. 1 60 60 60 60\n@ NS localhost.\n@ A 127.0.0.1\n"
        top = here + "localhost. A 127.0.0.1\ntest. NS localhost.\n"
        self.resolver = Named(place / "resolver", RESOLVER, recursive, stubs + local, {"localhost": here, "root": top})
        for name, *_ in zones:
            wait_for("the secondary has no zone", lambda name=name: self.secondary.dig("+short", name, "SOA"))

    def texts(self, server=None, name=SIGNING):
        """The lines of all text records of a zone."""
        listing = (server or self.primary).dig("+noall", "+answer", name, "AXFR")
        return [line for line in listing.splitlines() if line.split()[3:4] == ["TXT"]]

    def update(self, lines, name=SIGNING):
        """One update by nsupdate."""
        script = "\n".join([f"server {PRIMARY}", f"zone {name}", *lines, "send", ""])
        subprocess.run(["nsupdate", "-y", f"hmac-sha256:{KEY_NAME}:{SECRET}"], input=script, text=True, check=True, capture_output=True)

    def purge(self):
        """Nothing is left in the zones, nor in the resolver's memory."""
        for name in (SIGNING, PLAIN):
            owners = sorted({line.split()[0] for line in self.texts(name=name)})
            if owners:
                self.update([f"update delete {owner} TXT" for owner in owners], name)
            serial = self.primary.dig("+short", name, "SOA")
            wait_for("the secondary is behind", lambda name=name, serial=serial: self.secondary.dig("+short", name, "SOA") == serial)
        self.resolver.rndc("flush")

    def close(self):
        """Ends all."""
        for server in (self.resolver, self.secondary, self.primary):
            server.close()


class Pebble(Server):
    """The CA. No nonce is refused, no authorization used twice, so that requests can be counted; a validation takes no artificial time."""

    def __init__(self, place, program, certificate):
        place.mkdir()
        port = {"listenAddress": f"127.0.0.1:{CA_PORT}", "managementListenAddress": f"127.0.0.1:{MANAGEMENT_PORT}"}
        files = {"certificate": str(certificate / "cert.pem"), "privateKey": str(certificate / "key.pem")}
        more = {"httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": "", "retryAfter": {"authz": 1, "order": 1}}
        (place / "pebble.json").write_text(json.dumps({"pebble": {**port, **files, **more}}))
        env = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        super().__init__(place, [program, "-strict", "-config", place / "pebble.json", "-dnsserver", f"{RESOLVER}:53"], env)
        wait_for("pebble does not listen", lambda: listens("127.0.0.1", CA_PORT))

    def requests(self):
        """How many it was sent, by its own log; and by what for."""
        by_kind = {}
        for method, path in re.findall(r"(\w+) (\S+) -> calling handler", self.log.read_text(errors="replace")):
            kind = f"{method} {path.rstrip('/')}"
            by_kind[kind] = by_kind.get(kind, 0) + 1
        return by_kind


def https_certificate(place):
    """A CA for Pebble's HTTPS, ca.pem, and its certificate."""
    place.mkdir()
    extensions = place / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for argv in (
        ["req", "-x509", *key, "-days", "30", "-subj", "/CN=HTTPS of the bench", "-addext", "basicConstraints=critical,CA:TRUE",
         "-keyout", "ca.key", "-out", "ca.pem"],
        ["req", *key, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "csr.pem"],
        ["x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", extensions,
         "-out", "cert.pem"],
    ):
        subprocess.run(["openssl", *argv], cwd=place, check=True, capture_output=True)
    return place


def programs(top):
    """Both releases of Pebble by name."""
    newer = subprocess.run([top / "scripts" / "pebble"], check=True, capture_output=True, text=True).stdout.strip()
    return {"2.10": pathlib.Path(newer), "2.4": pathlib.Path("/usr/bin/pebble")}
