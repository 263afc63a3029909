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
        certificates. V(ensure) does both, the second where nothing is to be prepared before. V(first_boot) leaves the requests for
        the first boot of an image that is being built.
    type: str
    required: true
    choices: [look, ensure, requests, first_boot]
  service:
    description: Steps V(look) and V(ensure). The unit of certmonger; empty where somebody else starts it.
    type: str
    default: certmonger
  packages:
    description: Steps V(look) and V(ensure). What is to be installed where no service is named.
    type: list
    elements: str
    default: []
  booted:
    description: Step V(ensure). Whether this is a running system, where it is known without looking.
    type: raw
  trust:
    description: Step V(ensure). What goes into the system's trust store before; then this step only looks.
    type: list
    elements: dict
    default: []
  host:
    description: Steps V(requests) and V(first_boot). The result of an earlier look.
    type: dict
    default: {}
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
done:
  description: Steps V(look) and V(ensure), whether all is done; the role prepares the host otherwise.
  returned: success
  type: bool
  sample: true
family:
  description: Steps V(look) and V(ensure), the family of the distribution by its os-release, as Ansible calls it.
  returned: success
  type: str
  sample: RedHat
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
            step=dict(type='str', required=True, choices=['look', 'ensure', 'requests', 'first_boot']),
            service=dict(type='str', default='certmonger'),
            packages=dict(type='list', elements='str', default=[]),
            booted=dict(type='raw'),
            trust=dict(type='list', elements='dict', default=[]),
            host=dict(type='dict', default={}),
            requests=dict(type='list', elements='dict', default=[]),
            settings=dict(type='dict', default={}),
            directory=dict(type='path'),
        ),
        supports_check_mode=True,
    )
    module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])


if __name__ == '__main__':
    main()
