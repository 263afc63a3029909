// SPDX-License-Identifier: Apache-2.0
//! What to do with what an earlier run left: a pure function.

use std::fmt;
use std::time::Duration;

use pki::Timestamp;

use super::State;
use crate::clock::after;
use crate::{Identifier, Order, OrderStatus};

/// For how long a server is taken at its word that it does not want to be asked. Limits last a week at most; one that
/// names the year 9999 would else never be asked again.
const LONGEST_REST: i64 = 30 * 86_400;

/// What the user wants now.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The directory of the server.
    pub directory: &'a str,
    /// The thumbprint of the account's key.
    pub key_thumbprint: &'a str,
    /// What the certificate is for.
    pub identifiers: &'a [Identifier],
    /// The profile.
    pub profile: Option<&'a str>,
    /// SHA-256 of the public key of the request, in hexadecimal.
    pub public_key_sha256: &'a str,
    /// How long an order must last to be worth going on with.
    pub deadline: Duration,
}

/// What the server shows of the order in the state.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// It was not asked yet.
    NotAsked,
    /// It knows no such account.
    AccountGone,
    /// It was not asked: its directory no longer names the host of the order, and nothing signed goes elsewhere.
    Elsewhere,
    /// It knows no such order.
    Missing,
    /// The order.
    Order(&'a Order),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The account is gone: make another, if the user allows it, then order anew.
    AccountGone,
    /// Order anew; what stood in the state is of no use.
    Anew {
        /// Why, all reasons.
        reasons: Vec<Why>,
        /// Whether the old order's pending authorizations are to be given up.
        give_up: bool,
    },
    /// Nothing was begun: order.
    Begin,
    /// Go on where the order is: prove what is pending, finalize.
    Continue,
    /// The request was handed in for this key: wait for the certificate if it is not there, and fetch it.
    Download,
    /// Ask the server for the order, then decide again.
    Look,
    /// Do not ask before this instant.
    NotBefore(Timestamp),
}

/// Why an order is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is of another server.
    DirectoryChanged,
    /// It ends, or has ended, before it could be finished.
    Expired(Timestamp),
    /// It is on a host that the server's directory does not name.
    Elsewhere,
    /// It is for other names.
    IdentifiersChanged,
    /// It is of another account.
    KeyChanged,
    /// The server says that it failed.
    OrderInvalid,
    /// The server does not know it any more.
    OrderMissing,
    /// Its certificate is for another key.
    OtherPublicKey,
    /// It is for another profile.
    ProfileChanged,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DirectoryChanged => f.write_str("the server is another one"),
            Self::Elsewhere => {
                f.write_str("the order is on a host that the server's directory does not name")
            }
            Self::Expired(at) => write!(f, "the order ends at {at}"),
            Self::IdentifiersChanged => f.write_str("the names are other ones"),
            Self::KeyChanged => f.write_str("the account is another one"),
            Self::OrderInvalid => f.write_str("the order failed"),
            Self::OrderMissing => f.write_str("the server does not know the order any more"),
            Self::OtherPublicKey => f.write_str("the order's certificate is for another key"),
            Self::ProfileChanged => f.write_str("the profile is another one"),
        }
    }
}

/// Decides what to do with a state.
pub fn resume(state: Option<&State>, seen: Seen<'_>, wish: &Wish<'_>, now: Timestamp) -> Resume {
    let Some(state) = state else {
        return Resume::Begin;
    };
    let reasons = changes(state, wish);
    if !reasons.is_empty() {
        // Only the same account of the same server can give anything up.
        let is_ours =
            !reasons.contains(&Why::DirectoryChanged) && !reasons.contains(&Why::KeyChanged);
        let give_up = is_ours && state.order.is_some();
        return Resume::Anew { reasons, give_up };
    }
    let latest = now.0.saturating_add(LONGEST_REST);
    let rest = state.retry_at;
    if let Some(at) = rest.filter(|at| *at > now && at.0 <= latest) {
        return Resume::NotBefore(at);
    }
    if state.order.is_none() {
        return Resume::Begin;
    }
    match seen {
        Seen::NotAsked => Resume::Look,
        Seen::AccountGone => Resume::AccountGone,
        Seen::Elsewhere => anew(Why::Elsewhere),
        Seen::Missing => anew(Why::OrderMissing),
        Seen::Order(order) => of_order(state, order, wish, now),
    }
}

fn of_order(state: &State, order: &Order, wish: &Wish<'_>, now: Timestamp) -> Resume {
    match order.status {
        OrderStatus::Invalid => anew(Why::OrderInvalid),
        OrderStatus::Processing | OrderStatus::Valid => {
            match state.public_key_sha256.as_deref() == Some(wish.public_key_sha256) {
                true => Resume::Download,
                false => anew(Why::OtherPublicKey),
            }
        }
        OrderStatus::Pending | OrderStatus::Ready => match order.expires {
            Some(at) if at <= after(now, wish.deadline) => Resume::Anew {
                reasons: vec![Why::Expired(at)],
                give_up: at > now,
            },
            _ => Resume::Continue,
        },
    }
}

fn anew(why: Why) -> Resume {
    Resume::Anew {
        reasons: vec![why],
        give_up: false,
    }
}

fn changes(state: &State, wish: &Wish<'_>) -> Vec<Why> {
    let mut wanted = wish.identifiers.to_vec();
    wanted.sort();
    let compared = [
        (state.directory != wish.directory, Why::DirectoryChanged),
        (state.key_thumbprint != wish.key_thumbprint, Why::KeyChanged),
        (state.identifiers != wanted, Why::IdentifiersChanged),
        (
            state.profile.as_deref() != wish.profile,
            Why::ProfileChanged,
        ),
    ];
    compared
        .into_iter()
        .filter_map(|(differs, why)| differs.then_some(why))
        .collect()
}
