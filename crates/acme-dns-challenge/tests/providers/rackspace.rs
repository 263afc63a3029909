// SPDX-License-Identifier: Apache-2.0
//! Rackspace's Cloud DNS, a stand-in with a real BIND behind it: it is a service.

use serde_json::{Value, json};
use testbed::servers::{Asked, ServiceStandIn, World};

use crate::lab::{Behind, Lab};

const KEY: &str = "the-key-of-the-test";

/// What its documentation says; each job is done at once.
fn rackspace(behind: Behind) -> ServiceStandIn {
    let mut records: Vec<Value> = Vec::new();
    let mut made = 0;
    ServiceStandIn::start(move |asked: &Asked| {
        if asked.path == "/v2.0/tokens" {
            let key = &asked.body["auth"]["RAX-KSKEY:apiKeyCredentials"]["apiKey"];
            return match key == KEY {
                true => (
                    200,
                    json!({"access": {"token": {"id": "token", "tenant": {"id": "4711"}}}}),
                ),
                false => (
                    401,
                    json!({"unauthorized": {"code": 401, "message": format!("no {key}")}}),
                ),
            };
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let touched: Vec<Value> = match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["v1.0", "4711", "domains"]) => {
                return (
                    200,
                    json!({"domains": [{"id": 99, "name": "acme-sign.test"}]}),
                );
            }
            ("GET", ["v1.0", "4711", "domains", "99", "records"]) => {
                let name = query.split("name=").nth(1).unwrap();
                let own = records.iter().filter(|record| record["name"] == name);
                return (200, json!({"records": own.collect::<Vec<_>>()}));
            }
            ("POST", _) => {
                let new = asked.body["records"].as_array().unwrap().clone();
                for mut record in new.clone() {
                    made += 1;
                    record["id"] = format!("TXT-{made}").into();
                    records.push(record);
                }
                new
            }
            ("DELETE", _) => {
                let ids: Vec<&str> = query
                    .split('&')
                    .filter_map(|part| part.strip_prefix("id="))
                    .collect();
                let is_gone = |record: &Value| ids.iter().any(|id| record["id"] == *id);
                let gone = records
                    .iter()
                    .filter(|record| is_gone(record))
                    .cloned()
                    .collect();
                records.retain(|record| !is_gone(record));
                gone
            }
            _ => return (400, json!({})),
        };
        for record in touched {
            let own = records
                .iter()
                .filter(|other| other["name"] == record["name"]);
            let values: Vec<String> = own
                .map(|one| one["data"].as_str().unwrap().to_owned())
                .collect();
            behind.put(record["name"].as_str().unwrap(), &values);
        }
        (202, json!({"jobId": "job", "status": "COMPLETED"}))
    })
}

#[test]
fn rackspace_of_a_cloud_in_clouds_yaml_shows_what_pebble_wants_at_the_stand_in() {
    let lab = Lab::new(World::default());
    let service = rackspace(lab.behind());
    let entry = format!(
        "clouds:\n  rackspace:\n    profile: rackspace\n    auth_type: rackspace_apikey\n    \
         auth: {{username: infra, api_key: {KEY}}}\n"
    );
    lab.sandbox.write("clouds.yaml", entry);
    let provider = json!({"rackspace": {
        "cloud": "rackspace", "clouds_file": "$DIR/clouds.yaml",
        "identity_url": service.url(), "url": format!("{}/v1.0", service.url()),
    }});
    let answer = lab.issue(&provider, &["h0", "h1"]);
    answer.never_says(KEY);
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
}

#[test]
fn rackspace_takes_a_key_of_a_file_and_tells_of_a_wrong_one_at_the_stand_in() {
    let lab = Lab::without_authority(World::default());
    let service = rackspace(lab.behind());
    let provider = json!({"rackspace": {
        "username": "infra", "api_key_file": "$DIR/key",
        "identity_url": service.url(), "url": format!("{}/v1.0", service.url()),
    }});
    let own = ("h0.acme-sign.test", "v");
    lab.sandbox.write("key", "hunter2-hunter2");
    let answer = lab.write("publish", &provider, own);
    assert_eq!(answer.kind(), "dns.api_denied", "{}", answer.report());
    answer.never_says("hunter2");
    lab.sandbox.write("key", format!("{KEY}\n"));
    for phase in ["publish", "cleanup"] {
        let answer = lab.write(phase, &provider, own);
        assert!(answer.changed(), "{}", answer.report());
        answer.never_says(KEY);
    }
    assert!(lab.dns.texts().is_empty());
}
