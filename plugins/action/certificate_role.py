# SPDX-License-Identifier: Apache-2.0
"""The steps of the role tls.everywhere.certificate: what the host has, and all certificates of the host in one call. No step
needs Python there."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.tls.everywhere.plugins.action.cert_request import ActionModule as CertRequest
from ansible_collections.tls.everywhere.plugins.action.file_set import ActionModule as FileSet
from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_plan, placement
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import plain

display = Display()

Result = t.Dict[str, t.Any]

# One line for each thing that the role has to know of a host, by what every host has.
LOOK = """\
echo "booted=$(systemctl is-system-running 2>/dev/null || true)"
echo "active=$(systemctl is-active {service} 2>/dev/null || true)"
echo "enabled=$(systemctl is-enabled {service} 2>/dev/null || true)"
for directory in {config}/pre-scripts {config}/post-scripts; do test -d "$directory" || echo "missing=$directory"; done
command -v systemctl >/dev/null || echo systemctl=missing
test ! -e /run/ostree-booted || echo ostree=yes
test ! -e /sys/fs/selinux/enforce || echo selinux=yes
echo "like=$(. /etc/os-release 2>/dev/null && echo "$ID $ID_LIKE" || true)"
echo "machine=$(uname -m)"
cd {programs} 2>/dev/null && for program in cert_request container_restart; do
    test ! -x $program || echo "program=$program $(sha256sum <$program)"
done || true
"""

# What hooks run under either name, by machine; hashed once, before Ansible forks.
PROGRAMS = placement.shipped()

# What os-release says, and what Ansible calls the family.
FAMILIES = {'debian': 'Debian', 'ubuntu': 'Debian', 'rhel': 'RedHat', 'fedora': 'RedHat', 'centos': 'RedHat', 'suse': 'Suse', 'opensuse': 'Suse'}
DIRECTORIES = {'Debian': '/etc/ssl', 'Suse': '/etc/ssl', 'RedHat': '/etc/pki/tls'}

# A fault that certificate_plan has found in one element.
FAULT = re.compile(r'certificate_requests\[(?P<request>[0-9]+)\](?:\.\w+)?: (?P<text>.*)', re.DOTALL)

# Of the result of cert_request: what tells what happened, and what a later task can use.
KEPT = ('changed', 'failed', 'msg', 'error', 'failures', 'warnings', 'diff', 'certificates', 'renewed', 'pending', 'restart')


class ActionModule(ActionBase):
    """One step."""

    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """The result of the step."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        arguments = plain(self._task.args)
        steps = {'look': self._look, 'ensure': self._ensure, 'requests': self._requests, 'first_boot': self._first_boot}
        step = steps.get(arguments.get('step'))
        if step is None:
            return {'failed': True, 'msg': f"step: '{arguments.get('step')}' is none of {', '.join(steps)}"}
        return step(arguments)

    def _look(self, arguments: Result) -> Result:
        """Whether systemd runs, certmonger too, and whether the directories of hooks are there."""
        plan, _refusal = self._plan(arguments) if arguments.get('requests') else (certificate_plan.Plan([], [], []), None)
        settings = arguments['settings']
        command = LOOK.format(
            service=shlex.quote(arguments.get('service') or ''), config=shlex.quote(str(settings['config_directory']).rstrip('/')),
            programs=shlex.quote(settings.get('places', {}).get('programs') or '/nonexistent'),
        )
        answer = self._low_level_execute_command(command).get('stdout') or ''
        lines = [line.partition('=') for line in answer.splitlines() if '=' in line]
        facts = {key: value for key, _equals, value in lines if key not in ('missing', 'program')}
        missing = [value for key, _equals, value in lines if key == 'missing']
        there = {tuple(value.split()[:2]) for key, _equals, value in lines if key == 'program'}
        lacking = sorted(name for name in plan.programs if not _is_current(name, facts.get('machine', ''), there))
        if facts.get('systemctl') == 'missing':
            return {'failed': True, 'msg': 'This role requires systemd to be installed.'}
        booted = facts.get('booted') not in ('offline', '')
        runs = facts.get('enabled') == 'enabled' and (facts.get('active') == 'active' or not booted)
        # Where no service is named, somebody else starts certmonger.
        ready = not missing and (runs if arguments.get('service') else not arguments.get('packages'))
        found = {key: facts.get(key) == 'yes' for key in ('ostree', 'selinux')}
        family = next((FAMILIES[word] for word in facts.get('like', '').split() if word in FAMILIES), '')
        return {'changed': False, 'done': False, 'booted': booted, 'ready': ready, 'missing': missing, 'programs': lacking, 'family': family, **found}

    def _ensure(self, arguments: Result) -> Result:
        """Look, and where nothing is to be prepared do all of it at once; `done` tells."""
        host = self._look(arguments)
        if host.get('failed'):
            return host
        booted = arguments.get('booted')
        booted = host['booted'] if booted in (None, '') else str(booted).lower() == 'true'
        known = arguments['settings'].get('directory') or host['family']
        if not arguments['requests'] and not arguments.get('trust'):
            return {**host, 'done': True}
        if not (arguments['requests'] and host['ready'] and booted and known) or host['programs'] or arguments.get('trust'):
            return host
        facts = {} if arguments['settings'].get('directory') else {'ansible_facts': {'os_family': host['family']}}
        return {**host, **facts, **self._requests({**arguments, 'host': host}), 'done': True}

    def _requests(self, arguments: Result) -> Result:
        plan, refusal = self._plan(arguments)
        return refusal or self._carry_out(plan)

    def _first_boot(self, arguments: Result) -> Result:
        """Leaves the requests for the first boot of an image: one file each, which is the options of cert_request."""
        plan, refusal = self._plan(arguments)
        if refusal:
            return refusal
        directory = arguments['directory']
        tasks = [(wish, 'present') for wish in plan.wishes] + [(wish, 'absent') for wish in plan.absent]
        files = [
            {'path': f"{directory}/{wish['name']}.json", 'content': json.dumps({'certificates': [wish], 'state': state}) + '\n', 'mode': '0600'}
            for wish, state in tasks
        ]
        tasks = [*files, *(script.wish for script in plan.scripts)]
        sets = [{'name': file['path'], 'files': [file]} for file in tasks]
        return self._written(self._native(FileSet, {'sets': sets, 'make_directories': True, 'directory_mode': '0700'}))

    def _plan(self, arguments: Result) -> tuple[certificate_plan.Plan, Result | None]:
        notes = certificate_plan.Notes()
        settings = certificate_plan.settings(_for_host(arguments['settings'], arguments.get('host') or {}), notes)
        plan = certificate_plan.plan(arguments['requests'], settings, notes)
        for warning in notes.warnings if arguments['step'] not in ('look', 'ensure') or arguments.get('host') else []:
            display.warning(warning)
        return plan, _refusal(notes.faults) if notes.faults else None

    def _carry_out(self, plan: certificate_plan.Plan) -> Result:
        """Scripts that are needed first: a request that is made may be answered at once. Those that are not come last."""
        total: Result = {'changed': False}
        needed = [script for script in plan.scripts if script.content is not None]
        surplus = [script for script in plan.scripts if script.content is None]
        steps = [
            (bool(needed), lambda: self._files(needed)),
            (bool(plan.wishes), lambda: self._certificates(plan.wishes, 'present')),
            (bool(plan.copies), lambda: self._copies(plan, total)),
            (bool(plan.absent), lambda: self._certificates(plan.absent, 'absent')),
            (bool(surplus), lambda: self._files(surplus)),
        ]
        for is_due, step in steps:
            if is_due and not total.get('failed'):
                _add(total, step())
        return total

    def _files(self, scripts: list[certificate_plan.Script]) -> Result:
        sets = [{'name': script.path, 'files': [script.wish]} for script in scripts]
        result = self._written(self._native(FileSet, {'sets': sets, 'make_directories': True, 'directory_mode': '0700'}))
        hooks = [script.path for script in scripts if script.remembers and script.path in result['hooks']]
        return result if not hooks or self._task.check_mode or result.get('failed') else _failed_if(result, self._remember(hooks))

    def _remember(self, hooks: list[str]) -> str | None:
        """Has hooks that are new write down which certificate is there before the first that they are called for; what went wrong."""
        command = ' && '.join(f'{shlex.quote(hook)} remember' for hook in hooks)
        answer = self._low_level_execute_command(command)
        return None if answer.get('rc') == 0 else (answer.get('stderr') or answer.get('stdout') or f"'{command}' failed").strip()

    @staticmethod
    def _written(result: Result) -> Result:
        kept = {key: result[key] for key in ('changed', 'failed', 'msg', 'error', 'failures', 'warnings', 'diff') if result.get(key)}
        written = sorted(path for one in (result.get('sets') or {}).values() for path in one.get('changed_files') or [])
        return dict(kept, hooks=written)

    def _certificates(self, wishes: list[Result], state: str) -> Result:
        result = self._native(CertRequest, {'certificates': wishes, 'state': state})
        return {key: result[key] for key in KEPT if key in result}

    def _copies(self, plan: certificate_plan.Plan, total: Result) -> Result:
        """Further files of certificates, as the hooks make them: also of those that need no hook now. What is not issued yet, in check
        mode or because nobody waits, has none."""
        said = total.get('certificates') or {}
        waits = {wish['name']: wish['issuer']['certmonger'].get('wait', True) for wish in plan.wishes}
        due = [
            copy for copy in plan.copies
            if not ((said.get(copy['name']) or {}).get('changed') and (self._task.check_mode or not waits[copy['name']]))
        ]
        if not due:
            return {'changed': False}
        result = self._native(CertRequest, {'certificates': due, 'state': 'present'})
        kept = {key: result[key] for key in ('changed', 'failed', 'msg', 'error', 'failures', 'warnings', 'diff') if result.get(key)}
        files = [path for one in (result.get('certificates') or {}).values() for path in one.get('changed_files') or []]
        return dict(kept, copies=sorted(files))

    def _native(self, action: type[CertRequest | FileSet], arguments: Result) -> Result:
        task = self._task.copy()
        task.args = arguments
        runner = action(
            task=task, connection=self._connection, play_context=self._play_context, loader=self._loader,
            templar=self._templar, shared_loader_obj=self._shared_loader_obj,
        )
        return runner.run(task_vars=self._vars)


def _for_host(settings: Result, host: Result) -> Result:
    """The settings with what only the host knows: where certificates are on its family, and that a label needs SELinux."""
    found = dict(settings, hook_setype=settings.get('hook_setype') if host.get('selinux') else None)
    if not found.get('directory'):
        found['directory'] = DIRECTORIES.get(host.get('family', ''))
        # Without facts the usual label is that of the family that has it.
        found['hook_setype'] = found['hook_setype'] if host.get('family') == 'RedHat' else None
    return found


def _is_current(name: str, machine: str, there: set[tuple[str, ...]]) -> bool:
    """Whether the host has the program under this name as it is shipped for it."""
    return any((name, program.sha256) in there for program in PROGRAMS if program.machine == machine)


def _refusal(faults: list[str]) -> Result:
    """The failure, with `results` as upstream's loop has them: playbooks look for the message of an element there."""
    by_request: dict[str, list[str]] = {}
    for fault in faults:
        match = FAULT.fullmatch(fault)
        by_request.setdefault(match['request'] if match else '', []).append(match['text'] if match else fault)
    results = [{'failed': True, 'changed': False, 'msg': '; '.join(texts)} for texts in by_request.values()]
    return {'failed': True, 'changed': False, 'msg': '; '.join(faults), 'faults': faults, 'results': results}


def _failed_if(result: Result, fault: str | None) -> Result:
    return result if fault is None else dict(result, failed=True, msg=f'a hook cannot remember which certificate is there: {fault}')


def _add(total: Result, result: Result) -> None:
    """Adds one call's result to that of the step."""
    total['changed'] = bool(total['changed'] or result.get('changed'))
    for key, value in result.items():
        if key == 'changed':
            continue
        if isinstance(value, list) and isinstance(total.get(key), list):
            total[key] = [*total[key], *value]
        elif isinstance(value, dict) and isinstance(total.get(key), dict):
            total[key] = {**total[key], **value}
        elif value or key not in ('warnings', 'diff', 'hooks', 'copies'):
            total[key] = value
