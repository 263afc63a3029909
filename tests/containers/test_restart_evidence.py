# SPDX-License-Identifier: Apache-2.0
"""Who uses the certificate: a mount is not use, a name is exact, a copy is not the file, a port is not a container."""

from __future__ import annotations

import json
import os
import shutil

import services
from certificates import Pair, fingerprint
from container import standings


def test_a_bystander_that_mounts_the_parent_directory_is_not_touched(engine, work, restart_of):
    user = services.start(engine, work, "haproxy", name="user", pair=Pair(work / "pki/user"))
    other = services.start(engine, work, "haproxy", name="other", pair=Pair(work / "pki/other", "other.test"))
    silent = engine.run("silent", "tiny", "sleep", "1000", mounts=[f"{work}/pki:/etc/pki:ro"])
    # It serves its own certificate, and the whole directory is mounted elsewhere in it.
    namesake = services.start(engine, work, "haproxy", name="namesake", pair=Pair(work / "namesake"),
                              options=["--volume", f"{work}/pki:/etc/pki:ro"])
    bystanders = [other.container, silent, namesake.container]
    old = user.pair.fingerprint()
    wanted = user.pair.renew()
    before = standings(bystanders)
    answer = restart_of(engine).succeeds(user, replaces=[old])
    assert answer.acted == answer.proven == ["user"], json.dumps(answer, indent=1)
    assert standings(bystanders) == before
    user.keeps(wanted)
    assert answer.of(silent)["decision"] == "unrelated" and "serves no certificate" in answer.of(silent)["why"]
    # The same names, but not what was replaced: every service of a host may have the host's one name.
    assert answer.of(namesake.container)["decision"] == "unrelated"
    assert {one["name"] for one in answer["containers"]} == {"user", "silent", "namesake"}, "who does not mount it is not even looked at"


def test_a_file_that_is_mounted_alone_and_replaced_needs_a_restart_and_one_written_in_place_does_not(engine, work, restart_of):
    service = services.start(engine, work, "haproxy", mount="file")
    restart = restart_of(engine)
    options = {"certificate": str(service.pair.combined), "private_key": None}
    wanted = service.pair.renew(in_place=True)
    inside = restart.succeeds(service, **options)
    place = inside.of(service.container)["evidence"]["mounts"][0]
    assert (place["kind"], place["content"]) == ("file", "same")
    assert inside.of(service.container)["action"] == "signal"
    service.keeps(wanted)
    wanted = service.pair.renew()
    answer = restart.succeeds(service, **options)
    assert answer.of(service.container)["evidence"]["mounts"][0]["content"] == "old"
    assert answer.of(service.container)["action"] == "restart" and "holds on to the file" in answer.of(service.container)["why"]
    service.keeps(wanted)
    assert not restart.succeeds(service, **options).changed


def test_a_directory_that_was_replaced_as_a_whole_needs_a_restart(docker, work, restart_of):
    service = services.start(docker, work, "haproxy")
    directory = service.pair.directory
    os.rename(directory, f"{directory}.old")
    shutil.copytree(f"{directory}.old", directory)
    wanted = service.pair.renew()
    answer = restart_of(docker).succeeds(service)
    assert answer.of(service.container)["evidence"]["mounts"][0]["content"] == "old"
    assert answer.of(service.container)["action"] == "restart"
    service.keeps(wanted)


def test_a_name_is_exact_and_no_pattern(engine, work, restart_of):
    service = services.start(engine, work, "haproxy", name="b1")
    sidecar = services.start(engine, work, "haproxy", name="xx-b1-sidecar", pair=service.pair)
    wanted = service.pair.renew()
    before = sidecar.container.standing()
    answer = restart_of(engine).succeeds(service, containers=["b1"])
    assert answer.acted == ["b1"] and len(answer["containers"]) == 1
    service.keeps(wanted)
    assert sidecar.container.standing() == before


def test_two_containers_that_share_a_port_of_the_host_are_told_apart(docker, work, restart_of):
    port = services.free_port()
    options = ("--network", "host")
    pairs = [Pair(work / "one"), Pair(work / "two")]
    both = [services.start(docker, work, "haproxy", port=port, address="127.0.0.1", name=f"shared-{number}", pair=pair, options=options, wait=False)
            for number, pair in enumerate(pairs)]
    for service, pair in zip(both, pairs):
        service.serves(pair.fingerprint())
    old = pairs[0].fingerprint()
    pairs[0].renew()
    before = both[1].container.standing()
    answer = restart_of(docker).succeeds(both[0], replaces=[old])
    assert answer.acted == answer.proven == ["shared-0"], json.dumps(answer, indent=1)
    assert both[1].container.standing() == before
    listener = answer.of("shared-0")["evidence"]["listeners"][0]
    assert listener["before"] == old and listener["after"] == pairs[0].fingerprint()
    assert listener["by"] in both[0].container.pids()
    assert not restart_of(docker).succeeds(both[0], replaces=[old]).changed


def test_a_link_in_the_container_leads_to_the_containers_file_and_not_to_the_hosts(docker, work, restart_of):
    outside = Pair(work / "outside")
    pair = Pair(work / "linked/certs")
    # On the host `tls.crt` leads to the new certificate; in the container the same path leads nowhere.
    pair.certificate.unlink()
    pair.certificate.symlink_to(outside.certificate)
    service = services.start(docker, work, "haproxy", name="linked", pair=pair, wait=False)
    service.serves(fingerprint(pair.combined))
    before = service.container.standing()
    answer = restart_of(docker).succeeds(service, certificate=str(pair.certificate), private_key=str(outside.key), replaces=["AB" * 32])
    assert answer.of("linked")["evidence"]["mounts"][0]["content"] == "absent", json.dumps(answer, indent=1)
    assert answer.acted == [] and service.container.standing() == before


def test_a_label_is_evidence_by_path_and_by_name_and_selects(docker, work, restart_of):
    labelled = services.start(docker, work, "haproxy", name="labelled", options=["--label", "tls.everywhere.certificate=web,other", "--label", "tier=edge"])
    apart = services.start(docker, work, "haproxy", name="apart", options=["--label", "tls.everywhere.certificate=elsewhere"])
    restart = restart_of(docker)
    # Found by its label alone: what it mounts is another file.
    elsewhere = Pair(work / "elsewhere")
    found = restart.succeeds(elsewhere, check=True, name="web")
    assert [(one["name"], one["selected_by"]) for one in found["containers"]] == [("labelled", "label")]
    wanted = labelled.pair.renew()
    before = apart.container.standing()
    answer = restart.succeeds(labelled, labels={"tier": "edge"})
    assert answer.acted == ["labelled"] and apart.container.standing() == before
    labelled.keeps(wanted)


def test_the_copies_of_kolla_are_refreshed_and_the_program_reloaded(docker, services_image, work, restart_of):
    for mount in ("kolla", "kolla-once"):
        service = services.start(docker, work, "nginx", mount=mount)
        wanted = service.pair.renew()
        started = service.container.started_at()
        answer = restart_of(docker).succeeds(service)
        own = answer.of(service.container)
        assert own["actions"] == ["sync", "signal HUP"], json.dumps(answer, indent=1)
        assert [copy["fresh"] for copy in own["evidence"]["copies"]] == [False, False]
        assert own["evidence"]["strategy"] == ("COPY_ONCE" if mount == "kolla-once" else "COPY_ALWAYS")
        service.keeps(wanted)
        assert service.container.started_at() == started
        assert service.container.exec("stat", "-c", "%a %U", "/certs/tls.key") == "600 root"
        for name in ("tls.crt", "tls.key"):
            service.container.exec("cmp", f"/var/lib/kolla/config_files/src-tls/{name}", f"/certs/{name}")
        assert not restart_of(docker).succeeds(service).changed


def test_without_sync_a_copy_that_is_made_once_needs_a_new_container_and_another_a_restart(docker, services_image, work, restart_of):
    always = services.start(docker, work, "nginx", mount="kolla", name="always")
    once = services.start(docker, work, "nginx", mount="kolla-once", name="once")
    wanted = always.pair.renew()
    once.pair.renew()
    answer = restart_of(docker).succeeds(always, sync=False)
    assert answer.of("always")["action"] == "restart"
    always.keeps(wanted)
    before = once.container.standing()
    answer = restart_of(docker).fails(once, "container.recreate", sync=False)
    assert "COPY_ONCE" in answer.msg and answer.changed is False
    assert once.container.standing() == before


def test_validation_that_fails_leaves_the_copies_as_they_were(docker, services_image, work, restart_of):
    service = services.start(docker, work, "nginx", mount="kolla")
    old = service.pair.fingerprint()
    service.pair.renew()
    before = service.container.standing()
    answer = restart_of(docker).fails(service, "preflight.validation", validate_command=["nginx", "-t", "-c", "/no/such/file"])
    assert "/no/such/file" in answer.msg
    assert service.container.standing() == before
    service.keeps(old)
    assert service.container.exec("openssl", "x509", "-in", "/certs/tls.crt", "-noout", "-fingerprint", "-sha256").endswith(old)


def test_validation_that_fails_takes_a_copy_away_again_that_was_not_there(docker, services_image, work, restart_of):
    service = services.start(docker, work, "nginx", mount="kolla")
    old = service.pair.fingerprint()
    service.container.exec("rm", "/certs/tls.key")
    service.pair.renew()
    before = service.container.standing()
    answer = restart_of(docker).fails(service, "preflight.validation", validate_command=["false"])
    assert not answer.changed and service.container.standing() == before
    assert service.container.exec("ls", "/certs").split() == ["tls.crt", "tls.pem"], "neither the key nor a temporary file stays"
    assert service.container.exec("openssl", "x509", "-in", "/certs/tls.crt", "-noout", "-fingerprint", "-sha256").endswith(old)
    service.keeps(old)


def test_an_endpoint_of_the_host_speaks_for_who_answers_it_and_for_nobody_else(docker, work, restart_of):
    port = services.free_port()
    user = services.start(docker, work, "haproxy", name="user", port=port, address="127.0.0.1", options=("--network", "host"), pair=Pair(work / "pki/user"))
    bystander = docker.run("bystander", "tiny", "sleep", "1000", mounts=[f"{work}/pki:/pki:ro"])
    wanted = user.pair.renew()
    before = bystander.standing()
    answer = restart_of(docker).succeeds(user, verify=[{"host": "127.0.0.1", "port": port}])
    assert answer.acted == answer.proven == ["user"], json.dumps(answer, indent=1)
    assert answer.of("bystander")["decision"] == "unrelated" and bystander.standing() == before
    user.keeps(wanted)
