// SPDX-License-Identifier: Apache-2.0
//! The walk of one task on a server: state, configuration of the mount, observe, decide, (check mode answers here,)
//! apply, answer.

use ::vault::Vault;
use ansible_module::{Invocation, Outcome};
use pki::Timestamp;

use super::apply::apply;
use super::decide::decide;
use super::failure::VaultFailure;
use super::observe::{Observed, observe};
use super::outcome::{self, Report};
use super::plan::Plan;
use super::preflight;
use super::request::Request;
use super::server::Server;
use crate::failure::Failure;
use crate::params::Params;

/// Runs the task.
pub(crate) fn run(invocation: Invocation<Params>) -> Result<Outcome, Failure> {
    let request = Request::try_from_params(invocation.params)?;
    let now = Timestamp::from(invocation.now);
    let vault = request
        .connection
        .open()
        .map_err(VaultFailure::server("open the connection"))?;
    let answer = walk(&vault, &request, now, invocation.control.check_mode);
    // Whatever came of it, the token goes back.
    let leftovers = vault.close();
    answer.map(|mut outcome| {
        outcome.warnings.extend(leftovers);
        outcome
    })
}

fn walk(vault: &Vault, request: &Request, now: Timestamp, check: bool) -> Result<Outcome, Failure> {
    let server = Server::observe(vault, now)?;
    if !server.serves() && request.is_idle() {
        // To tell that it is sealed is all that was asked.
        let observed = Observed::of(server);
        return outcome::answer(Report::new(request, &observed, Plan::default()));
    }
    let observed = observe(vault, request, server, now)?;
    let own = observed.mount(&request.mount);
    if !own.exists && !request.is_idle() {
        return Err(VaultFailure::MissingMount {
            mount: request.mount.clone(),
        }
        .into());
    }
    let plan = decide(request, &observed, now);
    preflight::check(vault, request, &plan)?;
    let applied = (!check).then(|| apply(vault, request, &own, &plan, now));
    let mut report = Report::new(request, &observed, plan);
    report.applied = applied;
    outcome::answer(report)
}
