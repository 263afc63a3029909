#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: cert_request
short_description: x
description: [x.]
author: [x (@x)]
options: {}
"""

EXAMPLES = ""
RETURN = ""

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_REQUEST
from ansible_collections.tls.everywhere.plugins.module_utils.native_program import run


def main():
    """Hands the task to the program."""
    run(CERT_REQUEST)


if __name__ == "__main__":
    main()
