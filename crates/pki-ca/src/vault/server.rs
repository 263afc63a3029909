// SPDX-License-Identifier: Apache-2.0
//! The server: whether it serves, how old it is, and what time it believes it is.

use ::vault::{Health, Vault};
use pki::Timestamp;
use serde_json::{Map, Value, json};

use super::failure::VaultFailure;
use crate::failure::Failure;

/// Certificates of the server begin 30 s ago; hosts whose clock is more than this behind refuse them.
const SKEW_LIMIT: u64 = 60;

/// The state of the server.
#[derive(Debug, Default, Clone)]
pub struct Server {
    /// The node that was asked.
    pub url: String,
    /// Its version.
    pub version: String,
    /// Whether it was initialized.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Whether another node leads.
    pub standby: bool,
    /// Whether there can be more than one node.
    pub cluster: bool,
    /// Who leads, where there can be more than one; empty during an election.
    pub leader: Option<String>,
    /// How much its clock is before ours, in seconds.
    pub clock_skew: i64,
}

impl Server {
    /// Asks for its state.
    pub fn observe(vault: &Vault, now: Timestamp) -> Result<Self, Failure> {
        let health = vault
            .health()
            .map_err(VaultFailure::server("ask for the state of the server"))?;
        let health = serving(vault, health);
        let mut server = Self {
            url: node(&health.url),
            version: health.version,
            initialized: health.initialized,
            sealed: health.sealed,
            standby: health.standby,
            cluster: false,
            leader: None,
            clock_skew: health.server_time_utc.saturating_sub(now.0),
        };
        // Who leads is for the reader only: a server that does not tell is none of a cluster.
        if server.serves()
            && let Ok(leader) = vault.leader()
        {
            server.cluster = leader.ha_enabled;
            server.leader = leader.ha_enabled.then_some(leader.leader_address);
        }
        Ok(server)
    }

    /// Whether it can do anything.
    pub fn serves(&self) -> bool {
        self.initialized && !self.sealed
    }

    /// Vault before 1.11, which has one authority in a mount. OpenBao began at 2.0.
    pub fn is_old(&self) -> bool {
        let mut parts = self.version.split(['.', '-', '+']);
        let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
        match (number(), number()) {
            (Some(major), Some(minor)) => (major, minor) < (1, 11),
            _ => false,
        }
    }

    /// What the operator should look at.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.clock_skew.unsigned_abs() > SKEW_LIMIT {
            let direction = if self.clock_skew > 0 {
                "ahead of"
            } else {
                "behind"
            };
            warnings.push(format!(
                "the clock of {} is {} s {direction} the clock of this host; certificates may seem not yet valid or expired",
                self.url,
                self.clock_skew.unsigned_abs()
            ));
        }
        warnings
    }

    /// As the answer tells it.
    pub fn facts(&self) -> Value {
        let mut facts = Map::new();
        let known = json!({
            "url": self.url,
            "version": self.version,
            "initialized": self.initialized,
            "sealed": self.sealed,
            "standby": self.standby,
            "cluster": self.cluster,
            "clock_skew": self.clock_skew,
        });
        facts.extend(known.as_object().cloned().unwrap_or_default());
        if let Some(leader) = &self.leader {
            facts.insert("leader".to_owned(), leader.as_str().into());
        }
        Value::Object(facts)
    }
}

/// The state of the first node that serves, where the one that answered first does not: a sealed node of several is no
/// sealed server, and everything else goes on at the others.
fn serving(vault: &Vault, first: Health) -> Health {
    let serves = |health: &Health| health.initialized && !health.sealed;
    if serves(&first) {
        return first;
    }
    let all = vault.healths().into_iter();
    let mut answered = all.filter_map(|(_, health)| health.ok());
    answered.find(serves).unwrap_or(first)
}

/// The node of a URL of the API.
fn node(url: &str) -> String {
    let node = url.split_once("/v1/").map_or(url, |(node, _)| node);
    node.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vault_before_multiple_issuers_is_old() {
        for (version, old) in [
            ("1.8.0", true),
            ("1.10.11+ent", true),
            ("1.11.0", false),
            ("1.21.3", false),
            ("2.7.2", false),
            ("2.0.0-beta1", false),
            ("", false),
        ] {
            let server = Server {
                version: version.to_owned(),
                ..Server::default()
            };
            assert_eq!(server.is_old(), old, "{version}");
        }
    }

    #[test]
    fn a_clock_is_worth_a_word_beyond_a_minute() {
        for (skew, warned) in [
            (0, false),
            (60, false),
            (-60, false),
            (61, true),
            (-90, true),
        ] {
            let server = Server {
                clock_skew: skew,
                ..Server::default()
            };
            assert_eq!(!server.warnings().is_empty(), warned, "{skew}");
        }
    }
}
