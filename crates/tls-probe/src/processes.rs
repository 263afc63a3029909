// SPDX-License-Identifier: Apache-2.0
//! Processes as /proc shows them. A process may end at any moment: then it is as if it had not been there.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;

use rustix::io::Errno;
use rustix::process::Pid;

use crate::{Error, Result};

/// What tells two namespaces apart.
pub(crate) type Identity = (u64, u64);

/// The processes of this machine at one moment. Take one for all containers: it costs a few system calls a process.
#[derive(Clone, Debug)]
pub struct Processes {
    pub(crate) all: Vec<(Pid, Identity)>,
}

impl Processes {
    /// Looks at /proc. Processes that we may not look into are left out: without root those of other users.
    ///
    /// # Errors
    /// [`Error::Proc`], if there is no /proc.
    pub fn snapshot() -> Result<Self> {
        let entries = fs::read_dir("/proc").map_err(|error| Error::proc("/proc", error))?;
        let pids = entries.filter_map(|entry| pid_named(entry.ok()?.file_name().to_str()?));
        let all = pids.filter_map(|pid| Some((pid, pid_namespace(pid).ok()?)));
        Ok(Self { all: all.collect() })
    }

    /// All of them.
    pub fn pids(&self) -> impl Iterator<Item = Pid> + '_ {
        self.all.iter().map(|(pid, _)| *pid)
    }
}

fn pid_named(name: &str) -> Option<Pid> {
    Pid::from_raw(name.parse().ok()?)
}

/// The process's own PID namespace.
pub(crate) fn pid_namespace(pid: Pid) -> Result<Identity> {
    let path = format!("/proc/{}/ns/pid", pid.as_raw_nonzero());
    match rustix::fs::stat(&path) {
        Ok(stat) => Ok((stat.st_dev, stat.st_ino)),
        Err(Errno::NOENT | Errno::SRCH) => Err(gone(pid)),
        Err(errno) => Err(Error::proc(path, errno)),
    }
}

/// The network namespace in which a process lives, without opening it.
pub(crate) fn network_identity(pid: Pid) -> Result<Identity> {
    let path = format!("/proc/{}/ns/net", pid.as_raw_nonzero());
    match rustix::fs::stat(&path) {
        Ok(stat) => Ok((stat.st_dev, stat.st_ino)),
        Err(Errno::NOENT | Errno::SRCH) => Err(gone(pid)),
        Err(errno) => Err(Error::proc(path, errno)),
    }
}

pub(crate) fn gone(pid: Pid) -> Error {
    Error::ProcessGone {
        pid: pid.as_raw_nonzero().get(),
    }
}

/// The sockets that a process has open.
pub(crate) fn sockets(pid: Pid) -> Result<HashSet<u64>> {
    let path = format!("/proc/{}/fd", pid.as_raw_nonzero());
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Err(gone(pid)),
        Err(error) => return Err(Error::proc(path, error)),
    };
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Ok(targets
        .filter_map(|target| socket_inode(target.to_str()?))
        .collect())
}

/// A process that ends between two system calls shows as either.
pub(crate) fn is_gone(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// `socket:[45661]`
fn socket_inode(target: &str) -> Option<u64> {
    target
        .strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_and_its_listener_are_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let own = rustix::process::getpid();
        assert!(Processes::snapshot().unwrap().pids().any(|pid| pid == own));
        let inode = rustix::fs::fstat(&listener).unwrap().st_ino;
        assert!(sockets(own).unwrap().contains(&inode));
        drop(listener);
        assert!(!sockets(own).unwrap().contains(&inode));
    }

    #[test]
    fn only_a_socket_is_a_socket() {
        assert_eq!(socket_inode("socket:[17]"), Some(17));
        for other in [
            "pipe:[17]",
            "/tmp/socket:[17]",
            "socket:[]",
            "socket:[17",
            "anon_inode:[eventpoll]",
        ] {
            assert_eq!(socket_inode(other), None);
        }
    }
}
