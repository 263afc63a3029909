# SPDX-License-Identifier: Apache-2.0
"""Mistakes of callers and operators do no harm, and bad days end with the reason."""

from __future__ import annotations

import subprocess

import pytest
from cloud import INTERMEDIATE, ROOT, Cloud, certificate, mode, openssl, venv

CAS = {"pki_authorities": [ROOT, INTERMEDIATE]}


def install(cloud, file, /, **more):
    """An installation on the host of the play."""
    return {"dest": f"{cloud.work}/{{{{ inventory_hostname }}}}/{file}", **more}


def test_a_key_without_type_and_mode_is_closed(cloud):
    """Octavia's ca_key.pem and Keystone's IdP key at upstream's HEAD."""
    key = cloud.pki / "roots/ExampleCorpIntermediate/private/ExampleCorpIntermediate.key.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", cloud.work / "p.key",
            "-out", cloud.work / "p.pem", "-subj", "/CN=x")
    openssl("pkcs12", "-export", "-inkey", cloud.work / "p.key", "-in", cloud.work / "p.pem", "-out", cloud.work / "p.p12", "-passout", "pass:x")
    (cloud.work / "combined").write_text((cloud.work / "p.pem").read_text() + (cloud.work / "p.key").read_text())
    cloud.run(**CAS, pki_install_certificates=[
        install(cloud, "ca_key.pem", src=str(key)), install(cloud, "store.p12", src=f"{cloud.work}/p.p12"),
        install(cloud, "both.pem", src=f"{cloud.work}/combined", type="certificate"),
        install(cloud, "ca.pem", src=str(cloud.authority("ExampleCorpIntermediate")))])
    for name, expected in (("ca_key.pem", "0600"), ("store.p12", "0600"), ("both.pem", "0600"), ("ca.pem", "0644")):
        assert mode(cloud.dest("node1", name)) == expected, name


def test_modes_and_owners_are_as_asked_and_repaired(cloud):
    entry = install(cloud, "web.key", name="web", type="private_key", mode="0640", owner="nobody", group="daemon")
    asked = {**CAS, "pki_certificates": [certificate("web")], "pki_install_certificates": [entry]}
    cloud.run(**asked)
    key = cloud.dest("node1", "web.key")
    assert (mode(key), key.owner(), key.group()) == ("0640", "nobody", "daemon")
    content = key.read_bytes()
    key.chmod(0o666)
    assert cloud.run("main_certs.yml", **asked).changed() == 1
    assert mode(key) == "0640" and key.read_bytes() == content


def test_existing_directories_keep_their_mode(cloud):
    private = cloud.work / "node1"
    private.mkdir(mode=0o700)
    entries = [install(cloud, "web.key", name="web", type="private_key"), install(cloud, "new/deep/web.pem", name="web")]
    cloud.run(**CAS, pki_certificates=[certificate("web")], pki_install_certificates=entries)
    assert mode(private) == "0700" and mode(private / "new/deep") == "0755"


@pytest.mark.parametrize("name", ["../../evil", "x;touch INJECTED;y", "a/b", ".hidden", "$(touch INJECTED)"])
def test_names_neither_climb_nor_reach_a_shell(cloud, name):
    cloud.run("main_ca.yml", **CAS)
    ran = cloud.run("main_certs.yml", ok=None, pki_certificates=[certificate(name, cn="x", san="DNS:x")],
                    pki_install_certificates=[install(cloud, "x.pem", name=name)])
    assert not list(cloud.work.rglob("INJECTED")) and not list(cloud.work.parent.glob("evil*"))
    outside = [path for path in cloud.work.rglob("*evil*") if "certs/certs" not in str(path)]
    assert not outside
    assert (ran.status != 0) == ("/" in name or name.startswith(".")), ran.text


@pytest.mark.parametrize("authority", ["../evil", "a/../../b"])
def test_names_of_authorities_do_not_climb(cloud, authority):
    failed = cloud.run("main_ca.yml", ok=False, pki_authorities=[dict(ROOT, name=authority)])
    assert "cannot become a file name" in failed.flat() and not cloud.pki.exists()
    failed = cloud.run("main_certs.yml", ok=False, pki_certificates=[certificate("web", signed_by=authority)])
    assert "cannot become a file name" in failed.flat()


def test_no_key_or_passphrase_is_seen_with_diff_and_verbosity(cloud):
    cas = [dict(ROOT, key_passphrase="swordfish-root"), dict(INTERMEDIATE, key_passphrase="swordfish-int", ownca_key_passphrase="swordfish-root")]
    leaf = certificate("web", ownca_key_passphrase="swordfish-int", key_passphrase="swordfish-leaf")
    ran = cloud.run(arguments=("-vvvv", "--diff"), pki_authorities=cas, pki_certificates=[leaf],
                    pki_install_certificates=[install(cloud, "web.key", name="web", type="private_key")])
    assert "swordfish" not in ran.text
    assert "ENCRYPTED" in cloud.dest("node1", "web.key").read_text()
    for key in (cloud.dest("node1", "web.key"), cloud.pki / "roots/ExampleCorpRoot/private/ExampleCorpRoot.key.pem"):
        for line in [line for line in key.read_text().splitlines() if len(line) > 30 and "-----" not in line]:
            assert line not in ran.text
    again = cloud.run(arguments=("-vvvv",), pki_authorities=cas, pki_certificates=[leaf],
                      pki_install_certificates=[install(cloud, "web.key", name="web", type="private_key")])
    assert again.changed() == 0 and "swordfish" not in again.text


def test_unknown_keys_are_named_and_refused_on_request(cloud):
    odd = {"pki_authorities": [dict(ROOT, colour="red")], "pki_install_ca": [{"name": "ExampleCorpRoot", "taste": "sweet"}]}
    ran = cloud.run(**odd)
    assert "nobody knows 'colour'" in ran.flat() and "nobody knows 'taste'" in ran.flat()
    failed = cloud.run(ok=False, **odd, pki_strict=True)
    assert "pki_authorities['ExampleCorpRoot']: nobody knows 'colour', it has no effect" in failed.flat()


def test_an_unknown_backend_is_refused_and_the_other_one_wants_a_server(cloud):
    failed = cloud.run(ok=False, **CAS, pki_backend="acme")
    assert "backend 'acme' is not served by tls.everywhere.pki; there are standalone and hashi_vault" in failed.flat() and not cloud.pki.exists()
    failed = cloud.run(ok=False, **CAS, pki_backend="hashi_vault")
    assert "pki_hashi_vault_host: is missing" in failed.flat() and "vault_path: is missing" in failed.flat() and not cloud.pki.exists()


def test_an_unwritable_destination_on_one_of_three_hosts(three):
    (three.work / "node2").write_text("a file where the directory should be\n")
    entries = [install(three, "web.pem", name="web"), install(three, "web.key", name="web", type="private_key")]
    ran = three.run(ok=False, **CAS, pki_certificates=[certificate("web")], pki_install_certificates=entries)
    assert ran.recap("node2", "failed") == 1 and ran.recap("node1", "failed") == ran.recap("node3", "failed") == 0
    assert "fatal: [node2]" in ran.text and f"{three.work}/node2/web" in ran.flat()
    for host in ("node1", "node3"):
        assert three.dest(host, "web.key").read_bytes() == three.key("web").read_bytes()


def test_one_host_with_a_bad_certificate_does_not_spoil_the_others(three):
    wish = certificate("web_{{ inventory_hostname }}", san={"dns": ["{{ 'foo bar' if inventory_hostname == 'node2' else 'web' }}"]})
    entry = install(three, "web.pem", name="web_{{ inventory_hostname }}")
    ran = three.run(ok=False, **CAS, pki_certificates=[wish], pki_install_certificates=[entry])
    assert ran.recap("node2", "failed") == 1 and ran.recap("node1", "failed") == ran.recap("node3", "failed") == 0
    assert "certificate 'web_node2': dns[0]: 'foo bar'" in ran.flat()
    assert three.dest("node1", "web.pem").exists() and three.dest("node3", "web.pem").exists()


def test_two_hosts_that_wish_something_else_under_one_name(three):
    wish = certificate("same", san={"dns": ["{{ inventory_hostname }}"]})
    ran = three.run(ok=False, **CAS, pki_certificates=[wish])
    assert "'same' is wished by 'node1' too, with another dns" in ran.flat()


def test_a_setup_host_that_cannot_be_reached_leaves_everything(cloud):
    asked = {**CAS, "pki_certificates": [certificate("web")], "pki_install_certificates": [install(cloud, "web.pem", name="web")]}
    cloud.run(**asked)
    before = cloud.snapshot(cloud.work / "node1"), cloud.snapshot()
    with (cloud.work / "inventory").open("a") as inventory:
        inventory.write("gone ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1\n")
    ran = cloud.run("main_certs.yml", ok=False, **asked, pki_setup_host="gone", pki_setup_host_python_interpreter="/usr/bin/python3")
    assert "UNREACHABLE" in ran.text or "unreachable" in ran.text
    assert (cloud.snapshot(cloud.work / "node1"), cloud.snapshot()) == before


def test_another_setup_host_than_localhost(cloud):
    cloud.run(**CAS, pki_certificates=[certificate("web")], pki_setup_host="setup", pki_install_certificates=[install(cloud, "web.pem", name="web")],
              pki_setup_host_python_interpreter="/usr/bin/python3")
    assert cloud.dest("node1", "web.pem").read_bytes() == cloud.leaf("web").read_bytes()


def test_two_plays_at_once_make_one_tree(cloud):
    asked = {**CAS, "pki_certificates": [certificate(f"web{number}") for number in range(5)]}
    cloud.run("main_ca.yml", **CAS)
    cloud.run(**asked, arguments=("--syntax-check",))  # writes the playbook
    command = [venv(cloud.core) / "bin" / "ansible-playbook", "-i", cloud.work / "inventory", cloud.work / "play.yml"]
    plays = [subprocess.Popen(command, env=cloud.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    outputs = [play.communicate(timeout=120)[0] for play in plays]
    assert [play.returncode for play in plays] == [0, 0], "\n".join(outputs)
    for number in range(5):
        cloud.verify(f"web{number}")
    assert cloud.run(**asked).changed() == 0


def test_a_chain_edited_by_hand_is_mended_and_a_broken_certificate_is_named(cloud):
    asked = {**CAS, "pki_certificates": [certificate("web")]}
    cloud.run(**asked)
    serial, chain = cloud.serial(cloud.leaf("web")), cloud.leaf("web", "-chain")
    chain.write_text(cloud.leaf("web").read_text())
    cloud.run(**asked)
    assert chain.read_text() == cloud.leaf("web").read_text() + cloud.authority("ExampleCorpIntermediate").read_text()
    assert cloud.serial(cloud.leaf("web")) == serial
    cloud.leaf("web").write_text("edited\n")
    before = cloud.snapshot()
    failed = cloud.run("main_certs.yml", ok=False, **asked)
    assert "certificate 'web'" in failed.flat() and "certs/web.crt" in failed.flat() and cloud.snapshot() == before


def test_a_link_that_was_removed_comes_back(cloud):
    cloud.run(**CAS)
    link = cloud.authority("ExampleCorpIntermediate")
    content = link.read_bytes()
    link.unlink()
    cloud.run(**CAS)
    assert link.is_symlink() and link.read_bytes() == content


def test_a_renamed_host_gets_a_certificate_of_its_new_name(work):
    def asked(cloud):
        return {**CAS, "pki_certificates": [certificate("web_{{ inventory_hostname }}")], "pki_install_certificates": [
            {"name": "web_{{ inventory_hostname }}", "dest": f"{cloud.work}/etc/web.pem"}]}
    cloud = Cloud(work, hosts=("old",))
    cloud.run(**asked(cloud))
    before = cloud.leaf("web_old").read_bytes()
    cloud = Cloud(work, hosts=("new",))
    cloud.run(**asked(cloud))
    assert cloud.leaf("web_old").read_bytes() == before
    assert (work / "etc/web.pem").read_bytes() == cloud.leaf("web_new").read_bytes() != before
