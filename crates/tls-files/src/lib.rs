// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! The files of one certificate: observe, compare, replace atomically.
//!
//! A certificate on a host is a *set* of files: private key, certificate, chain, a combined file.
//! This crate reads such a set ([`observe()`]), says how its attributes differ ([`attribute_drift`]) and replaces it
//! so that whatever happens in the middle (full disk, `kill -9`, power), a key and a certificate that do not belong
//! together are not what is left. It handles bytes only and knows nothing of their meaning.
//!
//! The order of one [`install()`]:
//!
//! 1. every destination is checked; a file that already equals what is asked is not touched;
//! 2. temporaries beside the destinations, with final owner, mode and SELinux context *before* any content; fsync;
//! 3. hard links of the old files, for undo; a journal; fsync;
//! 4. the renames, in the order of the caller, by the [committer](committer_main): a child in its own session that
//!    finishes them even if we are killed; fsync of the directories;
//! 5. the journal is removed, then what is left over.
//!
//! What a kill leaves, [`recover()`] finishes or undoes in the next run.

pub mod accounts;
mod attributes;
mod change;
mod commit;
mod committer;
mod destination;
mod directory;
mod error;
mod install;
mod journal;
mod lock;
mod mode;
mod names;
mod observe;
mod recover;
mod remove;
mod repair;
mod selinux;
mod staging;
mod steps;
mod temporary;

pub use attributes::{Attributes, Drift, ObservedAttributes, Target, attribute_drift};
pub use committer::{committer_main, committer_main_observed};
pub use destination::check_destination;
pub use error::{Error, Result};
pub use install::{FileChange, Installed, install, install_observed};
pub use lock::DirectoryLocks;
pub use mode::Mode;
pub use observe::{Observed, ObservedFile, observe};
pub use recover::{Recovered, RecoveryAction, recover};
pub use remove::{remove, remove_observed};
pub use repair::fix_attributes;
pub use selinux::SelinuxContext;
pub use steps::{Step, Steps};
