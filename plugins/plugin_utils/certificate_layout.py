# SPDX-License-Identifier: Apache-2.0
"""The catalogue of TripleO's services: which certificate has which files and access, and who serves it. Data of the role certmonger
(roles/certmonger/files/catalogue.yml) with a deployer's changes, applied to requests of tripleo-heat-templates by their name."""

from __future__ import annotations

import os
import re
import typing as t

import yaml

Entry = t.Mapping[str, t.Any]

FILE = os.path.join(os.path.dirname(__file__), '..', '..', 'roles', 'certmonger', 'files', 'catalogue.yml')

# How many replicas of a bundle a host may have one of: pacemaker numbers them over the cluster.
REPLICAS = 9
SERVICE = {
    'aliases', 'networks', 'certificate', 'private_key', 'access', 'pem', 'ca_copy', 'ca_file', 'ca_variable', 'extended_key_usage', 'principal',
    'names', 'nickname', 'restart', 'bundle', 'run_after',
}
ACCESS = ('owner', 'group', 'mode', 'cert_owner', 'cert_group', 'cert_mode', 'key_owner', 'key_group', 'key_mode')


class BadCatalogue(ValueError):
    """What a deployer changed cannot be read."""


def shipped() -> dict[str, dict[str, t.Any]]:
    """The services as the collection knows them."""
    with open(FILE, encoding='utf-8') as file:
        return yaml.safe_load(file)


def merged(services: Entry, changes: Entry) -> dict[str, dict[str, t.Any]]:
    """The services with a deployer's changes: key by key within a service; null takes a key or a service away."""
    found = {name: dict(service) for name, service in services.items()}
    for name, change in changes.items():
        if change is None:
            found.pop(name, None)
            continue
        if not isinstance(change, dict):
            raise BadCatalogue(f"catalogue: what is said of '{name}' is no dictionary")
        service = {**found.get(name, {}), **change}
        found[name] = {key: value for key, value in service.items() if value is not None}
    for name, service in found.items():
        unknown = sorted(set(service) - SERVICE)
        if unknown:
            raise BadCatalogue(f"catalogue: nobody knows '{unknown[0]}' of '{name}'; there is: {', '.join(sorted(SERVICE))}")
    return found


class Catalogue:
    """The services by the names of their certificates."""

    def __init__(self, services: Entry) -> None:
        self.services = services
        self._patterns = [
            (re.compile(re.escape(pattern).replace(re.escape('{network}'), '(?P<network>[a-z0-9_]+)')), name)
            for name, service in services.items() for pattern in [name, *service.get('aliases', [])]
        ]

    def service(self, certificate: str) -> dict[str, t.Any] | None:
        """The service whose certificate has this name, all names of networks filled in."""
        for pattern, name in self._patterns:
            found = pattern.fullmatch(certificate)
            if found:
                return filled(self.services[name], found.groupdict().get('network', ''))
        return None

    def applied(self, request: t.Any) -> t.Any:
        """A request of tripleo-heat-templates with the catalogue's hooks in the place of its own; others as they are."""
        name = str(request.get('name', '')) if isinstance(request, dict) else ''
        service = self.service(name.rpartition('/')[2])
        if service is None or str(request.get('ensure', 'present')) == 'absent':
            return request
        kept = {key: value for key, value in request.items() if key != 'run_after' and value is not None and value != ''}
        access = {} if any(key in kept for key in ACCESS) else service.get('access', {})
        found = {**access, **hooks(service, f'/{name}.crt'), **kept}
        return {**found, **({'run_after': service['run_after']} if service.get('run_after') else {})}


def hooks(service: Entry, own: str) -> dict[str, t.Any]:
    """The keys restart, copies and pem of a request whose certificate's path ends in `own`."""
    found: dict[str, t.Any] = {'restart': restart(service)} if restart(service) is not None else {}
    copies = []
    if service.get('certificate') and not service['certificate'].endswith(f'/certs{own}'):
        access = service.get('access', {})
        for word, content, path in (('key', 'private_key', service['private_key']), ('cert', 'certificate', service['certificate'])):
            given = {key: access.get(f'{word}_{key}', access.get(key)) for key in ('owner', 'group', 'mode')}
            copies.append({'content': content, 'path': path, **{key: value for key, value in given.items() if value is not None}})
        copies += [{'content': 'ca_bundle', **service['ca_copy']}] if service.get('ca_copy') else []
    found.update({'copies': copies} if copies else {})
    found.update({'pem': dict(service['pem'])} if service.get('pem') else {})
    return found


def restart(service: Entry) -> dict[str, t.Any] | None:
    """Options of container_restart; the replicas of a bundle by name, of which a host has one."""
    options = service.get('restart')
    if options is None or not service.get('bundle'):
        return None if options is None else dict(options)
    replicas = [f"{service['bundle']}-podman-{number}" for number in range(REPLICAS)]
    return {**options, 'containers': [*options.get('containers', []), *replicas]}


def filled(value: t.Any, network: str) -> t.Any:
    """The value with the network's name in every text."""
    if isinstance(value, dict):
        return {key: filled(each, network) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, network) for each in value]
    return value.replace('{network}', network) if isinstance(value, str) else value
