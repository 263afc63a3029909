// SPDX-License-Identifier: Apache-2.0
//! The configuration as a part of a task: planned with the authorities, written around them, told with them.

use pki::Timestamp;
use serde_json::Map;
use vault::Vault;

use super::apply::{self, Applied};
use super::decide::decide;
use super::error::{Error, Failed};
use super::object::Object;
use super::observe::observe;
use super::plan::ConfigPlan;
use super::wish::ConfigWish;
use super::{facts, permissions};
use crate::vault::failure::VaultFailure;
use crate::vault::observe::ObservedMount;
use crate::vault::outcome::Report;

/// What is planned, and what of it was done.
#[derive(Debug)]
pub(crate) struct Part {
    plan: ConfigPlan,
    applied: Option<Applied>,
    warnings: Vec<String>,
}

impl Part {
    /// Looks, and decides. Nothing is changed.
    ///
    /// # Errors
    /// [`Error::Permissions`] if the token may not do what is planned, and what would be the same for every object.
    pub(crate) fn plan(vault: &Vault, wish: &ConfigWish, now: Timestamp) -> Result<Self, Error> {
        let plan = match wish.is_empty() {
            true => ConfigPlan::of(wish),
            false => decide(wish, observe(vault, wish)?, now),
        };
        let warnings = permissions::check(vault, &plan)?;
        Ok(Self {
            plan,
            applied: None,
            warnings,
        })
    }

    /// The mount as it will be when authorities are made: there, and with its lifetimes.
    pub(crate) fn foresee(&self, mount: &mut ObservedMount) {
        let Some(planned) = self.plan.object(&Object::Mount) else {
            return;
        };
        mount.exists |= planned.writes();
        let body = planned.body();
        let span = |field: &str| body.get(field).and_then(super::span::seconds_of);
        mount.max_ttl = span("max_lease_ttl").or(mount.max_ttl);
        mount.default_ttl = span("default_lease_ttl").or(mount.default_ttl);
    }

    /// Writes what comes before the authorities; whether they may be made then. What could not even be planned of it (an
    /// address of certificates, say) stands in their way as what could not be written.
    pub(crate) fn before(&mut self, vault: &Vault) -> bool {
        let applied = self.applied.get_or_insert_default();
        apply::before(vault, &self.plan, applied);
        let mut failed = self.plan.failed.iter().chain(&applied.failed);
        let counts = |failed: &Failed| {
            ["mount", "cluster", "urls"]
                .iter()
                .any(|name| failed.item == format!("vault_config.{name}"))
        };
        !failed.any(counts)
    }

    /// Writes what comes after them.
    pub(crate) fn after(&mut self, vault: &Vault) {
        let applied = self.applied.get_or_insert_default();
        apply::after(vault, &self.plan, applied);
    }

    /// Adds all that is to be told.
    pub(crate) fn tell(mut self, report: &mut Report<'_>, is_wished: bool) {
        if !is_wished {
            return;
        }
        let told = facts::facts(&self.plan, self.applied.as_ref());
        report.config = Map::from_iter([("vault_config".to_owned(), told)]);
        report.config_diff = facts::diffs(&self.plan);
        report.config_summary = facts::summary(&self.plan);
        report.config_changed = match &self.applied {
            Some(applied) => applied.changed,
            None => self.plan.changes(),
        };
        report.warnings.append(&mut self.warnings);
        let mut failed = self.plan.failed;
        if let Some(mut applied) = self.applied {
            report.warnings.append(&mut applied.warnings);
            failed.append(&mut applied.failed);
        }
        let each = failed.into_iter().map(|failed| crate::failure::Failed {
            item: failed.item,
            failure: VaultFailure::from(failed.error).into(),
        });
        report.config_failed.extend(each);
    }
}
