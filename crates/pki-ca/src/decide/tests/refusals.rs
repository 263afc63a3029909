// SPDX-License-Identifier: Apache-2.0
//! What is not done to an authority, by the kind that a playbook sees.

use ansible_module::Failure as _;

use super::*;

#[test]
fn each_refusal_has_its_kind() {
    let of_int = |change: Value| json!({"authorities": [int(change)]});
    let lone = |state: &str| of_int(json!({"state": state, "parent": null}));
    let again = || json!({"authorities": [int(json!({}))], "regenerate": "Int"});
    let upload = |pem: String| json!({"authorities": [int(json!({"state": "signed", "parent": null, "signed": pem}))]});
    let stranger = Site::new().certificate("Int").to_pem();
    let rows: Vec<(&str, Value, Timestamp, Change, &str)> = vec![
        (
            "the key is another's",
            of_int(json!({})),
            NOW,
            |site| site.authority("Int").key = open(new_key()),
            "authority.key_foreign",
        ),
        (
            "the key is gone",
            of_int(json!({})),
            NOW,
            |site| site.authority("Int").key = ObservedKey::Absent,
            "authority.key_lost",
        ),
        (
            "it was revoked",
            of_int(json!({})),
            NOW,
            |site| site.authority("Int").index.service = Service::Revoked,
            "authority.out_of_service",
        ),
        (
            "there is none to retire",
            lone("retired"),
            NOW,
            |site| site.tree.authorities.clear(),
            "authority.missing",
        ),
        (
            "nobody signs it",
            of_int(json!({"parent": null})),
            NOW,
            |site| site.tree.authorities.clear(),
            "authority.no_issuer",
        ),
        (
            "its parent has expired",
            again(),
            later(3651),
            as_it_is,
            "authority.expired",
        ),
        (
            "its parent is not yet valid",
            again(),
            NOW - Lifetime(DAY),
            as_it_is,
            "authority.not_yet_valid",
        ),
        (
            "its parent's key is locked",
            again(),
            NOW,
            |site| site.authority("Root").key = ObservedKey::Locked,
            "authority.key_unavailable",
        ),
        (
            "its parent is retired",
            again(),
            NOW,
            |site| site.authority("Root").index.service = Service::Retired,
            "authority.out_of_service",
        ),
        (
            "its parent cannot be read",
            of_int(json!({})),
            NOW,
            break_root,
            "authority.dependency",
        ),
        (
            "it allows none below",
            json!({"authorities": [{"name": "Low", "type": "intermediate", "parent": "Int"}]}),
            NOW,
            as_it_is,
            "sign.path_length",
        ),
        (
            "something hangs on it",
            json!({"authorities": [root(json!({"state": "absent"}))]}),
            NOW,
            as_it_is,
            "authority.in_use",
        ),
        (
            "a root is on no list",
            json!({"authorities": [root(json!({"state": "revoked"}))]}),
            NOW,
            as_it_is,
            "revoke.root",
        ),
        (
            "its issuer is outside",
            lone("revoked"),
            NOW,
            |site| drop(site.tree.authorities.remove(&named("Root"))),
            "revoke.issuer_outside",
        ),
        (
            "there is no key for the upload",
            upload(stranger.clone()),
            NOW,
            |site| site.tree.authorities.clear(),
            "signed.no_key",
        ),
        (
            "the upload is for another key",
            upload(stranger),
            NOW,
            as_it_is,
            "signed.key_mismatch",
        ),
    ];
    for (name, options, now, change, expected) in rows {
        let mut site = Site::new();
        change(&mut site);
        let plan = site.decide(&task(options), now);
        let kinds: Vec<_> = plan.failed.iter().map(|one| one.failure.kind()).collect();
        assert_eq!(kinds, [expected], "{name}: {:?}", plan.failed);
        assert!(!plan.changes(), "{name}");
    }
}

fn break_root(site: &mut Site) {
    let damage = Failure::Damaged {
        path: "/tree/roots/Root/index.json".into(),
        problem: "is not an index of ours".to_owned(),
    };
    site.tree.authorities.remove(&named("Root"));
    site.tree.broken.insert(named("Root"), damage);
}

#[test]
fn what_hangs_on_a_lost_key_is_named() {
    let mut site = Site::new();
    site.authority("Root").key = ObservedKey::Absent;
    let plan = site.decide(&task(json!({"authorities": [root(json!({}))]})), NOW);
    let [
        Failed {
            failure: Failure::KeyLost { invalidates, .. },
            ..
        },
    ] = &plan.failed[..]
    else {
        panic!("{:?}", plan.failed)
    };
    let until = site.certificate("Int").facts().not_after;
    assert_eq!(
        invalidates,
        &[
            format!("authority 'Int' until {until}"),
            "every trust store with 'Root'".to_owned()
        ]
    );
}
