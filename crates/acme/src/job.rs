// SPDX-License-Identifier: Apache-2.0
//! The walk of one certificate: request, show the proofs, complete. A process may end after each step.

use std::path::Path;
use std::time::Duration;

use pki::CertificateRequest;

use crate::release::is_missing;
use crate::state::{Resume, Seen, State, Wanted, Why, Wish, resume};
use crate::{
    Account, Challenge, ChallengeKind, Error, Issued, Order, OrderRequest, PreferredChain, Result,
};

mod steps;

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

/// An order that there was or that was made.
#[derive(Clone, Debug)]
pub struct Ordered {
    order: Order,
    /// Whether there may be something to prove.
    is_open: bool,
    state: State,
    restarted: Vec<Why>,
}

/// What the phase request found or made.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What is still to be shown; empty if nothing is to be proved, or the certificate is there already.
    pub proofs: Vec<Wanted>,
    /// Why an earlier order was not gone on with.
    pub restarted: Vec<Why>,
    known: Known,
}

/// What the server showed: the same process need not ask for it again.
#[derive(Clone, Debug)]
struct Known {
    order: Order,
    challenges: Vec<Challenge>,
}

/// A certificate that the server was asked for, in one of the steps after the proofs were shown. A process with many of
/// them does each step for all before the next: then all wait together.
#[derive(Clone, Debug)]
pub struct Underway {
    order: Order,
    state: State,
    /// When the order was seen, or its server was told something, by the server's clock.
    seen: Duration,
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
        let done = self.begin().and_then(|begun| {
            let mut proofs = begun.proofs.clone();
            if !proofs.is_empty() {
                self.publish(publisher, &mut proofs)?;
            }
            let restarted = begun.restarted.clone();
            let underway = self.answer(begun)?;
            Ok((self.fetch(self.hand_in(underway)?)?, restarted))
        });
        let withdrawn = self.withdraw(publisher);
        done.map(|(issued, restarted)| Done {
            issued,
            restarted,
            warnings: withdrawn.err().iter().map(ToString::to_string).collect(),
        })
    }

    /// The phase cleanup: takes back all that may still be shown, also what a killed run left, or an earlier order.
    ///
    /// # Errors
    /// [`Error::Proof`]; what is left over stays in the state for the next time.
    pub fn withdraw(&self, publisher: &dyn Publisher) -> Result<()> {
        let Some(mut state) = State::load(self.state)? else {
            return Ok(());
        };
        let shown = state.shown();
        if shown.is_empty() {
            return Ok(());
        }
        publisher.withdraw(&shown).map_err(Error::Proof)?;
        state.all_withdrawn();
        state.save(self.state)
    }

    /// The phase complete in the process that has begun, first step: tells the server to look at the proofs. What is
    /// known already is not asked for again.
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub fn answer(&self, begun: Begun) -> Result<Underway> {
        let Known { order, challenges } = begun.known;
        let state = self.begun(State::load(self.state)?);
        self.answered(order, Some(challenges), state)
    }

    /// Notes what may be shown from now on, for callers that publish for several jobs at once: before they do.
    ///
    /// # Errors
    /// Those of [`State::save`]; then nothing must be published.
    pub fn note_shown(&self, proofs: &[Wanted]) -> Result<()> {
        self.note(proofs)
    }

    /// Notes that nothing is shown any more.
    ///
    /// # Errors
    /// Those of [`State::save`]; the next run takes it back again.
    pub fn note_withdrawn(&self) -> Result<()> {
        let Some(mut state) = State::load(self.state)? else {
            return Ok(());
        };
        state.all_withdrawn();
        state.save(self.state)
    }

    /// Notes that what is shown could not be taken back: [`State::finish`] keeps that.
    ///
    /// # Errors
    /// Those of [`State::save`]; then nobody takes it back.
    pub fn note_left_over(&self) -> Result<()> {
        let Some(mut state) = State::load(self.state)? else {
            return Ok(());
        };
        state.left_over = true;
        state.save(self.state)
    }

    /// That something may be shown is noted before it is, and what the publisher notes also when it failed: it may have
    /// shown a part.
    fn publish(&self, publisher: &dyn Publisher, proofs: &mut [Wanted]) -> Result<()> {
        for wanted in proofs.iter_mut() {
            wanted.published.get_or_insert_with(|| true.into());
        }
        self.note(proofs)?;
        let published = publisher.publish(proofs);
        self.note(proofs)?;
        published.map_err(Error::Proof)
    }

    fn note(&self, proofs: &[Wanted]) -> Result<()> {
        if let Some(mut state) = State::load(self.state)? {
            for proof in proofs.iter() {
                let mut known = state.proofs.iter_mut();
                if let Some(known) = known.find(|known| known.challenge == proof.challenge) {
                    known.published.clone_from(&proof.published);
                }
            }
            state.save(self.state)?;
        }
        Ok(())
    }

    /// The phase request: goes on with the order that there is or makes one, and says what is to be shown.
    ///
    /// # Errors
    /// [`Error::NotYet`] without asking, if the server does not want to be asked; [`Error::AccountGone`]; those of
    /// [`Account::new_order`].
    pub fn begin(&self) -> Result<Begun> {
        let ordered = self.ordered()?;
        self.begin_with(ordered)
    }

    /// The first step of [`Self::begin`]; [`Self::begin_with`] follows.
    ///
    /// # Errors
    /// Those of [`Self::begin`].
    pub fn ordered(&self) -> Result<Ordered> {
        let state = State::load(self.state)?;
        let (decided, order) = self.decide(state.as_ref())?;
        match decided {
            Resume::Continue | Resume::Download => Ok(Ordered {
                order: self.known(order)?,
                is_open: decided == Resume::Continue,
                state: self.begun(state),
                restarted: Vec::new(),
            }),
            Resume::Begin => self.anew(state, Vec::new()),
            Resume::Anew { reasons, give_up } => {
                let old = state.as_ref().and_then(|state| state.order.as_ref());
                if give_up && let Some(url) = old {
                    self.give_up(url);
                }
                self.anew(state, reasons)
            }
            other => Err(self.stopped(&other)),
        }
    }

    /// The second step: asks what is to be proved, and notes it.
    ///
    /// # Errors
    /// Those of [`Self::begin`].
    pub fn begin_with(&self, ordered: Ordered) -> Result<Begun> {
        let Ordered {
            order,
            is_open,
            mut state,
            restarted,
        } = ordered;
        let (proofs, challenges) = match is_open {
            true => {
                let challenges =
                    self.remembering(&mut state, |state| self.collect(&order, state))?;
                (state.proofs, challenges)
            }
            false => (Vec::new(), Vec::new()),
        };
        Ok(Begun {
            proofs,
            restarted,
            known: Known { order, challenges },
        })
    }

    /// The phase complete: tells the server to look at the proofs, hands the request in and fetches the certificate.
    /// The state stays until the caller has installed it and calls [`State::forget`].
    ///
    /// # Errors
    /// [`Error::StartAgain`] if there is no order to go on with; [`Error::OrderFailed`] with the names that failed,
    /// whose order's other authorizations are given up; [`Error::CertificateWrong`].
    pub fn complete(&self) -> Result<Issued> {
        let underway = self.take_up()?;
        self.fetch(self.hand_in(underway)?)
    }

    /// The first step of [`Self::complete`]: [`Self::hand_in`] and [`Self::fetch`] follow.
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub fn take_up(&self) -> Result<Underway> {
        let state = State::load(self.state)?;
        let (decided, order) = self.decide(state.as_ref())?;
        let state = self.begun(state);
        match decided {
            Resume::Continue | Resume::Download => self.answered(self.known(order)?, None, state),
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
        if self.account.server().own(url, url).is_err() {
            return Ok((resume(state, Seen::Elsewhere, &wish, now()), None));
        }
        match self.account.order(url) {
            Ok(order) => {
                let decided = resume(state, Seen::Order(&order), &wish, now());
                Ok((decided, Some(order)))
            }
            Err(Error::AccountGone { .. }) => {
                Ok((resume(state, Seen::AccountGone, &wish, now()), None))
            }
            Err(error) if is_missing(&error) => {
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

    /// Pending authorizations end by themselves; that they cannot be given up now stops nothing.
    fn give_up(&self, order: &str) {
        let _ = self
            .account
            .order(order)
            .and_then(|order| self.account.give_up(&order));
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
