// SPDX-License-Identifier: Apache-2.0
//! Reading what extensions say.

use std::net::IpAddr;

use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension, X509Extension};

use super::{
    AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CA_ISSUERS, EXTENDED_KEY_USAGE, KEY_USAGE,
    NAME_CONSTRAINTS, OCSP, STATUS_REQUEST, SUBJECT_ALT_NAME, SUBJECT_KEY_IDENTIFIER, TLS_FEATURE,
};
use crate::{
    BasicConstraints, Error, ExtendedKeyUsage, KeyUsage, NameConstraints, Oid, OtherName, Result,
    SubjectAltNames, der,
};

/// What the extensions of a certificate or request say.
#[derive(Default)]
pub(crate) struct Extensions {
    pub(crate) names: SubjectAltNames,
    pub(crate) unrecognized_names: Vec<String>,
    pub(crate) key_usage: Vec<KeyUsage>,
    pub(crate) extended_key_usage: Vec<ExtendedKeyUsage>,
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) subject_key_identifier: Option<Vec<u8>>,
    pub(crate) authority_key_identifier: Option<Vec<u8>>,
    pub(crate) must_staple: bool,
    pub(crate) name_constraints: Option<NameConstraints>,
    pub(crate) policies: Vec<Oid>,
    pub(crate) crl_urls: Vec<String>,
    pub(crate) issuer_urls: Vec<String>,
    pub(crate) ocsp_urls: Vec<String>,
    pub(crate) unrecognized_critical: Vec<Oid>,
    /// All that are present, in order.
    pub(crate) present: Vec<Oid>,
}

impl Extensions {
    /// Reads them all. `what` is "certificate" or "certificate request".
    ///
    /// # Errors
    /// [`Error::Malformed`] for an extension that occurs twice (RFC 5280 §4.2) or that we know and cannot read.
    pub(crate) fn read<'a, 'b: 'a>(
        extensions: impl IntoIterator<Item = &'a X509Extension<'b>>,
        what: &'static str,
    ) -> Result<Self> {
        let mut read = Self::default();
        for extension in extensions {
            let oid = Oid::from_der_content(extension.oid.as_bytes())?;
            if read.present.contains(&oid) {
                return Err(Error::malformed(
                    what,
                    format!("extension {oid} occurs twice"),
                ));
            }
            let known = read.one(&oid, extension).map_err(|reason| {
                Error::malformed(what, format!("its extension {oid} {reason}"))
            })?;
            if extension.critical && !known {
                read.unrecognized_critical.push(oid.clone());
            }
            read.present.push(oid);
        }
        Ok(read)
    }

    /// Those that [`RequestTemplate`](crate::RequestTemplate) cannot tell.
    pub(crate) fn beyond_template(&self) -> Vec<Oid> {
        let told = [
            BASIC_CONSTRAINTS,
            KEY_USAGE,
            EXTENDED_KEY_USAGE,
            SUBJECT_ALT_NAME,
            TLS_FEATURE,
        ];
        // The key identifier is ours to say; requests of the openssl command always carry one.
        let known = |oid: &Oid| told.contains(&oid.as_str()) || oid == SUBJECT_KEY_IDENTIFIER;
        self.present
            .iter()
            .filter(|oid| !known(oid))
            .cloned()
            .collect()
    }

    /// Whether the extension is one that we understand, or what is wrong with it.
    fn one(&mut self, oid: &Oid, extension: &X509Extension<'_>) -> Result<bool, String> {
        let value = extension.value;
        match oid.as_str() {
            EXTENDED_KEY_USAGE => self.extended_key_usage = purposes(value).ok_or("is damaged")?,
            NAME_CONSTRAINTS => {
                self.name_constraints =
                    Some(NameConstraints::from_der(value).map_err(|_| "is damaged")?);
            }
            TLS_FEATURE => {
                let features = der::read_sequence(value).ok_or("is damaged")?;
                self.must_staple = features
                    .iter()
                    .any(|feature| feature.encoded == der::unsigned(STATUS_REQUEST));
            }
            _ => return self.parsed(extension),
        }
        Ok(true)
    }

    fn parsed(&mut self, extension: &X509Extension<'_>) -> Result<bool, String> {
        let oid = Oid::from_der_content(extension.oid.as_bytes()).map_err(|_| "is damaged")?;
        let needed = [
            BASIC_CONSTRAINTS,
            KEY_USAGE,
            SUBJECT_ALT_NAME,
            SUBJECT_KEY_IDENTIFIER,
            AUTHORITY_KEY_IDENTIFIER,
        ];
        // x509-parser does not look at what follows the value.
        let value = extension.value;
        let whole =
            der::read_element(value).is_some_and(|element| element.encoded.len() == value.len());
        if extension.parsed_extension().error().is_some() || !whole {
            // What nobody decides by may be damaged, unless it says that it is critical.
            return match needed.contains(&oid.as_str()) {
                true => Err("is damaged".into()),
                false => Ok(false),
            };
        }
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(basic) => {
                let path_length = basic
                    .path_len_constraint
                    .map(|length| u8::try_from(length).unwrap_or(u8::MAX));
                self.basic_constraints = Some(BasicConstraints {
                    ca: basic.ca,
                    path_length,
                });
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = key_usages(usage.flags).ok_or("allows nothing")?
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                names
                    .general_names
                    .iter()
                    .for_each(|name| self.add_name(name));
            }
            ParsedExtension::SubjectKeyIdentifier(id) => {
                self.subject_key_identifier = Some(id.0.to_vec())
            }
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_identifier = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            other => return Ok(self.where_to_ask(other)),
        }
        Ok(true)
    }

    /// Policies, and where CRLs, OCSP answers and the issuer's certificate are. `false` if it is none of these.
    fn where_to_ask(&mut self, parsed: &ParsedExtension<'_>) -> bool {
        match parsed {
            ParsedExtension::CertificatePolicies(policies) => {
                let oids = policies
                    .iter()
                    .map(|policy| Oid::from_der_content(policy.policy_id.as_bytes()));
                self.policies = oids.filter_map(Result::ok).collect();
            }
            ParsedExtension::CRLDistributionPoints(list) => {
                for point in &list.points {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point
                    {
                        self.crl_urls.extend(names.iter().filter_map(url_of));
                    }
                }
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                for description in access.iter() {
                    let urls = match Oid::from_der_content(description.access_method.as_bytes()) {
                        Ok(method) if method == OCSP => &mut self.ocsp_urls,
                        Ok(method) if method == CA_ISSUERS => &mut self.issuer_urls,
                        _ => continue,
                    };
                    urls.extend(url_of(&description.access_location));
                }
            }
            _ => return false,
        }
        true
    }

    /// A name that breaks our rules is kept as text: certificates of others must be readable.
    fn add_name(&mut self, name: &GeneralName<'_>) {
        let added = match name {
            GeneralName::DNSName(text) => {
                text.parse().map(|name| self.names.dns.push(name)).is_ok()
            }
            GeneralName::RFC822Name(text) => {
                text.parse().map(|name| self.names.email.push(name)).is_ok()
            }
            GeneralName::URI(text) => text.parse().map(|name| self.names.uri.push(name)).is_ok(),
            GeneralName::IPAddress(octets) => ip_of(octets)
                .map(|address| self.names.ip.push(address))
                .is_some(),
            GeneralName::OtherName(type_id, value) => other_name(type_id.as_bytes(), value)
                .map(|name| self.names.other.push(name))
                .is_some(),
            _ => false,
        };
        if !added {
            self.unrecognized_names.push(name.to_string());
        }
    }
}

/// RFC 5280 §4.2.1.3: at least one bit is set.
fn key_usages(flags: u16) -> Option<Vec<KeyUsage>> {
    let set = |usage: &KeyUsage| flags & (1 << usage.bit()) != 0;
    let usages: Vec<KeyUsage> = KeyUsage::ALL.into_iter().filter(set).collect();
    (!usages.is_empty()).then_some(usages)
}

/// In the order of the extension, which x509-parser loses.
fn purposes(value: &[u8]) -> Option<Vec<ExtendedKeyUsage>> {
    let elements = der::read_sequence(value).filter(|elements| !elements.is_empty())?;
    elements
        .iter()
        .map(|element| match element.tag {
            0x06 => Oid::from_der_content(element.content)
                .ok()
                .map(ExtendedKeyUsage::from),
            _ => None,
        })
        .collect()
}

fn url_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::URI(text) => Some((*text).to_owned()),
        _ => None,
    }
}

fn ip_of(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}

/// `[0] EXPLICIT UTF8String`; other types are not told.
fn other_name(type_id: &[u8], value: &[u8]) -> Option<OtherName> {
    let outer = der::read_element(value)
        .filter(|outer| outer.tag == 0xa0 && outer.encoded.len() == value.len())?;
    match der::read_elements(outer.content)?.as_slice() {
        [text] if text.tag == 0x0c => Some(OtherName {
            type_id: Oid::from_der_content(type_id).ok()?,
            value_utf8: String::from_utf8(text.content.to_vec()).ok()?,
        }),
        _ => None,
    }
}
