// SPDX-License-Identifier: Apache-2.0
//! Whether and where a file can be written.
//!
//! Links in the directory part of a path are the host's layout and are followed, once. A link at the end of the path
//! is followed only within its directory: the file that it points to is replaced and the link stays. Any other link
//! is refused, because what it points to may be somebody else's choice.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Stat};

use crate::directory::Directory;
use crate::{Error, Result, Target};

/// More links than this, one after the other in one directory, are a loop.
const LINK_LIMIT: usize = 8;

/// Where a path leads: an open directory and a plain name in it.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) directory: Arc<Directory>,
    pub(crate) name: OsString,
    /// The links in the directory that lead to `name`, as the user named them first.
    pub(crate) links: Vec<OsString>,
    /// The file that is there now, if any; always a regular one.
    pub(crate) existing: Option<Stat>,
}

/// Directories that are open already, by the path that the user wrote.
#[derive(Debug, Default)]
pub(crate) struct Directories(HashMap<PathBuf, Arc<Directory>>);

impl Directories {
    /// Opens the directory of a file, or finds it open.
    pub(crate) fn of_file(&mut self, path: &Path) -> Result<Arc<Directory>> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if let Some(open) = self.0.get(parent) {
            return Ok(Arc::clone(open));
        }
        let opened = Directory::open(parent).map_err(|error| about_file(error, path))?;
        // Two spellings of one directory share one descriptor, so that it is locked and synced once.
        let same = self
            .0
            .values()
            .find(|open| open.identity() == opened.identity());
        let directory = same.map_or_else(|| Arc::new(opened), Arc::clone);
        self.0.insert(parent.to_path_buf(), Arc::clone(&directory));
        Ok(directory)
    }
}

/// Checks that the file can be written where the user wants it, without writing.
///
/// Whether the file system is read-only or full shows only when something is written; a run that changes nothing
/// works there.
///
/// # Errors
/// [`Error::DirectoryMissing`], [`Error::NotADirectory`], [`Error::IsDirectory`], [`Error::NotRegular`],
/// [`Error::DanglingLink`], [`Error::LinkLeavesDirectory`], [`Error::InvalidPath`]; for a secret also
/// [`Error::DirectoryWorldWritable`] and [`Error::ModeTooOpen`].
pub fn check_destination(target: &Target) -> Result<()> {
    find(target, &mut Directories::default()).map(drop)
}

/// Finds the destination of a target and checks it.
pub(crate) fn find(target: &Target, directories: &mut Directories) -> Result<Destination> {
    let path = &target.path;
    let name = file_name(path)?;
    let directory = directories.of_file(path)?;
    if target.secret && directory.mode() & 0o002 != 0 {
        return Err(Error::DirectoryWorldWritable {
            path: path.clone(),
            directory: directory.path().to_path_buf(),
            mode: directory.mode(),
        });
    }
    let destination = follow(path, directory, name.to_owned())?;
    target.check_mode(destination.existing.map(|stat| stat.st_mode & 0o7777))?;
    Ok(destination)
}

fn file_name(path: &Path) -> Result<&OsStr> {
    let invalid = |reason| Error::InvalidPath {
        path: path.to_path_buf(),
        reason,
    };
    let bytes = path.as_os_str().as_bytes();
    if bytes.contains(&0) {
        return Err(invalid("it contains a NUL byte"));
    }
    if bytes.ends_with(b"/") || bytes.ends_with(b"/.") {
        return Err(invalid("it ends like the path of a directory"));
    }
    path.file_name()
        .ok_or_else(|| invalid("it has no file name at its end"))
}

/// Follows links from `name` as long as they stay in the directory.
fn follow(path: &Path, directory: Arc<Directory>, name: OsString) -> Result<Destination> {
    let mut destination = Destination {
        directory,
        name,
        links: Vec::new(),
        existing: None,
    };
    while let Some(stat) = destination.directory.stat(&destination.name)? {
        let at = destination.directory.join(&destination.name);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                destination.existing = Some(stat);
                return Ok(destination);
            }
            FileType::Symlink if destination.links.len() < LINK_LIMIT => {
                let next = target_in_directory(&destination.directory, &destination.name, path)?;
                destination
                    .links
                    .push(std::mem::replace(&mut destination.name, next));
            }
            FileType::Symlink => {
                let reason = "its symbolic links run in a circle";
                return Err(Error::InvalidPath {
                    path: path.to_path_buf(),
                    reason,
                });
            }
            FileType::Directory => return Err(Error::IsDirectory { path: at }),
            other => {
                return Err(Error::NotRegular {
                    path: at,
                    kind: describe(other),
                });
            }
        }
    }
    match destination.links.last() {
        None => Ok(destination),
        Some(link) => {
            let target = destination.directory.read_link(link)?;
            Err(Error::DanglingLink {
                path: path.to_path_buf(),
                target,
            })
        }
    }
}

/// The name in the same directory that a link points to.
fn target_in_directory(directory: &Directory, link: &OsStr, path: &Path) -> Result<OsString> {
    let target = directory.read_link(link)?;
    let leaves = |target| Error::LinkLeavesDirectory {
        path: path.to_path_buf(),
        target,
    };
    let dangling = |target| Error::DanglingLink {
        path: path.to_path_buf(),
        target,
    };
    let full = directory.path().join(&target);
    let (Some(parent), Some(name)) = (full.parent(), full.file_name()) else {
        return Err(leaves(target));
    };
    match parent.canonicalize() {
        Ok(parent) if parent == directory.path() => Ok(name.to_owned()),
        Ok(_) if std::fs::metadata(&full).is_ok() => Err(leaves(target)),
        Ok(_) => Err(dangling(target)),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Err(dangling(target)),
        Err(_) => Err(leaves(target)),
    }
}

/// What a path is that is neither a file nor a directory nor a link.
pub(crate) fn describe(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    }
}

/// A fault of the directory is told with the file for which it was opened.
fn about_file(error: Error, file: &Path) -> Error {
    match error {
        Error::DirectoryMissing { directory, .. } => Error::DirectoryMissing {
            path: file.to_path_buf(),
            directory,
        },
        Error::NotADirectory { directory, .. } => Error::NotADirectory {
            path: file.to_path_buf(),
            directory,
        },
        other => other,
    }
}
