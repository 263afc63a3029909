// SPDX-License-Identifier: Apache-2.0
//! Where the walk of a task meets ACME servers: their directories, when to renew, ordering together, and what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki::{Certificate, Lifetime};

use super::{Step, Task, report};
use crate::apply::Work;
use crate::decide::{Action, Decision};
use crate::failure::{EntryError, TaskError};
use crate::issuance::Loaded;
use crate::observe::Observation;
use crate::ordered::{self, Place};
use crate::outcome::EntryOutcome;
use crate::request::{DesiredState, Entry, EntryName, IssuerSpec, RenewOn};
use crate::state::create_private;

impl<'a> Task<'a> {
    /// Where the orders of ACME servers are kept.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let state_dir = &self.request.state_dir;
        self.request
            .entries
            .iter()
            .filter(|entry| entry.is_ordered)
            .map(move |entry| Place::new(state_dir, entry))
    }

    /// Where accounts have their keys: one task at a time makes a key, takes it over or changes it.
    pub(super) fn account_directories(&self) -> impl Iterator<Item = PathBuf> {
        let is_wished = self.request.state == DesiredState::Present;
        let entries = self.request.entries.iter().filter(move |_| is_wished);
        entries.filter_map(|entry| match &entry.issuer {
            IssuerSpec::Acme(spec) => {
                let account = spec.authority.account.as_ref()?;
                account.key.parent().map(Path::to_path_buf)
            }
            _ => None,
        })
    }

    /// Before they are locked: two first runs at once must not both order.
    pub(super) fn make_places(&self) -> Result<(), TaskError> {
        let is_wished = self.request.state == DesiredState::Present;
        for place in self.places().filter(|_| is_wished) {
            create_private(place.directory())?;
        }
        Ok(())
    }

    /// ACME servers are asked for all that is due together.
    pub(super) fn ordered(&self, steps: &[Step<'_, 'a>]) -> BTreeMap<EntryName, ordered::Settled> {
        if self.control.check_mode {
            return BTreeMap::new();
        }
        let items: Vec<ordered::Item<'_>> = steps
            .iter()
            .filter_map(|step| {
                let entry = step.job.entry;
                let (Ok(decision), IssuerSpec::Acme(spec)) = (&step.decision, &entry.issuer) else {
                    return None;
                };
                let Action::Issue(source) = decision.action else {
                    return None;
                };
                Some(ordered::Item {
                    entry,
                    spec,
                    seen: &step.seen,
                    source,
                })
            })
            .collect();
        let names = items.iter().map(|item| item.entry.name.clone());
        let settled = ordered::carry_out(&items, &self.servers, &self.request.state_dir);
        names.zip(settled).collect()
    }

    /// Asks the ACME server about a certificate that is fine otherwise; `None`: it was not asked. What comes with it is
    /// a warning.
    pub(super) fn ask_when_to_renew(
        &self,
        entry: &Entry,
        decision: &Decision,
        seen: &mut Observation,
    ) -> Option<Option<String>> {
        let (IssuerSpec::Acme(spec), Some(certificate)) = (&entry.issuer, &seen.certificate) else {
            return None;
        };
        if matches!(decision.action, Action::Issue(_)) || !entry.renew.on.contains(&RenewOn::Expiry)
        {
            return None;
        }
        let place = Place::new(&self.request.state_dir, entry);
        let may_write = !self.control.check_mode;
        let (suggestion, warning) = self
            .servers
            .suggestion(spec, &place, certificate, may_write);
        seen.suggestion = suggestion;
        Some(warning)
    }

    /// What check mode can see of an order without an effect.
    pub(super) fn foresee(entry: &Entry, decision: &Decision) -> Result<(), EntryError> {
        match (&entry.issuer, decision.action) {
            (IssuerSpec::Acme(spec), Action::Issue(_)) => ordered::foresee(entry, spec),
            _ => Ok(()),
        }
    }

    /// What an ACME server gave is verified and installed, or it is told why there is nothing.
    pub(super) fn take(
        &self,
        entry: &Entry,
        (issuer, ordered): (&issuers::Acme, Option<&ordered::Settled>),
        seen: &Observation,
        decision: &Decision,
        outcome: &mut EntryOutcome<'_>,
    ) -> Result<(), EntryError> {
        let Some(ordered) = ordered else {
            return Err(EntryError::from(issuers::Error::NotOrdered));
        };
        outcome.reasons.clone_from(&decision.reasons);
        outcome.warnings.clone_from(&decision.warnings);
        outcome.warnings.extend(ordered.warnings.iter().cloned());
        outcome.changed = ordered.is_touched;
        outcome.retry_at = ordered.retry_at;
        outcome
            .failed_identifiers
            .clone_from(&ordered.failed_identifiers);
        let (pending, answer) = ordered.result.as_ref().map_err(EntryError::share)?;
        let given = match answer {
            ordered::Answer::Chain(chain) => {
                let pem: String = chain.iter().map(Certificate::to_pem).collect();
                issuer.with_chain(pem.into_bytes())
            }
            ordered::Answer::Pending(waits_for) => issuer.waiting(waits_for),
        };
        let work = Work {
            entry,
            issuer: &Loaded::Acme(Box::new(given)),
            seen,
            state_dir: &self.request.state_dir,
            // The begun second counts, for certificates have whole ones.
            now: self.now + Lifetime(self.begun.elapsed().as_secs() + 1),
        };
        let applied = work.take(pending)?;
        if let Some(waits_for) = &applied.waits_for {
            outcome.action = if outcome.changed { "request" } else { "wait" };
            outcome.is_pending = true;
            outcome.warnings.push(format!("not there yet: {waits_for}"));
            return Ok(());
        }
        report(entry, decision, applied, outcome);
        Ok(())
    }
}
