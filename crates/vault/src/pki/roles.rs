// SPDX-License-Identifier: Apache-2.0
//! The roles of a mount: what may be issued.

use serde_json::{Map, Value};

use super::Mount;
use crate::{Answer, Repeat, Result};

impl Mount<'_> {
    /// The names of all roles.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn roles(&self) -> Result<Vec<String>> {
        self.vault.list(&self.below("roles"))
    }

    /// A role with all its fields; spans of time in seconds.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn role(&self, name: &str) -> Result<Option<Map<String, Value>>> {
        let found = self.vault.read(&self.below(&format!("roles/{name}")))?;
        Ok(found.map(|answer| answer.data))
    }

    /// Makes a role, or replaces it: every field that is not named gets its default.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn write_role(&self, name: &str, fields: &Value) -> Result<Answer> {
        let path = self.below(&format!("roles/{name}"));
        self.vault.write(&path, fields, Repeat::Safe)
    }

    /// Changes fields of a role; those that are not named stay.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn patch_role(&self, name: &str, changes: &Value) -> Result<Answer> {
        let path = self.below(&format!("roles/{name}"));
        self.vault.patch(&path, changes)
    }

    /// Deletes a role.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn delete_role(&self, name: &str) -> Result<Answer> {
        self.vault.delete(&self.below(&format!("roles/{name}")))
    }
}
