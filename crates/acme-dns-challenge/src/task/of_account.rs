// SPDX-License-Identifier: Apache-2.0
//! Phases about the account alone: another key for it, and its end.

use ansible_module::Outcome;

use super::Task;
use super::authority::Asked;
use crate::account::next_key::rollover;
use crate::account::{Change, Missing};
use crate::failure::{CertificateError, TaskError};
use crate::outcome::{Surroundings, record_facts};
use crate::request::Phase;

impl Task<'_> {
    /// In check mode nobody is asked: a signed request is more than a look.
    pub(super) fn of_account(&self) -> Result<Outcome, TaskError> {
        let _locks = self.lock()?;
        let phase = self.request.phase;
        let mut around = Surroundings::default();
        let mut asked = Asked::new(self.request, self.now);
        if self.control.check_mode {
            asked.wish()?;
            around.changed = true;
        } else {
            match phase {
                Phase::Rollover => {
                    let opened = rollover(&asked.server()?, asked.wish()?)?;
                    around.opened(opened);
                }
                _ => self.deactivate_account(&mut asked, &mut around)?,
            }
        }
        around.requests = asked.requests();
        let changed = around.changed;
        let warnings = around.taken.warnings.clone();
        Ok(Outcome {
            changed,
            msg: Some(format!("the account {}", word(phase, changed))),
            facts: record_facts(phase, around),
            warnings,
            ..Outcome::default()
        })
    }

    /// One that is gone already is what was wanted; that it may be the wrong key is for the user to judge.
    fn deactivate_account(
        &self,
        asked: &mut Asked<'_>,
        around: &mut Surroundings,
    ) -> Result<(), CertificateError> {
        let opened = match asked.account(Missing::Refuse) {
            Ok(opened) => opened,
            Err(CertificateError::Acme(gone @ acme::Error::AccountGone { .. })) => {
                around.taken.warnings.push(gone.to_string());
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let account = around.opened(opened);
        account.deactivate()?;
        around.account_changes.push(Change::Deactivated);
        around.changed = true;
        Ok(())
    }
}

fn word(phase: Phase, changed: bool) -> &'static str {
    match (phase, changed) {
        (Phase::Rollover, _) => "has another key",
        (_, true) => "was given up",
        (_, false) => "is gone already",
    }
}
