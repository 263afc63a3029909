# SPDX-License-Identifier: Apache-2.0
"""Trees of acme.sh, accounts of acme.sh, one account for all hosts, and the way from tests to real certificates."""

from __future__ import annotations

import shutil

from lab import GROUP, Lab, mode, openssl, touched, touching
from servers import SIGNING


def standin_acme_sh(lab, host, names, age=0, issuer="/C=US/O=Let's Encrypt/CN=R3", curve=None):
    """What acme.sh leaves under OpenDev's umask, made by openssl, since no package has acme.sh: a key in its old form, and a
    blank line in the chain as Let's Encrypt sends it."""
    authority = lab.place / "authority"
    if not authority.exists():
        authority.mkdir()
        root = ["-CA", authority / "root.cer", "-CAkey", authority / "root.key"]
        for file, subject, signer in (("root", "/C=US/O=Internet Security Research Group/CN=ISRG Root X1", ()), ("ca", issuer, root)):
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 3650, "-subj", subject, "-addext", "keyUsage=critical,keyCertSign", *signer,
                    "-keyout", authority / f"{file}.key", "-out", authority / f"{file}.cer", days_ago=100)
    name = names[0]
    directory = lab.directory(host) / name
    directory.mkdir(parents=True)
    key, request, extensions = directory / f"{name}.key", directory / f"{name}.csr", authority / "ext"
    if curve:
        openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", key)
    else:
        openssl("genrsa", "-traditional", "-out", key, "2048")
    openssl("req", "-new", "-sha256", "-key", key, "-subj", f"/CN={name}", "-out", request)
    extensions.write_text(f"subjectAltName={','.join(f'DNS:{each}' for each in names)}\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
                          "extendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=critical,CA:FALSE\n")
    openssl("x509", "-req", "-in", request, "-CA", authority / "ca.cer", "-CAkey", authority / "ca.key", "-CAcreateserial", "-days", 90, "-extfile", extensions,
            "-out", directory / f"{name}.cer", days_ago=age)
    shutil.copy(authority / "ca.cer", directory / "ca.cer")
    (directory / "fullchain.cer").write_text((directory / f"{name}.cer").read_text() + "\n" + (directory / "ca.cer").read_text())
    (directory / f"{name}.conf").write_text(f"Le_Domain='{name}'\nLe_Alt='{','.join(names[1:]) or 'no'}'\n")
    for path in [directory.parent, directory, *directory.iterdir()]:
        path.chmod(0o2750 if path.is_dir() else 0o640)
        shutil.chown(path, "root", GROUP)
    return directory


def test_a_tree_of_acme_sh_is_adopted_and_what_is_due_is_replaced(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test", "h2.example.test"], "due": ["h3.example.test"]})
    (place / "told").mkdir()
    standin_acme_sh(lab, "web1", ["h1.example.test", "h2.example.test"], curve="prime256v1")
    files, asked = lab.snapshot(), world.pebble.requests()
    handlers = touching(place / "told", "letsencrypt updated main", "letsencrypt updated due")
    lab.certs = {"web1": {"main": ["h1.example.test", "h2.example.test"]}}
    ran = lab.one(handlers)
    assert ran.changed() == 0 and lab.snapshot() == files and world.pebble.requests() == asked and touched(place / "told") == {}
    assert "[WARNING]" not in ran.text, "an ECDSA key is as good as one of the kind that would be made now"
    lab.certs["web1"]["due"] = ["h3.example.test"]
    standin_acme_sh(lab, "web1", ["h3.example.test"], age=70)
    lab.one(handlers)
    after = lab.snapshot()
    assert {path: after[path] for path in files if not path.endswith("letsencrypt-certs")} == {
        path: files[path] for path in files if not path.endswith("letsencrypt-certs")}, "the other is not touched"
    lab.assert_served("web1", "h3.example.test", ["h3.example.test"])
    assert touched(place / "told") == {"web1 letsencrypt updated due": 1}
    # A name more: the certificate that acme.sh made does not do any more.
    lab.certs["web1"]["main"].append("h4.example.test")
    lab.one(handlers)
    lab.assert_served("web1", "h1.example.test", ["h1.example.test", "h2.example.test", "h4.example.test"])
    assert touched(place / "told") == {"web1 letsencrypt updated due": 1, "web1 letsencrypt updated main": 1}


def test_staging_is_asked_where_it_is_set_and_its_certificates_do_not_stay(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test"]})
    standin_acme_sh(lab, "web1", ["h1.example.test"], issuer="/C=US/O=Let's Encrypt/CN=(STAGING) Ersatz Edamame E1")
    asked = world.pebble.requests()
    show = {"name": "Show", "ansible.builtin.debug": {"var": "_letsencrypt_settings.acme.directory"}}
    call = {"name": "Certificates", "ansible.builtin.import_role": {"name": "tls.everywhere.letsencrypt"}}
    for staging, directory, changes in ((True, "letsencrypt-staging", False), (False, "letsencrypt", True)):
        # Only foretold: nobody of the internet is asked.
        ran = lab.play([{"hosts": "web1", "tasks": [call, show]}], arguments=["--check"], letsencrypt_directory="", letsencrypt_use_staging=staging)
        assert f'directory": "{directory}"' in ran.text and (ran.changed() > 0) == changes
    assert world.pebble.requests() == asked


def test_an_account_of_acme_sh_is_gone_on_with(world, place):
    lab = Lab(place, world, web1={"one": ["h1.example.test"]})
    theirs = place / "acme.sh" / "ca" / "localhost" / "directory" / "account.key"
    theirs.parent.mkdir(parents=True)
    openssl("genrsa", "-traditional", "-out", theirs, "2048")
    before, accounts = theirs.read_text(), world.pebble.accounts()
    lab.one(letsencrypt_account_key=str(theirs))
    assert world.pebble.accounts() == accounts + 1 and not list((place / "web1/state").rglob("account.key")), "the account that acme.sh would have made"
    lab.certs = {"web1": {"one": ["h1.example.test"], "two": ["h2.example.test"]}}
    lab.one(letsencrypt_account_import=str(theirs))
    lab.assert_served("web1", "h2.example.test", ["h2.example.test"])
    (ours,) = (place / "web1/state").rglob("account.key")
    assert openssl("pkey", "-in", ours, "-pubout") == openssl("pkey", "-in", theirs, "-pubout") and mode(ours) == "0600"
    assert theirs.read_text() == before and world.pebble.accounts() == accounts + 1


def test_one_task_asks_for_all_hosts(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test", "h2.example.test"]}, web2={"main": ["h3.example.test"], "bad": ["blocked.example.test"]})
    central = {"letsencrypt_placement": "central", "letsencrypt_central_directory": str(place / "central")}
    accounts, updates = world.pebble.accounts(), world.primary.updates()
    ran = lab.one(ok=False, **central)
    lab.assert_served("web1", "h1.example.test", ["h1.example.test", "h2.example.test"])
    lab.assert_served("web2", "h3.example.test", ["h3.example.test"])
    assert ran.recap("web1", "failed") == 0 and ran.recap("web2", "failed") == 1 and "certificate 'bad' (blocked.example.test)" in ran.flat()
    assert world.pebble.accounts() == accounts + 1 and world.primary.updates() == updates + 2 and world.primary.texts(SIGNING) == []
    assert not list(place.glob("web*/state/*/account.key")) and list((place / "central").rglob("account.key"))
    del lab.certs["web2"]["bad"]
    assert lab.one(**central).changed() == 0


def test_certificates_of_the_mode_of_tests_are_replaced_by_real_ones(world, place):
    lab = Lab(place, world, web1={"main": ["h1.example.test"]})
    (place / "told").mkdir()
    handlers = touching(place / "told", "letsencrypt updated main")
    asked, updates = world.pebble.requests(), world.primary.updates()
    lab.one(handlers, letsencrypt_self_sign_only=True)
    assert world.pebble.requests() == asked and world.primary.updates() == updates
    root = place / "web1/state/test-authority/roots/letsencrypt-test-root/certs/letsencrypt-test-root.crt"
    lab.assert_served("web1", "h1.example.test", ["h1.example.test"], root)
    lab.one(handlers)
    lab.assert_served("web1", "h1.example.test", ["h1.example.test"])
    assert touched(place / "told") == {"web1 letsencrypt updated main": 2}
    assert lab.one(handlers).changed() == 0


def test_the_mode_of_tests_can_walk_the_way_into_the_dns(world, place):
    lab = Lab(place, world, web1={"main": ["o8.example.test", "o9.example.test"]})
    before = len(world.primary.texts("acme-file.test"))
    lab.three(letsencrypt_self_sign_only=True, letsencrypt_self_sign_publish=True)
    assert len(world.primary.texts("acme-file.test")) == before + 2
