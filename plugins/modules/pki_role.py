#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: pki_role
short_description: The steps of the role tls.everywhere.pki
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Works out what the variables of OpenStack-Ansible's PKI role ask for, has P(tls.everywhere.pki_ca#module) and
    P(tls.everywhere.cert_request#module) do it for all hosts of a play at once, and installs the files of each host in one task.
  - It serves the role P(tls.everywhere.pki#role) and is of no use by itself; its options may change with that role.
  - The files of one certificate are installed by P(tls.everywhere.file_set#module) as a set, all or none.
  - Contents are never in the results, differences or logs.
options:
  step:
    description: What to do, on the controller and through the modules named above.
    type: str
    required: true
    choices: [plan, authorities, certificates, judge, read, install, host_state, host_request, host_sign, host_complete, host_retire, vault_certificates]
  lists:
    description: Step V(plan). Which lists of the role to work out.
    type: list
    elements: str
    default: []
    choices: [authorities, certificates, install_certificates, install_ca]
  settings:
    description: Step V(plan). The variables of the role that are not lists.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing.
  diff_mode:
    support: full
    description: Shows which files change, never what is in them.
"""

EXAMPLES = r"""
- name: As the role does it
  ansible.builtin.include_role:
    name: tls.everywhere.pki
    tasks_from: main_certs.yml
"""

RETURN = r"""
files:
  description: Step V(install), which files were changed.
  returned: success
  type: list
  elements: str
  sample: [/etc/rabbitmq/rabbitmq.pem]
"""

from ansible.module_utils.basic import AnsibleModule

STEPS = [
    'plan', 'authorities', 'certificates', 'judge', 'read', 'install',
    'host_state', 'host_request', 'host_sign', 'host_complete', 'host_retire', 'vault_certificates',
]


def main():
    """Refuses: every step is the action plugin's."""
    module = AnsibleModule(
        argument_spec=dict(
            step=dict(type='str', required=True, choices=STEPS),
            lists=dict(type='list', elements='str', default=[], choices=['authorities', 'certificates', 'install_certificates', 'install_ca']),
            settings=dict(type='dict', default={}),
        ),
        supports_check_mode=True,
    )
    module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])


if __name__ == '__main__':
    main()
