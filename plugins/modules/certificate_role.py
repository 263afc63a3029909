#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: certificate_role
short_description: The steps of the role tls.everywhere.certificate
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Works out what the variables of linux-system-roles.certificate ask for and has P(tls.everywhere.cert_request#module) do it for
    all certificates of a host at once. Scripts of hooks are written before, by P(tls.everywhere.file_set#module).
  - It serves the role P(tls.everywhere.certificate#role) and is of no use by itself; its options may change with that role.
options:
  step:
    description:
      - V(look) tells whether systemd and certmonger run, and which programs of hooks are not there yet. V(requests) makes the
        certificates. V(first_boot) leaves the requests for the first boot of an image that is being built.
    type: str
    required: true
    choices: [look, requests, first_boot]
  service:
    description: Step V(look). The unit of certmonger.
    type: str
    default: certmonger
  config_directory:
    description: Step V(look). The directory above those of the hooks' scripts.
    type: path
  requests:
    description: The role's list of requests.
    type: list
    elements: dict
    default: []
  settings:
    description: The variables of the role that are not lists.
    type: dict
    default: {}
  directory:
    description: Step V(first_boot). Where the requests wait.
    type: path
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing.
  diff_mode:
    support: full
    description: Shows which facts change, never a key.
"""

EXAMPLES = r"""
- name: As the role does it
  ansible.builtin.include_role:
    name: tls.everywhere.certificate
  vars:
    certificate_requests:
      - {name: web, dns: www.example.com, ca: self-sign}
"""

RETURN = r"""
booted:
  description: Step V(look), whether systemd runs here.
  returned: success
  type: bool
  sample: true
ready:
  description: Step V(look), whether certmonger runs and has the directories of its hooks.
  returned: success
  type: bool
  sample: true
ostree:
  description: Step V(look), whether packages are layered by rpm-ostree.
  returned: success
  type: bool
  sample: false
selinux:
  description: Step V(look), whether the host has SELinux.
  returned: success
  type: bool
  sample: false
programs:
  description: Step V(look), which programs of hooks are missing or out of date.
  returned: success
  type: list
  elements: str
  sample: [container_restart]
copies:
  description: Which further files of certificates were made outside a hook.
  returned: when there are any
  type: list
  elements: str
  sample: [/etc/pki/tls/certs/haproxy/overcloud-haproxy-ctlplane.pem]
missing:
  description: Step V(look), which directories of hooks are not there.
  returned: success
  type: list
  elements: str
  sample: []
certificates:
  description: Step V(requests), as RV(tls.everywhere.cert_request#module:certificates).
  returned: success
  type: dict
  sample: {}
hooks:
  description: Which scripts of hooks were written or removed.
  returned: when there are any
  type: list
  elements: str
  sample: [/etc/certmonger/post-scripts/web-1234567.sh]
"""

from ansible.module_utils.basic import AnsibleModule


def main():
    """Refuses: every step is the action plugin's."""
    module = AnsibleModule(
        argument_spec=dict(
            step=dict(type='str', required=True, choices=['look', 'requests', 'first_boot']),
            service=dict(type='str', default='certmonger'),
            config_directory=dict(type='path'),
            requests=dict(type='list', elements='dict', default=[]),
            settings=dict(type='dict', default={}),
            directory=dict(type='path'),
        ),
        supports_check_mode=True,
    )
    module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])


if __name__ == '__main__':
    main()
