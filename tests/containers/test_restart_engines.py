# SPDX-License-Identifier: Apache-2.0
"""Docker by its socket, podman by its socket, behind Docker's, by its command line, and of a user; and those of the next Debian."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import re
import time

import module
import pytest
import services
from certificates import Pair
from container import standings
from engines import until


def reload_and_restart(engine, work, restart_of, label, image=None):
    """A reload, a restart, and nothing to do after each."""
    service, bystander = (services.start(engine, work, "haproxy", image=image) for _ in range(2))
    restart = restart_of(engine)
    before = bystander.container.standing()
    wanted = service.pair.renew()
    answer = restart.succeeds(service)
    assert answer.proven == [service.container.name] and answer.of(service.container)["engine"].startswith(label), json.dumps(answer, indent=1)
    assert answer.of(service.container)["action"] == "signal"
    service.keeps(wanted)
    wanted = service.pair.renew()
    answer = restart.succeeds(service, action="restart")
    assert answer.of(service.container)["restarted"] and answer.proven == [service.container.name]
    service.keeps(wanted)
    assert not restart.succeeds(service, action="restart").changed
    answer = restart.succeeds(service, only_if="always", containers=[{"name": service.container.name, "command": ["true"]}])
    assert answer.of(service.container)["actions"] == ["exec true"]
    assert bystander.container.standing() == before


def test_docker_by_its_socket(docker, work, restart_of):
    reload_and_restart(docker, work, restart_of, "docker at '")


def test_podman_by_its_command_line(podman, work, restart_of):
    reload_and_restart(podman, work, restart_of, "podman by its command '")


def test_podman_by_its_socket_and_behind_dockers(podman, work, restart_of):
    with podman.api():
        reload_and_restart(podman, work, restart_of, "podman at '")


def test_podman_of_a_user_by_its_socket(rootless, work, restart_of):
    with rootless.api():
        reload_and_restart(rootless, work, restart_of, "podman at '")


@pytest.fixture(params=["docker", "newer"])
def any_docker(request, work, restart_of):
    """Docker 20.10 and Docker 26; a directory that it may mount, container_restart for it, and what its images are called."""
    engine = request.getfixturevalue(request.param)
    if request.param == "docker":
        return engine, work, restart_of, None
    return engine.docker, engine.directory(), engine.restart_of, "newer"


def test_a_signal_leaves_the_restart_policy_as_it_is_which_the_engines_kill_does_not(any_docker):
    docker, work, restart_of, image = any_docker
    ours, theirs = (services.start(docker, work, "haproxy", image=image, options=["--restart", "always"]) for _ in range(2))
    ours.pair.renew()
    assert restart_of(docker).succeeds(ours).of(ours.container)["action"] == "signal"
    docker.kill(theirs.container.name, "HUP")
    for service in (ours, theirs):
        os.kill(service.container.pid(), 9)
    until("it was started again", lambda: ours.container.restarts() == 1 and ours.container.state() == "running")
    # The trap that this is about (moby #11065): if Docker has mended it, say so in the reference.
    until("the other has ended", lambda: theirs.container.state() != "running")
    time.sleep(2)
    assert theirs.container.state() == "exited"


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_an_engine_that_is_down_is_named_with_its_socket_within_two_seconds(work, kind):
    pair = Pair(work / "certs")
    answer = module.call({"certificate": str(pair.certificate), "engine": kind, "socket": str(work / "no.sock")})
    assert answer.failed and answer["error"]["kind"] == "engine.down" and str(work / "no.sock") in answer.msg
    assert answer.seconds < 2


def test_who_is_not_root_on_the_host_is_told_apart_by_the_kernels_numbers(rootless, work, restart_of):
    service = services.start(rootless, work, "haproxy")
    with rootless.api():
        before = standings([service.container])
        answer = restart_of(rootless).succeeds(service)
        assert answer.of(service.container)["decision"] == "fresh" and standings([service.container]) == before


def test_podman_of_a_user_by_its_command_line(rootless, work, restart_of):
    # Where logind would have made it.
    directory = pathlib.Path(f"/run/user/{pwd.getpwnam(rootless.user).pw_uid}")
    directory.parent.mkdir(exist_ok=True)
    directory.symlink_to(rootless.runtime)
    try:
        service = services.start(rootless, work, "haproxy")
        restart = restart_of(rootless)
        wanted = service.pair.renew()
        answer = restart.succeeds(service, user=rootless.user)
        own = answer.of(service.container)
        assert own["engine"].startswith(f"podman of user '{rootless.user}' by its command") and own["actions"] == ["signal HUP"], json.dumps(answer, indent=1)
        service.keeps(wanted)
        wanted = service.pair.renew()
        assert restart.succeeds(service, user=rootless.user, action="restart").proven == [service.container.name]
        service.keeps(wanted)
    finally:
        directory.unlink()


def test_the_engines_are_those_that_the_readme_names(docker, podman, machine, newer):
    readme = " ".join((module.TOP / "README.md").read_text(encoding="utf-8").split())
    (named,) = re.findall(r"Docker ([\d.]+) and ([\d.]+), Podman ([\d.]+) and ([\d.]+) .*? systemd (\d+) and (\d+)", readme)
    dockers = [engine.cli("version", "--format", "{{.Server.Version}}") for engine in (docker, newer.docker)]
    podmans = [engine.cli("version", "--format", "{{.Client.Version}}") for engine in (podman, newer.podman)]
    systemds = [one.systemctl("--version").split()[1] for one in (machine, newer)]
    assert named == (*[".".join(version.split(".")[:2]) for version in (*dockers, *podmans)], *systemds)


@pytest.fixture(params=["docker", "podman-socket", "podman-command"])
def newer_engine(request, newer):
    """Docker 26 and Podman 5 on cgroups v2, the latter also without its socket; and how an answer names them."""
    if request.param == "docker":
        yield newer.docker, "docker at '/run/docker.sock'"
    elif request.param == "podman-command":
        yield newer.podman, "podman by its command '/usr/bin/podman'"
    else:
        newer.systemctl("start", "podman.socket")
        newer.podman.socket = "/run/podman/podman.sock"
        yield newer.podman, "podman at '/run/podman/podman.sock'"
        newer.podman.socket = None
        newer.systemctl("stop", "podman.socket", "podman.service")
        newer.exec("rm", "-f", "/run/podman/podman.sock")


def test_newer_engines_reload_and_restart(newer, newer_engine):
    engine, label = newer_engine
    reload_and_restart(engine, newer.directory(), newer.restart_of, label, image="newer")


def test_newer_engines_tell_of_health_of_logs_and_of_who_is_not_there(newer, newer_engine):
    engine, _ = newer_engine
    health = ["--health-cmd", "test ! -e /config/broken", "--health-interval", "1s", "--health-retries", "1"]
    work, restart = newer.directory(), newer.restart_of(engine)
    service = services.start(engine, work, "haproxy", name="ill", image="newer", options=health, wrap="echo said by a test; exec haproxy -W -db -f {config}")
    wanted = service.pair.renew()
    assert "'no-such-one'" in restart.fails(service, "container.missing", containers=["no-such-one"]).msg
    refusing = ["sh", "-c", "echo not so; echo at all >&2; exit 3"]
    said = restart.fails(service, "preflight.validation", validate_command=refusing).msg
    assert "not so" in said and "at all" in said, said
    useless = [{"name": "ill", "command": ["false"]}]
    assert restart.fails(service, "action.failed", containers=useless, escalate=False).acted == ["ill"]
    useless[0]["command"] = ["true"]
    assert "said by a test" in restart.fails(service, "verify.not_served", containers=useless, escalate=False, verify_timeout=1).msg
    assert restart.succeeds(service, action="restart").proven == ["ill"]
    service.keeps(wanted)
    service.pair.renew()
    (work / "ill/config/broken").write_text("")
    assert "'ill' is unhealthy" in restart.fails(service, "verify.unhealthy", action="restart").msg


def test_both_newer_engines_are_found_and_told_apart(newer):
    both = {engine.name: services.start(engine, newer.directory(), "haproxy", name=engine.name, image="newer") for engine in (newer.docker, newer.podman)}
    for name, service in both.items():
        service.pair.renew()
        answer = newer.restart_of(newer.podman).succeeds(service, engine="auto", containers=None)
        assert answer.proven == [name], json.dumps(answer, indent=1)
    stopped = both[newer.podman.name]
    stopped.pair.renew()
    newer.podman.cli("stop", "--time", 0, stopped.container.name)
    assert "it does not run" in newer.restart_of(newer.podman).succeeds(stopped).left_alone[0]["reason"]
