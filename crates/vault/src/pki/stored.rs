// SPDX-License-Identifier: Apache-2.0
//! What a mount has issued and shows to everybody.

use serde_json::{Value, json};

use super::Mount;
use crate::{Answer, Error, Repeat, Result};

/// A certificate that the mount has issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// In PEM.
    pub certificate: String,
    /// When it was revoked, in seconds since 1970.
    pub revoked_at: Option<i64>,
}

impl Mount<'_> {
    /// A certificate by its serial number, in pairs with colons or dashes; `None` if the mount has not kept it.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn certificate(&self, serial: &str) -> Result<Option<Stored>> {
        let serial = serial.replace(':', "-");
        let found = self.vault.read(&self.below(&format!("cert/{serial}")))?;
        let stored = |answer: Answer| -> Result<Stored> {
            let at = answer.data.get("revocation_time").and_then(Value::as_i64);
            Ok(Stored {
                certificate: answer.text("certificate")?.to_owned(),
                revoked_at: at.filter(|at| *at > 0),
            })
        };
        found.map(stored).transpose()
    }

    /// The serial numbers of all that it has kept.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn certificates(&self) -> Result<Vec<String>> {
        self.vault.list(&self.below("certs"))
    }

    /// The serial numbers of all that it has revoked.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn revoked_certificates(&self) -> Result<Vec<String>> {
        self.vault.list(&self.below("certs/revoked"))
    }

    /// Revokes a certificate by its serial number; when, in seconds since 1970. Doing so again changes nothing.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn revoke(&self, serial: &str) -> Result<i64> {
        let body = json!({"serial_number": serial.replace(':', "-")});
        let answer = self
            .vault
            .write(&self.below("revoke"), &body, Repeat::Safe)?;
        answer.number("revocation_time")
    }

    /// The certificate of the default issuer, in PEM; `None` without one.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn ca_pem(&self) -> Result<Option<String>> {
        self.pem("ca/pem")
    }

    /// The default issuer and its chain, in PEM; `None` without one.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn ca_chain_pem(&self) -> Result<Option<String>> {
        self.pem("ca_chain")
    }

    /// The list of revoked certificates of an issuer, or of the default one, in PEM; `None` without one.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn crl_pem(&self, issuer: Option<&str>) -> Result<Option<String>> {
        match issuer {
            Some(issuer) => self.pem(&format!("issuer/{issuer}/crl/pem")),
            None => self.pem("crl/pem"),
        }
    }

    fn pem(&self, rest: &str) -> Result<Option<String>> {
        let path = self.below(rest);
        let Some(bytes) = self.vault.read_raw(&path)? else {
            return Ok(None);
        };
        // A proxy's page is no certificate.
        match String::from_utf8(bytes) {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) if text.contains("-----BEGIN ") => Ok(Some(text)),
            _ => Err(Error::Answer {
                url: path,
                reason: "it is not PEM".to_owned(),
            }),
        }
    }
}
