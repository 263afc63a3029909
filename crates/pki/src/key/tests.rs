// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use openssl::nid::Nid;

use super::*;

const SECRET: Option<&[u8]> = Some(b"correct horse");

fn key(algorithm: KeyAlgorithm) -> PrivateKey {
    PrivateKey::generate(algorithm).unwrap()
}

fn error_of(text: &[u8], passphrase: Option<&[u8]>) -> String {
    PrivateKey::from_pem(text, passphrase)
        .unwrap_err()
        .to_string()
}

const ALL: [KeyAlgorithm; 6] = [
    KeyAlgorithm::Rsa { bits: 2048 },
    KeyAlgorithm::Ecdsa(Curve::P256),
    KeyAlgorithm::Ecdsa(Curve::P384),
    KeyAlgorithm::Ecdsa(Curve::P521),
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::Ed448,
];

#[test]
fn every_algorithm_is_written_and_read_in_every_form() {
    for algorithm in ALL {
        let key = key(algorithm);
        let public = key.public_key().unwrap();
        assert_eq!(
            (key.algorithm().unwrap(), public.algorithm()),
            (algorithm, Some(algorithm))
        );
        for (format, passphrase) in [
            (KeyFormat::Pkcs8, None),
            (KeyFormat::Pkcs8, SECRET),
            (KeyFormat::Traditional, None),
            (KeyFormat::Traditional, SECRET),
        ] {
            let eddsa = matches!(algorithm, KeyAlgorithm::Ed25519 | KeyAlgorithm::Ed448);
            let text = match key.to_pem(format, passphrase) {
                Err(Error::TraditionalForm { algorithm })
                    if eddsa && format == KeyFormat::Traditional =>
                {
                    assert!(["Ed25519", "Ed448"].contains(&algorithm.as_str()));
                    continue;
                }
                text => text.unwrap(),
            };
            let crlf = String::from_utf8(text.to_vec())
                .unwrap()
                .replace('\n', "\r\n");
            let read = PrivateKey::from_pem(
                format!("Bag Attributes\r\n{crlf}\r\n").as_bytes(),
                passphrase,
            )
            .unwrap();
            assert_eq!(read.public_key().unwrap(), public, "{algorithm} {format:?}");
            assert!(read.matches(&public));
            // A passphrase that nobody needs does no harm; one that is needed is asked for.
            match passphrase {
                None => assert!(PrivateKey::from_pem(&text, SECRET).is_ok()),
                Some(_) => assert_eq!(
                    error_of(&text, None),
                    "the private key is encrypted; give its passphrase"
                ),
            }
        }
        let again = PrivateKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
        assert_eq!(again.public_key().unwrap(), public);
    }
}

#[test]
fn forms_have_their_labels_and_ciphers() {
    let key = key(KeyAlgorithm::Ecdsa(Curve::P256));
    let text = |format, passphrase| {
        String::from_utf8(key.to_pem(format, passphrase).unwrap().to_vec()).unwrap()
    };
    assert!(text(KeyFormat::Pkcs8, None).starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(text(KeyFormat::Pkcs8, SECRET).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert!(text(KeyFormat::Traditional, None).starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    let header = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,";
    assert!(text(KeyFormat::Traditional, SECRET).starts_with(header));
    let empty = key
        .to_pem(KeyFormat::Pkcs8, Some(b""))
        .unwrap_err()
        .to_string();
    assert_eq!(
        empty,
        "'' is not a valid passphrase: it is empty; leave it out for a key that is not encrypted"
    );
}

/// Padding of a wrong decryption is right by chance about once in 256 tries, so one try would prove little.
#[test]
fn a_wrong_passphrase_is_always_told_as_such() {
    let key = key(KeyAlgorithm::Ecdsa(Curve::P256));
    let wrong = "the private key cannot be decrypted; the passphrase is wrong";
    let traditional = key.to_pem(KeyFormat::Traditional, SECRET).unwrap();
    for number in 0..1_500 {
        assert_eq!(
            error_of(&traditional, Some(format!("{number}").as_bytes())),
            wrong
        );
    }
    let pkcs8 = key.to_pem(KeyFormat::Pkcs8, SECRET).unwrap();
    for number in 0..2_000 {
        assert_eq!(
            error_of(&pkcs8, Some(format!("{number}").as_bytes())),
            wrong
        );
    }
    assert_eq!(error_of(&pkcs8, Some(b"")), wrong);
}

#[test]
fn what_is_not_a_key_is_named() {
    let certificate = pem::encode("CERTIFICATE", &[0x30, 0]);
    assert_eq!(error_of(b"\n", None), "private key is empty");
    assert_eq!(
        error_of(certificate.as_bytes(), None),
        "expected a private key, found a CERTIFICATE block"
    );
    assert_eq!(
        error_of(
            pem::encode("OPENSSH PRIVATE KEY", b"openssh-key-v1").as_bytes(),
            None
        ),
        "a OpenSSH-format key is not supported; use RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521), Ed25519 or Ed448"
    );
    let key = key(KeyAlgorithm::Ed25519)
        .to_pem(KeyFormat::Pkcs8, None)
        .unwrap();
    assert_eq!(
        error_of(&key[..80], None),
        "private key is truncated or damaged: the PRIVATE KEY block that begins on line 1 has no END line"
    );
    let mut two = key.to_vec();
    two.extend_from_slice(&key);
    assert_eq!(
        error_of(&two, None),
        "expected one private key, found 2; give only the first or use the option for a chain"
    );
    let der = pem::decode(&key, "x").unwrap().remove(0).der;
    let cut = pem::encode("PRIVATE KEY", &der[..der.len() - 5]);
    assert_eq!(
        error_of(cut.as_bytes(), None),
        "private key is truncated or damaged: its 43 bytes are fewer than its own length says"
    );
    let longer = pem::encode("PRIVATE KEY", &[&der[..], b"xx"].concat());
    assert_eq!(
        error_of(longer.as_bytes(), None),
        "private key cannot be read: 2 bytes of something else follow it"
    );
    let garbage = pem::encode("PRIVATE KEY", &[0x30, 3, 2, 1, 0]);
    assert_eq!(
        error_of(garbage.as_bytes(), None),
        "private key cannot be read: its content is damaged"
    );
}

#[test]
fn an_ec_key_whose_halves_do_not_belong_together_is_refused() {
    let (one, other) = (
        key(KeyAlgorithm::Ecdsa(Curve::P256)),
        key(KeyAlgorithm::Ecdsa(Curve::P256)),
    );
    let public = other.pkey().ec_key().unwrap();
    let private = one.pkey().ec_key().unwrap();
    let mixed =
        EcKey::from_private_components(private.group(), private.private_key(), public.public_key())
            .unwrap();
    let error = error_of(&mixed.private_key_to_pem().unwrap(), None);
    assert_eq!(
        error,
        "private key cannot be read: its public half does not belong to it"
    );
}

#[test]
fn keys_that_we_do_not_support_are_named() {
    let rsa = PKey::from_rsa(Rsa::generate(1024).unwrap())
        .unwrap()
        .private_key_to_pem_pkcs8()
        .unwrap();
    assert!(error_of(&rsa, None).starts_with("a RSA 1024 key is not supported; use RSA (2048"));
    let x25519 = PKey::generate_x25519()
        .unwrap()
        .private_key_to_pem_pkcs8()
        .unwrap();
    assert!(error_of(&x25519, None).starts_with("a X25519 key is not supported"));
    let group = EcGroup::from_curve_name(Nid::SECP256K1).unwrap();
    let koblitz = PKey::from_ec_key(EcKey::generate(&group).unwrap())
        .unwrap()
        .private_key_to_pem_pkcs8()
        .unwrap();
    assert!(error_of(&koblitz, None).starts_with("a ECDSA secp256k1 key is not supported"));
    assert!(PrivateKey::generate(KeyAlgorithm::Rsa { bits: 1024 }).is_err());
}

/// RFC 8410 §10.1 and §10.3: the key, with and without attributes and public key.
#[test]
fn rfc_8410_keys() {
    let plain = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----";
    let with_attributes = "-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----";
    let public = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";
    for text in [plain, with_attributes] {
        let key = PrivateKey::from_pem(text.as_bytes(), None).unwrap();
        assert_eq!(key.algorithm().unwrap(), KeyAlgorithm::Ed25519);
        assert_eq!(key.public_key().unwrap().to_pem(), public);
    }
}

/// RFC 9500 §2.3: keys for tests.
#[test]
fn rfc_9500_keys() {
    let p256 = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49
AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjV
uKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==
-----END EC PRIVATE KEY-----";
    let p384 = "-----BEGIN EC PRIVATE KEY-----
MIGkAgEBBDDiVjMo36v2gYhga5EyQoHB1YpEVkMbCdUQs1/syfMHyhgihG+iZxNx
qagbrA41dJ2gBwYFK4EEACKhZANiAARbCQG4hSMpbrkZ1Q/6GpyzdLxNQJWGKCv+
yhGx2VrbtUc0r1cL+CtyKM8ia89MJd28/jsaOtOUMO/3Y+HWjS4VHZFyC3eVtY2m
s0Y5YTqPubWo2kjGdHEX+ZGehCTzfsg=
-----END EC PRIVATE KEY-----";
    let p521 = "-----BEGIN EC PRIVATE KEY-----
MIHcAgEBBEIB2STcygqIf42Zdno32HTmN6Esy0d9bghmU1ZpTWi3ZV5QaWOP3ntF
yFQBPcd6NbGGVbhMlmpgIg1A+R7Z9RRYAuqgBwYFK4EEACOhgYkDgYYABAHQ/XJX
qEx0f1YldcBzhdvr8vUr6lgIPbgv3RUx2KrjzIdf8C/3+i2iYNjrYtbS9dZJJ44y
FzagYoy7swMItuYY2wD2KtIExkYDWbyBiriWG/Dw/A7FquikKBc85W8A3psVfB5c
gsZPVi/K3vxKTCj200LPPvYW/ILTO3KFySHyvzb92A==
-----END EC PRIVATE KEY-----";
    for (text, curve) in [
        (p256, Curve::P256),
        (p384, Curve::P384),
        (p521, Curve::P521),
    ] {
        let key = PrivateKey::from_pem(text.as_bytes(), None).unwrap();
        assert_eq!(key.algorithm().unwrap(), KeyAlgorithm::Ecdsa(curve));
        // The stored public half is the one that belongs to the private half.
        key.pkey().ec_key().unwrap().check_key().unwrap();
        assert_eq!(
            key.to_pem(KeyFormat::Traditional, None)
                .unwrap()
                .trim_ascii_end(),
            text.as_bytes()
        );
    }
}

#[test]
fn options_make_an_algorithm() {
    let chosen = |algorithm, size, curve| {
        KeyAlgorithm::from_options(algorithm, size, curve)
            .map(|key| key.to_string())
            .ok()
    };
    assert_eq!(chosen("rsa", None, None).as_deref(), Some("RSA 2048"));
    assert_eq!(chosen("RSA", Some(8192), None).as_deref(), Some("RSA 8192"));
    assert_eq!(chosen("ecdsa", None, None).as_deref(), Some("ECDSA P-256"));
    assert_eq!(
        chosen("ecdsa", Some(384), Some("secp384r1")).as_deref(),
        Some("ECDSA P-384")
    );
    assert_eq!(
        chosen("ecdsa", None, Some("P-521")).as_deref(),
        Some("ECDSA P-521")
    );
    assert_eq!(chosen("ed25519", None, None).as_deref(), Some("Ed25519"));
    assert_eq!(chosen("Ed448", None, None).as_deref(), Some("Ed448"));
    for (algorithm, size, curve) in [
        ("rsa", Some(1024), None),
        ("rsa", Some(8193), None),
        ("rsa", None, Some("P-256")),
        ("ecdsa", Some(384), Some("P-256")),
        ("ecdsa", None, Some("secp256k1")),
        ("ed25519", Some(256), None),
        ("ed448", None, Some("P-256")),
        ("dsa", None, None),
    ] {
        assert_eq!(
            chosen(algorithm, size, curve),
            None,
            "{algorithm} {size:?} {curve:?}"
        );
    }
}

#[test]
fn debug_shows_no_key() {
    let key = key(KeyAlgorithm::Ed25519);
    assert_eq!(format!("{key:?}"), "PrivateKey(Ed25519, elided)");
}

#[test]
fn a_key_matches_only_its_public_half() {
    let (one, other) = (key(KeyAlgorithm::Ed25519), key(KeyAlgorithm::Ed25519));
    assert!(!one.matches(&other.public_key().unwrap()));
    assert!(!one.matches(&key(KeyAlgorithm::Ecdsa(Curve::P256)).public_key().unwrap()));
}
