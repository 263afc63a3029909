// SPDX-License-Identifier: Apache-2.0
//! The witnesses on certificates that openssl itself made: they must say yes to good ones and no to bad ones.

use std::path::PathBuf;
use std::sync::LazyLock;

use super::*;
use crate::Sandbox;

/// A root, an intermediate, a leaf for `a.example` and 127.0.0.1, and another leaf's key; made once.
static FILES: LazyLock<Sandbox> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    let script = r#"
req() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 "$@" 2>>log; }
usage='-addext keyUsage=critical,keyCertSign,cRLSign'
req -x509 -subj /CN=root -keyout root.key -out root.pem -days 9 $usage
req -subj /CN=sub -keyout sub.key -out sub.csr
req -subj /CN=a.example -keyout leaf.key -out leaf.csr
req -subj /CN=other -keyout other.key -out other.csr
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >sub.ext
printf 'subjectAltName=DNS:a.example,IP:127.0.0.1\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >leaf.ext
sign() { openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 9 -extfile $1.ext -out $1.pem 2>>log; }
sign sub root
sign leaf sub
cat leaf.pem sub.pem >chain.pem
openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile sub.pem -passout pass:changeit -out leaf.p12
openssl pkey -in leaf.key -aes256 -passout pass:secret1 -out locked.key
touch index.txt; echo 01 >number
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=9\n' >ca.cnf
openssl ca -config ca.cnf -gencrl -keyfile root.key -cert root.pem -out root.crl 2>>log
"#;
    let output = Command::new("sh")
        .args(["-euc", script])
        .current_dir(sandbox.path())
        .output();
    let output = crate::must(output, "cannot start sh");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    sandbox
});

fn path(name: &str) -> PathBuf {
    FILES.join(name)
}

fn pem(name: &str) -> Vec<u8> {
    FILES.read(name)
}

fn refused(testimony: Testimony, because: &str) {
    match testimony {
        Ok(said) => panic!("expected a refusal, got: {said}"),
        Err(why) => assert!(why.contains(because), "{why}"),
    }
}

#[test]
fn verify_follows_the_chain_and_the_name() {
    let (root, sub, leaf) = (pem("root.pem"), pem("sub.pem"), pem("leaf.pem"));
    for name in ["a.example", "127.0.0.1", ""] {
        assert!(crate::must(verify(&root, &sub, &leaf, name), "verify").contains(": OK"));
    }
    crate::must(
        verify_strict(&root, &sub, &leaf, "a.example"),
        "verify_strict",
    );
    refused(verify(&root, &sub, &leaf, "b.example"), "hostname mismatch");
    refused(
        verify(&root, &sub, &leaf, "127.0.0.2"),
        "IP address mismatch",
    );
    refused(
        verify(&root, b"", &leaf, "a.example"),
        "unable to get local issuer certificate",
    );
    refused(
        verify_with(&["-attime", "1000000000"], &root, &sub, &leaf, ""),
        "not yet valid",
    );
}

#[test]
fn texts_are_told_and_rubbish_is_refused() {
    assert!(crate::must(certificate_text(path("leaf.pem")), "x509").contains("DNS:a.example"));
    assert!(crate::must(request_text(path("leaf.csr")), "req").contains("CN = a.example"));
    assert!(crate::must(crl_text(path("root.crl")), "crl").contains("X509v3 CRL Number"));
    for testimony in [
        certificate_text(path("leaf.key")),
        request_text(path("leaf.pem")),
        crl_text(path("log")),
    ] {
        refused(testimony, "openssl");
    }
}

#[test]
fn a_crl_is_verified_by_its_authority_only() {
    crate::must(
        crl_verify(path("root.crl"), path("root.pem")),
        "crl -verify",
    );
    refused(crl_verify(path("root.crl"), path("leaf.pem")), "");
}

#[test]
fn keys_match_or_do_not() {
    crate::must(
        key_matches(path("leaf.pem"), path("leaf.key")),
        "key_matches",
    );
    refused(
        key_matches(path("leaf.pem"), path("other.key")),
        "private key:\n-----BEGIN PUBLIC KEY-----",
    );
    let public = crate::must(
        private_key_public_half(path("locked.key"), "secret1"),
        "pkey",
    );
    assert_eq!(Ok(public), certificate_public_key(path("leaf.pem")));
    refused(
        private_key_public_half(path("locked.key"), "wrong"),
        "openssl",
    );
}

#[test]
fn a_pkcs12_file_opens_with_its_passphrase_only() {
    let said = crate::must(pkcs12_info(path("leaf.p12"), "changeit"), "pkcs12");
    assert_eq!(said.matches("-----BEGIN CERTIFICATE-----").count(), 2);
    assert!(said.contains("-----BEGIN PRIVATE KEY-----"));
    refused(pkcs12_info(path("leaf.p12"), "wrong"), "invalid password");
}

#[test]
fn a_handshake_needs_chain_key_name_and_root() {
    let try_with = |chain: &str, key: &str, ca: &str, name: &str| {
        handshake(path(chain), path(key), path(ca), name)
    };
    for name in ["a.example", "127.0.0.1"] {
        let said = crate::must(
            try_with("chain.pem", "leaf.key", "root.pem", name),
            "handshake",
        );
        assert!(said.contains("Protocol version: TLSv1.3"), "{said}");
    }
    refused(
        try_with("chain.pem", "leaf.key", "root.pem", "b.example"),
        "hostname mismatch",
    );
    refused(
        try_with("leaf.pem", "leaf.key", "root.pem", "a.example"),
        "unable to get local issuer",
    );
    refused(
        try_with("chain.pem", "leaf.key", "leaf.pem", "a.example"),
        "unable to get",
    );
    refused(
        try_with("chain.pem", "other.key", "root.pem", "a.example"),
        "does not listen",
    );
}

/// Where there is no keytool the witness must say so instead of saying yes.
#[test]
fn a_java_key_store_is_listed() {
    let store = path("leaf.p12");
    if Command::new("keytool").arg("-help").output().is_err() {
        return refused(keystore_list(store, "changeit"), "cannot start");
    }
    assert!(crate::must(keystore_list(&store, "changeit"), "keytool").contains("PrivateKeyEntry"));
    refused(keystore_list(&store, "wrong-one"), "password was incorrect");
}
