# SPDX-License-Identifier: Apache-2.0
"""Units of systemd that own containers of podman, and the path unit that acts without Ansible: in a container that has
systemd as its first process, with a podman of its own inside."""

from __future__ import annotations

import json

import module
import pytest
from certificates import Pair, fingerprint
from engines import until

ROLE = module.TOP / "roles/restart_on_renewal/templates"
# As `podman generate systemd --new` writes it, and as Quadlet does: the unit makes the container anew at each start.
UNIT = """
[Service]
Type=notify
NotifyAccess=all
Restart=on-failure
Environment=PODMAN_SYSTEMD_UNIT=%n
ExecStartPre=/bin/rm -f %t/%n.ctr-id
ExecStart=/usr/bin/podman run --cidfile=%t/%n.ctr-id --cgroups=no-conmon --rm --sdnotify=conmon --detach --replace --name {name} \\
  --volume {certs}:/certs:ro localhost/proxy:latest {command}
ExecStop=/usr/bin/podman stop --ignore --time 1 --cidfile=%t/%n.ctr-id
ExecStopPost=/usr/bin/podman rm --force --ignore --cidfile=%t/%n.ctr-id
{more}
"""
# As Kolla-Ansible's and TripleO's: the container is there already, and nothing in it names its unit.
STARTER = """
[Service]
Restart=always
SuccessExitStatus=143
ExecStart=/usr/bin/podman start --attach {name}
ExecStop=/usr/bin/podman stop --time 1 {name}
"""
SYSTEM = "/etc/systemd/system"
QUADLET = """
[Container]
ContainerName={name}
Image=localhost/newer:latest
Network=host
Volume={certs}:/certs:ro
Exec=haproxy {flags} -db -f /certs/haproxy.cfg
StopTimeout=1
[Service]
Restart=on-failure
"""


def unit(machine, name, pair, command, more=""):
    """Start a container that a unit owns."""
    machine.write(f"{SYSTEM}/{name}.service", UNIT.format(name=name, certs=pair.directory, command=command, more=more))
    machine.systemctl("start", f"{name}.service")


def haproxy(machine, name, port, flags=""):
    """One that runs HAProxy; its pair."""
    return machine.haproxy(name, port, lambda pair: unit(machine, name, pair, f"haproxy {flags} -db -f /certs/haproxy.cfg"))


def test_a_container_that_a_unit_makes_is_restarted_once_and_by_its_unit(machine):
    pair, other = haproxy(machine, "owned", 8501), haproxy(machine, "beside", 8502)
    before, beside = machine.standing("owned"), machine.standing("beside")
    pair.renew()
    answer = machine.restart(pair)
    own = answer.of("owned")
    assert own["unit"] == "owned.service" and own["manager"] == "systemd" and own["actions"] == ["restart owned.service"], json.dumps(answer, indent=1)
    assert answer.proven == ["owned"] and machine.served(8501) == fingerprint(pair.combined)
    after = machine.standing("owned")
    assert after[0] != before[0] and after[2] != before[2], "the unit has made a new container"
    assert after[3] == "0" and machine.show("owned.service", "Result") == {"Result": "success"}, "not once more by Restart="
    assert machine.standing("beside") == beside and machine.served(8502) == fingerprint(other.combined)
    assert not machine.restart(pair).changed


def test_what_can_be_reloaded_is_not_restarted_by_its_unit(machine):
    pair = haproxy(machine, "gentle", 8503, "-W")
    before = machine.standing("gentle")
    pair.renew()
    answer = machine.restart(pair)
    assert answer.of("gentle")["actions"] == ["signal HUP"] and answer.proven == ["gentle"]
    assert machine.standing("gentle") == before and machine.served(8503) == fingerprint(pair.combined)


def test_the_reload_of_a_unit_is_taken_for_a_program_that_nobody_knows_and_a_restart_if_that_does_not_help(machine):
    command = "openssl s_server -accept 8504 -cert /certs/tls.crt -key /certs/tls.key -quiet"
    pair = Pair(machine.shared / "unknown")
    unit(machine, "unknown", pair, command, more=f"ExecReload=/bin/touch {machine.shared}/reloaded")
    until("it serves", lambda: machine.served(8504) == pair.fingerprint())
    pair.renew()
    answer = machine.restart(pair, certificate=str(pair.certificate), verify_timeout=3)
    assert answer.of("unknown")["action"] == "reload", json.dumps(answer, indent=1)
    assert answer.of("unknown")["actions"] == ["reload unknown.service", "restart unknown.service"]
    assert (machine.shared / "reloaded").exists() and answer.proven == ["unknown"]
    assert machine.served(8504) == pair.fingerprint()


def test_the_path_unit_of_the_role_acts_without_ansible_and_reaches_only_its_certificate(machine):
    pair, other = haproxy(machine, "hooked", 8505, "-W"), haproxy(machine, "unhooked", 8506, "-W")
    before, beside = machine.standing("hooked"), machine.standing("unhooked")
    values = {"restart_on_renewal_program_directory": str(machine.shared), "restart_on_renewal_hook_directory": str(machine.shared),
              "restart_on_renewal__item.name": "hooked", "restart_on_renewal__item.certificate": str(pair.combined)}
    for template, name in (("service.j2", "tls-everywhere-restart@.service"), ("path.j2", "tls-everywhere-restart-hooked.path")):
        text = (ROLE / template).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"{{{{ {key} }}}}", value)
        assert "{{" not in text
        machine.write(f"{SYSTEM}/{name}", text)
    (machine.shared / "hooked.json").write_text(json.dumps({"certificate": str(pair.combined), "engine": "podman", "stable_for": 0}))
    machine.systemctl("start", "tls-everywhere-restart-hooked.path")
    pair.renew()
    other.renew()
    until("the hook has acted", lambda: machine.served(8505) == fingerprint(pair.combined), seconds=30)
    until("it has ended well", lambda: machine.show("tls-everywhere-restart@hooked.service", "ActiveState") == {"ActiveState": "inactive"})
    assert machine.show("tls-everywhere-restart@hooked.service", "Result") == {"Result": "success"}
    assert machine.standing("hooked") == before, "reloaded, not restarted"
    assert machine.standing("unhooked") == beside and machine.served(8506) != fingerprint(other.combined)


def quadlet(machine, name, port, flags=""):
    """One that Quadlet makes a unit of; its pair."""
    def start(pair):
        machine.write(f"/etc/containers/systemd/{name}.container", QUADLET.format(name=name, certs=pair.directory, flags=flags))
        machine.systemctl("start", f"{name}.service")
    return machine.haproxy(name, port, start)


def test_a_container_of_quadlets_is_restarted_once_and_by_its_unit(newer):
    pair, other = quadlet(newer, "quadlet", 8511), quadlet(newer, "beside", 8512)
    assert newer.podman.inspect("quadlet")["Config"]["Labels"]["PODMAN_SYSTEMD_UNIT"] == "quadlet.service"
    before, beside = newer.standing("quadlet"), newer.standing("beside")
    pair.renew()
    planned = newer.restart(pair, check=True)
    assert planned.planned == ["quadlet"] and newer.standing("quadlet") == before
    answer = newer.restart(pair)
    own = answer.of("quadlet")
    assert own["unit"] == "quadlet.service" and own["manager"] == "systemd" and own["actions"] == ["restart quadlet.service"], json.dumps(answer, indent=1)
    assert answer.acted == answer.proven == ["quadlet"] and newer.served(8511) == fingerprint(pair.combined)
    after = newer.standing("quadlet")
    assert after[0] != before[0] and after[2] != before[2], "the unit has made a new container"
    assert newer.show("quadlet.service", "NRestarts", "Result", "ActiveState") == {"NRestarts": "0", "Result": "success", "ActiveState": "active"}
    assert newer.standing("beside") == beside and newer.served(8512) == fingerprint(other.combined)
    assert not newer.restart(pair).changed


def test_a_container_of_quadlets_that_can_be_reloaded_is_not_restarted(newer):
    pair = quadlet(newer, "gentle", 8513, "-W")
    before = newer.standing("gentle")
    pair.renew()
    answer = newer.restart(pair)
    assert answer.of("gentle")["actions"] == ["signal HUP"] and answer.proven == ["gentle"]
    assert newer.standing("gentle") == before and newer.served(8513) == fingerprint(pair.combined)


@pytest.mark.parametrize(("which", "image"), [("machine", "proxy"), ("newer", "newer")])
def test_a_unit_that_only_starts_its_container_is_known_by_the_containers_monitor(request, which, image):
    machine = request.getfixturevalue(which)

    def start(pair):
        machine.podman.cli("create", "--name", "plain", "--network", "host", "--volume", f"{pair.directory}:/certs:ro", f"localhost/{image}:latest",
                           "haproxy", "-db", "-f", "/certs/haproxy.cfg")
        machine.write(f"{SYSTEM}/starter-of-plain.service", STARTER.format(name="plain"))
        machine.systemctl("start", "starter-of-plain.service")

    pair = machine.haproxy("plain", 8521, start)
    dependant = "sharer-of-network"
    machine.podman.cli("create", "--name", dependant, "--network", "container:plain", f"localhost/{image}:latest", "sleep", "1000")
    machine.write(f"{SYSTEM}/starter-of-{dependant}.service", STARTER.format(name=dependant))
    machine.systemctl("start", f"starter-of-{dependant}.service")
    until("the dependant runs", lambda: machine.podman.inspect(dependant)["State"]["Running"])
    run_of_dependant = machine.show(f"starter-of-{dependant}.service", "InvocationID")
    before = machine.podman.inspect("plain")
    assert "PODMAN_SYSTEMD_UNIT" not in (before["Config"]["Labels"] or {})
    pair.renew()
    answer = machine.restart(pair)
    own = answer.of("plain")
    assert own["unit"] == "starter-of-plain.service" and own["actions"] == ["restart starter-of-plain.service"], json.dumps(answer, indent=1)
    assert answer.proven == ["plain"] and machine.served(8521) == fingerprint(pair.combined)
    after = machine.podman.inspect("plain")
    assert after["Id"] == before["Id"] and after["State"]["StartedAt"] != before["State"]["StartedAt"]
    assert machine.show("starter-of-plain.service", "NRestarts", "Result") == {"NRestarts": "0", "Result": "success"}
    # Who shares its network has a unit too, and is restarted by that one.
    assert own["dependents"] == [dependant]
    shown = machine.show(f"starter-of-{dependant}.service", "NRestarts", "Result", "ActiveState")
    assert shown == {"NRestarts": "0", "Result": "success", "ActiveState": "active"}
    assert machine.show(f"starter-of-{dependant}.service", "InvocationID") != run_of_dependant
    # How podman's own process ends with a container is its matter.
    machine.systemctl("stop", f"starter-of-{dependant}.service", "starter-of-plain.service", check=False)
    machine.podman.remove(dependant, "plain")


@pytest.mark.parametrize("which", ["machine", "newer"])
def test_none_of_these_units_has_failed(request, which):
    failed = request.getfixturevalue(which).systemctl("list-units", "--failed", "--plain", "--no-legend", check=False)
    names = ("owned", "beside", "gentle", "unknown", "hooked", "quadlet", "tls-everywhere")
    assert [line for line in failed.splitlines() if any(name in line for name in names)] == []
