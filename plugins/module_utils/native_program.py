# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0
"""The target's side of an asynchronous task: hand the options to the program that the action has placed."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import subprocess
import sys

from ansible.module_utils.basic import AnsibleModule


def run(argument_spec):
    """Runs the program named by the private option `_program` and passes its answer and its status on."""
    module = AnsibleModule(
        argument_spec=dict(argument_spec, _program=dict(type='path')),
        supports_check_mode=True,
    )
    program = module.params.pop('_program')
    if not program:
        module.fail_json(
            msg='this module is run by the action plugin of the same name, which places its program on the target; '
                'call it as a task and not through a wrapper that sends the module alone',
            error=dict(kind='program.not_placed', caused_by=[], hint=None),
        )
    arguments = dict((name, value) for name, value in module.params.items() if value is not None)
    arguments.update(
        _ansible_check_mode=module.check_mode,
        _ansible_diff=module._diff,
        _ansible_module_name=module._name,
        _ansible_no_log=module.no_log,
        _ansible_selinux_special_fs=module._selinux_special_fs,
        _ansible_tmpdir=module.tmpdir,
        _ansible_verbosity=module._verbosity,
    )
    try:
        process = subprocess.Popen([program, '-'], stdin=subprocess.PIPE)
        process.communicate(json.dumps(arguments).encode('utf-8'))
    except OSError as error:
        module.fail_json(
            msg="'%s' cannot be run: %s" % (program, error),
            error=dict(kind='program.not_placed', caused_by=[str(error)], hint='run the task again: it places the program anew'),
        )
    sys.exit(process.returncode)
