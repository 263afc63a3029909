// SPDX-License-Identifier: Apache-2.0
//! OpenBao, the free Vault, whose PKI is an ACME server too: another one than Pebble, in a private directory.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bao::{BaoRelease, two_free_ports};
use super::https::exchange;
use crate::{Sandbox, must};

/// How long it may take until it listens: the program has 182 MB.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server in memory, with a root, an authority below it and ACME that wants external credentials. It is killed
/// when this is dropped.
#[derive(Debug)]
pub struct OpenBao {
    process: Child,
    directory: Sandbox,
    port: u16,
    root: Vec<u8>,
}

impl OpenBao {
    /// How long its certificates are valid, in seconds.
    pub const LIFETIME: i64 = 30 * 86_400;

    /// The token that may do everything.
    pub const TOKEN: &str = "token-of-the-test";

    /// Starts one that asks `dns` for the records of challenges.
    #[track_caller]
    pub fn start(dns: SocketAddr) -> Self {
        let mut server = Self::empty();
        server.configure(dns);
        server
    }

    /// Starts one with nothing in it.
    #[track_caller]
    pub fn empty() -> Self {
        // Somebody outside of these tests may be in the way; then it ends at once.
        for _ in 0..10 {
            let mut server = Self::spawn();
            if server.listens() {
                return server;
            }
            assert!(
                server.log().contains("address already in use"),
                "openbao does not listen: {}",
                server.log()
            );
        }
        must(Err("ten ports were taken"), "cannot start openbao")
    }

    #[track_caller]
    fn spawn() -> Self {
        let directory = Sandbox::new();
        // The next one is found for nobody else either: it listens there, too.
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, two_free_ports()));
        must(fs::create_dir(directory.join("tls")), "cannot make it");
        let log = must(File::create(directory.join("log")), "cannot make a log");
        let errors = must(log.try_clone(), "cannot share the log");
        let mut command = Command::new(BaoRelease::Current.program());
        command.args(["server", "-dev", "-dev-no-store-token", "-dev-tls"]);
        command.arg(format!("-dev-listen-address={address}"));
        command.arg(format!("-dev-root-token-id={}", Self::TOKEN));
        let tls = directory.join("tls").display().to_string();
        command.arg(format!("-dev-tls-cert-dir={tls}"));
        // It keeps files of the user's in the home directory, and settings in the environment.
        command.env_clear().env("HOME", directory.path());
        let command = command.stdin(Stdio::null()).stdout(log).stderr(errors);
        Self {
            process: must(command.spawn(), "cannot start openbao"),
            directory,
            port: address.port(),
            root: Vec::new(),
        }
    }

    /// A root in one place, in another an authority that it signed, a role and ACME.
    #[track_caller]
    fn configure(&mut self, dns: SocketAddr) {
        let year = json!({"max_lease_ttl": "8760h"});
        self.api("sys/mounts/root", &json!({"type": "pki", "config": year}));
        let key = json!({"common_name": "Bao Root", "key_type": "ec", "key_bits": 256});
        let root = self.api("root/root/generate/internal", &key);
        self.root = text(&root, "certificate").into_bytes();
        // Without these headers an ACME client gets no nonce.
        let headers = ["Location", "Replay-Nonce", "Link"];
        let config = json!({"max_lease_ttl": "8760h", "allowed_response_headers": headers});
        self.api("sys/mounts/pki", &json!({"type": "pki", "config": config}));
        let key = json!({"common_name": "Bao Issuing", "key_type": "ec", "key_bits": 256});
        let request = text(&self.api("pki/intermediate/generate/internal", &key), "csr");
        let sign = json!({"csr": request, "ttl": "4380h"});
        let signed = text(
            &self.api("root/root/sign-intermediate", &sign),
            "certificate",
        );
        let chain = format!("{signed}\n{}", String::from_utf8_lossy(&self.root));
        self.api(
            "pki/intermediate/set-signed",
            &json!({"certificate": chain}),
        );
        let path = format!("https://localhost:{}/v1/pki", self.port);
        self.api("pki/config/cluster", &json!({"path": path}));
        let ttl = Self::LIFETIME;
        let role = json!({"allow_any_name": true, "key_type": "any", "ttl": ttl, "max_ttl": ttl, "no_store": false});
        self.api("pki/roles/web", &role);
        let acme = json!({
            "enabled": true,
            "default_directory_policy": "role:web",
            "allowed_roles": ["web"],
            "eab_policy": "always-required",
            "dns_resolver": dns.to_string(),
        });
        self.api("pki/config/acme", &acme);
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// What it printed as the key that unseals it.
    #[track_caller]
    pub fn unseal_key(&self) -> String {
        let log = self.log();
        let found = log
            .lines()
            .find_map(|line| line.strip_prefix("Unseal Key: "));
        must(found.ok_or("no such line"), "it has no key")
            .trim()
            .to_owned()
    }

    /// The directory of its ACME.
    pub fn directory_url(&self) -> String {
        format!("https://localhost:{}/v1/pki/acme/directory", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority of its HTTPS, in PEM.
    pub fn ca_pem(&self) -> Vec<u8> {
        self.directory.read("tls/vault-ca.pem")
    }

    /// The root that its certificates lead to, in PEM.
    pub fn root_pem(&self) -> &[u8] {
        &self.root
    }

    /// New external credentials for one account: the name of the key, and the key in base64url.
    #[track_caller]
    pub fn credentials(&self) -> (String, String) {
        let made = self.api("pki/acme/new-eab", &json!({}));
        (text(&made, "id"), text(&made, "key"))
    }

    /// When it revoked the certificate with this serial, in hexadecimal, in seconds since 1970; 0 if it did not.
    #[track_caller]
    pub fn revoked_at(&self, serial: &str) -> i64 {
        self.revoked_at_in("pki", serial)
    }

    /// The same of a mount.
    #[track_caller]
    pub fn revoked_at_in(&self, mount: &str, serial: &str) -> i64 {
        let lower = serial.to_ascii_lowercase();
        let pairs: Vec<_> = lower
            .as_bytes()
            .chunks(2)
            .map(String::from_utf8_lossy)
            .collect();
        let shown = self.ask("GET", &format!("{mount}/cert/{}", pairs.join("-")), b"");
        let at = &shown["data"]["revocation_time"];
        must(at.as_i64().ok_or(&shown), "it says nothing of revocation")
    }

    /// What it printed.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.directory.read("log")).into_owned()
    }

    /// Posts JSON to its own API, with the root token, and expects success.
    #[track_caller]
    pub fn api(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, body.to_string().as_bytes())
    }

    /// What it answers to a method and a path, which must be a success.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> Value {
        let (status, said) = self.answer(method, path, body);
        assert!((200..300).contains(&status), "{path}: {status} {said}");
        said
    }

    /// The same, with its status; what is no JSON is null.
    #[track_caller]
    pub fn answer(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        self.answer_with(&[], method, path, body)
    }

    /// What it answers to a method and a path with further headers, their names in lower case; it must be a success.
    #[track_caller]
    pub fn ask_with(
        &self,
        more: &[(String, String)],
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Value {
        let (status, said) = self.answer_with(more, method, path, body);
        assert!((200..300).contains(&status), "{path}: {status} {said}");
        said
    }

    #[track_caller]
    fn answer_with(
        &self,
        more: &[(String, String)],
        method: &str,
        path: &str,
        body: &[u8],
    ) -> (u16, Value) {
        let mut headers = vec![("x-vault-token".to_owned(), Self::TOKEN.to_owned())];
        headers.extend_from_slice(more);
        let answer = exchange(self.port, method, &format!("/v1/{path}"), &headers, body);
        let (status, _, body) = must(answer, "cannot ask openbao");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
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
            if self.log().contains("Root Token:") {
                return TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            }
            assert!(
                Instant::now() < deadline,
                "openbao does not listen: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        // It may have ended by itself; the test has its verdict.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn text(answer: &Value, member: &str) -> String {
    let found = answer["data"][member].as_str();
    must(found.ok_or(answer), "openbao answers something else").to_owned()
}
