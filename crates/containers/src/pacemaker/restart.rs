// SPDX-License-Identifier: Apache-2.0
//! A restart through pacemaker, of the one replica that runs on this host.
//!
//! The bundle is banned from this node until its container has stopped; then it may come back, and is waited for. That is
//! what `crm_resource --restart --node` does, but it waits for every resource of the cluster: two of them at once wait
//! for each other until their time is up, and one container stays down so long (measured with pacemaker 2.1.5). It also
//! waits that long for a start that has failed, and takes away constraints that are not its own. Here each waits for its
//! own replica, looks for failures, and lifts only its own ban, which ends by itself too if we are killed.

use std::time::{Duration, Instant};

use super::status::Failure;
use super::{Membership, Replica, failed, membership, tool};
use crate::{Error, Result};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);
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

/// A ban that is lifted on every way out.
struct Ban<'a> {
    of: &'a Replica,
    is_there: bool,
}

impl Ban<'_> {
    fn lift(mut self) -> Result<()> {
        self.is_there = false;
        self.of.lift_ban()
    }
}

impl Drop for Ban<'_> {
    fn drop(&mut self) {
        if self.is_there {
            // It ends by itself, and there is nobody to tell.
            let _ = self.of.lift_ban();
        }
    }
}

impl Replica {
    /// Restarts it and waits until it runs with everything in it, each at most `limit`.
    pub fn restart(&self, limit: Duration) -> Result<Restarted> {
        // Before it is there: a command that fails may have made it.
        let ban = Ban {
            of: self,
            is_there: true,
        };
        self.ban(limit)?;
        self.wait("stop", limit, |now| !now.is_here())?;
        ban.lift()?;
        let now = self.wait("start", limit, |now| now.is_back(self))?;
        Ok(if now.is_here() {
            Restarted::Here
        } else {
            Restarted::Moved(now.active_on)
        })
    }

    /// Whether it is up again, with as much in it as `before`, here or on another node.
    fn is_back(&self, before: &Self) -> bool {
        self.is_up && self.up_inside >= before.up_inside
    }

    fn wait(&self, task: &str, limit: Duration, is_done: impl Fn(&Self) -> bool) -> Result<Self> {
        let deadline = crate::deadline::deadline(limit);
        loop {
            let now = self.now()?;
            if is_done(&now) {
                return Ok(now);
            }
            if let Some(failure) = self.new_failure(&now) {
                return Err(self.error(&failure.task, &failure.why));
            }
            if Instant::now() >= deadline {
                let why = format!("it was not done within {} s", limit.as_secs());
                return Err(self.error(task, &why));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn now(&self) -> Result<Self> {
        let found = match membership(QUESTION)? {
            Membership::Member(status) => status.replica(&self.resource, &self.engine).cloned(),
            Membership::None | Membership::Stopped => None,
        };
        found.ok_or_else(|| self.error("find", "the cluster does not know it any more"))
    }

    /// A failed stop or start that was not there before.
    fn new_failure<'a>(&self, now: &'a Self) -> Option<&'a Failure> {
        let is_new = |each: &&Failure| !self.failures.iter().any(|old| old.call == each.call);
        let mut all = now.failures.iter().filter(is_new);
        all.find(|each| matches!(each.task.as_str(), "start" | "stop"))
    }

    fn error(&self, task: &str, why: &str) -> Error {
        Error::Replica {
            resource: self.resource.clone(),
            bundle: self.bundle.clone(),
            task: task.to_owned(),
            why: why.to_owned(),
        }
    }

    fn ban(&self, limit: Duration) -> Result<()> {
        let lifetime = format!("--lifetime=PT{}S", limit.as_secs() + 30);
        let (bundle, node) = (&self.bundle, &self.node);
        let arguments = ["--ban", "--resource", bundle, "--node", node, &lifetime];
        let said = tool("crm_resource", &arguments, QUESTION)?;
        if said.status == 0 {
            return Ok(());
        }
        Err(failed(
            &format!("crm_resource {}", arguments.join(" ")),
            &said,
        ))
    }

    /// By its own name, so that no constraint of anybody else's goes with it.
    fn lift_ban(&self) -> Result<()> {
        let (bundle, node) = (&self.bundle, &self.node);
        let ban = format!("//rsc_location[@id='cli-ban-{bundle}-on-{node}']");
        let arguments = ["--sync-call", "--delete", "--xpath", &ban];
        let said = tool("cibadmin", &arguments, QUESTION)?;
        // None is there: it has ended by itself, or somebody else has lifted it.
        if matches!(said.status, 0 | super::ABSENT) {
            return Ok(());
        }
        Err(failed(&format!("cibadmin {}", arguments.join(" ")), &said))
    }
}
