// SPDX-License-Identifier: Apache-2.0
//! Answers of `openssl ocsp` that `openssl s_server` hands out with its certificate.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;

use support::{Leaf, Pair, Pki, at};

const NOTHING: [&str; 0] = [];

/// An answer about a leaf: `V` or `R` as its index has it, signed by `signer`.
fn answer(pki: &Pki, pair: &Pair, state: &str, signer: &str) -> String {
    let certificate = pair.certificate.display().to_string();
    let serial = pki.openssl(["x509", "-in", &certificate, "-noout", "-serial"]);
    let serial = serial.trim().trim_start_matches("serial=");
    let revoked = if state == "R" {
        "260101000000Z,keyCompromise"
    } else {
        ""
    };
    fs::write(
        pki.path("index.txt"),
        format!("{state}\t491231235959Z\t{revoked}\t{serial}\tunknown\t/CN=x\n"),
    )
    .unwrap();
    let (signing, key) = (format!("{signer}.pem"), format!("{signer}.key"));
    pki.openssl([
        "ocsp",
        "-issuer",
        "sub.pem",
        "-cert",
        &certificate,
        "-reqout",
        "question.der",
    ]);
    pki.openssl([
        "ocsp",
        "-index",
        "index.txt",
        "-CA",
        "sub.pem",
        "-rsigner",
        &signing,
        "-rkey",
        &key,
        "-ndays",
        "1",
        "-reqin",
        "question.der",
        "-respout",
        "answer.der",
    ]);
    pki.path("answer.der").display().to_string()
}

#[test]
fn a_stapled_answer_tells_in_both_versions_of_tls() {
    let pki = Pki::new();
    let pair = pki.leaf("staple.test");
    for (state, expected) in [("V", None), ("R", Some("fail revoked"))] {
        let file = answer(&pki, &pair, state, "sub");
        for version in ["-tls1_2", "-tls1_3"] {
            let (_server, port) = pki.s_server(&pair, &["-status_file", &file, version]);
            let found = pki.kinds_at(at(port, "staple.test"));
            assert_eq!(
                found,
                expected.into_iter().collect::<Vec<_>>(),
                "{state} {version}"
            );
        }
    }
}

#[test]
fn a_responder_that_the_issuer_has_allowed_to_may_answer_and_nobody_else() {
    let pki = Pki::new();
    let pair = pki.leaf("staple.test");
    pki.leaf_of(
        "sub",
        "responder",
        &Leaf {
            extensions: "extendedKeyUsage=OCSPSigning",
            ..Leaf::default()
        },
    );
    pki.leaf("nobody");
    for (signer, expected) in [
        ("responder", "fail revoked"),
        ("nobody", "warn staple_invalid"),
    ] {
        let file = answer(&pki, &pair, "R", signer);
        let (_server, port) = pki.s_server(&pair, &["-status_file", &file]);
        assert_eq!(
            pki.kinds_at(at(port, "staple.test")),
            [expected],
            "{signer}"
        );
    }
}

#[test]
fn what_is_stapled_must_be_about_this_certificate() {
    let pki = Pki::new();
    let (pair, other) = (pki.leaf("staple.test"), pki.leaf("other.test"));
    let file = answer(&pki, &other, "V", "sub");
    let (_server, port) = pki.s_server(&pair, &["-status_file", &file]);
    assert_eq!(
        pki.kinds_at(at(port, "staple.test")),
        ["warn staple_invalid"]
    );
}

#[test]
fn a_certificate_that_demands_an_answer_must_come_with_one() {
    let pki = Pki::new();
    let pair = pki.leaf_of(
        "sub",
        "must.test",
        &Leaf {
            extensions: "tlsfeature=status_request",
            ..Leaf::default()
        },
    );
    let (_without, without) = pki.s_server(&pair, &[]);
    assert_eq!(
        pki.kinds_at(at(without, "must.test")),
        ["fail staple_missing"]
    );
    let file = answer(&pki, &pair, "V", "sub");
    let (_with, with) = pki.s_server(&pair, &["-status_file", &file]);
    assert_eq!(pki.kinds_at(at(with, "must.test")), NOTHING);
}
