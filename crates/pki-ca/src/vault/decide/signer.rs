// SPDX-License-Identifier: Apache-2.0
//! Who signs an authority: an issuer that is there, or one that this task makes before.

use pki::{Certificate, Timestamp};

use super::super::failure::VaultFailure;
use super::super::observe::ObservedIssuer;
use super::super::plan::Predicted;
use super::super::request::Wish;
use super::Context;
use crate::failure::Failure;
use crate::names::AuthorityName;
use crate::request::AuthorityKind;

/// Who signs: an issuer that is there, or one that this task makes.
#[derive(Debug)]
pub(super) enum Signer {
    /// There.
    Found(Box<ObservedIssuer>),
    /// To be made.
    Made(String, Predicted, Option<u8>),
}

impl Signer {
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Found(issuer) => Some(&issuer.certificate),
            Self::Made(..) => None,
        }
    }

    pub(super) fn label(&self) -> &str {
        match self {
            Self::Found(issuer) => issuer.label(),
            Self::Made(name, ..) => name,
        }
    }

    pub(super) fn not_after(&self) -> Timestamp {
        match self {
            Self::Found(issuer) => issuer.certificate.facts().not_after,
            Self::Made(_, predicted, _) => predicted.not_after,
        }
    }

    /// How many authorities may follow below it.
    fn path_length(&self) -> Option<u8> {
        match self {
            Self::Found(issuer) => {
                let constraints = issuer.certificate.facts().basic_constraints;
                constraints.and_then(|constraints| constraints.path_length)
            }
            Self::Made(.., length) => *length,
        }
    }
}

/// The wished parent, where it is there, whether it can sign or not.
pub(super) fn known_parent<'a>(context: &Context<'a>, wish: &Wish) -> Option<&'a ObservedIssuer> {
    let parent = wish.base.parent.as_ref()?;
    let mount = context.observed.mounts.get(&wish.parent_mount)?;
    mount.referred(parent.as_str())
}

/// Whether the task makes the wished parent.
pub(super) fn will_be_made(context: &Context<'_>, wish: &Wish) -> bool {
    let own_mount = wish.parent_mount == context.request.mount;
    let mut parent = wish.base.parent.iter();
    own_mount && parent.any(|parent| context.made.contains_key(parent))
}

/// The wished signer, if it can sign.
pub(super) fn find(context: &Context<'_>, wish: &Wish) -> Result<Signer, Failure> {
    let Some(parent) = &wish.base.parent else {
        return Err(Failure::NoIssuer {
            authority: wish.name().clone(),
        });
    };
    let own_mount = wish.parent_mount == context.request.mount;
    if own_mount && context.failed.contains(parent) {
        return Err(Failure::Dependency {
            authority: wish.name().clone(),
            on: parent.clone(),
        });
    }
    if let Some(found) = known_parent(context, wish) {
        check_signer(context, wish, found)?;
        return Ok(Signer::Found(Box::new(found.clone())));
    }
    match context.made.get(parent).filter(|_| own_mount) {
        Some(predicted) => {
            let length = context.request.authority(parent).and_then(|parent| {
                let is_root = parent.base.kind == AuthorityKind::Root;
                parent.base.path_length.or_else(|| (!is_root).then_some(0))
            });
            Ok(Signer::Made(parent.to_string(), predicted.clone(), length))
        }
        None => Err(VaultFailure::Missing {
            authority: parent.to_string(),
            mount: wish.parent_mount.clone(),
        }
        .into()),
    }
}

fn check_signer(context: &Context<'_>, wish: &Wish, found: &ObservedIssuer) -> Result<(), Failure> {
    let name = wish
        .base
        .parent
        .clone()
        .unwrap_or_else(|| wish.name().clone());
    let facts = found.certificate.facts();
    if found.revoked {
        return Err(VaultFailure::Revoked { authority: name }.into());
    }
    if !found.is_issuing() {
        return Err(Failure::AuthorityOutOfService {
            authority: name,
            state: "retired",
        });
    }
    if found.key_id.is_none() {
        return Err(VaultFailure::Keyless {
            authority: name,
            mount: wish.parent_mount.clone(),
        }
        .into());
    }
    if facts.not_after <= context.now {
        return Err(VaultFailure::Expired {
            authority: name,
            not_after: facts.not_after,
        }
        .into());
    }
    Ok(())
}

/// How many authorities may follow below one that `signer` signs; an error if it may sign none.
pub(super) fn room_below(signer: &Signer) -> Result<Option<u8>, Failure> {
    let Some(allowed) = signer.path_length() else {
        return Ok(None);
    };
    match (allowed.checked_sub(1), AuthorityName::new(signer.label())) {
        (Some(room), _) => Ok(Some(room)),
        (None, Ok(authority)) => Err(Failure::PathLength {
            authority,
            allowed,
            wished: "0".to_owned(),
        }),
        // The server takes only names that are names here.
        (None, Err(_)) => Ok(Some(0)),
    }
}

/// An intermediate signs no authorities unless it is told how many.
pub(super) fn path_length(wish: &Wish, signer: &Signer) -> Result<Option<u8>, Failure> {
    let wished = wish.base.path_length.unwrap_or(0);
    match room_below(signer)? {
        Some(room) if wished > room => Err(Failure::PathLength {
            authority: wish
                .base
                .parent
                .clone()
                .unwrap_or_else(|| wish.name().clone()),
            allowed: room.saturating_add(1),
            wished: wished.to_string(),
        }),
        _ => Ok(Some(wished)),
    }
}
