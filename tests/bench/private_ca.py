# SPDX-License-Identifier: Apache-2.0
"""cert_request with issuer private_ca against community.crypto's loop, as people write it.

Both sides make the same: keys of the same type, requests with the same names, certificates of the same authority, on
connection local, from a playbook. Cases: cold-N (nothing there yet) and nochange-N. Then without a peer: our time as a
multiple of bare `openssl genpkey`, one task over ssh against ansible.builtin.ping, memory, and growth to 1,000.
"""

import contextlib
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

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
PROGRAM = TOP / "plugins" / "native" / f"linux-{os.uname().machine}" / "tls_everywhere"
SIZES = (1, 10, 100)

CA_PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - tls.everywhere.pki_ca:
        backend: {files: {directory: "%(work)s/ca"}}
        authorities:
          - {name: Bench, type: root, common_name: Bench CA, key: {algorithm: ecdsa, curve: P-256}}
"""

OURS = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - tls.everywhere.cert_request: "{{ lookup('ansible.builtin.file', '%(request)s') | from_json }}"
"""

PEER = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Make the keys
      community.crypto.openssl_privatekey:
        path: "%(work)s/peer/{{ item }}.key"
        type: ECC
        curve: secp256r1
      loop: "{{ range(%(count)d) | list }}"
    - name: Make the requests
      community.crypto.openssl_csr_pipe:
        privatekey_path: "%(work)s/peer/{{ item }}.key"
        common_name: "service-{{ item }}.example.com"
        subject_alt_name: ["DNS:service-{{ item }}.example.com"]
      loop: "{{ range(%(count)d) | list }}"
      register: requests
      changed_when: false
    - name: Sign them
      community.crypto.x509_certificate:
        path: "%(work)s/peer/{{ item.item }}.crt"
        csr_content: "{{ item.csr }}"
        provider: ownca
        ownca_path: "%(work)s/ca/roots/Bench/certs/Bench.crt"
        ownca_privatekey_path: "%(work)s/ca/roots/Bench/private/Bench.key.pem"
        ownca_not_after: +398d
      loop: "{{ requests.results }}"
      loop_control: {label: "{{ item.item }}"}
"""


def request(work, count, key, place):
    """The options of one task for `count` certificates below work/place."""
    return {
        "defaults": {
            "key": key,
            "issuer": {
                "private_ca": {
                    "certificate": f"{work}/ca/roots/Bench/certs/Bench.crt",
                    "private_key": f"{work}/ca/roots/Bench/private/Bench.key.pem",
                }
            },
        },
        "certificates": [
            {
                "name": f"service-{i}",
                "common_name": f"service-{i}.example.com",
                "dns": [f"service-{i}.example.com"],
                "files": [
                    {"content": "private_key", "path": f"{work}/{place}/{i}.key"},
                    {"content": "certificate", "path": f"{work}/{place}/{i}.crt"},
                ],
            }
            for i in range(count)
        ],
    }


class Bench:
    """One private directory with the collection, an authority, and the playbooks."""

    def __init__(self, work):
        self.work = work
        subprocess.run([TOP / "scripts" / "place-collection", work / "collections"], check=True)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(work / "home"),
            "ANSIBLE_COLLECTIONS_PATH": f"{work / 'collections'}:{next(BIN.parent.glob('lib/python3*/site-packages'))}",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
            "LANG": "C.UTF-8",
        }
        for place in ("home", "ca", "peer", "ours"):
            (work / place).mkdir()
        self.playbook("ca", CA_PLAYBOOK)

    def playbook(self, name, text, extra=(), **values):
        """Run a playbook once and return its Cost."""
        path = self.work / f"{name}.yml"
        path.write_text(text % {"work": self.work, **values})
        return measure.run([BIN / "ansible-playbook", path, *extra], env=self.env, cwd=self.work)

    def fresh(self, place):
        """An empty directory, so that the next run is a first one."""
        shutil.rmtree(self.work / place)
        (self.work / place).mkdir()

    def options(self, name, options):
        """Write the options of a task to a file and return its path."""
        path = self.work / f"{name}.json"
        path.write_text(json.dumps(options))
        return path

    def direct(self, name, options):
        """Run the executable itself, without Ansible."""
        return measure.run([PROGRAM, "cert_request", self.options(name, options)], env={"PATH": os.environ["PATH"]})


def against_the_loop(bench, comparison):
    """cold-N and nochange-N, in playbooks."""
    for count in SIZES:
        ecdsa = {"algorithm": "ecdsa", "curve": "P-256"}
        options = bench.options(f"ours-{count}", request(bench.work, count, ecdsa, "ours"))
        for case in ("cold", "nochange"):
            if case == "cold":
                bench.fresh("ours")
                bench.fresh("peer")
            ours = bench.playbook("ours", OURS, request=options)
            if case == "nochange":
                ours = measure.median([ours] + [bench.playbook("ours", OURS, request=options) for _ in range(2)])
            peer = bench.playbook("peer", PEER, count=count)
            comparison.row(f"{case}-{count} tls.everywhere.cert_request", ours)
            comparison.row(f"{case}-{count} community.crypto, looped", peer)
            comparison.versus(f"{case}-{count}", peer, ours)


def against_bare_keys(bench, comparison, count=100):
    """Our first run as a multiple of bare key generation: the same RSA keys, as many at once as there are cores."""
    bench.fresh("ours")
    bench.fresh("peer")
    genpkey = "seq %d | xargs -P %d -I N openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out %s/N.key"
    bare = measure.run(["sh", "-c", genpkey % (count, os.cpu_count(), bench.work / "peer")])
    ours = bench.direct("rsa", request(bench.work, count, {"algorithm": "rsa", "size": 2048}, "ours"))
    comparison.row(f"{count} RSA-2048 keys by openssl genpkey", bare)
    comparison.row(f"{count} RSA-2048 keys and certificates by cert_request", ours)
    comparison.note(f"first run as a multiple of bare key generation: {ours.wall / bare.wall:.2f} wall, {ours.cpu / bare.cpu:.2f} CPU")
    comparison.versus("genpkey-rsa2048-100", bare, ours)


def growth(bench, comparison):
    """The executable alone from 1 to 1,000 certificates, first run and no change, with its peak memory."""
    for count in (1, 10, 100, 1000):
        bench.fresh("ours")
        options = request(bench.work, count, {"algorithm": "ecdsa", "curve": "P-256"}, "ours")
        cold = bench.direct("growth", options)
        again = measure.median([bench.direct("growth", options) for _ in range(5)])
        path = bench.options("growth", options)
        memory = measure.peak_memory([PROGRAM, "cert_request", path])
        bench.fresh("ours")
        peak = measure.peak_memory([PROGRAM, "cert_request", path])
        comparison.row(f"executable alone, cold-{count}", cold)
        comparison.row(f"executable alone, nochange-{count}", again)
        comparison.note(f"peak memory for {count}: first run {peak / 1024:.1f} MB, no change {memory / 1024:.1f} MB")


@contextlib.contextmanager
def sshd(work):
    """A real sshd on a free loopback port with keys of its own; yields the inventory that reaches it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = work / "sshd"
    home.mkdir()
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / key], check=True)
    (home / "authorized_keys").write_text((home / "user.pub").read_text())
    config = home / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {home}/host\nAuthorizedKeysFile {home}/authorized_keys\n"
        "PermitRootLogin prohibit-password\nStrictModes no\nUsePAM no\nPidFile none\nMaxStartups 100\n"
    )
    pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config], stderr=subprocess.DEVNULL)
    inventory = home / "inventory"
    inventory.write_text(
        f"target ansible_host=127.0.0.1 ansible_port={port} ansible_user=root "
        f"ansible_ssh_private_key_file={home}/user ansible_python_interpreter=/usr/bin/python3 "
        "ansible_ssh_common_args='-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ControlPersist=60s'\n"
    )
    time.sleep(1)
    try:
        yield inventory
    finally:
        server.terminate()
        server.wait(timeout=10)


def over_ssh(bench, comparison, tasks=20):
    """One no-change task over ssh against ansible.builtin.ping, each as the mean of many tasks in one play."""
    options = bench.options("ssh", request(bench.work, 1, {"algorithm": "ecdsa", "curve": "P-256"}, "ours"))
    ours_task = f"    - tls.everywhere.cert_request: \"{{{{ lookup('ansible.builtin.file', '{options}') | from_json }}}}\"\n"
    head = "- hosts: target\n  gather_facts: false\n  tasks:\n"
    with sshd(bench.work) as inventory:
        costs = {}
        for name, task in (("ours", ours_task), ("ping", "    - ansible.builtin.ping:\n")):
            first = bench.playbook(f"ssh-{name}", head + task, ("-i", inventory))
            base = measure.median([first] + [bench.playbook(f"ssh-{name}", head + task, ("-i", inventory)) for _ in range(2)])
            many = measure.median([bench.playbook(f"ssh-{name}", head + task * (tasks + 1), ("-i", inventory)) for _ in range(3)])
            costs[name] = measure.Cost((many.wall - base.wall) / tasks, (many.cpu - base.cpu) / tasks)
            comparison.row(f"one task over ssh: {name}", costs[name])
        comparison.versus("ssh-nochange-vs-ping", costs["ping"], costs["ours"])


def main():
    """Run all parts in a private directory."""
    comparison = measure.Comparison("private_ca")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-bench.", dir="/var/tmp") as work:
        bench = Bench(pathlib.Path(work))
        growth(bench, comparison)
        against_bare_keys(bench, comparison)
        over_ssh(bench, comparison)
        against_the_loop(bench, comparison)
    comparison.note(f"size of {PROGRAM.name}: {PROGRAM.stat().st_size / 1e6:.2f} MB")
    comparison.close()


if __name__ == "__main__":
    main()
