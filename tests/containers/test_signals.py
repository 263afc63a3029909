# SPDX-License-Identifier: Apache-2.0
"""What signals and restarts do to containers, engine by engine: why the module signals past the engine."""

from __future__ import annotations

import os
import pathlib
import signal
import time

import services
from container import parent
from engines import until

# Crashes when told so by a file, ignores HUP: the restart policy has to bring it back.
FRAGILE = "trap '' HUP; while [ ! -e /tmp/crash ]; do sleep 0.1; done; rm /tmp/crash; exit 3"


def fragile(engine, name):
    """A container with a restart policy, once it ignores HUP."""
    container = engine.run(name, "tiny", "sh", "-c", FRAGILE, options=("--restart", "always"))
    until("its loop runs", lambda: "sleep" in container.programs().values())
    return container


def crash(container):
    """Let it crash, and wait until that is seen."""
    old = container.started_at()
    # Not by exec: podman fails one whose container ends before it does.
    pathlib.Path(f"/proc/{container.pid()}/root/tmp/crash").touch()
    until(f"{container} has noticed", lambda: container.started_at() != old or container.state() != "running")
    return old


def comes_back(container, old):
    """Wait until its restart policy has brought it back."""
    until(f"{container} runs again", lambda: container.state() == "running" and container.started_at() != old)


def test_a_signal_through_dockers_api_switches_the_restart_policy_off(docker):
    container = fragile(docker, "signalled")
    docker.kill(container.name, "HUP")
    assert container.state() == "running"
    old = crash(container)
    # One that its policy brings back is `restarting` from the moment it ends, and runs again after 100 ms.
    for _ in range(3):
        assert container.state() == "exited" and container.started_at() == old and container.restarts() == 0
        time.sleep(1)


def test_the_same_signal_past_the_engine_does_not(docker):
    container = fragile(docker, "signalled")
    container.signal(signal.SIGHUP)
    comes_back(container, crash(container))
    assert container.restarts() == 1


def test_podman_keeps_its_restart_policy_after_a_signal(podman):
    container = fragile(podman, "signalled")
    podman.kill(container.name, "HUP")
    comes_back(container, crash(container))


def test_haproxy_without_a_master_takes_a_hang_up_and_keeps_the_old_certificate(docker, work):
    service = services.start(docker, work, "haproxy-without-master")
    old = service.pair.fingerprint()
    service.pair.renew()
    service.container.signal(signal.SIGHUP)
    until("it says what it does with a signal", lambda: "SIGHUP" in service.container.logs())
    service.keeps(old)
    assert service.container.state() == "running"


def test_a_shell_as_first_process_swallows_a_hang_up(docker, work):
    service = services.start(docker, work, "haproxy", wrap="trap '' HUP; haproxy -W -db -f {config}; exit $?")
    old, new = service.pair.fingerprint(), service.pair.renew()
    service.container.signal(signal.SIGHUP)
    service.keeps(old)
    # The program that owns the listener is another process, and that one reloads.
    programs = service.container.programs()
    (master,) = (pid for pid, comm in programs.items() if comm == "haproxy" and programs.get(parent(pid)) == "sh")
    os.kill(master, signal.SIGHUP)
    service.serves(new)


def test_an_init_hands_a_hang_up_to_a_program_that_dies_of_it(docker):
    container = docker.run("with-init", "tiny", "sleep", "1000", options=("--init",))
    until("the program runs", lambda: "sleep" in container.programs().values())
    container.signal(signal.SIGHUP)
    until("it is dead", lambda: container.state() == "exited")
    assert container.inspect()["State"]["ExitCode"] == 129


def test_a_first_process_that_ignores_the_end_costs_the_whole_grace(engine):
    # busybox sleep as PID 1 has no handler for TERM: the kernel drops the signal.
    container = engine.run("stubborn", "tiny", "sleep", "1000")
    started = time.monotonic()
    container.restart(seconds=3)
    assert 3 <= time.monotonic() - started < 20


def test_a_restart_starts_a_container_that_was_stopped(engine):
    container = engine.run("stopped", "tiny", "sleep", "1000")
    engine.cli("stop", "--time", 0, container.name)
    assert container.state() == "exited"
    container.restart(seconds=0)
    assert container.state() == "running"


def test_what_lives_in_the_network_of_a_restarted_container_loses_it(engine, work):
    owner = services.start(engine, work, "haproxy")
    guest = engine.run("guest", "tiny", "sleep", "1000", options=("--network", f"container:{owner.container.name}"))

    def network(container):
        return os.readlink(f"/proc/{container.pid()}/ns/net")

    shared = network(owner.container)
    assert network(guest) == shared
    owner.container.restart()
    owner.serves(owner.pair.fingerprint())
    assert network(guest) == shared and network(owner.container) != shared
