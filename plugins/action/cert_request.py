# SPDX-License-Identifier: Apache-2.0
"""Runs cert_request on the target; plugin_utils/native.py has the work."""

from __future__ import annotations

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_REQUEST
from ansible_collections.tls.everywhere.plugins.plugin_utils.native import NativeAction
from ansible_collections.tls.everywhere.plugins.plugin_utils.placement import shipped


class ActionModule(NativeAction):
    """The action of cert_request."""

    NAME = 'cert_request'
    SPEC = CERT_REQUEST
    PROGRAMS = shipped()
