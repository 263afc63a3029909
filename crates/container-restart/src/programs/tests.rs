// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use super::*;
use crate::observe::Database;

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

/// What a program needs in a container with these processes and ways in.
fn needs(program: &str, processes: &[Process], doors: &Doors) -> Gentle {
    let known = Known {
        processes,
        files: NO_FILES,
        doors,
        has_cluster: false,
    };
    gentle(program, &known)
}

fn commands(gentle: Gentle) -> Vec<String> {
    let Gentle::Execute(calls) = gentle else {
        unreachable!("it has a command")
    };
    calls.iter().map(|call| call.command.join(" ")).collect()
}

#[test]
fn haproxy_is_signalled_only_as_master_and_worker() {
    let words = |words: &[&str]| [process(1, 0, "haproxy", words)];
    let master = words(&["haproxy", "-W", "-db", "-f", "/etc/haproxy.cfg"]);
    let alone = words(&["haproxy", "-db", "-f", "/etc/haproxy.cfg"]);
    let configured = [
        process(1, 0, "haproxy", &["haproxy"]),
        process(2, 1, "haproxy", &["haproxy"]),
    ];
    let closed = Doors::default();
    let hup = Gentle::Signal(Signal::Hup);
    assert_eq!(needs("haproxy", &master, &closed), hup);
    assert_eq!(needs("haproxy", &configured, &closed), hup);
    let helpless = needs("haproxy", &alone, &closed);
    assert!(matches!(helpless, Gentle::Impossible(_)));
}

#[test]
fn haproxys_runtime_api_is_gentler_than_a_signal_and_than_a_restart() {
    let open = Doors {
        haproxy: Some(Ok(Vec::new())),
        ..Doors::default()
    };
    let refused = Doors {
        haproxy: Some(Err(String::from("its level is user"))),
        ..Doors::default()
    };
    let master = [process(1, 0, "haproxy", &["haproxy", "-W"])];
    let alone = [process(1, 0, "haproxy", &["haproxy"])];
    assert_eq!(needs("haproxy", &master, &open), Gentle::Exchange);
    assert_eq!(needs("haproxy", &alone, &open), Gentle::Exchange);
    let signalled = needs("haproxy", &master, &refused);
    assert_eq!(signalled, Gentle::Signal(Signal::Hup));
}

#[test]
fn redis_and_valkey_get_both_files_in_one_command() {
    let files = Files {
        certificate: Some(Path::new("/tls/c.pem")),
        private_key: Some(Path::new("/tls/k.pem")),
    };
    for (server, client) in [
        ("redis-server", "redis-cli"),
        ("valkey-server", "valkey-cli"),
    ] {
        let title = format!("{server} *:6380");
        let all = [process(1, 0, server, &[&title])];
        let known = Known {
            processes: &all,
            files,
            doors: &Doors::default(),
            has_cluster: false,
        };
        let said = commands(gentle(server, &known));
        let connect = "-e --tls --insecure --cert /tls/c.pem --key /tls/k.pem -p 6380";
        let set = "CONFIG SET tls-cert-file /tls/c.pem tls-key-file /tls/k.pem";
        assert_eq!(said, [format!("{client} {connect} {set}")]);
        let blind = needs(server, &all, &Doors::default());
        assert!(matches!(blind, Gentle::Impossible(_)));
    }
}

#[test]
fn mariadb_is_asked_at_its_own_socket_by_root_and_then_by_its_own_user() {
    let doors = database(true);
    let known = Known {
        processes: &[],
        files: NO_FILES,
        doors: &doors,
        has_cluster: true,
    };
    let Gentle::Execute(calls) = gentle("mariadbd", &known) else {
        unreachable!("it has a command")
    };
    let start = "/usr/bin/mysql --host=localhost --protocol=socket --socket=/tmp/m.sock -e";
    let said: Vec<String> = calls.iter().map(|call| call.command.join(" ")).collect();
    let cluster = "SET GLOBAL wsrep_provider_options='socket.ssl_reload=1'";
    assert_eq!(
        said,
        [
            format!("{start} FLUSH LOCAL SSL"),
            format!("{start} {cluster}")
        ]
    );
    let optional: Vec<bool> = calls.iter().map(|call| call.is_optional).collect();
    assert_eq!(optional, [false, true]);
    for call in &calls {
        assert_eq!(call.user.as_deref(), Some("0"));
        assert_eq!(call.otherwise.as_deref(), Some("mysql"));
    }
    let alone = commands(needs("mariadbd", &[], &Doors::default()));
    assert_eq!(alone, ["mariadb -e FLUSH LOCAL SSL"]);
}

/// A server whose client is called mysql, as older MariaDBs have it too.
fn database(is_mariadb: bool) -> Doors {
    Doors {
        database: Some(Database {
            client: String::from("/usr/bin/mysql"),
            socket: Some(PathBuf::from("/tmp/m.sock")),
            is_mariadb,
            has_own_user: true,
        }),
        ..Doors::default()
    }
}

#[test]
fn what_is_called_mysqld_gets_the_words_of_what_it_is() {
    let said = |is_mariadb| commands(needs("mysqld", &[], &database(is_mariadb)));
    let last = |is_mariadb| said(is_mariadb).last().cloned().unwrap_or_default();
    assert!(last(true).ends_with(" -e FLUSH LOCAL SSL"));
    assert!(last(false).ends_with(" -e ALTER INSTANCE RELOAD TLS"));
}

#[test]
fn each_libvirt_daemon_is_asked_for_its_own_server() {
    for daemon in ["libvirtd", "virtproxyd"] {
        let said = commands(needs(daemon, &[], &Doors::default()));
        let wanted = format!("virt-admin -c {daemon}:///system server-update-tls {daemon}");
        assert_eq!(said, [wanted]);
    }
}

#[test]
fn who_reads_its_certificate_only_at_its_start_is_restarted_and_it_is_said_why() {
    for program in [
        "qdrouterd",
        "radosgw",
        "ceph-mgr",
        "grafana",
        "grafana-server",
    ] {
        let Gentle::Impossible(why) = needs(program, &[], &Doors::default()) else {
            unreachable!("{program} has nothing gentle")
        };
        assert!(why.contains("when it starts"), "{why}");
    }
}

#[test]
fn what_nobody_knows_is_not_signalled() {
    assert_eq!(needs("sleep", &[], &Doors::default()), Gentle::Unknown);
    assert!(serves_tls("nginx") && serves_tls("qemu-kvm") && !serves_tls("bash"));
}
