// SPDX-License-Identifier: Apache-2.0
//! The issuers of a mount, and their keys.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Mount;
use crate::{Answer, Error, Repeat, Result};

/// An issuer in the list of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuerEntry {
    /// Its identifier.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its key, if the mount has it.
    pub key_id: Option<String>,
    /// Whether it is the default.
    pub is_default: bool,
    /// The serial number of its certificate, in pairs with colons.
    pub serial_number: String,
}

/// An issuer with all that the server says of it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Issuer {
    /// Its identifier.
    #[serde(rename = "issuer_id")]
    pub id: String,
    /// Its name; empty if it has none.
    #[serde(rename = "issuer_name", default)]
    pub name: String,
    /// Its key; empty if the mount does not have it.
    #[serde(default)]
    pub key_id: String,
    /// Its certificate.
    pub certificate: String,
    /// What is sent with what it signs: itself first, the root last.
    #[serde(default)]
    pub ca_chain: Vec<String>,
    /// The chain that was set by hand.
    #[serde(default)]
    pub manual_chain: Option<Vec<String>>,
    /// What it may be used for: `read-only,issuing-certificates,crl-signing,ocsp-signing`.
    #[serde(default)]
    pub usage: String,
    /// What happens to a lifetime beyond its own: `err`, `truncate`, `permit`.
    #[serde(default)]
    pub leaf_not_after_behavior: String,
    /// Whether it was revoked.
    #[serde(default)]
    pub revoked: bool,
    /// When, in seconds since 1970.
    #[serde(default)]
    pub revocation_time: i64,
    /// Everything else that the server says.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A key in the list of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyEntry {
    /// Its identifier.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Whether it is the default.
    pub is_default: bool,
}

impl Mount<'_> {
    /// All issuers, which needs no token.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn issuers(&self) -> Result<Vec<IssuerEntry>> {
        let found = self.vault.listed(&self.below("issuers"))?;
        let entry = |id: &str, info: &Value| IssuerEntry {
            id: id.to_owned(),
            name: named(info, "issuer_name"),
            key_id: named(info, "key_id"),
            is_default: info["is_default"].as_bool().unwrap_or(false),
            serial_number: named(info, "serial_number").unwrap_or_default(),
        };
        Ok(entries(found, entry))
    }

    /// An issuer; `None` if the mount has none of this reference.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn issuer(&self, reference: &str) -> Result<Option<Issuer>> {
        match self.vault.read(&self.below(&format!("issuer/{reference}"))) {
            Ok(found) => found.map(|answer| answer.parsed()).transpose(),
            // Which the server says with status 500.
            Err(Error::IssuerUnknown { .. } | Error::NoDefaultIssuer { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Changes settings of an issuer; those that are not named stay. On Vault before 1.11 there are none.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn patch_issuer(&self, reference: &str, changes: &Value) -> Result<Answer> {
        let path = self.below(&format!("issuer/{reference}"));
        self.vault.patch(&path, changes)
    }

    /// Deletes an issuer; its key stays. Deleting the default leaves the mount without one.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn delete_issuer(&self, reference: &str) -> Result<Answer> {
        self.vault
            .delete(&self.below(&format!("issuer/{reference}")))
    }

    /// Revokes an issuer, whose own issuer in this mount lists it then. Not to be undone.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn revoke_issuer(&self, reference: &str) -> Result<Answer> {
        let path = self.below(&format!("issuer/{reference}/revoke"));
        self.vault.write(&path, &json!({}), Repeat::Safe)
    }

    /// The identifier of the default issuer; `None` without one.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn default_issuer(&self) -> Result<Option<String>> {
        let found = self.vault.read(&self.below("config/issuers"))?;
        Ok(found.and_then(|answer| answer.optional_text("default").map(str::to_owned)))
    }

    /// Makes an issuer the default, from which everything is issued that names none.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn set_default_issuer(&self, reference: &str) -> Result<Answer> {
        let path = self.below("config/issuers");
        let now = self.vault.read(&path)?;
        // Whatever is not sent is reset by the server.
        let follows =
            now.and_then(|answer| answer.data.get("default_follows_latest_issuer").cloned());
        let mut body = json!({"default": reference});
        if let Some(follows) = follows {
            body["default_follows_latest_issuer"] = follows;
        }
        self.vault.write(&path, &body, Repeat::Safe)
    }

    /// All keys.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn keys(&self) -> Result<Vec<KeyEntry>> {
        let found = self.vault.listed(&self.below("keys"))?;
        let entry = |id: &str, info: &Value| KeyEntry {
            id: id.to_owned(),
            name: named(info, "key_name"),
            is_default: info["is_default"].as_bool().unwrap_or(false),
        };
        Ok(entries(found, entry))
    }

    /// Deletes a key; the server refuses it while an issuer uses it.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn delete_key(&self, reference: &str) -> Result<Answer> {
        self.vault.delete(&self.below(&format!("key/{reference}")))
    }
}

/// The entries of a list with `key_info`.
fn entries<T>(found: Option<Answer>, entry: impl Fn(&str, &Value) -> T) -> Vec<T> {
    let Some(answer) = found else {
        return Vec::new();
    };
    let info = answer.data.get("key_info").unwrap_or(&Value::Null);
    let ids = answer.texts("keys");
    ids.iter().map(|id| entry(id, &info[id.as_str()])).collect()
}

fn named(info: &Value, member: &str) -> Option<String> {
    let text = info[member].as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}
