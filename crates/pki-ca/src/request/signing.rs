// SPDX-License-Identifier: Apache-2.0
//! The wishes `sign`, `revoke` and `crl`.

use std::collections::HashMap;

use ansible_module::Faults;
use pki::crl::RevocationReason;
use pki::{
    Certificate, CertificateRequest, ExtendedKeyUsage, KeyAlgorithm, KeyUsage, Lifetime,
    RenewBefore, RequestTemplate, Serial, Timestamp,
};

use super::{Selection, parsed, parsed_list, path_length, renew_before, selection, ttl};
use crate::names::{AuthorityName, EntryName};
use crate::params;

/// What NIST SP 800-131A and the clients of today ask for.
const LEAST_RSA_BITS: u32 = 2048;
/// Lifetime of a signed certificate when none is given.
const LEAF_TTL: &str = "398d";
/// The same for profile `ca`.
const AUTHORITY_TTL: &str = "1825d";

/// What a certificate is for: decides key usage, extended key usage and basic constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// TLS server.
    Server,
    /// TLS client.
    Client,
    /// Both, for services that talk to each other.
    Peer,
    /// An authority with at most so many authorities below it.
    Authority {
        /// pathLenConstraint.
        path_length: u8,
    },
    /// Usages as the request asks; never an authority.
    Request,
}

/// A request to be signed.
#[derive(Debug)]
pub struct SignWish {
    /// Kept under this name.
    pub name: Option<EntryName>,
    /// Whose signature; none is the active authority's.
    pub authority: Option<AuthorityName>,
    /// The request, its signature verified.
    pub csr: CertificateRequest,
    /// What it asks for.
    pub asked: RequestTemplate,
    /// Decides usages.
    pub profile: Profile,
    /// In place of the profile's.
    pub key_usage: Option<Vec<KeyUsage>>,
    /// In place of the profile's.
    pub extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    /// Wished lifetime.
    pub ttl: Lifetime,
    /// When a kept certificate is replaced.
    pub renew_before: RenewBefore,
}

/// A certificate to be revoked.
#[derive(Debug)]
pub struct RevokeWish {
    /// Whose list it goes on.
    pub authority: AuthorityName,
    /// Which one.
    pub subject: RevocationSubject,
    /// Why.
    pub reason: Option<RevocationReason>,
    /// Since when; none is now.
    pub at: Option<Timestamp>,
}

/// How the certificate to be revoked was named.
#[derive(Debug)]
pub enum RevocationSubject {
    /// By its number.
    Serial(Serial),
    /// By itself, so that we can check who signed it.
    Certificate(Box<Certificate>),
}

impl RevocationSubject {
    /// The number that goes on the list.
    pub fn serial(&self) -> &Serial {
        match self {
            Self::Serial(serial) => serial,
            Self::Certificate(certificate) => &certificate.facts().serial,
        }
    }
}

/// Which lists are kept fresh.
#[derive(Debug)]
pub struct CrlWish {
    /// None: only lists that exist, and those of authorities with revoked certificates.
    pub authorities: Option<Selection>,
    /// How long a list is good for.
    pub next_update: Lifetime,
    /// When it is replaced although nothing changed.
    pub renew_before: RenewBefore,
}

/// Checks `sign`.
pub(crate) fn signatures(wishes: Vec<params::Sign>, faults: &mut Faults) -> Vec<SignWish> {
    let mut first_use = HashMap::new();
    let mut checked = Vec::with_capacity(wishes.len());
    for (index, wish) in wishes.into_iter().enumerate() {
        let at = format!("sign[{index}]");
        if let Some(name) = wish.name.clone()
            && let Some(first) = first_use.insert(name.clone(), index)
        {
            faults.push(
                format!("{at}.name"),
                format!("'{name}' is also the name of sign[{first}]"),
            );
        }
        checked.extend(signature(&at, &wish, faults));
    }
    checked
}

fn signature(at: &str, wish: &params::Sign, faults: &mut Faults) -> Option<SignWish> {
    let name = optional(
        &format!("{at}.name"),
        wish.name.as_deref(),
        EntryName::new,
        faults,
    );
    let authority = optional(
        &format!("{at}.authority"),
        wish.authority.as_deref(),
        AuthorityName::new,
        faults,
    );
    let profile = profile(at, wish, faults);
    let default = match profile {
        Profile::Authority { .. } => AUTHORITY_TTL,
        _ => LEAF_TTL,
    };
    let ttl = ttl(&format!("{at}.ttl"), wish.ttl.as_deref(), default, faults);
    let renew_before = renew_before(&format!("{at}.renew_before"), &wish.renew_before, faults);
    let key_usage = wish
        .key_usage
        .as_ref()
        .map(|usages| parsed_list(&format!("{at}.key_usage"), usages, faults));
    let extended_key_usage = wish
        .extended_key_usage
        .as_ref()
        .map(|usages| parsed_list(&format!("{at}.extended_key_usage"), usages, faults));
    let (csr, asked) = readable_request(&format!("{at}.csr"), &wish.csr, faults)?;
    if let Some(KeyAlgorithm::Rsa { bits }) = csr.public_key().algorithm()
        && bits < LEAST_RSA_BITS
    {
        faults.push(
            format!("{at}.csr"),
            format!("its RSA key has {bits} bits, and {LEAST_RSA_BITS} are the least that a certificate is worth; make a new key"),
        );
    }
    Some(SignWish {
        name,
        authority,
        csr,
        asked,
        profile,
        key_usage,
        extended_key_usage,
        ttl,
        renew_before,
    })
}

/// The request with what it asks for; its signature proves that the sender holds the key.
fn readable_request(
    path: &str,
    pem: &str,
    faults: &mut Faults,
) -> Option<(CertificateRequest, RequestTemplate)> {
    let read = || {
        let csr = CertificateRequest::from_pem(pem.as_bytes())?;
        csr.verify_signature()?;
        let asked = csr.template()?;
        Ok::<_, pki::Error>((csr, asked))
    };
    match read() {
        Ok(read) => Some(read),
        Err(error) => {
            faults.push(path, error.to_string());
            None
        }
    }
}

fn profile(at: &str, wish: &params::Sign, faults: &mut Faults) -> Profile {
    let length = path_length(&format!("{at}.path_length"), wish.path_length, faults);
    if length.is_some() && wish.profile != "ca" {
        faults.push(format!("{at}.path_length"), "is only for profile ca");
    }
    match wish.profile.as_str() {
        "client" => Profile::Client,
        "peer" => Profile::Peer,
        "request" => Profile::Request,
        "ca" => Profile::Authority {
            path_length: length.unwrap_or(0),
        },
        _ => Profile::Server,
    }
}

/// Checks `revoke`.
pub(crate) fn revocations(wishes: Vec<params::Revoke>, faults: &mut Faults) -> Vec<RevokeWish> {
    let each = wishes.iter().enumerate();
    each.filter_map(|(index, wish)| revocation(&format!("revoke[{index}]"), wish, faults))
        .collect()
}

fn revocation(at: &str, wish: &params::Revoke, faults: &mut Faults) -> Option<RevokeWish> {
    let authority = optional(
        &format!("{at}.authority"),
        Some(&wish.authority),
        AuthorityName::new,
        faults,
    );
    let reason = reason(&format!("{at}.reason"), &wish.reason, faults);
    let since = wish
        .at
        .as_ref()
        .and_then(|text| parsed(&format!("{at}.at"), text, faults));
    let subject = match (&wish.serial, &wish.certificate) {
        (Some(serial), None) => {
            parsed(&format!("{at}.serial"), serial, faults).map(RevocationSubject::Serial)
        }
        (None, Some(pem)) => match Certificate::from_pem(pem.as_bytes()) {
            Ok(certificate) => Some(RevocationSubject::Certificate(Box::new(certificate))),
            Err(error) => {
                faults.push(format!("{at}.certificate"), error.to_string());
                None
            }
        },
        _ => {
            faults.push(at, "give either serial or certificate");
            None
        }
    };
    Some(RevokeWish {
        authority: authority?,
        subject: subject?,
        reason,
        at: since,
    })
}

/// A reason; `unspecified` is said by leaving the extension out (RFC 5280 §5.3.1).
pub(crate) fn reason(path: &str, text: &str, faults: &mut Faults) -> Option<RevocationReason> {
    if text == "unspecified" {
        return None;
    }
    parsed(path, text, faults)
}

/// Checks `crl`.
pub(crate) fn lists(wish: Option<params::Crl>, faults: &mut Faults) -> CrlWish {
    let Some(wish) = wish else {
        return CrlWish {
            authorities: None,
            next_update: Lifetime(30 * 86_400),
            renew_before: RenewBefore::Share(33),
        };
    };
    CrlWish {
        authorities: Some(selection("crl.authorities", Some(wish.authorities), faults)),
        next_update: ttl("crl.next_update", Some(&wish.next_update), "30d", faults),
        renew_before: renew_before("crl.renew_before", &wish.renew_before, faults),
    }
}

/// `text` as a name, if given and sound.
fn optional<T>(
    path: &str,
    text: Option<&str>,
    check: impl Fn(&str) -> Result<T, String>,
    faults: &mut Faults,
) -> Option<T> {
    match check(text?) {
        Ok(value) => Some(value),
        Err(fault) => {
            faults.push(path, fault);
            None
        }
    }
}
