# SPDX-License-Identifier: Apache-2.0
"""Whom a new certificate is told, on every ansible-core: handlers by name and by topic, of the play and of roles, or nobody. The authority
of tests signs, so that no server is needed; the steps are those of every other mode."""

from __future__ import annotations

import json
import shutil

import pytest
from lab import CORES, ROLES, Lab, openssl, touched, touching

MODE = {"letsencrypt_self_sign_only": True, "letsencrypt_zone": "acme-sign.test", "letsencrypt_provider": {}}


@pytest.fixture
def lab(request, place):
    """A host with four certificates, on each ansible-core, and a directory for what handlers leave."""
    (place / "told").mkdir()
    certs = {key: [f"{key}.example.test"] for key in ("named", "listened", "of_role", "unheard")}
    return Lab(place, None, core=request.param, web1=certs)


def role(place, name, handlers):
    """A role of the user's with handlers and nothing else."""
    for part, content in (("handlers", handlers), ("tasks", [])):
        (place / "roles" / name / part).mkdir(parents=True)
        (place / "roles" / name / part / "main.yml").write_text(json.dumps(content))


def listening(place):
    """Two handlers that listen to the same topic, under names of their own."""
    made = touching(place, "first", "second")
    return [{**handler, "listen": "letsencrypt updated listened"} for handler in made]


@pytest.mark.parametrize("lab", CORES, indirect=True)
def test_all_who_listen_are_told_once_and_nobody_else(lab, place):
    role(place, "included", touching(place / "told", "letsencrypt updated of_role"))
    handlers = [*touching(place / "told", "letsencrypt updated named", "letsencrypt updated other"), *listening(place / "told")]
    # A role that is included at run time: its handlers are not known where tasks are imported.
    before = [{"name": "A role of the user's", "ansible.builtin.include_role": {"name": "included"}}]
    ran = lab.one(handlers, before, **MODE)
    wished = {f"web1 {name}": 1 for name in ("letsencrypt updated named", "first", "second", "letsencrypt updated of_role")}
    assert touched(place / "told") == wished
    assert "not found" not in ran.text and ran.recap("web1", "failed") == 0
    again = lab.one(handlers, before, **MODE)
    assert again.changed() == 0 and touched(place / "told") == wished


@pytest.mark.parametrize("lab", (CORES[0], CORES[-1]), indirect=True)
def test_handlers_are_heard_however_the_role_is_called(lab, place):
    role(place, "beside", touching(place / "told", "letsencrypt updated of_role"))
    handlers = [*touching(place / "told", "letsencrypt updated named"), *listening(place / "told")]
    wished = {f"web1 {name}": 1 for name in ("letsencrypt updated named", "first", "second", "letsencrypt updated of_role")}
    lab.play([{"hosts": "web1", "roles": ["beside", "tls.everywhere.letsencrypt"], "handlers": handlers}], **MODE)
    assert touched(place / "told") == wished
    # A file that is gone is written again from the others, and only who listens to its certificate hears of it.
    chain = lab.at("web1", "named.example.test", "ca.cer")
    before = chain.read_text()
    chain.unlink()
    include = {"name": "Certificates", "ansible.builtin.include_role": {"name": "tls.everywhere.letsencrypt"}}
    lab.play([{"hosts": "web1", "roles": ["beside"], "tasks": [include], "handlers": handlers}], **MODE)
    assert touched(place / "told") == {**wished, "web1 letsencrypt updated named": 2} and chain.read_text() == before


@pytest.mark.parametrize("lab", (CORES[0], CORES[-1]), indirect=True)
def test_opendevs_file_of_handlers_works_in_the_thin_role(lab, place):
    thin = place / "roles" / "letsencrypt-create-certs"
    shutil.copytree(ROLES / thin.name, thin)
    (thin / "handlers").mkdir()
    # As theirs: a name for each certificate of the estate, and a path from the playbook's directory.
    topics = [f"letsencrypt updated {key}" for key in ("named", "listened", "elsewhere01-main")]
    handlers = [{"name": topic, "include_tasks": f"roles/{thin.name}/handlers/touch_file.yaml"} for topic in topics]
    (thin / "handlers" / "main.yaml").write_text(json.dumps(handlers))
    (thin / "handlers" / "touch_file.yaml").write_text(json.dumps([{"ansible.builtin.shell": f"echo x >> {place}/told/touched"}]))
    lab.three(**MODE)
    assert touched(place / "told") == {"touched": 2}
    assert lab.three(**MODE).changed() == 0


def test_what_restarts_containers_is_given_what_is_new(place):
    lab = Lab(place, None, web1={"gitea": {"names": ["gitea.example.test"], "containers": ["gitea"]}, "other": ["other.example.test"]})
    handler = {"name": "restart", "listen": "tls certificate changed",
               "ansible.builtin.copy": {"content": "{{ letsencrypt_restart | to_json }}", "dest": str(place / "restart.json"), "mode": "0644"}}
    lab.one([handler], **MODE)
    given = {each["name"]: each for each in json.loads((place / "restart.json").read_text())}
    assert sorted(given) == ["gitea", "other"] and given["gitea"]["containers"] == ["gitea"]
    assert given["gitea"]["private_key"] == str(lab.at("web1", "gitea.example.test", "NAME.key"))


def test_names_are_real_and_the_chain_is_complete_in_the_mode_of_tests(place):
    lab = Lab(place, None, web1={"main": ["www.example.test", "example.test", "*.example.test"]}, web2={"main": ["db.example.test"]})
    ran = lab.three(letsencrypt_provider={}, letsencrypt_self_sign_only=True)
    for host, names in (("web1", ["www.example.test", "example.test", "*.example.test"]), ("web2", ["db.example.test"])):
        root = place / host / "state/test-authority/roots/letsencrypt-test-root/certs/letsencrypt-test-root.crt"
        lab.assert_served(host, names[0], names, root)
        assert "letsencrypt_self_sign_only (do not trust)" in openssl("x509", "-in", lab.at(host, names[0], "ca.cer"), "-noout", "-subject")
    assert ran.recap("ns", "changed") == 0, "no record goes into the DNS"
    assert lab.three(letsencrypt_provider={}, letsencrypt_self_sign_only=True).changed() == 0
