# SPDX-License-Identifier: Apache-2.0
"""The gentlest action that makes each service serve its new certificate, and what does not: services of Debian, told by
their own tools. No container is restarted by any of it."""

from __future__ import annotations

import signal
import time

import pytest
import services
from engines import until

REDIS = "redis-cli -p {port} --tls --insecure config set tls-cert-file /certs/tls.crt tls-key-file /certs/tls.key"
MEMCACHED = "(sleep 1; echo refresh_certs; sleep 1) | openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:{port}"
RUNTIME = "printf 'set ssl cert /certs/tls.pem <<\\n%s\\n\\n' \"$(cat /certs/tls.pem)\" | socat - /tmp/haproxy.sock" \
          " && echo 'commit ssl cert /certs/tls.pem' | socat - /tmp/haproxy.sock"

# Service, signal to its first process or command inside.
GENTLE = [
    ("haproxy", signal.SIGHUP), ("haproxy", signal.SIGUSR2), ("nginx", signal.SIGHUP), ("httpd", signal.SIGUSR1), ("stunnel", signal.SIGHUP),
    ("redis", REDIS), ("memcached", MEMCACHED), ("mariadb", "mariadb --socket=/tmp/mariadb.sock -e 'FLUSH LOCAL SSL'"),
    ("rabbitmq", "rabbitmqctl eval 'ssl:clear_pem_cache().'"), ("etcd", None),
]

# These have no handler that reads certificates anew; stunnel and others do.
DEAF = ["redis", "memcached", "mariadb"]


@pytest.mark.parametrize(("kind", "action"), GENTLE, ids=[f"{kind}-{getattr(action, 'name', 'own')}" for kind, action in GENTLE])
def test_the_gentlest_action_is_enough(docker, services_image, work, kind, action):
    service = services.start(docker, work, kind)
    before, new = service.container.standing(), service.pair.renew()
    if isinstance(action, signal.Signals):
        service.container.signal(action)
    elif action:
        service.container.exec("sh", "-c", action.format(port=service.port))
    service.serves(new, seconds=20)
    after = service.container.standing()
    assert (after.started_at, after.restarts, after.pids[0]) == (before.started_at, before.restarts, before.pids[0])


def test_haproxy_takes_a_certificate_over_its_socket_without_any_new_process(docker, services_image, work):
    service = services.start(docker, work, "haproxy-admin", image="svc")
    before, new = service.container.standing(), service.pair.renew()
    said = service.container.exec("sh", "-c", RUNTIME)
    assert "Success!" in said, said
    service.serves(new, seconds=10)
    assert service.container.standing() == before


@pytest.mark.parametrize("kind", DEAF)
def test_a_hang_up_changes_nothing_for(docker, services_image, work, kind):
    service = services.start(docker, work, kind)
    old = service.pair.fingerprint()
    service.pair.renew()
    for pid, comm in service.container.programs().items():
        if comm not in ("sh", "sleep"):
            service.container.signal(signal.SIGHUP, pid)
    time.sleep(2)
    service.keeps(old)
    assert service.container.state() == "running"


@pytest.mark.parametrize("kind", ["haproxy", "nginx", "stunnel"])
def test_with_a_key_that_does_not_match_the_old_pair_stays_in_service(docker, services_image, work, kind):
    other = services.Pair(work / "other")
    service = services.start(docker, work, kind)
    old = service.pair.fingerprint()
    service.pair.renew(key_of=other)
    service.container.signal(signal.SIGHUP)
    time.sleep(2)
    service.keeps(old)
    assert service.container.state() == "running"


def test_with_a_key_that_does_not_match_a_graceful_restart_ends_httpd(docker, services_image, work):
    other = services.Pair(work / "other")
    service = services.start(docker, work, "httpd")
    service.pair.renew(key_of=other)
    service.container.signal(signal.SIGUSR1)
    until("it is down", lambda: service.container.state() == "exited")
    assert service.container.inspect()["State"]["ExitCode"] == 1


def test_with_a_key_that_does_not_match_mariadb_says_so_and_keeps_the_old_one(docker, services_image, work):
    other = services.Pair(work / "other")
    service = services.start(docker, work, "mariadb")
    old = service.pair.fingerprint()
    service.pair.renew(key_of=other)
    said = service.container.exec("sh", "-c", "mariadb --socket=/tmp/mariadb.sock -e 'FLUSH LOCAL SSL' 2>&1 || true")
    assert "ERROR 1105" in said, said
    service.keeps(old)


def test_a_restart_with_a_key_that_does_not_match_takes_haproxy_down(docker, work):
    other = services.Pair(work / "other")
    service = services.start(docker, work, "haproxy")
    service.pair.renew(key_of=other)
    service.container.restart()
    until("it is down", lambda: service.container.state() == "exited")
    assert service.served_by_nobody()
