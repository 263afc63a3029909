// SPDX-License-Identifier: Apache-2.0
//! Authorities and certificates by the openssl command, and real servers as child processes.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::servers::free_port;
use testbed::{Answer, ModuleRun};

const EC: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];
/// Debian's package libfaketime: certificates that were made in the past, or will be.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A private directory with a root, and an intermediate below it.
pub(crate) struct Pki {
    directory: TempDir,
}

/// How a leaf differs from a good one.
#[derive(Clone, Default)]
pub(crate) struct Leaf<'a> {
    /// What `openssl req` is told of the key.
    pub(crate) key: Option<&'a [&'a str]>,
    /// Lines of extensions, beside the name.
    pub(crate) extensions: &'a str,
    /// Such as `-10d`.
    pub(crate) made: Option<&'a str>,
    /// Its lifetime.
    pub(crate) days: Option<u32>,
    /// Such as `-sha1`.
    pub(crate) digest: Option<&'a str>,
    /// Make it again for the key that is there.
    pub(crate) again: bool,
}

/// A certificate, its key and what is above it.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("tls-everywhere-check.")
            .tempdir_in("/var/tmp")
            .unwrap();
        run(Command::new("chmod").arg("0755").arg(directory.path()));
        let pki = Self { directory };
        pki.openssl(["req", "-x509"].into_iter().chain(EC).chain([
            "-subj",
            "/CN=Test Root",
            "-days",
            "3650",
            "-addext",
            "keyUsage=keyCertSign,cRLSign",
            "-keyout",
            "root.key",
            "-out",
            "root.pem",
        ]));
        pki.authority("sub", "root");
        pki
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn place(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn openssl<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let mut command = Command::new("openssl");
        run(command.current_dir(self.place()).args(arguments))
    }

    /// An intermediate.
    pub(crate) fn authority(&self, name: &str, above: &str) {
        let (key, request, certificate) = (
            format!("{name}.key"),
            format!("{name}.csr"),
            format!("{name}.pem"),
        );
        let subject = format!("/CN=Test {name}");
        self.openssl(
            ["req"]
                .into_iter()
                .chain(EC)
                .chain(["-subj", &subject, "-keyout", &key, "-out", &request]),
        );
        let text = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
        fs::write(self.path("authority.ext"), text).unwrap();
        let (issuer, issuer_key) = (format!("{above}.pem"), format!("{above}.key"));
        self.openssl([
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &issuer,
            "-CAkey",
            &issuer_key,
            "-CAcreateserial",
            "-days",
            "1825",
            "-extfile",
            "authority.ext",
            "-out",
            &certificate,
        ]);
    }

    /// A good leaf below the intermediate.
    pub(crate) fn leaf(&self, name: &str) -> Pair {
        self.leaf_of("sub", name, &Leaf::default())
    }

    pub(crate) fn leaf_of(&self, issuer: &str, name: &str, wish: &Leaf<'_>) -> Pair {
        let (key, request, certificate) = (
            format!("{name}.key"),
            format!("{name}.csr"),
            format!("{name}.pem"),
        );
        let subject = format!("/CN={name}");
        if !wish.again {
            let kind = wish.key.unwrap_or(&EC);
            let about = ["-subj", &subject, "-keyout", &key, "-out", &request];
            self.openssl(
                ["req", "-nodes"]
                    .into_iter()
                    .chain(kind.iter().copied())
                    .chain(about),
            );
        }
        let text = format!("subjectAltName=DNS:{name}\n{}\n", wish.extensions);
        fs::write(self.path("leaf.ext"), text).unwrap();
        let (above, above_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        let days = wish.days.unwrap_or(90).to_string();
        let mut command = Command::new("openssl");
        command.current_dir(self.place()).args([
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &above,
            "-CAkey",
            &above_key,
            "-CAcreateserial",
            "-days",
            &days,
            "-extfile",
            "leaf.ext",
            "-out",
            &certificate,
        ]);
        command.args(wish.digest);
        if let Some(made) = wish.made {
            assert!(
                Path::new(FAKETIME).exists(),
                "{FAKETIME} is missing; install it with: scripts/setup-debian test"
            );
            command.env("LD_PRELOAD", FAKETIME).env("FAKETIME", made);
        }
        run(&mut command);
        run(Command::new("chmod").arg("0644").arg(self.path(&key)));
        Pair {
            certificate: self.path(&certificate),
            key: self.path(&key),
        }
    }

    /// One file of several, in this order.
    pub(crate) fn bundle(&self, name: &str, parts: &[&Path]) -> PathBuf {
        let text: Vec<String> = parts
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let path = self.path(name);
        fs::write(&path, text.concat()).unwrap();
        path
    }

    /// Leaf, key and intermediate, as HAProxy wants them.
    pub(crate) fn combined(&self, pair: &Pair, name: &str) -> PathBuf {
        self.bundle(name, &[&pair.certificate, &pair.key, &self.path("sub.pem")])
    }

    /// `openssl s_server` with the whole chain.
    pub(crate) fn s_server(&self, pair: &Pair, more: &[&str]) -> (Server, u16) {
        let chain = self.path("sub.pem").display().to_string();
        let all: Vec<&str> = ["-cert_chain", &chain]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        self.bare_s_server(pair, &all)
    }

    /// `openssl s_server` with the leaf alone.
    pub(crate) fn bare_s_server(&self, pair: &Pair, more: &[&str]) -> (Server, u16) {
        let port = free_port();
        let mut command = Command::new("openssl");
        let at = format!("127.0.0.1:{port}");
        command.args(["s_server", "-quiet", "-accept", &at, "-cert"]);
        command
            .arg(&pair.certificate)
            .arg("-key")
            .arg(&pair.key)
            .args(more);
        (
            Server::start(&mut command, SocketAddr::from(([127, 0, 0, 1], port))),
            port,
        )
    }

    /// HAProxy with frontends at these ports, each a line of `bind`.
    pub(crate) fn haproxy(&self, binds: &[(u16, String)]) -> Server {
        let mut text = String::from(
            "global\n maxconn 4000\ndefaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 60s\n",
        );
        for (port, options) in binds {
            text.push_str(&format!("frontend f{port}\n bind 127.0.0.1:{port} {options}\n http-request return status 200\n"));
        }
        let path = self.path(&format!("haproxy-{}.cfg", binds[0].0));
        fs::write(&path, text).unwrap();
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(path);
        Server::start(&mut command, SocketAddr::from(([127, 0, 0, 1], binds[0].0)))
    }

    /// Runs the module; the root of this place is trusted and nothing else.
    pub(crate) fn check(&self, options: Value) -> Answer {
        let mut all = json!({"trust": {"system": false, "ca_path": [self.path("root.pem")]}, "fail_on": "none", "timeout": 30});
        for (name, value) in options.as_object().unwrap() {
            all[name] = value.clone();
        }
        ModuleRun::new(env!("CARGO_BIN_EXE_cert_check"))
            .args(all)
            .on_stdin()
            .run()
    }

    /// The kinds that are found at one endpoint.
    pub(crate) fn kinds_at(&self, endpoint: Value) -> Vec<String> {
        let answer = self.check(json!({"endpoints": [endpoint]}));
        kinds(&answer.value["endpoints"][0])
    }
}

/// An endpoint of this host that asks for a name.
pub(crate) fn at(port: u16, name: &str) -> Value {
    json!({"host": "127.0.0.1", "port": port, "sni": name, "service": name, "starttls": "none"})
}

/// `level kind` of each finding.
pub(crate) fn kinds(entry: &Value) -> Vec<String> {
    let findings = entry["findings"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|each| format!("{} {}", word(&each["level"]), word(&each["kind"])))
        .collect()
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
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A server that ends with the test.
pub(crate) struct Server(Child);

impl Server {
    /// Starts it and waits until it accepts connections.
    pub(crate) fn start(command: &mut Command, address: SocketAddr) -> Self {
        let spawned = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = spawned.unwrap_or_else(|error| {
            panic!("cannot run {command:?}: {error}; install it with: scripts/setup-debian test")
        });
        let mut server = Self(child);
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = server.0.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < Duration::from_secs(60),
                "{command:?} does not listen: {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
