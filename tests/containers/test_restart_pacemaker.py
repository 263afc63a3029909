# SPDX-License-Identifier: Apache-2.0
"""Bundles of pacemaker's, on a real cluster of one node: who restarts them, what leaves them alone, and the lock that the
hosts of a cluster share. Two hosts are two runs on the same configuration here."""

from __future__ import annotations

import concurrent.futures
import datetime

import cluster as clusters
import machine as machines
import pytest
import services

LOCK = {"lock": "pacemaker", "lock_name": "haproxy-restart-lock", "lock_timeout": 30}


@pytest.fixture(scope="module")
def cluster(docker_session, services_image, tarballs, place):
    """The cluster, for all tests of this file."""
    work = place / "cluster"
    work.mkdir()
    machine = machines.Machine(docker_session, work, tarballs)
    yield clusters.Cluster(machine)
    machine.remove()


@pytest.fixture(scope="module")
def beside(cluster):
    """A container of nobody's, with a certificate of its own."""
    return services.start(cluster.machine.podman, cluster.machine.shared, "haproxy", name="beside", port=8701, address="127.0.0.1")


@pytest.fixture(scope="module")
def hard(cluster):
    """A bundle whose program reads its certificate only when it starts."""
    return cluster.bundle("haproxy-bundle", 8702, "haproxy-without-master")


@pytest.fixture(scope="module")
def gentle(cluster):
    """A bundle whose program can reload."""
    return cluster.bundle("web-bundle", 8703)


def started(service):
    """When its container was started, in seconds since 1970."""
    return datetime.datetime.fromisoformat(service.container.started_at()[:26].rstrip("Z") + "+00:00").timestamp()


def test_what_only_a_restart_helps_is_restarted_once_and_by_pacemaker(cluster, hard, gentle, beside):
    before, others = hard.container.standing(), [gentle.container.standing(), beside.container.standing()]
    starts, failures, bans = cluster.history(hard)
    hard.pair.renew()
    planned = cluster.restart(hard, check=True, **LOCK)
    assert planned.planned == ["haproxy-bundle-podman-0"] and "have pacemaker restart it" in planned.msg, planned
    assert hard.container.standing() == before and cluster.lock(LOCK["lock_name"]) is None
    answer = cluster.succeeds(hard)
    own = answer.of(hard.container)
    assert (own["manager"], own["bundle"], own["actions"]) == ("pacemaker", "haproxy-bundle", ["restart haproxy-bundle by pacemaker"]), own
    assert answer.proven == ["haproxy-bundle-podman-0"] and "unit" not in own
    hard.keeps(hard.pair.fingerprint())
    assert hard.container.standing().id != before.id, "pacemaker makes a new container"
    assert cluster.history(hard) == (starts + 1, failures, bans) and failures == [] and bans == ""
    assert [gentle.container.standing(), beside.container.standing()] == others
    assert not cluster.succeeds(hard).changed


def test_a_reload_goes_past_pacemaker_and_does_not_disturb_it(cluster, gentle, hard, beside):
    others = [hard.container.standing(), beside.container.standing()]
    before, history = gentle.container.inspect(), cluster.history(gentle)
    gentle.pair.renew()
    answer = cluster.succeeds(gentle)
    assert answer.of(gentle.container)["actions"] == ["signal HUP"] and answer.proven == ["web-bundle-podman-0"]
    gentle.keeps(gentle.pair.fingerprint())
    after = gentle.container.inspect()
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    assert cluster.looks_again(gentle) == [] and cluster.history(gentle) == history
    assert [hard.container.standing(), beside.container.standing()] == others


@pytest.mark.parametrize("state", ["unmanaged", "maintenance"])
def test_a_bundle_that_pacemaker_would_leave_alone_is_refused_before_anything_but_can_be_reloaded(cluster, hard, gentle, state):
    hard.pair.renew()
    gentle.pair.renew()
    before = hard.container.standing()
    if state == "unmanaged":
        for name in ("haproxy-bundle", "web-bundle"):
            cluster.meta(name, "is-managed", "false")
    else:
        cluster.run("crm_attribute", "--name", "maintenance-mode", "--update", "true")
    try:
        for options in ({}, {"check": True}, {"manager": "pacemaker"}, LOCK):
            answer = cluster.fails(hard, "cluster.refused", **options)
            assert ("is-managed" if state == "unmanaged" else "maintenance-mode") in answer.msg and not answer.changed, answer
        assert hard.container.standing() == before and cluster.lock(LOCK["lock_name"]) is None
        assert cluster.succeeds(gentle).proven == ["web-bundle-podman-0"]
    finally:
        if state == "unmanaged":
            for name in ("haproxy-bundle", "web-bundle"):
                cluster.meta(name, "is-managed")
        else:
            cluster.run("crm_attribute", "--name", "maintenance-mode", "--delete")


def test_a_bundle_that_shall_be_stopped_is_not_restarted_though_somebody_runs_its_container(cluster, hard):
    cluster.meta("haproxy-bundle", "target-role", "Stopped")
    clusters.until("it is stopped", lambda: cluster.seen("resource[@id='haproxy-bundle-podman-0'][@role='Stopped']"), pause=0.3)
    command = services.KINDS[hard.kind].command.format(config="/certs/service.conf").removeprefix("exec ").split()
    cluster.machine.podman.run(hard.container.name, "proxy", *command, mounts=[f"{hard.pair.directory}:/certs:ro"],
                                 options=["--network=host", "--stop-signal=SIGUSR1"])
    hard.serves(hard.pair.fingerprint())
    hard.pair.renew()
    before = hard.container.standing()
    assert "target-role=Stopped" in cluster.fails(hard, "cluster.refused").msg
    assert hard.container.standing() == before
    cluster.machine.podman.remove(hard.container.name)
    cluster.meta("haproxy-bundle", "target-role")
    cluster.started(hard)


def test_the_engine_restarts_no_bundle_behind_pacemakers_back_unless_pacemaker_does_not_look(cluster, hard):
    hard.pair.renew()
    before = hard.container.standing()
    answer = cluster.fails(hard, "cluster.managed", manager="engine")
    assert "takes a restart by the engine for a failure" in answer.msg and "is-managed" in answer.msg
    assert hard.container.standing() == before
    cluster.meta("haproxy-bundle", "is-managed", "false")
    try:
        answer = cluster.succeeds(hard, manager="engine", stop_timeout=1)
        assert answer.of(hard.container)["actions"] == ["restart"] and answer.proven == ["haproxy-bundle-podman-0"]
        assert hard.container.standing().id == before.id
    finally:
        cluster.meta("haproxy-bundle", "is-managed")
    assert cluster.looks_again(hard) == []


def test_a_start_that_fails_is_said_with_pacemakers_reason_and_leaves_no_ban(cluster, hard):
    hard.pair.renew()
    settings = hard.pair.directory / "service.conf"
    right = settings.read_text()
    settings.write_text("nonsense\n")
    answer = cluster.fails(hard, "cluster.failed")
    assert "could not start 'haproxy-bundle-podman-0' of the bundle 'haproxy-bundle'" in answer.msg and "exited" in answer.msg, answer
    assert answer.ended - answer.began < 60 and cluster.history(hard)[2] == ""
    settings.write_text(right)
    cluster.run("crm_resource", "--cleanup", "--resource", "haproxy-bundle")
    cluster.started(hard)


def test_who_holds_the_lock_is_waited_for_and_named(cluster, hard):
    hard.pair.renew()
    before = hard.container.standing()
    held = cluster.lock(LOCK["lock_name"], "controller-7/4711", 3600)
    answer = cluster.fails(hard, "lock.held", **{**LOCK, "lock_timeout": 3})
    assert answer.ended - answer.began >= 3
    assert "process 4711 on node 'controller-7'" in answer.msg and answer.untouched == ["haproxy-bundle-podman-0"] and not answer.changed, answer
    assert cluster.lock(LOCK["lock_name"]) == held and hard.container.standing() == before
    cluster.unlock(LOCK["lock_name"])


def test_a_lock_whose_time_is_up_is_taken_over_and_given_back(cluster, hard):
    hard.pair.renew()
    # As TripleO's scripts write it.
    cluster.lock(LOCK["lock_name"], "controller-7", -1)
    answer = cluster.succeeds(hard, **{**LOCK, "lock_timeout": 0})
    assert answer.proven == ["haproxy-bundle-podman-0"] and cluster.lock(LOCK["lock_name"]) is None


def at_once(cluster, *calls, **options):
    """Several restarts at the same time; their answers, in the order in which they ended."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda service: cluster.succeeds(service, action="restart", **options), calls))
    return sorted(answers, key=lambda answer: answer.ended)


def test_two_restarts_at_once_do_not_wait_for_each_other(cluster, hard, gentle):
    hard.pair.renew()
    gentle.pair.renew()
    first, second = at_once(cluster, hard, gentle)
    assert sorted([*first.proven, *second.proven]) == ["haproxy-bundle-podman-0", "web-bundle-podman-0"]
    assert max(started(hard), started(gentle)) < first.ended, "they overlapped"
    assert cluster.history(hard)[1:] == cluster.history(gentle)[1:] == ([], "")


def test_two_runs_with_the_lock_act_one_after_the_other(cluster, hard, gentle):
    hard.pair.renew()
    gentle.pair.renew()
    first, second = at_once(cluster, hard, gentle, **LOCK)
    later = next(service for service in (hard, gentle) if service.container.name in second.proven)
    assert len(first.proven) == len(second.proven) == 1
    assert started(later) > first.ended - 0.5, "it was restarted after the other was proven"
    assert cluster.lock(LOCK["lock_name"]) is None
    assert cluster.history(hard)[1:] == cluster.history(gentle)[1:] == ([], "")


def test_who_had_to_wait_looks_again_and_finds_the_work_done(cluster, hard):
    hard.pair.renew()
    starts = cluster.history(hard)[0]
    first, second = at_once(cluster, hard, hard, **LOCK)
    assert first.changed and not second.changed and second.of(hard.container)["decision"] == "fresh", second
    assert cluster.history(hard)[0] == starts + 1


def meanwhile(cluster, service, **options):
    """A run on two containers, which only signals and is slow in the proof; a future, once the run holds the lock."""
    names = ["web-bundle-podman-0", "beside"]
    task = {**LOCK, "containers": names, "action": "signal", "only_if": "always", "verify": "none", "stable_for": 3, **options}
    future = concurrent.futures.ThreadPoolExecutor(max_workers=1).submit(cluster.restart, service, **task)
    owner = clusters.until("it holds the lock", lambda: cluster.lock(LOCK["lock_name"]), pause=0.1)
    return future, owner


def test_the_lock_is_prolonged_before_each_container(cluster, gentle, beside):
    future, first = meanwhile(cluster, gentle)
    values = {first}
    while not future.done():
        values.add(cluster.lock(LOCK["lock_name"]))
    owners = {value.partition(":")[0] for value in values - {None}}
    ends = sorted(int(value.partition(":")[2]) for value in values - {None})
    assert future.result().acted == ["web-bundle-podman-0", "beside"], future.result()
    assert len(owners) == 1 and len(ends) == 2 and ends[1] >= ends[0] + 3, values


def test_who_loses_the_lock_begins_nothing_more(cluster, gentle, beside):
    future, _ = meanwhile(cluster, gentle)
    cluster.unlock(LOCK["lock_name"])
    thief = cluster.lock(LOCK["lock_name"], "controller-7", 3600)
    answer = future.result()
    assert answer["error"]["kind"] == "lock.lost" and "'controller-7'" in answer.msg and answer.changed, answer
    assert (answer.acted, answer.untouched) == (["web-bundle-podman-0"], ["beside"])
    assert cluster.lock(LOCK["lock_name"]) == thief
    cluster.unlock(LOCK["lock_name"])


def test_a_run_that_was_killed_loses_the_lock_by_its_end(cluster, hard, gentle, beside):
    future, value = meanwhile(cluster, gentle, stable_for=60, lock_ttl=10)
    owner, _, end = value.partition(":")
    cluster.run("kill", "-KILL", owner.partition("/")[2])
    assert future.exception() is not None and cluster.lock(LOCK["lock_name"]) == value
    assert f"process {owner.partition('/')[2]} on node 'node1'" in cluster.fails(gentle, "lock.held", only_if="always", **{**LOCK, "lock_timeout": 0}).msg
    answer = cluster.succeeds(gentle, only_if="always", **LOCK)
    assert answer.ended >= int(end) and answer.acted == ["web-bundle-podman-0"], answer
    assert cluster.lock(LOCK["lock_name"]) is None


def test_where_pacemaker_does_not_run_there_is_no_lock_and_the_engine_restarts(cluster, hard):
    cluster.run("crm_attribute", "--name", "maintenance-mode", "--update", "true")
    cluster.run("systemctl", "stop", "pacemaker")
    hard.pair.renew()
    before = hard.container.standing()
    assert "no cluster runs on this host" in cluster.fails(hard, "cluster.none", **LOCK).msg
    assert hard.container.standing() == before
    answer = cluster.succeeds(hard, stop_timeout=1)
    assert answer.of(hard.container)["actions"] == ["restart"] and "does not run on this host now" in str(answer["warnings"]), answer
