// SPDX-License-Identifier: Apache-2.0
//! Why a pool of certificates could not be turned into a [`Verified`](super::Verified) chain.

use std::fmt;

use crate::{Certificate, Timestamp};

/// A certificate in a message: its subject and its serial number, enough to find it in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Distinguished name, `CN=a, O=b`.
    pub subject: String,
    /// Serial number in upper-case hexadecimal.
    pub serial: String,
}

impl Named {
    /// The name under which messages speak of `certificate`.
    pub fn of(certificate: &Certificate) -> Self {
        let facts = certificate.facts();
        Self {
            subject: facts.subject.to_string(),
            serial: facts.serial.to_string(),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' (serial {})", self.subject, self.serial)
    }
}

/// What is wrong with a bundle or a chain. Every variant that concerns one certificate names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A pool was expected to hold one certificate with our public key; the operator should check
    /// which request was signed.
    #[error(
        "no certificate in the pool has our public key; the pool holds {}",
        list(found)
    )]
    NoMatchingKey {
        /// The certificates that are there (at most eight are named).
        found: Vec<Named>,
    },

    /// A block of a PEM bundle is no certificate; the operator should look at how it was made.
    #[error("certificate {ordinal} of the bundle is unusable: {fault}")]
    Block {
        /// Which certificate of the bundle, from one.
        ordinal: usize,
        /// What is wrong with it.
        fault: String,
    },

    /// The text of a bundle breaks off or is damaged; the operator should copy the file again.
    #[error("{fault}; copy the file again")]
    Damaged {
        /// What is wrong, with the line.
        fault: String,
    },

    /// The bundle holds no certificate; the operator should look at what else it holds.
    #[error("the bundle holds no certificate: {found}")]
    NoCertificates {
        /// What it holds instead.
        found: String,
    },

    /// More certificates than any real bundle has.
    #[error("the pool holds {count} certificates; at most {limit} are examined")]
    TooManyCertificates {
        /// How many there are.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },

    /// Trust was to be taken from given roots, but none of them is a self-signed certificate.
    #[error(
        "none of the {given} certificates given as roots is self-signed; give the root certificate itself"
    )]
    NoRoots {
        /// How many certificates were given as roots.
        given: usize,
    },

    /// The leaf lacks names that were asked for; the issuer's policy has removed them.
    #[error(
        "certificate {certificate} lacks the names {} which were asked for",
        quoted(missing)
    )]
    MissingNames {
        /// The leaf.
        certificate: Named,
        /// The names that it lacks.
        missing: Vec<String>,
    },

    /// The certificate's time has not come; either it was dated ahead or our clock is behind.
    #[error(
        "certificate {certificate} is not valid before {not_before}, {} from now ({now}); check the clock",
        distance(*now, *not_before)
    )]
    NotYetValid {
        /// The certificate.
        certificate: Named,
        /// Start of its validity.
        not_before: Timestamp,
        /// The instant of the check.
        now: Timestamp,
    },

    /// The certificate's time is over.
    #[error(
        "certificate {certificate} expired at {not_after}, {} ago (now is {now})",
        distance(*not_after, *now)
    )]
    Expired {
        /// The certificate.
        certificate: Named,
        /// End of its validity.
        not_after: Timestamp,
        /// The instant of the check.
        now: Timestamp,
    },

    /// A chain stops before it reaches a root, because the issuer is not in the pool.
    #[error(
        "the issuer '{issuer}' of certificate {certificate} is not in the pool; add its certificate to the chain"
    )]
    IssuerMissing {
        /// The certificate at which the chain stops.
        certificate: Named,
        /// The name of the issuer that is wanted.
        issuer: String,
    },

    /// A certificate of the issuer's name is there but has another key.
    #[error(
        "the signature of certificate {certificate} was not made by the key of {issuer}; the pool holds another key of the same name"
    )]
    Signature {
        /// The signed certificate.
        certificate: Named,
        /// The certificate with the issuer's name.
        issuer: Named,
    },

    /// The chain ends in a self-signed certificate that is not among the trusted roots.
    #[error("the chain ends in {root}, which is not one of the trusted roots")]
    UntrustedRoot {
        /// The self-signed certificate.
        root: Named,
    },

    /// A certificate has signed another without being a CA certificate (RFC 5280 §4.2.1.9).
    #[error("certificate {certificate} is not a CA certificate (basic constraints lack CA:TRUE)")]
    NotAuthority {
        /// The certificate that lacks CA:TRUE.
        certificate: Named,
    },

    /// A CA certificate's key usage does not allow it to sign certificates (RFC 5280 §4.2.1.3).
    #[error("CA certificate {certificate} may not sign certificates (key usage lacks keyCertSign)")]
    MissingKeyCertSign {
        /// The CA certificate.
        certificate: Named,
    },

    /// More CA certificates follow than a path length allows (RFC 5280 §4.2.1.9).
    #[error(
        "CA certificate {certificate} allows {allowed} intermediate CAs below it (path length), but there are {found}"
    )]
    PathLength {
        /// The CA certificate with the path length.
        certificate: Named,
        /// The path length.
        allowed: u32,
        /// Intermediates below it that are not self-issued.
        found: u32,
    },

    /// A name lies outside the names for which a CA may issue (RFC 5280 §4.2.1.10).
    #[error("certificate {certificate}: {violation} by CA {authority}")]
    NameConstraint {
        /// The certificate with the name.
        certificate: Named,
        /// The CA certificate with the constraint.
        authority: Named,
        /// The name and the rule that it breaks.
        violation: String,
    },

    /// A CA's permitted names share nothing with those of a CA above it: it could never issue.
    #[error(
        "CA certificate {certificate} permits only {form} names outside those that CA {authority} permits; nothing could be issued"
    )]
    DisjointConstraints {
        /// The CA certificate below.
        certificate: Named,
        /// The CA certificate above.
        authority: Named,
        /// The form of name: `DNS`, `IP` or `email`.
        form: &'static str,
    },

    /// An extension that we cannot process is marked critical (RFC 5280 §4.2).
    #[error("certificate {certificate} has the unknown critical extension {}", .oids.join(", "))]
    UnknownCritical {
        /// The certificate.
        certificate: Named,
        /// Dotted object identifiers.
        oids: Vec<String>,
    },

    /// A part of the certificate on which a decision depends cannot be decoded.
    #[error("certificate {certificate} is malformed: {fault}; replace it")]
    Malformed {
        /// The certificate.
        certificate: Named,
        /// What is wrong.
        fault: String,
    },

    /// A CA certificate points to another issuer key than the one that signed it.
    #[error(
        "the authority key identifier of CA certificate {certificate} is not the subject key identifier of its issuer {issuer}"
    )]
    KeyIdentifier {
        /// The CA certificate.
        certificate: Named,
        /// Its issuer.
        issuer: Named,
    },

    /// The pool was built so that examining it would take too long.
    #[error("the pool is too entangled: {what} exceeded; give only the chain's own certificates")]
    WorkExceeded {
        /// Which limit, with its value.
        what: String,
    },

    /// OpenSSL's own verification of the path that we built disagrees.
    #[error("OpenSSL refuses the chain at certificate {certificate}: {reason}")]
    SecondOpinion {
        /// The certificate at which OpenSSL stopped.
        certificate: Named,
        /// OpenSSL's reason.
        reason: String,
    },

    /// OpenSSL could not do its work.
    #[error("OpenSSL failed while it verified a chain: {0}")]
    OpenSsl(String),
}

impl From<openssl::error::ErrorStack> for Error {
    fn from(stack: openssl::error::ErrorStack) -> Self {
        Self::OpenSsl(stack.to_string())
    }
}

fn list(found: &[Named]) -> String {
    if found.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<String> = found.iter().map(Named::to_string).collect();
    shown.join(", ")
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(", ")
}

/// The time between two instants in its two largest units: `3 d 4 h`, `12 min 5 s`.
fn distance(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.0.saturating_sub(from.0).unsigned_abs();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    let parts: Vec<String> = units[first..]
        .iter()
        .take(2)
        .filter(|(n, _)| *n > 0 || seconds == 0)
        .map(|(n, unit)| format!("{n} {unit}"))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_shown_in_its_two_largest_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (3_600, "1 h"),
            (90_061, "1 d 1 h"),
            (725, "12 min 5 s"),
        ];
        for (seconds, shown) in cases {
            assert_eq!(distance(Timestamp(10), Timestamp(10 + seconds)), shown);
        }
    }
}
