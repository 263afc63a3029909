// SPDX-License-Identifier: Apache-2.0
//! Servers that begin in plain text: the real ones of Debian, each with TLS and each without.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that starts programs"
)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::{PATIENCE, Pair, Server, directory, free_port, is_root, loopback, run};
use tls_probe::{Ask, Ending, Error, Held, Place, Prober, Result, ServerName, StartTls};

const NAME: &str = "service.test";

fn probe(address: SocketAddr, protocol: StartTls) -> Result<Held> {
    let ask = Ask {
        server_name: Some(ServerName::parse(NAME).unwrap()),
        starttls: Some(protocol),
        ..Ask::default()
    };
    Prober::new()
        .unwrap()
        .probe(&Place::anywhere(address), &ask, PATIENCE)
}

fn serves(address: SocketAddr, protocol: StartTls, pair: &Pair) {
    let held = probe(address, protocol).unwrap();
    assert_eq!(
        held.presented().fingerprint_sha256_text(),
        pair.fingerprint()
    );
    assert_eq!(held.finish(Duration::from_secs(10)), Ending::Finished);
}

fn refuses(address: SocketAddr, protocol: StartTls, words: &str) {
    let error = probe(address, protocol).unwrap_err();
    assert!(matches!(error, Error::StartTls { .. }), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

/// Writes a configuration.
fn config(directory: &Path, text: &str) -> PathBuf {
    // Prosody knows its configuration by this ending; the others do not mind.
    let path = directory.join(format!("{}.cfg.lua", free_port()));
    fs::write(&path, text).unwrap();
    path
}

fn mariadb(directory: &Path, pair: Option<&Pair>) -> (Server, SocketAddr) {
    let port = free_port();
    let data = directory.join(format!("mariadb-{port}"));
    run(Command::new("mariadb-install-db")
        .args([
            "--no-defaults",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ])
        .arg(format!("--datadir={}", data.display())));
    let mut command = Command::new("mariadbd");
    command
        .args(["--no-defaults", "--user=root", "--bind-address=127.0.0.1"])
        .args([
            format!("--datadir={}", data.display()),
            format!("--socket={}/sock", data.display()),
            format!("--port={port}"),
        ]);
    if let Some(pair) = pair {
        command.arg(format!("--ssl-cert={}", pair.certificate.display()));
        command.arg(format!("--ssl-key={}", pair.key.display()));
    }
    (
        Server::start(directory, &mut command).listening(loopback(port)),
        loopback(port),
    )
}

#[test]
fn mariadb_shows_its_certificate() {
    let place = directory();
    let pair = Pair::new(place.path(), NAME);
    let (_server, address) = mariadb(place.path(), Some(&pair));
    serves(address, StartTls::Mysql, &pair);
    assert_eq!(
        probe(address, StartTls::Postgres).unwrap_err().kind(),
        "probe.starttls"
    );
}

#[test]
fn mariadb_without_tls_is_told_as_such() {
    let place = directory();
    let (_server, address) = mariadb(place.path(), None);
    refuses(
        address,
        StartTls::Mysql,
        "it has no TLS ('have_ssl' is not YES)",
    );
}

/// PostgreSQL's programs are in a directory of their version, and root may not run them.
fn postgres_program(name: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").unwrap_or_else(|error| {
        panic!("no PostgreSQL: {error}; install it with: scripts/setup-debian test")
    });
    let newest = versions.map(|entry| entry.unwrap().path()).max().unwrap();
    let program = newest.join("bin").join(name);
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(program);
    command
}

fn postgres(directory: &Path, pair: Option<&Pair>) -> (Server, SocketAddr) {
    let port = free_port();
    let data = directory.join(format!("postgres-{port}"));
    fs::create_dir(&data).unwrap();
    let own = |path: &Path| {
        run(Command::new("chmod").arg("go=").arg(path));
        if rustix::process::geteuid().is_root() {
            run(Command::new("chown").arg("postgres:").arg(path));
        }
    };
    own(&data);
    run(postgres_program("initdb")
        .current_dir("/")
        .args(["--no-sync", "-D"])
        .arg(&data));
    let mut command = postgres_program("postgres");
    command.current_dir("/").arg("-D").arg(&data).args([
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        &format!("port={port}"),
    ]);
    command.args(["-c", &format!("unix_socket_directories={}", data.display())]);
    if let Some(pair) = pair {
        own(&pair.key);
        command.args([
            "-c",
            "ssl=on",
            "-c",
            &format!("ssl_cert_file={}", pair.certificate.display()),
        ]);
        command.args(["-c", &format!("ssl_key_file={}", pair.key.display())]);
    }
    (
        Server::start(directory, &mut command).listening(loopback(port)),
        loopback(port),
    )
}

#[test]
fn postgres_shows_its_certificate() {
    let place = directory();
    let pair = Pair::new(place.path(), NAME);
    let (_server, address) = postgres(place.path(), Some(&pair));
    serves(address, StartTls::Postgres, &pair);
}

#[test]
fn postgres_without_tls_is_told_as_such() {
    let place = directory();
    let (_server, address) = postgres(place.path(), None);
    refuses(address, StartTls::Postgres, "it has no TLS ('ssl' is off)");
}

fn slapd(directory: &Path, pair: Option<&Pair>) -> (Server, SocketAddr) {
    let port = free_port();
    let tls = pair.map(|pair| {
        format!(
            "TLSCertificateFile {}\nTLSCertificateKeyFile {}\n",
            pair.certificate.display(),
            pair.key.display()
        )
    });
    let path = config(directory, &tls.unwrap_or_default());
    let mut command = Command::new("/usr/sbin/slapd");
    command
        .args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{port}/"), "-f"])
        .arg(path);
    (
        Server::start(directory, &mut command).listening(loopback(port)),
        loopback(port),
    )
}

#[test]
fn openldap_shows_its_certificate() {
    let place = directory();
    let pair = Pair::new(place.path(), NAME);
    let (_server, address) = slapd(place.path(), Some(&pair));
    serves(address, StartTls::Ldap, &pair);
}

#[test]
fn openldap_without_tls_is_told_as_such() {
    let place = directory();
    let (_server, address) = slapd(place.path(), None);
    refuses(address, StartTls::Ldap, "does not start TLS (ldap): it");
}

fn dovecot(directory: &Path, kind: &str, pair: Option<&Pair>) -> (Server, SocketAddr) {
    let port = free_port();
    let base = directory.join(format!("dovecot-{port}"));
    let tls = match pair {
        Some(pair) => format!(
            "ssl = yes\nssl_cert = <{}\nssl_key = <{}\n",
            pair.certificate.display(),
            pair.key.display()
        ),
        None => "ssl = no\n".to_owned(),
    };
    let text = format!(
        "base_dir = {0}\nlog_path = /dev/stderr\nprotocols = {kind}\nlisten = 127.0.0.1\n{tls}\
         service {kind}-login {{\n inet_listener {kind} {{\n port = {port}\n }}\n inet_listener {kind}s {{\n port = 0\n }}\n}}\n\
         passdb {{\n driver = static\n args = nopassword=y\n}}\n",
        base.display()
    );
    let path = config(directory, &text);
    let mut command = Command::new("/usr/sbin/dovecot");
    command.args(["-F", "-c"]).arg(path);
    (
        Server::start(directory, &mut command).listening(loopback(port)),
        loopback(port),
    )
}

#[test]
fn dovecot_shows_its_certificate() {
    if !is_root("dovecot") {
        return;
    }
    let place = directory();
    let pair = Pair::new(place.path(), NAME);
    for (kind, protocol) in [("imap", StartTls::Imap), ("pop3", StartTls::Pop3)] {
        let (_server, address) = dovecot(place.path(), kind, Some(&pair));
        serves(address, protocol, &pair);
    }
}

#[test]
fn dovecot_without_tls_is_told_as_such() {
    if !is_root("dovecot without TLS") {
        return;
    }
    let place = directory();
    let (_server, address) = dovecot(place.path(), "imap", None);
    refuses(address, StartTls::Imap, "it says 'a1 B");
    let (_server, address) = dovecot(place.path(), "pop3", None);
    refuses(address, StartTls::Pop3, "it says '-ERR");
}

fn aiosmtpd(directory: &Path, pair: Option<&Pair>) -> (Server, SocketAddr) {
    let port = free_port();
    let mut command = Command::new("aiosmtpd");
    command.args(["-n", "-l", &format!("127.0.0.1:{port}")]);
    if let Some(pair) = pair {
        command
            .arg("--tlscert")
            .arg(&pair.certificate)
            .arg("--tlskey")
            .arg(&pair.key);
    }
    (
        Server::start(directory, &mut command).listening(loopback(port)),
        loopback(port),
    )
}

#[test]
fn an_smtp_server_shows_its_certificate() {
    let place = directory();
    let pair = Pair::new(place.path(), NAME);
    let (_server, address) = aiosmtpd(place.path(), Some(&pair));
    serves(address, StartTls::Smtp, &pair);
}

#[test]
fn an_smtp_server_without_tls_is_told_as_such() {
    let place = directory();
    let (_server, address) = aiosmtpd(place.path(), None);
    refuses(
        address,
        StartTls::Smtp,
        "its answer to EHLO has no STARTTLS",
    );
}

fn prosody(directory: &Path, pair: Option<&Pair>) -> (Server, SocketAddr) {
    let port = free_port();
    let ssl = pair.map(|pair| {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        format!("ssl = {{ certificate = \"{certificate}\", key = \"{key}\" }}\n")
    });
    let text = format!(
        "run_as_root = true\ndata_path = \"{0}\"\npidfile = \"{0}/prosody-{port}.pid\"\nlog = \"*console\"\n\
         modules_enabled = {{ \"saslauth\", {1} }}\nmodules_disabled = {{ \"s2s\" }}\nc2s_require_encryption = false\n\
         c2s_ports = {{ {port} }}\nc2s_interfaces = {{ \"127.0.0.1\" }}\nVirtualHost \"{NAME}\"\n{2}",
        directory.display(),
        pair.map_or("", |_| "\"tls\""),
        ssl.unwrap_or_default(),
    );
    let path = config(directory, &text);
    let mut command = Command::new("prosody");
    command.arg("-F").arg("--config").arg(path);
    (
        Server::start(directory, &mut command).listening(loopback(port)),
        loopback(port),
    )
}

#[test]
fn prosody_shows_its_certificate() {
    let place = directory();
    let pair = Pair::new(place.path(), NAME);
    let (_server, address) = prosody(place.path(), Some(&pair));
    serves(address, StartTls::Xmpp, &pair);
}

#[test]
fn prosody_without_tls_is_told_as_such() {
    let place = directory();
    let (_server, address) = prosody(place.path(), None);
    refuses(address, StartTls::Xmpp, "its features have no starttls");
}

fn vnc(directory: &Path, kind: &str, pair: &Pair) -> (Server, SocketAddr) {
    let port = free_port();
    let mut command = Command::new("Xtigervnc");
    // A display of its own number; no program ever draws on it.
    command.args([
        &format!(":{port}"),
        "-rfbport",
        &port.to_string(),
        "-interface",
        "127.0.0.1",
        "-SecurityTypes",
        kind,
    ]);
    command
        .arg("-X509Cert")
        .arg(&pair.certificate)
        .arg("-X509Key")
        .arg(&pair.key)
        .args(["-nolisten", "unix", "-nolock"]);
    (
        Server::start(directory, &mut command).listening(loopback(port)),
        loopback(port),
    )
}

#[test]
fn a_vnc_server_shows_its_certificate() {
    let place = directory();
    let pair = Pair::with(place.path(), NAME, &["-newkey", "rsa:2048"]);
    for kind in ["X509None", "X509Vnc,X509Plain"] {
        let (_server, address) = vnc(place.path(), kind, &pair);
        serves(address, StartTls::Vnc, &pair);
    }
}

#[test]
fn a_vnc_server_without_certificate_is_told_as_such() {
    let place = directory();
    let pair = Pair::with(place.path(), NAME, &["-newkey", "rsa:2048"]);
    let (_server, address) = vnc(place.path(), "TLSNone", &pair);
    refuses(
        address,
        StartTls::Vnc,
        "it offers the subtypes [257], none with a certificate",
    );
    let (_server, address) = vnc(place.path(), "None", &pair);
    refuses(
        address,
        StartTls::Vnc,
        "it offers the security types [1], not VeNCrypt (19)",
    );
}
