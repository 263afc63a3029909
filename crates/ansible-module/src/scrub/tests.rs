// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};
use serde_json::json;

use super::*;

fn scrubber(secrets: &[&str]) -> Scrubber {
    Scrubber::new(
        secrets
            .iter()
            .map(|secret| Zeroizing::new((*secret).to_owned())),
    )
}

fn scrubbed(secrets: &[&str], text: &str) -> String {
    scrubber(secrets)
        .text(text)
        .unwrap_or_else(|| text.to_owned())
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
0123456789abcdefSHORT
short
-----END PRIVATE KEY-----
";

#[test]
fn a_secret_is_replaced_wherever_it_stands() {
    assert_eq!(scrubbed(&["hunter2"], "hunter2"), "********");
    assert_eq!(
        scrubbed(&["hunter2"], "ahunter2b hunter2"),
        "a********b ********"
    );
    assert_eq!(scrubbed(&["hunter2"], "nothing"), "nothing");
    assert!(scrubber(&[]).text("nothing").is_none());
}

#[test]
fn the_longest_secret_goes_first_and_overlaps_are_one() {
    assert_eq!(scrubbed(&["abc", "abcdef"], "xabcdefx"), "x********x");
    assert_eq!(scrubbed(&["abcd", "cdef"], "xabcdefx"), "x********x");
    assert_eq!(scrubbed(&["aaa"], "aaaa b"), "******** b");
}

#[test]
fn a_short_secret_is_replaced_only_where_it_is_everything() {
    assert_eq!(scrubbed(&["no"], "no"), "********");
    assert_eq!(scrubbed(&["no"], "not now"), "not now");
    assert_eq!(scrubbed(&["äö"], "äö"), "********");
    assert_eq!(scrubbed(&["äö"], "xäö"), "xäö");
    assert_eq!(scrubbed(&["äöü"], "xäöü"), "x********");
}

#[test]
fn trimmed_and_quoted_forms_are_secrets_too() {
    assert_eq!(scrubbed(&["hunter2\n"], "got hunter2."), "got ********.");
    assert_eq!(
        scrubbed(&["a\"b\\c"], r#"got "a\"b\\c""#),
        r#"got "********""#
    );
    assert_eq!(scrubbed(&["tab\there"], r"got tab\there"), "got ********");
}

#[test]
fn a_key_is_replaced_whole_and_line_by_line_but_not_its_boundaries() {
    assert_eq!(
        scrubbed(&[KEY], &format!("bad key: {KEY}!")),
        "bad key: ********!"
    );
    let line = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    assert_eq!(scrubbed(&[KEY], &format!("at '{line}'")), "at '********'");
    assert_eq!(scrubbed(&[KEY], "at 0123456789abcdefSHORT"), "at ********");
    assert_eq!(scrubbed(&[KEY], "a short one"), "a short one");
    let boundary = "no -----BEGIN PRIVATE KEY----- found";
    assert_eq!(scrubbed(&[KEY], boundary), boundary);
}

#[test]
fn keys_and_numbers_are_looked_at_and_kept_words_stay() {
    let mut value =
        json!({"hunter2": {"pin": 123456, "n": 1234567, "msg": ["xhunter2"]}, "msg": "a"});
    scrubber(&["hunter2", "123456", "msg"]).value(&mut value, &|key| key == "msg");
    assert_eq!(
        value,
        json!({"********": {"pin": "********", "n": 1234567, "msg": ["x********"]}, "msg": "a"})
    );
}

#[test]
fn keys_that_become_equal_are_both_kept() {
    let mut value = json!({"hunter2": 1, "hunter3": 2, "b": 3});
    scrubber(&["hunter2", "hunter3"]).value(&mut value, &|_| false);
    assert_eq!(value, json!({"********": 1, "******** (2)": 2, "b": 3}));
}

#[test]
fn a_mask_that_makes_a_new_match_is_cleaned_as_well() {
    let clean = scrubbed(&["xyz", "a********b"], "axyzb");
    assert_eq!(clean, "********");
    // Two secrets that feed on the mask for ever end in nothing but the mask.
    assert_eq!(
        scrubbed(&["x*****", "xyz", "x********"], "xxxxxxxyz"),
        "********"
    );
}

#[test]
fn a_thousand_secrets_in_a_long_answer_are_all_found() {
    let secrets: Vec<_> = (0..1000).map(|i| format!("passphrase-{i:04}")).collect();
    let text = (0..20_000)
        .map(|i| format!("line {i} {};", secrets[i % 1000]))
        .collect::<String>();
    let clean = scrubbed(
        &secrets.iter().map(String::as_str).collect::<Vec<_>>(),
        &text,
    );
    assert!(!clean.contains("passphrase-"));
    assert_eq!(clean.matches(MASK).count(), 20_000);
}

fn secrets() -> impl Strategy<Value = Vec<String>> {
    // Few letters, so that secrets overlap and contain each other; the mask's own letter among them.
    let colliding = "[ab*\n\"é]{3,8}";
    prop::collection::vec(
        proptest::prop_oneof![colliding, "[a-z]{3,20}", "\\PC{3,40}"],
        1..6,
    )
}

proptest! {
    #[test]
    fn no_secret_is_left(secrets in secrets(), parts in prop::collection::vec("[ab*\n\"é]{0,6}|\\PC{0,9}", 7)) {
        let scrubber = Scrubber::new(secrets.iter().map(|s| Zeroizing::new(s.clone())));
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            text.push_str(part);
            text.push_str(secrets.get(index).map_or("", String::as_str));
        }
        let clean = scrubber.text(&text).unwrap_or(text);
        for secret in secrets.iter().filter(|secret| !MASK.contains(secret.as_str())) {
            prop_assert!(!clean.contains(secret.as_str()), "{secret:?} in {clean:?}");
        }
    }

    #[test]
    fn what_has_no_secret_is_left_alone(secret in "[A-Z]{3,9}", text in "[a-z ]{0,80}") {
        prop_assert!(scrubbed(&[&secret], &text) == text);
    }

    #[test]
    fn any_secret_and_any_text_are_taken(secret in any::<String>(), text in any::<String>()) {
        let clean = scrubbed(&[&secret], &format!("{text}{secret}{text}"));
        let told = secret.chars().count() >= 3 && !MASK.contains(secret.as_str());
        prop_assert!(!told || !clean.contains(&secret));
    }
}
