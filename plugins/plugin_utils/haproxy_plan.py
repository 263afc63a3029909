# SPDX-License-Identifier: Apache-2.0
"""From OpenStack-Ansible's variables haproxy_ssl_letsencrypt_* to certificates of cert_request: no disk, no host."""

from __future__ import annotations

import copy
import dataclasses
import ipaddress
import os
import re
import typing as t
import urllib.parse

from ansible_collections.tls.everywhere.plugins.plugin_utils import haproxy_certbot

Entry = t.Dict[str, t.Any]

# What OpenStack-Ansible has where nobody said an address; Let's Encrypt refuses it.
PLACEHOLDER_EMAIL = 'example@example.com'
CHALLENGES = ('http-01', 'dns-01')
# Whatever HAProxy reads first in a file serves; this order is that of OpenStack-Ansible's own hook.
PARTS = ['certificate', 'chain', 'private_key']


@dataclasses.dataclass
class Notes:
    """What is wrong with the variables, and what the operator should look at."""

    faults: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Pem:
    """A file that HAProxy reads, and where it serves it."""

    path: str
    address: str
    interface: str


@dataclasses.dataclass(frozen=True)
class Certificate:
    """One certificate of this node."""

    names: tuple[str, ...]
    pems: tuple[Pem, ...]
    #: where its own key and chain are
    directory: str
    #: where certbot has, or had, the same
    certbot: str

    @property
    def key(self) -> str:
        return f'{self.directory}/privkey.pem'

    @property
    def fullchain(self) -> str:
        return f'{self.directory}/fullchain.pem'


@dataclasses.dataclass(frozen=True)
class Plan:
    """What this node is to have."""

    certificates: list[Certificate]
    issuer: Entry
    key: Entry
    must_staple: bool

    @property
    def pems(self) -> list[Pem]:
        return [pem for certificate in self.certificates for pem in certificate.pems]


def plan(settings: Entry, notes: Notes) -> Plan:
    """The plan of one node; after faults it is of no use."""
    said = haproxy_certbot.said(str(settings.get('extra_params') or ''), 'haproxy_ssl_letsencrypt_setup_extra_params', notes.faults)
    certificates = _certificates(settings, said, notes)
    issuer = _issuer(settings, said, notes)
    names = [name for certificate in certificates for name in certificate.names]
    if issuer.get('challenge') == 'http-01':
        notes.faults += [f"haproxy_ssl_letsencrypt_domains: '{name}' is a wildcard, which http-01 cannot prove; use dns-01"
                         for name in names if name.startswith('*.')]
    return Plan(certificates, issuer, _key(settings, said), said.must_staple)


# Names and files.

def _certificates(settings: Entry, said: haproxy_certbot.Said, notes: Notes) -> list[Certificate]:
    """One for the binds that say no names of their own, one for each set of names that binds say."""
    main = _unique([*_listed(settings.get('domains')), *said.domains])
    if not main:
        notes.faults.append('haproxy_ssl_letsencrypt_domains: no name is given')
    groups: dict[tuple[str, ...], list[Pem]] = {}
    for bind in _external(settings.get('vip_binds') or _upstream_binds(settings), notes):
        names = _unique(_listed(bind.get('letsencrypt_domains'))) or main
        groups.setdefault(names, []).append(_pem(bind, settings))
    if not groups:
        notes.faults.append("haproxy_vip_binds: no entry has the type 'external', so no file of HAProxy gets the certificate")
    found = [_certificate(names, pems, settings, said.name if names == main else None) for names, pems in groups.items() if names]
    _distinct(found, notes)
    return found


def _certificate(names: tuple[str, ...], pems: list[Pem], settings: Entry, certbot: str | None) -> Certificate:
    # certbot's directory of a wildcard has its name without '*.'.
    name = names[0][2:] if names[0].startswith('*.') else names[0]
    return Certificate(names, tuple(pems), f"{settings['directory']}/{name.replace(':', '_')}", f"{settings['certbot_directory']}/{certbot or name}")


def _distinct(certificates: list[Certificate], notes: Notes) -> None:
    for what in ('directory', 'pems'):
        seen: set[str] = set()
        for certificate in certificates:
            for path in [certificate.directory] if what == 'directory' else sorted({pem.path for pem in certificate.pems}):
                if path in seen:
                    notes.faults.append(f"haproxy_vip_binds: two certificates would be in '{path}'; begin 'letsencrypt_domains' with different names")
                seen.add(path)


def _upstream_binds(settings: Entry) -> list[Entry]:
    """As OpenStack-Ansible makes them of other variables; the internal ones get no certificate of this kind."""
    external = settings.get('external') or {}
    first = [{'address': external['address'], 'interface': external.get('interface'), 'type': 'external'}] if external.get('address') else []
    return first + [{'address': address, 'type': 'external'} for address in external.get('extra') or []]


def _external(binds: t.Any, notes: Notes) -> t.Iterator[Entry]:
    """The binds of type external, as OpenStack-Ansible picks them."""
    for index, bind in enumerate(binds if isinstance(binds, list) else []):
        if not isinstance(bind, dict) or bind.get('type') != 'external':
            continue
        if not bind.get('address'):
            notes.faults.append(f'haproxy_vip_binds[{index}]: has no address')
            continue
        yield bind


def _pem(bind: Entry, settings: Entry) -> Pem:
    """The file as OpenStack-Ansible names it, unless the bind names one itself."""
    address, interface = str(bind['address']), str(bind.get('interface') or '')
    end = f'{address}-{interface}' if interface else address
    path = bind.get('pem') or f"{settings['cert_path']}/haproxy_{settings['hostname']}-{end}.pem"
    return Pem(re.sub('/+', '/', str(path)), address, interface)


def _listed(value: t.Any) -> list[str]:
    return [str(each).strip() for each in (value if isinstance(value, (list, tuple)) else [value]) if each is not None and str(each).strip()]


def _unique(names: t.Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def is_address(name: str) -> bool:
    """Whether a name is an address, which ACME servers certify as such (RFC 8738)."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


# Who signs, and how.

def _issuer(settings: Entry, said: haproxy_certbot.Said, notes: Notes) -> Entry:
    """The options of the issuer `acme`: what the variables say, under what the operator says in our own words."""
    own = copy.deepcopy(settings.get('acme') or {})
    challenge = str(own.get('challenge') or said.challenge or settings.get('challenge') or 'http-01')
    found: Entry = {
        'directory': str(settings.get('server') or 'letsencrypt'), 'account_key': f"{settings['directory']}/account.key", 'account_create': True,
        'terms_agreed': True, 'challenge': challenge, **said.acme,
    }
    found.update(_contact(said.email or str(settings.get('email') or ''), notes) if 'contact' not in own else {})
    if said.eab_kid:
        found['eab'] = {'kid': said.eab_kid}
    if challenge == 'http-01':
        found['http'] = {'address': str(settings['address']), 'port': _port(settings, notes), **said.http}
        if not is_address(found['http']['address']) and 'address' not in (own.get('http') or {}):
            notes.faults.append(f"haproxy_ssl_letsencrypt_certbot_bind_address: '{found['http']['address']}' is no IP address of this node")
    elif challenge not in CHALLENGES:
        notes.faults.append(f"haproxy_ssl_letsencrypt_certbot_challenge: '{challenge}' is none of {', '.join(CHALLENGES)}")
    elif 'provider' not in own:
        notes.faults.append(
            "haproxy_ssl_letsencrypt_certbot_challenge: dns-01 needs 'haproxy_letsencrypt_acme: {provider: …}', who publishes the records")
    for name, value in own.items():
        nested = isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = {**found[name], **value} if nested else value
    if said.eab_kid and 'hmac_key' not in found['eab']:
        notes.faults.append("haproxy_ssl_letsencrypt_setup_extra_params: '--eab-kid' without its key; "
                            "write 'haproxy_letsencrypt_acme: {eab: {kid: …, hmac_key: …}}'")
    return {name: value for name, value in found.items() if value is not None}


def _contact(email: str, notes: Notes) -> Entry:
    if email == PLACEHOLDER_EMAIL:
        notes.warnings.append(f"haproxy_ssl_letsencrypt_email: '{email}' is the variable's default, which servers refuse; no contact is given")
        return {}
    return {'contact': [f'mailto:{email}']} if email else {}


def _port(settings: Entry, notes: Notes) -> int:
    value = str(settings.get('port'))
    if not value.isdigit() or not 0 < int(value) < 65536:
        notes.faults.append(f"haproxy_ssl_letsencrypt_certbot_backend_port: '{value}' is no port")
        return 8888
    return int(value)


def _key(settings: Entry, said: haproxy_certbot.Said) -> Entry:
    """certbot's default since 2.0 is P-256; with RSA OpenStack-Ansible asks for 4096 bits."""
    found = {**said.key, **(settings.get('key') or {})}
    found.setdefault('algorithm', 'ecdsa')
    if found['algorithm'] == 'rsa':
        found.setdefault('size', 4096)
    else:
        found.pop('size', None)
    if found['algorithm'] != 'ecdsa':
        found.pop('curve', None)
    return found


# Options of cert_request.

def _entry(certificate: Certificate, plan_: Plan, settings: Entry, pems: t.Sequence[Pem], own: bool) -> Entry:
    """Names, key and files; `own` with the set that is the node's memory of what it was issued."""
    names = certificate.names
    readers = {'owner': settings.get('owner'), 'group': settings.get('group'), 'mode': settings.get('mode')}
    files: list[Entry] = [
        {'content': 'private_key', 'path': certificate.key, 'mode': '0600'}, {'content': 'fullchain', 'path': certificate.fullchain, 'mode': '0644'},
    ] if own else []
    paths = dict.fromkeys(pem.path for pem in pems)
    files += [{'content': 'combined', 'path': path, 'parts': PARTS, **{key: value for key, value in readers.items() if value}} for path in paths]
    return {
        'name': certificate.directory.rpartition('/')[2],
        'dns': [name for name in names if not is_address(name)], 'ip': [name for name in names if is_address(name)], 'key': dict(plan_.key), 'files': files,
    }


# certbot's words for the directories that cert_request has words for.
SERVERS = {
    'letsencrypt': 'https://acme-v02.api.letsencrypt.org/directory', 'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
}


def certbots_accounts(plan_: Plan, settings: Entry) -> str | None:
    """Where certbot keeps its accounts with the server; none if the operator says what is to be used."""
    if not settings.get('adopt') or {'account_key', 'account_import', 'account_uri', 'eab'} & set(settings.get('acme') or {}):
        return None
    server = urllib.parse.urlsplit(SERVERS.get(plan_.issuer['directory'], plan_.issuer['directory']))
    return f"{os.path.dirname(str(settings['certbot_directory']))}/accounts/{server.netloc}{server.path}"


def in_service(own: str | None, certbot: str | None) -> str:
    """What is in service, by the contents of our own chain and of certbot's: `none`, `certbot` or `own`."""
    if not own:
        return 'none'
    first = [text.partition('-----END CERTIFICATE-----')[0].split() for text in (own, certbot or '')]
    return 'certbot' if first[0] == first[1] else 'own'


def wished(certificate: Certificate, plan_: Plan, settings: Entry, state: str) -> Entry:
    """As the ACME server is asked. What is in HAProxy's files before the first is a placeholder, however valid. What
    certbot got stays until it is due: that it was not ordered here, and has a key of another kind, is no reason."""
    entry = _entry(certificate, plan_, settings, certificate.pems, own=True)
    entry['issuer'] = {'acme': plan_.issuer}
    renew = dict(settings.get('renew') or {})
    if state == 'none':
        renew['force'] = True
    elif state == 'certbot':
        renew['on'] = [word for word in renew.get('on') or ['expiry', 'names', 'revoked'] if word not in ('issuer', 'key')]
    return {**entry, **({'renew': renew} if renew else {}), **({'must_staple': True} if plan_.must_staple else {})}


def adopted(certificate: Certificate, plan_: Plan, settings: Entry) -> Entry:
    """As certbot has it: verified, and installed in all places."""
    entry = _entry(certificate, plan_, settings, certificate.pems, own=True)
    entry.pop('key')
    provided = {'certificate': f'{certificate.certbot}/fullchain.pem', 'private_key': f'{certificate.certbot}/privkey.pem'}
    return {**entry, 'issuer': {'provided': provided}}


def retired(plan_: Plan, settings: Entry) -> list[Entry]:
    """What has certbot renew these certificates, and write HAProxy's files whatever it renews."""
    place = os.path.dirname(str(settings['certbot_directory']))
    renewals = dict.fromkeys(os.path.basename(each.certbot) for each in plan_.certificates)
    hooks = [f'{place}/renewal-hooks/{hook}' for hook in ('pre/haproxy-pre', 'post/haproxy-renew')]
    return [{'path': f'{place}/renewal/{name}.conf', 'state': 'retired'} for name in renewals] + [{'path': path, 'state': 'absent'} for path in hooks]


def placeholder(certificate: Certificate, plan_: Plan, settings: Entry, absent: t.Container[str]) -> Entry | None:
    """What HAProxy starts with where it has nothing, or none if it has something everywhere."""
    pems = [pem for pem in certificate.pems if pem.path in absent]
    if not pems:
        return None
    entry = _entry(certificate, plan_, settings, pems, own=False)
    return {**entry, 'issuer': {'self_signed': {}}, 'ttl': '30d'}
