# SPDX-License-Identifier: Apache-2.0
"""What follows when certmonger has saved a certificate: further files, the user's script, containers."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
import subprocess

import pytest
from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_REQUEST, CONTAINER_RESTART
from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_hooks, certificate_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

SETTINGS = certificate_plan.Settings(
    "/etc/pki/tls", "/etc/certmonger/", "# Ansible managed", True, None, None, chains={"IPA": "/etc/ipa/ca.crt"}, hook_setype="certmonger_unconfined_exec_t",
)
WEB = {"name": "web", "dns": "www.example.com", "ca": "ipa", "principal": "HTTP/www.example.com@EXAMPLE.COM"}
PEM = {"path": "/etc/haproxy/web.pem", "owner": "haproxy", "mode": "0640"}


def planned(settings=SETTINGS, **entry):
    """The plan of one request, and what is wrong with it."""
    notes = certificate_plan.Notes()
    return certificate_plan.plan([{**WEB, **entry}], settings, notes), notes.faults


def written(**entry):
    """The files of the hook of a request that has no fault, by name."""
    plan, faults = planned(**entry)
    assert faults == []
    return {script.path: script for script in plan.scripts if script.content is not None}


def test_a_container_is_told_what_was_decided_when_the_request_was_made():
    files = written(restart={"containers": ["haproxy"], "action": "auto"})
    mapping = files["/etc/tls-everywhere/web.json"]
    assert json.loads(mapping.content) == {
        "name": "web", "certificate": "/etc/pki/tls/certs/web.crt", "private_key": "/etc/pki/tls/private/web.key", "missing": "skip",
        "containers": ["haproxy"], "action": "auto",
    }
    assert mapping.mode == "0600" and files["/etc/tls-everywhere/web.sh"].mode == "0700"
    assert files["/etc/tls-everywhere/web.sh"].wish["setype"] == "certmonger_unconfined_exec_t"
    assert "setype" not in mapping.wish


def test_an_empty_restart_has_the_containers_found():
    files = written(restart={})
    assert "containers" not in json.loads(files["/etc/tls-everywhere/web.json"].content)


def test_what_certmonger_runs_is_the_hook_and_the_users_script_is_a_part_of_it():
    plan, faults = planned(restart={}, run_after="touch /tmp/x\n", pem=PEM)
    assert faults == [] and plan.wishes[0]["issuer"]["certmonger"]["post_save"] == "/etc/tls-everywhere/web.sh"
    steps = [line for line in next(script for script in plan.scripts if script.path.endswith("web.sh")).content.splitlines() if "step " in line]
    users = next(script for script in plan.scripts if "post-scripts" in script.path)
    assert users.content == "#!/bin/bash\n# Ansible managed\ntouch /tmp/x\n"
    assert steps == [
        "step files /usr/local/libexec/tls-everywhere/cert_request /etc/tls-everywhere/web.files.json || broken=1",
        f"step run_after {users.path}",
        '[ -n "${broken:-}" ] || step containers containers',
    ]
    assert plan.programs == {"cert_request", "container_restart"}


def test_a_pem_is_made_of_what_certmonger_saved_and_never_asks_certmonger():
    plan, faults = planned(pem=PEM)
    assert faults == [] and [file["content"] for file in plan.wishes[0]["files"]] == ["private_key", "certificate"]
    copies = plan.copies[0]
    assert copies["subject"] == {"CN": "web"} and "dns" not in copies, "what is provided is not asked for names"
    assert copies["issuer"] == {"provided": {
        "certificate": "/etc/pki/tls/certs/web.crt", "private_key": "/etc/pki/tls/private/web.key", "chain": "/etc/ipa/ca.crt",
    }}
    assert copies["files"] == [{
        "content": "combined", "path": "/etc/haproxy/web.pem", "owner": "haproxy", "mode": "0640",
        "parts": ["certificate", "chain", "root", "private_key"],
    }]
    assert review(CERT_REQUEST, {"certificates": [copies]}).faults == []
    stored = written(pem=PEM)["/etc/tls-everywhere/web.files.json"]
    assert json.loads(stored.content) == {"certificates": [copies], "state": "present"} and stored.mode == "0600"
    assert plan.programs == {"cert_request"}


def test_without_the_authoritys_file_a_pem_has_what_there_is():
    plan, faults = planned(ca="self-sign", pem=PEM)
    assert faults == [] and plan.copies[0]["files"][0]["parts"] == ["certificate", "private_key"]
    assert "chain" not in plan.copies[0]["issuer"]["provided"]


def test_a_file_that_certmonger_keeps_for_the_authority_is_the_chain():
    plan, _faults = planned(ca_file="/etc/pki/CA/certs/vnc.crt", pem=PEM)
    assert plan.copies[0]["issuer"]["provided"]["chain"] == "/etc/pki/CA/certs/vnc.crt"


def test_copies_are_by_content_or_by_what_they_are_a_copy_of():
    plan, faults = planned(restart={}, copies=[
        {"src": "/etc/pki/tls/certs/web.crt", "dest": "/etc/pki/libvirt/servercert.pem"},
        {"content": "private_key", "path": "/etc/pki/libvirt/private/serverkey.pem", "group": "qemu"},
        {"src": "/etc/ipa/ca.crt", "path": "/etc/pki/CA/cacert.pem", "mode": 0o644},
    ])
    assert faults == [] and plan.copies[0]["files"] == [
        {"content": "certificate", "path": "/etc/pki/libvirt/servercert.pem"},
        {"content": "private_key", "path": "/etc/pki/libvirt/private/serverkey.pem", "group": "qemu", "mode": "0640"},
        {"content": "ca_bundle", "path": "/etc/pki/CA/cacert.pem", "mode": "0644"},
    ]
    mapping = json.loads(next(script for script in plan.scripts if script.path.endswith("web.json")).content)
    assert mapping["certificate"] == "/etc/pki/libvirt/servercert.pem" and mapping["private_key"] == "/etc/pki/libvirt/private/serverkey.pem"


def test_who_serves_a_pem_is_asked_for_the_pem():
    mapping = json.loads(written(restart={}, pem=PEM)["/etc/tls-everywhere/web.json"].content)
    assert mapping["certificate"] == "/etc/haproxy/web.pem" and "private_key" not in mapping
    mapping = json.loads(written(restart={"certificate": "/x.crt", "private_key": "/x.key"}, pem=PEM)["/etc/tls-everywhere/web.json"].content)
    assert mapping["certificate"] == "/x.crt" and review(CONTAINER_RESTART, mapping).faults == []


@pytest.mark.parametrize(("entry", "text"), [
    ({"restart": ["haproxy"]}, "restart: is a dictionary of options of container_restart"),
    ({"restart": {"container": ["haproxy"]}}, "did you mean 'containers'"), ({"restart": {"action": "kill"}}, "restart: "),
    ({"copies": {"path": "/x"}}, "copies: is no list"), ({"copies": [{"src": "/etc/pki/tls/certs/web.crt"}]}, "copies[0]: is no dictionary with a path"),
    ({"copies": [{"src": "/etc/passwd", "path": "/x"}]}, "copies[0]: '/etc/passwd' is not what certmonger saves"),
    ({"copies": [{"content": "certificate", "path": "/x"}]}, "copies: none of them holds the private key"),
    ({"copies": [{"content": "key", "path": "/x"}]}, "copies: "),
    ({"copies": [{"content": "certificate", "path": "/x", "onwer": "a"}]}, "nobody knows 'onwer'"),
    ({"pem": "/p"}, "pem: is a dictionary with path"), ({"pem": {"path": "/p", "parts": []}}, "pem: nobody knows 'parts'"),
    ({"ca": "self-sign", "copies": [{"content": "root", "path": "/x"}]}, "no file with the certificates of the CA is known"),
])
def test_faults_name_the_option(entry, text):
    _plan, faults = planned(**entry)
    assert any(fault.startswith("certificate_requests[0].") and text in fault for fault in faults), faults


def test_a_hook_that_is_wished_no_more_is_removed_but_not_the_options_that_another_may_have_written():
    plan, _faults = planned()
    gone = [script.path for script in plan.scripts if script.content is None]
    assert gone[2:] == ["/etc/tls-everywhere/web.sh", "/etc/tls-everywhere/web.files.json", "/etc/tls-everywhere/web.served"]
    plan, _faults = planned(restart={})
    assert [script.path for script in plan.scripts if script.content is None][2:] == ["/etc/tls-everywhere/web.files.json"]


@pytest.mark.parametrize("name", ["web", "/srv/it's/$(touch x)", "a b", 'q"uote'])
def test_a_script_is_bash_whatever_the_name(name):
    plan, faults = planned(name=name, restart={}, pem=PEM, run_after="true")
    assert faults == []
    script = next(script for script in plan.scripts if script.path.startswith("/etc/tls-everywhere/") and script.path.endswith(".sh"))
    checked = subprocess.run(["bash", "-n"], input=script.content, text=True, capture_output=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stderr


def run(tmp_path, users="exit 0", **programs):
    """What a hook says whose programs are these scripts; they may write into the working directory."""
    for name, text in {"cert_request": "true", "container_restart": "true", **programs, "users.sh": users}.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    places = certificate_hooks.Places(str(tmp_path), str(tmp_path), str(tmp_path / "log"))
    source = certificate_hooks.Source("web", str(tmp_path / "c"), "/k", None)
    hook = certificate_hooks.Hook(source, [{"content": "combined", "path": "/p"}], {"certificate": str(tmp_path / "c")})
    for path, text in hook.written(places, "# x", str(tmp_path / "users.sh")).items():
        pathlib.Path(path).write_text(text, encoding="utf-8")
    done = subprocess.run(["bash", tmp_path / "web.sh"], capture_output=True, timeout=60, check=False, cwd=tmp_path)
    log = tmp_path / "log" / "web.log"
    lines = log.read_text(encoding="utf-8").splitlines()
    log.unlink()
    return done.returncode, lines


@pytest.mark.parametrize(("programs", "lines", "status"), [
    ({}, ["files", "run_after", "containers"], 0),
    ({"cert_request": "exit 1"}, ["files", "files: failed with status 1", "run_after"], 1),
    ({"container_restart": "exit 3"}, ["files", "run_after", "containers", "containers: failed with status 3"], 1),
    ({"users": "no bash (at all"}, ["files", "run_after", "containers"], 1),
])
def test_the_steps_run_in_order_and_old_files_restart_nobody(tmp_path, programs, lines, status):
    (tmp_path / "c").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="utf-8")
    found, said = run(tmp_path, **programs)
    assert found == status and [line for line in said if line in lines] == lines


def test_what_a_hook_says_is_in_the_journal_unless_a_directory_is_wished():
    hook = certificate_hooks.Hook(certificate_hooks.Source("web", "/c", "/k", None), [], {"certificate": "/c"})
    script = hook.written(certificate_hooks.Places(), "#", None)["/etc/tls-everywhere/web.sh"]
    ways = ("systemd-cat --identifier tls-everywhere-web", "logger --tag tls-everywhere-web", ">>/var/log/tls-everywhere/web.log")
    order = [script.index(each) for each in ways]
    assert order == sorted(order)
    script = hook.written(certificate_hooks.Places(logs="/my/logs"), "#", None)["/etc/tls-everywhere/web.sh"]
    assert "mkdir -p /my/logs && exec >>/my/logs/web.log 2>&1" in script and "systemd-cat" not in script


def test_containers_are_told_which_certificates_are_replaced(tmp_path):
    told = []
    for body in ("AAAA", "BBBB", "BBBB", "CCCC"):
        key = "-----BEGIN PRIVATE KEY-----\nZZZZ\n-----END PRIVATE KEY-----\n"
        one = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
        (tmp_path / "c").write_text(key + one + one.replace(body, "DDDD"), encoding="utf-8")
        assert run(tmp_path, container_restart='cat "$1" >told.json')[0] == 0
        options = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
        assert options["certificate"] == str(tmp_path / "c")
        told.append(options["replaces"])
    one, two = (hashlib.sha256(base64.b64decode(body)).hexdigest() for body in ("AAAA", "BBBB"))
    assert told == [[], [one], [one], [one, two]]


def certificate_file(path, body):
    """A certificate as far as a hook looks; its fingerprint."""
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n", encoding="utf-8")
    return hashlib.sha256(base64.b64decode(body)).hexdigest()


def remember(tmp_path):
    """What a hook knows when it has been installed."""
    place = certificate_hooks.Places(str(tmp_path), str(tmp_path), str(tmp_path / "log"))
    source = certificate_hooks.Source("web", str(tmp_path / "saved"), "/k", None)
    hook = certificate_hooks.Hook(source, [{"content": "combined", "path": "/p"}], {"certificate": str(tmp_path / "c")})
    (tmp_path / "web.sh").write_text(hook.written(place, "# x", "/nonexistent/users.sh")[f"{tmp_path}/web.sh"], encoding="utf-8")
    subprocess.run(["bash", tmp_path / "web.sh", "remember"], timeout=60, check=True)
    assert not (tmp_path / "log/web.log").read_text(encoding="utf-8"), "it did something else"
    (tmp_path / "log/web.log").unlink()
    return (tmp_path / "web.served").read_text(encoding="utf-8").split()


def test_the_first_certificate_tells_no_container(tmp_path):
    """A container by that name may run, with a certificate for the same names from elsewhere: it must not be restarted for this one."""
    assert remember(tmp_path) == ["none"]
    told = tmp_path / "told.json"
    first = certificate_file(tmp_path / "c", "AAAA")
    assert run(tmp_path, container_restart='cat "$1" >told.json')[0] == 0 and not told.exists()
    assert (tmp_path / "web.served").read_text(encoding="utf-8").split() == [first]
    certificate_file(tmp_path / "c", "BBBB")
    assert run(tmp_path, container_restart='cat "$1" >told.json')[0] == 0
    assert json.loads(told.read_text(encoding="utf-8"))["replaces"] == [first]


def test_of_a_certificate_that_is_taken_over_the_one_that_is_there_is_replaced(tmp_path):
    saved = certificate_file(tmp_path / "saved", "AAAA")
    assert remember(tmp_path) == [saved]
    mounted = certificate_file(tmp_path / "c", "BBBB")
    (tmp_path / "web.served").unlink()
    assert remember(tmp_path) == [mounted], "what containers mount is what they serve"
    certificate_file(tmp_path / "c", "CCCC")
    assert remember(tmp_path) == [mounted], "what it knows stays"
