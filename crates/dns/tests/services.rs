// SPDX-License-Identifier: Apache-2.0
//! Ways to publish by HTTP: PowerDNS is the real one; where a test's name says stand-in, there is no real one to be had.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use dns::Clock;
use dns::publish::{
    Account, AcmeDns, Cloudflare, Credentials, PowerDns, Publisher, Route53, TextRecord,
};
use serde_json::{Value, json};
use testbed::servers::{Asked, MotoStandIn, PowerDnsServer, SIGNING_ZONE, ServiceStandIn};
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

fn sorted(lines: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn powerdns_adds_and_removes_exactly_its_records() {
    let server = PowerDnsServer::start(SIGNING_ZONE);
    let publisher = PowerDns::new(
        client(),
        &server.url(),
        "localhost",
        PowerDnsServer::API_KEY,
    );
    let owner = "h1.acme-sign.test";
    let long = "l".repeat(300);
    let first = [record(owner, "one"), record(SIGNING_ZONE, "apex")];
    // Two questions, one change, two questions whether it holds.
    assert_eq!(publisher.publish(&first).unwrap().steps, 5);
    publisher
        .publish(&[
            record(owner, "two"),
            record(owner, &long),
            record(owner, "q\"; \\"),
        ])
        .unwrap();
    let strings = format!("\"{}\" \"{}\"", &long[..255], &long[255..]);
    assert_eq!(
        sorted(&server.dig(&[owner, "TXT"])),
        [strings.as_str(), "\"one\"", r#""q\"; \\""#, "\"two\""]
    );
    // Again it only looks.
    assert_eq!(publisher.publish(&first).unwrap().steps, 2);
    publisher.withdraw(&first).unwrap();
    assert_eq!(publisher.withdraw(&first).unwrap().steps, 2);
    assert_eq!(sorted(&server.dig(&[owner, "TXT"])).len(), 3);
    assert_eq!(server.dig(&[SIGNING_ZONE, "TXT"]), "");
    publisher
        .withdraw(&[
            record(owner, "two"),
            record(owner, &long),
            record(owner, "q\"; \\"),
        ])
        .unwrap();
    assert_eq!(server.dig(&[owner, "TXT"]), "");
}

#[test]
fn powerdns_takes_many_records_in_one_change_and_twenty_runs_at_one_name() {
    let server = PowerDnsServer::start(SIGNING_ZONE);
    let publisher = PowerDns::new(
        client(),
        &server.url(),
        "localhost",
        PowerDnsServer::API_KEY,
    );
    let many: Vec<TextRecord> = (0..200)
        .map(|host| record(&format!("h{host}.acme-sign.test"), "v"))
        .collect();
    assert_eq!(publisher.publish(&many).unwrap().steps, 3);
    assert_eq!(server.dig(&["h199.acme-sign.test", "TXT"]), "\"v\"");
    std::thread::scope(|scope| {
        for run in 0..20 {
            let publisher = publisher.clone();
            scope.spawn(move || {
                let own = [record("lb.acme-sign.test", &format!("run {run}"))];
                publisher.publish(&own).unwrap();
            });
        }
    });
    assert_eq!(
        server.dig(&["lb.acme-sign.test", "TXT"]).lines().count(),
        20
    );
}

#[test]
fn powerdns_says_what_is_wrong_and_shows_no_key() {
    let server = PowerDnsServer::start(SIGNING_ZONE);
    let denied = PowerDns::new(client(), &server.url(), "localhost", "another key");
    let own = [record(SIGNING_ZONE, "x")];
    let error = denied.publish(&own).unwrap_err();
    assert_eq!(error.kind(), "dns.api_denied");
    assert!(
        !error.to_string().contains("another key")
            && !format!("{denied:?}").contains("another key")
    );
    let publisher = PowerDns::new(
        client(),
        &server.url(),
        "localhost",
        PowerDnsServer::API_KEY,
    );
    let other = TextRecord {
        zone: "other.test".parse().unwrap(),
        ..own[0].clone()
    };
    let error = publisher.publish(&[other]).unwrap_err();
    assert_eq!(error.kind(), "dns.api_not_found");
    assert_eq!(
        error.to_string(),
        format!(
            "PowerDNS refuses 'GET {}/api/v1/servers/localhost/zones/other.test.' with status 404: Not Found",
            server.url()
        )
    );
    let url = server.url();
    drop(server);
    let gone = PowerDns::new(client(), &url, "localhost", "k");
    assert_eq!(gone.publish(&own).unwrap_err().kind(), "web.connect");
}

/// The values of the text records of a name, as Amazon's own client reads them.
fn values(moto: &MotoStandIn, owner: &str) -> Vec<String> {
    let script = format!(
        "zone = route53.list_hosted_zones_by_name(DNSName='acme-sign.test.')['HostedZones'][0]['Id']\n\
         for set in route53.list_resource_record_sets(HostedZoneId=zone)['ResourceRecordSets']:\n    \
         if set['Type'] == 'TXT' and set['Name'] == '{owner}.':\n        \
         for record in set['ResourceRecords']: print(record['Value'])"
    );
    let said = moto.boto(&script);
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn route53(moto: &MotoStandIn) -> Route53 {
    let credentials = Credentials {
        access_key: "a".into(),
        secret_key: "b".into(),
        session_token: Some("c".into()),
    };
    let clock = Clock::starting_at(SystemTime::now());
    Route53::new(client(), &moto.url(), credentials, None, clock)
}

#[test]
fn route53_adds_and_removes_exactly_its_records_at_the_stand_in_moto() {
    let moto = MotoStandIn::start();
    moto.boto(
        "route53.create_hosted_zone(Name='acme-sign.test.', CallerReference='1')\n\
         route53.create_hosted_zone(Name='zz.test.', CallerReference='2')",
    );
    let publisher = route53(&moto);
    let owner = "h1.acme-sign.test";
    let long = "l".repeat(300);
    let first = [record(owner, "one"), record("*.h2.acme-sign.test", "star")];
    // The zone, two sets, one batch.
    assert_eq!(publisher.publish(&first).unwrap().steps, 4);
    let more = [
        record(owner, "two & <three>"),
        record(owner, &long),
        record(owner, "q\"; \\"),
    ];
    publisher.publish(&more).unwrap();
    let strings = format!("\"{}\" \"{}\"", &long[..255], &long[255..]);
    assert_eq!(
        values(&moto, owner),
        [
            strings.as_str(),
            "\"one\"",
            r#""q\"; \\""#,
            "\"two & <three>\""
        ]
    );
    // Again it only looks.
    assert_eq!(publisher.publish(&first).unwrap().steps, 3);
    publisher.withdraw(&first).unwrap();
    assert_eq!(values(&moto, owner).len(), 3);
    publisher.withdraw(&more).unwrap();
    assert!(values(&moto, owner).is_empty());
    assert_eq!(publisher.withdraw(&more).unwrap().steps, 2);
    let other = TextRecord {
        zone: "other.test".parse().unwrap(),
        ..record("h1.other.test", "x")
    };
    let error = publisher.publish(&[other]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "zone 'other.test' at Route 53: there is no public zone of this name for these credentials"
    );
}

/// Not a lost race: what is refused twice for the same batch is refused for good.
#[test]
fn route53_does_not_try_long_what_the_stand_in_moto_refuses_for_good() {
    let moto = MotoStandIn::start();
    let created = moto.boto(
        "print(route53.create_hosted_zone(Name='zz.test.', CallerReference='1')['HostedZone']['Id'].split('/')[-1])",
    );
    let zone = Some(created.trim().to_owned());
    let credentials = Credentials {
        access_key: "a".into(),
        secret_key: "b".into(),
        session_token: None,
    };
    let clock = Clock::starting_at(SystemTime::now());
    let publisher = Route53::new(client(), &moto.url(), credentials, zone, clock);
    let started = Instant::now();
    let own = [record("h1.acme-sign.test", "one")];
    let error = publisher.publish(&own).unwrap_err();
    assert!(
        error.to_string().contains("InvalidChangeBatch") && error.kind() == "dns.api_refused",
        "{error}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

fn account(owner: &str, password: &str) -> Account {
    Account {
        full_domain: owner.parse().unwrap(),
        subdomain: owner.split('.').next().unwrap().into(),
        username: "user".into(),
        password: password.into(),
    }
}

#[test]
fn acme_dns_hands_its_values_to_the_stand_in_and_refuses_a_third() {
    let service = ServiceStandIn::start(|asked: &Asked| {
        match (asked.path.as_str(), asked.header("x-api-key")) {
            ("/update", Some("secret")) => (200, json!({"txt": asked.body["txt"]})),
            _ => (401, json!({"error": "forbidden"})),
        }
    });
    let owner = "d420c923.acme-sign.test";
    let publisher = AcmeDns::new(client(), &service.url(), [account(owner, "secret")]);
    let value = |letter: &str| letter.repeat(43);
    let two = [record(owner, &value("a")), record(owner, &value("b"))];
    assert_eq!(publisher.publish(&two).unwrap().steps, 2);
    let asked = service.asked();
    assert_eq!(asked[1].method, "POST");
    assert_eq!(asked[1].header("x-api-user"), Some("user"));
    assert_eq!(
        asked[1].body,
        json!({"subdomain": "d420c923", "txt": value("b")})
    );
    for (records, why) in [
        (
            vec![two[0].clone(), two[1].clone(), record(owner, &value("c"))],
            "acme-dns keeps the last two values of a name; give names accounts of their own",
        ),
        (
            vec![record("other.acme-sign.test", &value("a"))],
            "there is no account whose fulldomain it is; the CNAME must lead to one",
        ),
        (
            vec![record(owner, "short")],
            "acme-dns takes values of 43 characters only, those of dns-01",
        ),
    ] {
        let text = publisher.publish(&records).unwrap_err().to_string();
        assert!(text.ends_with(why), "{text}");
    }
    // What was refused was refused before anything was sent.
    assert_eq!(service.asked().len(), 2);
    assert_eq!(publisher.withdraw(&two).unwrap().steps, 0);
    let wrong = AcmeDns::new(client(), &service.url(), [account(owner, "hunter2")]);
    let error = wrong.publish(&two).unwrap_err();
    assert_eq!(error.kind(), "dns.api_denied");
    assert!(!format!("{error} {wrong:?}").contains("hunter2"));
}

/// What Cloudflare's documentation says of these four requests, and a list of records.
fn cloudflare() -> ServiceStandIn {
    let mut records: Vec<Value> = vec![
        json!({"id": "r0", "type": "TXT", "name": "lb.acme-sign.test", "content": "somebody's", "ttl": 1}),
    ];
    let refusal = |status, code| {
        (
            status,
            json!({"success": false, "errors": [{"code": code, "message": "no"}], "result": null}),
        )
    };
    ServiceStandIn::start(move |asked: &Asked| {
        if asked.header("authorization") != Some("Bearer token") {
            return refusal(403, 9109);
        }
        let fine = |result: Value| {
            (
                200,
                json!({"success": true, "errors": [], "result": result}),
            )
        };
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["zones"]) if query == "name=acme-sign.test" => {
                fine(json!([{"id": "z1", "name": "acme-sign.test"}]))
            }
            ("GET", ["zones"]) => fine(json!([])),
            ("GET", ["zones", "z1", "dns_records"]) => {
                let name = query
                    .split("name=")
                    .nth(1)
                    .unwrap()
                    .split('&')
                    .next()
                    .unwrap();
                let of_name = records.iter().filter(|record| record["name"] == name);
                fine(of_name.cloned().collect())
            }
            ("GET", ["zones", "z2", "dns_records"]) => fine(json!([])),
            ("POST", ["zones", "z2", "dns_records"]) => {
                let name = format!("{}.zz.test", asked.body["name"].as_str().unwrap());
                fine(json!({"id": "r9", "name": name}))
            }
            ("DELETE", ["zones", "z2", "dns_records", id]) => fine(json!({"id": id})),
            ("POST", ["zones", "z1", "dns_records"]) => {
                let is_same = |record: &Value| {
                    record["name"] == asked.body["name"]
                        && record["content"] == asked.body["content"]
                };
                if records.iter().any(is_same) {
                    return refusal(400, 81058);
                }
                let mut record = asked.body.clone();
                record["id"] = format!("r{}", records.len()).into();
                records.push(record.clone());
                fine(record)
            }
            ("DELETE", ["zones", "z1", "dns_records", id]) => {
                let before = records.len();
                records.retain(|record| record["id"] != *id);
                match records.len() < before {
                    true => fine(json!({"id": id})),
                    false => refusal(404, 81044),
                }
            }
            _ => refusal(404, 7003),
        }
    })
}

#[test]
fn cloudflare_adds_and_removes_exactly_its_records_at_the_stand_in() {
    let service = cloudflare();
    let publisher = Cloudflare::new(client(), &service.url(), "token", None);
    let owner = "lb.acme-sign.test";
    let own = [record(owner, "one"), record(owner, "two")];
    // The zone, the name's records, two new ones.
    assert_eq!(publisher.publish(&own).unwrap().steps, 4);
    let asked = service.asked();
    assert_eq!(
        asked[3].body,
        json!({"type": "TXT", "name": owner, "content": "\"two\"", "ttl": 60})
    );
    assert_eq!(publisher.publish(&own).unwrap().steps, 2);
    assert_eq!(publisher.withdraw(&own).unwrap().steps, 4);
    assert_eq!(publisher.withdraw(&own).unwrap().steps, 2);
    // Somebody's is there yet.
    assert_eq!(
        publisher
            .withdraw(&[record(owner, "somebody's")])
            .unwrap()
            .steps,
        3
    );
    let other = TextRecord {
        zone: "other.test".parse().unwrap(),
        ..own[0].clone()
    };
    let text = publisher.publish(&[other]).unwrap_err().to_string();
    assert_eq!(
        text,
        "zone 'other.test' at Cloudflare: there is no zone of this name for this token"
    );
    let denied = Cloudflare::new(client(), &service.url(), "hunter2", None);
    let error = denied.publish(&own).unwrap_err();
    assert_eq!(error.kind(), "dns.api_denied");
    assert!(!format!("{error} {denied:?}").contains("hunter2"));
}

#[test]
fn cloudflare_takes_a_zone_by_its_identifier_at_the_stand_in() {
    let service = cloudflare();
    let with = |zone: &str| Cloudflare::new(client(), &service.url(), "token", Some(zone.into()));
    let own = [record("lb.acme-sign.test", "one")];
    assert_eq!(with("z1").publish(&own).unwrap().steps, 2);
    assert!(
        service
            .asked()
            .iter()
            .all(|asked| !asked.path.starts_with("/zones?"))
    );
    // In a zone of another name the record would get that name behind its own, and is taken back.
    let other = [record("h1.other.test", "one")];
    let error = with("z2").publish(&other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "'h1.other.test' at Cloudflare: the zone with the given identifier is another one"
    );
    assert_eq!(service.asked().last().unwrap().method, "DELETE");
}

#[test]
fn cloudflare_takes_it_as_done_when_somebody_else_did_the_same_at_the_stand_in() {
    let service = cloudflare();
    let publisher = Cloudflare::new(client(), &service.url(), "token", None);
    let own = [record("lb.acme-sign.test", "same")];
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| publisher.publish(&own).unwrap());
        }
    });
    assert_eq!(publisher.withdraw(&own).unwrap().steps, 3);
    publisher.publish(&own).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| publisher.withdraw(&own).unwrap());
        }
    });
}
