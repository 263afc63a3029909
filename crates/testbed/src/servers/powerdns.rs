// SPDX-License-Identifier: Apache-2.0
//! PowerDNS' authoritative server with its API, as Debian has it, over a private SQLite file.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::named::{free_addresses, said};
use crate::{Sandbox, must};

/// How long it may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);
const SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

/// A running PowerDNS server. It is killed when this is dropped.
#[derive(Debug)]
pub struct PowerDnsServer {
    process: Child,
    directory: Sandbox,
    dns: SocketAddr,
    api: SocketAddr,
}

impl PowerDnsServer {
    /// The key of its API.
    pub const API_KEY: &'static str = "the key of the api";

    /// Starts one with an empty zone of this name.
    #[track_caller]
    pub fn start(zone: &str) -> Self {
        let directory = Sandbox::new();
        let [dns, api] = free_addresses();
        let (place, key) = (directory.path().display(), Self::API_KEY);
        // Without its caches, since a test asks at once for what it wrote.
        let configuration = format!(
            "launch=gsqlite3\ngsqlite3-database={place}/zones\nsocket-dir={place}\ndaemon=no\nguardian=no\n\
             local-address=127.0.0.1\nlocal-port={}\nwebserver=yes\nwebserver-address=127.0.0.1\nwebserver-port={}\n\
             api=yes\napi-key={key}\ncache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=0\n\
             security-poll-suffix=\n",
            dns.port(),
            api.port()
        );
        directory.write("pdns.conf", configuration);
        let schema = must(
            File::open(SCHEMA),
            "no pdns-backend-sqlite3; scripts/setup-debian test installs it",
        );
        let mut sqlite = Command::new("sqlite3");
        let sqlite = sqlite.arg(directory.join("zones")).stdin(schema);
        said(must(sqlite.output(), "cannot start sqlite3"));
        let config = format!("--config-dir={place}");
        for words in [
            ["create-zone", zone, "ns1.example.test"].as_slice(),
            &[
                "replace-rrset",
                zone,
                "@",
                "SOA",
                "ns1.example.test host.example.test 1 600 60 3600 5",
            ],
        ] {
            let mut command = Command::new("pdnsutil");
            let output = command.arg(&config).args(words).output();
            said(must(output, "cannot start pdnsutil"));
        }
        let log = must(File::create(directory.join("log")), "cannot make a log");
        let errors = must(log.try_clone(), "cannot share the log");
        let mut command = Command::new("pdns_server");
        let command = command.arg(config).stdin(Stdio::null());
        let process = command.stdout(log).stderr(errors).spawn();
        let mut server = Self {
            process: must(
                process,
                "cannot start pdns_server; scripts/setup-debian test installs it",
            ),
            directory,
            dns,
            api,
        };
        server.wait();
        server
    }

    /// Where it answers as a name server.
    pub fn address(&self) -> SocketAddr {
        self.dns
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// What `dig +short` says of it.
    #[track_caller]
    pub fn dig(&self, words: &[&str]) -> String {
        let port = self.dns.port().to_string();
        let mut command = Command::new("dig");
        command.args(["@127.0.0.1", "-p", &port, "+short"]);
        said(must(command.args(words).output(), "cannot start dig"))
    }

    #[track_caller]
    fn wait(&mut self) {
        let deadline = Instant::now() + START_LIMIT;
        while [self.dns, self.api]
            .iter()
            .any(|at| TcpStream::connect(at).is_err())
        {
            let ended = must(self.process.try_wait(), "cannot look after pdns_server");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "pdns_server does not listen: {}",
                String::from_utf8_lossy(&self.directory.read("log"))
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for PowerDnsServer {
    fn drop(&mut self) {
        // It may have ended by itself; the test has its verdict.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
