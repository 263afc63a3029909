// SPDX-License-Identifier: Apache-2.0
//! Ways to talk to the programs of a container: sockets at which they listen, and clients of theirs that are there.
//! Asked only where something old is served, so that a container that serves the new certificate costs nothing.

use std::path::{Path, PathBuf};

use containers::inside::Root;
use containers::processes::Process;
use containers::sockets::{self, Listening};

use super::{Serving, Verdict, Wanted};
use crate::request::OnlyIf;
use crate::talk::Trouble;
use crate::talk::haproxy::{self, Runtime};
use crate::talk::qemu::{Guest, is_guest};

/// Where programs are, in images of distributions and in those of the program's makers.
const BINARIES: [&str; 5] = [
    "/usr/bin",
    "/usr/local/bin",
    "/bin",
    "/opt/bitnami/mariadb/bin",
    "/usr/local/mysql/bin",
];

/// Ways to talk to the programs of a container.
#[derive(Debug, Default)]
pub struct Doors {
    /// HAProxy's runtime API, or why it cannot be used; `None` if nobody needs it.
    pub haproxy: Option<Result<Vec<Runtime>, String>>,
    /// Certificates of HAProxy's whose key is another's.
    pub mismatched: Vec<PathBuf>,
    /// How a server of MariaDB or MySQL is reached.
    pub database: Option<Database>,
    /// Guests that run in the container.
    pub guests: Vec<Guest>,
    /// libvirt's client.
    pub virsh: Option<String>,
}

/// How a server of MariaDB or MySQL is reached by its own client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The client.
    pub client: String,
    /// Where the server listens.
    pub socket: Option<PathBuf>,
    /// It is MariaDB, whatever its process is called: CentOS's is `mysqld`.
    pub is_mariadb: bool,
    /// The container knows a user of that name, as whom MariaDB lets in who is that user.
    pub has_own_user: bool,
}

/// What the doors are looked for by.
#[derive(Debug)]
pub struct Need<'a> {
    /// When to act at all.
    pub only_if: OnlyIf,
    /// What must be served.
    pub wanted: &'a Wanted,
    /// The processes of the container.
    pub members: &'a [Process],
    /// What they serve.
    pub serving: &'a [Serving],
    /// Kolla's copies are going to be refreshed first.
    pub is_to_be_refreshed: bool,
}

impl Doors {
    /// Looks for them.
    pub fn find(root: &Root, need: &Need<'_>) -> Self {
        let of = |is_one: fn(&str) -> bool| -> Vec<&Process> {
            let all = need.members.iter();
            all.filter(|each| is_one(&each.program)).collect()
        };
        let guests = of(is_guest);
        let own = sockets::listening(&guests);
        let mut doors = Self {
            guests: guests.iter().map(|each| Guest::of(each, &own)).collect(),
            ..Self::default()
        };
        if !need.is_needed() {
            return doors;
        }
        if !doors.guests.is_empty() {
            doors.virsh = client(root, &["virsh"]);
        }
        let databases = of(|program| matches!(program, "mariadbd" | "mysqld"));
        if !databases.is_empty() {
            doors.database = database(root, &databases);
        }
        let proxies = of(|program| program == "haproxy");
        if !proxies.is_empty() {
            doors.find_runtime(root, need, &proxies);
        }
        doors
    }

    fn find_runtime(&mut self, root: &Root, need: &Need<'_>, proxies: &[&Process]) {
        let targets = need.targets("haproxy");
        let sockets = sockets::listening(proxies);
        let found = haproxy::runtimes(root, need.members, &sockets, &targets);
        let found = found.and_then(|runtimes| {
            for runtime in runtimes.iter().filter(|_| !need.is_to_be_refreshed) {
                match runtime.payloads(root, &need.wanted.fingerprint) {
                    Ok(_) => {}
                    Err(Trouble::Mismatch(file)) => self.mismatched.push(file),
                    Err(Trouble::Other(why)) => return Err(why),
                }
            }
            Ok(runtimes)
        });
        self.haproxy = Some(found);
    }
}

impl Need<'_> {
    /// Whether anything may be going to be done.
    fn is_needed(&self) -> bool {
        let mut shown = self.serving.iter().filter_map(Serving::verdict).peekable();
        self.only_if != OnlyIf::Stale
            || shown.peek().is_none()
            || shown.any(|verdict| matches!(verdict, Verdict::Replaced | Verdict::SameNames))
    }

    /// The processes of a program that serve something old.
    fn targets(&self, program: &str) -> Vec<u32> {
        let old = self.serving.iter().filter(|each| {
            each.program == program
                && matches!(each.verdict(), Some(Verdict::Replaced | Verdict::SameNames))
        });
        old.filter_map(|each| each.pid).collect()
    }
}

fn client(root: &Root, names: &[&str]) -> Option<String> {
    let paths = names
        .iter()
        .flat_map(|name| BINARIES.map(|place| format!("{place}/{name}")));
    paths
        .into_iter()
        .find(|path| root.identity(Path::new(path)).is_some())
}

fn database(root: &Root, servers: &[&Process]) -> Option<Database> {
    let sockets = sockets::listening(servers);
    // MySQL's other protocol has a socket of its own.
    let is_plain = |each: &&Listening| !each.path.to_string_lossy().contains("mysqlx");
    let client = client(root, &["mariadb", "mysql"])?;
    let is_named = |each: &&Process| {
        let file = std::fs::read_link(format!("/proc/{}/exe", each.pid));
        file.is_ok_and(|file| file.ends_with("mariadbd"))
    };
    Some(Database {
        is_mariadb: client.ends_with("/mariadb") || servers.iter().any(is_named),
        client,
        socket: sockets.iter().find(is_plain).map(|each| each.path.clone()),
        has_own_user: root.account("/etc/passwd", "mysql").is_some(),
    })
}
