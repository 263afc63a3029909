// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! What a check of served certificates found, and how it is shown.
//!
//! [`Report`] is what one host found out; it travels as JSON, and the reports of many hosts are one fleet. Everything here
//! is pure: text in, text out. No file is opened, no clock is read, and no certificate is parsed.
//!
//! What is in a report comes from the network: subjects, names and messages of servers are hostile, and each way to show
//! them escapes them for itself.

mod authorities;
mod error;
mod escape;
mod fleet;
mod metrics;
mod moment;
mod page;
mod report;
mod summary;

pub use error::{Error, Result};
pub use fleet::{Fleet, Place, Row};
pub use metrics::metrics;
pub use moment::Moment;
pub use page::page;
pub use report::{
    Anchor, Certificate, Endpoint, FileEntry, Finding, Key, Level, Report, ServedBy, SharedKey,
    Unserved, VERSION,
};
pub use summary::{Summary, summary};
