// SPDX-License-Identifier: Apache-2.0
//! Carries a plan out on the server, step by step. What fails takes with it only what depends on it.

mod import;
mod make;
mod proof;
mod request;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use ::vault::Vault;
use ::vault::pki::Mount;
use pki::{CertificateRequest, Timestamp};

use super::failure::VaultFailure;
use super::observe::{self, ObservedIssuer, ObservedMount, shown_issuer};
use super::plan::{AuthorityPlan, Plan, Step};
use super::request::{Request, Wish};
use crate::failure::{Failed, Failure};
use crate::names::AuthorityName;

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Issuers as they are now.
    pub issuers: BTreeMap<AuthorityName, ObservedIssuer>,
    /// The mount as it is now, where the task asked for it and changed it.
    pub mount: Option<ObservedMount>,
    /// Requests of those that wait for their certificate.
    pub requests: BTreeMap<AuthorityName, CertificateRequest>,
    /// When each entry of `revoke` was revoked.
    pub revoked: Vec<Option<Timestamp>>,
    /// Entries that failed here.
    pub failed: Vec<Failed>,
    /// What the server remarked.
    pub warnings: Vec<String>,
    /// Whether anything was changed.
    pub changed: bool,
}

/// The work of one task.
pub(crate) struct Work<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) request: &'a Request,
    pub(crate) now: Timestamp,
    pub(crate) applied: Applied,
    failed: BTreeSet<AuthorityName>,
}

/// Carries out `plan`.
pub fn apply(
    vault: &Vault,
    request: &Request,
    mount: &ObservedMount,
    plan: &Plan,
    now: Timestamp,
) -> Applied {
    let mut work = Work {
        vault,
        request,
        now,
        applied: Applied::default(),
        failed: BTreeSet::new(),
    };
    work.applied.issuers = by_name(mount);
    for decided in &plan.authorities {
        if let Err(failure) = work.authority(decided) {
            work.fail(format!("authorities[{}]", decided.name), failure);
            work.failed.insert(decided.name.clone());
        }
    }
    work.revocations(plan);
    work.lists(plan);
    work.refresh();
    work.applied
}

impl<'a> Work<'a> {
    pub(crate) fn mount(&self) -> Mount<'a> {
        Mount::new(self.vault, &self.request.mount)
    }

    fn fail(&mut self, item: String, failure: Failure) {
        self.applied.failed.push(Failed { item, failure });
    }

    /// Everything that is planned for one authority.
    fn authority(&mut self, plan: &AuthorityPlan) -> Result<(), Failure> {
        let Some(wish) = self.request.authority(&plan.name) else {
            return Ok(());
        };
        if let Some(parent) = &wish.base.parent
            && self.failed.contains(parent)
        {
            return Err(Failure::Dependency {
                authority: plan.name.clone(),
                on: parent.clone(),
            });
        }
        for step in &plan.steps {
            self.step(wish, step)?;
        }
        if plan.shows_request {
            self.show_request(wish, plan)?;
        }
        Ok(())
    }

    fn step(&mut self, wish: &Wish, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Root(body) => self.root(wish, body, false),
            Step::RootOfKey(body) => self.root(wish, body, true),
            Step::Key(body) => self.key(wish, body).map(drop),
            Step::Sign(signing) => self.sign(wish, signing),
            Step::Bridge(signing) => self.bridge(wish, signing),
            Step::Import(import) => self.import(wish, import),
            Step::Name(id) => self.name(id, &name_for(wish)),
            Step::Settings(settings) => self.settings(wish, settings),
            Step::Activate => self.activate(wish),
            Step::Revoke { elsewhere } => self.revoke(wish, elsewhere.as_deref()),
            Step::Remove { key_id } => self.remove(wish, key_id.as_deref()),
            Step::RemoveKey(id) => self.remove_key(wish, id),
        }
    }

    /// Gives the issuer with this identifier its name.
    pub(crate) fn name(&mut self, id: &str, name: &str) -> Result<(), Failure> {
        let body = serde_json::json!({"issuer_name": name});
        let what = format!("name issuer '{id}' '{name}'");
        self.mount()
            .patch_issuer(id, &body)
            .map_err(VaultFailure::server(what))?;
        self.applied.changed = true;
        Ok(())
    }

    /// An issuer of the mount as it is now.
    pub(crate) fn look(&self, reference: &str) -> Result<Option<ObservedIssuer>, Failure> {
        let what = || {
            format!(
                "read issuer '{reference}' of mount '{}'",
                self.request.mount
            )
        };
        let mount = self.mount();
        let found = mount
            .issuer(reference)
            .map_err(VaultFailure::server(what()))?;
        let Some(found) = found else { return Ok(None) };
        let default = mount
            .default_issuer()
            .map_err(VaultFailure::server(what()))?;
        let is_default = default.as_ref() == Some(&found.id);
        shown_issuer(found, is_default).map(Some)
    }

    /// An issuer that must be there by now.
    pub(crate) fn issuer(&self, name: &str) -> Result<ObservedIssuer, Failure> {
        self.look(name)?.ok_or_else(|| {
            VaultFailure::Missing {
                authority: name.to_owned(),
                mount: self.request.mount.clone(),
            }
            .into()
        })
    }

    /// The mount as it is now, for the answer.
    fn refresh(&mut self) {
        if !self.applied.changed {
            return;
        }
        match observe::mount(self.vault, &self.request.mount) {
            Ok(mount) => {
                self.applied.issuers = by_name(&mount);
                self.applied.mount = Some(mount);
            }
            Err(failure) => self.applied.warnings.push(format!(
                "what became of mount '{}' could not be read: {}",
                self.request.mount,
                ansible_module::flatten(&failure)
            )),
        }
    }
}

fn by_name(mount: &ObservedMount) -> BTreeMap<AuthorityName, ObservedIssuer> {
    let named = mount.issuers.iter().filter_map(|issuer| {
        let name = AuthorityName::new(&issuer.name).ok()?;
        Some((name, issuer.clone()))
    });
    named.collect()
}

/// An issuer without a name is the authority, or its key under the second signer.
fn name_for(wish: &Wish) -> String {
    super::decide::bridge_of(wish).unwrap_or_else(|| wish.name().to_string())
}
