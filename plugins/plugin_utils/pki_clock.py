# SPDX-License-Identifier: Apache-2.0
"""Whether the clock of a host differs from the controller's so much that its certificates suffer from it."""

from __future__ import annotations

# crates/pki, CLOCK_TOLERANCE: so much earlier than it is made does a certificate begin.
TOLERATED = 3_900

# Less is nothing to speak of.
NOTABLE = 300

# What tells the seconds since 1970 on any host with a shell; BusyBox and the BSDs know it too.
COMMAND = 'date -u +%s'


def offset(answer: str, before: float, after: float) -> float | None:
    """Seconds by which a clock is ahead of ours, which said `before` when it was asked and `after` when it had answered.
    None for no answer."""
    text = answer.strip()
    if not text.isdigit():
        return None
    says = int(text)
    if says + 1 < before:
        return says + 1 - before
    return max(says - after, 0.0)


def warning(host: str, ahead: float | None) -> str | None:
    """What the operator is told of a clock."""
    if ahead is None or abs(ahead) < NOTABLE:
        return None
    where = 'ahead of' if ahead > 0 else 'behind'
    harm = (
        f'a certificate begins {TOLERATED // 60} minutes before it is made, so that this does no harm yet'
        if abs(ahead) <= TOLERATED
        else f'a certificate begins {TOLERATED // 60} minutes before it is made, and beyond that hosts with the right time refuse it'
    )
    return f"the clock of '{host}' is {round(abs(ahead) / 60)} minutes {where} the controller's; {harm}: set the clock"
