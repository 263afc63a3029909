// SPDX-License-Identifier: Apache-2.0
//! Secrets that may be in a file.

use std::path::Path;

use tls_files::Observed;
use zeroize::Zeroizing;

use crate::{Error, Held, Result, Secret};

impl Held {
    /// The secret, without the line end that editors put behind it.
    pub(crate) fn read(&self, what: &'static str) -> Result<Secret> {
        let path = match self {
            Self::Given(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let text = read_text(what, path)?;
        let text = text.trim();
        match text.is_empty() {
            false => Ok(Secret::new(text)),
            true => Err(unusable(what, path, "it is empty")),
        }
    }
}

/// The text of a file that may hold secrets.
///
/// # Errors
/// [`Error::File`].
pub fn read_text(what: &'static str, path: &Path) -> Result<Zeroizing<String>> {
    match tls_files::observe(path) {
        Observed::Present(file) => std::str::from_utf8(&file.bytes)
            .map(|text| Zeroizing::new(text.to_owned()))
            .map_err(|_| unusable(what, path, "it is not text")),
        Observed::Absent => Err(unusable(what, path, "it does not exist")),
        Observed::Unreadable(error) => Err(unusable(what, path, error.to_string())),
    }
}

fn unusable(what: &'static str, path: &Path, reason: impl Into<String>) -> Error {
    Error::File {
        what,
        path: path.to_owned(),
        reason: reason.into(),
    }
}
