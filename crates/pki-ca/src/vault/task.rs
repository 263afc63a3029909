// SPDX-License-Identifier: Apache-2.0
//! The walk of one task on a server: state, configuration of the mount, observe, decide, (check mode answers here,)
//! apply, answer.

use ::vault::Vault;
use ansible_module::{Invocation, Outcome};
use pki::Timestamp;

use super::apply::apply;
use super::config::{self, part::Part};
use super::decide::decide;
use super::failure::VaultFailure;
use super::observe::{Observed, observe};
use super::outcome::{self, Report};
use super::plan::{AuthorityPlan, Plan};
use super::preflight;
use super::request::Request;
use super::server::Server;
use crate::failure::{Failed, Failure};
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
    if server.is_old() && !request.asks_for_nothing() {
        let observed = Observed::of(server);
        let plan = decide(request, &observed, now);
        return outcome::answer(Report::new(request, &observed, plan));
    }
    let mut config = Part::plan(vault, &request.config, now).map_err(VaultFailure::from)?;
    // Whoever may only configure the mount may perhaps not see its keys.
    let looks = request.inspect || !request.asks_for_nothing();
    let mut observed = match looks {
        true => observe(vault, request, server, now)?,
        false => Observed::of(server),
    };
    if let Some(own) = observed.mounts.get_mut(&request.mount) {
        config.foresee(own);
    }
    let own = observed.mount(&request.mount);
    if !own.exists && !request.asks_for_nothing() {
        return Err(VaultFailure::MissingMount {
            mount: request.mount.clone(),
        }
        .into());
    }
    let mut plan = decide(request, &observed, now);
    let unknown = preflight::check(vault, request, &plan)?;
    plan.warnings.extend(unknown);
    let mut applied = None;
    if !check {
        if !config.before(vault) {
            hold(&mut plan);
        }
        applied = Some(apply(vault, request, &own, &plan, now));
        config.after(vault);
    }
    let mut report = Report::new(request, &observed, plan);
    report.applied = applied;
    config.tell(&mut report, !request.config.is_empty());
    outcome::answer(report)
}

/// Authorities whose mount is not as it should be are not made: addresses could be missing in them for all their life.
fn hold(plan: &mut Plan) {
    let changing = |plan: &AuthorityPlan| plan.changes();
    let held = plan.authorities.extract_if(.., |each| changing(each));
    let held = held.map(|each| Failed {
        item: format!("authorities[{}]", each.name),
        failure: VaultFailure::from(config::error::Error::Held {
            object: format!("authority '{}'", each.name),
            before: "vault_config".to_owned(),
        })
        .into(),
    });
    let held: Vec<Failed> = held.collect();
    plan.failed.extend(held);
}
