# SPDX-License-Identifier: Apache-2.0
"""The role restart_on_renewal: from cert_request's answer to exactly one container, by a handler, through Ansible itself."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import pytest
import services
import yaml
from certificates import Pair, fingerprint
from container import standings
from engines import until

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def collections(place):
    """The collection, where ansible finds it."""
    path = place / "collections"
    subprocess.run([TOP / "scripts/place-collection", path], check=True, capture_output=True, text=True, timeout=120)
    return path


@pytest.fixture
def play(collections, work):
    """Run a playbook on this machine, or on the one with these variables of an inventory; what was said."""
    venv = subprocess.run([TOP / "scripts/venv", "ansible-2.19"], check=True, capture_output=True, text=True, timeout=900).stdout.strip()

    def run(tasks, variables, roles=("tls.everywhere.restart_on_renewal",), host=None, arguments=()):
        book = [{"hosts": "all" if host else "localhost", "gather_facts": False, "roles": list(roles), "tasks": tasks}]
        if host:
            (work / "hosts.json").write_text(json.dumps({"all": {"hosts": {"machine": host}}}), encoding="utf-8")
            arguments = ["-i", work / "hosts.json", *arguments]
        (work / "play.yml").write_text(yaml.safe_dump(book), encoding="utf-8")
        (work / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        home = work / "home"
        home.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "ANSIBLE_HOME": str(home / ".ansible"), "ANSIBLE_COLLECTIONS_PATH": str(collections),
                       "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_PIPELINING": "true", "LC_ALL": "C.UTF-8"}
        command = [f"{venv}/bin/ansible-playbook", work / "play.yml", "-e", f"@{work / 'variables.json'}", "-v", *arguments]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=300, check=False)
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
    variables = {"restart_on_renewal_certificates": [certificate], "restart_on_renewal_options": options, "restart_on_renewal_layout": "tripleo"}
    said = play([act], variables, roles=())
    assert "haproxy-bundle-podman-0: signal HUP, proven" in said, said
    user.keeps(user.pair.fingerprint())
    assert other.container.standing() == before, "its name only contains the other's"


def files_of_hooks(machine):
    """What the role has put on the machine; its directories stay, as others may have files there."""
    places = "/etc/tls-everywhere /usr/local/libexec/tls-everywhere /etc/systemd/system"
    return machine.exec("sh", "-c", f"find {places} ! -type d -path '*tls-everywhere*' 2>/dev/null | sort").splitlines()


def changed(said):
    """The count of changes in what a play said of its one host."""
    (recap,) = re.findall(r"changed=(\d+) unreachable=0 failed=0", said)
    return int(recap)


def test_the_hooks_of_the_role_are_told_set_up_act_and_go_away(newer, play):
    users = [services.start(newer.podman, newer.directory(), "haproxy", name=name, image="newer") for name in ("hooked", "kept", "unhooked")]
    hooks = [{"name": user.container.name, "certificate": str(user.pair.combined), "containers": [user.container.name]} for user in users[:2]]
    variables = {"restart_on_renewal_hooks": hooks, "restart_on_renewal_options": {"engine": "podman", "stable_for": 0}}

    def role(*arguments, **more):
        return changed(play([], {**variables, **more}, host=newer.host(), arguments=arguments))

    told = role("--check")
    assert files_of_hooks(newer) == []
    assert role() == told > 0
    for hook in hooks:
        unit = f"tls-everywhere-restart-{hook['name']}.path"
        assert newer.systemctl("is-active", unit) == "active" and newer.systemctl("is-enabled", unit) == "enabled"
    assert role() == 0

    before = standings([user.container for user in users])
    wanted = [user.pair.renew() for user in users]
    for user, new in zip(users[:2], wanted):
        user.serves(new)
        service = f"tls-everywhere-restart@{user.container.name}.service"
        until("its run has ended", lambda service=service: newer.show(service, "ActiveState") == {"ActiveState": "inactive"})
        assert newer.show(service, "Result") == {"Result": "success"}, newer.exec("journalctl", "--no-pager", "--unit", service)
    after = standings([user.container for user in users])
    assert [state.started_at for state in after.values()] == [state.started_at for state in before.values()], "nobody was restarted"
    assert after[repr(users[2].container)] == before[repr(users[2].container)]

    one = {"restart_on_renewal_hook_state": "absent", "restart_on_renewal_hooks": hooks[:1]}
    told, there = role("--check", **one), files_of_hooks(newer)
    assert there and role(**one) == told > 0
    left = files_of_hooks(newer)
    assert not [path for path in left if "hooked" in path] and [path for path in left if path.endswith("/container_restart")]
    assert newer.systemctl("is-active", "tls-everywhere-restart-kept.path") == "active"
    # With the last hook goes what all of them need.
    assert role(restart_on_renewal_hook_state="absent") > 0 and files_of_hooks(newer) == []
    assert role(restart_on_renewal_hook_state="absent") == 0
    assert newer.systemctl("list-units", "--all", "--plain", "--no-legend", "tls-everywhere-restart*") == ""
