// SPDX-License-Identifier: Apache-2.0
//! What no good server answers: stand-ins say it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Hostile, at, http, http_json, kind, settings, shared, token};
use testbed::servers::{BaoRelease, BaoServer};
use vault::{Auth, Held, Repeat, Secret, SecretId, Vault};

fn open(addresses: &[String], auth: Auth) -> Vault {
    Vault::open(at(addresses, auth)).unwrap()
}

fn good(data: &Value) -> Option<Vec<u8>> {
    http_json(200, "", &json!({"request_id": "1", "data": data}))
}

/// Says this to the first question that is none for the leader, and is good later.
fn first(said: impl Fn() -> Option<Vec<u8>> + Send + 'static) -> Hostile {
    let mut is_first = true;
    Hostile::start(move |head| {
        if head.contains("sys/leader") {
            return http_json(200, "", &json!({"ha_enabled": false}));
        }
        match std::mem::replace(&mut is_first, false) {
            true => said(),
            false => good(&json!({"a": 1})),
        }
    })
}

#[test]
fn a_redirect_to_a_stranger_is_refused_and_the_token_does_not_get_there() {
    let stranger = Hostile::start(|_| good(&json!({})));
    let place = stranger.url();
    let redirecting = Hostile::start(move |head| match head.contains("sys/leader") {
        true => http_json(200, "", &json!({"ha_enabled": true, "is_self": true})),
        false => http(
            307,
            &format!("Location: {place}/v1/pki/roles/web?x=secret-query\r\n"),
            "",
        ),
    });
    let vault = open(&[redirecting.url()], token("secret-token"));
    let error = vault.read("pki/roles/web").unwrap_err();
    assert_eq!(error.kind(), "vault.redirect_refused");
    let words = error.to_string();
    assert!(
        words.contains(&stranger.url()) && !words.contains("secret"),
        "{words}"
    );
    assert_eq!(stranger.asked(), Vec::<String>::new());
    // Also to another scheme, and to a page of a login.
    for location in [
        "https://127.0.0.1:1/v1/x",
        "https://login.example/?return=a",
        "nonsense",
    ] {
        let server = Hostile::start(move |_| http(302, &format!("Location: {location}\r\n"), ""));
        let found = kind(open(&[server.url()], token("t")).read("pki/x"));
        assert_eq!(found, "vault.redirect_refused", "{location}");
    }
}

#[test]
fn a_redirect_to_one_of_ours_is_followed_with_method_body_and_token() {
    let ours = first(|| good(&json!({"from": "leader"})));
    let place = ours.url();
    let standby =
        Hostile::start(move |_| http(307, &format!("Location: {place}/v1/pki/roles/web\r\n"), ""));
    let mut settings = at(&[standby.url(), ours.url()], token("secret-token"));
    settings.pin_active = false;
    let vault = Vault::open(settings).unwrap();
    let answer = vault
        .write("pki/roles/web", &json!({"ttl": "1h"}), Repeat::Never)
        .unwrap();
    assert_eq!(answer.text("from").unwrap(), "leader");
    let asked = ours.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("POST /v1/pki/roles/web "), "{asked:?}");
    assert!(
        asked[0].contains("secret-token") && asked[0].ends_with(r#"{"ttl":"1h"}"#),
        "{asked:?}"
    );
}

/// Until the end of the window, since a cluster may come to another leader; and nobody asks the stranger.
#[test]
fn a_cluster_that_goes_on_naming_a_stranger_is_refused_in_the_end() {
    let stranger = Hostile::start(|_| good(&json!({})));
    let place = stranger.url();
    let server = Hostile::start(move |head| match head.contains("sys/leader") {
        true => http_json(200, "", &json!({"ha_enabled": true, "is_self": true})),
        false => http(307, &format!("Location: {place}/v1/pki/x\r\n"), ""),
    });
    let mut settings = at(&[server.url()], token("t"));
    settings.retry_window = Duration::from_secs(1);
    let error = Vault::open(settings).unwrap().read("pki/x").unwrap_err();
    assert_eq!(error.kind(), "vault.redirect_refused");
    assert!(
        error.to_string().contains("add it to them if it is a node"),
        "{error}"
    );
    assert_eq!(stranger.asked(), Vec::<String>::new());
}

/// As standbys do for some seconds after a crash. Its address is not ours, so nobody asks it, but that will pass.
#[test]
fn a_standby_that_names_a_leader_who_is_not_in_the_list_is_asked_again() {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let standby = Hostile::start(move |head| {
        let leader = "http://127.0.0.9:8200";
        if head.contains("sys/leader") {
            return http_json(
                200,
                "",
                &json!({"ha_enabled": true, "is_self": false, "leader_address": leader}),
            );
        }
        match seen.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => http(307, &format!("Location: {leader}/v1/pki/x\r\n"), ""),
            _ => good(&json!({"a": 1})),
        }
    });
    assert!(
        open(&[standby.url()], token("t"))
            .read("pki/x")
            .unwrap()
            .is_some()
    );
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[test]
fn the_page_of_a_proxy_is_never_shown() {
    let page = "<html>internal-host 10.9.8.7</html>";
    let html = "Content-Type: text/html\r\n";
    for status in [200, 400, 403, 404, 500] {
        let server = Hostile::start(move |_| http(status, html, page));
        let error = open(&[server.url()], token("t")).read("pki/x").unwrap_err();
        assert_eq!(error.kind(), "vault.answer", "{status}: {error}");
        assert!(error.to_string().contains("text/html"), "{error}");
        assert!(!error.to_string().contains("10.9.8.7"), "{error}");
        let raw = open(&[server.url()], token("t")).read_raw("pki/ca/pem");
        assert_eq!(kind(raw), "vault.answer");
    }
    for status in [502, 503, 504] {
        // It will pass, and so it does.
        let server = first(move || http(status, html, page));
        let vault = open(&[server.url()], token("t"));
        assert!(vault.read("pki/x").unwrap().is_some());
        let server = Hostile::start(move |_| http(status, html, page));
        let mut settings = at(&[server.url()], token("t"));
        settings.retry_window = Duration::from_millis(300);
        let error = Vault::open(settings).unwrap().read("pki/x").unwrap_err();
        assert_eq!(error.kind(), "vault.unreachable", "{status}: {error}");
        assert!(!error.to_string().contains("10.9.8.7"), "{error}");
    }
}

/// Whether it was done nobody knows: by a server that dies, a proxy in between, a leader that lost its place.
#[test]
fn what_must_not_be_done_twice_is_not_asked_twice() {
    let lost = "leadership lost while committing log";
    let ways: [fn() -> Option<Vec<u8>>; 3] = [
        || None,
        || http(504, "", ""),
        || {
            http_json(
                500,
                "",
                &json!({"errors": ["1 error occurred:\n\t* leadership lost while committing log\n\n"]}),
            )
        },
    ];
    for way in ways {
        let server = first(way);
        let vault = open(&[server.url()], token("t"));
        let made = vault.write("pki/root/generate/internal", &json!({}), Repeat::Never);
        let error = made.unwrap_err();
        assert_eq!(error.kind(), "vault.lost_answer", "{error}");
        assert_eq!(server.asked().len(), 1, "{lost}");
        let server = first(way);
        let vault = open(&[server.url()], token("t"));
        assert!(
            vault
                .write("pki/sign/web", &json!({}), Repeat::Safe)
                .is_ok()
        );
    }
    // That it was not done is certain here, so it may be asked again.
    let ways: [fn() -> Option<Vec<u8>>; 3] = [
        || {
            http_json(
                500,
                "",
                &json!({"errors": ["local node not active but active cluster node not found"]}),
            )
        },
        || {
            http_json(
                503,
                "",
                &json!({"errors": ["no active Vault instance found"]}),
            )
        },
        || {
            http_json(
                429,
                "Retry-After: 1\r\n",
                &json!({"errors": ["rate limit quota exceeded"]}),
            )
        },
    ];
    for way in ways {
        let server = first(way);
        let vault = open(&[server.url()], token("t"));
        assert!(
            vault
                .write("pki/root/generate/internal", &json!({}), Repeat::Never)
                .is_ok()
        );
        assert_eq!(server.asked().len(), 2);
    }
}

#[test]
fn what_is_final_is_not_asked_twice() {
    for (status, error) in [
        (500, "unable to fetch corresponding key for issuer x"),
        (500, "no default issuer currently configured"),
        (400, "common name x not allowed by this role"),
        (405, "unsupported operation"),
        (415, "wrong content type"),
    ] {
        let server = Hostile::start(move |_| http_json(status, "", &json!({"errors": [error]})));
        let vault = open(&[server.url()], token("t"));
        let found = vault.write("pki/sign/web", &json!({}), Repeat::Safe);
        assert!(found.unwrap_err().to_string().contains(error));
        assert_eq!(server.asked().len(), 1, "{error}");
    }
}

/// Nobody may be asked whether the token is good: nothing is known, and that is said.
#[test]
fn a_server_that_quotes_secrets_does_not_get_them_into_messages() {
    let server = Hostile::start(|head| {
        let words = format!(
            "cannot use {}",
            head.split("X-Vault-Token: ").nth(1).unwrap_or(head)
        );
        http_json(400, "", &json!({"errors": [words.replace("\r\n", " ")]}))
    });
    let vault = open(&[server.url()], token("s.very-secret-token"));
    let error = vault.read("pki/x").unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("very-secret"),
        "{error}"
    );
    let auth = Auth::AppRole {
        mount: "approle".to_owned(),
        role_id: Held::Given(Secret::new("secret-role-id")),
        secret_id: SecretId::Plain(Held::Given(Secret::new("secret-secret-id"))),
    };
    let error = open(&[server.url()], auth.clone())
        .read("pki/x")
        .unwrap_err();
    assert_eq!(error.kind(), "vault.login_refused");
    assert!(
        !format!("{error} {error:?} {auth:?}").contains("secret-"),
        "{error}"
    );
}

/// With each status that has a way of its own, in the warnings of a good answer, and in what is said of the token.
#[test]
fn no_answer_of_any_kind_brings_a_secret_into_a_message() {
    const TOKEN: &str = "s.very-secret-token";
    let words = |words: &str| json!({"errors": [format!("{words} {TOKEN}")]});
    let warned = |text: &str| json!({"request_id": "1", "data": {}, "warnings": [format!("{text} {TOKEN}")]});
    let policies = json!({"request_id": "1", "data": {"policies": [TOKEN]}});
    for (status, body, kind) in [
        (429, words("rate limit quota exceeded"), "vault.quota"),
        (
            503,
            words("no active Vault instance found"),
            "vault.no_leader",
        ),
        (
            500,
            words("leadership lost while committing log"),
            "vault.lost_answer",
        ),
        (503, words("Vault is sealed"), "vault.sealed"),
        (403, words("permission denied"), "vault.permission_denied"),
        (
            200,
            warned("Endpoint ignored these unrecognized parameters:"),
            "vault.unrecognized_parameters",
        ),
    ] {
        let policies = policies.clone();
        let server = Hostile::start(move |head| match head.contains("lookup-self") {
            true => http_json(200, "", &policies),
            false => http_json(status, "", &body),
        });
        let mut hasty = at(&[server.url()], token(TOKEN));
        hasty.retry_window = Duration::ZERO;
        let vault = Vault::open(hasty).unwrap();
        let error = vault.write("pki/x", &json!({}), Repeat::Never).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("********"), "{shown}");
        assert!(!shown.contains("very-secret"), "{shown}");
    }
    let body = warned("it is odd:");
    let server = Hostile::start(move |_| http_json(200, "", &body));
    let answer = open(&[server.url()], token(TOKEN)).read("pki/x").unwrap();
    assert_eq!(answer.unwrap().warnings, ["it is odd: ********"]);
}

#[test]
fn numbers_that_no_clock_has_are_taken_as_they_come() {
    let health = json!({"initialized": true, "sealed": false, "standby": false, "server_time_utc": i64::MIN, "version": "2"});
    let pause = format!("Retry-After: {}\r\n", u64::MAX);
    let server = Hostile::start(move |head| match head.contains("sys/health") {
        true => http_json(200, "", &health),
        false => http_json(
            429,
            &pause,
            &json!({"errors": ["rate limit quota exceeded"]}),
        ),
    });
    let vault = open(&[server.url()], token("t"));
    assert_eq!(kind(vault.read("pki/x")), "vault.quota");
    let health = vault.health().unwrap();
    let warning = health.clock_warning(std::time::SystemTime::now());
    assert!(warning.unwrap().contains(" s behind the clock"));
}

#[test]
fn a_dead_address_in_the_list_costs_nothing_but_a_moment() {
    let server = BaoServer::start(BaoRelease::chosen());
    let dead = format!("http://127.0.0.1:{}", testbed::servers::free_port());
    let vault = open(&[dead.clone(), server.url()], token(server.token()));
    let began = Instant::now();
    assert!(vault.read("sys/mounts").unwrap().is_some());
    assert!(began.elapsed() < Duration::from_secs(5));
    let states = vault.healths();
    assert_eq!(states[0].0, dead);
    assert_eq!(kind(states[0].1.clone()), "vault.unreachable");
    assert!(states[1].1.is_ok());
    let mut alone = at(std::slice::from_ref(&dead), token("t"));
    alone.retry_window = Duration::from_millis(500);
    let error = Vault::open(alone).unwrap().read("sys/mounts").unwrap_err();
    assert_eq!(error.kind(), "vault.unreachable");
    assert!(error.to_string().contains(&dead), "{error}");
}

/// A stand-in for a load balancer of TCP: it has no server for so many connections, which it takes and closes, and then has
/// the one at the port.
fn balancer_stand_in(closed: usize, to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().skip(closed).flatten() {
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server, client),
            ] {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    port
}

#[test]
fn a_load_balancer_without_a_server_is_asked_until_it_has_one() {
    let server = shared();
    let mut behind = settings(&server, token(server.token()));
    let port = balancer_stand_in(3, server.port());
    behind.addresses = vec![format!("https://127.0.0.1:{port}")];
    let answer = Vault::open(behind).unwrap().read("sys/mounts").unwrap();
    assert!(answer.is_some());
}

#[test]
fn of_many_calls_only_the_first_waits_in_vain() {
    let is_well = Arc::new(AtomicUsize::new(0));
    let well = Arc::clone(&is_well);
    let server = Hostile::start(move |_| match well.load(Ordering::SeqCst) {
        0 => http_json(
            503,
            "",
            &json!({"errors": ["no active Vault instance found"]}),
        ),
        _ => good(&json!({"a": 1})),
    });
    let mut settings = at(&[server.url()], token("t"));
    settings.retry_window = Duration::from_secs(2);
    let vault = Vault::open(settings).unwrap();
    assert_eq!(kind(vault.read("pki/x")), "vault.no_leader");
    let first = server.asked().len();
    assert!(first > 2, "{first}");
    for _ in 0..5 {
        assert_eq!(kind(vault.read("pki/x")), "vault.no_leader");
    }
    assert_eq!(server.asked().len(), first + 5);
    is_well.store(1, Ordering::SeqCst);
    assert!(vault.read("pki/x").unwrap().is_some());
    is_well.store(0, Ordering::SeqCst);
    let before = server.asked().len();
    assert_eq!(kind(vault.read("pki/x")), "vault.no_leader");
    assert!(server.asked().len() > before + 2);
}

#[test]
fn a_server_that_hangs_has_its_time_and_no_more() {
    // It says that more will come.
    let silent = Hostile::start(|_| {
        Some(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
                .to_vec(),
        )
    });
    let server = first(|| good(&json!({"a": 1})));
    let mut settings = at(&[silent.url(), server.url()], token("t"));
    settings.timeout = Duration::from_secs(1);
    assert!(
        Vault::open(settings)
            .unwrap()
            .read("pki/x")
            .unwrap()
            .is_some()
    );
}

#[test]
fn another_host_is_not_asked_in_clear() {
    let found = Vault::open(at(&["http://192.0.2.1:8200".to_owned()], token("t")));
    assert_eq!(kind(found), "vault.plaintext");
    let mut allowed = at(&["http://192.0.2.1:8200".to_owned()], token("t"));
    allowed.allow_plaintext = true;
    assert!(Vault::open(allowed).is_ok());
}

#[test]
fn a_server_that_is_not_initialized_is_told_from_a_sealed_one() {
    let server = Hostile::start(|head| match head.contains("seal-status") {
        true => http_json(
            200,
            "",
            &json!({"initialized": false, "sealed": true, "t": 0, "n": 0}),
        ),
        false => http_json(503, "", &json!({"errors": ["Vault is sealed"]})),
    });
    let error = open(&[server.url()], token("t")).read("pki/x").unwrap_err();
    assert_eq!(error.kind(), "vault.not_initialized", "{error}");
}
