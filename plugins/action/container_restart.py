# SPDX-License-Identifier: Apache-2.0
"""Runs container_restart on the target; plugin_utils/native.py has the work."""

from __future__ import annotations

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CONTAINER_RESTART
from ansible_collections.tls.everywhere.plugins.plugin_utils.native import NativeAction
from ansible_collections.tls.everywhere.plugins.plugin_utils.placement import shipped


class ActionModule(NativeAction):
    """The action of container_restart."""

    NAME = 'container_restart'
    SPEC = CONTAINER_RESTART
    PROGRAMS = shipped()
