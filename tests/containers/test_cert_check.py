# SPDX-License-Identifier: Apache-2.0
"""cert_check on services in containers: what they serve through their own protocols, and which container answers."""

from __future__ import annotations

import json
import os
import subprocess
import time

import module
import services

HOST = ("--network", "host")


def check(engine, endpoints):
    """What cert_check says of endpoints; the certificates sign themselves, which is not what is asked here."""
    program = [module.PROGRAM, "cert_check"] if module.PROGRAM.name == "tls_everywhere" else [module.PROGRAM.with_name("cert_check")]
    task = {"endpoints": endpoints, "fail_on": "none", "timeout": 30, "engine_socket": str(engine.socket) if engine.socket else None}
    environment = {name: value for name, value in engine.environment().items() if name.startswith("CONTAINERS_")}
    done = subprocess.run(program, input=json.dumps(task), capture_output=True, text=True, timeout=200, cwd="/", check=False,
                          env={"PATH": os.environ["PATH"], **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def endpoint(service, **options):
    """The endpoint of a service on the network of the host, which must serve what is in its file."""
    return {"service": service.container.name, "host": "127.0.0.1", "port": service.port, "names": [], "certificate": str(service.pair.certificate), **options}


def test_services_are_asked_in_their_own_protocols_and_named_with_their_containers(docker, services_image, work):
    protocols = {"mariadb": "mysql", "rabbitmq": "none", "httpd": "none", "haproxy": "none"}
    running = [services.start(docker, work, kind, port=services.free_port(), address="127.0.0.1", options=HOST) for kind in protocols]
    answer = check(docker, [endpoint(service, starttls=word) for service, word in zip(running, protocols.values())])
    programs = {"mariadb": {"mariadbd"}, "rabbitmq": {"beam.smp"}, "httpd": {"apache2"}, "haproxy": {"haproxy"}}
    for service, found in zip(running, answer["endpoints"]):
        assert found["chain"][0]["fingerprint_sha256"] == service.pair.fingerprint(), found
        assert found["served_by"]["container"] == service.container.name and found["served_by"]["process"] in programs[service.kind], found
        assert not {"stale", "other_certificate"} & {each["kind"] for each in found["findings"]}, found


def test_an_old_certificate_in_a_container_is_stale_until_it_is_reloaded(engine, work):
    service = services.start(engine, work, "haproxy", port=services.free_port(), address="127.0.0.1", options=HOST)
    # Which of two is older is told by the seconds in them.
    time.sleep(1.1)
    service.pair.renew()
    found = check(engine, [endpoint(service)])["endpoints"][0]
    assert "stale" in {each["kind"] for each in found["findings"]} and found["served_by"]["container"] == service.container.name, found


def test_on_one_port_of_the_host_the_container_is_named_that_answered(engine, work):
    port = services.free_port()
    both = [services.start(engine, work, "haproxy", port=port, address="127.0.0.1", options=HOST, wait=False) for _ in range(2)]
    owner = {service.pair.fingerprint(): service.container.name for service in both}
    services.until("both listen", lambda: {both[0].served() for _ in range(10)} == set(owner))
    answer = check(engine, [{"host": "127.0.0.1", "port": port, "names": []}] * 40)
    seen = {(each["chain"][0]["fingerprint_sha256"], each["served_by"]["container"]) for each in answer["endpoints"]}
    assert seen == set(owner.items())
