// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;
use crate::{Order, OrderStatus};

const NOW: Timestamp = Timestamp(1_800_000_000);

fn names(texts: &[&str]) -> Vec<Identifier> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn wish(identifiers: &[Identifier]) -> Wish<'_> {
    Wish {
        directory: "https://ca.example/dir",
        key_thumbprint: "thumb",
        identifiers,
        profile: None,
        public_key_sha256: "aa",
        deadline: Duration::from_secs(600),
    }
}

fn state(identifiers: &[Identifier]) -> State {
    let mut state = State::begin(
        "https://ca.example/dir",
        "https://ca.example/a/1",
        &wish(identifiers),
    );
    state.order = Some("https://ca.example/o/1".to_owned());
    state
}

fn order(status: OrderStatus, expires: i64) -> Order {
    let mut order: Order = serde_json::from_value(serde_json::json!({
        "status": status, "identifiers": [], "authorizations": [], "finalize": "https://ca.example/f/1"
    }))
    .unwrap();
    order.expires = Some(Timestamp(NOW.0 + expires));
    order
}

fn anew(why: Why, give_up: bool) -> Resume {
    Resume::Anew {
        reasons: vec![why],
        give_up,
    }
}

/// By what the server shows, for a state of before finalize and one of after.
#[test]
fn what_the_server_shows_decides() {
    use OrderStatus::{Invalid, Pending, Processing, Ready, Valid};
    let identifiers = names(&["a.example", "b.example"]);
    let expired = || Why::Expired(Timestamp(NOW.0 + 60));
    let over = || Why::Expired(Timestamp(NOW.0 - 60));
    let table = [
        (order(Pending, 3_600), Resume::Continue, Resume::Continue),
        (order(Ready, 3_600), Resume::Continue, Resume::Continue),
        (
            order(Pending, 60),
            anew(expired(), true),
            anew(expired(), true),
        ),
        (order(Ready, -60), anew(over(), false), anew(over(), false)),
        // The certificate stays where it is after the order has ended.
        (
            order(Valid, -60),
            anew(Why::OtherPublicKey, false),
            Resume::Download,
        ),
        (
            order(Valid, 3_600),
            anew(Why::OtherPublicKey, false),
            Resume::Download,
        ),
        (
            order(Processing, 3_600),
            anew(Why::OtherPublicKey, false),
            Resume::Download,
        ),
        (
            order(Invalid, 3_600),
            anew(Why::OrderInvalid, false),
            anew(Why::OrderInvalid, false),
        ),
    ];
    let before = state(&identifiers);
    let mut after = before.clone();
    after.public_key_sha256 = Some("aa".to_owned());
    for (order, of_before, of_after) in table {
        let decide = |state| resume(Some(state), Seen::Order(&order), &wish(&identifiers), NOW);
        assert_eq!(decide(&before), of_before, "{:?}", order.status);
        assert_eq!(decide(&after), of_after, "{:?}", order.status);
    }
    // Handed in for a key that is not wanted any more.
    after.public_key_sha256 = Some("bb".to_owned());
    let order = order(Valid, 3_600);
    let decided = resume(Some(&after), Seen::Order(&order), &wish(&identifiers), NOW);
    assert_eq!(decided, anew(Why::OtherPublicKey, false));
}

#[test]
fn what_is_missing_at_the_server_is_told_apart() {
    let identifiers = names(&["a.example"]);
    let state = state(&identifiers);
    let decide = |seen| resume(Some(&state), seen, &wish(&identifiers), NOW);
    assert_eq!(decide(Seen::NotAsked), Resume::Look);
    assert_eq!(decide(Seen::Missing), anew(Why::OrderMissing, false));
    assert_eq!(decide(Seen::Elsewhere), anew(Why::Elsewhere, false));
    assert_eq!(decide(Seen::AccountGone), Resume::AccountGone);
    let begun = |state| resume(state, Seen::NotAsked, &wish(&identifiers), NOW);
    assert_eq!(begun(None), Resume::Begin);
    let mut intended = state.clone();
    intended.order = None;
    assert_eq!(begun(Some(&intended)), Resume::Begin);
}

#[test]
fn a_changed_wish_is_ordered_anew_with_all_reasons() {
    let identifiers = names(&["a.example", "b.example"]);
    let state = state(&identifiers);
    let decide = |wish: Wish<'_>| resume(Some(&state), Seen::NotAsked, &wish, NOW);
    let swapped = names(&["b.example", "a.example"]);
    assert_eq!(decide(wish(&swapped)), Resume::Look);
    let fewer = names(&["a.example"]);
    assert_eq!(decide(wish(&fewer)), anew(Why::IdentifiersChanged, true));
    let other = Wish {
        directory: "https://other.example/dir",
        profile: Some("short"),
        ..wish(&identifiers)
    };
    assert_eq!(
        decide(other),
        Resume::Anew {
            reasons: vec![Why::DirectoryChanged, Why::ProfileChanged],
            give_up: false,
        }
    );
    let account = Wish {
        key_thumbprint: "other",
        ..wish(&identifiers)
    };
    assert_eq!(decide(account), anew(Why::KeyChanged, false));
}

#[test]
fn a_server_that_wants_to_be_left_alone_is() {
    let identifiers = names(&["a.example"]);
    let mut state = state(&identifiers);
    let later = Timestamp(NOW.0 + 86_400);
    state.remember(&Error::RateLimited {
        url: "https://ca.example/o".into(),
        reason: "too many".into(),
        retry_at: Some(later),
    });
    let decide = |now| resume(Some(&state), Seen::NotAsked, &wish(&identifiers), now);
    assert_eq!(decide(NOW), Resume::NotBefore(later));
    assert_eq!(decide(later), Resume::Look);
    // One that names the end of time is asked again.
    let decide_for = |at| {
        let state = State {
            retry_at: Some(at),
            ..state.clone()
        };
        resume(Some(&state), Seen::NotAsked, &wish(&identifiers), NOW)
    };
    let month = Timestamp(NOW.0 + 30 * 86_400);
    assert_eq!(decide_for(month), Resume::NotBefore(month));
    assert_eq!(decide_for(Timestamp(month.0 + 1)), Resume::Look);
    assert_eq!(decide_for(Timestamp(i64::MAX)), Resume::Look);
    // A limit on these names says nothing of others.
    let others = names(&["b.example"]);
    let decided = resume(Some(&state), Seen::NotAsked, &wish(&others), NOW);
    assert_eq!(decided, anew(Why::IdentifiersChanged, true));
    assert_eq!(state.last_error.unwrap().kind, "acme.rate_limited");
}

#[test]
fn the_file_comes_back_as_it_was_and_nobody_else_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("main.json");
    assert_eq!(State::load(&path).unwrap(), None);
    let mut state = state(&names(&["*.example.org", "192.0.2.1"]));
    state.expires = Some(NOW);
    state.proofs.push(Wanted {
        identifier: "*.example.org".parse().unwrap(),
        authorization: "https://ca.example/z/1".into(),
        challenge: "https://ca.example/c/1".into(),
        proof: Proof::Txt {
            name: "_acme-challenge.example.org".into(),
            value: "v".into(),
            stays: false,
        },
        published: Some(serde_json::json!({"zone": "example.org"})),
    });
    state.save(&path).unwrap();
    assert_eq!(State::load(&path).unwrap(), Some(state.clone()));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    state.certificate = Some("https://ca.example/x/1".into());
    state.save(&path).unwrap();
    assert_eq!(State::load(&path).unwrap(), Some(state.clone()));
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 1, "nothing lies beside it");
    // What was shown and could not be taken back is all that is left of it.
    state.left_over = true;
    state.save(&path).unwrap();
    State::finish(&path).unwrap();
    let left = State::load(&path).unwrap().unwrap();
    assert_eq!((left.shown().len(), &left.order), (1, &None));
    assert_eq!((left.certificate, left.proofs), (None, Vec::new()));
    state.left_over = false;
    state.save(&path).unwrap();
    State::finish(&path).unwrap();
    assert_eq!(State::load(&path).unwrap(), None);
    State::forget(&path).unwrap();
    State::forget(&path).unwrap();
    assert_eq!(State::load(&path).unwrap(), None);
    State::finish(&path).unwrap();
}

#[test]
fn a_damaged_file_or_one_of_another_version_is_not_taken_for_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("main.json");
    std::fs::write(&path, "{\"version\": 1").unwrap();
    assert_eq!(State::load(&path).unwrap_err().kind(), "acme.state");
    let mut newer = serde_json::to_value(state(&names(&["a.example"]))).unwrap();
    newer["version"] = 2.into();
    std::fs::write(&path, newer.to_string()).unwrap();
    let error = State::load(&path).unwrap_err().to_string();
    assert!(error.ends_with("it is of version 2, not 1"), "{error}");
}
