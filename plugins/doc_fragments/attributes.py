# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0
"""What is true of every module: how it behaves in check mode, what it needs on the target, what it supports."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    """The attributes of native modules."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    support: full
    description: Has an action plugin, which runs most of the work's preparation on the controller.
    details:
      - The options are checked on the controller. The program is kept on the target under its SHA-256 and sent only when it
        is missing, to the directories in the variable C(tls_everywhere_program_directory), else to
        C(${XDG_CACHE_HOME:-~/.cache}/tls.everywhere), else to a private directory under C(/var/tmp).
  async:
    support: full
    description: Can be run with the C(async) keyword.
    details:
      - Asynchronous tasks need Python on the target, all others do not.
  check_mode:
    support: full
    description: Predicts what it would do, and changes nothing.
  diff_mode:
    support: full
    description: Says what changed as facts before and after, never key material.
  idempotent:
    support: full
    description: Run again with the same options, and with time not being up, changes nothing.
  platform:
    support: full
    description: The targets that can be managed.
    platforms: linux
    details:
      - The collection carries static executables for C(x86_64) and C(aarch64). Targets need C(/bin/sh) and no Python.
  safe_file_operations:
    support: full
    description: Writes files so that a reader never sees half of one, and sets owner and mode before any content.
"""

    # The modules of the collection form one action group.
    ACTIONGROUP = r"""
options: {}
attributes:
  action_group:
    support: full
    description: Use C(group/tls.everywhere.tls) in C(module_defaults) to set defaults for this module.
    membership:
      - tls.everywhere.tls
"""
