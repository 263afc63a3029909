// SPDX-License-Identifier: Apache-2.0
//! Extensions of certificates and requests (RFC 5280 §4.2, RFC 7633): writing and reading.

use std::net::IpAddr;

use crate::{
    BasicConstraints, CertificateTemplate, Error, ExtendedKeyUsage, KeyUsage, Oid, RequestTemplate,
    Result, SubjectAltNames, UniformResourceIdentifier, der,
};

mod read;

pub(crate) use read::Extensions;

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
    extensions.extend(where_to_ask(template)?);
    Ok(extensions)
}

/// Policies, and where CRLs, OCSP answers and the issuer's certificate are.
fn where_to_ask(template: &CertificateTemplate) -> Result<Vec<Vec<u8>>> {
    let CertificateTemplate {
        policies,
        crl_urls,
        issuer_urls,
        ocsp_urls,
        ..
    } = template;
    let mut extensions = Vec::new();
    if !policies.is_empty() {
        let list: Vec<Vec<u8>> = policies
            .iter()
            .map(|policy| der::sequence(&[der::object_identifier(policy)]))
            .collect();
        extensions.push(extension(
            CERTIFICATE_POLICIES,
            false,
            &der::sequence(&list),
        ));
    }
    if !crl_urls.is_empty() {
        extensions.push(extension(
            CRL_DISTRIBUTION_POINTS,
            false,
            &distribution_points(crl_urls)?,
        ));
    }
    if !issuer_urls.is_empty() || !ocsp_urls.is_empty() {
        let access = [
            access_descriptions(OCSP, ocsp_urls)?,
            access_descriptions(CA_ISSUERS, issuer_urls)?,
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
    let subject_needed = "an authority needs one, such as a common name";
    let rules = [
        (
            subject.is_empty() && names.is_empty(),
            "certificate subject",
            "give a subject or at least one name",
        ),
        (
            subject.is_empty() && constraints.ca,
            "certificate subject",
            subject_needed,
        ),
        (
            constraints.path_length.is_some() && !constraints.ca,
            "path length",
            "only an authority can have one",
        ),
        (
            constraints.ca && !key_usage.is_empty() && !signs,
            "key usage",
            "an authority needs keyCertSign",
        ),
        (
            signs && !constraints.ca,
            "key usage",
            "only an authority (CA:TRUE) may have keyCertSign",
        ),
    ];
    let usage: Vec<String> = key_usage.iter().map(ToString::to_string).collect();
    match rules.into_iter().find(|(broken, ..)| *broken) {
        Some((_, what @ "key usage", rule)) => Err(Error::invalid(what, usage.join(", "), rule)),
        Some((_, "path length", rule)) => {
            let length = constraints.path_length.unwrap_or_default().to_string();
            Err(Error::invalid("path length", length, rule))
        }
        Some((_, what, rule)) => Err(Error::invalid(what, subject.to_string(), rule)),
        None => Ok(()),
    }
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
