// SPDX-License-Identifier: Apache-2.0
//! Network namespaces of processes.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::place::is_local;
use crate::{Error, Result};

/// A network namespace, held open: it stays even when its processes are gone.
#[derive(Clone, Debug)]
pub struct NetworkNamespace {
    handle: Arc<OwnedFd>,
    identity: (u64, u64),
    of: Pid,
}

impl NetworkNamespace {
    /// The one in which a process lives.
    ///
    /// # Errors
    /// [`Error::ProcessGone`], and [`Error::Namespace`] for a process of somebody else.
    pub fn of(pid: Pid) -> Result<Self> {
        let fail = |errno: rustix::io::Errno| match errno {
            rustix::io::Errno::NOENT | rustix::io::Errno::SRCH => Error::ProcessGone {
                pid: pid.as_raw_nonzero().get(),
            },
            other => Error::Namespace {
                operation: "open",
                pid: pid.as_raw_nonzero().get(),
                source: other.into(),
            },
        };
        let path = format!("/proc/{}/ns/net", pid.as_raw_nonzero());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty()).map_err(fail)?;
        let stat = rustix::fs::fstat(&handle).map_err(fail)?;
        Ok(Self {
            handle: Arc::new(handle),
            identity: (stat.st_dev, stat.st_ino),
            of: pid,
        })
    }

    /// What tells two namespaces apart.
    pub fn identity(&self) -> (u64, u64) {
        self.identity
    }

    /// Whether this process lives in it.
    pub fn is_own(&self) -> bool {
        rustix::fs::stat("/proc/thread-self/ns/net")
            .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == self.identity)
    }

    /// Whether it has this address itself. Asked of its routing table, without a packet.
    ///
    /// # Errors
    /// [`Error::Namespace`], if it is not ours and we are not root.
    pub fn has(&self, address: IpAddr) -> Result<bool> {
        self.enter(|| is_local(address).unwrap_or(false))
    }

    /// Does something inside. A thread of its own enters and ends there, so that no other work of this process ever
    /// runs in the wrong network; what it opens stays in the namespace.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        if self.is_own() {
            return Ok(work());
        }
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new().spawn_scoped(scope, || {
                let only_network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.handle.as_fd(), only_network)?;
                Ok(work())
            });
            worker?
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the thread inside panicked")))
        })
        .map_err(|source| Error::Namespace {
            operation: "enter",
            pid: self.of.as_raw_nonzero().get(),
            source,
        })
    }
}

impl PartialEq for NetworkNamespace {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl Eq for NetworkNamespace {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn our_own_namespace_is_known_as_such() {
        let own = NetworkNamespace::of(rustix::process::getpid()).unwrap();
        assert!(own.is_own());
        assert_eq!(own.enter(|| 7).unwrap(), 7);
    }

    #[test]
    fn a_process_that_is_gone_is_told_as_gone() {
        let gone = Pid::from_raw(i32::MAX).unwrap();
        let error = NetworkNamespace::of(gone).unwrap_err();
        assert_eq!(error.kind(), "probe.process_gone");
    }
}
