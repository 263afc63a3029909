# SPDX-License-Identifier: Apache-2.0
"""Certificates that the user brings along, as <service>_user_ssl_cert, _key and _ca_cert."""

from __future__ import annotations

import pytest
from cloud import certificate, mode, openssl


def authority(at):
    """The user's own authority."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", at / "ca.key", "-out", at / "ca.pem",
            "-subj", "/CN=User CA", "-days", "100")


def user_set(at, name="user", days=90, san="DNS:web,IP:10.0.0.1"):
    """A certificate of that authority with its key."""
    if not (at / "ca.pem").exists():
        authority(at)
    (at / "ext").write_text(f"subjectAltName={san}\n")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", at / f"{name}.key",
            "-out", at / f"{name}.csr", "-subj", "/CN=web")
    openssl("x509", "-req", "-in", at / f"{name}.csr", "-CA", at / "ca.pem", "-CAkey", at / "ca.key", "-days", days, "-extfile", at / "ext",
            "-out", at / f"{name}.pem", "-CAcreateserial")


def wishes(cloud, cert="user.pem", key="user.key", chain="ca.pem"):
    """As os_haproxy passes them: names of the generated certificate, `src` of the user's."""
    at = cloud.work
    return {
        "pki_authorities": [], "pki_create_certificates": False, "pki_certificates": [certificate("haproxy_node1-vip")],
        "pki_install_certificates": [
            {"name": "haproxy_node1-vip", "type": "certificate", "src": f"{at}/{cert}", "dest": f"{at}/node1/vip.crt"},
            {"name": "haproxy_node1-vip", "type": "private_key", "src": f"{at}/{key}", "dest": f"{at}/node1/vip.key"},
            {"name": "haproxy_node1-vip", "type": "ca_bundle", "src": f"{at}/{chain}", "dest": f"{at}/node1/vip-ca.crt"}],
    }


def test_a_good_set_is_installed_as_it_is(cloud):
    user_set(cloud.work, san="DNS:web,DNS:haproxy_node1-vip,IP:10.0.0.1")
    cloud.run("main_certs.yml", **wishes(cloud))
    for mine, theirs in (("vip.crt", "user.pem"), ("vip.key", "user.key"), ("vip-ca.crt", "ca.pem")):
        assert cloud.dest("node1", mine).read_bytes() == (cloud.work / theirs).read_bytes()
    assert mode(cloud.dest("node1", "vip.key")) == "0600"
    assert cloud.run("main_certs.yml", **wishes(cloud)).changed() == 0
    assert not cloud.pki.exists()


@pytest.mark.parametrize("fault", ["other_key", "expired", "no_certificate", "foreign_chain"])
def test_a_bad_set_is_refused_with_the_reason_and_the_old_one_stays(cloud, fault):
    at = cloud.work
    user_set(at)
    cloud.run("main_certs.yml", **wishes(cloud))
    before = cloud.snapshot(at / "node1")
    bad = wishes(cloud)
    if fault == "other_key":
        openssl("genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", at / "bad.key")
        bad, words = wishes(cloud, key="bad.key"), "key"
    elif fault == "expired":
        user_set(at, "bad", days=0)
        bad, words = wishes(cloud, "bad.pem", "bad.key"), "expired"
    elif fault == "no_certificate":
        (at / "bad.pem").write_text("nothing\n")
        bad, words = wishes(cloud, "bad.pem"), "certificate"
    else:
        user_set(at, "bad")
        (at / "bad.pem").write_text((at / "bad.pem").read_text()[:400] + "\n-----END CERTIFICATE-----\n")
        bad, words = wishes(cloud, "bad.pem", "bad.key"), "certificate"
    failed = cloud.run("main_certs.yml", ok=False, **bad)
    assert "is not installed, what is in service stays" in failed.flat() and words in failed.flat()
    assert cloud.snapshot(at / "node1") == before


def test_names_that_a_users_certificate_lacks_are_said_and_refused_on_request(cloud):
    user_set(cloud.work, san="DNS:public.example.org")
    ran = cloud.run("main_certs.yml", **wishes(cloud))
    assert "user-provided certificate" in ran.flat() and "haproxy_node1-vip" in ran.flat()
    failed = cloud.run("main_certs.yml", ok=False, **wishes(cloud), pki_strict=True)
    assert "is not installed" in failed.flat()


def test_a_missing_file_is_named_with_its_host(cloud):
    user_set(cloud.work)
    failed = cloud.run("main_certs.yml", ok=False, **wishes(cloud, chain="nowhere.pem"))
    assert "nowhere.pem' does not exist on the setup host 'localhost'" in failed.flat()
