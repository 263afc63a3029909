// SPDX-License-Identifier: Apache-2.0
//! What a certificate is for (RFC 8555 §9.7.7, RFC 8738).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use pki::{DnsName, SubjectAltNames};
use serde::{Deserialize, Serialize};

use crate::problem::clean;

/// A name that a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(from = "Wire", into = "Wire")]
pub enum Identifier {
    /// A DNS name in lower case; with `*.` at its beginning in orders only.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// What only the server knows.
    Other {
        /// Its kind.
        kind: String,
        /// Its value.
        value: String,
    },
}

#[derive(Deserialize, Serialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// What a server names is shown in messages, so it is cleaned as its other words are.
impl From<Wire> for Identifier {
    fn from(wire: Wire) -> Self {
        let (kind, value) = (clean(&wire.kind), clean(&wire.value));
        match (kind.as_str(), value.parse()) {
            ("dns", _) => Self::Dns(value.to_ascii_lowercase()),
            ("ip", Ok(address)) => Self::Ip(address),
            _ => Self::Other { kind, value },
        }
    }
}

impl From<Identifier> for Wire {
    fn from(identifier: Identifier) -> Self {
        let (kind, value) = match identifier {
            Identifier::Dns(name) => ("dns".to_owned(), name),
            Identifier::Ip(address) => ("ip".to_owned(), address.to_string()),
            Identifier::Other { kind, value } => (kind, value),
        };
        Self { kind, value }
    }
}

impl Identifier {
    /// All DNS names and addresses of a certificate or request, sorted, each once.
    ///
    /// # Errors
    /// The first name that is neither.
    pub fn all_of(names: &SubjectAltNames) -> Result<Vec<Self>, String> {
        if let Some(name) = names.email.first() {
            return Err(format!("'{}' is an e-mail address", name.as_str()));
        }
        if let Some(name) = names.uri.first() {
            return Err(format!("'{}' is a URI", name.as_str()));
        }
        let dns = names
            .dns
            .iter()
            .map(|name| Self::Dns(name.as_str().to_ascii_lowercase()));
        let mut all: Vec<_> = dns.chain(names.ip.iter().map(|ip| Self::Ip(*ip))).collect();
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// The value alone.
    pub fn value(&self) -> String {
        match self {
            Self::Dns(name) => name.clone(),
            Self::Ip(address) => address.to_string(),
            Self::Other { value, .. } => value.clone(),
        }
    }

    /// Whether it stands for all names one below.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Dns(name) if name.starts_with("*."))
    }
}

/// A wildcard, another DNS name, or an address.
impl FromStr for Identifier {
    type Err = pki::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(address) => Ok(Self::Ip(address)),
            Err(_) => {
                let name: DnsName = text.parse()?;
                Ok(Self::Dns(name.as_str().to_ascii_lowercase()))
            }
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_and_addresses_go_over_the_wire() {
        for (text, wire) in [
            (
                "WWW.Example.org",
                r#"{"type":"dns","value":"www.example.org"}"#,
            ),
            ("*.example.org", r#"{"type":"dns","value":"*.example.org"}"#),
            ("192.0.2.7", r#"{"type":"ip","value":"192.0.2.7"}"#),
            ("2001:DB8:0::1", r#"{"type":"ip","value":"2001:db8::1"}"#),
        ] {
            let identifier: Identifier = text.parse().unwrap();
            assert_eq!(serde_json::to_string(&identifier).unwrap(), wire);
            assert_eq!(
                serde_json::from_str::<Identifier>(wire).unwrap(),
                identifier
            );
        }
        assert!("foo bar".parse::<Identifier>().is_err());
    }

    #[test]
    fn a_hostile_name_is_cut_and_cleaned() {
        for kind in ["dns", "other"] {
            let value = format!("\u{1b}[2J{}", "a".repeat(9_999));
            let wire = serde_json::json!({"type": kind, "value": value});
            let read: Identifier = serde_json::from_value(wire).unwrap();
            let shown = read.to_string();
            assert!(!shown.contains('\u{1b}') && shown.len() < 3_000, "{kind}");
        }
    }

    #[test]
    fn an_unknown_kind_is_kept() {
        let wire = r#"{"type":"permanent-identifier","value":"X1"}"#;
        let read: Identifier = serde_json::from_str(wire).unwrap();
        assert_eq!(
            (read.to_string(), read.is_wildcard()),
            ("X1".to_owned(), false)
        );
        assert_eq!(serde_json::to_string(&read).unwrap(), wire);
    }
}
