// SPDX-License-Identifier: Apache-2.0
//! Why something is done about an authority.

use std::path::PathBuf;

use tls_files::Drift;

use super::*;
use crate::spec::{self, Room};

/// Name, task, what is seen, and the reasons of each authority that has any.
type Row = (
    &'static str,
    Value,
    Change,
    &'static [(&'static str, &'static [&'static str])],
);

fn check(rows: Vec<Row>) {
    for (name, options, change, expected) in rows {
        let mut site = Site::new();
        change(&mut site);
        let plan = site.decide(&task(options), NOW);
        assert!(plan.failed.is_empty(), "{name}: {:?}", plan.failed);
        let reasons: Vec<_> = plan
            .authorities
            .iter()
            .filter(|decided| !decided.reasons.is_empty())
            .map(|decided| (decided.name.as_str(), kinds(&decided.reasons)))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, kinds)| (*name, kinds.to_vec()))
            .collect();
        assert_eq!(reasons, expected, "{name}");
        assert_eq!(plan.changes(), !expected.is_empty(), "{name}");
    }
}

#[test]
fn each_loss_is_a_reason() {
    let wish = || json!({"authorities": both()});
    check(vec![
        ("what is as wished is kept", wish(), as_it_is, &[]),
        (
            "what is not there is made",
            wish(),
            |site| site.tree.authorities.clear(),
            &[("Root", &["missing"]), ("Int", &["missing", "service"])],
        ),
        (
            "a lost certificate is made for its key",
            wish(),
            |site| site.lose_certificate("Root"),
            &[("Root", &["certificate_missing"]), ("Int", &["chain"])],
        ),
        (
            "a lost link is put back",
            wish(),
            |site| {
                site.authority("Root").link = Link::Absent;
                site.authority("Root").certificate = None;
            },
            &[("Root", &["link_missing"])],
        ),
        (
            "a file in place of the link becomes a generation",
            wish(),
            |site| {
                site.authority("Root").link = Link::Regular;
                site.authority("Root").generations.clear();
            },
            &[("Root", &["not_a_link"])],
        ),
        (
            "a lost chain is written anew",
            wish(),
            |site| site.authority("Int").chain = None,
            &[("Int", &["chain"])],
        ),
        (
            "a parent with another key than when it signed is followed",
            wish(),
            |site| {
                let old = site.certificate("Root");
                let template = CertificateTemplate::new(
                    spec::subject_part(
                        &task(wish_of_root()).authorities[0],
                        Some(&old),
                        Room::Unlimited,
                    ),
                    NOW,
                    later(3650),
                );
                site.make(&named("Root"), None, &template);
                let root = site.authority("Root");
                let new = root.generations.insert(FIRST_GENERATION, old).unwrap();
                root.generations.insert(FIRST_GENERATION + 1, new);
            },
            &[("Int", &["parent_changed"])],
        ),
        (
            "a wrong mode is repaired",
            wish(),
            wrong_modes,
            &[("Root", &["attributes"]), ("Int", &["attributes"])],
        ),
    ]);
}

fn wish_of_root() -> Value {
    json!({"authorities": [root(json!({}))]})
}

fn wrong_modes(site: &mut Site) {
    let drift = || Drift {
        what: "mode",
        before: "0644".to_owned(),
        after: "0600".to_owned(),
    };
    let tree = task(json!({})).tree;
    let target = tree.private(PathBuf::from("/tree/roots/Root/private/Root.key.pem"));
    site.authority("Root").drift.push((target, vec![drift()]));
    let directory = PathBuf::from("/tree/roots/Int/private");
    site.authority("Int")
        .directory_drift
        .push((directory, drift()));
}

#[test]
fn each_wish_to_make_anew_is_a_reason() {
    check(vec![
        (
            "a new certificate of a root renews the chains below",
            json!({"authorities": both(), "regenerate": "Root"}),
            as_it_is,
            &[("Root", &["regenerate"]), ("Int", &["chain"])],
        ),
        (
            "a new key of a root renews the certificates below",
            json!({"authorities": both(), "regenerate_key": "Root"}),
            as_it_is,
            &[("Root", &["regenerate_key"]), ("Int", &["parent_changed"])],
        ),
        (
            "an authority that the task does not describe follows a new certificate",
            json!({"authorities": [root(json!({}))], "regenerate": true}),
            as_it_is,
            &[("Root", &["regenerate"]), ("Int", &["chain"])],
        ),
        (
            "an authority that the task does not describe follows a new key",
            json!({"authorities": [root(json!({}))], "regenerate_key": true}),
            as_it_is,
            &[("Root", &["regenerate_key"]), ("Int", &["parent_changed"])],
        ),
        (
            "a lost key is replaced only on demand",
            json!({"authorities": both(), "regenerate": "Root"}),
            |site| site.authority("Root").key = ObservedKey::Absent,
            &[
                ("Root", &["key_lost", "regenerate"]),
                ("Int", &["parent_changed"]),
            ],
        ),
    ]);
}

#[test]
fn each_change_of_state_is_a_reason() {
    let state =
        |state: &str| json!({"authorities": [int(json!({"state": state, "parent": null}))]});
    check(vec![
        (
            "becomes active",
            json!({"authorities": both()}),
            |site| site.authority("Int").index.service = Service::Present,
            &[("Int", &["service"])],
        ),
        (
            "only one is active",
            json!({"authorities": [root(json!({"state": "active"}))]}),
            as_it_is,
            &[("Root", &["service"]), ("Int", &["active_elsewhere"])],
        ),
        (
            "is retired",
            state("retired"),
            as_it_is,
            &[("Int", &["service"])],
        ),
        (
            "is revoked",
            state("revoked"),
            as_it_is,
            &[("Int", &["revoked", "service"])],
        ),
        (
            "is removed",
            state("absent"),
            as_it_is,
            &[("Int", &["absent"])],
        ),
        (
            "its key is signed by another",
            json!({"authorities": [{"name": "New", "state": "cross_signed", "parent": "Root"}]}),
            as_it_is,
            &[("New", &["missing", "bridge"])],
        ),
        (
            "a request goes out",
            json!({"authorities": [outside("csr")]}),
            as_it_is,
            &[("Outside", &["request_missing"])],
        ),
        (
            "another request goes out",
            json!({"authorities": [outside("csr")], "regenerate": "Outside"}),
            as_it_is,
            &[("Outside", &["regenerate"])],
        ),
    ]);
}

fn outside(state: &str) -> Value {
    json!({"name": "Outside", "type": "intermediate", "state": state})
}

#[test]
fn an_uploaded_certificate_is_a_reason_until_it_is_installed() {
    let mut site = Site::new();
    let key = new_key();
    let asked = task(json!({"authorities": [outside("csr")]}));
    let template = CertificateTemplate::new(
        spec::subject_part(&asked.authorities[0], None, Room::Unlimited),
        NOW,
        later(30),
    );
    let signed = site
        .signer(&named("Root"))
        .sign(&template, &key.public_key().unwrap())
        .unwrap();
    let upload = merged(outside("signed"), json!({"signed": signed.to_pem()}));
    let request = task(json!({"authorities": [upload]}));
    site.tree
        .authorities
        .insert(named("Outside"), only_key(key));
    let reasons = |site: &Site| {
        let plan = site.decide(&request, NOW);
        assert!(plan.failed.is_empty(), "{:?}", plan.failed);
        kinds(
            &plan
                .authorities
                .iter()
                .find(|decided| decided.listed)
                .unwrap()
                .reasons,
        )
    };
    assert_eq!(reasons(&site), ["uploaded"]);
    let chain = vec![signed.clone(), site.certificate("Root")];
    let found = site.authority("Outside");
    found.generations.insert(FIRST_GENERATION, signed.clone());
    (found.certificate, found.chain) = (Some(signed), Some(chain));
    assert_eq!(reasons(&site), [""; 0]);
}

#[test]
fn an_authority_that_follows_its_parent_keeps_the_length_of_its_life() {
    let site = Site::new();
    let before = site.certificate("Int");
    let plan = site.decide(
        &task(json!({"authorities": [both()[0]], "regenerate_key": "Root"})),
        later(30),
    );
    let followed = plan
        .authorities
        .iter()
        .find(|each| each.name == named("Int"));
    let Some(Act::Issue(issue)) = followed.map(|each| &each.act) else {
        panic!("{followed:?}")
    };
    let (facts, template) = (before.facts(), &issue.template);
    assert_eq!(template.not_before, later(30) - pki::CLOCK_TOLERANCE);
    assert_eq!(
        template.not_after.0 - template.not_before.0,
        facts.not_after.0 - facts.not_before.0
    );
}
