// SPDX-License-Identifier: Apache-2.0
//! The names of what a change puts beside the files: temporaries, kept old files, journals, backups.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::rand::{GetRandomFlags, getrandom};

/// In every name that we make beside the user's files.
const MARK: &[u8] = b".tls-everywhere.";
const JOURNAL_END: &[u8] = b".journal";
/// Longest part of a file's or set's own name that is repeated; file systems allow 255 bytes for the whole.
const NAME_LIMIT: usize = 160;

/// One change, by 16 random hexadecimal digits.
#[derive(Debug, Clone)]
pub(crate) struct Change(String);

impl Change {
    /// A name that no other change has. It need not be secret: files are created exclusively.
    pub(crate) fn random() -> rustix::io::Result<Self> {
        let mut bytes = [0_u8; 8];
        getrandom(&mut bytes[..], GetRandomFlags::empty())?;
        Ok(Self(format!("{:016x}", u64::from_ne_bytes(bytes))))
    }

    /// `.<file>.tls-everywhere.<hex>.new`: the file to be.
    pub(crate) fn new_name(&self, file: &OsStr) -> OsString {
        self.name(file, b".new")
    }

    /// `.<file>.tls-everywhere.<hex>.old`: the file that was.
    pub(crate) fn old_name(&self, file: &OsStr) -> OsString {
        self.name(file, b".old")
    }

    fn name(&self, file: &OsStr, end: &[u8]) -> OsString {
        let file = shortened(file.as_bytes());
        OsString::from_vec([b".", file, MARK, self.0.as_bytes(), end].concat())
    }
}

fn shortened(name: &[u8]) -> &[u8] {
    name.get(..NAME_LIMIT).unwrap_or(name)
}

/// Whether this is the name of a temporary (`.new`) or of a kept old file (`.old`) of any change.
pub(crate) fn is_leftover(name: &OsStr) -> bool {
    ends_as(name, b".new") || ends_as(name, b".old")
}

/// Whether `name` is what some change calls the new (`.new`) or old (`.old`) form of `file`.
pub(crate) fn belongs_to(name: &OsStr, file: &OsStr, end: &[u8]) -> bool {
    let prefix = [b".", shortened(file.as_bytes()), MARK].concat();
    let bytes = name.as_bytes();
    bytes.starts_with(&prefix) && bytes.len() == prefix.len() + 16 + end.len() && ends_as(name, end)
}

fn ends_as(name: &OsStr, end: &[u8]) -> bool {
    let bytes = name.as_bytes();
    let Some(rest) = bytes.strip_suffix(end) else {
        return false;
    };
    let Some(at) = rest.len().checked_sub(16) else {
        return false;
    };
    let (head, hex) = rest.split_at(at);
    head.starts_with(b".")
        && head.len() > MARK.len()
        && head.ends_with(MARK)
        && !bytes.contains(&b'/')
        && hex
            .iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

/// `.tls-everywhere.<set>.journal`.
pub(crate) fn journal(set: &str) -> OsString {
    let mut name = percent_encoded(set.as_bytes());
    if name.len() > NAME_LIMIT {
        // Two long names that begin alike must stay two names.
        name.truncate(NAME_LIMIT);
        name.push_str(&format!("%{:016x}", fnv1a(set.as_bytes())));
    }
    OsString::from_vec([MARK, name.as_bytes(), JOURNAL_END].concat())
}

/// Whether this is the name of a journal, or of a pointer to one.
pub(crate) fn is_journal(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    bytes.starts_with(MARK) && bytes.ends_with(JOURNAL_END) && !bytes.contains(&b'/')
}

/// `<file>.<pid>.<YYYY-MM-DD@HH:MM:SS>~`, as Ansible names its backups; the time is UTC.
pub(crate) fn backup(file: &OsStr, process: u32, unix_secs: i64) -> OsString {
    let stamp = format!(".{process}.{}~", utc(unix_secs));
    OsString::from_vec([shortened_for(file, stamp.len()), stamp.as_bytes()].concat())
}

/// Whether `name` can be a backup of `file`.
pub(crate) fn is_backup_of(name: &OsStr, file: &OsStr) -> bool {
    let bytes = name.as_bytes();
    let rest = bytes.strip_suffix(b"~").and_then(|bytes| {
        let stamp = bytes.rsplitn(3, |&byte| byte == b'.').collect::<Vec<_>>();
        (stamp.len() == 3).then(|| stamp[2])
    });
    rest.is_some_and(|rest| !rest.is_empty() && file.as_bytes().starts_with(rest))
        && !bytes.contains(&b'/')
}

fn shortened_for(file: &OsStr, more: usize) -> &[u8] {
    let bytes = file.as_bytes();
    bytes.get(..255_usize.saturating_sub(more)).unwrap_or(bytes)
}

/// `YYYY-MM-DD@HH:MM:SS` of seconds since 1970, by the proleptic Gregorian calendar.
fn utc(unix_secs: i64) -> String {
    let (days, secs) = (unix_secs.div_euclid(86_400), unix_secs.rem_euclid(86_400));
    // Days since 0000-03-01, so that the leap day is the last of its year; eras of 400 years are 146 097 days.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hours, minutes, seconds) = (secs / 3600, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}@{hours:02}:{minutes:02}:{seconds:02}")
}

/// Bytes as printable ASCII that is safe in a file name: `%`, `/` and all that needs care become `%XX`.
fn percent_encoded(bytes: &[u8]) -> String {
    encoded(bytes, b"._-+@:=, ~")
}

/// The bytes of a path as printable ASCII, for the journal.
pub(crate) fn path_encoded(bytes: &[u8]) -> String {
    encoded(bytes, b"/._-+@:=, ~")
}

fn encoded(bytes: &[u8], kept: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The bytes of [`path_encoded`]; `None` if this is not its output.
pub(crate) fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    Some(bytes)
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_temporary_is_recognized_and_nothing_else_is() {
        let change = Change::random().unwrap();
        let (new, old) = (
            change.new_name(OsStr::new("a.pem")),
            change.old_name(OsStr::new("a.pem")),
        );
        assert!(is_leftover(&new) && is_leftover(&old));
        assert!(belongs_to(&new, OsStr::new("a.pem"), b".new"));
        assert!(!belongs_to(&new, OsStr::new("b.pem"), b".new"));
        assert!(!belongs_to(&new, OsStr::new("a.pem"), b".old"));
        for name in [
            "a.pem",
            ".a.pem.new",
            ".a.tls-everywhere.0123.new",
            ".tls-everywhere.0123456789abcdef.new",
            ".a.tls-everywhere.0123456789abcdeg.new",
            "a.tls-everywhere.0123456789abcdef.new",
        ] {
            assert!(!is_leftover(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_backup_is_named_as_ansible_names_it() {
        assert_eq!(
            backup(OsStr::new("a.pem"), 4711, 1_785_585_599),
            OsStr::new("a.pem.4711.2026-08-01@11:59:59~")
        );
        assert_eq!(utc(0), "1970-01-01@00:00:00");
        assert_eq!(utc(951_782_400), "2000-02-29@00:00:00");
        assert_eq!(utc(4_107_542_399), "2100-02-28@23:59:59");
        assert!(is_backup_of(
            OsStr::new("a.pem.4711.2026-08-01@11:59:59~"),
            OsStr::new("a.pem")
        ));
        assert!(!is_backup_of(OsStr::new("passwd"), OsStr::new("a.pem")));
        assert!(!is_backup_of(OsStr::new("b.pem.1.x~"), OsStr::new("a.pem")));
    }

    proptest! {
        #[test]
        fn every_name_fits_a_file_system_and_stays_in_its_directory(name in "[^/\\x00]{1,80}") {
            let change = Change::random().unwrap();
            let file = OsStr::new(&name);
            for made in [change.new_name(file), change.old_name(file), journal(&name), backup(file, u32::MAX, 0)] {
                prop_assert!(made.len() <= 255 && !made.as_bytes().contains(&b'/'));
            }
            prop_assert!(belongs_to(&change.new_name(file), file, b".new"));
            prop_assert!(is_backup_of(&backup(file, 1, 0), file));
            prop_assert!(is_journal(&journal(&name)));
        }

        #[test]
        fn two_sets_never_share_a_journal(one in "\\PC{0,300}", two in "\\PC{0,300}") {
            prop_assert_eq!(one == two, journal(&one) == journal(&two));
        }

        #[test]
        fn encoded_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(percent_decoded(&path_encoded(&bytes)), Some(bytes));
        }
    }
}
