// SPDX-License-Identifier: Apache-2.0
//! What must hold before anything is touched. It takes the place of a way back: Apache ends on `USR1` if key and
//! certificate do not match, and any restart would.

use pki::Timestamp;

use crate::decide::Plan;
use crate::failure::Failure;
use crate::observe::{KeySeen, Observed};
use crate::request::Request;

/// What forbids to act at all, with the name of the container (or of the certificate) that it is about. Asked only if
/// something is to be done.
pub fn check(
    request: &Request,
    observed: &Observed,
    plan: &Plan,
    now: Timestamp,
) -> Vec<(String, Failure)> {
    let mut found = certificate(request, observed, now);
    for (number, _) in plan.acts() {
        let Some(candidate) = observed.candidates.get(number) else {
            continue;
        };
        let mismatched = candidate
            .evidence
            .iter()
            .flat_map(|evidence| &evidence.doors.mismatched);
        found.extend(mismatched.map(|file| {
            let failure = Failure::KeyMismatch {
                certificate: file.clone(),
                key: file.clone(),
            };
            (candidate.container.name.clone(), failure)
        }));
        let readers = candidate
            .evidence
            .iter()
            .flat_map(|evidence| &evidence.unreadable_for);
        for reader in readers {
            let failure = Failure::KeyNotReadable {
                container: candidate.container.name.clone(),
                program: reader.program.clone(),
                uid: reader.uid,
                path: reader.path.clone(),
            };
            found.push((candidate.container.name.clone(), failure));
        }
    }
    found
}

fn certificate(request: &Request, observed: &Observed, now: Timestamp) -> Vec<(String, Failure)> {
    let facts = observed.wanted.certificate.facts();
    let path = || request.certificate.clone();
    let mut found = Vec::new();
    if facts.not_after < now {
        found.push(Failure::Expired {
            path: path(),
            not_after: facts.not_after,
        });
    }
    if facts.not_before > now {
        found.push(Failure::NotYetValid {
            path: path(),
            not_before: facts.not_before,
        });
    }
    if facts.names.is_empty() && facts.unrecognized_names.is_empty() {
        found.push(Failure::NoNames { path: path() });
    }
    if observed.wanted.key == KeySeen::Differs {
        found.push(Failure::KeyMismatch {
            certificate: path(),
            key: request.private_key.clone().unwrap_or_else(path),
        });
    }
    found
        .into_iter()
        .map(|failure| (request.name.clone(), failure))
        .collect()
}
