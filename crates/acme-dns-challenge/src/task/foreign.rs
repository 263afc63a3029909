// SPDX-License-Identifier: Apache-2.0
//! Phases on the host that writes the DNS: records that tasks on other hosts want.

use std::time::Duration;

use ansible_module::Outcome;
use dns::Name;

use super::Task;
use crate::failure::{CertificateError, TaskError};
use crate::outcome::{Surroundings, record_facts};
use crate::records::{self, Dns, Placed};
use crate::request::Phase;

impl Task<'_> {
    pub(super) fn foreign_records(&self) -> Result<Outcome, TaskError> {
        let dns = Dns::new(self.request);
        let placed = self.placed(&dns)?;
        let mut around = Surroundings::default();
        let phase = self.request.phase;
        match phase {
            Phase::Wait if !self.control.check_mode => {
                around.taken.waited = dns.wait(&placed, Duration::MAX)?;
            }
            Phase::Publish | Phase::Cleanup => self.write(phase, &placed, &mut around)?,
            _ => {}
        }
        let changed = around.changed;
        let warnings = around.taken.warnings.clone();
        Ok(Outcome {
            changed,
            msg: Some(format!(
                "{} records: {}",
                placed.len(),
                word(phase, changed)
            )),
            facts: record_facts(phase, around),
            warnings,
            ..Outcome::default()
        })
    }

    /// Only what is not there is written, and only what is there is removed, so that a second run changes nothing.
    fn write(
        &self,
        phase: Phase,
        placed: &[Placed],
        around: &mut Surroundings,
    ) -> Result<(), TaskError> {
        let missing = Dns::missing(placed);
        let touched: Vec<Placed> = match phase {
            Phase::Publish => missing,
            _ => {
                let is_missing = |one: &Placed| {
                    let mut each = missing.iter();
                    each.any(|other| {
                        other.value == one.value && other.target.owner() == one.target.owner()
                    })
                };
                placed
                    .iter()
                    .filter(|one| !is_missing(one))
                    .cloned()
                    .collect()
            }
        };
        around.changed = !touched.is_empty();
        let Some(provider) = self.request.provider.as_ref().filter(|_| around.changed) else {
            return Ok(());
        };
        if self.control.check_mode {
            return Ok(());
        }
        let publisher = provider.open(self.now)?;
        let done = match phase {
            Phase::Publish => records::publish(publisher.as_ref(), &touched, provider.ttl())?,
            _ => records::withdraw(publisher.as_ref(), &touched, provider.ttl())?,
        };
        around.taken.published = done.steps;
        around.taken.warnings = done.warnings;
        Ok(())
    }

    fn placed(&self, dns: &Dns<'_>) -> Result<Vec<Placed>, TaskError> {
        let names: Vec<Name> = self
            .request
            .records
            .iter()
            .map(|record| record.owner.clone())
            .collect();
        let targets = dns.place(&names).into_iter();
        let both = targets.zip(&self.request.records);
        both.map(|(target, record)| {
            Ok(Placed {
                target: target.map_err(CertificateError::from)?,
                value: record.value.clone(),
                zone: record.zone.clone(),
            })
        })
        .collect()
    }
}

fn word(phase: Phase, changed: bool) -> &'static str {
    match (phase, changed) {
        (Phase::Publish, true) => "published",
        (Phase::Publish, false) => "there already",
        (Phase::Cleanup, true) => "removed",
        (Phase::Cleanup, false) => "gone already",
        _ => "visible",
    }
}
