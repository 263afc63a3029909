// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use issuers::{Issued, Issuer, SelfSigned, Wish};
use pki::{CertificateRequest, Lifetime, PrivateKey};
use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::{Value, json};

use super::*;
use crate::observe::FileFacts;
use crate::request::Request;

const NOW: Timestamp = Timestamp(1_800_000_000);

fn entry(change: Value) -> Entry {
    let mut wish = json!({
        "name": "web",
        "dns": ["web.example.org"],
        "key": {"algorithm": "ecdsa"},
        "issuer": {"self_signed": {}},
        "files": [
            {"content": "private_key", "path": "/web.key"},
            {"content": "certificate", "path": "/web.pem"},
        ],
    });
    if let Value::Object(change) = change {
        wish.as_object_mut().unwrap().extend(change);
    }
    let params = json!({"certificates": [wish], "state": "present", "state_dir": "/state", "lock_timeout": "1s"});
    let request = Request::try_from_params(&serde_json::from_value(params).unwrap()).unwrap();
    request.entries.into_iter().next().unwrap()
}

fn loaded() -> Loaded {
    Loaded::SelfSigned(Box::default())
}

/// What apply leaves behind for this wish, made at `at`.
fn installed(entry: &Entry, at: Timestamp) -> Observation {
    let key = PrivateKey::generate(entry.key.algorithm).unwrap();
    let request = CertificateRequest::create(&entry.template, &key).unwrap();
    let wish = Wish {
        template: &entry.template,
        key: &key,
        not_before: at - Lifetime(300),
        not_after: at + entry.ttl,
        now: at,
    };
    let Issued::Bytes { pem } = SelfSigned::default().issue(&request, &wish).unwrap() else {
        unreachable!()
    };
    let file = FileFacts {
        presence: Presence::Present { difference: None },
        drift: Vec::new(),
        open_mode: None,
    };
    Observation {
        files: entry.files.iter().map(|_| file.clone()).collect(),
        key: Some(key),
        certificate: Some(Certificate::from_pem(&pem).unwrap()),
        is_pair: true,
        ..Observation::default()
    }
}

fn kinds(decision: &Decision) -> Vec<&'static str> {
    decision
        .reasons
        .iter()
        .map(|reason| reason.kind.word())
        .collect()
}

#[test]
fn each_change_of_the_wish_is_a_reason() {
    let seen = installed(&entry(json!({})), NOW);
    for (change, expected) in [
        (json!({}), vec![]),
        (
            json!({"dns": ["web.example.org", "b.example.org"]}),
            vec!["names"],
        ),
        (json!({"ip": ["10.0.0.1"]}), vec!["names"]),
        (json!({"common_name": "other.example.org"}), vec!["subject"]),
        (
            json!({"subject": {"organization": "Example"}}),
            vec!["subject"],
        ),
        (
            json!({"key_usage": ["digitalSignature", "keyAgreement"]}),
            vec!["usages"],
        ),
        (
            json!({"extended_key_usage": ["clientAuth", "serverAuth"]}),
            vec![],
        ),
        (json!({"extended_key_usage": []}), vec!["usages"]),
        (json!({"must_staple": true}), vec!["usages"]),
        (
            json!({"key": {"algorithm": "ecdsa", "curve": "P-384"}}),
            vec!["key"],
        ),
        (json!({"renew": {"force": true}}), vec!["forced"]),
        (
            json!({"dns": ["b.example.org"], "must_staple": true}),
            vec!["names", "subject", "usages"],
        ),
        (
            json!({"dns": ["b.example.org"], "renew": {"on": ["expiry"]}}),
            vec![],
        ),
        (json!({"ttl": "20d", "renew": {"before": "10d"}}), vec![]),
    ] {
        let decision = decide(&entry(change.clone()), &loaded(), &seen, NOW).unwrap();
        assert_eq!(kinds(&decision), expected, "{change}");
        let is_kept = decision.action == Action::Keep;
        assert_eq!(is_kept, expected.is_empty(), "{change}");
        assert_eq!(decision.renew_at.is_some(), is_kept, "{change}");
    }
}

#[test]
fn time_decides_in_four_stretches() {
    let wish = entry(json!({"ttl": "90d"}));
    let seen = installed(&wish, NOW);
    let day = |days: i64| Timestamp(NOW.0 + days * 86_400);
    for (at, expected) in [
        (day(-1), vec!["not_yet_valid"]),
        (day(0), vec![]),
        (day(59), vec![]),
        (day(61), vec!["expiry"]),
        (day(91), vec!["expiry"]),
    ] {
        let decision = decide(&wish, &loaded(), &seen, at).unwrap();
        assert_eq!(kinds(&decision), expected, "{at}");
    }
}

#[test]
fn a_certificate_of_ten_days_is_due_in_its_last_third() {
    let wish = entry(json!({"ttl": "10d"}));
    let certificate = installed(&wish, NOW).certificate.unwrap();
    let share = due(&wish, &certificate, None).0 - NOW.0;
    assert!((6 * 86_400..7 * 86_400).contains(&share), "{share}");
}

#[test]
fn a_file_that_is_missing_or_differs_is_written_without_a_new_certificate() {
    let wish = entry(json!({}));
    for presence in [
        Presence::Absent,
        Presence::Unreadable("rubbish".to_owned()),
        Presence::Present {
            difference: Some("is another".to_owned()),
        },
    ] {
        let mut seen = installed(&wish, NOW);
        seen.files[1].presence = presence;
        let decision = decide(&wish, &loaded(), &seen, NOW).unwrap();
        assert_eq!(
            (decision.action, decision.reasons.len()),
            (Action::Rewrite, 1)
        );
    }
}

#[test]
fn only_a_good_key_is_used_again() {
    let reuse = json!({"algorithm": "ecdsa", "reuse": true});
    let renewed = |change: Value, spoil: fn(&mut Observation)| {
        let mut seen = installed(&entry(json!({})), NOW);
        spoil(&mut seen);
        decide(&entry(change), &loaded(), &seen, NOW)
            .unwrap()
            .action
    };
    let wish = json!({"key": reuse, "renew": {"force": true}});
    assert_eq!(
        renewed(wish.clone(), |_| ()),
        Action::Issue(KeySource::Installed)
    );
    assert_eq!(
        renewed(wish.clone(), |seen| seen.certificate = None),
        Action::Issue(KeySource::Installed)
    );
    assert_eq!(
        renewed(wish.clone(), |seen| seen.key = None),
        Action::Issue(KeySource::New)
    );
    assert_eq!(
        renewed(wish, |seen| seen.is_pair = false),
        Action::Issue(KeySource::New)
    );
    let other = json!({"key": {"algorithm": "ed25519", "reuse": true}});
    assert_eq!(renewed(other, |_| ()), Action::Issue(KeySource::New));
}

/// What was ordered so many days ago for 90 days, with the window, in days, that the server wishes for its renewal.
fn ordered(change: Value, days: i64, window: Option<(i64, i64)>) -> Decision {
    let acme = json!({"directory": "https://ca.example/dir", "account_key": "/account.key"});
    let mut wish = json!({"ttl": "90d", "issuer": {"acme": acme}});
    let wished = wish.as_object_mut().unwrap();
    wished.extend(change.as_object().unwrap().clone());
    let wish = entry(wish);
    let mut seen = installed(&wish, NOW);
    let day = |days: i64| NOW.0 + days * 86_400;
    seen.suggestion = window.map(|(start, end)| RenewalInfo {
        start: day(start),
        end: day(end),
        explanation: None,
        ask_again: 0,
    });
    let kept = issuers::Kept {
        directory: "https://ca.example/dir".to_owned(),
        profile: None,
        chain: seen.certificate.iter().cloned().collect(),
    };
    let issuer = issuers::Acme::new("https://ca.example/dir", None, Some(kept));
    let issuer = Loaded::Acme(Box::new(issuer));
    decide(&wish, &issuer, &seen, Timestamp(day(days))).unwrap()
}

#[test]
fn what_was_ordered_is_renewed_by_the_server_s_word_by_the_user_s_or_by_its_lifetime() {
    let own = |before: &str| json!({"renew": {"before": before}});
    let never = json!({"renew": {"on": ["names"]}});
    for (change, days, window, expected) in [
        (json!({}), 55, None, vec![]),
        (json!({}), 61, None, vec!["expiry"]),
        (own("10d"), 61, None, vec![]),
        (own("10d"), 81, None, vec!["expiry"]),
        // The server's word alone, but no outage for it.
        (json!({}), 61, Some((70, 71)), vec![]),
        (json!({}), 71, Some((70, 71)), vec!["renewal_information"]),
        (json!({}), 80, Some((95, 96)), vec![]),
        (json!({}), 82, Some((95, 96)), vec!["expiry"]),
        // The earlier of two.
        (own("40d"), 51, Some((70, 71)), vec!["expiry"]),
        (own("10d"), 71, Some((70, 71)), vec!["renewal_information"]),
        (
            own("40d"),
            71,
            Some((70, 71)),
            vec!["expiry", "renewal_information"],
        ),
        (never, 85, Some((70, 71)), vec![]),
    ] {
        let decision = ordered(change.clone(), days, window);
        assert_eq!(kinds(&decision), expected, "{change} {days} {window:?}");
    }
    let at = ordered(own("10d"), 0, Some((70, 71))).renew_at.unwrap().0 - NOW.0;
    assert!((70 * 86_400..71 * 86_400).contains(&at), "{at}");
}

#[test]
fn the_table_of_options_has_no_defects() {
    assert_eq!(
        ansible_module::table_defects(crate::params::OPTIONS),
        Vec::<String>::new()
    );
}

fn wishes() -> impl Strategy<Value = Value> {
    let names = prop::collection::vec("[a-z]{1,10}\\.example\\.org", 1..20);
    let algorithm = prop_oneof![
        Just(json!({"algorithm": "ecdsa"})),
        Just(json!({"algorithm": "ecdsa", "curve": "P-384"})),
        Just(json!({"algorithm": "ed25519"})),
    ];
    let usages = prop::sample::subsequence(
        vec![
            "digitalSignature",
            "nonRepudiation",
            "keyAgreement",
            "dataEncipherment",
        ],
        1..=4,
    );
    let purposes = prop::sample::subsequence(
        vec!["serverAuth", "clientAuth", "codeSigning", "1.2.3.4"],
        0..=4,
    );
    let organization = prop::option::of("[A-Za-zäöüß 0-9,+=]{1,30}");
    let addresses = prop::collection::vec(
        any::<std::net::IpAddr>().prop_map(|ip| ip.to_string()),
        0..3,
    );
    (names, algorithm, usages, purposes, organization, addresses, any::<bool>(), 2_u32..1_000).prop_map(
        |(dns, key, key_usage, purposes, organization, ip, staple, days)| {
            json!({
                "dns": dns, "key": key, "key_usage": key_usage, "extended_key_usage": purposes, "ip": ip,
                "subject": organization.map(|name| json!({"organization": name.trim().to_owned() + "x"})).unwrap_or(json!({})),
                "must_staple": staple, "ttl": format!("{days}d"),
            })
        },
    )
}

proptest! {
    /// What was issued for a wish, observed again, is kept; the order of names and usages does not matter.
    #[test]
    fn decide_is_idempotent(wish in wishes(), turn in 0_usize..20) {
        let entry_made = entry(wish.clone());
        let seen = installed(&entry_made, NOW);
        let mut turned = wish;
        for list in ["dns", "key_usage", "extended_key_usage", "ip"] {
            let items = turned[list].as_array_mut().unwrap();
            let by = turn.checked_rem(items.len()).unwrap_or(0);
            items.rotate_left(by);
        }
        // The first name is also the common name.
        turned["common_name"] = json!(entry_made.template.names.dns[0].as_str());
        let asked = entry(turned);
        let first = decide(&asked, &loaded(), &seen, NOW).unwrap();
        prop_assert_eq!(kinds(&first), Vec::<&str>::new());
        prop_assert!(first.action == Action::Keep);
        prop_assert_eq!(&decide(&asked, &loaded(), &seen, NOW).unwrap(), &first);
    }
}

#[test]
fn of_a_vault_count_only_the_usages_that_the_user_names() {
    let vault = |change: Value| {
        // As the table of options fills it.
        let table = crate::params::VAULT;
        let given =
            json!({"url": ["https://vault.example.org"], "role": "web", "auth": {"token": "t"}});
        let given = given.as_object().unwrap().clone();
        let mut all = json!({"issuer": {"vault": ansible_module::with_defaults(given, table)}});
        let all_of = all.as_object_mut().unwrap();
        all_of.extend(change.as_object().unwrap().clone());
        entry(all)
    };
    let seen = installed(&entry(json!({})), NOW);
    let by = |issuer: issuers::Vault| Loaded::Vault(Box::new(issuer));
    let certificate = seen.certificate.clone().unwrap();
    let issuing = std::sync::Arc::new(issuers::Issuing {
        certificate,
        above: Vec::new(),
    });
    let known = issuers::Vault::default().with_issuing(issuing);
    let revoked = known.with_revocation(Some(NOW));
    for (change, issuer, expected) in [
        (json!({}), &known, vec![]),
        (
            json!({"extended_key_usage": ["serverAuth"]}),
            &known,
            vec![],
        ),
        (
            json!({"extended_key_usage": ["codeSigning"]}),
            &known,
            vec!["usages"],
        ),
        (
            json!({"key_usage": ["keyAgreement"]}),
            &known,
            vec!["usages"],
        ),
        (
            json!({"subject": {"organization": "Example"}}),
            &known,
            vec![],
        ),
        (json!({"ip": ["10.0.0.1"]}), &known, vec!["names"]),
        (json!({}), &revoked, vec!["revoked"]),
    ] {
        let decision = decide(&vault(change.clone()), &by(issuer.clone()), &seen, NOW).unwrap();
        assert_eq!(kinds(&decision), expected, "{change}");
    }
}
