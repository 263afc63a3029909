# SPDX-License-Identifier: Apache-2.0
"""Keys that are made on their hosts: what is asked of the host, what the setup host signs, what the host gets back."""

from __future__ import annotations

import typing as t

from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_names, pki_plan

Result = t.Dict[str, t.Any]

# Below this lifetime 30 days would be most of it.
SHORT = 90 * 86_400


def split(plan: Result, entries: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    """Moves the certificates whose key shall live on the host, and their files, to lists of their own. One of which no
    private key is installed here stays on the setup host: nobody could use it here."""
    settings = plan['settings']
    wished = {str(entry.get('name')): entry.get('key_location') or settings['key_location'] for entry in entries}
    own: dict[str, list[Result]] = {}
    for wish in plan['install_certificates']:
        if wish['name'] and not wish['src'] and wished.get(str(wish['name'])) == 'host':
            own.setdefault(str(wish['name']), []).append(wish)
    kept = {name: files for name, files in own.items() if any(file['type'] == 'private_key' for file in files)}
    plan['host_certificates'] = [with_files(wish, kept[wish['name']], settings) for wish in plan['certificates'] if wish['name'] in kept]
    plan['certificates'] = [wish for wish in plan['certificates'] if wish['name'] not in kept]
    plan['install_certificates'] = [
        wish for wish in plan['install_certificates'] if wish['src'] or str(wish['name']) not in kept
    ]


def with_files(wish: Result, installs: t.Sequence[Result], settings: Result) -> Result:
    files = []
    for install in installs:
        kind = install['type'] or 'certificate'
        mode = install['mode'] or (settings['key_mode'] if kind == 'private_key' else settings['cert_mode'])
        file = {'content': pki_plan.TYPES[kind][1], 'path': install['dest'], 'mode': mode}
        files.append({**file, **{key: install[key] for key in ('owner', 'group') if install[key]}})
    return dict(wish, files=files)


def requested(plan: Result, has_old_key: t.Collection[str]) -> list[Result]:
    """What cert_request is asked for on the host: a key and a request, where there is no certificate that still does.
    A key that the setup host has, or had and shares, is replaced."""
    wishes = []
    for wish in plan['host_certificates']:
        options = {key: value for key, value in wish.items() if key not in ('signer', 'signer_passphrase')}
        if wish['name'] in has_old_key:
            options['renew'] = dict(options.get('renew', {}), force=True)
            options['key'] = dict(options['key'], reuse=False)
        wishes.append(dict(options, issuer={'external': {}}))
    return wishes


def completed(plan: Result, asked: Result, signed: t.Mapping[str, Result]) -> list[Result]:
    """What cert_request is asked for once the certificates are there: only for those that differ from what is in service."""
    wishes = []
    for wish in plan['host_certificates']:
        answer = signed.get(wish['name'])
        before = (asked.get('certificates') or {}).get(wish['name']) or {}
        if not answer or (before.get('fingerprint_sha256') == answer['fingerprint_sha256'] and before.get('action') not in ('request', 'wait')):
            continue
        options = {key: value for key, value in wish.items() if key not in ('signer', 'signer_passphrase')}
        options['renew'] = {key: value for key, value in options.get('renew', {}).items() if key != 'force'}
        bundle = answer['certificate'] + answer['ca_bundle']
        wishes.append(dict(options, issuer={'external': {'signed': bundle}}))
    return wishes


def signatures(plans: t.Mapping[str, Result], asked: t.Mapping[str, Result], kept: t.Mapping[str, str]) -> tuple[Result, list[str]]:
    """One call of pki_ca for all hosts: the requests that came from them, and for the others those that were signed
    before, so that a changed authority is noticed. Also the faults of names that two hosts claim."""
    faults: list[str] = []
    owners: dict[str, str] = {}
    sign, authorities, settings = [], {}, {}
    for host, plan in plans.items():
        settings = plan['settings'] if plan['host_certificates'] else settings
        for wish in plan['host_certificates']:
            name = wish['name']
            first = owners.setdefault(name, host)
            if first != host:
                faults.append(f"'{name}' is wished by '{first}' and '{host}': with keys on the hosts each needs a name of its own")
                continue
            answer = ((asked.get(host) or {}).get('certificates') or {}).get(name) or {}
            csr = answer.get('csr') or kept.get(name)
            if not csr:
                continue
            seconds = pki_names.seconds(wish['ttl']) or 0
            before = wish.get('renew', {}).get('before') or ('33%' if seconds < SHORT else '30d')
            sign.append({'name': name, 'authority': wish['signer'], 'csr': csr, 'profile': 'request', 'ttl': wish['ttl'], 'renew_before': before})
            if wish.get('signer_passphrase'):
                key = {'passphrase': str(wish['signer_passphrase'])}
                authorities[wish['signer']] = {'name': wish['signer'], 'type': 'root', 'key': key}
    backend = {
        'directory': settings.get('dir'), 'key_mode': settings.get('key_mode'), 'key_directory_mode': settings.get('key_dir_mode'),
        'directory_mode': settings.get('cert_dir_mode'),
    }
    return {'backend': {'files': backend}, 'authorities': list(authorities.values()), 'sign': sign, 'lock_timeout': '120s'}, faults
