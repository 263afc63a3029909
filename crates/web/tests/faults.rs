// SPDX-License-Identifier: Apache-2.0
//! What servers do, good and bad, over real TLS: the proxy of the testbed answers, and Pebble once.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use testbed::Sandbox;
use testbed::servers::{
    Certificate, FaultProxy, Pebble, Release, Rule, Settings as PebbleSettings,
};
use web::{Client, Error, Identity, Method, Request, Resolver, Settings, Trust};

struct World {
    _directory: Sandbox,
    server: FaultProxy,
}

impl World {
    fn new(rules: Vec<Rule>) -> Self {
        let directory = Sandbox::new();
        let certificate = Certificate::make(directory.path());
        let server = FaultProxy::start(None, &certificate);
        server.set(rules);
        Self {
            _directory: directory,
            server,
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            trust: Trust::Only(self.server.ca_pem().to_vec()),
            timeout: Duration::from_secs(5),
            ..Settings::default()
        }
    }

    fn get(&self, settings: &Settings, path: &str) -> web::Result<web::Response> {
        let request = Request::new(Method::Get, self.server.url(path));
        Client::new(settings)?.send(&request)
    }

    fn refused(&self, path: &str) -> Error {
        self.get(&self.settings(), path).unwrap_err()
    }
}

fn json_rule(path: &str, body: &str) -> Rule {
    let headers = [
        ("Content-Type", "application/json"),
        ("X-Mark", "1"),
        ("X-Mark", "2"),
    ];
    Rule::answer(path, 10, 200, &headers, body)
}

#[test]
fn a_real_server_is_asked() {
    let pebble = Pebble::start(&PebbleSettings::always_valid(Release::Stable));
    for trust in [
        Trust::Only(pebble.certificate().pem.clone()),
        Trust::Also(pebble.certificate().pem.clone()),
        Trust::Anybody,
    ] {
        let client = Client::new(&Settings {
            trust,
            ..Settings::default()
        });
        let request = Request::new(Method::Get, pebble.directory_url());
        let answer = client.unwrap().send(&request).unwrap();
        let directory: serde_json::Value = answer.json().unwrap();
        assert!(directory["newOrder"].is_string(), "{directory}");
    }
}

#[test]
fn headers_status_and_body_come_back() {
    let world = World::new(vec![json_rule("GET /a", "{\"n\": 1}")]);
    let answer = world.get(&world.settings(), "/a").unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &b"{\"n\": 1}"[..])
    );
    assert_eq!(
        answer.headers_named("x-mark").collect::<Vec<_>>(),
        ["1", "2"]
    );
    let missing = world.get(&world.settings(), "/b").unwrap();
    assert_eq!((missing.status, missing.is_success()), (404, false));
}

#[test]
fn the_certificate_of_a_stranger_is_told_with_its_reason() {
    let world = World::new(Vec::new());
    let error = world.get(&Settings::default(), "/a").unwrap_err();
    assert_eq!(error.kind(), "web.untrusted");
    let shown = error.to_string();
    assert!(
        shown.ends_with("not trusted: self-signed certificate"),
        "{shown}"
    );
    assert!(error.is_before_sending());
}

/// Everybody is on the loopback.
struct Loopback;

impl Resolver for Loopback {
    fn addresses(&self, _: &str, _: Instant) -> Result<Vec<IpAddr>, String> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

#[test]
fn a_certificate_for_another_name_is_told_with_its_reason() {
    let world = World::new(Vec::new());
    let settings = Settings {
        resolver: Arc::new(Loopback),
        ..world.settings()
    };
    let url = format!("https://other.example:{}/", world.server.port());
    let client = Client::new(&settings).unwrap();
    let error = client.send(&Request::new(Method::Get, url)).unwrap_err();
    assert_eq!(error.kind(), "web.untrusted");
    assert!(error.to_string().ends_with("hostname mismatch"), "{error}");
}

#[test]
fn a_name_without_address_is_not_a_failed_connection() {
    struct Nobody;
    impl Resolver for Nobody {
        fn addresses(&self, host: &str, _: Instant) -> Result<Vec<IpAddr>, String> {
            Err(format!("'{host}' does not exist"))
        }
    }
    let settings = Settings {
        resolver: Arc::new(Nobody),
        ..Settings::default()
    };
    let request = Request::new(Method::Get, "https://user:pass@no.example/x?token=1");
    let error = Client::new(&settings).unwrap().send(&request).unwrap_err();
    assert_eq!(error.kind(), "web.resolve");
    assert_eq!(
        error.to_string(),
        "cannot resolve 'no.example': 'no.example' does not exist"
    );
}

#[test]
fn a_closed_port_and_a_server_without_tls_are_told_apart() {
    let port = testbed::servers::free_port();
    let client = Client::new(&Settings::default()).unwrap();
    let url = format!("https://user:pass@127.0.0.1:{port}/x?token=secret");
    let error = client.send(&Request::new(Method::Get, url)).unwrap_err();
    assert_eq!(error.kind(), "web.connect");
    assert!(!error.to_string().contains("secret") && !error.to_string().contains("pass"));
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", plain.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = plain.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        // What servers of plain HTTP say to a handshake.
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            .unwrap();
    });
    let error = client.send(&Request::new(Method::Get, url)).unwrap_err();
    assert_eq!(error.kind(), "web.tls", "{error}");
    served.join().unwrap();
}

#[test]
fn a_server_that_says_nothing_or_never_ends_is_left_in_time() {
    let world = World::new(vec![Rule::hang("/hang", 1), Rule::trickle("/trickle", 1)]);
    let settings = Settings {
        timeout: Duration::from_millis(1_500),
        ..world.settings()
    };
    for path in ["/hang", "/trickle"] {
        let begin = Instant::now();
        let error = world.get(&settings, path).unwrap_err();
        assert_eq!(error.kind(), "web.timed_out", "{path}: {error}");
        assert!(begin.elapsed() < Duration::from_secs(15), "{path}");
        assert!(!error.is_before_sending());
    }
}

#[test]
fn a_server_that_takes_the_connection_and_speaks_no_tls_was_not_asked_anything() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings {
        connect_timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let client = Client::new(&settings).unwrap();
    let error = client.send(&Request::new(Method::Post, url)).unwrap_err();
    assert_eq!(error.kind(), "web.connect", "{error}");
    assert!(error.is_before_sending());
}

/// As a load balancer does that has no server behind it: it closes, or resets what was sent already.
#[test]
fn a_connection_that_is_cut_off_in_the_handshake_is_a_failed_connection() {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        // Who closes without reading resets.
        let (mut closed, _) = listener.accept().unwrap();
        let _ = closed.read(&mut [0; 4096]).unwrap();
        drop(closed);
        let (reset, _) = listener.accept().unwrap();
        reset.peek(&mut [0; 1]).unwrap();
    });
    let client = Client::new(&Settings::default()).unwrap();
    for _ in 0..2 {
        let error = client.send(&Request::new(Method::Post, url.clone()));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), "web.connect", "{error}");
        assert!(
            error.to_string().contains("cut off in the TLS handshake"),
            "{error}"
        );
        assert!(error.is_before_sending());
    }
    served.join().unwrap();
}

/// `openssl s_server -Verify` ends a connection whose client shows no certificate.
#[test]
fn a_client_certificate_is_shown_to_a_real_server_that_wants_one() {
    let directory = Sandbox::new();
    let certificate = Certificate::make(directory.path());
    let port = testbed::servers::free_port();
    let mut server = std::process::Command::new("openssl")
        .args([
            "s_server",
            "-quiet",
            "-www",
            "-Verify",
            "1",
            "-verify_return_error",
        ])
        .args([
            "-cert",
            "https.pem",
            "-key",
            "https.key",
            "-CAfile",
            "https.pem",
        ])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .current_dir(directory.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let ask = |identity| {
        let settings = Settings {
            trust: Trust::Only(certificate.pem.clone()),
            identity,
            timeout: Duration::from_secs(5),
            ..Settings::default()
        };
        let request = Request::new(Method::Get, format!("https://localhost:{port}/"));
        Client::new(&settings).unwrap().send(&request)
    };
    let without = ask(None);
    let with = ask(Some(Identity {
        chain: certificate.pem.clone(),
        private_key: certificate.key.clone(),
    }));
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(without.is_err());
    let page = String::from_utf8(with.unwrap().body).unwrap();
    assert!(
        page.contains("Client certificate") && page.contains("testbed https"),
        "{page}"
    );
}

#[test]
fn a_huge_answer_is_not_taken() {
    let huge = "x".repeat((1 << 20) + 1);
    let world = World::new(vec![json_rule("GET /huge", &huge)]);
    let error = world.refused("/huge");
    assert_eq!(error.kind(), "web.too_large");
    let settings = Settings {
        body_limit: 2 << 20,
        ..world.settings()
    };
    assert_eq!(
        world.get(&settings, "/huge").unwrap().body.len(),
        huge.len()
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let away = [("Location", "https://evil.example/")];
    let world = World::new(vec![Rule::answer("GET /a", 1, 302, &away, "")]);
    let answer = world.get(&world.settings(), "/a").unwrap();
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("https://evil.example/"))
    );
    assert_eq!(world.server.log(), ["GET /a"]);
}

#[test]
fn a_lost_answer_is_not_asked_for_again() {
    let world = World::new(vec![
        json_rule("/ok", "{}"),
        Rule::lose_answer("POST /order", 9),
    ]);
    let client = Client::new(&world.settings()).unwrap();
    // On a connection that was used before, where some clients repeat by themselves.
    client
        .send(&Request::new(Method::Get, world.server.url("/ok")))
        .unwrap();
    let request = Request::new(Method::Post, world.server.url("/order"));
    let error = client
        .send(&request.json(&serde_json::json!({})))
        .unwrap_err();
    assert_eq!(error.kind(), "web.broken", "{error}");
    assert_eq!(world.server.count("POST /order"), 1);
}

#[test]
fn http_is_asked_only_where_it_is_allowed() {
    let plain = testbed::servers::ChallengeStandIn::start();
    plain.put("/x", "here");
    let request = Request::new(Method::Get, format!("http://127.0.0.1:{}/x", plain.port()));
    let error = Client::new(&Settings::default())
        .unwrap()
        .send(&request)
        .unwrap_err();
    assert_eq!(error.kind(), "web.url");
    let settings = Settings {
        allow_http: true,
        ..Settings::default()
    };
    let answer = Client::new(&settings).unwrap().send(&request).unwrap();
    assert_eq!(answer.body, b"here");
}

#[test]
fn the_proxy_of_the_settings_is_asked_and_none_else() {
    let proxy = testbed::servers::ChallengeStandIn::start();
    proxy.put("http://far.example/x", "through the proxy");
    let settings = Settings {
        allow_http: true,
        proxy: Some(format!("http://127.0.0.1:{}", proxy.port())),
        ..Settings::default()
    };
    let request = Request::new(Method::Get, "http://far.example/x");
    let answer = Client::new(&settings).unwrap().send(&request).unwrap();
    assert_eq!(answer.body, b"through the proxy");
}

/// A stand-in for a proxy that knows CONNECT and one way: it leads to the port, whatever is asked for.
fn tunnel_stand_in(to: u16) -> (u16, std::thread::JoinHandle<String>) {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(client.try_clone().unwrap());
        let (mut first, mut head) = (String::new(), String::new());
        reader.read_line(&mut first).unwrap();
        while reader.read_line(&mut head).unwrap() > 2 {}
        let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        (&client)
            .write_all(b"HTTP/1.1 200 Connected\r\n\r\n")
            .unwrap();
        let (mut up, mut down) = (server.try_clone().unwrap(), client);
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut reader, &mut up);
            let _ = up.shutdown(std::net::Shutdown::Both);
        });
        let _ = std::io::copy(&mut &server, &mut down);
        first + &head
    });
    (port, served)
}

#[test]
fn https_goes_through_a_proxy_as_a_tunnel_and_names_are_looked_up_there() {
    let world = World::new(vec![json_rule("GET /a", "{}")]);
    let (port, served) = tunnel_stand_in(world.server.port());
    let settings = Settings {
        proxy: Some(format!("http://user:secret@127.0.0.1:{port}")),
        ..world.settings()
    };
    assert!(!format!("{settings:?}").contains("secret"));
    // `localhost` is what the certificate is for; only the proxy could find it elsewhere.
    let answer = world.get(&settings, "/a").unwrap();
    assert_eq!(answer.body, b"{}");
    drop(world);
    let asked = served.join().unwrap();
    assert!(asked.starts_with("CONNECT localhost:"), "{asked}");
    assert!(
        asked
            .to_ascii_lowercase()
            .contains("proxy-authorization: basic "),
        "{asked}"
    );
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let with = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        Client::new(&settings).unwrap_err().to_string()
    };
    let ca = with(|settings| settings.trust = Trust::Also(b"no certificate".to_vec()));
    assert_eq!(
        ca,
        "the CA file cannot be used: it holds no certificate in PEM"
    );
    let proxy = with(|settings| settings.proxy = Some("proxy.example".to_owned()));
    assert!(proxy.starts_with("the proxy cannot be used"), "{proxy}");
    let identity = with(|settings| {
        settings.identity = Some(Identity {
            chain: b"x".to_vec(),
            private_key: b"secret".to_vec(),
        });
    });
    assert!(
        identity.starts_with("the client certificate cannot be used"),
        "{identity}"
    );
    assert!(!identity.contains("secret"));
}
