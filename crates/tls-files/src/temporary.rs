// SPDX-License-Identifier: Apache-2.0
//! Files that are made beside their destination: complete in attributes before they have content.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Gid, Mode, Stat, Uid};
use rustix::io::Errno;

use crate::destination::Destination;
use crate::directory::Directory;
use crate::observe::contents;
use crate::{Error, Result, Target, selinux};

/// The attributes that a new file gets, all decided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finish {
    owner: Option<u32>,
    group: Option<u32>,
    mode: u32,
    context: Option<String>,
    /// What could not be done as asked.
    pub(crate) warnings: Vec<String>,
}

impl Finish {
    /// What the target asks for; else what the existing file has; else the defaults.
    pub(crate) fn of(target: &Target, destination: &Destination) -> Self {
        let existing = destination.existing.as_ref();
        let attributes = &target.attributes;
        let mut finish = Self {
            owner: attributes
                .owner
                .or_else(|| existing.map(|stat| stat.st_uid)),
            group: attributes
                .group
                .or_else(|| existing.map(|stat| stat.st_gid)),
            mode: target.final_mode(existing.map(|stat| stat.st_mode & 0o7777)),
            context: None,
            warnings: Vec::new(),
        };
        if selinux::is_enabled() {
            finish.context = old_context(destination);
            if let Some(wanted) = &attributes.context {
                finish.context = wanted.resolve(finish.context.as_deref());
            }
        } else if attributes.context.is_some() {
            finish.warnings.push(format!(
                "the SELinux context of '{}' is ignored: this host runs without SELinux",
                target.path.display()
            ));
        }
        finish
    }

    /// The attributes of an old file, for its copy.
    fn same_as(stat: &Stat, context: Option<String>) -> Self {
        let (owner, group) = (Some(stat.st_uid), Some(stat.st_gid));
        Self {
            owner,
            group,
            mode: stat.st_mode & 0o7777,
            context,
            warnings: Vec::new(),
        }
    }

    /// Gives the empty file its owner, then its mode (a change of owner clears special bits), then its context.
    fn apply(&mut self, file: impl AsFd, path: &Path) -> Result<()> {
        let stat = rustix::fs::fstat(&file).map_err(Error::os("read the attributes of", path))?;
        let owner = self
            .owner
            .filter(|&id| id != stat.st_uid)
            .map(Uid::from_raw);
        let group = self
            .group
            .filter(|&id| id != stat.st_gid)
            .map(Gid::from_raw);
        if owner.is_some() || group.is_some() {
            rustix::fs::fchown(&file, owner, group).map_err(Error::os("give away", path))?;
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(self.mode))
            .map_err(Error::os("set the mode of", path))?;
        if let Some(context) = &self.context
            && !selinux::set_context(&file, context, path)?
        {
            self.warnings.push(format!(
                "the SELinux context of '{}' is ignored: its file system keeps none",
                path.display()
            ));
        }
        Ok(())
    }
}

fn old_context(destination: &Destination) -> Option<String> {
    destination.existing?;
    selinux::context_of(destination.directory.open_file(&destination.name).ok()?)
}

/// Creates the empty temporary `name`; messages speak of `path`, the file that it will be.
pub(crate) fn create(
    directory: &Directory,
    name: &OsStr,
    finish: &mut Finish,
    path: &Path,
) -> Result<OwnedFd> {
    let file = directory
        .create(name)
        .map_err(Error::os("create a temporary file for", path))?;
    match finish.apply(&file, path) {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = directory.unlink(name);
            Err(error)
        }
    }
}

/// Writes all of it.
pub(crate) fn write(file: impl AsFd, mut content: &[u8], path: &Path) -> Result<()> {
    while !content.is_empty() {
        match rustix::io::write(&file, content) {
            Ok(count) => content = content.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::os("write", path)(errno)),
        }
    }
    Ok(())
}

/// Gives an existing file a second name; where the file system refuses that, copies it with all its attributes.
pub(crate) fn keep(directory: &Directory, file: &OsStr, kept: &OsString) -> Result<()> {
    let path = directory.join(file);
    match directory.link(file, kept) {
        Ok(()) => Ok(()),
        // No hard links here (FAT, some FUSE), too many of them, or fs.protected_hardlinks.
        Err(
            Errno::PERM
            | Errno::ACCESS
            | Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::MLINK
            | Errno::INVAL,
        ) => copy(directory, file, kept, &path),
        Err(errno) => Err(Error::os("keep the old file of", &path)(errno)),
    }
}

fn copy(directory: &Directory, file: &OsStr, kept: &OsStr, path: &Path) -> Result<()> {
    let old = directory.open_file(file).map_err(Error::os("open", path))?;
    let stat = rustix::fs::fstat(&old).map_err(Error::os("read the attributes of", path))?;
    let content = contents(&old, &stat, path)?;
    let context = selinux::is_enabled()
        .then(|| selinux::context_of(&old))
        .flatten();
    let new = create(directory, kept, &mut Finish::same_as(&stat, context), path)?;
    let copied = write(&new, &content, path)
        .and_then(|()| rustix::fs::fsync(&new).map_err(Error::os("put on the disk", path)));
    if copied.is_err() {
        let _ = directory.unlink(kept);
    }
    copied
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_copy_has_the_bytes_and_attributes_of_the_old_file() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let old = place.path().join("old");
        std::fs::write(&old, "content").unwrap();
        std::fs::set_permissions(&old, std::os::unix::fs::PermissionsExt::from_mode(0o640))
            .unwrap();
        copy(&directory, OsStr::new("old"), OsStr::new("kept"), &old).unwrap();
        let kept = place.path().join("kept");
        assert_eq!(std::fs::read(&kept).unwrap(), b"content");
        let (before, after) = (old.metadata().unwrap(), kept.metadata().unwrap());
        assert_eq!(
            (before.mode(), before.uid(), before.gid()),
            (after.mode(), after.uid(), after.gid())
        );
        assert_ne!(before.ino(), after.ino());
    }
}
