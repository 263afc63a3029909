// SPDX-License-Identifier: Apache-2.0
//! Whose certificates count.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pki::Certificate;

use super::files::bytes_of;
use crate::failure::Failure;
use crate::request::Trust;

/// Where distributions keep all their roots in one file: Debian, Red Hat, SUSE, Alpine.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Self-signed certificates that are trusted, by their name.
#[derive(Debug, Default)]
pub struct Roots {
    by_subject: HashMap<Vec<u8>, Vec<Certificate>>,
    /// What could not be read of the system's.
    pub warnings: Vec<String>,
}

impl Roots {
    /// Reads them.
    ///
    /// # Errors
    /// [`Failure::Trust`] for what the task names and cannot be read, or holds no root.
    pub fn read(trust: &Trust) -> Result<Self, Failure> {
        let mut roots = Self::default();
        if trust.system {
            roots.read_system();
        }
        for path in &trust.paths {
            // One that another path has given is there too.
            let mut has_root = false;
            for file in files_of(path)? {
                for certificate in certificates(&file)? {
                    has_root |= certificate.is_self_issued();
                    roots.add(certificate);
                }
            }
            if !has_root && !trust.system {
                return Err(Failure::Trust {
                    path: path.clone(),
                    why: "it holds no self-signed certificate".to_owned(),
                });
            }
        }
        Ok(roots)
    }

    /// Roots with this name.
    pub fn named(&self, subject_der: &[u8]) -> &[Certificate] {
        self.by_subject.get(subject_der).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, certificate: Certificate) {
        // Others help nobody: an intermediate that only we have would hide that a server does not send it.
        if !certificate.is_self_issued() {
            return;
        }
        let name = certificate.facts().subject_der.clone();
        let known = self.by_subject.entry(name).or_default();
        if !known.contains(&certificate) {
            known.push(certificate);
        }
    }

    fn read_system(&mut self) {
        let Some(path) = SYSTEM.map(Path::new).into_iter().find(|path| path.exists()) else {
            self.warnings.push(format!(
                "the system has no store of roots ({}); install its package ca-certificates, or give trust.ca_path",
                SYSTEM.join(", ")
            ));
            return;
        };
        match certificates(path) {
            Ok(found) => found.into_iter().for_each(|each| self.add(each)),
            Err(error) => self.warnings.push(ansible_module::flatten(&error)),
        }
    }
}

/// The file itself, or what is in the directory.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| Failure::Trust {
        path: path.to_owned(),
        why: error.to_string(),
    };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_certificate = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        path.is_file() && matches!(ending, Some("pem" | "crt" | "cer"))
    };
    let mut found: Vec<PathBuf> = paths.filter(is_certificate).collect();
    found.sort();
    Ok(found)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let failed = |why: String| Failure::Trust {
        path: path.to_owned(),
        why,
    };
    let bytes = bytes_of(path).map_err(failed)?;
    pki::chain::parse_bundle(&bytes).map_err(|error| failed(error.to_string()))
}
