// SPDX-License-Identifier: Apache-2.0
//! The other way to be called: as a helper of certmonger, which then makes the keys, tracks the certificates and renews
//! them, while the names are proved in the DNS and an ACME server signs.
//!
//! `getcert add-ca -c NAME -e 'acme_dns_challenge --certmonger FILE'`; FILE holds the options of the module as JSON with a
//! provider, and of `certificates` at most one entry with `profile` and `preferred_chain`.
//!
//! Whatever may pass is answered by [`Status::Wait`]: after [`Status::Unreachable`] certmonger does nothing for a week where
//! there is no certificate yet. What the reason was is in certmonger's journal.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ansible_module::{Failure as _, InputFaults, Module, Outcome, flatten};
use certmonger_helper::{Answer, Call, Operation, Options, Status, template, text};
use pki::{Certificate, CertificateRequest, Timestamp, chain};
use serde_json::{Value, json};
use tls_files::Observed;

use crate::AcmeDnsChallenge;
use crate::failure::TaskError;
use crate::observe::kept;
use crate::request::Request;

/// After which certmonger asks again for what may pass, where the server has not said it.
const AGAIN: Duration = Duration::from_secs(900);

/// After which it asks again for an order that the server works on.
const SOON: Duration = Duration::from_secs(60);

/// What certmonger says itself, in its environment or by calling at all.
const RESERVED: [&str; 5] = ["name", "csr", "csr_content", "current", "files"];

/// The longest that certmonger is told to wait, whatever the server says: to be called sooner costs nothing, for what rests
/// is not asked for.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Problems (RFC 8555 §6.7) that no waiting mends: the server will not certify these names, or not for this request.
const REFUSALS: [&str; 6] = [
    "badCSR",
    "badPublicKey",
    "caa",
    "invalidProfile",
    "rejectedIdentifier",
    "unsupportedIdentifier",
];

/// Answers certmonger.
pub fn main(options: Option<OsString>) -> ExitCode {
    certmonger_helper::main(options, answer)
}

/// What certmonger gets for a call.
pub fn answer(call: &Call, mut options: Options, now: SystemTime) -> Answer {
    let template = match template(&mut options, "certificates", &RESERVED) {
        Ok(template) => template,
        Err(why) => return Answer::unconfigured(why),
    };
    let profile = text(&template, "profile").map(str::to_owned);
    match call.operation {
        Operation::Identify => Answer::done(format!(
            "tls.everywhere acme_dns_challenge {}",
            ansible_module::VERSION
        )),
        Operation::Requirements => Answer::done("CERTMONGER_CSR"),
        Operation::SupportedTemplates | Operation::DefaultTemplate => {
            profile.map_or_else(Answer::unsupported, Answer::done)
        }
        Operation::Submit => submit(call, options, template, now),
        // An ACME server does not say which roots its certificates lead to.
        Operation::FetchRoots | Operation::Unknown => Answer::unsupported(),
    }
}

/// The certificate for the request, with those between it and the root.
fn submit(call: &Call, mut options: Options, mut template: Options, now: SystemTime) -> Answer {
    let Some(csr) = &call.csr else {
        return Answer::unconfigured("CERTMONGER_CSR: certmonger has given no signing request");
    };
    let name = match CertificateRequest::from_pem(csr.as_bytes()) {
        Ok(request) => name(&request),
        Err(error) => return Answer::new(Status::Rejected, flatten(&error)),
    };
    for (option, who) in [("phase", "is all"), ("renew", "is certmonger's business")] {
        if options.contains_key(option) {
            return Answer::unconfigured(format!("{option}: {who} here, leave it out"));
        }
    }
    if let Some(profile) = &call.profile {
        template.insert(String::from("profile"), json!(profile));
    }
    template.insert(String::from("name"), json!(name));
    template.insert(String::from("csr_content"), json!(csr));
    options.insert(String::from("certificates"), json!([template]));
    match order(call, options, now) {
        Ok(outcome) => issued(&outcome, &name),
        Err(error) => failed(&error, &name, Timestamp::from(now)),
    }
}

/// Each key has an order of its own, which a later call goes on with.
fn name(request: &CertificateRequest) -> String {
    let hash = request.public_key().sha256();
    let text: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("certmonger-{text}")
}

fn order(call: &Call, mut options: Options, now: SystemTime) -> Result<Outcome, TaskError> {
    let understood = |options| ansible_module::understood::<AcmeDnsChallenge>(options, now);
    let request = Request::try_from_params(&understood(options.clone())?.params)?;
    let renew = json!({"ari": false, "force": !is_news(call, &request)});
    options.insert(String::from("renew"), renew);
    AcmeDnsChallenge::run(understood(options)?)
}

/// Whether an earlier call got a certificate that certmonger does not have: it ended before it could say so.
fn is_news(call: &Call, request: &Request) -> bool {
    let Some(kept) = request.certificates.first().map(|wish| kept(request, wish)) else {
        return false;
    };
    let Some(kept) = leaf(&kept) else {
        return false;
    };
    let has = call.certificate.as_deref().map(str::as_bytes);
    let has = has.and_then(|text| chain::parse_bundle(text).ok()?.into_iter().next());
    has.is_none_or(|has| has.facts().not_before < kept.facts().not_before)
}

fn leaf(path: &Path) -> Option<Certificate> {
    match tls_files::observe(path) {
        Observed::Present(file) => chain::parse_bundle(&file.bytes).ok()?.into_iter().next(),
        // The task reads it too, and says what is wrong with it.
        Observed::Absent | Observed::Unreadable(_) => None,
    }
}

fn issued(outcome: &Outcome, name: &str) -> Answer {
    // A map panics at a key that it lacks, a value does not.
    let all = outcome.facts.get("certificates");
    match all.and_then(|all| all[name]["fullchain"].as_str()) {
        Some(chain) => Answer::done(chain),
        None => Answer::wait(SOON, name, "the order is under way"),
    }
}

fn failed(error: &TaskError, name: &str, now: Timestamp) -> Answer {
    let hint = error.hint().map(|hint| format!(" ({hint})"));
    let why = format!("{}{}", flatten(error), hint.unwrap_or_default());
    let facts = error.facts();
    let of_certificate = facts.get("certificates").map(|all| &all[name]);
    let status = match error {
        TaskError::Input(faults) if is_about_the_request(faults) => Status::Rejected,
        _ if is_refused(of_certificate) => Status::Rejected,
        other => status(other.kind()),
    };
    match status {
        Status::Wait => Answer::wait(delay(of_certificate, now), name, why),
        status => Answer::new(status, why),
    }
}

fn is_about_the_request(faults: &InputFaults) -> bool {
    let mut faults = faults.faults().iter();
    faults.all(|fault| fault.path == "certificates[0].csr_content")
}

fn is_refused(certificate: Option<&Value>) -> bool {
    let names = certificate.and_then(|facts| facts["failed_identifiers"].as_array());
    let whole = certificate.and_then(|facts| facts["problem"].as_str());
    let names = names
        .into_iter()
        .flatten()
        .filter_map(|name| name["type"].as_str());
    names.chain(whole).any(|kind| REFUSALS.contains(&kind))
}

/// The status for a kind of failure: what somebody has to set up, what is a no, and what may pass.
fn status(kind: &str) -> Status {
    match kind {
        "acme.no_account_key" | "dns.configuration" | "dns.program" => Status::Unconfigured,
        kind if kind.starts_with("acme.account_") || kind.starts_with("input") => {
            Status::Unconfigured
        }
        "acme.profile" | "acme.unsupported" | "request.names" => Status::Rejected,
        _ => Status::Wait,
    }
}

/// Until the server may be asked again.
fn delay(certificate: Option<&Value>, now: Timestamp) -> Duration {
    let at = certificate.and_then(|facts| facts["retry_at"].as_str()?.parse::<Timestamp>().ok());
    let seconds = at.map(|at| at.0.saturating_sub(now.0));
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let named = seconds.map(|seconds| Duration::from_secs(seconds.max(1)));
    named.map_or(AGAIN, |named| named.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certmonger_waits_as_the_server_wants_but_not_for_ever() {
        let now = Timestamp(1_800_000_000);
        let after = |at: Value| delay(Some(&json!({ "retry_at": at })), now);
        let at = |seconds: i64| json!(Timestamp(now.0 + seconds).to_string());
        assert_eq!(after(Value::Null), AGAIN);
        assert_eq!(after(at(120)), Duration::from_secs(120));
        assert_eq!(after(at(-5)), AGAIN);
        assert_eq!(after(at(0)), Duration::from_secs(1));
        assert_eq!(after(json!("9999-12-31T23:59:59Z")), LONGEST);
        assert_eq!(delay(None, now), AGAIN);
    }
}
