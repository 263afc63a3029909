# SPDX-License-Identifier: Apache-2.0
"""Tells a test which steps of the role are through, and waits for what the test does then."""

from __future__ import annotations

import os
import pathlib
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: steps
type: notification
short_description: Halt after a step of the role
description: Only for the tests of tls.everywhere.pki.
requirements: [enabled by ANSIBLE_CALLBACKS_ENABLED]
"""


class CallbackModule(CallbackBase):
    """Makes STEPS_AT/reached after the step STEPS_AFTER, and goes on when STEPS_AT/go exists."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "steps"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result):
        """The one result after which the test has something to do."""
        place = pathlib.Path(os.environ["STEPS_AT"])
        if result._task.args.get("step") != os.environ["STEPS_AFTER"] or (place / "reached").exists():
            return
        (place / "reached").touch()
        deadline = time.monotonic() + 60
        while not (place / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
