// SPDX-License-Identifier: Apache-2.0
//! The committer: a child of ours, in its own session, that finishes renames which we were killed over.
//!
//! One per process, started with the first change that has more than one file. A job is one message on a socket: the
//! path of a journal, and with it (`SCM_RIGHTS`) a socket for the answer and the locks of the journal's directories.
//! Handing over is one system call, so a job is either handed over or not. If we are killed, the committer still has
//! the locks and the journal. If it is killed, the socket for the answer closes and we execute the journal ourselves.

mod child;
mod wire;

use std::ffi::OsStr;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};

use crate::lock::Cover;

pub use self::child::{committer_main, committer_main_observed};
pub(crate) use self::wire::Answer;

/// The argument that makes an executable a committer.
const ARGUMENT: &str = "--commit";
/// What the committer says first; who answers something else is no committer.
const HELLO: &[u8] = b"tls-files committer 1";
/// A new process says hello within milliseconds, on a loaded host within seconds.
const HELLO_WAIT: Duration = Duration::from_secs(10);
/// Renames take microseconds and a sync may take seconds; after this time the committer is killed and we finish.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// After so many committers are lost, this process goes on without.
const LOSS_LIMIT: u32 = 3;
/// The longest path of Linux, with room for a little more.
const MESSAGE_LIMIT: usize = 8192;

/// Why the answer of the committer is missing.
#[derive(Debug)]
pub(crate) enum Missing {
    /// There is no committer, for this reason: the job was not handed over.
    NotStarted(String),
    /// It is dead: it may have done nothing, a part, or all.
    Lost,
}

struct Committer {
    socket: OwnedFd,
    child: Mutex<Child>,
    greeted: Mutex<bool>,
}

#[derive(Default)]
struct Office {
    running: Option<Arc<Committer>>,
    losses: u32,
    /// Why none can be started.
    closed: Option<String>,
}

static OFFICE: Mutex<Office> = Mutex::new(Office {
    running: None,
    losses: 0,
    closed: None,
});

/// Starts the committer if it does not run, without waiting for it: it wakes up while we write temporaries.
pub(crate) fn warm_up() {
    let _ = running();
}

/// Hands a journal over and waits until it is executed.
pub(crate) fn execute(
    journal: &Path,
    locks: &Cover,
    handed_over: impl FnOnce(),
) -> Result<Answer, Missing> {
    let committer = running().map_err(Missing::NotStarted)?;
    if let Err(reason) = committer.greet() {
        close(&committer, &reason);
        return Err(Missing::NotStarted(reason));
    }
    let answer = committer
        .hand_over(journal.as_os_str(), locks)
        .and_then(|answers| {
            handed_over();
            receive(&answers)
        });
    answer.map_err(|_| {
        lose(&committer);
        Missing::Lost
    })
}

fn running() -> Result<Arc<Committer>, String> {
    let mut office = OFFICE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(reason) = &office.closed {
        return Err(reason.clone());
    }
    if let Some(committer) = &office.running {
        return Ok(Arc::clone(committer));
    }
    // An executable that does not know the argument and does its usual work must not start itself for ever.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == ARGUMENT)
    {
        return Err("this process is a committer itself".to_owned());
    }
    match Committer::start() {
        Ok(committer) => Ok(Arc::clone(office.running.insert(Arc::new(committer)))),
        Err(error) => {
            let reason = format!("it could not be started: {error}");
            office.closed = Some(reason.clone());
            Err(reason)
        }
    }
}

/// The committer does not do its work: nobody asks it again.
fn close(committer: &Arc<Committer>, reason: &str) {
    committer.end();
    let mut office = OFFICE.lock().unwrap_or_else(PoisonError::into_inner);
    office.running = None;
    office.closed = Some(reason.to_owned());
}

/// The committer was killed: another one is started for the next change, a few times.
fn lose(committer: &Arc<Committer>) {
    committer.end();
    let mut office = OFFICE.lock().unwrap_or_else(PoisonError::into_inner);
    if office
        .running
        .as_ref()
        .is_some_and(|running| Arc::ptr_eq(running, committer))
    {
        office.running = None;
        office.losses += 1;
        if office.losses >= LOSS_LIMIT {
            office.closed = Some(format!("it was killed {LOSS_LIMIT} times"));
        }
    }
}

impl Committer {
    /// Our own executable again, even if its file is gone; no environment, no terminal, no output of ours.
    fn start() -> std::io::Result<Self> {
        let (ours, theirs) = pair()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the committer is this executable again; argv holds one word"
        )]
        let child = Command::new("/proc/self/exe")
            .arg(ARGUMENT)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            socket: ours,
            child: Mutex::new(child),
            greeted: Mutex::new(false),
        })
    }

    /// Waits for the hello, once.
    fn greet(&self) -> Result<(), String> {
        let mut greeted = self.greeted.lock().unwrap_or_else(PoisonError::into_inner);
        if *greeted {
            return Ok(());
        }
        let mut hello = [0_u8; HELLO.len() + 1];
        let length = receive_message(self.socket.as_fd(), &mut hello, HELLO_WAIT)
            .map_err(|error| format!("it did not say hello: {error}"))?;
        if hello.get(..length) != Some(HELLO) {
            return Err(format!(
                "this executable does not know the argument '{ARGUMENT}'"
            ));
        }
        *greeted = true;
        Ok(())
    }

    /// Sends the job and returns the socket on which the answer comes.
    fn hand_over(&self, journal: &OsStr, locks: &Cover) -> std::io::Result<OwnedFd> {
        let (ours, theirs) = pair()?;
        let fds: Vec<BorrowedFd<'_>> = std::iter::once(theirs.as_fd())
            .chain(locks.descriptors())
            .collect();
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(fds.len()))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(std::io::Error::other("too many locks for one message"));
        }
        let message = [IoSlice::new(journal.as_bytes())];
        loop {
            match sendmsg(&self.socket, &message, &mut ancillary, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                answer => break answer.map(drop)?,
            };
        }
        Ok(ours)
    }

    /// Makes sure that the child is dead: from here on, nobody but us executes what it had.
    fn end(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // Both fail only if it has been reaped already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
}

fn receive(answers: &OwnedFd) -> std::io::Result<Answer> {
    let mut bytes = [0_u8; MESSAGE_LIMIT];
    let length = receive_message(answers.as_fd(), &mut bytes, ANSWER_WAIT)?;
    Ok(serde_json::from_slice(
        bytes.get(..length).unwrap_or_default(),
    )?)
}

/// One message, within a time; a closed socket is an error.
fn receive_message(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
    wait: Duration,
) -> std::io::Result<usize> {
    let deadline = Instant::now() + wait;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Err(std::io::ErrorKind::TimedOut.into()),
            Ok(_) => match rustix::io::read(socket, &mut *into) {
                Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => return Ok(length),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            },
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
