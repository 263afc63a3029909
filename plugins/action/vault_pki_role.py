# SPDX-License-Identifier: Apache-2.0
"""The steps of the role tls.everywhere.vault_pki that are no call of a module. None of them sees a token or a key."""

from __future__ import annotations

import base64
import datetime
import glob
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.tls.everywhere.plugins.action.file_set import ActionModule as FileSet
from ansible_collections.tls.everywhere.plugins.plugin_utils import pki_vault, vault_pki_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import plain

Result = t.Dict[str, t.Any]

# Those that need to know the authorities: a server that tells none must not look as if there were none.
LOOKING = ('roots', 'trust', 'standing', 'rotation')


class ActionModule(ActionBase):
    """One step."""

    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """The result of the step."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        arguments = plain(self._task.args)
        steps = {
            'status': self._status, 'roots': self._roots, 'trust': self._trust, 'certificates': self._certificates, 'batches': self._batches,
            'standing': self._standing, 'rotation': self._rotation,
        }
        step = steps.get(arguments.get('step'))
        if step is None:
            return {'failed': True, 'msg': f"step: '{arguments.get('step')}' is none of {', '.join(steps)}"}
        settings = arguments.get('settings') or {}
        silent = pki_vault.silent(arguments.get('seen') or {}, settings.get('mount', '')) if arguments['step'] in LOOKING else None
        if silent:
            return silent
        try:
            return step(arguments, settings)
        except ValueError as error:
            return {'failed': True, 'changed': False, 'msg': str(error)}

    @staticmethod
    def _status(arguments: Result, settings: Result) -> Result:
        faults, warnings = vault_pki_plan.status(arguments.get('seen') or {}, vault_pki_plan.duration(settings['warn_before']), _now())
        result = {'changed': False, 'ready': not faults, 'msg': '; '.join(faults) or 'Unit is ready', **({'warnings': warnings} if warnings else {})}
        return dict(result, failed=True) if faults else result

    @staticmethod
    def _files(arguments: Result, settings: Result) -> dict[str, str]:
        found = vault_pki_plan.issuers(arguments.get('seen') or {})
        return vault_pki_plan.trusted(found, arguments.get('dropped') or [], settings['extra_roots'], settings['mount'], _now())

    def _roots(self, arguments: Result, settings: Result) -> Result:
        files = self._files(arguments, settings)
        return {'changed': False, 'roots': sorted(files), 'bundle': ''.join(files.values())}

    def _trust(self, arguments: Result, settings: Result) -> Result:
        """The bundle, and the anchors of the system, on the host of the task."""
        files, start = self._files(arguments, settings), vault_pki_plan.prefix(settings['mount'])
        sets = [{'name': 'bundle', 'files': [_file(settings['bundle'], ''.join(files.values()))]}]
        told: Result = {'roots': sorted(files), 'anchors_due': False}
        store = str(arguments.get('store') or '').rstrip('/')
        if store:
            told['stamp'] = stamp = {'path': f"{settings['state']}/{start}read", 'content': vault_pki_plan.digest(store, files)}
            held = self._file_set({'read_matching': [f'{glob.escape(store)}/{start}*.crt', glob.escape(stamp['path'])]})
            if held.get('failed'):
                return held
            contents = {path: base64.b64decode(text).decode('utf-8', 'replace') for path, text in held['contents'].items()}
            read = contents.pop(stamp['path'], None)
            wished = {f'{store}/{name}': text for name, text in files.items()}
            told['anchors_due'] = str(read).strip() != stamp['content'].strip() or contents != wished
            if told['anchors_due'] and read is not None:
                # First: whatever becomes of this run, the next one knows that the system has to be told.
                sets.insert(0, {'name': 'read', 'files': [{'path': stamp['path'], 'state': 'absent'}]})
            listed = [_file(path, text) for path, text in wished.items()] + [{'path': path, 'state': 'absent'} for path in contents if path not in wished]
            sets.append({'name': 'anchors', 'files': listed})
        result = self._file_set({'sets': sets, 'make_directories': True})
        return result if result.get('failed') else {'changed': result['changed'], 'msg': result['msg'], **told}

    @staticmethod
    def _certificates(arguments: Result, settings: Result) -> Result:
        made: dict[bool, list[Result]] = {False: [], True: []}
        rotating = bool(arguments.get('rotating'))
        for wish in arguments.get('certificates') or []:
            made[vault_pki_plan.is_client(wish)].append(vault_pki_plan.certificate(wish, settings['directory'], rotating))
        restart = [vault_pki_plan.restarted(each) for each in [*made[False], *made[True]] if each.get('containers')]
        in_directory = any(not wish.get('files') for wish in arguments.get('certificates') or [])
        return {'changed': False, 'certificates': made[False], 'clients': made[True], 'restart': restart, 'in_directory': in_directory}

    @staticmethod
    def _batches(arguments: Result, _settings: Result) -> Result:
        return {'changed': False, 'batches': vault_pki_plan.batches(arguments.get('hosts') or [], arguments.get('batches') or [])}

    @staticmethod
    def _standing(arguments: Result, settings: Result) -> Result:
        return {'changed': False, 'states': vault_pki_plan.standing(settings, vault_pki_plan.issuers(arguments.get('seen') or {}))}

    def _rotation(self, arguments: Result, settings: Result) -> Result:
        names, found = vault_pki_plan.rotation(settings), vault_pki_plan.issuers(arguments.get('seen') or {})
        vault_pki_plan.fitting(names, found)
        told = {'changed': False, **{part: getattr(names, part) for part in ('new_root', 'new_issuer', 'serving', 'cross', 'chain', 'added', 'end')}}
        if settings['undo']:
            walk = vault_pki_plan.undone(names, found)
            said = f"going back to '{names.old_root}': {', '.join(walk)}"
        else:
            first, walk = vault_pki_plan.phases(names, found, settings['until'])
            said = f"'{names.new_root}' has replaced '{names.old_root}'" if not first else f"from '{names.old_root}' to '{names.new_root}', phases: "
            said += ', '.join(walk) if walk or not first else f'none, {first} comes after {settings["until"]}'
        # What comes after the first of them needs what check mode does not make.
        return {**told, 'phases': walk[:1] if self._task.check_mode else walk, 'msg': said}

    def _file_set(self, arguments: Result) -> Result:
        task = self._task.copy()
        task.args = arguments
        runner = FileSet(
            task=task, connection=self._connection, play_context=self._play_context, loader=self._loader, templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return runner.run(task_vars=self._vars)


def _file(path: str, text: str) -> Result:
    return {'path': path, 'content': text, 'mode': '0644'}


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
