// SPDX-License-Identifier: Apache-2.0
//! What is known of a container, in the same words for both engines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::Instant;

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// The whole identity.
    pub id: String,
    /// Without a leading slash.
    pub name: String,
    /// What it does.
    pub state: State,
    /// The process that it began with, as the host counts; `None` if it does not run.
    pub pid: Option<u32>,
    /// When its present life began.
    pub started_at: Option<Instant>,
    /// How often the engine started it again.
    pub restart_count: u64,
    /// The status of its last end.
    pub exit_code: i64,
    /// What its healthcheck says; `None` if it has none.
    pub health: Option<Health>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its environment.
    pub environment: Vec<String>,
    /// Its mounts.
    pub mounts: Vec<Mount>,
    /// The container whose network it shares.
    pub network_of: Option<String>,
    /// Its restart policy, in the engine's words.
    pub restart_policy: String,
    /// How long the engine waits for it to stop; `None` for the engine's default.
    pub stop_timeout: Option<u64>,
    /// The process that watches over it (Podman's conmon).
    pub watcher: Option<u32>,
    /// Whether its output comes unframed.
    pub has_terminal: bool,
}

impl Container {
    /// The first twelve letters of the identity, as the engines show it.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// The value of a variable of its environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .iter()
            .find_map(|each| each.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    }

    /// Whether this and `other` are the same life of the same container.
    pub fn is_same_life(&self, other: &Self) -> bool {
        self.id == other.id && self.started_at == other.started_at && self.pid == other.pid
    }

    /// Reads what `inspect` of either engine says.
    pub(crate) fn from_inspect(value: &Value) -> Result<Self, String> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64);
        let id = text("/Id").ok_or("no 'Id'")?.to_owned();
        let name = text("/Name").ok_or("no 'Name'")?;
        let status = text("/State/Status").ok_or("no 'State.Status'")?;
        let pid = number("/State/Pid")
            .and_then(|pid| u32::try_from(pid).ok())
            .filter(|pid| *pid != 0);
        let network = text("/HostConfig/NetworkMode").unwrap_or_default();
        Ok(Self {
            name: name.trim_start_matches('/').to_owned(),
            state: State::from_word(status),
            pid,
            started_at: text("/State/StartedAt").and_then(Instant::parse),
            restart_count: number("/RestartCount").unwrap_or(0),
            exit_code: value
                .pointer("/State/ExitCode")
                .and_then(Value::as_i64)
                .unwrap_or(0),
            health: text("/State/Health/Status")
                .or_else(|| text("/State/Healthcheck/Status"))
                .and_then(Health::from_word),
            labels: texts(value.pointer("/Config/Labels")),
            environment: list(value.pointer("/Config/Env")),
            mounts: mounts(value.get("Mounts")),
            network_of: network.strip_prefix("container:").map(str::to_owned),
            restart_policy: text("/HostConfig/RestartPolicy/Name")
                .unwrap_or_default()
                .to_owned(),
            stop_timeout: number("/Config/StopTimeout"),
            watcher: number("/State/ConmonPid")
                .and_then(|pid| u32::try_from(pid).ok())
                .filter(|pid| *pid != 0),
            has_terminal: value
                .pointer("/Config/Tty")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            id,
        })
    }
}

/// What a container does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// All of its processes are frozen.
    Paused,
    /// It has ended and the engine is about to start it again.
    Restarting,
    /// Created, exited, dead and the like, in the engine's word.
    Stopped(String),
}

impl State {
    fn from_word(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            other => Self::Stopped(other.to_owned()),
        }
    }

    /// The engine's word.
    pub fn word(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Stopped(word) => word,
        }
    }
}

/// What a healthcheck says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It has not said anything yet.
    Starting,
    /// Well.
    Healthy,
    /// Not well.
    Unhealthy,
}

impl Health {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "starting" => Some(Self::Starting),
            "healthy" => Some(Self::Healthy),
            "unhealthy" => Some(Self::Unhealthy),
            // Docker's "none", Podman's "".
            _ => None,
        }
    }

    /// The engine's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Of what kind.
    pub kind: MountKind,
    /// On the host.
    pub source: PathBuf,
    /// In the container.
    pub destination: PathBuf,
}

/// Kinds of mounts that hold files of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A file or directory that the user named.
    Bind,
    /// A directory of the engine's.
    Volume,
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let map = value.and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn list(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn mounts(value: Option<&Value>) -> Vec<Mount> {
    let items = value.and_then(Value::as_array);
    items.into_iter().flatten().filter_map(mount).collect()
}

/// A tmpfs or an image volume has no file of the host.
fn mount(value: &Value) -> Option<Mount> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = match text("Type") {
        "bind" => MountKind::Bind,
        "volume" => MountKind::Volume,
        _ => return None,
    };
    let (source, destination) = (PathBuf::from(text("Source")), text("Destination"));
    source.is_absolute().then(|| Mount {
        kind,
        source,
        destination: PathBuf::from(destination),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn docker() -> Value {
        json!({
            "Id": "0123456789abcdef", "Name": "/haproxy", "RestartCount": 2,
            "State": {"Status": "running", "Pid": 4711, "StartedAt": "2026-11-25T18:00:00.5Z", "ExitCode": 0,
                "Health": {"Status": "healthy"}},
            "Config": {"Labels": {"a": "b"}, "Env": ["KOLLA_CONFIG_STRATEGY=COPY_ALWAYS", "X=a=b"], "StopTimeout": 3},
            "HostConfig": {"NetworkMode": "container:abc", "RestartPolicy": {"Name": "always"}},
            "Mounts": [{"Type": "bind", "Source": "/etc/pki", "Destination": "/certs"},
                {"Type": "tmpfs", "Source": "", "Destination": "/run"}],
        })
    }

    #[test]
    fn what_docker_says_is_read() {
        let read = Container::from_inspect(&docker()).unwrap();
        assert_eq!((read.name.as_str(), read.pid), ("haproxy", Some(4711)));
        assert_eq!(
            (read.state.clone(), read.health),
            (State::Running, Some(Health::Healthy))
        );
        assert_eq!(read.variable("X"), Some("a=b"));
        assert_eq!(read.network_of.as_deref(), Some("abc"));
        assert_eq!(read.mounts.len(), 1, "a tmpfs is no file of the host");
        assert_eq!(read.short_id(), "0123456789ab");
    }

    #[test]
    fn a_stopped_container_has_no_process() {
        let mut value = docker();
        value["State"] = json!({"Status": "exited", "Pid": 0, "StartedAt": "0001-01-01T00:00:00Z", "ExitCode": 137});
        let read = Container::from_inspect(&value).unwrap();
        assert_eq!(
            (read.pid, read.started_at, read.exit_code),
            (None, None, 137)
        );
        assert_eq!(read.state.word(), "exited");
    }

    #[test]
    fn an_answer_without_identity_is_none() {
        assert_eq!(
            Container::from_inspect(&json!({"message": "x"})),
            Err(String::from("no 'Id'"))
        );
    }
}
