// SPDX-License-Identifier: Apache-2.0
//! What has its signature does not need its parent any more.

use super::*;

/// With `root-3` beside the others, whose key `root-1` has signed too.
fn bridged() -> Observed {
    let mut observed = seen(None);
    let (old, new) = (key(), key());
    let root = self_sign(&template("root-1", None, 1_900), &old).unwrap();
    let signer = Authority::new(root.clone(), old.clone(), Vec::new()).unwrap();
    let public = new.public_key().unwrap();
    let bridge = signer.sign(&template("root-3", None, 1_825), &public);
    let own = self_sign(&template("root-3", None, 3_650), &new).unwrap();
    let issuers = &mut mount(&mut observed).issuers;
    issuers.truncate(1);
    issuers[0].certificate = root.clone();
    issuers.push(issuer("root-3", own, &[]));
    issuers.push(issuer("root-3-x-root-1", bridge.unwrap(), &[root]));
    observed
}

fn verdict_on(wish: Value, change: Change, mut observed: Observed, days: u64) -> String {
    change(&mut observed);
    let now = NOW + pki::Lifetime(days * DAY);
    verdict(&decide(
        &task(json!({"authorities": [wish]})),
        &observed,
        now,
    ))
}

#[test]
fn a_bridge_that_is_there_outlives_its_signer() {
    let rows: [(&str, Change, &str); 6] = [
        ("as it was", |_| {}, "kept"),
        (
            "retired",
            |seen| mount(seen).issuers[0].usage = vec!["read-only".to_owned()],
            "kept",
        ),
        (
            "revoked",
            |seen| mount(seen).issuers[0].revoked = true,
            "kept",
        ),
        (
            "without its key",
            |seen| mount(seen).issuers[0].key_id = None,
            "kept",
        ),
        (
            "removed",
            |seen| drop(mount(seen).issuers.remove(0)),
            "kept",
        ),
        (
            "another of that name",
            |seen| {
                let other = self_sign(&template("root-1", None, 3_650), &key()).unwrap();
                mount(seen).issuers[0].certificate = other;
            },
            "authority.drift",
        ),
    ];
    let wish = json!({"name": "root-3", "state": "cross_signed", "parent": "root-1"});
    for (what, change, expected) in rows {
        assert_eq!(
            verdict_on(wish.clone(), change, bridged(), 0),
            expected,
            "{what}"
        );
    }
    let later = verdict_on(wish.clone(), |_| {}, bridged(), 2_000);
    assert_eq!(later, "kept", "expired");
    let forget: Change = |seen| drop(mount(seen).issuers.pop());
    assert_eq!(
        verdict_on(wish.clone(), forget, bridged(), 0),
        "cross_signed"
    );
    let retired: Change = |seen| {
        drop(mount(seen).issuers.pop());
        mount(seen).issuers[0].usage = vec!["read-only".to_owned()];
    };
    assert_eq!(
        verdict_on(wish, retired, bridged(), 0),
        "authority.out_of_service"
    );
}

#[test]
fn an_intermediate_outlives_its_parents_stay() {
    let wish = int(json!({"parent": "root-1"}));
    let gone: Change = |seen| drop(mount(seen).issuers.remove(0));
    assert_eq!(verdict_on(wish, gone, seen(None), 0), "kept");
    let wrong = int(json!({"parent": "root-9"}));
    assert_eq!(
        verdict_on(wrong, |_| {}, seen(None), 0),
        "authority.missing"
    );
}

#[test]
fn hints_of_what_is_over_can_be_followed_in_a_vault() {
    let below = json!({"name": "int-2", "type": "intermediate", "parent": "int-1"});
    let over: Change = |_| {};
    let revoked: Change = |seen| mount(seen).issuers[1].revoked = true;
    let rows = [
        (
            int(json!({"state": "active"})),
            over,
            2_000,
            "authority.expired",
        ),
        (below.clone(), over, 2_000, "authority.expired"),
        (int(json!({})), revoked, 0, "authority.out_of_service"),
        (below, revoked, 0, "authority.out_of_service"),
    ];
    for (wish, change, days, kind) in rows {
        let mut observed = seen(None);
        change(&mut observed);
        let now = NOW + pki::Lifetime(days * DAY);
        let plan = decide(
            &task(json!({"authorities": [wish.clone()]})),
            &observed,
            now,
        );
        let failure = &plan.failed[0].failure;
        assert_eq!(failure.kind(), kind, "{wish}");
        let hint = failure.hint().unwrap();
        assert!(
            hint.starts_with("make another under another name"),
            "{wish}: {hint}"
        );
    }
}
