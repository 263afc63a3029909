# SPDX-License-Identifier: Apache-2.0
"""Runs pki_ca on the target; plugin_utils/native.py has the work."""

from __future__ import annotations

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import PKI_CA
from ansible_collections.tls.everywhere.plugins.plugin_utils.native import NativeAction
from ansible_collections.tls.everywhere.plugins.plugin_utils.placement import shipped


class ActionModule(NativeAction):
    """The action of pki_ca."""

    NAME = 'pki_ca'
    SPEC = PKI_CA
    PROGRAMS = shipped()
