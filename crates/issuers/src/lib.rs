// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! Who turns a request into a certificate.
//!
//! One file per issuer, one trait for all. An issuer does no file work: the executable reads what
//! the options name and hands over bytes, and what an issuer returns is bytes again, which only
//! [`pki::chain::verify`] turns into something that may be installed.
//!
//! An issuer that asks somebody else answers [`Issued::Pending`] until the other side has decided. [`Acme`] and [`Vault`]
//! are servers that the executable asks, once for all certificates of a task where that is possible, so they are given the
//! answers before. [`Certmonger`] is the exception: it keeps the key itself.

mod acme;
mod certmonger;
mod error;
mod external;
mod private_ca;
mod provided;
mod self_signed;
mod vault;

pub use acme::{Acme, Kept};
pub use certmonger::Certmonger;
pub use error::{Error, chain_kind};
pub use external::{External, Signed};
pub use private_ca::{AuthorityKey, CaFiles, PrivateCa};
pub use provided::{Provided, ProvidedFiles};
pub use self_signed::SelfSigned;
pub use vault::{Issuing, Vault};

use pki::chain::Trust;
use pki::{
    Certificate, CertificateRequest, CertificateTemplate, PrivateKey, RequestTemplate, Timestamp,
};

/// Bytes from a file or an option, with the words by which a message speaks of them.
pub struct Material<'a> {
    /// For instance "the CA certificate '/etc/pki/ca.pem'".
    pub what: String,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl Material<'_> {
    fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        pki::chain::parse_bundle(self.bytes).map_err(|source| Error::Bundle {
            what: self.what.clone(),
            source: Box::new(source),
        })
    }
}

/// What is wanted of an issuer beside the request itself.
pub struct Wish<'a> {
    /// Subject, names and usages, as in the request.
    pub template: &'a RequestTemplate,
    /// The key of the request; only an issuer for which the subject itself signs looks at it.
    pub key: &'a PrivateKey,
    /// Begin of the wished validity.
    pub not_before: Timestamp,
    /// End of the wished validity; an issuer may give less.
    pub not_after: Timestamp,
    /// The present.
    pub now: Timestamp,
}

/// What an issuer gives.
#[derive(Debug)]
pub enum Issued {
    /// The certificate and those above it as PEM, in any order and not yet trusted.
    Bytes {
        /// PEM text.
        pem: Vec<u8>,
    },
    /// The request waits for somebody; a later run asks again.
    Pending {
        /// For whom or what, for the operator.
        waits_for: String,
    },
}

/// Is a certificate one that this issuer would give today?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerMatch {
    /// Yes, as far as the issuer can tell.
    Ours,
    /// No; the text says which issuer it has.
    Other(String),
}

/// How literally an issuer follows a wish; decides what is compared with an installed certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// Subject, names and usages are exactly those of the wish.
    Exact,
    /// The names are exactly those of the wish; the issuer chooses subject and usages.
    ExactNames,
    /// The wished names are there; the issuer may add names and choose subject and usages.
    NamesAtLeast,
    /// The certificate is the wish: only the wished names are required of it.
    Given,
}

/// The certificates above the leaf that an issuer puts there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Above {
    /// From the issuer of the leaf upwards, without the root.
    pub intermediates: Vec<Certificate>,
    /// The self-signed end, when it is known.
    pub root: Option<Certificate>,
}

impl Above {
    /// What stands above `certificate`, found in `pool` by the signatures; what does not belong is left out.
    #[must_use]
    pub fn over(certificate: &Certificate, mut pool: Vec<Certificate>) -> Self {
        let mut above = Self::default();
        if is_root(certificate) {
            return above;
        }
        let mut current = certificate.clone();
        while let Some(next) = pool
            .iter()
            .position(|candidate| current.signed_by(candidate))
        {
            current = pool.swap_remove(next);
            if is_root(&current) {
                above.root = Some(current);
                break;
            }
            above.intermediates.push(current.clone());
        }
        above
    }
}

fn is_root(certificate: &Certificate) -> bool {
    certificate.is_self_issued() && certificate.signed_by(certificate)
}

/// One way to get a certificate.
pub trait Issuer: Send + Sync {
    /// The word of the option.
    fn name(&self) -> &'static str;

    /// How literally it follows a wish.
    fn fidelity(&self) -> Fidelity;

    /// Everything that can be known before a key is generated: is the issuer able to issue now?
    ///
    /// # Errors
    /// What stands in the way, see [`Error`].
    fn prepare(&self, now: Timestamp) -> Result<(), Error>;

    /// The latest end that the issuer can give when `wished` is asked for.
    fn obtainable(&self, wished: Timestamp) -> Timestamp;

    /// Asks for the certificate.
    ///
    /// # Errors
    /// Why there is none, see [`Error`].
    fn issue(&self, request: &CertificateRequest, wish: &Wish<'_>) -> Result<Issued, Error>;

    /// Is `certificate`, with `above` installed beside it, still what this issuer gives?
    fn issued(&self, certificate: &Certificate, above: &[Certificate]) -> IssuerMatch;

    /// When and why the issuer revoked the certificate, if it is known to have done so.
    fn revoked(&self, certificate: &Certificate) -> Option<String>;

    /// The certificates above, when the issuer determines them; `None` when they come with the leaf.
    fn above(&self) -> Option<&Above>;

    /// What a path must lead to before the certificate may be installed.
    fn trust(&self) -> Trust<'_>;

    /// The key, for an issuer which brings it along.
    fn key(&self) -> Option<&PrivateKey> {
        None
    }

    /// The certificate, for an issuer which has it before it is asked.
    fn certificate(&self) -> Option<&Certificate> {
        None
    }

    /// What the operator should know although it hinders nothing now.
    fn warnings(&self, now: Timestamp) -> Vec<String> {
        let _ = now;
        Vec::new()
    }
}

/// A certificate with nothing in it but what the request says.
fn template(
    request: RequestTemplate,
    not_before: Timestamp,
    not_after: Timestamp,
) -> CertificateTemplate {
    CertificateTemplate {
        request,
        not_before,
        not_after,
        name_constraints: None,
        policies: Vec::new(),
        crl_urls: Vec::new(),
        issuer_urls: Vec::new(),
        ocsp_urls: Vec::new(),
        serial: None,
    }
}

#[cfg(test)]
mod tests;
