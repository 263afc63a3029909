# SPDX-License-Identifier: Apache-2.0
"""Runs cert_check on the target; plugin_utils/native.py has the work."""

from __future__ import annotations

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_CHECK
from ansible_collections.tls.everywhere.plugins.plugin_utils.native import NativeAction
from ansible_collections.tls.everywhere.plugins.plugin_utils.placement import shipped


class ActionModule(NativeAction):
    """The action of cert_check."""

    NAME = 'cert_check'
    SPEC = CERT_CHECK
    PROGRAMS = shipped()
