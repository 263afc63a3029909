// SPDX-License-Identifier: Apache-2.0
//! Check mode: what signing would come to, as far as it can be known without it.

use serde_json::Value;
use vault::{Auth, Error, SecretId};

use super::{Server, SignError};
use crate::failure::EntryError;
use crate::request::VaultSpec;

const UNFORESEEN: &str = "the token may not ask sys/capabilities-self, so nobody knows beforehand whether it may have certificates signed";

impl Server {
    /// Whether the token may have it signed; a warning, the first time, if it may not ask that. A wrapped secret is not spent for that.
    ///
    /// # Errors
    /// That it may not, or cannot be had.
    pub fn foresee(&self, spec: &VaultSpec) -> Result<Option<String>, EntryError> {
        let signer = self.signer()?;
        if let Auth::AppRole { secret_id, .. } = &signer.settings().auth
            && matches!(secret_id, SecretId::Wrapped { .. })
        {
            return Ok(None);
        }
        let path = spec.sign_path();
        let capabilities = match signer.capabilities(&[&path]) {
            Ok(capabilities) => capabilities,
            // Tokens without the policy 'default' may do their work and not ask what they may.
            Err(Error::PermissionDenied { .. }) => {
                let is_first = self.unforeseen.set(()).is_ok();
                return Ok(is_first.then(|| UNFORESEEN.to_owned()));
            }
            Err(error) => return Err(SignError::from(error).into()),
        };
        // There is nothing at that path that could be created, so the right to do that does not help.
        let may = |word: &Value| matches!(word.as_str(), Some("update" | "root"));
        let list = capabilities.get(&path).and_then(Value::as_array);
        match list.is_some_and(|words| words.iter().any(may)) {
            true => Ok(None),
            false => Err(SignError::NotAllowed { path }.into()),
        }
    }
}
