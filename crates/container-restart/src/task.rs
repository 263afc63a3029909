// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: observe, decide, preflight, (check mode answers here,) apply, answer.

use ansible_module::{Faults, Invocation, Module, OptionSpec, Outcome};
use pki::Timestamp;

use crate::apply::{Applied, apply, validate};
use crate::decide::decide;
use crate::failure::TaskFailure;
use crate::observe::{Host, observe};
use crate::outcome::{self, Report};
use crate::params::{OPTIONS, Params};
use crate::preflight;
use crate::request::Request;

/// The module.
pub struct ContainerRestart;

impl Module for ContainerRestart {
    const NAME: &'static str = "container_restart";
    type Params = Params;
    type Failure = TaskFailure;

    fn options() -> &'static [OptionSpec] {
        OPTIONS
    }

    fn further_faults(params: Params) -> Faults {
        Request::try_from_params(params).map_or_else(Faults::from, |_| Faults::new())
    }

    fn run(invocation: Invocation<Params>) -> Result<Outcome, TaskFailure> {
        let request = Request::try_from_params(invocation.params)?;
        let host = Host::find(&request)?;
        let observed = observe(&request, &host)?;
        let mut plan = decide(&request, &observed);
        if plan.acts().next().is_some() {
            let now = Timestamp::from(invocation.now);
            let refusals = preflight::check(&request, &observed, &plan, now);
            plan.refusals.extend(refusals);
        }
        let mut applied = None;
        if !invocation.control.check_mode {
            if plan.refusals.is_empty() {
                plan.refusals
                    .extend(validate(&request, &host, &observed, &plan));
            }
            let done = if plan.refusals.is_empty() {
                apply(&request, &host, &observed, &plan)
            } else {
                Applied::default()
            };
            applied = Some(done);
        }
        outcome::answer(Report {
            request: &request,
            host: &host,
            observed: &observed,
            plan,
            applied,
        })
    }
}
