# SPDX-License-Identifier: Apache-2.0
"""acme_dns_challenge beside lego, certbot, acme.sh and community.crypto: N certificates of one name each, by dns-01 through Pebble and BIND.

All servers are in a network namespace, see acme_lab.py. Names are delegated by CNAME into a signing zone that takes signed updates; certbot
follows no CNAME and gets names whose own zone takes them. Debian's packages lego, certbot and python3-certbot-dns-rfc2136 are installed by
`scripts/setup-debian bench`; acme.sh is in no registry that we may take it from:

    ACME_SH=/path/to/acme.sh/acme.sh make bench ONLY=acme

Without it that column is left out. ACME_COUNTS (default "1 20 100") are the numbers of certificates, ACME_SLOW_COUNTS (default "1 20") those of
the peers that take minutes and run once, ACME_REPEAT (default 3) is how often all others run; ACME_PEERS names some of them only, by class;
with ACME_KINDS=1 requests are told by what they are for.
Least wall and least CPU time of the runs are printed. Requests are counted by Pebble's own log, updates by BIND's own statistics.

Both Pebbles, since they differ in what a client waits for: 2.10 says `Retry-After: 1` with its answer to finalize, which we wait for, and 2.4 says
nothing. acme.sh cannot do 2.10. A ratio is that of the same Pebble.

What the protocol needs of Pebble, which validates and issues after it has answered: directory, nonce and account once, and for each certificate
order, authorization, challenge, a look at the order, finalize, another look, certificate: 3 + 7 N. We also ask for a nonce for each request that
goes out before another's answer has brought one: up to 7 more with `parallel: 8`, whatever N is.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import acme_lab
import measure
from acme_lab import DIRECTORY, HOSTS, KEY_NAME, PLAIN, PRIMARY, SECRET, SIGNING

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
PROGRAM = TOP / "plugins" / "native" / f"linux-{os.uname().machine}" / "tls_everywhere"
ACME_SH = os.environ.get("ACME_SH")
COUNTS = [int(count) for count in os.environ.get("ACME_COUNTS", "1 20 100").split()]
SLOW_COUNTS = [int(count) for count in os.environ.get("ACME_SLOW_COUNTS", "1 20").split()]
REPEAT = int(os.environ.get("ACME_REPEAT", "3"))
CHOSEN = os.environ.get("ACME_PEERS", "").split(",")
#: Pebble's locks can wait for each other for ever when orders and authorizations are asked for at once; then the run is repeated
LIMIT, SLOW_LIMIT, ATTEMPTS = 60, 1200, 10
#: what each host of the flows with Ansible has
FORKS = 20


class Hung(Exception):
    """A run that did not end."""


class Peer:
    """One way to have N certificates: `prepare` is not measured, `work` is."""

    name = ""
    release = "2.10"
    slow = False
    zone = HOSTS

    def __init__(self, work, trust, world):
        self.place, self.trust, self.world = work / "run", trust, world
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.place), "LANG": "C.UTF-8"}

    def host(self, number):
        """The name that a certificate is for."""
        return f"h{number}.{self.zone}"

    def prepare(self, count):
        """Keys, requests and configurations, as far as the peer does not make them itself."""

    def work(self, count):
        """What is measured."""
        raise NotImplementedError

    def certificates(self):
        """The files that must be there afterwards."""
        raise NotImplementedError

    def run(self, argv, **more):
        """A command that must work."""
        limit = SLOW_LIMIT if self.slow else LIMIT
        return command([str(word) for word in argv], env=self.environment, cwd=self.place, limit=limit, **more)

    def at_once(self, work, count, width):
        """The same for each number, some at once."""
        with concurrent.futures.ThreadPoolExecutor(width) as pool:
            return list(pool.map(work, range(count)))


def command(argv, env, cwd, limit, good=(0,)):
    """What it says; its whole group is killed when it takes too long."""
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            child.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise Hung(f"{argv[0]} did not end in {limit} s") from None
        output.seek(0)
        said = output.read()
    if child.returncode not in good:
        told = re.search(r'"msg": *"((?:[^"\\]|\\.)*)"', said)
        raise Hung(f"{' '.join(argv)[:120]} ended with {child.returncode}: {told[1] if told else said[-3000:]}")
    return said


def keys_and_requests(place, count, zone):
    """Where hosts have them: hN.key and hN.csr, P-256."""
    for number in range(count):
        argv = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-addext",
                f"subjectAltName=DNS:h{number}.{zone}", "-keyout", place / f"h{number}.key", "-out", place / f"h{number}.csr"]
        subprocess.run(argv, check=True, capture_output=True)


class Executable(Peer):
    """Ours, all certificates in one task, without Ansible."""

    name = "acme_dns_challenge, the executable"

    def prepare(self, count):
        keys_and_requests(self.place, count, self.zone)
        (self.place / "options.json").write_text(json.dumps(self.options(count)))

    def options(self, count):
        """Those of the one task."""
        update = {"server": PRIMARY, "key_name": KEY_NAME, "secret": SECRET}
        files = [[{"content": "fullchain", "path": f"{self.place}/h{number}.crt"}] for number in range(count)]
        return {
            "directory": DIRECTORY, "ca_file": str(self.trust / "ca.pem"), "account_key": f"{self.place}/account.key", "terms_agreed": True,
            "target": {"zone": SIGNING}, "provider": {"rfc2136": update}, "state_dir": f"{self.place}/state",
            "certificates": [{"name": f"h{n}", "csr": f"{self.place}/h{n}.csr", "files": made} for n, made in enumerate(files)],
        }

    def work(self, count):
        self.run([PROGRAM, "acme_dns_challenge", self.place / "options.json"])

    def certificates(self):
        return self.place.glob("h*.crt")


class OldExecutable(Executable):
    """The same with the older Pebble."""

    name = "acme_dns_challenge, the executable"
    release = "2.4"


class Playbook(Executable):
    """Ours as a task of a play."""

    name = "acme_dns_challenge, ansible-playbook"

    def prepare(self, count):
        super().prepare(count)
        subprocess.run([TOP / "scripts" / "place-collection", self.place / "collections"], check=True)
        task = {"tls.everywhere.acme_dns_challenge": f"{{{{ lookup('ansible.builtin.file', '{self.place}/options.json') | from_json }}}}"}
        (self.place / "play.yml").write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]))
        self.environment |= ansible(f"{self.place / 'collections'}")

    def work(self, count):
        self.run([BIN / "ansible-playbook", self.place / "play.yml"])


def ansible(collections):
    """Variables for a playbook that is not troubled by the machine's configuration."""
    return {"ANSIBLE_COLLECTIONS_PATH": collections, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal", "ANSIBLE_FORKS": str(FORKS)}


class Lego(Peer):
    """lego with its provider rfc2136, an account for each certificate, all at once."""

    name = "lego, all at once"
    width = 1000

    def prepare(self, count):
        self.environment |= {
            "LEGO_CA_CERTIFICATES": str(self.trust / "ca.pem"), "RFC2136_NAMESERVER": f"{PRIMARY}:53", "RFC2136_TTL": "1",
            "RFC2136_TSIG_ALGORITHM": "hmac-sha256.", "RFC2136_TSIG_KEY": KEY_NAME, "RFC2136_TSIG_SECRET": SECRET,
        }

    def work(self, count):
        def one(number):
            self.run(["lego", "--accept-tos", "--email", "a@example.test", "--server", DIRECTORY, "--path", self.place / f"lego{number}",
                      "--dns", "rfc2136", "--domains", self.host(number), "--key-type", "ec256", "run"])

        self.at_once(one, count, min(self.width, count))

    def certificates(self):
        return self.place.glob(f"lego*/certificates/h*.{self.zone}.crt")


class OldLego(Lego):
    """The same with the older Pebble."""

    release = "2.4"


class LegoInTurn(Lego):
    """lego, one after another."""

    name = "lego, one after another"
    width = 1
    slow = True


class Certbot(Peer):
    """certbot with its plugin dns-rfc2136, a directory and an account for each certificate, four at once.

    It follows no CNAME, so its names are in a zone that takes updates itself. It looks at no name server: it sleeps, two seconds here.
    """

    name = "certbot, four at once"
    slow = True
    zone = PLAIN

    def prepare(self, count):
        credentials = self.place / "credentials.ini"
        values = {"server": PRIMARY, "name": KEY_NAME, "secret": SECRET, "algorithm": "HMAC-SHA256"}
        credentials.write_text("".join(f"dns_rfc2136_{key} = {value}\n" for key, value in values.items()))
        credentials.chmod(0o600)
        self.environment["REQUESTS_CA_BUNDLE"] = str(self.trust / "ca.pem")

    def work(self, count):
        def one(number):
            own = self.place / f"certbot{number}"
            places = [f"--{kind}-dir={own}/{kind}" for kind in ("config", "work", "logs")]
            self.run(["certbot", "certonly", "--non-interactive", "--agree-tos", "--email", "a@example.test", "--server", DIRECTORY, *places,
                      "--dns-rfc2136", "--dns-rfc2136-credentials", self.place / "credentials.ini", "--dns-rfc2136-propagation-seconds", "2",
                      "--key-type", "ecdsa", "--domain", self.host(number)])

        self.at_once(one, count, 4)

    def certificates(self):
        return self.place.glob("certbot*/config/live/*/fullchain.pem")


class TwoSteps(Peer):
    """OpenDev's flow: hosts request, one task publishes all values, hosts complete. A dig at both servers takes the place of its pause."""

    slow = True

    def publish(self, count):
        """One update, and the wait for the secondary, by the peer's own means or ours."""
        self.world.update([f"update add h{number}.{SIGNING} 1 TXT {value}" for number, value in self.values(count)])
        acme_lab.wait_for("the secondary is behind", lambda: len(self.world.texts(self.world.secondary)) >= count)

    def values(self, count):
        """What is to be published, by number."""
        raise NotImplementedError


class AcmeSh(TwoSteps):
    """acme.sh in DNS manual mode, a home and an account for each host, four at once."""

    name = "acme.sh in two steps, four at once"
    release = "2.4"

    def prepare(self, count):
        self.said = {}

    def acme_sh(self, number, *words, good=(0,)):
        """What it says."""
        home = self.place / f"acme{number}"
        argv = ["bash", ACME_SH, "--home", home, "--server", DIRECTORY, "--ca-bundle", self.trust / "ca.pem", "--domain", self.host(number), *words]
        return self.run(argv, good=good)

    def work(self, count):
        manual = ("--dns", "--keylength", "ec-256", "--yes-I-know-dns-manual-mode-enough-go-ahead-please")

        def request(number):
            # It ends with 3 when records are to be published.
            self.said[number] = self.acme_sh(number, "--issue", *manual, good=(0, 3))

        self.at_once(request, count, 4)
        self.publish(count)
        self.at_once(lambda number: self.acme_sh(number, "--renew", "--ecc", *manual[3:]), count, 4)

    def values(self, count):
        for number in range(count):
            yield number, re.search(r"TXT value: '([^']+)'", re.sub(r"\x1b\[[0-9;]*m", "", self.said[number]))[1]

    def certificates(self):
        return self.place.glob("acme*/h*_ecc/fullchain.cer")


COMMUNITY = """
- hosts: all
  connection: local
  gather_facts: false
  vars: &common
    acme: &acme
      acme_directory: "%(directory)s"
      account_key_src: "%(place)s/account{{ number }}.key"
      csr: "%(place)s/h{{ number }}.csr"
      fullchain_dest: "%(place)s/h{{ number }}.crt"
      challenge: dns-01
      terms_agreed: true
  tasks:
    - name: Order
      community.crypto.acme_certificate: {<<: *acme}
      register: ordered
    - name: Publish all values at once
      ansible.builtin.command:
        argv: [nsupdate, -y, "hmac-sha256:%(key)s:%(secret)s"]
        stdin: |
          server %(primary)s
          zone %(signing)s
          {%% for host in ansible_play_hosts %%}
          {%% for values in hostvars[host].ordered.challenge_data_dns.values() %%}
          update add h{{ hostvars[host].number }}.%(signing)s 1 TXT {{ values[0] }}
          {%% endfor %%}
          {%% endfor %%}
          send
        stdin_add_newline: false
      run_once: true
    - name: Wait until the secondary shows them
      ansible.builtin.command: {argv: [dig, "@%(secondary)s", +noall, +answer, %(signing)s, AXFR]}
      register: zone
      until: zone.stdout_lines | select("search", "TXT") | length >= ansible_play_hosts | length
      retries: 60
      delay: 1
      run_once: true
    - name: Complete
      community.crypto.acme_certificate:
        <<: *acme
        data: "{{ ordered }}"
"""


class CommunityCrypto(TwoSteps):
    """community.crypto.acme_certificate in a play of as many hosts, OpenDev's flow, local connections."""

    name = f"community.crypto, {FORKS} forks"

    def prepare(self, count):
        keys_and_requests(self.place, count, self.zone)
        for number in range(count):
            key = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.place / f"account{number}.key"]
            subprocess.run(key, check=True, capture_output=True)
        values = {"directory": DIRECTORY, "place": self.place, "key": KEY_NAME, "secret": SECRET, "primary": PRIMARY,
                  "secondary": acme_lab.SECONDARY, "signing": SIGNING}
        (self.place / "play.yml").write_text(COMMUNITY % values)
        (self.place / "hosts").write_text("".join(f"host{number} number={number}\n" for number in range(count)))
        self.environment |= ansible(str(next(BIN.parent.glob("lib/python3*/site-packages"))))
        self.environment |= {"SSL_CERT_FILE": str(self.trust / "ca.pem")}

    def work(self, count):
        self.run([BIN / "ansible-playbook", "-i", self.place / "hosts", "-e", f"ansible_python_interpreter={sys.executable}", self.place / "play.yml"])

    def certificates(self):
        return self.place.glob("h*.crt")


PEERS = [Executable, OldExecutable, Playbook, Lego, OldLego, LegoInTurn, Certbot, *([AcmeSh] if ACME_SH else []), CommunityCrypto]


class Bench:
    """The world, and what each peer costs in it."""

    def __init__(self, work, comparison):
        self.work, self.comparison = work, comparison
        self.trust = acme_lab.https_certificate(work / "https")
        self.programs = acme_lab.programs(TOP)
        self.world = acme_lab.World(work, max(COUNTS + SLOW_COUNTS))
        self.hung = []

    def once(self, peer, count):
        """One run with a fresh CA and nothing in the zones: its cost, requests by kind, and updates."""
        for path in (self.work / "run", self.work / "pebble"):
            shutil.rmtree(path, ignore_errors=True)
        peer.place.mkdir()
        self.world.purge()
        peer.prepare(count)
        before = self.world.primary.updates()
        pebble = acme_lab.Pebble(self.work / "pebble", self.programs[peer.release], self.trust)
        try:
            used, started = children(), time.monotonic()
            peer.work(count)
            cost = measure.Cost(time.monotonic() - started, children() - used)
            made = len(list(peer.certificates()))
            if made != count:
                raise Hung(f"{peer.name} made {made} of {count} certificates")
            return cost, pebble.requests(), self.world.primary.updates() - before
        finally:
            pebble.close()

    def measured(self, peer, count):
        """Least wall and CPU time of some runs; requests and updates of the last."""
        runs = []
        while len(runs) < (1 if peer.slow else REPEAT):
            try:
                runs.append(self.once(peer, count))
            except Hung as hung:
                self.hung.append(f"{peer.name}, {count}: {hung}")
                if len(self.hung) >= ATTEMPTS:
                    raise SystemExit("bench: " + "\n".join(self.hung)) from None
        costs = [cost for cost, *_ in runs]
        _cost, requests, updates = runs[-1]
        return measure.Cost(min(c.wall for c in costs), min(c.cpu for c in costs)), requests, updates

    def row(self, peer, count):
        """Measures and prints one."""
        cost, requests, updates = self.measured(peer, count)
        total = sum(requests.values())
        self.comparison.row(f"{count:4} {peer.name}, Pebble {peer.release}", cost)
        self.comparison.note(f"       {total} requests (least: {3 + 7 * count}), {updates} DNS updates; load {os.getloadavg()[0]:.1f}")
        if os.environ.get("ACME_KINDS"):
            self.comparison.note(f"       {requests}")
        return cost


def children():
    """CPU seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    """Measure all in a private directory."""
    acme_lab.enter_namespace()
    comparison = measure.Comparison("acme")
    comparison.note(f"load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-bench.", dir="/var/tmp") as place:
        bench = Bench(pathlib.Path(place), comparison)
        try:
            compare(bench, comparison)
        finally:
            bench.world.close()
    comparison.note(f"load {os.getloadavg()[0]:.1f} at the end; runs that were repeated: {len(bench.hung)}")
    for hung in bench.hung:
        comparison.note(f"    {hung.splitlines()[0][:200]}")
    comparison.close()


def compare(bench, comparison):
    """All peers for each number of certificates."""
    for count in sorted({*COUNTS, *SLOW_COUNTS}):
        costs = {}
        for kind in PEERS:
            wanted = SLOW_COUNTS if kind.slow else COUNTS
            if count in wanted and (CHOSEN == [""] or kind.__name__ in CHOSEN):
                costs[kind] = bench.row(kind(bench.work, bench.trust, bench.world), count)
        for kind, cost in costs.items():
            ours = Playbook if kind is CommunityCrypto else Executable if kind.release == "2.10" else OldExecutable
            if not issubclass(kind, Executable) and ours in costs:
                comparison.versus(f"{kind.__name__}-{count}", cost, costs[ours])


if __name__ == "__main__":
    main()
