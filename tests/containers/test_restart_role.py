# SPDX-License-Identifier: Apache-2.0
"""The role restart_on_renewal: from cert_request's answer to exactly one container, by a handler, through Ansible itself."""

from __future__ import annotations

import json
import re

import services
from certificates import Pair, fingerprint
from container import standings
from engines import until


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

    # As an older version of the collection left it, when each program was a file.
    program = "/usr/local/libexec/tls-everywhere/container_restart"
    newer.exec("sh", "-euc", f"mkdir -p ${{0%/*}}; printf '#!/bin/sh\\nexit 7\\n' >$0; chmod 755 $0", program)
    told = role("--check")
    assert files_of_hooks(newer) == [program]
    assert role() == told > 0
    assert newer.exec("readlink", program).strip() == "tls_everywhere"
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
