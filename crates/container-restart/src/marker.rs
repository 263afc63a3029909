// SPDX-License-Identifier: Apache-2.0
//! What is remembered of a reload that nothing could prove: a container's start does not move by it, so without this the
//! next run would reload it again.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use containers::Container;
use serde::{Deserialize, Serialize};

use crate::request::Fingerprint;

/// What was reloaded in one life of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// When that life began.
    pub started_at: String,
    /// The certificates for which it was reloaded.
    pub fingerprints: Vec<String>,
}

impl Marker {
    /// What is remembered of this life of the container; nothing of an earlier one.
    pub fn read(directory: &Path, container: &Container) -> Option<Self> {
        let text = fs::read(file(directory, container)).ok()?;
        let marker: Self = serde_json::from_slice(&text).ok()?;
        (marker.started_at == life(container)).then_some(marker)
    }

    /// Whether the container was reloaded for this certificate.
    pub fn knows(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprints.contains(&fingerprint.0)
    }

    /// Remembers that the container was reloaded for this certificate.
    pub fn remember(
        directory: &Path,
        container: &Container,
        fingerprint: &Fingerprint,
    ) -> std::io::Result<()> {
        let mut marker = Self::read(directory, container).unwrap_or_default();
        marker.started_at = life(container);
        if !marker.knows(fingerprint) {
            marker.fingerprints.push(fingerprint.0.clone());
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let place = file(directory, container);
        let beside = place.with_extension(format!("new-{}", std::process::id()));
        let text = serde_json::to_vec(&marker)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "no secret, no owner to keep; whole by the rename below"
        )]
        let mut out = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        out.write_all(&text)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "one small file of our own directory"
        )]
        fs::rename(&beside, &place)
    }
}

fn file(directory: &Path, container: &Container) -> PathBuf {
    directory.join(format!("{}.json", container.id))
}

fn life(container: &Container) -> String {
    container
        .started_at
        .map(|at| at.to_string())
        .unwrap_or_default()
}
