// SPDX-License-Identifier: Apache-2.0
//! When certificates are renewed: by the server's word, by their lifetime, spread over hosts.

use std::collections::BTreeSet;
use std::time::SystemTime;

use pki::{CertificateRequest, CertificateTemplate, PrivateKey, Timestamp, self_sign};
use serde_json::{Value, json};
use testbed::servers::post;

use crate::lab::{Lab, Setup, certificate, with};

const DAY: i64 = 86_400;

fn instant(value: &Value) -> i64 {
    value.as_str().unwrap().parse::<Timestamp>().unwrap().0
}

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).0
}

/// A certificate in service for that key and these names, of this lifetime, with so much of it left, in seconds.
fn in_service(lab: &Lab, name: &str, host: &str, lifetime: i64, left: i64) -> Value {
    let wanted = lab.csr(name, &[host]);
    let key = PrivateKey::from_pem(&lab.sandbox.read(format!("{name}.key")), None).unwrap();
    let request = CertificateRequest::from_pem(&lab.sandbox.read(format!("{name}.csr"))).unwrap();
    let ends = now() + left;
    let dates = (Timestamp(ends - lifetime), Timestamp(ends));
    let template = CertificateTemplate::new(request.template().unwrap(), dates.0, dates.1);
    lab.sandbox.write(
        format!("{name}.crt"),
        self_sign(&template, &key).unwrap().to_pem(),
    );
    wanted
}

#[test]
fn a_third_of_the_lifetime_is_left_half_of_a_short_one_or_what_the_user_says() {
    let lab = Lab::new("");
    let tenths = |days: i64| days * DAY / 10;
    for (lifetime, left, before, is_due) in [
        (90, 345, None, false),
        (90, 299, None, true),
        (200, 755, None, false),
        (200, 666, None, true),
        (11, 42, None, false),
        (11, 36, None, true),
        // Ten days at most: half of it, as for the six days of Let's Encrypt's short-lived profile.
        (10, 57, None, false),
        (10, 49, None, true),
        (6, 35, None, false),
        (6, 29, None, true),
        (90, 410, Some("40d"), false),
        (90, 390, Some("40d"), true),
        (90, 100, Some("10%"), false),
        (90, 89, Some("10%"), true),
    ] {
        let wanted = in_service(
            &lab,
            "main",
            "h0.example.test",
            lifetime * DAY,
            tenths(left),
        );
        let mut renew = json!({"ari": false});
        if let Some(before) = before {
            renew["before"] = json!(before);
        }
        let task = json!({"certificates": [wanted], "provider": lab.provider(), "renew": renew});
        let told = lab.task(task).check(true).run();
        let one = certificate(&told, "main");
        let word = if is_due { "due" } else { "valid" };
        assert_eq!(
            one["status"],
            word,
            "{lifetime} {left} {before:?}: {}",
            told.report()
        );
        if is_due {
            assert_eq!(one["reasons"][0]["kind"], "expiry");
        }
    }
}

/// A thousand hosts whose certificates are of one day do not come at once, and each keeps to its instant.
#[test]
fn renewals_are_spread_over_an_eighth_of_what_is_left() {
    let lab = Lab::new("");
    let hosts: Vec<Value> = (0..8)
        .map(|n| {
            in_service(
                &lab,
                &format!("c{n}"),
                &format!("n{n}.example.test"),
                90 * DAY,
                50 * DAY,
            )
        })
        .collect();
    let task = json!({"certificates": hosts, "provider": lab.provider(), "renew": {"ari": false}});
    let told = lab.task(task.clone()).check(true).run();
    assert_eq!(told.value["requests"], 0);
    let mut instants = BTreeSet::new();
    for n in 0..8 {
        let one = certificate(&told, &format!("c{n}"));
        let left = instant(&one["not_after"]) - instant(&one["renew_at"]);
        assert!(
            (30 * DAY..=30 * DAY + 30 * DAY / 8).contains(&left),
            "{left}"
        );
        instants.insert(left / 600);
    }
    assert!(instants.len() >= 5, "{instants:?}");
    let again = lab.task(task).check(true).run();
    assert_eq!(told.value["certificates"], again.value["certificates"]);
}

#[test]
fn the_window_of_the_server_counts_and_hosts_are_spread_in_it() {
    let lab = Lab::new("");
    let certificates = json!([
        lab.csr("one", &["h0.example.test"]),
        lab.csr("two", &["h1.example.test"])
    ]);
    let task = json!({"certificates": certificates, "provider": lab.provider()});
    let first = lab.task(task.clone()).run();
    assert!(!first.failed(), "{}", first.report());
    let window = |start: i64, end: i64| {
        for name in ["one", "two"] {
            let inside = json!({
                "suggestedWindow": {"start": Timestamp(start).to_string(), "end": Timestamp(end).to_string()},
                "explanationURL": "https://ca.example/incident",
            });
            let order = json!({"certificate": certificate(&first, name)["certificate"], "ariResponse": inside.to_string()});
            let port = lab.pebble.management_port();
            let (status, _, body) = post(port, "/set-renewal-info/", order.to_string().as_bytes());
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
            // As if the time that the server had named were over.
            let _ = std::fs::remove_file(lab.sandbox.join(format!("state/{name}.ari")));
        }
    };
    let (start, end) = (now() + 5 * DAY, now() + 9 * DAY);
    window(start, end);
    let kept = lab.task(task.clone()).run();
    assert!(!kept.changed(), "{}", kept.report());
    let at = ["one", "two"].map(|name| instant(&certificate(&kept, name)["renew_at"]));
    assert!(
        at.iter().all(|at| (start..end).contains(at)),
        "{at:?} in {start}..{end}"
    );
    assert_ne!(at[0], at[1]);
    // The server is not asked again before the time that it named, and the instant stays.
    let again = lab.task(task.clone()).run();
    assert_eq!(again.value["requests"], 0);
    assert_eq!(instant(&certificate(&again, "one")["renew_at"]), at[0]);

    // A window behind its end would be an outage.
    window(now() + 9_000 * DAY, now() + 9_001 * DAY);
    let kept = lab.task(task.clone()).run();
    assert!(!kept.changed(), "{}", kept.report());
    let main = certificate(&kept, "one");
    assert!(
        instant(&main["renew_at"]) < instant(&main["not_after"]),
        "{main}"
    );

    window(now() - 2 * DAY, now() - DAY);
    let told = lab.task(task.clone()).check(true).run();
    let reason = certificate(&told, "one")["reasons"][0].clone();
    assert_eq!(reason["kind"], "expiry", "{}", told.report());
    let detail = reason["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("the server wishes it (ARI): https://ca.example/incident"),
        "{detail}"
    );
    // Who does not ask keeps it.
    let deaf = lab
        .task(with(&task, json!({"renew": {"ari": false}})))
        .check(true)
        .run();
    assert_eq!(
        certificate(&deaf, "one")["status"],
        "valid",
        "{}",
        deaf.report()
    );
    lab.let_resolvers_forget();
    let answer = lab.task(task).run();
    assert_eq!(
        answer.value["updated"],
        json!(["one", "two"]),
        "{}",
        answer.report()
    );
    lab.assert_issued("one", "h0.example.test");
}

#[test]
fn a_short_lived_profile_is_asked_for_and_renewed_at_half_of_its_time() {
    let lab = Lab::with(Setup {
        configuration: json!({"profiles": {
            "shortlived": {"description": "six days", "validityPeriod": 518_400},
            "classic": {"description": "ninety days", "validityPeriod": 7_776_000},
        }}),
        ..Setup::default()
    });
    let wanted = |name: &str, host: &str, profile: &str| {
        with(&lab.csr(name, &[host]), json!({"profile": profile}))
    };
    let certificates = json!([
        wanted("short", "h0.example.test", "shortlived"),
        wanted("long", "h1.example.test", "classic"),
        wanted("none", "h2.example.test", "eternal"),
    ]);
    let answer = lab.task(json!({"certificates": certificates, "provider": lab.provider(), "renew": {"ari": false}})).run();
    assert_eq!(answer.kind(), "acme.profile", "{}", answer.report());
    assert!(
        answer.msg().contains("the server has classic, shortlived"),
        "{}",
        answer.msg()
    );
    for (name, lifetime, share) in [("short", 6, 2), ("long", 90, 3)] {
        let one = certificate(&answer, name);
        assert_eq!(one["status"], "issued");
        let ends = instant(&one["not_after"]);
        let whole = ends - instant(&one["not_before"]);
        assert!((whole - lifetime * DAY).abs() < 3_700, "{name}: {whole}");
        let left = ends - instant(&one["renew_at"]);
        let least = whole / share;
        assert!(
            (least - 1..=least + least / 8 + 1).contains(&left),
            "{name}: {left} of {whole}"
        );
    }
}
