// SPDX-License-Identifier: Apache-2.0
//! What Vault 1.10 and before answers differently, told by a stand-in: no such server is to be had.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::json;
use support::{at, csr, kind, token};
use testbed::servers::old_vault_stand_in;
use vault::Vault;
use vault::pki::{Import, Mount};

#[test]
fn a_stand_in_for_vault_before_1_11_is_understood() {
    let certificate = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
    let server = old_vault_stand_in(certificate, &csr("Int"));
    let vault = Vault::open(at(&[server.url()], token("t"))).unwrap();
    let pki = Mount::new(&vault, "pki");
    assert_eq!(vault.health().unwrap().version, "1.10.11");
    // It has no list of issuers, and no default among them.
    assert_eq!(pki.issuers().unwrap(), []);
    assert_eq!(pki.default_issuer().unwrap(), None);
    let made = pki.generate_root(&json!({"common_name": "Root"})).unwrap();
    assert_eq!(
        (made.issuer_id.as_str(), made.certificate.as_str()),
        ("", certificate)
    );
    // Over one that is there it makes nothing, and says that it went well.
    let again = pki
        .generate_root(&json!({"common_name": "Root"}))
        .unwrap_err();
    assert_eq!(again.kind(), "vault.answer");
    assert!(
        again
            .to_string()
            .contains("Refusing to generate a root certificate"),
        "{again}"
    );
    assert_eq!(kind(pki.set_signed(certificate)), "vault.refused");
    assert_eq!(
        pki.generate_intermediate(&json!({"common_name": "Int"}))
            .unwrap()
            .key_id,
        ""
    );
    let other = pki.set_signed("another").unwrap_err();
    assert!(
        other
            .to_string()
            .contains("public key of certificate does not match private key"),
        "{other}"
    );
    assert_eq!(pki.set_signed(certificate).unwrap(), Import::default());
}
