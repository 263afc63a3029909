// SPDX-License-Identifier: Apache-2.0
//! Names proved in the DNS: the steps of `acme_dns_challenge`, with one publication and one wait for all certificates of a
//! group.

use std::time::SystemTime;

use acme::{Account, Identifier};
use acme_dns_challenge::failure::CertificateError;
use acme_dns_challenge::observe::Seen;
use acme_dns_challenge::records::Dns;
use acme_dns_challenge::request::{CertificateWish, CsrSource};
use acme_dns_challenge::steps::{Due as Step, Progress, Steps};
use dns::publish::Publisher;

use super::{Done, Due};
use crate::request::{AcmeSpec, Entry};

/// Orders them together.
pub(super) fn order(
    spec: &AcmeSpec,
    account: &Account,
    due: &[&Due<'_>],
    now: SystemTime,
) -> Vec<Done> {
    let provider = spec.shared.provider.as_ref();
    let publisher = match provider.map(|provider| provider.open(now)).transpose() {
        Ok(publisher) => publisher,
        Err(error) => {
            let text = ansible_module::flatten(&error);
            let failed = |_| Done::failed(CertificateError::Together(text.clone()));
            return due.iter().map(failed).collect();
        }
    };
    let wishes: Vec<(CertificateWish, Seen)> = due.iter().map(|due| wish(due)).collect();
    let steps: Vec<Step<'_>> = due
        .iter()
        .zip(&wishes)
        .map(|(due, (wish, seen))| Step {
            wish,
            seen,
            reasons: &[],
            order: due.order.clone(),
            state: due.place.state(),
        })
        .collect();
    let dns = Dns::new(&spec.shared);
    let walk = Steps {
        request: &spec.shared,
        account,
        dns: &dns,
        publisher: publisher
            .as_deref()
            .map(|publisher| publisher as &(dyn Publisher + Sync)),
    };
    let (progress, taken) = walk.all(&steps);
    let mut done: Vec<Done> = progress.into_iter().map(came).collect();
    if let Some(first) = done.first_mut() {
        first.warnings.extend(taken.warnings);
    }
    done
}

/// Walks to where the records of all names would be.
pub(super) fn foresee(entry: &Entry, spec: &AcmeSpec) -> Result<(), CertificateError> {
    let identifiers = Identifier::all_of(&entry.template.names).map_err(CertificateError::Names)?;
    match Dns::new(&spec.shared).unreachable(&identifiers) {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn wish(due: &Due<'_>) -> (CertificateWish, Seen) {
    let wish = CertificateWish {
        name: due.item.entry.name.to_string(),
        csr: CsrSource::Given(Box::new(due.request.clone())),
        current: None,
        profile: due.item.spec.profile.clone(),
        preferred: due.item.spec.preferred.clone(),
        files: Vec::new(),
    };
    let seen = Seen {
        csr: due.request.clone(),
        identifiers: due.order.identifiers.clone(),
        current: Vec::new(),
        drifted: Vec::new(),
        undelivered: false,
        revoked: false,
    };
    (wish, seen)
}

fn came(progress: Progress<'_>) -> Done {
    let lost = || CertificateError::Together(String::from("the server gave no certificate"));
    let result = match (progress.error, progress.issued) {
        (Some(error), _) => Err(error),
        (None, Some(issued)) => Ok(issued),
        (None, None) => Err(lost()),
    };
    Done {
        result,
        restarted: progress.restarted,
        warnings: Vec::new(),
    }
}
