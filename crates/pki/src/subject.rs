// SPDX-License-Identifier: Apache-2.0
//! Distinguished names of subjects and issuers (RFC 5280 §4.1.2.4 and Appendix A.1).

use std::fmt;

use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::{Error, Oid, Result, der};

/// The ASN.1 string type in which a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StringType {
    Ia5,
    Printable,
    Utf8,
}

/// An attribute that has a name of its own.
struct Known {
    oid: &'static str,
    /// As Display shows it: RFC 4514 §3, else OpenSSL's short name.
    short: &'static str,
    /// Name in options; other spellings that are understood.
    long: &'static [&'static str],
    string_type: StringType,
    /// Most characters (the upper bounds of RFC 5280 Appendix A.1, else of X.520).
    longest: usize,
}

const fn utf8(
    oid: &'static str,
    short: &'static str,
    long: &'static [&'static str],
    longest: usize,
) -> Known {
    Known {
        oid,
        short,
        long,
        string_type: StringType::Utf8,
        longest,
    }
}

const KNOWN: [Known; 22] = [
    utf8("2.5.4.3", "CN", &["common_name"], 64),
    utf8("2.5.4.4", "SN", &["surname"], 32_768),
    Known {
        oid: "2.5.4.5",
        short: "serialNumber",
        long: &["serial_number"],
        string_type: StringType::Printable,
        longest: 64,
    },
    Known {
        oid: "2.5.4.6",
        short: "C",
        long: &["country", "country_name"],
        string_type: StringType::Printable,
        longest: 2,
    },
    utf8("2.5.4.7", "L", &["locality", "locality_name"], 128),
    utf8(
        "2.5.4.8",
        "ST",
        &["state", "state_or_province", "state_or_province_name", "S"],
        128,
    ),
    utf8("2.5.4.9", "street", &["street_address"], 128),
    utf8("2.5.4.10", "O", &["organization", "organization_name"], 64),
    utf8(
        "2.5.4.11",
        "OU",
        &["organizational_unit", "organizational_unit_name"],
        64,
    ),
    utf8("2.5.4.12", "title", &[], 64),
    utf8("2.5.4.13", "description", &[], 1_024),
    utf8("2.5.4.15", "businessCategory", &["business_category"], 128),
    utf8("2.5.4.17", "postalCode", &["postal_code"], 40),
    utf8("2.5.4.41", "name", &[], 32_768),
    utf8("2.5.4.42", "GN", &["given_name"], 32_768),
    utf8("2.5.4.43", "initials", &[], 32_768),
    utf8(
        "2.5.4.44",
        "generationQualifier",
        &["generation_qualifier"],
        32_768,
    ),
    Known {
        oid: "2.5.4.46",
        short: "dnQualifier",
        long: &["dn_qualifier"],
        string_type: StringType::Printable,
        longest: 64,
    },
    utf8(
        "2.5.4.97",
        "organizationIdentifier",
        &["organization_identifier"],
        256,
    ),
    Known {
        oid: "1.2.840.113549.1.9.1",
        short: "emailAddress",
        long: &["email", "email_address", "E"],
        string_type: StringType::Ia5,
        longest: 255,
    },
    Known {
        oid: "0.9.2342.19200300.100.1.25",
        short: "DC",
        long: &["domain_component"],
        string_type: StringType::Ia5,
        longest: 63,
    },
    utf8("0.9.2342.19200300.100.1.1", "UID", &["user_id"], 256),
];

/// The type of one attribute of a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectAttribute(Oid);

impl SubjectAttribute {
    /// From a long name (`organizational_unit`), a short one (`OU`) or a dotted identifier; any case, `_` or not.
    pub fn named(name: &str) -> Result<Self> {
        let folded = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
        let wanted = folded(name.trim());
        let known = KNOWN.iter().find(|known| {
            folded(known.short) == wanted || known.long.iter().any(|long| folded(long) == wanted)
        });
        if let Some(known) = known {
            return Ok(Self(Oid::known(known.oid)));
        }
        name.trim().parse().map(Self).map_err(|_| {
            let names: Vec<&str> = KNOWN
                .iter()
                .map(|known| *known.long.first().unwrap_or(&known.short))
                .collect();
            Error::invalid(
                "subject attribute",
                name,
                format!("use one of {}, or a dotted identifier", names.join(", ")),
            )
        })
    }

    /// Its object identifier.
    pub fn oid(&self) -> &Oid {
        &self.0
    }

    fn known(&self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| self.0 == *known.oid)
    }
}

/// The short name, or the dotted identifier.
impl fmt::Display for SubjectAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.known().map_or(self.0.as_str(), |known| known.short))
    }
}

/// A distinguished name: attributes in order, repeats allowed. Displays as `CN=a, O=b` in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Vec<(SubjectAttribute, String)>);

impl Subject {
    /// From names and values in order; names as [`SubjectAttribute::named`] takes them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown name and for a value that is empty, too long (a common name has at most 64
    /// characters), no country code, or has characters that its ASN.1 type cannot hold.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut attributes = Vec::new();
        for (name, value) in pairs {
            let attribute = SubjectAttribute::named(name)?;
            check_value(&attribute, value)?;
            attributes.push((attribute, value.to_owned()));
        }
        Ok(Self(attributes))
    }

    /// Whether it has no attribute.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attributes in order.
    pub fn attributes(&self) -> &[(SubjectAttribute, String)] {
        &self.0
    }

    /// The first common name.
    pub fn common_name(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|(attribute, _)| attribute.0 == "2.5.4.3")
            .map(|(_, value)| value.as_str())
    }

    /// Whether both are one name by the rules for comparison: case and runs of spaces do not matter (RFC 5280 §7.1).
    pub fn matches(&self, other: &Self) -> bool {
        let folded = |value: &str| {
            value
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .to_lowercase()
        };
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(a, b)| a.0 == b.0 && (a.1 == b.1 || folded(&a.1) == folded(&b.1)))
    }

    /// The DER of the Name, one attribute in each RelativeDistinguishedName.
    pub fn to_der(&self) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = self
            .0
            .iter()
            .map(|(attribute, value)| {
                let string = match attribute
                    .known()
                    .map_or(StringType::Utf8, |known| known.string_type)
                {
                    StringType::Ia5 if value.is_ascii() => der::ia5_string(value),
                    StringType::Printable if value.chars().all(printable) => {
                        der::printable_string(value)
                    }
                    _ => der::utf8_string(value),
                };
                der::set_of(vec![der::sequence(&[
                    der::object_identifier(&attribute.0),
                    string,
                ])])
            })
            .collect();
        der::sequence(&parts)
    }

    /// From the DER of a Name. Several attributes in one RelativeDistinguishedName come one after the other;
    /// a value of an odd type becomes `#` and its bytes in hexadecimal.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        match X509Name::from_der(der) {
            Ok(([], name)) => Self::from_x509(&name),
            _ => Err(Error::malformed(
                "distinguished name",
                "its encoding is wrong",
            )),
        }
    }

    pub(crate) fn from_x509(name: &X509Name<'_>) -> Result<Self> {
        name.iter_attributes()
            .map(|attribute| {
                let oid = Oid::from_der_content(attribute.attr_type().as_bytes())?;
                Ok((SubjectAttribute(oid), text_of(attribute)))
            })
            .collect::<Result<_>>()
            .map(Self)
    }
}

fn printable(c: char) -> bool {
    c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c)
}

fn check_value(attribute: &SubjectAttribute, value: &str) -> Result<()> {
    let wrong = |reason: String| Error::Invalid {
        what: "subject attribute",
        value: format!("{attribute}={value}"),
        reason,
    };
    if value.is_empty() {
        return Err(wrong("it is empty; leave the attribute out".into()));
    }
    if value.chars().any(char::is_control) {
        return Err(wrong("it has a control character".into()));
    }
    let Some(known) = attribute.known() else {
        return Ok(());
    };
    let length = value.chars().count();
    if known.short == "C" && (length != 2 || !value.chars().all(|c| c.is_ascii_alphabetic())) {
        return Err(wrong(
            "a country is a code of two letters, such as DE".into(),
        ));
    }
    if length > known.longest {
        let reason = format!(
            "it has {length} characters; at most {} are allowed",
            known.longest
        );
        let remedy = if known.short == "CN" {
            "; put long host names under dns"
        } else {
            ""
        };
        return Err(wrong(format!("{reason}{remedy}")));
    }
    match known.string_type {
        StringType::Ia5 if !value.is_ascii() => Err(wrong("it must be ASCII".into())),
        StringType::Printable if !value.chars().all(printable) => Err(wrong(
            "only letters, digits, spaces and '()+,-./:=? are allowed".into(),
        )),
        _ => Ok(()),
    }
}

fn text_of(attribute: &AttributeTypeAndValue<'_>) -> String {
    let value = attribute.attr_value();
    let text = match value.header.tag().0 {
        12 | 18 | 19 | 22 => String::from_utf8(value.data.to_vec()).ok(),
        // TeletexString: everybody writes Latin-1 into it.
        20 => Some(value.data.iter().map(|byte| char::from(*byte)).collect()),
        28 => value
            .data
            .chunks(4)
            .map(|unit| {
                unit.try_into()
                    .ok()
                    .map(u32::from_be_bytes)
                    .and_then(char::from_u32)
            })
            .collect(),
        30 => {
            let units: Option<Vec<u16>> = value
                .data
                .chunks(2)
                .map(|unit| unit.try_into().ok().map(u16::from_be_bytes))
                .collect();
            units.and_then(|units| String::from_utf16(&units).ok())
        }
        _ => None,
    };
    text.unwrap_or_else(|| {
        let hex: String = value
            .data
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        format!("#{hex}")
    })
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (attribute, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{attribute}={}", escaped(value))?;
        }
        Ok(())
    }
}

/// RFC 4514 §2.4, so that a value cannot look like two.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        let edge_space = c == ' ' && (index == 0 || index == last);
        if edge_space || "\"+,;<>\\".contains(c) || (c == '#' && index == 0) {
            out.push('\\');
            out.push(c);
        } else if c.is_control() {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes)
                .bytes()
                .for_each(|byte| out.push_str(&format!("\\{byte:02X}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests;
