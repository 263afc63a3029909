# SPDX-License-Identifier: Apache-2.0
"""What FreeIPA must know before certmonger may ask it for a host's certificates: the host's names on its networks, and the services
that are managed by it. From the services' metadata_settings, as tripleo-heat-templates and novajoin do; no server is asked."""

from __future__ import annotations

import dataclasses
import typing as t

Entry = t.Mapping[str, t.Any]

COMPACT, MANAGED = 'compact_service_', 'managed_service_'


class BadMetadata(ValueError):
    """Metadata that nobody can read."""


@dataclasses.dataclass(frozen=True)
class Registration:
    """Names and principals that FreeIPA is told of."""

    fqdn: str
    #: further names of hosts, all managed by the host itself
    hosts: tuple[str, ...]
    #: service principals without a realm, as HTTP/web.example.com
    services: tuple[str, ...]

    @property
    def ipahosts(self) -> list[dict[str, t.Any]]:
        """For `hosts` of freeipa.ansible_freeipa.ipahost, in one call."""
        return [{'name': name, 'force': True, 'managedby_host': [self.fqdn]} for name in self.hosts]

    @property
    def ipaservices(self) -> list[dict[str, t.Any]]:
        """For `services` of freeipa.ansible_freeipa.ipaservice, in one call."""
        return [{'name': name, 'force': True, 'host': [self.fqdn]} for name in self.services]


def compacted(settings: t.Iterable[Entry], networks: t.Collection[str], cloud_names: t.Mapping[str, str]) -> dict[str, t.Any]:
    """The metadata of a role: `compact_service_HTTP: [internalapi]`, `managed_service_haproxyinternal_api: haproxy/VIP`. Networks that the
    role is not on are left out (role.role.j2.yaml of tripleo-heat-templates)."""
    found: dict[str, t.Any] = {}
    for each in settings:
        try:
            service, network, kind = each['service'], each['network'], each['type']
        except (KeyError, TypeError):
            raise BadMetadata(f"metadata_settings: '{each}' has no service, network and type") from None
        if network not in networks:
            continue
        if kind == 'node':
            short = network.replace('_', '')
            names = found.setdefault(f'{COMPACT}{service}', [])
            if short not in names:
                names.append(short)
        elif kind == 'vip':
            if not cloud_names.get(network):
                raise BadMetadata(f"metadata_settings: service '{service}' has a name on the VIP of network '{network}', which has no cloud name")
            found[f'{MANAGED}{service}{network}'] = f'{service}/{cloud_names[network]}'
        else:
            raise BadMetadata(f"metadata_settings: type '{kind}' of service '{service}' is neither node nor vip")
    return found


def registration(metadata: Entry, fqdn: str) -> Registration:
    """What these metadata mean for one host (parse_service_metadata of tripleo-ipa)."""
    short, dot, domain = fqdn.partition('.')
    if not dot or not domain:
        raise BadMetadata(f"'{fqdn}' is not a fully qualified name")
    services = []
    for key, value in metadata.items():
        if key.startswith(COMPACT):
            service = key[len(COMPACT):]
            services += [f'{service}/{short}.{network}.{domain}' for network in _networks(key, value)]
        elif key.startswith(MANAGED):
            if not isinstance(value, str) or value.count('/') != 1:
                raise BadMetadata(f"{key}: '{value}' is not a principal of the form service/host")
            services.append(value)
        else:
            raise BadMetadata(f"'{key}' is neither {COMPACT}* nor {MANAGED}*")
    services = list(dict.fromkeys(services))
    hosts = dict.fromkeys(principal.partition('/')[2] for principal in services)
    hosts.pop(fqdn, None)
    return Registration(fqdn, tuple(hosts), tuple(services))


def _networks(key: str, value: t.Any) -> list[str]:
    items = value.split() if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        raise BadMetadata(f"{key}: '{value}' is no list of networks")
    return items


def lacking(requests: t.Iterable[Entry], known: Registration) -> list[str]:
    """What the requests ask for that FreeIPA will refuse, a sentence for each; empty if all is registered."""
    found = []
    names = {known.fqdn, *known.hosts}
    for request in requests:
        if str(request.get('ca', '')).upper() != 'IPA':
            continue
        label = f"certificate '{request.get('name', '?')}'"
        for principal in _listed(request.get('principal')):
            bare = principal.partition('@')[0]
            if bare not in known.services:
                found.append(f"{label}: the service '{bare}' is not registered{_metadata_for(bare)}")
        for name in _listed(request.get('dns')):
            if name not in names:
                found.append(f"{label}: the name '{name}' is no host that '{known.fqdn}' manages{_metadata_for('', name)}")
    return found


def _metadata_for(principal: str, name: str | None = None) -> str:
    service, _slash, host = principal.partition('/')
    host = name or host
    which = f"service '{service}'" if service else 'its service'
    return f"; give {which} an entry in metadata_settings for the network of '{host}', of type node, or vip for a name of the cloud"


def _listed(value: t.Any) -> list[str]:
    if not value:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
