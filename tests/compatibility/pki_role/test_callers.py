# SPDX-License-Identifier: Apache-2.0
"""Every caller of OpenStack-Ansible, as callers/*.yml describe them: files, modes, owners, topics, and a quiet second run."""

from __future__ import annotations

import pathlib
import subprocess

import pytest
import yaml
from cloud import CORES, INTERMEDIATE, ROOT, Cloud, mode, openssl

CALLERS = sorted((pathlib.Path(__file__).parent / "callers").glob("*.yml"))
ADMINISTRATOR = {"openstack_pki_authorities": [ROOT, INTERMEDIATE]}


def includes(cloud, caller):
    """The caller's includes, with the place of the host's files."""
    found = []
    for include in caller["includes"]:
        task = cloud.include(include["entry"], dest=f"{cloud.work}/{{{{ inventory_hostname }}}}", **{**ADMINISTRATOR, **include["vars"]})
        for override in ("pki_install_owner", "pki_install_group"):
            task["vars"].pop(override)
        found.append(task)
    return found


def listener(cloud, caller):
    """What the caller's handlers do with the topic, made visible."""
    touch = {"cmd": f"touch {cloud.work}/heard-{{{{ inventory_hostname }}}}"}
    return {"name": "Hear", "listen": caller["topic"], "ansible.builtin.command": touch}


def play(cloud, caller, handlers=(), **more):
    """The caller's play, after a module that gives its facts; handlers are those that the caller has for its topic."""
    module = cloud.work / "library"
    module.mkdir(exist_ok=True)
    (module / "given_facts.py").write_text(
        "#!/usr/bin/python3\nimport json, sys\n"
        f"print(json.dumps({{'changed': False, 'ansible_facts': {caller['facts']!r}}}))\n")
    gather = {"name": "Gather", "given_facts": {}, "tags": ["always"]}
    return cloud.play(gather, *includes(cloud, caller), handlers=[listener(cloud, caller), *handlers], **more)


def expected(cloud, entry):
    """The file of the tree that an installed file must equal."""
    name = entry["of"]
    return {"leaf": cloud.leaf(name), "chain": cloud.leaf(name, "-chain"), "ca": cloud.leaf(name, "-ca_bundle"), "key": cloud.key(name)}[entry["holds"]]


# All on the newest ansible-core, those with the oddest variables on all.
CASES = [(path, CORES[-1]) for path in CALLERS] + [
    (path, core) for path in CALLERS if path.stem in ("haproxy", "httpd", "octavia") for core in CORES[:-1]]


@pytest.mark.parametrize(("path", "core"), CASES, ids=lambda case: getattr(case, "stem", case))
def test_a_caller_gets_its_files(work, path, core):
    caller = yaml.safe_load(path.read_text())
    cloud = Cloud(work, hosts=("node1", "node2"), core=core)
    cloud.run("main_ca.yml", pki_authorities=[ROOT, INTERMEDIATE])
    play(cloud, caller)
    for file, entry in caller["installed"].items():
        installed = work / "node1" / file
        assert (mode(installed), installed.owner(), installed.group()) == (entry["mode"], entry.get("owner", "root"), entry.get("group", "root")), file
        if entry["holds"] != "any":
            assert installed.read_bytes() == expected(cloud, entry).read_bytes(), file
        assert installed.read_text().startswith(entry.get("begins", "-----BEGIN"))
    for name in caller.get("made", []):
        cloud.verify(name)
    assert {each.name for each in work.glob("heard-*")} >= {"heard-node1"}, "no handler heard the topic"
    for each in work.glob("heard-*"):
        each.unlink()
    again = play(cloud, caller)
    assert again.changed() == 0, again.text
    assert not list(work.glob("heard-*"))


def test_every_leaf_of_every_caller_is_verified_by_openssl(work):
    caller = yaml.safe_load((CALLERS[0].parent / "nova_compute.yml").read_text())
    cloud = Cloud(work, hosts=("node1",))
    cloud.run("main_ca.yml", pki_authorities=[ROOT, INTERMEDIATE])
    play(cloud, caller)
    cloud.verify("nova_node1")
    purposes = openssl("x509", "-in", cloud.leaf("nova_node1"), "-noout", "-purpose")
    assert "SSL client : Yes" in purposes and "SSL server : Yes" in purposes


def test_regeneration_from_the_command_line_reaches_only_what_is_named(work):
    caller = yaml.safe_load((CALLERS[0].parent / "rabbitmq.yml").read_text())
    cloud = Cloud(work, hosts=("node1", "node2"))
    cloud.run("main_ca.yml", pki_authorities=[ROOT, INTERMEDIATE])
    play(cloud, caller)
    serials = {host: cloud.serial(cloud.leaf(f"rabbitmq_{host}")) for host in cloud.hosts}
    play(cloud, caller, arguments=("-e", "pki_regen_cert=rabbitmq_node2", "--tags", "pki"))
    assert cloud.serial(cloud.leaf("rabbitmq_node1")) == serials["node1"]
    assert cloud.serial(cloud.leaf("rabbitmq_node2")) != serials["node2"]
    assert subprocess.run(["cmp", work / "node2/rabbitmq.key", cloud.key("rabbitmq_node2")], timeout=10).returncode == 0
