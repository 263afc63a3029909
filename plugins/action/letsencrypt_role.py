# SPDX-License-Identifier: Apache-2.0
"""The steps of the role tls.everywhere.letsencrypt. request and complete run on the hosts with the certificates, sign, publish and
cleanup once where the DNS is written, the others on the controller. No step needs Python on its host."""

from __future__ import annotations

import base64
import re
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from jinja2.exceptions import UndefinedError

from ansible_collections.tls.everywhere.plugins.action.acme_dns_challenge import ActionModule as AcmeDnsChallenge
from ansible_collections.tls.everywhere.plugins.action.cert_request import ActionModule as CertRequest
from ansible_collections.tls.everywhere.plugins.action.file_set import ActionModule as FileSet
from ansible_collections.tls.everywhere.plugins.action.pki_ca import ActionModule as PkiCa
from ansible_collections.tls.everywhere.plugins.plugin_utils import letsencrypt_plan, pki_outcome
from ansible_collections.tls.everywhere.plugins.plugin_utils.options import plain

display = Display()

Result = t.Dict[str, t.Any]

# Under these names the role registers what later steps need.
ASKED, PUBLISHED, SIGNED, TESTED = '_letsencrypt_asked', '_letsencrypt_published', '_letsencrypt_signed', '_letsencrypt_tested'

# What cert_request says of reasons that `renew.on` leaves out.
NO_REASON = "'renew.on' does not name"

# Contents of files, until they are written elsewhere.
MATERIAL = '_letsencrypt_material'

# How long one step waits for another play on the same directories.
LOCK_TIMEOUT = '120s'

# Of a certificate's facts, what tells what happened.
FACTS = ('changed', 'action', 'reasons', 'serial', 'not_after', 'renew_at', 'issuer', 'fingerprint_sha256', 'previous_fingerprint_sha256', 'changed_files')


class ActionModule(ActionBase):
    """One step."""

    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """The result of the step. What is wrong with one certificate is in `failures`; the step `report` fails for it at the end."""
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        arguments = plain(self._task.args)
        steps = {
            'request': self._request, 'sign': self._sign, 'publish': self._publish, 'cleanup': self._cleanup,
            'self_sign': self._self_sign, 'complete': self._complete, 'listeners': self._listeners, 'report': self._report,
            'legacy_read': self._legacy_read, 'legacy_write': self._legacy_write, 'certcheck': self._certcheck,
        }
        step = steps.get(arguments.get('step'))
        if step is None:
            return {'failed': True, 'msg': f"step: '{arguments.get('step')}' is none of {', '.join(steps)}"}
        return step(arguments, arguments.get('settings') or {})

    # On the hosts.

    def _request(self, arguments: Result, settings: Result) -> Result:
        """Keys and requests where certificates are due, and where the host has an account of its own the order as well."""
        plan = letsencrypt_plan.plan(arguments.get('certs'), arguments.get('files'))
        total = _nothing({key: {'kind': 'input.invalid', 'msg': fault} for key, fault in plan.faults.items()})
        profiles = {entry.key: entry.more['profile'] for entry in plan.entries if entry.more.get('profile')}
        total.update(run=time.time_ns(), pending={}, ready={}, records=[], profiles=profiles, checked=[entry.checked for entry in plan.entries])
        if arguments.get('prepared'):
            _go_on(total, plain(self._vars[ASKED]))
        wishes = [letsencrypt_plan.wish(entry, settings) for entry in plan.entries]
        result = self._certificates(wishes, settings, total, prepared=bool(arguments.get('prepared')))
        if result.get('failed') and _lacks_places(result, wishes, settings) and not arguments.get('prepared'):
            # What was put right meanwhile is told with what comes next.
            kept = {key: total[key] for key in ('changed', 'updated', 'restart')}
            return {**kept, 'prepare': letsencrypt_plan.directories(plan.entries, settings)}
        self._replace_foreign(plan.entries, settings, total)
        if total.get('failed'):
            return total
        total['pending'] = {key: facts.pop('csr') for key, facts in total['certificates'].items() if facts.get('csr')}
        if settings.get('self_sign_only'):
            for entry in plan.entries:
                if entry.key in total['pending']:
                    total['records'] += letsencrypt_plan.made_up(entry, total['pending'][entry.key], settings['zone'])
        elif settings.get('placement') != 'central' and total['pending'] and not self._task.check_mode:
            self._order(plan.entries, settings, total)
        total['required'] = letsencrypt_plan.txt_required(total['records'])
        return _shown(total)

    def _replace_foreign(self, entries: list[letsencrypt_plan.Entry], settings: Result, total: Result) -> None:
        """Certificates that another mode of the role has left are due now, whatever their end is."""
        issuers = {key: str(facts.get('issuer') or '') for key, facts in total['certificates'].items() if not facts.get('csr')}
        due = [entry for entry in entries if entry.key in issuers and letsencrypt_plan.is_foreign(issuers[entry.key], settings)]
        if due:
            self._certificates([letsencrypt_plan.wish(entry, settings, force=True) for entry in due], settings, total)

    def _certificates(self, wishes: list[Result], settings: Result, total: Result, prepared: bool = True) -> Result:
        """cert_request on the host of the task. A fault in the options of one certificate must not keep the others back. Unless the role has
        `prepared` the host, places that are missing are no fault; in check mode they are foreseen then."""
        result: Result = {}
        while wishes:
            arguments = {'certificates': wishes, 'state_dir': f"{settings['state_directory']}/requests", 'lock_timeout': LOCK_TIMEOUT}
            result = self._native(CertRequest, arguments)
            if _lacks_places(result, wishes, settings):
                if not prepared:
                    break
                if self._task.check_mode:
                    result = _foreseen(wishes, result)
            refused = pki_outcome.refused(wishes, result)
            total['failures'].update(refused)
            wishes = [wish for wish in wishes if wish['name'] not in refused]
            if not refused:
                break
        for key, facts in (result.get('certificates') or {}).items():
            kept = {name: facts[name] for name in (*FACTS, 'csr') if name in facts}
            total['certificates'][key] = kept
        # That another kind of key or issuer is no reason for a new certificate is the role's choice, not the user's mistake.
        if result.get('warnings'):
            result['warnings'] = [text for text in result['warnings'] if NO_REASON not in str(text)]
        total['changed'] = bool(total['changed'] or result.get('changed'))
        written = result.get('restart') or []
        total['updated'] += [each['name'] for each in written if each['name'] not in total['updated']]
        total['restart'] = [each for each in total['restart'] if each['name'] not in {new['name'] for new in written}] + written
        _add(total, result)
        return result

    def _order(self, entries: list[letsencrypt_plan.Entry], settings: Result, total: Result) -> None:
        answer = self._acme('request', self._orders(entries, total['pending'], settings), settings)
        self._take(answer, total['pending'], total)
        total['records'] = answer.get('txt_records') or []
        total['ready'] = _chains(answer)

    @staticmethod
    def _orders(entries: list[letsencrypt_plan.Entry], pending: dict[str, str], settings: Result) -> list[Result]:
        profiles = {entry.key: entry.more.get('profile') for entry in entries}
        return [letsencrypt_plan.order(key, csr, profiles.get(key), settings) for key, csr in pending.items()]

    def _complete(self, arguments: Result, settings: Result) -> Result:
        """Has names validated and certificates fetched, where that is still to be done, and installs them with their keys."""
        plan, asked = letsencrypt_plan.plan(arguments.get('certs'), arguments.get('files')), plain(self._vars.get(ASKED) or {})
        total = _nothing(dict(asked.get('failures') or {}))
        # Which request this belongs to: a role may be called several times in a play.
        total['run'] = asked.get('run')
        signed = self._signed_for(asked, total)
        waiting = {key: csr for key, csr in (asked.get('pending') or {}).items() if key not in signed and key not in total['failures']}
        if waiting and settings.get('placement') != 'central' and not settings.get('self_sign_only') and not self._task.check_mode:
            refusal = self._unpublished()
            if refusal:
                total['failures'].update({key: refusal for key in waiting})
            else:
                answer = self._acme('complete', self._orders(plan.entries, waiting, settings), settings)
                self._take(answer, waiting, total)
                signed.update(_chains(answer))
        if not self._task.check_mode:
            lost = {'kind': 'certificate.not_signed', 'msg': 'it is due, and no certificate came back for it'}
            total['failures'].update({key: lost for key in asked.get('pending') or {} if key not in signed and key not in total['failures']})
        wishes = [letsencrypt_plan.wish(entry, settings, signed[entry.key]) for entry in plan.entries if entry.key in signed]
        self._certificates(wishes, settings, total)
        return _shown(total)

    def _signed_for(self, asked: Result, total: Result) -> dict[str, str]:
        """What came back for this host from elsewhere."""
        host, signed = self._vars['inventory_hostname'], dict(asked.get('ready') or {})
        for each in (self._vars.get(SIGNED), self._vars.get(TESTED)):
            answer = plain((plain(each or {}).get('hosts') or {}).get(host) or {})
            signed.update(answer.get('signed') or {})
            total['failures'].update(answer.get('failures') or {})
        return {key: text for key, text in signed.items() if key in (asked.get('pending') or {})}

    def _unpublished(self) -> Result | None:
        """Why the names cannot be validated: whoever had to publish the records failed. It may have been another host, in another play."""
        own = plain(self._vars.get(PUBLISHED) or {})
        if own:
            return own.get('error')
        hostvars = self._vars['hostvars']
        for host in hostvars:
            error = plain((hostvars.raw_get(host) or {}).get(PUBLISHED) or {}).get('error')
            if error:
                return error
        return None

    # Where the DNS is written.

    def _asked(self, arguments: Result) -> dict[str, Result]:
        """What the hosts want, by host."""
        hostvars, found = self._vars['hostvars'], {}
        for host in arguments.get('hosts') or self._vars.get('ansible_play_batch') or [self._vars['inventory_hostname']]:
            known = hostvars.raw_get(host) or {}
            asked = known.get(ASKED)
            if asked is not None:
                found[host] = plain(asked)
            elif known.get('acme_txt_required'):
                found[host] = {'records': letsencrypt_plan.foreign_records(plain(known['acme_txt_required']), arguments['settings']['zone'])}
        return found

    def _sign(self, arguments: Result, settings: Result) -> Result:
        """All requests of all hosts in one task: one account, one update of the zone, one wait."""
        total = _nothing({})
        owners = {}
        for host, asked in self._asked(arguments).items():
            profiles = asked.get('profiles') or {}
            for key, csr in (asked.get('pending') or {}).items():
                order = letsencrypt_plan.order(f'{host}_{key}', csr, profiles.get(key), settings)
                owners[order['name']] = (host, key, order)
        total['hosts'] = {host: {'signed': {}, 'failures': {}} for host, _key, _order in owners.values()}
        if not owners or self._task.check_mode:
            return total
        more = {'provider': settings['provider']} if settings.get('provider') else {}
        answer = self._acme('all', [order for _host, _key, order in owners.values()], settings, more)
        self._take(answer, owners, total)
        chains = _chains(answer)
        for name, (host, key, _order) in owners.items():
            if name in chains:
                total['hosts'][host]['signed'][key] = chains[name]
            elif name in total['failures']:
                total['hosts'][host]['failures'][key] = total['failures'][name]
        return total

    def _publish(self, arguments: Result, settings: Result) -> Result:
        """Publishes the records of all hosts at once and waits until every server shows them."""
        records = letsencrypt_plan.published(record for asked in self._asked(arguments).values() for record in asked.get('records') or [])
        total: Result = {'changed': False, 'records': records, 'updates': 0}
        if not records or (settings.get('self_sign_only') and not settings.get('self_sign_publish')):
            return dict(total, records=[])
        steps: list[tuple[str, Result]] = []
        if settings.get('provider'):
            steps.append(('publish', {'provider': settings['provider']}))
        if not settings.get('self_sign_only') and not self._task.check_mode:
            steps.append(('wait', {}))
        for phase, more in steps:
            answer = self._records(phase, records, settings, more)
            total['changed'] = bool(total['changed'] or answer.get('changed'))
            total['updates'] += answer.get('updates') or 0
            _add(total, answer)
            if answer.get('failed'):
                return self._not_published(total, answer, arguments)
        return total

    @staticmethod
    def _not_published(total: Result, answer: Result, arguments: Result) -> Result:
        """The hosts say it for their certificates; the task fails only where nothing else would tell."""
        error = {'kind': 'dns.not_published', **(answer.get('error') or {}), 'msg': f"the records are not published: {answer.get('msg')}"}
        return dict(total, error=error, msg=error['msg'], **({'failed': True} if arguments.get('fail') else {}))

    def _cleanup(self, arguments: Result, settings: Result) -> Result:
        """Takes exactly the records back that were published."""
        records = plain(self._vars.get(PUBLISHED) or {}).get('records') or []
        if not records or not settings.get('provider'):
            return {'changed': False, 'records': []}
        answer = self._records('cleanup', records, settings, {'provider': settings['provider']})
        total = {'changed': bool(answer.get('changed')), 'records': records, 'updates': answer.get('updates') or 0}
        if answer.get('failed'):
            answer.setdefault('warnings', []).append(f"records are left in the DNS: {answer.get('msg')}")
        _add(total, answer)
        return total

    def _self_sign(self, _arguments: Result, settings: Result) -> Result:
        """The authority of tests signs the requests of this host, with the names that they have."""
        asked, host = plain(self._vars.get(ASKED) or {}), self._vars['inventory_hostname']
        pending, total = asked.get('pending') or {}, _nothing({})
        if not pending:
            return total
        result = self._native(PkiCa, letsencrypt_plan.test_authority(settings, pending))
        answers = result.get('signed') or []
        signed = {key: each['certificate'] + each['ca_bundle'] for key, each in zip(pending, answers) if each.get('certificate')}
        failures = {key: {'kind': 'test_authority.failed', 'msg': f"the authority of tests did not sign: {result.get('msg')}"}
                    for key in pending if key not in signed and not self._task.check_mode}
        _add(total, result)
        return dict(total, changed=bool(result.get('changed')), hosts={host: {'signed': signed, 'failures': failures}})

    # For others.

    def _legacy_read(self, arguments: Result, settings: Result) -> Result:
        """The contents of the files of all certificates of this host, keys too. The connection must not print what comes back, which it
        decides by the play context of its own."""
        entries = letsencrypt_plan.plan(arguments.get('certs'), arguments.get('files')).entries
        places = {entry.directory: letsencrypt_plan.material(entry, settings) for entry in entries}
        context = self._connection._play_context
        before, context.no_log = context.no_log, True
        try:
            found = self._native(FileSet, {'read': sorted({path for paths in places.values() for path in paths.values()})})
        finally:
            context.no_log = before
        if found.get('failed') and 'contents' not in found:
            return _unwritten(found)
        texts = {path: base64.b64decode(text).decode('ascii', 'replace') for path, text in found['contents'].items()}
        whole = {name: {word: texts[path] for word, path in paths.items()} for name, paths in places.items() if set(paths.values()) <= set(texts)}
        return {'changed': False, 'material': whole, '_ansible_no_log': True}

    def _legacy_write(self, arguments: Result, _settings: Result) -> Result:
        """One YAML file for this host, readable by its owner only. What goes wrong is told at the end, after the handlers of what is new."""
        read = plain(self._vars.get(MATERIAL) or {})
        whole = read.get('material') or {}
        if not whole:
            return {'changed': False, 'files': [], 'failures': read.get('failures') or {}}
        path = f"{arguments['path']}/{self._vars['inventory_hostname']}.certs.yaml"
        file = {'path': path, 'content': letsencrypt_plan.legacy(whole), 'mode': '0600', 'holds_private_key': True}
        try:
            done = self._written({'sets': [{'name': path, 'files': [file]}], 'make_directories': True, 'directory_mode': '0700'})
        except AnsibleConnectionFailure as error:
            if not self._task.delegate_to:
                raise
            done = {'failed': True, 'msg': f"'{self._task.delegate_to}' cannot be reached: {error}", 'error': {'kind': 'host.unreachable'}}
        return _unwritten(done) if done.get('failed') else done

    def _certcheck(self, arguments: Result, _settings: Result) -> Result:
        """The list of names and ports. Of hosts that are not in this run, what their variables say."""
        hostvars, lines = self._vars['hostvars'], []
        for host in arguments.get('hosts') or []:
            known = hostvars.raw_get(host) or {}
            if 'letsencrypt_certcheck_domains' in known:
                lines += plain(known['letsencrypt_certcheck_domains'])
            elif 'letsencrypt_certs' in known:
                lines += self._checked(host)
        lines += arguments.get('additional') or []
        file = {'path': arguments['path'], 'content': ''.join(f'{line}\n' for line in lines), 'mode': '0644'}
        file.update({key: arguments[key] for key in ('owner', 'group') if arguments.get(key)})
        return self._written({'sets': [{'name': 'certcheck', 'files': [file]}]})

    def _checked(self, host: str) -> list[str]:
        """What certcheck is told of a host that is not in this run. Its variables may need facts that nobody has."""
        try:
            certs = plain(self._vars['hostvars'][host]['letsencrypt_certs'])
        except (AnsibleError, UndefinedError) as error:
            return _untold(host, str(error))
        lines = [entry.checked for entry in letsencrypt_plan.plan(certs).entries]
        # Up to ansible-core 2.18 what cannot be told stays as it is written.
        unknown = [line for line in lines if '{{' in line or '{%' in line]
        return _untold(host, f"'{unknown[0]}' is not known") if unknown else lines

    def _written(self, arguments: Result) -> Result:
        result = self._native(FileSet, {**arguments, 'lock_timeout': LOCK_TIMEOUT})
        kept = {key: result[key] for key in ('changed', 'failed', 'msg', 'error', 'warnings', 'diff', 'faults') if result.get(key)}
        written = [path for one in (result.get('sets') or {}).values() for path in one.get('changed_files') or []]
        return {'changed': False, **kept, 'files': written}

    # Programs.

    def _elsewhere(self, arguments: Result) -> Result:
        """acme_dns_challenge where the DNS is written. If that host goes away, those of the play must not go with it: a task that runs once
        would end the play for all of them, before the handlers of what is new."""
        try:
            return self._native(AcmeDnsChallenge, arguments)
        except AnsibleConnectionFailure as error:
            if not self._task.delegate_to:
                raise
            return {'failed': True, 'msg': f"'{self._task.delegate_to}' cannot be reached: {error}", 'error': {'kind': 'host.unreachable'}}

    def _native(self, action: type[CertRequest | AcmeDnsChallenge | PkiCa | FileSet], arguments: Result) -> Result:
        task = self._task.copy()
        task.args = arguments
        runner = action(
            task=task, connection=self._connection, play_context=self._play_context, loader=self._loader,
            templar=self._templar, shared_loader_obj=self._shared_loader_obj,
        )
        return runner.run(task_vars=self._vars)

    def _acme(self, phase: str, orders: list[Result], settings: Result, more: Result | None = None) -> Result:
        asked = {'phase': phase, 'certificates': orders, **letsencrypt_plan.authority(settings), **letsencrypt_plan.dns(settings), **(more or {})}
        return self._elsewhere(asked)

    def _records(self, phase: str, records: list[Result], settings: Result, more: Result) -> Result:
        return self._elsewhere({'phase': phase, 'records': records, **letsencrypt_plan.dns(settings), **more})

    @staticmethod
    def _take(answer: Result, names: t.Collection[str], total: Result) -> None:
        """Adds what acme_dns_challenge answered. Where it failed as a whole, so did every certificate."""
        total['changed'] = bool(total['changed'] or answer.get('changed'))
        failures = answer.get('failures') or {}
        if answer.get('failed') and not failures:
            told = '; '.join(f"{fault['path']}: {fault['message']}" for fault in answer.get('faults') or []) or answer.get('msg')
            failures = {name: {**(answer.get('error') or {'kind': 'acme.failed'}), 'msg': told} for name in names}
        total['failures'].update(failures)
        for key in ('requests', 'updates', 'account_uri'):
            if key in answer:
                total[key] = answer[key]
        _add(total, {**answer, 'failures': failures})

    # On the controller.

    def _listeners(self, arguments: Result, _settings: Result) -> Result:
        """Which of these topics have a handler in the play: Ansible fails on one that has none. A task of an include knows the play as
        it runs; one that was imported would not know the handlers of roles that were included meanwhile."""
        known: set[str] = set()
        for block in self._task.play.handlers:
            for handler in block.block:
                known.update(self._handler_names(handler))
        topics = [topic for topic in arguments.get('topics') or [] if topic in known]
        return {'changed': False, 'topics': topics, 'unheard': [topic for topic in arguments.get('topics') or [] if topic not in known]}

    def _handler_names(self, handler: t.Any) -> list[str]:
        # Up to ansible-core 2.17 as it is written: one text or a list of them.
        topics = handler.listen or []
        names = [topics] if isinstance(topics, str) else [str(topic) for topic in topics]
        if not handler.name:
            return names
        before = handler.name
        try:
            handler.name = str(self._templar.template(handler.name))
            names += [handler.name, handler.get_name(include_role_fqcn=False), handler.get_name(include_role_fqcn=True)]
        except AnsibleError:
            pass  # Ansible cannot find it either
        finally:
            handler.name = before
        return names

    def _report(self, arguments: Result, _settings: Result) -> Result:
        """Fails the host for what failed on it, now that everything else is done."""
        plan = letsencrypt_plan.plan(arguments.get('certs'), arguments.get('files'))
        failures = arguments.get('failures') or {}
        kinds = {failure.get('kind') for failure in failures.values()}
        kind = kinds.pop() if len(kinds) == 1 else 'certificates.failed'
        return {'failed': True, 'msg': letsencrypt_plan.told(failures, plan.entries), 'failures': failures, 'error': {'kind': kind}}


def _untold(host: str, why: str) -> list[str]:
    display.warning(f"certcheck: the names of '{host}' are left out, since this run cannot tell letsencrypt_certs of it: {why}")
    return []


def _unwritten(result: Result) -> Result:
    """A failure of the files for puppet, for the step `report`."""
    failure = {**(result.get('error') or {'kind': 'files.failed'}), 'msg': f"no file for puppet: {result.get('msg')}"}
    return {'changed': False, 'failures': {'letsencrypt_legacy_directory': failure}}


def _nothing(failures: dict[str, Result]) -> Result:
    return {'changed': False, 'certificates': {}, 'failures': failures, 'updated': [], 'restart': [], 'warnings': [], 'diff': []}


def _go_on(total: Result, earlier: Result) -> None:
    """What an earlier step has written is to be told as well."""
    for key in ('updated', 'restart'):
        total[key] = list(earlier.get(key) or [])


def _add(total: Result, result: Result) -> None:
    """Failures by certificate, warnings and differences of one call."""
    failures = result.get('failures')
    if 'failures' in total and isinstance(failures, dict):
        total['failures'].update(failures)
    if result.get('failed') and 'failures' in total and not failures and not result.get('faults') and 'certificates' not in result:
        total.update(failed=True, msg=result.get('msg'), error=result.get('error'))
    for key in ('warnings', 'diff'):
        more = result.get(key)
        if more:
            total[key] = [*(total.get(key) or []), *(more if isinstance(more, list) else [more])]


def _shown(total: Result) -> Result:
    """Ansible prints empty lists of warnings and differences."""
    return {key: value for key, value in total.items() if value or key not in ('warnings', 'diff')}


def _chains(answer: Result) -> dict[str, str]:
    """The certificates that are there, with those above them."""
    certificates = (answer.get('certificates') or {}).items()
    return {name: each['fullchain'] for name, each in certificates if each.get('fullchain') and each.get('status') in ('valid', 'issued', 'repaired')}


def _lacks_places(result: Result, wishes: list[Result], settings: Result) -> bool:
    """Whether directories or the group have to be made first."""
    return pki_outcome.lacks_directories(result) or any(_is_our_group(str(fault.get('path')), wishes, settings) for fault in result.get('faults') or [])


def _is_our_group(path: str, wishes: list[Result], settings: Result) -> bool:
    """Whether a fault is the group that the role makes, and not one that the operator named for a further file."""
    found = re.fullmatch(r'certificates\[([0-9]+)\]\.files\[([0-9]+)\]\.group', path)
    if not found:
        return False
    files = wishes[int(found.group(1))]['files']
    return files[int(found.group(2))].get('group') == settings.get('group')


def _foreseen(wishes: list[Result], result: Result) -> Result:
    """What check mode says where nothing could be made. Without the group no certificate is there."""
    if pki_outcome.lacks_directories(result):
        return pki_outcome.foreseen(wishes, result, ())
    return {'changed': True, 'certificates': {wish['name']: {'changed': True, 'action': 'issue'} for wish in wishes}}
