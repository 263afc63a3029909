# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0
"""The target's side of an asynchronous task: hand the options to the program that the action has placed."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_native

# Set by the action plugin, see plugin_utils/native.py.
PROGRAM = 'TLS_EVERYWHERE_PROGRAM'


def run(name, argument_spec):
    """Runs a module of the program that the action has placed and gives its answer."""
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True)
    program = os.environ.get(PROGRAM)
    if not program:
        refuse(
            module,
            'this module is run by the action plugin of the same name, which places its program on the target',
            'call it as a task, and not through something that sends the module alone',
        )
    try:
        process = subprocess.Popen([program, name, '-'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        refuse(module, "'%s' cannot be run: %s" % (program, to_native(error)), 'run the task again: it places the program anew')
    output, complaint = process.communicate(json.dumps(arguments(module)).encode('utf-8'))
    try:
        result = json.loads(output.decode('utf-8'))
    except ValueError:
        module.fail_json(
            msg="'%s' ended with status %d and gave no answer" % (name, process.returncode),
            error=dict(kind='program.no_answer', caused_by=[], hint='module_stdout and module_stderr have its last words'),
            rc=process.returncode,
            module_stdout=to_native(output),
            module_stderr=to_native(complaint),
        )
    if process.returncode or result.get('failed'):
        module.fail_json(**result)
    module.exit_json(**result)


def arguments(module):
    """The options that were given, and Ansible's own settings for the task."""
    given = dict((name, value) for name, value in module.params.items() if value is not None)
    given.update(
        _ansible_check_mode=module.check_mode,
        _ansible_diff=module._diff,
        _ansible_module_name=module._name,
        _ansible_no_log=module.no_log,
        _ansible_selinux_special_fs=module._selinux_special_fs,
        _ansible_tmpdir=module.tmpdir,
        _ansible_verbosity=module._verbosity,
    )
    return given


def refuse(module, message, hint):
    """Fails because there is no program to run."""
    module.fail_json(msg=message, error=dict(kind='program.not_placed', caused_by=[], hint=hint))
