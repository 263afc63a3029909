// SPDX-License-Identifier: Apache-2.0
//! Programs that are told over a Unix socket of theirs: HAProxy's runtime API and QEMU's monitor.
//!
//! A socket may hang, or be another program's: each conversation has a time limit, and what comes back is taken for
//! words only, never for a success that nobody announced.

pub mod haproxy;
pub mod qemu;

use std::path::PathBuf;

/// Why a conversation came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Certificate and key that would have been given do not belong together: no other way is better.
    Mismatch(PathBuf),
    /// Another way may be.
    Other(String),
}

/// What a program said, in one short line.
fn short(said: &[u8]) -> String {
    const LETTERS: usize = 200;
    let text = String::from_utf8_lossy(said);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(LETTERS).collect();
    if line.is_empty() {
        String::from("(nothing)")
    } else {
        line
    }
}

/// An error of a socket, in one line.
fn said(error: &containers::Error) -> Trouble {
    Trouble::Other(ansible_module::flatten(error))
}
