// SPDX-License-Identifier: Apache-2.0
//! Rackspace's Cloud DNS, against a stand-in: it is a service.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use dns::publish::{Publisher, Rackspace, TextRecord};
use serde_json::{Value, json};
use testbed::servers::{Asked, ServiceStandIn};
use web::{Client, Settings};

fn record(owner: &str, value: &str) -> TextRecord {
    TextRecord {
        zone: "acme-sign.test".parse().unwrap(),
        owner: owner.parse().unwrap(),
        value: value.into(),
        ttl: 60,
    }
}

/// What its documentation says; each job is done when it is asked for the second time, one for `bad` never well.
fn stand_in() -> ServiceStandIn {
    let mut records: Vec<Value> = vec![
        json!({"id": "TXT-0", "name": "lb.acme-sign.test", "type": "TXT", "data": "somebody's", "ttl": 300}),
    ];
    let (mut jobs, mut looks, mut failing) = (0, 0, false);
    ServiceStandIn::start(move |asked: &Asked| {
        if asked.path == "/v2.0/tokens" {
            return match asked.body["auth"]["RAX-KSKEY:apiKeyCredentials"]["apiKey"] == "secret" {
                true => (
                    200,
                    json!({"access": {"token": {"id": "token", "tenant": {"id": "4711"}}}}),
                ),
                false => (
                    401,
                    json!({"unauthorized": {"code": 401, "message": "Username or api key is invalid."}}),
                ),
            };
        }
        if asked.header("x-auth-token") != Some("token") {
            return (401, json!({}));
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let mut job = || {
            jobs += 1;
            looks = 0;
            (
                202,
                json!({"jobId": format!("job-{jobs}"), "status": "RUNNING", "callbackUrl": "http://192.0.2.1/"}),
            )
        };
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["v1.0", "4711", "domains"]) if query == "name=acme-sign.test" => (
                200,
                json!({"domains": [{"id": 99, "name": "acme-sign.test"}]}),
            ),
            ("GET", ["v1.0", "4711", "domains"]) => (200, json!({"domains": []})),
            ("GET", ["v1.0", "4711", "domains", "99", "records"]) => {
                let name = query.split("name=").nth(1).unwrap();
                let own: Vec<&Value> = records
                    .iter()
                    .filter(|record| record["name"] == name)
                    .collect();
                match own.is_empty() {
                    true => (404, json!({"message": "Object not Found.", "code": 404})),
                    false => (200, json!({"records": own})),
                }
            }
            ("POST", ["v1.0", "4711", "domains", "99", "records"]) => {
                for record in asked.body["records"].as_array().unwrap() {
                    failing = record["data"] == "bad";
                    let mut record = record.clone();
                    record["id"] = format!("TXT-{}", records.len()).into();
                    records.push(record);
                }
                job()
            }
            ("DELETE", ["v1.0", "4711", "domains", "99", "records"]) => {
                let ids: Vec<&str> = query
                    .split('&')
                    .filter_map(|part| part.strip_prefix("id="))
                    .collect();
                records.retain(|record| !ids.iter().any(|id| record["id"] == *id));
                job()
            }
            ("GET", ["v1.0", "4711", "status", id]) => {
                looks += 1;
                match (looks, failing) {
                    (1, _) => (200, json!({"jobId": id, "status": "RUNNING"})),
                    (_, true) => (
                        200,
                        json!({"jobId": id, "status": "ERROR", "error": {"message": "x", "details": "Record is a duplicate"}}),
                    ),
                    (_, false) => (200, json!({"jobId": id, "status": "COMPLETED"})),
                }
            }
            _ => (400, json!({})),
        }
    })
}

fn rackspace(service: &ServiceStandIn, api_key: &str) -> Rackspace {
    let settings = Settings {
        allow_http: true,
        ..Settings::default()
    };
    Rackspace {
        client: Arc::new(Client::new(&settings).unwrap()),
        identity_url: service.url(),
        dns_url: format!("{}/v1.0", service.url()),
        username: "user".into(),
        api_key: api_key.into(),
        within: Duration::from_secs(10),
    }
}

#[test]
fn rackspace_adds_and_removes_exactly_its_records_at_the_stand_in() {
    let service = stand_in();
    let publisher = rackspace(&service, "secret");
    let own = [
        record("lb.acme-sign.test", "one"),
        record("h1.acme-sign.test", "two"),
    ];
    // The token, the zone, two names, one job for both records, two looks at it.
    assert_eq!(publisher.publish(&own).unwrap().steps, 7);
    let asked = service.asked();
    let added = asked
        .iter()
        .filter(|asked| asked.path.ends_with("/99/records"));
    let added: Vec<&Value> = added.map(|asked| &asked.body).collect();
    assert_eq!(
        added,
        [&json!({"records": [
            {"name": "h1.acme-sign.test", "type": "TXT", "data": "two", "ttl": 300},
            {"name": "lb.acme-sign.test", "type": "TXT", "data": "one", "ttl": 300},
        ]})]
    );
    assert_eq!(publisher.publish(&own).unwrap().steps, 4);
    assert_eq!(publisher.withdraw(&own).unwrap().steps, 7);
    assert_eq!(publisher.withdraw(&own).unwrap().steps, 4);
    let others = [record("lb.acme-sign.test", "somebody's")];
    assert_eq!(publisher.publish(&others).unwrap().steps, 3);
    assert_eq!(publisher.publish(&[]).unwrap().steps, 0);
}

#[test]
fn rackspace_says_what_is_wrong_at_the_stand_in() {
    let service = stand_in();
    let own = [record("h1.acme-sign.test", "bad")];
    let error = rackspace(&service, "secret").publish(&own).unwrap_err();
    assert_eq!(error.to_string(), "job at Rackspace: Record is a duplicate");
    let hasty = Rackspace {
        within: Duration::ZERO,
        ..rackspace(&service, "secret")
    };
    let error = hasty.withdraw(&own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "job at Rackspace: it was not done within 0 s"
    );
    let denied = rackspace(&service, "hunter2");
    let error = denied.publish(&own).unwrap_err();
    assert_eq!(error.kind(), "dns.api_denied");
    assert!(!format!("{error} {denied:?}").contains("hunter2"));
}
