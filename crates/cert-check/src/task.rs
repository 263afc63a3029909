// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: observe, decide, (check mode answers here,) write, answer.

use std::path::PathBuf;

use ansible_module::{Faults, Invocation, Module, OptionSpec, Outcome};
use cert_report::Report;
use pki::Timestamp;

use crate::decide::decide;
use crate::failure::{TaskFailure, Unwritten};
use crate::observe::observe;
use crate::outcome;
use crate::params::{OPTIONS, Params};
use crate::request::Request;
use crate::write::{Written, write};

/// The module.
pub struct CertCheck;

impl Module for CertCheck {
    const NAME: &'static str = "cert_check";
    type Params = Params;
    type Failure = TaskFailure;

    fn options() -> &'static [OptionSpec] {
        OPTIONS
    }

    fn further_faults(params: Params) -> Faults {
        Request::try_from_params(params).map_or_else(Faults::from, |_| Faults::new())
    }

    fn run(invocation: Invocation<Params>) -> Result<Outcome, TaskFailure> {
        let is_real = !invocation.control.check_mode;
        let (request, checked) = check(invocation, is_real)?;
        outcome::answer(&request, checked)
    }
}

/// What a check has found and done.
#[derive(Debug)]
pub struct Checked {
    /// What was found.
    pub report: Report,
    /// Reports that were written, or would be.
    pub written: Vec<PathBuf>,
    /// Why others could not be.
    pub unwritten: Vec<Unwritten>,
    /// What could not be found out.
    pub warnings: Vec<String>,
}

/// Checks, and writes the reports unless `is_real` is false.
///
/// # Errors
/// The options are wrong, or nothing could be judged.
pub fn check(
    invocation: Invocation<Params>,
    is_real: bool,
) -> Result<(Request, Checked), TaskFailure> {
    let request = Request::try_from_params(invocation.params)?;
    let now = Timestamp::from(invocation.now);
    let observed = observe(&request)?;
    let host = request.report.host.clone().unwrap_or_else(own_name);
    let report = decide(&request, &observed, &host, now);
    let files = &request.report;
    let mut warnings = observed.warnings;
    let written = match is_real {
        true => write(files, &report, &mut warnings),
        false => Written {
            paths: [&files.json, &files.prometheus, &files.html]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            failures: Vec::new(),
        },
    };
    Ok((
        request,
        Checked {
            report,
            written: written.paths,
            unwritten: written.failures,
            warnings,
        },
    ))
}

/// What this host is called.
fn own_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}
