// SPDX-License-Identifier: Apache-2.0
//! Items of a list that failed while others did not, as every module answers them.

use serde_json::{Value, json};

/// Messages that are spelled out; the result `failures` has all.
const SPELLED_OUT: usize = 5;

/// An item that failed, ready for the answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FailedItem {
    /// Its name in the task.
    pub name: String,
    /// The stable word.
    pub kind: String,
    /// The message with its causes.
    pub msg: String,
    /// What to do.
    pub hint: Option<String>,
}

impl FailedItem {
    /// As in the result `failures`.
    pub fn to_json(&self) -> Value {
        json!({"kind": self.kind, "msg": self.msg, "hint": self.hint})
    }
}

/// The message of a task of which some items failed: `2 of 3 certificates failed: 'a': …; 'b': …`, or just
/// `certificate 'a': …` for a task with one. `what` is the item's noun.
pub fn summary(what: &str, failed: &[FailedItem], total: usize) -> String {
    let mut text = match failed {
        [one] if total == 1 => return format!("{what} '{}': {}", one.name, one.msg),
        _ => format!("{} of {total} {what}s failed: ", failed.len()),
    };
    for (index, item) in failed.iter().take(SPELLED_OUT).enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        text.push_str(&format!("{separator}'{}': {}", item.name, item.msg));
    }
    if failed.len() > SPELLED_OUT {
        let more = failed.len() - SPELLED_OUT;
        text.push_str(&format!("; and {more} more, see 'failures'"));
    }
    text
}

/// The kind that all failures share, else `mixed`.
pub fn shared_kind<'a>(failed: &'a [FailedItem], mixed: &'a str) -> &'a str {
    match failed.first() {
        Some(first) if failed.iter().all(|other| other.kind == first.kind) => &first.kind,
        _ => mixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(name: &str, kind: &str) -> FailedItem {
        FailedItem {
            name: name.to_owned(),
            kind: kind.to_owned(),
            msg: String::from("no"),
            hint: None,
        }
    }

    #[test]
    fn the_only_item_of_a_task_is_told_without_counting() {
        let one = [failed("web", "a.b")];
        assert_eq!(summary("certificate", &one, 1), "certificate 'web': no");
        assert_eq!(
            summary("certificate", &one, 2),
            "1 of 2 certificates failed: 'web': no"
        );
    }

    #[test]
    fn five_are_spelled_out() {
        let many: Vec<_> = (0..7).map(|i| failed(&i.to_string(), "a.b")).collect();
        let text = summary("set", &many, 9);
        assert!(
            text.starts_with("7 of 9 sets failed: '0': no; '1': no"),
            "{text}"
        );
        assert!(
            text.ends_with("'4': no; and 2 more, see 'failures'"),
            "{text}"
        );
    }

    #[test]
    fn different_kinds_have_a_word_for_all() {
        let same = [failed("a", "x.y"), failed("b", "x.y")];
        assert_eq!(shared_kind(&same, "sets.failed"), "x.y");
        let mixed = [failed("a", "x.y"), failed("b", "x.z")];
        assert_eq!(shared_kind(&mixed, "sets.failed"), "sets.failed");
    }
}
