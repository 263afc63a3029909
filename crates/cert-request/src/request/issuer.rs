// SPDX-License-Identifier: Apache-2.0
//! Who signs, with exactly the settings of that issuer.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::acme::{AcmeSpec, acme_spec};
use super::certmonger::{CertmongerSpec, certmonger_spec};
use super::vault::{VaultSpec, vault_spec};
use super::{DesiredState, Merged, Notes};
use crate::params::{ExternalParams, IssuerParams, PrivateCaParams, ProvidedParams};

/// Bytes in a file of the host or in the option itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// In the option.
    Inline(Zeroizing<Vec<u8>>),
    /// In a file.
    Path(PathBuf),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("Inline"),
            Self::Path(path) => path.fmt(f),
        }
    }
}

/// An authority whose files are on the host. Entries with equal settings share one.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateCaSpec {
    /// Certificate of the authority.
    pub certificate: PathBuf,
    /// Its key.
    pub private_key: PathBuf,
    /// Passphrase of the key.
    pub passphrase: Option<Zeroizing<Vec<u8>>>,
    /// Certificates above.
    pub chain: Option<PathBuf>,
    /// The root.
    pub root: Option<PathBuf>,
    /// Revocation list.
    pub crl: Option<PathBuf>,
}

impl fmt::Debug for PrivateCaSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateCaSpec")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

/// The user's own set.
#[derive(Debug)]
pub struct ProvidedSpec {
    /// The certificate.
    pub certificate: Source,
    /// The key.
    pub private_key: Source,
    /// Certificates above.
    pub chain: Option<Source>,
    /// Passphrase of the key.
    pub passphrase: Option<Zeroizing<Vec<u8>>>,
}

/// Exactly one issuer.
#[derive(Debug)]
pub enum IssuerSpec {
    /// An ACME server.
    Acme(Box<AcmeSpec>),
    /// Somebody outside.
    External {
        /// What came back.
        signed: Option<Source>,
        /// Roots that the path must end in.
        trust: Option<PathBuf>,
    },
    /// certmonger makes the key, asks for the certificate and renews it.
    Certmonger(Box<CertmongerSpec>),
    /// An authority on this host.
    PrivateCa(PrivateCaSpec),
    /// The user's own set.
    Provided(ProvidedSpec),
    /// The subject.
    SelfSigned,
    /// A Vault or OpenBao.
    Vault(Box<VaultSpec>),
}

/// The issuer of an entry.
pub(crate) fn issuer(
    merged: &Merged<'_>,
    state: DesiredState,
    notes: &mut Notes,
) -> Option<IssuerSpec> {
    let Some((issuer, path)) = merged.issuer() else {
        notes.fault(
            merged.at("issuer"),
            "required: choose self_signed, private_ca, external, provided, certmonger, acme or vault",
        );
        return None;
    };
    let IssuerParams {
        self_signed,
        private_ca,
        external,
        provided,
        certmonger,
        acme,
        vault,
    } = issuer;
    for option in self_signed.iter().flat_map(serde_json::Map::keys) {
        let at = format!("{path}.self_signed.{option}");
        notes.fault(
            at,
            "unknown option; self_signed has none, write 'self_signed: {}'",
        );
    }
    let mut chosen: Vec<Option<IssuerSpec>> = Vec::new();
    chosen.extend(self_signed.as_ref().map(|_| Some(IssuerSpec::SelfSigned)));
    chosen.extend(
        private_ca
            .as_ref()
            .map(|given| private_ca_spec(&format!("{path}.private_ca"), given, notes)),
    );
    chosen.extend(
        external
            .as_ref()
            .map(|given| external_spec(&format!("{path}.external"), given, notes)),
    );
    chosen.extend(
        provided
            .as_ref()
            .map(|given| provided_spec(&format!("{path}.provided"), given, notes)),
    );
    chosen.extend(certmonger.as_ref().map(|given| {
        certmonger_spec(&format!("{path}.certmonger"), given, merged, state, notes)
            .map(|spec| IssuerSpec::Certmonger(Box::new(spec)))
    }));
    chosen.extend(acme.as_ref().map(|given| {
        acme_spec(&format!("{path}.acme"), given, notes)
            .map(|spec| IssuerSpec::Acme(Box::new(spec)))
    }));
    chosen.extend(vault.as_ref().map(|given| {
        vault_spec(&format!("{path}.vault"), given, merged, notes)
            .map(|spec| IssuerSpec::Vault(Box::new(spec)))
    }));
    if chosen.len() != 1 {
        const WORDS: &str = "self_signed, private_ca, external, provided, certmonger, acme, vault";
        let message = match chosen.len() {
            0 => format!(
                "no issuer is given; choose one of {WORDS}, with a dictionary as in 'self_signed: {{}}'"
            ),
            count => format!("{count} issuers are given; choose exactly one of {WORDS}"),
        };
        notes.fault(path, message);
        return None;
    }
    chosen.pop().flatten()
}

fn secret(text: Option<&ansible_module::Secret<String>>) -> Option<Zeroizing<Vec<u8>>> {
    text.map(|text| Zeroizing::new(text.expose().as_bytes().to_vec()))
}

fn private_ca_spec(path: &str, given: &PrivateCaParams, notes: &mut Notes) -> Option<IssuerSpec> {
    let mut file = |option: &str, text: &str| notes.absolute(&format!("{path}.{option}"), text);
    let certificate = file("certificate", &given.certificate);
    let private_key = file("private_key", &given.private_key);
    let chain = given.chain.as_deref().map(|text| file("chain", text));
    let root = given.root.as_deref().map(|text| file("root", text));
    let crl = given.crl.as_deref().map(|text| file("crl", text));
    Some(IssuerSpec::PrivateCa(PrivateCaSpec {
        certificate: certificate?,
        private_key: private_key?,
        passphrase: secret(given.passphrase.as_ref()),
        chain: chain.flatten(),
        root: root.flatten(),
        crl: crl.flatten(),
    }))
}

fn inline(text: &str) -> Source {
    Source::Inline(Zeroizing::new(text.as_bytes().to_vec()))
}

/// One of two options: a path, or the text itself under `{option}_content`.
fn source(
    path: &str,
    options: (&str, &str),
    given: (Option<&str>, Option<&str>),
    notes: &mut Notes,
) -> Option<Source> {
    match given {
        (Some(_), Some(_)) => {
            notes.fault(
                format!("{path}.{}", options.1),
                format!("contradicts '{}'; give one of them", options.0),
            );
            None
        }
        (Some(file), None) => notes
            .absolute(&format!("{path}.{}", options.0), file)
            .map(Source::Path),
        (None, Some(text)) => Some(inline(text)),
        (None, None) => None,
    }
}

fn external_spec(path: &str, given: &ExternalParams, notes: &mut Notes) -> Option<IssuerSpec> {
    // An empty text is what a template gives before there is an answer.
    let text = given
        .signed
        .as_deref()
        .filter(|text| !text.trim().is_empty());
    let signed = source(
        path,
        ("signed_path", "signed"),
        (given.signed_path.as_deref(), text),
        notes,
    );
    let trust = given
        .trust
        .as_deref()
        .and_then(|text| notes.absolute(&format!("{path}.trust"), text));
    Some(IssuerSpec::External { signed, trust })
}

fn provided_spec(path: &str, given: &ProvidedParams, notes: &mut Notes) -> Option<IssuerSpec> {
    let key_text = given
        .private_key_content
        .as_ref()
        .map(|text| text.expose().as_str());
    let mut one =
        |option: &'static str, content: &'static str, file: Option<&str>, text: Option<&str>| {
            source(path, (option, content), (file, text), notes)
        };
    let certificate = one(
        "certificate",
        "certificate_content",
        given.certificate.as_deref(),
        given.certificate_content.as_deref(),
    );
    let private_key = one(
        "private_key",
        "private_key_content",
        given.private_key.as_deref(),
        key_text,
    );
    let chain = one(
        "chain",
        "chain_content",
        given.chain.as_deref(),
        given.chain_content.as_deref(),
    );
    for (option, is_missing) in [
        (
            "certificate",
            given.certificate.is_none() && given.certificate_content.is_none(),
        ),
        (
            "private_key",
            given.private_key.is_none() && given.private_key_content.is_none(),
        ),
    ] {
        if is_missing {
            notes.fault(
                format!("{path}.{option}"),
                format!("required: give '{option}' or '{option}_content'"),
            );
        }
    }
    Some(IssuerSpec::Provided(ProvidedSpec {
        certificate: certificate?,
        private_key: private_key?,
        chain,
        passphrase: secret(given.passphrase.as_ref()),
    }))
}
