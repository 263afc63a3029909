# SPDX-License-Identifier: Apache-2.0
"""Regeneration as OpenStack-Ansible passes it: from its group_vars and the command line, through the variables of each caller."""

from __future__ import annotations

import fcntl
import os
import pathlib
import signal
import subprocess
import time

import pytest
import yaml
from cloud import CORES, INTERMEDIATE, ROOT, Cloud, openssl, venv
from test_callers import includes

CALLERS = pathlib.Path(__file__).parent / "callers"

# As group_vars/all/ssl.yml has them.
GROUP_VARS = {
    "openstack_pki_backend": "standalone", "openstack_pki_service_intermediate_cert_name": "ExampleCorpIntermediate", "openstack_pki_regen_ca": "",
    "openstack_pki_authorities": [{**ROOT, "backend": "{{ openstack_pki_backend }}"}, {**INTERMEDIATE, "backend": "{{ openstack_pki_backend }}"}],
    "openstack_pki_install_ca": [{"name": "ExampleCorpRoot"}],
    "rabbitmq_pki_regen_cert": "", "galera_pki_regen_cert": "",
}


class Deployment(Cloud):
    """The playbooks of a deployment, shortened to their includes of the role: authorities, trust, two services."""

    def deploy(self, *arguments, ok=True):
        """openstack-ansible setup-everything with extra variables."""
        tasks = [
            self.include("main_ca.yml", pki_create_ca=True, pki_regen_ca="{{ openstack_pki_regen_ca }}", pki_authorities="{{ openstack_pki_authorities }}"),
            self.include("main_ca_install.yml", pki_install_ca="{{ openstack_pki_install_ca }}"),
            *self.service("rabbitmq"), *self.service("galera"),
        ]
        (self.work / "group_vars").mkdir(exist_ok=True)
        (self.work / "group_vars/all.yml").write_text(yaml.safe_dump({**GROUP_VARS, "openstack_pki_dir": str(self.pki)}))
        facts = {"name": "Facts", "tags": ["always"], "ansible.builtin.set_fact": {
            "ansible_facts": {"hostname": "host1", "fqdn": "host1.example.org", "pkg_mgr": "apt"}}}
        return self.play(facts, *tasks, arguments=arguments, ok=ok)

    def service(self, name):
        """A caller with its variable for regeneration."""
        caller = yaml.safe_load((CALLERS / f"{name}.yml").read_text())
        tasks = includes(self, caller)
        for task in tasks:
            task["vars"]["pki_regen_cert"] = "{{ %s_pki_regen_cert }}" % name
            task["vars"].pop("openstack_pki_authorities", None)
        return tasks

    def serials(self):
        """Of every certificate and authority."""
        leaves = {path.stem: self.serial(path) for path in sorted((self.pki / "certs/certs").glob("*_node?.crt"))}
        return {**leaves, **{name: self.serial(self.authority(name)) for name in ("ExampleCorpRoot", "ExampleCorpIntermediate")}}

    def check(self):
        """openssl verifies every certificate of the tree below the root of today, and the installed chain is that of the tree."""
        for name in sorted(path.stem for path in (self.pki / "certs/certs").glob("*_node?.crt")):
            self.verify(name)
            service, host = name.rsplit("_", 1)
            installed = self.dest(host, {"rabbitmq": "rabbitmq.pem", "galera": "certs/galera.pem"}[service])
            assert installed.read_bytes() == self.leaf(name, "-chain").read_bytes()
        for host in self.hosts:
            assert (self.work / f"trust/{host}/ExampleCorpRoot.crt").read_bytes() == self.authority("ExampleCorpRoot").read_bytes()


@pytest.fixture
def deployment(work, request):
    """Two hosts with RabbitMQ and Galera; a parameter names another ansible-core."""
    it = Deployment(work, hosts=("node1", "node2"), core=getattr(request, "param", CORES[-1]))
    it.deploy()
    it.check()
    return it


def quiet(deployment):
    """The same again changes nothing."""
    again = deployment.deploy()
    assert again.changed() == 0, again.text


@pytest.mark.parametrize("chosen", ["ExampleCorpRoot", "ExampleCorpIntermediate", "true"])
def test_openstack_pki_regen_ca_from_the_command_line_leaves_what_is_below_valid_and_says_so(deployment, chosen):
    before = deployment.serials()
    ran = deployment.deploy("-e", f"openstack_pki_regen_ca={chosen}")
    after = deployment.serials()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == ({"ExampleCorpRoot", "ExampleCorpIntermediate"} if chosen == "true" else {chosen})
    for name in changed:
        assert f"authority '{name}' gets a new certificate for the key that it has: the 4 certificates below it stay valid" in ran.flat()
    deployment.check()
    quiet(deployment)


@pytest.mark.parametrize("chosen", ["true", "True", "rabbitmq_node2"])
def test_a_services_variable_from_the_command_line_regenerates_its_own_certificates_only(deployment, chosen):
    before = deployment.serials()
    keys = {name: deployment.key(name).read_bytes() for name in before if name.endswith(("node1", "node2"))}
    deployment.deploy("-e", f"rabbitmq_pki_regen_cert={chosen}", "--tags", "pki")
    after = deployment.serials()
    wanted = {"rabbitmq_node2"} if chosen == "rabbitmq_node2" else {"rabbitmq_node1", "rabbitmq_node2"}
    assert {name for name in before if before[name] != after[name]} == wanted
    assert {name for name, key in keys.items() if deployment.key(name).read_bytes() != key} == wanted
    deployment.check()
    quiet(deployment)


def test_new_keys_for_all_authorities_of_a_live_tree_in_one_run(deployment):
    before, bundle = deployment.serials(), deployment.dest("node1", "rabbitmq-ca.pem")
    old_chain = deployment.work / "old.pem"
    old_chain.write_bytes(deployment.dest("node1", "rabbitmq.pem").read_bytes())
    ran = deployment.deploy("-e", "pki_regen_ca_key=true")
    assert ran.flat().count("gets a new key: 4 certificates below it must be signed again") == 2
    assert "(galera_node1, galera_node2, rabbitmq_node1, rabbitmq_node2)" in ran.flat()
    assert not set(deployment.serials().values()) & set(before.values())
    deployment.check()
    # Trust comes before certificates, and peers of both sides are accepted for as long as the old root lives.
    assert ran.text.index("Put them into the trust store") < ran.text.index("Make the certificates of all hosts")
    for chain in (old_chain, deployment.dest("node2", "rabbitmq.pem")):
        assert openssl("verify", "-CAfile", bundle, "-untrusted", chain, chain).strip().endswith("OK")
    quiet(deployment)


def test_check_mode_says_it_and_does_nothing(deployment):
    before = deployment.serials()
    ran = deployment.deploy("-e", "pki_regen_ca_key=true", "--check")
    assert ran.flat().count("gets a new key: 4 certificates below it must be signed again") == 2
    assert deployment.serials() == before
    quiet(deployment)


@pytest.mark.parametrize("deployment", [CORES[0], CORES[-1]], indirect=True)
def test_what_becomes_invalid_is_said_before_it_is_done(deployment):
    """The tree is locked, as by another play: the run says what it is about to do, waits, and can still be ended."""
    before = deployment.serials()
    descriptor = os.open(deployment.pki, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    deployment.deploy("--syntax-check")  # writes the playbook
    command = [venv(deployment.core) / "bin/ansible-playbook", "-i", deployment.work / "inventory", deployment.work / "play.yml",
               "-e", "pki_regen_ca_key=ExampleCorpRoot"]
    output = deployment.work / "output"
    with output.open("w") as file:
        play = subprocess.Popen(command, env=deployment.environment(), stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while "gets a new key" not in output.read_text():
            assert play.poll() is None and time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        assert deployment.serials() == before and play.poll() is None
    finally:
        os.killpg(play.pid, signal.SIGTERM)
        play.wait(timeout=60)
        os.close(descriptor)
    assert deployment.serials() == before
    quiet(deployment)
