// SPDX-License-Identifier: Apache-2.0
//! Everything that can go wrong with the files of a set.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// The result of every function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, with the path that it concerns and, last in the message, what to do.
///
/// The operating system's cause is the [source](std::error::Error::source) and not part of the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `getent` could not be run or did not answer: the operator should look at the name service.
    #[error("cannot look up {what} '{name}'")]
    AccountLookup {
        /// "user" or "group".
        what: &'static str,
        /// The name as given.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// Another change of the same set is under way in this process.
    #[error("set '{set}' is being changed already ('{journal}' exists); name each set once")]
    Busy {
        /// The set.
        set: String,
        /// Its journal.
        journal: PathBuf,
    },
    /// The destination is a symbolic link to nothing: the operator should remove it or create its target.
    #[error(
        "'{path}' is a symbolic link to '{target}', which does not exist; remove the link or create its target"
    )]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// Where it points, as written in the link.
        target: PathBuf,
    },
    /// Another run holds the lock of the directory: the operator should wait for it.
    #[error(
        "directory '{directory}' is locked{holder}; waited {waited_secs} s for it; wait for the other run to end, then run again"
    )]
    DirectoryLocked {
        /// The directory.
        directory: PathBuf,
        /// Who holds the lock, as far as it can be told: " by process 17 (cert_request)" or empty.
        holder: String,
        /// For how long it was tried.
        waited_secs: u64,
    },
    /// The operator should create the directory first.
    #[error("directory '{directory}' does not exist; create it first")]
    DirectoryMissing {
        /// The file.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// A secret must not lie where everybody can put files.
    #[error(
        "refusing to write the secret '{path}' into '{directory}', which is writable by everybody (mode {mode:04o}); choose another directory or remove that permission with 'chmod o-w'"
    )]
    DirectoryWorldWritable {
        /// The file.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
        /// The directory's permission bits.
        mode: u32,
    },
    /// One call names one file twice.
    #[error("'{path}' is named twice in set '{set}'; give each file its own path")]
    DuplicatePath {
        /// The set.
        set: String,
        /// The file.
        path: PathBuf,
    },
    /// The file has more than one name, so its attributes would change elsewhere too.
    #[error(
        "refusing to change owner or mode of '{path}', which has {names} names (hard links); remove the other names or replace the file"
    )]
    HardLinked {
        /// The file.
        path: PathBuf,
        /// Its link count.
        names: u64,
    },
    /// The SELinux context is not `user:role:type[:level]`.
    #[error(
        "'{value}' is not a SELinux context; write user:role:type:level, for example 'system_u:object_r:cert_t:s0'"
    )]
    InvalidContext {
        /// The text as given.
        value: String,
    },
    /// The mode cannot be understood.
    #[error("'{value}' is not a file mode: {reason}; {hint}")]
    InvalidMode {
        /// The value as given.
        value: String,
        /// What is wrong.
        reason: String,
        /// What to write instead.
        hint: String,
    },
    /// The path cannot be the path of a file.
    #[error("'{path}' is not the path of a file: {reason}")]
    InvalidPath {
        /// The path as given.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The destination is a directory: the operator should give the path of a file.
    #[error("'{path}' is a directory; give the path of a file")]
    IsDirectory {
        /// The path.
        path: PathBuf,
    },
    /// A journal cannot be read: the operator should compare the set by hand and remove the journal.
    #[error(
        "journal '{journal}' is damaged: {reason}; check that the key and the certificate of its set match, then remove it"
    )]
    JournalDamaged {
        /// The journal.
        journal: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A journal may have been written by somebody else: it is not acted upon.
    #[error("journal '{journal}' is not trusted: {reason}; find out who wrote it, then remove it")]
    JournalUntrusted {
        /// The journal.
        journal: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The destination is a symbolic link that leaves its directory.
    #[error(
        "'{path}' is a symbolic link to '{target}', outside its directory; give the path of the file itself"
    )]
    LinkLeavesDirectory {
        /// The link.
        path: PathBuf,
        /// Where it points, as written in the link.
        target: PathBuf,
    },
    /// A secret must not be open to everybody.
    #[error(
        "refusing mode {mode:04o} for the secret '{path}': it grants access to everybody; use '0640' with a group, or '0600'"
    )]
    ModeTooOpen {
        /// The file.
        path: PathBuf,
        /// The mode asked for.
        mode: u32,
    },
    /// What should be a directory is something else.
    #[error("'{directory}' is not a directory; '{path}' cannot be in it")]
    NotADirectory {
        /// The file.
        path: PathBuf,
        /// What should be its directory.
        directory: PathBuf,
    },
    /// The path is a device, a socket or a pipe.
    #[error("'{path}' is {kind}, not a file; give the path of a file")]
    NotRegular {
        /// The path.
        path: PathBuf,
        /// "a socket", "a pipe" and so on.
        kind: &'static str,
    },
    /// The operating system refused; it says why in the source.
    #[error("cannot {operation} '{path}'")]
    Os {
        /// The operation, as the middle of the sentence.
        operation: Cow<'static, str>,
        /// The path that it concerns.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The old set could not be put back after a failure: the next run tries again.
    #[error(
        "cannot put the old files of set '{set}' back ('{path}'); the journal '{journal}' is kept and the next run tries again"
    )]
    StuckHalfway {
        /// The set.
        set: String,
        /// The first file that could not be put back.
        path: PathBuf,
        /// The journal.
        journal: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is larger than anything that a certificate needs.
    #[error("'{path}' is larger than {limit} bytes, which no file of a certificate is")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A set has more files than one journal may name.
    #[error("set '{set}' has {files} files, more than {limit}; split it")]
    TooManyFiles {
        /// The set.
        set: String,
        /// How many.
        files: usize,
        /// How many are possible.
        limit: usize,
    },
    /// No such group.
    #[error("group '{name}' does not exist on this host; create it first or give a number")]
    UnknownGroup {
        /// The name as given.
        name: String,
    },
    /// No such user.
    #[error("owner '{name}' does not exist on this host; create the user first or give a number")]
    UnknownOwner {
        /// The name as given.
        name: String,
    },
}

impl Error {
    /// The stable name of this kind of failure, for example `files.directory_missing`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AccountLookup { .. } => "files.account_lookup",
            Self::Busy { .. } => "files.busy",
            Self::DanglingLink { .. } => "files.dangling_link",
            Self::DirectoryLocked { .. } => "files.directory_locked",
            Self::DirectoryMissing { .. } => "files.directory_missing",
            Self::DirectoryWorldWritable { .. } => "files.directory_world_writable",
            Self::DuplicatePath { .. } => "files.duplicate_path",
            Self::HardLinked { .. } => "files.hard_linked",
            Self::InvalidContext { .. } => "files.invalid_context",
            Self::InvalidMode { .. } => "files.invalid_mode",
            Self::InvalidPath { .. } => "files.invalid_path",
            Self::IsDirectory { .. } => "files.is_directory",
            Self::JournalDamaged { .. } => "files.journal_damaged",
            Self::JournalUntrusted { .. } => "files.journal_untrusted",
            Self::LinkLeavesDirectory { .. } => "files.link_leaves_directory",
            Self::ModeTooOpen { .. } => "files.mode_too_open",
            Self::NotADirectory { .. } => "files.not_a_directory",
            Self::NotRegular { .. } => "files.not_regular",
            Self::Os { source, .. } => os_kind(source),
            Self::StuckHalfway { .. } => "files.stuck_halfway",
            Self::TooLarge { .. } => "files.too_large",
            Self::TooManyFiles { .. } => "files.too_many_files",
            Self::UnknownGroup { .. } => "files.unknown_group",
            Self::UnknownOwner { .. } => "files.unknown_owner",
        }
    }

    /// What the operator can do about a refusal of the operating system; the other messages say it themselves.
    pub fn hint(&self) -> Option<&'static str> {
        let (Self::Os { source, .. } | Self::StuckHalfway { source, .. }) = self else {
            return None;
        };
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
                "free space or raise the quota of that file system; the old files are untouched",
            ),
            io::ErrorKind::ReadOnlyFilesystem => {
                Some("remount that file system read-write or choose another directory")
            }
            io::ErrorKind::PermissionDenied => Some(
                "run as root or as the owner of the directory; 'lsattr -d' shows an immutable flag, 'ausearch -m avc' a refusal by SELinux",
            ),
            _ => None,
        }
    }

    /// Attaches what was tried, and on which path, to a refusal of the operating system.
    pub(crate) fn os<'a, E: Into<io::Error>>(
        operation: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(E) -> Self + use<'a, E> {
        move |source| Self::Os {
            operation: Cow::Borrowed(operation),
            path: path.to_path_buf(),
            source: source.into(),
        }
    }
}

fn os_kind(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "files.no_space",
        io::ErrorKind::ReadOnlyFilesystem => "files.read_only",
        io::ErrorKind::PermissionDenied => "files.permission_denied",
        _ => "files.os",
    }
}
