// SPDX-License-Identifier: Apache-2.0
//! The cluster that owns a container: a restart behind pacemaker's back is a failure to it, and it starts the container
//! once more.
//!
//! A *bundle* is a resource that pacemaker runs as containers, one per replica; TripleO has HAProxy, Galera, RabbitMQ and
//! OVN so. Pacemaker names the container of a replica as the replica's resource, `haproxy-bundle-podman-0`, but a name is
//! no proof: the cluster is asked. Only pacemaker's own programs are used, which every node has: `crm_mon`, `crm_node`,
//! `crm_resource` and, for the [lock](lock), `cibadmin`.

pub mod lock;
mod restart;
mod status;

use std::time::Duration;

use crate::engine::Kind;
use crate::program;
use crate::{Error, Result};

pub use restart::Restarted;
pub use status::{Replica, Status};

/// What a program of pacemaker's ends with where no cluster runs on this host (CRM_EX_DISCONNECT).
const DISCONNECTED: i32 = 102;
/// What `cibadmin` ends with where nothing of the configuration is as asked for (CRM_EX_NOSUCH).
const ABSENT: i32 = 105;

/// Whether this host belongs to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Pacemaker is not installed.
    None,
    /// Pacemaker is installed and does not run now.
    Stopped,
    /// It does; what it says of its bundles.
    Member(Status),
}

/// Whether a container could be a replica of a bundle that this engine runs: pacemaker names all of them
/// `BUNDLE-ENGINE-NUMBER`. Only for these is it worth asking the cluster.
pub fn could_be_replica(name: &str, kind: Kind) -> bool {
    let Some((rest, number)) = name.rsplit_once('-') else {
        return false;
    };
    let bundle = rest
        .strip_suffix(kind.word())
        .and_then(|rest| rest.strip_suffix('-'));
    bundle.is_some_and(|bundle| !bundle.is_empty())
        && !number.is_empty()
        && number.bytes().all(|letter| letter.is_ascii_digit())
}

/// Asks the cluster that this host belongs to.
pub fn membership(limit: Duration) -> Result<Membership> {
    if program::find("crm_mon").is_none() {
        return Ok(Membership::None);
    }
    let said = tool("crm_mon", &["--one-shot", "--output-as=xml"], limit)?;
    if said.status == DISCONNECTED {
        return Ok(Membership::Stopped);
    }
    let text = expected("crm_mon --one-shot --output-as=xml", said)?;
    let Some(node) = node(limit)? else {
        return Ok(Membership::Stopped);
    };
    let status = Status::read(&text, &node).map_err(|why| Error::Cluster {
        request: String::from("crm_mon --one-shot --output-as=xml"),
        why,
    })?;
    Ok(Membership::Member(status))
}

/// What the cluster calls this host; `None` where none runs.
fn node(limit: Duration) -> Result<Option<String>> {
    if program::find("crm_node").is_none() {
        return Ok(None);
    }
    let said = tool("crm_node", &["--name"], limit)?;
    if said.status == DISCONNECTED {
        return Ok(None);
    }
    let name = expected("crm_node --name", said)?.trim().to_owned();
    if is_plain(&name) {
        return Ok(Some(name));
    }
    Err(Error::Cluster {
        request: String::from("crm_node --name"),
        why: format!("'{}' is no name of a node", name.escape_debug()),
    })
}

/// Whether a text can stand in XML and XPath as it is. Names of nodes, bundles and locks do.
pub fn is_plain(text: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(allowed)
}

fn tool(name: &'static str, arguments: &[&str], limit: Duration) -> Result<program::Output> {
    let path = path_of(name)?;
    let mut argv = vec![path.as_str()];
    argv.extend(arguments);
    program::run(&argv, None, b"", limit)
}

fn path_of(name: &'static str) -> Result<String> {
    match program::find(name) {
        Some(path) => Ok(path.display().to_string()),
        None => Err(Error::ProgramStart {
            command: name.to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        }),
    }
}

fn expected(command: &str, said: program::Output) -> Result<String> {
    if said.status == 0 {
        return Ok(String::from_utf8_lossy(&said.stdout).into_owned());
    }
    Err(failed(command, &said))
}

fn failed(command: &str, said: &program::Output) -> Error {
    Error::Program {
        command: command.to_owned(),
        status: said.status.to_string(),
        said: program::last_lines(&said.stderr, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_replicas_name_is_known() {
        for name in ["haproxy-bundle-podman-0", "b-podman-12"] {
            assert!(could_be_replica(name, Kind::Podman), "{name}");
        }
        for name in [
            "haproxy",
            "haproxy-bundle-podman-",
            "haproxy-bundle-podman-x",
            "podman-0",
            "-podman-0",
            "haproxy-bundle-docker-0",
            "haproxy-bundle-podman-0-sidecar",
        ] {
            assert!(!could_be_replica(name, Kind::Podman), "{name}");
        }
        assert!(could_be_replica("haproxy-bundle-docker-0", Kind::Docker));
    }

    #[test]
    fn what_could_end_a_quotation_is_not_plain() {
        assert!(is_plain("controller-0.example.com") && is_plain("lock_1"));
        for text in ["", "a'b", "a\"b", "a b", "a/b", "<a>", "-a"] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
