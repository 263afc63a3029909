# SPDX-License-Identifier: Apache-2.0
"""A stand-in for OpenStack-Ansible's role haproxy_server: it includes the file that we put in the place of upstream's, as upstream's main.yml does."""

from __future__ import annotations

import json
import shutil

from lab import TOP, serial
from servers import OVERRIDES

FILE = TOP / "extras/openstack-ansible-haproxy_server/tasks/haproxy_ssl_letsencrypt.yml"
# The condition and the tags are those of upstream's tasks/main.yml.
INCLUDE = [
    {"name": "Something else", "ansible.builtin.fail": {"msg": "not asked for"}, "tags": ["haproxy_server-install"]},
    {
        "name": "Including haproxy_ssl_letsencrypt tasks", "ansible.builtin.include_tasks": {
            "file": "haproxy_ssl_letsencrypt.yml", "apply": {"tags": ["haproxy_server-config", "letsencrypt"]}},
        "when": ["haproxy_ssl | bool", "haproxy_ssl_letsencrypt_enable | bool", "haproxy_user_ssl_cert | length == 0 or haproxy_user_ssl_key | length == 0"],
        "tags": ["haproxy_server-config", "letsencrypt"],
    },
]


def test_tags_and_defaults_of_the_including_role_hold_inside(make):
    """With --tags letsencrypt all of our tasks run; the binds are those of its defaults."""
    lab = make(nodes=1)
    [node] = lab.nodes
    lab.start_all(**OVERRIDES)
    role = node.place / "roles/haproxy_server"
    (role / "tasks").mkdir(parents=True)
    (role / "defaults").mkdir()
    (role / "tasks/main.yml").write_text(json.dumps(INCLUDE))
    shutil.copy(FILE, role / "tasks")
    binds = [{"address": "{{ haproxy_bind_external_lb_vip_address }}", "interface": "", "type": "external"}]
    upstream = {"haproxy_vip_binds": "{{ haproxy_tls_vip_binds | default(_haproxy_vip_binds) }}", "haproxy_user_ssl_cert": "", "haproxy_user_ssl_key": "",
                "_haproxy_vip_binds": binds, "haproxy_ssl": True, "haproxy_ssl_cert_path": "/etc/haproxy/ssl"}
    (role / "defaults/main.yml").write_text(json.dumps(upstream))
    lab.play(node, "--tags", "letsencrypt", role="haproxy_server")
    assert lab.served(node) == serial(lab.pem(node)) and lab.trusted(node)
