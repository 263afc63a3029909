// SPDX-License-Identifier: Apache-2.0
//! `Params` → [`Request`]: after this nothing is missing, contradictory or unparsed. All faults of the input are
//! collected, each with the path of its option.

mod endpoint;
mod limits;

use std::path::PathBuf;
use std::time::Duration;

use ansible_module::{Faults, InputFaults, unrendered};

pub use endpoint::{Endpoint, Name};
pub use limits::Limits;

use crate::params::{FileParams, Params, ReportParams, RevocationParams};

/// What one task asks for.
#[derive(Debug)]
pub struct Request {
    /// Where to look.
    pub endpoints: Vec<Endpoint>,
    /// Certificates in files.
    pub files: Vec<FileWish>,
    /// Whose certificates count.
    pub trust: Trust,
    /// How to find out that a certificate was revoked.
    pub revocation: Revocation,
    /// For one endpoint.
    pub timeout: Duration,
    /// For all of them.
    pub deadline: Duration,
    /// Endpoints at once.
    pub parallel: usize,
    /// Find out who serves.
    pub attribution: bool,
    /// Who knows the names of containers, where it is no usual place.
    pub engine_socket: Option<PathBuf>,
    /// When the task fails.
    pub fail_on: FailOn,
    /// What to write.
    pub report: ReportFiles,
}

/// A certificate in a file.
#[derive(Debug)]
pub struct FileWish {
    /// What the service is called; empty if nothing was said.
    pub service: String,
    /// Where the certificates are.
    pub path: PathBuf,
    /// Where the key is.
    pub private_key: Option<PathBuf>,
    /// Names that the certificate must be good for.
    pub names: Vec<Name>,
    /// When its end is near.
    pub limits: Limits,
    /// Others may have the same key.
    pub allow_shared: bool,
    /// Some endpoint must serve it.
    pub served: bool,
}

/// Whose certificates count.
#[derive(Debug)]
pub struct Trust {
    /// Files and directories of roots.
    pub paths: Vec<PathBuf>,
    /// The system's too.
    pub system: bool,
}

/// How to find out that a certificate was revoked.
#[derive(Debug)]
pub struct Revocation {
    /// Where lists are.
    pub lists: Vec<ListSource>,
    /// Fetch the lists that certificates name.
    pub fetch: bool,
    /// Look at the answer that servers hand out themselves.
    pub stapled: bool,
}

/// Where a list of revoked certificates is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListSource {
    /// A file of this host.
    File(PathBuf),
    /// `http` or `https`.
    Url(String),
}

impl std::fmt::Display for ListSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(out, "'{}'", path.display()),
            Self::Url(url) => out.write_str(&web::shown(url)),
        }
    }
}

/// When the task fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// Never: it only reports.
    Never,
    /// When something has failed.
    Fail,
    /// Also when something will.
    Warn,
}

/// What to write.
#[derive(Debug)]
pub struct ReportFiles {
    /// What this host is called; its own name where nothing is said.
    pub host: Option<String>,
    /// The page.
    pub html: Option<PathBuf>,
    /// The textfile of node_exporter.
    pub prometheus: Option<PathBuf>,
    /// The report itself.
    pub json: Option<PathBuf>,
    /// Reports of other hosts, and directories of them, for the page.
    pub include: Vec<PathBuf>,
}

impl Request {
    /// Checks all options.
    ///
    /// # Errors
    /// All faults, each with the path of its option.
    pub fn try_from_params(params: Params) -> Result<Self, InputFaults> {
        let mut faults = Faults::new();
        let limits = Limits::read(
            "",
            params.warn,
            params.fail,
            &Limits::default(),
            &mut faults,
        );
        let mut endpoints = Vec::new();
        for (index, each) in params.endpoints.into_iter().enumerate() {
            let at = format!("endpoints[{index}]");
            endpoints.extend(Endpoint::from_params(&at, each, &limits, &mut faults));
        }
        for (index, text) in params.domains.iter().enumerate() {
            let at = format!("domains[{index}]");
            endpoints.extend(Endpoint::from_text(&at, text, &limits, &mut faults));
        }
        let files = params.files.into_iter().enumerate();
        let files: Vec<FileWish> = files
            .map(|(index, each)| file(&format!("files[{index}]"), each, &limits, &mut faults))
            .collect();
        let paths = params.trust.ca_path.iter().enumerate();
        let paths: Vec<PathBuf> = paths
            .map(|(index, text)| path(&format!("trust.ca_path[{index}]"), text, &mut faults))
            .collect();
        if paths.is_empty() && !params.trust.system {
            faults.push(
                "trust",
                "nobody is trusted: give 'ca_path', or leave 'system' on",
            );
        }
        let socket = params.engine_socket.as_deref();
        let request = Self {
            endpoints,
            files,
            trust: Trust {
                paths,
                system: params.trust.system,
            },
            revocation: revocation(params.revocation, &mut faults),
            timeout: seconds("timeout", params.timeout, &mut faults),
            deadline: seconds("deadline", params.deadline, &mut faults),
            parallel: at_once(params.parallel, &mut faults),
            attribution: params.attribution != "never",
            engine_socket: socket.map(|text| path("engine_socket", text, &mut faults)),
            fail_on: match params.fail_on.as_str() {
                "none" => FailOn::Never,
                "warn" => FailOn::Warn,
                _ => FailOn::Fail,
            },
            report: report(params.report, &mut faults),
        };
        faults.into_result(request)
    }
}

fn file(at: &str, given: FileParams, limits: &Limits, faults: &mut Faults) -> FileWish {
    let key = given.private_key.as_deref();
    FileWish {
        service: given.service.unwrap_or_default(),
        path: path(&format!("{at}.path"), &given.path, faults),
        private_key: key.map(|text| path(&format!("{at}.private_key"), text, faults)),
        names: endpoint::names(at, given.names.unwrap_or_default(), faults),
        limits: Limits::read(&format!("{at}."), given.warn, given.fail, limits, faults),
        allow_shared: given.allow_shared,
        served: given.served,
    }
}

fn revocation(given: RevocationParams, faults: &mut Faults) -> Revocation {
    let mut lists = Vec::new();
    for (index, text) in given.crl.into_iter().enumerate() {
        let at = format!("revocation.crl[{index}]");
        let is_url = text.starts_with("http://") || text.starts_with("https://");
        match is_url {
            true if web::origin(&text).is_none() => {
                faults.push(at, format!("'{text}' is not a URL"));
            }
            true => lists.push(ListSource::Url(text)),
            false => lists.push(ListSource::File(path(&at, &text, faults))),
        }
    }
    Revocation {
        lists,
        fetch: given.fetch,
        stapled: given.stapled,
    }
}

fn report(given: ReportParams, faults: &mut Faults) -> ReportFiles {
    let included = given.include.iter().enumerate();
    let include = included
        .map(|(index, text)| path(&format!("report.include[{index}]"), text, faults))
        .collect();
    let mut one = |name: &str, text: Option<String>| {
        text.map(|text| path(&format!("report.{name}"), &text, faults))
    };
    let files = ReportFiles {
        html: one("html", given.html),
        prometheus: one("prometheus", given.prometheus),
        json: one("json", given.json),
        host: given.host.filter(|name| !name.is_empty()),
        include,
    };
    let all: Vec<&PathBuf> = [&files.html, &files.prometheus, &files.json]
        .into_iter()
        .flatten()
        .collect();
    if all
        .iter()
        .enumerate()
        .any(|(index, path)| all[..index].contains(path))
    {
        faults.push("report", "two reports have the same path");
    }
    if files.html.is_none() && !files.include.is_empty() {
        faults.push("report.include", "is for the page: give 'html' too");
    }
    files
}

pub(crate) fn path(at: &str, text: &str, faults: &mut Faults) -> PathBuf {
    let path = PathBuf::from(text);
    if let Some(why) = unrendered(text) {
        faults.push(at, why);
    } else if !path.is_absolute() {
        faults.push(at, format!("'{text}' is not an absolute path"));
    }
    path
}

fn seconds(at: &str, value: i64, faults: &mut Faults) -> Duration {
    const MOST: u64 = 3_600;
    match u64::try_from(value) {
        Ok(seconds @ 1..=MOST) => Duration::from_secs(seconds),
        _ => {
            faults.push(at, format!("give 1 to {MOST} seconds"));
            Duration::from_secs(1)
        }
    }
}

fn at_once(value: i64, faults: &mut Faults) -> usize {
    match usize::try_from(value) {
        Ok(count @ 1..=1024) => count,
        _ => {
            faults.push("parallel", "give 1 to 1024");
            1
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
