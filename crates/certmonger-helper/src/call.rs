// SPDX-License-Identifier: Apache-2.0
//! What certmonger wants, from the environment that it gives its helpers.

use std::ffi::OsString;

/// One call of certmonger's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What to do.
    pub operation: Operation,
    /// The signing request, PEM.
    pub csr: Option<String>,
    /// `getcert request -T`.
    pub profile: Option<String>,
    /// `getcert request -X`: the authority.
    pub issuer: Option<String>,
    /// The certificate that it has now, PEM.
    pub certificate: Option<String>,
}

/// What a helper is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The profile where none is named.
    DefaultTemplate,
    /// The root and what stands below it.
    FetchRoots,
    /// Name and version.
    Identify,
    /// Which variables must have a value.
    Requirements,
    /// A certificate. Polling is the same: whoever is waiting has been told to try again.
    Submit,
    /// The profiles.
    SupportedTemplates,
    /// Something that only other CAs have.
    Unknown,
}

impl Call {
    /// Reads the environment; without an operation it is a submission, which helps to try a helper by hand.
    pub fn new(environment: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| {
            let value = environment(name).and_then(|value| value.into_string().ok());
            value.filter(|value| !value.trim().is_empty())
        };
        let operation = match variable("CERTMONGER_OPERATION").as_deref() {
            None | Some("SUBMIT" | "POLL") => Operation::Submit,
            Some("FETCH-ROOTS") => Operation::FetchRoots,
            Some("GET-DEFAULT-TEMPLATE") => Operation::DefaultTemplate,
            Some("GET-NEW-REQUEST-REQUIREMENTS" | "GET-RENEW-REQUEST-REQUIREMENTS") => {
                Operation::Requirements
            }
            Some("GET-SUPPORTED-TEMPLATES") => Operation::SupportedTemplates,
            Some("IDENTIFY") => Operation::Identify,
            Some(_) => Operation::Unknown,
        };
        Self {
            operation,
            csr: variable("CERTMONGER_CSR"),
            profile: variable("CERTMONGER_CA_PROFILE"),
            issuer: variable("CERTMONGER_CA_ISSUER"),
            certificate: variable("CERTMONGER_CERTIFICATE"),
        }
    }
}
