// SPDX-License-Identifier: Apache-2.0
//! The steps of a job at the server, each noted in the state before it and after.

use super::{Begun, Job, Known, hex};
use crate::state::{State, Wanted, Why};
use crate::{
    Authorization, AuthorizationStatus, Challenge, Error, Identifier, Issued, Order, OrderStatus,
    Proof, Result,
};

impl Job<'_> {
    pub(super) fn anew(&self, old: Option<State>, restarted: Vec<Why>) -> Result<Begun> {
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
        self.started(order, &mut state, restarted)
    }

    pub(super) fn started(
        &self,
        order: Order,
        state: &mut State,
        restarted: Vec<Why>,
    ) -> Result<Begun> {
        let challenges = self.remembering(state, |state| self.collect(&order, state))?;
        Ok(Begun {
            proofs: state.proofs.clone(),
            restarted,
            known: Some(Known { order, challenges }),
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

    /// Whether a name is one of ours to prove. Nothing is shown for any other, whatever the server names.
    fn is_ordered(&self, open: &Authorization) -> bool {
        let ordered = &self.order.identifiers;
        // Some servers forget to say that it is for a wildcard; what is shown is the same.
        let wildcard = Identifier::Dns(format!("*.{}", open.identifier));
        ordered.contains(&open.ordered()) || ordered.contains(&wildcard)
    }

    fn wanted(&self, open: &Authorization, known: &[Wanted]) -> Result<(Wanted, Challenge)> {
        if !self.is_ordered(open) {
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

    /// Without `challenges` those of the state are asked for.
    pub(super) fn finish(
        &self,
        order: Order,
        challenges: Option<Vec<Challenge>>,
        state: &mut State,
    ) -> Result<Issued> {
        let order = match order.status {
            OrderStatus::Pending => {
                let challenges = challenges.map_or_else(|| self.open(&order, state), Ok)?;
                self.account.answer(&challenges)?;
                let order = self.account.order(&order.url)?;
                self.account.wait_while(order, &[OrderStatus::Pending])?
            }
            _ => order,
        };
        let order = match order.status {
            OrderStatus::Ready => self.hand_in(&order, state)?,
            _ => self.account.wait_while(order, &[OrderStatus::Processing])?,
        };
        let url = order.certificate.as_deref();
        let url = url.ok_or_else(|| Error::bad_answer(&order.url, "it has no certificate"))?;
        state.certificate = Some(url.to_owned());
        state.save(self.state)?;
        let issued = self.account.download(url, self.request, self.preferred);
        if let Err(Error::CertificateWrong { .. } | Error::Problem { .. }) = issued {
            // It would be as wrong, or as gone, in each run to come.
            state.order = None;
        }
        issued
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

    fn hand_in(&self, order: &Order, state: &mut State) -> Result<Order> {
        state.public_key_sha256 = Some(hex(&self.request.public_key().sha256()));
        state.request = Some(self.request.to_pem());
        state.save(self.state)?;
        self.account.finalize(order, self.request)
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
