#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: certmonger_role
short_description: The steps of the role tls.everywhere.certmonger
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Works out what specs of puppet-certmonger and names of TripleO's services ask for, what FreeIPA must know before, and has
    certmonger know the CAs.
  - It serves the role P(tls.everywhere.certmonger#role) and is of no use by itself; its options may change with that role.
options:
  step:
    description:
      - V(plan) answers requests for P(tls.everywhere.certificate#role). V(registration) answers what FreeIPA must know.
        V(cas) makes the CAs that certmonger knows those that it shall know.
    type: str
    required: true
    choices: [plan, registration, cas]
  specs:
    description: Step V(plan). Specs of puppet, by name or as a list.
    type: raw
    default: []
  services:
    description: Step V(plan). Names of services of the catalogue.
    type: list
    elements: str
    default: []
  ca:
    description: Step V(plan). certmonger's name of the CA.
    type: str
    default: local
  cas:
    description: Step V(plan). The CAs of services that have one of their own.
    type: dict
    default: {}
  realm:
    description: Step V(plan). Appended to principals that have none.
    type: str
  values:
    description: Step V(plan). What hiera would answer, over what the host's variables say.
    type: dict
    default: {}
  layout:
    description: Step V(plan). Whose hooks the services get.
    type: str
    choices: [given, tripleo]
    default: tripleo
  catalogue:
    description: Step V(plan). A deployer's changes to the catalogue.
    type: dict
    default: {}
  check_registration:
    description: Step V(plan). Whether requests that FreeIPA would refuse are a failure.
    type: bool
    default: false
  metadata_settings:
    description: What the services say of their principals, each with C(service), C(network) and C(type).
    type: list
    elements: dict
    default: []
  metadata:
    description: The same computed before, as C(compact_service_HTTP) and C(managed_service_haproxyinternal_api).
    type: dict
    default: {}
  networks:
    description: The networks of the host. Those on which it has a name where nothing is said.
    type: list
    elements: str
    default: []
  fqdn:
    description: The name of the host in FreeIPA.
    type: str
  wished:
    description: Step V(cas). The CAs.
    type: list
    elements: dict
    default: []
  programs:
    description: Step V(cas). The directory on the host of the helpers that the role installs.
    type: path
  options:
    description: Step V(cas). The directory on the host of the options of those that are modules.
    type: path
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing.
  diff_mode:
    support: none
    description: There is nothing to show.
"""

EXAMPLES = r"""
- name: As the role does it
  ansible.builtin.include_role:
    name: tls.everywhere.certmonger
  vars:
    certmonger_services: [mysql, "haproxy-{network}"]
"""

RETURN = r"""
requests:
  description: Step V(plan), elements of the variable C(certificate_requests).
  returned: success
  type: list
  elements: dict
  sample: []
directories:
  description: Step V(plan), the directories of their files.
  returned: success
  type: list
  elements: str
  sample: [/etc/pki/tls/certs]
hosts:
  description: Step V(registration), for C(freeipa.ansible_freeipa.ipahost).
  returned: success
  type: list
  elements: dict
  sample: []
services:
  description: Step V(registration), for C(freeipa.ansible_freeipa.ipaservice).
  returned: success
  type: list
  elements: dict
  sample: []
changes:
  description: Step V(cas), what was changed or would be.
  returned: success
  type: list
  elements: str
  sample: ["'vnc' is added"]
helpers:
  description: Step V(cas), the directory of certmonger's own helpers.
  returned: success
  type: str
  sample: /usr/libexec/certmonger
faults:
  description: All that is wrong with the options.
  returned: when something is
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule


def main():
    """Refuses: every step is the action plugin's."""
    module = AnsibleModule(
        argument_spec=dict(
            step=dict(type='str', required=True, choices=['plan', 'registration', 'cas']),
            specs=dict(type='raw', default=[]),
            services=dict(type='list', elements='str', default=[]),
            ca=dict(type='str', default='local'),
            cas=dict(type='dict', default={}),
            realm=dict(type='str'),
            values=dict(type='dict', default={}),
            layout=dict(type='str', default='tripleo', choices=['given', 'tripleo']),
            catalogue=dict(type='dict', default={}),
            check_registration=dict(type='bool', default=False),
            metadata_settings=dict(type='list', elements='dict', default=[]),
            metadata=dict(type='dict', default={}),
            networks=dict(type='list', elements='str', default=[]),
            fqdn=dict(type='str'),
            wished=dict(type='list', elements='dict', default=[]),
            programs=dict(type='path'),
            options=dict(type='path'),
        ),
        supports_check_mode=True,
    )
    module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])


if __name__ == '__main__':
    main()
