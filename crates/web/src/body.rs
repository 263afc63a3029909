// SPDX-License-Identifier: Apache-2.0
//! The body of an answer, bounded in size and time.

use std::io::{ErrorKind, Read};
use std::time::Instant;

/// Why a body was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It did not end in time.
    Late,
    /// It broke off.
    Broken(String),
    /// It is larger than the limit.
    TooLarge,
}

/// Reads all, but no more than `limit` bytes and not beyond `deadline`. A server that sends a byte now and then is
/// late too: the deadline is asked between reads, each of which has a limit of its own.
pub(crate) fn take(
    mut from: impl Read,
    limit: usize,
    deadline: Instant,
) -> Result<Vec<u8>, Refused> {
    let mut body = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        let size = match from.read(&mut piece) {
            Ok(0) => return Ok(body),
            Ok(size) => size,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if is_late(&error) => return Err(Refused::Late),
            Err(error) => return Err(Refused::Broken(error.to_string())),
        };
        if body.len() + size > limit {
            return Err(Refused::TooLarge);
        }
        body.extend_from_slice(piece.get(..size).unwrap_or_default());
        if Instant::now() > deadline {
            return Err(Refused::Late);
        }
    }
}

/// reqwest wraps its own error.
fn is_late(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::TimedOut
        || error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
            .is_some_and(reqwest::Error::is_timeout)
}
