# SPDX-License-Identifier: Apache-2.0
"""The CAs that certmonger shall know, against those that it does: which commands make one the other. No host is asked.

All of them are external to certmonger: a command that it runs. A sub-CA of FreeIPA is FreeIPA's own helper with the sub-CA's name in its
environment, SCEP is certmonger's helper for it; modules of this collection are helpers too, with their options in a file."""

from __future__ import annotations

import dataclasses
import difflib
import re
import shlex
import typing as t

Entry = t.Mapping[str, t.Any]

# What certmonger brings along; nobody may change it.
BUILT_IN = {'SelfSign', 'IPA', 'local', 'certmaster', 'dogtag-ipa-renew-agent'}
MODULES = ('pki_ca', 'acme_dns_challenge', 'cert_request')
KINDS = ('command', 'subca', 'scep', *MODULES)
SCEP = {'url': '-u', 'tls_ca_file': '-R', 'ra_certificate_file': '-r', 'other_certificates_file': '-I', 'signing_ca_file': '-N', 'identifier': '-i'}


@dataclasses.dataclass(frozen=True)
class Places:
    """Where the role has put what commands name."""

    programs: str
    options: str


@dataclasses.dataclass(frozen=True)
class Change:
    """One command, and what it is for."""

    argv: list[str]
    what: str


def known(text: str) -> dict[str, str]:
    """What `LC_ALL=C getcert list-cas` says: helpers by the CA's name, an empty text for one that is built in. In this locale the words
    are the program's, not a translation's."""
    found: dict[str, str] = {}
    name = ''
    for line in text.splitlines():
        title = re.fullmatch(r"CA '(.*)':", line)
        if title:
            name = title.group(1)
            found[name] = ''
        elif line.startswith('\thelper-location: ') and name:
            found[name] = line.partition(': ')[2]
    return found


def helpers(there: t.Mapping[str, str]) -> str:
    """The directory of certmonger's own helpers, which differs between distributions."""
    for name, program in (('local', '/local-submit'), ('IPA', '/ipa-submit')):
        words = _words(there.get(name, ''))
        if words and words[0].endswith(program):
            return words[0][:-len(program)]
    return '/usr/libexec/certmonger'


def changes(wished: t.Any, there: t.Mapping[str, str], places: Places, faults: list[str]) -> list[Change]:
    """The commands; after faults they are of no use."""
    found: list[Change] = []
    seen: set[str] = set()
    for number, entry in enumerate(wished if isinstance(wished, list) else [wished]):
        where = f'certmonger_cas[{number}]'
        name = _checked(entry, where, seen, faults)
        if name is None:
            continue
        seen.add(name)
        if entry.get('state', 'present') == 'absent':
            found += [Change(['getcert', 'remove-ca', '-c', name], f"'{name}' is removed")] if name in there else []
            continue
        command = _command(entry, where, helpers(there), places, faults)
        if command is None or _words(there.get(name, '')) == _words(command):
            continue
        if name in there:
            found.append(Change(['getcert', 'modify-ca', '-c', name, '-e', command], f"'{name}' is changed"))
        else:
            found.append(Change(['getcert', 'add-ca', '-c', name, '-e', command], f"'{name}' is added"))
    return found


def _checked(entry: t.Any, where: str, seen: set[str], faults: list[str]) -> str | None:
    """The name of the CA, if the entry is one."""
    if not isinstance(entry, dict) or not entry.get('name'):
        faults.append(f'{where}: is no dictionary with a name')
        return None
    name, before = str(entry['name']), len(faults)
    if name in BUILT_IN:
        faults.append(f"{where}: '{name}' is certmonger's own")
    if name in seen:
        faults.append(f"{where}: '{name}' is there twice")
    if entry.get('state', 'present') not in ('present', 'absent'):
        faults.append(f"{where}.state: '{entry['state']}' is neither present nor absent")
    for key in sorted(set(entry) - {'name', 'state', *KINDS}):
        near = difflib.get_close_matches(key, ('name', 'state', *KINDS), 1)
        faults.append(f"{where}: nobody knows '{key}'" + (f", did you mean '{near[0]}'?" if near else ''))
    return name if len(faults) == before else None


def _command(entry: Entry, where: str, directory: str, places: Places, faults: list[str]) -> str | None:
    kinds = [kind for kind in KINDS if entry.get(kind)]
    if len(kinds) != 1:
        faults.append(f"{where}: give exactly one of {', '.join(KINDS)}")
        return None
    value = entry[kinds[0]]
    if kinds[0] == 'command':
        return shlex.join(str(word) for word in value) if isinstance(value, list) else str(value)
    if kinds[0] == 'subca':
        return shlex.join([f'{places.programs}/ipa-subca', str(value), f'{directory}/ipa-submit'])
    if kinds[0] in MODULES:
        return _module(kinds[0], entry, where, places, faults)
    if not isinstance(value, dict) or not value.get('url'):
        faults.append(f'{where}.scep: is no dictionary with a url')
        return None
    for key in sorted(set(value) - set(SCEP) - {'prefer_non_renewal'}):
        faults.append(f"{where}.scep: nobody knows '{key}'; there is: {', '.join([*SCEP, 'prefer_non_renewal'])}")
    words = [word for key, flag in SCEP.items() if value.get(key) for word in (flag, str(value[key]))]
    return shlex.join([f'{directory}/scep-submit', *words, *(['-n'] if value.get('prefer_non_renewal') else [])])


def _module(module: str, entry: Entry, where: str, places: Places, faults: list[str]) -> str | None:
    if not isinstance(entry[module], dict):
        faults.append(f'{where}.{module}: is no dictionary of options of tls.everywhere.{module}')
        return None
    if not re.fullmatch('[A-Za-z0-9_][A-Za-z0-9_.-]*', str(entry['name'])):
        faults.append(f"{where}.name: '{entry['name']}' becomes the name of a file: letters, digits, '_', '.' and '-'")
        return None
    return shlex.join([f'{places.programs}/{module}', '--certmonger', f"{places.options}/ca-{entry['name']}.json"])


def _words(command: str) -> list[str]:
    """A command as its words: certmonger keeps blanks that mean nothing."""
    try:
        return shlex.split(command)
    except ValueError:
        return [command]
