// SPDX-License-Identifier: Apache-2.0
//! As a helper of certmonger: what it says in the environment, and what it reads back. (A real certmonger calls it in
//! tests/certmonger.)
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use support::{PROGRAM, Tree, request, sh};
use testbed::witness;

/// Runs the helper on these options; status and standard output.
fn helper(tree: &Tree, options: &Value, environment: &[(&str, &str)]) -> (i32, String) {
    let file: PathBuf = tree.sandbox.write("helper.json", options.to_string());
    call(&["--certmonger", file.to_str().unwrap()], environment)
}

fn call(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let done = Command::new(PROGRAM)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(done.stderr.is_empty(), "{done:?}");
    (
        done.status.code().unwrap(),
        String::from_utf8(done.stdout).unwrap(),
    )
}

fn options(tree: &Tree, sign: Value) -> Value {
    let mut options = json!({"backend": {"files": {"directory": tree.path("")}}});
    if !sign.is_null() {
        options["sign"] = json!([sign]);
    }
    options
}

#[test]
fn a_submission_is_signed_by_the_active_authority_and_verifies() {
    let tree = Tree::with_authorities();
    let (_, csr) = request("web.example.org");
    let all = options(&tree, json!({"profile": "peer", "ttl": "30d"}));
    for operation in [Some("SUBMIT"), Some("POLL"), None] {
        let mut environment = vec![("CERTMONGER_CSR", csr.as_str())];
        environment.extend(operation.map(|word| ("CERTMONGER_OPERATION", word)));
        let (status, said) = helper(&tree, &all, &environment);
        assert_eq!(status, 0, "{said}");
        witness::verify(tree.certificate("Root"), &said, &said, "web.example.org").unwrap();
        assert_eq!(said.matches("BEGIN CERTIFICATE").count(), 2, "{said}");
    }
    assert!(
        std::fs::read_dir(tree.path("certs/certs")).is_err_and(|_| true)
            || std::fs::read_dir(tree.path("certs/certs")).unwrap().count() == 0,
        "certmonger keeps it, not the tree"
    );
}

#[test]
fn profile_and_authority_may_come_with_the_request() {
    let tree = Tree::with_authorities();
    let (_, csr) = request("web.example.org");
    let all = options(&tree, json!({"profile": "peer"}));
    let submit = |more: &[(&str, &str)]| {
        let mut environment = vec![
            ("CERTMONGER_OPERATION", "SUBMIT"),
            ("CERTMONGER_CSR", csr.as_str()),
        ];
        environment.extend(more);
        helper(&tree, &all, &environment)
    };
    let (status, said) = submit(&[
        ("CERTMONGER_CA_PROFILE", "client"),
        ("CERTMONGER_CA_ISSUER", "Root"),
    ]);
    assert_eq!((status, said.matches("BEGIN").count()), (0, 1), "{said}");
    witness::verify(tree.certificate("Root"), "", &said, "").unwrap();
    let (status, said) = submit(&[("CERTMONGER_CA_PROFILE", "ca")]);
    assert_eq!(
        (status, said.trim()),
        (2, "profile 'ca' is none of server, client, peer")
    );
    let (status, said) = submit(&[("CERTMONGER_CA_ISSUER", "Nobody")]);
    assert!(
        status == 4 && said.contains("'Nobody' does not exist"),
        "{status} {said}"
    );
}

#[test]
fn the_roots_are_in_the_form_that_certmonger_reads() {
    let tree = Tree::with_authorities();
    let fetch = [("CERTMONGER_OPERATION", "FETCH-ROOTS")];
    let (status, said) = helper(&tree, &options(&tree, json!({"authority": "Int"})), &fetch);
    assert_eq!(status, 0, "{said}");
    let parts: Vec<&str> = said.split("\n\n\n").collect();
    assert_eq!(
        parts.len(),
        2,
        "the root, no others, then the chain: {said}"
    );
    assert!(
        parts[0].starts_with("Int root\n-----BEGIN") && parts[1].starts_with("Int 0\n-----BEGIN")
    );
    assert_eq!(
        parts[0].trim_start_matches("Int root\n").trim(),
        tree.certificate("Root").trim()
    );
    let (status, said) = helper(&tree, &options(&tree, json!({"authority": "Root"})), &fetch);
    assert_eq!((status, said.matches("BEGIN").count()), (0, 1), "{said}");
    let (status, said) = helper(&tree, &options(&tree, json!({"authority": "X"})), &fetch);
    assert_eq!(
        (status, said.trim()),
        (4, "there is no authority 'X' with a certificate")
    );
}

#[test]
fn certmonger_learns_what_it_may_ask_for() {
    let tree = Tree::new();
    let all = options(&tree, json!({"profile": "client"}));
    for (operation, status, said) in [
        ("GET-SUPPORTED-TEMPLATES", 0, "server\nclient\npeer"),
        ("GET-DEFAULT-TEMPLATE", 0, "client"),
        ("GET-NEW-REQUEST-REQUIREMENTS", 0, "CERTMONGER_CSR"),
        ("GET-RENEW-REQUEST-REQUIREMENTS", 0, "CERTMONGER_CSR"),
        ("FETCH-SCEP-CA-CAPS", 6, ""),
    ] {
        let found = helper(&tree, &all, &[("CERTMONGER_OPERATION", operation)]);
        assert_eq!((found.0, found.1.trim()), (status, said), "{operation}");
    }
    let (status, said) = helper(&tree, &all, &[("CERTMONGER_OPERATION", "IDENTIFY")]);
    assert!(status == 0 && said.starts_with("tls.everywhere pki_ca "));
}

#[test]
fn what_is_not_set_up_is_told_from_what_is_refused() {
    let tree = Tree::with_authorities();
    let (_, csr) = request("web.example.org");
    let submit = [
        ("CERTMONGER_OPERATION", "SUBMIT"),
        ("CERTMONGER_CSR", &*csr),
    ];
    for (all, text) in [
        (
            options(&tree, json!({"csr": "x"})),
            "sign[0].csr: comes from certmonger",
        ),
        (json!({"sign": []}), "sign: give one entry"),
        (json!({"backend": {"files": {}}}), "directory"),
        (json!({"backends": {}}), "did you mean"),
    ] {
        let (status, said) = helper(&tree, &all, &submit);
        assert!(status == 4 && said.contains(text), "{status} {said}");
    }
    let empty = Tree::new();
    let (status, said) = helper(&empty, &options(&empty, Value::Null), &submit);
    assert!(status == 4, "{status} {said}");
    let (status, said) = helper(&tree, &options(&tree, Value::Null), &submit[..1]);
    assert!(status == 4 && said.contains("CERTMONGER_CSR"), "{said}");
    for arguments in [&["--certmonger"][..], &["--certmonger", "/no/such"]] {
        assert_eq!(call(arguments, &submit).0, 4);
    }
    let bad = [
        ("CERTMONGER_OPERATION", "SUBMIT"),
        ("CERTMONGER_CSR", "no request"),
    ];
    let (status, said) = helper(&tree, &options(&tree, Value::Null), &bad);
    assert!(
        status == 2 && said.contains("sign[0].csr"),
        "{status} {said}"
    );
    sh(
        tree.sandbox.path(),
        "openssl req -new -newkey rsa:1024 -nodes -keyout k -out weak.csr -subj /CN=weak 2>/dev/null",
    );
    let weak = std::fs::read_to_string(tree.sandbox.join("weak.csr")).unwrap();
    let weak = [
        ("CERTMONGER_OPERATION", "SUBMIT"),
        ("CERTMONGER_CSR", &*weak),
    ];
    let (status, said) = helper(&tree, &options(&tree, Value::Null), &weak);
    assert!(status == 2 && said.contains("1024 bits"), "{status} {said}");
}
