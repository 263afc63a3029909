// SPDX-License-Identifier: Apache-2.0
//! All due certificates together: order, publish once, wait once, have them validated, fetch them. One that fails drops
//! out and does not stop the others. What was shown is taken back on every way out.

use std::path::PathBuf;

use acme::state::{State, Wanted};
use acme::{Account, Begun, Issued, Job, OrderRequest, Proof, certificate_id};
use ansible_module::each;
use dns::Name;
use dns::publish::Publisher;

use crate::decide::Reason;
use crate::failure::CertificateError;
use crate::observe::Seen;
use crate::records::{self, Dns, Placed, Waited};
use crate::request::{CertificateWish, Request};

/// A certificate that is to be ordered.
#[derive(Debug)]
pub struct Due<'a> {
    /// What is wished.
    pub wish: &'a CertificateWish,
    /// What there is.
    pub seen: &'a Seen,
    /// Why.
    pub reasons: &'a [Reason],
    /// What is ordered.
    pub order: OrderRequest,
    /// Where the state is kept.
    pub state: PathBuf,
}

impl<'a> Due<'a> {
    /// For a wish.
    pub fn new(
        wish: &'a CertificateWish,
        seen: &'a Seen,
        reasons: &'a [Reason],
        state: PathBuf,
    ) -> Self {
        // RFC 9773 §5: only what has the same names is replaced.
        let is_same = !reasons.iter().any(|reason| reason.kind == "names");
        let replaced = seen.leaf().filter(|_| is_same);
        let order = OrderRequest {
            profile: wish.profile.clone(),
            replaces: replaced.and_then(|leaf| certificate_id(leaf).ok()),
            ..OrderRequest::of(seen.identifiers.clone())
        };
        Self {
            wish,
            seen,
            reasons,
            order,
            state,
        }
    }
}

/// How far one has come.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Which.
    pub due: &'a Due<'a>,
    /// What is to be shown for it.
    pub proofs: Vec<(Wanted, Placed)>,
    /// What came of it.
    pub issued: Option<Issued>,
    /// Why an earlier order was not gone on with.
    pub restarted: Vec<String>,
    /// Whether something was done at the server.
    pub changed: bool,
    /// Why it went no further.
    pub error: Option<CertificateError>,
    begun: Option<Begun>,
}

/// What all of them took.
#[derive(Debug, Default)]
pub struct Taken {
    /// Waiting for name servers.
    pub waited: Waited,
    /// Updates, requests and runs of the publisher.
    pub published: usize,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

impl Taken {
    /// What more was taken.
    pub fn merge(&mut self, other: Self) {
        self.waited = other.waited;
        self.published += other.published;
        self.warnings.extend(other.warnings);
    }
}

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
        self.take_back(due, &mut taken);
        (progress, taken)
    }

    /// Orders, and finds out where the records must be.
    pub fn begin(&self, due: &'a [Due<'a>]) -> Vec<Progress<'a>> {
        let mut progress = each(due, self.request.parallel, |one| self.begin_one(one));
        self.place(&mut progress);
        progress
    }

    fn begin_one(&self, due: &'a Due<'a>) -> Progress<'a> {
        let mut progress = Progress {
            due,
            proofs: Vec::new(),
            issued: None,
            restarted: Vec::new(),
            changed: true,
            error: None,
            begun: None,
        };
        let before = State::load(&due.state).ok().flatten();
        match self.job(due).begin() {
            Ok(begun) => {
                progress.restarted = begun.restarted.iter().map(ToString::to_string).collect();
                let is_old = before.is_some_and(|state| state.order.is_some());
                progress.changed = !is_old || !begun.restarted.is_empty();
                progress.begun = Some(begun);
            }
            Err(error) => progress.error = Some(error.into()),
        }
        progress
    }

    /// The walk of all names at once; a name that leads nowhere fails its certificate only.
    fn place(&self, progress: &mut [Progress<'a>]) {
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
                Ok(_) => targets.next().unwrap_or_else(|| Err(lost())),
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
            let mut proofs: Vec<Wanted> = Vec::with_capacity(one.proofs.len());
            for (wanted, placed) in &mut one.proofs {
                wanted.published = Some(placed.to_json(
                    &one.due.wish.name,
                    &wanted.identifier.to_string(),
                    self.ttl(),
                ));
                proofs.push(wanted.clone());
            }
            self.job(one.due).note_shown(&proofs)?;
        }
        Ok(())
    }

    fn show_all(&self, placed: &[Placed], taken: &mut Taken) -> Result<(), CertificateError> {
        if let Some(publisher) = self.publisher {
            let done = records::publish(publisher, placed, self.ttl())?;
            taken.published += done.steps;
            taken.warnings.extend(done.warnings);
        }
        taken.waited = self.dns.wait(placed)?;
        Ok(())
    }

    fn complete(&self, progress: Vec<Progress<'a>>) -> Vec<Progress<'a>> {
        let results = each(&progress, self.request.parallel, |one| {
            let begun = one.begun.clone().filter(|_| one.error.is_none())?;
            Some(self.job(one.due).go_on_with(begun))
        });
        progress
            .into_iter()
            .zip(results)
            .map(|(mut one, result)| {
                match result {
                    Some(Ok(issued)) => one.issued = Some(issued),
                    Some(Err(error)) => one.error = Some(error.into()),
                    None => {}
                }
                one
            })
            .collect()
    }

    /// The phase complete, in another process than the phase request.
    pub fn complete_later(&self, due: &'a [Due<'a>]) -> Vec<Progress<'a>> {
        each(due, self.request.parallel, |due| {
            let result = self.job(due).complete();
            let (issued, error) = match result {
                Ok(issued) => (Some(issued), None),
                Err(error) => (None, Some(error.into())),
            };
            Progress {
                due,
                proofs: Vec::new(),
                issued,
                restarted: Vec::new(),
                changed: true,
                error,
                begun: None,
            }
        })
    }

    /// Removes what these certificates may show, also what killed runs left.
    pub fn take_back(&self, due: &'a [Due<'a>], taken: &mut Taken) {
        let Some(publisher) = self.publisher else {
            return;
        };
        let shown = |due: &Due<'_>| match State::load(&due.state) {
            Ok(Some(state)) => state.shown(),
            Ok(None) | Err(_) => Vec::new(),
        };
        let with: Vec<(&Due<'_>, Vec<Wanted>)> = due
            .iter()
            .map(|due| (due, shown(due)))
            .filter(|(_, shown)| !shown.is_empty())
            .collect();
        let placed = self.placed_again(with.iter().flat_map(|(_, shown)| shown));
        if placed.is_empty() {
            return;
        }
        match records::withdraw(publisher, &placed, self.ttl()) {
            Ok(done) => {
                taken.published += done.steps;
                for (due, _) in with {
                    if let Err(error) = self.job(due).note_withdrawn() {
                        taken.warnings.push(error.to_string());
                    }
                }
            }
            Err(error) => taken.warnings.push(format!(
                "records may be left in the DNS, the next run removes them: {error}"
            )),
        }
    }

    fn placed_again<'b>(&self, shown: impl Iterator<Item = &'b Wanted>) -> Vec<Placed> {
        let wanted: Vec<(Name, &String)> = shown
            .filter_map(|wanted| match &wanted.proof {
                Proof::Txt { name, value, .. } => Some((name.parse().ok()?, value)),
                Proof::File { .. } => None,
            })
            .collect();
        let names: Vec<Name> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let targets = self.dns.place(&names);
        let both = targets.into_iter().zip(wanted);
        both.filter_map(|(target, (_, value))| {
            Some(Placed {
                target: target.ok()?,
                value: value.clone(),
                zone: None,
            })
        })
        .collect()
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

/// There is a target for each name; this is not reached.
fn lost() -> dns::Error {
    dns::Error::Configuration {
        what: String::from("the walk of the CNAMEs"),
        why: String::from("it told fewer targets than names"),
    }
}
