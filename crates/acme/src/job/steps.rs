// SPDX-License-Identifier: Apache-2.0
//! The steps of a job at the server, each noted in the state before it and after.

use std::time::Duration;

use super::{Job, Ordered, Underway, hex};
use crate::state::{State, Wanted, Why};
use crate::{
    Authorization, AuthorizationStatus, Challenge, Error, Issued, Order, OrderStatus, Proof, Result,
};

impl Job<'_> {
    pub(super) fn anew(&self, old: Option<State>, restarted: Vec<Why>) -> Result<Ordered> {
        let mut state = self.begun(None);
        state.stale = old.map(|old| old.shown()).unwrap_or_default();
        state.save(self.state)?;
        let order = self.remembering(&mut state, |state| {
            let order = self.account.new_order(self.order)?;
            state.order = Some(order.url.clone());
            state.expires = order.expires;
            // Before anything else can fail: an order that nobody knows counts against the account.
            state.save(self.state)?;
            Ok(order)
        })?;
        Ok(Ordered {
            order,
            is_open: true,
            state,
            restarted,
        })
    }

    /// Notes what is to be shown for the names that are not proved yet, and gives the challenges that it is for.
    pub(super) fn collect(&self, order: &Order, state: &mut State) -> Result<Vec<Challenge>> {
        state.expires = order.expires;
        let mut challenges = Vec::new();
        let known = std::mem::take(&mut state.proofs);
        if order.status == OrderStatus::Pending {
            let all = self.account.authorizations(order)?;
            let open = all
                .iter()
                .filter(|known| known.status == AuthorizationStatus::Pending);
            for open in open {
                let (wanted, challenge) = self.wanted(open, &known)?;
                state.proofs.push(wanted);
                challenges.push(challenge);
            }
            // Some servers list them in another order each time.
            state
                .proofs
                .sort_by(|a, b| (&a.identifier, &a.challenge).cmp(&(&b.identifier, &b.challenge)));
        }
        let is_open = |old: &Wanted| {
            state
                .proofs
                .iter()
                .any(|new| new.challenge == old.challenge)
        };
        let proved: Vec<_> = known.into_iter().filter(|old| !is_open(old)).collect();
        state.stale.extend(proved);
        state.last_error = None;
        state.retry_at = None;
        state.save(self.state)?;
        Ok(challenges)
    }

    fn wanted(&self, open: &Authorization, known: &[Wanted]) -> Result<(Wanted, Challenge)> {
        // Nothing is shown for any other name, whatever the server names.
        if !open.is_one_of(&self.order.identifiers) {
            let why = format!("it is for {}, which was not ordered", open.ordered());
            return Err(Error::bad_answer(&open.url, why));
        }
        let (proof, challenge) = Proof::of(open, self.challenge, self.account.holder())?;
        let before = known.iter().find(|known| known.challenge == challenge.url);
        let wanted = Wanted {
            identifier: open.ordered(),
            authorization: open.url.clone(),
            challenge: challenge.url.clone(),
            proof,
            published: before.and_then(|known| known.published.clone()),
        };
        Ok((wanted, challenge))
    }

    /// Tells the server to look at the proofs. Without `challenges` those of the state are asked for.
    pub(super) fn answered(
        &self,
        mut order: Order,
        challenges: Option<Vec<Challenge>>,
        mut state: State,
    ) -> Result<Underway> {
        self.remembering(&mut state, |state| {
            if order.status != OrderStatus::Pending {
                return Ok(());
            }
            let challenges = challenges.map_or_else(|| self.open(&order, state), Ok)?;
            self.account.answer(&challenges)
        })?;
        // What it said of asking again was said before it was told to look.
        order.retry_after = None;
        Ok(self.underway(order, state))
    }

    fn underway(&self, order: Order, state: State) -> Underway {
        let seen = self.account.server().clock().running();
        Underway { order, state, seen }
    }

    fn passed(&self, since: Duration) -> Duration {
        let running = self.account.server().clock().running();
        running.saturating_sub(since)
    }

    /// The second step: waits until all names are proved, and hands the request for the certificate in.
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub fn hand_in(&self, underway: Underway) -> Result<Underway> {
        let Underway { order, seen, .. } = underway;
        let mut state = underway.state;
        let order = self.remembering(&mut state, |state| {
            let pending = [OrderStatus::Pending];
            let passed = self.passed(seen);
            let order = self.account.wait_after(passed, order, &pending)?;
            match order.status {
                OrderStatus::Ready => self.handed_in(&order, state),
                _ => Ok(order),
            }
        })?;
        Ok(self.underway(order, state))
    }

    /// The last step: waits until the certificate is made, and fetches it.
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub fn fetch(&self, underway: Underway) -> Result<Issued> {
        let Underway { order, seen, .. } = underway;
        let mut state = underway.state;
        self.remembering(&mut state, |state| {
            let processing = [OrderStatus::Processing];
            let passed = self.passed(seen);
            let order = self.account.wait_after(passed, order, &processing)?;
            let url = order.certificate.as_deref();
            let url = url.ok_or_else(|| Error::bad_answer(&order.url, "it has no certificate"))?;
            // Not saved: whoever goes on without it is told by the order.
            state.certificate = Some(url.to_owned());
            let issued = self.account.download(url, self.request, self.preferred);
            if let Err(Error::CertificateWrong { .. } | Error::Problem { .. }) = issued {
                // It would be as wrong, or as gone, in each run to come.
                state.order = None;
            }
            issued
        })
    }

    /// The state says what was shown, the server what is still open.
    fn open(&self, order: &Order, state: &State) -> Result<Vec<Challenge>> {
        let all = self.account.authorizations(order)?;
        Ok(all
            .iter()
            .filter(|known| known.status == AuthorizationStatus::Pending)
            .filter_map(|known| known.challenge(self.challenge))
            .filter(|known| {
                state
                    .proofs
                    .iter()
                    .any(|wanted| wanted.challenge == known.url)
            })
            .cloned()
            .collect())
    }

    fn handed_in(&self, order: &Order, state: &mut State) -> Result<Order> {
        state.public_key_sha256 = Some(hex(&self.request.public_key().sha256()));
        state.request = Some(self.request.to_pem());
        state.save(self.state)?;
        self.account.hand_in(order, self.request)
    }

    /// Notes a failure in the state, and gives up what a failed order left pending.
    pub(super) fn remembering<T>(
        &self,
        state: &mut State,
        work: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let done = work(state);
        if let Err(error) = &done {
            state.remember(error);
            // The first failure is the one to tell; the state of before it is still there.
            let _ = state.save(self.state);
            if let (Error::OrderFailed { .. }, Some(url)) = (error, &state.order) {
                self.give_up(url);
            }
        }
        done
    }
}
