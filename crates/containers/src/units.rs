// SPDX-License-Identifier: Apache-2.0
//! The unit of systemd's that owns a container: `podman restart` behind its back ends in two restarts and a failed unit, or in
//! a unit that has ended well and a service that is down.

use std::time::Duration;

use crate::program::{self, Account};
use crate::{Container, Error, Result, processes};

/// What systemd knows of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `tripleo_haproxy.service`.
    pub name: String,
    /// Whether it runs.
    pub is_active: bool,
    /// Whether it knows how to reload.
    pub can_reload: bool,
    /// Whose systemd; that of the system where nothing is said.
    account: Option<Account>,
}

/// What pacemaker starts is in its control group and is not owned by its unit: a restart of that would be one of the
/// whole node.
const PACEMAKER: &str = "pacemaker.service";

/// Names under which deployments wrap Docker's containers, which systemd does not see: Kolla-Ansible, TripleO, EDPM.
fn usual_names(container: &str) -> [String; 3] {
    [
        format!("kolla-{container}-container.service"),
        format!("tripleo_{container}.service"),
        format!("edpm_{container}.service"),
    ]
}

/// Whether systemd runs this host.
pub fn is_running() -> bool {
    std::path::Path::new("/run/systemd/system").is_dir()
}

/// The active unit that owns the container; `None` if there is none.
///
/// Podman says it by a label, or by the control group of its watcher; for Docker's the usual names are tried.
pub fn owner(
    container: &Container,
    account: Option<&Account>,
    limit: Duration,
) -> Result<Option<Unit>> {
    if !is_running() {
        return Ok(None);
    }
    for name in names(container, container.watcher.and_then(processes::unit_of)) {
        if let Some(unit) = unit(&name, account, limit)?
            && unit.is_active
        {
            return Ok(Some(unit));
        }
    }
    Ok(None)
}

/// What the unit could be called: as Podman says, else as its watcher's control group does, else as usual.
fn names(container: &Container, watched: Option<String>) -> Vec<String> {
    let label = container.labels.get("PODMAN_SYSTEMD_UNIT").cloned();
    let mut names: Vec<String> = label.into_iter().collect();
    names.extend(watched.filter(|name| name != PACEMAKER));
    if names.is_empty() {
        names.extend(usual_names(&container.name));
    }
    names
}

fn unit(name: &str, account: Option<&Account>, limit: Duration) -> Result<Option<Unit>> {
    let arguments = [
        "show",
        "--property=LoadState,ActiveState,CanReload",
        "--",
        name,
    ];
    let said = systemctl(&arguments, account, limit)?;
    Ok(
        read(name, &String::from_utf8_lossy(&said)).map(|unit| Unit {
            account: account.cloned(),
            ..unit
        }),
    )
}

fn read(name: &str, said: &str) -> Option<Unit> {
    let value = |key: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default()
    };
    (value("LoadState") == "loaded").then(|| Unit {
        name: name.to_owned(),
        is_active: matches!(value("ActiveState"), "active" | "reloading"),
        can_reload: value("CanReload") == "yes",
        account: None,
    })
}

impl Unit {
    /// Restarts it and waits until it runs.
    pub fn restart(&self, limit: Duration) -> Result<()> {
        systemctl(&["restart", "--", &self.name], self.account.as_ref(), limit).map(drop)
    }

    /// Has it reload.
    pub fn reload(&self, limit: Duration) -> Result<()> {
        systemctl(&["reload", "--", &self.name], self.account.as_ref(), limit).map(drop)
    }
}

fn systemctl(arguments: &[&str], account: Option<&Account>, limit: Duration) -> Result<Vec<u8>> {
    let Some(path) = program::find("systemctl") else {
        return Err(Error::ProgramStart {
            command: String::from("systemctl"),
            source: std::io::ErrorKind::NotFound.into(),
        });
    };
    let path = path.display().to_string();
    let mut argv = vec![path.as_str()];
    argv.extend(account.map(|_| "--user"));
    argv.extend(arguments);
    program::expect(&argv, account, limit)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_systemctl_shows_is_read() {
        let said = "LoadState=loaded\nActiveState=active\nCanReload=yes\n";
        let read_back = read("a.service", said).map(|unit| (unit.is_active, unit.can_reload));
        assert_eq!(read_back, Some((true, true)));
        assert_eq!(
            read(
                "a.service",
                "LoadState=not-found\nActiveState=inactive\nCanReload=no\n"
            ),
            None
        );
    }

    #[test]
    fn pacemakers_own_unit_is_nobodys_owner() {
        let value =
            serde_json::json!({"Id": "1", "Name": "b-podman-0", "State": {"Status": "running"}});
        let container = Container::from_inspect(&value).unwrap();
        let with = |unit: &str| names(&container, Some(unit.to_owned()));
        assert_eq!(with("own.service"), ["own.service"]);
        assert_eq!(with("pacemaker.service"), usual_names("b-podman-0"));
    }

    #[test]
    fn the_usual_names_are_those_of_the_deployments() {
        assert_eq!(
            usual_names("haproxy"),
            [
                "kolla-haproxy-container.service",
                "tripleo_haproxy.service",
                "edpm_haproxy.service"
            ]
        );
    }
}
