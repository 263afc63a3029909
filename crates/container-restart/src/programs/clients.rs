// SPDX-License-Identifier: Apache-2.0
//! Commands by which a program's own client tells it to read its certificate again.

use super::{Call, Gentle, Known, top};

/// Its cache of certificates is emptied; by itself it would be within two minutes.
pub(super) fn rabbitmq() -> Gentle {
    one(&["rabbitmqctl", "eval", "ssl:clear_pem_cache()."])
}

/// `FLUSH SSL` would go to the replicas too, and `ALTER INSTANCE` is MySQL's only. What the server says to others of
/// its Galera cluster is TLS of its own: of 10.11 it is measured that `FLUSH` renews that too, older ones need a word.
pub(super) fn mariadb(known: &Known<'_>) -> Gentle {
    let mut calls = vec![statement(known, "mariadb", "FLUSH LOCAL SSL")];
    if known.has_cluster {
        let reload = "SET GLOBAL wsrep_provider_options='socket.ssl_reload=1'";
        calls.push(Call {
            is_optional: true,
            ..statement(known, "mariadb", reload)
        });
    }
    Gentle::Execute(calls)
}

/// Not tested on a real server: Debian has none. A MariaDB may go by this name too.
pub(super) fn mysql(known: &Known<'_>) -> Gentle {
    let database = known.doors.database.as_ref();
    if database.is_some_and(|database| database.is_mariadb) {
        return mariadb(known);
    }
    let call = statement(known, "mysql", "ALTER INSTANCE RELOAD TLS");
    Gentle::Execute(vec![call])
}

/// By root, whom the server lets in because it is root, or by what `/root/.my.cnf` says; else by the server's own
/// user, whom MariaDB lets in likewise. Whatever the client's configuration says of hosts, it is this very server.
fn statement(known: &Known<'_>, client: &str, sql: &str) -> Call {
    let database = known.doors.database.as_ref();
    let client = database.map_or(client, |database| database.client.as_str());
    let mut command = vec![client.to_owned()];
    if let Some(socket) = database.and_then(|database| database.socket.as_ref()) {
        command.push(String::from("--host=localhost"));
        command.push(String::from("--protocol=socket"));
        command.push(format!("--socket={}", socket.display()));
    }
    command.extend(["-e", sql].map(str::to_owned));
    let has_own_user = database.is_some_and(|database| database.has_own_user);
    Call {
        command,
        user: Some(String::from("0")),
        otherwise: has_own_user.then(|| String::from("mysql")),
        is_optional: false,
    }
}

/// The server of each daemon that has TLS listeners has the daemon's name.
pub(super) fn libvirt(daemon: &str) -> Gentle {
    let connection = format!("{daemon}:///system");
    one(&["virt-admin", "-c", &connection, "server-update-tls", daemon])
}

pub(super) fn redis(program: &str, known: &Known<'_>) -> Gentle {
    let (Some(certificate), Some(key)) = (known.files.certificate, known.files.private_key) else {
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
    if let Some(port) = tls_port(program, known) {
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
    Gentle::Execute(vec![Call {
        command,
        ..Call::default()
    }])
}

fn tls_port(program: &str, known: &Known<'_>) -> Option<String> {
    let title = top(program, known.processes)?.arguments.first()?.clone();
    let address = title.split_whitespace().nth(1)?;
    let port = address.rsplit(':').next()?;
    port.parse::<u16>().ok().map(|port| port.to_string())
}

fn one(words: &[&str]) -> Gentle {
    Gentle::Execute(vec![Call {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        ..Call::default()
    }])
}
