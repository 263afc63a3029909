// SPDX-License-Identifier: Apache-2.0
//! Files as a container sees them, opened from outside.
//!
//! A plain `/proc/PID/root/certs/link` follows an absolute link out to the *host's* file. `openat2` with
//! `RESOLVE_IN_ROOT` (Linux 5.6) reads every link as the container does; links of `/proc`, which lead anywhere, are not
//! followed at all.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::instant::Instant;
use crate::processes::Process;
use crate::{Container, Error, Result};

/// A file of certificates and keys is some kilobytes.
const SIZE_LIMIT: u64 = 4 << 20;

/// A pipe in the place of a file must not stop us.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

/// The root of a container's files. It stays that of the life that was looked at, also when that ends.
#[derive(Debug)]
pub struct Root {
    descriptor: OwnedFd,
    container: String,
}

/// A file in a container.
#[derive(Clone, Debug)]
pub struct InsideFile {
    /// What is in it; wiped after use, because it may hold a key.
    pub content: Zeroizing<Vec<u8>>,
    /// Device and inode: the same file as on the host, or another.
    pub identity: (u64, u64),
    /// When its content or attributes changed.
    pub changed: Instant,
    /// Owner, as the host counts.
    pub owner: (u32, u32),
    /// Permission bits.
    pub mode: u32,
}

impl Root {
    /// The root of a container that runs.
    pub fn of(container: &Container) -> Result<Self> {
        let pid = container.pid.unwrap_or(0);
        let path = format!("/proc/{pid}/root");
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty());
        Ok(Self {
            descriptor: descriptor.map_err(|errno| Error::Inside {
                what: "open",
                path: PathBuf::from("/"),
                container: container.name.clone(),
                source: errno.into(),
            })?,
            container: container.name.clone(),
        })
    }

    pub(crate) fn failed(
        &self,
        what: &'static str,
        path: &Path,
        source: impl Into<io::Error>,
    ) -> Error {
        Error::Inside {
            what,
            path: path.to_owned(),
            container: self.container.clone(),
            source: source.into(),
        }
    }

    pub(crate) fn open(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::CLOEXEC;
        rustix::fs::openat2(&self.descriptor, path, flags, Mode::empty(), resolve)
    }

    /// Reads a regular file; `None` if it is not there.
    pub fn read(&self, path: &Path) -> Result<Option<InsideFile>> {
        let descriptor = match self.open(path, READ) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(self.failed("read", path, errno)),
        };
        let read = taken(descriptor).map_err(|source| self.failed("read", path, source))?;
        Ok(Some(read))
    }

    /// Device and inode of whatever is there; `None` if nothing is.
    pub fn identity(&self, path: &Path) -> Option<(u64, u64)> {
        let descriptor = self.open(path, OFlags::PATH).ok()?;
        let stat = rustix::fs::fstat(&descriptor).ok()?;
        Some((stat.st_dev, stat.st_ino))
    }

    /// Whether a process of the container may read the file: asked of the kernel, by a thread that takes its user and
    /// groups on, so that access lists and directories count too.
    pub fn can_read(&self, process: &Process, path: &Path) -> Result<bool> {
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| self.try_as(process, path)).join();
            match asked {
                Ok(Ok(())) => Ok(true),
                Ok(Err(Errno::ACCESS)) => Ok(false),
                Ok(Err(errno)) => Err(self.failed("read", path, errno)),
                Err(_) => {
                    Err(self.failed("read", path, io::Error::other("no thread could be started")))
                }
            }
        })
    }

    fn try_as(&self, process: &Process, path: &Path) -> Result<(), Errno> {
        // Of this thread only; it ends with this function.
        let groups: Vec<Gid> = process
            .groups
            .iter()
            .map(|gid| Gid::from_raw(*gid))
            .collect();
        rustix::thread::set_thread_groups(&groups)?;
        let (gid, uid) = (Gid::from_raw(process.gid), Uid::from_raw(process.uid));
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        self.open(path, READ).map(drop)
    }

    /// Puts a file in the place of another, or where there is none: whole or not at all, with its owner and mode
    /// before its content.
    pub fn replace(&self, path: &Path, content: &[u8], owner: (u32, u32), mode: u32) -> Result<()> {
        let failed = |source: io::Error| self.failed("replace", path, source);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(failed(io::Error::other("it is no path of a file")));
        };
        let directory = self
            .open(parent, OFlags::PATH | OFlags::DIRECTORY)
            .map_err(|errno| failed(errno.into()))?;
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".tls-everywhere-{}", std::process::id()));
        let written = write(&directory, &temporary, content, owner, mode).and_then(|()| {
            rustix::fs::renameat(&directory, &temporary, &directory, name)?;
            Ok(())
        });
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&directory, &temporary, AtFlags::empty());
        }
        written.map_err(failed)
    }

    /// Removes a file; that it is not there is no error.
    pub fn remove(&self, path: &Path) -> Result<()> {
        let failed = |source: io::Error| self.failed("remove", path, source);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(failed(io::Error::other("it is no path of a file")));
        };
        let removed = self
            .open(parent, OFlags::PATH | OFlags::DIRECTORY)
            .and_then(|directory| rustix::fs::unlinkat(&directory, name, AtFlags::empty()));
        match removed {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(failed(errno.into())),
        }
    }

    /// The users and groups that the container knows, for `owner: haproxy:haproxy`.
    pub fn account(&self, file: &str, name: &str) -> Option<u32> {
        let text = self.read(Path::new(file)).ok()??;
        let text = String::from_utf8_lossy(&text.content).into_owned();
        let line = text
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    }
}

fn write(
    directory: &OwnedFd,
    name: &std::ffi::OsStr,
    content: &[u8],
    owner: (u32, u32),
    mode: u32,
) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let descriptor = rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o600))?;
    let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
    rustix::fs::fchown(&descriptor, Some(uid), Some(gid))?;
    rustix::fs::fchmod(&descriptor, Mode::from_raw_mode(mode))?;
    let mut file = File::from(descriptor);
    file.write_all(content)?;
    file.sync_all()
}

/// A file of the host: device and inode, when it changed, and what is in it.
pub fn host_file(path: &Path) -> io::Result<InsideFile> {
    let descriptor = rustix::fs::open(path, READ | OFlags::CLOEXEC, Mode::empty())?;
    taken(descriptor)
}

/// What is in a regular file, and what is known of it.
fn taken(descriptor: OwnedFd) -> io::Result<InsideFile> {
    let mut file = File::from(descriptor);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut content = Zeroizing::new(Vec::new());
    Read::by_ref(&mut file)
        .take(SIZE_LIMIT + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 > SIZE_LIMIT {
        return Err(io::Error::other("it is larger than 4 MiB"));
    }
    Ok(InsideFile {
        content,
        identity: (metadata.dev(), metadata.ino()),
        changed: Instant::of_change(&metadata),
        owner: (metadata.uid(), metadata.gid()),
        mode: metadata.mode() & 0o7777,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
impl Root {
    /// A root as that of a container, over a directory.
    pub(crate) fn at(directory: &Path) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Self {
            descriptor: rustix::fs::open(directory, flags, Mode::empty()).unwrap(),
            container: String::from("c1"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn content(root: &Root, path: &str) -> Option<String> {
        let read = root.read(Path::new(path)).unwrap()?;
        Some(String::from_utf8_lossy(&read.content).into_owned())
    }

    #[test]
    fn a_link_leads_to_the_containers_file_and_not_to_the_hosts() {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().join("secret");
        std::fs::write(&outside, "HOST-SECRET").unwrap();
        let inner = directory.path().join("root");
        std::fs::create_dir(&inner).unwrap();
        symlink(&outside, inner.join("absolute")).unwrap();
        symlink("../secret", inner.join("up")).unwrap();
        symlink("/proc/self/root/etc/passwd", inner.join("magic")).unwrap();
        let root = Root::at(&inner);
        for path in ["/absolute", "/up", "/../secret", "/magic"] {
            assert_eq!(content(&root, path), None, "{path}");
        }
        std::fs::write(inner.join("secret"), "inside").unwrap();
        assert_eq!(content(&root, "/up").as_deref(), Some("inside"));
    }

    #[test]
    fn what_is_no_file_is_said_and_stops_nobody() {
        let directory = tempfile::tempdir().unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            directory.path().join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RWXU,
            0,
        )
        .unwrap();
        let refused = Root::at(directory.path())
            .read(Path::new("/pipe"))
            .map(|_| ());
        let text =
            refused.map_err(|error| std::error::Error::source(&error).map(ToString::to_string));
        assert_eq!(text, Err(Some(String::from("it is not a regular file"))));
    }

    #[test]
    fn a_file_is_replaced_with_its_owner_and_mode() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), "old").unwrap();
        let (uid, gid) = (
            rustix::process::getuid().as_raw(),
            rustix::process::getgid().as_raw(),
        );
        let root = Root::at(directory.path());
        root.replace(Path::new("/key"), b"new", (uid, gid), 0o640)
            .unwrap();
        let seen = root.read(Path::new("/key")).unwrap().unwrap();
        assert_eq!((seen.content.as_slice(), seen.mode), (&b"new"[..], 0o640));
        assert!(
            root.replace(Path::new("/no/such"), b"", (uid, gid), 0o600)
                .is_err()
        );
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            1,
            "no temporary stays"
        );
        root.remove(Path::new("/key")).unwrap();
        root.remove(Path::new("/key")).unwrap();
        assert!(root.read(Path::new("/key")).unwrap().is_none());
        assert!(root.remove(Path::new("/no/such/../..")).is_err());
    }

    #[test]
    fn who_may_read_is_asked_of_the_kernel() {
        if !rustix::process::getuid().is_root() {
            return; // Only root may become another user; CI is root.
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::write(directory.path().join("key"), "k").unwrap();
        std::fs::set_permissions(
            directory.path().join("key"),
            PermissionsExt::from_mode(0o640),
        )
        .unwrap();
        let root = Root::at(directory.path());
        let mut process = crate::processes::process(std::process::id()).unwrap();
        process.groups.clear();
        (process.uid, process.gid) = (12_345, 12_345);
        assert!(!root.can_read(&process, Path::new("/key")).unwrap());
        process.groups.push(0);
        assert!(
            root.can_read(&process, Path::new("/key")).unwrap(),
            "by one of its groups"
        );
        assert!(
            rustix::process::geteuid().is_root(),
            "other threads stay who they are"
        );
    }
}
