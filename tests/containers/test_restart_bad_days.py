# SPDX-License-Identifier: Apache-2.0
"""Bad days: each has its own message, and nobody else is touched."""

from __future__ import annotations

import json
import os
import threading
import time

import module
import pytest
import services
from certificates import Pair, expired
from container import standings
from engines import until
from faulty import Garbage, Replacing, Silent


def test_a_container_that_is_missing_stops_everything_before_anything_is_touched(engine, work, restart_of):
    service = services.start(engine, work, "haproxy")
    service.pair.renew()
    restart = restart_of(engine)
    before = service.container.standing()
    names = [service.container.name, "no-such-one"]
    answer = restart.fails(service, "container.missing", containers=names)
    assert "'no-such-one'" in answer.msg and answer.untouched == [service.container.name]
    assert service.container.standing() == before
    answer = restart.succeeds(service, containers=names, missing="warn")
    assert answer.acted == [service.container.name] and "no-such-one" in answer.warnings[0]


def test_who_does_not_run_is_never_started(engine, work, restart_of):
    service = services.start(engine, work, "haproxy")
    service.pair.renew()
    engine.cli("stop", "--time", "1", service.container.name)
    answer = restart_of(engine).succeeds(service)
    assert not answer.changed and answer.left_alone[0]["name"] == service.container.name and "does not run" in answer.left_alone[0]["reason"]
    assert service.container.state() == "exited"
    answer = restart_of(engine).fails(service, "container.not_running", containers=[service.container.name], not_running="fail")
    assert service.container.name in answer.msg


def test_who_is_paused_is_left_alone(engine, work, restart_of):
    service = services.start(engine, work, "haproxy")
    service.pair.renew()
    engine.cli("pause", service.container.name)
    answer = restart_of(engine).succeeds(service, action="restart")
    assert not answer.changed and answer.left_alone[0]["reason"] == "it is paused"
    assert service.container.state() == "paused"
    engine.cli("unpause", service.container.name)


def test_who_is_in_a_restart_loop_is_left_alone_and_told_so(docker, work, restart_of):
    pair = Pair(work / "certs")
    container = docker.run("loop", "tiny", "sh", "-c", "exit 3", mounts=[f"{pair.directory}:/certs:ro"], options=["--restart", "always"])
    # Docker doubles its wait from 100 ms on; now it is longer than a task takes.
    until("it loops", lambda: container.restarts() >= 5 and container.state() == "restarting")
    answer = restart_of(docker).succeeds(pair, containers=["loop"], only_if="always")
    assert answer.acted == [], json.dumps(answer, indent=1)
    assert "restart loop" in answer.left_alone[0]["reason"] and "status 3" in answer.left_alone[0]["reason"], json.dumps(answer, indent=1)


def test_a_first_process_that_ignores_term_costs_no_more_than_stop_timeout(engine, work, restart_of):
    pair = Pair(work / "certs")
    # As first process, a shell ignores TERM unless it traps it.
    container = engine.run("deaf", "tiny", "sh", "-c", "while :; do sleep 1; done", mounts=[f"{pair.directory}:/certs:ro"])
    started = container.started_at()
    began = time.monotonic()
    answer = restart_of(engine).succeeds(pair, containers=["deaf"], action="restart", only_if="always", stop_timeout=1)
    assert answer.acted == ["deaf"] and answer.unproven == ["deaf"] and container.started_at() != started
    assert time.monotonic() - began < 8, "the default of both engines is 10 s"


def test_a_key_of_another_certificate_stops_everything(engine, work, restart_of):
    service, other = services.start(engine, work, "haproxy"), Pair(work / "other")
    old = service.pair.fingerprint()
    service.pair.renew(key_of=other)
    before = service.container.standing()
    answer = restart_of(engine).fails(service, "preflight.key_mismatch")
    assert str(service.pair.key) in answer.msg and answer.changed is False
    assert restart_of(engine)(service, check=True).failed, "check mode says so too"
    assert service.container.standing() == before
    service.keeps(old)


def test_a_certificate_that_has_expired_stops_everything(docker, work, restart_of):
    service = services.start(docker, work, "haproxy")
    expired(service.pair)
    before = service.container.standing()
    answer = restart_of(docker).fails(service, "preflight.expired", containers=[service.container.name])
    assert "expired at" in answer.msg and service.container.standing() == before


def test_a_key_that_its_reader_may_not_read_stops_everything(docker, services_image, work, restart_of):
    # A program without root reads its files with its own rights.
    service = services.start(docker, work, "redis", options=["--user", "4321:4321"])
    service.pair.renew()
    service.pair.key.chmod(0o600)
    before = service.container.standing()
    answer = restart_of(docker).fails(service, "preflight.not_readable")
    assert "4321" in answer.msg and "/certs/tls.key" in answer.msg
    assert service.container.standing() == before


def test_who_is_unhealthy_after_a_restart_is_told_with_its_log(docker, work, restart_of):
    health = ["--health-cmd", "test ! -e /config/broken", "--health-interval", "1s", "--health-retries", "1"]
    service = services.start(docker, work, "haproxy", name="ill", options=health)
    until("it is healthy", lambda: service.container.inspect()["State"]["Health"]["Status"] == "healthy")
    other = services.start(docker, work, "haproxy", name="next", pair=service.pair)
    service.pair.renew()
    (work / "ill/config/broken").write_text("")
    before = other.container.standing()
    answer = restart_of(docker).fails(service, "verify.unhealthy", containers=["ill", "next"], action="restart")
    assert "'ill' is unhealthy" in answer.msg and "log" in answer.msg
    assert answer.acted == ["ill"] and answer.untouched == ["next"] and answer.changed
    assert other.container.standing() == before


def test_what_is_not_served_in_time_is_told_with_both_fingerprints_and_the_log(docker, work, restart_of):
    service = services.start(docker, work, "haproxy", name="stubborn")
    after = services.start(docker, work, "haproxy", name="later", pair=service.pair)
    old, wanted = service.pair.fingerprint(), service.pair.renew()
    before = standings([service.container, after.container])
    # Nothing is done, so nothing can help.
    task = [{"name": "stubborn", "command": ["true"]}, "later"]
    answer = restart_of(docker).fails(service, "verify.not_served", containers=task, escalate=False, verify_timeout=1)
    assert old in answer.msg and wanted in answer.msg and "the last lines of its log" in answer.msg, answer.msg
    assert answer.untouched == ["later"] and standings([service.container, after.container]) == before
    service.keeps(old)


def test_what_a_gentle_action_does_not_bring_a_restart_does_once(docker, work, restart_of):
    service = services.start(docker, work, "haproxy", name="stubborn")
    wanted = service.pair.renew()
    answer = restart_of(docker).succeeds(service, containers=[{"name": "stubborn", "command": ["true"]}], verify_timeout=2)
    assert answer.of("stubborn")["actions"] == ["exec true", "restart"] and answer.proven == ["stubborn"]
    assert "something gentler did not help" in answer.warnings[0]
    service.keeps(wanted)


def test_a_stand_in_for_an_engine_that_answers_slowly_is_given_up_and_named(work):
    pair = Pair(work / "certs")
    with Silent(work / "slow.sock") as socket:
        answer = module.call({"certificate": str(pair.certificate), "socket": str(socket), "engine_timeout": 1})
    assert answer["error"]["kind"] == "engine.slow" and str(socket) in answer.msg and "within 1 s" in answer.msg
    assert answer.seconds < 4


@pytest.mark.parametrize(("says", "why"), [
    (b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "is no HTTP"),
    (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "it has status 500"),
    (b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 9\r\n\r\n<garbage>", "is not JSON"),
])
def test_a_stand_in_for_an_engine_that_answers_garbage_is_named(work, says, why):
    pair = Pair(work / "certs")
    with Garbage(work / "garbage.sock", says) as socket:
        answer = module.call({"certificate": str(pair.certificate), "socket": str(socket)})
    assert answer["error"]["kind"] == "engine.answer" and why in answer.msg and str(socket) in answer.msg, answer


def test_a_container_that_is_replaced_under_our_hands_is_told_and_its_successor_left_alone(docker, work, restart_of):
    service = services.start(docker, work, "haproxy", name="replaced")
    service.pair.renew()
    successor = {}

    def replace():
        docker.remove("replaced")
        successor["service"] = services.start(docker, work / "again", "haproxy", name="replaced")
        successor["before"] = successor["service"].container.standing()

    with Replacing(work / "proxy.sock", docker.socket, "/restart", replace) as socket:
        answer = restart_of(docker).fails(service, "container.replaced", socket=str(socket), action="restart")
    assert "was replaced while we worked" in answer.msg
    assert successor["service"].container.standing() == successor["before"]


def test_who_falls_after_the_proof_is_told(docker, work, restart_of):
    service = services.start(docker, work, "haproxy", name="weak", options=["--restart", "no"])
    wanted = service.pair.renew()

    def fall():
        until("the new one is served", lambda: service.served() == wanted, pause=0.02)
        time.sleep(5)  # the proof takes a few handshakes
        os.kill(service.container.pid(), 9)

    thread = threading.Thread(target=fall)
    thread.start()
    answer = restart_of(docker).fails(service, "verify.not_up", stable_for=12)
    thread.join()
    assert "'weak' did not stay up" in answer.msg


def test_a_program_that_dies_of_its_signal_and_is_started_again_is_said_to_be_restarted(docker, work, restart_of):
    mortal = "exec openssl s_server -accept {port} -cert {certs}/tls.crt -key {certs}/tls.key -quiet"
    service = services.start(docker, work, "haproxy", wrap=mortal, name="mortal", options=("--init", "--restart", "always"))
    wanted = service.pair.renew()
    before = service.container.standing()
    answer = restart_of(docker).succeeds(service, action="signal", signal="HUP")
    assert answer.of("mortal")["actions"] == ["signal HUP"] and answer.proven == ["mortal"], json.dumps(answer, indent=1)
    assert answer.of("mortal")["restarted"], "it is the truth, whoever did it"
    assert any("was started again by its restart policy" in warning for warning in answer.warnings), answer.warnings
    service.keeps(wanted)
    assert service.container.standing() != before
