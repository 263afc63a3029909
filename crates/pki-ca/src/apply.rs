// SPDX-License-Identifier: Apache-2.0
//! Carries a plan out: authorities from the top down, then revocations and lists, then signatures, removals
//! last. What fails takes with it only what depends on it.

mod authority;
mod list;
mod signature;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use pki::{Authority, Certificate, CertificateRequest, PrivateKey, Timestamp};

pub use list::MadeList;
pub use signature::Signed;

use crate::failure::{Failed, Failure};
use crate::index::Index;
use crate::links;
use crate::names::AuthorityName;
use crate::observe::{ObservedKey, ObservedTree};
use crate::plan::{Act, AuthorityPlan, Plan};
use crate::request::Request;

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Authorities as they are now.
    pub authorities: BTreeMap<AuthorityName, Living>,
    /// Per entry of `sign`.
    pub signed: Vec<Option<Signed>>,
    /// Lists by authority.
    pub lists: BTreeMap<AuthorityName, MadeList>,
    /// Entries that failed here.
    pub failed: Vec<Failed>,
    /// Whether anything on disk was changed.
    pub changed: bool,
}

/// An authority as it is now.
#[derive(Debug, Default)]
pub struct Living {
    /// Its certificate.
    pub certificate: Option<Certificate>,
    /// What is above it, issuer first.
    pub above: Vec<Certificate>,
    /// Its key, if at hand.
    pub key: Option<PrivateKey>,
    /// Its index.
    pub index: Index,
    /// The request that is away, or was answered.
    pub request: Option<CertificateRequest>,
    /// The generation in service; none before the first.
    pub generation: Option<u64>,
    /// The number of the next one.
    pub next_generation: u64,
}

/// The work of one task.
pub(crate) struct Work<'a> {
    pub(crate) request: &'a Request,
    pub(crate) observed: &'a ObservedTree,
    pub(crate) now: Timestamp,
    pub(crate) living: BTreeMap<AuthorityName, Living>,
    pub(crate) failed: BTreeSet<AuthorityName>,
    pub(crate) changed: bool,
}

/// Carries out `plan`.
pub fn apply(request: &Request, observed: &ObservedTree, plan: &Plan, now: Timestamp) -> Applied {
    let mut work = Work {
        request,
        observed,
        now,
        living: living(observed, plan),
        failed: plan
            .failed
            .iter()
            .filter_map(|failed| authority_of(&failed.item))
            .collect(),
        changed: false,
    };
    let mut applied = Applied::default();
    let (removals, rest): (Vec<_>, Vec<_>) = plan
        .authorities
        .iter()
        .partition(|decided| matches!(decided.act, Act::Remove));
    work.authorities(&rest, &mut applied.failed);
    work.revocations(plan, &mut applied.failed);
    applied.lists = work.lists(plan, &mut applied.failed);
    applied.signed = work.signatures(plan, &mut applied.failed);
    // Children before parents.
    let removals: Vec<_> = removals.into_iter().rev().collect();
    work.authorities(&removals, &mut applied.failed);
    applied.changed = work.changed;
    applied.authorities = work.living;
    applied
}

fn authority_of(item: &str) -> Option<AuthorityName> {
    let name = item.strip_prefix("authorities[")?.strip_suffix(']')?;
    AuthorityName::new(name).ok()
}

fn living(observed: &ObservedTree, plan: &Plan) -> BTreeMap<AuthorityName, Living> {
    let mut living = BTreeMap::new();
    for (name, found) in &observed.authorities {
        let standing = plan.standings.get(name);
        let key = match &found.key {
            ObservedKey::Open { private, .. } => Some(private.clone()),
            _ => None,
        };
        let in_service = found
            .generations
            .iter()
            .find(|(_, each)| Some(*each) == found.certificate.as_ref());
        living.insert(
            name.clone(),
            Living {
                certificate: standing
                    .and_then(|standing| standing.certificate.clone())
                    .or_else(|| found.certificate.clone()),
                above: standing
                    .map(|standing| standing.above.clone())
                    .unwrap_or_default(),
                key,
                index: found.index.clone(),
                request: found
                    .pending_request
                    .clone()
                    .or_else(|| found.current_request.clone()),
                generation: in_service.map(|(number, _)| *number),
                next_generation: found.next_generation,
            },
        );
    }
    living
}

impl Work<'_> {
    fn authorities(&mut self, plans: &[&AuthorityPlan], failed: &mut Vec<Failed>) {
        for plan in plans.iter().filter(|plan| plan.changes()) {
            if let Err(failure) = self.authority(plan) {
                failed.push(Failed {
                    item: format!("authorities[{}]", plan.name),
                    failure,
                });
                self.failed.insert(plan.name.clone());
            }
        }
    }

    /// The authority `name`, ready to sign.
    pub(crate) fn signer(
        &self,
        name: &AuthorityName,
        wanted_by: &AuthorityName,
    ) -> Result<Authority, Failure> {
        if self.failed.contains(name) {
            return Err(Failure::Dependency {
                authority: wanted_by.clone(),
                on: name.clone(),
            });
        }
        let missing = || Failure::AuthorityMissing {
            authority: name.clone(),
            directory: self.request.tree.root.clone(),
        };
        let living = self.living.get(name).ok_or_else(missing)?;
        let certificate = living.certificate.clone().ok_or_else(missing)?;
        let key = living.key.clone().ok_or_else(|| Failure::KeyUnavailable {
            authority: name.clone(),
            path: self.request.tree.authority(name).key(),
            problem: "is not there",
        })?;
        Authority::new(certificate, key, living.above.clone())
            .map_err(Failure::pki(format!("sign as authority '{name}'")))
    }

    /// The living authority, made if it is new.
    pub(crate) fn living(&mut self, name: &AuthorityName) -> &mut Living {
        self.living.entry(name.clone()).or_insert_with(|| Living {
            next_generation: crate::tree::FIRST_GENERATION,
            ..Living::default()
        })
    }

    /// Makes the directories that every tree has.
    pub(crate) fn base_directories(&mut self) -> Result<(), Failure> {
        let absent = self
            .observed
            .missing_directories
            .iter()
            .filter(|each| !each.path.is_dir());
        let absent: Vec<_> = absent.cloned().collect();
        self.changed |= !absent.is_empty();
        links::create(&absent, &self.request.tree.ownership)
    }

    /// Makes the directories of the tree and of an authority.
    pub(crate) fn directories(&mut self, name: &AuthorityName) -> Result<(), Failure> {
        self.base_directories()?;
        let tree = &self.request.tree;
        let directories = tree.authority(name).directories();
        let absent: Vec<_> = directories
            .into_iter()
            .filter(|each| !each.path.is_dir())
            .collect();
        self.changed |= !absent.is_empty();
        links::create(&absent, &tree.ownership)
    }
}
