// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use tls_files::{Attributes, ObservedAttributes, Target};
use zeroize::Zeroizing;

use super::*;
use crate::request::FileWish;

fn wish(wish: Wish) -> FileWish {
    let target = Target {
        path: PathBuf::from("/f"),
        attributes: Attributes::default(),
        secret: false,
        backup: false,
    };
    FileWish { target, wish }
}

fn present() -> Wish {
    Wish::Present(Zeroizing::new(vec![1]))
}

fn there(has_content: bool, drift: &[&'static str]) -> FileFacts {
    let drift = drift.iter().map(|what| Drift {
        what,
        before: String::from("0644"),
        after: String::from("0600"),
    });
    FileFacts::Present {
        has_content,
        drift: drift.collect(),
        attributes: ObservedAttributes {
            owner: 0,
            group: 0,
            mode: 0o644,
            context: None,
        },
    }
}

#[test]
fn each_state_has_its_action_and_reasons() {
    let table = [
        (
            present(),
            FileFacts::Absent,
            Action::Write,
            vec!["does not exist"],
        ),
        (present(), there(true, &[]), Action::Keep, vec![]),
        (
            present(),
            there(true, &["mode"]),
            Action::FixAttributes,
            vec!["mode 0644 -> 0600"],
        ),
        (
            present(),
            there(false, &["mode"]),
            Action::Write,
            vec!["has other content", "mode 0644 -> 0600"],
        ),
        (Wish::Absent, FileFacts::Absent, Action::Keep, vec![]),
        (
            Wish::Absent,
            there(true, &[]),
            Action::Remove,
            vec!["shall not exist"],
        ),
        (Wish::Retired, FileFacts::Absent, Action::Keep, vec![]),
        (
            Wish::Retired,
            there(true, &[]),
            Action::Retire,
            vec!["is out of service"],
        ),
    ];
    for (wanted, facts, action, reasons) in table {
        let set = FileSet {
            name: String::from("s"),
            files: vec![wish(wanted)],
        };
        let seen = Observation {
            files: vec![facts],
            ..Observation::default()
        };
        let decision = decide(&set, &seen);
        assert_eq!(decision.action(), action, "{set:?}");
        let told: Vec<_> = decision
            .reasons
            .iter()
            .map(|reason| reason.detail.as_str())
            .collect();
        assert_eq!(told, reasons, "{set:?}");
    }
}

#[test]
fn the_action_of_a_set_is_that_of_its_most_changed_file() {
    let set = FileSet {
        name: String::from("s"),
        files: vec![wish(Wish::Absent), wish(present()), wish(present())],
    };
    let seen = Observation {
        files: vec![there(true, &[]), there(false, &[]), there(true, &[])],
        ..Observation::default()
    };
    assert_eq!(decide(&set, &seen).action(), Action::Write);
    assert_eq!(Decision::default().action(), Action::Keep);
}
