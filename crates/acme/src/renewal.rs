// SPDX-License-Identifier: Apache-2.0
//! When to renew, by the server's word (RFC 9773) or without it.

use pki::jws::{base64url, sha256};
use pki::{Certificate, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Server};

/// How long an answer holds if the server does not say, and the bounds of what it may say (RFC 9773 §4.3).
const USUAL_HOLD: i64 = 6 * 3_600;
const SHORTEST_HOLD: i64 = 60;
const LONGEST_HOLD: i64 = 86_400;
/// Lifetimes up to this are halved, longer ones leave a third.
const SHORT_LIFETIME: i64 = 10 * 86_400;

/// When the server would like a certificate to be renewed. May be kept in a file until `ask_again`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RenewalInfo {
    /// Begin of the window, in seconds since 1970.
    pub start: i64,
    /// Its end.
    pub end: i64,
    /// A page for people that says why.
    pub explanation: Option<String>,
    /// From when on the server may be asked again.
    pub ask_again: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    suggested_window: Window,
    #[serde(rename = "explanationURL")]
    explanation: Option<String>,
}

#[derive(Deserialize)]
struct Window {
    start: String,
    end: String,
}

impl RenewalInfo {
    /// An instant in the window. The same seed gives the same one, and many seeds are spread evenly: a host that asks
    /// each day must not draw anew each day.
    pub fn renew_at(&self, seed: &str) -> Timestamp {
        spread(self.start, self.end, seed)
    }

    /// Whether the server need not be asked yet.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        now.0 < self.ask_again
    }
}

impl Server {
    /// Asks when a certificate should be renewed. Needs no account.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the server has no such information; [`Error::BadAnswer`] for a window that is none.
    pub fn renewal_info(&self, certificate: &Certificate) -> Result<RenewalInfo> {
        let base = self.directory().renewal_info.as_deref();
        let base = base.ok_or_else(|| self.lacks("renewal information (ARI)"))?;
        let id = certificate_id(certificate)?;
        let url = format!("{}/{id}", base.trim_end_matches('/'));
        let answer = self.get(&url)?;
        let wire: Wire = answer.json()?;
        let instant = |text: &str| {
            let read = text.parse::<Timestamp>();
            read.map_err(|_| Error::bad_answer(&url, "its window is no pair of instants"))
        };
        let window = &wire.suggested_window;
        let (start, end) = (instant(&window.start)?, instant(&window.end)?);
        if end <= start {
            return Err(Error::bad_answer(&url, "its window ends before it begins"));
        }
        let now = self.clock().now();
        let named = answer.retry_after(now.0).map(|span| span.as_secs());
        let hold = named.map_or(USUAL_HOLD, |span| i64::try_from(span).unwrap_or(i64::MAX));
        Ok(RenewalInfo {
            start: start.0,
            end: end.0,
            explanation: wire
                .explanation
                .filter(|url| web::origin(url).is_some())
                .map(|url| web::shown(&url)),
            ask_again: now.0 + hold.clamp(SHORTEST_HOLD, LONGEST_HOLD),
        })
    }
}

/// What RFC 9773 §4.1 calls a certificate, in requests for its information and in `replaces`.
///
/// # Errors
/// [`Error::Unsupported`] for a certificate that does not name its issuer's key.
pub fn certificate_id(certificate: &Certificate) -> Result<String> {
    let facts = certificate.facts();
    let issuer = facts.authority_key_identifier.as_ref();
    let issuer = issuer.ok_or_else(|| Error::Unsupported {
        server: facts.issuer.to_string(),
        what: "certificates with an authority key identifier",
    })?;
    Ok(format!(
        "{}.{}",
        base64url(issuer),
        base64url(facts.serial.der_content())
    ))
}

/// When to renew without the server's word: when a third of the lifetime is left, or half of a short one, spread over
/// an eighth of what is left by then so that many hosts do not come at once.
pub fn renew_at_by_lifetime(not_before: Timestamp, not_after: Timestamp, seed: &str) -> Timestamp {
    let lifetime = not_after.0.saturating_sub(not_before.0).max(0);
    let left = match lifetime <= SHORT_LIFETIME {
        true => lifetime / 2,
        false => lifetime / 3,
    };
    let latest = not_after.0 - left;
    spread(latest - left / 8, latest, seed)
}

/// However late the server wishes it, a tenth of the lifetime is left: a window that lies behind the end of a certificate is
/// a fault of the server, and must not become an outage here.
pub fn latest_renewal(not_before: Timestamp, not_after: Timestamp) -> Timestamp {
    let lifetime = not_after.0.saturating_sub(not_before.0).max(0);
    Timestamp(not_after.0.saturating_sub(lifetime / 10))
}

/// An instant from `start` on and before `end`.
fn spread(start: i64, end: i64, seed: &str) -> Timestamp {
    // A digest that no release of a library changes, so that the next run on this host finds the same instant.
    let [a, b, c, d, e, f, g, h, ..] = sha256(seed.as_bytes());
    let drawn = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let width = u128::from(end.saturating_sub(start).unsigned_abs());
    let offset = (u128::from(drawn) * width) >> 64;
    Timestamp(start.saturating_add(i64::try_from(offset).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_in_the_window_spread_and_constant() {
        let info = RenewalInfo {
            start: 1_000,
            end: 2_000,
            explanation: None,
            ask_again: 500,
        };
        let mut halves = [0; 2];
        for n in 0..1_000 {
            let at = info.renew_at(&format!("host{n}")).0;
            assert!((1_000..2_000).contains(&at));
            assert_eq!(at, info.renew_at(&format!("host{n}")).0);
            halves[usize::from(at >= 1_500)] += 1;
        }
        assert!(halves.iter().all(|count| *count > 400), "{halves:?}");
        assert!(info.holds_at(Timestamp(499)) && !info.holds_at(Timestamp(500)));
    }

    #[test]
    fn without_a_word_a_third_is_left_and_half_of_a_short_lifetime() {
        const DAY: i64 = 86_400;
        for (days, left) in [(90, 30), (45, 15), (6, 3), (10, 5)] {
            let end = Timestamp(days * DAY);
            for seed in ["a", "b", "c"] {
                let at = renew_at_by_lifetime(Timestamp(0), end, seed).0;
                let latest = (days - left) * DAY;
                assert!(
                    at <= latest && at > latest - left * DAY / 8 - 1,
                    "{days} {at}"
                );
            }
        }
        let none = renew_at_by_lifetime(Timestamp(5), Timestamp(5), "a");
        assert_eq!(none, Timestamp(5));
    }
}
