// SPDX-License-Identifier: Apache-2.0
//! The walk of one certificate: request, show the proofs, complete. A process may end after each step.

use std::path::Path;

use pki::CertificateRequest;

use crate::state::{Resume, Seen, State, Wanted, Why, Wish, resume};
use crate::{
    Account, Authorization, AuthorizationStatus, Challenge, ChallengeKind, Error, Issued, Order,
    OrderRequest, OrderStatus, PreferredChain, ProblemKind, Proof, Result,
};

/// Who shows proofs to the world: DNS servers, a web server, or a person.
pub trait Publisher {
    /// Shows them, and returns when the certificate authority will see them.
    ///
    /// # Errors
    /// What could not be shown, in words for the operator.
    fn publish(&self, proofs: &mut [Wanted]) -> Result<(), String>;

    /// Takes back exactly what [`Self::publish`] showed; that it is gone already is fine. Called on every way out.
    ///
    /// # Errors
    /// What is left over, in words for the operator.
    fn withdraw(&self, proofs: &[Wanted]) -> Result<(), String>;
}

/// One certificate that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Who asks.
    pub account: &'a Account,
    /// What for.
    pub order: &'a OrderRequest,
    /// The request for the certificate; its key is elsewhere.
    pub request: &'a CertificateRequest,
    /// How names are proved.
    pub challenge: &'a ChallengeKind,
    /// Which chain is taken.
    pub preferred: Option<&'a PreferredChain>,
    /// Where the state is kept.
    pub state: &'a Path,
}

/// What the phase request found or made.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What is still to be shown; empty if nothing is to be proved, or the certificate is there already.
    pub proofs: Vec<Wanted>,
    /// Why an earlier order was not gone on with.
    pub restarted: Vec<Why>,
    known: Option<Known>,
}

/// What the server showed: the same process need not ask for it again.
#[derive(Clone, Debug)]
struct Known {
    order: Order,
    challenges: Vec<Challenge>,
}

/// A certificate, and what the way to it was.
#[derive(Clone, Debug)]
pub struct Done {
    /// The certificate.
    pub issued: Issued,
    /// Why an earlier order was not gone on with.
    pub restarted: Vec<Why>,
    /// What could not be taken back.
    pub warnings: Vec<String>,
}

impl Job<'_> {
    /// All phases in one process.
    ///
    /// # Errors
    /// Those of [`Self::begin`] and [`Self::complete`], and [`Error::Proof`]. What was shown is taken back.
    pub fn run(&self, publisher: &dyn Publisher) -> Result<Done> {
        let Begun {
            mut proofs,
            restarted,
            known,
        } = self.begin()?;
        let published = match proofs.is_empty() {
            true => Ok(()),
            false => self.publish(publisher, &mut proofs),
        };
        let completed = published.and_then(|()| self.go_on(known));
        let passing: Vec<_> = proofs.into_iter().filter(is_passing).collect();
        let withdrawn = match passing.is_empty() {
            true => Ok(()),
            false => publisher.withdraw(&passing),
        };
        completed.map(|issued| Done {
            issued,
            restarted,
            warnings: withdrawn.err().into_iter().collect(),
        })
    }

    fn go_on(&self, known: Option<Known>) -> Result<Issued> {
        let Some(Known { order, challenges }) = known else {
            return self.complete();
        };
        let mut state = self.begun(State::load(self.state)?);
        self.remembering(&mut state, |state| {
            self.finish(order, Some(challenges), state)
        })
    }

    /// What the publisher noted is kept also when it failed: it may have shown a part.
    fn publish(&self, publisher: &dyn Publisher, proofs: &mut [Wanted]) -> Result<()> {
        let published = publisher.publish(proofs);
        if let Some(mut state) = State::load(self.state)? {
            for proof in proofs.iter() {
                let mut known = state.proofs.iter_mut();
                if let Some(known) = known.find(|known| known.challenge == proof.challenge) {
                    known.published.clone_from(&proof.published);
                }
            }
            state.save(self.state)?;
        }
        published.map_err(Error::Proof)
    }

    /// The phase request: goes on with the order that there is or makes one, and says what is to be shown.
    ///
    /// # Errors
    /// [`Error::NotYet`] without asking, if the server does not want to be asked; [`Error::AccountGone`]; those of
    /// [`Account::new_order`].
    pub fn begin(&self) -> Result<Begun> {
        let state = State::load(self.state)?;
        let (decided, order) = self.decide(state.as_ref())?;
        match decided {
            Resume::Continue => {
                let mut state = self.begun(state);
                let order = self.known(order)?;
                self.started(order, &mut state, Vec::new())
            }
            Resume::Download => Ok(Begun {
                proofs: Vec::new(),
                restarted: Vec::new(),
                known: order.map(|order| Known {
                    order,
                    challenges: Vec::new(),
                }),
            }),
            Resume::Begin => self.anew(Vec::new()),
            Resume::Anew { reasons, give_up } => {
                if give_up && let Some(url) = state.and_then(|state| state.order) {
                    // It would end by itself; that it cannot be given up now stops nothing.
                    let _ = self
                        .account
                        .order(&url)
                        .and_then(|old| self.account.give_up(&old));
                }
                self.anew(reasons)
            }
            other => Err(self.stopped(&other)),
        }
    }

    /// The phase complete: tells the server to look at the proofs, hands the request in and fetches the certificate.
    /// The state stays until the caller has installed it and calls [`State::forget`].
    ///
    /// # Errors
    /// [`Error::StartAgain`] if there is no order to go on with; [`Error::OrderFailed`] with the names that failed,
    /// whose order's other authorizations are given up; [`Error::CertificateWrong`].
    pub fn complete(&self) -> Result<Issued> {
        let state = State::load(self.state)?;
        let (decided, order) = self.decide(state.as_ref())?;
        let mut state = self.begun(state);
        match decided {
            Resume::Continue | Resume::Download => {
                let order = self.known(order)?;
                self.remembering(&mut state, |state| self.finish(order, None, state))
            }
            Resume::Begin => Err(Error::StartAgain {
                reasons: "nothing was ordered".to_owned(),
            }),
            Resume::Anew { reasons, .. } => {
                let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
                Err(Error::StartAgain {
                    reasons: reasons.join(", "),
                })
            }
            other => Err(self.stopped(&other)),
        }
    }

    /// What is to be done, with the order if the server was asked for it.
    fn decide(&self, state: Option<&State>) -> Result<(Resume, Option<Order>)> {
        let now = || self.account.server().clock().now();
        let public_key = hex(&self.request.public_key().sha256());
        let wish = self.wish(&public_key);
        let first = resume(state, Seen::NotAsked, &wish, now());
        let url = state.and_then(|state| state.order.as_deref());
        let (Resume::Look, Some(url)) = (&first, url) else {
            return Ok((first, None));
        };
        match self.account.order(url) {
            Ok(order) => {
                let decided = resume(state, Seen::Order(&order), &wish, now());
                Ok((decided, Some(order)))
            }
            Err(Error::AccountGone { .. }) => {
                Ok((resume(state, Seen::AccountGone, &wish, now()), None))
            }
            // RFC 8555 has no type for it; servers say 404, or that it is not ours.
            Err(Error::Problem { problem, .. })
                if problem.status == Some(404)
                    || matches!(
                        problem.kind,
                        ProblemKind::Malformed | ProblemKind::Unauthorized
                    ) =>
            {
                Ok((resume(state, Seen::Missing, &wish, now()), None))
            }
            Err(other) => Err(other),
        }
    }

    fn wish<'b>(&'b self, public_key_sha256: &'b str) -> Wish<'b> {
        Wish {
            directory: self.account.server().url(),
            key_thumbprint: self.account.thumbprint(),
            identifiers: &self.order.identifiers,
            profile: self.order.profile.as_deref(),
            public_key_sha256,
            deadline: self.account.server().patience().deadline,
        }
    }

    fn begun(&self, state: Option<State>) -> State {
        state.unwrap_or_else(|| {
            let (server, account) = (self.account.server().url(), self.account.url());
            State::begin(server, account, &self.wish(""))
        })
    }

    fn known(&self, order: Option<Order>) -> Result<Order> {
        order.ok_or_else(|| Error::StartAgain {
            reasons: "the server was not asked for the order".to_owned(),
        })
    }

    fn stopped(&self, why: &Resume) -> Error {
        let url = web::shown(self.account.server().url());
        match why {
            Resume::NotBefore(at) => Error::NotYet { url, retry_at: *at },
            _ => Error::AccountGone {
                server: url,
                reason: "it does not know the account of the order".to_owned(),
            },
        }
    }

    fn anew(&self, restarted: Vec<Why>) -> Result<Begun> {
        let mut state = self.begun(None);
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

    fn started(&self, order: Order, state: &mut State, restarted: Vec<Why>) -> Result<Begun> {
        let challenges = self.remembering(state, |state| self.collect(&order, state))?;
        Ok(Begun {
            proofs: state.proofs.clone(),
            restarted,
            known: Some(Known { order, challenges }),
        })
    }

    /// Notes what is to be shown for the names that are not proved yet, and gives the challenges that it is for.
    fn collect(&self, order: &Order, state: &mut State) -> Result<Vec<Challenge>> {
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
        state.last_error = None;
        state.retry_at = None;
        state.save(self.state)?;
        Ok(challenges)
    }

    fn wanted(&self, open: &Authorization, known: &[Wanted]) -> Result<(Wanted, Challenge)> {
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
    fn finish(
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
    fn remembering<T>(
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
                let _ = self
                    .account
                    .order(url)
                    .and_then(|order| self.account.give_up(&order));
            }
        }
        done
    }
}

/// Whether it is to be taken back.
fn is_passing(wanted: &Wanted) -> bool {
    !matches!(wanted.proof, Proof::Txt { stays: true, .. })
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
