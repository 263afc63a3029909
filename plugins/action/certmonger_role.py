# SPDX-License-Identifier: Apache-2.0
"""The steps of the role tls.everywhere.certmonger: what puppet's specs and the catalogue ask for, what FreeIPA must know of a host, and the
CAs that certmonger knows. Only the last looks at the host."""

from __future__ import annotations

import shlex
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.tls.everywhere.plugins.plugin_utils import certificate_layout, certmonger_cas, certmonger_plan, ipa_plan
from ansible_collections.tls.everywhere.plugins.plugin_utils.certificate_plan import Notes
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import plain

display = Display()

Result = t.Dict[str, t.Any]


class ActionModule(ActionBase):
    """One step."""

    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """The result of the step."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        arguments = plain(self._task.args)
        steps = {'plan': self._plan, 'registration': self._registration, 'cas': self._cas}
        step = steps.get(arguments.get('step'))
        if step is None:
            return {'failed': True, 'msg': f"step: '{arguments.get('step')}' is none of {', '.join(steps)}"}
        try:
            return step(arguments)
        except (certificate_layout.BadCatalogue, ipa_plan.BadMetadata) as bad:
            return _refusal([str(bad)])

    def _plan(self, arguments: Result) -> Result:
        """Elements of certificate_requests, the directories of their files, and what FreeIPA would refuse."""
        notes = Notes()
        catalogue = certificate_layout.Catalogue(certificate_layout.merged(certificate_layout.shipped(), arguments.get('catalogue') or {}))
        values = {**self._values(), **{key: str(value) for key, value in (arguments.get('values') or {}).items()}}
        host = certmonger_plan.Host(
            str(arguments.get('ca') or 'local'), arguments.get('cas') or {}, arguments.get('realm') or None, values, arguments.get('layout') != 'given',
        )
        plan = certmonger_plan.plan(arguments.get('specs') or [], arguments.get('services') or [], host, catalogue, notes)
        for warning in notes.warnings:
            display.warning(warning)
        if notes.faults:
            return _refusal(notes.faults)
        lacking = ipa_plan.lacking(plan.requests, self._known(arguments)) if arguments.get('check_registration') else []
        if lacking:
            return _refusal(lacking)
        return {'changed': False, 'requests': plan.requests, 'directories': plan.directories}

    def _values(self) -> dict[str, str]:
        """The host's names by the words that hiera and the templates have for them."""
        clouds = self._variable('cloud_names') or {}
        names = [name for name in self._vars if str(name).startswith(('fqdn_', 'cloud_name_'))]
        found = {name: self._variable(name) for name in names} | (clouds if isinstance(clouds, dict) else {})
        return {str(name): str(value) for name, value in found.items() if value}

    def _variable(self, name: str) -> t.Any:
        return plain(self._templar.template(self._vars[name])) if name in self._vars else None

    def _known(self, arguments: Result) -> ipa_plan.Registration:
        """What will be registered: from the services' settings, or from metadata that were computed before."""
        clouds = {
            name[len('cloud_name_'):]: value for name, value in self._values().items() if name.startswith('cloud_name_')
        }
        networks = arguments.get('networks') or sorted(
            {name[len('fqdn_'):] for name in self._values() if name.startswith('fqdn_')} | set(clouds),
        )
        metadata = ipa_plan.compacted(arguments.get('metadata_settings') or [], networks, clouds)
        return ipa_plan.registration({**metadata, **(arguments.get('metadata') or {})}, str(arguments.get('fqdn') or ''))

    def _registration(self, arguments: Result) -> Result:
        """For one call each of ipahost and ipaservice."""
        known = self._known(arguments)
        return {'changed': False, 'hosts': known.ipahosts, 'services': known.ipaservices}

    def _cas(self, arguments: Result) -> Result:
        """Makes the CAs that certmonger knows those that it shall know."""
        listed = self._command(['getcert', 'list-cas'])
        if listed['rc'] != 0:
            return {'failed': True, 'changed': False, 'msg': f"certmonger does not tell its CAs: {_said(listed)}; is it running?"}
        there, faults = certmonger_cas.known(listed['stdout']), []
        places = certmonger_cas.Places(str(arguments.get('programs')), str(arguments.get('options')))
        found = certmonger_cas.changes(arguments.get('wished') or [], there, places, faults)
        if faults:
            return _refusal(faults)
        for change in [] if self._task.check_mode else found:
            done = self._command(change.argv)
            if done['rc'] != 0:
                return {'failed': True, 'changed': change is not found[0], 'msg': f'{shlex.join(change.argv)}: {_said(done)}'}
        return {'changed': bool(found), 'changes': [change.what for change in found], 'helpers': certmonger_cas.helpers(there)}

    def _command(self, argv: list[str]) -> Result:
        """On the host, in the locale of programs: certmonger's words are translated otherwise."""
        environment = self._compute_environment_string()
        return self._low_level_execute_command(f'{environment} LC_ALL=C LANGUAGE= {shlex.join(argv)}'.strip())


def _said(answer: Result) -> str:
    text = ' '.join(f"{answer.get('stderr') or ''} {answer.get('stdout') or ''}".split())
    return text or f"status {answer.get('rc')}"


def _refusal(faults: list[str]) -> Result:
    return {'failed': True, 'changed': False, 'msg': '; '.join(faults), 'faults': faults}
