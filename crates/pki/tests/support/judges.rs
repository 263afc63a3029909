// SPDX-License-Identifier: Apache-2.0
//! Chains of three, and the two judges of them: ours and the openssl command.

use pki::Certificate;
use pki::chain::{Error, Trust, verify};

use super::{Entity, Profile, expect, issue, openssl_verifies};

/// Root, one CA, leaf; each profile can be changed.
pub(crate) fn chain_of(root: &Profile, middle: &Profile, end: &Profile) -> Vec<Certificate> {
    let (top, ca, service) = (
        Entity::new("Root"),
        Entity::new("Intermediate"),
        Entity::new("api.example.com"),
    );
    vec![
        issue(&service, &ca, end),
        issue(&ca, &top, &middle.clone().serial(2)),
        issue(&top, &top, root),
    ]
}

pub(crate) fn judge(pool: &[Certificate]) -> Result<(), Error> {
    verify(pool.to_vec(), &expect(&pool[0], Trust::SelfContained)).map(|_| ())
}

/// Both judges must refuse, ours with the expected error.
#[track_caller]
pub(crate) fn refused(pool: &[Certificate], matches: impl Fn(&Error) -> bool) {
    let error = judge(pool).unwrap_err();
    assert!(matches(&error), "unexpected error: {error}");
    let (end, root) = (&pool[0], pool.last().unwrap());
    let untrusted = &pool[1..pool.len() - 1];
    let opinion = openssl_verifies(end, untrusted, std::slice::from_ref(root), &[]);
    assert!(opinion.is_err(), "openssl accepts what we refuse: {error}");
}

/// Both judges must accept.
#[track_caller]
pub(crate) fn accepted(pool: &[Certificate]) {
    judge(pool).unwrap();
    let (end, root) = (&pool[0], pool.last().unwrap());
    let untrusted = &pool[1..pool.len() - 1];
    openssl_verifies(end, untrusted, std::slice::from_ref(root), &[]).unwrap();
}
