# SPDX-License-Identifier: Apache-2.0
"""The gentlest action that works, program by program: the table of the reference, on the real programs."""

from __future__ import annotations

import json

import pytest
import services
from certificates import fingerprint_served
from container import standings

# What is done to each program whose certificate is in a mounted directory. What is restarted begins anew; what exchanges
# its certificate in memory has not even another process afterwards.
TABLE = {
    "haproxy": "signal",
    "haproxy-without-master": "restart",
    "haproxy-admin": "exchange",
    "haproxy-admin-without-master": "exchange",
    "nginx": "signal",
    "httpd": "signal",
    "stunnel": "signal",
    "redis": "exec",
    "memcached": "say",
    "mariadb": "exec",
    "galera": "exec",
    "rabbitmq": "exec",
    "etcd": "wait",
    "ovsdb": "wait",
}
VIRTUAL = {"libvirtd": "exec", "qemu": "display", "guest": "display"}
# These have read the new one for the very connection that looks.
READ_AT_ONCE = ("etcd", "ovsdb")


@pytest.mark.parametrize("kind", TABLE)
def test_each_program_serves_the_new_certificate_after_its_gentlest_action(docker, services_image, work, restart_of, kind):
    gentlest(docker, work, restart_of, kind, TABLE[kind])


@pytest.mark.parametrize("kind", VIRTUAL)
def test_what_runs_guests_serves_the_new_certificate_after_its_gentlest_action(docker, virt_image, work, restart_of, kind):
    gentlest(docker, work, restart_of, kind, VIRTUAL[kind])


def gentlest(docker, work, restart_of, kind, action):
    """Renew, plan, act, and act again: only this container, only once."""
    service, bystander = services.start(docker, work, kind), services.start(docker, work, "haproxy")
    restart = restart_of(docker)
    wanted = service.pair.renew()
    before = standings([service.container, bystander.container])
    planned = restart.succeeds(service, check=True)
    if kind in READ_AT_ONCE:
        assert planned.of(service.container)["decision"] == "fresh" and not planned.changed, json.dumps(planned, indent=1)
        return
    assert planned.changed and planned.planned == [service.container.name], json.dumps(planned, indent=1)
    assert planned.of(service.container)["action"] == action, json.dumps(planned, indent=1)
    assert standings([service.container, bystander.container]) == before, "check mode touches nobody"

    done = restart.succeeds(service)
    assert done.changed and done.acted == done.proven == [service.container.name], json.dumps(done, indent=1)
    assert done.of(service.container)["restarted"] == (action == "restart") and not done.warnings, json.dumps(done, indent=1)
    service.keeps(wanted)
    after = standings([service.container, bystander.container])
    assert after[repr(bystander.container)] == before[repr(bystander.container)]
    own = after[repr(service.container)]
    assert (own.started_at != before[repr(service.container)].started_at) == (action == "restart")
    if action in ("exchange", "display"):
        assert own == before[repr(service.container)], "no process of it is new"

    again = restart.succeeds(service)
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


def test_a_database_whose_root_has_a_password_is_told_by_its_own_user_or_with_roots_file(docker, services_image, work, restart_of):
    service = services.start(docker, work, "mariadb")
    restart = restart_of(docker)

    def says(statement):
        service.container.exec("mariadb", "--socket=/tmp/mariadb.sock", "-e", statement)

    says("ALTER USER root@localhost IDENTIFIED BY 'a-password'")
    wanted = service.pair.renew()
    done = restart.succeeds(service, escalate=False)
    assert done.proven == [service.container.name]
    service.keeps(wanted)
    service.container.exec("sh", "-c", "printf '[client]\\nuser=root\\npassword=a-password\\nhost=elsewhere.test\\n' >/root/.my.cnf")
    service.container.exec("mariadb", "--host=localhost", "--socket=/tmp/mariadb.sock", "-e", "DROP USER mysql@localhost")
    wanted = service.pair.renew()
    done = restart.succeeds(service, escalate=False)
    assert done.proven == [service.container.name] and "a-password" not in json.dumps(done)
    service.keeps(wanted)


def test_both_ports_of_a_galera_server_are_proven(docker, services_image, work, restart_of):
    service = services.start(docker, work, "galera")
    wanted = service.pair.renew()
    done = restart_of(docker).succeeds(service)
    own = done.of(service.container)
    assert own["actions"] == ["exec /usr/bin/mariadb"] * 2 and not done.warnings, json.dumps(done, indent=1)
    proven = {one["at"].rpartition(":")[2]: one["after"] for one in own["evidence"]["listeners"] if one.get("after")}
    assert proven == {"8443": wanted, "4567": wanted}
    assert fingerprint_served(service.container, 4567) == wanted
