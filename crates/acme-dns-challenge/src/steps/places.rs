// SPDX-License-Identifier: Apache-2.0
//! Where the records of certificates must be, by their names' CNAMEs: before anything is ordered, and when the server has
//! said what it wants.

use std::collections::BTreeMap;

use acme::state::State;
use acme::{ChallengeKind, Identifier, Proof};
use dns::publish::TextRecord;
use dns::{Name, Target};

use super::{Due, Progress, Steps};
use crate::records::{self, PERSIST_LABEL, Placed};

/// What is known of names before anything is ordered.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) targets: BTreeMap<Name, Target>,
    /// By the certificate that it stops.
    pub(super) refused: BTreeMap<String, dns::Error>,
}

impl<'a> Steps<'a> {
    /// The walk of the names of what is not ordered yet; an order that is there is gone on with, whatever its names do now.
    pub(super) fn walk(&self, due: &[Due<'_>]) -> Walked {
        let mut walked = Walked::default();
        let mut names = Vec::new();
        for one in due.iter().filter(|one| one.ordered().is_none()) {
            for identifier in &one.order.identifiers {
                match self.challenge_name(identifier) {
                    Some(Ok(name)) => names.push((one.wish.name.clone(), name)),
                    Some(Err(error)) => {
                        walked.refused.insert(one.wish.name.clone(), error);
                    }
                    None => {}
                }
            }
        }
        let each: Vec<Name> = names.iter().map(|(_, name)| name.clone()).collect();
        for ((certificate, name), target) in names.into_iter().zip(self.dns.place(&each)) {
            match target {
                Ok(target) => {
                    walked.targets.insert(name, target);
                }
                Err(error) => {
                    walked.refused.entry(certificate).or_insert(error);
                }
            }
        }
        walked
    }

    /// Where a name will be proved, which is known before the server says it.
    fn challenge_name(&self, identifier: &Identifier) -> Option<dns::Result<Name>> {
        let Identifier::Dns(name) = identifier else {
            return None;
        };
        let label = match self.request.challenge {
            ChallengeKind::DnsAccount01 => format!(
                "{}._acme-challenge",
                acme::account_label(self.account.url())
            ),
            ChallengeKind::DnsPersist01 => String::from(PERSIST_LABEL),
            _ => String::from("_acme-challenge"),
        };
        let name = name.parse();
        Some(name.and_then(|name| dns::target::challenge_name(&label, &name)))
    }

    /// Where all records must be. They are walked again although it is known: ordering took its time, and what others
    /// show at the same name by now, or showed before, a resolver may have kept. One that leads nowhere fails its
    /// certificate only.
    pub(super) fn place(&self, progress: &mut [Progress<'a>], known: &BTreeMap<Name, Target>) {
        let mut wanted = Vec::new();
        for (index, one) in progress.iter().enumerate() {
            let proofs = one.begun.iter().flat_map(|begun| &begun.proofs);
            wanted.extend(proofs.filter_map(|proof| match &proof.proof {
                Proof::Txt { name, value, .. } => Some((index, proof, name, value)),
                Proof::File { .. } => None,
            }));
        }
        let names: Vec<Result<Name, _>> =
            wanted.iter().map(|(_, _, name, _)| name.parse()).collect();
        let good: Vec<Name> = names.iter().flatten().cloned().collect();
        let mut targets = self.dns.place(&good).into_iter();
        let mut found = Vec::new();
        for ((index, proof, _, value), name) in wanted.into_iter().zip(names) {
            let placed = match name {
                Ok(name) => {
                    let target = targets.next().unwrap_or_else(|| Err(lost()));
                    target.map(|target| with_earlier(target, known.get(&name)))
                }
                Err(error) => Err(error),
            };
            found.push((index, proof.clone(), value.clone(), placed));
        }
        for (index, proof, value, placed) in found {
            let Some(one) = progress.get_mut(index) else {
                continue;
            };
            match placed {
                Ok(target) => {
                    let zone = None;
                    one.proofs.push((
                        proof,
                        Placed {
                            target,
                            value,
                            zone,
                        },
                    ));
                }
                Err(error) => {
                    one.error.get_or_insert_with(|| error.into());
                }
            }
        }
    }

    /// The records that one may show, as they were noted before they were written: where a name leads may have changed
    /// since, or nobody may be there to tell. What has no such note is walked to.
    pub(super) fn shown(&self, due: &Due<'_>) -> dns::Result<Vec<TextRecord>> {
        let state = State::load(&due.state).ok().flatten();
        let shown = state.map(|state| state.shown()).unwrap_or_default();
        let mut records = Vec::new();
        for wanted in &shown {
            let Proof::Txt { name, value, .. } = &wanted.proof else {
                continue;
            };
            if let Some(record) = records::noted(wanted, value, self.ttl()) {
                records.push(record);
                continue;
            }
            for target in self.dns.place(&[name.parse()?]) {
                let (value, zone) = (value.clone(), None);
                let placed = Placed {
                    target: target?,
                    value,
                    zone,
                };
                records.push(placed.record(self.ttl()));
            }
        }
        Ok(records)
    }
}

/// What was there when it was walked first counts as being there before, also if it is gone now.
fn with_earlier(mut target: Target, earlier: Option<&Target>) -> Target {
    if let Some(earlier) = earlier.filter(|_| target.before.texts.is_empty()) {
        target.before = earlier.before.clone();
    }
    target
}

/// There is a target for each name; this is not reached.
fn lost() -> dns::Error {
    dns::Error::Configuration {
        what: String::from("the walk of the CNAMEs"),
        why: String::from("it told fewer targets than names"),
    }
}
