// SPDX-License-Identifier: Apache-2.0
//! The committer's own side.

use std::ffi::OsStr;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};

use super::wire::Answer;
use super::{HELLO, MESSAGE_LIMIT};
use crate::commit::Commit;
use crate::directory::Directory;
use crate::journal::{FILE_LIMIT, Found, Journal};
use crate::steps::{Steps, Unwatched};

/// One message: a journal to execute.
struct Job {
    /// Path of the journal.
    journal: Vec<u8>,
    /// The socket for the answer.
    answers: OwnedFd,
    /// Held for as long as the job runs.
    locks: Vec<OwnedFd>,
}

/// The main function of the committer.
///
/// Every executable that calls [`install`](crate::install()) or [`remove`](crate::remove()) must call this, and nothing
/// else, when its first argument is `--commit`: these functions start `/proc/self/exe --commit` with a socket as
/// standard input. Without it changes work as well, but a `kill -9` between two renames is repaired by the next run
/// only, and each change says so in a warning.
pub fn committer_main() -> ExitCode {
    committer_main_observed(&Unwatched)
}

/// As [`committer_main`], with somebody who watches the steps.
pub fn committer_main_observed(steps: &dyn Steps) -> ExitCode {
    // The session of the run ends with its terminal or its ssh connection; the committer must not. It fails only for
    // a session leader, which has its own session already.
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"tls-committer");
    let stdin = std::io::stdin();
    if send(&stdin, HELLO, SendFlags::NOSIGNAL).is_err() {
        return ExitCode::from(2);
    }
    // The scope waits for the jobs that still run when the socket has closed.
    std::thread::scope(|scope| {
        while let Some(job) = next_job(stdin.as_fd()) {
            let job = Mutex::new(Some(job));
            let work = std::sync::Arc::new(job);
            let threads = std::sync::Arc::clone(&work);
            let spawned =
                std::thread::Builder::new().spawn_scoped(scope, move || execute(&threads, steps));
            if spawned.is_err() {
                // No more threads: then one after the other.
                execute(&work, steps);
            }
        }
    });
    ExitCode::SUCCESS
}

/// Waits for the next message; `None` when the run that started us is gone.
fn next_job(socket: BorrowedFd<'_>) -> Option<Job> {
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILE_LIMIT + 1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = vec![0_u8; MESSAGE_LIMIT];
        let received = match recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Ok(received) if received.bytes > 0 => received.bytes,
            Err(Errno::INTR) => continue,
            _ => return None,
        };
        bytes.truncate(received);
        let mut fds = ancillary.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<_>>(),
            _ => Vec::new(),
        });
        if let Some(answers) = fds.next() {
            return Some(Job {
                journal: bytes,
                answers,
                locks: fds.collect(),
            });
        }
    }
}

fn execute(job: &Mutex<Option<Job>>, steps: &dyn Steps) {
    let Some(Job {
        journal,
        answers,
        locks,
    }) = job.lock().ok().and_then(|mut job| job.take())
    else {
        return;
    };
    let answer = Answer::new(commit(Path::new(OsStr::from_bytes(&journal)), steps));
    // First the locks, then the answer: who has the answer may rely on the locks being his own again.
    drop(locks);
    let bytes = serde_json::to_vec(&answer).unwrap_or_default();
    // Nobody waits for the answer of a killed run.
    let _ = send(&answers, &bytes, SendFlags::NOSIGNAL);
}

fn commit(path: &Path, steps: &dyn Steps) -> crate::Result<crate::commit::Outcome> {
    let (Some(home), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(crate::commit::Outcome::Gone);
    };
    let home = Directory::open_canonical(home)?;
    match Journal::read(&home, name)? {
        Found::Complete(journal) => Commit::open(&home, &journal, steps)?.run(),
        Found::Absent | Found::Incomplete => Ok(crate::commit::Outcome::Gone),
    }
}
