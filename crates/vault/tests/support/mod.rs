// SPDX-License-Identifier: Apache-2.0
//! What the tests of this crate share.
#![allow(dead_code, reason = "each test program takes a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::servers::{BaoRelease, BaoServer};
use vault::{Auth, Held, Secret, Settings, Vault};

/// One server for all tests of a program that run at the same time; it ends with the last of them.
pub(crate) fn shared() -> Arc<BaoServer> {
    static SHARED: Mutex<Weak<BaoServer>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Arc::new(BaoServer::start_tls(BaoRelease::chosen()));
    *shared = Arc::downgrade(&server);
    server
}

pub(crate) fn token(text: &str) -> Auth {
    Auth::Token(Held::Given(Secret::new(text)))
}

/// A connection to a server that verifies its certificate.
pub(crate) fn settings(server: &BaoServer, auth: Auth) -> Settings {
    let trust = match server.url().starts_with("https") {
        true => web::Trust::Only(server.ca_pem()),
        false => web::Trust::System,
    };
    Settings {
        addresses: vec![server.url()],
        trust,
        retry_window: Duration::from_secs(10),
        auth,
        ..Settings::default()
    }
}

pub(crate) fn open(server: &BaoServer, auth: Auth) -> Vault {
    Vault::open(settings(server, auth)).unwrap()
}

/// At these addresses, without TLS.
pub(crate) fn at(addresses: &[String], auth: Auth) -> Settings {
    Settings {
        addresses: addresses.to_vec(),
        retry_window: Duration::from_secs(5),
        auth,
        ..Settings::default()
    }
}

pub(crate) fn kind<T>(result: vault::Result<T>) -> &'static str {
    result.err().map_or("none", |error| error.kind())
}

/// A token with these policies.
pub(crate) fn made_token(server: &BaoServer, body: &Value) -> String {
    let made = server.api("auth/token/create", body);
    made["auth"]["client_token"].as_str().unwrap().to_owned()
}

/// A key and the request of it, made by the `openssl` command.
pub(crate) fn csr(name: &str) -> String {
    let output = Command::new("openssl")
        .args([
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes",
            "-keyout",
            "/dev/null",
            "-subj",
            &format!("/CN={name}"),
        ])
        .args(["-addext", &format!("subjectAltName=DNS:{name}")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A mount with a root and the role `web`, which takes every name.
pub(crate) fn with_root(vault: &Vault, mount: &str) {
    let year = json!({"max_lease_ttl": "8760h"});
    vault.enable(mount, "pki", "of a test", &year).unwrap();
    let pki = vault::pki::Mount::new(vault, mount);
    let root = json!({"common_name": "Root", "issuer_name": "root", "key_name": "root", "key_type": "ec", "ttl": "8000h"});
    pki.generate_root(&root).unwrap();
    let role = json!({"allow_any_name": true, "enforce_hostnames": false, "key_type": "any", "ttl": "24h", "max_ttl": "48h"});
    pki.write_role("web", &role).unwrap();
}

/// What a stand-in says: bytes of HTTP, or nothing at all, as one that dies does.
type Said = Option<Vec<u8>>;

/// A stand-in for what no good server does: it says what the test wants, byte by byte.
pub(crate) struct Hostile {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
}

impl Hostile {
    pub(crate) fn start(mut answer: impl FnMut(&str) -> Said + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, stopped) = (
            Arc::<Mutex<Vec<String>>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (log, until) = (Arc::clone(&asked), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let Some((head, stream)) = read(stream) else {
                    continue;
                };
                let said = answer(&head);
                log.lock().unwrap().push(head);
                if let (Some(said), mut stream) = (said, stream) {
                    let _ = stream.write_all(&said);
                }
            }
        });
        Self {
            port,
            asked,
            stopped,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lines and headers of what it was asked, as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn read(stream: TcpStream) -> Option<(String, TcpStream)> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? <= 2 {
            head.push_str("\r\n");
            break;
        }
        if let Some(size) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = size.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    head.push_str(&String::from_utf8_lossy(&body));
    Some((head, reader.into_inner()))
}

/// An answer with this status, these headers (lines) and body.
pub(crate) fn http(status: u16, headers: &str, body: &str) -> Said {
    let size = body.len();
    let text = format!(
        "HTTP/1.1 {status} Said\r\n{headers}Content-Length: {size}\r\nConnection: close\r\n\r\n{body}"
    );
    Some(text.into_bytes())
}

/// The same with JSON.
pub(crate) fn http_json(status: u16, headers: &str, body: &Value) -> Said {
    let headers = format!("{headers}Content-Type: application/json\r\n");
    http(status, &headers, &body.to_string())
}

/// A proxy before several servers: each request goes to the next of them, as many load balancers do.
pub(crate) struct RoundRobin(Hostile);

impl RoundRobin {
    pub(crate) fn start(urls: &[String]) -> Self {
        let port = |url: &String| url.rsplit(':').next().unwrap().parse().unwrap();
        let ports: Vec<u16> = urls.iter().map(port).collect();
        let mut next = ports.into_iter().cycle();
        Self(Hostile::start(move |request| {
            let mut server = TcpStream::connect(("127.0.0.1", next.next()?)).ok()?;
            let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            server.write_all(request.as_bytes()).ok()?;
            let mut said = Vec::new();
            server.read_to_end(&mut said).ok()?;
            Some(said)
        }))
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }
}
