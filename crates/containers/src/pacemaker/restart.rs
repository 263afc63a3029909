// SPDX-License-Identifier: Apache-2.0
//! A restart through pacemaker, of the one replica that runs on this host.
//!
//! `crm_resource --restart --node` bans the bundle from the node until its container has stopped, and waits until it
//! runs again. Measured with pacemaker 2.1.5: a killed one leaves the ban behind, so the ban gets an end of its own; an
//! unmanaged bundle is left alone with status 0, so the caller must see a new life; a start that fails is waited for
//! until the time is up, so failures are looked for meanwhile.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::status::Failure;
use super::{Membership, Replica, failed, membership, path_of, tool};
use crate::program::{self, Ended};
use crate::{Error, Result};

/// One at a time: pacemaker takes several as one transition, and each would wait for the other's resources too.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
/// Between two looks for a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(30);

/// Where the replica is after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restarted {
    /// On this host.
    Here,
    /// The cluster prefers these nodes now.
    Moved(Vec<String>),
}

impl Replica {
    /// Restarts it and waits until it runs, at most `limit`.
    pub fn restart(&self, limit: Duration) -> Result<Restarted> {
        let _turn = ONE_AT_A_TIME.lock();
        let outcome = self.run(limit);
        if outcome.is_err() {
            self.lift_ban();
        }
        outcome?;
        let now = self.now()?;
        match now {
            Some(now) if !now.is_here() && !now.active_on.is_empty() => {
                Ok(Restarted::Moved(now.active_on))
            }
            _ => Ok(Restarted::Here),
        }
    }

    fn run(&self, limit: Duration) -> Result<()> {
        let path = path_of("crm_resource")?;
        let timeout = format!("--timeout={}s", limit.as_secs());
        // Longer than its own limit, so that it lifts the ban itself where it can.
        let lifetime = format!("PT{}S", limit.as_secs() + 30);
        let argv = [
            path.as_str(),
            "--restart",
            "--resource",
            &self.bundle,
            "--node",
            &self.node,
            "--lifetime",
            &lifetime,
            &timeout,
        ];
        let mut failure = None;
        let mut last = Instant::now();
        let mut is_vain = || {
            if last.elapsed() < PAUSE {
                return false;
            }
            failure = self.new_failure();
            last = Instant::now();
            failure.is_some()
        };
        let ended = program::run_unless(&argv, limit + Duration::from_secs(15), &mut is_vain)?;
        match ended {
            Ended::Vain => Err(self.refused(failure)),
            Ended::Itself(said) if said.status == 0 => Ok(()),
            Ended::Itself(said) => match self.new_failure() {
                Some(failure) => Err(self.refused(Some(failure))),
                None => Err(failed(&argv.join(" "), &said)),
            },
        }
    }

    /// A failed stop or start that was not there before. What cannot be found out is none: the restart goes on.
    fn new_failure(&self) -> Option<Failure> {
        let mut now = self.now().ok().flatten()?.failures.into_iter();
        now.find(|each| {
            matches!(each.task.as_str(), "start" | "stop")
                && !self.failures.iter().any(|old| old.call == each.call)
        })
    }

    fn now(&self) -> Result<Option<Self>> {
        Ok(match membership(QUESTION)? {
            Membership::Member(status) => status.replica(&self.resource, &self.engine).cloned(),
            Membership::None | Membership::Stopped => None,
        })
    }

    fn refused(&self, failure: Option<Failure>) -> Error {
        let (task, why) = failure.map_or_else(Default::default, |each| (each.task, each.why));
        Error::Replica {
            resource: self.resource.clone(),
            bundle: self.bundle.clone(),
            task,
            why,
        }
    }

    /// The ban that a restart leaves behind which was ended; it would end by itself too, later.
    fn lift_ban(&self) {
        let ban = format!(
            "//rsc_location[@id='cli-ban-{}-on-{}']",
            self.bundle, self.node
        );
        // Whether there was one does not matter, and there is nobody to tell of anything else.
        let _ = tool(
            "cibadmin",
            &["--sync-call", "--delete", "--xpath", &ban],
            QUESTION,
        );
    }
}
