# SPDX-License-Identifier: Apache-2.0
"""A root gets a new key: nobody loses trust, everything below follows, a second run is quiet."""

from __future__ import annotations

from cloud import INTERMEDIATE, ROOT, certificate, openssl


def wishes(cloud, **more):
    """A service whose clients check it with the bundle, and hosts that trust the root."""
    at = f"{cloud.work}/{{{{ inventory_hostname }}}}"
    return {
        "pki_authorities": [ROOT, INTERMEDIATE], "pki_install_ca": [{"name": "ExampleCorpRoot"}], "pki_certificates": [certificate("web")],
        "pki_install_certificates": [
            {"name": "web", "type": "certificate_chain", "dest": f"{at}/web.pem"}, {"name": "web", "type": "private_key", "dest": f"{at}/web.key"},
            {"name": "web", "type": "ca_bundle", "dest": f"{at}/web-ca.pem"}], **more,
    }


def accepts(bundle, chain):
    """Whether openssl verifies a chain with a bundle."""
    return openssl("verify", "-CAfile", bundle, "-untrusted", chain, chain, check=False).strip().endswith("OK")


def test_a_new_root_key_in_one_run(cloud):
    cloud.run(**wishes(cloud))
    old_root, old_chain = cloud.authority("ExampleCorpRoot").read_bytes(), cloud.dest("node1", "web.pem").read_bytes()
    (cloud.work / "old.pem").write_bytes(old_chain)
    ran = cloud.run(**wishes(cloud), pki_regen_ca_key=True)
    assert "authority 'ExampleCorpRoot' gets a new key: 1 certificates below it must be signed again" in ran.flat()
    assert "(web)" in ran.flat()
    cloud.verify("web")
    assert cloud.authority("ExampleCorpRoot").read_bytes() != old_root
    bundle = cloud.dest("node1", "web-ca.pem")
    assert accepts(bundle, cloud.dest("node1", "web.pem"))
    assert accepts(bundle, cloud.work / "old.pem"), "a peer that still serves the old certificate is refused"
    store = cloud.work / "trust/node1"
    assert (store / "ExampleCorpRoot.crt").read_bytes() == cloud.authority("ExampleCorpRoot").read_bytes()
    assert (store / "ExampleCorpRoot-1000.crt").read_bytes() == old_root
    assert cloud.run(**wishes(cloud)).changed() == 0
    ended = cloud.run(**wishes(cloud), pki_trust_overlap=False)
    assert ended.changed() > 0 and not (store / "ExampleCorpRoot-1000.crt").exists()
    assert not accepts(bundle, cloud.work / "old.pem") and accepts(bundle, cloud.dest("node1", "web.pem"))
    assert cloud.run(**wishes(cloud), pki_trust_overlap=False).changed() == 0


def test_trust_first_then_certificates(cloud):
    """Where peers check each other, the first pass brings the new root to all, the second the new certificates."""
    cloud.run(**wishes(cloud))
    old_chain = cloud.dest("node1", "web.pem").read_bytes()
    cloud.run(**wishes(cloud), pki_regen_ca_key="ExampleCorpRoot", pki_create_certificates=False)
    assert cloud.dest("node1", "web.pem").read_bytes() == old_chain
    both = cloud.dest("node1", "web-ca.pem").read_bytes()
    assert cloud.authority("ExampleCorpRoot").read_bytes().strip() in both
    assert accepts(cloud.dest("node1", "web-ca.pem"), cloud.dest("node1", "web.pem"))
    (cloud.work / "both.pem").write_bytes(both)
    cloud.run(**wishes(cloud))
    assert cloud.dest("node1", "web.pem").read_bytes() != old_chain
    assert accepts(cloud.work / "both.pem", cloud.dest("node1", "web.pem")), "a peer after the first pass refuses the new certificate"
