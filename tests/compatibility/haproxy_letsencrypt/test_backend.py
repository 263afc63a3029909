# SPDX-License-Identifier: Apache-2.0
"""The file for HAProxy that the role writes without OpenStack-Ansible. It is only written here; test_answered.py and molecule have it read."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import pytest
from lab import NEWEST, OLDEST, collections, venv


@pytest.mark.parametrize("core", (OLDEST, NEWEST))
def test_the_backend_names_every_node_where_it_listens(tmp_path, core):
    """Where a node says another address for its answers, that one; nodes that are not in the run are named too."""
    hosts = {
        "node1": {"ansible_host": "192.0.2.1", "haproxy_ssl_letsencrypt_certbot_bind_address": "198.51.100.1"},
        "node2": {"ansible_host": "192.0.2.2", "management_address": "203.0.113.2"},
        "node3": {"ansible_host": "2001:db8::3"},
    }
    inventory = {"all": {"children": {"haproxy": {"hosts": {name: {"ansible_connection": "local", **each} for name, each in hosts.items()}}}}}
    file = tmp_path / "letsencrypt.cfg"
    call = {"ansible.builtin.include_role": {"name": "tls.everywhere.haproxy_letsencrypt", "tasks_from": "configuration.yml"},
            "vars": {"haproxy_letsencrypt_configuration": str(file), "haproxy_letsencrypt_group": "root", "external_lb_vip_address": "192.0.2.10"}}
    (tmp_path / "inventory.json").write_text(json.dumps(inventory))
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "node1", "gather_facts": False, "tasks": [call]}]))
    place = str(collections())
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "ANSIBLE_HOME": str(tmp_path / "ansible"), "ANSIBLE_NOCOLOR": "1",
                   "ANSIBLE_COLLECTIONS_PATH": place, "ANSIBLE_COLLECTIONS_PATHS": place}
    command = [pathlib.Path(venv(core)) / "bin/ansible-playbook", "-i", tmp_path / "inventory.json", "-e", "ansible_python_interpreter=/usr/bin/python3",
               tmp_path / "play.yml"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    servers = re.findall(r"^ *server (\S+) (\S+)$", file.read_text(), re.MULTILINE)
    assert servers == [("node1", "198.51.100.1:8888"), ("node2", "203.0.113.2:8888"), ("node3", "[2001:db8::3]:8888")]
