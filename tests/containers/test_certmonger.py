# SPDX-License-Identifier: Apache-2.0
"""The roles certmonger and certificate on a host with a running systemd, its own certmonger and containers of its own: from a certificate
that certmonger saves, by itself or for Ansible, to exactly the containers that use it, served anew."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import services
from certificates import openssl
from engines import until

NETWORK = "internal_api"
HOST = "node.internalapi.test"
CERTIFICATES, KEYS = "/etc/pki/tls/certs/httpd", "/etc/pki/tls/private/httpd"
SHARED = f"httpd-{NETWORK}"
# As the APIs of TripleO are: each is an httpd in a container of the host's network, which mounts the directories of all pairs of httpd.
PORTS = {"keystone": 5000, "glance_api_tls_proxy": 9292}
ROLE = {
    "certmonger_ca": "local", "fqdn_internal_api": HOST, "certmonger_realm": "TEST", "certmonger_fqdn": HOST, "certificate_wait_timeout": "60s",
    # Packages are in the image: apt is not.
    "__certificate_provider_vars": {"certmonger": {"config_dir": "/etc/certmonger/", "packages": [], "service": "certmonger",
                                                   "hooks_dirs_owner": "root", "hooks_dirs_group": "root", "hooks_dirs_mode": "0700"}},
}


class Cloud:
    """The machine as a controller of TripleO."""

    def __init__(self, machine, play):
        self.machine, self._play = machine, play

    def role(self, name="certmonger", arguments=(), **variables):
        """Run a role on it; what was said."""
        return self._play([], {**ROLE, **variables}, roles=[f"tls.everywhere.{name}"], host=self.machine.host(), arguments=arguments)

    def fingerprint(self, path):
        """Of a certificate on it."""
        return self.machine.exec("openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]

    def resubmit(self, name):
        """Have certmonger issue one again, as its own timer would; the new fingerprint."""
        path = f"{CERTIFICATES}/{name}.crt"
        before = self.fingerprint(path)
        self.machine.exec("getcert", "resubmit", "-w", "-f", path)
        after = self.fingerprint(path)
        assert after != before
        return after

    def start(self, name, pair):
        """An API with a pair."""
        self.configure(name, pair)
        values = {"config": "/config/service.conf"}
        accounts = "echo httpd:x:48:48::/:/bin/sh >/etc/passwd && echo httpd:x:48: >/etc/group"
        command = f"mkdir -p /etc/apache2 && {accounts} && {services.KINDS['httpd'].command.format(**values)}"
        directory = self.directory(name)
        mounts = [f"{directory}:/config:ro", *(f"{path}:{path}:ro" for path in (CERTIFICATES, KEYS))]
        container = self.machine.podman.run(name, "newer", "sh", "-c", command, mounts=mounts, options=["--network=host"])
        try:
            until(f"{name} serves", lambda: self.served(name) == self.fingerprint(f"{CERTIFICATES}/{pair}.crt"), 20)
        except AssertionError as error:
            raise AssertionError(f"{error}: {container.logs()[-2000:]}") from None

    def directory(self, name):
        """Of its configuration."""
        path = self.machine.shared / f"api-{name}"
        path.mkdir(exist_ok=True)
        return path

    def configure(self, name, pair):
        """Say in its configuration which pair it has, as puppet-tripleo would."""
        text = "User httpd\nGroup httpd\n" + services.HTTPD.format(address="127.0.0.1", port=PORTS[name], certs="/certs")
        text = text.replace("/certs/tls.crt", f"{CERTIFICATES}/{pair}.crt").replace("/certs/tls.key", f"{KEYS}/{pair}.key")
        (self.directory(name) / "service.conf").write_text(text, encoding="utf-8")

    def served(self, name):
        """The fingerprint that a client gets."""
        return self.machine.served(PORTS[name])

    def started(self):
        """When each container was started."""
        return {name: self.machine.podman.container(name).started_at() for name in PORTS}

    def users(self, name):
        """Who serves a certificate, as the guide says to look."""
        task = {"certificate": f"{CERTIFICATES}/{name}.crt", "private_key": f"{KEYS}/{name}.key", "action": "none", "missing": "skip", "engine": "podman"}
        options = self.machine.shared / "who.json"
        options.write_text(json.dumps(task), encoding="utf-8")
        answer = json.loads(self.machine.exec(self.machine.program, options, check=False))
        return {one["name"] for one in answer["containers"] if "new" in [each.get("verdict") for each in one["evidence"]["listeners"]]}

    def journal(self, name):
        """What the hook of a certificate said."""
        return self.machine.exec("journalctl", "--no-pager", "--output=cat", f"--identifier=tls-everywhere-{name}", check=False)


@pytest.fixture
def cloud(newer, play):
    """The machine with certmonger stopped and nothing tracked before, and the same after."""
    yield Cloud(newer, play)
    newer.podman.clean()
    newer.systemctl("stop", "tls-everywhere-*.timer", "tls-everywhere-*.path", "certmonger.service", check=False)
    places = "/etc/pki /etc/tls-everywhere /var/lib/tls-everywhere /usr/local/libexec/tls-everywhere /etc/systemd/system/tls-everywhere-*"
    newer.exec("sh", "-c", f"rm -rf {places} /etc/systemd/system/*/tls-everywhere-* /var/lib/certmonger/*/* /usr/local/share/ca-certificates/*")
    newer.systemctl("daemon-reload")


def changed(said):
    """The count of changes in what a play said of its one host."""
    (recap,) = re.findall(r"changed=(\d+) unreachable=0 failed=0", said)
    return int(recap)


def test_the_move_from_the_shared_pair_of_httpd_to_one_for_each_container(cloud):
    cloud.role(certmonger_services=[SHARED])
    for name in PORTS:
        cloud.start(name, SHARED)

    # What was wrong: one renewal is everybody's. Both are told, gently.
    started, new = cloud.started(), cloud.resubmit(SHARED)
    until("both serve it", lambda: {cloud.served(name) for name in PORTS} == {new})
    assert cloud.started() == started, cloud.journal(SHARED)

    # Step 1: beside the shared one; nobody is touched.
    own = f"keystone-{NETWORK}"
    both = [SHARED, own]
    assert changed(cloud.role(certmonger_services=both)) > 0
    assert {cloud.served(name) for name in PORTS} == {new} and cloud.started() == started
    assert changed(cloud.role(certmonger_services=both)) == 0

    # Step 2: the deployment configures and restarts that one container.
    cloud.configure("keystone", own)
    cloud.machine.podman.container("keystone").restart()
    until("keystone serves its own", lambda: cloud.served("keystone") == cloud.fingerprint(f"{CERTIFICATES}/{own}.crt"))
    assert cloud.served("glance_api_tls_proxy") == new

    # From here on a renewal is one container's. Both certificates carry the same name.
    started, other = cloud.started(), cloud.machine.podman.container("glance_api_tls_proxy").standing()
    keystones = cloud.resubmit(own)
    until("keystone serves the new one", lambda: cloud.served("keystone") == keystones)
    assert cloud.machine.podman.container("glance_api_tls_proxy").standing() == other, cloud.journal(own)
    assert cloud.served("glance_api_tls_proxy") == new
    keystone = cloud.machine.podman.container("keystone").standing()
    shared = cloud.resubmit(SHARED)
    until("glance serves the new shared one", lambda: cloud.served("glance_api_tls_proxy") == shared)
    assert cloud.machine.podman.container("keystone").standing() == keystone, cloud.journal(SHARED)
    assert cloud.started() == started

    # Step 5: when nobody serves the shared one, it goes.
    assert cloud.users(SHARED) == {"glance_api_tls_proxy"} and cloud.users(own) == {"keystone"}
    last = f"glance_api_tls_proxy-{NETWORK}"
    cloud.role(certmonger_services=[*both, last])
    cloud.configure("glance_api_tls_proxy", last)
    cloud.machine.podman.container("glance_api_tls_proxy").restart()
    until("glance serves its own", lambda: cloud.served("glance_api_tls_proxy") == cloud.fingerprint(f"{CERTIFICATES}/{last}.crt"))
    assert cloud.users(SHARED) == set()
    cloud.role(certmonger_services=[own, last], certificates_specs={SHARED: {"ensure": "absent"}})
    assert SHARED not in cloud.machine.exec("getcert", "list") and own in cloud.machine.exec("getcert", "list")


def test_revocation_lists_are_fetched_by_the_timer(cloud, work):
    """Fetched at once, and again when the timer says so; whoever reads the file is told when it changed, and only then."""
    machine = cloud.machine
    site, told = machine.directory(), machine.directory() / "told"
    lists = Lists(work)
    lists.publish(site / "ca.crl")
    machine.exec("sh", "-c", f"cd {site} && exec setsid python3 -m http.server --bind 127.0.0.1 8089 >/dev/null 2>&1 &")
    until("the list can be fetched", lambda: machine.exec("curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8089/ca.crl", check=False) is not None)
    crl = {"name": "cloud", "url": "http://127.0.0.1:8089/ca.crl", "path": "/etc/pki/cloud.crl", "schedule": "*-*-* *:*:0/2",
           "reload": [f"date +%s.%N >>{shlex.quote(str(told))}"]}
    cloud.role(certmonger_services=[], certmonger_local_ca=False, certmonger_crls=[crl])
    timer = "tls-everywhere-crl-cloud.timer"
    assert machine.systemctl("is-active", timer) == "active" and machine.systemctl("is-enabled", timer) == "enabled"
    assert lists.numbers(machine.exec("cat", "/etc/pki/cloud.crl")) == 1 and len(told.read_text().splitlines()) == 1
    lists.publish(site / "ca.crl")
    until("the timer has fetched the next list", lambda: lists.numbers(machine.exec("cat", "/etc/pki/cloud.crl")) == 2)
    until("its readers were told", lambda: len(told.read_text().splitlines()) == 2)
    # A proxy's page of errors never takes its place.
    (site / "ca.crl").write_text("<html>busy</html>", encoding="utf-8")
    until("it was refused", lambda: "is no revocation list" in machine.exec("journalctl", "--no-pager", "--unit=tls-everywhere-crl-cloud.service"))
    assert lists.numbers(machine.exec("cat", "/etc/pki/cloud.crl")) == 2 and len(told.read_text().splitlines()) == 2
    cloud.role(certmonger_services=[], certmonger_local_ca=False, certmonger_crls=[dict(crl, state="absent")])
    assert machine.exec("sh", "-c", "ls /etc/systemd/system/tls-everywhere-crl-* 2>/dev/null; true") == ""
    # The last run of the unit had failed; systemd has forgotten that too.
    assert "tls-everywhere-crl" not in machine.systemctl("list-units", "--all", "--plain", "--no-legend")
    assert machine.systemctl("is-active", timer, check=False) == "inactive"


class Lists:
    """An authority that revokes nobody, by the openssl command."""

    def __init__(self, work):
        self.place = work / "authority"
        self.place.mkdir()
        (self.place / "index.txt").touch()
        (self.place / "crlnumber").write_text("01\n", encoding="utf-8")
        (self.place / "ca.cnf").write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {self.place}/index.txt\ncrlnumber = {self.place}/crlnumber\n"
                                           "default_md = sha256\ndefault_crl_days = 2\n", encoding="utf-8")
        openssl("req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=lists", "-days", "3",
                "-keyout", self.place / "ca.key", "-out", self.place / "ca.crt")

    def publish(self, path):
        """The next list, as DER, as most authorities have it."""
        pem = self.place / "crl.pem"
        openssl("ca", "-gencrl", "-config", self.place / "ca.cnf", "-keyfile", self.place / "ca.key", "-cert", self.place / "ca.crt", "-out", pem)
        openssl("crl", "-in", pem, "-outform", "DER", "-out", path)

    def numbers(self, text):
        """The number of a list."""
        pem = self.place / "seen.pem"
        pem.write_text(text, encoding="utf-8")
        return int(openssl("crl", "-in", pem, "-noout", "-crlnumber").strip().partition("=")[2], 16)


def test_certmongers_own_authority_is_trusted_again_when_it_renews_itself(cloud):
    machine = cloud.machine
    cloud.role(certmonger_services=[])
    anchor, bundle = "/usr/local/share/ca-certificates/cm-local-ca.crt", "/etc/ssl/certs/ca-certificates.crt"
    assert machine.systemctl("is-active", "tls-everywhere-local-ca.path") == "active"
    first = machine.exec("cat", anchor).strip()
    assert first.splitlines()[1] in machine.exec("cat", bundle)
    # What certmonger does at half of the authority's life: here it makes a new one at its next start.
    machine.exec("sh", "-c", "systemctl stop certmonger && rm -f /var/lib/certmonger/local/* && systemctl start certmonger")
    machine.exec("getcert", "list-cas")
    until("the new one is an anchor", lambda: machine.exec("cat", anchor).strip() != first)
    second = machine.exec("cat", anchor).strip()
    until("it is in the trust store", lambda: second.splitlines()[1] in machine.exec("cat", bundle))
    assert first.splitlines()[1] not in machine.exec("cat", bundle)


def test_an_image_requests_its_certificates_when_it_first_boots(cloud):
    machine = cloud.machine
    request = {"name": "web", "dns": HOST, "ca": "local"}
    machine.systemctl("start", "certmonger.service")
    machine.systemctl("stop", "certmonger.service")
    cloud.role("certificate", certificate_requests=[request], __certificate_is_booted=False)
    waiting = "/var/lib/tls-everywhere/first-boot"
    assert machine.exec("ls", waiting).split() == ["web.json"]
    unit = "tls-everywhere-first-boot.service"
    machine.systemctl("daemon-reload")
    assert machine.systemctl("is-enabled", unit) == "enabled"
    # As what starts with the system does; it starts certmonger before.
    machine.systemctl("start", unit, check=False)
    assert machine.show(unit, "Result") == {"Result": "success"}, machine.exec("journalctl", "--no-pager", "--unit", unit)
    assert machine.exec("ls", waiting) == ""
    assert "status: MONITORING" in machine.exec("getcert", "list", "-i", "web")
    assert machine.exec("openssl", "x509", "-in", "/etc/ssl/certs/web.crt", "-noout", "-checkhost", HOST).endswith("does match certificate")
    assert changed(cloud.role("certificate", certificate_requests=[request])) == 0
