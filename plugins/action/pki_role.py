# SPDX-License-Identifier: Apache-2.0
"""The steps of the role tls.everywhere.pki. plan and judge stay on the controller; authorities, certificates and read run
once on the setup host for all hosts of the play; install runs on each target. No step needs Python there."""

from __future__ import annotations

import base64
import datetime
import glob
import re
import time
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.tls.everywhere.plugins.action.cert_request import ActionModule as CertRequest
from ansible_collections.tls.everywhere.plugins.action.file_set import ActionModule as FileSet
from ansible_collections.tls.everywhere.plugins.action.pki_ca import ActionModule as PkiCa
from ansible_collections.tls.everywhere.plugins.plugin_utils import (
    pki_clock, pki_files, pki_host, pki_outcome, pki_plan, pki_source, pki_trust, pki_vault,
)
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import plain

display = Display()

Result = t.Dict[str, t.Any]

# Under these names the role registers what the later steps need.
PLAN, AUTHORITIES, MADE, READ = '_pki_plan', '_pki_authorities', '_pki_made', '_pki_read'

# How long one step waits for another play on the same directories.
LOCK_TIMEOUT = '120s'

# The same for keys that are made on their hosts.
STATE, ASKED, SIGNED = '_pki_state', '_pki_asked', '_pki_signed'

# The steps whose work depends on the clock of their host, or whose files a service there judges by it.
TIMED = ('authorities', 'certificates', 'install', 'host_sign', 'host_complete', 'vault_certificates')


class ActionModule(ActionBase):
    """One step."""

    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """The result of the step; contents of keys and passphrases are only in results that Ansible does not show."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        self._check = self._task.check_mode
        arguments = plain(self._task.args)
        steps = {
            'plan': self._plan, 'authorities': self._authorities, 'certificates': self._certificates,
            'judge': self._judge, 'read': self._read, 'install': self._install,
            'host_state': self._host_state, 'host_request': self._host_request, 'host_sign': self._host_sign,
            'host_complete': self._host_complete, 'host_retire': self._host_retire, 'vault_certificates': self._vault_certificates,
        }
        step = steps.get(arguments.get('step'))
        if step is None:
            return {'failed': True, 'msg': f"step: '{arguments.get('step')}' is none of {', '.join(steps)}"}
        return self._with_clock(arguments['step'], step(arguments))

    # What this host asks for.

    def _plan(self, arguments: Result) -> Result:
        settings = arguments.get('settings') or {}
        notes = pki_plan.Notes(bool(settings.get('strict')))
        lists = {name: self._entries(name, settings, notes) for name in arguments.get('lists') or []}
        authorities = lists.get('authorities') or self._described(lists, settings, notes)
        lists, vault = pki_vault.split(lists, authorities, settings)
        plan = pki_plan.host_plan(lists, settings, notes)
        if settings.get('key_location') not in (None, '', 'setup_host', 'host'):
            notes.faults.append(f"pki_key_location: '{settings['key_location']}' is neither setup_host nor host")
        pki_host.split(plan, lists.get('certificates', []))
        # Who has nothing to do with a Vault need not say where one is.
        if any(vault.values()):
            settings['vault'] = self._vault(notes)
        pki_vault.extend(plan, vault, authorities, settings, notes)
        for warning in notes.warnings:
            display.warning(f"{self._vars.get('inventory_hostname')}: {warning}")
        if notes.faults:
            return {'failed': True, 'msg': '; '.join(notes.faults), 'faults': notes.faults}
        # Passphrases are in it; what a person wants to see is in the results of the later steps.
        return {'changed': False, 'include': self._task._uuid, 'plan': plan, '_ansible_no_log': True}

    def _entries(self, name: str, settings: Result, notes: pki_plan.Notes) -> list[dict[str, t.Any]]:
        """The variable of a list and all whose names begin with its pattern. Only lists that are needed are looked at:
        callers leave others undefined."""
        variable = f'pki_{name}'
        pattern = (settings.get('patterns') or {}).get(name)
        others = [each for each in self._vars if pattern and each != variable and re.search(f'^{pattern}', each)]
        values = [self._templated(each) for each in [variable, *others] if each in self._vars]
        return pki_plan.select(values, notes, variable)

    def _described(self, lists: dict[str, t.Any], settings: Result, notes: pki_plan.Notes) -> list[Result]:
        """The authorities, where only their trust is asked for: they say which backend they have, and which mount."""
        if not lists.get('install_ca'):
            return []
        try:
            return self._entries('authorities', settings, notes)
        except AnsibleError:
            # Upstream needs them too, but a standalone authority is found by its name alone.
            if settings['backend'] == pki_vault.BACKEND:
                raise
            return []

    def _vault(self, notes: pki_plan.Notes) -> Result:
        """The connection, read here and not from the options of the task: there are passwords in it."""
        given = self._templated('_pki_vault')
        return dict(given, connection=pki_vault.connection(given, notes))

    def _templated(self, variable: str) -> t.Any:
        return plain(self._templar.template(self._vars[variable]))

    def _plans(self) -> dict[str, Result]:
        """The plans of all hosts that are in this include with us."""
        hostvars = self._vars['hostvars']
        own = self._vars[PLAN]
        found = {}
        for host in self._vars.get('ansible_play_batch') or [self._vars['inventory_hostname']]:
            registered = (hostvars.raw_get(host) or {}).get(PLAN) or {}
            if registered.get('include') == own['include'] and 'plan' in registered:
                found[host] = plain(registered['plan'])
        return found or {self._vars['inventory_hostname']: plain(own['plan'])}

    # The tree on the setup host.

    def _native(self, action: type[CertRequest | FileSet | PkiCa], arguments: Result, check: bool | None = None) -> Result:
        task = self._task.copy()
        task.args = arguments
        task.check_mode = self._check if check is None else check
        runner = action(
            task=task, connection=self._connection, play_context=self._play_context, loader=self._loader,
            templar=self._templar, shared_loader_obj=self._shared_loader_obj,
        )
        return runner.run(task_vars=self._vars)

    def _authorities(self, _arguments: Result) -> Result:
        total: Result = {'changed': False, 'authorities': {}, 'warnings': [], 'diff': []}
        plans = self._plans()
        for call in pki_plan.authority_calls(plans):
            if call.faults:
                return {'failed': True, 'changed': total['changed'], 'msg': '; '.join(call.faults)}
            result = self._adopt(call)
            pki_outcome.add(total, result)
            if result.get('failed'):
                return dict(total, **{key: result[key] for key in ('failed', 'msg', 'error', 'failures') if key in result})
        return pki_outcome.without_empty(self._in_vault(plans, total))

    def _in_vault(self, plans: dict[str, Result], total: Result) -> Result:
        """Authorities in mounts of a Vault, in their order: those above come first. A mount is looked at before anything is made in
        it, and one that cannot be looked at is never taken for an empty one."""
        calls, faults, remarks = pki_vault.authority_calls(plans)
        if faults:
            return dict(total, failed=True, msg='; '.join(faults))
        total['warnings'] += remarks
        made: set[tuple[str, str]] = set()
        for wish, settings in calls:
            looked = {}
            for mount in filter(None, (wish['mount'], (wish['above'] or {}).get('mount'))):
                result = self._inspect(mount, settings)
                if result.get('failed'):
                    return dict(total, **{key: result[key] for key in ('failed', 'msg', 'error', 'failures') if key in result})
                looked[mount] = pki_vault.Mount.of(result)
            options, remark = pki_vault.call(wish, looked)
            total['warnings'] += [remark] if remark else []
            if options is None:
                continue
            above = wish['above'] or {}
            if self._check and (above.get('mount'), above.get('name')) in made:
                # Only the real run has made what signs it.
                pki_outcome.add(total, {'changed': True, 'authorities': {options['name']: {'changed': True, 'action': 'created'}}})
                made.add((wish['mount'], options['name']))
                continue
            call = {'backend': pki_vault.backend(settings, wish['mount']), 'authorities': [options]}
            result = self._adopt(pki_plan.AuthorityCall(call, bool(settings.get('strict')), []))
            if result.get('changed'):
                made.add((wish['mount'], options['name']))
            pki_outcome.add(total, result)
            if result.get('failed'):
                return dict(total, **{key: result[key] for key in ('failed', 'msg', 'error', 'failures') if key in result})
        return total

    def _inspect(self, mount: str, settings: Result) -> Result:
        """The issuers of a mount. A server that says nothing of them must not look as if there were none."""
        result = self._native(PkiCa, {'backend': pki_vault.backend(settings, mount), 'inspect': True}, check=True)
        return result if result.get('failed') else pki_vault.silent(result, mount) or result

    def _adopt(self, call: pki_plan.AuthorityCall) -> Result:
        """Runs pki_ca. An authority that exists otherwise than it is described stays as it is, as upstream has it, and
        is named; regenerating keeps what it has too, so that nothing below it becomes invalid by a changed name."""
        regenerate = {key: call.arguments[key] for key in ('regenerate', 'regenerate_key') if key in call.arguments}
        if call.strict:
            self._foretell(call.arguments, regenerate)
            return self._native(PkiCa, call.arguments)
        warnings: list[str] = []
        arguments = {key: value for key, value in call.arguments.items() if key not in regenerate}
        # Each round can free one more generation of authorities to be compared.
        for _round in range(len(arguments['authorities']) + 1):
            result = self._native(PkiCa, arguments, check=True if regenerate else None)
            arguments, more = pki_outcome.as_it_is(arguments, result)
            warnings += more
            if not more:
                break
        if regenerate:
            self._foretell(arguments, regenerate)
            result = self._native(PkiCa, dict(arguments, **regenerate))
        result['warnings'] = [*(result.get('warnings') or []), *warnings]
        return result

    def _foretell(self, arguments: Result, regenerate: dict[str, list[str]]) -> None:
        """Says what a new certificate or key of these authorities means for the certificates below them, looked up in the
        tree. It is said now, not with the result, which is where ansible-core 2.19 puts warnings: whoever did not mean it can
        still stop the run."""
        if not regenerate:
            return
        directory = arguments['backend']['files']['directory']
        contents = self._read_files(read_matching=[_authorities_of(directory), f'{glob.escape(directory)}/certs/certs/*.crt']).get('contents') or {}
        generations, leaves = pki_files.generations(contents), pki_files.leaves(contents)
        for text in pki_trust.foretold(generations, leaves, regenerate.get('regenerate') or [], regenerate.get('regenerate_key') or []):
            display.display(f'[WARNING]: {text}', color=constants.COLOR_WARN, stderr=True)

    def _certificates(self, _arguments: Result) -> Result:
        total: Result = {'changed': False, 'certificates': {}, 'renewed': [], 'restart': [], 'failures': {}, 'warnings': [], 'diff': []}
        plans = self._plans()
        for warning in pki_plan.misspelt(plans):
            display.warning(warning)
        for call in pki_plan.certificate_calls(plans):
            total['failures'].update(call.faults)
            wishes = call.wishes
            # A fault in the options of one certificate must not keep the others back.
            while wishes:
                result = self._issue(wishes, call.directories)
                refused = pki_outcome.refused(wishes, result)
                total['failures'].update(refused)
                if not refused:
                    pki_outcome.add(total, result)
                    if result.get('failed') and not result.get('failures'):
                        return dict(total, failed=True, msg=result.get('msg'), error=result.get('error'))
                    break
                wishes = [wish for wish in wishes if wish['name'] not in refused]
        return pki_outcome.without_empty(total)

    def _issue(self, wishes: list[Result], directories: t.Sequence[tuple[list[str], t.Any]]) -> Result:
        """cert_request; directories that are missing are made when it asks for them. Check mode foresees both these and
        the authorities that an earlier step would have made."""
        arguments = {'certificates': [pki_vault.timed(wish) for wish in wishes], 'lock_timeout': LOCK_TIMEOUT}
        result = self._native(CertRequest, arguments)
        if self._check:
            made = (self._vars.get(AUTHORITIES) or {}).get('authorities') or {}
            return pki_outcome.foreseen(wishes, result, [name for name, each in made.items() if each.get('changed')])
        if not pki_outcome.lacks_directories(result):
            return result
        for paths, mode in directories:
            made = self._write_files(directories=paths, directory_mode=mode)
            if made.get('failed'):
                return made
        return self._native(CertRequest, arguments)

    def _judge(self, _arguments: Result) -> Result:
        """What the bulk step means for this host: the others do not fail with it."""
        own = {wish['name'] for wish in self._vars[PLAN]['plan']['certificates']}
        made = self._vars.get(MADE) or {}
        failures = made.get('failures') or {}
        failed = sorted(name for name in own if name in failures)
        changed = [name for name, each in (made.get('certificates') or {}).items() if name in own and each.get('changed')]
        result: Result = {'changed': bool(changed), 'certificates': sorted(changed)}
        if failed:
            setup = f"on the setup host '{self._vars[PLAN]['plan']['settings']['setup_host']}'"
            causes = [f"certificate '{name}': {failures[name]['msg']}" for name in failed]
            result.update(failed=True, msg=f"{'; '.join(causes)} ({setup})", failures={name: failures[name] for name in failed})
        return plain(result)

    def _vault_certificates(self, _arguments: Result) -> Result:
        """On the host: the keys are made here, a Vault signs."""
        plan = self._own_plan()
        return self._host_step(plan, [pki_vault.timed(wish) for wish in plan['vault_certificates']])

    # Keys that are made on their hosts.

    def _host_names(self) -> list[str]:
        return sorted({wish['name'] for plan in self._plans().values() for wish in plan['host_certificates']})

    def _read_files(self, **arguments: t.Any) -> Result:
        """Contents of files on the host of the task. The connection must not print what comes back: keys may be in it.
        It has a play context of its own, and that is the one which ssh looks at before it prints at -vvv."""
        context = self._connection._play_context
        before, context.no_log = context.no_log, True
        try:
            result = self._native(FileSet, arguments)
        finally:
            context.no_log = before
        result.pop('invocation', None)
        return result

    def _write_files(self, **arguments: t.Any) -> Result:
        result = self._native(FileSet, dict(arguments, lock_timeout=LOCK_TIMEOUT))
        result.pop('invocation', None)
        return result

    def _own_plan(self) -> Result:
        return plain(self._vars[PLAN]['plan'])

    def _host_state(self, _arguments: Result) -> Result:
        """The requests that were signed before, and which keys the setup host still has; no key is read."""
        names, tree = self._host_names(), self._own_plan()['settings']['cert_dir']
        result = self._read_files(read=[f'{tree}/csr/{name}.csr' for name in names], exist=[f'{tree}/private/{name}.key.pem' for name in names])
        if result.get('failed'):
            return result
        texts = {path.rpartition('/')[2][:-len('.csr')]: base64.b64decode(text).decode('ascii', 'replace') for path, text in result['contents'].items()}
        old = [path.rpartition('/')[2][:-len('.key.pem')] for path in result['existing']]
        return {'changed': False, 'requests': texts, 'old_keys': old}

    def _host_request(self, _arguments: Result) -> Result:
        plan, state = self._own_plan(), plain(self._vars[STATE])
        return self._host_step(plan, pki_host.requested(plan, state.get('old_keys') or []))

    def _host_step(self, plan: Result, wishes: list[Result]) -> Result:
        """cert_request on the host, with the directories of its files."""
        directories = sorted({file['path'].rpartition('/')[0] for wish in wishes for file in wish['files']})
        return self._issue(wishes, [(directories, plan['settings']['directory_mode'])])

    def _host_sign(self, _arguments: Result) -> Result:
        plans, hostvars = self._plans(), self._vars['hostvars']
        asked = {host: plain((hostvars.raw_get(host) or {}).get(ASKED) or {}) for host in plans}
        call, faults = pki_host.signatures(plans, asked, plain(self._vars[STATE]).get('requests') or {})
        if faults:
            return {'failed': True, 'changed': False, 'msg': '; '.join(faults)}
        if not call['sign']:
            return {'changed': False, 'signed': {}}
        result = self._adopt(pki_plan.AuthorityCall(call, False, []))
        answers = {each['name']: each for each in result.get('signed') or [] if each.get('certificate')}
        kept = {name: {key: each[key] for key in ('certificate', 'ca_bundle', 'fingerprint_sha256', 'changed')} for name, each in answers.items()}
        return dict({key: result[key] for key in ('changed', 'failed', 'msg', 'error', 'failures', 'warnings') if key in result}, signed=kept)

    def _host_complete(self, _arguments: Result) -> Result:
        plan = self._own_plan()
        wishes = pki_host.completed(plan, plain(self._vars[ASKED]), plain(self._vars[SIGNED]).get('signed') or {})
        return self._host_step(plan, wishes) if wishes else {'changed': False, 'certificates': {}}

    def _host_retire(self, _arguments: Result) -> Result:
        """The keys that the setup host had: out of service now, removed when the operator asks for that."""
        settings, old = self._own_plan()['settings'], plain(self._vars[STATE]).get('old_keys') or []
        key = f"{settings['cert_dir']}/private/{{}}.key.pem"
        gone = [key.format(name) for name in old] + [f'{key.format(name)}.replaced' for name in self._host_names()]
        if settings.get('remove_old_keys'):
            files = [{'path': path, 'state': 'absent'} for path in gone]
        else:
            files = [{'path': key.format(name), 'state': 'retired'} for name in old]
        return self._write_files(sets=pki_files.one_by_one(files)) if files else {'changed': False}

    # Contents: from the setup host to the targets.

    def _read(self, arguments: Result) -> Result:
        which = (arguments.get('lists') or ['install_certificates'])[0]
        plans = self._plans()
        paths = sorted({wish['source'] for plan in plans.values() for wish in plan[which]})
        if not paths:
            return {'changed': False}
        found = self._read_sources(paths, plans)
        if found.get('failed') or 'contents' not in found:
            return found
        refused = self._refused_sets(plans) if which == 'install_certificates' else {}
        kept = {key: found[key] for key in ('contents', 'problems', 'warnings') if key in found}
        return dict(kept, changed=False, refused=refused, _ansible_no_log=True)

    def _read_sources(self, paths: list[str], plans: dict[str, Result]) -> Result:
        """Files of the setup host, and certificates of authorities in a Vault."""
        places = [path for path in paths if path.startswith(pki_vault.SCHEME)]
        files = [path for path in paths if path not in places]
        directory = next(plan['settings']['dir'] for plan in plans.values())
        found: Result = {'contents': {}, 'problems': {}}
        if files:
            found = self._read_files(read=files, read_matching=[_authorities_of(directory)])
        if places and 'contents' in found:
            settings = next(plan['settings'] for plan in plans.values() if plan['settings'].get('vault'))
            mounts: dict[str, pki_vault.Mount] = {}
            for place in map(pki_vault.Place.of, places):
                if place.mount not in mounts:
                    result = self._inspect(place.mount, settings)
                    if result.get('failed'):
                        return result
                    mounts[place.mount] = pki_vault.Mount.of(result)
            contents, problems = pki_vault.contents(places, mounts)
            found['contents'].update(contents)
            found['problems'] = {**(found.get('problems') or {}), **problems}
        return found

    def _refused_sets(self, plans: dict[str, Result]) -> dict[str, str]:
        """The user's own sets that must not be installed, with the reason; cert_request looks at them and writes nothing."""
        sets = pki_plan.provided_sets(plans)
        if not sets:
            return {}
        result = self._native(CertRequest, {'certificates': [each.wish for each in sets.values()]}, check=True)
        refused = {name: each['msg'] for name, each in (result.get('failures') or {}).items()}
        refused.update({name: each['msg'] for name, each in pki_outcome.refused([each.wish for each in sets.values()], result).items()})
        if result.get('failed') and not refused:
            return {name: str(result.get('msg')) for name in sets}
        for warning in result.get('warnings') or []:
            display.warning(str(warning))
        named = [each.wish_with_names for name, each in sets.items() if name not in refused and each.names]
        self._compare_names(named, sets, refused)
        return refused

    def _compare_names(self, wishes: list[Result], sets: dict[str, t.Any], refused: dict[str, str]) -> None:
        """A user's certificate may cover less than the caller's list: that is said, and only strictness refuses it."""
        result = self._native(CertRequest, {'certificates': wishes}, check=True) if wishes else {}
        for name, failure in (result.get('failures') or {}).items():
            if sets[name].strict:
                refused[name] = failure['msg']
            else:
                display.warning(f"user-provided certificate '{sets[name].certificate}': {failure['msg']}")

    def _install(self, arguments: Result) -> Result:
        which = (arguments.get('lists') or ['install_certificates'])[0]
        plan = plain(self._vars[PLAN]['plan'])
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        source = pki_source.Source(plain(self._vars.get(READ) or {}), plan, now)
        files = source.files(which)
        if source.faults and not self._check:
            return {'failed': True, 'changed': False, 'msg': '; '.join(source.faults)}
        for warning in [*source.warnings, *(source.faults if self._check else [])]:
            display.warning(f"{self._vars.get('inventory_hostname')}: {warning}")
        sets = pki_files.sets(files, source.absent)
        result = self._write_files(sets=sets, make_directories=True, directory_mode=plan['settings']['directory_mode'])
        return pki_files.installed(result, sets, bool(self._check and source.faults))

    # Clocks.

    def _with_clock(self, step: str, result: Result) -> Result:
        """The result of a step with a warning if the clock of its host is wrong. It is asked for only where something was
        changed or went wrong, so that a run without a change costs nothing more."""
        if step not in TIMED or not (result.get('changed') or result.get('failed')) or self._connection.transport == 'local':
            return result
        before = time.time()
        try:
            answer = self._low_level_execute_command(pki_clock.COMMAND, sudoable=False).get('stdout') or ''
        except AnsibleError:
            return result  # what the step did counts, not that the host went away after it
        host = self._task.delegate_to or self._vars['inventory_hostname']
        warning = pki_clock.warning(str(host), pki_clock.offset(answer, before, time.time()))
        if warning:
            result['warnings'] = [*(result.get('warnings') or []), warning]
        return result


def _authorities_of(directory: str) -> str:
    """The pattern of all certificates of authorities in a tree."""
    return f'{glob.escape(directory)}/roots/*/certs/*.crt'
