# SPDX-License-Identifier: Apache-2.0
"""A real Pebble and three real BINDs: a primary, its secondary, and a recursive one before them."""

from __future__ import annotations

import functools
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[3]

#: the zone of the hosts, whose challenges are CNAMEs into the two others
HOSTS = "example.test"
#: takes dynamic updates; each name has a target of its own
SIGNING = "acme-sign.test"
#: a file that BIND loads, as OpenDev has it: all names lead to the zone itself
FILE = "acme-file.test"
SECRET = "dGhlIHNlY3JldCBvZiBhbGwga2V5cyBvZiB0aGlzIHRlc3Q="

NUMBERS = itertools.count()
RNDC = 'key "rndc" { algorithm hmac-sha256; secret "cm5kYyBvZiBhIHRlc3Q="; };\n'


def wait_until(condition, what, seconds=20):
    """Until it holds; bounded."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"after {seconds} s: {what() if callable(what) else what}"
        time.sleep(0.02)


def free_ports(count):
    """Ports of the loopback that nobody has for TCP and UDP, also not later: not of the range from which the system gives one to any connection."""
    found = []
    while len(found) < count:
        port = 20_000 + (os.getpid() % 120 * 100 + next(NUMBERS)) % 12_000
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


def listens(port):
    """Whether somebody takes connections there."""
    with socket.socket() as tcp:
        return tcp.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A child process with a directory of its own."""

    #: whether it outlives who started it
    detached = False

    def __init__(self, place, command, **environment):
        self.place = place
        self.output = (place / "log").open("ab")
        self.process = subprocess.Popen(command, cwd=place, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
                                        start_new_session=self.detached, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment})

    def log(self):
        """What it printed."""
        return (self.place / "log").read_text(errors="replace")

    def close(self):
        """Its end; it may have ended already."""
        self.process.kill()
        self.process.wait(timeout=20)
        self.output.close()


def named_program(place):
    """Debian's AppArmor profile belongs to the path; where profiles are in force a copy runs, which has none."""
    enabled = pathlib.Path("/sys/module/apparmor/parameters/enabled")
    if not enabled.exists() or enabled.read_text().strip() != "Y":
        return "/usr/sbin/named"
    return shutil.copy("/usr/sbin/named", place / "named")


class Named(Server):
    """BIND's server."""

    def __init__(self, place, port, control, options, rest, files):
        place.mkdir()
        self.port, self.control = port, control
        for name, content in files.items():
            (place / name).write_text(content)
        (place / "rndc.key").write_text(RNDC)
        (place / "named.conf").write_text(
            f'{RNDC}controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.0/8; }} keys {{ "rndc"; }}; }};\n'
            f'options {{ directory "{place}"; pid-file "named.pid"; session-keyfile none; listen-on port {port} {{ 127.0.0.1; }};'
            f' listen-on-v6 {{ none; }}; dnssec-validation no; empty-zones-enable no; {options} }};\n{rest}\n')
        super().__init__(place, [named_program(place), "-g", "-n", "1", "-c", place / "named.conf"])
        wait_until(lambda: " running\n" in self.log() and listens(port), self.log)

    def rndc_argv(self, *command):
        """The arguments that give it a command."""
        return ["rndc", "-s", "127.0.0.1", "-p", str(self.control), "-k", str(self.place / "rndc.key"), *command]

    def dig(self, *words):
        """What dig says of it."""
        return subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+short", *words], check=True, capture_output=True, text=True, timeout=30).stdout

    def texts(self, zone):
        """All text records of a zone: owner and value, sorted."""
        rows = [line.split(None, 4) for line in self.dig(zone, "AXFR", "+noshort", "+noall", "+answer").splitlines()]
        return sorted((row[0].rstrip("."), row[4].strip('"')) for row in rows if row[3] == "TXT")

    def serial(self, zone):
        """Of its SOA."""
        return int(self.dig(zone, "SOA").split()[2])

    def updates(self):
        """How many UPDATE messages it has received since it began."""
        statistics = self.place / "named.stats"
        statistics.unlink(missing_ok=True)
        subprocess.run(self.rndc_argv("stats"), check=True, capture_output=True, timeout=30)
        found = re.search(r"^\s+(\d+) UPDATE$", statistics.read_text(), re.MULTILINE)
        return int(found.group(1)) if found else 0


@functools.lru_cache(maxsize=None)
def pebble_program():
    """Of Debian unstable, laid beside."""
    return subprocess.run([TOP / "scripts" / "pebble"], check=True, capture_output=True, text=True, timeout=300).stdout.strip()


class Pebble(Server):
    """The ACME server for tests of Let's Encrypt; it validates every challenge."""

    def __init__(self, place, dns):
        place.mkdir()
        self.port, self.management = free_ports(2)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", place / "https.key", "-out", place / "https.pem"],
                       check=True, capture_output=True, timeout=30)
        settings = {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}", "certificate": str(place / "https.pem"),
            "privateKey": str(place / "https.key"), "httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": "", "externalAccountBindingRequired": False,
            "retryAfter": {"authz": 1, "order": 1}, "domainBlocklist": ["blocked.example.test"],
            "profiles": {"default": {"description": "90 days", "validityPeriod": 7776000}, "shortlived": {"description": "6 days", "validityPeriod": 518400}},
        }
        (place / "pebble.json").write_text(json.dumps({"pebble": settings}))
        super().__init__(place, [pebble_program(), "-strict", "-config", place / "pebble.json", "-dnsserver", f"127.0.0.1:{dns}"],
                         PEBBLE_VA_NOSLEEP="1", PEBBLE_AUTHZREUSE="0")
        wait_until(lambda: listens(self.port) and listens(self.management), self.log)

    @property
    def directory(self):
        """Its URL."""
        return f"https://localhost:{self.port}/dir"

    def root(self):
        """A file with the root of what it issues."""
        path = self.place / "root.pem"
        if not path.exists():
            done = subprocess.run(["curl", "-sf", "--cacert", self.place / "https.pem", f"https://localhost:{self.management}/roots/0"],
                                  check=True, capture_output=True, text=True, timeout=30)
            path.write_text(done.stdout)
        return path

    def requests(self):
        """How many requests it has answered."""
        return len(re.findall(r"(?:GET|POST|HEAD) /", self.log()))

    def accounts(self):
        """How many accounts have been made."""
        return len(re.findall(r"There are now \d+ accounts", self.log()))

    def issued(self):
        """How many certificates it has issued."""
        return self.log().count("Issued certificate serial")


class World:
    """All of them."""

    def __init__(self, place):
        place.mkdir()
        one, two, three, *controls = free_ports(6)
        both = f"127.0.0.1 port {one}; 127.0.0.1 port {two};"
        zones = f'zone "{HOSTS}" {{ type primary; file "hosts.db"; }}; zone "{FILE}" {{ type primary; file "file.db"; }};' \
            f'key "acme" {{ algorithm hmac-sha256; secret "{SECRET}"; }};' \
            f'zone "{SIGNING}" {{ type primary; file "sign.db"; update-policy {{ grant acme zonesub TXT; }}; }};'
        self.primary = Named(
            place / "primary", one, controls[0],
            f"recursion no; allow-transfer {{ 127.0.0.0/8; }}; notify explicit; notify-delay 0; serial-query-rate 1000; "
            f"also-notify {{ 127.0.0.1 port {two}; }}; minimal-responses yes;",
            zones, {"hosts.db": hosts(), "sign.db": signing(), "file.db": signing()})
        self.secondary = Named(
            place / "secondary", two, controls[1], "recursion no; min-refresh-time 600; minimal-responses yes;",
            "".join(f'zone "{zone}" {{ type secondary; file "{zone}"; primaries {{ 127.0.0.1 port {one}; }}; }};' for zone in (HOSTS, SIGNING, FILE)), {})
        wait_until(lambda: all(self.secondary.dig(zone, "SOA") for zone in (HOSTS, SIGNING, FILE)), "the secondary has no zones")
        forwards = "".join(f'zone "{zone}" {{ type forward; forward only; forwarders {{ {both} }}; }};' for zone in (HOSTS, SIGNING, FILE))
        root = "$TTL 60\n@ SOA ns.root. a.root. 1 60 60 60 60\n@ NS ns.root.\nns.root. A 127.0.0.1\ntest. NS ns.root.\n"
        self.resolver = Named(
            place / "resolver", three, controls[2], "recursion yes; allow-recursion { 127.0.0.0/8; }; servfail-ttl 0; max-cache-ttl 600;",
            forwards + 'zone "." { type primary; file "root.db"; };', {"root.db": root})
        self.pebble = Pebble(place / "pebble", three)

    @property
    def servers(self):
        """Each of them."""
        return (self.pebble, self.resolver, self.secondary, self.primary)

    def close(self):
        """The end of all."""
        for server in self.servers:
            server.close()

    def propagation(self):
        """Who is asked whether records are there."""
        return {"resolvers": [f"127.0.0.1:{self.resolver.port}"], "timeout": "20s",
                "nameservers": [f"127.0.0.1:{self.primary.port}", f"127.0.0.1:{self.secondary.port}"]}

    def update(self):
        """The provider that sends updates."""
        return {"rfc2136": {"server": f"127.0.0.1:{self.primary.port}", "key_name": "acme", "secret": SECRET}}

    def file(self):
        """The provider that writes OpenDev's zone file."""
        return {"zone_file": {"path": str(self.primary.place / "file.db"), "zone": FILE, "check": ["named-checkzone", FILE, "/dev/stdin"],
                              "reload": self.primary.rndc_argv("reload", FILE)}}


def hosts():
    """h0 to h9 lead to targets of their own, o0 to o9 to one zone as OpenDev's do, x0 nowhere."""
    lines = [f"$TTL 60\n@ SOA ns1.{HOSTS}. host.{HOSTS}. 1 600 60 3600 60\n@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\nns2 A 127.0.0.1"]
    for number in range(10):
        lines.append(f"_acme-challenge.h{number} CNAME h{number}.{SIGNING}.\n_acme-challenge.o{number} CNAME {FILE}.")
    lines.append(f"_acme-challenge.blocked CNAME blocked.{SIGNING}.\n@ CAA 0 issue \"pebble.letsencrypt.org\"")
    lines.append(f"_acme-challenge.caa CNAME caa.{SIGNING}.\ncaa CAA 0 issue \"another.example\"\n")
    return "\n".join(lines)


def signing():
    """A zone with nothing in it."""
    return f"$TTL 60\n@ SOA ns1.{HOSTS}. host.{HOSTS}. 1 600 60 3600 60\n@ NS ns1.{HOSTS}.\n@ NS ns2.{HOSTS}.\n"
