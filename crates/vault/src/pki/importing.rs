// SPDX-License-Identifier: Apache-2.0
//! Handing certificates of authorities in.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Mount;
use crate::{Answer, Repeat, Result};

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Issuers that are new: what an undo deletes.
    pub imported_issuers: Vec<String>,
    /// Those that were there already.
    pub existing_issuers: Vec<String>,
    /// Keys that are new.
    pub imported_keys: Vec<String>,
    /// Those that were there already.
    pub existing_keys: Vec<String>,
    /// The key of each issuer of the bundle; `None` where the mount does not have it.
    pub mapping: BTreeMap<String, Option<String>>,
    /// What the server remarks.
    pub warnings: Vec<String>,
}

impl Import {
    fn of(answer: Answer) -> Self {
        let mapping = answer.data.get("mapping").and_then(Value::as_object);
        let key = |value: &Value| {
            let key = value.as_str().filter(|key| !key.is_empty());
            key.map(str::to_owned)
        };
        let pairs = mapping.into_iter().flatten();
        Self {
            imported_issuers: answer.texts("imported_issuers"),
            existing_issuers: answer.texts("existing_issuers"),
            imported_keys: answer.texts("imported_keys"),
            existing_keys: answer.texts("existing_keys"),
            mapping: pairs.map(|(id, value)| (id.clone(), key(value))).collect(),
            warnings: answer.warnings,
        }
    }

    /// The issuers of the bundle whose key is this.
    pub fn issuers_of<'a>(&'a self, key_id: &'a str) -> impl Iterator<Item = &'a str> {
        self.mapping
            .iter()
            .filter(move |(_, key)| key.as_deref() == Some(key_id))
            .map(|(id, _)| id.as_str())
    }
}

impl Mount<'_> {
    /// Hands in a signed certificate with its chain, in one PEM text. On a Vault before 1.11 the answer is empty.
    /// The default issuer stays the one that it was, if there was one.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn set_signed(&self, bundle: &str) -> Result<Import> {
        let path = self.below("intermediate/set-signed");
        let body = json!({"certificate": bundle});
        let answer = self.vault.write(&path, &body, Repeat::Safe)?;
        Ok(Import::of(answer))
    }

    /// Hands in certificates, without keys.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn import_certificates(&self, bundle: &str) -> Result<Import> {
        let path = self.below("issuers/import/cert");
        let body = json!({"pem_bundle": bundle});
        let answer = self.vault.write(&path, &body, Repeat::Safe)?;
        Ok(Import::of(answer))
    }

    /// Hands in certificates and private keys.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn import_bundle(&self, bundle: &str) -> Result<Import> {
        let path = self.below("issuers/import/bundle");
        let body = json!({"pem_bundle": bundle});
        let answer = self.vault.write(&path, &body, Repeat::Safe)?;
        Ok(Import::of(answer))
    }
}
