// SPDX-License-Identifier: Apache-2.0
//! Showing the records of all certificates: noted, published together, waited for together. What is wrong with one record
//! stops the certificates that need it, and no other.

use std::collections::BTreeSet;
use std::time::Duration;

use acme::state::Wanted;
use ansible_module::flatten;
use dns::Name;
use dns::publish::Publisher;

use super::{Progress, Steps, Taken};
use crate::failure::CertificateError;
use crate::records::{self, Placed};

impl<'a> Steps<'a> {
    /// Publishes the records of all, and waits for them; whether anything is left to go on with.
    pub(super) fn show(&self, progress: &mut [Progress<'a>], taken: &mut Taken) -> bool {
        self.note(progress);
        if let Some(publisher) = self.publisher {
            self.publish(publisher, progress, taken);
        }
        self.wait(progress, taken);
        progress.iter().any(|one| one.error.is_none())
    }

    /// In the state before it is in the DNS: a run that is killed in between leaves nothing unknown.
    fn note(&self, progress: &mut [Progress<'a>]) {
        for one in progress.iter_mut().filter(|one| one.error.is_none()) {
            for (wanted, placed) in &mut one.proofs {
                wanted.published = Some(placed.to_json(
                    &one.due.wish.name,
                    &wanted.identifier.to_string(),
                    self.ttl(),
                ));
            }
        }
        // The disk takes many files in the time of one.
        self.step(progress, |one| {
            let each = one.proofs.iter();
            let proofs: Vec<Wanted> = each.map(|(wanted, _)| wanted.clone()).collect();
            // What is proved already needs no note.
            (!proofs.is_empty()).then(|| self.job(one.due).note_shown(&proofs))
        });
    }

    /// All at once. Where that fails, zone by zone: one that takes nothing stops only what needs it.
    fn publish(&self, publisher: &dyn Publisher, progress: &mut [Progress<'a>], taken: &mut Taken) {
        let all = placed(progress);
        if all.is_empty() {
            return;
        }
        let Err(error) = self.publish_these(publisher, &all, taken) else {
            return;
        };
        let zones: BTreeSet<Name> = all.iter().map(|one| one.zone().clone()).collect();
        if zones.len() < 2 {
            return fail(progress, error.into(), |_| true);
        }
        for zone in &zones {
            let is_in = |one: &Placed| one.zone() == zone;
            let those: Vec<Placed> = all.iter().filter(|one| is_in(one)).cloned().collect();
            if let Err(error) = self.publish_these(publisher, &those, taken) {
                fail(progress, error.into(), is_in);
            }
        }
    }

    fn publish_these(
        &self,
        publisher: &dyn Publisher,
        placed: &[Placed],
        taken: &mut Taken,
    ) -> dns::Result<()> {
        let done = records::publish(publisher, placed, self.ttl())?;
        taken.published += done.steps;
        taken.warnings.extend(done.warnings);
        Ok(())
    }

    /// Until all are seen. Those whose records are not in time fail, each with who does not show it; the others were seen,
    /// and are only looked at once more.
    fn wait(&self, progress: &mut [Progress<'a>], taken: &mut Taken) {
        let mut lost = Duration::ZERO;
        for _ in 0..2 {
            let all = placed(progress);
            if all.is_empty() {
                return;
            }
            match self.dns.wait(&all, self.account.server().left()) {
                Ok(waited) => {
                    taken.waited = waited;
                    taken.waited.visible += lost;
                    return;
                }
                Err(dns::Error::NotVisible { within, laggards }) => {
                    lost += within;
                    for one in progress.iter_mut().filter(|one| one.error.is_none()) {
                        let owners = one.proofs.iter().map(|(_, placed)| placed.target.owner());
                        let owners: BTreeSet<&Name> = owners.collect();
                        let of_it = laggards.iter().filter(|late| owners.contains(&late.owner));
                        let laggards: Vec<_> = of_it.cloned().collect();
                        if !laggards.is_empty() {
                            let error = dns::Error::NotVisible { within, laggards };
                            one.error = Some(error.into());
                        }
                    }
                }
                Err(error) => return fail(progress, error.into(), |_| true),
            }
        }
        // What was seen a moment ago is not seen now.
        let why = String::from("its records come and go at the name servers; run again");
        fail(progress, CertificateError::Together(why), |_| true);
    }
}

/// The records of those that have not failed.
fn placed(progress: &[Progress<'_>]) -> Vec<Placed> {
    let good = progress.iter().filter(|one| one.error.is_none());
    good.flat_map(|one| one.proofs.iter().map(|(_, placed)| placed.clone()))
        .collect()
}

/// The first that needs such a record has the error, the others its words.
fn fail(
    progress: &mut [Progress<'_>],
    error: CertificateError,
    is_meant: impl Fn(&Placed) -> bool,
) {
    let text = flatten(&error);
    let mut first = Some(error);
    for one in progress.iter_mut().filter(|one| one.error.is_none()) {
        if one.proofs.iter().any(|(_, placed)| is_meant(placed)) {
            let error = first.take();
            one.error = Some(error.unwrap_or_else(|| CertificateError::Together(text.clone())));
        }
    }
}
