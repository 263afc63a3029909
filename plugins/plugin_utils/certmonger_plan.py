# SPDX-License-Identifier: Apache-2.0
"""From the specs of puppet-certmonger and puppet-tripleo, and from names of services, to elements of certificate_requests: no disk, no host."""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import os
import re
import typing as t

from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_layout
from ansible_collections.tls.everywhere.plugins.plugin_utils.certificate_plan import OWN, UPSTREAM, Notes

Entry = t.Mapping[str, t.Any]

# What the classes of puppet-tripleo take, then what the type certmonger_certificate of puppet-certmonger calls the same.
CLASSES = {
    'service_certificate', 'service_key', 'service_pem', 'hostname', 'dnsnames', 'principal', 'postsave_cmd', 'presave_cmd', 'key_size', 'cacertfile',
    'notify_service', 'eku', 'certmonger_ca', 'profile',
}
TYPE = {'certfile': 'service_certificate', 'keyfile': 'service_key', 'dnsname': 'dnsnames', 'ca': 'certmonger_ca'}
# What puppet says to certmonger's command line or to itself; here it goes without saying.
SILENT = {'wait', 'ignore_ca_errors', 'cleanup_on_error', 'force_resubmit', 'keybackend', 'certbackend', 'status', 'ca_error', 'step', 'bootstrap_node'}

LOOKUP = re.compile(r"%\{(?:hiera|lookup)\(\s*(['\"])([\w:.-]+)\1\s*\)\}|%\{(?:::)?([\w:.-]+)\}")
# Directories that belong to everybody: they get no label of ours.
COMMON = {'/', '/etc', '/root', '/srv', '/tmp', '/usr', '/usr/local', '/var', '/var/lib', '/opt', '/home', '/run'}


@dataclasses.dataclass(frozen=True)
class Host:
    """What the specs leave to the host."""

    #: certmonger's name of the CA
    authority: str = 'local'
    #: of those services that have a CA of their own: by the name of hiera's variable
    authorities: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: appended to principals that have none
    realm: str | None = None
    #: what hiera would answer: fqdn_internal_api, cloud_name_internal_api, …
    values: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: whether services of the catalogue get its hooks in the place of postsave_cmd
    hooks: bool = True


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is asked of the role certificate, and the directories that must be there before."""

    requests: list[dict[str, t.Any]]
    directories: list[str]


def plan(specs: t.Any, services: t.Any, host: Host, catalogue: certificate_layout.Catalogue, notes: Notes) -> Plan:
    """The plan of one host; after faults it is of no use."""
    requests = [Spec(name, spec, where, host, catalogue, notes).request() for name, spec, where in _named(specs, notes)]
    for name, service in _wanted(services, host, catalogue, notes):
        requests.append(_of_service(name, service, host, notes))
    paths = [path for request in requests for path in _paths(request)]
    directories = sorted({os.path.dirname(path) for path in paths} - COMMON)
    return Plan(requests, [directory for directory in directories if directory])


def _named(specs: t.Any, notes: Notes) -> t.Iterator[tuple[str, Entry, str]]:
    """The specs by name: as hiera has them, as a list of such, or as a list of those that carry their name."""
    for index, part in enumerate(specs if isinstance(specs, list) else [specs]):
        where = f'certificates_specs[{index}]' if isinstance(specs, list) else 'certificates_specs'
        if not isinstance(part, dict):
            notes.faults.append(f'{where}: is no dictionary')
        elif isinstance(part.get('name'), str):
            yield part['name'], {key: value for key, value in part.items() if key != 'name'}, where
        else:
            for name, spec in part.items():
                if isinstance(spec, dict):
                    yield str(name), spec, f'{where}.{name}'
                else:
                    notes.faults.append(f'{where}.{name}: is no dictionary')


class Spec:
    """One spec of puppet."""

    def __init__(self, name: str, spec: Entry, where: str, host: Host, catalogue: certificate_layout.Catalogue, notes: Notes) -> None:
        self.name, self.where, self.host, self.notes = name, where, host, notes
        self.service = catalogue.service(name) or {}
        known = {TYPE.get(key, key): value for key, value in spec.items() if value not in (None, '', 'undef')}
        if 'ca' in spec and 'certmonger_ca' in spec:
            known['certmonger_ca'] = spec['certmonger_ca']
        self.spec = {key: self._evaluated(key, value) for key, value in known.items()}
        for key in sorted(set(self.spec) - CLASSES - SILENT - UPSTREAM - OWN):
            near = difflib.get_close_matches(key, CLASSES | set(TYPE) | UPSTREAM | OWN, 1)
            notes.warnings.append(f"{where}: nobody knows '{key}', it has no effect" + (f", did you mean '{near[0]}'?" if near else ''))

    def _evaluated(self, key: str, value: t.Any) -> t.Any:
        """The value with what hiera would put into it. Whom puppet would notify is nobody's business here."""
        if isinstance(value, list):
            return [self._evaluated(key, each) for each in value]
        if not isinstance(value, str) or '%{' not in value or key == 'notify_service':
            return value

        def answer(found: re.Match[str]) -> str:
            name = found.group(2) or found.group(3)
            if self.host.values.get(name) in (None, ''):
                self.notes.faults.append(f"{self.where}.{key}: nobody says what hiera's '{name}' is; give it in certmonger_values")
            return str(self.host.values.get(name, ''))

        return LOOKUP.sub(answer, value)

    def _required(self, key: str, usual: t.Any = None) -> str:
        value = self.spec.get(key, usual)
        if not value:
            self.notes.faults.append(f'{self.where}.{key}: is required')
        return str(value or '')

    def request(self) -> dict[str, t.Any]:
        """The element of certificate_requests."""
        spec, service = self.spec, self.service
        hostname = (spec.get('dns') or [None])[0] if isinstance(spec.get('dns'), list) else spec.get('dns')
        # What shall not be tracked any more needs no name.
        hostname = spec.get('hostname', hostname) if spec.get('ensure') == 'absent' else self._required('hostname', hostname)
        names = _listed(spec.get('dnsnames')) or ([hostname] if hostname else [])
        addresses = [name for name in names if _is_address(name)]
        passed = {key: value for key, value in spec.items() if key in UPSTREAM | OWN and key not in CLASSES}
        found: dict[str, t.Any] = {
            'name': self.name.replace('/', '_'), 'id': service.get('nickname', self.name.replace('/', '_')),
            'ca': _authority(spec.get('certmonger_ca'), service, self.host), 'common_name': hostname,
            'dns': [name for name in names if name not in addresses], 'ip': addresses,
            'cert_path': self._required('service_certificate', service.get('certificate')),
            'key_path': self._required('service_key', service.get('private_key')),
            'key_size': spec.get('key_size'), 'ca_file': spec.get('cacertfile'), 'profile': spec.get('profile'), 'run_before': spec.get('presave_cmd'),
            'principal': [_principal(each, self.host) for each in _listed(spec.get('principal'))],
            **_usages(_listed(spec.get('eku')) or service.get('extended_key_usage', [])), **service.get('access', {}), **self._hooks(), **passed,
        }
        return _given(found)

    def _hooks(self) -> dict[str, t.Any]:
        """What follows a save. The scripts that puppet's classes install are not there any more."""
        found: dict[str, t.Any] = {}
        if self.spec.get('service_pem'):
            usual = {'mode': '0640', **self.service.get('pem', {})}
            found['pem'] = {**usual, 'path': self.spec['service_pem']}
        restart = certificate_layout.restart(self.service) if self.host.hooks else None
        if restart is not None:
            return {**found, 'restart': restart}
        command = self.service.get('run_after') if self.host.hooks else None
        notified = str(self.spec.get('notify_service') or '')
        reload = f'systemctl try-reload-or-restart -- {notified}' if re.fullmatch(r'[\w@.:-]+', notified) else None
        command = command or self.spec.get('postsave_cmd') or reload
        return {**found, **({'run_after': command} if command else {})}


def _wanted(services: t.Any, host: Host, catalogue: certificate_layout.Catalogue, notes: Notes) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Services of the catalogue by name; {network} is every network on which the host has a name."""
    networks = sorted(name[len('fqdn_'):] for name, value in host.values.items() if name.startswith('fqdn_') and value)
    if not isinstance(services, list):
        notes.faults.append('certmonger_services: is no list')
        return
    for given in services:
        for name in [str(given).replace('{network}', network) for network in networks] if '{network}' in str(given) else [str(given)]:
            service = catalogue.service(name)
            if service is not None:
                yield name, service
                continue
            near = difflib.get_close_matches(name, catalogue.services, 1)
            notes.faults.append(f"certmonger_services: the catalogue has no '{name}'" + (f", did you mean '{near[0]}'?" if near else ''))


def _of_service(name: str, service: Entry, host: Host, notes: Notes) -> dict[str, t.Any]:
    network = (service.get('networks') or [name.rpartition('-')[2]])[0]
    names = []
    for which in service.get('names', ['host']):
        key = f'cloud_name_{network}' if which == 'cloud' else f'fqdn_{network}'
        if not host.values.get(key):
            notes.faults.append(f"certmonger_services: '{name}' needs the variable '{key}'")
        names.append(str(host.values.get(key, '')))
    restart = certificate_layout.restart(service) if host.hooks else None
    return _given({
        'name': name, 'id': service.get('nickname', name), 'ca': _authority(None, service, host), 'common_name': names[0], 'dns': names,
        'cert_path': service['certificate'], 'key_path': service['private_key'], 'ca_file': service.get('ca_file'),
        'principal': [_principal(f"{service['principal']}/{names[0]}", host)] if service.get('principal') else [],
        **_usages(service.get('extended_key_usage', [])), **service.get('access', {}), 'pem': service.get('pem'), 'restart': restart,
        'run_after': service.get('run_after') if host.hooks else None,
    })


def _usages(purposes: list[str]) -> dict[str, t.Any]:
    """As puppet asks for them: key usages never, purposes where the class has some. The CA's profile decides otherwise."""
    return {'key_usage': [], 'extended_key_usage': purposes}


def _authority(given: t.Any, service: Entry, host: Host) -> str:
    name = str(given or host.authorities.get(service.get('ca_variable', '')) or host.authority)
    return {'ipa': 'ipa', 'self-sign': 'local'}.get(name.lower(), name)


def _principal(text: str, host: Host) -> str:
    return text if '@' in text or not host.realm else f'{text}@{host.realm}'


def _given(values: Entry) -> dict[str, t.Any]:
    kept = ('key_usage', 'extended_key_usage', 'restart', 'dns')
    return {key: value for key, value in values.items() if value is not None and (value not in ('', [], {}) or key in kept)}


def _paths(request: Entry) -> list[str]:
    further = [request.get('pem') or {}, *(request.get('copies') or [])]
    found = [request.get('cert_path'), request.get('key_path'), request.get('ca_file'), *(each.get('path') for each in further if isinstance(each, dict))]
    return [str(path) for path in found if path and str(path).startswith('/')]


def _listed(value: t.Any) -> list[str]:
    if not value:
        return []
    return [str(each) for each in (value if isinstance(value, list) else [value]) if str(each).strip()]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
