// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: observe, decide, preflight, (check mode answers here,) apply, answer.

use ansible_module::{Faults, Invocation, Module, OptionSpec, Outcome};
use containers::pacemaker::lock::{Clock, Lock};
use pki::Timestamp;

use crate::apply::{Applied, apply, validate};
use crate::decide::{Plan, decide};
use crate::failure::{Failure, TaskFailure};
use crate::observe::{Host, Observed, observe};
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
        let clock = Clock::new(invocation.now);
        let request = Request::try_from_params(invocation.params)?;
        let host = Host::find(&request)?;
        let mut work = Work::plan(&request, &host, clock)?;
        let applied = if invocation.control.check_mode {
            None
        } else {
            Some(work.carry_out()?)
        };
        outcome::answer(Report {
            request: &request,
            host: &host,
            observed: &work.observed,
            plan: work.plan,
            applied,
        })
    }
}

/// What was seen and is to be done.
struct Work<'a> {
    request: &'a Request,
    host: &'a Host,
    observed: Observed,
    plan: Plan,
    clock: Clock,
}

impl<'a> Work<'a> {
    fn plan(request: &'a Request, host: &'a Host, clock: Clock) -> Result<Self, TaskFailure> {
        let observed = observe(request, host)?;
        let mut plan = decide(request, &observed);
        if plan.acts().next().is_some() {
            let refusals =
                preflight::check(request, &observed, &plan, Timestamp::from(clock.now()));
            plan.refusals.extend(refusals);
        }
        Ok(Self {
            request,
            host,
            observed,
            plan,
            clock,
        })
    }

    fn validate(&mut self) {
        if self.plan.refusals.is_empty() {
            let refusals = validate(self.request, self.host, &self.observed, &self.plan);
            self.plan.refusals.extend(refusals);
        }
    }

    /// Acts, unless something forbids it; holds the lock of the cluster meanwhile, and no longer.
    fn carry_out(&mut self) -> Result<Applied, TaskFailure> {
        self.validate();
        let mut lock = self.lock()?;
        if !self.plan.refusals.is_empty() {
            return Ok(Applied::default());
        }
        let mut applied = apply(
            self.request,
            self.host,
            &self.observed,
            &self.plan,
            lock.as_mut(),
        );
        if let Some(Err(error)) = lock.map(Lock::release) {
            applied.warnings.push(format!(
                "the lock could not be given back and ends by itself: {}",
                ansible_module::flatten(&error)
            ));
        }
        Ok(applied)
    }

    /// The lock, where one is wanted and there is something to do. Who had to wait for it looks again: whoever held it
    /// may have done the work.
    fn lock(&mut self) -> Result<Option<Lock>, TaskFailure> {
        let Some(terms) = self.request.lock.as_ref().filter(|_| self.is_ready()) else {
            return Ok(None);
        };
        let lock = match Lock::take(terms, self.clock) {
            Ok(lock) => lock,
            Err(error) => {
                let refusal = (self.request.name.clone(), Failure::from(error));
                self.plan.refusals.push(refusal);
                return Ok(None);
            }
        };
        if lock.has_waited {
            *self = Self::plan(self.request, self.host, self.clock)?;
            self.validate();
        }
        Ok(Some(lock))
    }

    fn is_ready(&self) -> bool {
        self.plan.refusals.is_empty() && self.plan.acts().next().is_some()
    }
}
