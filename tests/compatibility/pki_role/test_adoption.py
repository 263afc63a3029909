# SPDX-License-Identifier: Apache-2.0
"""A tree that upstream made is taken over without a change. Upstream's code cannot be carried here, so `openssl` makes
the tree as upstream does: its files, links, modes, text forms, alternative names of authorities, and no O or OU."""

from __future__ import annotations

import os

import pytest
from cloud import INTERMEDIATE, ROOT, Cloud, certificate, openssl

# As OpenStack-Ansible's group_vars describe them: with what upstream never put into a certificate.
SILENT = {"organization_name": "Example Corporation", "organizational_unit_name": "IT Security", "email_address": "pki@example.com"}
DESCRIBED = [{**ROOT, **SILENT}, {**INTERMEDIATE, **SILENT}]
RSA = {"algorithm": "rsa", "size": 2048}


def upstream_key(path):
    """PKCS#1, 0600."""
    openssl("genrsa", "-traditional", "-out", path, "2048")
    path.chmod(0o600)


def upstream_request(key, path, subject, san, extensions=()):
    """A request as community.crypto makes it; authorities get their common name as alternative name."""
    config = path.with_suffix(".cnf")
    names = "\n".join(f"{kind}.{index} = {value}" for index, (kind, value) in enumerate(san))
    lines = [f"{name} = {value}" for name, value in extensions]
    config.write_text("\n".join(
        ["[req]", "distinguished_name = dn", "req_extensions = ext", "[dn]", "[ext]", "subjectAltName = @names", *lines, "[names]", names, ""]))
    openssl("req", "-new", "-key", key, "-subj", subject, "-out", path, "-config", config)
    config.unlink()


def upstream_sign(request, path, key, issuer=None, days=3650):
    """Extensions of the request, SKI, and AKI below an issuer."""
    extra = path.with_suffix(".ext")
    extra.write_text("subjectKeyIdentifier = hash\n" + ("authorityKeyIdentifier = keyid\n" if issuer else ""))
    signer = ["-CA", issuer, "-CAkey", key] if issuer else ["-signkey", key]
    openssl("x509", "-req", "-in", request, *signer, "-days", days, "-copy_extensions", "copyall", "-extfile", extra, "-out", path,
            "-set_serial", f"0x{os.urandom(19).hex()}")
    extra.unlink()


def upstream_authority(pki, name, cn, constraints, signer=None):
    """roots/NAME with everything in it."""
    base = pki / "roots" / name
    for part, mode in (("csr", 0o700), ("private", 0o700), ("certs", 0o755)):
        (base / part).mkdir(parents=True)
        (base / part).chmod(mode)
    (base / "serial").write_text("1000")
    key, request, certs = base / "private" / f"{name}.key.pem", base / "csr" / "ca_csr-1000.csr", base / "certs"
    upstream_key(key)
    usage = ("keyUsage", "digitalSignature,keyCertSign,cRLSign")
    upstream_request(key, request, f"/C=GB/ST=England/CN={cn}", [("DNS", cn)], [usage, ("basicConstraints", f"critical,{constraints}")])
    above = pki / "roots" / str(signer)
    upstream_sign(request, certs / f"{name}-1000.crt", above / f"private/{signer}.key.pem" if signer else key,
                  above / f"certs/{signer}.crt" if signer else None)
    (certs / f"{name}-1000.crt.info").write_text("changed: false\n")
    (certs / f"{name}.crt").symlink_to(f"{name}-1000.crt")
    if signer:
        chain = (certs / f"{name}.crt").read_text() + (above / f"certs/{signer}.crt").read_text()
        (certs / f"{name}-chain.crt").write_text(chain)
    else:
        (certs / f"{name}-chain.crt").symlink_to(f"{name}.crt")


def upstream_leaf(pki, name, san, extensions=(), days=3650, signer="ExampleCorpIntermediate"):
    """certs/ with the files of one certificate."""
    certs, above = pki / "certs", pki / "roots" / signer
    for part in ("csr", "private", "certs"):
        (certs / part).mkdir(parents=True, exist_ok=True)
    key, leaf = certs / f"private/{name}.key.pem", certs / f"certs/{name}.crt"
    upstream_key(key)
    upstream_request(key, certs / f"csr/{name}.csr", f"/CN={name}", san, extensions)
    upstream_sign(certs / f"csr/{name}.csr", leaf, above / f"private/{signer}.key.pem", above / f"certs/{signer}.crt", days)
    (certs / f"certs/{name}-chain.crt").write_text(leaf.read_text() + (above / f"certs/{signer}.crt").read_text())
    (certs / f"certs/{name}-ca_bundle.crt").write_text((above / f"certs/{signer}-chain.crt").read_text())
    (certs / f"certs/{name}.info").write_text("changed: false\n")


def upstream_tree(pki):
    """Two authorities, a server, and a peer with usages."""
    upstream_authority(pki, "ExampleCorpRoot", ROOT["cn"], "CA:TRUE")
    upstream_authority(pki, "ExampleCorpIntermediate", INTERMEDIATE["cn"], "CA:TRUE,pathlen:0", "ExampleCorpRoot")
    upstream_leaf(pki, "web", [("DNS", "web"), ("IP", "10.0.0.1")])
    usages = [("keyUsage", "digitalSignature,keyEncipherment,keyAgreement"), ("extendedKeyUsage", "serverAuth,clientAuth")]
    upstream_leaf(pki, "nova_1", [("DNS", "nova_1")], usages, days=900)


NOVA = certificate("nova_1", san="DNS:nova_1", key_usage=["digitalSignature", "keyAgreement", "keyEncipherment"],
                   extended_key_usage=["clientAuth", "serverAuth"], ttl="900d")


def wishes(cloud):
    """What the callers say about that tree."""
    return {
        "pki_authorities": DESCRIBED, "pki_key": RSA, "pki_install_ca": [{"name": "ExampleCorpRoot"}],
        "pki_certificates": [certificate("web")], "user_pki_certificates_nova": [NOVA],
        "pki_search_certificates_pattern": "user_pki_certificates_",
        "pki_install_certificates": [
            {"name": "web", "type": "certificate_chain", "dest": f"{cloud.work}/node1/web.pem"},
            {"name": "web", "type": "private_key", "dest": f"{cloud.work}/node1/web.key"}],
    }


@pytest.mark.parametrize("core", ["ansible-2.14", "ansible-2.19"])
def test_a_first_run_over_upstreams_tree_changes_nothing(work, core):
    cloud = Cloud(work, core=core)
    upstream_tree(cloud.pki)
    (work / "node1").mkdir()
    (work / "trust/node1").mkdir()
    for source, target in ((cloud.leaf("web", "-chain"), "node1/web.pem"), (cloud.key("web"), "node1/web.key"),
                           (cloud.authority("ExampleCorpRoot"), "trust/node1/ExampleCorpRoot.crt")):
        (work / target).write_bytes(source.read_bytes())
        (work / target).chmod(0o600 if target.endswith("key") else 0o644)
    before = cloud.snapshot(cloud.pki), cloud.snapshot(work / "node1"), cloud.snapshot(work / "trust")
    ran = cloud.run(**wishes(cloud))
    assert ran.changed() == 0, ran.text
    assert (cloud.snapshot(cloud.pki), cloud.snapshot(work / "node1"), cloud.snapshot(work / "trust")) == before
    assert "'ExampleCorpRoot' differs from what is wished" in ran.flat() and "stays as it is" in ran.flat()


def test_what_is_added_to_upstreams_tree_is_signed_by_its_authorities(cloud):
    upstream_tree(cloud.pki)
    serials = {name: cloud.serial(cloud.leaf(name)) for name in ("web", "nova_1")}
    asked = wishes(cloud)
    cloud.run(**{**asked, "pki_certificates": [certificate("web"), certificate("new")]})
    assert {name: cloud.serial(cloud.leaf(name)) for name in serials} == serials
    for name in ("web", "nova_1", "new"):
        cloud.verify(name)


def test_regenerating_an_adopted_authority_keeps_its_name_so_that_no_leaf_becomes_invalid(cloud):
    upstream_tree(cloud.pki)
    asked = wishes(cloud)
    serials = {name: cloud.serial(cloud.leaf(name)) for name in ("web", "nova_1")}
    old = cloud.serial(cloud.authority("ExampleCorpIntermediate"))
    cloud.run(**asked, pki_regen_ca=True)
    assert cloud.serial(cloud.authority("ExampleCorpIntermediate")) != old
    subject = openssl("x509", "-in", cloud.authority("ExampleCorpRoot"), "-noout", "-subject", "-nameopt", "RFC2253")
    assert subject.strip() == "subject=CN=Example Corp Root CA,ST=England,C=GB"
    assert {name: cloud.serial(cloud.leaf(name)) for name in serials} == serials
    for name in serials:
        cloud.verify(name)
    assert cloud.run(**asked).changed() == 0


def test_a_certificate_directly_below_a_root_keeps_its_longer_chain(cloud):
    """Octavia's client certificate: upstream ends the chain with the issuer, and that is the root."""
    upstream_tree(cloud.pki)
    upstream_leaf(cloud.pki, "client", [("DNS", "client")], signer="ExampleCorpRoot")
    assert cloud.leaf("client", "-chain").read_text().endswith(cloud.authority("ExampleCorpRoot").read_text())
    before = cloud.snapshot()
    ran = cloud.run("main_certs.yml", pki_key=RSA, pki_certificates=[certificate("client", san="DNS:client", signed_by="ExampleCorpRoot")])
    assert ran.changed() == 0 and cloud.snapshot() == before, ran.text


def test_strictness_refuses_an_authority_that_is_not_as_described(cloud):
    upstream_tree(cloud.pki)
    before = cloud.snapshot()
    failed = cloud.run("main_ca.yml", ok=False, **wishes(cloud), pki_strict=True)
    assert "differs from what is wished" in failed.flat()
    assert cloud.snapshot() == before


def test_an_adopted_certificate_that_has_ended_is_renewed_with_its_key(cloud):
    upstream_tree(cloud.pki)
    upstream_leaf(cloud.pki, "old", [("DNS", "old"), ("IP", "10.0.0.1")], days=0)
    serial, key = cloud.serial(cloud.leaf("old")), cloud.key("old").read_bytes()
    cloud.run("main_certs.yml", pki_key=RSA, pki_certificates=[certificate("old")])
    assert cloud.serial(cloud.leaf("old")) != serial and cloud.key("old").read_bytes() == key
    cloud.verify("old")
