// SPDX-License-Identifier: Apache-2.0
//! Pebble, the ACME server for tests of Let's Encrypt, as Debian has it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Certificate, free_port, get};
use crate::{Sandbox, must};

/// How long it may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Which Pebble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// 2.4.0 of Debian 12: no ARI, no profiles, no subproblems, no Retry-After.
    Stable,
    /// 2.10 of Debian unstable, which `scripts/pebble` lays beside.
    New,
}

/// How it is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which Pebble.
    pub release: Release,
    /// Members of its configuration that replace or extend ours.
    pub configuration: Value,
    /// Variables such as `PEBBLE_VA_ALWAYS_VALID`.
    pub environment: Vec<(&'static str, String)>,
    /// Who answers its questions; none: the host's resolver, which no test should need.
    pub dns: Option<SocketAddr>,
    /// Where http-01 is validated.
    pub http_port: u16,
}

impl Settings {
    /// Every challenge counts as met, none is waited for, every nonce and no authorization is taken twice.
    pub fn always_valid(release: Release) -> Self {
        Self {
            environment: vec![
                ("PEBBLE_VA_ALWAYS_VALID", "1".to_owned()),
                ("PEBBLE_VA_NOSLEEP", "1".to_owned()),
                ("PEBBLE_WFE_NONCEREJECT", "0".to_owned()),
                ("PEBBLE_AUTHZREUSE", "0".to_owned()),
            ],
            ..Self::validating(release, free_port())
        }
    }

    /// Challenges are validated, http-01 on this port; no waiting, one nonce in twenty refused, as Pebble has it.
    pub fn validating(release: Release, http_port: u16) -> Self {
        Self {
            release,
            configuration: json!({}),
            environment: vec![
                ("PEBBLE_VA_NOSLEEP", "1".to_owned()),
                ("PEBBLE_AUTHZREUSE", "0".to_owned()),
            ],
            dns: None,
            http_port,
        }
    }

    /// Sets a variable.
    #[must_use]
    pub fn environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Sets members of the configuration.
    #[must_use]
    pub fn configuration(mut self, members: Value) -> Self {
        self.configuration = members;
        self
    }

    /// Sets who answers its questions.
    #[must_use]
    pub fn dns(mut self, address: SocketAddr) -> Self {
        self.dns = Some(address);
        self
    }
}

/// A running Pebble in a private directory. It is killed when this is dropped.
#[derive(Debug)]
pub struct Pebble {
    process: Child,
    directory: Sandbox,
    port: u16,
    management_port: u16,
    certificate: Certificate,
}

impl Pebble {
    /// Starts one and waits until it answers.
    #[track_caller]
    pub fn start(settings: &Settings) -> Self {
        // Somebody else may take a port between our look and its bind; then it ends at once.
        for _ in 0..10 {
            let mut pebble = Self::spawn(settings);
            if pebble.listens() {
                return pebble;
            }
            assert!(
                pebble.log().contains("address already in use"),
                "pebble does not listen: {}",
                pebble.log()
            );
        }
        must(Err("ten ports were taken"), "cannot start pebble")
    }

    #[track_caller]
    fn spawn(settings: &Settings) -> Self {
        let directory = Sandbox::new();
        let certificate = Certificate::make(directory.path());
        let (port, management_port) = (free_port(), free_port());
        let configuration = configuration(settings, directory.path(), port, management_port);
        let path = directory.write("pebble.json", configuration.to_string());
        let log = must(File::create(directory.join("log")), "cannot make a log");
        let errors = must(log.try_clone(), "cannot share the log");
        let mut command = Command::new(program(settings.release));
        command.args(["-strict", "-config"]).arg(path);
        if let Some(dns) = settings.dns {
            command.arg("-dnsserver").arg(dns.to_string());
        }
        for (name, value) in &settings.environment {
            command.env(name, value);
        }
        let process = command.stdin(Stdio::null()).stdout(log).stderr(errors);
        Self {
            process: must(process.spawn(), "cannot start pebble"),
            directory,
            port,
            management_port,
            certificate,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its management interface listens.
    pub fn management_port(&self) -> u16 {
        self.management_port
    }

    /// Its directory.
    pub fn directory_url(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// The certificate of its HTTPS.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The root that its certificates lead to, or one of the alternatives, in PEM.
    #[track_caller]
    pub fn root_pem(&self, alternative: usize) -> Vec<u8> {
        let (status, _, body) = get(self.management_port, &format!("/roots/{alternative}"));
        assert_eq!(status, 200, "{}", self.log());
        body
    }

    /// What it printed.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.directory.read("log")).into_owned()
    }

    /// How many requests it was sent whose method and path begin so, by its log.
    pub fn requests(&self, begin: &str) -> usize {
        let log = self.log();
        let handled = log
            .lines()
            .filter(|line| line.ends_with("calling handler()"));
        // Before it are date and time.
        let line = format!(" {begin}");
        handled.filter(|handled| handled.contains(&line)).count()
    }

    /// Waits until it listens; false if it has ended.
    #[track_caller]
    fn listens(&mut self) -> bool {
        let deadline = Instant::now() + START_LIMIT;
        let is_open = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        loop {
            let open = is_open(self.port) && is_open(self.management_port);
            if must(self.process.try_wait(), "cannot look after pebble").is_some() {
                return false;
            }
            if open {
                return true;
            }
            assert!(
                Instant::now() < deadline,
                "pebble does not listen: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        // It may have ended by itself; the test has its verdict.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(settings: &Settings, directory: &Path, port: u16, management: u16) -> Value {
    let mut pebble = json!({
        "listenAddress": format!("127.0.0.1:{port}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": directory.join("https.pem"),
        "privateKey": directory.join("https.key"),
        "httpPort": settings.http_port,
        "tlsPort": free_port(),
        "ocspResponderURL": "",
        "externalAccountBindingRequired": false,
        "retryAfter": {"authz": 1, "order": 1},
    });
    let members = settings.configuration.as_object().into_iter().flatten();
    for (name, value) in members {
        pebble[name] = value.clone();
    }
    json!({ "pebble": pebble })
}

#[track_caller]
fn program(release: Release) -> PathBuf {
    match release {
        Release::Stable => {
            let path = PathBuf::from("/usr/bin/pebble");
            assert!(
                path.exists(),
                "pebble is missing: scripts/setup-debian test"
            );
            path
        }
        Release::New => newer_program(),
    }
}

#[track_caller]
fn newer_program() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/pebble");
    let output = must(Command::new(script).output(), "cannot start scripts/pebble");
    assert!(
        output.status.success(),
        "scripts/pebble: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = BufReader::new(&output.stdout[..]).lines().next();
    must(printed.unwrap_or_else(|| Ok(String::new())), "no path").into()
}
