// SPDX-License-Identifier: Apache-2.0
//! Writing the reports that the task asks for, each whole or not at all.

use std::path::{Path, PathBuf};

use ansible_module::flatten;
use cert_report::{Fleet, Report, metrics, page};
use tls_files::{Attributes, FileChange, Observed, Target, install, observe};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::request::ReportFiles;

/// Writes them; gives back those that changed.
///
/// # Errors
/// [`Failure::Write`] for the first that cannot be written.
pub fn write(
    files: &ReportFiles,
    report: &Report,
    warnings: &mut Vec<String>,
) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    if let Some(path) = &files.json {
        let json = serde_json::to_vec_pretty(report).unwrap_or_default();
        put(path, json, &mut written)?;
    }
    if let Some(path) = &files.prometheus {
        put(path, metrics(report).into_bytes(), &mut written)?;
    }
    if let Some(path) = &files.html {
        let others = included(&files.include, warnings);
        let fleet = Fleet::of(others.into_iter().chain([report.clone()]));
        let html = page(&fleet, report.generated_at);
        put(path, html.into_bytes(), &mut written)?;
    }
    Ok(written)
}

/// The reports of other hosts that can be read. One that cannot must not cost the page of all others.
fn included(paths: &[PathBuf], warnings: &mut Vec<String>) -> Vec<Report> {
    let mut found = Vec::new();
    for path in paths.iter().flat_map(|path| reports_in(path)) {
        let bytes = match observe(&path) {
            Observed::Present(file) => Ok(file.bytes),
            Observed::Absent => Err("there is no such file".to_owned()),
            Observed::Unreadable(error) => Err(flatten(&error)),
        };
        let report = bytes.and_then(|bytes| Report::read(&bytes).map_err(|error| flatten(&error)));
        match report {
            Ok(report) => found.push(report),
            Err(why) => warnings.push(format!(
                "the report '{}' is not in the page: {why}",
                path.display()
            )),
        }
    }
    found
}

/// The file itself, or the `.json` files of a directory.
fn reports_in(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return vec![path.to_owned()];
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_report = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
    let mut found: Vec<PathBuf> = paths.filter(is_report).collect();
    found.sort();
    found
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
