// SPDX-License-Identifier: Apache-2.0
//! What each program needs to serve a certificate that has changed under it: the table of reference/containers.md.
//!
//! A signal that a program does not know ends it or is lost, and both look like success. So only programs of this table
//! are signalled, and the process that gets it is the topmost of its name, not the container's first one, which may be
//! a shell that swallows it or an init that passes it on to the wrong one.

mod clients;

use std::path::Path;

use containers::processes::{Process, Signal};

use crate::observe::Doors;
use crate::talk::qemu::is_guest;

/// The gentlest thing that makes a program serve what is in its files now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gentle {
    /// Nothing: it reads them for each connection, or looks by itself.
    Wait,
    /// A signal to the topmost process of its name.
    Signal(Signal),
    /// Commands of its own in the container, one after the other.
    Execute(Vec<Call>),
    /// Its certificate is exchanged over its runtime API.
    Exchange,
    /// An order to the monitor of a running guest.
    Display,
    /// A line that is said to it over TLS; its answer begins with `OK`.
    Say(&'static str),
    /// Nothing gentle works, for this reason.
    Impossible(&'static str),
    /// It is not in the table.
    Unknown,
}

/// A command in the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// As whom; the container's own user where nothing is said.
    pub user: Option<String>,
    /// As whom it is tried again if that one is refused.
    pub otherwise: Option<String>,
    /// Whether the rest goes on without it: the proof tells whether it was needed.
    pub is_optional: bool,
}

/// What is known of a container when its programs are looked up.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its processes.
    pub processes: &'a [Process],
    /// Where the program reads its files.
    pub files: Files<'a>,
    /// Ways to talk to it.
    pub doors: &'a Doors,
    /// A database server of it speaks TLS with the others of its cluster.
    pub has_cluster: bool,
}

/// Where a program reads its certificate and key, in the container.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The certificate.
    pub certificate: Option<&'a Path>,
    /// Its key; the certificate's file where both are one.
    pub private_key: Option<&'a Path>,
}

/// Whether the program is one that serves TLS by itself.
pub fn serves_tls(program: &str) -> bool {
    let nothing = Known {
        processes: &[],
        files: Files {
            certificate: None,
            private_key: None,
        },
        doors: &Doors::default(),
        has_cluster: false,
    };
    !matches!(gentle(program, &nothing), Gentle::Unknown)
}

/// What the program needs.
pub fn gentle(program: &str, known: &Known<'_>) -> Gentle {
    match program {
        "haproxy" if matches!(known.doors.haproxy, Some(Ok(_))) => Gentle::Exchange,
        "haproxy" if is_master_worker(known.processes) => Gentle::Signal(Signal::Hup),
        "haproxy" => Gentle::Impossible("HAProxy without -W only logs on a signal"),
        "nginx" | "stunnel" | "stunnel4" => Gentle::Signal(Signal::Hup),
        "apache2" | "httpd" => Gentle::Signal(Signal::Usr1),
        "etcd" => Gentle::Wait,
        "ovsdb-server" | "ovs-vswitchd" | "ovn-controller" | "ovn-northd" => Gentle::Wait,
        "beam.smp" => clients::rabbitmq(),
        "mariadbd" => clients::mariadb(known),
        "mysqld" => clients::mysql(known),
        "redis-server" | "valkey-server" => clients::redis(program, known),
        "virtproxyd" | "libvirtd" => clients::libvirt(program),
        "memcached" => Gentle::Say("refresh_certs\r\n"),
        "qdrouterd" => Gentle::Impossible("qdrouterd reads its certificate when it starts"),
        "radosgw" => Gentle::Impossible("Ceph's gateway reads its certificate when it starts"),
        "ceph-mgr" => Gentle::Impossible("Ceph's manager reads its certificate when it starts"),
        "grafana" | "grafana-server" => Gentle::Impossible(
            "Grafana reads its certificate when it starts, unless certs_watch_interval is set",
        ),
        program if is_guest(program) => Gentle::Display,
        _ => Gentle::Unknown,
    }
}

/// The topmost process of each program: the one whose parent has another name.
pub fn tops(processes: &[Process]) -> Vec<&Process> {
    let parent = |process: &Process| processes.iter().find(|other| other.pid == process.parent);
    processes
        .iter()
        .filter(|process| parent(process).is_none_or(|above| above.program != process.program))
        .collect()
}

/// The topmost process of one program.
pub fn top<'a>(program: &str, processes: &'a [Process]) -> Option<&'a Process> {
    tops(processes)
        .into_iter()
        .find(|process| process.program == program)
}

fn is_master_worker(processes: &[Process]) -> bool {
    let has_flag = |process: &Process| {
        let flags = process.arguments.iter().skip(1);
        process.program == "haproxy"
            && flags
                .clone()
                .any(|flag| matches!(flag.as_str(), "-W" | "-Ws"))
    };
    // `master-worker` may stand in its configuration: then a haproxy has a haproxy above it.
    let has_worker = processes.iter().any(|process| {
        let above = processes.iter().find(|other| other.pid == process.parent);
        process.program == "haproxy" && above.is_some_and(|above| above.program == "haproxy")
    });
    processes.iter().any(has_flag) || has_worker
}

#[cfg(test)]
mod tests;
