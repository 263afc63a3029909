// SPDX-License-Identifier: Apache-2.0
//! The chain of an upload: verified up to a root, and put into the order in which it is sent.

use pki::Certificate;
use pki::chain::{Expectation, Named, Trust, verify, verify_authority};

use super::{Against, is_root, pool, refusal};
use crate::failure::Failure;
use crate::observe::may_sign;

/// The certificate and all above it, the root last.
pub(super) fn verified(
    against: &Against<'_>,
    certificate: &Certificate,
) -> Result<Vec<Certificate>, Failure> {
    let wish = against.wish;
    let failed = |source: pki::chain::Error| Failure::UploadChain {
        authority: wish.name().clone(),
        source: Box::new(source),
    };
    // Other certificates of the same key are no part of its chain: the old one of a renewal, for example.
    let others = pool(against)
        .filter(|each| *each == certificate || each.public_key() != certificate.public_key());
    let all: Vec<Certificate> = others.cloned().collect();
    let key = certificate.public_key();
    let path = match verify_authority(all.clone(), key, against.now, true) {
        Ok(verified) if verified.root() == certificate => {
            return Err(refusal(
                wish,
                "signed.self_signed",
                "is self-signed; upload what the authority outside has signed".to_owned(),
            ));
        }
        Ok(verified) => std::iter::once(certificate.clone())
            .chain(verified.chain())
            .collect(),
        Err(pki::chain::Error::IssuerMissing { .. }) if !wish.upload.require_root => {
            partial(against, certificate, all).map_err(failed)?
        }
        Err(error) => return Err(failed(error)),
    };
    check_end(against, &path)?;
    Ok(path)
}

/// As far as it goes: the same checks, but that nothing is known beyond its end.
fn partial(
    against: &Against<'_>,
    certificate: &Certificate,
    pool: Vec<Certificate>,
) -> Result<Vec<Certificate>, pki::chain::Error> {
    let found = verify(
        pool,
        &Expectation {
            public_key: certificate.public_key(),
            names: None,
            trust: Trust::Partial,
            now: against.now,
        },
    )?;
    let path: Vec<Certificate> = std::iter::once(certificate)
        .chain(found.above())
        .cloned()
        .collect();
    for (below, each) in path.iter().enumerate() {
        let named = || Named::of(each);
        if !each.facts().is_ca() {
            return Err(pki::chain::Error::NotAuthority {
                certificate: named(),
            });
        }
        if !may_sign(each) {
            return Err(pki::chain::Error::MissingKeyCertSign {
                certificate: named(),
            });
        }
        let constraints = each.facts().basic_constraints;
        let allowed = constraints.and_then(|each| each.path_length);
        let below = u32::try_from(below).unwrap_or(u32::MAX);
        if let Some(allowed) = allowed.filter(|allowed| u32::from(*allowed) < below) {
            return Err(pki::chain::Error::PathLength {
                certificate: named(),
                allowed: u32::from(allowed),
                found: below,
            });
        }
    }
    Ok(path)
}

/// The chain ends in the root that was given, and is no longer than it may be.
fn check_end(against: &Against<'_>, path: &[Certificate]) -> Result<(), Failure> {
    let wish = against.wish;
    let rules = &wish.upload;
    if let Some(most) = rules.max_depth.filter(|most| path.len() > *most) {
        return Err(refusal(
            wish,
            "signed.depth",
            format!(
                "has a chain of {} certificates, allowed are {most}",
                path.len()
            ),
        ));
    }
    let given = rules.roots.is_empty() || path.iter().any(|each| rules.roots.contains(each));
    if given {
        return Ok(());
    }
    let end = path
        .last()
        .map_or_else(String::new, |end| end.facts().subject.to_string());
    Err(refusal(
        wish,
        "signed.root_mismatch",
        format!("leads to '{end}', which is not the certificate given as 'root_ca'"),
    ))
}

/// The certificate and everything that signed it, however far and on however many ways: itself first, roots last.
pub(super) fn related<'a>(
    certificate: &Certificate,
    pool: impl Iterator<Item = &'a Certificate> + Clone,
) -> Vec<Certificate> {
    let mut found = vec![certificate.clone()];
    let mut next = 0;
    while let Some(below) = found.get(next).cloned() {
        let above: Vec<_> = pool
            .clone()
            .filter(|each| below != **each && !is_root(&below) && below.signed_by(each))
            .collect();
        for each in above {
            if !found.contains(each) {
                found.push(each.clone());
            }
        }
        next += 1;
    }
    found.sort_by_key(is_root);
    found
}
