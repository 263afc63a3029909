# SPDX-License-Identifier: Apache-2.0
"""The small languages of ansible-role-pki's variables: names of files, alternative names, lifetimes, constraints."""

from __future__ import annotations

import ipaddress
import re
import typing as t

# What community.crypto understands before the colon of an alternative name, in our words.
PREFIXES = {'dns': 'dns', 'ip': 'ip', 'ip address': 'ip', 'email': 'email', 'uri': 'uri', 'othername': 'other_name'}
SECONDS = {'w': 604_800, 'd': 86_400, 'h': 3_600, 'm': 60, 's': 1}


class BadValue(ValueError):
    """A value that cannot be understood; the text says why."""


def file_name(name: t.Any) -> str:
    """The name as it may become part of a file name below the tree."""
    text = str(name)
    if not text:
        raise BadValue('is empty')
    if len(text.encode()) > 128:
        raise BadValue('is longer than 128 bytes')
    if '/' in text or text.startswith('.') or text.strip() != text or not text.isprintable():
        raise BadValue(
            f"'{text}' cannot become a file name; use no '/', control character, leading '.', or white space at the ends"
        )
    return text


def absolute(path: t.Any) -> str:
    """An absolute path that does not climb."""
    text = str(path)
    if not text.startswith('/') or '..' in text.split('/') or not text.isprintable():
        raise BadValue(f"'{text}' is not an absolute path without '..'")
    return text


def texts(value: t.Any) -> list[str]:
    """A list of texts from a list, a text or nothing; each once, in their order."""
    if value is None or value == '':
        return []
    items = value.split(',') if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    return list(dict.fromkeys(text for text in (str(item).strip() for item in items) if text))


def alternative_names(san: t.Any) -> dict[str, t.Any]:
    """Options of cert_request from either form: {dns: [...], ip: [...]}, or 'DNS:a,IP:b'."""
    if san is None or san == '':
        return {}
    if isinstance(san, dict):
        return _from_dict(san)
    names: dict[str, list[t.Any]] = {}
    for item in texts(san):
        prefix, colon, value = item.partition(':')
        kind = PREFIXES.get(prefix.strip().lower())
        if not colon or kind is None:
            raise BadValue(f"'{item}' is no alternative name; write DNS:, IP:, email:, URI: or otherName: before the value")
        _add(names, kind, value.strip())
    return names


def _from_dict(san: dict[str, t.Any]) -> dict[str, t.Any]:
    names: dict[str, list[t.Any]] = {}
    for key, value in san.items():
        kind = {'other': 'other_name'}.get(key, key)
        if kind not in PREFIXES.values():
            raise BadValue(f"'{key}' is no kind of alternative name; there are dns, ip, email, uri and other")
        for item in texts(value):
            _add(names, kind, item)
    return names


def _add(names: dict[str, list[t.Any]], kind: str, text: str) -> None:
    value: t.Any = text
    if kind == 'ip':
        try:
            value = str(ipaddress.ip_address(text.strip('[]')))
        except ValueError as error:
            raise BadValue(f"'{text}' is not an IP address") from error
    elif kind == 'other_name':
        match = re.fullmatch(r'([0-9.]+);UTF8(?:STRING)?:(.*)', text, re.IGNORECASE)
        if match is None:
            raise BadValue(f"'{text}' is not of the form 1.2.3;UTF8:text")
        value = {'type_id': match.group(1), 'value': match.group(2)}
    if value not in names.setdefault(kind, []):
        names[kind].append(value)


def lifetime(text: t.Any) -> str:
    """A lifetime for our modules from '3650d', '+3650d' or '+1w2d3h'."""
    spec = str(text).strip().removeprefix('+')
    if re.fullmatch(r'[0-9]+[wdhms]', spec):
        return spec
    if not re.fullmatch(r'(?:[0-9]+[wdhms])+', spec):
        raise BadValue(f"'{text}' is not a lifetime; write for example 398d or 12h")
    return f'{sum(int(count) * SECONDS[unit] for count, unit in re.findall("([0-9]+)([wdhms])", spec))}s'


def seconds(text: str) -> int | None:
    """The length of a lifetime of our modules; None for a percentage."""
    match = re.fullmatch(r'([0-9]+)([wdhms])', text)
    return int(match.group(1)) * SECONDS[match.group(2)] if match else None


def renew_before(wished: t.Any, ttl: str) -> str | None:
    """When to renew: as wished, but never so early that every run would renew; None for cert_request's default."""
    text = str(wished or '').strip()
    before, whole = seconds(text), seconds(ttl)
    return None if not text or (before is not None and whole is not None and before >= whole) else text


class Constraints(t.NamedTuple):
    """basicConstraints as OpenSSL writes them."""

    authority: bool
    path_length: int | None


def basic_constraints(value: t.Any) -> Constraints:
    """From 'CA:TRUE,pathlen:0', as text or list."""
    authority, length = False, None
    for item in texts(value):
        key, _colon, setting = item.partition(':')
        if key.strip().lower() == 'ca' and setting.strip().lower() in ('true', 'false'):
            authority = setting.strip().lower() == 'true'
        elif key.strip().lower() == 'pathlen' and setting.strip().isdigit():
            length = int(setting)
        elif key.strip().lower() != 'critical':
            raise BadValue(f"'{item}' is no basic constraint; write CA:TRUE, CA:FALSE or pathlen:0")
    return Constraints(authority, length)


class Selection(t.NamedTuple):
    """Which of the named things are meant."""

    everything: bool
    names: frozenset[str]

    def __contains__(self, name: object) -> bool:
        return self.everything or name in self.names


def selection(value: t.Any) -> Selection:
    """A name, a list of names, or true for all; '' and false for none."""
    if isinstance(value, (list, tuple)):
        return Selection(False, frozenset(str(item) for item in value))
    text = '' if value is None else str(value).strip()
    if text.lower() in ('', 'false', 'no', 'none', '0'):
        return Selection(False, frozenset())
    if text.lower() in ('true', 'yes', 'all', '1'):
        return Selection(True, frozenset())
    return Selection(False, frozenset([text]))
