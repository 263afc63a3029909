// SPDX-License-Identifier: Apache-2.0
//! One lock per directory, so that two runs at once serialize.
//!
//! The lock is `flock(2)` on the directory itself: nothing is left behind, and it ends with the last descriptor of
//! the open file description, however its holders end. A change hands such a descriptor to the committer along with
//! the job, so the lock outlives a killed run for exactly as long as the committer still renames.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, major, minor};
use rustix::io::Errno;

use crate::directory::Directory;
use crate::{Error, Result};

/// Longer is for ever, and no clock can count to it.
const LONGEST_WAIT: Duration = Duration::from_secs(366 * 86_400);

/// How long a change waits for a directory that its caller has not locked.
const IMPLICIT_WAIT: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A directory by device and inode.
type Identity = (u64, u64);

/// The locks that this process holds through [`DirectoryLocks`].
static HELD: Mutex<Vec<(Identity, Weak<OwnedFd>)>> = Mutex::new(Vec::new());

/// Locks of directories, held until dropped.
///
/// All changes of this process in these directories work under these locks; a second `acquire` waits, in this process
/// as in any other.
#[derive(Debug)]
#[must_use = "the locks are released when this is dropped"]
pub struct DirectoryLocks {
    locks: Vec<Arc<OwnedFd>>,
}

impl DirectoryLocks {
    /// Locks the directories, each once and in one order everywhere, waiting at most `wait` for all of them.
    ///
    /// # Errors
    /// [`Error::DirectoryLocked`], which names the directory and its holder; [`Error::DirectoryMissing`],
    /// [`Error::NotADirectory`]; [`Error::Os`] on a file system without locks.
    pub fn acquire(directories: impl IntoIterator<Item = PathBuf>, wait: Duration) -> Result<Self> {
        let open = directories
            .into_iter()
            .map(|path| Directory::open(&path))
            .collect::<Result<Vec<_>>>()?;
        let deadline = Instant::now() + wait.min(LONGEST_WAIT);
        let locks = in_order(open)
            .into_iter()
            .map(|directory| {
                let identity = directory.identity();
                lock(directory, deadline, wait).map(|fd| (identity, Arc::new(fd)))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(_, lock)| lock.strong_count() > 0);
        held.extend(
            locks
                .iter()
                .map(|(identity, lock)| (*identity, Arc::downgrade(lock))),
        );
        Ok(Self {
            locks: locks.into_iter().map(|(_, lock)| lock).collect(),
        })
    }

    /// How many directories are locked.
    pub fn len(&self) -> usize {
        self.locks.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty()
    }
}

/// The locks under which one change works: those that this process holds already, and its own for the others.
#[derive(Debug, Default)]
pub(crate) struct Cover(Vec<(Identity, Arc<OwnedFd>)>);

impl Cover {
    pub(crate) fn of<'a>(directories: impl IntoIterator<Item = &'a Directory>) -> Result<Self> {
        let mut cover = Self::default();
        cover.extend(directories)?;
        Ok(cover)
    }

    /// Takes the locks of these directories too, as far as they are not here yet.
    pub(crate) fn extend<'a>(
        &mut self,
        directories: impl IntoIterator<Item = &'a Directory>,
    ) -> Result<()> {
        let deadline = Instant::now() + IMPLICIT_WAIT;
        let mut missing = Vec::new();
        for directory in directories {
            let identity = directory.identity();
            if self.0.iter().any(|(of, _)| *of == identity) {
                continue;
            }
            match held(identity) {
                Some(lock) => self.0.push((identity, lock)),
                None => missing.push(Directory::open_canonical(directory.path())?),
            }
        }
        for directory in in_order(missing) {
            let identity = directory.identity();
            self.0.push((
                identity,
                Arc::new(lock(directory, deadline, IMPLICIT_WAIT)?),
            ));
        }
        Ok(())
    }

    /// The descriptors that hold the locks.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.0.iter().map(|(_, lock)| lock.as_fd()).collect()
    }
}

fn held(identity: Identity) -> Option<Arc<OwnedFd>> {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.iter()
        .filter(|(of, _)| *of == identity)
        .find_map(|(_, lock)| lock.upgrade())
}

/// One order for all processes: nobody waits for somebody who waits for him.
fn in_order(mut directories: Vec<Directory>) -> Vec<Directory> {
    directories.sort_by_key(Directory::identity);
    directories.dedup_by_key(|directory| directory.identity());
    directories
}

fn lock(directory: Directory, deadline: Instant, wait: Duration) -> Result<OwnedFd> {
    let mut pause = FIRST_PAUSE;
    loop {
        match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(directory.into_fd()),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < deadline => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => {
                return Err(Error::DirectoryLocked {
                    directory: directory.path().to_path_buf(),
                    holder: holder(directory.identity()),
                    waited_secs: wait.as_secs(),
                });
            }
            Err(errno) => return Err(Error::os("lock the directory", directory.path())(errno)),
        }
    }
}

/// " by process 17 (cert_request)", as far as `/proc/locks` tells it.
fn holder(identity: Identity) -> String {
    let Some(process) = std::fs::read_to_string("/proc/locks")
        .ok()
        .and_then(|table| find_holder(&table, identity))
    else {
        return String::new();
    };
    match std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("comm")) {
        Ok(name) => format!(" by process {process} ({})", name.trim_end()),
        // Its committer has the lock until it has finished.
        Err(_) => format!(
            " for process {process}, which has ended but whose last renames are not done yet"
        ),
    }
}

/// A line is `1: FLOCK  ADVISORY  WRITE 4711 fe:00:131074 0 EOF`: process, then major:minor:inode.
fn find_holder(table: &str, (device, inode): Identity) -> Option<u32> {
    let file = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_ours = fields.get(1) == Some(&"FLOCK") && fields.get(5) == Some(&file.as_str());
        is_ours
            .then(|| fields.get(4)?.parse().ok())
            .flatten()
            .filter(|&process: &u32| process > 0)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn a_locked_directory_is_told_with_its_holder() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().canonicalize().unwrap();
        let held =
            DirectoryLocks::acquire([path.clone(), path.join("."), path.clone()], SHORT).unwrap();
        assert_eq!(held.len(), 1);
        let error = DirectoryLocks::acquire([path.clone()], SHORT).unwrap_err();
        assert_eq!(error.kind(), "files.directory_locked");
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "directory '{}' is locked by process {} ({}); waited 0 s for it; wait for the other run to end, then run again",
                path.display(),
                std::process::id(),
                comm.trim_end()
            )
        );
        drop(held);
        DirectoryLocks::acquire([path], SHORT).map(drop).unwrap();
    }

    #[test]
    fn no_wait_is_too_long() {
        let place = tempfile::tempdir().unwrap();
        let held = DirectoryLocks::acquire([place.path().to_path_buf()], Duration::MAX).unwrap();
        assert_eq!(held.len(), 1);
    }

    #[test]
    fn a_directory_that_does_not_exist_cannot_be_locked() {
        let error = DirectoryLocks::acquire([PathBuf::from("/no/such/place")], SHORT).unwrap_err();
        assert_eq!(
            error.to_string(),
            "directory '/no/such/place' does not exist; create it first"
        );
    }

    #[test]
    fn changes_of_this_process_work_under_its_locks() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let held = DirectoryLocks::acquire([one.path().to_path_buf()], SHORT).unwrap();
        let directories = [one.path(), two.path()].map(|path| Directory::open(path).unwrap());
        let covered = Cover::of(&directories).unwrap();
        assert_eq!(covered.descriptors().len(), 2);
        assert!(Arc::ptr_eq(&covered.0[0].1, &held.locks[0]));
        // The second was locked for the change only.
        assert!(DirectoryLocks::acquire([two.path().to_path_buf()], SHORT).is_err());
        drop(covered);
        DirectoryLocks::acquire([two.path().to_path_buf()], SHORT)
            .map(drop)
            .unwrap();
    }

    #[test]
    fn the_holder_is_found_by_device_and_inode() {
        let table = "1: POSIX  ADVISORY  WRITE 11 00:1f:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 22 00:1f:77 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 33 00:1f:77 0 EOF\n";
        assert_eq!(
            find_holder(table, (rustix::fs::makedev(0, 0x1f), 77)),
            Some(22)
        );
        assert_eq!(find_holder(table, (rustix::fs::makedev(0, 0x1f), 78)), None);
    }
}
