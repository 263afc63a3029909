// SPDX-License-Identifier: Apache-2.0
//! Cloudflare, a stand-in with a real BIND behind it: it is a service.

use serde_json::{Value, json};
use testbed::servers::{Asked, ServiceStandIn, World};

use crate::lab::{Behind, Lab};

const TOKEN: &str = "the-token-of-the-test";

/// What Cloudflare's documentation says of these four requests.
fn cloudflare(behind: Behind) -> ServiceStandIn {
    let mut records: Vec<Value> = Vec::new();
    ServiceStandIn::start(move |asked: &Asked| {
        let token = asked.header("authorization").unwrap_or_default();
        if token != format!("Bearer {TOKEN}") {
            let errors =
                json!([{"code": 9109, "message": format!("Invalid access token {token}")}]);
            return (
                403,
                json!({"success": false, "errors": errors, "result": null}),
            );
        }
        let fine = |result: Value| {
            (
                200,
                json!({"success": true, "errors": [], "result": result}),
            )
        };
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let (result, name) = match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["zones"]) => {
                return fine(json!([{"id": "z1", "name": query.trim_start_matches("name=")}]));
            }
            ("GET", ["zones", "z1", "dns_records"]) => {
                let name = query
                    .split("name=")
                    .nth(1)
                    .unwrap()
                    .split('&')
                    .next()
                    .unwrap();
                let of_name = records.iter().filter(|record| record["name"] == name);
                return fine(of_name.cloned().collect());
            }
            ("POST", ["zones", "z1", "dns_records"]) => {
                let mut record = asked.body.clone();
                record["id"] = format!("r{}", records.len()).into();
                records.push(record.clone());
                let name = record["name"].clone();
                (record, name)
            }
            ("DELETE", ["zones", "z1", "dns_records", id]) => {
                let at = records
                    .iter()
                    .position(|record| record["id"] == *id)
                    .unwrap();
                (json!({"id": id}), records.remove(at)["name"].clone())
            }
            _ => return (404, json!({"success": false, "errors": [{"code": 7003}]})),
        };
        let own = records.iter().filter(|record| record["name"] == name);
        let values: Vec<String> = own
            .map(|record| record["content"].as_str().unwrap().to_owned())
            .collect();
        behind.put(name.as_str().unwrap(), &values);
        fine(result)
    })
}

#[test]
fn cloudflare_shows_what_pebble_wants_and_nothing_afterwards_at_the_stand_in() {
    let lab = Lab::new(World::default());
    let service = cloudflare(lab.behind());
    lab.sandbox.write("token", format!("{TOKEN}\n"));
    let provider = json!({"cloudflare": {"url": service.url(), "token_file": "$DIR/token"}});
    let answer = lab.issue(&provider, &["h0", "h1"]);
    answer.never_says(TOKEN);
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
}

#[test]
fn cloudflare_takes_the_zone_by_its_identifier_and_tells_of_a_wrong_token_at_the_stand_in() {
    let lab = Lab::without_authority(World::default());
    let service = cloudflare(lab.behind());
    let own = ("h0.acme-sign.test", "v");
    let with = |token: &str| json!({"cloudflare": {"url": service.url(), "token": token, "zone_id": "z1"}});
    // The service says back what it was sent.
    let answer = lab.write("publish", &with("hunter2-hunter2"), own);
    assert_eq!(answer.kind(), "dns.api_denied", "{}", answer.report());
    answer.never_says("hunter2-hunter2");
    for phase in ["publish", "cleanup"] {
        let answer = lab.write(phase, &with(TOKEN), own);
        assert!(answer.changed(), "{}", answer.report());
        answer.never_says(TOKEN);
        assert_eq!(lab.dns.texts().len(), usize::from(phase == "publish"));
    }
    let asked = service.asked();
    assert!(asked.iter().all(|asked| !asked.path.starts_with("/zones?")));
}
