# SPDX-License-Identifier: Apache-2.0
"""From the variables of ansible-role-pki to wishes for pki_ca, cert_request and the installation: no disk, no host."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_names

Entry = t.Mapping[str, t.Any]

# Keys of every entry, then of each list. Those of the Vault backend are known so that mixed lists cause no noise.
ANY = {'name', 'condition', 'backend'}
SUBJECT = {
    'country_name': 'country', 'country': 'country', 'state_or_province_name': 'state', 'locality_name': 'locality',
    'organization_name': 'organization', 'orgnization_name': 'organization', 'organizataion_name': 'organization',
    'organizational_unit_name': 'organizational_unit', 'organization_unit_name': 'organizational_unit',
}
VAULT = {
    'vault_path', 'issuer_name', 'key_name', 'key_type', 'key_bits', 'max_path_length', 'permitted_dns_domains',
    'exclude_cn_from_sans', 'alt_names', 'format', 'role', 'engine_mount_point', 'key_ref', 'serial_number', 'add_basic_constraints', 'key_format',
    'vault_key_type', 'vault_key_bits', 'vault_key_name', 'vault_key_ref', 'vault_max_path_length', 'vault_serial_number', 'san',
}
SIGNED = {
    'cn', 'provider', 'signed_by', 'key_usage', 'basic_constraints', 'ttl', 'not_after', 'subject', 'email_address',
    'key_passphrase', 'ownca_key_passphrase', 'key',
}
AUTHORITY = ANY | set(SUBJECT) | VAULT | SIGNED | {'backup', 'key_mode', 'key_owner', 'key_group'}
CERTIFICATE = ANY | set(SUBJECT) | VAULT | SIGNED | {'extended_key_usage', 'key_location'}
INSTALL = ANY | {'src', 'dest', 'type', 'owner', 'group', 'mode'}
INSTALL_CA = ANY | {'src', 'filename'}

# `type` of an installation: the file of the tree that it stands for, and cert_request's word for it.
TYPES = {
    'certificate': ('certs/{}.crt', 'certificate'),
    'certificate_chain': ('certs/{}-chain.crt', 'fullchain'),
    'ca_bundle': ('certs/{}-ca_bundle.crt', 'ca_bundle'),
    'private_key': ('private/{}.key.pem', 'private_key'),
}
OMITTED = '__omit_place_holder__'


class Notes:
    """What is wrong with the variables, and what the operator should look at."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.faults: list[str] = []
        self.warnings: list[str] = []

    def doubt(self, text: str) -> None:
        """A fault for those who want to know, a warning for the others."""
        (self.faults if self.strict else self.warnings).append(text)

    def understood(self, where: str, reader: t.Callable[[t.Any], t.Any], value: t.Any, default: t.Any = None) -> t.Any:
        """The value as the reader understands it; else a fault and the default."""
        try:
            return reader(value)
        except pki_names.BadValue as error:
            self.faults.append(f'{where}: {error}')
            return default


def select(lists: t.Iterable[t.Any], notes: Notes, what: str) -> list[dict[str, t.Any]]:
    """One list of several: flattened by one level, equal entries once, without those whose condition is false."""
    chosen: list[dict[str, t.Any]] = []
    for value in lists:
        entries = [value] if isinstance(value, dict) else value or []
        for entry in entries:
            if not isinstance(entry, dict):
                notes.faults.append(f"{what}: '{entry}' is not a dictionary")
                continue
            entry = {key: item for key, item in entry.items() if not str(item).startswith(OMITTED)}
            if entry.get('condition') is not False and entry not in chosen:
                chosen.append(entry)
    return chosen


def check_keys(entry: Entry, known: set[str], what: str, notes: Notes) -> str:
    """Warns of keys that nobody knows; gives how messages call the entry."""
    where = f"{what}['{entry.get('name', entry.get('dest', entry.get('filename', '?')))}']"
    for key in sorted(set(entry) - known):
        notes.doubt(f"{where}: nobody knows '{key}', it has no effect")
    if isinstance(entry.get('condition'), str):
        notes.doubt(f"{where}.condition: '{entry['condition']}' is text and drops nothing; only the boolean false does")
    return where


def check_backend(entry: Entry, backend: str, where: str, notes: Notes) -> None:
    """The tree of files, which is served here; pki_vault has taken its own."""
    chosen = entry.get('backend') or backend
    if chosen != 'standalone':
        notes.faults.append(
            f"{where}: backend '{chosen}' is not served by tls.everywhere.pki; there are standalone and hashi_vault"
        )


def subject(entry: Entry) -> dict[str, t.Any]:
    """The subject in the order in which community.crypto writes it."""
    attributes: dict[str, t.Any] = {}
    for wanted in ('country', 'state', 'locality', 'organization', 'organizational_unit'):
        values = [entry[key] for key, word in SUBJECT.items() if word == wanted and entry.get(key)]
        if values:
            attributes[wanted] = str(values[0])
    if entry.get('cn'):
        attributes['common_name'] = str(entry['cn'])
    if entry.get('email_address'):
        attributes['email'] = str(entry['email_address'])
    for key, value in (entry.get('subject') or {}).items():
        attributes[key] = value if isinstance(value, (str, list)) else str(value)
    return attributes


def key_wish(entry: Entry, default: Entry) -> dict[str, t.Any]:
    """Algorithm, size and passphrase of a key."""
    wish = dict(entry.get('key') or default or {})
    wish.setdefault('algorithm', 'rsa')
    if wish['algorithm'] == 'rsa':
        wish.setdefault('size', 4096)
    if entry.get('key_passphrase'):
        wish['passphrase'] = str(entry['key_passphrase'])
    return wish


def _lifetime(given: t.Any, where: str, notes: Notes, default: str | None) -> str | None:
    return notes.understood(f'{where}.ttl', pki_names.lifetime, given, default) if given else default


def authority(entry: Entry, entries: t.Sequence[Entry], settings: Entry, notes: Notes) -> dict[str, t.Any] | None:
    """The wish for one authority; None after a fault."""
    before = len(notes.faults)
    where = check_keys(entry, AUTHORITY, 'pki_authorities', notes)
    check_backend(entry, settings['backend'], where, notes)
    notes.understood(f'{where}.name', pki_names.file_name, entry.get('name', ''))
    provider = entry.get('provider')
    if provider not in ('selfsigned', 'ownca'):
        notes.faults.append(f"{where}.provider: '{provider}' is neither selfsigned nor ownca")
    if provider == 'ownca' and not entry.get('signed_by'):
        notes.faults.append(f'{where}.signed_by: is needed for provider ownca')
    if not entry.get('cn'):
        notes.faults.append(f'{where}.cn: is missing')
    constraints = notes.understood(f'{where}.basic_constraints', pki_names.basic_constraints, entry.get('basic_constraints', 'CA:TRUE'))
    if constraints and not constraints.authority:
        notes.faults.append(f"{where}.basic_constraints: an authority needs 'CA:TRUE'")
    # The deprecated form wins where both are given, as upstream has it.
    ttl = _lifetime(entry.get('not_after') or entry.get('ttl'), where, notes, None)
    if len(notes.faults) > before:
        return None
    wish: dict[str, t.Any] = {
        'name': str(entry['name']), 'type': 'root' if provider == 'selfsigned' else 'intermediate',
        'subject': subject(entry), 'key': key_wish(entry, settings['key']),
    }
    if provider == 'ownca':
        wish['parent'] = str(entry['signed_by'])
    if entry.get('key_usage'):
        wish['key_usage'] = pki_names.texts(entry['key_usage'])
    length = constraints.path_length
    below = depth(str(entry['name']), entries)
    if length is None and provider == 'ownca' and below:
        length = below  # pki_ca lets an intermediate sign no authorities unless it is told how many
    for option, value in (('ttl', ttl), ('path_length', length), ('warn_before', settings.get('renew_before'))):
        if value not in (None, ''):
            wish[option] = value
    return wish


def depth(name: str, entries: t.Sequence[Entry], seen: tuple[str, ...] = ()) -> int:
    """How many generations of authorities the list has below one of them."""
    below = [str(each.get('name')) for each in entries if str(each.get('signed_by')) == name and str(each.get('name')) not in seen]
    return max((1 + depth(each, entries, (*seen, name)) for each in below), default=0)


def parents(entries: t.Sequence[Entry]) -> list[dict[str, t.Any]]:
    """Authorities that are not described but whose passphrase a child brings along."""
    described = {str(entry.get('name')) for entry in entries}
    found = {}
    for entry in entries:
        above = str(entry.get('signed_by'))
        if entry.get('ownca_key_passphrase') and above not in described:
            found[above] = {'name': above, 'type': 'root', 'key': {'passphrase': str(entry['ownca_key_passphrase'])}}
    return list(found.values())


def certificate(entry: Entry, settings: Entry, notes: Notes) -> dict[str, t.Any] | None:
    """The wish for one certificate without its files; None after a fault."""
    before = len(notes.faults)
    where = check_keys(entry, CERTIFICATE, 'pki_certificates', notes)
    check_backend(entry, settings['backend'], where, notes)
    name = notes.understood(f'{where}.name', pki_names.file_name, entry.get('name', ''))
    if entry.get('provider', 'ownca') != 'ownca':
        notes.faults.append(f"{where}.provider: '{entry['provider']}' cannot sign a certificate here; use ownca with signed_by")
    signer = notes.understood(f'{where}.signed_by', pki_names.file_name, entry.get('signed_by') or '')
    constraints = notes.understood(f'{where}.basic_constraints', pki_names.basic_constraints, entry.get('basic_constraints'))
    if constraints and constraints.authority:
        notes.faults.append(f"{where}.basic_constraints: 'CA:TRUE' makes it an authority; describe it in pki_authorities")
    names = notes.understood(f'{where}.san', pki_names.alternative_names, entry.get('san'), {})
    ttl = _lifetime(entry.get('ttl') or entry.get('not_after'), where, notes, '3650d')
    if len(notes.faults) > before:
        return None
    key = dict(key_wish(entry, settings['key']), reuse=True, format=key_format(entry))
    if key['algorithm'] in ('ed25519', 'ed448'):
        key['format'] = 'pkcs8'
    wish: dict[str, t.Any] = {'name': name, 'subject': subject(entry), **names, 'key': key, 'ttl': ttl}
    if entry.get('cn'):
        wish['common_name'] = str(entry['cn'])
    # Nothing given is nothing certified: cert_request's own defaults would make every certificate of upstream another.
    for option in ('key_usage', 'extended_key_usage'):
        wish[option] = pki_names.texts(entry.get(option))
    before_end = pki_names.renew_before(settings.get('renew_before'), ttl)
    if before_end:
        wish['renew'] = {'before': before_end}
    if name in pki_names.selection(settings.get('regen_cert')):
        wish['renew'] = dict(wish.get('renew', {}), force=True)
        key['reuse'] = False
    return dict(wish, signer=signer, signer_passphrase=entry.get('ownca_key_passphrase') or None)


def key_format(entry: Entry) -> str:
    """Upstream writes PKCS#1 unless it is told otherwise."""
    return 'pkcs8' if entry.get('key_format') == 'pkcs8' else 'traditional'


def certificate_files(wish: Entry, directory: str, cert_dir: str) -> dict[str, t.Any]:
    """The wish with its issuer and the files of the tree: what cert_request takes."""
    options = {key: value for key, value in wish.items() if key not in ('signer', 'signer_passphrase')}
    name = wish['name']
    files = [
        {'content': content, 'path': f'{cert_dir}/{pattern.format(name)}'} for pattern, content in TYPES.values()
    ] + [{'content': 'csr', 'path': f'{cert_dir}/csr/{name}.csr'}]
    for file in files:
        if file['content'] == 'private_key':
            file['mode'] = '0600'
    # A wish of another backend has its issuer already.
    return dict(options, issuer=options.get('issuer') or {'private_ca': _signer(wish, directory)}, files=files)


def _signer(wish: Entry, directory: str) -> dict[str, t.Any]:
    root = f"{directory}/roots/{wish['signer']}"
    issuer = {
        'certificate': f"{root}/certs/{wish['signer']}.crt", 'private_key': f"{root}/private/{wish['signer']}.key.pem",
        'chain': f"{root}/certs/{wish['signer']}-chain.crt",
    }
    return dict(issuer, passphrase=str(wish['signer_passphrase'])) if wish.get('signer_passphrase') else issuer


def install(entry: Entry, settings: Entry, notes: Notes) -> dict[str, t.Any] | None:
    """The wish for one installed file; None after a fault."""
    before = len(notes.faults)
    where = check_keys(entry, INSTALL, 'pki_install_certificates', notes)
    check_backend(entry, settings['backend'], where, notes)
    dest = notes.understood(f'{where}.dest', pki_names.absolute, entry.get('dest', ''))
    kind = entry.get('type') or 'certificate'
    if kind not in TYPES:
        notes.faults.append(f"{where}.type: '{kind}' is none of {', '.join(TYPES)}")
        return None
    if entry.get('src'):
        source = notes.understood(f'{where}.src', pki_names.absolute, entry['src'])
    else:
        name = notes.understood(f'{where}.name', pki_names.file_name, entry.get('name', ''))
        source = f"{settings['cert_dir']}/{TYPES[kind][0].format(name)}"
    if len(notes.faults) > before:
        return None
    mode = entry.get('mode')
    if mode in (None, '') and (entry.get('type') or not entry.get('src')):
        mode = (settings.get('file_mode') or {}).get(kind)
    return {
        'dest': dest, 'source': source, 'name': entry.get('name'), 'type': entry.get('type'),
        'provided': is_provided(entry, settings), 'src': bool(entry.get('src')),
        'owner': text(entry.get('owner', settings['install_owner'])), 'group': text(entry.get('group', settings['install_group'])),
        'mode': mode, 'explicit': entry.get('mode') not in (None, ''),
    }


def is_provided(entry: Entry, settings: Entry) -> bool:
    """Whether a file is the user's own. Some callers name files of the tree by their path."""
    return bool(entry.get('src')) and not str(entry['src']).startswith(f"{str(settings['dir']).rstrip('/')}/")


def text(value: t.Any) -> str | None:
    """None for nothing, else text: owners may be numbers."""
    return None if value in (None, '') else str(value)


def install_ca(entry: Entry, settings: Entry, notes: Notes) -> dict[str, t.Any] | None:
    """The wish for one certificate in the trust store; None after a fault."""
    before = len(notes.faults)
    where = check_keys(entry, INSTALL_CA, 'pki_install_ca', notes)
    check_backend(entry, settings['backend'], where, notes)
    name = entry.get('name')
    if not name and not (entry.get('src') and entry.get('filename')):
        notes.faults.append(f'{where}: give name, or src and filename')
        return None
    if name:
        notes.understood(f'{where}.name', pki_names.file_name, name)
    filename = str(entry.get('filename') or f'{name}.crt')
    if filename.startswith('/'):
        dest = notes.understood(f'{where}.filename', pki_names.absolute, filename)
    else:
        notes.understood(f'{where}.filename', pki_names.file_name, filename)
        dest = f"{str(settings['trust_store']).rstrip('/')}/{filename}"
    source = entry.get('src') or f"{settings['dir']}/roots/{name}/certs/{name}.crt"
    notes.understood(f'{where}.src', pki_names.absolute, source)
    if len(notes.faults) > before:
        return None
    return {'dest': dest, 'source': str(source), 'authority': None if entry.get('src') else str(name)}


def merged(wishes_by_host: t.Mapping[str, t.Sequence[dict[str, t.Any]]], faults: dict[str, list[str]]) -> list[dict[str, t.Any]]:
    """The wishes of all hosts, each name once. Hosts that wish something else under the same name get a fault each."""
    chosen: dict[str, tuple[str, dict[str, t.Any]]] = {}
    for host, wishes in wishes_by_host.items():
        for wish in wishes:
            first, known = chosen.setdefault(wish['name'], (host, wish))
            if known != wish:
                different = ', '.join(sorted(key for key in {*known, *wish} if known.get(key) != wish.get(key)))
                faults.setdefault(host, []).append(
                    f"'{wish['name']}' is wished by '{first}' too, with another {different}; give each host's its own name"
                )
    return [wish for _host, wish in chosen.values()]


def host_plan(lists: t.Mapping[str, list[dict[str, t.Any]]], settings: dict[str, t.Any], notes: Notes) -> dict[str, t.Any]:
    """Everything that one host asks for."""
    for option in ('dir', 'cert_dir'):
        notes.understood(f'pki_{option}' if option == 'dir' else option, pki_names.absolute, settings.get(option))
    readers = {
        'certificates': lambda entry: certificate(entry, settings, notes),
        'install_certificates': lambda entry: install(entry, settings, notes),
        'install_ca': lambda entry: install_ca(entry, settings, notes),
    }
    plan: dict[str, t.Any] = {'settings': settings}
    entries = lists.get('authorities', [])
    wishes = [authority(entry, entries, settings, notes) for entry in entries]
    plan['authorities'] = [
        dict(wish, ownership=ownership(entry, settings)) for entry, wish in zip(entries, wishes) if wish
    ] + [dict(wish, ownership=ownership({}, settings)) for wish in parents(entries)]
    for name, reader in readers.items():
        plan[name] = [wish for wish in (reader(entry) for entry in lists.get(name, [])) if wish]
    destinations = [wish['dest'] for wish in plan['install_certificates']]
    for dest in sorted({dest for dest in destinations if destinations.count(dest) > 1}):
        plan['install_certificates'] = _last(plan['install_certificates'], dest, notes)
    return plan


def _last(wishes: list[dict[str, t.Any]], dest: str, notes: Notes) -> list[dict[str, t.Any]]:
    """Upstream installs one after the other, so the last holds."""
    same = [wish for wish in wishes if wish['dest'] == dest]
    if any(wish['source'] != same[-1]['source'] for wish in same):
        notes.warnings.append(f"pki_install_certificates: '{dest}' is installed {len(same)} times, from different files; the last holds")
    return [wish for wish in wishes if wish['dest'] != dest or wish is same[-1]]


def ownership(entry: Entry, settings: Entry) -> dict[str, t.Any]:
    """Owners and modes of an authority's files."""
    return {
        'key_mode': entry.get('key_mode') or settings['key_mode'],
        'owner': text(entry.get('key_owner') or settings.get('owner')), 'group': text(entry.get('key_group') or settings.get('group')),
    }


class AuthorityCall(t.NamedTuple):
    """One call of pki_ca."""

    arguments: dict[str, t.Any]
    strict: bool
    faults: list[str]


def authority_calls(plans: t.Mapping[str, dict[str, t.Any]]) -> list[AuthorityCall]:
    """One call for each tree and ownership: nearly always one."""
    groups: dict[str, tuple[dict[str, t.Any], dict[str, list[dict[str, t.Any]]]]] = {}
    for host, plan in plans.items():
        for wish in plan['authorities']:
            settings = plan['settings']
            owner = wish['ownership']
            key = repr((settings['dir'], sorted(owner.items(), key=str)))
            backend = {
                'directory': settings['dir'], 'key_directory_mode': settings['key_dir_mode'],
                'directory_mode': settings['cert_dir_mode'], 'certificate_mode': '0644', **{k: v for k, v in owner.items() if v is not None},
            }
            wishes = groups.setdefault(key, (dict(settings, backend_files=backend), {}))[1]
            wishes.setdefault(host, []).append({k: v for k, v in wish.items() if k != 'ownership'})
    calls = []
    for settings, wishes in groups.values():
        faults: dict[str, list[str]] = {}
        authorities = merged(wishes, faults)
        arguments = {'backend': {'files': settings['backend_files']}, 'authorities': authorities, 'lock_timeout': '120s'}
        for option, variable in (('regenerate', 'regen_ca'), ('regenerate_key', 'regen_ca_key')):
            chosen = pki_names.selection(settings.get(variable))
            names = [wish['name'] for wish in authorities if wish['name'] in chosen]
            if names:
                arguments[option] = names
        calls.append(AuthorityCall(arguments, bool(settings.get('strict')), [f'{host}: {text}' for host, texts in faults.items() for text in texts]))
    return calls


def misspelt(plans: t.Mapping[str, dict[str, t.Any]]) -> list[str]:
    """Names in pki_regen_cert that are nearly those of certificates here. What is far from all is another caller's:
    the variable is given to all of them at once."""
    lists = ('certificates', 'host_certificates', 'vault_certificates')
    known = {wish['name'] for plan in plans.values() for which in lists for wish in plan.get(which, [])}
    asked = {name for plan in plans.values() for name in pki_names.selection(plan['settings'].get('regen_cert')).names}
    close = ((name, difflib.get_close_matches(name, known, n=1, cutoff=0.6)) for name in sorted(asked - known))
    return [f"pki_regen_cert: there is no certificate '{name}' here, did you mean '{match[0]}'?" for name, match in close if match]


class CertificateCall(t.NamedTuple):
    """One call of cert_request, and the names that cannot be part of it."""

    wishes: list[dict[str, t.Any]]
    faults: dict[str, dict[str, t.Any]]
    #: of the tree, each with its mode
    directories: list[tuple[list[str], t.Any]]


def certificate_calls(plans: t.Mapping[str, dict[str, t.Any]]) -> list[CertificateCall]:
    """One call for each tree: nearly always one."""
    trees: dict[tuple[str, str], dict[str, list[dict[str, t.Any]]]] = {}
    for host, plan in plans.items():
        settings = plan['settings']
        if settings.get('create_certificates') and plan['certificates']:
            trees.setdefault((settings['dir'], settings['cert_dir']), {})[host] = plan['certificates']
    calls = []
    for (directory, cert_dir), wishes in trees.items():
        faults: dict[str, list[str]] = {}
        chosen = merged(wishes, faults)
        settings = plans[next(iter(wishes))]['settings']
        refused = {}
        for texts in faults.values():
            for message in texts:
                refused[message.split("'")[1]] = {'kind': 'input.invalid', 'msg': message}
        calls.append(CertificateCall(
            [certificate_files(wish, directory, cert_dir) for wish in chosen if wish['name'] not in refused], refused,
            [([f'{cert_dir}/certs', f'{cert_dir}/csr'], settings['cert_dir_mode']), ([f'{cert_dir}/private'], settings['key_dir_mode'])],
        ))
    return calls


class ProvidedSet(t.NamedTuple):
    """A certificate and key that the user brings along."""

    label: str
    certificate: str
    private_key: str
    chain: str | None
    names: dict[str, t.Any]
    strict: bool

    @property
    def wish(self) -> dict[str, t.Any]:
        """For cert_request in check mode: it verifies the set and finds the files as they are."""
        provided = {'certificate': self.certificate, 'private_key': self.private_key}
        if self.chain:
            provided['chain'] = self.chain
        files = [{'content': 'private_key', 'path': self.private_key}]
        if self.certificate != self.private_key:
            files.append({'content': 'certificate', 'path': self.certificate})
        else:
            files = [{'content': 'combined', 'path': self.private_key}]
        return {'name': self.label, 'issuer': {'provided': provided}, 'files': files}

    @property
    def wish_with_names(self) -> dict[str, t.Any]:
        """The same, with the names that the caller expects in it."""
        return dict(self.wish, **self.names)


def label_of(certificate_path: str, key_path: str) -> str:
    """How results call a user's set."""
    return f'{certificate_path} with {key_path}'.replace('/', ' ').strip()[-190:]


def provided_sets(plans: t.Mapping[str, dict[str, t.Any]]) -> dict[str, ProvidedSet]:
    """The user's sets of all hosts: entries of one name that bring a certificate and a key by `src`."""
    sets: dict[str, ProvidedSet] = {}
    for plan in plans.values():
        names = {wish['name']: {kind: wish[kind] for kind in ('dns', 'ip', 'email', 'uri') if kind in wish} for wish in plan['certificates']}
        for name, paths in provided_paths(plan).items():
            chosen = ProvidedSet(
                label_of(*paths[:2]), *paths, names.get(name, {}), bool(plan['settings'].get('strict')),
            )
            sets.setdefault(chosen.label, chosen)
    return sets


def provided_paths(plan: t.Mapping[str, t.Any]) -> dict[str, tuple[str, str, str | None]]:
    """Certificate, key and chain by the name of the entries."""
    by_name: dict[str, dict[str, str]] = {}
    for wish in plan['install_certificates']:
        if wish['provided'] and wish['name']:
            by_name.setdefault(str(wish['name']), {})[wish['type'] or 'certificate'] = wish['source']
    found = {}
    for name, types in by_name.items():
        leaf = types.get('certificate_chain') or types.get('certificate')
        if leaf and 'private_key' in types:
            found[name] = (leaf, types['private_key'], types.get('ca_bundle'))
    return found
