# SPDX-License-Identifier: Apache-2.0
"""Containers that systemd runs: a restart past systemd ends the unit's run. Quadlet itself is newer than
Debian's podman; `podman generate systemd --new` makes units of the same shape."""

from __future__ import annotations

import signal

import services
from engines import until


def managed(machine):
    """A service that a unit runs, and the unit."""
    service = services.start(machine.podman, machine.shared, "haproxy")
    unit = machine.unit_of(service.container.name)
    service.serves(service.pair.fingerprint())
    return service, unit


def test_a_unit_is_known_by_the_label_of_its_container_and_by_the_cgroup_of_its_monitor(machine):
    service, unit = managed(machine)
    known = service.container.inspect()
    assert known["Config"]["Labels"]["PODMAN_SYSTEMD_UNIT"] == unit
    monitor = machine.exec("cat", f"/proc/{known['State']['ConmonPid']}/cgroup")
    assert any(line.endswith(f"/system.slice/{unit}") for line in monitor.splitlines()), monitor


def test_a_restart_by_the_unit_is_one_restart(machine):
    service, unit = managed(machine)
    before = service.container.standing()
    new = service.pair.renew()
    machine.systemctl("restart", unit)
    service.serves(new)
    assert machine.show(unit, "NRestarts", "Result", "ActiveState") == {"NRestarts": "0", "Result": "success", "ActiveState": "active"}
    assert service.container.standing().id != before.id, "such a unit makes its container anew"


def test_a_restart_past_the_unit_ends_this_run_of_the_unit(machine):
    service, unit = managed(machine)
    before = machine.show(unit, "MainPID", "InvocationID")
    assert before["MainPID"] != "0"
    machine.podman.cli("restart", "--time", 1, service.container.name, check=False)
    # The main process is the container's monitor, which ends with it. What follows is chance. Of 26 times, 20 of them under
    # load, the monitor was killed in 19: in 8 systemd had started the unit again, into another container, and in 11 the unit
    # was still in `stop-post` four seconds later. In 7 the monitor ended by itself first: the unit was `Deactivated
    # successfully`, the restart found no container any more, and the service was down for good.
    until("the unit has lost its main process", lambda: machine.show(unit, "MainPID") != {"MainPID": before["MainPID"]})
    after = machine.show(unit, "InvocationID", "ActiveState", "Result")
    assert after != {"InvocationID": before["InvocationID"], "ActiveState": "active", "Result": "success"}, "it took the restart as nothing"


def test_a_reload_past_the_unit_disturbs_nothing(machine):
    service, unit = managed(machine)
    before = service.container.standing()
    new = service.pair.renew()
    service.container.signal(signal.SIGHUP)
    service.serves(new)
    assert machine.show(unit, "NRestarts", "ActiveState") == {"NRestarts": "0", "ActiveState": "active"}
    assert service.container.standing().started_at == before.started_at


def test_podmans_socket_is_there_when_somebody_connects(machine):
    machine.systemctl("start", "podman.socket")
    request = "printf 'GET /_ping HTTP/1.0\\r\\n\\r\\n' | socat -t 20 - UNIX-CONNECT:/run/podman/podman.sock"
    answer = machine.exec("sh", "-c", request)
    assert "200 OK" in answer and "Libpod-Api-Version" in answer, answer
