// SPDX-License-Identifier: Apache-2.0
//! OpenBao, the free Vault: one server in memory. Its cluster is in `bao_cluster`.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::free_port;
use super::https::{exchange, exchange_in_clear};
use super::named::said;
use crate::{Sandbox, must};

/// How long it may take until it listens: the program has 182 MB.
const START_LIMIT: Duration = Duration::from_secs(90);
const TOKEN: &str = "root-token-of-the-test";

/// A release that is pinned by its sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaoRelease {
    /// That of `tests/requirements-openbao.txt`, 2.7.2.
    Current,
    /// That of `tests/requirements-openbao-2.6.2.txt`.
    Before,
}

impl BaoRelease {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Current, Self::Before];

    /// That of the environment's `BAO_VERSION`, to run tests of one release on the other; without it the current one.
    #[track_caller]
    pub fn chosen() -> Self {
        let version = std::env::var("BAO_VERSION").unwrap_or_default();
        let found = Self::ALL.into_iter().find(|it| it.version() == version);
        match (version.is_empty(), found) {
            (true, _) => Self::Current,
            (false, Some(release)) => release,
            (false, None) => must(Err(version), "BAO_VERSION is none that is pinned"),
        }
    }

    /// Its version, as the server says it.
    pub fn version(self) -> &'static str {
        match self {
            Self::Current => "2.7.2",
            Self::Before => "2.6.2",
        }
    }

    /// The program.
    #[track_caller]
    pub fn program(self) -> PathBuf {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/openbao");
        let output = Command::new(script).arg(self.version()).output();
        said(must(output, "cannot start scripts/openbao")).into()
    }
}

/// Status and JSON of an answer; null without.
pub type BaoAnswer = (u16, Value);

/// A running server in memory, unsealed, whose token of root is [`BaoServer::token`]. It is killed when this is dropped.
#[derive(Debug)]
pub struct BaoServer {
    process: Child,
    directory: Sandbox,
    port: u16,
    is_tls: bool,
    unseal_key: String,
}

impl BaoServer {
    /// Starts one without TLS.
    #[track_caller]
    pub fn start(release: BaoRelease) -> Self {
        Self::of(release, false)
    }

    /// Starts one with TLS, of an authority of its own.
    #[track_caller]
    pub fn start_tls(release: BaoRelease) -> Self {
        Self::of(release, true)
    }

    #[track_caller]
    fn of(release: BaoRelease, is_tls: bool) -> Self {
        // Somebody may take a port between the look at it and the start.
        for _ in 0..10 {
            let mut server = Self::spawn(release, is_tls);
            if server.listens() {
                return server;
            }
            let log = server.log();
            assert!(log.contains("address already in use"), "openbao: {log}");
        }
        must(Err("ten ports were taken"), "cannot start openbao")
    }

    #[track_caller]
    fn spawn(release: BaoRelease, is_tls: bool) -> Self {
        let directory = Sandbox::new();
        let port = two_free_ports();
        let log = must(File::create(directory.join("log")), "cannot make a log");
        let errors = must(log.try_clone(), "cannot share the log");
        let mut command = Command::new(release.program());
        command.args(["server", "-dev", "-dev-no-store-token"]);
        command.arg(format!("-dev-listen-address=127.0.0.1:{port}"));
        command.arg(format!("-dev-root-token-id={TOKEN}"));
        if is_tls {
            let tls = directory.join("tls");
            must(std::fs::create_dir(&tls), "cannot make a directory");
            command.arg("-dev-tls");
            command.arg(format!("-dev-tls-cert-dir={}", tls.display()));
        }
        // It keeps files of the user's in the home directory, and settings in the environment.
        command.env_clear().env("HOME", directory.path());
        let command = command.stdin(Stdio::null()).stdout(log).stderr(errors);
        Self {
            process: must(command.spawn(), "cannot start openbao"),
            directory,
            port,
            is_tls,
            unseal_key: String::new(),
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        match self.is_tls {
            true => format!("https://127.0.0.1:{}", self.port),
            false => format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The token that may do everything.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// The authority of its HTTPS, in PEM.
    pub fn ca_pem(&self) -> Vec<u8> {
        self.directory.read("tls/vault-ca.pem")
    }

    /// What it printed.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.directory.read("log")).into_owned()
    }

    /// Asks its API with the token of root, and takes any answer.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> BaoAnswer {
        self.ask_as(TOKEN, method, path, body)
    }

    /// The same with another token.
    #[track_caller]
    pub fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> BaoAnswer {
        must(
            asked(self.port, self.is_tls, token, method, path, body),
            "cannot ask openbao",
        )
    }

    /// Posts to its API, which must take it, and gives back the answer.
    #[track_caller]
    pub fn api(&self, path: &str, body: &Value) -> Value {
        let (status, said) = self.ask("POST", path, body);
        assert!((200..300).contains(&status), "{path}: {status} {said}");
        said
    }

    /// Seals it.
    #[track_caller]
    pub fn seal(&self) {
        self.api("sys/seal", &json!({}));
    }

    /// Unseals it.
    #[track_caller]
    pub fn unseal(&self) {
        self.api("sys/unseal", &json!({"key": self.unseal_key}));
    }

    /// Waits until it is in service; false if it has ended.
    #[track_caller]
    fn listens(&mut self) -> bool {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if must(self.process.try_wait(), "cannot look after openbao").is_some() {
                return false;
            }
            // It says so last; each connection before would be a line in its log.
            let log = self.log();
            if log.contains("Root Token:") {
                let key = log.split("Unseal Key: ").nth(1);
                let key = key.and_then(|rest| rest.lines().next());
                self.unseal_key = key.unwrap_or_default().trim().to_owned();
                return true;
            }
            assert!(Instant::now() < deadline, "openbao does not listen: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for BaoServer {
    fn drop(&mut self) {
        // It may have ended by itself; the test has its verdict.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port whose next one is free, too: the server takes that for its cluster.
#[track_caller]
pub(super) fn two_free_ports() -> u16 {
    let mut before = free_port();
    for _ in 0..100 {
        let next = free_port();
        if next == before + 1 && TcpListener::bind(("127.0.0.1", before)).is_ok() {
            return before;
        }
        before = next;
    }
    must(Err("no two ports beside each other"), "cannot find a port")
}

/// One request to a server of this machine.
pub(super) fn asked(
    port: u16,
    is_tls: bool,
    token: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> std::io::Result<BaoAnswer> {
    let headers = [
        ("x-vault-token".to_owned(), token.to_owned()),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let exchange = match is_tls {
        true => exchange,
        false => exchange_in_clear,
    };
    let path = format!("/v1/{path}");
    let (status, _, said) = exchange(port, method, &path, &headers, body.as_bytes())?;
    Ok((status, serde_json::from_slice(&said).unwrap_or(Value::Null)))
}
