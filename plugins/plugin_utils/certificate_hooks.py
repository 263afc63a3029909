# SPDX-License-Identifier: Apache-2.0
"""What certmonger does after it has saved a certificate: further files of it first, then the user's own script, then exactly the
containers that serve it. certmonger tells a hook nothing, so all of it is written down when the request is made. No disk, no host."""

from __future__ import annotations

import dataclasses
import json
import shlex
import typing as t

from ansible_collections.tls.everywhere.plugins.module_utils.argument_specs import CERT_REQUEST, CONTAINER_RESTART
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import review

Entry = t.Mapping[str, t.Any]
Fault = t.Callable[[str, str], None]

RESTART_PROGRAM, FILES_PROGRAM = 'container_restart', 'cert_request'
COPY = {'content', 'src', 'path', 'dest', 'owner', 'group', 'mode', 'parts', 'setype', 'context', 'backup'}
PEM = {'path', 'order', 'owner', 'group', 'mode', 'setype', 'context', 'backup'}

LOGS = '/var/log/tls-everywhere'
ABOVE = ('chain', 'root', 'ca_bundle')

# What reads well in HAProxy and Ceph, and what puppet-tripleo and the templates write.
ORDER = ['certificate', 'chain', 'root', 'private_key']

SCRIPT = """\
#!/bin/bash
{header}
# What certmonger does when it has saved the certificate {name}. {where}
{logging}
failed=0
step() {{
    printf '%s\\n' "$1"
    "${{@:2}}" </dev/null && return
    printf '%s: failed with status %s\\n' "$1" "$?"
    failed=1
    return 1
}}
{steps}
exit "$failed"
"""

JOURNAL = """\
if [ -S /run/systemd/journal/stdout ] && command -v systemd-cat >/dev/null; then
    exec > >(exec systemd-cat --identifier {tag}) 2>&1
elif [ -S /dev/log ] && command -v logger >/dev/null; then
    exec > >(exec logger --tag {tag}) 2>&1
else
    mkdir -p {directory} && exec >>{log} 2>&1
fi"""
FILE = 'mkdir -p {directory} && exec >>{log} 2>&1'

# Certificates of several services of a host have the same names. So that only who serves an earlier one of this is told, the fingerprints of
# the last ones are kept and handed over; the first is remembered when the hook is installed, or that there was none: then nobody can serve
# one. What is asked of sed, base64 and sha256sum, openssl is not needed for.
RESTART = """\
fingerprint() {{
    sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p;/-----END CERTIFICATE-----/q' "$1" |
        grep -v -e '-----' | base64 -d | sha256sum | cut -c 1-64
}}
if [ "${{1:-}}" = remember ]; then
    [ ! -e {served} ] || exit 0
    first=none
    for file in {saved} {certificate}; do [ ! -s "$file" ] || first=$(fingerprint "$file"); done
    echo "$first" >{served}.new && mv {served}.new {served}
    exit
fi
containers() {{
    local options status=0
    now=$(fingerprint {certificate})
    if [ "$(cat {served} 2>/dev/null)" = none ]; then
        echo 'this is the first certificate: nobody can serve an earlier one'
    else
        options=$(mktemp) || return
        before=$(grep -x '[0-9a-f]\\{{64\\}}' {served} 2>/dev/null | grep -v -x "$now" | sed 's/.*/"&"/' | paste -s -d ,)
        sed "1s/{{/{{\\"replaces\\": [$before],/" {mapping} >"$options"
        {program} "$options"
        status=$?
        rm -f "$options"
    fi
    {{ grep -x '[0-9a-f]\\{{64\\}}' {served} 2>/dev/null | grep -v -x "$now" | tail -n 9; echo "$now"; }} >{served}.new && mv {served}.new {served}
    return "$status"
}}
"""


@dataclasses.dataclass(frozen=True)
class Places:
    """Where hooks and what they need are."""

    directory: str = '/etc/tls-everywhere'
    programs: str = '/usr/local/libexec/tls-everywhere'
    #: a directory for what hooks say; None is the journal, else syslog, else LOGS
    logs: str | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """What certmonger saves, and the authorities above it where they are in a file."""

    name: str
    certificate: str
    private_key: str
    chain: str | None


@dataclasses.dataclass(frozen=True)
class Hook:
    """What follows a save, as data."""

    source: Source
    #: the elements of cert_request's files, none if there are no further files
    files: list[dict[str, t.Any]]
    #: options of container_restart, if a container is concerned
    restart: dict[str, t.Any] | None

    @property
    def programs(self) -> set[str]:
        """What must be on the host."""
        return ({FILES_PROGRAM} if self.files else set()) | ({RESTART_PROGRAM} if self.restart is not None else set())

    @property
    def copies(self) -> dict[str, t.Any] | None:
        """The element of cert_request's certificates that makes the further files of what was saved. Never by certmonger: that would
        wait for its own hook. The files are made whenever they differ, also near the end of the certificate. A wish must name something;
        the subject does not count for what is provided, so no name that the certificate may not have is asked for."""
        if not self.files:
            return None
        provided = {'certificate': self.source.certificate, 'private_key': self.source.private_key, 'chain': self.source.chain}
        return {
            'name': self.source.name, 'subject': {'CN': self.source.name[:64]},
            'issuer': {'provided': {key: value for key, value in provided.items() if value}}, 'renew': {'on': ['names', 'key', 'issuer']},
            'files': self.files, 'on_unreadable': 'replace',
        }

    def written(self, places: Places, header: str, run_after: str | None) -> dict[str, str]:
        """The files of the hook by their path, the script last."""
        base = f'{places.directory}/{self.source.name}'
        steps, found = [], {}
        if self.files:
            found[f'{base}.files.json'] = _json({'certificates': [self.copies], 'state': 'present'})
            steps.append(_step('files', f'{places.programs}/{FILES_PROGRAM}', f'{base}.files.json') + ' || broken=1')
        if run_after:
            steps.append(_step('run_after', run_after))
        if self.restart is not None:
            found[f'{base}.json'] = _json(self.restart)
            given = {
                'certificate': self.restart['certificate'], 'saved': self.source.certificate, 'served': f'{base}.served', 'mapping': f'{base}.json',
                'program': f'{places.programs}/{RESTART_PROGRAM}',
            }
            # First of all: a hook that shall remember does nothing else.
            steps.insert(0, RESTART.format(**{key: shlex.quote(str(value)) for key, value in given.items()}))
            line = _step('containers', 'containers')
            # With old files nobody can serve the new certificate.
            steps.append(f'[ -n "${{broken:-}}" ] || {line}' if self.files else line)
        found[f'{base}.sh'] = self._script(places, header, steps)
        return found

    def _script(self, places: Places, header: str, steps: list[str]) -> str:
        directory = places.logs or LOGS
        log, tag = f'{directory}/{self.source.name}.log', f'tls-everywhere-{self.source.name}'
        where = f'It says what it does in {log}.' if places.logs else f'It says what it does under the tag {tag}.'
        quoted = {'tag': shlex.quote(tag), 'log': shlex.quote(log), 'directory': shlex.quote(directory)}
        return SCRIPT.format(
            header=header, name=_plain(self.source.name), where=_plain(where), steps='\n'.join(steps),
            logging=(FILE if places.logs else JOURNAL).format(**quoted),
        )


def paths(name: str, places: Places) -> list[str]:
    """All that a hook may have left, those that others may have written too last."""
    return [f'{places.directory}/{name}{ending}' for ending in ('.sh', '.files.json', '.served', '.json')]


def hook(entry: Entry, source: Source, fault: Fault) -> Hook | None:
    """The hook of one request, if it has one of restart, copies and pem."""
    if not {'restart', 'copies', 'pem'} & set(entry):
        return None
    files = [*_copies(entry, source, fault), *_pem(entry, source, fault)]
    found = Hook(source, files, _restart(entry, source, files, fault))
    if files:
        _check_files(found, fault)
    return found


def _pem(entry: Entry, source: Source, fault: Fault) -> list[dict[str, t.Any]]:
    pem = entry.get('pem')
    if pem is None:
        return []
    if not isinstance(pem, dict) or not pem.get('path'):
        fault('pem', 'is a dictionary with path, and order, owner, group and mode where they are not the usual ones')
        return []
    for key in sorted(set(pem) - PEM):
        fault('pem', f"nobody knows '{key}'")
    usual = ORDER if source.chain else [part for part in ORDER if part not in ('chain', 'root')]
    return [_file('combined', pem, parts=pem.get('order') or usual)]


def _copies(entry: Entry, source: Source, fault: Fault) -> list[dict[str, t.Any]]:
    copies = entry.get('copies', [])
    if not isinstance(copies, list):
        fault('copies', 'is no list')
        return []
    found = []
    for number, copy in enumerate(copies):
        where = f'copies[{number}]'
        if not isinstance(copy, dict) or not (copy.get('path') or copy.get('dest')):
            fault(where, 'is no dictionary with a path')
            continue
        for key in sorted(set(copy) - COPY):
            fault(where, f"nobody knows '{key}'")
        content = copy.get('content') or _content_of(copy.get('src'), source)
        if content is None:
            fault(where, f"'{copy.get('src')}' is not what certmonger saves; give '{source.certificate}', '{source.private_key}' or a content")
            continue
        if content in ABOVE and not source.chain:
            fault(where, f"no file with the certificates of the CA is known to make a '{content}' of; give ca_file, or name it in the role's variable")
        found.append(_file(content, copy, parts=copy.get('parts')))
    return found


def _content_of(path: t.Any, source: Source) -> str | None:
    return {source.certificate: 'certificate', source.private_key: 'private_key', source.chain: 'ca_bundle'}.get(path) if path else None


def _file(content: str, given: Entry, **more: t.Any) -> dict[str, t.Any]:
    kept = {key: given[key] for key in ('owner', 'group', 'mode', 'context', 'setype', 'backup') if given.get(key) is not None}
    if isinstance(kept.get('mode'), int):
        kept['mode'] = f"{kept['mode']:04o}"
    elif 'mode' not in kept and 'group' in kept:
        kept['mode'] = '0640'
    return {'content': content, 'path': str(given.get('path') or given.get('dest')), **kept, **{key: value for key, value in more.items() if value}}


def _check_files(found: Hook, fault: Fault) -> None:
    contents = {file['content'] for file in found.files}
    both = {'combined', 'pkcs12', 'jks'} & contents
    for needed, word in (({'private_key'}, 'private key'), ({'certificate', 'fullchain'}, 'certificate')):
        if not both and not needed & contents:
            fault('copies', f'none of them holds the {word}; the files of a certificate are made together or not at all')
    for each in review(CERT_REQUEST, {'certificates': [found.copies]}).faults:
        fault('copies', each.message)


def _restart(entry: Entry, source: Source, files: list[dict[str, t.Any]], fault: Fault) -> dict[str, t.Any] | None:
    given = entry.get('restart')
    if given is None:
        return None
    if not isinstance(given, dict):
        fault('restart', 'is a dictionary of options of container_restart; {} finds the containers')
        return None
    options = {'name': source.name, **_served(source, files), 'missing': 'skip', **given}
    for each in review(CONTAINER_RESTART, options).faults:
        fault('restart', each.message)
    return options


def _served(source: Source, files: list[dict[str, t.Any]]) -> dict[str, str]:
    """The files that a container mounts: those that were made for it, where there are any."""
    places = {file['content']: file['path'] for file in files}
    if 'combined' in places:
        return {'certificate': places['combined']}
    certificate = places.get('certificate') or places.get('fullchain') or source.certificate
    return {'certificate': certificate, 'private_key': places.get('private_key', source.private_key)}


def _step(name: str, *argv: str) -> str:
    return f"step {name} {' '.join(shlex.quote(word) for word in argv)}"


def _json(value: t.Any) -> str:
    return json.dumps(value, indent=2) + '\n'


def _plain(text: str) -> str:
    """What may stand in a comment of a script."""
    return ''.join(letter if letter.isprintable() else '?' for letter in text)
