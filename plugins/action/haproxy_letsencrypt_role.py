# SPDX-License-Identifier: Apache-2.0
"""The steps of the role tls.everywhere.haproxy_letsencrypt. Each works out the plan anew from the variables, so that no secret is registered."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.tls.everywhere.plugins.action.cert_request import ActionModule as CertRequest
from ansible_collections.tls.everywhere.plugins.action.file_set import ActionModule as FileSet
from ansible_collections.tls.everywhere.plugins.plugin_utils import haproxy_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import plain

display = Display()

Result = t.Dict[str, t.Any]

# How long a step waits for the timer's run on the same directories.
LOCK_TIMEOUT = '300s'


class ActionModule(ActionBase):
    """One step."""

    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """The result of the step."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        arguments = plain(self._task.args)
        steps = {'plan': self._told, 'placeholder': self._placeholder, 'adopt': self._adopt, 'issue': self._issue, 'hook': self._hook, 'retire': self._retire}
        step = steps.get(arguments.get('step'))
        if step is None:
            return {'failed': True, 'msg': f"step: '{arguments.get('step')}' is none of {', '.join(steps)}"}
        self._settings = arguments.get('settings') or {}
        notes = haproxy_plan.Notes()
        self._plan = haproxy_plan.plan(self._settings, notes)
        if arguments['step'] == 'plan':
            for warning in notes.warnings:
                display.warning(f"{self._vars.get('inventory_hostname')}: {warning}")
        if notes.faults:
            return {'failed': True, 'changed': False, 'msg': '; '.join(notes.faults), 'faults': notes.faults}
        return step()

    # What the role needs to know.

    def _told(self) -> Result:
        """Paths only."""
        found = self._plan
        return {
            'changed': False, 'pems': [dataclasses.asdict(pem) for pem in found.pems],
            'certificates': [
                {'names': list(each.names), 'directory': each.directory, 'certbot': each.certbot, 'pems': [pem.path for pem in each.pems]}
                for each in found.certificates
            ],
            'challenge': found.issuer['challenge'],
        }

    # What is done on the host.

    def _native(self, action: type[CertRequest | FileSet], arguments: Result, check: bool | None = None) -> Result:
        task = self._task.copy()
        task.args = {**arguments, 'lock_timeout': LOCK_TIMEOUT}
        task.check_mode = self._task.check_mode if check is None else check
        runner = action(
            task=task, connection=self._connection, play_context=self._play_context, loader=self._loader,
            templar=self._templar, shared_loader_obj=self._shared_loader_obj,
        )
        result = runner.run(task_vars=self._vars)
        result.pop('invocation', None)
        return result

    def _existing(self, paths: t.Iterable[str]) -> set[str]:
        """Which of the files are there."""
        result = self._native(FileSet, {'exist': sorted(set(paths))})
        if result.get('failed'):
            raise _Failed(result)
        return set(result.get('existing') or [])

    def _request(self, entries: list[Result]) -> Result:
        """cert_request, with the directories of its files made before it. In check mode one that is not there is foreseen."""
        directories = [each.directory for each in self._plan.certificates]
        pems = sorted({os.path.dirname(pem.path) for pem in self._plan.pems})
        made = self._native(FileSet, {'directories': pems, 'directory_mode': '0755'})
        if not made.get('failed'):
            inner = self._native(FileSet, {'directories': [self._settings['directory'], *directories], 'directory_mode': '0700'})
            made = {**inner, 'changed': bool(made.get('changed')) or bool(inner.get('changed'))}
        if made.get('failed'):
            return made
        if self._task.check_mode and made.get('changed'):
            names = ', '.join(entry['name'] for entry in entries)
            return {'changed': True, 'msg': f'would make the directories, and the certificates {names}'}
        return self._native(CertRequest, {'certificates': entries})

    def _placeholder(self) -> Result:
        """A self-signed certificate in those of HAProxy's files that are not there. Nothing else is ever overwritten."""
        return self._guarded(self._placeholders)

    def _placeholders(self) -> Result:
        paths = {pem.path for pem in self._plan.pems}
        absent = paths - self._existing(paths)
        found = [haproxy_plan.placeholder(each, self._plan, self._settings, absent) for each in self._plan.certificates]
        entries = [entry for entry in found if entry]
        return self._request(entries) if entries else {'changed': False}

    def _adopt(self) -> Result:
        return self._guarded(self._adopted)

    def _adopted(self) -> Result:
        """certbot's certificates, where the role has none of its own yet. One that cannot serve is left alone, and said."""
        certbots = {each: (f'{each.certbot}/fullchain.pem', f'{each.certbot}/privkey.pem') for each in self._plan.certificates}
        pems = {pem.path for pem in self._plan.pems}
        there = self._existing([*(path for pair in certbots.values() for path in pair), *(each.fullchain for each in certbots), *pems])
        wanted = [each for each, pair in certbots.items() if each.fullchain not in there and there.issuperset(pair)]
        if not wanted:
            return {'changed': False, 'adopted': [], 'filled': []}
        result = self._request([haproxy_plan.adopted(each, self._plan, self._settings) for each in wanted])
        refused = result.get('failures') or {}
        if result.get('failed') and not refused:
            return result
        for name, failure in refused.items():
            display.warning(f"{self._vars.get('inventory_hostname')}: certbot's certificate '{name}' is not adopted: {failure['msg']}; a new one is asked for")
        adopted = [each.certbot for each in wanted if each.directory.rpartition('/')[2] not in refused]
        kept = {key: result[key] for key in ('certificates', 'diff', 'msg') if key in result and not refused}
        filled = sorted(pem.path for each in wanted if each.certbot in adopted for pem in each.pems if pem.path not in there)
        return {**kept, 'changed': bool(result.get('changed')), 'adopted': adopted, 'filled': filled}

    def _issue(self) -> Result:
        return self._guarded(self._issued)

    def _issued(self) -> Result:
        """Asks the server, where something is due."""
        certificates = self._plan.certificates
        texts = self._texts(path for each in certificates for path in (each.fullchain, f'{each.certbot}/fullchain.pem'))
        states = [haproxy_plan.in_service(texts.get(each.fullchain), texts.get(f'{each.certbot}/fullchain.pem')) for each in certificates]
        self._plan.issuer.update(self._certbots_account())
        return self._request([haproxy_plan.wished(each, self._plan, self._settings, state) for each, state in zip(certificates, states)])

    def _certbots_account(self) -> Result:
        """certbot's account with the server goes on, where the node has none of its own yet. What is read here is no secret."""
        place = haproxy_plan.certbots_accounts(self._plan, self._settings)
        if not place:
            return {}
        result = self._native(FileSet, {'read_matching': [f'{place}/*/regr.json']}, check=True)
        if result.get('failed'):
            raise _Failed(result)
        found = sorted(os.path.dirname(path) for path in result.get('contents') or {})
        if len(found) > 1:
            display.warning(f"{self._vars.get('inventory_hostname')}: certbot has several accounts in '{place}', so the node makes one of its own; "
                            "to go on with one, name its directory with 'haproxy_letsencrypt_acme: {account_import: …}'")
        return {'account_import': found[0]} if len(found) == 1 else {}

    def _texts(self, paths: t.Iterable[str]) -> dict[str, str]:
        """The files that are there. Certificates only, no keys."""
        there = self._existing(paths)
        result = self._native(FileSet, {'read': sorted(there)}, check=True) if there else {}
        if result.get('failed'):
            raise _Failed(result)
        return {path: base64.b64decode(text).decode('ascii', 'replace') for path, text in (result.get('contents') or {}).items()}

    def _hook(self) -> Result:
        return self._guarded(self._hooked)

    def _hooked(self) -> Result:
        """The same wish in a file for the timer: closed, since secrets of an account or a DNS provider may be in it."""
        settings, paths = self._settings, self._plan.certificates
        self._plan.issuer.update(self._certbots_account())
        entries = [haproxy_plan.wished(each, self._plan, settings, 'own') for each in paths]
        content = {
            'cert_request': {'certificates': entries, 'lock_timeout': LOCK_TIMEOUT},
            'program': settings['program'], 'sockets': settings['sockets'], 'reload': settings['reload'], 'after': settings['after'],
            'port': int(settings['proof_port']),
            'certificates': [
                {
                    'name': each.names[0], 'fullchain': each.fullchain, 'certbot': f'{each.certbot}/fullchain.pem',
                    'pems': [{'path': pem.path, 'address': pem.address} for pem in each.pems],
                }
                for each in paths
            ],
        }
        text = json.dumps(content, indent=2, sort_keys=True) + '\n'
        file = {'path': settings['hook'], 'content': text, 'mode': '0600', 'holds_private_key': True}
        return self._native(FileSet, {'sets': [{'name': 'haproxy_letsencrypt', 'files': [file]}], 'make_directories': True})

    def _retire(self) -> Result:
        return self._guarded(self._retired)

    def _retired(self) -> Result:
        """certbot reads only what ends in .conf: renaming it back is the way back. The hooks OpenStack-Ansible writes again."""
        files = haproxy_plan.retired(self._plan, self._settings)
        there = self._existing(file['path'] for file in files)
        wanted = [{'name': file['path'], 'files': [file]} for file in files if file['path'] in there]
        return self._native(FileSet, {'sets': wanted}) if wanted else {'changed': False}

    def _guarded(self, step: t.Callable[[], Result]) -> Result:
        try:
            return step()
        except _Failed as failed:
            return failed.result


class _Failed(Exception):
    """A look at the host that did not succeed."""

    def __init__(self, result: Result) -> None:
        super().__init__(str(result.get('msg')))
        self.result = result
