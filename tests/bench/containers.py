# SPDX-License-Identifier: Apache-2.0
"""container_restart beside the command lines of the engines, community.docker and containers.podman: look, reload, restart.

Private engines, one small HAProxy each. The executable is run as a hook runs it; in the rows that say so both sides are
whole playbook runs, Ansible's own start included. Nothing is verified in the rows that are compared, because the peers
verify nothing; what a verified reload costs has a row of its own.
"""

import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import measure

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "containers"))
import engines  # noqa: E402  (after the path above)
import faulty  # noqa: E402
import images  # noqa: E402
import services  # noqa: E402

BIN = pathlib.Path(sys.executable).parent
PROGRAM = TOP / "plugins" / "native" / f"linux-{os.uname().machine}" / "tls_everywhere"
TIMES = int(os.environ.get("CONTAINERS_TIMES", "9"))
QUICK = {"verify": "none", "stable_for": 0, "manager": "engine", "stop_timeout": 0, "wait_healthy": False}


class Ours:
    """container_restart on one engine."""

    def __init__(self, engine, work):
        self.engine = engine
        self.work = work
        self.environment = {"PATH": os.environ["PATH"]}

    def argv(self, service, check=False, **options):
        """The command line, with the options in a file."""
        task = {**QUICK, "certificate": str(service.pair.certificate), "socket": str(self.engine.socket), "state_dir": str(self.work / "state"),
                "containers": [service.container.name], "_ansible_check_mode": check, **options}
        path = self.work / f"task-{abs(hash(json.dumps(task)))}.json"
        path.write_text(json.dumps(task), encoding="utf-8")
        return [PROGRAM, "container_restart", path]

    def run(self, service, **options):
        """One run."""
        return measure.run(self.argv(service, **options), env=self.environment)


def peer(engine, *arguments):
    """One run of the engine's command line."""
    return measure.run([*engine.command(), *arguments], env=engine.environment(), cwd="/")


def alternately(*works):
    """The medians of several things, done in turn, so that all meet the same machine."""
    costs = [[work() for work in works] for _ in range(TIMES)]
    return [measure.median(of) for of in zip(*costs)]


class Timed(faulty.Server):
    """In front of an engine: takes the time of its restarts, so that the rest of our run can be told from them however
    much they differ from each other. What it costs itself counts against us."""

    def __init__(self, path, engine):
        super().__init__(path)
        self.engine = engine
        self.seconds = []

    def answer(self, connection):
        asked = connection.recv(65536)
        with socket.socket(socket.AF_UNIX) as real:
            before = time.monotonic()
            real.connect(str(self.engine))
            real.sendall(asked)
            while part := real.recv(65536):
                if b"/restart" in asked.partition(b"\r\n")[0]:
                    self.seconds.append(time.monotonic() - before)
                connection.sendall(part)


def command_lines(comparison, engine, service, ours):
    """inspect, reload and restart beside the engine's command line."""
    name, kind = service.container.name, engine.name
    cases = {
        "inspect": (lambda: ours.run(service, check=True), lambda: peer(engine, "inspect", name)),
        "reload": (lambda: ours.run(service, only_if="always", action="signal"), lambda: peer(engine, "kill", "--signal", "HUP", name)),
        "restart": (lambda: ours.run(service, only_if="always", action="restart"), lambda: peer(engine, "restart", "--time", "0", name)),
    }
    for case, works in cases.items():
        mine, theirs = alternately(*works)
        comparison.row(f"{case}-{kind} container_restart", mine)
        comparison.row(f"{case}-{kind} the {kind} command", theirs)
        comparison.versus(f"{case}-{kind}", theirs, mine)
    timed = Timed(ours.work / "timed.sock", engine.socket)
    with timed as path:
        walls = [ours.run(service, only_if="always", action="restart", socket=str(path)).wall for _ in range(TIMES)]
    assert len(timed.seconds) == TIMES
    added = [wall - own for wall, own in zip(walls, timed.seconds)]
    comparison.note(f"added to {kind}'s own restart: {statistics.median(added) * 1000:.1f} ms (median of {TIMES}: the whole process of ours,"
                    " less what the engine took for the request)")


def proven(comparison, engine, service, ours):
    """What a reload with its proof costs."""
    def renewed():
        service.pair.renew()
        return ours.run(service, verify="auto")
    comparison.row(f"reload with three proofs, {engine.name}", measure.median([renewed() for _ in range(TIMES)]))


def memory(comparison, engine, service, ours):
    """Peak resident memory of one look."""
    mine = measure.peak_memory(ours.argv(service, check=True), ours.environment)
    theirs = measure.peak_memory([*engine.command(), "inspect", service.container.name], engine.environment())
    comparison.note(f"peak memory of one look, {engine.name}: container_restart {mine / 1024:.1f} MB, the command {theirs / 1024:.1f} MB")


def playbooks(comparison, engine, service, work):
    """The restart of one container as a playbook has it."""
    module = {"docker": {"community.docker.docker_container": {"name": service.container.name, "restart": True, "state": "started",
                                                               "comparisons": {"*": "ignore"}, "docker_host": f"unix://{engine.socket}"}},
              "podman": {"containers.podman.podman_container": {"name": service.container.name, "state": "started", "force_restart": True}}}[engine.name]
    own = {"tls.everywhere.container_restart": {**QUICK, "certificate": str(service.pair.certificate), "socket": str(engine.socket), "only_if": "always",
                                                "action": "restart", "containers": [service.container.name], "state_dir": str(work / "state")}}

    def play(name, task):
        book = work / f"{name}-{engine.name}.yml"
        book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{**task, "environment": dict(engine.environment())}]}]))
        environment = dict(os.environ, HOME=str(work / "home"), ANSIBLE_HOME=str(work / "home/.ansible"), ANSIBLE_LOCALHOST_WARNING="false",
                           ANSIBLE_INVENTORY_UNPARSED_WARNING="false", ANSIBLE_COLLECTIONS_PATH=f"{work / 'collections'}:{BIN.parent}",
                           ANSIBLE_PYTHON_INTERPRETER=sys.executable)
        return measure.run([BIN / "ansible-playbook", book], env=environment, cwd=work)

    for name, task in (("own", own), ("peer", module)):
        play(name, task)  # places the program, compiles Python
    mine, theirs = (measure.median(costs) for costs in zip(*[(play("own", own), play("peer", module)) for _ in range(3)]))
    comparison.row(f"restart by a playbook, {engine.name}, container_restart", mine)
    comparison.row(f"restart by a playbook, {engine.name}, {next(iter(module))}", theirs)
    comparison.versus(f"restart-playbook-{engine.name}", theirs, mine)


def many(comparison, engine, work, ours):
    """50 containers, one of which uses the certificate."""
    with_it = services.start(engine, work, "haproxy", name="affected")
    for number in range(49):
        engine.run(f"bystander-{number}", "tiny", "sleep", "10000", mounts=[f"{work}/affected/certs:/certs:ro"])
    task = {"check": True, "verify": "auto", "containers": []}
    with_it.pair.renew()
    cost = measure.median([ours.run(with_it, **task) for _ in range(TIMES)])
    comparison.row("decide for 50 containers that mount it, one serves it", cost)


def main():
    """All comparisons, each engine with its own service."""
    comparison = measure.Comparison("containers")
    with tempfile.TemporaryDirectory(prefix="tls-everywhere-bench.", dir="/var/tmp") as directory:
        work = pathlib.Path(directory)
        work.chmod(0o755)
        (work / "home").mkdir()
        (work / "images").mkdir()
        subprocess.run([TOP / "scripts" / "place-collection", work / "collections"], check=True, timeout=60, stdout=subprocess.DEVNULL)
        tarballs = {"tiny": images.tiny(work / "images"), "proxy": images.proxy(work / "images")}
        for kind in (engines.Docker, engines.Podman):
            one(comparison, kind, work, tarballs)
        comparison.close()


def one(comparison, kind, work, tarballs):
    """One engine."""
    place = work / kind.name
    place.mkdir()
    engine = kind(place)
    try:
        engine.start()
        for name, tarball in tarballs.items():
            engine.load(name, tarball)
        if kind is engines.Podman:
            with engine.api():
                measured(comparison, engine, place)
        else:
            measured(comparison, engine, place)
    finally:
        engine.stop()


def measured(comparison, engine, place):
    """Everything of one engine."""
    service = services.start(engine, place, "haproxy")
    ours = Ours(engine, place)
    (place / "home").mkdir()
    (place / "collections").symlink_to(place.parent / "collections")
    command_lines(comparison, engine, service, ours)
    proven(comparison, engine, service, ours)
    memory(comparison, engine, service, ours)
    playbooks(comparison, engine, service, place)
    if engine.name == "docker":
        many(comparison, engine, place, ours)


if __name__ == "__main__":
    main()
