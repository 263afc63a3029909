# SPDX-License-Identifier: Apache-2.0
"""From what was read on the setup host to the files of one target."""

from __future__ import annotations

import base64
import datetime
import typing as t

from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_files, pki_plan, pki_trust
from ansible_collections.tls.everywhere.plugins.plugin_utils.pki_files import File


class Source:
    """The contents that were read, and what is wrong with them for this host."""

    def __init__(self, read: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any], now: datetime.datetime) -> None:
        self._contents = {path: base64.b64decode(content) for path, content in (read.get('contents') or {}).items()}
        self._problems = read.get('problems') or {}
        self._refused = read.get('refused') or {}
        self._plan = plan
        self._settings = plan['settings']
        self._now = now
        self._generations = dict(_generations(pki_files.generations(read.get('contents') or {})))
        self.faults: list[str] = []
        self.warnings: list[str] = []
        self.absent: list[str] = []

    def files(self, which: str) -> list[File]:
        """The files of one list; faults and warnings are noted."""
        if which == 'install_ca':
            return self._trusted(self._plan[which])
        self._check_provided()
        found = [self._file(wish) for wish in self._plan[which] if self._has(wish)]
        return [] if self.faults else found

    def _has(self, wish: t.Mapping[str, t.Any]) -> bool:
        if wish['source'] in self._contents:
            return True
        problem = self._problems.get(wish['source'], f"'{wish['source']}' was not read")
        self.faults.append(f"{problem} on the setup host '{self._settings['setup_host']}', wanted for '{wish['dest']}'")
        return False

    def _check_provided(self) -> None:
        for paths in pki_plan.provided_paths(self._plan).values():
            reason = self._refused.get(pki_plan.label_of(*paths[:2]))
            if reason:
                self.faults.append(
                    f"the user-provided set '{paths[0]}', '{paths[1]}' is not installed, what is in service stays: {reason}"
                )

    def _file(self, wish: t.Mapping[str, t.Any]) -> File:
        content = self._contents[wish['source']]
        secret = pki_trust.carries_private_key(content)
        mode = wish['mode']
        if secret and not wish['explicit']:
            mode = (self._settings.get('file_mode') or {}).get('private_key') or self._settings['key_mode']
        elif mode is None:
            mode = self._settings['cert_mode']
        if secret and self._stays_open(wish, mode):
            self.warnings.append(f"'{wish['dest']}' holds a private key and its entry gives it the mode {mode}: every user can read it")
        if wish['type'] == 'ca_bundle' and self._settings['trust_overlap']:
            content = pki_trust.widened(content, self._generations.values(), self._now)
        return File(wish['dest'], content, secret and not self._stays_open(wish, mode), wish['owner'], wish['group'], mode, self._set(wish))

    @staticmethod
    def _stays_open(wish: t.Mapping[str, t.Any], mode: t.Any) -> bool:
        """Whether the caller wants a key to be open to everybody, and says so."""
        return bool(wish['explicit'] and _is_open(mode))

    @staticmethod
    def _set(wish: t.Mapping[str, t.Any]) -> str:
        """The files of one certificate change together; what has no name stands for itself."""
        return str(wish['name']) if wish['name'] else wish['dest']

    def _trusted(self, wishes: t.Sequence[t.Mapping[str, t.Any]]) -> list[File]:
        found: list[File] = []
        for wish in wishes:
            if not self._has(wish):
                continue
            content = self._contents[wish['source']]
            if pki_trust.carries_private_key(content):
                self.faults.append(f"'{wish['source']}' holds a private key, it is not put into the trust store")
                continue
            found.append(File(wish['dest'], content, False, None, None, None, wish['dest']))
            found += self._older(wish)
        return [] if self.faults else found

    def _older(self, wish: t.Mapping[str, t.Any]) -> list[File]:
        """The earlier roots, each in a file of its own: trust stores take one certificate a file."""
        generations = self._generations.get(wish['authority'])
        if generations is None:
            return []
        kept = generations.overlap(self._now) if self._settings['trust_overlap'] else {}
        stem, dot, ending = wish['dest'].rpartition('.')
        paths = {number: f'{stem}-{number}{dot}{ending}' for number in generations.numbered}
        self.absent += [path for number, path in sorted(paths.items()) if number not in kept]
        return [File(paths[number], pki_trust.pem(der), False, None, None, None, wish['dest']) for number, der in sorted(kept.items())]


def _is_open(mode: t.Any) -> bool:
    try:
        return bool((mode if isinstance(mode, int) else int(str(mode), 8)) & 0o004)
    except ValueError:
        return False


def _generations(read: t.Mapping[str, t.Mapping[str, str]]) -> t.Iterator[tuple[str, pki_trust.Generations]]:
    """Authorities with the certificates of their generations, roots only: the others need no trust of their own."""
    for name, certificates in read.items():
        ders = {key: pki_trust.certificates(base64.b64decode(content)) for key, content in certificates.items()}
        current = (ders.get('current') or [b''])[0]
        if current and pki_trust.is_self_issued(current):
            numbered = {int(key): found[0] for key, found in ders.items() if key != 'current' and found}
            yield name, pki_trust.Generations(current, numbered)
