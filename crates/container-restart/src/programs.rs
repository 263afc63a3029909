// SPDX-License-Identifier: Apache-2.0
//! What each program needs to serve a certificate that has changed under it: the table of reference/containers.md.
//!
//! A signal that a program does not know ends it or is lost, and both look like success. So only programs of this table
//! are signalled, and the process that gets it is the topmost of its name, not the container's first one, which may be
//! a shell that swallows it or an init that passes it on to the wrong one.

use std::path::Path;

use containers::processes::{Process, Signal};

/// The gentlest thing that makes a program serve what is in its files now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gentle {
    /// Nothing: it reads them for each connection, or looks by itself.
    Wait,
    /// A signal to the topmost process of its name.
    Signal(Signal),
    /// A command of its own in the container.
    Execute(Vec<String>),
    /// A line that is said to it over TLS; its answer begins with `OK`.
    Say(&'static str),
    /// Nothing gentle works, for this reason.
    Impossible(&'static str),
    /// It is not in the table.
    Unknown,
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
    !matches!(
        gentle(
            program,
            &[],
            Files {
                certificate: None,
                private_key: None
            }
        ),
        Gentle::Unknown
    )
}

/// What the program needs. `processes` are those of the container.
pub fn gentle(program: &str, processes: &[Process], files: Files<'_>) -> Gentle {
    match program {
        "haproxy" if is_master_worker(processes) => Gentle::Signal(Signal::Hup),
        "haproxy" => Gentle::Impossible("HAProxy without -W only logs on a signal"),
        "nginx" | "stunnel" | "stunnel4" => Gentle::Signal(Signal::Hup),
        "apache2" | "httpd" => Gentle::Signal(Signal::Usr1),
        "etcd" => Gentle::Wait,
        "ovsdb-server" | "ovs-vswitchd" | "ovn-controller" | "ovn-northd" => Gentle::Wait,
        "beam.smp" => execute(&["rabbitmqctl", "eval", "ssl:clear_pem_cache()."]),
        // FLUSH SSL would go to the replicas too; ALTER INSTANCE is MySQL's only.
        "mariadbd" => execute(&["mariadb", "-e", "FLUSH LOCAL SSL"]),
        "mysqld" => execute(&["mysql", "-e", "ALTER INSTANCE RELOAD TLS"]),
        "redis-server" | "valkey-server" => redis(program, processes, files),
        "virtproxyd" => execute(&[
            "virt-admin",
            "-c",
            "virtproxyd:///system",
            "server-update-tls",
            "virtproxyd",
        ]),
        "libvirtd" => execute(&["virt-admin", "server-update-tls", "libvirtd"]),
        "memcached" => Gentle::Say("refresh_certs\r\n"),
        "qdrouterd" => Gentle::Impossible("qdrouterd reads its certificate when it starts"),
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

fn redis(program: &str, processes: &[Process], files: Files<'_>) -> Gentle {
    let (Some(certificate), Some(key)) = (files.certificate, files.private_key) else {
        return Gentle::Impossible(
            "where the server reads its certificate in the container is not known",
        );
    };
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let client = if program == "valkey-server" {
        "valkey-cli"
    } else {
        "redis-cli"
    };
    let mut command = vec![client.to_owned(), String::from("-e")];
    // Its own title says where it listens: `redis-server *:6379`, and `--tls-port` when it was given so.
    if let Some(port) = tls_port(program, processes) {
        let connect = [
            "--tls",
            "--insecure",
            "--cert",
            &certificate,
            "--key",
            &key,
            "-p",
            &port,
        ];
        command.extend(connect.map(str::to_owned));
    }
    // In one command: a pair of which one half is new would be refused.
    let set = [
        "CONFIG",
        "SET",
        "tls-cert-file",
        &certificate,
        "tls-key-file",
        &key,
    ];
    command.extend(set.map(str::to_owned));
    Gentle::Execute(command)
}

fn tls_port(program: &str, processes: &[Process]) -> Option<String> {
    let title = top(program, processes)?.arguments.first()?.clone();
    let address = title.split_whitespace().nth(1)?;
    let port = address.rsplit(':').next()?;
    port.parse::<u16>().ok().map(|port| port.to_string())
}

fn execute(words: &[&str]) -> Gentle {
    Gentle::Execute(words.iter().map(|word| (*word).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, program: &str, arguments: &[&str]) -> Process {
        Process {
            pid,
            parent,
            program: program.to_owned(),
            began: u64::from(pid),
            uid: 0,
            gid: 0,
            groups: Vec::new(),
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    const NO_FILES: Files<'static> = Files {
        certificate: None,
        private_key: None,
    };

    #[test]
    fn the_topmost_of_a_name_is_signalled_and_not_the_first_process() {
        let all = [
            process(10, 1, "dumb-init", &[]),
            process(11, 10, "nginx", &["nginx: master"]),
            process(12, 11, "nginx", &["nginx: worker"]),
        ];
        assert_eq!(top("nginx", &all).map(|found| found.pid), Some(11));
        assert_eq!(tops(&all).len(), 2);
        assert_eq!(top("haproxy", &all), None);
    }

    #[test]
    fn haproxy_is_signalled_only_as_master_and_worker() {
        let alone = [process(
            1,
            0,
            "haproxy",
            &["haproxy", "-W", "-db", "-f", "/etc/haproxy.cfg"],
        )];
        assert_eq!(
            gentle("haproxy", &alone, NO_FILES),
            Gentle::Signal(Signal::Hup)
        );
        let without = [process(
            1,
            0,
            "haproxy",
            &["haproxy", "-db", "-f", "/etc/haproxy.cfg"],
        )];
        assert!(matches!(
            gentle("haproxy", &without, NO_FILES),
            Gentle::Impossible(_)
        ));
        let configured = [
            process(1, 0, "haproxy", &["haproxy"]),
            process(2, 1, "haproxy", &["haproxy"]),
        ];
        assert_eq!(
            gentle("haproxy", &configured, NO_FILES),
            Gentle::Signal(Signal::Hup)
        );
    }

    #[test]
    fn redis_gets_both_files_in_one_command() {
        let all = [process(1, 0, "redis-server", &["redis-server *:6380"])];
        let files = Files {
            certificate: Some(Path::new("/tls/c.pem")),
            private_key: Some(Path::new("/tls/k.pem")),
        };
        let Gentle::Execute(command) = gentle("redis-server", &all, files) else {
            unreachable!("it has a command")
        };
        let text = command.join(" ");
        assert!(
            text.starts_with(
                "redis-cli -e --tls --insecure --cert /tls/c.pem --key /tls/k.pem -p 6380 "
            ),
            "{text}"
        );
        assert!(
            text.ends_with("CONFIG SET tls-cert-file /tls/c.pem tls-key-file /tls/k.pem"),
            "{text}"
        );
        assert!(matches!(
            gentle("redis-server", &all, NO_FILES),
            Gentle::Impossible(_)
        ));
    }

    #[test]
    fn what_nobody_knows_is_not_signalled() {
        assert_eq!(gentle("sleep", &[], NO_FILES), Gentle::Unknown);
        assert!(serves_tls("nginx") && !serves_tls("bash"));
    }
}
