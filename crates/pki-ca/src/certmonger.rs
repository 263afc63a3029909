// SPDX-License-Identifier: Apache-2.0
//! The other way to be called: as a helper of certmonger, which then makes the keys, tracks the certificates and renews
//! them, while an authority of the tree signs.
//!
//! `getcert add-ca -c NAME -e 'pki_ca --certmonger FILE'`; FILE holds the options of the module as JSON, of `sign` one
//! entry without `csr` and `name`. certmonger says in the environment what it wants and reads standard output and the
//! status (doc/helpers.txt of certmonger 0.79).

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::SystemTime;

use ansible_module::{Failure as _, InputFaults, Module, flatten};
use certmonger_helper::{Answer, Call, Operation, Options, Status, template, text};
use serde_json::json;

use crate::PkiCa;
use crate::failure::Failure;
use crate::observe::observe;
use crate::request::Request;

/// Profiles that a request may name by itself; one for an authority has to be in the options.
const PROFILES: [&str; 3] = ["server", "client", "peer"];

/// Answers certmonger.
pub fn main(options: Option<OsString>) -> ExitCode {
    certmonger_helper::main(options, answer)
}

fn failed(failure: &Failure) -> Answer {
    let hint = failure.hint().map(|hint| format!(" ({hint})"));
    let status = match failure {
        // The request is certmonger's, and it will always be the same.
        Failure::Input(faults) if is_about_the_request(faults) => Status::Rejected,
        other => status(other.kind()),
    };
    Answer::new(
        status,
        format!("{}{}", flatten(failure), hint.unwrap_or_default()),
    )
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

/// What certmonger gets for a call.
pub fn answer(call: &Call, mut options: Options, now: SystemTime) -> Answer {
    let template = match template(&mut options, "sign", &["csr", "name"]) {
        Ok(template) => template,
        Err(why) => return Answer::unconfigured(why),
    };
    match call.operation {
        Operation::Identify => {
            Answer::done(format!("tls.everywhere pki_ca {}", ansible_module::VERSION))
        }
        Operation::Requirements => Answer::done("CERTMONGER_CSR"),
        Operation::SupportedTemplates => Answer::done(PROFILES.join("\n")),
        Operation::DefaultTemplate => Answer::done(text(&template, "profile").unwrap_or("server")),
        Operation::FetchRoots => roots(options, &template, now),
        Operation::Submit => submit(call, options, template, now),
        Operation::Unknown => Answer::unsupported(),
    }
}

/// Signs the request; the certificate, and those between it and the root.
fn submit(call: &Call, mut options: Options, mut template: Options, now: SystemTime) -> Answer {
    let Some(csr) = &call.csr else {
        return Answer::unconfigured("CERTMONGER_CSR: certmonger has given no signing request");
    };
    if let Some(profile) = &call.profile {
        if !PROFILES.contains(&profile.as_str()) {
            let known = PROFILES.join(", ");
            let text = format!("profile '{profile}' is none of {known}");
            return Answer::new(Status::Rejected, text);
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
        // A map panics at a key that it lacks, a value does not.
        Ok(outcome) => match outcome
            .facts
            .get("signed")
            .and_then(|all| all[0]["fullchain"].as_str())
        {
            Some(chain) => Answer::done(chain),
            None => Answer::new(Status::Unreachable, "nothing was signed"),
        },
        Err(failure) => failed(&failure),
    }
}

/// The root, no other roots, then what stands between; each under a name that certmonger may use for it.
fn roots(options: Options, template: &Options, now: SystemTime) -> Answer {
    let invocation = match ansible_module::understood::<PkiCa>(options, now) {
        Ok(invocation) => invocation,
        Err(faults) => return Answer::unconfigured(flatten(&faults)),
    };
    let observed = Request::try_from_params(invocation.params)
        .map_err(Failure::from)
        .and_then(|request| observe(&request));
    let observed = match observed {
        Ok(observed) => observed,
        Err(failure) => return failed(&failure),
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
