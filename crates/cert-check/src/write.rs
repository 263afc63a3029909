// SPDX-License-Identifier: Apache-2.0
//! Writing the reports that the task asks for, each whole or not at all.

use std::path::{Path, PathBuf};

use ansible_module::flatten;
use cert_report::{Fleet, Report, metrics, page};
use tls_files::{Attributes, FileChange, Observed, Target, install, observe};
use zeroize::Zeroizing;

use crate::failure::Unwritten;
use crate::request::ReportFiles;

/// What became of the reports.
#[derive(Debug, Default)]
pub struct Written {
    /// Those that changed.
    pub paths: Vec<PathBuf>,
    /// Those that cannot be written. They cost none of the others.
    pub failures: Vec<Unwritten>,
}

/// Writes them.
pub fn write(files: &ReportFiles, report: &Report, warnings: &mut Vec<String>) -> Written {
    let mut written = Written::default();
    if let Some(path) = &files.json {
        let json = serde_json::to_vec_pretty(report).unwrap_or_default();
        written.put(path, json);
    }
    if let Some(path) = &files.prometheus {
        written.put(path, metrics(report).into_bytes());
    }
    if let Some(path) = &files.html {
        let others = included(&files.include, warnings);
        let fleet = Fleet::of(others.into_iter().chain([report.clone()]));
        let html = page(&fleet, report.generated_at);
        written.put(path, html.into_bytes());
    }
    written
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

impl Written {
    fn put(&mut self, path: &Path, content: Vec<u8>) {
        let change = FileChange {
            target: Target {
                path: path.to_owned(),
                attributes: Attributes::default(),
                secret: false,
                backup: false,
            },
            content: Zeroizing::new(content),
        };
        match install("cert_check", vec![change]) {
            Ok(installed) => self.paths.extend(installed.files),
            Err(source) => self.failures.push(Unwritten {
                path: path.to_owned(),
                source,
            }),
        }
    }
}
