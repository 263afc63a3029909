// SPDX-License-Identifier: Apache-2.0
//! Nonces that the server gave and nobody used yet (RFC 8555 §6.5).

use std::sync::{Mutex, PoisonError};

/// More are not kept: the oldest grow stale.
const LIMIT: usize = 64;

/// Shared by all threads that ask one server; every answer brings a new one.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Vec<String>>);

impl Nonces {
    /// The newest.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps one for whoever asks next. What is not base64url is no nonce.
    pub(crate) fn keep(&self, nonce: &str) {
        if !is_nonce(nonce) {
            return;
        }
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() >= LIMIT {
            nonces.remove(0);
        }
        nonces.push(nonce.to_owned());
    }
}

pub(crate) fn is_nonce(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=512).contains(&text.len()) && text.bytes().all(is_base64url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_the_oldest_goes() {
        let nonces = Nonces::default();
        for n in 0..LIMIT + 1 {
            nonces.keep(&format!("n{n}"));
        }
        for n in (1..LIMIT + 1).rev() {
            assert_eq!(nonces.take(), Some(format!("n{n}")));
        }
        assert_eq!(nonces.take(), None);
    }

    #[test]
    fn what_is_no_nonce_is_not_kept() {
        let nonces = Nonces::default();
        for text in ["", "a b", "a\"b", "a=", &"x".repeat(513)] {
            nonces.keep(text);
        }
        assert_eq!(nonces.take(), None);
    }
}
