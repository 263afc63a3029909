# SPDX-License-Identifier: Apache-2.0
"""What the role vault_pki makes of what it sees: the charm's words, live roots, batches of hosts, and how far a rotation is. No step here
asks a server or a host."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import math
import re
import typing as t

from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_trust

Facts = t.Mapping[str, t.Any]

# The charm's texts of status, by why the server could not be asked.
WORDS = {
    'vault.sealed': 'Unit is sealed',
    'vault.not_initialized': 'Vault needs to be initialized',
    'vault.no_leader': 'Waiting for raft cluster to settle',
    'vault.login_refused': 'Vault cannot authorize approle',
    'vault.token_invalid': 'Vault cannot authorize approle',
    'vault.permission_denied': 'Vault cannot authorize approle',
    'vault.wrapped_secret_used': 'Vault cannot authorize approle',
    'vault.no_default_issuer': 'Missing CA cert',
    'vault.no_mount': 'Missing CA cert',
}

# A clock that differs by more spoils certificates.
SKEW = 60

PHASES = ('prepare', 'cross', 'distribute', 'intermediate', 'activate', 'reissue', 'retire', 'drop')


class Issuer(t.NamedTuple):
    """One issuer of the mount."""

    name: str
    der: bytes
    is_default: bool
    #: signed by itself
    is_root: bool
    #: has its key, and may sign certificates
    issues: bool
    #: somebody took it out of service
    is_retired: bool
    #: what is served with a certificate of it, itself first
    chain: tuple[bytes, ...]

    def ends(self) -> datetime.datetime:
        """Its end; long ago for what is no certificate."""
        found = pki_trust.identity(self.der)
        return found.not_after if found else datetime.datetime.min


def issuers(seen: Facts) -> list[Issuer]:
    """Those of a result of pki_ca with `inspect`."""
    found = []
    for facts in seen.get('issuers') or []:
        ders = pki_trust.certificates(str(facts.get('certificate') or '').encode())
        if not ders:
            continue
        may_sign = 'issuing-certificates' in str(facts.get('usage') or '') and facts.get('state') != 'revoked'
        is_default = bool(facts.get('is_default'))
        found.append(Issuer(
            name=str(facts.get('name') or facts.get('issuer_id') or ''), der=ders[0], is_default=is_default,
            is_root=bool(facts.get('is_root')), issues=bool(facts.get('key_id')) and may_sign, is_retired=not may_sign and not is_default,
            chain=tuple(pki_trust.certificates(str(facts.get('chain') or '').encode())),
        ))
    return found


def live_roots(found: t.Sequence[Issuer], dropped: t.Collection[str], now: datetime.datetime) -> list[Issuer]:
    """Roots that a client needs: those that may sign, and those that stand in the chain of an authority which may. One that was taken out of
    service is needed until no chain has it any more."""
    own = {_key(issuer.der) for issuer in found if issuer.is_root}
    # What another root has signed for a root issues nothing by itself.
    served = {der for issuer in found if issuer.issues and (issuer.is_root or _key(issuer.der) not in own) for der in issuer.chain}
    return [
        issuer for issuer in found
        if issuer.is_root and issuer.ends() > now and issuer.name not in dropped and (issuer.issues or issuer.der in served)
    ]


def _key(der: bytes) -> tuple[bytes, bytes] | None:
    found = pki_trust.identity(der)
    return found and found[:2]


def prefix(mount: str) -> str:
    """How the names of those files begin, for each mount otherwise, and none as another's: an @ is in no mount's."""
    spelt = re.sub('[^A-Za-z0-9_.~/-]', lambda found: f'%{ord(found[0]):02x}', mount.strip('/')).replace('/', '+')
    return f'vault_pki-{spelt}@'


def anchors(roots: t.Sequence[Issuer], extra: t.Sequence[str], mount: str) -> dict[str, str]:
    """The files of a trust store, one for each root, by name."""
    start = prefix(mount)
    files = {f'{start}{root.name}.crt': pki_trust.pem(root.der).decode() for root in roots}
    held = {root.der for root in roots}
    more = [der for text in extra for der in pki_trust.certificates(text.encode()) if der not in held]
    files.update({f'{start}extra-{number}.crt': pki_trust.pem(der).decode() for number, der in enumerate(more, 1)})
    return files


def digest(store: str, files: t.Mapping[str, str]) -> str:
    """What is kept of a trust store once the system has read it."""
    listed = '\n'.join([store, *(f'{name}\n{files[name]}' for name in sorted(files))])
    return f'{hashlib.sha256(listed.encode()).hexdigest()}\n'


def trusted(found: t.Sequence[Issuer], dropped: t.Collection[str], extra: t.Sequence[str], mount: str, now: datetime.datetime) -> dict[str, str]:
    """The files of a trust store that holds the live roots and further ones. Further ones alone are enough only for an authority that
    issues below one of them: a mount that was lost, or is not the one that was meant, takes no root from anybody."""
    live = live_roots(found, dropped, now)
    if not live and (dropped or not extra or not any(issuer.issues for issuer in found)):
        raise ValueError(f"Missing CA cert: mount '{mount}' has no root that is alive; nobody's trust was changed. In a new mount generate_root_ca makes one")
    return anchors(live, extra, mount)


def standing(settings: Facts, found: t.Sequence[Issuer]) -> dict[str, str]:
    """The states that generate_root_ca asks for, by name. Which authority issues is decided once: one that a rotation or an upload has put
    into service, or has retired, is not taken back."""
    names = [name for name in (settings['root'], settings['intermediate']) if name]
    is_decided = any(issuer.is_default and issuer.name not in names for issuer in found)
    retired = {issuer.name for issuer in found if issuer.is_retired}
    return {name: 'active' if name == names[-1] and not is_decided else 'present' for name in names if name not in retired}


def status(seen: Facts, warn_before: datetime.timedelta, now: datetime.datetime) -> tuple[list[str], list[str]]:
    """What keeps certificates from being issued, in the charm's words with the reason, and what soon will."""
    # The task that asked was told not to fail, so that this can be said.
    if seen.get('failed') or seen.get('error') or 'server' not in seen:
        error = seen.get('error') or {}
        word = WORDS.get(str(error.get('kind')))
        said = str(seen.get('msg') or '').strip()
        return ([f'{word}: {said}' if word else f'Vault cannot be asked: {said}'], [])
    server, found = seen.get('server') or {}, issuers(seen)
    if server.get('initialized') is False:
        return ([WORDS['vault.not_initialized']], [])
    if server.get('sealed'):
        return ([WORDS['vault.sealed']], [])
    warnings = []
    skew = server.get('clock_skew') or 0
    if abs(skew) > SKEW:
        warnings.append(f"the server's clock differs by {skew} seconds")
    serving = [issuer for issuer in found if issuer.is_default]
    if not serving:
        return ([f"Missing CA cert: {'none of the authorities is the default of the mount' if found else 'the mount has no authority'}"], warnings)
    issuer = serving[0]
    if not issuer.issues:
        return ([f"Missing CA cert: the default, '{issuer.name}', may not or cannot sign"], warnings)
    if issuer.ends() <= now:
        return ([f"Missing CA cert: '{issuer.name}' ended on {issuer.ends():%Y-%m-%d}"], warnings)
    for each in found:
        if each.issues and now < each.ends() <= now + warn_before:
            warnings.append(f"authority '{each.name}' ends on {each.ends():%Y-%m-%d}; no certificate outlives it")
    return ([], warnings)


def duration(text: str) -> datetime.timedelta:
    """30d, 12h, 90m or seconds."""
    match = re.fullmatch(r'([0-9]+)([dhms]?)', str(text).strip())
    if not match:
        raise ValueError(f"'{text}' is no duration such as 30d or 12h")
    return datetime.timedelta(seconds=int(match.group(1)) * {'d': 86400, 'h': 3600, 'm': 60}.get(match.group(2), 1))


def batches(hosts: t.Sequence[str], sizes: t.Sequence[t.Any]) -> list[list[str]]:
    """The hosts, divided as the keyword `serial` does it."""
    rest, divided = list(hosts), []
    wished = list(sizes) or ['100%']
    while rest:
        size = _size(wished[min(len(divided), len(wished) - 1)], len(hosts))
        divided.append(rest[:size])
        rest = rest[size:]
    return divided


def _size(wished: t.Any, count: int) -> int:
    match = re.fullmatch(r'([0-9]+)(%?)', str(wished).strip())
    if not match or not int(match.group(1)):
        raise ValueError(f"vault_pki_batches: '{wished}' is neither a number of hosts nor a percentage of them")
    number = int(match.group(1))
    return max(1, math.floor(count * number / 100)) if match.group(2) else number


def successor(name: str) -> str:
    """The name with the next number."""
    match = re.fullmatch(r'(.*?)([0-9]+)', name)
    return f'{match.group(1)}{int(match.group(2)) + 1}' if match else f'{name}-2'


class Rotation(t.NamedTuple):
    """The names of a rotation; where the roots issue themselves, they are what issues."""

    old_root: str
    new_root: str
    old_issuer: str
    new_issuer: str

    @property
    def cross(self) -> str:
        """The new root, signed by the old one."""
        return f'{self.new_root}-x-{self.old_root}'

    @property
    def has_intermediate(self) -> bool:
        """Whether something below the roots issues."""
        return self.new_issuer != self.new_root

    @property
    def serving(self) -> str:
        """What issues while clients trust the old root, the new one, or both. A new root that issues by itself does it under the
        certificate that the old one gave it: in the chain of its own the other would not be served."""
        return self.new_issuer if self.has_intermediate else self.cross

    @property
    def chain(self) -> list[str]:
        """What is served meanwhile."""
        return [self.new_issuer, self.cross, self.old_root] if self.has_intermediate else [self.cross, self.old_root]

    @property
    def added(self) -> list[str]:
        """What a way back removes, one after the other. The new root is the last: while one is there, there is something to remove."""
        return [*([self.new_issuer] if self.has_intermediate else []), self.cross, self.new_root]

    @property
    def end(self) -> list[str]:
        """What is served afterwards."""
        return [self.new_issuer, self.new_root] if self.has_intermediate else [self.new_root]


def rotation(settings: Facts) -> Rotation:
    """The names that the role's variables give."""
    old_root, old_issuer = settings['root'], settings['intermediate']
    new_root = settings['new_root'] or successor(old_root)
    new_issuer = settings['new_intermediate'] or (successor(old_issuer) if old_issuer else '')
    return Rotation(old_root, new_root, old_issuer or old_root, new_issuer or new_root)


def fitting(names: Rotation, found: t.Sequence[Issuer]) -> None:
    """Refuses names that are not those of what the server has: what is not found would count as out of service already."""
    held, default = {issuer.name for issuer in found}, next((issuer.name for issuer in found if issuer.is_default), None)
    if names.old_root not in held:
        raise ValueError(f"Missing CA cert: there is no root '{names.old_root}'; vault_pki_root_name names the one to be replaced")
    if names.old_issuer not in held:
        raise ValueError(f"there is no authority '{names.old_issuer}'; vault_pki_intermediate_name names the one to be replaced, and is empty where the "
                         'root issues')
    taken = {names.new_root, names.new_issuer} & {names.old_root, names.old_issuer}
    if taken:
        raise ValueError(f"'{taken.pop()}' is to be replaced and cannot be the new one; say other names as vault_pki_new_root_name and "
                         'vault_pki_new_intermediate_name')
    if default and default not in (names.old_issuer, names.serving, names.new_issuer):
        raise ValueError(f"'{default}' issues, and it is neither '{names.old_issuer}' nor '{names.new_issuer}'; vault_pki_root_name and "
                         'vault_pki_intermediate_name name what is to be replaced')


def reached(names: Rotation, found: t.Sequence[Issuer]) -> str:
    """The first phase that is not done, as far as the server tells; empty where all are. What hosts have is not known to it: their phases
    are gone through again, and change nothing where they were done."""
    by_name = {issuer.name: issuer for issuer in found}
    old_root, new_root, cross = by_name.get(names.old_root), by_name.get(names.new_root), by_name.get(names.cross)
    old_issuer = by_name.get(names.old_issuer)
    if new_root is None:
        return 'prepare'
    serving = _serving(names, found)
    if serving is not None and old_issuer is not None and not old_issuer.issues:
        is_dropped = (old_root is None or not old_root.issues) and not (cross and cross.der in serving.chain)
        return '' if is_dropped else 'drop'
    if cross is None:
        return 'cross'
    # Whether all hosts trust both is looked at again before anything is issued.
    return 'distribute' if serving is None else 'reissue'


def _serving(names: Rotation, found: t.Sequence[Issuer]) -> Issuer | None:
    """The default of the mount, if it is a new one."""
    for issuer in found:
        if issuer.is_default and issuer.name in (names.serving, names.new_issuer):
            return issuer
    return None


def phases(names: Rotation, found: t.Sequence[Issuer], until: str) -> tuple[str, list[str]]:
    """From which phase to go on, and those that are to be gone through."""
    first = reached(names, found)
    if not first:
        return '', []
    walk = PHASES[PHASES.index(first):PHASES.index(until) + 1]
    return first, [phase for phase in walk if phase != 'intermediate' or names.has_intermediate]


def undone(names: Rotation, found: t.Sequence[Issuer]) -> list[str]:
    """The phases of the way back. What hosts have is not known here, so all but the first are gone through again after an interruption."""
    if reached(names, found) in ('', 'drop'):
        raise ValueError(f"'{names.old_issuer}' is out of service already; rotate to a new root instead of going back")
    if not {names.new_root, names.cross, names.new_issuer} & {issuer.name for issuer in found}:
        return ['distribute']
    return (['return'] if _serving(names, found) else []) + ['reissue', 'remove', 'distribute']


def certificate(wish: Facts, directory: str, rotating: bool = False) -> dict[str, t.Any]:
    """A certificate with its files, and with the charm's `sans` and `type` where they belong. During a rotation another authority is a
    reason for a new one, whatever else is said."""
    made = dict(wish)
    reasons = (made.get('renew') or {}).get('on')
    if rotating and reasons and 'issuer' not in reasons:
        made['renew'] = {**made['renew'], 'on': [*reasons, 'issuer']}
    kind = made.pop('type', 'server')
    if kind not in ('server', 'client'):
        raise ValueError(f"certificate '{made.get('name')}': type '{kind}' is neither server nor client")
    if kind == 'client':
        made.setdefault('extended_key_usage', ['clientAuth'])
    for name in made.pop('sans', None) or []:
        kind = 'ip' if _is_address(name) else 'dns'
        listed = [made[kind]] if isinstance(made.get(kind), str) else list(made.get(kind) or [])
        made[kind] = [*listed, name] if name not in listed else listed
    common = made.get('common_name')
    if common and not _is_address(common) and made.get('dns') and common not in made['dns']:
        made['dns'] = [common, *([made['dns']] if isinstance(made['dns'], str) else made['dns'])]
    if not made.get('files'):
        place = f"{directory}/{made.get('name')}"
        made['files'] = [{'content': 'private_key', 'path': f'{place}.key', 'mode': '0600'}, {'content': 'fullchain', 'path': f'{place}.pem', 'mode': '0644'}]
    return made


def restarted(made: Facts) -> dict[str, t.Any]:
    """What container_restart has to know of a certificate that is not new, but not served either."""
    served = [file['path'] for file in made['files'] if file.get('content') in ('combined', 'fullchain', 'certificate')]
    return {'name': made['name'], 'certificate': served[0] if served else '', 'containers': made['containers']}


def is_client(wish: Facts) -> bool:
    """Whether the role for clients signs it."""
    return wish.get('type') == 'client'


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
