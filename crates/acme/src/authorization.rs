// SPDX-License-Identifier: Apache-2.0
//! Authorizations and their challenges (RFC 8555 §7.1.4, §8).

use pki::Timestamp;
use serde::{Deserialize, Serialize};

use crate::challenge::ChallengeKind;
use crate::{Identifier, Problem};

/// How far an authorization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorizationStatus {
    /// The client gave it up.
    Deactivated,
    /// Its time is over.
    Expired,
    /// A challenge was not met.
    Invalid,
    /// A challenge is to be met.
    Pending,
    /// The server took it back.
    Revoked,
    /// The name is proved.
    Valid,
}

impl AuthorizationStatus {
    /// As the server writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Expired => "expired",
            Self::Invalid => "invalid",
            Self::Pending => "pending",
            Self::Revoked => "revoked",
            Self::Valid => "valid",
        }
    }
}

/// Whether the account may have certificates for a name, as the server shows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Authorization {
    /// Where it is; not part of what the server shows.
    #[serde(skip)]
    pub url: String,
    /// The name, without `*.`.
    pub identifier: Identifier,
    /// How far it is.
    pub status: AuthorizationStatus,
    /// When the server forgets it.
    #[serde(default, deserialize_with = "crate::wire::instant")]
    pub expires: Option<Timestamp>,
    /// The ways to prove it.
    #[serde(default)]
    pub challenges: Vec<Challenge>,
    /// Whether it is for all names one below.
    #[serde(default)]
    pub wildcard: bool,
}

impl Authorization {
    /// The challenge of a kind, if the server offers it.
    pub fn challenge(&self, kind: &ChallengeKind) -> Option<&Challenge> {
        self.challenges.iter().find(|known| known.kind == *kind)
    }

    /// The name as it was ordered.
    pub fn ordered(&self) -> Identifier {
        match &self.identifier {
            Identifier::Dns(name) if self.wildcard => Identifier::Dns(format!("*.{name}")),
            other => other.clone(),
        }
    }

    /// Whether it is for one of these names. Some servers forget to say that it is for a wildcard; what is shown is the
    /// same.
    pub fn is_one_of(&self, names: &[Identifier]) -> bool {
        let wildcard = Identifier::Dns(format!("*.{}", self.identifier));
        names.contains(&self.ordered()) || names.contains(&wildcard)
    }

    /// Why it failed: the problem of the challenge that was not met.
    pub fn problem(&self) -> Option<&Problem> {
        self.challenges
            .iter()
            .find_map(|challenge| challenge.error.as_ref())
    }
}

/// One way to prove a name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Challenge {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ChallengeKind,
    /// Where it is answered.
    pub url: String,
    /// `pending`, `processing`, `valid` or `invalid`.
    #[serde(default)]
    pub status: String,
    /// What is to be shown, for the kinds that have one.
    pub token: Option<String>,
    /// Why it was not met.
    pub error: Option<Problem>,
    /// The names by which dns-persist-01 may call the server.
    #[serde(rename = "issuer-domain-names", default)]
    pub issuer_domain_names: Vec<String>,
}
