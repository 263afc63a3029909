# SPDX-License-Identifier: Apache-2.0
"""Between the files of the tree and file_set: what was read on the setup host, what is installed on a target."""

from __future__ import annotations

import base64
import hashlib
import re
import typing as t

Result = t.Dict[str, t.Any]

# roots/NAME/certs/NAME.crt is the certificate in service, NAME-1000.crt the first generation.
AUTHORITY = re.compile(r'.*/roots/(?P<name>[^/]+)/certs/(?P=name)(?:-(?P<number>[0-9]+))?\.crt')
LEAF = re.compile(r'.*/certs/certs/(?P<name>[^/]+)\.crt')

# file_set takes no more files in one set, and no longer names.
LARGEST_SET = 200
LONGEST_NAME = 200


class File(t.NamedTuple):
    """One file as file_set installs it."""

    dest: str
    content: bytes
    secret: bool
    owner: str | None
    group: str | None
    mode: t.Any
    #: files of one name are replaced together
    of: str

    @property
    def wish(self) -> Result:
        """As an element of sets[].files."""
        wish = {'path': self.dest, 'content_base64': base64.b64encode(self.content).decode('ascii'), 'holds_private_key': self.secret}
        return {**wish, **{key: getattr(self, key) for key in ('owner', 'group', 'mode') if getattr(self, key) is not None}}


def generations(contents: t.Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The certificates of each authority by generation, the one in service as `current`; base64 as they came."""
    found: dict[str, dict[str, str]] = {}
    for path, content in contents.items():
        match = AUTHORITY.fullmatch(path)
        if match:
            found.setdefault(match['name'], {})[match['number'] or 'current'] = content
    return found


def leaves(contents: t.Mapping[str, str]) -> dict[str, str]:
    """The certificates of the tree by their names, without their chains and bundles."""
    named = ((LEAF.fullmatch(path), content) for path, content in contents.items())
    return {match['name']: content for match, content in named if match and not match['name'].endswith(('-chain', '-ca_bundle'))}


def sets(files: t.Sequence[File], absent: t.Sequence[str]) -> list[Result]:
    """The files by the name that they share, keys first; those that shall not exist each for itself."""
    by_name: dict[str, list[File]] = {}
    for file in files:
        by_name.setdefault(file.of, []).append(file)
    found = []
    for name, members in by_name.items():
        ordered = [file.wish for file in sorted(members, key=lambda file: not file.secret)]
        for start in range(0, len(ordered), LARGEST_SET):
            found.append({'name': set_name(f'{name} ({start})' if start else name), 'files': ordered[start:start + LARGEST_SET]})
    return found + one_by_one([{'path': path, 'state': 'absent'} for path in absent])


def one_by_one(files: t.Sequence[Result]) -> list[Result]:
    """A set for each file."""
    return [{'name': set_name(file['path']), 'files': [file]} for file in files]


def set_name(text: str) -> str:
    """The text, or what stands for one that is too long for a name."""
    return text if len(text.encode('utf-8', 'surrogateescape')) <= LONGEST_NAME else hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()


def installed(result: Result, asked: t.Sequence[Result], would_fail: bool) -> Result:
    """The result of the step: which files changed; no contents, and no empty lists that Ansible would print. Faults of
    options name the file, since nobody but us knows the place in the list of sets."""
    each = (result.get('sets') or {}).values()
    kept = {key: result[key] for key in ('changed', 'failed', 'msg', 'error', 'failures', 'warnings', 'diff') if result.get(key)}
    files = sorted(path for one in each for path in one.get('changed_files') or [])
    faults = [_fault(fault, asked) for fault in result.get('faults') or []]
    if faults:
        kept['msg'] = '; '.join(faults)
    return dict(kept, changed=bool(result.get('changed') or would_fail), files=files)


def _fault(fault: Result, asked: t.Sequence[Result]) -> str:
    """A fault in the words of pki_install_certificates."""
    match = re.fullmatch(r'sets\[([0-9]+)\]\.files\[([0-9]+)\]\.?(.*)', str(fault.get('path')))
    if match is None:
        return f"{fault.get('path')}: {fault.get('message')}"
    path = asked[int(match[1])]['files'][int(match[2])]['path']
    return f"'{path}': {match[3]}{': ' if match[3] else ''}{fault.get('message')}"
