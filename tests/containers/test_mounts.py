# SPDX-License-Identifier: Apache-2.0
"""How a certificate gets into a container decides what makes the new one visible there."""

from __future__ import annotations

import os
import pathlib
import signal

import services


def inside(service, name):
    """Device and inode of a file as the container sees it."""
    status = os.stat(f"/proc/{service.container.pid()}/root/certs/{name}")
    return status.st_dev, status.st_ino


def outside(service, name):
    """The same on the host."""
    status = os.stat(service.pair.directory / name)
    return status.st_dev, status.st_ino


def test_a_file_mounted_for_itself_stays_the_old_one_when_it_is_replaced(engine, work):
    service = services.start(engine, work, "haproxy", mount="file")
    old = service.pair.fingerprint()
    assert inside(service, "tls.pem") == outside(service, "tls.pem")
    new = service.pair.renew()
    assert inside(service, "tls.pem") != outside(service, "tls.pem")
    before = service.container.pids()
    service.container.signal(signal.SIGHUP)
    # It did reload, from the old inode.
    services.until("there is a new worker", lambda: set(service.container.pids()) - set(before))
    service.keeps(old)
    service.container.restart()
    service.serves(new)
    assert inside(service, "tls.pem") == outside(service, "tls.pem")


def test_a_file_mounted_for_itself_is_the_new_one_when_it_is_written_in_place(engine, work):
    service = services.start(engine, work, "haproxy", mount="file")
    new = service.pair.renew(in_place=True)
    assert inside(service, "tls.pem") == outside(service, "tls.pem")
    service.container.signal(signal.SIGHUP)
    service.serves(new)


def test_in_a_mounted_directory_a_reload_is_enough(engine, work):
    service = services.start(engine, work, "haproxy")
    new = service.pair.renew()
    assert inside(service, "tls.pem") == outside(service, "tls.pem")
    service.container.signal(signal.SIGHUP)
    service.serves(new)


def test_an_absolute_link_in_a_container_leads_out_of_it_when_it_is_read_from_the_host(docker, work):
    (work / "secret").write_text("of the host\n")
    container = docker.run("linked", "tiny", "sh", "-c", f"ln -s {work}/secret /certs/link; exec sleep 1000")
    services.until("the link is there", lambda: container.exec("readlink", "/certs/link", check=False))
    assert container.exec("cat", "/certs/link", check=False) == ""
    assert pathlib.Path(f"/proc/{container.pid()}/root/certs/link").read_text() == "of the host\n"


def test_no_process_keeps_its_certificate_open(docker, work):
    service = services.start(docker, work, "haproxy")
    found = []
    for pid in service.container.pids():
        found += [os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    assert found and not [target for target in found if "tls." in target]


def test_two_containers_on_one_port_of_the_host_answer_in_turn(engine, work):
    port = services.free_port()
    both = [services.start(engine, work, "haproxy", port=port, address="127.0.0.1", options=("--network", "host"), wait=False) for _ in range(2)]
    wanted = {service.pair.fingerprint() for service in both}
    services.until("both listen", lambda: {both[0].served() for _ in range(10)} == wanted)
    served = [both[0].served() for _ in range(40)]
    assert set(served) == wanted, "a probe of the port tells nothing about one container"
