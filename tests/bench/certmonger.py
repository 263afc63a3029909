# SPDX-License-Identifier: Apache-2.0
"""roles/certificate beside linux-system-roles.certificate and puppet-certmonger: the same requests, each at a certmonger of its own.

Both peers are in no registry that we may take them from, so their checkouts are given by hand, with Debian's packages puppet,
python3-dbus, python3-cryptography and python3-pyasn1 on this machine:

    CERTIFICATE_UPSTREAM=/path/to/certificate PUPPET_CERTMONGER=/path/to/puppet-certmonger make bench ONLY=certmonger

Without them our own half is measured and no ratio is printed. CERTMONGER_COUNTS (default "1 10") are the numbers of certificates.
The client's time is that of ansible-playbook or puppet with all children; certmonger's own is a note beside it.
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
sys.path.insert(0, str(TOP / "tests/compatibility/certificate"))
import lab as labs  # noqa: E402  (after the path above)

BIN = pathlib.Path(sys.executable).parent
ROLE, PUPPET = os.environ.get("CERTIFICATE_UPSTREAM"), os.environ.get("PUPPET_CERTMONGER")
COUNTS = [int(count) for count in os.environ.get("CERTMONGER_COUNTS", "1 10").split()]
TICKS = os.sysconf("SC_CLK_TCK")


def requests(count):
    """The same for all: certmonger's own authority, RSA keys of 2048 bits."""
    return [{"name": f"service{number}", "dns": f"service{number}.example.com", "ca": "self-sign", "key_size": 2048} for number in range(count)]


def daemon_time(lab):
    """CPU seconds of certmonger and of what it has run, so far."""
    fields = pathlib.Path(f"/proc/{lab.processes[-1].pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


class Peer:
    """One way to have certificates of certmonger, in a lab of its own."""

    def __init__(self, work, name, count):
        self.place = work / f"{name}-{count}"
        self.place.mkdir()
        self.lab = labs.Lab(self.place)
        self.count = count

    def run(self):
        """One run: its cost, and certmonger's CPU seconds meanwhile."""
        before = daemon_time(self.lab)
        cost = measure.run([str(word) for word in self.command()], env={**self.lab.environment, **self.environment()}, cwd=self.place)
        return cost, daemon_time(self.lab) - before

    def environment(self):
        """Beside that of the lab."""
        return {}

    def command(self):
        """What is run."""
        raise NotImplementedError


class Ansible(Peer):
    """A role of that name from a directory of roles."""

    def __init__(self, work, name, count, roles, interpreter):
        super().__init__(work, name, count)
        self.roles, self.interpreter = roles, interpreter
        include = {"ansible.builtin.include_role": {"name": "linux-system-roles.certificate"}}
        (self.place / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [include]}]))
        values = self.lab.variables(certificate_requests=requests(count), __certificate_packages=[])
        (self.place / "variables.json").write_text(json.dumps(values))

    def environment(self):
        return {"ANSIBLE_ROLES_PATH": str(self.roles), "ANSIBLE_COLLECTIONS_PATH": f"{labs.collections()}:{BIN.parent}",
                "ANSIBLE_HOME": f"{self.place}/ansible", "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_FORKS": "10"}

    def command(self):
        return [BIN / "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={self.interpreter}",
                "-e", f"@{self.place}/variables.json", self.place / "play.yml"]


class Puppet(Peer):
    """puppet apply with puppet-certmonger's type, as puppet-tripleo's classes use it."""

    def command(self):
        resource = """certmonger_certificate {{ '{name}':
  ensure => present, ca => 'local', hostname => '{dns}', dnsname => ['{dns}'], key_size => '2048', wait => true,
  certfile => '{certs}/{name}.crt', keyfile => '{keys}/{name}.key',
}}
"""
        places = {"certs": self.lab.at("/etc/pki/tls/certs"), "keys": self.lab.at("/etc/pki/tls/private")}
        text = "".join(resource.format(**each, **places) for each in requests(self.count))
        (self.place / "site.pp").write_text(text)
        return ["puppet", "apply", f"--modulepath={self.place.parent}/modules", f"--confdir={self.place}/puppet", f"--vardir={self.place}/puppet/var",
                self.place / "site.pp"]


def peers(work, count):
    """Those that are there; ours first."""
    found = {"tls.everywhere.certificate": Ansible(work, "ours", count, TOP / "extras/roles", sys.executable)}
    if ROLE:
        found["linux-system-roles.certificate"] = Ansible(work, "role", count, work / "roles", "/usr/bin/python3")
    if PUPPET:
        found["puppet-certmonger"] = Puppet(work, "puppet", count)
    return found


def side_by_side(work, comparison, count):
    """cold-N and nochange-N of each."""
    costs = {}
    for name, peer in peers(work, count).items():
        for case in ("cold", "nochange"):
            cost, daemon = peer.run()
            if case == "nochange" and name.startswith("tls.everywhere"):
                runs = [(cost, daemon), peer.run(), peer.run()]
                cost, daemon = measure.median([each for each, _daemon in runs]), min(each for _cost, each in runs)
            costs[name, case] = cost
            comparison.row(f"{case}-{count} {name}", cost)
            comparison.note(f"    certmonger's own: {daemon:.2f} s CPU")
        assert peer.lab.tracked() == {"MONITORING": count}, peer.lab.tracked()
        peer.lab.close()
    ours = "tls.everywhere.certificate"
    for (name, case), cost in costs.items():
        if name != ours:
            comparison.versus(f"{case}-{count}{'' if name.startswith('linux') else '-puppet'}", cost, costs[ours, case])


def floor(work, comparison):
    """What an empty play of one task costs: the rest of a run is ours."""
    (work / "empty.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}]))
    command = [BIN / "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", work / "empty.yml"]
    comparison.row("a play of one task (ping)", measure.median([measure.run([str(word) for word in command]) for _ in range(3)]))


def main():
    """Run all parts in a private directory."""
    comparison = measure.Comparison("certmonger")
    if not (ROLE and PUPPET):
        comparison.note("CERTIFICATE_UPSTREAM or PUPPET_CERTMONGER is not set: they are in no registry, so there is less to compare with")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-bench.", dir="/var/tmp") as place:
        work = pathlib.Path(place)
        for directory, name, source in (("roles", "linux-system-roles.certificate", ROLE), ("modules", "certmonger", PUPPET)):
            (work / directory).mkdir()
            if source:
                (work / directory / name).symlink_to(pathlib.Path(source).resolve())
        floor(work, comparison)
        for count in COUNTS:
            side_by_side(work, comparison, count)
    for placed in labs.PLACED:
        shutil.rmtree(placed)
    comparison.close()


if __name__ == "__main__":
    try:
        main()
    except subprocess.TimeoutExpired as late:
        raise SystemExit(f"bench: {late}") from None
