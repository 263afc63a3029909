# SPDX-License-Identifier: Apache-2.0
"""The daemon and its bus: absent, closed, restarted, private, full, in another language."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading

import pytest
from lab import Certificate, Until
from module import call, done, entry, unchanged


def in_background(lab, *entries, **options):
    """Run the module beside the test; the list gets its answer."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call(lab, *entries, **options)))
    thread.start()
    return thread, answers


def test_a_daemon_that_is_stopped_or_restarted_is_told_or_outlasted(own):
    own.add_helper()
    own.answers(1)
    thread, answers = in_background(own, entry(own, ca="helper"))
    Until()("the authority thinks about it", lambda: own.asked)
    own.stop("certmonger")
    own.answers(0)
    own.start_certmonger()
    # A certmonger that starts asks the authorities of what is under way.
    thread.join(60)
    assert answers and not answers[0].get("failed"), answers
    assert answers[0].renewed == ["web"] and Certificate(own.file("web.crt")).belongs_to(own.file("web.key"))
    unchanged(own, entry(own, ca="helper"))
    own.stop("certmonger")
    answer = call(own, entry(own, ca="helper"))
    assert answer.failure()["kind"] == "certmonger.not_running" and "systemctl start certmonger" in answer.failure()["hint"]
    own.stop("bus")
    answer = call(own, entry(own, ca="helper"))
    assert answer.failure()["kind"] == "certmonger.no_bus" and str(own.socket) in answer.failure()["msg"]


@pytest.mark.lab(policy='<allow send_destination="org.fedorahosted.certmonger" send_interface="org.fedorahosted.certmonger.request"/>')
def test_a_bus_that_refuses_is_told_with_what_to_do(own):
    Until()("certmonger is on the bus", lambda: b"org.fedorahosted.certmonger" in subprocess.run(
        ["dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames"],
        env=own.environment, capture_output=True, check=False).stdout)
    answer = call(own, entry(own))
    assert answer.failure()["kind"] == "certmonger.denied" and "become" in answer.failure()["hint"]


def owner_of_the_name(lab):
    """The process that is certmonger on the bus; None if there is none."""
    ask = ["dbus-send", "--system", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.GetConnectionUnixProcessID"]
    said = subprocess.run([*ask, "string:org.fedorahosted.certmonger"], env=lab.environment, capture_output=True, text=True, check=False)
    return int(said.stdout.split()[-1]) if said.returncode == 0 else None


def test_a_bus_that_can_start_certmonger_does_so_but_not_for_check_mode(own):
    own.stop("certmonger", "bus")
    own.socket.unlink(missing_ok=True)
    services = own.place / "services"
    services.mkdir()
    (services / "org.fedorahosted.certmonger.service").write_text(
        "[D-BUS Service]\nName=org.fedorahosted.certmonger\nExec=/usr/sbin/certmonger -S -n\nUser=root\n")
    own.policy += f"</policy><servicedir>{services}</servicedir><policy context='default'>"
    own.start_bus()
    assert call(own, entry(own), check=True).failure()["kind"] == "certmonger.not_running" and owner_of_the_name(own) is None
    done(own, entry(own))
    started = owner_of_the_name(own)
    assert started
    os.kill(started, signal.SIGTERM)


@pytest.mark.lab(private=True)
def test_a_private_socket_serves_without_a_bus(own):
    wish = entry(own)
    done(own, wish)
    assert Certificate(own.file("web.crt")).belongs_to(own.file("web.key"))
    unchanged(own, wish)
    by_option = entry(own, issuer={"address": f"unix:path={own.socket}"})
    unchanged(own, by_option, environment={"CERTMONGER_PVT_ADDRESS": ""})
    own.add_helper()
    own.answers(1)
    thread, answers = in_background(own, entry(own, "other", ca="helper"))
    Until()("the authority thinks about it", lambda: own.asked)
    own.processes["certmonger"].send_signal(signal.SIGKILL)
    thread.join(60)
    assert answers[0].failure("other")["kind"] == "certmonger.went_away"


def copied_requests(lab, count):
    """Requests as certmonger keeps them on disk, of the one that it has made."""
    text = next((lab.place / "requests").iterdir()).read_text()
    for number in range(count):
        (lab.place / "requests" / f"2026{number:010d}").write_text(re.sub(r"(?<=/)web(?=\.)|(?<=^id=)web$", f"web{number}", text, flags=re.MULTILINE))
        for end in ("crt", "key"):
            copy = lab.file(f"web{number}.{end}")
            copy.write_bytes(lab.file(f"web.{end}").read_bytes())
            copy.chmod(0o600)


def test_two_hundred_requests_are_read_once_and_quickly(own, record_property):
    done(own, entry(own))
    own.stop("certmonger")
    copied_requests(own, 199)
    own.start_certmonger()
    assert own.tracked() == 200
    wishes = [entry(own, f"web{number}", dns=["web.example.org"]) for number in range(50)]
    with open(own.place / "monitor", "wb") as log:
        rule = "type='method_call',destination='org.fedorahosted.certmonger'"
        monitor = subprocess.Popen(["dbus-monitor", "--system", rule], env=own.environment, stdout=log)
        Until()("the monitor is there", lambda: (own.place / "monitor").stat().st_size)
        before = os.times()
        answer = done(own, *wishes)
        after = os.times()
        own.getcert("list-cas")
        Until()("the monitor has seen all", lambda: b"get_known_cas" in (own.place / "monitor").read_bytes())
        monitor.terminate()
        monitor.wait()
    assert not answer.changed, {name: one["reasons"] for name, one in answer["certificates"].items()}
    calls = (own.place / "monitor").read_text().split("get_known_cas")[0]
    assert calls.count("member=get_requests") == 1 and calls.count("member=GetAll") == 201
    client = after.children_user + after.children_system - before.children_user - before.children_system
    record_property("seconds", answer.seconds)
    print(f"200 requests tracked, 50 certificates without change: {answer.seconds:.3f} s, {client:.2f} s CPU of the client")
    assert answer.seconds < 5


def test_another_language_changes_nothing(own):
    place = own.place / "locale"
    place.mkdir()
    subprocess.run(["localedef", "-i", "pl_PL", "-f", "UTF-8", place / "pl_PL.UTF-8"], capture_output=True, check=False)
    polish = {"LOCPATH": str(place), "LC_ALL": "pl_PL.UTF-8", "LANGUAGE": "pl"}
    day = subprocess.run(["date", "-d", "2026-11-25", "+%A"], env={**own.environment, **polish}, capture_output=True, text=True, check=True).stdout
    assert day == "środa\n", "there is no Polish here"
    own.stop("certmonger")
    with open(own.place / "certmonger.log", "ab") as log:
        own.processes["certmonger"] = subprocess.Popen(["certmonger", "-S", "-n"], env={**own.environment, **polish}, stdout=log, stderr=log)
    Until()("certmonger answers", lambda: own.getcert("list-cas", check=False).returncode == 0)
    own.add_helper()
    done(own, entry(own), environment=polish)
    unchanged(own, entry(own), environment=polish)
    own.answers(2)
    assert call(own, entry(own, "other", ca="helper"), environment=polish).failure("other")["kind"] == "certmonger.refused"
