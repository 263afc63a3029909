# SPDX-License-Identifier: Apache-2.0
"""The gentlest action that works, program by program: the table of the reference, on the real programs."""

from __future__ import annotations

import json

import pytest
import services
from container import standings

# What is done to each program whose certificate is in a mounted directory, and whether its first process stays.
TABLE = {
    "haproxy": ("signal", False),
    "haproxy-without-master": ("restart", True),
    "nginx": ("signal", False),
    "httpd": ("signal", False),
    "stunnel": ("signal", False),
    "redis": ("exec", False),
    "memcached": ("say", False),
    "mariadb": ("exec", False),
    "rabbitmq": ("exec", False),
    "etcd": ("wait", False),
}


@pytest.mark.parametrize("kind", TABLE)
def test_each_program_serves_the_new_certificate_after_its_gentlest_action(docker, services_image, work, restart_of, kind):
    action, restarted = TABLE[kind]
    service, bystander = services.start(docker, work, kind), services.start(docker, work, "haproxy")
    restart = restart_of(docker)
    wanted = service.pair.renew()
    before = standings([service.container, bystander.container])
    options = {"replaces": []}
    if kind == "mariadb":
        # The client of the image does not know where this test's server listens.
        options["containers"] = [{"name": service.container.name, "command": ["mariadb", "--socket=/tmp/mariadb.sock", "-e", "FLUSH LOCAL SSL"]}]
    planned = restart.succeeds(service, check=True, **options)
    if kind == "etcd":
        # It has read the new one for the very connection that looked.
        assert planned.of(service.container)["decision"] == "fresh" and not planned.changed
        return
    assert planned.changed and planned.planned == [service.container.name], json.dumps(planned, indent=1)
    assert planned.of(service.container)["action"] == action
    assert standings([service.container, bystander.container]) == before, "check mode touches nobody"

    done = restart.succeeds(service, **options)
    assert done.changed and done.acted == done.proven == [service.container.name]
    assert done.of(service.container)["restarted"] == restarted
    service.keeps(wanted)
    after = standings([service.container, bystander.container])
    assert after[repr(bystander.container)] == before[repr(bystander.container)]
    own = after[repr(service.container)]
    assert (own.started_at != before[repr(service.container)].started_at) == restarted

    again = restart.succeeds(service, **options)
    assert not again.changed and again.acted == [] and again.of(service.container)["decision"] == "fresh"
    assert standings([service.container])[repr(service.container)].started_at == own.started_at


def test_valkey_is_told_by_its_own_client(newer):
    service = services.start(newer.podman, newer.directory(), "valkey")
    before = service.container.standing()
    restart = newer.restart_of(newer.podman)
    wanted = service.pair.renew()
    answer = restart.succeeds(service, replaces=[])
    assert answer.of(service.container)["actions"] == ["exec valkey-cli"] and answer.proven == [service.container.name], json.dumps(answer, indent=1)
    service.keeps(wanted)
    assert service.container.standing() == before
    assert not restart.succeeds(service, replaces=[]).changed
