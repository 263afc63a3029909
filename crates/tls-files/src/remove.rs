// SPDX-License-Identifier: Apache-2.0
//! Removing a set of files.

use std::path::PathBuf;

use crate::Result;

/// Removes a set of files, all or none.
pub fn remove(set: &str, paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let _ = (set, paths);
    Ok(Vec::new())
}
