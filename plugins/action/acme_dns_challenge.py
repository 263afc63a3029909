# SPDX-License-Identifier: Apache-2.0
"""Runs acme_dns_challenge on the target; plugin_utils/native.py has the work."""

from __future__ import annotations

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import ACME_DNS_CHALLENGE
from ansible_collections.tls.everywhere.plugins.plugin_utils.native import NativeAction
from ansible_collections.tls.everywhere.plugins.plugin_utils.placement import shipped


class ActionModule(NativeAction):
    """The action of acme_dns_challenge."""

    NAME = 'acme_dns_challenge'
    SPEC = ACME_DNS_CHALLENGE
    PROGRAMS = shipped()
