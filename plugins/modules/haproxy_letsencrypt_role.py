#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: haproxy_letsencrypt_role
short_description: The steps of the role tls.everywhere.haproxy_letsencrypt
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Works out which certificates OpenStack-Ansible's variables C(haproxy_ssl_letsencrypt_*) ask for, takes over those of certbot, gives
    HAProxy something to start with, and asks the ACME server.
  - It serves the role P(tls.everywhere.haproxy_letsencrypt#role) and is of no use by itself; its options may change with that role.
options:
  step:
    description:
      - V(plan) answers what there is to be. V(adopt) takes over what certbot has. V(placeholder) makes files that HAProxy lacks.
      - V(issue) asks the server where something is due. V(hook) writes the same wish into a file for the timer. V(retire) puts certbot's
        renewal of the same certificates out of service.
    type: str
    required: true
    choices: [plan, adopt, placeholder, issue, hook, retire]
  settings:
    description: The variables of the role.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing.
  diff_mode:
    support: full
    description: That of M(tls.everywhere.cert_request) and M(tls.everywhere.file_set).
"""

EXAMPLES = r"""
- name: As the role does it
  ansible.builtin.include_role:
    name: tls.everywhere.haproxy_letsencrypt
  vars:
    haproxy_ssl_letsencrypt_enable: true
    haproxy_ssl_letsencrypt_domains: [cloud.example.com]
"""

RETURN = r"""
certificates:
  description:
    - Step V(plan), a list with C(names), C(directory), C(certbot) and C(pems) of each.
    - Steps V(adopt), V(placeholder) and V(issue), the answer of M(tls.everywhere.cert_request).
  returned: success
  type: raw
  sample: []
pems:
  description: Step V(plan), HAProxy's files, each with C(path), C(address) and C(interface).
  returned: success
  type: list
  elements: dict
  sample: []
challenge:
  description: Step V(plan), how the names are proved.
  returned: success
  type: str
  sample: http-01
adopted:
  description: Step V(adopt), the directories of certbot whose certificates are in service now.
  returned: success
  type: list
  elements: str
  sample: [/etc/letsencrypt/live/cloud.example.com]
filled:
  description: Step V(adopt), HAProxy's files that were not there before.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec=dict(
            step=dict(type='str', required=True, choices=['plan', 'adopt', 'placeholder', 'issue', 'hook', 'retire']),
            settings=dict(type='dict', required=True),
        ),
        supports_check_mode=True,
    )
    module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])


if __name__ == '__main__':
    main()
