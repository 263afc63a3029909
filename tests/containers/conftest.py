# SPDX-License-Identifier: Apache-2.0
"""The engines live as long as the run; each test gets a directory, and its containers are removed after it."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import engines  # noqa: E402  (after the path above)
import images  # noqa: E402
import machine as machines  # noqa: E402
import module  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def place():
    """A directory of this run that every user may enter."""
    assert os.geteuid() == 0, "engines of their own need root"
    path = pathlib.Path(tempfile.mkdtemp(prefix="tls-engines.", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def tarballs(place):
    """The small root file systems."""
    directory = place / "images"
    directory.mkdir()
    return {"tiny": images.tiny(directory), "proxy": images.proxy(directory)}


def started(engine, tarballs):
    """Start an engine and give it the small images; stop it in the end."""
    try:
        engine.start()
        for name, tarball in tarballs.items():
            engine.load(name, tarball)
        yield engine
    finally:
        engine.stop()


def subdirectory(place, name):
    """A directory of one engine."""
    path = place / name
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def docker_session(place, tarballs):
    """dockerd."""
    yield from started(engines.Docker(subdirectory(place, "docker")), tarballs)


@pytest.fixture(scope="session")
def podman_session(place, tarballs):
    """podman as root."""
    yield from started(engines.Podman(subdirectory(place, "podman")), tarballs)


@pytest.fixture(scope="session")
def rootless_session(place, tarballs):
    """podman of a user."""
    yield from started(engines.Rootless(subdirectory(place, "rootless"), f"tlsuser{os.getpid()}"), tarballs)


@pytest.fixture(scope="session")
def services_image(docker_session):
    """The services' image in docker."""
    docker_session.load("svc", images.svc())


@pytest.fixture(scope="session")
def virt_image(docker_session, place):
    """libvirt and QEMU in docker."""
    docker_session.load("virt", images.virt(place))


@pytest.fixture(scope="session")
def podman_services(podman_session):
    """The services' image in podman."""
    podman_session.load("svc", images.svc())


@pytest.fixture(scope="session")
def machine(docker_session, services_image, tarballs, place):
    """The machine with systemd and podman, for all tests; each makes its own units."""
    machine = machines.Machine(docker_session, place / "machine", tarballs)
    yield machine
    machine.remove()


@pytest.fixture(scope="session")
def newer_session(docker_session, tarballs, place):
    """The machine with a newer systemd, Docker, Podman, HAProxy and Valkey."""
    docker_session.load("newer", images.newer())
    machine = machines.Machine(docker_session, place / "newer", tarballs, "newer")
    yield machine
    machine.remove()


@pytest.fixture
def newer(newer_session):
    """The newer machine without containers."""
    yield newer_session
    newer_session.podman.clean()
    newer_session.docker.clean()


@pytest.fixture
def docker(docker_session):
    """dockerd without containers."""
    yield docker_session
    docker_session.clean()


@pytest.fixture
def podman(podman_session):
    """podman without containers."""
    yield podman_session
    podman_session.clean()


@pytest.fixture
def rootless(rootless_session):
    """podman of a user, without containers."""
    yield rootless_session
    rootless_session.clean()


@pytest.fixture(params=["docker", "podman"])
def engine(request):
    """Each engine of root."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def work(place):
    """A directory of one test, which containers may read."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="test.", dir=place))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def restart_of(work):
    """container_restart for an engine."""
    return lambda engine: module.Restart(engine, work)


@pytest.fixture(scope="session")
def collections(place):
    """The collection, where ansible finds it."""
    path = place / "collections"
    subprocess.run([TOP / "scripts/place-collection", path], check=True, capture_output=True, text=True, timeout=120)
    return path


@pytest.fixture
def play(collections, work):
    """Run a playbook on this machine, or on the one with these variables of an inventory; what was said."""
    venv = subprocess.run([TOP / "scripts/venv", "ansible-2.19"], check=True, capture_output=True, text=True, timeout=900).stdout.strip()

    def run(tasks, variables, roles=("tls.everywhere.restart_on_renewal",), host=None, arguments=()):
        book = [{"hosts": "all" if host else "localhost", "gather_facts": False, "roles": list(roles), "tasks": tasks}]
        if host:
            (work / "hosts.json").write_text(json.dumps({"all": {"hosts": {"machine": host}}}), encoding="utf-8")
            arguments = ["-i", work / "hosts.json", *arguments]
        (work / "play.yml").write_text(yaml.safe_dump(book), encoding="utf-8")
        (work / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        home = work / "home"
        home.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "ANSIBLE_HOME": str(home / ".ansible"), "ANSIBLE_COLLECTIONS_PATH": str(collections),
                       "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_PIPELINING": "true", "LC_ALL": "C.UTF-8"}
        command = [f"{venv}/bin/ansible-playbook", work / "play.yml", "-e", f"@{work / 'variables.json'}", "-v", *arguments]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        # Where a line of the output is broken is not our business.
        return " ".join(done.stdout.split())

    return run
