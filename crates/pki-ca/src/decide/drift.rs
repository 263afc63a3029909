// SPDX-License-Identifier: Apache-2.0
//! Where the authority on disk is not what is wished.

use pki::{Certificate, PublicKey};

use super::Context;
use super::standing::Parent;
use crate::failure::{Difference, Failure};
use crate::observe::{ObservedAuthority, ObservedKey};
use crate::plan::Standing;
use crate::request::AuthorityWish;
use crate::spec;

/// Refuses a wish that the authority on disk does not fulfil, unless it is to be regenerated.
pub(super) fn check_drift(
    context: &Context<'_>,
    wish: &AuthorityWish,
    found: Option<&ObservedAuthority>,
    before: Option<&Certificate>,
    parent: Parent<'_>,
) -> Result<(), Failure> {
    if context.request.regenerate_key.contains(&wish.name) {
        return Ok(());
    }
    let mut differences = before
        .map(|certificate| spec::drift(wish, certificate))
        .unwrap_or_default();
    if let Some(found) = found {
        differences.extend(key_drift(wish, found, before));
    }
    if let (Some(certificate), Some((name, standing))) = (before, parent)
        && !was_signed_by(certificate, standing)
        && !(certificate.is_self_issued() && certificate.signed_by(certificate))
    {
        let issuer = &certificate.facts().issuer;
        let other_key = if *issuer == standing.subject {
            " with another key"
        } else {
            ""
        };
        differences.push(Difference {
            what: "parent",
            existing: format!("{issuer}{other_key}"),
            wished: format!("{name} ({})", standing.subject),
        });
    }
    if context.request.regenerate.contains(&wish.name) {
        // The same key cannot become one of another algorithm.
        differences.retain(|difference| difference.what == "key");
        let lost = found.is_some_and(|found| matches!(found.key, ObservedKey::Absent));
        if lost {
            differences.clear();
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::AuthorityDrift {
        authority: wish.name.clone(),
        differences,
    })
}

/// A key without certificate of another algorithm than wished, or a key in the clear that should not be.
fn key_drift(
    wish: &AuthorityWish,
    found: &ObservedAuthority,
    before: Option<&Certificate>,
) -> Vec<Difference> {
    let ObservedKey::Open {
        public, encrypted, ..
    } = &found.key
    else {
        return Vec::new();
    };
    let mut differences = Vec::new();
    let has = public.algorithm();
    if let Some(wished) = wish
        .key
        .filter(|wished| before.is_none() && has != Some(*wished))
    {
        differences.push(Difference {
            what: "key",
            existing: has.map_or_else(|| "unknown".to_owned(), |has| has.to_string()),
            wished: wished.to_string(),
        });
    }
    if wish.passphrase.is_some() && !encrypted {
        differences.push(Difference {
            what: "key.passphrase",
            existing: "none, the key lies in the clear".to_owned(),
            wished: "an encrypted key".to_owned(),
        });
    }
    differences
}

/// Signed under a certificate of the parent, old or new; where those are all lost, its name and key tell.
fn was_signed_by(certificate: &Certificate, parent: &Standing) -> bool {
    let facts = certificate.facts();
    let key = parent.public_key.as_ref().map(PublicKey::key_identifier);
    let same_key =
        key.is_some_and(|key| facts.authority_key_identifier.as_deref() == Some(key.as_slice()));
    parent
        .generations
        .iter()
        .any(|signer| certificate.signed_by(signer))
        || (parent.generations.is_empty() && facts.issuer == parent.subject && same_key)
}
