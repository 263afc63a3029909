// SPDX-License-Identifier: Apache-2.0
//! acme-dns, a stand-in with a real BIND behind it: no package has the real one.

use serde_json::{Value, json};
use testbed::servers::{Asked, ServiceStandIn, World};

use crate::lab::{Behind, Lab};

const PASSWORD: &str = "the password of the account";

/// What its documentation says of its one request: it keeps the last two values.
fn acme_dns(behind: Behind) -> ServiceStandIn {
    let mut kept: Vec<String> = Vec::new();
    ServiceStandIn::start(move |asked: &Asked| {
        if asked.path != "/update" || asked.header("x-api-key") != Some(PASSWORD) {
            let sent = asked.header("x-api-key").unwrap_or_default();
            return (401, json!({"error": format!("forbidden for {sent}")}));
        }
        let value = asked.body["txt"].as_str().unwrap().to_owned();
        kept.push(value.clone());
        let last = kept.len().saturating_sub(2);
        behind.put("h0.acme-sign.test", &kept[last..]);
        (200, json!({"txt": value}))
    })
}

/// The file of lego and cert-manager, with members that are not ours.
fn accounts(password: &str) -> Value {
    json!({"h0.example.test": {
        "fulldomain": "h0.acme-sign.test", "subdomain": "h0", "username": "user", "password": password,
        "allowfrom": [], "server_url": "https://auth.example.test",
    }})
}

#[test]
fn acme_dns_shows_what_pebble_wants_at_the_stand_in() {
    let lab = Lab::new(World::default());
    let service = acme_dns(lab.behind());
    lab.sandbox
        .write("accounts.json", accounts(PASSWORD).to_string());
    let provider =
        json!({"acme_dns": {"url": service.url(), "accounts_file": "$DIR/accounts.json"}});
    let answer = lab.issue(&provider, &["h0"]);
    answer.never_says(PASSWORD);
    assert_eq!(lab.dns.texts().len(), 1, "it removes nothing by itself");
}

#[test]
fn accounts_that_do_not_fit_are_told_without_their_passwords_at_the_stand_in() {
    let lab = Lab::without_authority(World::default());
    let service = acme_dns(lab.behind());
    let value = "a".repeat(43);
    let write = |provider: &Value, owner: &str| {
        let answer = lab.write("publish", provider, (owner, &value));
        answer.never_says("hunter2");
        answer
    };
    let file = json!({"acme_dns": {"url": service.url(), "accounts_file": "$DIR/accounts.json"}});
    let answer = write(&file, "h0.acme-sign.test");
    assert_eq!(answer.kind(), "input.file", "{}", answer.report());
    lab.sandbox.write(
        "accounts.json",
        "{\"x\": {\"password\": \"hunter2\", \"username\": 1}}",
    );
    let answer = write(&file, "h0.acme-sign.test");
    assert_eq!(answer.kind(), "input.file", "{}", answer.report());
    // The stand-in says the password back, as a bad day might have it.
    lab.sandbox
        .write("accounts.json", accounts("hunter2-of-a-file").to_string());
    let answer = write(&file, "h0.acme-sign.test");
    assert_eq!(answer.kind(), "dns.api_denied", "{}", answer.report());
    let one = json!({"fulldomain": "h0.acme-sign.test", "username": "user", "password": "hunter2"});
    let given = json!({"acme_dns": {"url": service.url(), "accounts": [one]}});
    assert_eq!(write(&given, "h0.acme-sign.test").kind(), "dns.api_denied");
    let answer = write(&given, "h1.acme-sign.test");
    assert_eq!(answer.kind(), "dns.configuration", "{}", answer.report());
}
