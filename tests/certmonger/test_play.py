# SPDX-License-Identifier: Apache-2.0
"""The module in a playbook: the example of its documentation that is about certmonger, run twice by ansible-playbook."""

from __future__ import annotations

import ast
import json
import os
import pathlib
import subprocess

import yaml
from lab import Certificate

TOP = pathlib.Path(__file__).resolve().parents[2]


def example(lab):
    """The task, with its paths below the lab."""
    tree = ast.parse((TOP / "plugins/modules/cert_request.py").read_text(encoding="utf-8"))
    text = next(node.value.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "EXAMPLES")
    found = [task for task in yaml.safe_load(text.replace("/etc/", f"{lab.place}/etc/")) if '"certmonger": {' in json.dumps(task)]
    assert len(found) == 1
    for directory in ("certs", "private"):
        (lab.place / "etc/pki/tls" / directory).mkdir(parents=True, exist_ok=True)
    return {**found[0], "register": "answer"}


def play(lab, task):
    """One run of ansible-playbook; the answer of the task."""
    collections = lab.place / "collections"
    if not collections.exists():
        subprocess.run([TOP / "scripts/place-collection", collections], check=True, timeout=60)
    made = subprocess.run([TOP / "scripts/venv", "ansible-2.19"], check=True, capture_output=True, text=True, timeout=900).stdout.strip()
    answer = lab.place / "answer.json"
    answer.unlink(missing_ok=True)
    save = {"ansible.builtin.copy": {"content": "{{ answer | to_json }}", "dest": str(answer), "mode": "0600"}}
    # The address goes the way of a play: nothing of it is in the environment of ansible-playbook.
    environment = {"DBUS_SYSTEM_BUS_ADDRESS": lab.environment["DBUS_SYSTEM_BUS_ADDRESS"]}
    playbook = lab.place / "play.json"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "environment": environment, "tasks": [task, save]}]), encoding="utf-8")
    settings = {"PATH": os.environ["PATH"], "HOME": str(lab.place / "home"), "LC_ALL": "C.UTF-8", "ANSIBLE_COLLECTIONS_PATH": str(collections),
                "ANSIBLE_NOCOLOR": "true", "ANSIBLE_LOCALHOST_WARNING": "false"}
    command = [f"{made}/bin/ansible-playbook", "-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=/usr/bin/python3", playbook]
    done = subprocess.run(command, env=settings, cwd=lab.place, timeout=120, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return json.loads(answer.read_text(encoding="utf-8"))


def test_the_example_runs_and_the_second_run_changes_nothing(own):
    # The lab's helper in the place of a FreeIPA server: a stand-in, which issues by certmonger's own local CA.
    own.getcert("modify-ca", "-c", "IPA", "-e", own.place / "helper")
    task = example(own)
    first = play(own, task)
    assert first["changed"] and first["renewed"] == ["novnc-proxy"]
    certificate = Certificate(own.place / "etc/pki/tls/certs/novnc_proxy.crt")
    assert certificate.names == {"DNS:overcloud.internalapi.example.org"}
    assert certificate.belongs_to(own.place / "etc/pki/tls/private/novnc_proxy.key")
    listed = own.listed(certificate.path)
    assert listed["CA"] == "IPA" and listed["principal name"] == "novnc-proxy/overcloud.internalapi.example.org@EXAMPLE.ORG"
    assert listed["post-save command"] == "/usr/bin/podman restart nova_vnc_proxy"
    assert not play(own, task)["changed"]
