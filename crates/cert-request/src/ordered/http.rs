// SPDX-License-Identifier: Apache-2.0
//! Names proved by http-01: one responder for all certificates of a group, open while they are ordered. Each step is taken
//! for all before the next, so that all wait together for the server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use acme::state::State;
use acme::{Account, Begun, Error, HttpPublisher, Publisher, Responder, SelfCheck};
use acme_dns_challenge::failure::CertificateError;
use acme_dns_challenge::records::Dns;
use ansible_module::each;

use super::{Done, Due, job};
use crate::request::{AcmeSpec, HttpSpec};

/// One certificate on its way.
struct Way<'a> {
    due: &'a Due<'a>,
    state: PathBuf,
    publisher: HttpPublisher<'a>,
}

/// All of them, with what they share.
struct Walk<'a> {
    spec: &'a AcmeSpec,
    account: &'a Account,
    ways: Vec<Way<'a>>,
}

/// Orders them.
pub(super) fn order(
    spec: &AcmeSpec,
    http: &HttpSpec,
    account: &Account,
    due: &[&Due<'_>],
) -> Vec<Done> {
    let check = match self_check(spec, http, account.server().left()) {
        Ok(check) => check,
        Err(error) => {
            let text = error.to_string();
            let failed = |_| Done::failed(CertificateError::Together(text.clone()));
            return due.iter().map(failed).collect();
        }
    };
    let responder = Responder::open(&http.addresses);
    let ways = due.iter().map(|due| Way {
        due,
        state: due.place.state(),
        publisher: HttpPublisher::new(responder.as_ref().ok(), check.as_ref()),
    });
    let walk = Walk {
        spec,
        account,
        ways: ways.collect(),
    };
    walk.all(responder.as_ref().err())
}

impl Walk<'_> {
    /// Nothing is ordered that could not be proved; what was handed in already is fetched all the same.
    fn all(&self, closed: Option<&Error>) -> Vec<Done> {
        let may_begin = |way: &Way<'_>| match closed {
            Some(error) if !way.is_handed_in() => Err(again(error)),
            _ => Ok(()),
        };
        let may_begin = self.ways.iter().map(may_begin).collect();
        let ordered = self.step(may_begin, |way, ()| self.job(way).ordered());
        let begun = self.step(ordered, |way, known| {
            self.job(way).begin_with(known.clone())
        });
        let restarted: Vec<Vec<String>> = begun.iter().map(restarted).collect();
        let shown = self.step(begun, |way, begun| way.show(begun.clone()));
        let answered = self.step(shown, |way, begun| self.job(way).answer(begun.clone()));
        let handed_in = self.step(answered, |way, known| self.job(way).hand_in(known.clone()));
        let issued = self.step(handed_in, |way, known| self.job(way).fetch(known.clone()));
        let both = issued.into_iter().zip(restarted).zip(&self.ways);
        both.map(|((result, restarted), way)| Done {
            result: result.map_err(CertificateError::from),
            restarted,
            warnings: way.publisher.warnings(),
        })
        .collect()
    }

    /// A step for all that have not failed.
    fn step<T: Send + Sync, U: Send>(
        &self,
        before: Vec<acme::Result<T>>,
        work: impl Fn(&Way<'_>, &T) -> acme::Result<U> + Sync,
    ) -> Vec<acme::Result<U>> {
        let known = before.iter().map(|before| before.as_ref().ok());
        let pairs: Vec<(&Way<'_>, Option<&T>)> = self.ways.iter().zip(known).collect();
        let done = each(&pairs, self.spec.shared.parallel, |(way, known)| {
            known.map(|known| work(way, known))
        });
        let both = done.into_iter().zip(before);
        both.filter_map(|(done, before)| done.or_else(|| before.err().map(Err)))
            .collect()
    }

    fn job<'b>(&'b self, way: &'b Way<'_>) -> acme::Job<'b> {
        job(self.spec, self.account, way.due, &way.state)
    }
}

impl Way<'_> {
    /// What is shown ends with this process: nothing of it is noted.
    fn show(&self, begun: Begun) -> acme::Result<Begun> {
        let mut proofs = begun.proofs.clone();
        if !proofs.is_empty() {
            self.publisher.publish(&mut proofs).map_err(Error::Proof)?;
        }
        Ok(begun)
    }

    fn is_handed_in(&self) -> bool {
        let state = State::load(&self.state).ok().flatten();
        state.is_some_and(|state| state.order.is_some() && state.public_key_sha256.is_some())
    }
}

fn restarted(begun: &acme::Result<Begun>) -> Vec<String> {
    let reasons = begun.iter().flat_map(|begun| &begun.restarted);
    reasons.map(ToString::to_string).collect()
}

/// The same for another certificate.
fn again(error: &Error) -> Error {
    match error {
        Error::Listen { address, reason } => Error::Listen {
            address: *address,
            reason: reason.clone(),
        },
        other => Error::Proof(other.to_string()),
    }
}

/// No longer than there is time for everything.
fn self_check(
    spec: &AcmeSpec,
    http: &HttpSpec,
    left: Duration,
) -> Result<Option<SelfCheck>, Error> {
    let Some(demand) = http.self_check else {
        return Ok(None);
    };
    let resolver = Arc::new(Dns::new(&spec.shared).resolver());
    let within = http.timeout.min(left).max(Duration::from_secs(1));
    SelfCheck::new(resolver, http.public_port, within, demand).map(Some)
}
