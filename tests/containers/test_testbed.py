# SPDX-License-Identifier: Apache-2.0
"""The testbed itself: its engines run, its services serve what they were given, and its witnesses notice."""

from __future__ import annotations

import http.client
import json
import signal
import socket as sockets

import pytest
import services
from container import standings
from engines import until


@pytest.mark.parametrize("kind", [kind for kind, how in services.KINDS.items() if how.image != "newer"])
def test_each_service_serves_the_certificate_that_it_was_given(docker, services_image, virt_image, work, kind):
    service = services.start(docker, work, kind)
    service.keeps(service.pair.fingerprint(), times=3)


def test_podman_runs_the_same_services(podman, podman_services, work):
    for kind in ("nginx", "httpd", "mariadb"):
        services.start(podman, work, kind)


def test_a_user_without_rights_runs_a_service(rootless, work):
    service = services.start(rootless, work, "haproxy")
    assert service.container.pids() != ()


def test_podmans_socket_answers_for_the_containers_of_its_command_line(podman, work):
    service = services.start(podman, work, "haproxy")
    with podman.api() as socket:
        connection = http.client.HTTPConnection("podman")
        connection.sock = sockets.socket(sockets.AF_UNIX)
        connection.sock.connect(str(socket))
        connection.request("GET", "/v4.0.0/libpod/containers/json")
        names = [name for one in json.loads(connection.getresponse().read()) for name in one["Names"]]
        connection.close()
    assert names == [service.container.name]
    assert podman.socket is None and not socket.exists()


def test_a_restart_shows_in_how_a_container_stands_and_nothing_else_does(engine, work):
    touched, bystander = (services.start(engine, work, "haproxy") for _ in range(2))
    before = standings([touched.container, bystander.container])
    assert standings([touched.container, bystander.container]) == before
    touched.container.restart()
    touched.serves(touched.pair.fingerprint())
    after = standings([touched.container, bystander.container])
    assert after[repr(bystander.container)] == before[repr(bystander.container)]
    old, new = (state[repr(touched.container)] for state in (before, after))
    assert new.id == old.id and new.started_at != old.started_at and not set(new.pids) & set(old.pids)


def test_a_reload_shows_in_the_processes_only(engine, work):
    service = services.start(engine, work, "haproxy")
    before = service.container.standing()
    wanted = service.pair.renew()
    service.container.signal(signal.SIGHUP)
    service.serves(wanted)
    until("the old worker is gone", lambda: len(service.container.pids()) == 2)
    after = service.container.standing()
    assert after.started_at == before.started_at and after.restarts == before.restarts
    assert after.pids[0] == before.pids[0] and after.pids != before.pids


@pytest.mark.parametrize("mount", ["directory", "file", "kolla", "kolla-once"])
def test_a_restart_serves_the_new_certificate_unless_it_is_copied_once(docker, services_image, work, mount):
    service = services.start(docker, work, "haproxy", mount=mount)
    old, new = service.pair.fingerprint(), service.pair.renew()
    service.container.restart()
    service.serves(old if mount == "kolla-once" else new)
    service.keeps(old if mount == "kolla-once" else new)


def test_the_copies_of_kolla_are_refreshed_from_inside_unless_they_are_made_once(docker, services_image, work):
    for mount, status, served in (("kolla", "fresh", "new"), ("kolla-once", "stale", "old")):
        service = services.start(docker, work, "haproxy", mount=mount)
        fingerprints = {"old": service.pair.fingerprint(), "new": service.pair.renew()}
        check = "python3 /kolla/set_configs.py --check && echo fresh || echo stale"
        assert service.container.exec("sh", "-c", check) == "stale"
        service.container.exec("python3", "/kolla/set_configs.py")
        assert service.container.exec("sh", "-c", check) == status
        service.container.signal(signal.SIGHUP)
        service.serves(fingerprints[served])
