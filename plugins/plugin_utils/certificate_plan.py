# SPDX-License-Identifier: Apache-2.0
"""From the variables of linux-system-roles.certificate to wishes for cert_request and the scripts of hooks: no disk, no host."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import ipaddress
import re
import typing as t

from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_hooks
from ansible_collections.tls.everywhere.plugins.plugin_utils.certificate_layout import BadCatalogue, Catalogue, merged, shipped

Entry = t.Mapping[str, t.Any]

# What certificate_requests of linux-system-roles.certificate 1.9.1 may hold, then what only we know.
UPSTREAM = {
    'name', 'ca', 'issuer', 'dns', 'ip', 'email', 'principal', 'common_name', 'country', 'state', 'locality', 'organization',
    'organizational_unit', 'contact_email', 'key_size', 'key_usage', 'extended_key_usage', 'auto_renew', 'owner', 'group', 'mode',
    'run_before', 'run_after', 'provider',
}
OWN = {
    'id', 'ensure', 'cert_path', 'key_path', 'cert_owner', 'cert_group', 'cert_mode', 'key_owner', 'key_group', 'key_mode', 'pem', 'ca_file',
    'profile', 'key_type', 'rekey', 'wait_timeout', 'containers', 'restart', 'copies', 'challenge_password_file',
}

# The order in which certmonger's command line is given them, which is that of the subject.
SUBJECT = {
    'country': 'country', 'state': 'state', 'locality': 'locality', 'organization': 'organization', 'organizational_unit': 'organizational_unit',
    'contact_email': 'email',
}
USAGES = (
    'digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'keyCertSign', 'cRLSign', 'encipherOnly',
    'decipherOnly',
)
PURPOSES = {
    'id-kp-serverAuth': 'serverAuth', 'id-kp-clientAuth': 'clientAuth', 'id-kp-codeSigning': 'codeSigning',
    'id-kp-emailProtection': 'emailProtection', 'id-kp-timeStamping': 'timeStamping', 'id-kp-OCSPSigning': 'OCSPSigning',
    'anyExtendedKeyUsage': '2.5.29.37.0', 'id-kp-ipsecEndSystem': '1.3.6.1.5.5.7.3.5', 'id-kp-ipsecTunnel': '1.3.6.1.5.5.7.3.6',
    'id-kp-ipsecUser': '1.3.6.1.5.5.7.3.7',
}
PRINCIPAL = re.compile(r'[^/@]+/[^/@]+@[^/@]+')
LONGEST_COMMON_NAME = 64


@dataclasses.dataclass
class Notes:
    """What is wrong with the variables, and what the operator should look at."""

    faults: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What holds for all requests of a host."""

    directory: str
    config_directory: str
    header: str
    wait: bool
    wait_timeout: str | None
    address: str | None
    #: whether a principal may come without its realm, which certmonger's side completes then
    completes_realm: bool = False
    #: where hooks are
    places: certificate_hooks.Places = certificate_hooks.Places()
    #: SELinux type of their scripts, where the host has SELinux
    hook_setype: str | None = None
    #: by certmonger's nickname of a CA: the file with its certificates on the host
    chains: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: what TripleO's services need, if the requests are TripleO's
    catalogue: Catalogue | None = None


def settings(given: Entry, notes: Notes) -> Settings:
    """The settings as the role's variables have them: plain data, the name of a layout and a deployer's changes to the catalogue."""
    # Before ansible-core 2.19 a template that says none is an empty text.
    plain = {key: None if value == '' else value for key, value in given.items()}
    layout, changes = plain.pop('layout', None) or 'given', plain.pop('catalogue', None) or {}
    if layout not in ('given', 'tripleo'):
        notes.faults.append(f"certificate_layout: '{layout}' is neither given nor tripleo")
    try:
        catalogue = Catalogue(merged(shipped(), changes)) if layout == 'tripleo' else None
    except BadCatalogue as bad:
        notes.faults.append(str(bad))
        catalogue = None
    places = {key: value or None for key, value in (plain.get('places') or {}).items()}
    plain['chains'] = {str(ca): str(path) for ca, path in (plain.get('chains') or {}).items()}
    return Settings(**{**plain, 'places': certificate_hooks.Places(**places), 'catalogue': catalogue})


@dataclasses.dataclass(frozen=True)
class Script:
    """The script of a hook; without content it shall not be there."""

    path: str
    content: str | None
    mode: str = '0770'
    setype: str | None = None
    #: whether it keeps the fingerprints of what it is called for
    remembers: bool = False

    @property
    def wish(self) -> dict[str, t.Any]:
        """As an element of file_set's sets[].files."""
        if self.content is None:
            return {'path': self.path, 'state': 'absent'}
        label = {'setype': self.setype} if self.setype else {}
        return {'path': self.path, 'content': self.content, 'mode': self.mode, 'holds_private_key': False, **label}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is asked of cert_request, and the scripts that must be there before."""

    wishes: list[dict[str, t.Any]]
    absent: list[dict[str, t.Any]]
    scripts: list[Script]
    #: further files of certificates, for cert_request too
    copies: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    #: what hooks run
    programs: set[str] = dataclasses.field(default_factory=set)


def plan(requests: t.Any, settings: Settings, notes: Notes) -> Plan:
    """The plan of one host; after faults it is of no use."""
    found = Plan([], [], [])
    seen: dict[str, Entry] = {}
    if not isinstance(requests, list):
        notes.faults.append('certificate_requests: is no list')
        return found
    for number, entry in enumerate(requests):
        where = f'certificate_requests[{number}]'
        if not isinstance(entry, dict):
            notes.faults.append(f'{where}: is no dictionary')
            continue
        request = Request(settings.catalogue.applied(entry) if settings.catalogue else entry, where, settings, notes)
        before = seen.setdefault(request.certificate, request.entry)
        if before is request.entry:
            request.add_to(found)
        elif before != request.entry:
            notes.faults.append(f"{where}: '{request.certificate}' is requested twice, with different options")
    return found


class Request:
    """One element of certificate_requests."""

    def __init__(self, entry: Entry, where: str, settings: Settings, notes: Notes) -> None:
        # An option that a template leaves empty is one that was not given: {key_size: ''} is all over TripleO.
        self.entry = {key: value for key, value in entry.items() if value is not None and value != '' and not _is_omitted(value)}
        self.where = where
        self.settings = settings
        self.notes = notes
        self.name = str(self.entry.get('name', ''))
        self.certificate = str(self.entry.get('cert_path') or self._place('certs', '.crt'))
        self.key = str(self.entry.get('key_path') or self._place('private', '.key'))
        self._check_keys(entry)

    def fault(self, key: str, text: str) -> None:
        """Something that cannot be done."""
        self.notes.faults.append(f'{self.where}.{key}: {text}')

    def _check_keys(self, entry: Entry) -> None:
        for key in sorted(set(entry) - UPSTREAM - OWN):
            near = difflib.get_close_matches(key, UPSTREAM | OWN, 1)
            hint = f", did you mean '{near[0]}'?" if near else ''
            self.notes.warnings.append(f"{self.where} ('{self.name}'): nobody knows '{key}', it has no effect{hint}")
        if not self.name:
            self.fault('name', 'is required')
        elif '/' in self.name and not self.name.startswith('/'):
            self.fault('name', f"'{self.name}' is neither a simple name nor an absolute path")
        if not self.entry.get('ca') and self.ensure != 'absent':
            self.fault('ca', 'is required')
        if self.entry.get('provider', 'certmonger') != 'certmonger':
            self.fault('provider', f"Chosen provider '{self.entry['provider']}' is not available.")
        if self.ensure not in ('present', 'absent'):
            self.fault('ensure', f"'{self.ensure}' is neither present nor absent")

    @property
    def ensure(self) -> str:
        """Whether it shall be there."""
        return str(self.entry.get('ensure', 'present'))

    def _place(self, directory: str, ending: str) -> str:
        return f'{self.name}{ending}' if self.name.startswith('/') else f'{self.settings.directory}/{directory}/{self.name}{ending}'

    def add_to(self, plan_of_host: Plan) -> None:
        """Its part of the plan."""
        if self.ensure == 'absent':
            plan_of_host.absent.append({
                'name': self.identity, 'issuer': {'certmonger': self._plain({'ca': 'local', 'address': self.settings.address})},
                'files': [{'content': 'private_key', 'path': self.key}, {'content': 'certificate', 'path': self.certificate}],
            })
            plan_of_host.scripts.extend(Script(script.path, None) for script in self._scripts().values())
            plan_of_host.scripts.extend(Script(path, None) for path in certificate_hooks.paths(self.identity, self.settings.places))
            return
        scripts = self._scripts()
        hooks = {key: script.path for key, script in scripts.items() if script.content is not None}
        followed = certificate_hooks.hook(self.entry, self._source(), self.fault)
        plan_of_host.scripts.extend([*scripts.values(), *self._hook_files(followed, hooks)])
        if followed is not None:
            hooks['run_after'] = certificate_hooks.paths(self.identity, self.settings.places)[0]
            plan_of_host.programs.update(followed.programs)
            plan_of_host.copies.extend([followed.copies] if followed.copies else [])
        if hooks and self.settings.address:
            # Measured with 0.79.17: it takes the client's process for its user, finds none of that number and says so in its log only.
            self.notes.warnings.append(f"{self.where} ('{self.name}'): certmonger runs no hook of a request that came over its own socket; use the bus")
        plan_of_host.wishes.append(self.wish(hooks))

    @property
    def identity(self) -> str:
        """How results call it, and certmonger."""
        return str(self.entry.get('id') or self.name.lstrip('/').replace('/', '_'))

    # Names.

    def listed(self, key: str) -> list[str]:
        """A list that may be given as one text; what a template left empty in it is dropped."""
        value = self.entry.get(key) or []
        items = value if isinstance(value, list) else [value]
        return [str(item) for item in items if str(item).strip()]

    def _common_name(self) -> str | None:
        if self.entry.get('common_name'):
            return str(self.entry['common_name'])
        names = [*self.listed('dns')[:1], *self.listed('ip')[:1], *self.listed('email')[:1]]
        return next((name for name in names if len(name) <= LONGEST_COMMON_NAME), None)

    def _subject(self) -> dict[str, str]:
        return {word: str(self.entry[key]) for key, word in SUBJECT.items() if self.entry.get(key)}

    def _addresses(self) -> list[str]:
        found = []
        for text in self.listed('ip'):
            try:
                found.append(str(ipaddress.ip_address(text)))
            except ValueError:
                self.fault('ip', f"'{text}' is not an IP address")
        return found

    def _principals(self) -> list[str]:
        found = self.listed('principal')
        for principal in found:
            complete = f'{principal}@REALM' if self.settings.completes_realm and '@' not in principal else principal
            if not PRINCIPAL.fullmatch(complete):
                self.fault('principal', f"Invalid principal '{principal}'. It should be formatted as 'primary/instance@REALM'")
        if self.authority == 'IPA' and not found:
            self.fault('principal', "Principal parameter is mandatory for 'ipa' CA.")
        return found

    # Key and usages.

    @property
    def authority(self) -> str:
        """certmonger's nickname of the CA."""
        ca = str(self.entry.get('ca', ''))
        return {'SELF-SIGN': 'local', 'IPA': 'IPA'}.get(ca.upper(), ca)

    def _key(self) -> dict[str, t.Any]:
        rekey = str(self.entry.get('rekey', 'on_change'))
        if rekey not in ('on_change', 'always', 'never'):
            self.fault('rekey', f"'{rekey}' is none of on_change, always, never")
        key: dict[str, t.Any] = {'reuse': rekey != 'always'}
        kind = str(self.entry.get('key_type', 'rsa')).lower()
        if kind not in ('rsa', 'ec', 'ecdsa'):
            self.fault('key_type', f"'{kind}' is none of rsa, ec")
        size = self.entry.get('key_size')
        if kind == 'rsa':
            key['algorithm'] = 'rsa'
        else:
            key['algorithm'] = 'ecdsa'
        if size is not None and rekey != 'never':
            self._size(key, str(size))
        return key

    def _size(self, key: dict[str, t.Any], size: str) -> None:
        if not size.isdecimal():
            self.fault('key_size', f"'{size}' is no number of bits")
        elif key['algorithm'] == 'rsa':
            key['size'] = int(size)
        elif size in ('256', '384', '521'):
            key['curve'] = f'P-{size}'
        else:
            self.fault('key_size', f"there is no elliptic curve of {size} bits here; give 256, 384 or 521")

    def _usages(self) -> list[str]:
        found = self.listed('key_usage') if 'key_usage' in self.entry else ['digitalSignature', 'keyEncipherment']
        for usage in found:
            if usage not in USAGES:
                self.fault('key_usage', f"'{usage}' is none of {', '.join(USAGES)}")
        return found

    def _purposes(self) -> list[str]:
        found = self.listed('extended_key_usage') if 'extended_key_usage' in self.entry else ['id-kp-serverAuth', 'id-kp-clientAuth']
        for purpose in found:
            if purpose not in PURPOSES and not re.fullmatch(r'[0-2](\.[0-9]+)+', purpose):
                self.fault('extended_key_usage', f"'{purpose}' is neither an object identifier nor one of {', '.join(PURPOSES)}")
        return [PURPOSES.get(purpose, purpose) for purpose in found]

    # Files.

    def _files(self) -> list[dict[str, t.Any]]:
        return [
            self._plain({'content': 'private_key', 'path': self.key, **self._access('key')}),
            self._plain({'content': 'certificate', 'path': self.certificate, **self._access('cert')}),
        ]

    def _access(self, which: str) -> dict[str, t.Any]:
        """Owner, group and mode; a group without a mode may read, as upstream has it."""
        access = {key: self.entry.get(f'{which}_{key}', self.entry.get(key)) for key in ('owner', 'group', 'mode')}
        if access['group'] is not None and access['mode'] is None:
            access['mode'] = '0640'
        if isinstance(access['mode'], int):
            access['mode'] = f"{access['mode']:04o}"
        return access

    # Hooks.

    def _scripts(self) -> dict[str, Script]:
        digest = hashlib.sha1(self.certificate.encode('utf-8'), usedforsecurity=False).hexdigest()[:7]
        name = f"{self.name.rpartition('/')[2]}-{digest}.sh"
        found = {}
        for key, directory in (('run_before', 'pre-scripts'), ('run_after', 'post-scripts')):
            text = self.entry.get(key)
            content = '\n'.join(['#!/bin/bash', self.settings.header, str(text)]) if text else None
            found[key] = Script(f"{self.settings.config_directory.rstrip('/')}/{directory}/{name}", content)
        return found

    def _source(self) -> certificate_hooks.Source:
        chain = self.entry.get('ca_file') or self.settings.chains.get(self.authority)
        return certificate_hooks.Source(self.identity, self.certificate, self.key, str(chain) if chain else None)

    def _hook_files(self, followed: certificate_hooks.Hook | None, hooks: t.Mapping[str, str]) -> list[Script]:
        """The files of the hook, and those that it has no more. The options of container_restart may be another's: they stay."""
        places = self.settings.places
        written = followed.written(places, self.settings.header, hooks.get('run_after')) if followed else {}
        found = [
            Script(path, content, '0700', self.settings.hook_setype, followed.restart is not None) if path.endswith('.sh') else Script(path, content, '0600')
            for path, content in written.items()
        ]
        script, files, served, _options = certificate_hooks.paths(self.identity, places)
        ours = [script, files] if followed and followed.restart is not None else [script, files, served]
        return [*found, *(Script(path, None) for path in ours if path not in written)]

    # All of it.

    def wish(self, hooks: t.Mapping[str, str]) -> dict[str, t.Any]:
        """The entry for cert_request, with what certmonger runs before and after saving."""
        issuer = {
            'ca': self.authority, 'issuer': self.entry.get('issuer'), 'profile': self.entry.get('profile'), 'ca_file': self.entry.get('ca_file'),
            'auto_renew': _flag(self.entry.get('auto_renew', True)), 'wait': self.settings.wait,
            'wait_timeout': self.entry.get('wait_timeout', self.settings.wait_timeout), 'address': self.settings.address,
            'pre_save': hooks.get('run_before'), 'post_save': hooks.get('run_after'),
            'challenge_password_file': self.entry.get('challenge_password_file'),
        }
        return self._plain({
            'name': self.identity, 'common_name': self._common_name(), 'subject': self._subject() or None, 'dns': self.listed('dns'),
            'ip': self._addresses(), 'email': self.listed('email'), 'principal': self._principals() or None, 'key': self._key(),
            'key_usage': self._usages(), 'extended_key_usage': self._purposes(), 'issuer': {'certmonger': self._plain(issuer)},
            'files': self._files(), 'containers': self.entry.get('containers'),
        })

    @staticmethod
    def _plain(values: Entry) -> dict[str, t.Any]:
        return {key: value for key, value in values.items() if value is not None}


def _flag(value: t.Any) -> bool:
    return str(value).lower() in ('true', 'yes', 'on', '1', 'y', 't')


def _is_omitted(value: t.Any) -> bool:
    return isinstance(value, str) and value.startswith('__omit_place_holder__')
