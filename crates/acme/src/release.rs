// SPDX-License-Identifier: Apache-2.0
//! Giving up what names have proved, so that nobody with the account's key has certificates for them without a new proof.

use std::collections::BTreeSet;

use crate::{
    Account, AuthorizationStatus, Error, Identifier, Order, OrderRequest, ProblemKind, Result,
};

/// A server that shows one valid authorization after another is left after so many orders.
const ROUND_LIMIT: usize = 5;

/// An authorization that was given up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Released {
    /// The name, as it was ordered.
    pub identifier: Identifier,
    /// Where it was.
    pub url: String,
}

impl Account {
    /// Gives up all authorizations of these names that are valid or pending. `known` are URLs of orders that may be open.
    ///
    /// A server that lists the account's orders is asked for all that are for one of the names. Others, as Let's Encrypt,
    /// are asked for a new order: it names what is valid already, and that is given up with the order itself, until
    /// an order finds nothing valid. What such a server makes anew only for that is not counted.
    ///
    /// What was given up is put into `released`, also when it goes no further.
    ///
    /// # Errors
    /// Those of [`Self::new_order`], and whatever keeps one of them from being given up.
    pub fn release(
        &self,
        names: &[Identifier],
        known: &[String],
        released: &mut Vec<Released>,
    ) -> Result<()> {
        let mut seen = BTreeSet::new();
        let listed = match self.orders() {
            Ok(urls) => Some(urls),
            Err(Error::Unsupported { .. }) => None,
            Err(other) => return Err(other),
        };
        for url in listed.iter().flatten().chain(known) {
            if let Some(order) = self.order_if_there(url)? {
                self.release_of(&order, names, &mut seen, released)?;
            }
        }
        if listed.is_none() {
            self.release_by_ordering(names, &mut seen, released)?;
        }
        released.sort();
        Ok(())
    }

    fn release_by_ordering(
        &self,
        names: &[Identifier],
        seen: &mut BTreeSet<String>,
        released: &mut Vec<Released>,
    ) -> Result<()> {
        for _ in 0..ROUND_LIMIT {
            let order = self.new_order(&OrderRequest::of(names.to_vec()))?;
            let all = self.authorizations(&order)?;
            let is_pending = |url: &str| {
                let found = all.iter().find(|known| known.url == url);
                found.is_some_and(|known| known.status == AuthorizationStatus::Pending)
            };
            let before = released.len();
            self.release_of(&order, names, seen, released)?;
            let made: Vec<Released> = released.drain(before..).collect();
            released.extend(made.into_iter().filter(|one| !is_pending(&one.url)));
            if released.len() == before {
                return Ok(());
            }
        }
        Ok(())
    }

    fn release_of(
        &self,
        order: &Order,
        names: &[Identifier],
        seen: &mut BTreeSet<String>,
        released: &mut Vec<Released>,
    ) -> Result<()> {
        if !order.identifiers.iter().any(|name| names.contains(name)) {
            return Ok(());
        }
        for url in &order.authorizations {
            if !seen.insert(url.clone()) {
                continue;
            }
            let known = self.authorization(url)?;
            let is_open = matches!(
                known.status,
                AuthorizationStatus::Pending | AuthorizationStatus::Valid
            );
            // The plain name and its wildcard are proved each on its own.
            let is_wished = match order.identifiers.contains(&known.identifier) {
                true => names.contains(&known.ordered()),
                false => known.is_one_of(names),
            };
            if is_open && is_wished {
                self.deactivate_authorization(url)?;
                released.push(Released {
                    identifier: known.ordered(),
                    url: url.clone(),
                });
            }
        }
        Ok(())
    }

    /// An order that the server still knows.
    fn order_if_there(&self, url: &str) -> Result<Option<Order>> {
        if self.server().own(url, url).is_err() {
            return Ok(None);
        }
        match self.order(url) {
            Ok(order) => Ok(Some(order)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// Whether a server means by it that it knows no such order. RFC 8555 has no type for it; servers say 404, that it is not
/// ours, or, as Pebble, no more than the status.
pub(crate) fn is_missing(error: &Error) -> bool {
    match error {
        Error::Problem { problem, .. } => {
            problem.status == Some(404)
                || matches!(
                    problem.kind,
                    ProblemKind::Malformed | ProblemKind::Unauthorized
                )
        }
        Error::BadAnswer { status, .. } => matches!(status, Some(404 | 410)),
        _ => false,
    }
}
