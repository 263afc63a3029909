// SPDX-License-Identifier: Apache-2.0
//! What an account does with orders (RFC 8555 §7.4, §7.5).

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use pki::CertificateRequest;
use pki::jws::base64url;
use serde_json::json;
use web::Response;

use crate::account::{gone, location};
use crate::clock::after;
use crate::error::{FailedIdentifier, failed_in};
use crate::problem::clean;
use crate::{
    Account, Authorization, AuthorizationStatus, Challenge, Error, Order, OrderRequest,
    OrderStatus, Problem, ProblemKind, Result,
};

/// How many requests go out at once.
const PARALLEL: usize = 8;
/// No server issues for more names at once; each costs a request.
const NAME_LIMIT: usize = 1_000;
/// The pause between two looks at an order for which the server names none; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Account {
    /// Orders a certificate. A server that shows no renewal information is not told what is replaced, and one that
    /// refuses the order with it is asked again without: the certificate may have been replaced already, or be one of
    /// another account or another server, and then the order is as good.
    ///
    /// A server that fails (5xx) is asked again, although it may have made the order: nothing in RFC 8555 tells. An order
    /// that nobody knows ends by itself, and servers give the same one again (§7.4) or make another, which costs one of
    /// the account's orders. A request whose answer is lost is not repeated by this; the next run orders again.
    ///
    /// # Errors
    /// [`Error::Profile`] for one that the server does not have, or ignores; [`Error::Problem`],
    /// [`Error::RateLimited`], [`Error::AccountGone`].
    pub fn new_order(&self, request: &OrderRequest) -> Result<Order> {
        let directory = self.server().directory();
        if let Some(wanted) = &request.profile
            && !directory.meta.profiles.contains_key(wanted)
        {
            let known: Vec<_> = directory.meta.profiles.keys().cloned().collect();
            let reason = match known.is_empty() {
                true => "the server has no profiles".to_owned(),
                false => clean(&format!("the server has {}", known.join(", "))),
            };
            return Err(profile(wanted, reason));
        }
        let mut request = request.clone();
        if directory.renewal_info.is_none() {
            request.replaces = None;
        }
        match self.send_order(&request) {
            // `unauthorized` means here that the certificate is another account's, as well as that ours is gone.
            Err(Error::Problem { .. } | Error::AccountGone { .. })
                if request.replaces.is_some() =>
            {
                request.replaces = None;
                self.send_order(&request)
            }
            other => other,
        }
    }

    fn send_order(&self, request: &OrderRequest) -> Result<Order> {
        let url = &self.server().directory().new_order;
        let answer = self
            .post(url, Some(&request.payload()))
            .map_err(|error| gone(self.server(), error, &[ProblemKind::Unauthorized]))?;
        let order = self.read_order(location(self.server(), url, &answer)?, &answer)?;
        let set = |names: &[_]| names.iter().cloned().collect::<BTreeSet<_>>();
        let refused = match &request.profile {
            _ if set(&order.identifiers) != set(&request.identifiers) => {
                Error::bad_answer(url, "its order is for other names")
            }
            Some(wanted) if order.profile.as_ref() != Some(wanted) => {
                let got = order.profile.as_deref().unwrap_or("none");
                profile(wanted, format!("the order has {}", got.escape_debug()))
            }
            _ => return Ok(order),
        };
        // It would stay pending and count against the account. That it cannot be given up changes nothing.
        let _ = self.give_up(&order);
        Err(refused)
    }

    /// Looks at an order.
    pub fn order(&self, url: &str) -> Result<Order> {
        let answer = self.post(url, None)?;
        self.read_order(url.to_owned(), &answer)
    }

    fn read_order(&self, url: String, answer: &Response) -> Result<Order> {
        let mut order: Order = answer.json()?;
        if order.authorizations.len() > NAME_LIMIT {
            return Err(Error::bad_answer(&url, "its order has too many names"));
        }
        let own = |named: &str| self.server().own(&url, named);
        for named in order.authorizations.iter().chain(&order.certificate) {
            own(named)?;
        }
        own(&order.finalize)?;
        order.retry_after = answer.retry_after(self.server().clock().now().0);
        order.url = url;
        Ok(order)
    }

    /// Looks at what is to be proved for an order, all at once; in its order.
    pub fn authorizations(&self, order: &Order) -> Result<Vec<Authorization>> {
        in_parallel(&order.authorizations, |url| self.authorization(url))
    }

    /// Looks at one.
    pub fn authorization(&self, url: &str) -> Result<Authorization> {
        let mut authorization: Authorization = self.post(url, None)?.json()?;
        for challenge in &authorization.challenges {
            self.server().own(url, &challenge.url)?;
        }
        authorization.url = url.to_owned();
        Ok(authorization)
    }

    /// Tells the server to look at the proofs of these challenges, all at once. Those that it looks at or has seen
    /// already are left alone.
    pub fn answer(&self, challenges: &[Challenge]) -> Result<()> {
        let open: Vec<_> = challenges
            .iter()
            .filter(|challenge| challenge.status == "pending")
            .collect();
        in_parallel(&open, |challenge| {
            self.post(&challenge.url, Some(&json!({})))
        })?;
        Ok(())
    }

    /// Gives up what was or was to be proved: an authorization that stays pending counts against the account.
    pub fn deactivate_authorization(&self, url: &str) -> Result<()> {
        let payload = json!({ "status": "deactivated" });
        self.post(url, Some(&payload)).map(|_| ())
    }

    /// Gives up all authorizations of an order that are still pending; says how many.
    pub fn give_up(&self, order: &Order) -> Result<usize> {
        let pending: Vec<_> = self
            .authorizations(order)?
            .into_iter()
            .filter(|known| known.status == AuthorizationStatus::Pending)
            .collect();
        in_parallel(&pending, |known| self.deactivate_authorization(&known.url))?;
        Ok(pending.len())
    }

    /// Looks at an order until it is no longer `while_it_is`. The order is what is asked for, not each of its names:
    /// it fails with the first of them and is ready with the last.
    ///
    /// # Errors
    /// [`Error::OrderFailed`] with every name that failed, [`Error::NotDone`] after the deadline, [`Error::NotYet`] if
    /// the server wants a longer pause than is left.
    pub fn wait_while(&self, order: Order, while_it_is: &[OrderStatus]) -> Result<Order> {
        self.wait_after(Duration::ZERO, order, while_it_is)
    }

    /// The same for an order that was seen so long ago: of the first pause, this is over. So many orders that are looked
    /// at one after another take the time of one.
    pub(crate) fn wait_after(
        &self,
        mut passed: Duration,
        order: Order,
        while_it_is: &[OrderStatus],
    ) -> Result<Order> {
        let clock = self.server().clock();
        let limit = self.server().patience().deadline;
        let limit = limit.min(self.server().left());
        let (mut order, mut pause, mut waited) = (order, FIRST_PAUSE, Duration::ZERO);
        loop {
            if order.status == OrderStatus::Invalid {
                return Err(self.failure(&order));
            }
            if !while_it_is.contains(&order.status) {
                return Ok(order);
            }
            // At once, or at an instant that is over, is no pause: who says so is not asked ten times a second.
            let named = order.retry_after.filter(|span| !span.is_zero());
            let span = named.unwrap_or(pause).saturating_sub(passed);
            passed = Duration::ZERO;
            if waited.saturating_add(span) > limit {
                return Err(match order.retry_after {
                    Some(span) if span > limit => Error::NotYet {
                        retry_at: after(clock.now(), span),
                        url: order.url,
                    },
                    _ => Error::NotDone {
                        status: order.status.as_str().to_owned(),
                        url: order.url,
                        waited,
                    },
                });
            }
            if !span.is_zero() {
                clock.wait(span);
                waited += span;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            order = self.order(&order.url)?;
        }
    }

    /// Why an order failed. What its names say is asked for; that they cannot be asked hides nothing.
    pub fn failure(&self, order: &Order) -> Error {
        let mut failed: Vec<FailedIdentifier> = self
            .authorizations(order)
            .unwrap_or_default()
            .iter()
            .filter(|known| known.status == AuthorizationStatus::Invalid)
            .map(failed_name)
            .collect();
        let named = order.error.as_ref().map(failed_in).unwrap_or_default();
        for other in named {
            if !failed
                .iter()
                .any(|known| known.identifier == other.identifier)
            {
                failed.push(other);
            }
        }
        Error::OrderFailed {
            url: order.url.clone(),
            problem: order.error.clone().map(Box::new),
            failed,
        }
    }

    /// Hands in the request for the certificate and waits for it.
    ///
    /// # Errors
    /// As [`Self::wait_while`]; [`Error::Problem`] for a request that the server does not take.
    pub fn finalize(&self, order: &Order, request: &CertificateRequest) -> Result<Order> {
        let order = self.hand_in(order, request)?;
        self.wait_while(order, &[OrderStatus::Processing])
    }

    /// Hands in the request for the certificate, and does not wait for it.
    ///
    /// If the answer is lost, the order is asked what came of it: the server may have issued. Nothing is handed in
    /// twice unless the order says that it still waits for it, or the server says itself that it failed (5xx): it takes
    /// a request for an order once.
    ///
    /// # Errors
    /// [`Error::Problem`] for a request that the server does not take.
    pub(crate) fn hand_in(&self, order: &Order, request: &CertificateRequest) -> Result<Order> {
        let payload = json!({ "csr": base64url(request.der()) });
        let mut again = true;
        loop {
            return match self.post(&order.finalize, Some(&payload)) {
                Ok(answer) => self.read_order(order.url.clone(), &answer),
                Err(error) if is_worth_a_look(&error) => match self.order(&order.url) {
                    Ok(seen) if seen.status == OrderStatus::Ready && again => {
                        again = false;
                        continue;
                    }
                    Ok(seen) if seen.status != OrderStatus::Ready => Ok(seen),
                    // Neither tells more than the first failure.
                    Ok(_) | Err(_) => Err(error),
                },
                Err(error) => Err(error),
            };
        }
    }
}

/// Whether the order may be further than the answer to finalize says.
fn is_worth_a_look(error: &Error) -> bool {
    match error {
        Error::Problem { problem, .. } => problem.kind == ProblemKind::OrderNotReady,
        other => other.is_answer_lost(),
    }
}

fn profile(wanted: &str, reason: String) -> Error {
    Error::Profile {
        wanted: wanted.to_owned(),
        reason,
    }
}

fn failed_name(known: &Authorization) -> FailedIdentifier {
    let silent = || Problem {
        kind: ProblemKind::Other(String::new()),
        detail: "the server does not say why".to_owned(),
        status: None,
        instance: None,
        subproblems: Vec::new(),
    };
    let problem = known.problem().cloned().unwrap_or_else(silent);
    FailedIdentifier {
        identifier: known.ordered(),
        kind: problem.kind,
        detail: problem.detail,
    }
}

/// Does the same to all, some at once; the first failure, in their order, is that of all.
pub(crate) fn in_parallel<I: Sync, T: Send, E: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    if let [only] = items {
        return Ok(vec![work(only)?]);
    }
    let size = items.len().div_ceil(PARALLEL).max(1);
    let work = &work;
    thread::scope(|scope| {
        let parts: Vec<thread::ScopedJoinHandle<'_, Result<Vec<T>, E>>> = items
            .chunks(size)
            .map(|part| scope.spawn(move || part.iter().map(work).collect()))
            .collect();
        let mut all = Vec::with_capacity(items.len());
        for part in parts {
            match part.join() {
                Ok(done) => all.extend(done?),
                // A panic of a part goes on as it was.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}
