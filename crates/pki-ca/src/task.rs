// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: lock, observe, decide, (check mode answers here,) apply, answer.

use std::path::PathBuf;

use ansible_module::{Faults, Invocation, Module, OptionSpec, Outcome};
use pki::Timestamp;
use tls_files::{DirectoryLocks, RecoveryAction};

use crate::apply::{Applied, apply};
use crate::decide::decide;
use crate::failure::{Failed, Failure};
use crate::links;
use crate::observe::{ObservedTree, journal_directories, observe};
use crate::outcome::{self, Report};
use crate::params::{OPTIONS, Params};
use crate::plan::Plan;
use crate::request::Request;
use crate::tree::Directory;
use crate::vault;

/// The module.
pub struct PkiCa;

impl Module for PkiCa {
    const NAME: &'static str = "pki_ca";
    type Params = Params;
    type Failure = Failure;

    fn options() -> &'static [OptionSpec] {
        OPTIONS
    }

    fn further_faults(params: Params) -> Faults {
        let faults = if params.backend.vault.is_some() {
            vault::request::Request::try_from_params(params).err()
        } else {
            Request::try_from_params(params).err()
        };
        faults.map_or_else(Faults::new, Faults::from)
    }

    fn run(invocation: Invocation<Params>) -> Result<Outcome, Failure> {
        if invocation.params.backend.vault.is_some() {
            return vault::task::run(invocation);
        }
        let request = Request::try_from_params(invocation.params)?;
        let now = Timestamp::from(invocation.now);
        if invocation.control.check_mode {
            predict(&request, now)
        } else {
            perform(&request, now)
        }
    }
}

/// Check mode: the same walk up to the plan, and no lock, which would need the directory.
fn predict(request: &Request, now: Timestamp) -> Result<Outcome, Failure> {
    let mut observed = observe(request)?;
    let mut plan = decide(request, &observed, now);
    report_broken(request, &mut observed, &mut plan);
    outcome::answer(Report {
        request,
        observed: &observed,
        plan,
        applied: None,
        now,
    })
}

fn perform(request: &Request, now: Timestamp) -> Result<Outcome, Failure> {
    if !request.tree.root.is_dir() {
        // A task that can do nothing leaves no empty tree behind.
        let observed = observe(request)?;
        if !decide(request, &observed, now).changes() {
            return predict(request, now);
        }
    }
    let made = make_root(request)?;
    // The tree first, so that runs queue up; then every directory, which the committer of a killed run may
    // still hold: nothing is looked at before it has finished.
    let _tree = lock(request, vec![request.tree.root.clone()])?;
    let _directories = lock(request, journal_directories(&request.tree)?)?;
    let recovered = recover(request)?;
    let mut observed = observe(request)?;
    let mut plan = decide(request, &observed, now);
    let mut applied: Applied = apply(request, &observed, &plan, now);
    applied.changed |= made || !recovered.is_empty();
    plan.warnings.splice(0..0, recovered);
    report_broken(request, &mut observed, &mut plan);
    outcome::answer(Report {
        request,
        observed: &observed,
        plan,
        applied: Some(applied),
        now,
    })
}

fn lock(request: &Request, directories: Vec<PathBuf>) -> Result<DirectoryLocks, Failure> {
    DirectoryLocks::acquire(directories, request.lock_timeout).map_err(|source| Failure::Files {
        what: format!("lock the tree '{}'", request.tree.root.display()),
        source,
    })
}

/// The lock is on the root of the tree, so that must be there; whether it was made.
fn make_root(request: &Request) -> Result<bool, Failure> {
    if request.tree.root.is_dir() {
        return Ok(false);
    }
    let root = Directory {
        path: request.tree.root.clone(),
        secret: false,
    };
    links::create(&[root], &request.tree.ownership)?;
    Ok(true)
}

/// Finishes or undoes what a killed run has left.
fn recover(request: &Request) -> Result<Vec<String>, Failure> {
    let directories = journal_directories(&request.tree)?;
    let recovered = tls_files::recover(directories).map_err(|source| Failure::Files {
        what: format!(
            "finish what an earlier run left in '{}'",
            request.tree.root.display()
        ),
        source,
    })?;
    let sentence = |set: &str, action| match action {
        RecoveryAction::Finished => {
            format!("an earlier run was cut; the files of {set} are now complete")
        }
        RecoveryAction::Undone => {
            format!("an earlier run was cut; the old files of {set} are back")
        }
    };
    Ok(recovered
        .iter()
        .map(|each| sentence(&each.set, each.action))
        .collect())
}

/// An authority that cannot be read fails the task if the task describes it; else it is worth a word.
fn report_broken(request: &Request, observed: &mut ObservedTree, plan: &mut Plan) {
    for (name, failure) in std::mem::take(&mut observed.broken) {
        if request.authority(&name).is_some() {
            plan.failed.push(Failed {
                item: format!("authorities[{name}]"),
                failure,
            });
        } else {
            plan.warnings.push(format!(
                "authority '{name}' cannot be read: {}",
                ansible_module::flatten(&failure)
            ));
        }
    }
}
