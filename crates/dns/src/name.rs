// SPDX-License-Identifier: Apache-2.0
//! Domain names: text and wire form (RFC 1035 §3.1, §5.1).

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// RFC 1035 §2.3.4: all bytes of a name with its lengths.
const LONGEST: usize = 255;
const LONGEST_LABEL: usize = 63;

/// An absolute domain name in lower case, of any bytes.
///
/// The case is not kept: names that differ in nothing else are one name (RFC 4343), and TSIG wants the canonical
/// form. Names outside ASCII are taken and written as A-labels, by the same rules as the names of certificates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Length and bytes of each label, then the zero of the root.
    wire: Vec<u8>,
}

impl Name {
    /// The root.
    pub fn root() -> Self {
        Self { wire: vec![0] }
    }

    /// From labels, the leftmost first, or the rule that they break.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, String> {
        let mut wire = Vec::new();
        for label in labels {
            if label.is_empty() {
                return Err("a label is empty; remove the double dot".into());
            }
            if label.len() > LONGEST_LABEL {
                return Err(format!(
                    "a label has {} bytes; at most {LONGEST_LABEL} are allowed",
                    label.len()
                ));
            }
            // Never cut: a label has at most 63 bytes.
            wire.push(label.len() as u8);
            wire.extend(label.iter().map(u8::to_ascii_lowercase));
        }
        wire.push(0);
        match wire.len() {
            0..=LONGEST => Ok(Self { wire }),
            length => Err(format!(
                "it has {length} bytes; at most {LONGEST} are allowed"
            )),
        }
    }

    /// The wire form, never compressed.
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The labels, the leftmost first.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.wire.as_slice();
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            let (label, after) = tail.split_at_checked(usize::from(length))?;
            rest = after;
            (!label.is_empty()).then_some(label)
        })
    }

    /// How many labels it has; the root has none.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.wire == [0]
    }

    /// The name without its leftmost label; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let skip = 1 + usize::from(*self.wire.first().filter(|length| **length > 0)?);
        Some(Self {
            wire: self.wire.get(skip..)?.to_vec(),
        })
    }

    /// Whether it is `zone` or below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        let (ours, theirs) = (self.label_count(), zone.label_count());
        ours >= theirs && self.labels().skip(ours - theirs).eq(zone.labels())
    }

    /// This name below another label.
    ///
    /// # Errors
    /// [`Error::Name`] when it would be too long.
    pub fn child(&self, label: &str) -> Result<Self> {
        Self::from_labels(std::iter::once(label.as_bytes()).chain(self.labels())).map_err(|why| {
            Error::Name {
                name: format!("{label}.{self}"),
                why,
            }
        })
    }

    /// The name without a leftmost label `*`, which stands for itself in no record of a challenge.
    pub fn without_wildcard(&self) -> Self {
        match self.labels().next() {
            Some(b"*") => self.parent().unwrap_or_else(Self::root),
            _ => self.clone(),
        }
    }

    /// As text with the dot of the root at its end, as zone files write it.
    pub fn absolute(&self) -> String {
        match self.is_root() {
            true => ".".into(),
            false => format!("{self}."),
        }
    }
}

/// With or without a dot at its end; `\.` and `\123` as in zone files.
impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| Error::Name {
            name: text.into(),
            why,
        };
        if text.is_empty() {
            return Err(wrong("it is empty".into()));
        }
        if text == "." {
            return Ok(Self::root());
        }
        if !text.is_ascii() {
            let host = text.strip_suffix('.').unwrap_or(text);
            let ascii: pki::DnsName = host.parse().map_err(|error| wrong(reason(error)))?;
            return ascii.as_str().parse();
        }
        let mut labels = labels_of(text.as_bytes()).map_err(|why| wrong(why.into()))?;
        if labels.len() > 1 && labels.last().is_some_and(Vec::is_empty) {
            labels.pop();
        }
        Self::from_labels(labels.iter().map(Vec::as_slice)).map_err(wrong)
    }
}

/// Why a name of a certificate was refused, without the name, which we say ourselves.
fn reason(error: pki::Error) -> String {
    match error {
        pki::Error::Invalid { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// The labels of a name's text, with escapes undone.
fn labels_of(text: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut labels = vec![Vec::new()];
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        let byte = match byte {
            b'.' => {
                labels.push(Vec::new());
                continue;
            }
            b'\\' => escaped(&mut rest)?,
            b' ' | b'\t' | b'\r' | b'\n' => {
                return Err("it contains a space; write \\032 if that is meant");
            }
            other => other,
        };
        if let Some(label) = labels.last_mut() {
            label.push(byte);
        }
    }
    Ok(labels)
}

/// What follows a backslash: three decimal digits, or any other character.
fn escaped(rest: &mut std::slice::Iter<'_, u8>) -> Result<u8, &'static str> {
    const WRONG: &str = "after '\\' there must be a character or three digits up to 255";
    let first = *rest.next().ok_or(WRONG)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = rest.next().filter(|b| b.is_ascii_digit()).ok_or(WRONG)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| WRONG)
}

/// Without the dot at its end, unless it is the root; escaped so that [`Name::from_str`] reads the same name.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(byte))?;
                    }
                    b'!'..=b'~' => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn text_becomes_wire_and_text_again() {
        for (text, wire, again) in [
            ("Example.ORG", &b"\x07example\x03org\0"[..], "example.org"),
            ("example.org.", b"\x07example\x03org\0", "example.org"),
            (".", b"\0", "."),
            ("a\\.b.c", b"\x03a.b\x01c\0", "a\\.b.c"),
            ("a\\046b.c", b"\x03a.b\x01c\0", "a\\.b.c"),
            ("\\000\\255.x", b"\x02\0\xff\x01x\0", "\\000\\255.x"),
            (
                "*._Acme-Challenge.x",
                b"\x01*\x0f_acme-challenge\x01x\0",
                "*._acme-challenge.x",
            ),
            (
                "b\u{fc}cher.example",
                b"\x0dxn--bcher-kva\x07example\0",
                "xn--bcher-kva.example",
            ),
        ] {
            assert_eq!(name(text).wire(), wire, "{text}");
            assert_eq!(name(text).to_string(), again);
            assert_eq!(name(again), name(text));
        }
        assert_eq!(name("example.org").absolute(), "example.org.");
        assert_eq!(Name::root().absolute(), ".");
    }

    #[test]
    fn names_that_break_a_rule_are_refused_with_it() {
        let long = "a".repeat(64);
        let many = ["abcdefghi"; 26].join(".");
        for (text, why) in [
            ("", "it is empty"),
            ("a..b", "a label is empty; remove the double dot"),
            (".example", "a label is empty; remove the double dot"),
            (&long, "a label has 64 bytes; at most 63 are allowed"),
            (&many, "it has 261 bytes; at most 255 are allowed"),
            ("a b", "it contains a space; write \\032 if that is meant"),
            (
                "a\\",
                "after '\\' there must be a character or three digits up to 255",
            ),
            (
                "a\\25",
                "after '\\' there must be a character or three digits up to 255",
            ),
            (
                "a\\256",
                "after '\\' there must be a character or three digits up to 255",
            ),
            (
                "\u{200b}.example",
                "the character U+200B is not allowed; write the name in NFC or as xn-- labels",
            ),
        ] {
            let error = text.parse::<Name>().unwrap_err();
            assert_eq!(error.kind(), "dns.name");
            assert_eq!(
                error.to_string(),
                format!("'{text}' is not a domain name: {why}")
            );
        }
    }

    #[test]
    fn a_name_knows_its_parents_and_what_it_is_within() {
        let host = name("a.b.example");
        assert_eq!(host.parent(), Some(name("b.example")));
        assert_eq!(Name::root().parent(), None);
        assert!(host.is_within(&name("b.EXAMPLE")));
        assert!(host.is_within(&host));
        assert!(host.is_within(&Name::root()));
        assert!(!host.is_within(&name("x.example")));
        assert!(!name("ab.example").is_within(&name("b.example")));
        assert!(!name("example").is_within(&host));
        assert_eq!(host.label_count(), 3);
    }

    #[test]
    fn children_are_bounded_and_the_wildcard_goes() {
        assert_eq!(
            name("x.example").child("_acme-challenge").unwrap(),
            name("_acme-challenge.x.example")
        );
        let long = name(&["abcdefghi"; 25].join("."));
        assert!(long.child("_acme-challenge").is_err());
        assert_eq!(name("*.x.example").without_wildcard(), name("x.example"));
        assert_eq!(name("x.example").without_wildcard(), name("x.example"));
    }
}
