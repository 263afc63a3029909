// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use openssl::sign::Verifier;

use super::*;

fn key_of(members: &BTreeMap<&str, &str>) -> Result<PrivateKey> {
    PrivateKey::from_jwk(|name| members.get(name).copied())
}

/// RFC 7638 §3.1.
#[test]
fn the_thumbprint_is_that_of_the_rfc() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let number = |text| BigNum::from_slice(&from_base64url(WHAT, text).unwrap()).unwrap();
    let rsa = Rsa::from_public_components(number(n), number("AQAB")).unwrap();
    let spki = PKey::from_rsa(rsa).unwrap().public_key_to_der().unwrap();
    let jwk = PublicKey::from_spki_der(&spki).unwrap().jwk().unwrap();
    assert_eq!(
        jwk.to_string(),
        format!("{{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"{n}\"}}")
    );
    assert_eq!(
        jwk.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

/// RFC 8037 appendix A.1 to A.4.
#[test]
fn ed25519_signs_as_the_rfc() {
    let key = key_of(&BTreeMap::from([
        ("kty", "OKP"),
        ("crv", "Ed25519"),
        ("d", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
    ]))
    .unwrap();
    let jwk = key.public_key().unwrap().jwk().unwrap();
    assert_eq!(
        jwk.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    let data = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    assert_eq!(
        base64url(&key.jws_sign(data).unwrap()),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    assert_eq!(key.jws_algorithm().unwrap(), "EdDSA");
}

/// RFC 7515 appendix A.3.1: the key of the example, whose coordinates must come out again.
#[test]
fn an_ec_key_is_read_and_shown_as_in_the_rfc() {
    let members = BTreeMap::from([
        ("kty", "EC"),
        ("crv", "P-256"),
        ("x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        ("y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        ("d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
    ]);
    let key = key_of(&members).unwrap();
    let jwk = key.public_key().unwrap().jwk().unwrap();
    for (name, value) in jwk.members() {
        assert_eq!(members[name], value);
    }
    let mut foreign = members.clone();
    foreign.insert("d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LJ");
    assert!(key_of(&foreign).is_err());
    foreign.remove("d");
    let error = key_of(&foreign).unwrap_err().to_string();
    assert_eq!(error, "JSON Web Key cannot be read: it has no member 'd'");
}

/// RFC 7515 appendix A.1.
#[test]
fn an_hmac_is_that_of_the_rfc() {
    let secret =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = from_base64url("HMAC key", secret).unwrap();
    let data = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let code = HmacAlgorithm::Hs256.code(&secret, data).unwrap();
    assert_eq!(
        base64url(&code),
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert!(HmacAlgorithm::Hs512.code(b"", data).is_err());
}

/// OpenSSL checks what we signed, after it is put back into its own form.
#[test]
fn every_signature_is_good_and_of_constant_width() {
    let algorithms = [
        (KeyAlgorithm::Rsa { bits: 2048 }, "RS256", 256),
        (KeyAlgorithm::Ecdsa(Curve::P256), "ES256", 64),
        (KeyAlgorithm::Ecdsa(Curve::P384), "ES384", 96),
        (KeyAlgorithm::Ecdsa(Curve::P521), "ES512", 132),
    ];
    for (algorithm, name, width) in algorithms {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(key.jws_algorithm().unwrap(), name);
        // A short r or s comes about once in 128 signatures.
        for round in 0..200_u32 {
            let data = round.to_be_bytes();
            let signature = key.jws_sign(&data).unwrap();
            assert_eq!(signature.len(), width, "{name}");
            let (der, digest) = match algorithm {
                KeyAlgorithm::Ecdsa(curve) => {
                    let (r, s) = signature.split_at(width / 2);
                    let number = |half| BigNum::from_slice(half).unwrap();
                    let pair = EcdsaSig::from_private_components(number(r), number(s));
                    (pair.unwrap().to_der().unwrap(), digest_of(curve))
                }
                _ => (signature, MessageDigest::sha256()),
            };
            let public = key.public_key().unwrap().pkey().unwrap();
            let mut verifier = Verifier::new(digest, &public).unwrap();
            assert!(verifier.verify_oneshot(&der, &data).unwrap(), "{name}");
            if width == 256 {
                break;
            }
        }
    }
    let key = PrivateKey::generate(KeyAlgorithm::Ed448).unwrap();
    assert!(key.jws_sign(b"").is_err() && key.public_key().unwrap().jwk().is_err());
}
