// SPDX-License-Identifier: Apache-2.0
//! Whether a chain that verifies is good for what the mount will issue.

use pki::{Certificate, ExtendedKeyUsage, KeyUsage, SubjectAltNames};

use super::super::drift;
use super::{Against, is_root, refusal};
use crate::failure::Failure;
use crate::permits;

pub(super) fn check(
    against: &Against<'_>,
    path: &[Certificate],
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    remaining_life(against, path, warnings)?;
    purposes(against, path)?;
    domains(against, path, warnings);
    let Some(certificate) = path.first() else {
        return Ok(());
    };
    let name = against.wish.name();
    let usages = &certificate.facts().key_usage;
    if !usages.is_empty() && !usages.contains(&KeyUsage::CrlSign) {
        warnings.push(format!(
            "the certificate uploaded for authority '{name}' may not sign revocation lists (key usage lacks cRLSign)"
        ));
    }
    for difference in drift::of_certificate(against.wish, certificate) {
        warnings.push(format!(
            "the certificate uploaded for authority '{name}' differs from what is wished: {difference}"
        ));
    }
    Ok(())
}

/// Everything of the chain must live long enough; what ends before a leaf would is worth a word.
fn remaining_life(
    against: &Against<'_>,
    path: &[Certificate],
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    let wish = against.wish;
    for each in path {
        let facts = each.facts();
        let left = facts.not_after.0.saturating_sub(against.now.0);
        let left = u64::try_from(left).unwrap_or(0);
        if left < wish.upload.min_remaining.0 {
            return Err(refusal(
                wish,
                "signed.short_life",
                format!(
                    "ends too soon: '{}' ends at {}, less than {} from now",
                    facts.subject, facts.not_after, wish.upload.min_remaining
                ),
            ));
        }
        if let Some(leaf) = against.mount.default_ttl.filter(|leaf| left < *leaf) {
            warnings.push(format!(
                "'{}' above authority '{}' ends at {}, before a certificate of the mount's default lifetime of {leaf} s would",
                facts.subject,
                wish.name(),
                facts.not_after
            ));
        }
    }
    Ok(())
}

/// Browsers and Go take the extended key usage of an authority as a limit of what is below it.
fn purposes(against: &Against<'_>, path: &[Certificate]) -> Result<(), Failure> {
    let wish = against.wish;
    for each in path.iter().filter(|each| !is_root(each)) {
        let has = &each.facts().extended_key_usage;
        if has.is_empty() || has.contains(&ExtendedKeyUsage::Any) {
            continue;
        }
        let missing: Vec<String> = wish
            .upload
            .purposes
            .iter()
            .filter(|purpose| !has.contains(purpose))
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() {
            return Err(refusal(
                wish,
                "signed.extended_key_usage",
                format!(
                    "cannot be used for {}: '{}' limits what is below it to {}",
                    missing.join(", "),
                    each.facts().subject,
                    has.iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            ));
        }
    }
    Ok(())
}

/// Certificates for domains that the chain does not permit would be issued, and refused by every client.
fn domains(against: &Against<'_>, path: &[Certificate], warnings: &mut Vec<String>) {
    for each in path {
        let Some(constraints) = &each.facts().name_constraints else {
            continue;
        };
        for (role, domains) in against.domains {
            let dns = domains.iter().filter_map(|domain| domain.parse().ok());
            let names = SubjectAltNames {
                dns: dns.collect(),
                ..SubjectAltNames::default()
            };
            let refused = permits::not_permitted(&names, constraints);
            if !refused.is_empty() {
                warnings.push(format!(
                    "role '{role}' allows domains that '{}' above authority '{}' does not permit: {}",
                    each.facts().subject,
                    against.wish.name(),
                    refused.join(", ")
                ));
            }
        }
    }
}
