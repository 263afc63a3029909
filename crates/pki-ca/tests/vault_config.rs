// SPDX-License-Identifier: Apache-2.0
//! The configuration of a mount on a real OpenBao: each object is made, left alone, and changed by what differs, while what
//! somebody set by hand stays.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/configured.rs"]
mod configured;

use configured::{PROGRAM, Site};
use serde_json::{Value, json};
use testbed::servers::{BaoRelease, BaoServer, Certificate, FaultProxy, Rule};
use testbed::{ModuleRun, Sandbox, witness};

#[test]
fn a_mount_and_its_settings_are_made_and_then_changed_by_what_differs() {
    for release in BaoRelease::ALL {
        settings(&Site::of(release));
    }
}

fn settings(site: &Site) {
    let mut wish = json!({
        "mount": {"description": "of the cloud", "default_lease_ttl": "1w", "max_lease_ttl": "3650d"},
        "cluster": {"path": "https://bao.example.org/v1/pki", "aia_path": "http://bao.example.org/v1/pki"},
        "urls": {"enable_templating": true, "issuing_certificates": ["{{cluster_aia_path}}/issuer/{{issuer_id}}/der"]},
        "crl": {"expiry": "4d", "auto_rebuild": true},
        "auto_tidy": {"enabled": true, "tidy_cert_store": true, "safety_buffer": "2w", "pause_duration": "90s"},
    });
    let made = site.converge(&wish);
    assert_eq!(made.msg(), "created mount, cluster, urls, crl, auto_tidy");
    assert_eq!(
        site.read("sys/mounts/pki/tune")["default_lease_ttl"],
        604_800
    );
    assert_eq!(site.read("pki/config/crl")["expiry"], "96h");

    // By hand, what the task does not say; it stays when the task says something else.
    let by_hand = [
        (
            "sys/mounts/pki/tune",
            json!({"audit_non_hmac_request_keys": ["csr"]}),
        ),
        (
            "pki/config/urls",
            json!({"ocsp_servers": ["http://ocsp.example.org"]}),
        ),
        ("pki/config/crl", json!({"ocsp_expiry": "3h"})),
        (
            "pki/config/auto-tidy",
            json!({"tidy_acme": true, "interval_duration": "6h"}),
        ),
    ];
    for (path, body) in &by_hand {
        site.server.api(path, body);
    }
    site.quiet(&wish);
    let before: Vec<Value> = by_hand.iter().map(|(path, _)| site.read(path)).collect();
    let cluster = site.read("pki/config/cluster");
    wish["mount"]["default_lease_ttl"] = json!("2h");
    wish["cluster"]["aia_path"] = json!("http://aia.example.org/v1/pki");
    wish["urls"]["crl_distribution_points"] =
        json!(["{{cluster_aia_path}}/issuer/{{issuer_id}}/crl/der"]);
    wish["crl"]["expiry"] = json!("100h");
    wish["auto_tidy"]["page_size"] = json!(500);
    let changed = site.converge(&wish);
    assert_eq!(
        changed.msg(),
        "updated mount, cluster, urls, crl, auto_tidy"
    );
    let told = &changed.value["vault_config"]["crl"]["fields"];
    assert_eq!(told, &json!({"expiry": {"before": "96h", "after": "100h"}}));
    site.assert_changed(
        "sys/mounts/pki/tune",
        &before[0],
        &json!({"default_lease_ttl": 7_200}),
    );
    let points = json!({"crl_distribution_points": wish["urls"]["crl_distribution_points"]});
    site.assert_changed("pki/config/urls", &before[1], &points);
    site.assert_changed("pki/config/crl", &before[2], &json!({"expiry": "100h"}));
    site.assert_changed(
        "pki/config/auto-tidy",
        &before[3],
        &json!({"page_size": 500}),
    );
    site.assert_changed(
        "pki/config/cluster",
        &cluster,
        &json!({"aia_path": "http://aia.example.org/v1/pki"}),
    );
}

#[test]
fn a_role_is_patched_and_acme_brings_its_headers() {
    for release in BaoRelease::ALL {
        role_and_acme(&Site::with_mount_of(release));
    }
}

fn role_and_acme(site: &Site) {
    let mut role = json!({
        "name": "web", "allowed_domains": ["b.example.org", "a.example.org"], "allow_subdomains": true, "key_type": "rsa",
        "max_ttl": "30d", "key_usage": ["digitalSignature"], "ext_key_usage": ["ServerAuth"], "allowed_ip_sans_cidr": ["10.1.2.3"],
    });
    site.converge(&json!({"roles": [role]}));
    site.set_by_hand(
        &json!({"ou": ["By Hand"], "allowed_domains": ["a.example.org", "b.example.org"]}),
    );
    site.quiet(&json!({"roles": [role]}));
    let before = site.read("pki/roles/web");
    assert_eq!(before["ou"], json!(["By Hand"]));
    assert_eq!(before["key_bits"], 2_048);
    role["key_type"] = json!("ec");
    role["max_ttl"] = json!("48h");
    let changed = site.converge(&json!({"roles": [role]}));
    assert_eq!(changed.msg(), "updated roles[web]");
    let changes = json!({"key_type": "ec", "key_bits": 256, "max_ttl": 172_800});
    site.assert_changed("pki/roles/web", &before, &changes);

    let acme = json!({
        "cluster": {"path": "https://bao.example.org/v1/pki"},
        "acme": {"enabled": true, "default_directory_policy": "role:web", "allowed_roles": ["web"], "dns_resolver": "127.0.0.1:53"},
    });
    site.server.api(
        "sys/mounts/pki/tune",
        &json!({"allowed_response_headers": ["X-By-Hand"]}),
    );
    site.converge(&acme);
    let headers = &site.read("sys/mounts/pki/tune")["allowed_response_headers"];
    assert_eq!(
        headers,
        &json!(["X-By-Hand", "Location", "Replay-Nonce", "Link"])
    );
    site.server.api(
        "pki/config/acme",
        &json!({"allow_role_ext_key_usage": true}),
    );
    let before = site.read("pki/config/acme");
    assert_eq!(before["enabled"], true);
    site.converge(&json!({"acme": {"eab_policy": "always-required"}}));
    site.assert_changed(
        "pki/config/acme",
        &before,
        &json!({"eab_policy": "always-required"}),
    );

    role["issuer_ref"] = json!("nobody");
    let told = site.converge(&json!({"roles": [role]}));
    let warnings = told.value["warnings"].to_string();
    assert!(
        warnings.contains("vault_config.roles[web]: "),
        "{}",
        told.report()
    );
    assert!(warnings.contains("nobody"), "{}", told.report());

    let gone = json!({"acme": {"enabled": false, "default_directory_policy": "sign-verbatim", "allowed_roles": ["*"]}});
    site.converge(&gone);
    let gone = site.converge(&json!({"roles": [{"name": "web", "state": "absent"}]}));
    assert_eq!(gone.msg(), "removed roles[web]");
    assert_eq!(site.server.ask("GET", "pki/roles/web", &Value::Null).0, 404);
}

#[test]
fn what_cannot_be_is_told_before_anything_is_written() {
    let site = Site::with_mount();
    site.server.api("pki/roles/web", &json!({"max_ttl": "1h"}));
    site.server.api("sys/mounts/notes", &json!({"type": "kv"}));
    let objects = site.objects();
    for (kind, text, wish) in [
        (
            "vault_config.contradiction",
            "ttl: the role would have ttl 2h and max_ttl 1h",
            json!({"roles": [{"name": "web", "ttl": "2h"}]}),
        ),
        (
            "vault_config.contradiction",
            "enabled: ACME needs vault_config.cluster.path",
            json!({"acme": {"enabled": true}}),
        ),
        (
            "vault_config.contradiction",
            "enabled: there is nothing to tidy",
            json!({"auto_tidy": {"enabled": true}}),
        ),
        (
            "vault_config.field_unknown",
            "serial_number_source",
            json!({"roles": [{"name": "web", "serial_number_source": "json"}]}),
        ),
        (
            "input.invalid",
            "did you mean 'max_ttl'",
            json!({"roles": [{"name": "web", "max_tll": "2h"}]}),
        ),
        (
            "input.invalid",
            "vault_config.crl.expiry",
            json!({"crl": {"expiry": "soon"}}),
        ),
        (
            "input.invalid",
            "vault_config.disable.confirm",
            json!({"disable": {"confirm": "pki2", "export": "/x"}}),
        ),
    ] {
        for answer in [site.check(&wish), site.run(&wish)] {
            assert!(answer.failed() && !answer.changed(), "{}", answer.report());
            assert_eq!(answer.kind(), kind, "{}", answer.report());
            assert!(answer.msg().contains(text), "{}", answer.report());
        }
    }
    assert_eq!(site.objects(), objects);
    let vault =
        json!({"url": site.server.url(), "mount": "notes", "auth": {"token": site.server.token()}});
    let args =
        json!({"backend": {"vault": vault}, "vault_config": {"mount": {"description": "mine"}}});
    let answer = ModuleRun::new(PROGRAM)
        .args(args)
        .sandbox(&site.sandbox)
        .run();
    assert_eq!(
        answer.kind(),
        "vault_config.mount_foreign",
        "{}",
        answer.report()
    );
}

#[test]
fn a_tidy_is_started_when_it_is_time_and_a_mount_ends_with_its_files_written() {
    let site = Site::with_mount();
    let tidy = json!({"tidy": {"tidy_cert_store": true, "safety_buffer": "1h"}});
    for _ in 0..2 {
        let answer = site.run(&tidy);
        assert!(!answer.failed() && answer.changed(), "{}", answer.report());
    }
    assert_eq!(site.read("pki/tidy-status")["state"], "Finished");
    let mut seldom = tidy;
    seldom["tidy"]["every"] = json!("1d");
    site.quiet(&seldom);

    let root =
        json!({"common_name": "Root", "issuer_name": "root", "key_type": "ec", "ttl": "1000h"});
    let certificate =
        site.server.api("pki/root/generate/internal", &root)["data"]["certificate"].clone();
    let export = site.sandbox.path().join("export");
    let end = json!({"disable": {"confirm": "pki", "export": export}});
    let predicted = site.check(&end);
    assert!(
        predicted.changed() && !export.exists(),
        "{}",
        predicted.report()
    );
    let done = site.run(&end);
    assert!(done.changed() && !done.failed(), "{}", done.report());
    let files = done.value["vault_config"]["disable"]["exported"]
        .as_array()
        .unwrap();
    let content = |end: &str| {
        let path = files
            .iter()
            .filter_map(Value::as_str)
            .find(|path| path.ends_with(end));
        std::fs::read_to_string(path.unwrap_or_else(|| panic!("no {end} in {files:?}"))).unwrap()
    };
    assert_eq!(content(".crt").trim(), certificate.as_str().unwrap().trim());
    assert!(content(".crl").contains("BEGIN X509 CRL"));
    assert_eq!(
        site.server.ask("GET", "sys/mounts/pki", &Value::Null).0,
        400
    );
    site.quiet(&end);
}

#[test]
fn addresses_are_in_the_root_that_the_same_task_makes_and_roles_come_after_it() {
    let site = Site::new();
    let args = json!({
        "backend": {"vault": {"url": site.server.url(), "mount": "charm-pki-local", "auth": {"token": site.server.token()}}},
        "vault_config": {
            "mount": {"default_lease_ttl": "8759h", "max_lease_ttl": "87600h"},
            "urls": {"issuing_certificates": ["http://bao.example.org/v1/charm-pki-local/ca"],
                     "crl_distribution_points": ["http://bao.example.org/v1/charm-pki-local/crl"]},
            "roles": [
                {"name": "local", "allow_any_name": true, "allow_glob_domains": true, "enforce_hostnames": false,
                 "max_ttl": "8760h", "server_flag": true, "client_flag": true, "issuer_ref": "root"},
                {"name": "local-client", "allow_any_name": true, "allow_glob_domains": true, "enforce_hostnames": false,
                 "max_ttl": "8760h", "server_flag": false, "client_flag": true},
            ],
        },
        "authorities": [{"name": "root", "common_name": "Root of the cloud", "key": {"algorithm": "ecdsa"}, "ttl": "87599h"}],
    });
    let module = || {
        ModuleRun::new(PROGRAM)
            .args(args.clone())
            .sandbox(&site.sandbox)
    };
    let predicted = module().check(true).run();
    assert!(
        predicted.changed() && !predicted.failed(),
        "{}",
        predicted.report()
    );
    let made = module().run();
    assert!(made.changed() && !made.failed(), "{}", made.report());
    let crl = "http://bao.example.org/v1/charm-pki-local/crl";
    let root = made.value["authorities"]["root"]["certificate"]
        .as_str()
        .unwrap();
    let root = site.sandbox.write("root.pem", root);
    let text = witness::certificate_text(&root).unwrap();
    assert!(text.contains(crl), "{text}");
    let again = module().run();
    assert!(!again.changed() && !again.failed(), "{}", again.report());
    let request = json!({"common_name": "keystone.example.org", "ttl": "24h"});
    let (status, leaf) = site
        .server
        .ask("POST", "charm-pki-local/issue/local", &request);
    assert_eq!(status, 200, "{leaf}");
    let leaf = site
        .sandbox
        .write("leaf.pem", leaf["data"]["certificate"].as_str().unwrap());
    let text = witness::certificate_text(&leaf).unwrap();
    assert!(text.contains(crl), "{text}");
}

#[test]
fn a_mount_without_authorities_ends_without_files_and_one_of_files_has_no_configuration() {
    let site = Site::with_mount();
    let export = site.sandbox.path().join("export");
    let done = site.run(&json!({"disable": {"confirm": "pki", "export": export}}));
    assert!(done.changed() && !done.failed(), "{}", done.report());
    assert_eq!(done.value["vault_config"]["disable"]["exported"], json!([]));
    assert_eq!(
        site.server.ask("GET", "sys/mounts/pki", &Value::Null).0,
        400
    );
    let files = json!({"files": {"directory": "$DIR/tree"}});
    let args = json!({"backend": files, "vault_config": {"crl": {"expiry": "4d"}}});
    let answer = ModuleRun::new(PROGRAM)
        .args(args)
        .sandbox(&site.sandbox)
        .run();
    assert_eq!(answer.kind(), "input.invalid");
    assert!(
        answer
            .msg()
            .contains("vault_config: is only for backend vault"),
        "{}",
        answer.report()
    );
}

#[test]
fn what_needs_a_mount_is_held_where_that_is_something_else() {
    let site = Site::new();
    let args = json!({
        "backend": {"vault": {"url": site.server.url(), "mount": "sys/pki", "auth": {"token": site.server.token()}}},
        "vault_config": {"mount": {"max_lease_ttl": "87600h"}, "roles": [{"name": "web", "ttl": "1h"}]},
        "authorities": [{"name": "root", "common_name": "Root"}],
    });
    let module = ModuleRun::new(PROGRAM).args(args).sandbox(&site.sandbox);
    let answer = module.run();
    assert!(answer.failed() && !answer.changed(), "{}", answer.report());
    let failures = answer.value["failures"].as_array().unwrap();
    let told = |item: &str| {
        let failure = failures.iter().find(|failure| failure["item"] == item);
        failure.unwrap_or_else(|| panic!("{}", answer.report()))["kind"].clone()
    };
    assert_eq!(told("vault_config.mount"), "vault_config.mount_foreign");
    assert_eq!(told("vault_config.roles[web]"), "vault_config.held");
    assert_eq!(told("authorities[root]"), "vault_config.held");
}

#[test]
fn a_path_below_a_mount_is_not_taken_for_that_mount() {
    let site = Site::with_mount();
    let vault = json!({"url": site.server.url(), "mount": "pki/below", "auth": {"token": site.server.token()}});
    let args = json!({
        "backend": {"vault": vault},
        "vault_config": {"mount": {"max_lease_ttl": "87600h"}},
        "authorities": [{"name": "root", "common_name": "Root", "ttl": "30d"}],
    });
    let module = ModuleRun::new(PROGRAM).args(args).sandbox(&site.sandbox);
    let answer = module.run();
    assert!(answer.failed() && !answer.changed(), "{}", answer.report());
    let failures = answer.value["failures"].to_string();
    for part in [
        "vault_config.mount_below",
        "'pki/below' lies below 'pki'",
        "vault_config.held",
    ] {
        assert!(failures.contains(part), "{part}: {failures}");
    }
}

/// The server has mounted it and a proxy loses that answer, so the second try is refused: the path is in use.
#[test]
fn a_mount_whose_answer_was_lost_is_proved_and_not_reported_as_a_failure() {
    let (server, sandbox) = (BaoServer::start_tls(BaoRelease::Current), Sandbox::new());
    let proxy = FaultProxy::start(Some(server.port()), &Certificate::make(sandbox.path()));
    sandbox.write("proxy.pem", proxy.ca_pem());
    let run = |mount: &str| {
        let vault = json!({
            "url": proxy.url("").trim_end_matches('/'), "ca_path": sandbox.join("proxy.pem"),
            "mount": mount, "auth": {"token": server.token()}, "retry_window": "20s",
        });
        let config = json!({
            "mount": {"max_lease_ttl": "8760h"},
            "access": [{"name": "hosts", "sign": ["web"],
                "approle": {"name": "local", "bind_secret_id": false, "token_bound_cidrs": ["127.0.0.1/32"]}}],
        });
        ModuleRun::new(PROGRAM)
            .args(json!({"backend": {"vault": vault}, "vault_config": config}))
            .sandbox(&sandbox)
            .run()
    };
    proxy.set(vec![
        Rule::lose_answer("POST /v1/sys/mounts/pki", 1),
        Rule::lose_answer("POST /v1/sys/auth/approle", 1),
    ]);
    let done = run("pki");
    assert!(done.changed() && !done.failed(), "{}", done.report());
    for path in ["POST /v1/sys/mounts/pki", "POST /v1/sys/auth/approle"] {
        assert_eq!(proxy.count(path), 2, "{:?}", proxy.log());
    }
    let again = run("pki");
    assert!(!again.changed() && !again.failed(), "{}", again.report());
    // What lies above something else is in use too, and not there.
    server.api("sys/mounts/above/below", &json!({"type": "pki"}));
    let above = run("above");
    assert!(above.failed(), "{}", above.report());
    let said = above.value["failures"].to_string();
    assert!(said.contains("already in use"), "{}", above.report());
}
