// SPDX-License-Identifier: Apache-2.0
//! The other way to be called: as a helper of certmonger, which then makes the keys, tracks the certificates and renews
//! them, while a role of a Vault signs.
//!
//! `getcert add-ca -c NAME -e 'cert_request --certmonger FILE'`; FILE holds the options of the module as JSON, of
//! `certificates` one entry with the issuer `vault` and without what certmonger says itself. `getcert request -T` names
//! another role, `-X` another issuer.
//!
//! Whatever may pass is answered by [`Status::Wait`]: after [`Status::Unreachable`] certmonger does nothing for a week where
//! there is no certificate yet. What the reason was is in certmonger's journal.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ansible_module::{InputFaults, flatten, understood};
use certmonger_helper::{Answer, Call, Operation, Options, Status, template};
use issuers::{Above, Issuer};
use pki::chain::{self, Expectation, Verified};
use pki::{Certificate, CertificateRequest, Timestamp};
use serde_json::{Value, json};

use crate::CertRequest;
use crate::apply::AHEAD;
use crate::failure::EntryError;
use crate::issuance;
use crate::request::{Entry, IssuerSpec, Request, VaultSpec};
use crate::signed::Servers;

/// After which certmonger asks again for what may pass.
const AGAIN: Duration = Duration::from_secs(300);

/// What certmonger says itself: in the request, or by calling at all.
const RESERVED: [&str; 12] = [
    "name",
    "files",
    "common_name",
    "subject",
    "dns",
    "ip",
    "email",
    "uri",
    "principal",
    "other_name",
    "key",
    "renew",
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
    match call.operation {
        Operation::Identify => Answer::done(format!(
            "tls.everywhere cert_request {}",
            ansible_module::VERSION
        )),
        Operation::Requirements => Answer::done("CERTMONGER_CSR"),
        Operation::Submit | Operation::FetchRoots | Operation::DefaultTemplate => {
            match Helper::new(call, options, template, now) {
                Ok(helper) => helper.answer(call),
                Err(answer) => answer,
            }
        }
        // Which roles there are is shown only to those who may read them.
        Operation::SupportedTemplates | Operation::Unknown => Answer::unsupported(),
    }
}

/// The options, understood.
struct Helper {
    entry: Entry,
    servers: Servers,
}

impl Helper {
    fn new(
        call: &Call,
        mut options: Options,
        mut template: Options,
        now: SystemTime,
    ) -> Result<Self, Answer> {
        let unconfigured = |faults: InputFaults| Answer::unconfigured(flatten(&faults));
        let issuer = template
            .get_mut("issuer")
            .and_then(|it| it.get_mut("vault"));
        let Some(Value::Object(vault)) = issuer else {
            let text = "certificates[0].issuer.vault: required; give the options of the server";
            return Err(Answer::unconfigured(text));
        };
        for (option, given) in [("role", &call.profile), ("issuer", &call.issuer)] {
            if let Some(given) = given {
                vault.insert(option.to_owned(), json!(given));
            }
        }
        // Places that nothing is written to, and a name that the request's take the place of.
        template.insert("name".to_owned(), json!("certmonger"));
        template.insert("common_name".to_owned(), json!("certmonger"));
        template.insert(
            "files".to_owned(),
            json!([
                {"content": "private_key", "path": "/certmonger.key"},
                {"content": "certificate", "path": "/certmonger.crt"},
            ]),
        );
        options.insert("certificates".to_owned(), json!([template]));
        let invocation = understood::<CertRequest>(options, now).map_err(unconfigured)?;
        let request = Request::try_from_params(&invocation.params).map_err(unconfigured)?;
        let entry = request.entries.into_iter().next();
        let entry = entry.ok_or_else(|| Answer::unconfigured("certificates: give one entry"))?;
        let servers = Servers::new(now);
        Ok(Self { entry, servers })
    }

    fn spec(&self) -> Result<&VaultSpec, Answer> {
        match &self.entry.issuer {
            IssuerSpec::Vault(spec) => Ok(spec),
            _ => Err(Answer::unconfigured("certificates[0].issuer: give 'vault'")),
        }
    }

    fn answer(mut self, call: &Call) -> Answer {
        let answer = match call.operation {
            Operation::DefaultTemplate => self.spec().map(|spec| Answer::done(&spec.role)),
            Operation::FetchRoots => self.roots(),
            _ => self.submit(call),
        };
        let warnings = self.servers.close();
        let mut answer = answer.unwrap_or_else(|failure| failure);
        if !warnings.is_empty() && answer.told.is_none() {
            answer.told = Some(warnings.join("\n"));
        }
        answer
    }

    /// The certificate for the request, with those between it and the root.
    fn submit(&mut self, call: &Call) -> Result<Answer, Answer> {
        let Some(csr) = &call.csr else {
            let text = "CERTMONGER_CSR: certmonger has given no signing request";
            return Err(Answer::unconfigured(text));
        };
        let rejected = |error: pki::Error| Answer::new(Status::Rejected, flatten(&error));
        let request = CertificateRequest::from_pem(csr.as_bytes()).map_err(rejected)?;
        self.entry.template = request.template().map_err(rejected)?;
        let spec = self.spec()?;
        let server = self.servers.server(spec);
        let signed = server
            .sign(&self.entry, spec, &request)
            .map_err(|error| failed(&error))?;
        let verified = self.verified(spec, signed.chain, &request);
        let verified = verified.map_err(|error| failed(&error))?;
        let chain = [verified.leaf()]
            .into_iter()
            .chain(verified.intermediates());
        let mut answer = Answer::done(chain.map(Certificate::to_pem).collect::<String>());
        answer.told = (!signed.warnings.is_empty()).then(|| signed.warnings.join("\n"));
        Ok(answer)
    }

    fn verified(
        &self,
        spec: &VaultSpec,
        pool: Vec<Certificate>,
        request: &CertificateRequest,
    ) -> Result<Verified, EntryError> {
        let issuer = issuance::vault(spec.root.as_deref())?;
        let now = self.servers.now();
        let begin = pool.first().map(|leaf| leaf.facts().not_before);
        let early = begin.filter(|begin| *begin <= now + AHEAD);
        let names = &self.entry.template.names;
        let expectation = Expectation {
            public_key: &request.public_key(),
            names: (!names.is_empty()).then_some(names),
            trust: issuer.trust(),
            now: early.map_or(now, |begin: Timestamp| begin.max(now)),
        };
        chain::verify(pool, &expectation).map_err(|source| EntryError::Chain {
            issuer: issuer.name(),
            source: Box::new(source),
        })
    }

    /// The root, no other roots, then what stands between; each under a name that certmonger may use for it.
    fn roots(&self) -> Result<Answer, Answer> {
        let spec = self.spec()?;
        let asked = |error: EntryError| failed(&error);
        let issuing = self.servers.server(spec).issuing(spec).map_err(asked)?;
        let given = issuance::given_roots(spec.root.as_deref());
        let given = given.map_err(|error| failed(&EntryError::from(error)))?;
        let certificate = &issuing.certificate;
        let mut pool = issuing.above.clone();
        pool.extend(given);
        let above = Above::over(certificate, pool);
        let is_root = certificate.is_self_issued() && certificate.signed_by(certificate);
        let root = above.root.or_else(|| is_root.then(|| certificate.clone()));
        let Some(root) = root else {
            let text = format!(
                "'{}' has a chain without its root; name it with 'root'",
                spec.mount
            );
            return Err(Answer::unconfigured(text));
        };
        let mut text = format!("{} root\n{}", spec.mount, root.to_pem());
        let between = [certificate].into_iter().chain(&above.intermediates);
        let between: Vec<_> = between.filter(|each| **each != root).collect();
        if !between.is_empty() {
            text.push_str("\n\n");
        }
        for (number, each) in between.iter().enumerate() {
            text.push_str(&format!("{} {number}\n{}", spec.mount, each.to_pem()));
        }
        Ok(Answer::done(text))
    }
}

fn failed(error: &EntryError) -> Answer {
    let hint = error.hint().map(|hint| format!(" ({hint})"));
    let why = format!("{}{}", flatten(error), hint.unwrap_or_default());
    match status(error.kind()) {
        Status::Wait => Answer::wait(AGAIN, "vault", why),
        status => Answer::new(status, why),
    }
}

/// The status for a kind of failure: what passes by itself or by somebody who unseals, what is a no to this request, and
/// what has to be set up.
fn status(kind: &str) -> Status {
    match kind {
        "vault.no_leader"
        | "vault.not_initialized"
        | "vault.quota"
        | "vault.sealed"
        | "vault.unreachable" => Status::Wait,
        "vault.names" | "vault.refused" | "vault.usages" => Status::Rejected,
        kind if kind.starts_with("chain.") => Status::Rejected,
        _ => Status::Unconfigured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_waits_what_is_a_no_is_one_and_the_rest_is_to_be_set_up() {
        for (kind, expected) in [
            ("vault.sealed", Status::Wait),
            ("vault.unreachable", Status::Wait),
            ("vault.refused", Status::Rejected),
            ("chain.other_key", Status::Rejected),
            ("vault.permission_denied", Status::Unconfigured),
            ("vault.no_default_issuer", Status::Unconfigured),
            ("issuer.unreadable", Status::Unconfigured),
        ] {
            assert_eq!(status(kind), expected, "{kind}");
        }
    }
}
