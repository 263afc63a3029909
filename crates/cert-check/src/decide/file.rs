// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a certificate in a file, and whether somebody serves it.

use cert_report::{FileEntry, Level, Report, Unserved};
use pki::Certificate;

use super::{Expected, Judge, facts, finding, place};
use crate::observe::{KeySeen, Observed};
use crate::request::{FileWish, Request};

pub(super) fn judge(judge: &Judge<'_>, wish: &FileWish, key: &KeySeen) -> FileEntry {
    let mut entry = FileEntry {
        service: wish.service.clone(),
        path: wish.path.display().to_string(),
        ..FileEntry::default()
    };
    match judge.observed.files.get(&wish.path) {
        Some(Ok(certificates)) => {
            let chain: Vec<&Certificate> = certificates.iter().collect();
            entry.chain = chain.iter().map(|each| facts::of(each)).collect();
            let expected = Expected {
                names: &wish.names,
                limits: &wish.limits,
            };
            let judged = judge.chain(&chain, &expected, &mut entry.findings);
            entry.trusted_by = judged.root.as_ref().map(facts::anchor);
            entry
                .findings
                .retain(|each| !is_in_order(wish, &chain, &each.kind));
        }
        Some(Err(why)) => {
            let detail = format!("it cannot be used: {why}");
            entry
                .findings
                .push(finding("file_unreadable", Level::Fail, detail));
        }
        None => {}
    }
    entry.findings.extend(judged_key(wish, key));
    entry
}

/// Whether what would be wrong with a server is in order in this file: authorities may be in a file of their own, and
/// what nobody is to serve is for a client.
fn is_in_order(wish: &FileWish, chain: &[&Certificate], kind: &str) -> bool {
    match kind {
        "chain_incomplete" => chain.len() == 1,
        "not_for_servers" => !wish.served,
        _ => false,
    }
}

fn judged_key(wish: &FileWish, key: &KeySeen) -> Option<cert_report::Finding> {
    let path = wish.private_key.as_ref().unwrap_or(&wish.path).display();
    match key {
        KeySeen::NotGiven | KeySeen::Matches | KeySeen::Encrypted => None,
        KeySeen::Differs => Some(finding(
            "key_mismatch",
            Level::Fail,
            format!(
                "the key in '{path}' is not the key of the certificate; no service can start with them"
            ),
        )),
        KeySeen::Unreadable(why) => Some(finding(
            "key_unreadable",
            Level::Fail,
            format!("the key in '{path}' cannot be used: {why}"),
        )),
    }
}

/// Says where each file is served, and which files nobody serves. Where an endpoint did not answer, its certificate is
/// not known, so nothing is said of files that may be its.
pub(super) fn mark_unserved(
    request: &Request,
    observed: &Observed,
    report: &mut Report,
) -> Vec<Unserved> {
    let mut unserved = Vec::new();
    for (wish, file) in request.files.iter().zip(&mut report.files) {
        let Some(leaf) = file.chain.first() else {
            continue;
        };
        let serving = report.endpoints.iter().filter(|endpoint| {
            let served = endpoint.chain.first();
            served.is_some_and(|it| it.fingerprint_sha256 == leaf.fingerprint_sha256)
        });
        file.served_at = serving.map(|each| place(&each.host, each.port)).collect();
        let is_of_interest = wish.served && !request.endpoints.is_empty();
        if !is_of_interest || !file.served_at.is_empty() || may_be_served(request, observed, wish) {
            continue;
        }
        unserved.push(Unserved {
            path: file.path.clone(),
            subject: leaf.subject.clone(),
            fingerprint_sha256: leaf.fingerprint_sha256.clone(),
        });
        let detail = "no endpoint serves it: is the service told to use it, and was it reloaded? Say 'served: false' if it is not for a server";
        file.findings.push(finding("unserved", Level::Warn, detail));
    }
    unserved
}

fn may_be_served(request: &Request, observed: &Observed, wish: &FileWish) -> bool {
    let pairs = request.endpoints.iter().zip(&observed.endpoints);
    pairs
        .filter(|(_, seen)| seen.result.is_err())
        .any(|(endpoint, _)| {
            endpoint.certificate.as_ref() == Some(&wish.path) || endpoint.service == wish.service
        })
}
