# SPDX-License-Identifier: Apache-2.0
"""One after the other, dependants after their owner, and what nothing can prove is done once."""

from __future__ import annotations

import json
import pathlib
import subprocess

import module
import services
from certificates import Pair
from container import standings


def test_several_users_of_one_certificate_are_done_one_after_the_other(engine, work, restart_of):
    pair = Pair(work / "shared")
    users = [services.start(engine, work, "haproxy", name=f"user-{number}", pair=pair) for number in range(3)]
    wanted = pair.renew()
    answer = restart_of(engine).succeeds(pair)
    assert sorted(answer.acted) == sorted(answer.proven) == ["user-0", "user-1", "user-2"]
    for user in users:
        user.keeps(wanted)


def test_a_failure_stops_the_row_unless_some_may_fail(docker, work, restart_of):
    pair = Pair(work / "shared")
    users = [services.start(docker, work, "haproxy", name=f"user-{number}", pair=pair) for number in range(3)]
    pair.renew()
    useless = [{"name": "user-0", "command": ["false"]}, "user-1", "user-2"]
    restart = restart_of(docker)
    before = standings([user.container for user in users])
    answer = restart.fails(pair, "action.failed", containers=useless, escalate=False, verify_timeout=2)
    assert answer.untouched == ["user-1", "user-2"] and standings([user.container for user in users]) == before
    answer = restart.fails(pair, "action.failed", containers=useless, escalate=False, verify_timeout=2, max_failures=1)
    assert answer.untouched == [] and answer.proven == ["user-1", "user-2"]


def test_some_at_a_time_are_as_many_as_the_task_says(docker, work, restart_of):
    pair = Pair(work / "shared")
    for number in range(3):
        services.start(docker, work, "haproxy", name=f"user-{number}", pair=pair)
    pair.renew()
    answer = restart_of(docker).succeeds(pair, serial=3, stable_for=4)
    assert len(answer.proven) == 3 and answer.seconds < 12, "one after the other, it would be three times four seconds"


def test_who_shares_a_network_is_restarted_after_its_owner(engine, work, restart_of):
    owner = services.start(engine, work, "haproxy", name="owner")
    dependant = engine.run("dependant", "tiny", "sleep", "1000", options=["--network", "container:owner"])
    apart = engine.run("apart", "tiny", "sleep", "1000")
    wanted = owner.pair.renew()
    before = standings([apart, dependant])
    answer = restart_of(engine).succeeds(owner, action="restart")
    assert answer.of("owner")["dependents"] == ["dependant"], json.dumps(answer, indent=1)
    owner.keeps(wanted)
    after = standings([apart, dependant])
    assert after[repr(apart)] == before[repr(apart)] and after[repr(dependant)] != before[repr(dependant)]
    network = [pathlib.Path(f"/proc/{one.pid()}/ns/net").readlink() for one in (owner.container, dependant)]
    assert network[0] == network[1]


def test_a_reload_that_nothing_can_prove_is_warned_of_and_done_once(docker, work, restart_of):
    pair = Pair(work / "certs")
    container = docker.run("client", "tiny", "sh", "-c", "while :; do sleep 1; done", mounts=[f"{pair.directory}:/certs:ro"])
    pair.renew()
    restart = restart_of(docker)
    task = {"containers": [{"name": "client", "command": ["true"]}]}
    answer = restart.succeeds(pair, **task)
    assert answer.acted == answer.unproven == ["client"] and "nothing could prove" in answer.warnings[0]
    again = restart.succeeds(pair, **task)
    assert not again.changed and "in an earlier run" in again.of("client")["why"]
    pair.renew()
    assert restart.fails(pair, "verify.unproven", unproven="fail", **task).acted == ["client"]
    assert container.state() == "running"


def test_a_start_after_the_change_needs_nothing(docker, work, restart_of):
    pair = Pair(work / "certs")
    docker.run("client", "tiny", "sleep", "1000", mounts=[f"{pair.directory}:/certs:ro"])
    answer = restart_of(docker).succeeds(pair, containers=["client"])
    assert not answer.changed and "after the file changed" in answer.of("client")["why"]


def test_a_time_that_was_copied_along_does_not_hide_a_new_file(docker, work, restart_of):
    pair = Pair(work / "certs")
    docker.run("client", "tiny", "sleep", "1000", mounts=[f"{pair.directory}:/certs:ro"])
    pair.renew()
    subprocess.run(["touch", "-d", "2001-01-01", pair.certificate], check=True, timeout=20)
    answer = restart_of(docker).succeeds(pair, check=True, containers=["client"])
    assert answer.planned == ["client"]


def test_the_same_file_of_options_is_a_renewal_hook(docker, work, restart_of):
    service = services.start(docker, work, "haproxy")
    wanted = service.pair.renew()
    options = work / "haproxy.json"
    options.write_text(json.dumps({**restart_of(docker).base, "certificate": str(service.pair.certificate)}))
    done = subprocess.run([*module.COMMAND, options], capture_output=True, text=True, timeout=60, check=True, env={"PATH": "/usr/bin:/bin"})
    assert json.loads(done.stdout)["proven"] == [service.container.name]
    service.keeps(wanted)
