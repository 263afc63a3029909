// SPDX-License-Identifier: Apache-2.0
//! One certificate on its way through the steps, and what all of them took.

use std::path::PathBuf;

use acme::state::{State, Wanted};
use acme::{Begun, Issued, OrderRequest, Ordered, Underway, certificate_id};

use crate::decide::Reason;
use crate::failure::CertificateError;
use crate::observe::Seen;
use crate::records::{Placed, Waited};
use crate::request::CertificateWish;

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

    /// The URL of the order that may be gone on with.
    pub(super) fn ordered(&self) -> Option<String> {
        State::load(&self.state).ok().flatten()?.order
    }

    /// Whether an earlier run could not take something back.
    pub(super) fn is_left_over(&self) -> bool {
        let state = State::load(&self.state).ok().flatten();
        state.is_some_and(|state| state.left_over)
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
    pub(super) ordered: Option<Ordered>,
    pub(super) begun: Option<Begun>,
    pub(super) underway: Option<Underway>,
}

impl<'a> Progress<'a> {
    /// Nothing yet.
    pub(super) fn new(due: &'a Due<'a>) -> Self {
        Self {
            due,
            proofs: Vec::new(),
            issued: None,
            restarted: Vec::new(),
            changed: false,
            error: None,
            ordered: None,
            begun: None,
            underway: None,
        }
    }
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
        self.waited.visible += other.waited.visible;
        self.waited.held += other.waited.held;
        self.waited.questions += other.waited.questions;
        self.published += other.published;
        self.warnings.extend(other.warnings);
    }
}
