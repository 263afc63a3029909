# SPDX-License-Identifier: Apache-2.0
"""Runs file_set on the target; plugin_utils/native.py has the work."""

from __future__ import annotations

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import FILE_SET
from ansible_collections.tls.everywhere.plugins.plugin_utils.native import NativeAction
from ansible_collections.tls.everywhere.plugins.plugin_utils.placement import shipped


class ActionModule(NativeAction):
    """The action of file_set."""

    NAME = 'file_set'
    SPEC = FILE_SET
    PROGRAMS = shipped()
