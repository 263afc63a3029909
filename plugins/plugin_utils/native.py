# SPDX-License-Identifier: Apache-2.0
"""The one action behind every module of the collection: check the options, find or place the program on the target,
run it, and let nothing secret out."""

from __future__ import annotations

import json
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.tls.everywhere.plugins.plugin_utils import options as task_options
from ansible_collections.tls.everywhere.plugins.plugin_utils import placement

display = Display()

# Where the operator wants programs to be kept on the targets: one directory or a list.
DIRECTORIES = 'tls_everywhere_program_directory'

# Tells the Python module of an asynchronous task which program to run.
PROGRAM = 'TLS_EVERYWHERE_PROGRAM'

# A program may vanish between two trips (a sweep by another run): look, place, look again, once more, and give up.
ROUNDS = 3


class Trip(t.NamedTuple):
    """What came back from one command on the target."""

    status: int
    stdout: str
    stderr: str


class NativeAction(ActionBase):
    """Runs the module NAME of the executable on the target. Subclasses set the three class variables and nothing else."""

    # A temporary directory on the target is made only where standard input cannot be used.
    TRANSFERS_FILES = False

    #: the module, for example cert_request
    NAME: t.ClassVar[str]
    #: its options
    SPEC: t.ClassVar[task_options.Spec]
    #: placement.shipped()
    PROGRAMS: t.ClassVar[tuple[placement.Program, ...]]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The result of the task. Failures of the options, of the placement and of the program are results too; only
        what Ansible knows best (an unreachable host, a refused escalation) is raised."""
        self._supports_async = True  # ansible-core 2.14 resets a class variable
        super().run(tmp, task_vars)
        self._vars = task_vars or {}
        given = task_options.plain(self._task.args)
        hidden = task_options.secrets(self.SPEC, given) | task_options.private_keys(given)
        review = task_options.review(self.SPEC, given)
        if review.faults:
            result = self._refuse(given, review.faults)
        else:
            result = self._start_in_background(given) if self._task.async_val else self._run_program(given)
            _extend(result, 'warnings', review.warnings)
            _extend(result, 'deprecations', review.deprecations)
        if review.faults and not self._task.no_log:
            result['invocation'] = {'module_args': task_options.known(self.SPEC, given)}
        return task_options.censor(result, hidden)

    def _refuse(self, given: dict[str, t.Any], faults: list[task_options.Fault]) -> dict[str, t.Any]:
        """Options that cannot be right: the program names every fault at once, also those that only it can see. It is
        asked in check mode, so that whatever it makes of them, nothing is touched."""
        result = self._run_program(given, check_mode=True)
        known = result.get('error', {}).get('kind') == 'input.invalid'
        return result if known else _refusal(faults)

    def _run_program(self, given: dict[str, t.Any], check_mode: bool = False) -> dict[str, t.Any]:
        arguments = self._arguments(given, check_mode)
        piped = self._can_pipe()
        trip = self._round_trips('run', arguments, piped)
        if piped and self._wants_terminal(trip):
            trip = self._round_trips('run', arguments, False)
        return _read(self.NAME, trip)

    def _start_in_background(self, given: dict[str, t.Any]) -> dict[str, t.Any]:
        """Ansible's own machinery for asynchronous tasks runs the Python module, and that the program."""
        piped = self._can_pipe()
        trip = self._round_trips('find', b'', piped)
        if piped and self._wants_terminal(trip):
            trip = self._round_trips('find', b'', False)
        held = [remark.detail for remark in placement.remarks(trip.stdout) if remark.word == 'held']
        if not held:
            self.cleanup(force=True)  # Ansible leaves that to a wrapper which never started
            return _read(self.NAME, trip)
        environment = self._task.environment or []
        self._task.environment = [*environment, {PROGRAM: held[-1]}]
        try:
            result = self._execute_module(
                module_name=f'tls.everywhere.{self.NAME}',
                module_args=given,
                task_vars=self._vars,
                wrap_async=not self._connection.has_native_async,
            )
        finally:
            self._task.environment = environment
        if result.get('failed') and (result.get('rc') == 127 or 'interpreter' in str(result.get('msg'))):
            result['changed'] = False
            said = result.get('msg') or 'nothing could be started'
            result['msg'] = f'{said}; asynchronous tasks need Python on the target, other tasks of this collection do not'
        return result

    def _arguments(self, given: dict[str, t.Any], check_mode: bool) -> bytes:
        arguments = dict(given)
        self._update_module_args(f'tls.everywhere.{self.NAME}', arguments, self._vars)
        if check_mode:
            arguments['_ansible_check_mode'] = True
        return json.dumps(task_options.plain(arguments)).encode('utf-8', 'surrogateescape') + b'\n'

    def _round_trips(self, verb: str, data: bytes, piped: bool) -> Trip:
        """Runs the verb, and places the program first if the target says that it is missing."""
        file = '-' if piped and data else self._put_data('arguments', data) if data else '/dev/null'
        for _round in range(ROUNDS):
            trip = self._command(verb, file, data if piped else b'')
            if placement.answer(trip.stdout)[0] is not None:
                break
            missing = [remark.detail for remark in placement.remarks(trip.stdout) if remark.word == 'missing']
            if not missing:
                break
            failure = self._place(missing[-1], piped)
            if failure is not None:
                return failure
        return trip

    def _place(self, machine: str, piped: bool) -> Trip | None:
        """Sends the program; the trip if the target did not take it."""
        program = next(each for each in self.PROGRAMS if each.machine == machine)
        content = placement.read(program.path)
        if len(content) != program.size:
            raise AnsibleActionFail(f"'{program.path}' changed while the play was running; run it again")
        if piped:
            trip = self._command('place', '-', content)
        else:
            trip = self._command('place', self._put_file(placement.EXECUTABLE, program.path), b'')
        for remark in placement.remarks(trip.stdout):
            display.vvv(f'program {remark.word}: {remark.detail}', host=self._play_context.remote_addr)
            if remark.word == 'placed':
                return None
        return trip

    def _command(self, verb: str, file: str, data: bytes) -> Trip:
        line = placement.command(verb, self.NAME, self.PROGRAMS, file, self._directories())
        environment = self._compute_environment_string()
        answer = self._low_level_execute_command(f'{environment} {line}'.strip(), in_data=data or None)
        return Trip(answer['rc'], answer['stdout'], answer['stderr'])

    def _directories(self) -> list[str]:
        """The operator's choice for the host that does the work, which is not always the one of the play."""
        delegated = self._vars.get('ansible_delegated_vars', {}).get(self._task.delegate_to, {})
        chosen = delegated.get(DIRECTORIES, self._vars.get(DIRECTORIES)) or []
        chosen = task_options.plain(self._templar.template(chosen))
        chosen = [chosen] if isinstance(chosen, str) else chosen
        wrong = [each for each in chosen if not isinstance(each, str) or not each.startswith('/')]
        if wrong:
            raise AnsibleActionFail(f"{DIRECTORIES}: '{wrong[0]}' is not an absolute path")
        return chosen

    def _can_pipe(self) -> bool:
        """Whether the connection hands our standard input through, whatever the user set for Python modules: we need
        no terminal unless the escalation does."""
        connection = self._connection
        become = connection.become
        if not connection.has_pipelining or become and _needs_terminal(become):
            return False
        if not become or not self.get_become_option('become_pass') or connection.transport in ('ssh', 'ansible.builtin.ssh'):
            return True
        # The local connection answers a password prompt on a terminal that then stands in the way, unless told not to.
        return self._is_pipelining_enabled('new')

    def _wants_terminal(self, trip: Trip) -> bool:
        """sudo's requiretty, met only because we pipe where the user did not ask for it."""
        silent = placement.answer(trip.stdout)[0] is None and not placement.remarks(trip.stdout)
        return silent and not self._is_pipelining_enabled('new') and 'tty' in trip.stderr + trip.stdout

    def _put_data(self, name: str, data: bytes) -> str:
        path = self._private_path(name)
        self._transfer_data(path, data)
        self._fixup_perms2([self._connection._shell.tmpdir, path], execute=False)
        return path

    def _put_file(self, name: str, source: str) -> str:
        path = self._private_path(name)
        self._transfer_file(source, path)
        self._fixup_perms2([self._connection._shell.tmpdir, path], execute=False)
        return path

    def _private_path(self, name: str) -> str:
        shell = self._connection._shell
        if shell.tmpdir is None:
            self._make_tmp_path()
        return shell.join_path(shell.tmpdir, name)


def _needs_terminal(become: t.Any) -> bool:
    """Whether the escalation stands between us and the program's standard input. ansible-core up to 2.18 knows it of su
    by name only."""
    if hasattr(become, 'pipelining'):
        return not become.pipelining
    return become.name.rsplit('.', 1)[-1] == 'su' or become.require_tty


def _read(name: str, trip: Trip) -> dict[str, t.Any]:
    """The result that a trip carries, or the failure that it amounts to."""
    text, noise = placement.answer(trip.stdout)
    if text is not None:
        try:
            result = json.loads(text)
        except ValueError:
            result = None
        if isinstance(result, dict):
            result['_ansible_parsed'] = True
            _extend(result, 'warnings', [f'output that is no answer: {line}' for line in noise])
            if trip.status and 'failed' not in result:
                result['failed'] = True
            return result
    return _refused(name, trip) or {
        'failed': True,
        'msg': f"'{name}' ended with status {trip.status} and gave no answer",
        'error': {'kind': 'program.no_answer', 'caused_by': [], 'hint': 'module_stdout and module_stderr have its last words'},
        'rc': trip.status,
        'module_stdout': trip.stdout,
        'module_stderr': trip.stderr,
    }


def _refused(name: str, trip: Trip) -> dict[str, t.Any] | None:
    """The failure that the shell's remarks amount to."""
    said = placement.remarks(trip.stdout)
    last = said[-1] if said else None
    if last is None:
        return None
    if last.word == 'unshipped':
        have = sorted(program.machine for program in placement.shipped())
        kind, hint = 'program.no_architecture', 'install a release of tls.everywhere that ships it, or build it there with make build'
        msg = f"no '{name}' for '{last.detail}'; this copy of the collection has it for " + (', '.join(have) or 'no machine at all')
    else:
        kind, hint = 'program.not_placed', f'set the variable {DIRECTORIES} to a directory that the user of the task may write and run programs from'
        msg = f"'{name}' could not be placed on the target: " + '; '.join(
            remark.detail for remark in said if remark.word in ('refused', 'spoiled')
        )
    return {'failed': True, 'msg': msg, 'error': {'kind': kind, 'caused_by': [], 'hint': hint}}


def _refusal(faults: list[task_options.Fault]) -> dict[str, t.Any]:
    return {
        'failed': True,
        'changed': False,
        'msg': '; '.join(str(fault) for fault in faults),
        'error': {'kind': 'input.invalid', 'caused_by': []},
        'faults': [fault._asdict() for fault in faults],
    }


def _extend(result: dict[str, t.Any], key: str, more: list[t.Any]) -> None:
    if more:
        result[key] = [*(result.get(key) or []), *more]
