// SPDX-License-Identifier: Apache-2.0
//! `kill -9` inside every request of a certificate, before the server heard it and after: the next run ends well.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pki::{Curve, KeyAlgorithm, KeyFormat, PrivateKey};
use serde_json::json;
use testbed::Sandbox;
use testbed::servers::{DnsStandIn, Release, Rule, Settings};

use crate::world::{World, request};

/// The example, which cargo builds along with the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/one_certificate")
}

/// Python's own web server before a directory; it ends with the value.
struct WebServer(Child);

impl WebServer {
    fn start(port: u16, directory: &Path) -> Self {
        let child = Command::new("python3")
            .args([
                "-m",
                "http.server",
                "--bind",
                "127.0.0.1",
                &port.to_string(),
                "--directory",
            ])
            .arg(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Host {
    world: World,
    home: Sandbox,
    _web: WebServer,
    _dns: DnsStandIn,
}

impl Host {
    fn new() -> Self {
        let home = Sandbox::new();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        std::fs::create_dir(home.join("www")).unwrap();
        let web = WebServer::start(port, &home.join("www"));
        let dns = DnsStandIn::start(Some(Ipv4Addr::LOCALHOST.into()));
        // A refused nonce would count as a request of its own.
        let settings = Settings::validating(Release::New, port)
            .dns(dns.address())
            .environment("PEBBLE_WFE_NONCEREJECT", "0")
            .configuration(json!({"retryAfter": {"authz": 0, "order": 0}}));
        let world = World::new(&settings);
        let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
        home.write("account.pem", &*key.to_pem(KeyFormat::Pkcs8, None).unwrap());
        home.write("ca.pem", world.proxy.ca_pem());
        let host = Self {
            world,
            home,
            _web: web,
            _dns: dns,
        };
        host.want("warm-up.example");
        host
    }

    /// A new certificate is wanted: another request, no state.
    fn want(&self, name: &str) {
        self.home.write("request.pem", request(&[name]).0.to_pem());
        let _ = std::fs::remove_file(self.home.join("state/main.json"));
        std::fs::create_dir_all(self.home.join("state")).unwrap();
    }

    fn start(&self) -> Child {
        let inside = |name| self.home.join(name);
        Command::new(program())
            .arg(self.world.proxy.url("/dir"))
            .args([
                inside("ca.pem"),
                inside("account.pem"),
                inside("request.pem"),
            ])
            .args([inside("state/main.json"), inside("www")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts it, waits until the request is out, and kills it there.
    fn kill_in(&self, matches: &str, rule: Rule) {
        let before = self.world.proxy.count(matches);
        self.world.fault(vec![rule]);
        let mut child = self.start();
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.world.proxy.count(matches) == before {
            assert!(Instant::now() < deadline, "no {matches}");
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended before {matches}"
            );
            thread::sleep(Duration::from_millis(10));
        }
        // What the server does with what it heard takes a moment.
        thread::sleep(Duration::from_millis(100));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        self.world.fault(Vec::new());
    }

    fn finish(&self) -> Vec<u8> {
        let output = self.start().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        output.stdout
    }
}

#[test]
fn a_process_that_is_killed_inside_any_request_is_gone_on_with() {
    let host = Host::new();
    host.finish();
    let requests = [
        "HEAD /nonce-plz",
        "POST /sign-me-up",
        "POST /order-plz",
        "POST /authZ/",
        "POST /chalZ/",
        "POST /my-order/",
        "POST /finalize-order/",
        "POST /certZ/",
    ];
    for (number, matches) in requests.into_iter().enumerate() {
        for (heard, rule) in [
            (false, Rule::hang(matches, 1)),
            (true, Rule::hang_after(matches, 1)),
        ] {
            let name = format!("n{number}-{heard}.example");
            host.want(&name);
            let proxy = &host.world.proxy;
            let counts = || {
                (
                    proxy.count("POST /order-plz"),
                    proxy.count("POST /finalize-order/"),
                )
            };
            let (orders, finalized) = counts();
            host.kill_in(matches, rule);
            let chain = host.finish();
            let root = host.world.pebble.root_pem(0);
            testbed::witness::verify(root, &chain, &chain, &name).unwrap();
            let (orders, finalized) = (counts().0 - orders, counts().1 - finalized);
            // Only an order whose answer was cut is made twice, and only a request that the server did not hear.
            assert_eq!(
                orders,
                if matches == "POST /order-plz" { 2 } else { 1 },
                "{matches} {heard}"
            );
            let twice = matches == "POST /finalize-order/" && !heard;
            assert_eq!(finalized, if twice { 2 } else { 1 }, "{matches} {heard}");
        }
    }
    let shown = host.home.join("www/.well-known/acme-challenge");
    let shown = std::fs::read_dir(shown).unwrap().count();
    assert_eq!(
        shown, 0,
        "what a killed run showed is taken back by the next"
    );
    let left = std::fs::read_dir(host.home.join("state")).unwrap().count();
    assert_eq!(left, 1, "nothing lies beside the state");
}
