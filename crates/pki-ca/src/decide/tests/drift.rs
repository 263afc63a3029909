// SPDX-License-Identifier: Apache-2.0
//! Where an authority is not what is wished, it is not touched: each difference is named.

use super::*;

fn differences(site: &Site, options: Value) -> Vec<&'static str> {
    let plan = site.decide(&task(options), NOW);
    match &plan.failed[..] {
        [] => Vec::new(),
        [
            Failed {
                failure: Failure::AuthorityDrift { differences, .. },
                ..
            },
        ] => differences
            .iter()
            .map(|difference| difference.what)
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_difference_is_named() {
    let p384 = || json!({"algorithm": "ecdsa", "curve": "P-384"});
    let encrypted = || json!({"passphrase": "correct horse"});
    let rows: Vec<(&str, Value, Change, &[&str])> = vec![
        ("nothing is asked", json!([root(json!({}))]), as_it_is, &[]),
        (
            "what is asked is there",
            json!([root(
                json!({"common_name": "Root", "key": {"algorithm": "ecdsa"}})
            )]),
            as_it_is,
            &[],
        ),
        (
            "another name",
            json!([root(json!({"common_name": "Other"}))]),
            as_it_is,
            &["subject"],
        ),
        (
            "another key",
            json!([root(json!({"key": p384()}))]),
            as_it_is,
            &["key"],
        ),
        (
            "another key where the certificate is lost",
            json!([root(json!({"key": p384()}))]),
            |site| site.lose_certificate("Root"),
            &["key"],
        ),
        (
            "a key in the clear that should be encrypted",
            json!([root(json!({"key": encrypted()}))]),
            as_it_is,
            &["key.passphrase"],
        ),
        (
            "room for others below",
            json!([root(json!({"path_length": 3}))]),
            as_it_is,
            &["path_length"],
        ),
        (
            "constraints",
            json!([root(
                json!({"name_constraints": {"permitted_dns": ["example.org"]}})
            )]),
            as_it_is,
            &["name_constraints"],
        ),
        (
            "fewer usages",
            json!([root(json!({"key_usage": ["keyCertSign"]}))]),
            as_it_is,
            &["key_usage"],
        ),
        (
            "an intermediate in place of a root",
            json!([root(json!({"type": "intermediate"}))]),
            as_it_is,
            &["type"],
        ),
        (
            "a root in place of an intermediate",
            json!([int(json!({"type": "root", "parent": null}))]),
            as_it_is,
            &["type"],
        ),
        (
            "another parent",
            json!([{"name": "Second"}, int(json!({"parent": "Second"}))]),
            as_it_is,
            &["parent"],
        ),
        (
            "all at once",
            json!([root(
                json!({"common_name": "Other", "key": merged(p384(), encrypted()), "path_length": 3})
            )]),
            as_it_is,
            &["subject", "key", "path_length", "key.passphrase"],
        ),
    ];
    for (name, authorities, change, expected) in rows {
        let mut site = Site::new();
        change(&mut site);
        assert_eq!(
            differences(&site, json!({"authorities": authorities})),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_new_certificate_heals_all_but_another_key() {
    let wish =
        root(json!({"common_name": "Other", "path_length": 3, "key": {"algorithm": "ed25519"}}));
    let site = Site::new();
    for (healing, left) in [
        ("none", vec!["subject", "key", "path_length"]),
        ("regenerate", vec!["key"]),
        ("regenerate_key", vec![]),
    ] {
        let mut options = json!({"authorities": [wish]});
        if healing != "none" {
            options[healing] = "Root".into();
        }
        assert_eq!(differences(&site, options), left, "{healing}");
    }
}
