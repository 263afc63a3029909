// SPDX-License-Identifier: Apache-2.0
//! Designate, a stand-in with a real BIND behind it: a real one needs Keystone, RabbitMQ and a database around it. What
//! is real here is clouds.yaml.

use serde_json::{Value, json};
use testbed::servers::{Asked, ServiceStandIn, World};

use crate::lab::{Behind, Lab};

const PASSWORD: &str = "the password of the cloud";

/// What the documentation of Designate's API says of these requests.
fn designate(behind: Behind) -> ServiceStandIn {
    let mut sets: Vec<Value> = Vec::new();
    ServiceStandIn::start(move |asked: &Asked| {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let set = match (asked.method.as_str(), parts.as_slice()) {
            _ if asked.header("x-auth-token") != Some("token") => return (401, json!({})),
            ("GET", ["v2", "zones"]) => return (200, json!({"zones": [{"id": "z1"}]})),
            ("GET", ["v2", "zones", "z1", "recordsets"]) => {
                let name = query.split("name=").nth(1).unwrap();
                let of_name = sets.iter().filter(|set| set["name"] == name);
                return (200, json!({"recordsets": of_name.collect::<Vec<_>>()}));
            }
            ("POST", _) => {
                let mut set = asked.body.clone();
                set["id"] = format!("s{}", sets.len()).into();
                sets.push(set.clone());
                set
            }
            (method, ["v2", "zones", "z1", "recordsets", id]) => {
                let at = sets.iter().position(|set| set["id"] == *id).unwrap();
                let mut set = sets.remove(at);
                set["records"] = match method {
                    "PUT" => asked.body["records"].clone(),
                    _ => json!([]),
                };
                if method == "PUT" {
                    sets.push(set.clone());
                }
                set
            }
            _ => return (400, json!({})),
        };
        let values = set["records"].as_array().unwrap().iter();
        let values: Vec<String> = values
            .map(|value| value.as_str().unwrap().to_owned())
            .collect();
        behind.put(set["name"].as_str().unwrap(), &values);
        (202, set)
    })
}

fn keystone(designate: &ServiceStandIn) -> ServiceStandIn {
    let url = designate.url();
    ServiceStandIn::start(move |asked: &Asked| {
        let identity = &asked.body["auth"]["identity"];
        let secret = match identity["methods"][0].as_str() {
            Some("password") => &identity["password"]["user"]["password"],
            Some("token") => &identity["token"]["id"],
            _ => &identity["application_credential"]["secret"],
        };
        if secret != PASSWORD {
            return (401, json!({"error": {"code": 401, "message": format!("no {secret}")}}));
        }
        let endpoint = |region: &str, interface: &str, url: &str| {
            json!({"interface": interface, "region_id": region, "url": url})
        };
        let endpoints = json!([
            endpoint("one", "public", "http://127.0.0.1:1"),
            endpoint("two", "public", "http://127.0.0.1:1"),
            endpoint("two", "internal", &url),
        ]);
        (201, json!({"token": {"catalog": [{"type": "dns", "endpoints": endpoints}]}}))
    })
    .with_header("X-Subject-Token", "token")
}

/// An entry that borrows by an anchor, with its secret in secure.yaml.
fn clouds(keystone: &ServiceStandIn) -> String {
    format!(
        "x-usual: &usual\n  region_name: two\n  interface: internal\n\
         clouds:\n  infra:\n    <<: *usual\n    auth:\n      auth_url: {url}/v3\n      username: infra\n      \
         project_name: dns\n      user_domain_name: Default\n      project_domain_name: Default\n  \
         open:\n    auth: {{auth_url: {url}}}\n    verify: false\n  \
         credential:\n    <<: *usual\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: {url}\n      \
         application_credential_id: '0123'\n  \
         odd:\n    auth_type: v3oidcpassword\n    auth: {{auth_url: {url}}}\n",
        url = keystone.url()
    )
}

fn secure(secret: &str) -> String {
    format!(
        "clouds:\n  infra:\n    auth: {{password: '{secret}'}}\n  \
         credential:\n    auth: {{application_credential_secret: '{secret}'}}\n"
    )
}

#[test]
fn designate_of_a_cloud_in_clouds_yaml_shows_what_pebble_wants_at_the_stand_in() {
    let lab = Lab::new(World::default());
    let service = designate(lab.behind());
    let keystone = keystone(&service);
    lab.sandbox.write("clouds.yaml", clouds(&keystone));
    lab.sandbox.write("secure.yaml", secure(PASSWORD));
    let provider = json!({"designate": {"cloud": "infra", "clouds_file": "$DIR/clouds.yaml"}});
    let answer = lab.issue(&provider, &["h0", "h1"]);
    answer.never_says(PASSWORD);
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
    let asked = keystone.asked();
    assert_eq!(
        asked[0].body["auth"]["scope"],
        json!({"project": {"name": "dns", "domain": {"name": "Default"}}})
    );
}

#[test]
fn designate_lets_in_by_every_type_at_the_stand_in() {
    let lab = Lab::without_authority(World::default());
    let service = designate(lab.behind());
    let keystone = keystone(&service);
    lab.sandbox.write("clouds.yaml", clouds(&keystone));
    lab.sandbox.write("secure.yaml", secure(PASSWORD));
    lab.sandbox.write("password", format!("{PASSWORD}\n"));
    let url = keystone.url();
    let inline = |auth: Value| json!({"designate": {"auth": auth, "region_name": "two", "interface": "internal"}});
    for provider in [
        json!({"designate": {"cloud": "credential", "clouds_files": ["$DIR/nothing.yaml", "$DIR/clouds.yaml"]}}),
        inline(
            json!({"auth_url": url, "username": "u", "password": PASSWORD, "project_name": "p"}),
        ),
        inline(
            json!({"auth_url": url, "user_id": "u", "password_file": "$DIR/password", "project_id": "p"}),
        ),
        inline(json!({"auth_url": url, "token": PASSWORD})),
        inline(json!({
            "auth_url": url, "application_credential_id": "i", "application_credential_secret_file": "$DIR/password",
        })),
    ] {
        for phase in ["publish", "cleanup"] {
            let answer = lab.write(phase, &provider, ("h0.acme-sign.test", "v"));
            assert!(answer.changed(), "{}", answer.report());
            answer.never_says(PASSWORD);
        }
    }
    assert!(lab.dns.texts().is_empty());
}

#[test]
fn a_cloud_that_cannot_be_used_is_told_without_its_secret_at_the_stand_in() {
    let lab = Lab::without_authority(World::default());
    let service = designate(lab.behind());
    let keystone = keystone(&service);
    let refuse = |cloud: &str, kind: &str, why: &str| {
        let provider = json!({"designate": {"cloud": cloud, "clouds_file": "$DIR/clouds.yaml"}});
        let answer = lab.write("publish", &provider, ("h0.acme-sign.test", "v"));
        assert!(
            answer.kind() == kind && answer.value["msg"].as_str().unwrap().contains(why),
            "{}",
            answer.report()
        );
        answer.never_says("hunter2");
    };
    refuse("infra", "input.file", "clouds.yaml': it does not exist");
    lab.sandbox
        .write("clouds.yaml", "clouds:\n  infra: [hunter2\n");
    refuse("infra", "input.file", "it is not YAML");
    lab.sandbox.write("clouds.yaml", clouds(&keystone));
    refuse(
        "infra",
        "input.file",
        "auth.password of cloud 'infra': is missing",
    );
    refuse(
        "other",
        "input.file",
        "no cloud 'other'; there are: infra, open, credential, odd",
    );
    refuse(
        "open",
        "input.file",
        "turns verification of certificates off",
    );
    refuse(
        "odd",
        "input.file",
        "'v3oidcpassword' is not one of the types",
    );
    // The stand-in says the password back.
    lab.sandbox.write("secure.yaml", secure("hunter2-hunter2"));
    refuse("infra", "dns.api_denied", "Keystone refuses");
    assert!(lab.dns.texts().is_empty());
}
