// SPDX-License-Identifier: Apache-2.0
//! The state of a server and of its mounts.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::{Answer, Error, Repeat, Result, Vault};

/// `sys/health`: asked without token and namespace.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Health {
    /// Whether it was initialized.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Whether another node leads. It works: it forwards what it does not do itself.
    pub standby: bool,
    /// Its clock, in seconds since 1970.
    pub server_time_utc: i64,
    /// Its version.
    pub version: String,
    /// The name of the cluster.
    #[serde(default)]
    pub cluster_name: Option<String>,
    /// The address that was asked.
    #[serde(skip)]
    pub url: String,
}

/// `sys/seal-status`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct SealStatus {
    /// Whether it was initialized.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// How many keys unseal it.
    #[serde(rename = "t", default)]
    pub threshold: u64,
    /// How many there are.
    #[serde(rename = "n", default)]
    pub shares: u64,
    /// How many were given so far.
    #[serde(default)]
    pub progress: u64,
    /// Where it stores.
    #[serde(default)]
    pub storage_type: String,
}

/// `sys/leader`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Leader {
    /// Whether there can be more than one node.
    pub ha_enabled: bool,
    /// Whether the node that was asked leads.
    #[serde(default)]
    pub is_self: bool,
    /// Who leads; empty during an election.
    #[serde(default)]
    pub leader_address: String,
}

/// `sys/mounts/NAME`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct MountInfo {
    /// What it is: `pki`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What tells it from every other one.
    #[serde(default)]
    pub accessor: String,
    /// Its settings; spans of time in seconds.
    #[serde(default)]
    pub config: Map<String, Value>,
}

impl MountInfo {
    /// The lifetime of what says none, in seconds; 0 for the server's own.
    pub fn default_lease_ttl(&self) -> u64 {
        self.seconds("default_lease_ttl")
    }

    /// The longest lifetime, in seconds; 0 for the server's own.
    pub fn max_lease_ttl(&self) -> u64 {
        self.seconds("max_lease_ttl")
    }

    fn seconds(&self, member: &str) -> u64 {
        self.config.get(member).and_then(Value::as_u64).unwrap_or(0)
    }
}

impl Vault {
    /// What is mounted at this path of the secret engines; `None` if nothing is.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn mount(&self, path: &str) -> Result<Option<MountInfo>> {
        match self.read(&format!("sys/mounts/{path}")) {
            Ok(found) => found.map(|answer| answer.parsed()).transpose(),
            // Where nothing is, that is not 404.
            Err(Error::Refused {
                status: 400,
                reason,
                ..
            }) if reason.contains("No secret engine mount at") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where `found` is really mounted if that is above `path`: for a path below a mount the server answers with that mount
    /// (seen with OpenBao 2.7.2). Whoever may not read the one above is believed to know his paths.
    pub fn mount_above<'a>(&self, path: &'a str, found: &MountInfo) -> Option<&'a str> {
        let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.find(|above| {
            let mount = self.mount(above).ok().flatten();
            mount
                .is_some_and(|mount| !found.accessor.is_empty() && mount.accessor == found.accessor)
        })
    }

    /// Mounts a secret engine. Doing so twice is refused, so it may be repeated; if the answer to the first try is lost, that
    /// the path is in use is what comes of it.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn enable(
        &self,
        path: &str,
        kind: &str,
        description: &str,
        config: &Value,
    ) -> Result<Answer> {
        let body = json!({"type": kind, "description": description, "config": config});
        self.write(&format!("sys/mounts/{path}"), &body, Repeat::Safe)
    }

    /// Changes settings of a mount; those that are not named stay.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn tune(&self, path: &str, config: &Value) -> Result<Answer> {
        self.write(&format!("sys/mounts/{path}/tune"), config, Repeat::Safe)
    }

    /// Removes a secret engine with all that it holds.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn disable(&self, path: &str) -> Result<Answer> {
        self.delete(&format!("sys/mounts/{path}"))
    }

    /// What the token may do at each path: `create`, `read`, `update`, `delete`, `list`, `sudo`, `root`, `deny`.
    ///
    /// # Errors
    /// Whatever the server does not do.
    pub fn capabilities(&self, paths: &[&str]) -> Result<Map<String, Value>> {
        let body = json!({"paths": paths});
        let answer = self.write("sys/capabilities-self", &body, Repeat::Safe)?;
        Ok(answer.data)
    }

    /// The state of the node that is asked; sealed, standing by and not initialized are states, not errors.
    ///
    /// # Errors
    /// Whatever is no state.
    pub fn health(&self) -> Result<Health> {
        Health::of(&self.done(&Call::state(HEALTH))?)
    }

    /// The state of each address, in their order, without patience: what cannot be asked now is said so.
    pub fn healths(&self) -> Vec<(String, Result<Health>)> {
        let each = |index: usize| Health::of(&self.state_of(index, HEALTH)?);
        let addresses = self.settings().addresses.iter().enumerate();
        addresses
            .map(|(index, address)| (address.clone(), each(index)))
            .collect()
    }

    /// Whether the node that is asked is sealed, and what it needs.
    ///
    /// # Errors
    /// Whatever is no state.
    pub fn seal_status(&self) -> Result<SealStatus> {
        self.done(&Call::state("sys/seal-status"))?.parsed()
    }

    /// Who leads.
    ///
    /// # Errors
    /// Whatever is no state; a sealed node does not know.
    pub fn leader(&self) -> Result<Leader> {
        self.done(&Call::state("sys/leader"))?.parsed()
    }
}

/// With the states that are none of success as such; those of Vault Enterprise too.
const HEALTH: &str = "sys/health?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200&drsecondarycode=200";

impl Health {
    fn of(answer: &Answer) -> Result<Self> {
        let mut health: Self = answer.parsed()?;
        health.url.clone_from(&answer.url);
        Ok(health)
    }

    /// How far the server's clock is ahead of ours, in seconds; `now` as ours says when it was asked.
    pub fn clock_skew(&self, now: SystemTime) -> i64 {
        let ours = now.duration_since(SystemTime::UNIX_EPOCH);
        let ours = ours.map_or(0, |span| i64::try_from(span.as_secs()).unwrap_or(i64::MAX));
        self.server_time_utc.saturating_sub(ours)
    }

    /// What to say of clocks that differ by more than a minute: certificates of such a server are not valid yet here, or
    /// end too early.
    pub fn clock_warning(&self, now: SystemTime) -> Option<String> {
        let skew = self.clock_skew(now);
        let word = match skew > 0 {
            true => "ahead of",
            false => "behind",
        };
        let url = self.url.split("/v1/").next().unwrap_or_default();
        let seconds = skew.unsigned_abs();
        (seconds > 60).then(|| {
            format!("the clock of {url} is {seconds} s {word} the clock of this host; set them")
        })
    }
}
