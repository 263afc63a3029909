// SPDX-License-Identifier: Apache-2.0
//! Looking at a file without changing anything.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::destination::describe;
use crate::{Error, ObservedAttributes, Result};

/// No file of a certificate comes near this.
const SIZE_LIMIT: usize = 16 * 1024 * 1024;

/// What was found. Unreadable is never absent.
#[derive(Debug)]
pub enum Observed<T> {
    /// There is nothing.
    Absent,
    /// It was read.
    Present(T),
    /// There is something, but it could not be read.
    Unreadable(Error),
}

/// A file that was read.
pub struct ObservedFile {
    /// Its content.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its attributes.
    pub attributes: ObservedAttributes,
    /// Whether the path is a symbolic link to it.
    pub is_symlink: bool,
}

impl std::fmt::Debug for ObservedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            bytes,
            attributes,
            is_symlink,
        } = self;
        f.debug_struct("ObservedFile")
            .field("bytes", &format_args!("{} bytes", bytes.len()))
            .field("attributes", attributes)
            .field("is_symlink", is_symlink)
            .finish()
    }
}

/// Reads a file and its attributes. Regular files of at most 16 MiB, through symbolic links.
///
/// A path in a directory that does not exist is [`Observed::Absent`]; a link to nothing is not, because something is
/// there that stands in the way.
pub fn observe(path: &Path) -> Observed<ObservedFile> {
    match read(path) {
        Ok(Some(file)) => Observed::Present(file),
        Ok(None) => Observed::Absent,
        Err(error) => Observed::Unreadable(error),
    }
}

fn read(path: &Path) -> Result<Option<ObservedFile>> {
    let found = match rustix::fs::lstat(path) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(Error::os("read the attributes of", path)(errno)),
    };
    let is_symlink = found == FileType::Symlink;
    if is_symlink {
        check_link(path)?;
    } else {
        check_regular(path, found)?;
    }
    // A device or a pipe could have come in between: opening it must not wait for anybody.
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    flags.set(OFlags::NOFOLLOW, !is_symlink);
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(Error::os("open", path)(errno)),
    };
    let stat = rustix::fs::fstat(&file).map_err(Error::os("read the attributes of", path))?;
    check_regular(path, FileType::from_raw_mode(stat.st_mode))?;
    let bytes = contents(&file, &stat, path)?;
    Ok(Some(ObservedFile {
        bytes,
        attributes: ObservedAttributes::new(&stat, &file),
        is_symlink,
    }))
}

/// What a link points to is looked at before it is opened, for a device may act on being opened.
fn check_link(path: &Path) -> Result<()> {
    match rustix::fs::stat(path) {
        Ok(stat) => check_regular(path, FileType::from_raw_mode(stat.st_mode)),
        Err(Errno::NOENT) => {
            let target =
                std::fs::read_link(path).map_err(Error::os("read the symbolic link", path))?;
            Err(Error::DanglingLink {
                path: path.to_path_buf(),
                target,
            })
        }
        Err(errno) => Err(Error::os("follow the symbolic link", path)(errno)),
    }
}

fn check_regular(path: &Path, kind: FileType) -> Result<()> {
    match kind {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(Error::IsDirectory {
            path: path.to_path_buf(),
        }),
        other => Err(Error::NotRegular {
            path: path.to_path_buf(),
            kind: describe(other),
        }),
    }
}

/// The whole content of an open regular file, in a buffer that never moves (a moved one leaves a copy behind).
pub(crate) fn contents(file: impl AsFd, stat: &Stat, path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let too_large = || Error::TooLarge {
        path: path.to_path_buf(),
        limit: SIZE_LIMIT as u64,
    };
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size > SIZE_LIMIT {
        return Err(too_large());
    }
    // One byte more shows in the same read that the file ends where its attributes say.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
    loop {
        let room = bytes.capacity() - bytes.len();
        match rustix::io::read(&file, spare_capacity(&mut bytes)) {
            Ok(count) if count < room && (count == 0 || bytes.len() >= size) => return Ok(bytes),
            Ok(count) if count < room => {}
            Ok(_) => grow(&mut bytes).map_err(|()| too_large())?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::os("read", path)(errno)),
        }
    }
}

/// More room for a file that grows while it is read; the old buffer is wiped when it is dropped.
fn grow(bytes: &mut Zeroizing<Vec<u8>>) -> std::result::Result<(), ()> {
    if bytes.len() > SIZE_LIMIT {
        return Err(());
    }
    let mut larger = Zeroizing::new(Vec::with_capacity(bytes.len() * 2 + 4096));
    larger.extend_from_slice(bytes);
    std::mem::swap(bytes, &mut larger);
    Ok(())
}
