// SPDX-License-Identifier: Apache-2.0
//! The other way to be called: as a helper of certmonger, which then makes the keys, tracks the certificates and renews
//! them, while an authority of the tree signs.
//!
//! `getcert add-ca -c NAME -e 'pki_ca --certmonger FILE'`; FILE holds the options of the module as JSON, of `sign` one
//! entry without `csr` and `name`. certmonger says in the environment what it wants and reads standard output and the
//! status (doc/helpers.txt of certmonger 0.79).

mod call;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::SystemTime;

use ansible_module::{Failure as _, InputFaults, Module, flatten};
use serde_json::{Map, Value, json};

use crate::PkiCa;
use crate::failure::Failure;
use crate::observe::observe;
use crate::request::Request;

use call::{Call, Operation};

/// What certmonger understands by a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// What was asked for is on standard output.
    Done = 0,
    /// The CA will never issue this.
    Rejected = 2,
    /// Another time it may work; certmonger tries again.
    Unreachable = 3,
    /// The helper is not set up; somebody must mend that.
    Unconfigured = 4,
    /// This operation is not known here.
    Unsupported = 6,
}

/// What goes to standard output, and the status.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// The text; for a failure its reason, in one line.
    pub text: String,
}

impl Answer {
    fn done(text: impl Into<String>) -> Self {
        Self {
            status: Status::Done,
            text: text.into(),
        }
    }

    fn unconfigured(text: impl Into<String>) -> Self {
        Self {
            status: Status::Unconfigured,
            text: text.into(),
        }
    }

    fn failed(failure: &Failure) -> Self {
        let hint = failure.hint().map(|hint| format!(" ({hint})"));
        Self {
            status: match failure {
                // The request is certmonger's, and it will always be the same.
                Failure::Input(faults) if is_about_the_request(faults) => Status::Rejected,
                other => status(other.kind()),
            },
            text: format!("{}{}", flatten(failure), hint.unwrap_or_default()),
        }
    }
}

/// The status for a kind of failure: what somebody has to set up, what passes by itself, and what is a no.
fn status(kind: &str) -> Status {
    match kind.split('.').next() {
        Some("input") => Status::Unconfigured,
        Some("files" | "tree") => Status::Unreachable,
        Some("authority") => Status::Unconfigured,
        _ if kind == "sign.no_active_authority" => Status::Unconfigured,
        _ => Status::Rejected,
    }
}

fn is_about_the_request(faults: &InputFaults) -> bool {
    faults
        .faults()
        .iter()
        .all(|fault| fault.path == "sign[0].csr")
}

/// Answers certmonger.
pub fn main(options: Option<OsString>) -> ExitCode {
    #[allow(
        clippy::disallowed_methods,
        reason = "with ansible_module::main the one place that reads the clock and the environment"
    )]
    let (now, call) = (SystemTime::now(), Call::new(|name| std::env::var_os(name)));
    let answer = match options.as_deref() {
        None => Answer::unconfigured("give the file with the options after --certmonger"),
        Some(path) => match read(std::path::Path::new(path)) {
            Ok(options) => answer(&call, options, now),
            Err(why) => Answer::unconfigured(why),
        },
    };
    // If certmonger has gone, nobody can be told.
    let _ = writeln!(std::io::stdout(), "{}", answer.text.trim_end());
    ExitCode::from(answer.status as u8)
}

fn read(path: &std::path::Path) -> Result<Map<String, Value>, String> {
    let text = std::fs::read(path)
        .map_err(|error| format!("cannot read the options in '{}': {error}", path.display()))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Object(options)) => Ok(options),
        Ok(_) => Err(format!(
            "the options in '{}' are no JSON object",
            path.display()
        )),
        Err(error) => Err(format!(
            "the options in '{}' are not JSON: {error}",
            path.display()
        )),
    }
}

/// What certmonger gets for a call.
pub fn answer(call: &Call, mut options: Map<String, Value>, now: SystemTime) -> Answer {
    let template = match template(&mut options) {
        Ok(template) => template,
        Err(why) => return Answer::unconfigured(why),
    };
    match call.operation {
        Operation::Identify => {
            Answer::done(format!("tls.everywhere pki_ca {}", ansible_module::VERSION))
        }
        Operation::Requirements => Answer::done("CERTMONGER_CSR"),
        Operation::SupportedTemplates => Answer::done(call::PROFILES.join("\n")),
        Operation::DefaultTemplate => Answer::done(text(&template, "profile").unwrap_or("server")),
        Operation::FetchRoots => roots(options, &template, now),
        Operation::Submit => submit(call, options, template, now),
        Operation::Unknown => Answer {
            status: Status::Unsupported,
            text: String::new(),
        },
    }
}

/// The one entry of `sign`, taken out of the options.
fn template(options: &mut Map<String, Value>) -> Result<Map<String, Value>, String> {
    let found = match options.remove("sign") {
        None => return Ok(Map::new()),
        Some(Value::Array(entries)) => <[Value; 1]>::try_from(entries).ok(),
        Some(_) => None,
    };
    let Some([Value::Object(template)]) = found else {
        return Err(String::from(
            "sign: give one entry, with the authority and what else holds for all certificates",
        ));
    };
    for key in ["csr", "name"] {
        if template.contains_key(key) {
            return Err(format!(
                "sign[0].{key}: comes from certmonger, leave it out"
            ));
        }
    }
    Ok(template)
}

fn text<'a>(template: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    template.get(key).and_then(Value::as_str)
}

/// Signs the request; the certificate, and those between it and the root.
fn submit(
    call: &Call,
    mut options: Map<String, Value>,
    mut template: Map<String, Value>,
    now: SystemTime,
) -> Answer {
    let Some(csr) = &call.csr else {
        return Answer::unconfigured("CERTMONGER_CSR: certmonger has given no signing request");
    };
    if let Some(profile) = &call.profile {
        if !call::PROFILES.contains(&profile.as_str()) {
            return Answer {
                status: Status::Rejected,
                text: format!(
                    "profile '{profile}' is none of {}",
                    call::PROFILES.join(", ")
                ),
            };
        }
        template.insert(String::from("profile"), json!(profile));
    }
    if let Some(issuer) = &call.issuer {
        template.insert(String::from("authority"), json!(issuer));
    }
    template.insert(String::from("csr"), json!(csr));
    options.insert(String::from("sign"), json!([template]));
    let invocation = match ansible_module::understood::<PkiCa>(options, now) {
        Ok(invocation) => invocation,
        Err(faults) => return Answer::unconfigured(flatten(&faults)),
    };
    match PkiCa::run(invocation) {
        Ok(outcome) => match outcome.facts["signed"][0]["fullchain"].as_str() {
            Some(chain) => Answer::done(chain),
            None => Answer {
                status: Status::Unreachable,
                text: String::from("nothing was signed"),
            },
        },
        Err(failure) => Answer::failed(&failure),
    }
}

/// The root, no other roots, then what stands between; each under a name that certmonger may use for it.
fn roots(options: Map<String, Value>, template: &Map<String, Value>, now: SystemTime) -> Answer {
    let invocation = match ansible_module::understood::<PkiCa>(options, now) {
        Ok(invocation) => invocation,
        Err(faults) => return Answer::unconfigured(flatten(&faults)),
    };
    let observed = Request::try_from_params(invocation.params)
        .map_err(Failure::from)
        .and_then(|request| observe(&request));
    let observed = match observed {
        Ok(observed) => observed,
        Err(failure) => return Answer::failed(&failure),
    };
    let wanted = text(template, "authority");
    let found = observed.authorities.iter().find(|(name, authority)| {
        let is_wanted = wanted.is_none_or(|wanted| name.to_string() == wanted);
        is_wanted && authority.certificate.is_some()
    });
    let Some((name, authority)) = found else {
        return Answer::unconfigured(match wanted {
            Some(wanted) => format!("there is no authority '{wanted}' with a certificate"),
            None => String::from("there is no authority with a certificate"),
        });
    };
    let mut chain = authority.chain.clone().unwrap_or_default();
    if chain.is_empty() {
        chain.extend(authority.certificate.clone());
    }
    let Some(root) = chain.pop() else {
        return Answer::unconfigured(format!("authority '{name}' has no chain"));
    };
    let mut text = format!("{name} root\n{}", root.to_pem());
    if !chain.is_empty() {
        text.push_str("\n\n");
        for (number, each) in chain.iter().enumerate() {
            text.push_str(&format!("{name} {number}\n{}", each.to_pem()));
        }
    }
    Answer::done(text)
}
