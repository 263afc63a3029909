// SPDX-License-Identifier: Apache-2.0
//! The names that a certificate is for: subjectAltName (RFC 5280 §4.2.1.6).

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{Error, Oid, Result, punycode};

/// A host name in lower case and A-labels, perhaps with `*` as its whole leftmost label.
///
/// Labels outside ASCII are lower-cased and written in Punycode (RFC 3492). They are not normalised: combining
/// accents, full-width forms and invisible characters are refused. An underscore is accepted, as resolvers and
/// TLS libraries do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its leftmost label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

impl FromStr for DnsName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::invalid("DNS name", text, reason);
        if text.is_empty() {
            return Err(wrong("it is empty".into()));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(wrong("it is an IP address; put it under ip".into()));
        }
        let (wildcard, host) = match text.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", text),
        };
        let labels: Vec<String> = host
            .split('.')
            .map(a_label)
            .collect::<Result<_, _>>()
            .map_err(wrong)?;
        let last_is_number = labels
            .last()
            .is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
        if last_is_number && labels.len() > 1 {
            return Err(wrong(
                "its last label is a number, as in an IP address".into(),
            ));
        }
        let name = format!("{wildcard}{}", labels.join("."));
        if name.len() > 253 {
            return Err(wrong(format!(
                "it has {} characters; at most 253 are allowed",
                name.len()
            )));
        }
        Ok(Self(name))
    }
}

/// One label in the form of the domain name system, or the rule that it breaks.
fn a_label(label: &str) -> Result<String, String> {
    let lower = label.to_lowercase();
    if let Some(bad) = lower.chars().find(|c| !allowed_in_label(*c)) {
        return Err(match bad {
            '*' => "'*' must be the whole leftmost label, as in *.example.org".into(),
            c if c.is_whitespace() => "it contains a space; give one name an entry".into(),
            c if c.is_ascii() && !c.is_ascii_control() => {
                format!("the character '{c}' is not allowed")
            }
            c => format!(
                "the character U+{:04X} is not allowed; write the name in NFC or as xn-- labels",
                u32::from(c)
            ),
        });
    }
    let ascii = match lower.is_ascii() {
        true => lower,
        false => format!(
            "xn--{}",
            punycode::encode(&lower).ok_or("a label is too long")?
        ),
    };
    match ascii.len() {
        0 => Err("a label is empty; remove the dot at its end or the double dot".into()),
        1..=63 if ascii.starts_with('-') || ascii.ends_with('-') => {
            Err(format!("the label '{label}' begins or ends with a hyphen"))
        }
        1..=63 => Ok(ascii),
        length => Err(format!(
            "the label '{label}' has {length} characters; at most 63 are allowed"
        )),
    }
}

fn allowed_in_label(c: char) -> bool {
    match c {
        'a'..='z' | '0'..='9' | '-' | '_' => true,
        c if c.is_ascii() || c.is_control() || c.is_whitespace() => false,
        // Combining accents: the input is not in NFC, and its encoding would be another name.
        '\u{300}'..='\u{36f}' => false,
        // Invisible and directional characters, other full stops, full-width forms, byte order mark, replacement.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
        '\u{3002}' | '\u{ff00}'..='\u{ffef}' | '\u{feff}' | '\u{fffd}' => false,
        _ => true,
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mailbox in ASCII, its domain in lower case and A-labels (rfc822Name).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::invalid("email address", text, reason);
        let Some((mailbox, host)) = text.rsplit_once('@') else {
            return Err(wrong("write it as mailbox@example.org".into()));
        };
        let plain = |c: char| c.is_ascii_graphic() && !"()<>[]:;@\\,\"".contains(c);
        if mailbox.is_empty() || mailbox.len() > 64 || !mailbox.chars().all(plain) {
            return Err(wrong(
                "the part before '@' must be 1 to 64 ASCII characters without spaces or brackets"
                    .into(),
            ));
        }
        let domain: DnsName = host
            .parse()
            .map_err(|error: Error| wrong(error.to_string()))?;
        if domain.is_wildcard() {
            return Err(wrong("a mailbox has no wildcard".into()));
        }
        Ok(Self(format!("{mailbox}@{domain}")))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An absolute URI (RFC 3986 §3), kept as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniformResourceIdentifier(String);

impl UniformResourceIdentifier {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UniformResourceIdentifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::invalid("URI", text, reason);
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(wrong(
                "it has no scheme; write it as scheme:rest, such as https://example.org/",
            ));
        };
        let scheme_char = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            || !scheme.chars().all(scheme_char)
        {
            return Err(wrong("its scheme must be letters and digits"));
        }
        if rest.is_empty() || rest == "//" {
            return Err(wrong("nothing follows its scheme"));
        }
        if !rest
            .chars()
            .all(|c| c.is_ascii_graphic() && !"<>\"{}|\\^`".contains(c))
        {
            return Err(wrong(
                "write spaces and characters outside ASCII as percent escapes",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UniformResourceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// otherName whose value is a UTF8String, such as a Microsoft principal name (1.3.6.1.4.1.311.20.2.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherName {
    /// What kind of name it is.
    pub type_id: Oid,
    /// The name.
    pub value_utf8: String,
}

impl fmt::Display for OtherName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};UTF8:{}", self.type_id, self.value_utf8)
    }
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
    /// otherName with a string.
    pub other: Vec<OtherName>,
}

impl SubjectAltNames {
    /// Whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many names there are, repeats included.
    pub fn len(&self) -> usize {
        self.dns.len() + self.ip.len() + self.email.len() + self.uri.len() + self.other.len()
    }

    /// Whether both hold the same names; order and repeats do not matter.
    pub fn same_set(&self, other: &Self) -> bool {
        self.missing_from(other).is_empty() && other.missing_from(self).is_empty()
    }

    /// The names of ours that `other` does not hold, literally: a wildcard does not stand for others.
    pub fn missing_from(&self, other: &Self) -> Self {
        Self {
            dns: difference(&self.dns, &other.dns),
            ip: difference(&self.ip, &other.ip),
            email: difference(&self.email, &other.email),
            uri: difference(&self.uri, &other.uri),
            other: difference(&self.other, &other.other),
        }
    }
}

fn difference<T: Clone + Ord>(ours: &[T], theirs: &[T]) -> Vec<T> {
    let theirs: BTreeSet<&T> = theirs.iter().collect();
    ours.iter()
        .filter(|name| !theirs.contains(name))
        .cloned()
        .collect()
}

/// `DNS:a, IP:192.0.2.1, email:a@b, URI:c, otherName:1.2.3;UTF8:d`.
impl fmt::Display for SubjectAltNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dns,
            ip,
            email,
            uri,
            other,
        } = self;
        let mut parts: Vec<String> = dns.iter().map(|name| format!("DNS:{name}")).collect();
        parts.extend(ip.iter().map(|name| format!("IP:{name}")));
        parts.extend(email.iter().map(|name| format!("email:{name}")));
        parts.extend(uri.iter().map(|name| format!("URI:{name}")));
        parts.extend(other.iter().map(|name| format!("otherName:{name}")));
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests;
