// SPDX-License-Identifier: Apache-2.0
//! Revocation (RFC 8555 §7.6), by the account or by the certificate's own key.

use pki::crl::RevocationReason;
use pki::jws::base64url;
use pki::{Certificate, PrivateKey};
use serde_json::{Value, json};
use web::Response;

use crate::jws::Signer;
use crate::{Account, Error, ProblemKind, Result, Server};

/// Since when a certificate is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Since before it was asked for; the reason of then stays.
    Before,
    /// Since now.
    Now,
}

impl Account {
    /// Revokes a certificate that the account ordered, or whose names it has proved.
    ///
    /// # Errors
    /// [`Error::Problem`] for a certificate or a reason that the server does not take; [`Error::Unsupported`].
    pub fn revoke(&self, certificate: &Certificate, reason: RevocationReason) -> Result<Revoked> {
        let url = revocation_url(self.server())?;
        let payload = payload(certificate, reason);
        revoke(|| self.post(url, Some(&payload)))
    }
}

/// Revokes a certificate with its own key, without any account.
///
/// # Errors
/// As [`Account::revoke`].
pub fn revoke_with_key(
    server: &Server,
    certificate: &Certificate,
    key: &PrivateKey,
    reason: RevocationReason,
) -> Result<Revoked> {
    let url = revocation_url(server)?;
    let payload = payload(certificate, reason);
    let signer = Signer { key, account: None };
    revoke(|| server.post(signer, url, Some(&payload), "application/json"))
}

/// What counts is that it is revoked. So who has not heard the answer asks again: who revokes twice does no harm.
fn revoke(ask: impl Fn() -> Result<Response>) -> Result<Revoked> {
    match ask() {
        Ok(_) => Ok(Revoked::Now),
        Err(error) if is_revoked(&error) => Ok(Revoked::Before),
        Err(error) if error.is_answer_lost() => match ask() {
            Ok(_) => Ok(Revoked::Now),
            // By the request whose answer was lost.
            Err(again) if is_revoked(&again) => Ok(Revoked::Now),
            Err(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

fn is_revoked(error: &Error) -> bool {
    matches!(error, Error::Problem { problem, .. } if problem.kind == ProblemKind::AlreadyRevoked)
}

fn revocation_url(server: &Server) -> Result<&str> {
    let url = server.directory().revoke_cert.as_deref();
    url.ok_or_else(|| server.lacks("revocation"))
}

fn payload(certificate: &Certificate, reason: RevocationReason) -> Value {
    let mut payload = json!({ "certificate": base64url(certificate.der()) });
    if reason != RevocationReason::Unspecified {
        payload["reason"] = reason.code().into();
    }
    payload
}
