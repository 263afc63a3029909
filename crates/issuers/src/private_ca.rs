// SPDX-License-Identifier: Apache-2.0
//! An authority whose certificate and key are files on this host.

use std::fmt;
use std::sync::{Arc, OnceLock};

use pki::chain::Trust;
use pki::crl::RevocationList;
use pki::{Authority, Certificate, CertificateRequest, KeyUsage, PrivateKey, Timestamp};

use crate::{Above, Error, Fidelity, Issued, Issuer, IssuerMatch, Material, Wish};

/// Reads and decrypts the key of the authority; called at most once, and only when something is
/// to be signed, so that a run which changes nothing never touches the key.
pub type AuthorityKey = Box<dyn Fn() -> Result<PrivateKey, Error> + Send + Sync>;

/// The public files of an authority, as read from the host.
pub struct CaFiles<'a> {
    /// PEM: the certificate of the authority first; certificates above it may follow.
    pub certificate: Material<'a>,
    /// PEM: certificates above the authority, any order.
    pub chain: Option<Material<'a>>,
    /// PEM: the root, when it is not in the chain.
    pub root: Option<Material<'a>>,
    /// PEM or DER: revocation list of the authority.
    pub crl: Option<Material<'a>>,
}

/// A certificate authority on this host, shared by all certificates and threads of a task.
pub struct PrivateCa {
    certificate: Certificate,
    above: Above,
    roots: Vec<Certificate>,
    crl: Option<RevocationList>,
    key: AuthorityKey,
    authority: OnceLock<Result<Authority, Arc<Error>>>,
}

impl PrivateCa {
    /// Reads the public side of an authority.
    ///
    /// # Errors
    /// [`Error::Material`] for what is not PEM, [`Error::CaFlags`] for a certificate that is no CA,
    /// [`Error::ChainIncomplete`] and [`Error::CrlForeign`] for files of something else.
    pub fn new(files: &CaFiles<'_>, key: AuthorityKey) -> Result<Self, Error> {
        let mut given = files.certificate.certificates()?;
        let certificate = given.remove(0);
        check_flags(&certificate)?;
        if let Some(chain) = &files.chain {
            given.extend(chain.certificates()?);
        }
        let root = files
            .root
            .as_ref()
            .map(Material::certificates)
            .transpose()?
            .map(|mut roots| roots.remove(0));
        given.extend(root.clone());
        let above = above_leaf(&certificate, given);
        if let Some(root) = root.filter(|root| above.root.as_ref() != Some(root)) {
            return Err(Error::ChainIncomplete {
                subject: certificate.facts().subject.to_string(),
                root: root.facts().subject.to_string(),
            });
        }
        let crl = files
            .crl
            .as_ref()
            .map(|crl| read_crl(crl, &certificate))
            .transpose()?;
        let roots = above.root.iter().cloned().collect();
        Ok(Self {
            certificate,
            above,
            roots,
            crl,
            key,
            authority: OnceLock::new(),
        })
    }

    /// The certificate of the authority.
    #[must_use]
    pub fn authority_certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn check_dates(&self, now: Timestamp) -> Result<(), Error> {
        let facts = self.certificate.facts();
        let subject = || facts.subject.to_string();
        if now < facts.not_before {
            return Err(Error::CaNotYetValid {
                subject: subject(),
                not_before: facts.not_before,
                now,
            });
        }
        if now >= facts.not_after {
            return Err(Error::CaExpired {
                subject: subject(),
                not_after: facts.not_after,
            });
        }
        Ok(())
    }

    /// Reads the key once, whatever comes of it: a slow passphrase is not tried for each certificate.
    fn unlocked(&self) -> Result<&Authority, Error> {
        let authority = self
            .authority
            .get_or_init(|| self.unlock().map_err(Arc::new));
        authority
            .as_ref()
            .map_err(|error| Error::Shared(Arc::clone(error)))
    }

    fn unlock(&self) -> Result<Authority, Error> {
        let key = (self.key)()?;
        let public = key.public_key().map_err(|source| self.refused(source))?;
        if public != *self.certificate.public_key() {
            return Err(Error::CaKeyMismatch {
                subject: self.certificate.facts().subject.to_string(),
            });
        }
        let chain = self
            .above
            .intermediates
            .iter()
            .skip(1)
            .chain(&self.above.root);
        let chain = chain
            .filter(|above| **above != self.certificate)
            .cloned()
            .collect();
        Authority::new(self.certificate.clone(), key, chain).map_err(|source| self.refused(source))
    }

    fn refused(&self, source: pki::Error) -> Error {
        Error::Issue {
            issuer: self.name(),
            source: Box::new(source),
        }
    }
}

impl Issuer for PrivateCa {
    fn name(&self) -> &'static str {
        "private_ca"
    }

    fn fidelity(&self) -> Fidelity {
        Fidelity::Exact
    }

    fn prepare(&self, now: Timestamp) -> Result<(), Error> {
        self.check_dates(now)?;
        self.unlocked().map(|_| ())
    }

    fn obtainable(&self, wished: Timestamp) -> Timestamp {
        wished.min(self.certificate.facts().not_after)
    }

    fn issue(&self, request: &CertificateRequest, wish: &Wish<'_>) -> Result<Issued, Error> {
        let begin = wish.not_before.max(self.certificate.facts().not_before);
        let template = crate::template(
            wish.template.clone(),
            begin,
            self.obtainable(wish.not_after),
        );
        let certificate = self
            .unlocked()?
            .sign(&template, &request.public_key())
            .map_err(|source| self.refused(source))?;
        let mut pem = certificate.to_pem();
        for above in self.above.intermediates.iter().chain(&self.above.root) {
            pem.push_str(&above.to_pem());
        }
        Ok(Issued::Bytes {
            pem: pem.into_bytes(),
        })
    }

    fn issued(&self, certificate: &Certificate, _above: &[Certificate]) -> IssuerMatch {
        if certificate.signed_by(&self.certificate) {
            return IssuerMatch::Ours;
        }
        let (has, ours) = (
            certificate.facts().issuer.to_string(),
            self.certificate.facts().subject.to_string(),
        );
        if has == ours {
            IssuerMatch::Other(format!("signed by another key of '{ours}'"))
        } else {
            IssuerMatch::Other(format!("issued by '{has}', the CA is '{ours}'"))
        }
    }

    fn revoked(&self, certificate: &Certificate) -> Option<String> {
        let revocation = self.crl.as_ref()?.revoked(&certificate.facts().serial)?;
        let reason = revocation
            .reason
            .map(|reason| format!(", {reason}"))
            .unwrap_or_default();
        Some(format!(
            "serial {} revoked at {}{reason}",
            certificate.facts().serial,
            revocation.at
        ))
    }

    fn above(&self) -> Option<&Above> {
        Some(&self.above)
    }

    fn trust(&self) -> Trust<'_> {
        if self.roots.is_empty() {
            Trust::Partial
        } else {
            Trust::Roots(&self.roots)
        }
    }

    fn warnings(&self, now: Timestamp) -> Vec<String> {
        let next = self.crl.as_ref().and_then(RevocationList::next_update);
        next.filter(|next| *next < now)
            .map(|next| {
                let subject = &self.certificate.facts().subject;
                format!("the revocation list of the CA '{subject}' is out of date since {next}; fetch a new one")
            })
            .into_iter()
            .collect()
    }
}

impl fmt::Debug for PrivateCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            certificate,
            above: _,
            roots: _,
            crl: _,
            key: _,
            authority: _,
        } = self;
        f.debug_struct("PrivateCa")
            .field("subject", &certificate.facts().subject)
            .finish_non_exhaustive()
    }
}

fn check_flags(certificate: &Certificate) -> Result<(), Error> {
    let facts = certificate.facts();
    let refuse = |missing| {
        Err(Error::CaFlags {
            subject: facts.subject.to_string(),
            missing,
        })
    };
    if !facts
        .basic_constraints
        .as_ref()
        .is_some_and(|constraints| constraints.ca)
    {
        return refuse("basicConstraints does not say CA:TRUE");
    }
    if !facts.key_usage.is_empty() && !facts.key_usage.contains(&KeyUsage::KeyCertSign) {
        return refuse("keyUsage does not contain keyCertSign");
    }
    Ok(())
}

/// What stands above a certificate that `authority` signs.
fn above_leaf(authority: &Certificate, pool: Vec<Certificate>) -> Above {
    if crate::is_root(authority) {
        return Above {
            intermediates: Vec::new(),
            root: Some(authority.clone()),
        };
    }
    let mut above = Above::over(authority, pool);
    above.intermediates.insert(0, authority.clone());
    above
}

fn read_crl(crl: &Material<'_>, authority: &Certificate) -> Result<RevocationList, Error> {
    let read = if crl.bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        RevocationList::from_pem(crl.bytes)
    } else {
        RevocationList::from_der(crl.bytes)
    };
    let crl = read.map_err(|source| Error::Crl {
        what: crl.what.clone(),
        source: Box::new(source),
    })?;
    if crl.is_signed_by(authority) {
        return Ok(crl);
    }
    Err(Error::CrlForeign {
        subject: authority.facts().subject.to_string(),
        issuer: crl.issuer().to_string(),
    })
}
