// SPDX-License-Identifier: Apache-2.0
//! Name constraints of an authority (RFC 5280 §4.2.1.10).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::der::{self, Element};
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
        self.address.is_ipv4() == address.is_ipv4()
            && (bits(self.address) ^ bits(address)) & mask(address, self.prefix) == 0
    }

    /// Address and mask, as the extension holds them.
    fn octets(&self) -> Vec<u8> {
        let mask = mask(self.address, self.prefix).to_be_bytes();
        match self.address {
            IpAddr::V4(v4) => [&v4.octets(), &mask[..4]].concat(),
            IpAddr::V6(v6) => [&v6.octets()[..], &mask].concat(),
        }
    }

    /// `None` if the length is wrong or the mask has holes.
    fn from_octets(octets: &[u8]) -> Option<Self> {
        let (address, mask) = octets.split_at(octets.len() / 2);
        let address = match octets.len() {
            8 => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
            32 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
            _ => return None,
        };
        let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
        let subnet = Self {
            address,
            prefix: u8::try_from(ones).ok()?,
        };
        (subnet.octets().split_at(octets.len() / 2).1 == mask).then_some(subnet)
    }
}

/// The address at the top of 128 bits.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn mask(address: IpAddr, prefix: u8) -> u128 {
    let prefix = u32::from(prefix.min(width(address)));
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl FromStr for IpSubnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("IP subnet", text, reason);
        let rule = "write it as address/length, such as 10.0.0.0/8 or fd00::/8";
        let (address, prefix) = text.split_once('/').ok_or_else(|| wrong(rule))?;
        let address: IpAddr = address.parse().map_err(|_| wrong(rule))?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong(rule))?;
        if prefix > width(address) {
            return Err(wrong("its length is more than the address has bits"));
        }
        if bits(address) & !mask(address, prefix) != 0 {
            return Err(wrong(
                "the address has bits beyond the length; write the first address of the block",
            ));
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for IpSubnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Subtrees in which the names below an authority must lie (permitted), or must not (excluded).
///
/// Texts are as in the extension: DNS `example.org` (it and all below it); email `example.org` (a host),
/// `.example.org` (all hosts below) or one mailbox; URI a host or `.example.org`. An empty text is everything.
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
    /// Subtrees that were read but that this crate cannot check, such as `directoryName`; a template must have none.
    pub unsupported: Vec<String>,
}

impl NameConstraints {
    /// Whether nothing is constrained.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The value of the extension.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no subtree, one that cannot be written, or a text outside ASCII.
    pub(crate) fn to_der(&self) -> Result<Vec<u8>> {
        let wrong =
            |value: &str, reason: &str| Err(Error::invalid("name constraint", value, reason));
        if let Some(kind) = self.unsupported.first() {
            return wrong(
                kind,
                "only DNS names, addresses, mail addresses and URIs can be constrained",
            );
        }
        let texts = [
            &self.permitted_dns,
            &self.permitted_email,
            &self.permitted_uri,
        ];
        let more = [&self.excluded_dns, &self.excluded_email, &self.excluded_uri];
        for text in texts.into_iter().chain(more).flatten() {
            if !text.chars().all(|c| c.is_ascii_graphic() && c != '*') {
                return wrong(
                    text,
                    "write it in ASCII without spaces and wildcards; a domain includes all names below it",
                );
            }
        }
        let permitted = subtrees(
            0,
            &self.permitted_dns,
            &self.permitted_ip,
            &self.permitted_email,
            &self.permitted_uri,
        );
        let excluded = subtrees(
            1,
            &self.excluded_dns,
            &self.excluded_ip,
            &self.excluded_email,
            &self.excluded_uri,
        );
        if permitted.is_empty() && excluded.is_empty() {
            return wrong("", "there is none; leave the extension out");
        }
        Ok(der::sequence(&[permitted, excluded]))
    }

    /// Reads the value of the extension, strictly: what is skipped here would be allowed.
    pub(crate) fn from_der(value: &[u8]) -> Result<Self> {
        let broken = || Error::malformed("certificate", "its name constraints are damaged");
        let mut constraints = Self::default();
        for list in der::read_sequence(value).ok_or_else(broken)? {
            let excluded = match list.tag {
                0xa0 => false,
                0xa1 => true,
                _ => return Err(broken()),
            };
            for subtree in der::read_elements(list.content).ok_or_else(broken)? {
                constraints.add(excluded, &subtree).ok_or_else(broken)?;
            }
        }
        Ok(constraints)
    }

    /// `None` if the subtree is no GeneralSubtree.
    fn add(&mut self, excluded: bool, subtree: &Element<'_>) -> Option<()> {
        let parts = der::read_elements(subtree.content)?;
        let (base, rest) = parts.split_first().filter(|_| subtree.tag == 0x30)?;
        let (_, name) = GeneralName::from_der(base.encoded).ok()?;
        // minimum must be 0, its default, and maximum absent; DER then writes neither.
        if !rest.is_empty() {
            self.unsupported
                .push(format!("{name} with minimum or maximum"));
            return Some(());
        }
        let (dns, ip, email, uri) = if excluded {
            (
                &mut self.excluded_dns,
                &mut self.excluded_ip,
                &mut self.excluded_email,
                &mut self.excluded_uri,
            )
        } else {
            (
                &mut self.permitted_dns,
                &mut self.permitted_ip,
                &mut self.permitted_email,
                &mut self.permitted_uri,
            )
        };
        match name {
            GeneralName::DNSName(text) => dns.push(text.to_ascii_lowercase()),
            GeneralName::RFC822Name(text) => email.push(text.to_owned()),
            GeneralName::URI(text) => uri.push(text.to_ascii_lowercase()),
            GeneralName::IPAddress(octets) if IpSubnet::from_octets(octets).is_some() => {
                ip.extend(IpSubnet::from_octets(octets));
            }
            other => self.unsupported.push(other.to_string()),
        }
        Some(())
    }
}

/// `[number] GeneralSubtrees`, or nothing if there is none.
fn subtrees(
    number: u8,
    dns: &[String],
    ip: &[IpSubnet],
    email: &[String],
    uri: &[String],
) -> Vec<u8> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    names.extend(
        dns.iter()
            .map(|text| der::context_primitive(2, text.as_bytes())),
    );
    names.extend(
        ip.iter()
            .map(|subnet| der::context_primitive(7, &subnet.octets())),
    );
    names.extend(
        email
            .iter()
            .map(|text| der::context_primitive(1, text.as_bytes())),
    );
    names.extend(
        uri.iter()
            .map(|text| der::context_primitive(6, text.as_bytes())),
    );
    if names.is_empty() {
        return Vec::new();
    }
    let content: Vec<u8> = names
        .into_iter()
        .flat_map(|name| der::sequence(&[name]))
        .collect();
    der::context_constructed(number, &content)
}

#[cfg(test)]
mod tests;
