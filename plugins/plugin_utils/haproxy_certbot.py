# SPDX-License-Identifier: Apache-2.0
"""certbot's command line, as OpenStack-Ansible's haproxy_ssl_letsencrypt_setup_extra_params holds it, in words of cert_request: no disk, no host."""

from __future__ import annotations

import dataclasses
import difflib
import shlex
import typing as t

# What certbot is told for its own sake. Here it goes without saying, or means nothing.
SILENT = {
    'agree-tos', 'non-interactive', 'noninteractive', 'text', 'quiet', 'verbose', 'debug', 'expand', 'eff-email', 'no-eff-email', 'keep-until-expiring',
    'keep', 'standalone', 'renew-with-new-domains', 'no-self-upgrade', 'no-random-sleep-on-renew', 'strict-permissions', 'new-key', 'allow-subset-of-names',
    'register-unsafely-without-email', 'disable-hook-validation', 'no-directory-hooks', 'no-autorenew', 'autorenew',
}
SHORT = {'n': 'non-interactive', 'q': 'quiet', 'v': 'verbose', 't': 'text', 'd': 'domains', 'm': 'email', 'a': 'authenticator', 'i': 'installer'}
# What takes a value and means nothing here.
SILENT_VALUES = {'config-dir', 'work-dir', 'logs-dir', 'max-log-backups', 'user-agent', 'user-agent-comment', 'config', 'dns-server', 'issuance-timeout'}

CURVES = {'secp256r1': 'P-256', 'secp384r1': 'P-384', 'secp521r1': 'P-521'}

# What is refused, and what does it instead.
INSTEAD = {
    'force-renewal': "set 'haproxy_letsencrypt_renew: {force: true}' for one run",
    'renew-by-default': "set 'haproxy_letsencrypt_renew: {force: true}' for one run",
    'no-verify-ssl': "name the authority of the server with 'haproxy_letsencrypt_acme: {ca_file: …}'",
    'account': "name the account's key with 'haproxy_letsencrypt_acme: {account_key: …}'",
    'eab-hmac-key': "the key would be seen in logs; write 'haproxy_letsencrypt_acme: {eab: {kid: …, hmac_key: …}}'",
    'eab-hmac-alg': "write 'haproxy_letsencrypt_acme: {eab: {kid: …, hmac_key: …, alg: …}}'",
    'dry-run': "use '--check', or a staging directory",
    'webroot': "the names are proved by the issuer's own responder",
    'webroot-path': "the names are proved by the issuer's own responder",
    'nginx': "the names are proved by the issuer's own responder",
    'apache': "the names are proved by the issuer's own responder",
    'manual': "set 'haproxy_ssl_letsencrypt_certbot_challenge: dns-01' and 'haproxy_letsencrypt_acme: {provider: {hook: …}}'",
    'pre-hook': "no hook is needed before a renewal; remove it",
    'post-hook': "put the command into 'haproxy_letsencrypt_after'",
    'deploy-hook': "put the command into 'haproxy_letsencrypt_after'",
    'renew-hook': "put the command into 'haproxy_letsencrypt_after'",
    'csr': "the request is made by the role",
}


@dataclasses.dataclass
class Said:
    """What the command line says, in words of cert_request."""

    domains: list[str] = dataclasses.field(default_factory=list)
    acme: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    key: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    http: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    eab_kid: str | None = None
    email: str | None = None
    must_staple: bool = False
    #: the name under which certbot keeps the certificate
    name: str | None = None
    challenge: str | None = None


def said(text: str, where: str, faults: list[str]) -> Said:
    """Reads the words; what has no meaning here is a fault that names it and what to write instead."""
    found = Said()
    try:
        words = shlex.split(text)
    except ValueError as error:
        faults.append(f"{where}: '{text}' cannot be split into words: {error}")
        return found
    _Reader(found, where, faults).read(words)
    return found


class _Reader:
    """One pass over the words."""

    def __init__(self, found: Said, where: str, faults: list[str]) -> None:
        self._found, self._where, self._faults = found, where, faults
        self._valued: dict[str, t.Callable[[str], None]] = {
            'server': lambda value: self._acme('directory', value),
            'preferred-chain': lambda value: self._acme('preferred_chain', value),
            'preferred-profile': lambda value: self._acme('profile', value),
            'required-profile': lambda value: self._acme('profile', value),
            'key-type': lambda value: self._key('algorithm', value),
            'rsa-key-size': self._rsa_size,
            'elliptic-curve': self._curve,
            'domains': self._domains,
            'domain': self._domains,
            'email': lambda value: setattr(found, 'email', value),
            'eab-kid': lambda value: setattr(found, 'eab_kid', value),
            'cert-name': lambda value: setattr(found, 'name', value),
            'preferred-challenges': self._challenges,
            'http-01-port': self._port,
            'http-01-address': lambda value: found.http.__setitem__('address', value),
            'authenticator': self._authenticator,
        }
        self._flags: dict[str, t.Callable[[], None]] = {
            'staging': lambda: self._acme('directory', 'letsencrypt-staging'),
            'test-cert': lambda: self._acme('directory', 'letsencrypt-staging'),
            'reuse-key': lambda: found.key.__setitem__('reuse', True),
            'must-staple': lambda: setattr(found, 'must_staple', True),
        }

    def read(self, words: list[str]) -> None:
        rest = list(words)
        while rest:
            word = rest.pop(0)
            name, has_value, value = _name(word).partition('=')
            if not word.startswith('-'):
                self._fault(word, 'is no option of certbot')
            elif name in self._flags:
                self._flags[name]()
            elif name in SILENT or set(name) == {'v'}:
                continue
            elif name in self._valued or name in SILENT_VALUES or _takes_value(name):
                if not has_value and (not rest or rest[0].startswith('--')):
                    self._fault(word, 'has no value')
                    continue
                value = value if has_value else rest.pop(0)
                self._valued[name](value) if name in self._valued else self._without_meaning(name)
            else:
                self._without_meaning(name)

    def _without_meaning(self, name: str) -> None:
        if name in SILENT_VALUES:
            return
        if name in INSTEAD:
            self._fault(f'--{name}', INSTEAD[name])
        elif name.startswith('dns-'):
            provider = name.split('-')[1]
            self._fault(f'--{name}', f"say how to publish records with 'haproxy_letsencrypt_acme: {{provider: {{{provider}: …}}}}'")
        else:
            near = difflib.get_close_matches(name, [*self._valued, *self._flags, *SILENT, *INSTEAD], 1)
            self._fault(f'--{name}', 'has no meaning here' + (f"; is '--{near[0]}' meant?" if near else ''))

    def _fault(self, word: str, text: str) -> None:
        self._faults.append(f"{self._where}: '{word}': {text}" if text != 'is no option of certbot' else f"{self._where}: '{word}' {text}")

    def _acme(self, name: str, value: str) -> None:
        self._found.acme[name] = value

    def _key(self, name: str, value: t.Any) -> None:
        self._found.key[name] = value

    def _rsa_size(self, value: str) -> None:
        if not value.isdigit():
            self._fault('--rsa-key-size', f"'{value}' is no number")
            return
        self._key('size', int(value))

    def _curve(self, value: str) -> None:
        if value not in CURVES:
            self._fault('--elliptic-curve', f"'{value}' is none of {', '.join(CURVES)}")
            return
        self._key('curve', CURVES[value])

    def _domains(self, value: str) -> None:
        self._found.domains += [name.strip() for name in value.split(',') if name.strip()]

    def _port(self, value: str) -> None:
        if not value.isdigit():
            self._fault('--http-01-port', f"'{value}' is no number")
            return
        self._found.http['port'] = int(value)

    def _challenges(self, value: str) -> None:
        words = {'http': 'http-01', 'dns': 'dns-01'}
        first = value.split(',')[0].strip()
        self._found.challenge = words.get(first, first)

    def _authenticator(self, value: str) -> None:
        if value != 'standalone':
            self._without_meaning(value)


def _name(word: str) -> str:
    """The name of an option, also where it is written in one letter."""
    if word.startswith('--'):
        return word[2:]
    return SHORT.get(word[1:2], word[1:]) if len(word) == 2 else word[1:]


def _takes_value(name: str) -> bool:
    """Options that are refused, and come with a value that is none itself."""
    plugin = name.startswith('dns-') and name.count('-') > 1
    return plugin or name in {'account', 'eab-hmac-key', 'eab-hmac-alg', 'webroot-path', 'pre-hook', 'post-hook', 'deploy-hook', 'renew-hook', 'csr'}
