# SPDX-License-Identifier: Apache-2.0
"""roles/pki beside openstack/ansible-role-pki: the same variables, side by side, first run and no change.

Upstream's role is in no registry that we may take it from, so its checkout is given by hand:

    PKI_ROLE_UPSTREAM=/path/to/ansible-role-pki make bench ONLY=pki_role

Without it our own half is measured and no ratio is printed. PKI_ROLE_COUNTS (default "1 10") are the numbers of
certificates; upstream takes a quarter of an hour of CPU time for 100, so ask for these by name.
"""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import measure

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.executable).parent
UPSTREAM = os.environ.get("PKI_ROLE_UPSTREAM")
COUNTS = [int(count) for count in os.environ.get("PKI_ROLE_COUNTS", "1 10").split()]

# Upstream needs one filter of another collection that is in no registry either: rejectattr that bears a missing key.
FILTER = """
class FilterModule:
    def filters(self):
        return {"rejectattr": lambda items, key, test: [item for item in items if item.get(key) is not False]}
"""


def authority(name, **more):
    """One authority, as OpenStack-Ansible describes it."""
    return {"name": name, "cn": f"{name} CA", "provider": "selfsigned", "basic_constraints": "CA:TRUE", "ttl": "3650d",
            "country_name": "GB", "key_usage": ["digitalSignature", "cRLSign", "keyCertSign"], **more}


def variables(work, count, **more):
    """One root, one intermediate, `count` certificates, each with its certificate, chain and key installed."""
    names = [f"service{number}" for number in range(count)]
    installs = [("certificate", "crt"), ("certificate_chain", "pem"), ("private_key", "key")]
    return {
        "pki_dir": f"{work}/pki",
        "pki_authorities": [authority("Root"), authority("Intermediate", provider="ownca", signed_by="Root", basic_constraints="CA:TRUE,pathlen:0")],
        "pki_certificates": [
            {"name": name, "provider": "ownca", "cn": name, "san": {"dns": [name], "ip": ["192.0.2.1"]}, "signed_by": "Intermediate"} for name in names],
        "pki_install_certificates": [
            {"name": name, "type": kind, "dest": f"{work}/installed/{{{{ inventory_hostname }}}}/{name}.{ending}"}
            for name in names for kind, ending in installs], **more,
    }


class Bench:
    """A private place with both roles."""

    def __init__(self, work):
        self.work = work
        subprocess.run([TOP / "scripts" / "place-collection", work / "collections"], check=True, timeout=60)
        filters = work / "collections/ansible_collections/openstack/osa/plugins/filter"
        filters.mkdir(parents=True)
        (filters / "rejectattr.py").write_text(FILTER)
        if UPSTREAM:
            (work / "upstream").mkdir()
            (work / "upstream" / "pki").symlink_to(pathlib.Path(UPSTREAM).resolve())

    def run(self, roles, place, values, hosts=1, role="pki"):
        """One run of the role from a directory of roles."""
        home = self.work / place
        home.mkdir(exist_ok=True)
        lines = [f"node{number} ansible_connection=local ansible_python_interpreter={sys.executable}" for number in range(hosts)]
        (home / "inventory").write_text("\n".join(lines) + "\n")
        include = {"name": "Include", "ansible.builtin.include_role": {"name": role}, "vars": values}
        (home / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [include]}]))
        environment = dict(
            os.environ, ANSIBLE_ROLES_PATH=str(roles), ANSIBLE_COLLECTIONS_PATH=f"{self.work / 'collections'}:{BIN.parent}",
            ANSIBLE_HOME=str(self.work / "ansible"), ANSIBLE_FORKS="10", ANSIBLE_STDOUT_CALLBACK="default",
        )
        return measure.run([BIN / "ansible-playbook", "-i", home / "inventory", home / "play.yml"], env=environment, cwd=home)

    def ours(self, place, values, **more):
        """One run of our role, by the name that OpenStack-Ansible uses."""
        return self.run(TOP / "extras" / "roles", place, values, **more)


def tasks(cost):
    """How many tasks ran or were passed over, as the default callback shows them; loops count each item."""
    return len(re.findall(r"^(?:ok|changed|skipping): \[", cost.said, re.MULTILINE))


def side_by_side(bench, comparison):
    """cold-N and nochange-N; our first run also with ECDSA keys, against upstream with the only keys that it makes."""
    for count in COUNTS:
        place = f"ours-{count}"
        values = variables(bench.work / place, count)
        cold, again = bench.ours(place, values), bench.ours(place, values)
        again = dataclasses.replace(measure.median([again] + [bench.ours(place, values) for _ in range(2)]), said=again.said)
        ecdsa = bench.ours(f"ecdsa-{count}", variables(bench.work / f"ecdsa-{count}", count, pki_key={"algorithm": "ecdsa"}))
        for case, cost in (("cold", cold), ("nochange", again), ("cold-ecdsa", ecdsa)):
            comparison.row(f"{case}-{count} tls.everywhere.pki ({tasks(cost)} task results)", cost)
        if not UPSTREAM:
            continue
        values = variables(bench.work / f"peer-{count}", count)
        peer, still = [bench.run(bench.work / "upstream", f"peer-{count}", values) for _ in range(2)]
        comparison.row(f"cold-{count} ansible-role-pki ({tasks(peer)} task results)", peer)
        comparison.row(f"nochange-{count} ansible-role-pki ({tasks(still)} task results)", still)
        comparison.versus(f"cold-{count}", peer, cold)
        comparison.versus(f"cold-ecdsa-{count}", peer, ecdsa)
        comparison.versus(f"nochange-{count}", still, again)


def beyond_keys(bench, comparison, count):
    """What a first run costs beyond its RSA-4096 keys: the same run once more, with the keys of its certificates still
    there and all else of them gone. Keys of this size take from a tenth of a second to several, so two runs that each
    make their own cannot be compared."""
    place = f"beyond-{count}"
    values = variables(bench.work / place, count)
    cold = bench.ours(place, values)
    for gone in ("pki/certs/certs", "pki/certs/csr", "installed"):
        shutil.rmtree(bench.work / place / gone)
    rest = bench.ours(place, values)
    keys = len(list((bench.work / place / "pki" / "certs" / "private").iterdir()))
    comparison.row(f"cold-{count} tls.everywhere.pki with {keys} RSA-4096 keys", cold)
    comparison.row("the same without making the keys", rest)
    comparison.note(f"beyond the keys: {100 * rest.wall / cold.wall:.1f} % of the wall time, {100 * rest.cpu / cold.cpu:.1f} % of the CPU time")
    (bench.work / "bare").mkdir()
    genpkey = "seq %d | xargs -P %d -I N openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out %s/N"
    bare = measure.run(["sh", "-c", genpkey % (count, os.cpu_count(), bench.work / "bare")])
    comparison.row(f"{count} RSA-4096 keys by openssl genpkey", bare)


def over_hosts(bench, comparison):
    """No change on 1, 10 and 50 hosts with one certificate each; the hosts are processes on this machine."""
    for hosts in (1, 10, 50):
        place = f"hosts-{hosts}"
        values = variables(bench.work / place, 1, pki_key={"algorithm": "ecdsa"})
        for entry in values["pki_certificates"] + values["pki_install_certificates"]:
            entry["name"] += "_{{ inventory_hostname }}"
        bench.ours(place, values, hosts=hosts)
        cost = measure.median([bench.ours(place, values, hosts=hosts) for _ in range(3)])
        comparison.row(f"nochange on {hosts} hosts", cost)
        comparison.note(f"per host: {cost.wall / hosts:.3f} s wall, {cost.cpu / hosts:.3f} s CPU")


def main():
    """Run all parts in a private directory."""
    comparison = measure.Comparison("pki_role")
    if not UPSTREAM:
        comparison.note("PKI_ROLE_UPSTREAM is not set: upstream's role is in no registry, so there is nothing to compare with")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-bench.", dir="/var/tmp") as work:
        bench = Bench(pathlib.Path(work))
        side_by_side(bench, comparison)
        beyond_keys(bench, comparison, max(COUNTS))
        over_hosts(bench, comparison)
    comparison.close()


if __name__ == "__main__":
    main()
