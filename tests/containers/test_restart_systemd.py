# SPDX-License-Identifier: Apache-2.0
"""Units of systemd that own containers of podman, and the path unit that acts without Ansible: in a container that has
systemd as its first process, with a podman of its own inside."""

from __future__ import annotations

import json
import pathlib
import shutil

import engines
import module
import pytest
from certificates import Pair, fingerprint, fingerprint_served
from engines import until

ROLE = module.TOP / "roles/restart_on_renewal/templates"
CAPABILITIES = ("SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "SYS_CHROOT", "MKNOD")
HAPROXY = """
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend tls
  bind 127.0.0.1:{port} ssl crt /certs/tls.pem
  http-request return status 200
"""
# As `podman generate systemd --new` writes it, and as Quadlet does: the unit makes the container anew at each start.
UNIT = """
[Service]
Type=notify
NotifyAccess=all
Restart=on-failure
Environment=PODMAN_SYSTEMD_UNIT=%n
ExecStartPre=/bin/rm -f %t/%n.ctr-id
ExecStart=/usr/bin/podman run --cidfile=%t/%n.ctr-id --cgroups=no-conmon --rm --sdnotify=conmon --detach --replace --name {name} \\
  --volume /work/{name}:/certs:ro localhost/proxy:latest {command}
ExecStop=/usr/bin/podman stop --ignore --time 1 --cidfile=%t/%n.ctr-id
ExecStopPost=/usr/bin/podman rm --force --ignore --cidfile=%t/%n.ctr-id
{more}
"""


class Machine:
    """A container with systemd and podman."""

    def __init__(self, container, work):
        self.container = container
        self.work = work

    def run(self, *command, check=True):
        """Run something in it."""
        return self.container.exec(*command, check=check)

    def unit(self, name, command, more=""):
        """A container that a unit owns, with a certificate of its own."""
        pair = Pair(self.work / name)
        self.write(f"{name}.service", UNIT.format(name=name, command=command, more=more))
        self.run("systemctl", "start", f"{name}.service")
        return pair

    def haproxy(self, name, port, flags=""):
        """One that runs HAProxy."""
        pair = Pair(self.work / name)
        (self.work / name / "haproxy.cfg").write_text(HAPROXY.format(port=port))
        self.unit(name, f"haproxy {flags} -db -f /certs/haproxy.cfg")
        until(f"{name} serves", lambda: self.served(port) == fingerprint(pair.combined))
        return pair

    def write(self, name, text):
        """A unit, which systemd reads."""
        (self.work / name).write_text(text)
        self.run("cp", f"/work/{name}", f"/etc/systemd/system/{name}")
        self.run("systemctl", "daemon-reload")

    def served(self, port):
        """What the openssl command is served in it."""
        return fingerprint_served(self.container, port)

    def shown(self, unit, what):
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={what}", unit)

    def standing(self, name):
        """What moves when a container or its unit is touched."""
        state = json.loads(self.run("podman", "inspect", "--type", "container", name))[0]
        return state["Id"], state["State"]["StartedAt"], self.shown(f"{name}.service", "InvocationID"), self.shown(f"{name}.service", "NRestarts")

    def restart(self, pair, **options):
        """container_restart in it."""
        task = {"certificate": f"/work/{pair.directory.name}/tls.pem", "engine": "podman", "stable_for": 1, "verify_timeout": 10, **options}
        (self.work / "task.json").write_text(json.dumps(task))
        answer = module.Answer(json.loads(self.run("/work/container_restart", "/work/task.json", check=False)))
        assert not answer.failed, f"{json.dumps(answer, indent=1)}\n{self.run('journalctl', '--no-pager', '--lines=30')}"
        return answer


@pytest.fixture(scope="module")
def machine(docker_session, services_image, tarballs, place):
    """The container with systemd, for all tests of this file."""
    work = pathlib.Path(place) / "systemd"
    for part in ("", "storage"):
        (work / part).mkdir()
    shutil.copy(module.PROGRAM, work / "container_restart")
    shutil.copy(tarballs["proxy"], work / "proxy.tar")
    settings = engines.CONTAINERS_CONF.format(place="/run")
    (work / "containers.conf").write_text("\n".join(line for line in settings.splitlines() if not line.startswith("tmp_dir")))
    (work / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    options = [word for capability in CAPABILITIES for word in ("--cap-add", capability)]
    options += ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--cgroupns", "host", "--env", "container=docker",
                "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"]
    mounts = ["/sys/fs/cgroup:/sys/fs/cgroup:rw", f"{work}/storage:/var/lib/containers", f"{work}/containers.conf:/etc/containers/containers.conf:ro",
              f"{work}/policy.json:/etc/containers/policy.json:ro", f"{work}:/work"]
    container = docker_session.run("machine", "svc", "/lib/systemd/systemd", mounts=mounts, options=options)
    made = Machine(container, work)
    until("systemd is up", lambda: made.run("systemctl", "is-system-running", check=False) in ("running", "degraded"), pause=0.5)
    made.run("podman", "import", "/work/proxy.tar", "proxy:latest")
    yield made
    made.run("sh", "-c", "podman rm --force --all; umount --lazy /var/lib/containers/storage/overlay", check=False)
    docker_session.remove("machine")


def test_a_container_that_a_unit_makes_is_restarted_once_and_by_its_unit(machine):
    pair, other = machine.haproxy("owned", 8501), machine.haproxy("beside", 8502)
    before, beside = machine.standing("owned"), machine.standing("beside")
    pair.renew()
    answer = machine.restart(pair)
    own = answer.of("owned")
    assert own["unit"] == "owned.service" and own["manager"] == "systemd" and own["actions"] == ["restart owned.service"], json.dumps(answer, indent=1)
    assert answer.proven == ["owned"] and machine.served(8501) == fingerprint(pair.combined)
    after = machine.standing("owned")
    assert after[0] != before[0] and after[2] != before[2], "the unit has made a new container"
    assert after[3] == "0" and machine.shown("owned.service", "Result") == "success", "not once more by Restart="
    assert machine.standing("beside") == beside and machine.served(8502) == fingerprint(other.combined)
    assert not machine.restart(pair).changed


def test_what_can_be_reloaded_is_not_restarted_by_its_unit(machine):
    pair = machine.haproxy("gentle", 8503, "-W")
    before = machine.standing("gentle")
    pair.renew()
    answer = machine.restart(pair)
    assert answer.of("gentle")["actions"] == ["signal HUP"] and answer.proven == ["gentle"]
    assert machine.standing("gentle") == before and machine.served(8503) == fingerprint(pair.combined)


def test_the_reload_of_a_unit_is_taken_for_a_program_that_nobody_knows_and_a_restart_if_that_does_not_help(machine):
    command = "openssl s_server -accept 8504 -cert /certs/tls.crt -key /certs/tls.key -quiet"
    pair = machine.unit("unknown", command, more="ExecReload=/bin/touch /work/reloaded")
    until("it serves", lambda: machine.served(8504) == pair.fingerprint())
    pair.renew()
    answer = machine.restart(pair, certificate="/work/unknown/tls.crt", verify_timeout=3)
    assert answer.of("unknown")["action"] == "reload", json.dumps(answer, indent=1)
    assert answer.of("unknown")["actions"] == ["reload unknown.service", "restart unknown.service"]
    assert (machine.work / "reloaded").exists() and answer.proven == ["unknown"]
    assert machine.served(8504) == pair.fingerprint()


def test_the_path_unit_of_the_role_acts_without_ansible_and_reaches_only_its_certificate(machine):
    pair, other = machine.haproxy("hooked", 8505, "-W"), machine.haproxy("unhooked", 8506, "-W")
    before, beside = machine.standing("hooked"), machine.standing("unhooked")
    values = {"restart_on_renewal_program_directory": "/work", "restart_on_renewal_hook_directory": "/work",
              "restart_on_renewal__item.name": "hooked", "restart_on_renewal__item.certificate": "/work/hooked/tls.pem"}
    for template, name in (("service.j2", "tls-everywhere-restart@.service"), ("path.j2", "tls-everywhere-restart-hooked.path")):
        text = (ROLE / template).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"{{{{ {key} }}}}", value)
        assert "{{" not in text
        machine.write(name, text)
    (machine.work / "hooked.json").write_text(json.dumps({"certificate": "/work/hooked/tls.pem", "engine": "podman", "stable_for": 0}))
    machine.run("systemctl", "start", "tls-everywhere-restart-hooked.path")
    pair.renew()
    other.renew()
    until("the hook has acted", lambda: machine.served(8505) == fingerprint(pair.combined), seconds=30)
    until("it has ended well", lambda: machine.shown("tls-everywhere-restart@hooked.service", "ActiveState") == "inactive", seconds=30)
    assert machine.shown("tls-everywhere-restart@hooked.service", "Result") == "success"
    assert machine.standing("hooked") == before, "reloaded, not restarted"
    assert machine.standing("unhooked") == beside and machine.served(8506) != fingerprint(other.combined)


def test_the_machine_has_no_unit_that_failed_but_those_of_the_image(machine):
    failed = machine.run("systemctl", "list-units", "--failed", "--plain", "--no-legend", check=False)
    ours = [line for line in failed.splitlines() if any(name in line for name in ("owned", "beside", "gentle", "unknown", "hooked", "tls-everywhere"))]
    assert ours == []
