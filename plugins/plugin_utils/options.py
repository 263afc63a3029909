# SPDX-License-Identifier: Apache-2.0
"""The options of one task on the controller: made plain, checked, and searched for what must never be shown."""

from __future__ import annotations

import copy
import difflib
import re
import typing as t
from collections.abc import Mapping, Sequence

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

Spec = t.Mapping[str, t.Mapping[str, t.Any]]

MASK = '********'
#: One without its end reaches to the next block or the end of the text.
PRIVATE_KEY = re.compile(r'-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [^-]*-----|(?=-----BEGIN )|\Z)', re.DOTALL)


class Fault(t.NamedTuple):
    """One thing that is wrong with the options. `path` is empty where the check does not say which one."""

    path: str
    message: str

    def __str__(self) -> str:
        return f'{self.path}: {self.message}' if self.path else self.message


class Review(t.NamedTuple):
    """What the controller can say of the options before it talks to a host."""

    faults: list[Fault]
    deprecations: list[dict[str, t.Any]]
    warnings: list[str]


def plain(value: t.Any) -> t.Any:
    """The value as JSON knows it. Inline vault values are objects of their own up to ansible-core 2.18."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if getattr(value, '__ENCRYPTED__', False):
        return str(value)
    if isinstance(value, bytes):
        return value.decode('utf-8', 'surrogateescape')
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (Sequence, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


def review(spec: Spec, options: dict[str, t.Any]) -> Review:
    """Everything that is wrong with the options, as far as the argument spec can tell. The values that the program
    gets are never the validator's: it would expand paths with the controller's home directory."""
    faults: list[Fault] = []
    deprecations: list[dict[str, t.Any]] = []
    warnings: list[str] = []
    for path, table, given in _dictionaries(spec, options, ''):
        unknown = list(_unknown(table, given, path))
        faults += unknown
        known = {name: value for name, value in given.items() if _at(path, name) not in {fault.path for fault in unknown}}
        result = ArgumentSpecValidator(_flat(table)).validate(copy.deepcopy(known))
        faults += [Fault(path, message) for message in result.error_messages]
        deprecations += [
            {key: item[key] for key in ('version', 'date', 'collection_name') if item.get(key) is not None}
            | {'msg': f"{_at(path, item['name'])}: this name of the option is deprecated"}
            for item in getattr(result, '_deprecations', [])
        ]
        warnings += [
            f"{_at(path, item['option'])} is also given under its other name '{item['alias']}'"
            for item in getattr(result, '_warnings', [])
        ]
    return Review(faults, deprecations, warnings)


def known(spec: Spec, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """The options without those that the spec does not have: what is misspelt may be a secret."""
    names = {alias: option for name, option in spec.items() for alias in (name, *option.get('aliases', ()))}
    return {key: _known(names[key].get('options'), value) for key, value in options.items() if key in names}


def _known(spec: Spec | None, value: t.Any) -> t.Any:
    if spec and isinstance(value, dict):
        return known(spec, value)
    if spec and isinstance(value, list):
        return [_known(spec, item) for item in value]
    return value


def private_keys(options: t.Any) -> set[str]:
    """Every private key in PEM, whatever the option: one that was put where none belongs is a secret all the same."""
    return {block for text in _leaves(options) for block in PRIVATE_KEY.findall(text)}


def secrets(spec: Spec, options: t.Any) -> set[str]:
    """Every value of a no_log option, at any depth. A text where sub-options are expected counts as a whole if one of
    them is secret."""
    found: set[str] = set()
    for name, option in spec.items():
        for given in _given(name, option, options):
            if option.get('no_log'):
                found.update(_leaves(given))
            elif option.get('options'):
                for item in given if isinstance(given, list) else [given]:
                    if isinstance(item, dict):
                        found |= secrets(option['options'], item)
                    elif _holds_secrets(option['options']):
                        found.update(_leaves(item))
    return found


def censor(value: t.Any, hidden: t.Collection[str]) -> t.Any:
    """The value with every secret replaced; secrets of fewer than three characters only where they are the whole."""
    if not hidden:
        return value
    return _censor(value, frozenset(hidden), sorted((text for text in hidden if len(text) > 2), key=len, reverse=True))


def _censor(value: t.Any, whole: frozenset[str], parts: list[str]) -> t.Any:
    if isinstance(value, dict):
        return {_censor(key, whole, parts): _censor(item, whole, parts) for key, item in value.items()}
    if isinstance(value, list):
        return [_censor(item, whole, parts) for item in value]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    if str(value) in whole:
        return MASK
    if isinstance(value, str):
        for part in parts:
            value = value.replace(part, MASK)
    return value


def _leaves(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif not isinstance(value, bool) and value not in (None, ''):
        yield str(value)
        # Programs read numbers and trimmed texts too.
        if str(value).strip():
            yield str(value).strip()


def _given(name: str, option: t.Mapping[str, t.Any], options: t.Any) -> list[t.Any]:
    names = [name, *option.get('aliases', ())]
    return [options[each] for each in names if options.get(each) is not None]


def _holds_secrets(spec: Spec) -> bool:
    return any(option.get('no_log') or _holds_secrets(option.get('options') or {}) for option in spec.values())


def _dictionaries(spec: Spec, given: dict[str, t.Any], path: str) -> t.Iterator[tuple[str, Spec, dict[str, t.Any]]]:
    """Every dictionary of the options that has a spec of its own, the outermost first, with its path."""
    yield path, spec, given
    for name, option in spec.items():
        if not option.get('options'):
            continue
        for key in (name, *option.get('aliases', ())):
            value = given.get(key)
            if isinstance(value, dict):
                yield from _dictionaries(option['options'], value, _at(path, key))
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, dict):
                        yield from _dictionaries(option['options'], item, f'{_at(path, key)}[{index}]')


def _unknown(spec: Spec, given: dict[str, t.Any], path: str) -> t.Iterator[Fault]:
    names = {alias for name, option in spec.items() for alias in (name, *option.get('aliases', ()))}
    for key in given:
        if key not in names:
            near = difflib.get_close_matches(key, sorted(names), n=1)
            remedy = f", did you mean '{near[0]}'?" if near else '; known are: ' + ', '.join(sorted(spec))
            yield Fault(_at(path, key), f"unknown option '{key}'{remedy}")


def _at(path: str, key: str) -> str:
    return f'{path}.{key}' if path else key


def _flat(spec: Spec) -> dict[str, t.Any]:
    """The spec of one dictionary without those inside it, which are checked by themselves, and with texts for paths:
    a path is expanded where the file is, on the target."""
    result = {}
    for name, option in spec.items():
        flat = {key: value for key, value in option.items() if key not in ('options', 'no_log')}
        for key in ('type', 'elements'):
            if flat.get(key) == 'path':
                flat[key] = 'str'
        result[name] = flat
    return result
