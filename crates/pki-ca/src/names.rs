// SPDX-License-Identifier: Apache-2.0
//! Names that become file names: an authority's and a signed certificate's.

use std::fmt;

/// Longest name: the file names built from it stay within the 255 bytes of a directory entry.
const LONGEST: usize = 128;

/// The name of an authority, which cannot climb out of the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorityName(String);

/// The name under which a signed certificate is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName(String);

impl AuthorityName {
    /// Checks `name`; the error says which rule it breaks.
    pub fn new(name: &str) -> Result<Self, String> {
        safe(name).map(|()| Self(name.to_owned()))
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EntryName {
    /// Checks `name`; the error says which rule it breaks.
    pub fn new(name: &str) -> Result<Self, String> {
        safe(name)?;
        for suffix in ["-chain", "-ca_bundle"] {
            if let Some(other) = name.strip_suffix(suffix) {
                return Err(format!(
                    "'{name}' ends in '{suffix}', so its file would be taken for one of '{other}'"
                ));
            }
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AuthorityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn safe(name: &str) -> Result<(), String> {
    let broken = if name.is_empty() {
        "is empty"
    } else if name.len() > LONGEST {
        "is longer than 128 bytes"
    } else if name.contains('/') {
        "contains '/'"
    } else if name.starts_with('.') {
        "begins with '.'"
    } else if name.chars().any(char::is_control) {
        "contains a control character"
    } else if name.trim() != name {
        "begins or ends with white space"
    } else {
        return Ok(());
    };
    Err(format!(
        "'{}' {broken}; it becomes a file name",
        name.escape_debug()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_climb_are_refused() {
        for bad in [
            "", "..", ".hidden", "a/b", "../evil", "a\nb", "a\0b", " a", "a ",
        ] {
            assert!(AuthorityName::new(bad).is_err(), "{bad:?}");
            assert!(EntryName::new(bad).is_err(), "{bad:?}");
        }
        assert!(AuthorityName::new(&"x".repeat(129)).is_err());
    }

    #[test]
    fn names_that_people_use_are_accepted() {
        for good in [
            "ExampleCorpRoot",
            "haproxy_host1-10.0.0.1-eth0",
            "Ünïcode CA",
            "a..b",
        ] {
            assert!(AuthorityName::new(good).is_ok(), "{good:?}");
            assert!(EntryName::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn an_entry_cannot_take_the_file_of_another() {
        assert!(EntryName::new("web-chain").is_err());
        assert!(EntryName::new("web-ca_bundle").is_err());
    }
}
