// SPDX-License-Identifier: Apache-2.0
//! Keys that more than one service uses: who has broken into one has all.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cert_report::{FileEntry, Finding, Level, Report, SharedKey};

use super::{finding, place};
use crate::request::Request;

/// Who uses a key.
#[derive(Default)]
struct Users {
    services: BTreeSet<String>,
    shown: Vec<String>,
}

/// Finds them, and tells the endpoints and files that do not allow it.
pub(super) fn mark(request: &Request, report: &mut Report) -> Vec<SharedKey> {
    let mut users: BTreeMap<String, Users> = BTreeMap::new();
    let mut servers = BTreeSet::new();
    let mut is_alias = vec![false; report.endpoints.len()];
    for (endpoint, is_alias) in report.endpoints.iter().zip(&mut is_alias) {
        if let Some(leaf) = endpoint.chain.first() {
            // One server that is asked under two names is no other service.
            let server = endpoint.server(&report.host);
            *is_alias = server.is_some_and(|at| !servers.insert((at, leaf.key.sha256.clone())));
            if *is_alias {
                continue;
            }
            let known = users.entry(leaf.key.sha256.clone()).or_default();
            known.services.insert(endpoint.service.clone());
            let at = place(&endpoint.host, endpoint.port);
            known.shown.push(format!("{} at {at}", endpoint.service));
        }
    }
    let served = served(report);
    for file in report.files.iter().filter(|file| is_apart(file, &served)) {
        if let Some(leaf) = file.chain.first() {
            let known = users.entry(leaf.key.sha256.clone()).or_default();
            if known.services.insert(file.service.clone()) {
                known.shown.push(file.path.clone());
            }
        }
    }
    users.retain(|_, each| each.services.len() > 1);
    let endpoints = request.endpoints.iter().zip(&mut report.endpoints);
    for ((wish, endpoint), _) in endpoints.zip(is_alias).filter(|(_, is_alias)| !is_alias) {
        let key = endpoint.chain.first().map(|leaf| &leaf.key.sha256);
        let shared = key.and_then(|key| users.get(key));
        if let (Some(shared), false) = (shared, wish.allow_shared) {
            endpoint.findings.push(told(&endpoint.service, shared));
        }
    }
    for (wish, file) in request.files.iter().zip(&mut report.files) {
        let key = file.chain.first().map(|leaf| &leaf.key.sha256);
        let shared = key.and_then(|key| users.get(key));
        if let (Some(shared), false, true) = (shared, wish.allow_shared, is_apart(file, &served)) {
            file.findings.push(told(&file.service, shared));
        }
    }
    let shared = users.into_iter();
    shared
        .map(|(sha256, each)| SharedKey {
            sha256,
            users: each.shown,
        })
        .collect()
}

/// The certificates that endpoints serve, by their fingerprints.
fn served(report: &Report) -> HashSet<String> {
    let leaves = report
        .endpoints
        .iter()
        .filter_map(|each| each.chain.first());
    leaves.map(|leaf| leaf.fingerprint_sha256.clone()).collect()
}

/// Whether a file stands for a service of its own. One of which no service is said, and one whose certificate an
/// endpoint serves, is that endpoint's, whatever either is called.
fn is_apart(file: &FileEntry, served: &HashSet<String>) -> bool {
    let leaf = file.chain.first();
    let is_served = leaf.is_some_and(|leaf| served.contains(&leaf.fingerprint_sha256));
    !file.service.is_empty() && !is_served
}

fn told(service: &str, users: &Users) -> Finding {
    let others: Vec<&str> = users
        .services
        .iter()
        .map(String::as_str)
        .filter(|other| *other != service)
        .collect();
    let detail = format!(
        "its key is also that of {}; give each service a key of its own, or say allow_shared",
        others.join(", ")
    );
    finding("shared_key", Level::Warn, detail)
}

#[cfg(test)]
mod tests;
