// SPDX-License-Identifier: Apache-2.0
//! The name that a client asks for.

use std::fmt;
use std::net::IpAddr;

use crate::{Error, Result};

/// What takes the place of a wildcard's star: any name that it covers will do.
const BELOW_A_WILDCARD: &str = "tls-everywhere-probe";

/// A DNS name as it goes into SNI (RFC 6066 §3), without a final dot. Letters, digits, `-`, `_` and `.` only, so it
/// can stand in XMPP and SMTP as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerName(String);

impl ServerName {
    /// Takes a DNS name, also one from a certificate: in `*.example.org` the star is replaced by a label.
    ///
    /// # Errors
    /// [`Error::Name`], also for an IP address: SNI has none, connect without a name.
    pub fn parse(value: &str) -> Result<Self> {
        let refuse = |reason| Error::Name {
            value: value.escape_default().to_string(),
            reason,
        };
        let name = match value.strip_prefix("*.") {
            Some(rest) => format!("{BELOW_A_WILDCARD}.{rest}"),
            None => value.to_owned(),
        };
        let name = name.strip_suffix('.').unwrap_or(&name);
        if name.is_empty() || name.len() > 253 {
            return Err(refuse("it must have 1 to 253 characters"));
        }
        if name.parse::<IpAddr>().is_ok() {
            return Err(refuse("an IP address is not sent as server name"));
        }
        if !name.split('.').all(is_label) {
            return Err(refuse(
                "labels must have 1 to 63 letters, digits, '-' or '_'; write other letters as punycode",
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(allowed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_as_it_is() {
        for name in [
            "internal.example.com",
            "node-1",
            "_x.a_b.test",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(ServerName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(
            ServerName::parse("a.example.").unwrap().as_str(),
            "a.example"
        );
    }

    #[test]
    fn a_wildcard_becomes_a_name_that_it_covers() {
        assert_eq!(
            ServerName::parse("*.apps.example.org").unwrap().as_str(),
            "tls-everywhere-probe.apps.example.org"
        );
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        let long = "a".repeat(64);
        let very_long = "abcdefgh.".repeat(29);
        for value in [
            "",
            ".",
            "*",
            "a..b",
            "10.0.0.1",
            "::1",
            "a b",
            "a\r\nRCPT",
            "a'><x",
            "ü.example",
            "a.*.b",
            &long,
            &very_long,
        ] {
            assert!(ServerName::parse(value).is_err(), "{value:?}");
        }
    }
}
