#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: letsencrypt_role
short_description: The steps of the role tls.everywhere.letsencrypt
version_added: 0.1.0
author:
  - tls.everywhere contributors (!UNKNOWN)
description:
  - Works out what the variables of OpenDev's letsencrypt roles ask for, has P(tls.everywhere.cert_request#module) make keys and requests
    on each host, and P(tls.everywhere.acme_dns_challenge#module) have them signed, with the records of all hosts published at once.
  - It serves the role P(tls.everywhere.letsencrypt#role) and is of no use by itself; its options may change with that role.
  - Private keys of certificates stay on their hosts.
options:
  step:
    description: What to do, on the host of the task and through the modules named above.
    type: str
    required: true
    choices: [request, sign, publish, cleanup, self_sign, complete, listeners, report, legacy_read, legacy_write, certcheck]
  certs:
    description: The role's C(letsencrypt_certs).
    type: dict
    default: {}
  files:
    description: The role's C(letsencrypt_files).
    type: dict
    default: {}
  settings:
    description: The variables of the role that are not lists of certificates.
    type: dict
    default: {}
  prepared:
    description: Step V(request). Whether group and directories have been made.
    type: bool
    default: false
  hosts:
    description: Steps V(publish) and V(certcheck). Of which hosts, where those of the play are not meant.
    type: list
    elements: str
    default: []
  fail:
    description: Step V(publish). Whether the task fails if the records are not published. The certificates fail for it otherwise.
    type: bool
    default: false
  topics:
    description: Step V(listeners). Names of handlers and topics.
    type: list
    elements: str
    default: []
  failures:
    description: Step V(report). What failed, by certificate.
    type: dict
    default: {}
  path:
    description: Step V(legacy_write), the directory of the files of hosts. Step V(certcheck), the list.
    type: path
  owner:
    description: Step V(certcheck). Whose the list is.
    type: str
  group:
    description: Step V(certcheck). The group of the list.
    type: str
  additional:
    description: Step V(certcheck). Further lines of the list.
    type: list
    elements: str
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
- name: As the role does it
  ansible.builtin.import_role:
    name: tls.everywhere.letsencrypt
  vars:
    letsencrypt_certs:
      web: [www.example.org, example.org]
"""

RETURN = r"""
certificates:
  description: Steps V(request) and V(complete), the facts of each certificate, as RV(tls.everywhere.cert_request#module:certificates).
  returned: success
  type: dict
  sample: {}
failures:
  description: Why certificates failed, by their keys.
  returned: success
  type: dict
  sample: {}
pending:
  description: Step V(request), the signing requests that wait, by their keys.
  returned: success
  type: dict
  sample: {}
records:
  description: Steps V(request), V(publish) and V(cleanup), the records.
  returned: success
  type: list
  elements: dict
  sample: []
required:
  description: Step V(request), the records as pairs of a certificate's key and a value.
  returned: success
  type: list
  elements: list
  sample: [[web, gfj9XqExampleValueRg85nM]]
checked:
  description: Step V(request), the names and ports that certcheck looks at.
  returned: success
  type: list
  elements: str
  sample: ["www.example.org 443"]
updated:
  description: Steps V(request) and V(complete), the keys of certificates of which files were written.
  returned: success
  type: list
  elements: str
  sample: [web]
restart:
  description: Steps V(request) and V(complete), as RV(tls.everywhere.cert_request#module:restart).
  returned: success
  type: list
  elements: dict
  sample: []
prepare:
  description: Step V(request), directories that have to be made first.
  returned: when they are missing
  type: list
  elements: str
  sample: [/etc/letsencrypt-certs]
hosts:
  description: Steps V(sign) and V(self_sign), what was signed and what failed, by host.
  returned: success
  type: dict
  sample: {}
files:
  description: Steps V(legacy_write) and V(certcheck), which files were changed.
  returned: success
  type: list
  elements: str
  sample: [/var/lib/certcheck/ssldomains]
topics:
  description: Step V(listeners), those that have a handler.
  returned: success
  type: list
  elements: str
  sample: [letsencrypt updated web]
unheard:
  description: Step V(listeners), those that have none.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

STEPS = [
    'request', 'sign', 'publish', 'cleanup', 'self_sign', 'complete', 'listeners', 'report', 'legacy_read', 'legacy_write', 'certcheck',
]


def main():
    """Refuses: every step is the action plugin's."""
    module = AnsibleModule(
        argument_spec=dict(
            step=dict(type='str', required=True, choices=STEPS),
            certs=dict(type='dict', default={}),
            files=dict(type='dict', default={}),
            settings=dict(type='dict', default={}),
            prepared=dict(type='bool', default=False),
            hosts=dict(type='list', elements='str', default=[]),
            fail=dict(type='bool', default=False),
            topics=dict(type='list', elements='str', default=[]),
            failures=dict(type='dict', default={}),
            path=dict(type='path'),
            owner=dict(type='str'),
            group=dict(type='str'),
            additional=dict(type='list', elements='str', default=[]),
        ),
        supports_check_mode=True,
    )
    module.fail_json(msg="step '%s' is done by the action plugin; call it as a task" % module.params['step'])


if __name__ == '__main__':
    main()
