# SPDX-License-Identifier: Apache-2.0
"""Authorities that refuse or are silent, commands that hang, files that were damaged: a real certmonger with helpers that do it."""

from __future__ import annotations

import stat
import subprocess

import pytest
from lab import Certificate, Until, clock, self_signed
from module import call, done, entry, unchanged


def helped(lab, name="web", **options):
    """A certificate of the helper."""
    return entry(lab, name, ca="helper", **options)


@pytest.mark.parametrize(("code", "kind", "state"), [
    (2, "certmonger.refused", "CA_REJECTED"), (3, "certmonger.unreachable", "CA_UNREACHABLE"), (4, "certmonger.stuck", "CA_UNCONFIGURED"),
])
def test_an_authority_that_does_not_issue_fails_the_certificate(lab, code, kind, state):
    lab.answers(code)
    answer = call(lab, helped(lab))
    assert answer.failure()["kind"] == kind and f"the helper says {code}" in answer.failure()["msg"]
    assert answer.failure()["hint"] and answer.changed and answer.renewed == []
    assert lab.listed(lab.file("web.crt"))["status"] == state
    lab.answers(0)
    assert done(lab, helped(lab)).of()["action"] == "issue", "the next run did not try again"
    unchanged(lab, helped(lab))


@pytest.mark.parametrize(("code", "kind"), [(2, "certmonger.refused"), (3, "certmonger.unreachable"), (4, "certmonger.refused")])
def test_a_refused_change_fails_and_keeps_the_pair_in_service(lab, code, kind):
    done(lab, helped(lab, dns=["web.example.org", "old.example.org"]))
    certificate, key = Certificate(lab.file("web.crt")), lab.file("web.key")
    serial = certificate.serial
    lab.answers(code)
    for attempt in ("first", "second"):
        answer = call(lab, helped(lab, key={"reuse": False}))
        assert answer.failure()["kind"] == kind and f"the helper says {code}" in answer.failure()["msg"], attempt
        assert certificate.serial == serial and certificate.belongs_to(key)
    lab.answers(0)
    answer = done(lab, helped(lab, key={"reuse": False}))
    assert answer.of()["action"] == "issue" and certificate.names == {"DNS:web.example.org"} and certificate.belongs_to(key)
    unchanged(lab, helped(lab))


def test_a_renewal_that_certmonger_did_itself_and_lost_is_a_warning(lab):
    done(lab, helped(lab))
    lab.answers(2)
    lab.getcert("resubmit", "-i", "web", "-w", check=False)
    answer = unchanged(lab, helped(lab))
    assert any("the helper says 2" in warning for warning in answer.of()["warnings"])


def test_an_answer_after_the_wait_is_taken_by_a_later_run(lab):
    lab.answers(5)
    answer = call(lab, helped(lab, issuer={"wait_timeout": "3s"}))
    assert answer.failure()["kind"] == "certmonger.timeout" and "wait" in answer.failure()["hint"]
    # The helper is asked every second: the end of the wait may fall into a question.
    assert any(f"state {state}" in answer.failure()["msg"] for state in ("CA_WORKING", "SUBMITTING")), answer.failure()["msg"]
    lab.answers(0)
    answer = done(lab, helped(lab))
    assert answer.renewed == ["web"] and lab.tracked() == 1
    unchanged(lab, helped(lab))


def test_a_change_that_is_refused_after_the_wait_fails_the_later_run(lab):
    done(lab, helped(lab, dns=["web.example.org", "old.example.org"]))
    lab.answers(5)
    assert call(lab, helped(lab, issuer={"wait_timeout": "3s"})).failure()["kind"] == "certmonger.timeout"
    lab.answers(2)
    answer = call(lab, helped(lab))
    assert answer.failure()["kind"] == "certmonger.refused", answer
    lab.answers(0)
    done(lab, helped(lab))
    unchanged(lab, helped(lab))


def test_a_refusal_that_was_under_way_when_the_task_came_is_a_failure(lab):
    done(lab, helped(lab, dns=["web.example.org", "old.example.org"]))
    lab.answers(2)
    lab.thinks(3)
    assert call(lab, helped(lab, issuer={"wait_timeout": "1s"})).failure()["kind"] == "certmonger.timeout"
    assert lab.listed(lab.file("web.crt"))["status"] == "SUBMITTING"
    answer = call(lab, helped(lab))
    assert answer.failure()["kind"] == "certmonger.refused", answer


def test_without_wait_a_certificate_is_pending_until_it_is_there(lab):
    lab.answers(5)
    wish = helped(lab, issuer={"wait": False})
    answer = done(lab, wish)
    assert answer.pending == ["web"] and answer.changed and answer.of()["action"] == "request" and answer.renewed == []
    # The key may still be on its way; from CA_WORKING on only the authority is waited for.
    Until()("the authority has it", lambda: lab.listed(lab.file("web.crt"))["status"] == "CA_WORKING")
    answer = done(lab, wish)
    assert answer.pending == ["web"] and not answer.changed and answer.of()["action"] == "wait"
    asked = lab.asked
    lab.answers(0)
    Until()("certmonger asked again by itself", lab.file("web.crt").exists)
    Until()("it is at rest", lambda: lab.listed(lab.file("web.crt"))["status"] == "MONITORING")
    answer = unchanged(lab, wish)
    assert answer.pending == [] and lab.asked > asked


@pytest.mark.parametrize("option", ["pre_save", "post_save"])
def test_a_command_that_hangs_ends_at_the_time_limit(lab, option):
    answer = call(lab, entry(lab, issuer={option: "/bin/sleep 8", "wait_timeout": "3s"}))
    assert answer.failure()["kind"] == "certmonger.command_runs" and "/bin/sleep 8" in answer.failure()["msg"]
    assert answer.seconds < 7.5 and lab.file("web.crt").exists() == (option == "post_save")
    Until()("the command ended", lambda: lab.listed(lab.file("web.crt"))["status"] == "MONITORING")
    assert not done(lab, entry(lab)).of()["reasons"]


def test_a_command_that_hangs_holds_up_the_others_no_longer_than_their_limit(lab):
    slow, other = entry(lab, "slow", issuer={"post_save": "/bin/sleep 9", "wait_timeout": "3s"}), entry(lab, "other", issuer={"wait_timeout": "4s"})
    answer = call(lab, slow, other)
    assert answer.failure("slow")["kind"] == "certmonger.command_runs"
    # certmonger itself does not write the files of another certificate while a command runs.
    assert answer.failure("other")["kind"] == "certmonger.timeout" and "POST_SAVED_CERT" in answer.failure("other")["hint"]
    assert answer.seconds < 8.5
    done(lab, entry(lab, "slow"), entry(lab, "other"))


def test_a_command_that_fails_does_not_hinder(lab):
    done(lab, entry(lab, issuer={"post_save": "/bin/false"}))
    done(lab, entry(lab, "other", issuer={"post_save": "/nonexistent/command"}))


def test_a_deleted_key_leads_to_a_new_pair(lab):
    done(lab, entry(lab))
    lab.file("web.key").unlink()
    answer = done(lab, entry(lab))
    assert answer.kinds() == {"missing"}
    assert Certificate(lab.file("web.crt")).belongs_to(lab.file("web.key"))
    unchanged(lab, entry(lab))


def test_certmonger_that_waits_for_a_deleted_key_for_ever_is_given_a_new_one(lab):
    done(lab, entry(lab))
    lab.file("web.key").unlink()
    lab.getcert("resubmit", "-i", "web")
    Until()("certmonger waits", lambda: lab.listed(lab.file("web.crt"))["status"] == "NEED_CSR")
    assert "missing" in done(lab, entry(lab)).kinds()
    assert Certificate(lab.file("web.crt")).belongs_to(lab.file("web.key"))
    unchanged(lab, entry(lab))


def test_a_deleted_certificate_is_issued_again(lab):
    done(lab, entry(lab))
    lab.file("web.crt").unlink()
    assert done(lab, entry(lab)).kinds() == {"missing"}
    unchanged(lab, entry(lab))


@pytest.mark.parametrize("end", ["key", "crt"])
def test_garbage_is_left_alone_or_replaced_as_the_options_say(lab, end):
    done(lab, entry(lab))
    lab.file(f"web.{end}").write_text("garbage\n")
    answer = call(lab, entry(lab))
    assert answer.failure()["kind"] == "files.unreadable" and lab.file(f"web.{end}").read_text() == "garbage\n"
    answer = done(lab, entry(lab, on_unreadable="replace"))
    assert "unreadable" in answer.kinds()
    assert Certificate(lab.file("web.crt")).belongs_to(lab.file("web.key"))
    assert stat.S_IMODE(lab.file("web.key").stat().st_mode) == 0o600
    unchanged(lab, entry(lab))


def test_garbage_that_certmonger_was_started_over_is_replaced(lab):
    lab.file("web.key").write_text("garbage\n")
    lab.getcert("request", "-I", "web", "-f", lab.file("web.crt"), "-k", lab.file("web.key"), "-D", "web.example.org", "-c", "local")
    Until()("certmonger wants a PIN", lambda: lab.listed(lab.file("web.crt"))["status"].endswith("_PIN"))
    done(lab, entry(lab, on_unreadable="replace"))
    unchanged(lab, entry(lab))


def test_a_key_of_another_certificate_is_noticed(lab):
    done(lab, entry(lab))
    self_signed("x", lab.file("x.crt"), lab.file("x.key"))
    lab.file("web.key").write_bytes(lab.file("x.key").read_bytes())
    answer = done(lab, entry(lab))
    assert "key" in answer.kinds()
    assert Certificate(lab.file("web.crt")).belongs_to(lab.file("web.key"))


def test_an_expired_certificate_of_other_names_is_replaced(lab):
    done(lab, entry(lab))
    old = ["openssl", "req", "-x509", "-key", lab.file("web.key"), "-out", lab.file("web.crt"), "-subj", "/CN=old", "-days", "1"]
    subprocess.run(old, check=True, capture_output=True, env=clock("2020-01-01"))
    answer = done(lab, entry(lab))
    assert {"expiry", "names", "issuer"} <= answer.kinds()
    assert "Local Signing Authority" in Certificate(lab.file("web.crt")).issuer
    unchanged(lab, entry(lab))


def test_an_encrypted_key_without_its_pin_is_not_touched(lab):
    pin = lab.file("pin")
    pin.write_text("secret\n")
    done(lab, entry(lab, issuer={"key_pin_file": str(pin)}))
    before = lab.file("web.key").read_bytes()
    answer = call(lab, entry(lab))
    assert answer.failure()["kind"] == "files.unreadable" and lab.file("web.key").read_bytes() == before


def test_a_nickname_of_another_file_is_not_taken_over(lab):
    lab.request("web", "first", "-D", "a.example.org")
    answer = call(lab, entry(lab))
    assert answer.failure()["kind"] == "certmonger.nickname_taken" and "first.crt" in answer.failure()["msg"]
    done(lab, entry(lab, issuer={"nickname": "web-2"}))
    assert lab.tracked() == 2


def test_two_certificates_for_one_file_are_refused_before_anything_is_done(lab):
    second = entry(lab)
    second["name"] = "second"
    answer = call(lab, entry(lab), second)
    assert answer.failed and "written twice" in answer.msg and lab.tracked() == 0


def test_faulty_options_are_told_all_at_once(lab):
    wish = entry(lab, ca="", uri=["https://x.example.org"], must_staple=True, principal=["a b"], key={"algorithm": "ed25519", "passphrase": "secret"},
                 issuer={"wait_timeout": "soon", "key_pin_file": "relative"})
    wish["files"] = [{"content": "combined", "path": "/tmp/x"}, {"content": "csr", "path": "/tmp/y"}]
    answer = call(lab, wish)
    told = "\n".join(f"{fault['path']}: {fault['message']}" for fault in answer["faults"])
    for word in ("certmonger.ca", "uri", "must_staple", "principal[0]", "key.passphrase", "key.algorithm", "wait_timeout", "key_pin_file", "'certificate'",
                 "'private_key'", "files[1].content"):
        assert word in told, f"{word} is not in {told}"
    assert "secret" not in str(answer)
    missing = call(lab, entry(lab, issuer={"key_pin_file": str(lab.file("pin"))}))
    assert "certificates[0].issuer.certmonger.key_pin_file" in missing.msg and "does not exist" in missing.msg


def test_a_missing_directory_is_told_before_anything_is_done(lab):
    wish = entry(lab)
    wish["files"][0]["path"] = str(lab.file("none/web.crt"))
    answer = call(lab, wish)
    assert answer.failed and "none" in answer.failure()["msg"] and lab.tracked() == 0
