# SPDX-License-Identifier: Apache-2.0
"""A stand-in for upstream's molecule scenario `standalone`, which is in no registry that CI could take it from: the same kinds
of wishes in words of our own, with upstream's default places (/etc/pki, /root, the trust store of the system) in a mount
namespace. The scenario itself is played by the driver `upstream_molecule`, by hand, with a checkout of upstream's role."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess

import pytest
from cloud import QUICK, Cloud, venv

COVERED = ("/etc", "/root", "/usr/local/share")
SIGNING = ["digitalSignature", "cRLSign", "keyCertSign"]
FOUND = "{{ ansible_facts['hostname'] }}"


def authority(name, **more):
    """Old words: the end of life with a plus, and attributes that upstream leaves out."""
    return {"name": name, "provider": "selfsigned", "cn": f"{name} CA", "basic_constraints": "CA:TRUE", "key_usage": SIGNING, "not_after": "+3650d",
            "email_address": "ca@example.net", "organization_name": "Stand-in", "country_name": "CH", **more}


def leaf(number, **more):
    """One of three certificates of the host; its names are text, the old form."""
    return {"name": f"{FOUND}_{number}", "provider": "ownca", "cn": FOUND, "san": f"DNS:{FOUND}", "signed_by": "StandInIssuing", **more}


def by_path(number, **more):
    """Four installations by the path in the tree."""
    tree = "{{ pki_dir }}/certs"
    ends = {"leaf": f"{tree}/certs/{FOUND}_{number}.crt", "chain": f"{tree}/certs/{FOUND}_{number}-chain.crt",
            "bundle": f"{tree}/certs/{FOUND}_{number}-ca_bundle.crt", "key": f"{tree}/private/{FOUND}_{number}.key.pem"}
    modes = {"leaf": "0644", "chain": "0755" if number == 1 else "0644", "bundle": "0644", "key": "0640"}
    return [{"src": source, "dest": f"/root/path{number}.{end}", "mode": modes[end], **more} for end, source in ends.items()]


def by_name():
    """Four installations by name and type, with owners of their own and no mode."""
    owners = {"certificate": {"owner": "nobody"}, "certificate_chain": {"group": "daemon"}, "ca_bundle": {"owner": "nobody", "group": "daemon"},
              "private_key": {}}
    return [{"name": f"{FOUND}_1", "type": kind, "dest": f"/root/name.{kind}", **owner} for kind, owner in owners.items()]


WISHES = {
    "pki_setup_host": "{{ inventory_hostname }}", "pki_key": QUICK,
    "pki_authorities": [authority("StandInRoot"), authority(
        "StandInIssuing", provider="ownca", signed_by="StandInRoot", basic_constraints="CA:TRUE,pathlen:0")],
    "pki_search_authorities_pattern": "more_authorities_",
    "more_authorities_of_ours": [authority("LeftOut", condition=False), authority("TakenIn", ttl="3650d", condition=True)],
    "pki_install_ca": [{"name": "StandInRoot"}],
    "pki_search_install_ca_pattern": "more_trust_",
    "more_trust_of_ours": [{"name": "TakenIn"}],
    "pki_certificates": [leaf(1)],
    "pki_search_certificates_pattern": "more_leaves_",
    "more_leaves_of_ours": [leaf(2, san={"dns": [FOUND], "ip": []}, ttl="30d", condition=True), leaf(3, condition=False)],
    "pki_install_certificates": [*by_path(1), *by_name()],
    "pki_search_install_certificates_pattern": "more_files_",
    "more_files_of_ours": [*by_path(2, condition=True), *by_path(3, condition=False)],
}

# Path below /root → mode, owner, group.
INSTALLED = {
    "path1.leaf": "644 root root", "path1.chain": "755 root root", "path1.bundle": "644 root root", "path1.key": "640 root root",
    "name.certificate": "644 nobody root", "name.certificate_chain": "644 root daemon", "name.ca_bundle": "644 nobody daemon",
    "name.private_key": "600 root root",
    "path2.leaf": "644 root root", "path2.chain": "644 root root", "path2.bundle": "644 root root", "path2.key": "640 root root",
}


class Machine(Cloud):
    """This machine, with changes to some directories kept in `work` and seen only inside."""

    def inside(self, *command, ok=True):
        """Runs a command in a mount namespace with the overlays; what one has written the next one sees."""
        mounts = []
        for path in COVERED:
            layer = self.work / "layers" / path.strip("/").replace("/", "-")
            for part in ("upper", "work"):
                (layer / part).mkdir(parents=True, exist_ok=True)
            mounts.append(f"mount -t overlay overlay -o lowerdir={path},upperdir={layer}/upper,workdir={layer}/work {path}")
        script = " && ".join([*mounts, 'exec "$@"'])
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", *map(str, command)], capture_output=True, text=True, timeout=300,
                              check=False, env={**self.environment(), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"})
        assert (done.returncode == 0) == ok, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def converge(self):
        """One run of the role with the wishes as group_vars; its recap line."""
        (self.work / "group_vars").mkdir(exist_ok=True)
        (self.work / "group_vars/all.yml").write_text(json.dumps(WISHES))
        (self.work / "play.yml").write_text(json.dumps([{"hosts": "node1", "tasks": [{"ansible.builtin.include_role": {"name": "pki"}}]}]))
        text = self.inside(venv(self.core) / "bin/ansible-playbook", "-i", self.work / "inventory", self.work / "play.yml")
        return next(line for line in text.splitlines() if line.startswith("node1 "))

    def environment(self):
        """As upstream's scenario has it: facts are not variables of their own."""
        return {**super().environment(), "ANSIBLE_INJECT_FACT_VARS": "false"}


@pytest.fixture
def machine(work):
    """Needs root, overlays and GnuTLS as the second witness."""
    assert os.geteuid() == 0, "the test makes mounts: run it as root"
    for program, package in (("certtool", "gnutls-bin"), ("update-ca-certificates", "ca-certificates")):
        assert shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"), f"install {package}: scripts/setup-debian test"
    return Machine(work)


def days_left(machine, chain):
    """Whole days until the end of the first certificate of a file."""
    end = machine.inside("openssl", "x509", "-in", chain, "-noout", "-enddate").strip().partition("=")[2]
    return (datetime.datetime.strptime(end, "%b %d %H:%M:%S %Y GMT") - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)).days


def test_stand_in_for_upstreams_scenario_standalone(machine):
    assert "changed=0" not in machine.converge()
    assert "changed=0" in machine.converge()
    for name, is_trusted in (("StandInRoot", True), ("TakenIn", True), ("LeftOut", False)):
        machine.inside("test", "-e", f"/usr/local/share/ca-certificates/{name}.crt", ok=is_trusted)
        machine.inside("test", "-e", f"/etc/ssl/certs/{name}.pem", ok=is_trusted)
    machine.inside("test", "-e", "/etc/pki/roots/LeftOut", ok=False)
    listed = machine.inside("sh", "-c", "cd /root && stat -c '%n %a %U %G' path* name*").splitlines()
    assert {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in listed} == INSTALLED
    for chain in ("/root/path1.chain", "/root/path2.chain", "/root/name.certificate_chain"):
        machine.inside("certtool", "--verify", "--infile", chain)
        machine.inside("openssl", "verify", "-CApath", "/etc/ssl/certs", "-no-CAfile", "-untrusted", chain, chain)
    machine.inside("certtool", "--verify", "--infile", "/root/path1.leaf", ok=False)  # without its issuer it is not trusted
    assert (days_left(machine, "/root/path1.chain"), days_left(machine, "/root/path2.chain")) == (3649, 29)
    assert not os.path.exists("/usr/local/share/ca-certificates/StandInRoot.crt"), "the namespace leaks"
