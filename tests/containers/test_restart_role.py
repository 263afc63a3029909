# SPDX-License-Identifier: Apache-2.0
"""The role restart_on_renewal: from cert_request's answer to exactly one container, by a handler, through Ansible itself."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest
import services
import yaml
from certificates import Pair, fingerprint
from container import standings

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def collections(place):
    """The collection, where ansible finds it."""
    path = place / "collections"
    subprocess.run([TOP / "scripts/place-collection", path], check=True, capture_output=True, text=True, timeout=120)
    return path


@pytest.fixture
def play(collections, work):
    """Run a playbook on this machine; the count of changes and what was said."""
    venv = subprocess.run([TOP / "scripts/venv", "ansible-2.19"], check=True, capture_output=True, text=True, timeout=900).stdout.strip()

    def run(tasks, variables, roles=("tls.everywhere.restart_on_renewal",)):
        book = [{"hosts": "localhost", "gather_facts": False, "roles": list(roles), "tasks": tasks}]
        (work / "play.yml").write_text(yaml.safe_dump(book), encoding="utf-8")
        (work / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        home = work / "home"
        home.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "ANSIBLE_HOME": str(home / ".ansible"), "ANSIBLE_COLLECTIONS_PATH": str(collections),
                       "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([f"{venv}/bin/ansible-playbook", work / "play.yml", "-e", f"@{work / 'variables.json'}", "-v"], cwd=work, env=environment,
                              capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        # Where a line of the output is broken is not our business.
        return " ".join(done.stdout.split())

    return run


def certificate_task(certs, names, renew=()):
    """cert_request for some containers, which notifies the topic."""
    entries = [{"name": name, "dns": [f"{name}.test"], "issuer": {"self_signed": {}}, "key": {"algorithm": "ecdsa"},
                "renew": {"force": name in renew}, "files": [{"content": "combined", "path": str(certs / name / "tls.pem")}]} for name in names]
    return {"name": "Certificates", "tls.everywhere.cert_request": {"certificates": entries}, "register": "issued", "notify": "tls certificate changed"}


def test_a_renewal_reaches_exactly_one_container_through_the_handler(docker, work, play):
    names = ["one", "two"]
    started = {name: services.start(docker, work, "haproxy", name=name, pair=Pair(work / "pki" / name, f"{name}.test")) for name in names}
    options = {"socket": str(docker.socket), "manager": "engine", "stable_for": 0, "state_dir": str(work / "state")}
    variables = {"restart_on_renewal_certificates": "{{ issued.restart | default([]) }}", "restart_on_renewal_options": options}
    first = play([certificate_task(work / "pki", names)], variables)
    assert "changed=2" in first, first
    for name in names:
        started[name].keeps(fingerprint(work / "pki" / name / "tls.pem"))
    before = standings([started["two"].container])
    second = play([certificate_task(work / "pki", names, renew=["one"])], variables)
    assert "one: signal HUP, proven" in second and "skipping: [localhost] => (item" not in second, second
    started["one"].keeps(fingerprint(work / "pki/one/tls.pem"))
    assert standings([started["two"].container]) == before
    third = play([certificate_task(work / "pki", names)], variables)
    assert "changed=0" in third and "RUNNING HANDLER" not in third, third


def test_the_names_of_tripleo_are_known(docker, work, play):
    user = services.start(docker, work, "haproxy", name="haproxy-bundle-podman-0", pair=Pair(work / "pki/haproxy", "haproxy.test"))
    other = services.start(docker, work, "haproxy", name="neutron-haproxy-ovnmeta-55d0", pair=user.pair)
    user.pair.renew()
    before = other.container.standing()
    options = {"socket": str(docker.socket), "manager": "engine", "stable_for": 0, "state_dir": str(work / "state")}
    certificate = {"name": "haproxy-ctlplane-cert", "certificate": str(user.pair.combined), "private_key": None, "containers": []}
    act = {"ansible.builtin.include_role": {"name": "tls.everywhere.restart_on_renewal", "tasks_from": "restart"}}
    said = play([act], {"restart_on_renewal_certificates": [certificate], "restart_on_renewal_options": options, "restart_on_renewal_layout": "tripleo"}, roles=())
    assert "haproxy-bundle-podman-0: signal HUP, proven" in said, said
    user.keeps(user.pair.fingerprint())
    assert other.container.standing() == before, "its name only contains the other's"
