# SPDX-License-Identifier: Apache-2.0
"""The crate tls-probe on real containers: whose process is whose, what is served, and who answered. Through its example
`who_serves`, which prints what the crate says."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import re
import subprocess

import pytest
import services
from container import namespace_of, read

TOP = pathlib.Path(__file__).resolve().parents[2]


@functools.lru_cache(maxsize=None)
def who_serves():
    """The example, built as `cargo test` builds it."""
    target = re.search("^host: (.*)$", subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True, timeout=60).stdout, re.MULTILINE)
    openssl = subprocess.run([TOP / "scripts/build-openssl", target.group(1)], check=True, capture_output=True, text=True, timeout=1300).stdout.strip()
    environment = {**os.environ, "OPENSSL_DIR": openssl, "OPENSSL_NO_VENDOR": "1", "OPENSSL_STATIC": "1"}
    done = subprocess.run(["cargo", "build", "--locked", "--quiet", "-p", "tls-probe", "--example", "who_serves"], cwd=TOP, env=environment,
                          capture_output=True, text=True, timeout=1300)
    assert done.returncode == 0, done.stderr
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")) / "debug/examples/who_serves"


@dataclasses.dataclass
class Report:
    """What the crate says of a container."""

    by: str
    members: set
    served: dict
    silent: dict


def ask(container, *arguments):
    """Run the example on a container's first process."""
    done = subprocess.run([who_serves(), str(container.pid()), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    report = Report("", set(), {}, {})
    for line in done.stdout.splitlines():
        word, *rest = line.split()
        if word == "members":
            report.by, report.members = rest[0], {int(pid) for pid in rest[1:]}
        elif word == "served":
            report.served[rest[0]] = (rest[1], [int(pid) if pid.isdigit() else pid for pid in rest[3:]])
        elif word == "silent":
            report.silent[rest[0]] = rest[1].rstrip(":")
    return report


def test_each_engine_has_its_containers_told_apart(docker, podman, rootless, work):
    running = [services.start(engine, work, "haproxy") for engine in (docker, docker, podman, podman, rootless, rootless)]
    for service in running:
        report = ask(service.container)
        assert report.members == set(service.container.pids()), service
        ((fingerprint, by),) = report.served.values()
        assert fingerprint == service.pair.fingerprint()
        assert len(by) == 1 and by[0] in report.members


@pytest.mark.parametrize("kind", ["httpd", "mariadb", "rabbitmq", "stunnel"])
def test_services_of_many_processes_are_probed_where_they_listen(docker, services_image, work, kind):
    service = services.start(docker, work, kind)
    report = ask(service.container, *filter(None, [services.KINDS[kind].starttls]))
    assert report.members == set(service.container.pids())
    fingerprint, by = report.served[f"127.0.0.1:{service.port}"]
    assert fingerprint == service.pair.fingerprint() and set(by) <= report.members and by
    # What else a service listens for (Erlang's port mapper, its own distribution) is no TLS server, and is said so.
    assert set(report.silent.values()) <= {"probe.not_tls", "probe.closed", "probe.timed_out", "probe.tls"}


def test_a_container_with_the_hosts_processes_is_told_by_its_cgroup(engine, work):
    service = services.start(engine, work, "haproxy", options=("--pid", "host"))
    other = services.start(engine, work, "haproxy", options=("--pid", "host"))
    report = ask(service.container)
    assert report.by == "Cgroup"
    assert {read(pid, "comm") for pid in report.members} == {"haproxy"} and len(report.members) == 2
    assert not report.members & ask(other.container).members
    assert [fingerprint for fingerprint, _ in report.served.values()] == [service.pair.fingerprint()]


def test_two_containers_in_one_pid_namespace_are_told_apart(engine, work):
    owner = services.start(engine, work, "haproxy")
    guest = services.start(engine, work, "haproxy", options=("--pid", f"container:{owner.container.name}"))
    assert namespace_of(guest.container.pid()) == namespace_of(owner.container.pid())
    reports = [ask(service.container) for service in (owner, guest)]
    assert not reports[0].members & reports[1].members
    for service, report in zip((owner, guest), reports):
        assert len(report.members) == 2
        assert [fingerprint for fingerprint, _ in report.served.values()] == [service.pair.fingerprint()]


def test_on_one_port_of_the_host_each_answer_is_attributed(engine, work):
    port = services.free_port()
    both = [services.start(engine, work, "haproxy", port=port, address="127.0.0.1", options=("--network", "host"), wait=False) for _ in range(2)]
    wanted = {service.pair.fingerprint() for service in both}
    services.until("both listen", lambda: {both[0].served() for _ in range(10)} == wanted)
    own = 0
    for _ in range(20):
        fingerprint, by = ask(both[0].container).served[f"127.0.0.1:{port}"]
        # A certificate is the container's own exactly if a process of its own answered.
        assert (fingerprint == both[0].pair.fingerprint()) == (by != ["somebody-else"])
        own += by != ["somebody-else"]
    assert 0 < own < 20
