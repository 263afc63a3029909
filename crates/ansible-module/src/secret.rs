// SPDX-License-Identifier: Apache-2.0
//! A value that must not be printed.

use serde::{Deserialize, Deserializer};
use zeroize::Zeroize;

/// A value that prints as `REDACTED` and is overwritten when it is dropped.
///
/// It deserializes as its content does. [`Secret::expose`] is the only way out, so that one search lists
/// every place where secrets are used.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; keep it out of messages.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("REDACTED")
    }
}

impl<T: Zeroize> std::fmt::Display for Secret<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("REDACTED")
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_deserializes_transparently_and_prints_nothing() {
        let Ok(secret) = serde_json::from_str::<Secret<String>>(r#""hunter2""#) else {
            unreachable!("a string")
        };
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "REDACTED REDACTED Some(REDACTED)"
        );
    }
}
