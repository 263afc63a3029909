// SPDX-License-Identifier: Apache-2.0
//! The journal of a change: what is renamed to what. Paths only, never content.
//!
//! It lies in the directory of the set's first file as `.tls-everywhere.<set>.journal`; every other directory of the
//! set has a symbolic link of the same name to it (a *pointer*), so that a run that knows one directory of the set
//! finds the whole. A journal whose last bytes are missing was never on the disk, so nothing had begun.
//!
//! As long as it exists, the state of each file can be read from which names exist (see [`Entry`]); so it is removed
//! before anything else that a change leaves.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::{Error, Result, names, observe, temporary};

/// A set may have this many files; each may lie in a directory of its own, whose locks travel in one message.
pub(crate) const FILE_LIMIT: usize = 200;
const VERSION: u32 = 1;
const END: &[u8] = b"}\n";

/// What one change renames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    version: u32,
    pub(crate) set: String,
    pub(crate) entries: Vec<Entry>,
}

/// One file of a change.
///
/// | | waiting | done | put back |
/// |---|---|---|---|
/// | replaced (`new` and `old`) | `new` exists | only `old` exists | neither exists |
/// | created (only `new`) | `new` exists | only `file` exists | neither exists |
/// | removed (only `old`) | `file` exists | `old` exists | as waiting |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    #[serde(with = "text")]
    pub(crate) directory: OsString,
    #[serde(with = "text")]
    pub(crate) file: OsString,
    #[serde(
        with = "text_or_none",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) new: Option<OsString>,
    #[serde(
        with = "text_or_none",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) old: Option<OsString>,
    #[serde(
        with = "text_or_none",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) backup: Option<OsString>,
}

impl Entry {
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(&self.directory).join(&self.file)
    }

    /// Why this entry cannot be ours; it must not lead to any file but one of its own directory and its own names.
    fn fault(&self) -> Option<&'static str> {
        let Self {
            directory,
            file,
            new,
            old,
            backup,
        } = self;
        let clean = Path::new(directory).components().all(|part| {
            matches!(
                part,
                std::path::Component::RootDir | std::path::Component::Normal(_)
            )
        });
        let plain = |name: &OsStr| {
            let bytes = name.as_bytes();
            !bytes.is_empty()
                && !matches!(bytes, b"." | b"..")
                && !bytes.contains(&b'/')
                && !bytes.contains(&0)
        };
        if !Path::new(directory).is_absolute() || !clean || directory.as_bytes().contains(&0) {
            Some("it names a directory that is not a canonical path")
        } else if !plain(file) {
            Some("it names a file that is not a plain name")
        } else if new
            .as_ref()
            .is_some_and(|name| !names::belongs_to(name, file, b".new"))
            || old
                .as_ref()
                .is_some_and(|name| !names::belongs_to(name, file, b".old"))
            || (new.is_none() && old.is_none())
        {
            Some("it renames files that are not its temporaries")
        } else if backup
            .as_ref()
            .is_some_and(|name| !plain(name) || !names::is_backup_of(name, file))
        {
            Some("it names a backup that is not one")
        } else {
            None
        }
    }
}

/// What lies under the name of a journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Absent,
    /// It was cut while it was written.
    Incomplete,
    Complete(Journal),
}

impl Journal {
    pub(crate) fn new(set: &str, entries: Vec<Entry>) -> Self {
        Self {
            version: VERSION,
            set: set.to_owned(),
            entries,
        }
    }

    pub(crate) fn name(&self) -> OsString {
        names::journal(&self.set)
    }

    /// Writes the journal and puts it, and with it its directory, on the disk.
    pub(crate) fn write(&self, home: &Directory) -> Result<()> {
        let name = self.name();
        let path = home.join(&name);
        let file = match home.create(&name) {
            Ok(file) => file,
            Err(Errno::EXIST) => {
                return Err(Error::Busy {
                    set: self.set.clone(),
                    journal: path,
                });
            }
            Err(errno) => return Err(Error::os("create the journal", &path)(errno)),
        };
        let written = temporary::write(&file, &self.to_bytes(), &path)
            .and_then(|()| rustix::fs::fsync(&file).map_err(Error::os("put on the disk", &path)))
            .and_then(|()| home.sync());
        if written.is_err() {
            // Nothing depends on it yet; if it stays, it is incomplete or all its temporaries are gone.
            let _ = home.unlink(&name);
        }
        written
    }

    fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers always serialize; if that ever changed, an empty journal is one that never began.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads the journal `name` of a directory, if it can only be ours.
    pub(crate) fn read(home: &Directory, name: &OsStr) -> Result<Found> {
        let path = home.join(name);
        let untrusted = |reason: &str| Error::JournalUntrusted {
            journal: path.clone(),
            reason: reason.to_owned(),
        };
        let file = match home.open_file(name) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Found::Absent),
            Err(errno) => return Err(Error::os("open the journal", &path)(errno)),
        };
        let stat = rustix::fs::fstat(&file).map_err(Error::os("read the attributes of", &path))?;
        let ours = [0, rustix::process::geteuid().as_raw()].contains(&stat.st_uid);
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(untrusted("it is not a file"));
        } else if !ours {
            return Err(untrusted(&format!("it belongs to user {}", stat.st_uid)));
        } else if stat.st_mode & 0o022 != 0 {
            return Err(untrusted("others can write to it"));
        } else if stat.st_nlink != 1 {
            return Err(untrusted("it has more than one name"));
        }
        let bytes = observe::contents(&file, &stat, &path)?;
        match Self::parse(&bytes, name) {
            Ok(found) => Ok(found),
            Err(Fault::Damaged(reason)) => Err(Error::JournalDamaged {
                journal: path,
                reason,
            }),
            Err(Fault::Untrusted(reason)) => Err(untrusted(reason)),
        }
    }

    fn parse(bytes: &[u8], name: &OsStr) -> std::result::Result<Found, Fault> {
        if !bytes.ends_with(END) {
            return Ok(Found::Incomplete);
        }
        let journal: Self =
            serde_json::from_slice(bytes).map_err(|error| Fault::Damaged(error.to_string()))?;
        if journal.version != VERSION {
            return Err(Fault::Damaged(format!(
                "it has version {}, not {VERSION}",
                journal.version
            )));
        }
        if journal.name() != name {
            return Err(Fault::Untrusted("it has the name of another set"));
        }
        if journal.entries.is_empty() || journal.entries.len() > FILE_LIMIT {
            return Err(Fault::Untrusted("it names no file, or too many"));
        }
        match journal.entries.iter().find_map(Entry::fault) {
            Some(reason) => Err(Fault::Untrusted(reason)),
            None => Ok(Found::Complete(journal)),
        }
    }
}

enum Fault {
    Damaged(String),
    Untrusted(&'static str),
}

/// Names and paths as printable text, whatever bytes they have.
mod text {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::names::{path_encoded, percent_decoded};

    pub(super) fn serialize<S: Serializer>(name: &OsStr, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&path_encoded(name.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OsString, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = percent_decoded(&text)
            .ok_or_else(|| D::Error::custom("a name is not encoded as it should be"))?;
        Ok(OsString::from_vec(bytes))
    }
}

mod text_or_none {
    use std::ffi::OsString;

    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        name: &Option<OsString>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match name {
            Some(name) => super::text::serialize(name, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<OsString>, D::Error> {
        super::text::deserialize(from).map(Some)
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
