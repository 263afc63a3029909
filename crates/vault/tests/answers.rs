// SPDX-License-Identifier: Apache-2.0
//! What real servers of both releases answer, and what becomes of it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::{csr, kind, made_token, open, settings, shared, token, with_root};
use testbed::servers::{BaoRelease, BaoServer};
use vault::pki::{Mount, SignRequest};
use vault::{Error, Repeat, Vault};

/// A root, an authority below it, a leaf, its end: the life of a mount, the same on both releases.
#[test]
fn a_mount_lives_the_same_life_on_both_releases() {
    for release in BaoRelease::ALL {
        let server = BaoServer::start(release);
        let vault = open(&server, token(server.token()));
        assert_eq!(vault.health().unwrap().version, release.version());
        authority_below_a_root(&vault);
        leaf_and_its_end(&vault);
        settings_and_roles(&vault);
        refusals_have_their_kinds(&vault);
    }
}

fn authority_below_a_root(vault: &Vault) {
    assert_eq!(vault.mount("int").unwrap(), None);
    with_root(vault, "root");
    vault
        .enable("int", "pki", "", &json!({"max_lease_ttl": "4000h"}))
        .unwrap();
    assert_eq!(
        vault.mount("int").unwrap().unwrap().max_lease_ttl(),
        4_000 * 3_600
    );
    vault
        .tune("int", &json!({"max_lease_ttl": "5000h"}))
        .unwrap();
    assert_eq!(
        vault.mount("int").unwrap().unwrap().max_lease_ttl(),
        5_000 * 3_600
    );
    let (root, int) = (Mount::new(vault, "root"), Mount::new(vault, "int/"));
    assert_eq!(int.issuers().unwrap(), []);
    assert_eq!(int.default_issuer().unwrap(), None);
    assert_eq!(int.ca_pem().unwrap(), None);
    let subject = json!({"common_name": "Int", "key_type": "ec", "key_name": "int-1"});
    let made = int.generate_intermediate(&subject).unwrap();
    assert_eq!(int.keys().unwrap().len(), 1);
    let again = int
        .intermediate_existing(&json!({"common_name": "Int", "key_ref": "int-1"}))
        .unwrap();
    assert_eq!(again.key_id, made.key_id);
    let body =
        json!({"csr": again.csr, "use_csr_values": true, "ttl": "4000h", "max_path_length": 0});
    let signed = root.sign_intermediate("root", &body).unwrap();
    let root_pem = root.ca_pem().unwrap().unwrap();
    let bundle = format!("{}\n{root_pem}", signed.certificate);
    let import = int.set_signed(&bundle).unwrap();
    assert_eq!(import.imported_issuers.len(), 2);
    let ours: Vec<&str> = import.issuers_of(&made.key_id).collect();
    assert_eq!(ours.len(), 1);
    int.patch_issuer(
        ours[0],
        &json!({"issuer_name": "int-1", "leaf_not_after_behavior": "truncate"}),
    )
    .unwrap();
    int.set_default_issuer("int-1").unwrap();
    assert_eq!(int.default_issuer().unwrap().as_deref(), Some(ours[0]));
    let issuer = int.issuer("int-1").unwrap().unwrap();
    assert_eq!(
        (
            issuer.name.as_str(),
            issuer.leaf_not_after_behavior.as_str()
        ),
        ("int-1", "truncate")
    );
    assert_eq!(issuer.ca_chain.len(), 2);
    let listed = int.issuers().unwrap();
    let default: Vec<_> = listed.iter().filter(|entry| entry.is_default).collect();
    assert_eq!(
        (default.len(), default[0].name.as_deref()),
        (1, Some("int-1"))
    );
    assert!(
        listed.iter().any(|entry| entry.key_id.is_none()),
        "the root's key is elsewhere"
    );
    // Again: nothing is new, and nothing to undo.
    assert_eq!(
        int.set_signed(&bundle).unwrap().imported_issuers,
        Vec::<String>::new()
    );
    assert_eq!(int.issuer("unknown").unwrap(), None);
}

fn leaf_and_its_end(vault: &Vault) {
    let int = Mount::new(vault, "int");
    int.write_role(
        "web",
        &json!({"allow_any_name": true, "key_type": "any", "max_ttl": "48h"}),
    )
    .unwrap();
    let request = SignRequest {
        csr: csr("web.example"),
        common_name: Some("web.example".to_owned()),
        alt_names: "web.example,www.example".to_owned(),
        ttl: Some("100h".to_owned()),
        ..SignRequest::default()
    };
    let signed = int.sign("web", None, &request).unwrap();
    assert!(
        signed
            .warnings
            .iter()
            .any(|warning| warning.contains("TTL")),
        "{:?}",
        signed.warnings
    );
    let pinned = int.sign("web", Some("int-1"), &request).unwrap();
    assert_ne!(signed.serial_number, pinned.serial_number);
    let serial = &signed.serial_number;
    let stored = int.certificate(serial).unwrap().unwrap();
    assert_eq!(
        (stored.certificate.trim(), stored.revoked_at),
        (signed.certificate.trim(), None)
    );
    let at = int.revoke(serial).unwrap();
    assert_eq!(int.revoke(serial).unwrap(), at);
    assert_eq!(
        int.certificate(serial).unwrap().unwrap().revoked_at,
        Some(at)
    );
    assert!(int.revoked_certificates().unwrap().contains(serial));
    assert!(int.certificates().unwrap().contains(&pinned.serial_number));
    assert_eq!(int.certificate("11:22:33").unwrap(), None);
    assert!(int.crl_pem(None).unwrap().unwrap().contains("X509 CRL"));
    assert!(int.crl_pem(Some("int-1")).unwrap().is_some());
}

fn settings_and_roles(vault: &Vault) {
    let int = Mount::new(vault, "int");
    assert_eq!(int.role("unknown").unwrap(), None);
    int.patch_role("web", &json!({"no_store": true})).unwrap();
    let role = int.role("web").unwrap().unwrap();
    assert_eq!(
        (&role["no_store"], &role["allow_any_name"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(int.roles().unwrap(), ["web"]);
    int.write_config(
        "urls",
        &json!({"issuing_certificates": ["http://ca.example/ca"]}),
    )
    .unwrap();
    let urls = int.config("urls").unwrap().unwrap();
    assert_eq!(
        urls["issuing_certificates"],
        json!(["http://ca.example/ca"])
    );
    int.tidy(&json!({"tidy_cert_store": true, "safety_buffer": "72h"}))
        .unwrap();
    assert!(int.tidy_status().unwrap().is_some());
    int.rotate_crl().unwrap();
    int.delete_role("web").unwrap();
    int.delete_role("web").unwrap();
    assert_eq!(int.roles().unwrap(), Vec::<String>::new());
    let may = vault.capabilities(&["int/sign/web"]).unwrap();
    assert_eq!(may["int/sign/web"], json!(["root"]));
}

/// Each fails at once: none of these passes by waiting.
fn refusals_have_their_kinds(vault: &Vault) {
    vault.enable("empty", "pki", "", &json!({})).unwrap();
    let (empty, int) = (Mount::new(vault, "empty"), Mount::new(vault, "int"));
    empty
        .write_role("web", &json!({"allow_any_name": true}))
        .unwrap();
    int.write_role("web", &json!({"allow_any_name": true}))
        .unwrap();
    let request = SignRequest {
        csr: csr("a.example"),
        ..SignRequest::default()
    };
    for (found, wanted) in [
        (
            kind(empty.sign("web", None, &request)),
            "vault.no_default_issuer",
        ),
        (kind(int.sign("unknown", None, &request)), "vault.refused"),
        (
            kind(int.sign("web", Some("unknown"), &request)),
            "vault.issuer_unknown",
        ),
        (
            kind(int.generate_root(&json!({"common_name": "x", "issuer_name": "int-1"}))),
            "vault.refused",
        ),
        (
            kind(int.set_signed("-----BEGIN CERTIFICATE-----\nnonsense")),
            "vault.refused",
        ),
        (kind(vault.read("nowhere/x")), "vault.no_mount"),
        (
            kind(vault.write("nowhere/x", &json!({}), Repeat::Safe)),
            "vault.no_mount",
        ),
        (
            kind(vault.enable("int", "pki", "", &json!({}))),
            "vault.refused",
        ),
        (kind(vault.read("sys/../x")), "vault.path"),
    ] {
        assert_eq!(found, wanted);
    }
    let path = "int/issuers/generate/root/internal";
    let wrong =
        json!({"common_name": "Wrong", "issuer_name": "wrong", "key_type": "ec", "isuer": 1});
    let error = vault.write(path, &wrong, Repeat::Never).unwrap_err();
    assert_eq!(error.kind(), "vault.unrecognized_parameters");
    assert!(error.to_string().contains("isuer"), "{error}");
}

/// Four things that are all status 403, 404 or 400 to the server, and four messages.
#[test]
fn what_is_wrong_with_a_token_is_told_apart() {
    let server = shared();
    let said = |auth: &str, namespace: Option<&str>| {
        let mut settings = settings(&server, token(auth));
        settings.namespace = namespace.map(str::to_owned);
        let error = Vault::open(settings)
            .unwrap()
            .read("sys/mounts")
            .unwrap_err();
        assert!(!error.to_string().contains(auth), "{error}");
        (error.kind(), error.to_string())
    };
    let (kind, words) = said("no-such-token", None);
    assert_eq!(kind, "vault.token_invalid");
    assert!(
        words.contains("expired, revoked or none of this server's"),
        "{words}"
    );
    let short = made_token(&server, &json!({"policies": ["default"], "ttl": "1s"}));
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(said(&short, None).0, "vault.token_invalid");
    let weak = made_token(&server, &json!({"policies": ["default"]}));
    let (kind, words) = said(&weak, None);
    assert_eq!(kind, "vault.permission_denied");
    assert!(
        words.contains("no policy of its (default) allows this"),
        "{words}"
    );
    // It may not even look at itself.
    let bare = made_token(
        &server,
        &json!({"policies": ["none"], "no_default_policy": true}),
    );
    assert_eq!(said(&bare, None).0, "vault.permission_denied");
    let (kind, words) = said(server.token(), Some("no/such"));
    assert_eq!(kind, "vault.namespace_unknown");
    assert!(words.contains("there is no namespace 'no/such'"), "{words}");
}

#[test]
fn a_namespace_is_kept_and_its_tokens_are_good_in_it_alone() {
    let server = shared();
    for namespace in ["teams-a", "teams-b"] {
        server.api(&format!("sys/namespaces/{namespace}"), &json!({}));
    }
    let within = |namespace: &str, auth: &str| {
        let mut settings = settings(&server, token(auth));
        settings.namespace = Some(namespace.to_owned());
        Vault::open(settings).unwrap()
    };
    let vault = within("teams-a", server.token());
    // The state of a server is in no namespace, which it refuses.
    assert!(vault.health().is_ok());
    with_root(&vault, "pki");
    assert!(Mount::new(&vault, "pki").issuer("root").unwrap().is_some());
    assert_eq!(
        kind(within("teams-b", server.token()).read("pki/issuer/root")),
        "vault.no_mount"
    );
    let made = vault.write(
        "auth/token/create",
        &json!({"policies": ["default"]}),
        Repeat::Never,
    );
    let answer = made.unwrap();
    assert!(
        !format!("{answer:?}").contains("client_token"),
        "{answer:?}"
    );
    let (_, said) = server.ask(
        "POST",
        "teams-a/auth/token/create",
        &json!({"policies": ["default"]}),
    );
    let theirs = said["auth"]["client_token"].as_str().unwrap();
    let error = within("teams-b", theirs).read("sys/mounts").unwrap_err();
    assert_eq!(error.kind(), "vault.permission_denied", "{error}");
    assert!(
        error
            .to_string()
            .contains("it belongs to the namespace 'teams-a'"),
        "{error}"
    );
}

#[test]
fn a_sealed_server_fails_at_once_unless_somebody_is_waited_for() {
    let server = BaoServer::start(BaoRelease::chosen());
    let vault = open(&server, token(server.token()));
    with_root(&vault, "pki");
    server.seal();
    let began = std::time::Instant::now();
    let error = vault.read("pki/config/issuers").unwrap_err();
    assert_eq!(error.kind(), "vault.sealed");
    assert!(error.is_outage());
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "it is not waited for what will not pass"
    );
    // The state can be told all the same.
    assert!(vault.health().unwrap().sealed);
    assert_eq!(vault.seal_status().unwrap().threshold, 1);
    let mut patient = settings(&server, token(server.token()));
    patient.wait_unsealed = Duration::from_secs(60);
    let patient = Vault::open(patient).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| patient.read("pki/config/issuers"));
        std::thread::sleep(Duration::from_millis(1_500));
        assert!(!reader.is_finished());
        server.unseal();
        assert!(reader.join().unwrap().unwrap().is_some());
    });
}

#[test]
fn a_sealed_namespace_is_told_by_its_name() {
    let server = BaoServer::start(BaoRelease::chosen());
    let seal = "seal \"shamir\" {\n shares = 1\n threshold = 1\n}\n";
    let body = json!({"seal": seal});
    let (status, said) = server.ask("POST", "sys/namespaces/locked", &body);
    assert_eq!(status, 200, "{said}");
    let (status, said) = server.ask("POST", "sys/namespaces/locked/seal", &json!({}));
    assert!(status < 300, "{status} {said}");
    let mut settings = settings(&server, token(server.token()));
    settings.namespace = Some("locked".to_owned());
    let error = Vault::open(settings)
        .unwrap()
        .read("sys/mounts")
        .unwrap_err();
    assert_eq!(error.kind(), "vault.sealed", "{error}");
    assert!(error.to_string().contains("namespace is sealed"), "{error}");
}

#[test]
fn a_quota_is_waited_out() {
    let server = BaoServer::start(BaoRelease::chosen());
    let vault = open(&server, token(server.token()));
    let limit = json!({"rate": 3, "interval": "2s", "path": "sys/capabilities-self"});
    vault
        .write("sys/quotas/rate-limit/few", &limit, Repeat::Safe)
        .unwrap();
    let mut refused = 0;
    for _ in 0..9 {
        let (status, _) = server.ask("POST", "sys/capabilities-self", &json!({"paths": ["a"]}));
        refused += usize::from(status == 429);
    }
    assert!(refused > 0, "the limit is one");
    for _ in 0..7 {
        vault.capabilities(&["sys/mounts"]).unwrap();
    }
    let limit = json!({"rate": 1, "interval": "600s", "path": "sys/capabilities-self"});
    vault
        .write("sys/quotas/rate-limit/few", &limit, Repeat::Safe)
        .unwrap();
    let mut hasty = settings(&server, token(server.token()));
    hasty.retry_window = Duration::from_secs(1);
    let hasty = Vault::open(hasty).unwrap();
    let all: Vec<_> = (0..4).map(|_| kind(hasty.capabilities(&["a"]))).collect();
    assert!(all.contains(&"vault.quota"), "{all:?}");
}

#[test]
fn a_clock_that_differs_is_told_from_one_that_does_not() {
    let server = shared();
    let health = open(&server, token(server.token())).health().unwrap();
    let now = SystemTime::now();
    assert_eq!(health.clock_warning(now), None);
    let warning = health
        .clock_warning(now - Duration::from_secs(120))
        .unwrap();
    assert!(
        warning.contains("s ahead of the clock of this host"),
        "{warning}"
    );
    let warning = health
        .clock_warning(now + Duration::from_secs(120))
        .unwrap();
    assert!(
        warning.contains("s behind the clock of this host"),
        "{warning}"
    );
}

#[test]
fn a_certificate_of_nobody_we_trust_fails_at_once() {
    let server = shared();
    let mut settings = settings(&server, token(server.token()));
    settings.trust = web::Trust::System;
    settings.retry_window = Duration::from_secs(300);
    let error = Vault::open(settings.clone()).unwrap().health().unwrap_err();
    assert_eq!(error.kind(), "vault.unreachable");
    assert!(error.to_string().contains("is not trusted"), "{error}");
    settings.trust = web::Trust::Anybody;
    assert!(Vault::open(settings).unwrap().health().is_ok());
}

#[test]
fn the_name_in_the_certificate_may_be_another_than_that_of_the_address() {
    let server = shared();
    let mut settings = settings(&server, token(server.token()));
    settings.retry_window = Duration::from_secs(300);
    settings.server_name = Some("localhost".to_owned());
    assert!(Vault::open(settings.clone()).unwrap().health().is_ok());
    settings.server_name = Some("vault.example".to_owned());
    let error = Vault::open(settings).unwrap().health().unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }));
    assert!(error.to_string().contains("is not trusted"), "{error}");
}

#[test]
fn nothing_is_asked_with_what_no_server_takes() {
    let server = shared();
    let mut wrong = settings(&server, token(server.token()));
    wrong.namespace = Some("a\nb".to_owned());
    assert_eq!(kind(Vault::open(wrong)), "vault.setting");
    let none = vault::Settings::default();
    assert_eq!(kind(Vault::open(none)), "vault.setting");
    let said = made_token(&server, &json!({"policies": ["default"]}));
    let broken = open(&server, token(&format!("{said}\nx")));
    assert_eq!(kind(broken.read("sys/mounts")), "vault.setting");
    let (_, said) = server.ask("GET", "sys/health", &Value::Null);
    assert_eq!(said["initialized"], true);
}
