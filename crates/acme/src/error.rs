// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with an ACME server, by what the reader must do.

use std::path::PathBuf;
use std::time::Duration;

use pki::Timestamp;

use crate::{Identifier, Problem, ProblemKind};

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One name that the server does not accept, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedIdentifier {
    /// The name.
    pub identifier: Identifier,
    /// The server's type of problem.
    pub kind: ProblemKind,
    /// The server's words.
    pub detail: String,
}

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server knows no account of this key, or has deactivated it; create one, or give the right key.
    #[error("{server} has no account for this key any more: {reason}")]
    AccountGone {
        /// The server.
        server: String,
        /// Its words.
        reason: String,
    },
    /// The key belongs to another account than the pinned one; give the right key or remove the pin.
    #[error("the account key belongs to {found}, not to {pinned}")]
    AccountMismatch {
        /// What was asked for.
        pinned: String,
        /// What the server says.
        found: String,
    },
    /// An account of another program cannot be taken over; look at its files.
    #[error("no account can be imported from '{}': {reason}", path.display())]
    AccountUnreadable {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server breaks the protocol; look whether it is one, and tell its operator.
    #[error("{url} breaks the protocol: {reason}")]
    BadAnswer {
        /// What was asked.
        url: String,
        /// The status, where it was one of failure.
        status: Option<u16>,
        /// What it did.
        reason: String,
    },
    /// The issued certificate is not what was asked for; the server is not to be trusted with it.
    #[error("the certificate of {url} is not the one that was asked for: {reason}")]
    CertificateWrong {
        /// Where it came from.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server does not offer the way to prove a name; choose another.
    #[error("{identifier} cannot be proved by {wanted}; the server offers {}", offered.join(", "))]
    ChallengeMissing {
        /// The name.
        identifier: Identifier,
        /// What was asked for.
        wanted: String,
        /// What there is.
        offered: Vec<String>,
    },
    /// The clock of this host is far ahead of that of the server; set it. The certificate is not lost.
    #[error(
        "the certificate of {url} ends at {ends}, the server says that it is {there}, here it is {now}; set the clock, a later run goes on with it"
    )]
    ClockAhead {
        /// Where it came from.
        url: String,
        /// Its end.
        ends: Timestamp,
        /// What the clock says.
        now: Timestamp,
        /// What the server's clock says.
        there: Timestamp,
    },
    /// The clock of this host is far behind that of the server; set it. The certificate is not lost.
    #[error("the certificate of {url} begins at {begins}, now is {now}; check the clock")]
    ClockBehind {
        /// Where it came from.
        url: String,
        /// Its begin.
        begins: Timestamp,
        /// What the clock says.
        now: Timestamp,
    },
    /// A key could not be used.
    #[error(transparent)]
    Key(#[from] pki::Error),
    /// The responder for http-01 cannot listen; stop who has the port, or choose another.
    #[error("cannot listen on {address} for http-01: {reason}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        reason: String,
    },
    /// The server was not done in time; the order stands, and a later run goes on with it.
    #[error("{url} was still {status} after {} s; a later run goes on with it", waited.as_secs())]
    NotDone {
        /// What was asked for.
        url: String,
        /// Its last state.
        status: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The server wants not to be asked before an instant that is too far away; ask then.
    #[error("{url} wants not to be asked before {retry_at}; a later run goes on with it")]
    NotYet {
        /// What was asked for.
        url: String,
        /// When it may be asked.
        retry_at: Timestamp,
    },
    /// All that was to be done at the server took too long; a later run goes on. This request was not sent.
    #[error("{url} was not asked: {} s for everything at this server are over; a later run goes on with it", limit.as_secs())]
    OutOfTime {
        /// What was to be asked.
        url: String,
        /// How long all of it may take.
        limit: Duration,
    },
    /// The server refused every nonce, also those that it had just given; tell its operator.
    #[error("{url} refused {times} nonces in a row, each of which it had just given")]
    NoncesRefused {
        /// What was asked.
        url: String,
        /// How many.
        times: u32,
    },
    /// The order failed; correct what the names say.
    #[error("the order {url} failed: {}", reasons(problem.as_deref(), failed))]
    OrderFailed {
        /// The order.
        url: String,
        /// What the server says of the order.
        problem: Option<Box<Problem>>,
        /// What it says of single names.
        failed: Vec<FailedIdentifier>,
    },
    /// The server refused.
    #[error("{url}: {problem}")]
    Problem {
        /// What was asked.
        url: String,
        /// Its words.
        problem: Box<Problem>,
    },
    /// The server does not issue by this profile; choose one that it names.
    #[error("the profile '{wanted}' is not to be had: {reason}")]
    Profile {
        /// What was asked for.
        wanted: String,
        /// What the server has or did.
        reason: String,
    },
    /// The published proof failed; the prover's words say what to do.
    #[error("the proofs could not be published: {0}")]
    Proof(String),
    /// Too many requests; ask again at the instant that it names.
    #[error("{url} limits the rate: {reason}{}", at(retry_at.as_ref()))]
    RateLimited {
        /// What was asked.
        url: String,
        /// Its words.
        reason: String,
        /// When it may be asked again.
        retry_at: Option<Timestamp>,
    },
    /// The server sends us elsewhere, which nobody asked for; look at the URL of the directory.
    #[error("{url} redirects to {to}; give the URL of the ACME directory itself")]
    Redirected {
        /// What was asked.
        url: String,
        /// Where it points.
        to: String,
    },
    /// The server itself failed, each time; try later.
    #[error("{url} failed {times} times, last with status {status}: {reason}")]
    ServerFailed {
        /// What was asked.
        url: String,
        /// The last status.
        status: u16,
        /// How often it was asked.
        times: u32,
        /// Its words, or what the answer was.
        reason: String,
    },
    /// There is no order to go on with; run the phase that requests one.
    #[error("there is no order to go on with: {reasons}; request it again")]
    StartAgain {
        /// Why, all reasons.
        reasons: String,
    },
    /// A state file cannot be used; remove it if it is not to be repaired.
    #[error("the state file '{}' cannot be used: {reason}", path.display())]
    State {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A state file could not be written, so nothing was done at the server.
    #[error(transparent)]
    StateWrite(tls_files::Error),
    /// The server does not have what was asked for.
    #[error("{server} does not offer {what}")]
    Unsupported {
        /// The server.
        server: String,
        /// What it lacks: "key rollover".
        what: &'static str,
    },
    /// The way to the server failed.
    #[error(transparent)]
    Web(#[from] web::Error),
}

impl Error {
    /// A stable name for playbooks, such as `acme.rate_limited`. It changes only with a changelog fragment.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AccountGone { .. } => "acme.account_gone",
            Self::AccountMismatch { .. } => "acme.account_mismatch",
            Self::AccountUnreadable { .. } => "acme.account_unreadable",
            Self::BadAnswer { .. } => "acme.bad_answer",
            Self::CertificateWrong { .. } => "acme.certificate_wrong",
            Self::ChallengeMissing { .. } => "acme.challenge_missing",
            Self::ClockAhead { .. } => "acme.clock_ahead",
            Self::ClockBehind { .. } => "acme.clock_behind",
            Self::Key(error) => error.kind(),
            Self::Listen { .. } => "acme.listen",
            Self::NotDone { .. } => "acme.not_done",
            Self::NotYet { .. } => "acme.not_yet",
            Self::NoncesRefused { .. } => "acme.nonces_refused",
            Self::OrderFailed { .. } => "acme.order_failed",
            Self::OutOfTime { .. } => "acme.out_of_time",
            Self::Problem { .. } => "acme.problem",
            Self::Profile { .. } => "acme.profile",
            Self::Proof(_) => "acme.proof",
            Self::RateLimited { .. } => "acme.rate_limited",
            Self::Redirected { .. } => "acme.redirected",
            Self::ServerFailed { .. } => "acme.server_failed",
            Self::StartAgain { .. } => "acme.start_again",
            Self::State { .. } => "acme.state",
            Self::StateWrite(error) => error.kind(),
            Self::Unsupported { .. } => "acme.unsupported",
            Self::Web(error) => error.kind(),
        }
    }

    /// When the server may be asked again, if it said so.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::NotYet { retry_at, .. } => Some(*retry_at),
            Self::RateLimited { retry_at, .. } => *retry_at,
            _ => None,
        }
    }

    /// The type of the server's problem, if it named one.
    pub fn problem_kind(&self) -> Option<&ProblemKind> {
        match self {
            Self::OrderFailed { problem, .. } => problem.as_ref().map(|problem| &problem.kind),
            Self::Problem { problem, .. } => Some(&problem.kind),
            _ => None,
        }
    }

    /// The names that the server does not accept, as far as it tells.
    pub fn failed_identifiers(&self) -> Vec<FailedIdentifier> {
        match self {
            Self::OrderFailed { failed, .. } => failed.clone(),
            Self::Problem { problem, .. } => failed_in(problem),
            _ => Vec::new(),
        }
    }

    /// Whether the server may have done what was asked although nobody heard it say so.
    pub fn is_answer_lost(&self) -> bool {
        match self {
            Self::Web(error) => !error.is_before_sending(),
            Self::ServerFailed { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn bad_answer(url: &str, reason: impl Into<String>) -> Self {
        Self::BadAnswer {
            url: web::shown(url),
            status: None,
            reason: reason.into(),
        }
    }
}

/// The names in a problem's subproblems.
pub(crate) fn failed_in(problem: &Problem) -> Vec<FailedIdentifier> {
    let named = problem.subproblems.iter().filter_map(|below| {
        Some(FailedIdentifier {
            identifier: below.identifier.clone()?,
            kind: below.kind.clone(),
            detail: below.detail.clone(),
        })
    });
    named.collect()
}

fn reasons(problem: Option<&Problem>, failed: &[FailedIdentifier]) -> String {
    let named = failed.iter().map(|name| {
        format!(
            "{}: {} ({})",
            name.identifier,
            name.detail,
            name.kind.as_str()
        )
    });
    let named: Vec<_> = named.collect();
    match (problem, named.is_empty()) {
        (_, false) => named.join("; "),
        (Some(problem), true) => problem.to_string(),
        (None, true) => "the server does not say why".to_owned(),
    }
}

fn at(retry_at: Option<&Timestamp>) -> String {
    retry_at
        .map(|at| format!("; not before {at}"))
        .unwrap_or_default()
}
