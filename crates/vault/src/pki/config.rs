// SPDX-License-Identifier: Apache-2.0
//! The settings of a mount: `urls`, `cluster`, `crl`, `auto-tidy`, `acme`, `issuers`, `keys`.

use serde_json::{Map, Value, json};

use super::Mount;
use crate::{Answer, Repeat, Result};

impl Mount<'_> {
    /// What is set under a name, spans of time as the server shows them; `None` where nothing is, or where the server
    /// is too old to have it.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn config(&self, name: &str) -> Result<Option<Map<String, Value>>> {
        let found = self.vault.read(&self.below(&format!("config/{name}")))?;
        Ok(found.map(|answer| answer.data))
    }

    /// Sets it. Fields that are not named may get their defaults, as with `issuers`, or stay: read, merge and send all.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn write_config(&self, name: &str, fields: &Value) -> Result<Answer> {
        let path = self.below(&format!("config/{name}"));
        self.vault.write(&path, fields, Repeat::Safe)
    }

    /// Starts the clearing of what has expired. It runs on; [`Self::tidy_status`] says how far it is.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn tidy(&self, fields: &Value) -> Result<Answer> {
        self.vault.write(&self.below("tidy"), fields, Repeat::Safe)
    }

    /// How far clearing is; `state` is `Inactive`, `Running`, `Finished`, `Error`.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn tidy_status(&self) -> Result<Option<Map<String, Value>>> {
        let found = self.vault.read(&self.below("tidy-status"))?;
        Ok(found.map(|answer| answer.data))
    }

    /// Writes the list of revoked certificates anew.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn rotate_crl(&self) -> Result<()> {
        self.vault.read(&self.below("crl/rotate")).map(drop)
    }

    /// New external credentials for an ACME account of the mount: `id` and `key` in the answer.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn new_eab(&self) -> Result<Answer> {
        let path = self.below("acme/new-eab");
        self.vault.write(&path, &json!({}), Repeat::Safe)
    }
}
