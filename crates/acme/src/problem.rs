// SPDX-License-Identifier: Apache-2.0
//! Problem documents (RFC 7807, RFC 8555 §6.7).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Identifier;

/// What begins the types of ACME.
const PREFIX: &str = "urn:ietf:params:acme:error:";
/// Longer texts of a server are cut: they go into messages.
const TEXT_LIMIT: usize = 2_000;
/// More subproblems are not kept.
const SUBPROBLEM_LIMIT: usize = 200;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The type of a problem (RFC 8555 §6.7, RFC 9773 §7.4, and profiles).
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemKind {
            $($(#[$doc])* $variant,)*
            /// Any other type, as the server writes it.
            Other(String),
        }

        impl ProblemKind {
            /// The word after the prefix of ACME, or the whole type of others.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(text) => text,
                }
            }

            fn read(text: &str) -> Self {
                match text.strip_prefix(PREFIX) {
                    $(Some($name) => Self::$variant,)*
                    _ => Self::Other(clean(text)),
                }
            }
        }
    };
}

kinds! {
    /// There is no account for this key.
    AccountDoesNotExist = "accountDoesNotExist",
    /// The certificate that is to be replaced has been.
    AlreadyReplaced = "alreadyReplaced",
    /// The certificate was revoked before.
    AlreadyRevoked = "alreadyRevoked",
    /// The request for a certificate is not acceptable.
    BadCsr = "badCSR",
    /// The nonce was used, or is none of the server's.
    BadNonce = "badNonce",
    /// The key is weak or known to others.
    BadPublicKey = "badPublicKey",
    /// The reason of a revocation is not one that the server takes.
    BadRevocationReason = "badRevocationReason",
    /// The server does not know the algorithm.
    BadSignatureAlgorithm = "badSignatureAlgorithm",
    /// CAA records forbid it.
    Caa = "caa",
    /// What failed is in the subproblems.
    Compound = "compound",
    /// The server could not connect to the host.
    Connection = "connection",
    /// The server could not look a name up.
    Dns = "dns",
    /// An account of this server needs external credentials.
    ExternalAccountRequired = "externalAccountRequired",
    /// The response of the host does not fit.
    IncorrectResponse = "incorrectResponse",
    /// A contact is not one.
    InvalidContact = "invalidContact",
    /// There is no such profile, or not for this.
    InvalidProfile = "invalidProfile",
    /// The request is not well formed.
    Malformed = "malformed",
    /// The order cannot be finalized yet.
    OrderNotReady = "orderNotReady",
    /// Too many requests.
    RateLimited = "rateLimited",
    /// The server does not issue for this name.
    RejectedIdentifier = "rejectedIdentifier",
    /// The server failed.
    ServerInternal = "serverInternal",
    /// The server could not make a TLS connection.
    Tls = "tls",
    /// Not allowed: a challenge that was not met, an account that is gone.
    Unauthorized = "unauthorized",
    /// The kind of contact is not one of the server's.
    UnsupportedContact = "unsupportedContact",
    /// The kind of name is not one of the server's.
    UnsupportedIdentifier = "unsupportedIdentifier",
    /// A person must visit a page.
    UserActionRequired = "userActionRequired",
}

/// What a server says went wrong. Displays as its words, with those of each name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(from = "Wire")]
pub struct Problem {
    /// Its type.
    pub kind: ProblemKind,
    /// The server's words, of bounded length and without control characters.
    pub detail: String,
    /// The status that it names.
    pub status: Option<u16>,
    /// A page for `userActionRequired`, or whatever else it names.
    pub instance: Option<String>,
    /// What is wrong with single names.
    pub subproblems: Vec<Subproblem>,
}

/// A problem of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subproblem {
    /// The name, if it names one.
    pub identifier: Option<Identifier>,
    /// Its type.
    pub kind: ProblemKind,
    /// The server's words.
    pub detail: String,
}

#[derive(Deserialize, Serialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    detail: String,
    status: Option<u16>,
    instance: Option<String>,
    identifier: Option<Identifier>,
    #[serde(default)]
    subproblems: Vec<Self>,
}

impl From<Wire> for Problem {
    fn from(wire: Wire) -> Self {
        let below = wire.subproblems.into_iter().take(SUBPROBLEM_LIMIT);
        Self {
            kind: ProblemKind::read(&wire.kind),
            detail: clean(&wire.detail),
            status: wire.status,
            instance: wire.instance.as_deref().map(clean),
            subproblems: below
                .map(|wire| Subproblem {
                    identifier: wire.identifier,
                    kind: ProblemKind::read(&wire.kind),
                    detail: clean(&wire.detail),
                })
                .collect(),
        }
    }
}

/// For the state file.
impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = |kind: &ProblemKind| match kind {
            ProblemKind::Other(text) => text.clone(),
            known => format!("{PREFIX}{}", known.as_str()),
        };
        let plain = |kind, detail: &String, identifier| Wire {
            kind,
            detail: detail.clone(),
            status: None,
            instance: None,
            identifier,
            subproblems: Vec::new(),
        };
        let below = self.subproblems.iter();
        Wire {
            status: self.status,
            instance: self.instance.clone(),
            subproblems: below
                .map(|sub| plain(kind(&sub.kind), &sub.detail, sub.identifier.clone()))
                .collect(),
            ..plain(kind(&self.kind), &self.detail, None)
        }
        .serialize(serializer)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.kind.as_str())?;
        if let Some(instance) = &self.instance {
            write!(f, ", see {instance}")?;
        }
        self.subproblems
            .iter()
            .try_for_each(|below| write!(f, "; {below}"))
    }
}

impl fmt::Display for Subproblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(identifier) = &self.identifier {
            write!(f, "{identifier}: ")?;
        }
        write!(f, "{} ({})", self.detail, self.kind.as_str())
    }
}

/// A server's words may go into a terminal and a log.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_LIMIT)
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// RFC 8555 §6.7.1.
    const COMPOUND: &str = r#"{
        "type": "urn:ietf:params:acme:error:malformed",
        "detail": "Some of the identifiers requested were rejected",
        "subproblems": [
            {"type": "urn:ietf:params:acme:error:malformed", "detail": "Invalid underscore in DNS name \"_example.org\"",
             "identifier": {"type": "dns", "value": "_example.org"}},
            {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "This CA will not issue for \"example.net\"",
             "identifier": {"type": "dns", "value": "example.net"}}
        ]}"#;

    #[test]
    fn each_name_is_told_with_its_reason() {
        let problem: Problem = serde_json::from_str(COMPOUND).unwrap();
        assert_eq!(problem.kind, ProblemKind::Malformed);
        assert_eq!(problem.subproblems[1].kind, ProblemKind::RejectedIdentifier);
        assert_eq!(
            problem.to_string(),
            "Some of the identifiers requested were rejected (malformed); _example.org: Invalid underscore in DNS name \
             \"_example.org\" (malformed); example.net: This CA will not issue for \"example.net\" (rejectedIdentifier)"
        );
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }

    #[test]
    fn a_type_of_somebody_else_and_an_empty_problem_are_kept() {
        let read = |text| serde_json::from_str::<Problem>(text).unwrap();
        let foreign = read(r#"{"type": "https://ca.example/errors/closed", "detail": "closed"}"#);
        assert_eq!(
            foreign.to_string(),
            "closed (https://ca.example/errors/closed)"
        );
        assert_eq!(read("{}").kind, ProblemKind::Other(String::new()));
    }

    #[test]
    fn a_hostile_text_is_cut_and_cleaned() {
        let text =
            serde_json::json!({"type": "x", "detail": format!("\u{1b}[31m{}", "a".repeat(9_999))});
        let problem: Problem = serde_json::from_value(text).unwrap();
        assert_eq!(problem.detail.chars().count(), TEXT_LIMIT);
        assert!(!problem.detail.contains('\u{1b}'));
    }
}
