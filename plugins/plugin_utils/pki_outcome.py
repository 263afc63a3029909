# SPDX-License-Identifier: Apache-2.0
"""What came back from pki_ca and cert_request, and what the next call makes of it."""

from __future__ import annotations

import re
import typing as t

Result = t.Dict[str, t.Any]

# Differences that leaving an option out makes go away; a key in the clear is the operator's to mend.
OPTIONS = {'subject': ('subject', 'common_name'), 'key': ('key',), 'path_length': ('path_length',), 'key_usage': ('key_usage',)}


# What nobody reads in a result: it is in the tree.
TEXTS = ('certificate', 'chain', 'root', 'csr')


def add(total: Result, result: Result) -> None:
    """Adds one call's result to that of the step."""
    for facts in (result.get('authorities') or {}).values():
        for text in TEXTS:
            facts.pop(text, None)
    total['changed'] = bool(total['changed'] or result.get('changed'))
    for key, value in total.items():
        more = result.get(key)
        if isinstance(value, dict) and isinstance(more, dict):
            value.update(more)
        elif isinstance(value, list) and isinstance(more, list):
            value.extend(more)


def without_empty(result: Result) -> Result:
    """Ansible prints empty lists of warnings and differences."""
    return {key: value for key, value in result.items() if value or key not in ('warnings', 'diff')}


def as_it_is(arguments: Result, looked: Result) -> tuple[Result, list[str]]:
    """The call without what contradicts the authorities that exist, and a warning for each contradiction."""
    drifts = {
        str(each.get('item'))[len('authorities['):-1]: each
        for each in looked.get('failures') or []
        if isinstance(each, dict) and each.get('kind') == 'authority.drift'
    }
    warnings, wishes = [], []
    for wish in arguments['authorities']:
        drift = drifts.get(wish['name'])
        if drift:
            wish = _reduced(wish, [each['what'] for each in drift['differences']])
            warnings.append(f"{drift['msg']}; it stays as it is")
        wishes.append(wish)
    return dict(arguments, authorities=wishes), warnings


def _reduced(wish: Result, differences: list[str]) -> Result:
    dropped = {option for what in differences for option in OPTIONS.get(what, ())}
    kept = {key: value for key, value in wish.items() if key not in dropped}
    if 'key' in dropped and 'passphrase' in wish['key']:
        kept['key'] = {'passphrase': wish['key']['passphrase']}
    if 'type' in differences:
        kept['type'] = 'intermediate' if wish['type'] == 'root' else 'root'
    if 'parent' in differences or kept['type'] == 'root':
        kept.pop('parent', None)
    return kept


def refused(wishes: list[Result], result: Result) -> dict[str, Result]:
    """Certificates of which the options are at fault, which cert_request refuses before it looks at any."""
    found: dict[str, list[str]] = {}
    for fault in result.get('faults') or []:
        match = re.match(r'certificates\[([0-9]+)\]\.?(.*)', str(fault.get('path')))
        if match and int(match.group(1)) < len(wishes):
            where = f'{match.group(2)}: ' if match.group(2) else ''
            found.setdefault(wishes[int(match.group(1))]['name'], []).append(f"{where}{fault['message']}")
    return {name: {'kind': 'input.invalid', 'msg': '; '.join(messages)} for name, messages in found.items()}


def lacks_directories(result: Result) -> bool:
    """Whether certificates failed for directories that only have to be made."""
    return any(each.get('kind') == 'files.directory_missing' for each in _failures(result).values())


def foreseen(wishes: list[Result], looked: Result, authorities: t.Collection[str]) -> Result:
    """What check mode says of certificates that fail only for what the real run would have made before: directories,
    and authorities of these names."""
    certificates = dict(looked.get('certificates') or {})
    failures = _failures(looked)
    for wish in wishes:
        failure = failures.get(wish['name']) or {}
        signer = str((wish['issuer'].get('private_ca') or {}).get('certificate', '')).rpartition('/')[2][:-len('.crt')]
        is_foreseen = failure.get('kind') == 'files.directory_missing' or (failure.get('kind') == 'issuer.unreadable' and signer in authorities)
        if is_foreseen:
            del failures[wish['name']]
            certificates[wish['name']] = {'changed': True, 'action': 'issue'}
    if len(failures) == len(_failures(looked)):
        return looked
    kept = dict(looked, changed=True, certificates=certificates, failures=failures)
    return kept if failures else {key: value for key, value in kept.items() if key not in ('failed', 'msg', 'error')}


def _failures(result: Result) -> dict[str, Result]:
    """The failures by name; pki_ca gives them as a list."""
    failures = result.get('failures')
    return dict(failures) if isinstance(failures, dict) else {}
