# SPDX-License-Identifier: Apache-2.0
"""An authority that is signed outside, by openssl, while the one in service goes on."""

from __future__ import annotations

import base64

import pytest
from lab import HOSTS, openssl, verifies

BELOW = {"vault_pki_intermediate_name": "intermediate-1", "vault_pki_organization": "Example", "vault_pki_country": "DE"}


class Outside:
    """The authority of the company."""

    def __init__(self, place):
        self.place = place
        place.mkdir()
        (place / "ca.ext").write_text("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", place / "root.key", "-out", place / "root.pem",
                "-subj", "/O=Company/CN=Company Root", "-days", 900)

    @property
    def root(self):
        """Its certificate."""
        return (self.place / "root.pem").read_text()

    def sign(self, csr, name="signed", days=800):
        """The certificate of an authority below it."""
        openssl("x509", "-req", "-in", csr, "-CA", self.place / "root.pem", "-CAkey", self.place / "root.key", "-out", self.place / f"{name}.pem",
                "-days", days, "-extfile", self.place / "ca.ext")
        return (self.place / f"{name}.pem").read_text()


@pytest.fixture
def outside(lab):
    """The company's authority."""
    return Outside(lab.place / "outside")


def test_a_request_leaves_the_authority_in_service_alone_until_what_comes_back_is_uploaded(lab, outside):
    csr = lab.place / "request.csr"
    lab.run("generate_root_ca", "main")
    ran = lab.run("get_csr", "main", vault_pki_csr_path=str(csr), **BELOW)
    assert "-----BEGIN CERTIFICATE REQUEST-----" in ran.text and "O = Example" in openssl("req", "-in", csr, "-noout", "-subject", "-verify")
    assert lab.issuer()["issuer_name"] == "root-1"
    before = {host: lab.serial(host) for host in HOSTS}
    again = lab.run("get_csr", "main", vault_pki_csr_path=str(csr), **BELOW)
    assert again.changed() == 0 and {host: lab.serial(host) for host in HOSTS} == before
    # As text of base64 with Windows' ends of lines, as it comes by mail.
    pem = base64.b64encode(outside.sign(csr).replace("\n", "\r\n").encode()).decode()
    more = {"vault_pki_pem": pem, "vault_pki_root_ca": outside.root, **BELOW}
    foreseen = lab.run("upload_signed_csr", "main", arguments=["--check"], **more)
    assert foreseen.changed() == 1 and lab.issuer()["issuer_name"] == "root-1"
    lab.run("upload_signed_csr", "reissue_certificates", **more)
    assert lab.issuer()["issuer_name"] == "intermediate-1"
    for host in HOSTS:
        assert lab.serial(host) != before[host]
        lab.assert_verified(host, root=outside.place / "root.pem")
        assert outside.root.strip() in (lab.place / host / "ca.pem").read_text()
    assert lab.run("upload_signed_csr", "main", **more).changed() == 0
    # A play that makes the root in every run does not put it back into service.
    assert lab.run("generate_root_ca", "main").changed() == 0 and lab.issuer()["issuer_name"] == "intermediate-1"
    assert "'intermediate-1' has its certificate already" in lab.run("get_csr", ok=False, **BELOW).flat()


def test_what_would_not_work_is_refused_before_the_server_gets_it(lab, outside):
    csr, other = lab.place / "request.csr", lab.place / "other.csr"
    lab.run("generate_root_ca")
    lab.run("get_csr", vault_pki_csr_path=str(csr), **BELOW)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", lab.place / "other.key", "-out", other, "-subj", "/CN=other")
    held = lab.issuers()
    foreign = outside.sign(other, "foreign")
    ran = lab.run("upload_signed_csr", ok=False, vault_pki_pem=foreign, vault_pki_root_ca=outside.root, **BELOW)
    assert "key" in ran.flat() and lab.issuers() == held
    lab.run("upload_signed_csr", ok=False, vault_pki_pem=outside.sign(csr), **BELOW)
    assert lab.issuers() == held and lab.issuer()["issuer_name"] == "root-1"


def test_nothing_is_put_into_service_before_every_host_trusts_its_root(lab, outside):
    csr = lab.place / "request.csr"
    lab.run("generate_root_ca", "main")
    lab.run("get_csr", vault_pki_csr_path=str(csr), **BELOW)
    more = {"vault_pki_pem": outside.sign(csr), "vault_pki_root_ca": outside.root, **BELOW}
    held = lab.issuers()
    assert "name all of them in vault_pki_hosts" in lab.run("upload_signed_csr", ok=False, arguments=["--limit", "web1"], **more).flat()
    assert lab.issuers() == held
    more["vault_pki_hosts"] = list(HOSTS)
    ran = lab.run("upload_signed_csr", ok=False, arguments=["--limit", "web1"], **more)
    assert "web2 did not confirm" in ran.flat() and lab.issuer()["issuer_name"] == "root-1"
    lab.run("upload_signed_csr", "issue", **more)
    assert lab.issuer()["issuer_name"] == "intermediate-1"
    for host in HOSTS:
        assert verifies(lab.at(host, f"{host}.pem"), outside.place / "root.pem")
