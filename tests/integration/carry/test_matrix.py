# SPDX-License-Identifier: Apache-2.0
"""Each ansible-core, each way to reach a host, each way to call a module: one playbook run per ansible-core."""

from __future__ import annotations

import os
import pathlib
import pwd
import subprocess

import pytest
import yaml

from hosts import REPRESENTATIVE, hosts, prepare
from plays import CORES, HERE, NEWEST, TOP, executables, play

SECRET = "Very-S3cret-phrase-4711"
VAULTED = "Vaulted-S3cret-phrase-0815"
ASYNC_NEEDS_PYTHON = "asynchronous tasks need Python on the target"




ALL = tuple(
    "local local_pipelining local_become_other ssh ssh_pipelining ssh_dash ssh_ash ssh_become_root "
    "ssh_become_root_pipelining ssh_become_other ssh_become_other_without_acl ssh_su_other ssh_su_other_password "
    "ssh_requiretty ssh_sudo_password nopython".split())
CASES = [(core, host) for core in CORES for host in (ALL if core == NEWEST else REPRESENTATIVE)]
each_case = pytest.mark.parametrize(("core", "host"), CASES)
each_core = pytest.mark.parametrize("core", CORES)


@pytest.fixture(scope="module")
def matrix(machine, collections):
    """core → what came of its run; run when first asked for."""
    done = {}

    def run(core):
        if core not in done:
            names = ALL if core == NEWEST else REPRESENTATIVE
            inventory = prepare(machine, core, names)
            secrets = _secrets(machine, core)
            done[core] = play(
                core, HERE / "matrix.yml", inventory, collections, machine, "-vvvv", "-e", f"@{secrets}",
                environment={"ANSIBLE_VAULT_PASSWORD_FILE": str(machine.work / "vault-password")})
        return done[core]

    return run


def _secrets(machine, core):
    """A file of variables, one of them encrypted in place by that version's own ansible-vault."""
    password = machine.work / "vault-password"
    password.write_text("vault-password\n", encoding="ascii")
    vaulted = subprocess.run(
        [executables(core) / "ansible-vault", "encrypt_string", "--vault-password-file", password, "--stdin-name", "vaulted"],
        input=VAULTED, capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})
    file = machine.work / f"secrets-{core}.yml"
    file.write_text(f"secret: {SECRET}\n{vaulted.stdout}", encoding="utf-8")
    return file


def owner(path: pathlib.Path) -> str:
    """The user name of a file's owner."""
    return pwd.getpwuid(path.stat().st_uid).pw_name


@pytest.fixture
def seen(machine):
    """Where the test finds the directory that a host's tasks work in."""
    def at(core, host):
        directory = machine.work / "hosts" / core / host
        return machine.chroot / directory.relative_to("/") if host == "nopython" else directory

    return at


def test_all_hosts_are_in_the_matrix(machine):
    assert set(ALL) == set(hosts(machine)) and set(REPRESENTATIVE) <= set(ALL)


@each_case
def test_check_mode_predicts_and_changes_nothing(matrix, core, host):
    result = matrix(core).result(host, "check")
    assert result["status"] == "ok", result
    assert result["changed"] is True
    assert result["diff"], "diff mode was on"
    assert matrix(core).result(host, "real")["changed"] is True, "check mode has already done it"


@each_case
def test_the_second_run_changes_nothing(matrix, core, host):
    result = matrix(core).result(host, "again")
    assert result["status"] == "ok", result
    assert result["changed"] is False


@each_case
def test_files_belong_to_the_user_of_the_task(matrix, seen, machine, core, host):
    assert matrix(core).result(host, "real")["status"] == "ok"
    key = seen(core, host) / "web.key"
    assert owner(key) == hosts(machine)[host]["runs_as"]
    assert key.stat().st_mode & 0o777 == 0o600
    subject = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", seen(core, host) / "web.crt"],
                             capture_output=True, text=True, check=True, timeout=20)
    assert "DNS:web.example.org" in subject.stdout


@each_case
def test_loop_runs_each_item_and_decrypts_vault_values(matrix, seen, core, host):
    result = matrix(core).result(host, "loop")
    assert [item["changed"] for item in result["results"]] == [True, True], result
    for item in ("first", "second"):
        key = subprocess.run(["openssl", "pkey", "-noout", "-passin", f"pass:{VAULTED}", "-in", seen(core, host) / f"{item}.key"],
                             capture_output=True, text=True, check=False, timeout=20)
        assert key.returncode == 0, key.stderr


@each_case
def test_group_defaults_reach_the_program(matrix, core, host):
    assert matrix(core).result(host, "real")["invocation"]["module_args"]["lock_timeout"] == "61s"
    assert matrix(core).result(host, "environment")["invocation"]["module_args"]["lock_timeout"] == "61s"


@each_case
def test_environment_reaches_the_target(matrix, seen, core, host):
    assert matrix(core).result(host, "environment")["status"] == "ok", matrix(core).result(host, "environment")
    assert len(list((seen(core, host) / "a cache" / "tls.everywhere").glob("tls_everywhere-*"))) == 1


@each_case
def test_programs_are_kept_where_the_operator_wants(matrix, seen, core, host):
    assert matrix(core).result(host, "chosen directory")["changed"] is False
    directory = seen(core, host) / "programs"
    assert not (seen(core, host) / "an empty cache").exists()
    kept = list(directory.iterdir())
    assert [path.name.split("-")[0] for path in kept] == ["tls_everywhere"]
    assert directory.stat().st_mode & 0o777 == 0o700 and kept[0].stat().st_mode & 0o777 == 0o500


@each_case
def test_faults_of_the_table_and_of_the_program_are_told_at_once(matrix, core, host):
    result = matrix(core).result(host, "refused in two places")
    assert result["status"] == "failed" and result["error"]["kind"] == "input.invalid"
    assert "certificates[0].fils: unknown option, did you mean 'files'?" in result["msg"]
    paths = {fault["path"] for fault in result["faults"]}
    assert {"certificates[0].fils", "certificates[0].key.algorithm", "certificates[1].dns[0]"} <= paths, paths


@each_case
def test_the_program_lists_its_faults(matrix, core, host):
    result = matrix(core).result(host, "refused by the program")
    assert result["status"] == "failed" and result["error"]["kind"] == "input.invalid"
    assert any(fault["path"].startswith("certificates[0].dns") for fault in result["faults"]), result


@each_case
def test_no_log_hides_the_invocation(matrix, core, host):
    result = matrix(core).result(host, "hidden")
    assert result["status"] == "ok" and "invocation" not in result and "certificates" not in str(result.get("censored", ""))


def refused_in_the_background(host: str, result: dict) -> bool:
    """Whether the host is one where Ansible itself cannot start anything in the background, and it was said clearly."""
    # Without ACL two unprivileged users share no files, and async_wrapper is one.
    reasons = {"nopython": ASYNC_NEEDS_PYTHON, "ssh_become_other_without_acl": "Failed to set permissions"}
    if host not in reasons:
        return False
    assert result["status"] == "failed" and reasons[host] in result["msg"] and not result.get("changed"), result
    return True


@each_case
def test_async_with_polling(matrix, core, host):
    result = matrix(core).result(host, "waited for")
    if not refused_in_the_background(host, result):
        assert result["status"] == "ok" and result["changed"] is False, result
        assert set(result["certificates"]) == {"web"}


@each_case
def test_async_collected_later(matrix, seen, core, host):
    started = matrix(core).result(host, "started")
    if refused_in_the_background(host, started):
        return
    assert started["ansible_job_id"]
    result = matrix(core).result(host, "collected")
    assert result["status"] == "ok" and result["finished"] in (1, True) and result["changed"] is True, result
    assert (seen(core, host) / "later.crt").exists()


@pytest.mark.parametrize("host", ["local", "ssh_become_root"])
@each_core
def test_delegation_works_on_the_delegate(matrix, seen, core, host):
    assert matrix(core).result(host, "delegated")["status"] == "ok", matrix(core).result(host, "delegated")
    assert (seen(core, "nopython") / f"from-{host}.crt").exists()


@each_core
def test_no_secret_is_shown_or_logged(matrix, machine, core):
    played = matrix(core)
    assert len(played.lines) > 50 and "EXEC" in played.output and len(played.log) > 10_000, played.output[-3000:]
    for secret in (SECRET, VAULTED):
        for where, text in (("output", played.output), ("log", played.log), ("results", str(played.lines))):
            at = text.find(secret)
            assert at < 0, f"{where}: …{text[max(0, at - 300):at + 100]}…"


@each_core
def test_nothing_is_left_in_temporary_directories(matrix, machine, core):
    matrix(core)
    left = [path for home in (machine.work / "home").iterdir() for path in home.glob(".ansible/tmp/*")]
    assert left == []


@pytest.mark.parametrize("module", ["cert_request", "pki_ca"])
def test_every_result_is_documented(matrix, module):
    text = (TOP / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    documented = yaml.safe_load(text.split('RETURN = r"""')[1].split('"""')[0])
    # Ansible's own words.
    own = {"changed", "failed", "invocation", "warnings", "deprecations", "diff", "status", "exception"}
    tasks = {"cert_request": ["check", "real", "again", "refused by the program"], "pki_ca": ["environment", "chosen directory"]}
    for task in tasks[module]:
        result = matrix(NEWEST).result("local", task)
        assert {key for key in result if not key.startswith("_")} <= set(documented) | own
        for key in ("certificates", "authorities"):
            for facts in result.get(key, {}).values():
                assert set(facts) <= set(documented[key]["contains"])
