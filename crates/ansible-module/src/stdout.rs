// SPDX-License-Identifier: Apache-2.0
//! Exactly one line on stdout.
//!
//! While the module works, file descriptor 1 is stderr: a stray print, also one of a child process, cannot
//! spoil the answer. The real stdout is kept under another number, closed on exec, and used once.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::stdio;

/// Where the one answer goes.
enum Channel {
    /// Nothing was redirected (yet): descriptor 1 is the real stdout.
    Direct,
    Kept(OwnedFd),
    Answered,
}

static CHANNEL: Mutex<Channel> = Mutex::new(Channel::Direct);

/// Points descriptor 1 at stderr and keeps the real stdout for [`answer`].
pub(crate) fn guard() -> io::Result<()> {
    let kept = rustix::io::fcntl_dupfd_cloexec(stdio::stdout(), 3)?;
    stdio::dup2_stdout(stdio::stderr())?;
    *CHANNEL.lock().unwrap_or_else(PoisonError::into_inner) = Channel::Kept(kept);
    Ok(())
}

/// Writes the answer and a newline; whoever comes second (a panic in a thread, say) writes nothing.
///
/// # Errors
/// What `write` says, `EPIPE` among it if nobody reads any more.
pub(crate) fn answer(line: &str) -> io::Result<()> {
    let mut channel = CHANNEL.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bytes = Vec::with_capacity(line.len() + 1);
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    // The lock is held while the line is written: the end of the process waits for it in the panic hook.
    match std::mem::replace(&mut *channel, Channel::Answered) {
        Channel::Answered => Ok(()),
        Channel::Direct => write_all(stdio::stdout(), &bytes),
        Channel::Kept(kept) => write_all(&kept, &bytes),
    }
}

fn write_all(to: impl std::os::fd::AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            // A terminal or pipe that its owner made non-blocking: wait instead of losing the answer.
            Err(rustix::io::Errno::AGAIN) => {
                std::thread::sleep(std::time::Duration::from_millis(1))
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
