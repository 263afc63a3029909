// SPDX-License-Identifier: Apache-2.0
//! Name constraints of an authority (RFC 5280 §4.2.1.10).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{Error, Result};

/// A block of addresses, written `10.0.0.0/8` or `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpSubnet {
    address: IpAddr,
    prefix: u8,
}
impl IpSubnet {
    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }
    /// How many leading bits count.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
    /// Whether the address is in the block; never across families.
    pub fn contains(&self, address: IpAddr) -> bool {
        let _ = address;
        false
    }
}
impl FromStr for IpSubnet {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Err(Error::invalid("IP subnet", text, "x"))
    }
}
impl fmt::Display for IpSubnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Subtrees in which the names below an authority must, or must not, lie.
/// Strings are as in the extension: DNS `example.org`; email `example.org`, `.example.org` or a mailbox; URI a host or `.domain`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// DNS names allowed.
    pub permitted_dns: Vec<String>,
    /// Addresses allowed.
    pub permitted_ip: Vec<IpSubnet>,
    /// Mail addresses allowed.
    pub permitted_email: Vec<String>,
    /// Hosts of URIs allowed.
    pub permitted_uri: Vec<String>,
    /// DNS names forbidden.
    pub excluded_dns: Vec<String>,
    /// Addresses forbidden.
    pub excluded_ip: Vec<IpSubnet>,
    /// Mail addresses forbidden.
    pub excluded_email: Vec<String>,
    /// Hosts of URIs forbidden.
    pub excluded_uri: Vec<String>,
    /// Kinds of subtrees that we read but cannot check ("directoryName"); a template must not have any.
    pub unsupported: Vec<String>,
}
impl NameConstraints {
    /// Whether nothing is constrained.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
