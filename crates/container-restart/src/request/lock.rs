// SPDX-License-Identifier: Apache-2.0
//! The lock that the hosts of a cluster share.

use ansible_module::Faults;
use containers::pacemaker::{self, lock::Terms};

use super::seconds;

/// The lock, where one is wanted; its options must make sense in any case.
pub(super) fn lock(
    word: &str,
    name: String,
    (ttl, timeout): (i64, i64),
    faults: &mut Faults,
) -> Option<Terms> {
    // It becomes an identifier in XML, which begins with a letter.
    if !pacemaker::is_plain(&name) || !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        faults.push(
            "lock_name",
            format!(
                "'{}': give letters, digits and _.- only",
                name.escape_debug()
            ),
        );
    }
    let terms = Terms {
        name,
        ttl: seconds("lock_ttl", ttl, 10, faults),
        wait: seconds("lock_timeout", timeout, 0, faults),
    };
    (word == "pacemaker").then_some(terms)
}
