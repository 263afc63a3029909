// SPDX-License-Identifier: Apache-2.0
//! Designate, against a stand-in: a real one needs Keystone, RabbitMQ and a database around it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use dns::publish::{Cloud, Credential, Designate, Domain, Identity, Named, Publisher, TextRecord};
use serde_json::{Value, json};
use testbed::servers::{Asked, SIGNING_ZONE, ServiceStandIn};
use web::{Client, Settings};

fn client() -> Arc<Client> {
    let settings = Settings {
        allow_http: true,
        ..Settings::default()
    };
    Arc::new(Client::new(&settings).unwrap())
}

fn record(owner: &str, value: &str) -> TextRecord {
    TextRecord {
        zone: SIGNING_ZONE.parse().unwrap(),
        owner: owner.parse().unwrap(),
        value: value.into(),
        ttl: 60,
    }
}

/// What the documentation of Designate's API says of these five requests, over a list of sets.
fn designate() -> ServiceStandIn {
    let mut sets: Vec<Value> = vec![json!({
        "id": "s0", "type": "TXT", "name": "lb.acme-sign.test.", "records": ["\"somebody's\""], "ttl": 300,
    })];
    ServiceStandIn::start(move |asked: &Asked| {
        if asked.header("x-auth-token") != Some("token") {
            return (401, json!({"message": "unauthorized"}));
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["v2", "zones"]) if query == "name=acme-sign.test." => (
                200,
                json!({"zones": [{"id": "z1", "name": "acme-sign.test."}]}),
            ),
            ("GET", ["v2", "zones"]) => (200, json!({"zones": []})),
            ("GET", ["v2", "zones", "z1", "recordsets"]) => {
                let name = query.split("name=").nth(1).unwrap();
                let of_name = sets.iter().filter(|set| set["name"] == name);
                (200, json!({"recordsets": of_name.collect::<Vec<_>>()}))
            }
            ("POST", ["v2", "zones", "z1", "recordsets"]) => {
                if sets.iter().any(|set| set["name"] == asked.body["name"]) {
                    return (409, json!({"code": 409, "type": "duplicate_recordset"}));
                }
                let mut set = asked.body.clone();
                set["id"] = format!("s{}", sets.len()).into();
                sets.push(set.clone());
                (202, set)
            }
            (method, ["v2", "zones", "z1", "recordsets", id]) => {
                let Some(at) = sets.iter().position(|set| set["id"] == *id) else {
                    return (404, json!({"code": 404, "type": "recordset_not_found"}));
                };
                if method == "DELETE" {
                    return (202, sets.remove(at));
                }
                sets[at]["records"] = asked.body["records"].clone();
                (202, sets[at].clone())
            }
            _ => (400, json!({})),
        }
    })
}

fn keystone(designate: &ServiceStandIn) -> ServiceStandIn {
    let url = designate.url();
    ServiceStandIn::start(move |asked: &Asked| {
        let identity = &asked.body["auth"]["identity"];
        let is_known = identity["application_credential"]["secret"] == "secret"
            || identity["password"]["user"]["password"] == "secret";
        if asked.path != "/v3/auth/tokens" || !is_known {
            return (
                401,
                json!({"error": {"code": 401, "message": "The request you have made requires authentication."}}),
            );
        }
        let endpoint = |region: &str, url: &str| json!({"interface": "public", "region_id": region, "url": url});
        let dns = json!({"type": "dns", "endpoints": [endpoint("one", "http://127.0.0.1:1"), endpoint("two", &url)]});
        (201, json!({"token": {"catalog": [{"type": "compute", "endpoints": []}, dns]}}))
    })
    .with_header("X-Subject-Token", "token")
}

fn cloud(keystone: &ServiceStandIn, secret: &str) -> Cloud {
    Cloud {
        auth_url: format!("{}/v3/", keystone.url()),
        identity: Identity::ApplicationCredential {
            credential: Credential::Id("id".into()),
            secret: secret.into(),
        },
        region: Some("two".into()),
        interface: "public".into(),
    }
}

#[test]
fn designate_adds_and_removes_exactly_its_records_at_the_stand_in() {
    let service = designate();
    let keystone = keystone(&service);
    let publisher = Designate::new(client(), cloud(&keystone, "secret"));
    let own = [
        record("lb.acme-sign.test", "one"),
        record("h1.acme-sign.test", "two"),
    ];
    // The token, the zone, and for each set: look, write, look again.
    assert_eq!(publisher.publish(&own).unwrap().steps, 8);
    let written: Vec<(String, Value)> = service
        .asked()
        .into_iter()
        .filter(|asked| asked.method != "GET")
        .map(|asked| (asked.method, asked.body))
        .collect();
    let added =
        json!({"records": ["\"two\""], "ttl": 60, "name": "h1.acme-sign.test.", "type": "TXT"});
    let changed = json!({"records": ["\"somebody's\"", "\"one\""], "ttl": 60});
    assert_eq!(written, [("POST".into(), added), ("PUT".into(), changed)]);
    assert_eq!(publisher.publish(&own).unwrap().steps, 4);
    assert_eq!(publisher.withdraw(&own).unwrap().steps, 8);
    let last = service.asked();
    let last: Vec<&Asked> = last.iter().filter(|asked| asked.method != "GET").collect();
    assert_eq!(last[2].method, "DELETE");
    assert_eq!(
        last[3].body,
        json!({"records": ["\"somebody's\""], "ttl": 60})
    );
    assert_eq!(publisher.withdraw(&own).unwrap().steps, 4);
}

/// Another host looked before we wrote, and writes a moment after us what it knew.
#[test]
fn designate_puts_back_what_another_host_undid_at_the_stand_in() {
    let mut values: Vec<Value> = Vec::new();
    let mut undone_at: Option<Instant> = None;
    let mut was_undone = false;
    let service = ServiceStandIn::start(move |asked: &Asked| {
        if undone_at.is_some_and(|at| Instant::now() >= at) {
            values = vec![json!("\"another's\"")];
            (undone_at, was_undone) = (None, true);
        }
        let set = |values: &[Value]| json!({"id": "s1", "type": "TXT", "name": "lb.acme-sign.test.", "records": values});
        match asked.method.as_str() {
            "GET" if asked.path.starts_with("/v2/zones?") => {
                (200, json!({"zones": [{"id": "z1"}]}))
            }
            "GET" if values.is_empty() => (200, json!({"recordsets": []})),
            "GET" => (200, json!({"recordsets": [set(&values)]})),
            _ => {
                values = asked.body["records"].as_array().unwrap().clone();
                if !was_undone {
                    undone_at = Some(Instant::now() + Duration::from_millis(30));
                }
                (202, set(&values))
            }
        }
    });
    let keystone = keystone(&service);
    let publisher = Designate::new(client(), cloud(&keystone, "secret"));
    publisher
        .publish(&[record("lb.acme-sign.test", "ours")])
        .unwrap();
    let asked = service.asked();
    let last = asked.iter().rfind(|asked| asked.method != "GET").unwrap();
    assert_eq!(
        (last.method.as_str(), &last.body["records"]),
        ("PUT", &json!(["\"another's\"", "\"ours\""]))
    );
}

#[test]
fn a_cloud_that_does_not_fit_is_told_without_its_secret_at_the_stand_in() {
    let service = designate();
    let keystone = keystone(&service);
    let own = [record("h1.acme-sign.test", "x")];
    let refuse = |cloud: Cloud| {
        let publisher = Designate::new(client(), cloud);
        let error = publisher.publish(&own).unwrap_err();
        assert!(!format!("{error} {publisher:?}").contains("hunter2"));
        (error.kind(), error.to_string())
    };
    let (kind, _) = refuse(cloud(&keystone, "hunter2"));
    assert_eq!(kind, "dns.api_denied");
    let (_, text) = refuse(Cloud {
        region: Some("three".into()),
        ..cloud(&keystone, "secret")
    });
    assert_eq!(
        text,
        "cloud: its catalogue has no public endpoint of type 'dns' in three"
    );
    // By password, in the first region, where nobody listens.
    let (kind, _) = refuse(Cloud {
        identity: Identity::Password {
            user: Named::Name("user".into(), Domain::Name("Default".into())),
            password: "secret".into(),
            project: Named::Name("project".into(), Domain::Name("Default".into())),
        },
        region: None,
        ..cloud(&keystone, "secret")
    });
    assert_eq!(kind, "web.connect");
    let asked = keystone.asked();
    assert_eq!(
        asked[2].body["auth"]["scope"]["project"],
        json!({"name": "project", "domain": {"name": "Default"}})
    );
    let other = TextRecord {
        zone: "other.test".parse().unwrap(),
        ..own[0].clone()
    };
    let publisher = Designate::new(client(), cloud(&keystone, "secret"));
    assert_eq!(
        publisher.publish(&[other]).unwrap_err().to_string(),
        "zone 'other.test' at Designate: the project has no zone of this name"
    );
}
