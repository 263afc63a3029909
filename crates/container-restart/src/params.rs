// SPDX-License-Identifier: Apache-2.0
//! What Ansible sent: the table of options and the struct that it fills. No thinking here.

use ansible_module::{Element, Kind, OptionSpec};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The one table of options of `container_restart`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("name", Kind::Str),
    OptionSpec::new("certificate", Kind::Path).required(),
    OptionSpec::new("private_key", Kind::Path),
    OptionSpec::new("replaces", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("containers", Kind::List(Element::Raw)).default("[]"),
    OptionSpec::new("labels", Kind::Dict),
    OptionSpec::new("engine", Kind::Str)
        .choices(&["auto", "docker", "podman"])
        .default(r#""auto""#),
    OptionSpec::new("socket", Kind::Path),
    OptionSpec::new("user", Kind::Str),
    OptionSpec::new("engine_timeout", Kind::Int).default("30"),
    OptionSpec::new("action", Kind::Str)
        .choices(&["auto", "none", "signal", "exec", "reload", "restart"])
        .default(r#""auto""#),
    OptionSpec::new("signal", Kind::Str).default(r#""HUP""#),
    OptionSpec::new("command", Kind::List(Element::Str)),
    OptionSpec::new("command_user", Kind::Str),
    OptionSpec::new("manager", Kind::Str)
        .choices(&["auto", "engine", "systemd", "pacemaker"])
        .default(r#""auto""#),
    OptionSpec::new("sync", Kind::Bool).default("true"),
    OptionSpec::new("escalate", Kind::Bool).default("true"),
    OptionSpec::new("only_if", Kind::Str)
        .choices(&["stale", "newer", "always"])
        .default(r#""stale""#),
    OptionSpec::new("verify", Kind::Raw).default(r#""auto""#),
    OptionSpec::new("verify_timeout", Kind::Int).default("30"),
    OptionSpec::new("verify_consecutive", Kind::Int).default("3"),
    OptionSpec::new("stop_timeout", Kind::Int),
    OptionSpec::new("wait_healthy", Kind::Bool).default("true"),
    OptionSpec::new("stable_for", Kind::Int).default("5"),
    OptionSpec::new("serial", Kind::Int).default("1"),
    OptionSpec::new("max_failures", Kind::Int).default("0"),
    OptionSpec::new("restart_dependents", Kind::Bool).default("true"),
    OptionSpec::new("lock", Kind::Str)
        .choices(&["none", "pacemaker"])
        .default(r#""none""#),
    OptionSpec::new("lock_name", Kind::Str).default(r#""tls-everywhere-restart""#),
    OptionSpec::new("lock_ttl", Kind::Int).default("600"),
    OptionSpec::new("lock_timeout", Kind::Int).default("900"),
    OptionSpec::new("missing", Kind::Str)
        .choices(&["fail", "skip", "warn"])
        .default(r#""fail""#),
    OptionSpec::new("not_running", Kind::Str)
        .choices(&["fail", "skip", "warn"])
        .default(r#""skip""#),
    OptionSpec::new("unproven", Kind::Str)
        .choices(&["fail", "skip", "warn"])
        .default(r#""warn""#),
    OptionSpec::new("validate_command", Kind::List(Element::Str)),
    OptionSpec::new("state_dir", Kind::Path).default(r#""/run/tls-everywhere""#),
];

/// All options of one task.
#[derive(Debug, Deserialize)]
pub struct Params {
    /// What the certificate is called in messages.
    pub name: Option<String>,
    /// Path of what must be served.
    pub certificate: String,
    /// Path of its key.
    pub private_key: Option<String>,
    /// Fingerprints of what it takes the place of.
    pub replaces: Vec<String>,
    /// Names, or dictionaries with a name and options of that container's own.
    pub containers: Vec<Value>,
    /// Labels that select containers.
    pub labels: Option<Map<String, Value>>,
    /// auto, docker or podman.
    pub engine: String,
    /// Path of the engine's socket.
    pub socket: Option<String>,
    /// Whose engine, if it does not run as root.
    pub user: Option<String>,
    /// Seconds that the engine may take to answer.
    pub engine_timeout: i64,
    /// What to do.
    pub action: String,
    /// For the action `signal`.
    pub signal: String,
    /// For the action `exec`.
    pub command: Option<Vec<String>>,
    /// As whom.
    pub command_user: Option<String>,
    /// Through whom a container is restarted.
    pub manager: String,
    /// Refresh Kolla's copies.
    pub sync: bool,
    /// Restart where something gentler did not help.
    pub escalate: bool,
    /// When to act at all.
    pub only_if: String,
    /// auto, none, or a list of endpoints.
    pub verify: Value,
    /// Seconds.
    pub verify_timeout: i64,
    /// Probes in a row.
    pub verify_consecutive: i64,
    /// Seconds.
    pub stop_timeout: Option<i64>,
    /// Wait for the healthcheck.
    pub wait_healthy: bool,
    /// Seconds.
    pub stable_for: i64,
    /// Containers at once.
    pub serial: i64,
    /// Failures after which nothing more is begun.
    pub max_failures: i64,
    /// Restart what shares the network of a container that was restarted.
    pub restart_dependents: bool,
    /// none or pacemaker.
    pub lock: String,
    /// What that is called.
    pub lock_name: String,
    /// Seconds.
    pub lock_ttl: i64,
    /// Seconds.
    pub lock_timeout: i64,
    /// A named container that is not there.
    pub missing: String,
    /// A container that does not run.
    pub not_running: String,
    /// Something that nothing could prove.
    pub unproven: String,
    /// Executed in the container before anything is done to it.
    pub validate_command: Option<Vec<String>>,
    /// Where unproven reloads are remembered.
    pub state_dir: String,
}
