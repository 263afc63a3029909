# SPDX-License-Identifier: Apache-2.0
"""Every key that RETURN of container_restart documents is answered by real engines. That each key which is answered is
documented is seen in every test, by module.call."""

from __future__ import annotations

import module
import services
from certificates import Pair

# Seen in test_restart_pacemaker.
OF_A_CLUSTER = {"containers.bundle"}


def all_documented(spec, path=""):
    """The path of each documented key."""
    for key, value in spec.items():
        yield f"{path}{key}"
        yield from all_documented(value.get("contains", {}), f"{path}{key}.")


def of_copies(docker, work, restart):
    """A container of Kolla's."""
    service = services.start(docker, work, "haproxy", mount="kolla", name="copied")
    service.pair.renew()
    yield restart.succeeds(service)


def of_a_network(docker, work, restart):
    """One that also listens without TLS and in whose network another one lives, and one that has something else at the place
    of the certificate."""
    service = services.start(docker, work, "haproxy", name="owner", pair=Pair(work / "pki/owner"), wrap="httpd -p 8080; exec haproxy -W -db -f {config}")
    docker.run("dependant", "tiny", "sleep", "1000", options=["--network", "container:owner"])
    (work / "shadow/tls.crt").mkdir(parents=True)
    docker.run("shadowed", "tiny", "sleep", "1000", mounts=[f"{work}/pki:/pki:ro", f"{work}/shadow:/pki/owner:ro"])
    service.pair.renew()
    yield restart.succeeds(service, check=True)
    yield restart.succeeds(service, action="restart")


def of_a_unit(machine):
    """One that a unit owns."""
    service = services.start(machine.podman, machine.directory(), "haproxy")
    unit = machine.unit_of(service.container.name)
    service.serves(service.pair.fingerprint())
    service.pair.renew()
    yield machine.restart(service.pair, action="restart")
    machine.systemctl("stop", unit)


def of_failures(work, restart):
    """Wrong options, and a container that is not there."""
    pair = Pair(work / "alone")
    yield restart.fails(pair, "input.invalid", containers=["web*"])
    yield restart.fails(pair, "container.missing", containers=["no-such-one"])


def test_every_documented_key_is_answered(docker, services_image, machine, work, restart_of):
    restart = restart_of(docker)
    answers = [*of_copies(docker, work, restart), *of_a_network(docker, work, restart), *of_a_unit(machine), *of_failures(work, restart)]
    seen = {path for answer in answers for path, _ in module.answered(module.own(answer), module.documented())}
    assert set(all_documented(module.documented())) - seen == OF_A_CLUSTER
