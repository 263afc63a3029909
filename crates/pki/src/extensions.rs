// SPDX-License-Identifier: Apache-2.0
//! Extensions of certificates and requests (RFC 5280 §4.2, RFC 7633): writing and reading.

use std::net::IpAddr;

use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension, X509Extension};

use crate::{
    BasicConstraints, CertificateTemplate, Error, ExtendedKeyUsage, KeyUsage, NameConstraints, Oid,
    OtherName, RequestTemplate, Result, SubjectAltNames, UniformResourceIdentifier, der,
};

const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
const CERTIFICATE_POLICIES: &str = "2.5.29.32";
const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const AUTHORITY_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";

const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// The TLS extension status_request, which the feature extension demands (RFC 7633 §4.2.3.1).
const STATUS_REQUEST: u64 = 5;

/// `Extension`; DER leaves out `critical` when it is false.
fn extension(oid: &'static str, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical {
        der::boolean(true)
    } else {
        Vec::new()
    };
    der::sequence(&[
        der::object_identifier(&Oid::known(oid)),
        flag,
        der::octet_string(value),
    ])
}

/// The extensions that a request asks for.
pub(crate) fn of_request(template: &RequestTemplate) -> Result<Vec<Vec<u8>>> {
    check_request(template)?;
    let mut extensions = Vec::new();
    if let Some(constraints) = template.basic_constraints {
        extensions.push(basic_constraints(constraints));
    }
    if !template.key_usage.is_empty() {
        let bits = der::named_bits(template.key_usage.iter().map(|usage| usage.bit()));
        extensions.push(extension(KEY_USAGE, true, &bits));
    }
    if !template.extended_key_usage.is_empty() {
        let purposes: Vec<Vec<u8>> = template
            .extended_key_usage
            .iter()
            .map(|purpose| der::object_identifier(&purpose.oid()))
            .collect();
        // RFC 3161 §2.3: time stamping stands alone and is critical.
        let critical = template.extended_key_usage == [ExtendedKeyUsage::TimeStamping];
        extensions.push(extension(
            EXTENDED_KEY_USAGE,
            critical,
            &der::sequence(&purposes),
        ));
    }
    if !template.names.is_empty() {
        // RFC 5280 §4.2.1.6: critical if there is no subject.
        extensions.push(extension(
            SUBJECT_ALT_NAME,
            template.subject.is_empty(),
            &general_names(&template.names),
        ));
    }
    if template.must_staple {
        extensions.push(extension(
            TLS_FEATURE,
            false,
            &der::sequence(&[der::unsigned(STATUS_REQUEST)]),
        ));
    }
    Ok(extensions)
}

/// The extensions of a certificate.
pub(crate) fn of_certificate(
    template: &CertificateTemplate,
    subject_key_identifier: &[u8],
    authority_key_identifier: &[u8],
) -> Result<Vec<Vec<u8>>> {
    let mut extensions = of_request(&template.request)?;
    extensions.push(extension(
        SUBJECT_KEY_IDENTIFIER,
        false,
        &der::octet_string(subject_key_identifier),
    ));
    let issuer = der::sequence(&[der::context_primitive(0, authority_key_identifier)]);
    extensions.push(extension(AUTHORITY_KEY_IDENTIFIER, false, &issuer));
    if let Some(constraints) = &template.name_constraints {
        if !template
            .request
            .basic_constraints
            .is_some_and(|basic| basic.ca)
        {
            return Err(Error::invalid(
                "name constraint",
                "",
                "only an authority can have one",
            ));
        }
        extensions.push(extension(NAME_CONSTRAINTS, true, &constraints.to_der()?));
    }
    if !template.policies.is_empty() {
        let policies: Vec<Vec<u8>> = template
            .policies
            .iter()
            .map(|policy| der::sequence(&[der::object_identifier(policy)]))
            .collect();
        extensions.push(extension(
            CERTIFICATE_POLICIES,
            false,
            &der::sequence(&policies),
        ));
    }
    if !template.crl_urls.is_empty() {
        extensions.push(extension(
            CRL_DISTRIBUTION_POINTS,
            false,
            &distribution_points(&template.crl_urls)?,
        ));
    }
    if !template.issuer_urls.is_empty() || !template.ocsp_urls.is_empty() {
        let access = [
            access_descriptions(OCSP, &template.ocsp_urls)?,
            access_descriptions(CA_ISSUERS, &template.issuer_urls)?,
        ];
        extensions.push(extension(
            AUTHORITY_INFO_ACCESS,
            false,
            &der::sequence(&access.concat()),
        ));
    }
    Ok(extensions)
}

/// What RFC 5280 forbids: §4.1.2.6, §4.2.1.3, §4.2.1.9.
fn check_request(template: &RequestTemplate) -> Result<()> {
    let RequestTemplate {
        subject,
        names,
        key_usage,
        basic_constraints,
        ..
    } = template;
    let constraints = basic_constraints.unwrap_or(BasicConstraints {
        ca: false,
        path_length: None,
    });
    let signs = key_usage.contains(&KeyUsage::KeyCertSign);
    if subject.is_empty() && names.is_empty() {
        return Err(Error::invalid(
            "certificate subject",
            "",
            "give a subject or at least one name",
        ));
    }
    if subject.is_empty() && constraints.ca {
        return Err(Error::invalid(
            "certificate subject",
            "",
            "an authority needs one, such as a common name",
        ));
    }
    if constraints.path_length.is_some() && !constraints.ca {
        return Err(Error::invalid(
            "path length",
            "",
            "only an authority can have one",
        ));
    }
    if constraints.ca && !key_usage.is_empty() && !signs {
        let usage: Vec<String> = key_usage.iter().map(ToString::to_string).collect();
        return Err(Error::invalid(
            "key usage",
            usage.join(", "),
            "an authority needs keyCertSign",
        ));
    }
    if signs && !constraints.ca {
        return Err(Error::invalid(
            "key usage",
            "keyCertSign",
            "only an authority (CA:TRUE) may sign certificates",
        ));
    }
    Ok(())
}

fn basic_constraints(constraints: BasicConstraints) -> Vec<u8> {
    let mut parts = Vec::new();
    if constraints.ca {
        parts.push(der::boolean(true));
        parts.extend(
            constraints
                .path_length
                .map(|length| der::unsigned(length.into())),
        );
    }
    extension(BASIC_CONSTRAINTS, constraints.ca, &der::sequence(&parts))
}

fn general_names(names: &SubjectAltNames) -> Vec<u8> {
    let SubjectAltNames {
        dns,
        ip,
        email,
        uri,
        other,
    } = names;
    let mut parts: Vec<Vec<u8>> = Vec::with_capacity(names.len());
    parts.extend(
        dns.iter()
            .map(|name| der::context_primitive(2, name.as_str().as_bytes())),
    );
    parts.extend(ip.iter().map(|address| match address {
        IpAddr::V4(v4) => der::context_primitive(7, &v4.octets()),
        IpAddr::V6(v6) => der::context_primitive(7, &v6.octets()),
    }));
    parts.extend(
        email
            .iter()
            .map(|name| der::context_primitive(1, name.as_str().as_bytes())),
    );
    parts.extend(
        uri.iter()
            .map(|name| der::context_primitive(6, name.as_str().as_bytes())),
    );
    parts.extend(other.iter().map(|name| {
        let value = der::context_constructed(0, &der::utf8_string(&name.value_utf8));
        der::context_constructed(0, &[der::object_identifier(&name.type_id), value].concat())
    }));
    der::sequence(&parts)
}

fn url(text: &str) -> Result<Vec<u8>> {
    let uri: UniformResourceIdentifier = text.parse()?;
    Ok(der::context_primitive(6, uri.as_str().as_bytes()))
}

/// One point for each URL, so that each is a source of its own.
fn distribution_points(urls: &[String]) -> Result<Vec<u8>> {
    let points: Result<Vec<Vec<u8>>> = urls
        .iter()
        .map(|text| {
            let full_name = der::context_constructed(0, &url(text)?);
            Ok(der::sequence(&[der::context_constructed(0, &full_name)]))
        })
        .collect();
    Ok(der::sequence(&points?))
}

fn access_descriptions(method: &'static str, urls: &[String]) -> Result<Vec<Vec<u8>>> {
    urls.iter()
        .map(|text| {
            Ok(der::sequence(&[
                der::object_identifier(&Oid::known(method)),
                url(text)?,
            ]))
        })
        .collect()
}

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

    /// Whether the extensions that a request asks for can be told by [`RequestTemplate`].
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
            _ => return self.parsed(extension.parsed_extension(), value),
        }
        Ok(true)
    }

    fn parsed(&mut self, parsed: &ParsedExtension<'_>, value: &[u8]) -> Result<bool, String> {
        // x509-parser does not look at what follows the value.
        let whole =
            der::read_element(value).is_some_and(|element| element.encoded.len() == value.len());
        if parsed.error().is_some() || (!parsed.unsupported() && !whole) {
            return Err("is damaged".into());
        }
        match parsed {
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
                self.key_usage = KeyUsage::ALL
                    .into_iter()
                    .filter(|known| usage.flags & (1 << known.bit()) != 0)
                    .collect();
                if self.key_usage.is_empty() {
                    return Err("allows nothing".into());
                }
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
            ParsedExtension::CertificatePolicies(policies) => {
                let oids = policies
                    .iter()
                    .map(|policy| Oid::from_der_content(policy.policy_id.as_bytes()));
                self.policies = oids.collect::<Result<_>>().map_err(|_| "is damaged")?;
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
            _ => return Ok(false),
        }
        Ok(true)
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
