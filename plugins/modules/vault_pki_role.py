#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: vault_pki_role
short_description: The steps of the role tls.everywhere.vault_pki
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Works out what P(tls.everywhere.pki_ca#module) and P(tls.everywhere.cert_request#module) are asked for, and has hosts trust the live
    roots of a mount by P(tls.everywhere.file_set#module).
  - It serves the role P(tls.everywhere.vault_pki#role) and is of no use by itself; its options may change with that role.
  - It sees neither tokens nor keys.
options:
  step:
    description: What to do.
    type: str
    required: true
    choices: [status, roots, trust, certificates, batches, standing, rotation]
  seen:
    description: Steps V(status), V(roots), V(trust), V(standing) and V(rotation). What M(tls.everywhere.pki_ca) told with C(inspect).
    type: dict
    default: {}
  settings:
    description: The variables of the role that are not secret.
    type: dict
    default: {}
  dropped:
    description: Steps V(roots) and V(trust). Roots that are not trusted any more, by name.
    type: list
    elements: str
    default: []
  store:
    description: Step V(trust). Where the system looks for authorities. Nowhere where nothing is said.
    type: str
    default: ""
  certificates:
    description: Step V(certificates). The role's C(vault_pki_certificates).
    type: list
    elements: dict
    default: []
  rotating:
    description: Step V(certificates). Whether another authority is a reason for a new certificate, whatever an entry says.
    type: bool
    default: false
  hosts:
    description: Step V(batches). All hosts.
    type: list
    elements: str
    default: []
  batches:
    description: Step V(batches). The role's C(vault_pki_batches).
    type: list
    elements: raw
    default: []
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing.
  diff_mode:
    support: full
    description: Shows which facts change, never a key.
"""

EXAMPLES = r"""
- name: Divide hosts into a first one and quarters
  tls.everywhere.vault_pki_role:
    step: batches
    hosts: "{{ ansible_play_batch }}"
    batches: [1, "25%"]
  register: divided
"""

RETURN = r"""
ready:
  description: Step V(status), whether certificates can be issued.
  returned: step status
  type: bool
  sample: true
roots:
  description: Steps V(roots) and V(trust), the file names of the live roots.
  returned: success
  type: list
  elements: str
  sample: [vault_pki-pki@root-1.crt]
bundle:
  description: Step V(roots), the live roots in PEM.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----\n…"
anchors_due:
  description: Step V(trust), whether the system has to read its authorities again.
  returned: success
  type: bool
  sample: false
stamp:
  description: Step V(trust), the C(path) and C(content) of a file that is to be written once it has.
  returned: with O(store)
  type: dict
  sample: {path: /var/lib/tls.everywhere/vault_pki-pki@read, content: "9f86d081884c7d65…\n"}
certificates:
  description: Step V(certificates), the same with files.
  returned: success
  type: list
  elements: dict
  sample: []
clients:
  description: Step V(certificates), those of them that are for clients.
  returned: success
  type: list
  elements: dict
  sample: []
in_directory:
  description: Step V(certificates), whether any of them does not say where its files are.
  returned: success
  type: bool
  sample: true
restart:
  description: Step V(certificates), those with containers, for M(tls.everywhere.container_restart).
  returned: success
  type: list
  elements: dict
  sample: []
batches:
  description: Step V(batches), hosts that are worked on at once.
  returned: success
  type: list
  elements: raw
  sample: [[web1], [web2, web3]]
states:
  description: Step V(standing), the states that authorities of the role are to have, by name. Those that are retired stay so.
  returned: success
  type: dict
  sample: {root-1: present, intermediate-1: active}
phases:
  description: Step V(rotation), what is to be gone through, in this order.
  returned: success
  type: list
  elements: str
  sample: [prepare, cross]
new_root:
  description: Step V(rotation), name of the new root.
  returned: success
  type: str
  sample: root-2
new_issuer:
  description: Step V(rotation), name of what will issue.
  returned: success
  type: str
  sample: intermediate-2
serving:
  description: Step V(rotation), name of what issues until the old root is dropped.
  returned: success
  type: str
  sample: intermediate-2
cross:
  description: Step V(rotation), name of the new root's certificate by the old one.
  returned: success
  type: str
  sample: root-2-x-root-1
added:
  description: Step V(rotation), what a way back removes, in this order.
  returned: success
  type: list
  elements: str
  sample: [intermediate-2, root-2-x-root-1, root-2]
chain:
  description: Step V(rotation), what is served meanwhile, by name.
  returned: success
  type: list
  elements: str
  sample: [intermediate-2, root-2-x-root-1, root-1]
end:
  description: Step V(rotation), what is served afterwards, by name.
  returned: success
  type: list
  elements: str
  sample: [intermediate-2, root-2]
"""

from ansible.module_utils.basic import AnsibleModule


def main():
    """Refuses: every step is the action plugin's."""
    module = AnsibleModule(
        argument_spec=dict(
            step=dict(type='str', required=True, choices=['status', 'roots', 'trust', 'certificates', 'batches', 'standing', 'rotation']),
            seen=dict(type='dict', default={}),
            settings=dict(type='dict', default={}),
            dropped=dict(type='list', elements='str', default=[]),
            store=dict(type='str', default=''),
            certificates=dict(type='list', elements='dict', default=[]),
            rotating=dict(type='bool', default=False),
            hosts=dict(type='list', elements='str', default=[]),
            batches=dict(type='list', elements='raw', default=[]),
        ),
        supports_check_mode=True,
    )
    module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])


if __name__ == '__main__':
    main()
