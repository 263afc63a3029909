// SPDX-License-Identifier: Apache-2.0
//! Whose certificates count, and that a token that was got over TLS does not go on in clear. A proxy of the testbed stands
//! in for Keystone and Designate, with a real TLS certificate of an authority that nobody knows.

use serde_json::{Value, json};
use testbed::Answer;
use testbed::servers::{Certificate, FaultProxy, Rule, World};

use crate::lab::Lab;

/// Has Keystone say that Designate is at this URL; Designate has no zone.
fn cloud(lab: &Lab, endpoint: impl FnOnce(&FaultProxy) -> String) -> FaultProxy {
    let proxy = FaultProxy::start(None, &Certificate::make(lab.sandbox.path()));
    let endpoints = json!([{"interface": "public", "region_id": "one", "url": endpoint(&proxy)}]);
    let token = json!({"token": {"catalog": [{"type": "dns", "endpoints": endpoints}]}});
    let json_type = ("Content-Type", "application/json");
    let headers = [("X-Subject-Token", "the-token-of-the-test"), json_type];
    proxy.set(vec![
        Rule::answer("POST /v3/auth/tokens", 9, 201, &headers, token.to_string()),
        Rule::answer("GET /v2/zones", 9, 200, &[json_type], r#"{"zones": []}"#),
    ]);
    proxy
}

fn clouds(proxy: &FaultProxy, more: &str) -> String {
    let url = proxy.url("/v3");
    format!("clouds:\n  infra:\n    auth: {{auth_url: '{url}', token: hunter2-hunter2}}\n{more}")
}

fn publish(lab: &Lab, more: &Value) -> Answer {
    let mut provider = json!({"designate": {"cloud": "infra", "clouds_file": "$DIR/clouds.yaml"}});
    let options = provider["designate"].as_object_mut().unwrap();
    options.extend(more.as_object().unwrap().clone());
    let answer = lab.write("publish", &provider, ("h0.acme-sign.test", "v"));
    answer.never_says("hunter2");
    answer
}

#[test]
fn a_cloud_is_trusted_by_its_cacert_only_at_the_stand_in() {
    let lab = Lab::without_authority(World::default());
    let proxy = cloud(&lab, |proxy| proxy.url(""));
    lab.sandbox.write("clouds.yaml", clouds(&proxy, ""));
    let answer = publish(&lab, &json!({}));
    assert_eq!(answer.kind(), "web.untrusted", "{}", answer.report());
    let ca = lab.sandbox.path().join("https.pem");
    let trusting = clouds(&proxy, &format!("    cacert: {}\n", ca.display()));
    for (text, more) in [
        (trusting, json!({})),
        (clouds(&proxy, ""), json!({"ca_file": "$DIR/https.pem"})),
    ] {
        lab.sandbox.write("clouds.yaml", text);
        let answer = publish(&lab, &more);
        assert_eq!(answer.kind(), "dns.configuration", "{}", answer.report());
        assert!(
            answer
                .report()
                .contains("the project has no zone of this name")
        );
    }
    let answer = publish(&lab, &json!({"ca_file": "$DIR/nothing.pem"}));
    assert_eq!(answer.kind(), "input.file", "{}", answer.report());
}

#[test]
fn a_token_that_came_over_tls_does_not_go_on_in_clear_at_the_stand_in() {
    let lab = Lab::without_authority(World::default());
    let proxy = cloud(&lab, |proxy| format!("http://localhost:{}", proxy.port()));
    lab.sandbox.write("clouds.yaml", clouds(&proxy, ""));
    let answer = publish(&lab, &json!({"ca_file": "$DIR/https.pem"}));
    assert_eq!(answer.kind(), "web.url", "{}", answer.report());
    assert_eq!(proxy.log(), ["POST /v3/auth/tokens"]);
}
