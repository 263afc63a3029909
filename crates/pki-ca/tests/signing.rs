// SPDX-License-Identifier: Apache-2.0
//! Requests that are signed, each certificate judged by the openssl command line.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::json;
use support::{Tree, authorities, request, request_of, sh};
use testbed::witness;

#[test]
fn profiles_decide_usages_and_what_is_not_granted_is_said() {
    let tree = Tree::with_authorities();
    let dir = tree.sandbox.path();
    sh(
        dir,
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout k.pem -out ca.csr \
        -subj /CN=greedy.example.org -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign \
        -addext subjectAltName=DNS:greedy.example.org -addext extendedKeyUsage=codeSigning 2>/dev/null",
    );
    let csr = std::fs::read_to_string(dir.join("ca.csr")).unwrap();
    for (profile, purpose) in [
        ("server", "TLS Web Server"),
        ("client", "TLS Web Client"),
        ("peer", "TLS Web Server"),
    ] {
        let name = format!("g-{profile}");
        let done = tree.converge(json!({"authorities": authorities(),
            "sign": [{"name": name, "csr": csr, "profile": profile}]}));
        let entry = &done.value["signed"][0];
        let ignored = entry["ignored_extensions"].as_array().unwrap();
        for extension in ["keyUsage", "extendedKeyUsage", "basicConstraints"] {
            assert!(ignored.contains(&extension.into()), "{}", done.report());
        }
        let text =
            witness::certificate_text(tree.path(&format!("certs/certs/{name}.crt"))).unwrap();
        assert!(
            text.contains(purpose) && !text.contains("CA:TRUE") && !text.contains("Code Signing"),
            "{text}"
        );
    }
}

#[test]
fn an_authority_can_be_signed_from_a_request_only_where_the_path_allows() {
    let tree = Tree::with_authorities();
    let (_, csr) = request("sub.example.org");
    let under = |authority: &str| {
        json!({"authorities": authorities(),
        "sign": [{"name": "sub", "csr": csr, "profile": "ca", "authority": authority}]})
    };
    let refused = tree.refused(under("Int"), "sign.path_length");
    assert!(refused.msg().contains("'Int'"), "{}", refused.msg());
    let done = tree.converge(under("Root"));
    let certificate = done.value["signed"][0]["certificate"].as_str().unwrap();
    witness::verify(tree.certificate("Root"), "", certificate, "").unwrap();
    assert!(
        witness::certificate_text(tree.path("certs/certs/sub.crt"))
            .unwrap()
            .contains("CA:TRUE, pathlen:0")
    );
}

#[test]
fn names_outside_the_constraints_are_all_named_and_nothing_is_signed() {
    let tree = Tree::new();
    let constrained = json!([
        {"name": "Root", "key": {"algorithm": "ecdsa"}},
        {"name": "Int", "type": "intermediate", "parent": "Root", "state": "active", "key": {"algorithm": "ecdsa"},
         "name_constraints": {"permitted_dns": ["internal"], "excluded_dns": ["db.internal"]}}]);
    tree.converge(json!({"authorities": constrained}));
    let key = request("x").0;
    let sign = |names: &[&str]| {
        json!({"authorities": constrained,
        "sign": [{"name": "a", "csr": request_of("a.internal", names, &key)}]})
    };
    let refused = tree.refused(
        sign(&["a.internal", "a.example.org", "x.db.internal"]),
        "sign.name_not_permitted",
    );
    let named = refused.value["failures"][0]["names"].as_array().unwrap();
    assert_eq!(named.len(), 2, "{}", refused.report());
    let good = tree.converge(sign(&["a.internal"]));
    let entry = &good.value["signed"][0];
    witness::verify_strict(
        tree.certificate("Root"),
        tree.certificate("Int"),
        entry["certificate"].as_str().unwrap(),
        "a.internal",
    )
    .unwrap();
}

#[test]
fn one_bad_entry_does_not_spoil_the_others() {
    let tree = Tree::with_authorities();
    let done = tree.run(json!({"authorities": authorities(), "sign": [
        {"name": "good", "csr": request("good.example.org").1},
        {"name": "bad", "authority": "Nobody", "csr": request("bad.example.org").1}]}));
    assert!(done.failed() && done.changed(), "{}", done.report());
    assert_eq!(done.kind(), "authority.missing");
    assert_eq!(done.value["failures"][0]["item"], "sign[1]");
    assert!(done.value["signed"][0]["certificate"].is_string());
    assert!(tree.path("certs/certs/good.crt").exists());
}

#[test]
fn lifetimes_are_cut_to_the_end_of_the_authority_with_a_warning() {
    let tree = Tree::new();
    let wishes = json!([{"name": "Root", "ttl": "40d", "key": {"algorithm": "ecdsa"}},
        {"name": "Int", "type": "intermediate", "parent": "Root", "state": "active", "key": {"algorithm": "ecdsa"}}]);
    let made = tree.run(
        json!({"authorities": wishes, "sign": [{"name": "a", "csr": request("a.example.org").1}]}),
    );
    let authorities = &made.value["authorities"];
    assert_eq!(
        authorities["Int"]["not_after"],
        authorities["Root"]["not_after"],
        "{}",
        made.report()
    );
    assert_eq!(
        made.value["signed"][0]["not_after"],
        authorities["Root"]["not_after"]
    );
    let warnings = made.value["warnings"].to_string();
    assert!(
        warnings.contains("authority 'Int' is cut to") && warnings.contains("sign[0]"),
        "{warnings}"
    );
    tree.quiet(json!({"authorities": wishes}));
}
