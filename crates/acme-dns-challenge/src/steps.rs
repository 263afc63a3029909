// SPDX-License-Identifier: Apache-2.0
//! All due certificates together: order, publish once, wait once, have them validated, fetch them. One that fails drops
//! out and does not stop the others. What was shown is taken back on every way out.

mod places;
mod progress;

use acme::state::{State, Wanted};
use acme::{Account, Job, Underway};
use ansible_module::each;
use dns::publish::Publisher;

use crate::failure::CertificateError;
use crate::records::{self, Dns, Placed};
use crate::request::Request;

pub use progress::{Due, Progress, Taken};

/// The steps, with what they need.
pub struct Steps<'a> {
    /// What is asked for.
    pub request: &'a Request,
    /// Who asks.
    pub account: &'a Account,
    /// The name servers.
    pub dns: &'a Dns<'a>,
    /// Who publishes.
    pub publisher: Option<&'a (dyn Publisher + Sync)>,
}

impl<'a> Steps<'a> {
    /// All steps.
    pub fn all(&self, due: &'a [Due<'a>]) -> (Vec<Progress<'a>>, Taken) {
        let mut taken = Taken::default();
        let mut progress = self.begin(due);
        if self.show(&mut progress, &mut taken) {
            progress = self.complete(progress);
        }
        self.take_back(&progress, &mut taken);
        (progress, taken)
    }

    /// Finds out where the records must be, and orders. A name that leads nowhere costs no order. All is ordered before it is asked what is to be proved: a server
    /// whose stores of orders and of authorizations wait for each other, as Pebble's do, is not asked for both at once.
    pub fn begin(&self, due: &'a [Due<'a>]) -> Vec<Progress<'a>> {
        let mut walked = self.walk(due);
        let mut progress: Vec<_> = due.iter().map(Progress::new).collect();
        for one in &mut progress {
            match walked.refused.remove(&one.due.wish.name) {
                Some(error) => one.error = Some(error.into()),
                None => one.changed = true,
            }
        }
        let ordered = self.step(&mut progress, |one| {
            let is_old = one.due.is_ordered();
            let ordered = self.job(one.due).ordered();
            Some(ordered.map(|ordered| (is_old, ordered)))
        });
        for (one, ordered) in progress.iter_mut().zip(ordered) {
            one.ordered = ordered;
        }
        let begun = self.step(&mut progress, |one| {
            let (is_old, ordered) = one.ordered.clone()?;
            let begun = self.job(one.due).begin_with(ordered);
            Some(begun.map(|begun| (is_old, begun)))
        });
        for (one, begun) in progress.iter_mut().zip(begun) {
            let Some((is_old, begun)) = begun else {
                continue;
            };
            one.restarted = begun.restarted.iter().map(ToString::to_string).collect();
            one.changed = !is_old || !begun.restarted.is_empty();
            one.begun = Some(begun);
        }
        self.place(&mut progress, &walked.targets);
        progress
    }

    /// Publishes the records of all, and waits for them; whether anything is left to go on with.
    fn show(&self, progress: &mut [Progress<'a>], taken: &mut Taken) -> bool {
        let good = || progress.iter().filter(|one| one.error.is_none());
        if good().next().is_none() {
            return false;
        }
        let placed: Vec<Placed> = good()
            .flat_map(|one| one.proofs.iter().map(|(_, placed)| placed.clone()))
            .collect();
        if placed.is_empty() {
            return true;
        }
        let shown = self
            .note(progress)
            .and_then(|()| self.show_all(&placed, taken));
        let Err(error) = shown else { return true };
        let mut first = Some(error);
        let text = first.as_ref().map(ToString::to_string).unwrap_or_default();
        for one in progress.iter_mut().filter(|one| one.error.is_none()) {
            let error = first.take();
            one.error = Some(error.unwrap_or_else(|| CertificateError::Together(text.clone())));
        }
        false
    }

    /// In the state before it is in the DNS: a run that is killed in between leaves nothing unknown.
    fn note(&self, progress: &mut [Progress<'a>]) -> Result<(), CertificateError> {
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
        let noted = each(progress, self.request.parallel, |one| {
            if one.error.is_some() {
                return Ok(());
            }
            let proofs: Vec<Wanted> = one
                .proofs
                .iter()
                .map(|(wanted, _)| wanted.clone())
                .collect();
            self.job(one.due).note_shown(&proofs)
        });
        noted.into_iter().collect::<Result<(), _>>()?;
        Ok(())
    }

    fn show_all(&self, placed: &[Placed], taken: &mut Taken) -> Result<(), CertificateError> {
        if let Some(publisher) = self.publisher {
            let done = records::publish(publisher, placed, self.ttl())?;
            taken.published += done.steps;
            taken.warnings.extend(done.warnings);
        }
        taken.waited = self.dns.wait(placed, self.account.server().left())?;
        Ok(())
    }

    /// Each step for all before the next, so that all wait together for the server.
    fn complete(&self, mut progress: Vec<Progress<'a>>) -> Vec<Progress<'a>> {
        let answered = self.step(&mut progress, |one| {
            let begun = one.begun.clone()?;
            Some(self.job(one.due).answer(begun))
        });
        self.finish(&mut progress, answered);
        progress
    }

    /// The phase complete, in another process than the phase request.
    pub fn complete_later(&self, due: &'a [Due<'a>]) -> Vec<Progress<'a>> {
        let asked = |due| Progress {
            changed: true,
            ..Progress::new(due)
        };
        let mut progress: Vec<_> = due.iter().map(asked).collect();
        let taken_up = self.step(&mut progress, |one| Some(self.job(one.due).take_up()));
        self.finish(&mut progress, taken_up);
        progress
    }

    fn finish(&self, progress: &mut [Progress<'a>], underway: Vec<Option<Underway>>) {
        let with = |progress: &mut [Progress<'a>], underway: Vec<Option<Underway>>| {
            for (one, underway) in progress.iter_mut().zip(underway) {
                one.underway = underway;
            }
        };
        with(progress, underway);
        let handed_in = self.step(progress, |one| {
            Some(self.job(one.due).hand_in(one.underway.clone()?))
        });
        with(progress, handed_in);
        let issued = self.step(progress, |one| {
            Some(self.job(one.due).fetch(one.underway.clone()?))
        });
        for (one, issued) in progress.iter_mut().zip(issued) {
            one.issued = issued;
        }
    }

    /// A step for all that have not failed; those that fail in it say so.
    fn step<T: Send>(
        &self,
        progress: &mut [Progress<'a>],
        work: impl Fn(&Progress<'a>) -> Option<acme::Result<T>> + Sync,
    ) -> Vec<Option<T>> {
        let results = each(progress, self.request.parallel, |one| {
            one.error.is_none().then(|| work(one)).flatten()
        });
        let mut done = Vec::with_capacity(results.len());
        for (one, result) in progress.iter_mut().zip(results) {
            done.push(match result {
                Some(Ok(done)) => Some(done),
                Some(Err(error)) => {
                    one.error = Some(error.into());
                    None
                }
                None => None,
            });
        }
        done
    }

    /// Removes what these certificates may show, also what killed runs left.
    pub fn take_back(&self, progress: &[Progress<'a>], taken: &mut Taken) {
        let Some(publisher) = self.publisher else {
            return;
        };
        let shown = |due: &Due<'_>| match State::load(&due.state) {
            Ok(Some(state)) => state.shown(),
            Ok(None) | Err(_) => Vec::new(),
        };
        let with: Vec<(&Progress<'_>, Vec<Wanted>)> = progress
            .iter()
            .map(|one| (one, shown(one.due)))
            .filter(|(_, shown)| !shown.is_empty())
            .collect();
        let placed = self.placed_again(with.iter().flat_map(|(_, shown)| shown));
        if placed.is_empty() {
            return;
        }
        match records::withdraw(publisher, &placed, self.ttl()) {
            Ok(done) => {
                taken.published += done.steps;
                // The state of what is issued goes when it is installed; if that fails, it is taken back once more.
                let noted = each(&with, self.request.parallel, |(one, _)| match one.issued {
                    Some(_) => Ok(()),
                    None => self.job(one.due).note_withdrawn(),
                });
                let failed = noted.into_iter().filter_map(Result::err);
                taken.warnings.extend(failed.map(|error| error.to_string()));
            }
            Err(error) => taken.warnings.push(format!(
                "records may be left in the DNS, the next run removes them: {error}"
            )),
        }
    }

    fn job(&self, due: &'a Due<'a>) -> Job<'a> {
        Job {
            account: self.account,
            order: &due.order,
            request: &due.seen.csr,
            challenge: &self.request.challenge,
            preferred: due.wish.preferred.as_ref(),
            state: &due.state,
        }
    }

    fn ttl(&self) -> u32 {
        self.request
            .provider
            .as_ref()
            .map_or(1, |provider| provider.ttl())
    }
}
