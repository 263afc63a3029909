# SPDX-License-Identifier: Apache-2.0
"""cert_request with issuer vault beside community.hashi_vault's module in a loop, and beside OpenBao's own command line in a loop.

All three ask the same real OpenBao, on this machine and in memory, for 1, 20 and 200 certificates with P-256 keys, and write key and
chain. The peers have the server make the keys; its work is in nobody's CPU time. Neither peer knows what it made before: its second run
issues everything again, so there is nothing to compare our run without a change with. VAULT_SIZES takes the place of 1, 20 and 200.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import measure

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
SIZES = tuple(int(size) for size in os.environ.get("VAULT_SIZES", "1 20 200").split())

sys.path.insert(0, str(TOP / "tests"))
import openbao  # noqa: E402  (after the path above)

ROLE = {"allow_any_name": True, "key_type": "ec", "key_bits": 256, "ttl": "2160h"}
MOUNT = (
    ("sys/mounts/pki", {"type": "pki", "config": {"max_lease_ttl": "87600h"}}),
    ("pki/root/generate/internal", {"common_name": "Bench Root", "issuer_name": "bench", "key_type": "ec", "key_bits": 256, "ttl": "87600h"}),
    ("pki/roles/bench", ROLE),
)

OURS = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - tls.everywhere.cert_request: "{{ lookup('ansible.builtin.file', '%(request)s') | from_json }}"
"""

# As ansible-role-pki and others write it.
MODULE = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Have them issued
      community.hashi_vault.vault_pki_generate_certificate:
        url: "%(url)s"
        token: "{{ lookup('ansible.builtin.file', '%(token)s') }}"
        engine_mount_point: pki
        role_name: bench
        common_name: "service-{{ item }}.example.com"
      loop: "{{ range(%(count)d) | list }}"
      register: issued
      no_log: true
    - name: Write the keys
      ansible.builtin.copy:
        content: "{{ item.data.data.private_key }}\\n"
        dest: "%(place)s/{{ item.item }}.key"
        mode: "0600"
      loop: "{{ issued.results }}"
      no_log: true
    - name: Write the chains
      ansible.builtin.copy:
        content: "{{ ([item.data.data.certificate] + item.data.data.ca_chain) | join('\\n') }}\\n"
        dest: "%(place)s/{{ item.item }}.pem"
        mode: "0644"
      loop: "{{ issued.results }}"
      no_log: true
"""

# One process for each certificate, and Python for the JSON, once.
CLI = """
set -eu
umask 077
i=0
while [ "$i" -lt %(count)d ]; do
  "%(program)s" write -format=json pki/issue/bench "common_name=service-$i.example.com" >"%(place)s/$i.json"
  i=$((i + 1))
done
exec "%(python)s" - "%(place)s" <<'END'
import json, pathlib, sys
for path in pathlib.Path(sys.argv[1]).glob("*.json"):
    data = json.loads(path.read_text())["data"]
    path.with_suffix(".key").write_text(data["private_key"] + "\\n")
    path.with_suffix(".pem").write_text("\\n".join([data["certificate"], *data["ca_chain"]]) + "\\n")
    path.unlink()
END
"""


class Bench:
    """A server, and a private place with the collections."""

    def __init__(self, work):
        self.work = work
        subprocess.run([TOP / "scripts" / "place-collection", work / "collections"], check=True, timeout=60)
        (work / "home").mkdir()
        self.token = work / "token"
        self.token.touch(0o600)
        self.token.write_text(openbao.TOKEN)
        self.server = openbao.OpenBao(work / "server").prepare(MOUNT)
        self.env = {
            "PATH": os.environ["PATH"], "HOME": str(work / "home"), "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": f"{work / 'collections'}:{next(BIN.parent.glob('lib/python3*/site-packages'))}",
            "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal", "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_HOME": str(work / "ansible"),
        }

    def play(self, name, text):
        """Run a playbook."""
        path = self.work / f"{name}.yml"
        path.write_text(text)
        return measure.run([BIN / "ansible-playbook", path], env=self.env, cwd=self.work)

    def place(self, name):
        """An empty directory for the files of one side."""
        found = self.work / name
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir()
        return found

    def check(self, place, count):
        """Every key is its certificate's, by openssl; what a side did not do it must not be praised for."""
        for number in range(count):
            public = [subprocess.run(["openssl", *command, f"{place}/{number}.{kind}"], check=True, capture_output=True, timeout=30).stdout
                      for command, kind in ((["pkey", "-pubout", "-in"], "key"), (["x509", "-noout", "-pubkey", "-in"], "pem"))]
            assert public[0] == public[1], f"{place}/{number}.key"

    def ours(self, place, count):
        """One task."""
        issuer = {"vault": {"url": self.server.url, "mount": "pki", "role": "bench", "auth": {"method": "token", "token_file": str(self.token)}}}
        request = {
            "defaults": {"key": {"algorithm": "ecdsa", "curve": "P-256"}, "issuer": issuer, "ttl": "90d"},
            "certificates": [
                {"name": f"service-{number}", "common_name": f"service-{number}.example.com", "dns": [f"service-{number}.example.com"], "files": [
                    {"content": "private_key", "path": f"{place}/{number}.key"}, {"content": "fullchain", "path": f"{place}/{number}.pem"}]}
                for number in range(count)],
        }
        (self.work / "request.json").write_text(json.dumps(request))
        return self.play("ours", OURS % {"request": self.work / "request.json"})

    def module(self, place, count):
        """community.hashi_vault's, and copies."""
        return self.play("module", MODULE % {"url": self.server.url, "token": self.token, "count": count, "place": place})

    def command_line(self, place, count):
        """`bao write`, from a shell without Ansible around it."""
        script = CLI % {"count": count, "program": openbao.program(), "place": place, "python": sys.executable}
        return measure.run(["sh", "-c", script], env={**self.env, "BAO_ADDR": self.server.url, "BAO_TOKEN": openbao.TOKEN})


def main():
    """Run all sizes."""
    comparison = measure.Comparison("vault")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-bench.", dir="/var/tmp") as work:
        bench = Bench(pathlib.Path(work))
        try:
            for count in SIZES:
                side_by_side(bench, comparison, count)
        finally:
            bench.server.close()
    comparison.close()


def side_by_side(bench, comparison, count):
    """One size: a first run of each, and ours once more."""
    sides = (("tls.everywhere.cert_request", bench.ours), ("community.hashi_vault, looped", bench.module), ("bao, looped", bench.command_line))
    costs = []
    for name, run in sides:
        place = bench.place(f"place-{len(costs)}")
        costs.append(run(place, count))
        bench.check(place, count)
        comparison.row(f"cold-{count} {name}", costs[-1])
    again = measure.median([bench.ours(bench.work / "place-0", count) for _ in range(3)])
    comparison.row(f"nochange-{count} {sides[0][0]} (the others issue again)", again)
    comparison.versus(f"cold-{count}", costs[1], costs[0])
    comparison.versus(f"cold-{count}-cli", costs[2], costs[0])


if __name__ == "__main__":
    main()
