// SPDX-License-Identifier: Apache-2.0
//! Directories that are missing. Those that exist keep their mode and owner, whatever is wished.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tls_files::{Error, Result};

/// The directories that must be made so that `directory` exists, parents first; empty if it does.
///
/// # Errors
/// [`Error::NotADirectory`] for something else in its place, or above it.
pub fn missing(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    for place in directory.ancestors() {
        match fs::metadata(place) {
            Ok(found) if found.is_dir() => break,
            Ok(_) => {
                return Err(Error::NotADirectory {
                    path: directory.to_path_buf(),
                    directory: place.to_path_buf(),
                });
            }
            // A file above it says NotADirectory here, and is found one round later.
            Err(_) => missing.push(place.to_path_buf()),
        }
    }
    missing.reverse();
    Ok(missing)
}

/// Makes what is [`missing`]; closed until it has its mode.
///
/// # Errors
/// [`Error::NotADirectory`]; [`Error::Os`] for what the operating system refuses.
pub fn make(directory: &Path, mode: u32) -> Result<Vec<PathBuf>> {
    let missing = missing(directory)?;
    for place in &missing {
        let refused = |operation: &'static str| {
            let path = place.clone();
            move |source| Error::Os {
                operation: operation.into(),
                path,
                source,
            }
        };
        match DirBuilder::new().mode(0o700).create(place) {
            // Made by another run in between, which gives it its mode.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && place.is_dir() => {}
            Err(error) => return Err(refused("create the directory")(error)),
            Ok(()) => fs::set_permissions(place, Permissions::from_mode(mode))
                .map_err(refused("set the mode of"))?,
        }
    }
    Ok(missing)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn missing_ones_are_made_and_existing_ones_keep_their_mode() {
        let place = tempfile::tempdir().unwrap();
        let deep = place.path().join("a/b");
        fs::set_permissions(place.path(), Permissions::from_mode(0o711)).unwrap();
        assert_eq!(
            make(&deep, 0o750).unwrap(),
            [place.path().join("a"), deep.clone()]
        );
        assert_eq!((mode(&deep), mode(&place.path().join("a"))), (0o750, 0o750));
        assert_eq!(mode(place.path()), 0o711);
        assert!(make(&deep, 0o700).unwrap().is_empty());
        assert_eq!(mode(&deep), 0o750);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = missing(&file.join("sub")).unwrap_err();
        assert_eq!(error.kind(), "files.not_a_directory");
        assert!(
            error.to_string().contains(file.to_str().unwrap()),
            "{error}"
        );
    }
}
