# SPDX-License-Identifier: Apache-2.0
"""HAProxy's runtime API, and what else listens where it should be: nothing may hang, and no key may go to anybody else."""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import subprocess
import time

import pytest
import services
from certificates import fingerprint_served
from container import standings
from engines import until

GIVES = ("127.0.0.1:8443", "service.test")
# A stand-in for a program that is no HAProxy and behaves as badly as it can: it says that it is one, and gives back what it gets.
ECHO = r"""
import socket
server = socket.socket(socket.AF_UNIX)
server.bind("/tmp/haproxy.sock")
server.listen(9)
ANSWERS = {b"show cli": b"admin\n\n", b"show ssl": b"# filename\n/certs/tls.pem\n\n"}
while True:
    peer, _ = server.accept()
    heard = peer.recv(1 << 16)
    peer.sendall(ANSWERS.get(heard[:8], b"Unknown command: " + heard))
    peer.close()
"""


@contextlib.contextmanager
def open_connection(container):
    """A client that has one connection open; yields a function that asks over it and returns whether it was answered."""
    command = ["nsenter", "--target", str(container.pid()), "--net", "openssl", "s_client", "-quiet", "-connect", GIVES[0], "-servername", GIVES[1]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        def asks():
            client.stdin.write(b"GET / HTTP/1.1\r\nHost: service.test\r\n\r\n")
            client.stdin.flush()
            head = b""
            while b"\r\n\r\n" not in head and (more := client.stdout.read1(4096)):
                head += more
            return b" 200 " in head
        yield asks
        client.kill()


@pytest.mark.parametrize("name", ["docker", "podman", "rootless"])
def test_an_open_connection_survives_the_exchange_on_every_engine(request, name, work, restart_of):
    engine = request.getfixturevalue(name)
    service = services.start(engine, work, "haproxy-admin")
    with open_connection(service.container) as asks, engine.api() if name == "rootless" else contextlib.nullcontext():
        assert asks()
        before, new = service.container.standing(), service.pair.renew()
        done = restart_of(engine).succeeds(service)
        assert done.of(service.container)["actions"] == ["commit ssl cert /certs/tls.pem"], json.dumps(done, indent=1)
        assert asks(), "the same connection"
    service.keeps(new)
    assert service.container.standing() == before


def test_a_reload_after_the_exchange_brings_the_same_certificate(docker, work, restart_of):
    service = services.start(docker, work, "haproxy-admin")
    new = service.pair.renew()
    restart_of(docker).succeeds(service)
    service.container.signal(1)
    time.sleep(1)
    service.keeps(new)


# The same certificate three times: by its name, in a list, and by another name of the file.
THREE = services.HAPROXY_ADMIN + """
frontend listed
  bind {address}:8444 ssl crt-list /tmp/list
  http-request return status 200
frontend linked
  bind {address}:8445 ssl crt /tmp/linked.pem
  http-request return status 200
"""
PREPARED = "ln -s {certs}/tls.pem /tmp/linked.pem && echo '{certs}/tls.pem [alpn h2] service.test' >/tmp/list && exec haproxy -W -db -f {config}"


def test_every_listener_and_list_that_has_the_certificate_gets_it(docker, work, restart_of, monkeypatch):
    monkeypatch.setitem(services.KINDS, "three", services.Kind(PREPARED, THREE, image="proxy"))
    service = services.start(docker, work, "three")
    before, new = service.container.standing(), service.pair.renew()
    done = restart_of(docker).succeeds(service)
    own = done.of(service.container)
    assert sorted(own["actions"]) == ["commit ssl cert /certs/tls.pem", "commit ssl cert /tmp/linked.pem"], json.dumps(own, indent=1)
    assert [fingerprint_served(service.container, port) for port in (8443, 8444, 8445)] == [new] * 3
    assert service.container.standing() == before


def test_copies_of_kolla_are_refreshed_before_the_exchange(docker, services_image, work, restart_of):
    service = services.start(docker, work, "haproxy-admin", mount="kolla")
    before, new = service.container.standing(), service.pair.renew()
    done = restart_of(docker).succeeds(service, certificate=str(service.pair.combined), private_key=None)
    assert done.of(service.container)["actions"] == ["sync", "commit ssl cert /certs/tls.pem"], json.dumps(done, indent=1)
    service.keeps(new)
    assert service.container.standing() == before


def test_a_transaction_of_somebody_else_is_left_alone(docker, services_image, work, restart_of):
    service = services.start(docker, work, "haproxy-admin", image="svc")
    service.container.exec("sh", "-c", "printf 'set ssl cert /certs/tls.pem <<\\n%s\\n\\n' \"$(cat /certs/tls.pem)\" | socat - /tmp/haproxy.sock")
    new = service.pair.renew()
    done = restart_of(docker).succeeds(service)
    own = done.of(service.container)
    assert own["actions"] == ["signal HUP"] and "somebody else is exchanging" in own["why"], json.dumps(done, indent=1)
    service.keeps(new)


def test_a_combined_file_with_another_key_is_refused_before_anything_is_sent(docker, work, restart_of):
    other = services.Pair(work / "other")
    service = services.start(docker, work, "haproxy-admin-without-master")
    old = service.pair.fingerprint()
    service.pair.renew()
    service.pair.combined.write_bytes(service.pair.certificate.read_bytes() + other.key.read_bytes())
    before = service.container.standing()
    answer = restart_of(docker).fails(service, "preflight.key_mismatch")
    assert "/certs/tls.pem" in answer["msg"] and answer.untouched == [service.container.name], json.dumps(answer, indent=1)
    service.keeps(old)
    assert service.container.standing() == before


def replaced_by(service, command):
    """Put another program of the container where HAProxy's socket is."""
    service.container.exec("sh", "-c", f"mv /tmp/haproxy.sock /tmp/haproxy.was && {{ {command} }} >/dev/null 2>&1 & sleep 0.5; test -S /tmp/haproxy.sock")


LIARS = {
    "hangs": ("socat UNIX-LISTEN:/tmp/haproxy.sock,fork EXEC:'sleep 100';", "does not answer in time"),
    "talks garbage": ("socat UNIX-LISTEN:/tmp/haproxy.sock,fork EXEC:'head -c 9000000 /dev/zero';", "longer than 1 MiB"),
    "hangs up": ("socat UNIX-LISTEN:/tmp/haproxy.sock,fork EXEC:true;", "(nothing)"),
}


@pytest.mark.parametrize("liar", LIARS)
def test_a_socket_that_is_not_haproxys_any_more_leads_to_a_signal(docker, services_image, work, restart_of, liar):
    command, why = LIARS[liar]
    service = services.start(docker, work, "haproxy-admin", image="svc")
    replaced_by(service, command)
    new = service.pair.renew()
    done = restart_of(docker).succeeds(service)
    own = done.of(service.container)
    assert own["actions"] == ["signal HUP"] and why in own["why"], json.dumps(own, indent=1)
    assert done.seconds < 10
    service.keeps(new)


def test_a_key_that_was_sent_to_a_stand_in_that_lies_is_never_repeated(docker, services_image, work, restart_of):
    service = services.start(docker, work, "haproxy-admin", image="svc")
    (work / "echo.py").write_text(ECHO)
    docker.cli("cp", work / "echo.py", f"{service.container.name}:/tmp/echo.py")
    replaced_by(service, "python3 /tmp/echo.py;")
    new = service.pair.renew()
    done = restart_of(docker).succeeds(service)
    assert done.of(service.container)["actions"] == ["signal HUP"]
    assert any("its answer repeats what was sent" in text for text in done.warnings), json.dumps(done.warnings, indent=1)
    lines = [line for line in service.pair.key.read_text().splitlines() if not line.startswith("-----")]
    assert not any(line in json.dumps(done) for line in lines)
    service.keeps(new)


def test_a_link_to_a_socket_of_the_host_leads_nowhere(docker, services_image, work, restart_of):
    service = services.start(docker, work, "haproxy-admin", image="svc")
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(str(work / "host.sock"))
        host.listen()
        host.setblocking(False)
        service.container.exec("sh", "-c", f"rm /tmp/haproxy.sock && ln -s {work}/host.sock /tmp/haproxy.sock")
        new = service.pair.renew()
        done = restart_of(docker).succeeds(service)
        assert done.of(service.container)["actions"] == ["signal HUP"], json.dumps(done, indent=1)
        with pytest.raises(BlockingIOError):
            host.accept()
    service.keeps(new)


def test_a_directory_that_is_shared_leads_to_no_process_of_another(docker, work, restart_of, monkeypatch):
    shared = pathlib.Path(work / "shared")
    shared.mkdir()
    config = services.HAPROXY_ADMIN.replace("{run}", "/shared")
    monkeypatch.setitem(services.KINDS, "shared", services.Kind("exec haproxy -W -db -f {config}", config, image="proxy"))
    service = services.start(docker, work, "shared", options=("--volume", f"{shared}:/shared"))
    (shared / "haproxy.sock").unlink()
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(str(shared / "haproxy.sock"))
        host.listen()
        new = service.pair.renew()
        done = restart_of(docker).succeeds(service)
        own = done.of(service.container)
        assert own["actions"] == ["signal HUP"] and "which is not of the container" in own["why"], json.dumps(own, indent=1)
    service.keeps(new)


def test_a_guest_without_a_monitor_is_not_ended_for_a_certificate(docker, virt_image, work, restart_of):
    service, bystander = services.start(docker, work, "qemu-without-monitor"), services.start(docker, work, "haproxy")
    service.pair.renew()
    before = standings([service.container, bystander.container])
    answer = restart_of(docker).fails(service, "container.guests")
    assert "would end its guests" in answer["msg"], json.dumps(answer, indent=1)
    assert standings([service.container, bystander.container]) == before
