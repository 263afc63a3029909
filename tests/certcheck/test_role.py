# SPDX-License-Identifier: Apache-2.0
"""The role certcheck: what it looks at, whom it tells and when, what it writes, and the page of many hosts."""

from __future__ import annotations

import configparser
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import fleet
import pytest
from lab import NEWEST, OLDEST, Lab, free_port


@pytest.fixture(scope="module", name="lab")
def cloud():
    """Three hosts with the role, set up by one play of the oldest ansible-core; all tests of this file look at them."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="tls-everywhere-certcheck-lab.", dir="/var/tmp"))
    lab = Lab(place)
    try:
        for name, days in [("keystone.example.com", 80), ("glance.example.com", 80), ("soon.example.com", 10), ("told.example.com", 10)]:
            lab.certificate(name, days)
        lab.serve()
        lab.wished = {
            "mixed": mixed(lab),
            "telling": {"certcheck_endpoints": endpoints(lab, "told.example.com"), "certcheck_sendmail": lab.mail_server(), "ssl_cert_check_days": 20,
                        "ssl_cert_check_email": "ops@example.com", "certcheck_mail_from": "certcheck@example.com",
                        "certcheck_command": ["sh", "-c", f'echo "$CERTCHECK_STATUS" >>{lab.place}/commanded; cat >/dev/null']},
            "trying": {"certcheck_endpoints": [{"service": "dead", "host": "127.0.0.1", "port": free_port()}], "certcheck_sendmail": f"{place}/broken",
                       "certcheck_run": False},
            "web": {"letsencrypt_certcheck_domains": ["*.example.com 443", f"localhost {lab.ports['keystone.example.com']}"]},
        }
        (place / "mixed").mkdir()
        (place / "mixed/ssldomains").write_text(f"# a comment\n\n*.example.com 443\nlocalhost {lab.ports['soon.example.com']}\n")
        planned = lab.play(list(lab.wished), arguments=["--check", "--limit", "mixed"], **lab.wished)
        assert planned.changed("mixed") > 0 and not (place / "mixed/hooks").exists(), "check mode changes nothing"
        lab.play(list(lab.wished), arguments=["--limit", "!web"], core=OLDEST, **lab.wished)
        yield lab
    finally:
        lab.close()
        shutil.rmtree(place)


def endpoints(lab, *names):
    """As a user writes them."""
    return [{"service": name.split(".", maxsplit=1)[0], "host": name, "address": "127.0.0.1", "port": lab.ports[name], "certificate": str(lab.pem(name))}
            for name in names]


def mixed(lab):
    """What a host is told of by everybody: cert_request's result, OpenDev's words, and the user's own."""
    glance, soon = lab.pem("glance.example.com"), lab.pem("soon.example.com")
    certificates = {
        "glance": {"files": [{"content": "private_key", "path": str(glance.with_suffix(".key"))},
                             {"content": "certificate", "path": str(glance.with_suffix(".crt"))}]},
        "agent": {"files": [{"content": "combined", "path": str(soon)}]},
        "waits": {"files": []},
    }
    return {"certcheck_endpoints": endpoints(lab, "keystone.example.com"), "certcheck_certificates": certificates, "certcheck_clients": ["agent"],
            "certcheck_domains": ["127.0.0.1:1"], "ssl_cert_check_days": 20, "certcheck_hosts": ["mixed", "web"], "certcheck_tell": "never",
            "letsencrypt_certcheck_additional_domains": [f"127.0.0.1 {lab.ports['glance.example.com']}"]}


def test_it_looks_at_everything_that_it_is_told_of_by_anybody(lab):
    """A second run, by the newest ansible-core, changes nothing of what the oldest has written."""
    home = lab.place / "mixed"
    config = json.loads((home / "hooks/certcheck.json").read_text())
    assert config["domains"] == ["127.0.0.1:1"] + [f"{host} {lab.ports[name]}" for host, name in [
        ("localhost", "soon.example.com"), ("localhost", "keystone.example.com"), ("127.0.0.1", "glance.example.com")]]
    assert config["warn"] == "20d" and config["trust"]["system"] is False
    assert [(entry["service"], entry["served"], "private_key" in entry) for entry in config["files"]] == [("glance", True, True), ("agent", False, False)]
    assert config["report"] == {"host": "mixed", "json": f"{home}/state/report.json", "html": f"{home}/state/index.html",
                                "prometheus": f"{home}/textfiles/certcheck.prom"}
    again = lab.play(list(lab.wished), arguments=["--limit", "mixed"], core=NEWEST, **lab.wished)
    assert again.changed("mixed") == 0, again.text
    report = json.loads((home / "state/report.json").read_text())
    assert len(report["endpoints"]) == 5 and len(report["files"]) == 2 and report["host"] == "mixed"
    [dead] = [entry for entry in report["endpoints"] if entry["port"] == 1]
    assert dead["status"] == "fail" and all(entry["chain"] for entry in report["endpoints"] if entry is not dead)


def test_prometheus_reads_what_it_writes(lab):
    textfile = lab.place / "mixed/textfiles/certcheck.prom"
    said = subprocess.run(["promtool", "check", "metrics"], input=textfile.read_bytes(), check=False, capture_output=True, timeout=60)
    assert said.returncode == 0 and said.stdout + said.stderr == b"", said
    # node_exporter does not run as root, and neither does a web server.
    assert textfile.stat().st_mode & 0o777 == (lab.place / "mixed/state/index.html").stat().st_mode & 0o777 == 0o644
    series = dict(line.rsplit(" ", 1) for line in textfile.read_text().splitlines() if not line.startswith("#"))
    [up] = [value for name, value in series.items() if name.startswith("certcheck_endpoint_up") and 'service="keystone"' in name]
    [ends] = [float(value) for name, value in series.items() if name.startswith("certcheck_file_not_after_timestamp_seconds") and "agent" in name]
    assert up == "1" and 9 * 86400 < ends - time.time() < 10 * 86400


def test_people_are_told_of_trouble_once_and_when_it_is_over(lab):
    [mail] = lab.mails()
    port = lab.ports["told.example.com"]
    assert f"Subject: [certcheck] telling: 0 fail, 1 warn; next to end: told at told.example.com:{port}" in mail and "To: ops@example.com" in mail
    assert "WARN (1)" in mail and f"told at told.example.com:{port}" in mail
    assert "WARN (1)" in lab.timer("telling") and len(lab.mails()) == 1, "the same trouble is not told again at once"
    told = lab.place / "telling/state/told"
    os.utime(told, (time.time() - 90000,) * 2)
    lab.timer("telling")
    assert len(lab.mails()) == 2, "but after a day"
    # Renewed, and HAProxy serves it: over.
    lab.certificate("told.example.com", 80)
    lab.serve()
    lab.timer("telling")
    assert len(lab.mails()) == 3 and "all well" in lab.mails()[2] and not told.exists()
    lab.timer("telling")
    assert len(lab.mails()) == 3 and (lab.place / "commanded").read_text().split() == ["warn", "warn", "ok"]


def test_one_page_shows_the_hosts_of_a_play(lab, tab):
    """A host without a report is named; one that is not in the play any more keeps its former report, and the page says how old that is."""
    [former] = fleet.reports(1, 3)
    kept = lab.place / "fleet/hosts"
    kept.mkdir(parents=True)
    (kept / "former.json").write_text(json.dumps({**former, "host": "former", "generated_at": "2020-01-01T00:00:00Z"}))
    role = {"tasks": [{"name": "The page", "ansible.builtin.include_role": {"name": "tls.everywhere.certcheck", "tasks_from": "fleet.yml"}}]}
    run = lab.play(list(lab.wished), role, ["--limit", "!web"], **lab.wished)
    assert f"The page is {lab.place}/fleet/index.html." in run.text and "There is no report of trying." in run.text
    page = tab(lab.place / "fleet/index.html")
    text = page.value("document.body.innerText")
    assert "3 hosts, 9 endpoints, 2 files" in text and "has not run for more than two days: former (2020-01-01)" in text
    services = page.value("Array.from(document.querySelectorAll('tbody th')).map(th => th.textContent)")
    assert {"told", "keystone", "agent", "nova-api"} <= set(services) and page.complaints() == []


def test_a_mail_that_cannot_be_sent_is_tried_again(lab):
    broken, sent = lab.place / "broken", lab.place / "sent"
    assert "so no mail is sent" in lab.timer("trying"), "no sendmail is no fault"
    (lab.place / "trying/state/told").unlink()
    broken.write_text("#!/bin/sh\nexit 75\n")
    broken.chmod(0o755)
    assert "nobody was told: mail failed" in lab.timer("trying", status=1)
    broken.write_text(f"#!/bin/sh\ncat >{sent}\n")
    assert "cannot connect" in lab.timer("trying")
    assert "1 fail, 0 warn" in sent.read_text() and "From: root\nTo: root\n" in sent.read_text()
    # A check that cannot be made is told too, and the unit fails.
    hook = lab.place / "trying/hooks/certcheck.json"
    hook.write_text(json.dumps({**json.loads(hook.read_text()), "endpoint": []}))
    assert "endpoint" in lab.timer("trying", status=1) and "could not check" in sent.read_text()


def test_systemd_understands_the_units_and_they_go(lab):
    """systemd does not run here; its own checker reads them where it is installed, and a reader of their form does everywhere."""
    place = lab.place / "mixed/units"
    timer, service = (configparser.ConfigParser(interpolation=None) for _ in range(2))
    timer.read(place / "tls-everywhere-certcheck.timer")
    service.read(place / "tls-everywhere-certcheck.service")
    assert timer["Timer"]["OnCalendar"] == "*-*-* 00/6:00:00" and timer["Timer"]["Persistent"] == "true"
    assert service["Service"]["ExecStart"] == f"{lab.place}/mixed/hooks/certcheck.sh"
    if shutil.which("systemd-analyze"):
        said = subprocess.run(["systemd-analyze", "verify", *map(str, place.iterdir())], check=False, capture_output=True, text=True, timeout=60)
        assert str(place) not in said.stderr and said.returncode == 0, said.stderr
    lab.play(["mixed", "web"], arguments=["--limit", "mixed"], mixed={**lab.wished["mixed"], "certcheck_state": "absent"})
    assert not list(place.iterdir()) and not list((lab.place / "mixed/hooks").iterdir()) and not list((lab.place / "mixed/textfiles").iterdir())
    assert (lab.place / "mixed/state/report.json").exists(), "what was found stays"
