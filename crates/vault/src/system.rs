// SPDX-License-Identifier: Apache-2.0
//! The state of a server and of its mounts.

use serde::Deserialize;
use serde_json::{Map, Value, json};

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

    /// Mounts a secret engine. Doing so twice is refused, so it may be repeated.
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
        let found = self.read("sys/health?standbyok=true&sealedcode=200&uninitcode=200")?;
        let answer = found.unwrap_or_else(|| unreachable_answer("sys/health"));
        let mut health: Health = answer.parsed()?;
        health.url = answer.url;
        Ok(health)
    }

    /// Whether the node that is asked is sealed, and what it needs.
    ///
    /// # Errors
    /// Whatever is no state.
    pub fn seal_status(&self) -> Result<SealStatus> {
        let found = self.read("sys/seal-status")?;
        found
            .unwrap_or_else(|| unreachable_answer("sys/seal-status"))
            .parsed()
    }

    /// Who leads.
    ///
    /// # Errors
    /// Whatever is no state; a sealed node does not know.
    pub fn leader(&self) -> Result<Leader> {
        let found = self.read("sys/leader")?;
        found
            .unwrap_or_else(|| unreachable_answer("sys/leader"))
            .parsed()
    }
}

/// Nothing, which no reader takes.
fn unreachable_answer(path: &str) -> Answer {
    Answer {
        url: path.to_owned(),
        data: Map::new(),
        warnings: Vec::new(),
        auth: None,
    }
}
