# SPDX-License-Identifier: Apache-2.0
"""The life of a tree: made, left alone, renewed, regenerated, healed."""

from __future__ import annotations

import datetime
import shutil

import pytest
from cloud import CORES, INTERMEDIATE, QUICK, ROOT, Cloud, certificate, mode, openssl

CAS = {"pki_authorities": [ROOT, INTERMEDIATE]}


def wishes(cloud, *names, **more):
    """Authorities, certificates and their installation on each host."""
    return {
        **CAS, "pki_install_ca": [{"name": "ExampleCorpRoot"}],
        "pki_certificates": [certificate(name, **more) for name in names],
        "pki_install_certificates": [
            {"name": name, "type": kind, "dest": f"{cloud.work}/{{{{ inventory_hostname }}}}/{name}{ending}"}
            for name in names
            for kind, ending in (("certificate_chain", ".pem"), ("private_key", ".key"), ("ca_bundle", "-ca.pem"))
        ],
    }


@pytest.mark.parametrize("core", CORES)
def test_a_tree_is_made_verified_installed_and_left_alone(work, core):
    cloud = Cloud(work, hosts=("node1", "node2"), core=core)
    asked = wishes(cloud, "web", "db")
    cloud.run(**asked)
    for name in ("web", "db"):
        cloud.verify(name)
        for host in cloud.hosts:
            assert cloud.dest(host, f"{name}.pem").read_bytes() == cloud.leaf(name, "-chain").read_bytes()
            assert cloud.dest(host, f"{name}.key").read_bytes() == cloud.key(name).read_bytes()
            assert cloud.dest(host, f"{name}-ca.pem").read_bytes() == cloud.leaf(name, "-ca_bundle").read_bytes()
            assert mode(cloud.dest(host, f"{name}.key")) == "0600"
            assert mode(cloud.dest(host, f"{name}.pem")) == "0644"
    assert (work / "trust/node2/ExampleCorpRoot.crt").read_bytes() == cloud.authority("ExampleCorpRoot").read_bytes()
    assert (work / "updated-node1").exists()
    before = cloud.snapshot(work / "pki"), cloud.snapshot(work / "node1")
    again = cloud.run(**asked)
    assert again.changed() == 0, again.text
    assert (cloud.snapshot(work / "pki"), cloud.snapshot(work / "node1")) == before


def test_the_tree_has_the_paths_and_contents_of_upstream(cloud):
    cloud.run(**wishes(cloud, "web"), pki_key={"algorithm": "rsa", "size": 2048})
    files = {path for path in cloud.snapshot() if "." in path.rpartition("/")[2] or path.endswith("serial")}
    roots = "pki/roots/ExampleCorpRoot", "pki/roots/ExampleCorpIntermediate"
    expected = {f"pki/certs/{each}" for each in (
        "csr/web.csr", "private/web.key.pem", "certs/web.crt", "certs/web-chain.crt", "certs/web-ca_bundle.crt")}
    for root in roots:
        name = root.rpartition("/")[2]
        expected |= {f"{root}/{each}" for each in (
            "serial", "csr/ca_csr-1000.csr", f"private/{name}.key.pem", f"certs/{name}-1000.crt", f"certs/{name}.crt",
            f"certs/{name}-chain.crt")}
    assert files - {f"{root}/index.json" for root in roots} == expected
    assert cloud.key("web").read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    text = openssl("x509", "-in", cloud.leaf("web"), "-noout", "-text")
    assert "X509v3 Key Usage" not in text and "Extended Key Usage" not in text and "Basic Constraints" not in text
    assert "DNS:web, IP Address:10.0.0.1" in text and "sha256WithRSAEncryption" in text
    root = openssl("x509", "-in", cloud.authority("ExampleCorpRoot"), "-noout", "-subject", "-nameopt", "RFC2253")
    assert root.strip() == "subject=CN=Example Corp Root CA,ST=England,C=GB"


def test_organization_of_an_authority_works(cloud):
    named = dict(ROOT, organization_name="Example Corporation", organizational_unit_name="IT Security")
    cloud.run("main_ca.yml", pki_authorities=[named])
    subject = openssl("x509", "-in", cloud.authority("ExampleCorpRoot"), "-noout", "-subject", "-nameopt", "RFC2253")
    assert subject.strip() == "subject=CN=Example Corp Root CA,OU=IT Security,O=Example Corporation,ST=England,C=GB"


@pytest.mark.parametrize("regen", ["web", "true", True, ["web"]])
def test_pki_regen_cert_makes_a_new_key_and_certificate(cloud, regen):
    asked = wishes(cloud, "web", "db")
    cloud.run(**asked)
    serials, key = [cloud.serial(cloud.leaf(name)) for name in ("web", "db")], cloud.key("web").read_bytes()
    cloud.run("main_certs.yml", **asked, pki_regen_cert=regen)
    cloud.verify("web")
    assert cloud.serial(cloud.leaf("web")) != serials[0] and cloud.key("web").read_bytes() != key
    assert (cloud.serial(cloud.leaf("db")) == serials[1]) == (regen not in ("true", True))
    assert cloud.dest("node1", "web.key").read_bytes() == cloud.key("web").read_bytes()


def age(cloud, name, began, ends):
    """Sign the request of a leaf again, with other days: the certificate as time would have left it."""
    instant = lambda days: (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")
    base, ca = cloud.work / "ca", "ExampleCorpIntermediate"
    base.mkdir()
    (base / "index").touch()
    (base / "cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={base}/index\nnew_certs_dir={base}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
        "copy_extensions=copyall\nunique_subject=no\nx509_extensions=x\n[p]\ncommonName=supplied\n"
        "[x]\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    openssl("ca", "-batch", "-notext", "-config", base / "cnf", "-cert", cloud.authority(ca), "-in", cloud.pki / f"certs/csr/{name}.csr",
            "-keyfile", cloud.pki / f"roots/{ca}/private/{ca}.key.pem", "-startdate", instant(began), "-enddate", instant(ends),
            "-out", cloud.leaf(name))
    cloud.leaf(name, "-chain").write_text(cloud.leaf(name).read_text() + cloud.authority(ca).read_text())


@pytest.mark.parametrize(("ends", "renew_before", "is_renewed"), [(29, "", True), (31, "", False), (31, "40d", True), (29, "10d", False)])
def test_a_certificate_is_renewed_before_its_end_with_its_key(cloud, ends, renew_before, is_renewed):
    asked = wishes(cloud, "web", "db", ttl="300d")
    cloud.run(**asked)
    age(cloud, "web", ends - 300, ends)
    serials, key = [cloud.serial(cloud.leaf(name)) for name in ("web", "db")], cloud.key("web").read_bytes()
    cloud.run("main_certs.yml", **asked, pki_renew_before=renew_before)
    assert (cloud.serial(cloud.leaf("web")) != serials[0]) == is_renewed
    assert cloud.serial(cloud.leaf("db")) == serials[1] and cloud.key("web").read_bytes() == key
    cloud.verify("web")
    assert cloud.dest("node1", "web.pem").read_bytes() == cloud.leaf("web", "-chain").read_bytes()
    assert cloud.run("main_certs.yml", **asked, pki_renew_before=renew_before).changed() == 0


def test_a_removed_san_is_signed_again_with_the_same_key(cloud):
    first = wishes(cloud, "web", san={"dns": ["web", "old.example.org"], "ip": []})
    cloud.run(**first)
    key = cloud.key("web").read_bytes()
    cloud.run("main_certs.yml", **wishes(cloud, "web", san="DNS:web"))
    text = openssl("x509", "-in", cloud.leaf("web"), "-noout", "-ext", "subjectAltName")
    assert "old.example.org" not in text and cloud.key("web").read_bytes() == key


def test_states_that_upstream_never_heals_heal(cloud):
    asked = wishes(cloud, "web")
    broken = {**asked, "pki_certificates": [certificate("web", signed_by="Nobody")]}
    cloud.run(**CAS)
    failed = cloud.run("main_certs.yml", ok=False, **broken)
    assert "certificate 'web'" in failed.flat() and "Nobody" in failed.flat()
    cloud.run("main_certs.yml", **asked)  # corrected after a failed first signing
    cloud.verify("web")
    cloud.leaf("web").unlink()
    cloud.run("main_certs.yml", **asked)
    cloud.verify("web")
    other = [ROOT, INTERMEDIATE, dict(INTERMEDIATE, name="Other", cn="Other Intermediate")]
    cloud.run(**{**asked, "pki_authorities": other, "pki_certificates": [certificate("web", signed_by="Other")]})
    assert "Other Intermediate" in openssl("x509", "-in", cloud.leaf("web"), "-noout", "-issuer")
    cloud.verify("web")


def test_a_lost_or_encrypted_key_of_an_authority_is_named_and_nothing_is_made(cloud):
    asked = wishes(cloud, "web")
    cloud.run(**asked)
    before = cloud.snapshot(cloud.pki / "roots/ExampleCorpIntermediate/certs")
    key = cloud.pki / "roots/ExampleCorpIntermediate/private/ExampleCorpIntermediate.key.pem"
    content = key.read_bytes()
    key.unlink()
    failed = cloud.run(ok=False, **asked)
    assert "ExampleCorpIntermediate" in failed.flat() and "is lost" in failed.flat()
    key.write_bytes(content)
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:swordfish", "-out", cloud.work / "encrypted")
    key.write_bytes((cloud.work / "encrypted").read_bytes())
    failed = cloud.run("main_certs.yml", ok=False, **asked, pki_regen_cert="web")
    assert "web" in failed.flat() and "ExampleCorpIntermediate.key.pem" in failed.flat()
    assert cloud.snapshot(cloud.pki / "roots/ExampleCorpIntermediate/certs") == before


def test_regenerating_an_authority_keeps_key_and_leaves(cloud):
    asked = wishes(cloud, "web")
    cloud.run(**asked)
    leaf = cloud.serial(cloud.leaf("web"))
    old = cloud.serial(cloud.authority("ExampleCorpRoot"))
    cloud.run(**asked, pki_regen_ca="ExampleCorpRoot")
    assert cloud.serial(cloud.authority("ExampleCorpRoot")) != old
    assert cloud.authority("ExampleCorpRoot").readlink().name == "ExampleCorpRoot-1001.crt"
    assert cloud.serial(cloud.leaf("web")) == leaf
    cloud.verify("web")
    bundle = cloud.dest("node1", "web-ca.pem").read_text()
    assert cloud.authority("ExampleCorpRoot").read_text() in bundle
    assert [path.name for path in (cloud.work / "trust/node1").iterdir()] == ["ExampleCorpRoot.crt"]
    assert cloud.run(**asked).changed() == 0


def test_check_mode_predicts_and_changes_nothing(cloud):
    asked = wishes(cloud, "web")
    cloud.run("main_ca.yml", **asked)
    before = cloud.snapshot(cloud.work)
    ran = cloud.run(arguments=("--check",), **asked)
    after = {path: what for path, what in cloud.snapshot(cloud.work).items() if not path.startswith(("ansible", "play.yml", "."))}
    assert after == {path: what for path, what in before.items() if not path.startswith(("ansible", "play.yml", "."))}
    assert ran.changed() > 0


@pytest.mark.parametrize("location", ["setup_host", "host"])
def test_check_mode_over_nothing_foresees_everything(cloud, location):
    asked = wishes(cloud, "web")
    before = {path for path in cloud.work.rglob("*") if ".ansible" not in str(path)}
    ran = cloud.run(arguments=("--check",), **asked, pki_key_location=location)
    kept = ("ansible", "play.yml")
    made = {path for path in cloud.work.rglob("*")} - before
    assert not [path for path in made if not str(path.relative_to(cloud.work)).startswith((".ansible", *kept, ".cache"))]
    assert ran.changed() >= 3, ran.text  # authorities, certificate, files
    failed = cloud.run("main_certs.yml", arguments=("--check",), ok=False, **asked)
    assert "cannot read the CA certificate" in failed.flat(), "without authorities it is as wrong as the real run would be"


def test_directories_that_were_removed_come_back(cloud):
    asked = wishes(cloud, "web")
    cloud.run(**asked)
    key = cloud.key("web").read_bytes()
    for directory in ("certs", "csr"):
        shutil.rmtree(cloud.pki / "certs" / directory)
    assert cloud.run("main_certs.yml", arguments=("--check",), **asked).changed() > 0
    assert not (cloud.pki / "certs/certs").exists()
    cloud.run("main_certs.yml", **asked)
    cloud.verify("web")
    assert cloud.key("web").read_bytes() == key and mode(cloud.pki / "certs/certs") == "0755"
    shutil.rmtree(cloud.pki / "certs")
    cloud.run("main_certs.yml", **asked)
    cloud.verify("web")
    assert mode(cloud.pki / "certs/private") == "0700"


def test_a_certificate_outlives_no_midnight_of_the_ttl(cloud):
    cloud.run(**wishes(cloud, "web", ttl="30d"))
    end = openssl("x509", "-in", cloud.leaf("web"), "-noout", "-enddate").strip().partition("=")[2]
    left = datetime.datetime.strptime(end, "%b %d %H:%M:%S %Y GMT") - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    assert left.days == 29
    assert QUICK["curve"] == "P-256" and "prime256v1" in openssl("x509", "-in", cloud.leaf("web"), "-noout", "-text")
