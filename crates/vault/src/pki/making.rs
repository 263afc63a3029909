// SPDX-License-Identifier: Apache-2.0
//! Making keys, roots and requests inside the server.
//!
//! None of these may be repeated blindly: each repetition would leave another key or issuer behind. Give names
//! (`issuer_name`, `key_name`), look for them first, and after [`crate::Error::LostAnswer`] again.

use serde::Deserialize;
use serde_json::Value;

use super::{Mount, Signed};
use crate::{Answer, Error, Repeat, Result};

/// An issuer that was made.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct MadeIssuer {
    /// Its certificate.
    pub certificate: String,
    /// Its serial number.
    pub serial_number: String,
    /// Its identifier; empty on Vault before 1.11.
    #[serde(default)]
    pub issuer_id: String,
    /// Its name.
    #[serde(default)]
    pub issuer_name: String,
    /// Its key.
    #[serde(default)]
    pub key_id: String,
    /// What the server remarks: that it cut the lifetime, for example.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// A request that was made.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct MadeCsr {
    /// The request.
    pub csr: String,
    /// Its key; empty on Vault before 1.11.
    #[serde(default)]
    pub key_id: String,
    /// What the server remarks.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl Mount<'_> {
    /// Makes a root inside the server. `body` holds what the API takes: `common_name`, `issuer_name`, `key_name`, `ttl`,
    /// `key_type`, ….
    ///
    /// # Errors
    /// Whatever the server does not do; [`Error::Answer`] where it keeps a root that is there (Vault before 1.11).
    pub fn generate_root(&self, body: &Value) -> Result<MadeIssuer> {
        self.made_issuer("root/generate/internal", body)
    }

    /// The same with a key that the mount has: `key_ref` in the body.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn generate_root_existing(&self, body: &Value) -> Result<MadeIssuer> {
        self.made_issuer("root/generate/existing", body)
    }

    /// Makes a key and a request for an authority. What is in service stays there.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn generate_intermediate(&self, body: &Value) -> Result<MadeCsr> {
        self.made_csr("intermediate/generate/internal", body, Repeat::Never)
    }

    /// A request for a key that is there, which nothing is worse for: `key_ref` in the body. Vault before 1.11 cannot.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn intermediate_existing(&self, body: &Value) -> Result<MadeCsr> {
        let path = "issuers/generate/intermediate/existing";
        self.made_csr(path, body, Repeat::Safe)
    }

    /// A request of an authority that is there, to be signed by another: `key_ref` and the same subject in the body.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn cross_sign(&self, body: &Value) -> Result<MadeCsr> {
        self.made_csr("intermediate/cross-sign", body, Repeat::Safe)
    }

    /// Lets an issuer sign the request of an authority: `csr`, `use_csr_values`, `ttl`, `max_path_length`, … in the body.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn sign_intermediate(&self, issuer: &str, body: &Value) -> Result<Signed> {
        let path = self.below(&format!("issuer/{issuer}/sign-intermediate"));
        Signed::of(self.vault.write(&path, body, Repeat::Safe)?)
    }

    /// Makes a key with nothing else: `key_name`, `key_type`, `key_bits` in the body. The answer has `key_id`.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn generate_key(&self, body: &Value) -> Result<Answer> {
        let path = self.below("keys/generate/internal");
        self.vault.write(&path, body, Repeat::Never)
    }

    /// Removes all issuers and keys of the mount.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn delete_root(&self) -> Result<Answer> {
        self.vault.delete(&self.below("root"))
    }

    fn made_issuer(&self, path: &str, body: &Value) -> Result<MadeIssuer> {
        let answer = self.vault.write(&self.below(path), body, Repeat::Never)?;
        if answer.data.is_empty() {
            // Vault before 1.11 keeps the one that is there, and says so in a warning of a good answer.
            let reason = match answer.warnings.first() {
                Some(warning) => format!("it made no issuer: {warning}"),
                None => "it made no issuer, and says nothing".to_owned(),
            };
            let url = answer.url;
            return Err(Error::Answer { url, reason });
        }
        let mut made: MadeIssuer = answer.parsed()?;
        made.warnings = answer.warnings;
        Ok(made)
    }

    fn made_csr(&self, path: &str, body: &Value, repeat: Repeat) -> Result<MadeCsr> {
        let answer = self.vault.write(&self.below(path), body, repeat)?;
        let mut made: MadeCsr = answer.parsed()?;
        made.warnings = answer.warnings;
        Ok(made)
    }
}
