// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a report.

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a report cannot be read. Variants are named by what the operator must look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program wrote it, or it was cut off: have the check run again on that host.
    #[error("this is no report of cert_check")]
    NotAReport(#[source] serde_json::Error),
    /// A newer cert_check wrote it: update the collection where reports are put together.
    #[error(
        "the report of '{host}' has version {found}, and versions up to {known} are known here; update the collection on this side"
    )]
    TooNew {
        /// Whose report.
        host: String,
        /// Its version.
        found: u32,
        /// The newest that we can read.
        known: u32,
    },
}

impl Error {
    /// A stable word for playbooks, one for each variant.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAReport(_) => "report.invalid",
            Self::TooNew { .. } => "report.too_new",
        }
    }
}
