// SPDX-License-Identifier: Apache-2.0
//! Names proved by http-01: one responder for all certificates of a group, open while they are ordered.

use std::sync::Arc;

use acme::state::State;
use acme::{Account, HttpPublisher, Responder, SelfCheck};
use acme_dns_challenge::failure::CertificateError;
use acme_dns_challenge::records::Dns;
use ansible_module::each;

use super::{Done, Due, job};
use crate::request::{AcmeSpec, HttpSpec};

/// Orders them, some at once.
pub(super) fn order(
    spec: &AcmeSpec,
    http: &HttpSpec,
    account: &Account,
    due: &[&Due<'_>],
) -> Vec<Done> {
    let check = match self_check(spec, http) {
        Ok(check) => check,
        Err(error) => {
            let text = error.to_string();
            let failed = |_| Done::failed(CertificateError::Together(text.clone()));
            return due.iter().map(failed).collect();
        }
    };
    let responder = Responder::open(&http.addresses);
    each(due, spec.shared.parallel, |due| {
        // Nothing is ordered that could not be proved; what was handed in already is fetched all the same.
        let responder = match &responder {
            Ok(responder) => Some(responder),
            Err(_) if is_handed_in(due) => None,
            Err(acme::Error::Listen { address, reason }) => {
                let (address, reason) = (*address, reason.clone());
                return Done::failed(acme::Error::Listen { address, reason }.into());
            }
            Err(error) => return Done::failed(CertificateError::Together(error.to_string())),
        };
        let publisher = HttpPublisher::new(responder, check.as_ref());
        let state = due.place.state();
        let done = job(spec, account, due, &state).run(&publisher);
        let mut warnings = publisher.warnings();
        let (result, restarted) = match done {
            Ok(done) => {
                warnings.extend(done.warnings);
                let restarted = done.restarted.iter().map(ToString::to_string).collect();
                (Ok(done.issued), restarted)
            }
            Err(error) => (Err(error.into()), Vec::new()),
        };
        Done {
            result,
            restarted,
            warnings,
        }
    })
}

fn self_check(spec: &AcmeSpec, http: &HttpSpec) -> Result<Option<SelfCheck>, acme::Error> {
    let Some(demand) = http.self_check else {
        return Ok(None);
    };
    let resolver = Arc::new(Dns::new(&spec.shared).resolver());
    SelfCheck::new(resolver, http.public_port, http.timeout, demand).map(Some)
}

fn is_handed_in(due: &Due<'_>) -> bool {
    let state = State::load(&due.place.state()).ok().flatten();
    state.is_some_and(|state| state.order.is_some() && state.public_key_sha256.is_some())
}
