// SPDX-License-Identifier: Apache-2.0
//! Certificates by the openssl command, and real servers as child processes.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tempfile::TempDir;
use tls_probe::{Ask, Held, Place, Prober, Result, ServerName};

/// Generous: the machine may be busy. No test waits for it but those of servers that hang, which give their own.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A private directory that every user may enter, since some servers change to a user of their own.
pub(crate) fn directory() -> TempDir {
    let directory = tempfile::Builder::new()
        .prefix("tls-everywhere-probe.")
        .tempdir_in("/var/tmp")
        .unwrap();
    run(Command::new("chmod").arg("0755").arg(directory.path()));
    directory
}

/// Root may mount, change users and enter namespaces. With TEST_MUST_MOUNT set, as in CI, a test may not go without.
pub(crate) fn is_root(test: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    assert!(
        is_root || std::env::var_os("TEST_MUST_MOUNT").is_none(),
        "{test} needs root, and TEST_MUST_MOUNT says that it must not be skipped"
    );
    if !is_root {
        let _ = writeln!(std::io::stderr(), "skipped: {test} needs root");
    }
    is_root
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| {
        panic!("cannot run {command:?}: {error}; install it with: scripts/setup-debian test")
    });
    assert!(
        done.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    /// Self-signed, ECDSA P-256.
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        Self::with(
            directory,
            name,
            &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        )
    }

    /// Self-signed, with what `openssl req` is told beside.
    pub(crate) fn with(directory: &Path, name: &str, more: &[&str]) -> Self {
        let certificate = directory.join(format!("{name}.crt"));
        let key = directory.join(format!("{name}.key"));
        let mut command = Command::new("openssl");
        command
            .args(["req", "-x509", "-nodes", "-subj"])
            .arg(format!("/CN={name}"));
        command
            .arg("-addext")
            .arg(format!("subjectAltName=DNS:{name}"));
        command
            .args(more)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate);
        run(&mut command);
        run(Command::new("chmod").arg("0644").args([&key, &certificate]));
        Self { certificate, key }
    }

    /// Certificate and key in one file, as HAProxy wants them.
    pub(crate) fn combined(&self) -> PathBuf {
        let path = self.certificate.with_extension("pem");
        let text = [&self.certificate, &self.key].map(|path| fs::read_to_string(path).unwrap());
        fs::write(&path, text.concat()).unwrap();
        path
    }

    /// What the openssl command says, as `AB:CD:…`.
    pub(crate) fn fingerprint(&self) -> String {
        let text = run(Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
            .arg(&self.certificate));
        text.trim().split_once('=').unwrap().1.to_owned()
    }
}

/// The DER of a PEM file, by the openssl command.
pub(crate) fn der(path: &Path) -> Vec<u8> {
    let done = Command::new("openssl")
        .args(["x509", "-outform", "DER", "-in"])
        .arg(path)
        .output()
        .unwrap();
    assert!(done.status.success());
    done.stdout
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A server that is ended with the test, with all processes of its session.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it in a session of its own; what it says goes to a file.
    pub(crate) fn start(directory: &Path, command: &mut Command) -> Self {
        let log = directory.join(format!("{}.log", free_port()));
        let file = fs::File::create(&log).unwrap();
        let mut wrapped = Command::new("setsid");
        wrapped
            .arg("--wait")
            .arg(command.get_program())
            .args(command.get_args());
        if let Some(place) = command.get_current_dir() {
            wrapped.current_dir(place);
        }
        let child = wrapped
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Waits until it accepts connections.
    pub(crate) fn listening(mut self, address: SocketAddr) -> Self {
        self.wait_until(&format!("listen at {address}"), |_| {
            TcpStream::connect(address).is_ok()
        });
        self
    }

    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < Duration::from_secs(60),
                "the server does not {what}: {}",
                fs::read_to_string(&self.log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Its processes, parents first. `setsid` has become the program itself.
    pub(crate) fn pids(&self) -> Vec<Pid> {
        let first = Pid::from_child(&self.child);
        let mut all = vec![first];
        all.extend(descendants(first));
        all
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in self.pids() {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn descendants(above: Pid) -> Vec<Pid> {
    let task = format!("/proc/{0}/task/{0}/children", above.as_raw_nonzero());
    let children = fs::read_to_string(task).unwrap_or_default();
    let mut found = Vec::new();
    for child in children.split_ascii_whitespace() {
        let child = Pid::from_raw(child.parse().unwrap()).unwrap();
        found.push(child);
        found.extend(descendants(child));
    }
    found
}

/// `openssl s_server` with a certificate, at 127.0.0.1.
pub(crate) fn s_server(directory: &Path, port: u16, pair: &Pair, more: &[&str]) -> Server {
    s_server_at(loopback(port), directory, pair, more)
}

pub(crate) fn s_server_at(
    address: SocketAddr,
    directory: &Path,
    pair: &Pair,
    more: &[&str],
) -> Server {
    let mut command = Command::new("openssl");
    command.args([
        "s_server",
        "-quiet",
        "-accept",
        &address.to_string(),
        "-cert",
    ]);
    command
        .arg(&pair.certificate)
        .arg("-key")
        .arg(&pair.key)
        .args(more);
    Server::start(directory, &mut command).listening(address)
}

/// Probes an address as this process reaches it.
pub(crate) fn probe(address: SocketAddr, ask: &Ask) -> Result<Held> {
    Prober::new()
        .unwrap()
        .probe(&Place::anywhere(address), ask, PATIENCE)
}

pub(crate) fn asking_for(name: &str) -> Ask {
    Ask {
        server_name: Some(ServerName::parse(name).unwrap()),
        ..Ask::default()
    }
}
