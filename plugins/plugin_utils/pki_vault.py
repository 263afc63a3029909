# SPDX-License-Identifier: Apache-2.0
"""ansible-role-pki's backend hashi_vault: its variables as wishes for pki_ca with backend vault and for cert_request with issuer
vault. No disk, no host, no server."""

from __future__ import annotations

import base64
import datetime
import re
import typing as t

from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_host, pki_names, pki_plan

Entry = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]

BACKEND = 'hashi_vault'
#: In front of the place of an authority's certificate, where others have the path of a file.
SCHEME = 'vault:'

# The words of community.hashi_vault for who we are, and ours with what each takes.
METHODS = {
    'token': ('token', {'token': 'token'}),
    'userpass': ('userpass', {'username': 'login', 'password': 'password'}),
    'approle': ('approle', {'role_id': 'role_id', 'secret_id': 'secret_id'}),
    'jwt': ('jwt', {'role': 'role_id', 'jwt': 'jwt'}),
    'cert': ('cert', {'role': 'role_id'}),
    'none': ('none', {}),
}
KEYS = {'rsa': 'rsa', 'ec': 'ecdsa', 'ed25519': 'ed25519'}
CURVES = {'256': 'P-256', '384': 'P-384', '521': 'P-521'}

# A host's name, with or without a wildcard.
HOST = re.compile(r'(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*')

# What a certificate or authority in a Vault has no place for; it has none in upstream's role either.
WITHOUT_EFFECT = ('key_ref', 'vault_key_ref', 'add_basic_constraints')


def split(lists: t.Mapping[str, list[Result]], authorities: t.Sequence[Entry], settings: Entry) -> tuple[dict[str, list[Result]], dict[str, list[Result]]]:
    """The lists of the backend `standalone`, and those of this one. An authority's trust goes with the authority, the files of
    a certificate with the certificate; files that somebody brings along are nobody's certificate."""
    def backend(entry: Entry) -> str:
        return str(entry.get('backend') or settings['backend'])

    issued = {str(entry.get('name')) for entry in lists.get('certificates', []) if backend(entry) == BACKEND}
    of_authority = {str(entry.get('name')): backend(entry) for entry in reversed(authorities)}

    def is_ours(name: str, entry: Entry) -> bool:
        if name in ('install_ca', 'install_certificates') and entry.get('src'):
            return False
        if name == 'install_ca':
            return of_authority.get(str(entry.get('name')), backend(entry)) == BACKEND
        return backend(entry) == BACKEND or (name == 'install_certificates' and str(entry.get('name')) in issued)

    own: dict[str, list[Result]] = {}
    vault: dict[str, list[Result]] = {}
    for name, entries in lists.items():
        vault[name] = [entry for entry in entries if is_ours(name, entry)]
        own[name] = [dict(entry, backend='standalone') if backend(entry) == BACKEND else entry for entry in entries if not is_ours(name, entry)]
    return own, vault


def connection(given: Entry, notes: pki_plan.Notes) -> Result:
    """The options of the connection, in the words of both modules, from the variables pki_hashi_vault_*."""
    found: Result = {}
    if given.get('host'):
        found['url'] = pki_names.texts(given['host'])
    found.update(given.get('connection') or {})
    if not found.get('url'):
        notes.faults.append('pki_hashi_vault_host: is missing; say where the server is, as https://vault.example.org:8200')
    if 'auth' not in found:
        method = str(given.get('auth_method') or 'token')
        if method not in METHODS:
            notes.faults.append(
                f"pki_hashi_vault_auth_method: '{method}' is none of {', '.join(METHODS)}; log in by yourself and give pki_hashi_vault_token"
            )
            return found
        word, options = METHODS[method]
        found['auth'] = {'method': word, **{option: str(given[key]) for option, key in options.items() if given.get(key)}}
        if given.get('auth_mount_point') and word not in ('token', 'none'):
            found['auth']['mount'] = str(given['auth_mount_point'])
    return found


def extend(plan: Result, lists: t.Mapping[str, list[Result]], authorities: t.Sequence[Entry], settings: Entry, notes: pki_plan.Notes) -> None:
    """Adds to the plan of a host what it wishes of a Vault."""
    plan['vault_authorities'] = [wish for wish in (authority(entry, authorities, settings, notes) for entry in lists.get('authorities', [])) if wish]
    plan['vault_certificates'] = []
    for entry in lists.get('install_ca', []):
        wish = install_ca(entry, authorities, settings, notes)
        plan['install_ca'] += [wish] if wish else []
    by_name: dict[str, list[Result]] = {}
    for entry in lists.get('install_certificates', []):
        # Only the name of the file in the tree is standalone's, and that is asked for only where there is a tree.
        wish = pki_plan.install(dict(entry, backend='standalone'), settings, notes)
        if wish:
            by_name.setdefault(str(wish['name']), []).append(dict(wish, format=entry.get('format')))
    for entry in lists.get('certificates', []):
        wish = certificate(entry, settings, notes)
        if wish:
            _place(plan, wish, entry, by_name.pop(wish['name'], []), settings)
    if settings.get('create_certificates'):
        notes.warnings += [f"pki_install_certificates: nobody makes a certificate '{name}', its files are left as they are" for name in sorted(by_name)]


def _place(plan: Result, wish: Result, entry: Entry, installs: t.Sequence[Result], settings: Entry) -> None:
    """Where the key lives: on the host, unless it is wished on the setup host. A key that nobody installs is of use to nobody."""
    location = entry.get('key_location') or settings.get('key_location') or 'host'
    if location == 'setup_host':
        plan['certificates'].append(wish)
        plan['install_certificates'] += [{key: value for key, value in each.items() if key != 'format'} for each in installs]
    elif any(each['type'] == 'private_key' for each in installs) or str(entry.get('format')) == 'pem_bundle':
        plan['vault_certificates'].append(_on_host(wish, entry, installs, settings))


def _on_host(wish: Result, entry: Entry, installs: t.Sequence[Result], settings: Entry) -> Result:
    """The wish with its files on the host; the host may have another way to log in than the setup host."""
    own = pki_host.with_files(wish, installs, settings)
    for file in own['files']:
        if file['content'] == 'certificate' and str(entry.get('format')) == 'pem_bundle':
            explicit = next(each for each in installs if each['dest'] == file['path'])['explicit']
            file.update(content='combined', **({} if explicit else {'mode': settings['key_mode']}))
    auth = (settings['vault'] or {}).get('host_auth')
    if auth:
        own['issuer'] = {'vault': dict(own['issuer']['vault'], auth=auth)}
    return own


def authority(entry: Entry, entries: t.Sequence[Entry], settings: Entry, notes: pki_plan.Notes) -> Result | None:
    """The wish for one authority: its mount, what is above it, and the words of pki_ca; None after a fault."""
    before = len(notes.faults)
    where = pki_plan.check_keys(entry, pki_plan.AUTHORITY, 'pki_authorities', notes)
    _no_effect(entry, where, notes)
    name = str(entry.get('issuer_name') or entry.get('name') or '')
    notes.understood(f'{where}.name', pki_names.file_name, name)
    mount = notes.understood(f'{where}.vault_path', mount_path, entry.get('vault_path'))
    if not entry.get('cn'):
        notes.faults.append(f'{where}.cn: is missing')
    wish: Result = {'name': name, 'type': 'intermediate' if entry.get('signed_by') else 'root', 'subject': _subject(entry)}
    key = notes.understood(f'{where}.key_type', key_wish, entry)
    ttl = notes.understood(f'{where}.ttl', lifetime, entry.get('not_after') or entry.get('ttl'))
    length = _first(entry, 'max_path_length')
    constraints = notes.understood(f'{where}.basic_constraints', pki_names.basic_constraints, entry.get('basic_constraints'))
    if length is None and constraints is not None:
        length = constraints.path_length
    if len(notes.faults) > before:
        return None
    names = pki_names.texts(entry.get('permitted_dns_domains'))
    options = (
        ('key', key), ('ttl', ttl), ('path_length', int(length) if str(length or '').isdigit() else None), ('key_name', _first(entry, 'key_name')),
        ('name_constraints', {'permitted_dns': names} if names else None), ('key_usage', pki_names.texts(entry.get('key_usage')) or None),
        ('warn_before', settings.get('renew_before')),
    )
    wish.update({option: value for option, value in options if value not in (None, '')})
    return {'name': str(entry.get('name')), 'mount': mount, 'above': _above(entry, entries), 'wish': wish, 'key': dict(settings['key'] or {})}


def _above(entry: Entry, entries: t.Sequence[Entry]) -> Result | None:
    """The mount and, where it is known, the name of the parent. `signed_by` is the path of a mount here; OpenStack-Ansible's own default has
    the name of an authority."""
    signer = str(entry.get('signed_by') or '').strip('/')
    for each in entries:
        if signer and signer in (str(each.get('name')), str(each.get('vault_path') or '').strip('/')) and each is not entry and each.get('vault_path'):
            return {'mount': str(each['vault_path']).strip('/'), 'name': str(each.get('issuer_name') or each.get('name'))}
    return {'mount': signer, 'name': None} if signer else None


def _subject(entry: Entry) -> Result:
    """As standalone's, without what a Vault has no field for."""
    found = {key: value for key, value in pki_plan.subject(entry).items() if key != 'email'}
    number = _first(entry, 'serial_number')
    return {**found, 'serial_number': str(number)} if number else found


def _first(entry: Entry, key: str) -> t.Any:
    """Upstream reads another name for intermediates than it documents."""
    values = [entry[each] for each in (key, f'vault_{key}') if entry.get(each) not in (None, '')]
    return values[0] if values else None


def key_wish(entry: Entry) -> Result | None:
    """The key in our words; None where nothing is said."""
    if entry.get('key'):
        return dict(entry['key'])
    kind, bits = _first(entry, 'key_type'), str(_first(entry, 'key_bits') or 0)
    if kind is None and bits == '0':
        return None
    algorithm = KEYS.get(str(kind or 'rsa'))
    if algorithm is None:
        raise pki_names.BadValue(f"'{kind}' is none of {', '.join(KEYS)}")
    if algorithm == 'rsa':
        return {'algorithm': 'rsa', 'size': int(bits) or 2048}
    if algorithm == 'ecdsa':
        if bits not in ('0', *CURVES):
            raise pki_names.BadValue(f"there is no elliptic curve of {bits} bits; there are {', '.join(CURVES)}")
        return {'algorithm': 'ecdsa', 'curve': CURVES.get(bits, 'P-256')}
    return {'algorithm': algorithm}


def lifetime(given: t.Any) -> str | None:
    """A lifetime; an instant such as 2036-01-31T00:00:00Z, which a Vault takes for not_after, stays one: hosts are planned in different
    seconds, and shall wish the same."""
    if given in (None, ''):
        return None
    text = str(given).strip()
    match = re.fullmatch(r'([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})Z)?', text)
    if match is None:
        return f'{text}s' if text.isdigit() else pki_names.lifetime(text)
    try:
        end = datetime.datetime.fromisoformat(f"{match[1]}T{match[2] or '23:59:59'}+00:00")
    except ValueError as error:
        raise pki_names.BadValue(f"'{text}' is no instant: {error}") from error
    if end <= datetime.datetime.now(datetime.timezone.utc):
        raise pki_names.BadValue(f"'{text}' is over")
    return f'{end:%Y-%m-%dT%H:%M:%S}Z'


def spelt(ttl: str) -> str:
    """The lifetime as modules take it: what is left until an instant, in seconds."""
    if not ttl.endswith('Z'):
        return ttl
    end = datetime.datetime.fromisoformat(f'{ttl[:-1]}+00:00')
    return f'{max(1, int((end - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))}s'


def timed(wish: Entry) -> Result:
    """The wish with its lifetime as modules take it."""
    return dict(wish, ttl=spelt(str(wish['ttl']))) if wish.get('ttl') else dict(wish)


def mount_path(given: t.Any) -> str:
    """The path of a mount."""
    text = str(given or '').strip('/')
    if not text:
        raise pki_names.BadValue('is missing; it is the path of the mount, as pki_root')
    if not re.fullmatch(r'[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*', text) or any(part in ('.', '..') for part in text.split('/')):
        raise pki_names.BadValue(f"'{text}' is no path of a mount")
    return text


def certificate(entry: Entry, settings: Entry, notes: pki_plan.Notes) -> Result | None:
    """The wish for one certificate without its files; None after a fault."""
    before = len(notes.faults)
    where = pki_plan.check_keys(entry, pki_plan.CERTIFICATE, 'pki_certificates', notes)
    _no_effect(entry, where, notes)
    vault = settings['vault'] or {}
    name = notes.understood(f'{where}.name', pki_names.file_name, entry.get('name', ''))
    mount = notes.understood(f'{where}.engine_mount_point', mount_path, entry.get('engine_mount_point') or vault.get('engine_mount_point') or 'pki_int')
    names = notes.understood(f'{where}.san', alternative_names, entry, {})
    ttl = notes.understood(f'{where}.ttl', lifetime, entry.get('ttl') or entry.get('not_after'))
    key = notes.understood(f'{where}.key_type', key_wish, entry)
    if entry.get('key_location') not in (None, 'setup_host', 'host'):
        notes.faults.append(f"{where}.key_location: '{entry['key_location']}' is neither setup_host nor host")
    if not entry.get('cn'):
        notes.faults.append(f'{where}.cn: is missing')
    if entry.get('format') == 'der':
        notes.doubt(f'{where}.format: files are written as PEM')
    if len(notes.faults) > before:
        return None
    key = dict(key or pki_plan.key_wish({}, settings['key']), format=pki_plan.key_format(entry))
    if key['algorithm'] in ('ed25519', 'ed448'):
        key['format'] = 'pkcs8'
    if entry.get('key_passphrase'):
        key['passphrase'] = str(entry['key_passphrase'])
    wish: Result = {'name': name, 'common_name': str(entry['cn']), **names, 'key': key}
    for option in ('key_usage', 'extended_key_usage'):
        if entry.get(option):
            wish[option] = pki_names.texts(entry[option])
    if ttl:
        wish['ttl'] = ttl
    renew_before = pki_names.renew_before(settings.get('renew_before'), spelt(ttl or ''))
    if renew_before:
        wish['renew'] = {'before': renew_before}
    if name in pki_names.selection(settings.get('regen_cert')):
        wish['renew'] = dict(wish.get('renew', {}), force=True)
    role = str(entry.get('role') or vault.get('role') or 'default')
    return dict(wish, issuer={'vault': dict(vault.get('connection') or {}, mount=mount, role=role)})


def alternative_names(entry: Entry) -> Result:
    """The names as the server would make them: the common name is one of them unless it is excluded."""
    names = pki_names.alternative_names(entry.get('san'))
    if not names.get('dns') and entry.get('alt_names'):
        for name in pki_names.texts(entry['alt_names']):
            names.setdefault('email' if '@' in name else 'dns', []).append(name)
    common = str(entry.get('cn') or '')
    if common and not _is_true(entry.get('exclude_cn_from_sans')):
        for kind, text in pki_names.alternative_names(_kind(common)).items():
            names[kind] = [*text, *(each for each in names.get(kind, []) if each not in text)]
    return names


def _kind(common: str) -> Result:
    """A common name as the alternative name that it is; as none if it is a person's or a thing's."""
    try:
        return pki_names.alternative_names({'ip': [common]})
    except pki_names.BadValue:
        pass
    if '@' in common:
        return {'email': [common]}
    return {'dns': [common]} if HOST.fullmatch(common) else {}


def _is_true(value: t.Any) -> bool:
    return str(value).lower() in ('true', 'yes', '1')


def _no_effect(entry: Entry, where: str, notes: pki_plan.Notes) -> None:
    for key in WITHOUT_EFFECT:
        if entry.get(key) not in (None, ''):
            notes.doubt(f"{where}: '{key}' has no effect")


def install_ca(entry: Entry, authorities: t.Sequence[Entry], settings: Entry, notes: pki_plan.Notes) -> Result | None:
    """The wish for one certificate in the trust store; None after a fault."""
    wish = pki_plan.install_ca(dict(entry, backend='standalone'), settings, notes)
    described = next((each for each in authorities if each.get('name') == entry.get('name') and each.get('vault_path')), None)
    if described is None:
        notes.faults.append(f"pki_install_ca['{entry.get('name')}']: no entry of pki_authorities says in which mount (vault_path) it is")
    if wish is None or described is None:
        return None
    return dict(wish, source=f"{SCHEME}{str(described['vault_path']).strip('/')}/{described.get('issuer_name') or described['name']}")


# What the server said, and the next call of pki_ca.


class Place(t.NamedTuple):
    """Where an authority is."""

    mount: str
    name: str

    @classmethod
    def of(cls, source: str) -> 'Place':
        """From the source of a trust."""
        mount, _slash, name = source[len(SCHEME):].rpartition('/')
        return cls(mount, name)


class Mount:
    """What pki_ca found in a mount."""

    def __init__(self, issuers: t.Sequence[Result]) -> None:
        self._issuers = issuers

    @classmethod
    def of(cls, result: Result) -> 'Mount':
        """From the answer to an inspection."""
        return cls(result.get('issuers') or [])

    def named(self, name: str) -> Result | None:
        """The issuer of a name."""
        return next((each for each in self._issuers if each.get('name') == name), None)

    @property
    def default(self) -> Result | None:
        """The issuer that signs for who names none."""
        return next((each for each in self._issuers if each.get('is_default')), None)

    def issuer(self, name: str | None) -> Result | None:
        """The one of the name, else the default: upstream gives intermediates no name, and knows one authority in a mount."""
        return (self.named(name) if name else None) or self.default


def silent(result: Result, mount: str) -> Result | None:
    """The failure of a server that has told its state and nothing else: without it an empty mount and a sealed server are alike."""
    state = result.get('server') or {}
    if state.get('initialized') and not state.get('sealed') and 'issuers' in result:
        return None
    what = 'is not initialized' if state.get('initialized') is False else 'is sealed' if state.get('sealed') else 'says nothing of its issuers'
    kind = {'is sealed': 'vault.sealed', 'is not initialized': 'vault.not_initialized'}.get(what, 'vault.answer')
    msg = f"cannot look at the authorities in mount '{mount}': the server at {state.get('url', 'the given address')} {what}; nothing is made"
    return {'failed': True, 'changed': False, 'msg': msg, 'error': {'kind': kind, 'caused_by': []}}


def backend(settings: Entry, mount: str) -> Result:
    """pki_ca's option of the same name."""
    return {'vault': dict(settings['vault']['connection'], mount=mount)}


def authority_calls(plans: t.Mapping[str, Result]) -> tuple[list[tuple[Result, Result]], list[str], list[str]]:
    """The authorities that the hosts wish, each once, with the settings of the first that wishes it; the faults and the warnings."""
    remarks: list[str] = []
    chosen: dict[tuple[str, str], tuple[Result, Result]] = {}
    faults: list[str] = []
    for host, plan in plans.items():
        for wish in plan['vault_authorities']:
            place = (wish['mount'], wish['wish']['name'])
            known, settings = chosen.setdefault(place, (wish, plan['settings']))
            if known != wish:
                faults.append(f"{host}: '{wish['name']}' in mount '{wish['mount']}' is wished otherwise by another host")
    for wish, settings in chosen.values():
        for variable in ('regen_ca', 'regen_ca_key'):
            asked = pki_names.selection(settings.get(variable))
            if wish['name'] in asked:
                # Who asks for all of them may mean those in files.
                (remarks if asked.everything else faults).append(
                    f"pki_{variable}: '{wish['name']}' lives in a Vault, where an issuer is never replaced; rotate it with "
                    "rotate_root of the role tls.everywhere.vault_pki, which keeps both in service meanwhile"
                )
    return list(chosen.values()), faults, remarks


def contents(sources: t.Sequence[str], mounts: t.Mapping[str, Mount]) -> tuple[dict[str, str], dict[str, str]]:
    """The certificates of authorities in base64 of PEM, as files come, and the problems by source."""
    found, problems = {}, {}
    for source in sources:
        place = Place.of(source)
        issuer = mounts[place.mount].issuer(place.name)
        if issuer is None:
            problems[source] = f"mount '{place.mount}' has no issuer '{place.name}' and no default one"
        else:
            text = issuer['certificate'].strip() + '\n'
            found[source] = base64.b64encode(text.encode('ascii')).decode('ascii')
    return found, problems


def call(wish: Entry, mounts: t.Mapping[str, Mount]) -> tuple[Result | None, str]:
    """The authority as pki_ca takes it, or None for one that stays as somebody else made it, and what is to be said."""
    here = mounts[wish['mount']]
    known, default = here.named(wish['wish']['name']), here.default
    if known is None and default is not None:
        if default.get('name'):
            return None, f"mount '{wish['mount']}' has the default issuer '{default['name']}' and none of the name '{wish['wish']['name']}'; it stays as it is"
        return None, ''
    options = timed(wish['wish'])
    if known is None:
        # Who is first signs for all who name no issuer. A later default is somebody's decision, and is not taken back.
        options['state'] = 'active'
        options.setdefault('key', wish['key'])
    if wish['above']:
        options['parent_mount'] = wish['above']['mount']
        signer = mounts[options['parent_mount']].issuer(wish['above']['name'])
        # Without one pki_ca says what is missing.
        options['parent'] = (signer.get('name') or signer['issuer_id']) if signer else (wish['above']['name'] or 'default')
    return options, ''
