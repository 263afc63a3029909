// SPDX-License-Identifier: Apache-2.0
//! The certificate authority, and who asks it.

use std::path::PathBuf;

use acme::ExternalAccount;
use ansible_module::Faults;
use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use pki::jws::HmacAlgorithm;
use zeroize::Zeroizing;

use super::{Phase, absolute};
use crate::params::{EabParams, Params};

/// Who asks the certificate authority.
#[derive(Debug)]
pub struct AccountWish {
    /// The file of its key.
    pub key: PathBuf,
    /// Whether it is made where there is none.
    pub create: bool,
    /// An account of another program that is taken over where there is no key.
    pub import: Option<PathBuf>,
    /// The only account that may be used.
    pub uri: Option<String>,
    /// `mailto:` URLs.
    pub contacts: Vec<String>,
    /// Whether the user agrees to the terms of service.
    pub terms_agreed: bool,
    /// Credentials from the server's operator.
    pub external: Option<ExternalAccount>,
}

/// The certificate authority.
#[derive(Debug)]
pub struct Authority {
    /// Its directory.
    pub directory: String,
    /// A file with the authorities of its own certificate, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Who asks it; none where a certificate's own key does.
    pub account: Option<AccountWish>,
}

pub(super) fn authority(params: &Params, phase: Phase, faults: &mut Faults) -> Option<Authority> {
    let directory = acme::directory_url(params.directory.as_deref()?).to_owned();
    if !directory.starts_with("https://") {
        faults.push(
            "directory",
            format!("'{directory}' is neither letsencrypt, letsencrypt-staging nor an https URL"),
        );
    }
    let account = account(params, faults);
    let ca_file = params.ca_file.as_deref();
    (!phase.is_of_records()).then_some(())?;
    Some(Authority {
        directory,
        ca_file: ca_file.and_then(|path| absolute("ca_file", path, faults)),
        account,
    })
}

fn account(params: &Params, faults: &mut Faults) -> Option<AccountWish> {
    let external = params.eab.as_ref().and_then(|eab| external(eab, faults));
    for (index, contact) in params.contact.iter().enumerate() {
        if !contact.contains(':') {
            faults.push(
                format!("contact[{index}]"),
                format!("'{contact}' is no URL; write mailto:{contact}"),
            );
        }
    }
    let import = params.account_import.as_deref();
    let import = import.and_then(|path| absolute("account_import", path, faults));
    let key = params.account_key.as_deref();
    let key = key.and_then(|key| absolute("account_key", key, faults));
    Some(AccountWish {
        key: key?,
        create: params.account_create,
        import,
        uri: params.account_uri.clone(),
        contacts: params.contact.clone(),
        terms_agreed: params.terms_agreed,
        external,
    })
}

fn external(eab: &EabParams, faults: &mut Faults) -> Option<ExternalAccount> {
    let text = eab.hmac_key.expose().trim().as_bytes();
    let secret = BASE64URL_NOPAD
        .decode(text)
        .or_else(|_| BASE64URL.decode(text));
    let secret = secret
        .map(Zeroizing::new)
        .map_err(|_| faults.push("eab.hmac_key", "is not base64url"))
        .ok()?;
    let algorithm = match eab.algorithm.as_str() {
        "HS384" => HmacAlgorithm::Hs384,
        "HS512" => HmacAlgorithm::Hs512,
        _ => HmacAlgorithm::Hs256,
    };
    Some(ExternalAccount {
        kid: eab.kid.clone(),
        secret,
        algorithm,
    })
}
