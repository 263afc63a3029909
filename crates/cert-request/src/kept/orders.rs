// SPDX-License-Identifier: Apache-2.0
//! From a decision to what is asked of certmonger. Pure.

use certmonger::Fields;

use super::differences::differences;
use super::wish::{key, whole_wish};
use super::{Effect, Kept};
use crate::decide::{Action, KeySource};
use crate::request::Entry;

/// How the authority is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Submission {
    /// It is not, or adding the request does it.
    None,
    /// With the key that is there.
    SameKey,
    /// With a new key. certmonger keeps the old pair until the answer is there.
    NewKey,
}

/// What certmonger is asked, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Orders {
    /// Forget the request, for its key is elsewhere.
    pub(super) is_removed_first: bool,
    /// Add a request.
    pub(super) is_added: bool,
    /// With this.
    pub(super) fields: Fields,
    /// And ask the authority.
    pub(super) submission: Submission,
    /// Whether a new certificate must come of it.
    pub(super) expects_new: bool,
}

/// `has_files` says whether a key or a certificate is there already: certmonger takes what it finds, and does not ask.
pub(super) fn orders(entry: &Entry, kept: &Kept, action: Action, has_files: bool) -> Orders {
    let expects_new = matches!(action, Action::Issue(_));
    let submission = match action {
        Action::Issue(KeySource::New) => Submission::NewKey,
        Action::Issue(_) => Submission::SameKey,
        _ => Submission::None,
    };
    let elsewhere = kept
        .request
        .as_ref()
        .filter(|request| !kept.has_key_at_its_place(request));
    match &kept.request {
        Some(request) if elsewhere.is_none() => {
            let mut fields = Fields::default();
            for difference in differences(entry, kept, request) {
                // A wish that 'renew.on' holds back is not told either: certmonger would ask for it at its next renewal.
                if expects_new || difference.effect == Effect::Modify {
                    fields.append(difference.fields);
                }
            }
            if submission == Submission::NewKey && kept.spec.given.algorithm {
                fields.append(key(entry));
            }
            Orders {
                is_removed_first: false,
                is_added: false,
                fields,
                submission,
                expects_new,
            }
        }
        _ => Orders {
            is_removed_first: elsewhere.is_some(),
            is_added: true,
            fields: whole_wish(entry, kept),
            submission: if has_files {
                submission
            } else {
                Submission::None
            },
            expects_new,
        },
    }
}
