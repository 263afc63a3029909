// SPDX-License-Identifier: Apache-2.0
//! An open directory: every change is made through its descriptor, by plain names.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::{Error, Result};

/// A directory by its canonical path and an open descriptor.
#[derive(Debug)]
pub(crate) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
    stat: Stat,
}

impl Directory {
    /// Opens a directory that the user named; links in the path are followed, once, here.
    pub(crate) fn open(named: &Path) -> Result<Self> {
        let path = match named.canonicalize() {
            Ok(path) => path,
            Err(source) => return Err(cannot_open(named, named, source)),
        };
        Self::open_canonical(&path)
    }

    /// Opens a directory by a path in which nothing may be a symbolic link (any more).
    pub(crate) fn open_canonical(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let fd = match rustix::fs::openat2(CWD, path, flags, Mode::empty(), resolve) {
            // Before Linux 5.6, and under a seccomp filter that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => rustix::fs::open(path, flags, Mode::empty()),
            answer => answer,
        };
        let fd = fd.map_err(|errno| cannot_open(path, path, errno.into()))?;
        let stat = rustix::fs::fstat(&fd).map_err(Error::os("read the attributes of", path))?;
        Ok(Self {
            fd,
            path: path.to_path_buf(),
            stat,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// What tells one directory from another: device and inode.
    pub(crate) fn identity(&self) -> (u64, u64) {
        (self.device(), self.stat.st_ino)
    }

    pub(crate) fn device(&self) -> u64 {
        self.stat.st_dev
    }

    /// Permission bits.
    pub(crate) fn mode(&self) -> u32 {
        self.stat.st_mode & 0o7777
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.fd
    }

    /// The attributes of a name itself, not of what it may point to; `None` if there is no such name.
    pub(crate) fn stat(&self, name: &OsStr) -> Result<Option<Stat>> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::os("read the attributes of", &self.join(name))(errno)),
        }
    }

    pub(crate) fn contains(&self, name: &OsStr) -> Result<bool> {
        Ok(self.stat(name)?.is_some())
    }

    /// A new file that nobody else can open until it is given away.
    pub(crate) fn create(&self, name: &OsStr) -> rustix::io::Result<OwnedFd> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)
    }

    /// An existing file, never through a link and never waiting for a pipe's other end.
    pub(crate) fn open_file(&self, name: &OsStr) -> rustix::io::Result<OwnedFd> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::empty())
    }

    pub(crate) fn link(&self, from: &OsStr, to: &OsStr) -> rustix::io::Result<()> {
        rustix::fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty())
    }

    pub(crate) fn symlink(&self, target: &Path, name: &OsStr) -> rustix::io::Result<()> {
        rustix::fs::symlinkat(target, &self.fd, name)
    }

    pub(crate) fn read_link(&self, name: &OsStr) -> Result<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        let target = rustix::fs::readlinkat(&self.fd, name, Vec::new())
            .map_err(Error::os("read the symbolic link", &self.join(name)))?;
        Ok(PathBuf::from(std::ffi::OsString::from_vec(
            target.into_bytes(),
        )))
    }

    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> rustix::io::Result<()> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to)
    }

    /// Removes a name; that it is gone already is no failure.
    pub(crate) fn unlink(&self, name: &OsStr) -> rustix::io::Result<()> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            answer => answer,
        }
    }

    /// Puts the names of this directory on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        match rustix::fs::fsync(&self.fd) {
            // Some file systems have nothing to sync for a directory and say so.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(Error::os("put on the disk the directory", &self.path)(
                errno,
            )),
        }
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn cannot_open(directory: &Path, path: &Path, source: std::io::Error) -> Error {
    let (directory_, path_) = (directory.to_path_buf(), path.to_path_buf());
    match source.kind() {
        std::io::ErrorKind::NotFound => Error::DirectoryMissing {
            path: path_,
            directory: directory_,
        },
        std::io::ErrorKind::NotADirectory => Error::NotADirectory {
            path: path_,
            directory: directory_,
        },
        _ => Error::os("open the directory", directory)(source),
    }
}
