# SPDX-License-Identifier: Apache-2.0
"""From the variables of OpenDev's letsencrypt roles to what cert_request and acme_dns_challenge are asked for. Nothing here
touches a host."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import typing as t
from urllib.parse import urlsplit

Result = t.Dict[str, t.Any]

STAGING, PRODUCTION = 'letsencrypt-staging', 'letsencrypt'

# The authority of tests; its name tells its certificates from real ones.
TEST_ROOT, TEST_AUTHORITY = 'letsencrypt-test-root', 'letsencrypt-test'
TEST_NAME = 'letsencrypt_self_sign_only (do not trust)'

# What Let's Encrypt's staging environment has in the names of its authorities.
STAGING_NAME = '(STAGING)'

# The keys of an entry that is a dictionary.
ENTRY = {'names', 'files', 'key', 'profile', 'containers'}

# Options that go to acme_dns_challenge as they are, where they are not empty.
AUTHORITY = (
    'directory', 'ca_file', 'account_key', 'account_import', 'account_uri', 'terms_agreed', 'contact', 'eab', 'challenge', 'renew', 'retry', 'parallel',
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One certificate of letsencrypt_certs."""

    key: str
    names: list[str]
    port: str
    more: Result

    @property
    def directory(self) -> str:
        """The first name, as acme.sh calls it."""
        return self.names[0]

    @property
    def checked(self) -> str:
        """What certcheck is told: the first name and where it serves."""
        return f'{self.names[0]} {self.port}'


@dataclasses.dataclass
class Plan:
    """The certificates of a host, and why others are none."""

    entries: list[Entry]
    faults: dict[str, str]


def plan(certs: t.Any, files: t.Any = None) -> Plan:
    """Reads letsencrypt_certs, and letsencrypt_files where it adds to an entry. Each fault is told under the key of its entry."""
    found = Plan([], {})
    if certs in (None, '', []):
        return found
    if not isinstance(certs, dict):
        found.faults['letsencrypt_certs'] = 'is a dictionary: a key for each certificate, with the list of its names'
        return found
    files = files if isinstance(files, dict) else {}
    for key in sorted(set(files) - set(certs)):
        found.faults[key] = 'letsencrypt_files has files for it, letsencrypt_certs has no such certificate'
    owners: dict[str, str] = {}
    for key, given in certs.items():
        fault = _fault(given)
        if fault:
            found.faults[key] = fault
            continue
        entry = _entry(key, given, files.get(key) or [])
        first = owners.setdefault(entry.directory, key)
        if first != key:
            found.faults[key] = f"'{entry.directory}' is the first name of '{first}' as well, and would share its directory"
            continue
        found.entries.append(entry)
    return found


def _fault(given: t.Any) -> str:
    more: t.Any = set(given) - ENTRY if isinstance(given, dict) else ()
    if more:
        return f"nobody knows '{sorted(more)[0]}'; there are {', '.join(sorted(ENTRY))}"
    names = given.get('names') if isinstance(given, dict) else given
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        return 'is a list of names of which the first names its directory, or a dictionary with such a list as names'
    for name in names:
        _host, colon, port = name.partition(':')
        if colon and not port.isdigit():
            return f"'{name}': what follows ':' is a port; an address cannot be proved in the DNS"
    first = names[0].partition(':')[0]
    if '/' in first or first.startswith('.'):
        return f"'{first}' becomes the name of a directory"
    return ''


def _entry(key: str, given: t.Any, files: list[Result]) -> Entry:
    more = {name: value for name, value in given.items() if name != 'names'} if isinstance(given, dict) else {}
    names = given['names'] if isinstance(given, dict) else given
    if files:
        more['files'] = [*(more.get('files') or []), *files]
    port = names[0].partition(':')[2] or '443'
    return Entry(key, list(dict.fromkeys(name.partition(':')[0] for name in names)), port, more)


def wish(entry: Entry, settings: Result, signed: str | None = None, force: bool = False) -> Result:
    """What cert_request is asked for. Without `signed` it makes a key and a request where a certificate is due. What acme.sh left is
    judged by its names and its end; another kind of key or usage is no reason to replace it."""
    place = f"{settings['cert_directory']}/{entry.directory}"
    owner = {'owner': settings.get('owner') or None, 'group': settings.get('group') or None}
    owner = {key: value for key, value in owner.items() if value}
    renew: Result = {'on': ['expiry', 'names']}
    if settings.get('renew_before'):
        renew['before'] = settings['renew_before']
    if force and not signed:
        renew['force'] = True
    files = [
        {'content': 'private_key', 'path': f'{place}/{entry.directory}.key', 'mode': '0640', **owner},
        {'content': 'certificate', 'path': f'{place}/{entry.directory}.cer', **owner},
        {'content': 'chain', 'path': f'{place}/ca.cer', **owner},
        {'content': 'fullchain', 'path': f'{place}/fullchain.cer', **owner},
    ]
    key = entry.more.get('key') or settings.get('key')
    found: Result = {
        'name': entry.key, 'dns': entry.names, 'issuer': {'external': {'signed': signed} if signed else {}}, 'renew': renew,
        'files': [*files, *(entry.more.get('files') or [])],
    }
    found.update({name: value for name, value in (('key', key), ('containers', entry.more.get('containers'))) if value})
    return found


def directories(entries: list[Entry], settings: Result) -> list[str]:
    """The directories of the certificates, the one above them first."""
    return [settings['cert_directory'], *(f"{settings['cert_directory']}/{entry.directory}" for entry in entries)]


def is_foreign(issuer: str, settings: Result) -> bool:
    """Whether a certificate is left from another mode: of the test's authority, or of staging where real ones are asked for."""
    if settings.get('self_sign_only'):
        return False
    return TEST_NAME in issuer or (STAGING_NAME in issuer and settings['acme']['directory'] == PRODUCTION)


def state(settings: Result) -> str:
    """Where orders and the account of one server are kept, apart from those of others."""
    directory = settings['acme']['directory']
    place = directory if '/' not in directory else (urlsplit(directory).netloc or directory) + '-' + hashlib.sha256(directory.encode()).hexdigest()[:8]
    above = settings['central_directory'] if settings.get('placement') == 'central' else settings['state_directory']
    return f"{above}/{re.sub('[^A-Za-z0-9.-]', '_', place).lstrip('.')}"


def authority(settings: Result) -> Result:
    """Which server is asked, as whom."""
    given = settings['acme']
    found = {name: given[name] for name in AUTHORITY if given.get(name) not in (None, '', {}, [])}
    return {**found, 'account_key': given.get('account_key') or f'{state(settings)}/account.key', 'state_dir': state(settings)}


def order(name: str, csr: str, entry_profile: str | None, settings: Result) -> Result:
    """An element of acme_dns_challenge's certificates."""
    given = settings['acme']
    chosen = {'profile': entry_profile or given.get('profile'), 'preferred_chain': given.get('preferred_chain')}
    return {'name': name, 'csr_content': csr, **{key: value for key, value in chosen.items() if value}}


def dns(settings: Result) -> Result:
    """Where records may go and who is asked whether they are there."""
    found: Result = {'propagation': settings.get('propagation') or {}}
    if settings.get('zone'):
        found['target'] = {'zone': settings['zone']}
    return found


def txt_required(records: list[Result]) -> list[list[str]]:
    """The fact of OpenDev's roles: pairs of the certificate's key and a value."""
    return [[record['certificate'], record['value']] for record in records]


def made_up(entry: Entry, csr: str, zone: str) -> list[Result]:
    """Records for tests without an ACME server: one for each name, of the same form as real ones."""
    found = []
    for name in dict.fromkeys(name[2:] if name.startswith('*.') else name for name in entry.names):
        digest = hashlib.sha256(f'{name}\n{csr}'.encode()).digest()
        value = base64.urlsafe_b64encode(digest).decode().rstrip('=')
        found.append({'name': f'_acme-challenge.{name}', 'target': zone, 'zone': zone, 'value': value, 'certificate': entry.key, 'identifier': name})
    return found


def published(found: t.Iterable[Result]) -> list[Result]:
    """Records of several hosts, each once."""
    unique = {(record['target'], record['value']): record for record in found}
    kept = ('target', 'value', 'zone')
    return [{key: record[key] for key in kept if record.get(key)} for record in unique.values()]


def foreign_records(required: t.Any, zone: str) -> list[Result]:
    """Those of hosts that still run OpenDev's own role, which puts all at the zone itself."""
    return [{'target': zone, 'value': str(pair[1]), 'zone': zone} for pair in required or []]


def test_authority(settings: Result, requests: dict[str, str]) -> Result:
    """What pki_ca is asked for in the place of an ACME server."""
    key = {'algorithm': 'ecdsa', 'curve': 'P-256'}
    authorities = [
        {'name': TEST_ROOT, 'type': 'root', 'common_name': f'Root of {TEST_NAME}', 'key': key, 'ttl': '3650d'},
        {'name': TEST_AUTHORITY, 'type': 'intermediate', 'parent': TEST_ROOT, 'common_name': TEST_NAME, 'key': key, 'path_length': 0, 'ttl': '3650d'},
    ]
    sign = [{'authority': TEST_AUTHORITY, 'csr': csr, 'profile': 'server', 'ttl': '90d'} for csr in requests.values()]
    return {'backend': {'files': {'directory': settings['self_sign_directory']}}, 'authorities': authorities, 'sign': sign, 'lock_timeout': '120s'}


# What hiera's files call the contents, by the ending of the file of a certificate.
LEGACY = {'key_contents': '{}.key', 'full_chain_contents': 'fullchain.cer', 'chain_contents': 'ca.cer', 'cert_contents': '{}.cer'}


def material(entry: Entry, settings: Result) -> dict[str, str]:
    """The paths of a certificate's files by the words of hiera."""
    place = f"{settings['cert_directory']}/{entry.directory}"
    return {word: f'{place}/{file.format(entry.directory)}' for word, file in LEGACY.items()}


def legacy(certificates: dict[str, dict[str, str]]) -> str:
    """One YAML file for a host: `cert_NAME` with the contents of each certificate, as OpenDev's prototype for Rackspace wrote it."""
    lines = ['---']
    for name, contents in sorted(certificates.items()):
        lines.append(f'{json.dumps(f"cert_{name}")}:')
        for word in LEGACY:
            lines += [f'  {word}: |', *(f'    {line}'.rstrip() for line in contents[word].splitlines())]
    return '\n'.join(lines) + '\n'


def told(failures: dict[str, Result], entries: list[Entry]) -> str:
    """All failures of a host in one text."""
    names = {entry.key: f" ({', '.join(entry.names)})" for entry in entries}
    return '; '.join(f"certificate '{key}'{names.get(key, '')}: {failure.get('msg')}{_hint(failure)}" for key, failure in sorted(failures.items()))


def _hint(failure: Result) -> str:
    return f" ({failure['hint']})" if failure.get('hint') else ''
