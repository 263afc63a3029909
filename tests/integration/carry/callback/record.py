# SPDX-License-Identifier: Apache-2.0
"""Writes every task result as one JSON line, for the tests to read."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: aggregate
short_description: writes results as JSON lines
description: Writes every task result as one JSON line to the file named by CARRY_RECORD.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'aggregate'
    CALLBACK_NAME = 'record'
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, status, result):
        line = {
            'host': result._host.get_name(),
            'task': result._task.get_name().split(' : ')[-1],
            'status': status,
            'result': result._result,
        }
        with open(os.environ['CARRY_RECORD'], 'a', encoding='utf-8') as file:
            file.write(json.dumps(line, default=str) + '\n')

    def v2_runner_on_ok(self, result):
        self._write('ok', result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write('failed', result)

    def v2_runner_on_unreachable(self, result):
        self._write('unreachable', result)

    def v2_runner_on_skipped(self, result):
        self._write('skipped', result)
