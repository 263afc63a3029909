// SPDX-License-Identifier: Apache-2.0
//! Orders (RFC 8555 §7.1.3, §7.4).

use std::time::Duration;

use pki::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Identifier, Problem};

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// It failed, was given up, or expired. Pebble 2.4 has words of authorizations for that.
    #[serde(alias = "deactivated", alias = "expired", alias = "revoked")]
    Invalid,
    /// Names are to be proved.
    Pending,
    /// The certificate is being made.
    Processing,
    /// All names are proved.
    Ready,
    /// The certificate is there.
    Valid,
}

impl OrderStatus {
    /// As the server writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Valid => "valid",
        }
    }
}

/// An order as the server shows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Where it is; not part of what the server shows.
    #[serde(skip)]
    pub url: String,
    /// How far it is.
    pub status: OrderStatus,
    /// When the server forgets it.
    #[serde(default, deserialize_with = "crate::wire::instant")]
    pub expires: Option<Timestamp>,
    /// What it is for.
    pub identifiers: Vec<Identifier>,
    /// The begin that was asked for.
    #[serde(default, deserialize_with = "crate::wire::instant")]
    pub not_before: Option<Timestamp>,
    /// The end that was asked for.
    #[serde(default, deserialize_with = "crate::wire::instant")]
    pub not_after: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Problem>,
    /// Where its names are proved.
    pub authorizations: Vec<String>,
    /// Where the request for the certificate goes.
    pub finalize: String,
    /// Where the certificate is.
    pub certificate: Option<String>,
    /// The profile that it is issued by.
    pub profile: Option<String>,
    /// The certificate that it replaces.
    pub replaces: Option<String>,
    /// How long the server wants not to be asked about it.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// What is ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderRequest {
    /// What it is for.
    pub identifiers: Vec<Identifier>,
    /// The profile; it must come back.
    pub profile: Option<String>,
    /// The certificate that it replaces, as RFC 9773 names it.
    pub replaces: Option<String>,
    /// When the certificate shall begin.
    pub not_before: Option<Timestamp>,
    /// When the certificate shall end.
    pub not_after: Option<Timestamp>,
}

impl OrderRequest {
    /// For these names, nothing else asked.
    pub fn of(identifiers: Vec<Identifier>) -> Self {
        Self {
            identifiers,
            ..Self::default()
        }
    }

    pub(crate) fn payload(&self) -> Value {
        let mut payload = json!({ "identifiers": self.identifiers });
        let texts = [
            ("profile", self.profile.clone()),
            ("replaces", self.replaces.clone()),
            ("notBefore", self.not_before.map(|at| at.to_string())),
            ("notAfter", self.not_after.map(|at| at.to_string())),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                payload[name] = value.into();
            }
        }
        payload
    }
}
