// SPDX-License-Identifier: Apache-2.0
//! What is there already and shall go: certificates that are revoked, names whose authorizations are given up.

use std::path::PathBuf;

use ansible_module::Faults;
use pki::Certificate;
use pki::crl::RevocationReason;

use super::certificate::{check_name, csr};
use super::{CsrSource, Phase, absolute, check_unique};
use crate::params::CertificateParams;

/// Where a certificate is.
#[derive(Debug)]
pub enum CertificateSource {
    /// In a file, read when the task runs.
    File(PathBuf),
    /// Given.
    Given(Box<Certificate>),
}

/// A certificate that is to be revoked.
#[derive(Debug)]
pub struct RevocationWish {
    /// How the result calls it.
    pub name: String,
    /// The certificate.
    pub certificate: CertificateSource,
    /// The file of its own key, where that asks and not the account.
    pub key: Option<PathBuf>,
    /// Why.
    pub reason: RevocationReason,
}

/// Where names stand.
#[derive(Debug)]
pub enum NamesSource {
    /// In a certificate.
    Certificate(CertificateSource),
    /// In a request.
    Request(CsrSource),
}

/// Names whose authorizations are given up.
#[derive(Debug)]
pub struct ReleaseWish {
    /// How the result calls them, and the state of the order that may be open for them.
    pub name: String,
    /// The names.
    pub names: NamesSource,
}

pub(super) fn revocations(given: &[CertificateParams], faults: &mut Faults) -> Vec<RevocationWish> {
    each(given, faults, |at, one, faults| {
        if one.csr.is_some() || one.csr_content.is_some() {
            faults.push(
                at,
                "the phase 'revoke' takes 'current' or 'certificate', not a request",
            );
        }
        let source = source(at, one, faults);
        if source.is_none() && one.current.is_none() && one.certificate.is_none() {
            faults.push(at, "give exactly one of 'current' and 'certificate'");
        }
        let key = one.private_key.as_deref();
        let key = key.map(|path| absolute(&format!("{at}.private_key"), path, faults));
        let reason = one.reason.as_deref().unwrap_or("unspecified").parse();
        let reason = reason
            .map_err(|error: pki::crl::Error| {
                faults.push(format!("{at}.reason"), error.to_string());
            })
            .ok();
        Some(RevocationWish {
            name: one.name.clone(),
            certificate: source?,
            key: match key {
                Some(path) => Some(path?),
                None => None,
            },
            reason: reason?,
        })
    })
}

pub(super) fn releases(given: &[CertificateParams], faults: &mut Faults) -> Vec<ReleaseWish> {
    each(given, faults, |at, one, faults| {
        let options = [&one.csr, &one.csr_content, &one.current, &one.certificate];
        if options.into_iter().flatten().count() != 1 {
            let rule = "give exactly one of 'csr', 'csr_content', 'current' and 'certificate'";
            faults.push(at, rule);
            return None;
        }
        let names = match one.csr.is_some() || one.csr_content.is_some() {
            true => NamesSource::Request(csr(at, one, faults)?),
            false => NamesSource::Certificate(source(at, one, faults)?),
        };
        Some(ReleaseWish {
            name: one.name.clone(),
            names,
        })
    })
}

/// Options that say which certificate goes have no meaning where one is ordered.
pub(super) fn check_unused(given: &[CertificateParams], phase: Phase, faults: &mut Faults) {
    for (index, one) in given.iter().enumerate() {
        let at = format!("certificates[{index}]");
        let revokes = phase == Phase::Revoke;
        for (option, is_given, is_used) in [
            ("certificate", one.certificate.is_some(), !phase.orders()),
            ("private_key", one.private_key.is_some(), revokes),
            ("reason", one.reason.is_some(), revokes),
        ] {
            if is_given && !is_used {
                let why = format!("the phase '{}' does not use it", phase.word());
                faults.push(format!("{at}.{option}"), why);
            }
        }
    }
}

fn each<T>(
    given: &[CertificateParams],
    faults: &mut Faults,
    read: impl Fn(&str, &CertificateParams, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let names = given.iter().enumerate();
    let names = names.map(|(at, each)| (format!("certificates[{at}].name"), each.name.as_str()));
    check_unique("the name", names, faults);
    let each = given.iter().enumerate();
    each.filter_map(|(index, one)| {
        let at = format!("certificates[{index}]");
        check_name(&at, &one.name, faults);
        read(&at, one, faults)
    })
    .collect()
}

fn source(at: &str, given: &CertificateParams, faults: &mut Faults) -> Option<CertificateSource> {
    match (&given.current, &given.certificate) {
        (Some(path), None) => {
            absolute(&format!("{at}.current"), path, faults).map(CertificateSource::File)
        }
        (None, Some(text)) => first(text.as_bytes())
            .map(|certificate| CertificateSource::Given(Box::new(certificate)))
            .map_err(|reason| faults.push(format!("{at}.certificate"), reason))
            .ok(),
        (None, None) => None,
        (Some(_), Some(_)) => {
            faults.push(at, "give exactly one of 'current' and 'certificate'");
            None
        }
    }
}

/// The first certificate of a chain: the others are authorities.
///
/// # Errors
/// Why there is none.
pub fn first(text: &[u8]) -> Result<Certificate, String> {
    let all = pki::chain::parse_bundle(text).map_err(|error| error.to_string())?;
    let first = all.into_iter().next();
    first.ok_or_else(|| String::from("there is no certificate in it"))
}
