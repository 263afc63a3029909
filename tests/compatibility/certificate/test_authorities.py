# SPDX-License-Identifier: Apache-2.0
"""The CAs that certmonger knows, the trust in its own, and revocation lists: by the role certmonger, with getcert and openssl as witnesses."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import re
import socket
import subprocess
import threading

import pytest
from lab import TOP, belongs, names, openssl, wait_until

FILES = TOP / "roles/certmonger/files"
ROLE = "tls.everywhere.certmonger"


def helper(lab, name):
    """What getcert says that certmonger runs for a CA; None if it does not know the CA."""
    found = re.search(rf"^CA '{name}':\n(?:\t(?!helper).*\n)*\thelper-location: (.*)$", lab.getcert("list-cas").stdout, re.MULTILINE)
    return found.group(1) if found else None


def settings(lab, **more):
    """The role's variables for the lab."""
    return {
        "certmonger_local_ca": False, "certmonger_program_directory": f"{lab.place}/libexec", "certmonger_unit_directory": f"{lab.place}/units",
        "certmonger_hook_directory": str(lab.at("/etc/tls-everywhere")), **more,
    }


def test_cas_are_added_changed_and_removed_and_a_second_run_does_nothing(lab):
    wished = [
        {"name": "vnc", "subca": "vnc"}, {"name": "ours", "command": ["/opt/helper", "a b"]},
        {"name": "scep", "scep": {"url": "http://127.0.0.1:9/scep", "identifier": "x"}},
    ]
    _text, changed = lab.play(ROLE, **settings(lab, certmonger_cas=wished))
    assert changed > 0
    assert helper(lab, "vnc") == f"{lab.place}/libexec/ipa-subca vnc {helper(lab, 'IPA')}" and helper(lab, "ours") == "/opt/helper 'a b'"
    assert helper(lab, "scep").endswith("/scep-submit -u http://127.0.0.1:9/scep -i x")
    assert lab.play(ROLE, **settings(lab, certmonger_cas=wished))[1] == 0
    wished = [{"name": "ours", "command": "/opt/other"}, {"name": "scep", "state": "absent"}]
    text, _changed = lab.play(ROLE, arguments=["--check"], **settings(lab, certmonger_cas=wished))
    assert helper(lab, "ours") == "/opt/helper 'a b'", text
    lab.play(ROLE, **settings(lab, certmonger_cas=wished))
    assert helper(lab, "ours") == "/opt/other" and helper(lab, "scep") is None


def test_a_module_of_this_collection_signs_what_certmonger_tracks(lab):
    """The role installs the program and its options; the key is certmonger's, the authority's files are the module's."""
    tree = lab.place / "authorities"
    options = {"backend": {"files": {"directory": str(tree)}}, "authorities": [{"name": "Root", "state": "active", "key": {"algorithm": "ecdsa"}}]}
    text, _changed = lab.play("tls.everywhere.certmonger", arguments=["-v"], **settings(lab, certmonger_cas=[{"name": "tree", "pki_ca": options}]))
    assert str(tree) not in text, "options may hold secrets"
    program = f"{lab.place}/libexec/pki_ca"
    written = lab.at("/etc/tls-everywhere") / "ca-tree.json"
    assert helper(lab, "tree") == f"{program} --certmonger {written}" and written.stat().st_mode & 0o777 == 0o600
    request = {"name": "tracked", "dns": "tracked.example.org", "ca": "tree"}
    lab.play("tls.everywhere.certificate", certificate_requests=[request])
    found = lab.at("/etc/pki/tls/certs/tracked.crt")
    root = tree / "roots/Root/certs/Root.crt"
    assert openssl("verify", "-CAfile", str(root), str(found)).strip().endswith(": OK")
    absent = [{"name": "tree", "pki_ca": options, "state": "absent"}]
    text, _changed = lab.play("tls.everywhere.certmonger", arguments=["-v"], **settings(lab, certmonger_cas=absent))
    assert str(tree) not in text
    assert helper(lab, "tree") is None and not written.exists()
    assert lab.play("tls.everywhere.certmonger", **settings(lab, certmonger_cas=absent))[1] == 0


def test_a_role_of_vault_signs_what_certmonger_tracks(lab):
    """A real OpenBao behind the role's entry; its token is a secret in the options."""
    found = importlib.util.spec_from_file_location("openbao", TOP / "tests/openbao.py")
    openbao = importlib.util.module_from_spec(found)
    found.loader.exec_module(openbao)
    server = openbao.OpenBao(lab.place / "bao", tls=True)
    try:
        server.api("sys/mounts/pki", {"type": "pki", "config": {"max_lease_ttl": "8760h"}})
        root = server.api("pki/root/generate/internal", {"common_name": "Bao Root", "key_type": "ec", "key_bits": 256})["certificate"]
        (lab.place / "bao" / "root.pem").write_text(root, encoding="utf-8")
        server.api("pki/roles/web", {"allow_any_name": True, "key_type": "any"})
        vault = {"url": [server.url], "ca_path": str(server.authority), "role": "web", "auth": {"token": openbao.TOKEN}}
        wished = [{"name": "vault", "cert_request": {"certificates": [{"ttl": "20d", "issuer": {"vault": vault}}]}}]
        text, _changed = lab.play(ROLE, arguments=["-v"], **settings(lab, certmonger_cas=wished))
        assert openbao.TOKEN not in text
        written = lab.at("/etc/tls-everywhere") / "ca-vault.json"
        assert helper(lab, "vault") == f"{lab.place}/libexec/cert_request --certmonger {written}" and written.stat().st_mode & 0o777 == 0o600
        lab.play("tls.everywhere.certificate", certificate_requests=[{"name": "vaulted", "dns": "vaulted.example.org", "ca": "vault"}])
        made = lab.at("/etc/pki/tls/certs/vaulted.crt")
        assert openssl("verify", "-CAfile", str(lab.place / "bao" / "root.pem"), str(made)).strip().endswith(": OK")
        assert lab.play(ROLE, **settings(lab, certmonger_cas=wished))[1] == 0
    finally:
        server.close()


@pytest.fixture
def scep(lab):
    """A real SCEP server (micromdm's) that signs for who knows the challenge password; its URL and its CA's file."""
    depot, password = lab.place / "depot", "secret words"
    depot.mkdir()
    # Not by its own command: that one's certificate may not sign messages, and certmonger takes none from it.
    usage = "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign,cRLSign"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=scep-test/CN=SCEP CA", "-addext", usage, "-days", "30",
            "-keyout", str(depot / "plain.key"), "-out", str(depot / "ca.pem"))
    openssl("rsa", "-in", str(depot / "plain.key"), "-traditional", "-aes128", "-passout", "pass:x", "-out", str(depot / "ca.key"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (lab.place / "scepserver.log").open("ab")
    # It takes no address, so it listens on all of them for these seconds.
    command = ["scepserver", "-depot", depot, "-port", str(port), "-challenge", password, "-allowrenew", "0", "-capass", "x"]
    server = subprocess.Popen(command, stdout=log, stderr=log)
    log.close()
    wait_until(lambda: answers(port), "the SCEP server does not listen")
    for name, text in (("right", password), ("wrong", "wrong words")):
        (lab.place / f"{name}.txt").write_text(text, encoding="utf-8")
    yield f"http://127.0.0.1:{port}/scep", depot / "ca.pem", password
    server.terminate()
    server.wait(timeout=60)


def answers(port):
    """Whether something listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_real_scep_server_signs_for_the_right_password_only(lab, scep):
    """As far as the two can talk: this server encrypts its answer with DES, which certmonger cannot read any more (0.79.17). That it signed
    shows in its depot, and what certmonger says of it must not pass for success."""
    url, authority, password = scep
    lab.play(ROLE, **settings(lab, certmonger_cas=[{"name": "scep", "scep": {"url": url, "signing_ca_file": str(authority)}}]))
    for word, signed, said in (("wrong", 0, "the CA 'scep' refuses the certificate: Transaction"), ("right", 1, "state NEED_GUIDANCE")):
        request = {"name": word, "dns": f"{word}.example.org", "ca": "scep", "challenge_password_file": f"{lab.place}/{word}.txt"}
        text, _changed = lab.play("tls.everywhere.certificate", ok=False, certificate_requests=[request])
        assert said in text and password not in text
        made = [path for path in authority.parent.glob("*.pem") if path != authority]
        assert len(made) == signed, lab.place
    assert "OK" in openssl("verify", "-CAfile", str(authority), str(made[0])) and belongs(made[0], lab.at("/etc/pki/tls/private/right.key"))
    assert names(made[0]) == {"right.example.org"}


def test_without_certmonger_the_failure_says_so(lab):
    lab.processes[1].terminate()
    lab.processes[1].wait(timeout=60)
    text, _changed = lab.play(ROLE, ok=False, **settings(lab, certmonger_cas=[{"name": "ours", "command": "/opt/helper"}]))
    assert "certmonger does not tell its CAs" in text


def test_the_sub_ca_is_in_the_environment_of_freeipas_own_helper(lab):
    shown = subprocess.run(
        [FILES / "ipa-subca", "vnc", "/usr/bin/env"], env={"PATH": os.environ["PATH"], "CERTMONGER_OPERATION": "SUBMIT"}, check=True, capture_output=True,
        text=True, timeout=60,
    ).stdout
    assert "CERTMONGER_CA_ISSUER=vnc\n" in shown and "CERTMONGER_OPERATION=SUBMIT\n" in shown


def test_certmongers_own_ca_is_taken_out_without_openssl_and_again_when_it_is_another(lab):
    file, updated = lab.place / "anchors/cm-local-ca.pem", lab.place / "updated"
    values = settings(
        lab, certmonger_local_ca=True, certmonger_local_ca_file=str(file), certmonger_update_trust=["/usr/bin/touch", str(updated)],
        __certificate_is_booted=False,
    )
    (lab.place / "units").mkdir()
    lab.play(ROLE, **values)
    subject = openssl("x509", "-in", str(file), "-noout", "-subject")
    assert "Local Signing Authority" in subject and updated.exists() and file.stat().st_mode & 0o777 == 0o644
    credentials = openssl("pkcs12", "-in", f"{lab.place}/local/creds", "-nokeys", "-nodes", "-passin", "pass:", "-legacy")
    assert "".join(file.read_text().split()) in "".join(credentials.split()), "what puppet took out by openssl"
    updated.unlink()
    assert lab.play(ROLE, **values)[1] == 0 and not updated.exists()
    (lab.place / "local/creds").unlink()
    assert lab.play(ROLE, **values)[1] == 1 and updated.exists() and openssl("x509", "-in", str(file), "-noout", "-subject") != subject
    path = (lab.place / "units/tls-everywhere-local-ca.path").read_text()
    assert "PathChanged=/var/lib/certmonger/local/creds" in path


def test_a_helper_that_says_nothing_leaves_the_trust_as_it_is(tmp_path):
    target = tmp_path / "ca.pem"
    target.write_text("before")
    done = subprocess.run([FILES / "certmonger-local-ca", "/bin/true", target, "/bin/false"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "stays as it is" in done.stderr and target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture
def revoked(tmp_path):
    """A server with the list of an authority in both forms."""
    place = tmp_path / "www"
    place.mkdir()
    (place / "index.txt").write_text("")
    (place / "ca.cnf").write_text("[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n")
    make = functools.partial(subprocess.run, cwd=place, check=True, capture_output=True, timeout=60)
    make(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=CRL", "-keyout", "ca.key", "-out", "ca.crt"])
    make(["openssl", "ca", "-gencrl", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.crt", "-out", "list.pem"])
    make(["openssl", "crl", "-in", "list.pem", "-outform", "DER", "-out", "list.der"])
    (place / "page.html").write_text("<html>")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=place))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", place
    server.shutdown()
    server.server_close()


def test_a_revocation_list_is_fetched_as_pem_and_its_readers_are_told_once(lab, revoked):
    url, place = revoked
    target, told = lab.place / "crl/list.pem", lab.place / "told"
    crl = {"name": "ca", "url": f"{url}/list.der", "path": str(target), "reload": [f"echo one >>{told}", f"echo two >>{told}"]}
    (lab.place / "units").mkdir()
    values = settings(lab, certmonger_crls=[crl], __certificate_is_booted=False)
    lab.play(ROLE, **values)
    assert openssl("crl", "-in", str(target), "-noout", "-issuer") and target.read_text().split() == (place / "list.pem").read_text().split()
    assert told.read_text() == "one\ntwo\n"
    assert lab.play(ROLE, **values)[1] == 0 and told.read_text() == "one\ntwo\n"
    service = (lab.place / "units/tls-everywhere-crl-ca.service").read_text()
    started = re.search(r"^ExecStart=(.*)$", service, re.MULTILINE).group(1)
    done = subprocess.run(["bash", "-c", started], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == f"'{target}' is current\n"
    assert "OnCalendar=*-*-* 00/2:00:00" in (lab.place / "units/tls-everywhere-crl-ca.timer").read_text()


@pytest.mark.parametrize(("what", "text"), [("page.html", "is no revocation list"), ("none", "404")])
def test_what_is_no_list_does_not_take_the_place_of_one(revoked, tmp_path, what, text):
    url, place = revoked
    target = tmp_path / "list.pem"
    program = FILES / "certmonger-crl"
    subprocess.run([program, f"{url}/list.pem", target], check=True, capture_output=True, timeout=60)
    done = subprocess.run([program, f"{url}/{what}", target], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and text in done.stderr and target.read_text() == (place / "list.pem").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.pem", "www"]
