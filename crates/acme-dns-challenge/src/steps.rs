// SPDX-License-Identifier: Apache-2.0
//! All due certificates together: order, publish once, wait once, have them validated, fetch them. One that fails drops
//! out and does not stop the others. What was shown is taken back on every way out.

mod places;
mod progress;
mod show;
mod take_back;

use acme::{Account, Job, Underway};
use ansible_module::each;
use dns::publish::Publisher;

use crate::failure::CertificateError;
use crate::records::Dns;
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

    /// Finds out where the records must be, and orders. A name that leads nowhere costs no order. All is ordered before it
    /// is asked what is to be proved: a server whose stores of orders and of authorizations wait for each other, as
    /// Pebble's do, is not asked for both at once.
    pub fn begin(&self, due: &'a [Due<'a>]) -> Vec<Progress<'a>> {
        let mut walked = self.walk(due);
        let mut progress: Vec<_> = due.iter().map(Progress::new).collect();
        for one in &mut progress {
            let refused = walked.refused.remove(&one.due.wish.name);
            one.error = refused.map(CertificateError::from);
        }
        let before: Vec<Option<String>> = due.iter().map(Due::ordered).collect();
        let ordered = self.step(&mut progress, |one| Some(self.job(one.due).ordered()));
        for ((one, ordered), before) in progress.iter_mut().zip(ordered).zip(before) {
            // An order that is gone on with changes nothing, nor does one that may not be made yet.
            one.changed = one.due.ordered() != before;
            one.ordered = ordered;
        }
        let begun = self.step(&mut progress, |one| {
            Some(self.job(one.due).begin_with(one.ordered.clone()?))
        });
        for (one, begun) in progress.iter_mut().zip(begun) {
            let Some(begun) = begun else {
                continue;
            };
            one.restarted = begun.restarted.iter().map(ToString::to_string).collect();
            one.changed |= !begun.restarted.is_empty();
            one.begun = Some(begun);
        }
        self.place(&mut progress, &walked.targets);
        progress
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
        let mut progress: Vec<_> = due.iter().map(Progress::new).collect();
        let taken_up = self.step(&mut progress, |one| Some(self.job(one.due).take_up()));
        for (one, taken_up) in progress.iter_mut().zip(&taken_up) {
            one.changed = taken_up.is_some();
        }
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
