# SPDX-License-Identifier: Apache-2.0
"""Certificates of a real certmonger: issued, left alone, changed. Witnesses are openssl and getcert."""

from __future__ import annotations

import grp
import os
import pwd
import stat

import pytest
from lab import Certificate, self_signed
from module import call, done, entry, unchanged


def pair(lab, name="web"):
    """Certificate and key file of an entry."""
    return Certificate(lab.file(f"{name}.crt")), lab.file(f"{name}.key")


@pytest.mark.parametrize(("ca", "issuer"), [("local", "Local Signing Authority"), ("self-sign", "web.example.org")])
def test_a_certificate_is_issued_and_the_next_run_changes_nothing(lab, ca, issuer):
    wish = entry(lab, ca=ca, ip=["192.0.2.7", "2001:db8::7"], email="root@example.org")
    foreseen = done(lab, wish, check=True)
    assert foreseen.changed and lab.tracked() == 0 and not lab.file("web.key").exists()
    answer = done(lab, wish)
    assert answer.of()["action"] == "issue" and answer.kinds() == {"missing", "tracking"}
    certificate, key = pair(lab)
    assert issuer in certificate.issuer
    assert certificate.names == {"DNS:web.example.org", "IP Address:192.0.2.7", "IP Address:2001:DB8:0:0:0:0:0:7", "email:root@example.org"}
    assert certificate.belongs_to(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert answer.of()["serial"].replace(":", "").upper().lstrip("0") == certificate.serial.lstrip("0")
    assert answer.renewed == ["web"] and answer.restart[0]["certificate"] == str(certificate.path)
    listed = lab.listed(certificate.path)
    assert listed["nickname"] == "web" and listed["status"] == "MONITORING" and listed["auto-renew"] == "yes"
    unchanged(lab, wish)
    assert certificate.serial == Certificate(certificate.path).serial


def test_subject_usages_and_principal_are_asked_for(lab):
    wish = entry(lab, common_name="web", subject={"country": "DE", "organization": "Ex, ample"}, key_usage=["digital_signature"],
                 extended_key_usage=["server_auth"], principal=["HTTP/web.example.org@EXAMPLE.ORG"])
    done(lab, wish)
    certificate, _ = pair(lab)
    assert certificate.subject == "CN=web,O=Ex\\, ample,C=DE"
    text = certificate.say("-ext", "keyUsage,extendedKeyUsage,subjectAltName")
    for word in ("Digital Signature\n", "TLS Web Server Authentication", "HTTP/web.example.org@EXAMPLE.ORG"):
        assert word in text
    assert "Client" not in text and "Encipherment" not in text
    unchanged(lab, wish)


def test_an_rsa_key_has_its_size(lab):
    wish = entry(lab, key={"algorithm": "rsa", "size": 2048})
    done(lab, wish)
    assert "2048 bit" in pair(lab)[0].say("-text")
    unchanged(lab, wish)


@pytest.mark.parametrize(("change", "kind"), [
    ({"dns": ["web.example.org", "www.example.org"]}, "names"),
    ({"dns": ["other.example.org"]}, "names"),
    ({"ip": ["192.0.2.9"]}, "names"),
    ({"common_name": "web"}, "subject"),
    ({"key_usage": ["digital_signature", "key_agreement"]}, "usages"),
    ({"ca": "self-sign"}, "issuer"),
    ({"issuer": {"profile": "special"}}, "issuer"),
])
def test_what_is_in_the_certificate_leads_to_a_new_one_with_the_same_key(lab, change, kind):
    done(lab, entry(lab))
    before, key = pair(lab)
    serial, public = before.serial, before.public_key
    changed = entry(lab, **change)
    assert kind in done(lab, changed, check=True).kinds()
    answer = done(lab, changed)
    assert kind in answer.kinds() and answer.of()["action"] == "issue"
    after, _ = pair(lab)
    assert after.public_key == public and after.belongs_to(key)
    assert (after.serial, after.issuer) != (serial, "") and answer.of()["previous_fingerprint_sha256"]
    unchanged(lab, changed)


def test_names_are_removed_too(lab):
    done(lab, entry(lab, dns=["web.example.org", "old.example.org"]))
    done(lab, entry(lab))
    assert pair(lab)[0].names == {"DNS:web.example.org"}


@pytest.mark.parametrize("key", [{"algorithm": "ecdsa", "curve": "P-384"}, {"algorithm": "rsa", "size": 2048}])
def test_another_kind_of_key_leads_to_a_new_key(lab, key):
    done(lab, entry(lab))
    public = pair(lab)[0].public_key
    answer = done(lab, entry(lab, key=key))
    assert answer.kinds() == {"key"}
    after, path = pair(lab)
    assert after.public_key != public and after.belongs_to(path)
    unchanged(lab, entry(lab, key=key))


@pytest.mark.parametrize(("before", "after", "word"), [
    ({"post_save": "/bin/true"}, {"post_save": "/bin/echo 'a b'"}, "post_save"),
    ({"pre_save": "/bin/true"}, {"pre_save": ""}, "pre_save"),
    ({}, {"auto_renew": False}, "auto_renew"),
    ({"auto_renew": False}, {"auto_renew": True}, "auto_renew"),
])
def test_commands_and_flags_change_without_a_new_certificate(lab, before, after, word):
    done(lab, entry(lab, issuer=before))
    serial = pair(lab)[0].serial
    changed = entry(lab, issuer=after)
    assert done(lab, changed, check=True).of()["action"] == "track"
    answer = done(lab, changed)
    assert answer.of()["action"] == "track" and answer.changed and answer.renewed == []
    assert any(word in reason["detail"] for reason in answer.of()["reasons"])
    assert pair(lab)[0].serial == serial
    listed = lab.listed(lab.file("web.crt"))
    assert listed["post-save command"] == after.get("post_save", "") and listed["pre-save command"] == after.get("pre_save", "")
    assert listed["auto-renew"] == ("no" if after.get("auto_renew") is False else "yes")
    unchanged(lab, changed)


def test_the_order_of_names_does_not_matter(lab):
    done(lab, entry(lab, dns=["a.example.org", "b.example.org"], ip=["192.0.2.1", "192.0.2.2"]))
    unchanged(lab, entry(lab, dns=["B.example.org", "a.example.org", "a.example.org"], ip=["192.0.2.2", "192.0.2.1"]))


def test_owner_and_mode_are_set_now_and_at_each_save(lab):
    done(lab, entry(lab))
    serial = pair(lab)[0].serial
    attributes = {"private_key": {"owner": "daemon", "group": "daemon", "mode": "0640"}, "certificate": {"mode": "0644"}}
    changed = entry(lab, attributes=attributes)
    answer = done(lab, changed)
    assert answer.of()["action"] == "track" and pair(lab)[0].serial == serial

    def of_key():
        found = lab.file("web.key").stat()
        return pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name, stat.S_IMODE(found.st_mode)

    assert of_key() == ("daemon", "daemon", 0o640)
    assert stat.S_IMODE(lab.file("web.crt").stat().st_mode) == 0o644
    unchanged(lab, changed)
    os.chown(lab.file("web.key"), 0, 0)
    lab.getcert("resubmit", "-i", "web", "-w")
    assert of_key() == ("daemon", "daemon", 0o640), "certmonger was not told"
    unchanged(lab, changed)


def test_a_mode_that_somebody_changed_is_repaired(lab):
    wish = entry(lab, attributes={"private_key": {"mode": "0600"}})
    done(lab, wish)
    lab.file("web.key").chmod(0o644)
    answer = done(lab, wish)
    assert answer.of()["action"] == "fix_attributes"
    assert stat.S_IMODE(lab.file("web.key").stat().st_mode) == 0o600


def test_files_that_certmonger_does_not_write_are_made_of_what_it_wrote(lab):
    combined, root = lab.file("web.pem"), lab.file("root.pem")
    files = [{"content": "combined", "path": str(combined), "mode": "0600"}, {"content": "root", "path": str(root)},
             {"content": "pkcs12", "path": str(lab.file("web.p12")), "passphrase": "changeit"}]
    wish = entry(lab, files=files)
    done(lab, wish)
    assert combined.read_text().count("BEGIN") == 2 and "PRIVATE KEY" in combined.read_text()
    assert Certificate(combined).serial == pair(lab)[0].serial
    assert "Local Signing Authority" in Certificate(root).subject
    unchanged(lab, wish)
    lab.getcert("resubmit", "-i", "web", "-w")
    answer = done(lab, wish)
    assert answer.of()["action"] == "rewrite", "a renewal by certmonger was not followed"
    assert Certificate(combined).serial == pair(lab)[0].serial
    unchanged(lab, wish)


def test_the_root_is_written_by_certmonger_where_it_is_wished(lab):
    wish = entry(lab, issuer={"ca_file": str(lab.file("ca.crt"))})
    done(lab, wish)
    assert "Local Signing Authority" in Certificate(lab.file("ca.crt")).subject
    unchanged(lab, wish)


def test_the_root_file_of_a_request_that_had_none_is_there_at_once(lab):
    done(lab, entry(lab))
    serial = pair(lab)[0].serial
    wish = entry(lab, issuer={"ca_file": str(lab.file("ca.crt"))})
    answer = done(lab, wish)
    assert answer.of()["action"] == "track" and pair(lab)[0].serial == serial
    assert "Local Signing Authority" in Certificate(lab.file("ca.crt")).subject
    unchanged(lab, wish)
    lab.file("ca.crt").unlink()
    assert done(lab, wish).kinds() == {"missing"}
    lab.getcert("resubmit", "-i", "web", "-w")
    assert "Local Signing Authority" in Certificate(lab.file("ca.crt")).subject
    unchanged(lab, wish)


def test_a_key_with_a_pin_is_used(lab):
    pin = lab.file("pin")
    pin.write_text("secret\n")
    wish = entry(lab, issuer={"key_pin_file": str(pin)})
    done(lab, wish)
    assert "ENCRYPTED" in lab.file("web.key").read_text()
    unchanged(lab, wish)


def test_forced_renewal_and_a_new_key(lab):
    done(lab, entry(lab))
    before = pair(lab)[0]
    serial, public = before.serial, before.public_key
    answer = done(lab, entry(lab, renew={"force": True}, key={"reuse": False}))
    assert answer.kinds() == {"forced"}
    after, key = pair(lab)
    assert after.serial != serial and after.public_key != public and after.belongs_to(key)


def test_many_are_asked_for_at_once(lab):
    wishes = [entry(lab, f"web{number}") for number in range(20)]
    answer = done(lab, *wishes)
    assert len(answer.renewed) == 20
    for number in range(20):
        certificate, key = pair(lab, f"web{number}")
        assert certificate.belongs_to(key)
    unchanged(lab, *wishes)


def test_absent_stops_tracking_and_removes_the_files(lab):
    wish = entry(lab)
    done(lab, wish)
    foreseen = done(lab, wish, state="absent", check=True)
    assert foreseen.changed and lab.tracked() == 1 and lab.file("web.crt").exists()
    answer = done(lab, wish, state="absent")
    assert answer.changed and answer.of()["action"] == "remove"
    assert lab.tracked() == 0 and not lab.file("web.crt").exists() and not lab.file("web.key").exists()
    unchanged(lab, wish, state="absent")


def test_a_request_of_getcert_is_adopted_as_it_is(lab):
    certificate, _ = pair(lab)
    lab.request("by-hand", "web", "-D", "web.example.org", "-C", "/bin/true")
    serial = certificate.serial
    unchanged(lab, entry(lab))
    assert certificate.serial == serial and lab.tracked() == 1
    answer = done(lab, entry(lab, issuer={"post_save": "/bin/echo"}))
    assert answer.of()["action"] == "track" and certificate.serial == serial
    listed = lab.listed(certificate.path)
    assert listed["nickname"] == "by-hand" and listed["post-save command"] == "/bin/echo"


def test_a_request_is_found_through_a_linked_directory(lab):
    link = lab.place / "linked"
    if not link.exists():
        link.symlink_to(lab.file(""))
    lab.request("by-hand", "web", "-D", "web.example.org", directory=link)
    unchanged(lab, entry(lab))


def test_a_certificate_of_the_same_authority_is_tracked_without_a_new_one(lab):
    done(lab, entry(lab))
    serial = pair(lab)[0].serial
    lab.getcert("stop-tracking", "-i", "web")
    answer = done(lab, entry(lab))
    assert answer.of()["action"] == "track" and answer.kinds() == {"tracking"}
    assert pair(lab)[0].serial == serial and lab.tracked() == 1
    unchanged(lab, entry(lab))


def test_a_certificate_of_somebody_else_is_not_taken_for_one_of_the_authority(lab):
    certificate, key = pair(lab)
    self_signed("web.example.org", certificate.path, key)
    public = certificate.public_key
    answer = done(lab, entry(lab))
    assert answer.kinds() == {"issuer", "tracking"} and answer.of()["action"] == "issue"
    assert "Local Signing Authority" in certificate.issuer and certificate.public_key == public
    unchanged(lab, entry(lab))


def test_the_key_may_move(lab):
    done(lab, entry(lab))
    moved = entry(lab)
    moved["files"][1]["path"] = str(lab.file("moved.key"))
    done(lab, moved)
    assert pair(lab)[0].belongs_to(lab.file("moved.key")) and lab.tracked() == 1
    unchanged(lab, moved)


def test_one_bad_entry_does_not_spoil_the_others(lab):
    lab.answers(2)
    answer = call(lab, entry(lab, "good"), entry(lab, "bad", ca="helper"), entry(lab, "unknown", ca="nobody"))
    assert answer.failed and answer.of("good")["action"] == "issue"
    assert answer.failure("bad")["kind"] == "certmonger.refused"
    assert answer.failure("unknown")["kind"] == "certmonger.unknown_ca" and "local" in answer.failure("unknown")["msg"]
