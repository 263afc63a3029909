// SPDX-License-Identifier: Apache-2.0
//! Secrets of a way to publish, given or in a file.

use std::fmt;
use std::path::{Path, PathBuf};

use tls_files::Observed;
use zeroize::Zeroizing;

use crate::failure::CertificateError;

/// A secret, or where it is.
pub enum Secret {
    /// Given.
    Given(Zeroizing<String>),
    /// In a file, read when the task runs.
    File(PathBuf),
}

/// Shows no secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given(elided)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

impl Secret {
    /// It, without the line end that editors put behind it.
    pub(super) fn read(&self) -> Result<Zeroizing<String>, CertificateError> {
        let path = match self {
            Self::Given(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let what = "the secret of the provider";
        let text = read_text(what, path)?;
        let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        match text.is_empty() {
            false => Ok(text),
            true => Err(unreadable(what, path, "it is empty")),
        }
    }
}

/// The text of a file that may hold secrets.
pub(super) fn read_text(
    what: &'static str,
    path: &Path,
) -> Result<Zeroizing<String>, CertificateError> {
    match tls_files::observe(path) {
        Observed::Present(file) => std::str::from_utf8(&file.bytes)
            .map(|text| Zeroizing::new(text.to_owned()))
            .map_err(|_| unreadable(what, path, "it is not text")),
        Observed::Absent => Err(unreadable(what, path, "it does not exist")),
        Observed::Unreadable(error) => Err(unreadable(what, path, error.to_string())),
    }
}

/// It cannot be used, and why.
pub(super) fn unreadable(
    what: &'static str,
    path: &Path,
    reason: impl Into<String>,
) -> CertificateError {
    CertificateError::Unreadable {
        what,
        path: path.to_owned(),
        reason: reason.into(),
    }
}
