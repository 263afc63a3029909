// SPDX-License-Identifier: Apache-2.0
//! Directories and links of the tree, which `tls-files` (it replaces files) does not make.
//!
//! `<CA>.crt` is a link, and a set of files cannot be replaced atomically through it. So a new certificate
//! goes into service in three steps, and at every instant `<CA>.crt` reads as the certificate of the key:
//! the link becomes a file of the same content ([`detach`]); key, certificate and chain are replaced as one
//! set; the file becomes a link to the new generation, which has the same content ([`attach`]).

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::tree::{Directory, Ownership};

/// Makes directories that do not exist, parents first, with their mode before anything is in them.
pub fn create(directories: &[Directory], ownership: &Ownership) -> Result<(), Failure> {
    for directory in directories {
        let wished = if directory.secret {
            &ownership.key_directory_mode
        } else {
            &ownership.directory_mode
        };
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory.path);
        made.map_err(|source| os("create the directory", &directory.path, source))?;
        set_owner(&directory.path, ownership)?;
        set_mode(&directory.path, wished.resolve(0o755))?;
    }
    Ok(())
}

/// Gives a directory its owner and mode.
pub fn repair_directory(path: &Path, ownership: &Ownership) -> Result<(), Failure> {
    let mode = fs::metadata(path)
        .map_err(|source| os("look at", path, source))?
        .permissions()
        .mode();
    set_owner(path, ownership)?;
    set_mode(path, ownership.key_directory_mode.resolve(mode & 0o7777))
}

fn set_owner(path: &Path, ownership: &Ownership) -> Result<(), Failure> {
    if ownership.owner.is_none() && ownership.group.is_none() {
        return Ok(());
    }
    chown(path, ownership.owner, ownership.group)
        .map_err(|source| os("change the owner of", path, source))
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|source| os("change the mode of", path, source))
}

/// Turns a link into a file of the same content; anything else stays as it is.
pub fn detach(link: &Path) -> Result<(), Failure> {
    let target = match fs::read_link(link) {
        Ok(target) => sibling(link, &target),
        // Not there, or not a link.
        Err(_) => return Ok(()),
    };
    if !target.exists() {
        return fs::remove_file(link)
            .map_err(|source| os("remove the dangling link", link, source));
    }
    let temporary = temporary(link);
    clear(&temporary)?;
    fs::hard_link(&target, &temporary).map_err(|source| os("link", &temporary, source))?;
    replace(&temporary, link)
}

/// Makes `link` a relative link to `name` in its directory, whatever it was before.
pub fn attach(link: &Path, name: &str) -> Result<(), Failure> {
    if fs::read_link(link).is_ok_and(|target| target == Path::new(name)) {
        return Ok(());
    }
    let temporary = temporary(link);
    clear(&temporary)?;
    symlink(name, &temporary).map_err(|source| os("make the link", &temporary, source))?;
    replace(&temporary, link)
}

/// Removes a link, but no file.
pub fn unlink(link: &Path) -> Result<(), Failure> {
    if !link.is_symlink() {
        return Ok(());
    }
    fs::remove_file(link).map_err(|source| os("remove the link", link, source))
}

/// Removes directories that are empty; one with a file of somebody else stays.
pub fn remove_empty(directories: &[PathBuf]) {
    for directory in directories {
        // Not empty is no fault: what others have put there is theirs.
        let _kept_if_not_empty = fs::remove_dir(directory);
    }
}

fn sibling(link: &Path, target: &Path) -> PathBuf {
    link.parent().unwrap_or_else(|| Path::new("/")).join(target)
}

fn temporary(link: &Path) -> PathBuf {
    let name = link
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    link.with_file_name(format!(".{name}.link"))
}

/// A temporary that a killed run has left; the tree is locked, so it is nobody's.
fn clear(temporary: &Path) -> Result<(), Failure> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(os("remove", temporary, error))
        }
        _ => Ok(()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a link of the tree is no file of a set: one rename replaces it"
)]
fn replace(temporary: &Path, link: &Path) -> Result<(), Failure> {
    fs::rename(temporary, link).map_err(|source| os("replace", link, source))?;
    // Renaming one name of a file over another name of it does nothing and leaves both (POSIX).
    clear(temporary)?;
    let directory = link.parent().unwrap_or_else(|| Path::new("/"));
    fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| os("sync the directory", directory, source))
}

fn os(what: &'static str, path: &Path, source: io::Error) -> Failure {
    Failure::Os {
        what,
        path: path.to_owned(),
        source,
    }
}
