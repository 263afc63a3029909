// SPDX-License-Identifier: Apache-2.0
//! The entries of a task that failed, and what their failures say together.

use ansible_module::Failure as _;
use serde_json::{Value, json};

use super::Failure;

/// An entry of the task that failed.
#[derive(Debug)]
pub struct Failed {
    /// `authorities[root]`, `sign[3]`, `revoke[0]`, `crl[root]`.
    pub item: String,
    /// Why.
    pub failure: Failure,
}

impl Failed {
    /// As it is listed in `failures`.
    pub fn facts(&self) -> Value {
        let chain = ansible_module::chain(&self.failure);
        let mut facts = json!({
            "item": self.item,
            "kind": self.failure.kind(),
            "msg": ansible_module::flatten(&self.failure),
            "caused_by": chain.get(1..).unwrap_or_default(),
            "hint": self.failure.hint(),
        });
        if let Value::Object(map) = &mut facts {
            map.extend(self.failure.details());
        }
        facts
    }
}

/// The one failure on which all others only depend.
pub(super) fn root_cause(failed: &[Failed]) -> Option<&Failed> {
    let independent = |one: &&Failed| !matches!(one.failure, Failure::Dependency { .. });
    let mut causes = failed.iter().filter(independent);
    let first = causes.next()?;
    causes.next().is_none().then_some(first)
}

pub(super) fn partial(failed: &[Failed]) -> String {
    let first = failed
        .first()
        .map(|one| format!("{}: {}", one.item, ansible_module::flatten(&one.failure)));
    match (first, failed.len()) {
        (Some(first), 1) => first,
        (Some(first), count) => format!("{count} entries failed; first {first}"),
        (None, _) => "nothing failed".to_owned(),
    }
}
