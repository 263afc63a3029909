// SPDX-License-Identifier: Apache-2.0
//! Revocations are noted, then published.

use std::collections::{BTreeMap, BTreeSet};

use pki::Timestamp;
use pki::crl::RevocationList;

use super::Work;
use crate::failure::{Failed, Failure};
use crate::names::AuthorityName;
use crate::plan::{ListPlan, Plan};

/// A revocation list as it is now.
#[derive(Debug)]
pub struct MadeList {
    /// Its number, if it has one.
    pub number: Option<u64>,
    /// When the next one is due at the latest.
    pub next_update: Option<Timestamp>,
    /// Whether this task made it.
    pub changed: bool,
}

impl Work<'_> {
    /// Notes what is revoked, so that it is known even if the list cannot be made.
    pub(super) fn revocations(&mut self, plan: &Plan, failed: &mut Vec<Failed>) {
        let mut noted: BTreeMap<AuthorityName, Vec<usize>> = BTreeMap::new();
        for (index, revocation) in plan.revocations.iter().enumerate() {
            if let Ok(revocation) = revocation
                && !revocation.already
            {
                let entry = revocation.revocation.clone();
                self.living(&revocation.authority).index.revoked.push(entry);
                noted
                    .entry(revocation.authority.clone())
                    .or_default()
                    .push(index);
            }
        }
        for (authority, entries) in noted {
            if let Err(failure) = self
                .directories(&authority)
                .and_then(|()| self.save_index(&authority))
            {
                let first = entries.first().copied().unwrap_or_default();
                failed.push(Failed {
                    item: format!("revoke[{first}]"),
                    failure,
                });
                self.failed.insert(authority);
            }
        }
    }

    /// Makes the lists that are due; the others are reported as they are.
    pub(super) fn lists(
        &mut self,
        plan: &Plan,
        failed: &mut Vec<Failed>,
    ) -> BTreeMap<AuthorityName, MadeList> {
        let mut made = BTreeMap::new();
        for list in &plan.lists {
            let result = if list.reasons.is_empty() {
                Ok(self.present_list(list))
            } else {
                self.list(list).map(Some)
            };
            match result {
                Ok(Some(list_now)) => drop(made.insert(list.authority.clone(), list_now)),
                Ok(None) => {}
                Err(failure) => failed.push(Failed {
                    item: format!("crl[{}]", list.authority),
                    failure,
                }),
            }
        }
        made
    }

    fn present_list(&self, plan: &ListPlan) -> Option<MadeList> {
        let found = self.observed.authorities.get(&plan.authority)?;
        let list = found.crl.as_ref()?.as_ref().ok()?;
        Some(MadeList {
            number: list.number(),
            next_update: list.next_update(),
            changed: false,
        })
    }

    fn list(&mut self, plan: &ListPlan) -> Result<MadeList, Failure> {
        let name = &plan.authority;
        let signer = self.signer(name, name)?;
        self.directories(name)?;
        let before = self
            .present_list(plan)
            .and_then(|list| list.number)
            .unwrap_or_default();
        let next_update = self.now + self.request.crl.next_update;
        let now = self.now;
        let index = &mut self.living(name).index;
        // A number that was ever seen is never used again (RFC 5280 §5.2.3).
        let number = index.crl_number.max(before).saturating_add(1);
        let mut listed = BTreeSet::new();
        let revoked: Vec<_> = index
            .revoked
            .iter()
            .filter(|entry| listed.insert(entry.serial.clone()))
            .cloned()
            .collect();
        index.crl_number = number;
        let list = RevocationList::create(&signer, &revoked, number, now, next_update).map_err(
            |source| Failure::List {
                authority: name.clone(),
                source: Box::new(source),
            },
        )?;
        let changes = vec![
            self.index(name),
            self.public(self.request.tree.authority(name).crl(), list.to_pem()),
        ];
        self.install(&format!("list of {name}"), changes)?;
        Ok(MadeList {
            number: Some(number),
            next_update: Some(next_update),
            changed: true,
        })
    }
}
