// SPDX-License-Identifier: Apache-2.0
//! What there is: the request, the certificate in service, and its files.

use std::path::{Path, PathBuf};

use acme::Identifier;
use data_encoding::HEXLOWER;
use pki::{Certificate, CertificateRequest, chain};
use tls_files::Observed;

use crate::failure::CertificateError;
use crate::request::{CertificateWish, Content, CsrSource, Request};

/// What was found of one certificate.
#[derive(Debug)]
pub struct Seen {
    /// The request.
    pub csr: CertificateRequest,
    /// Its names.
    pub identifiers: Vec<Identifier>,
    /// The certificate in service with what vouches for it, as far as a file has it.
    pub current: Vec<Certificate>,
    /// Files that have not what they should, given the certificate in service.
    pub drifted: Vec<PathBuf>,
    /// Whether a later certificate was issued than the one in the place that the user names.
    pub undelivered: bool,
    /// Whether a task has revoked the certificate in service.
    pub revoked: bool,
}

impl Seen {
    /// The certificate in service.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.current.first()
    }
}

/// Where an issued chain is kept, whatever becomes of the other files.
pub fn kept(request: &Request, wish: &CertificateWish) -> PathBuf {
    request.state_dir.join(format!("{}.pem", wish.name))
}

/// Where an unfinished order is kept.
pub fn state(request: &Request, name: &str) -> PathBuf {
    request.state_dir.join(format!("{name}.json"))
}

/// What the server said of the renewal.
pub fn renewal(request: &Request, wish: &CertificateWish) -> PathBuf {
    request.state_dir.join(format!("{}.ari", wish.name))
}

/// Where it is noted that a task has revoked a certificate, whatever its name in that task.
pub fn revoked(request: &Request, certificate: &Certificate) -> PathBuf {
    let digest = HEXLOWER.encode(&certificate.fingerprint_sha256());
    request.state_dir.join(format!("{digest}.revoked"))
}

/// Whether a task has revoked a certificate.
///
/// # Errors
/// A note that cannot be read.
pub fn is_revoked(request: &Request, certificate: &Certificate) -> Result<bool, CertificateError> {
    Ok(read(&revoked(request, certificate))?.is_some())
}

/// Looks.
///
/// # Errors
/// A request that cannot be used, and files that cannot be read: they are never taken for absent.
pub fn observe(request: &Request, wish: &CertificateWish) -> Result<Seen, CertificateError> {
    let csr = csr(&wish.csr)?;
    csr.verify_signature()?;
    let names = csr.template()?.names;
    let identifiers = Identifier::all_of(&names).map_err(CertificateError::Names)?;
    if identifiers.is_empty() {
        return Err(CertificateError::Names(String::from(
            "it has no subjectAltName; CAs do not look at the common name",
        )));
    }
    let (current, undelivered) = current(request, wish, &csr)?;
    let revoked = match current.first() {
        Some(leaf) => is_revoked(request, leaf)?,
        None => false,
    };
    let mut drifted = Vec::new();
    for file in &wish.files {
        let wanted = content(file.content, &current);
        let has = read(&file.target.path)?;
        if has.as_deref() != Some(wanted.as_bytes()) {
            drifted.push(file.target.path.clone());
        }
    }
    Ok(Seen {
        csr,
        identifiers,
        current,
        drifted,
        undelivered,
        revoked,
    })
}

/// What belongs into a file.
pub fn content(content: Content, chain: &[Certificate]) -> String {
    let skipped = usize::from(content == Content::Chain);
    let taken = if content == Content::Certificate {
        1
    } else {
        usize::MAX
    };
    let each = chain.iter().skip(skipped).take(taken);
    each.map(Certificate::to_pem).collect()
}

/// The request of a certificate.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn csr(source: &CsrSource) -> Result<CertificateRequest, CertificateError> {
    let path = match source {
        CsrSource::Given(request) => return Ok(request.as_ref().clone()),
        CsrSource::File(path) => path,
    };
    let unreadable = |reason: String| CertificateError::Unreadable {
        what: "the certificate request",
        path: path.clone(),
        reason,
    };
    let text = read(path)?.ok_or_else(|| unreadable(String::from("it does not exist")))?;
    CertificateRequest::from_pem(&text).map_err(|error| unreadable(error.to_string()))
}

/// The first of the places that has one: the file that the user names, what was kept, then the files themselves, as
/// another program may have written them. A later one that was kept for this request counts before the user's file: it was
/// issued and never got there. Whether that is so is told, too.
fn current(
    request: &Request,
    wish: &CertificateWish,
    csr: &CertificateRequest,
) -> Result<(Vec<Certificate>, bool), CertificateError> {
    let named = match &wish.current {
        Some(path) => bundle(path)?,
        None => None,
    };
    let kept = match bundle(&kept(request, wish)) {
        // Nobody needs it where the user says what is in service.
        Err(_) if named.is_some() => None,
        kept => kept?,
    };
    match (named, kept) {
        (Some(named), Some(kept)) if is_news(&kept, &named, csr) => return Ok((kept, true)),
        (Some(found), _) | (None, Some(found)) => return Ok((found, false)),
        (None, None) => {}
    }
    for wanted in [Content::Fullchain, Content::Certificate] {
        if let Some(file) = wish.files.iter().find(|file| file.content == wanted)
            && let Some(found) = bundle(&file.target.path)?
        {
            return Ok((found, false));
        }
    }
    Ok((Vec::new(), false))
}

/// Whether the first is of this request and not older than the second.
fn is_news(kept: &[Certificate], named: &[Certificate], csr: &CertificateRequest) -> bool {
    let (Some(kept), Some(named)) = (kept.first(), named.first()) else {
        return false;
    };
    *kept.public_key() == csr.public_key()
        && kept.fingerprint_sha256() != named.fingerprint_sha256()
        && kept.facts().not_before >= named.facts().not_before
}

fn bundle(path: &Path) -> Result<Option<Vec<Certificate>>, CertificateError> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    let found = chain::parse_bundle(&text).map_err(|error| CertificateError::Unreadable {
        what: "the certificate in service",
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Some(found))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, CertificateError> {
    match tls_files::observe(path) {
        Observed::Absent => Ok(None),
        Observed::Present(file) => Ok(Some(file.bytes.to_vec())),
        Observed::Unreadable(error) => Err(error.into()),
    }
}
