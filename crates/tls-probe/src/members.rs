// SPDX-License-Identifier: Apache-2.0
//! Which processes belong to a container, from its first process.
//!
//! Namespaces and cgroups each tell it in most cases and each fail in some:
//!
//! - with `--pid host` the PID namespace is everybody's, and with `--pid container:NAME` two containers share one;
//! - on cgroup v1 a rootless container is in the cgroup of whoever started it, and with `--cgroups=disabled` any is;
//! - systemd in a container moves itself into a cgroup below the container's, beside those of its services.
//!
//! So the PID namespace counts unless it is ours, and the cgroup counts unless it is also that of the first process's
//! parent, which is the engine's and not in the container.

use std::fs;

use rustix::process::Pid;

use crate::processes::{self, Processes, gone};
use crate::{Error, Result};

/// The processes of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// How they were told from others.
    pub by: Membership,
    /// The first process is among them.
    pub pids: Vec<Pid>,
}

/// What tells the processes of a container from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Membership {
    /// The cgroup; the PID namespace is the host's.
    Cgroup,
    /// Descent from the first process, because neither namespace nor cgroup tells. A daemon that detached itself is
    /// missed.
    Descent,
    /// The PID namespace alone; the cgroup tells nothing.
    PidNamespace,
    /// PID namespace and cgroup.
    PidNamespaceAndCgroup,
}

impl Processes {
    /// The processes of the container whose first process is `init` (as the engine tells it, a PID of the host).
    ///
    /// # Errors
    /// [`Error::ProcessGone`], if it is gone; [`Error::Proc`], if it is another user's and we are not root.
    pub fn members(&self, init: Pid) -> Result<Members> {
        let namespace = processes::pid_namespace(init)?;
        let is_hosts = namespace == processes::pid_namespace(rustix::process::getpid())?;
        let cgroups = Cgroups::telling(init)?;
        let by = match (is_hosts, &cgroups) {
            (true, None) => Membership::Descent,
            (true, Some(_)) => Membership::Cgroup,
            (false, None) => Membership::PidNamespace,
            (false, Some(_)) => Membership::PidNamespaceAndCgroup,
        };
        let pids = match by {
            Membership::Descent => self.descendants(init),
            _ => {
                let same_namespace = self.all.iter().filter(|(_, other)| *other == namespace);
                let is_inside = |pid: &Pid| {
                    *pid == init || cgroups.as_ref().is_none_or(|cgroups| cgroups.hold(*pid))
                };
                same_namespace
                    .map(|(pid, _)| *pid)
                    .filter(is_inside)
                    .collect()
            }
        };
        Ok(Members { by, pids })
    }

    fn descendants(&self, init: Pid) -> Vec<Pid> {
        let parents: Vec<(Pid, Pid)> = self
            .pids()
            .filter_map(|pid| Some((pid, parent(pid).ok()??)))
            .collect();
        let mut found = vec![init];
        let mut next = 0;
        while let Some(&above) = found.get(next) {
            let children = parents.iter().filter(|(_, parent)| *parent == above);
            found.extend(children.map(|(pid, _)| *pid));
            next += 1;
        }
        found
    }
}

/// The cgroups that are a container's own: hierarchy and path, where the parent of its first process has another.
#[derive(Debug)]
struct Cgroups(Vec<(String, String)>);

impl Cgroups {
    /// `None` if none tells.
    fn telling(init: Pid) -> Result<Option<Self>> {
        let own = cgroups(init)?;
        // Without a parent that we may look at there is nothing to compare with but the root.
        let outside = match parent(init)? {
            Some(parent) => cgroups(parent).unwrap_or_default(),
            None => Vec::new(),
        };
        let is_own = |(hierarchy, path): &(String, String)| {
            path != "/"
                && !outside
                    .iter()
                    .any(|(other, above)| other == hierarchy && above == path)
        };
        let telling: Vec<_> = own
            .into_iter()
            .filter(is_own)
            .map(|(hierarchy, path)| (hierarchy, without_init_scope(path)))
            .filter(|(_, path)| path != "/")
            .collect();
        Ok((!telling.is_empty()).then_some(Self(telling)))
    }

    /// Whether a process is in all of them, or below.
    fn hold(&self, pid: Pid) -> bool {
        let Ok(theirs) = cgroups(pid) else {
            return false;
        };
        self.0.iter().all(|(hierarchy, path)| {
            let mut same = theirs.iter().filter(|(other, _)| other == hierarchy);
            same.all(|(_, other)| is_at_or_below(other, path))
        })
    }
}

/// systemd as first process puts itself into `init.scope`, and its services beside that.
fn without_init_scope(path: String) -> String {
    match path.strip_suffix("/init.scope") {
        Some("") => "/".to_owned(),
        Some(above) => above.to_owned(),
        None => path,
    }
}

fn is_at_or_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Lines `ID:CONTROLLERS:PATH`.
fn cgroups(pid: Pid) -> Result<Vec<(String, String)>> {
    let text = read(pid, "cgroup")?;
    let lines = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (hierarchy, path) = rest.split_once(':')?;
        Some((hierarchy.to_owned(), path.to_owned()))
    });
    Ok(lines.collect())
}

/// The parent; `None` for the first process of the machine and for one whose parent is outside our view.
fn parent(pid: Pid) -> Result<Option<Pid>> {
    Ok(parent_in(&read(pid, "stat")?))
}

/// `PID (NAME) STATE PPID …`, where the name may hold anything, also parentheses and line breaks.
fn parent_in(stat: &str) -> Option<Pid> {
    let (_, rest) = stat.rsplit_once(')')?;
    Pid::from_raw(rest.split_ascii_whitespace().nth(1)?.parse().ok()?)
}

fn read(pid: Pid, file: &str) -> Result<String> {
    let path = format!("/proc/{}/{file}", pid.as_raw_nonzero());
    match fs::read(&path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if processes::is_gone(&error) => Err(gone(pid)),
        Err(error) => Err(Error::proc(path, error)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_hides_no_parent() {
        assert_eq!(parent_in("7 (a) S 3 (b) R 1 7 7"), Pid::from_raw(1));
        assert_eq!(parent_in("7 (a b) S 3 7 7"), Pid::from_raw(3));
        assert_eq!(parent_in("1 (init) S 0 1 1"), None);
        assert_eq!(parent_in(""), None);
    }

    #[test]
    fn below_a_cgroup_is_not_beside_it() {
        assert!(is_at_or_below("/docker/ab", "/docker/ab"));
        assert!(is_at_or_below(
            "/docker/ab/system.slice/x.service",
            "/docker/ab"
        ));
        assert!(!is_at_or_below("/docker/abc", "/docker/ab"));
        assert!(!is_at_or_below("/docker", "/docker/ab"));
    }

    #[test]
    fn the_scope_of_systemd_is_not_the_containers() {
        assert_eq!(
            without_init_scope("/docker/ab/init.scope".to_owned()),
            "/docker/ab"
        );
        assert_eq!(without_init_scope("/init.scope".to_owned()), "/");
        assert_eq!(without_init_scope("/docker/ab".to_owned()), "/docker/ab");
    }

    #[test]
    fn a_child_of_ours_is_told_by_descent_where_nothing_else_tells() {
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "sleep 60 & wait"])
            .spawn()
            .unwrap();
        let init = Pid::from_child(&child);
        let look = || Processes::snapshot().unwrap().members(init).unwrap();
        let both = (0..100).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            Some(look()).filter(|members| members.pids.len() == 2)
        });
        let members = both.unwrap_or_else(look);
        let pids = members.pids.clone();
        for pid in pids.iter().skip(1) {
            rustix::process::kill_process(*pid, rustix::process::Signal::KILL).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(members.by, Membership::Descent);
        assert_eq!(pids.len(), 2);
        assert_eq!(pids[0], init);
    }
}
