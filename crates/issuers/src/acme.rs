// SPDX-License-Identifier: Apache-2.0
//! An ACME server. It is asked by the executable, for all certificates of a task together; what is here is what it gave,
//! and the judgement of a certificate that is installed.

use pki::chain::Trust;
use pki::{Certificate, CertificateRequest, Timestamp};

use crate::{Above, Error, Fidelity, Issued, Issuer, IssuerMatch, Wish};

/// What was ordered last, and of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The directory of the server.
    pub directory: String,
    /// The profile that was asked for.
    pub profile: Option<String>,
    /// The certificate and those above it.
    pub chain: Vec<Certificate>,
}

impl Kept {
    /// The certificate.
    #[must_use]
    pub fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }
}

/// A server, as far as one certificate is concerned.
#[derive(Debug, Default)]
pub struct Acme {
    directory: String,
    profile: Option<String>,
    kept: Option<Kept>,
    given: Option<Given>,
}

#[derive(Debug)]
enum Given {
    Chain(Vec<u8>),
    Pending(String),
}

impl Acme {
    /// The server of a directory, the profile that is asked for, and what was ordered before.
    #[must_use]
    pub fn new(directory: &str, profile: Option<&str>, kept: Option<Kept>) -> Self {
        Self {
            directory: directory.to_owned(),
            profile: profile.map(str::to_owned),
            kept,
            given: None,
        }
    }

    /// It gave this chain, in PEM.
    #[must_use]
    pub fn with_chain(&self, pem: Vec<u8>) -> Self {
        self.with(Given::Chain(pem))
    }

    /// It is not done.
    #[must_use]
    pub fn waiting(&self, waits_for: &str) -> Self {
        self.with(Given::Pending(waits_for.to_owned()))
    }

    fn with(&self, given: Given) -> Self {
        Self {
            directory: self.directory.clone(),
            profile: self.profile.clone(),
            kept: self.kept.clone(),
            given: Some(given),
        }
    }

    /// What was ordered before.
    #[must_use]
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }
}

impl Issuer for Acme {
    fn name(&self) -> &'static str {
        "acme"
    }

    fn fidelity(&self) -> Fidelity {
        Fidelity::ExactNames
    }

    fn prepare(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    /// It is not told for how long, and gives the same each time: a later end than that of any certificate.
    fn obtainable(&self, _wished: Timestamp) -> Timestamp {
        Timestamp(i64::MAX)
    }

    fn issue(&self, _request: &CertificateRequest, _wish: &Wish<'_>) -> Result<Issued, Error> {
        match &self.given {
            Some(Given::Chain(pem)) => Ok(Issued::Bytes { pem: pem.clone() }),
            Some(Given::Pending(waits_for)) => Ok(Issued::Pending {
                waits_for: waits_for.clone(),
            }),
            None => Err(Error::NotOrdered),
        }
    }

    /// Nothing in a certificate says from which directory it is: a test server may have the same names. So it is ours if
    /// it is the one that was ordered there.
    fn issued(&self, certificate: &Certificate, _above: &[Certificate]) -> IssuerMatch {
        let is_it = |kept: &&Kept| kept.leaf() == Some(certificate);
        match self.kept.as_ref().filter(is_it) {
            Some(kept) if kept.directory == self.directory && kept.profile == self.profile => {
                IssuerMatch::Ours
            }
            Some(kept) if kept.directory == self.directory => {
                let words = |profile: &Option<String>| {
                    let name = profile.as_ref();
                    name.map_or_else(
                        || String::from("no profile"),
                        |name| format!("the profile '{name}'"),
                    )
                };
                IssuerMatch::Other(format!(
                    "ordered with {}, not with {}",
                    words(&kept.profile),
                    words(&self.profile)
                ))
            }
            Some(kept) => IssuerMatch::Other(format!(
                "ordered from {}, not from {}",
                kept.directory, self.directory
            )),
            None => IssuerMatch::Other(format!(
                "issued by '{}', and not ordered from {} here",
                certificate.facts().issuer,
                self.directory
            )),
        }
    }

    fn revoked(&self, _certificate: &Certificate) -> Option<String> {
        None
    }

    fn above(&self) -> Option<&Above> {
        None
    }

    /// As far as the server sends it: which roots clients trust is not known here.
    fn trust(&self) -> Trust<'_> {
        Trust::Partial
    }
}
