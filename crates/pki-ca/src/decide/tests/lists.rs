// SPDX-License-Identifier: Apache-2.0
//! Why a revocation list is made.

use pki::crl::{Revocation, RevocationList};

use super::*;

/// With a list of `Int` that `signer` made at [`NOW`] for 30 days.
fn site_with_list_by(signer: &str) -> Site {
    let mut site = Site::new();
    let signer = site.signer(&named(signer));
    let list = RevocationList::create(&signer, &[], 1, NOW, later(30)).unwrap();
    site.authority("Int").crl = Some(Ok(list));
    site
}

#[test]
fn each_reason_for_a_new_list() {
    let no_more = || json!({});
    let revoke = || json!({"revoke": [{"authority": "Int", "serial": "0A"}]});
    let rows: Vec<(&str, Value, Timestamp, Change, &[&str])> = vec![
        ("a fresh one is kept", no_more(), NOW, as_it_is, &[]),
        (
            "one is asked for",
            no_more(),
            NOW,
            |site| site.authority("Int").crl = None,
            &["missing"],
        ),
        (
            "the present one cannot be read",
            no_more(),
            NOW,
            |site| site.authority("Int").crl = Some(Err("it is cut".to_owned())),
            &["unreadable"],
        ),
        (
            "another has signed it",
            no_more(),
            NOW,
            |site| {
                site.authority("Int").crl = site_with_list_by("Root").authority("Int").crl.take()
            },
            &["issuer"],
        ),
        (
            "its authority gets another key",
            json!({"authorities": both(), "regenerate_key": "Int"}),
            NOW,
            as_it_is,
            &["issuer"],
        ),
        (
            "two thirds of its time are not over",
            no_more(),
            later(20),
            as_it_is,
            &[],
        ),
        (
            "two thirds of its time are over",
            no_more(),
            later(21),
            as_it_is,
            &["expiry"],
        ),
        (
            "something more is revoked",
            revoke(),
            NOW,
            as_it_is,
            &["revoked"],
        ),
        (
            "it lacks what the index knows",
            no_more(),
            NOW,
            |site| {
                let serial = "0A".parse().unwrap();
                let revocation = Revocation {
                    serial,
                    at: NOW,
                    reason: None,
                };
                site.authority("Int").index.revoked.push(revocation);
            },
            &["entries"],
        ),
    ];
    for (name, options, now, change, expected) in rows {
        let mut site = site_with_list_by("Int");
        change(&mut site);
        let crl = json!({"authorities": ["Int"], "next_update": "30d", "renew_before": "33%"});
        let plan = site.decide(&task(merged(json!({"crl": crl}), options)), now);
        let lists: Vec<_> = plan
            .lists
            .iter()
            .map(|list| (list.authority.as_str(), kinds(&list.reasons)))
            .collect();
        assert_eq!(lists, [("Int", expected.to_vec())], "{name}");
    }
}
