// SPDX-License-Identifier: Apache-2.0
//! Whether a certificate is to be ordered: a pure function that tells all reasons.

use acme::{Identifier, RenewalInfo, latest_renewal, renew_at_by_lifetime};
use pki::Timestamp;
use serde_json::{Value, json};

use crate::observe::Seen;
use crate::request::Renew;

/// A reason to order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its stable word.
    pub kind: &'static str,
    /// In words.
    pub detail: String,
}

impl Reason {
    /// One.
    pub fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// As it is answered.
    pub fn to_json(&self) -> Value {
        json!({"kind": self.kind, "detail": self.detail})
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is as wished.
    Keep {
        /// When it is due.
        renew_at: Timestamp,
    },
    /// Its files are not.
    Repair {
        /// When it is due.
        renew_at: Timestamp,
    },
    /// A new one is due.
    Order(Vec<Reason>),
}

impl Decision {
    /// Why a new one is due.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Order(reasons) => reasons,
            Self::Keep { .. } | Self::Repair { .. } => &[],
        }
    }
}

/// When a certificate is due: by the server's word, as long as that is no word for an outage, by what the user says, else by
/// its lifetime.
pub fn renew_at(
    seen: &Seen,
    renew: &Renew,
    info: Option<&RenewalInfo>,
    seed: &str,
) -> Option<Timestamp> {
    let facts = seen.leaf()?.facts();
    Some(match (info, &renew.before) {
        (Some(info), _) => {
            let latest = latest_renewal(facts.not_before, facts.not_after);
            info.renew_at(seed).min(latest)
        }
        (None, Some(before)) => before.renew_at(facts.not_before, facts.not_after),
        (None, None) => renew_at_by_lifetime(facts.not_before, facts.not_after, seed),
    })
}

/// Decides. `seed` is what spreads the renewals of many hosts: their names.
pub fn decide(
    seen: &Seen,
    renew: &Renew,
    info: Option<&RenewalInfo>,
    seed: &str,
    now: Timestamp,
) -> Decision {
    let Some(due) = renew_at(seen, renew, info, seed) else {
        return Decision::Order(vec![Reason::new("missing", "there is no certificate")]);
    };
    let reasons = reasons(seen, renew, info, due, now);
    let as_wished = seen.drifted.is_empty() && !seen.undelivered;
    match (reasons.is_empty(), as_wished) {
        (false, _) => Decision::Order(reasons),
        (true, false) => Decision::Repair { renew_at: due },
        (true, true) => Decision::Keep { renew_at: due },
    }
}

fn reasons(
    seen: &Seen,
    renew: &Renew,
    info: Option<&RenewalInfo>,
    due: Timestamp,
    now: Timestamp,
) -> Vec<Reason> {
    let mut found = Vec::new();
    let Some(leaf) = seen.leaf() else {
        return found;
    };
    if *leaf.public_key() != seen.csr.public_key() {
        found.push(Reason::new(
            "key",
            "the certificate is for another key than the request",
        ));
    }
    let has = Identifier::all_of(&leaf.facts().names).unwrap_or_default();
    if has != seen.identifiers {
        let detail = format!(
            "it is for {}, not for {}",
            list(&has),
            list(&seen.identifiers)
        );
        found.push(Reason::new("names", detail));
    }
    if seen.revoked {
        found.push(Reason::new("revoked", "it was revoked"));
    }
    if due <= now {
        let why = match info.filter(|info| info.start <= due.0) {
            Some(info) => info.explanation.as_ref().map_or_else(
                || String::from("the server wishes it (ARI)"),
                |page| format!("the server wishes it (ARI): {page}"),
            ),
            None => format!("it ends at {}", leaf.facts().not_after),
        };
        found.push(Reason::new("expiry", format!("it was due at {due}: {why}")));
    }
    if renew.force {
        found.push(Reason::new("force", "renew.force is set"));
    }
    found
}

fn list(names: &[Identifier]) -> String {
    let each: Vec<String> = names.iter().map(ToString::to_string).collect();
    each.join(", ")
}
