// SPDX-License-Identifier: Apache-2.0
//! Which reasons renew, and when a certificate is due.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

mod support;

use serde_json::{Value, json};
use support::{Host, of_web, web};

const REASONS: [&str; 5] = ["expiry", "names", "key", "issuer", "revoked"];

/// A host whose certificate should be renewed for this reason alone, and the wish.
fn situation(reason: &str) -> (Host, Value) {
    let host = Host::new("root ca\nroot other\nserver ca web");
    let mut args = web(json!({}));
    let entry = &mut args["certificates"][0];
    match reason {
        "expiry" => drop(host.shell("between ca web '80 days ago' '20 days'")),
        "names" => entry["dns"] = json!(["web.example.org", "api.example.org"]),
        "key" => entry["key"] = json!({"algorithm": "ed25519"}),
        "issuer" => {
            entry["issuer"]["private_ca"] =
                json!({"certificate": "$DIR/ca/other.pem", "private_key": "$DIR/ca/other.key"});
        }
        _ => {
            host.shell("revoke ca web");
            entry["issuer"]["private_ca"]["crl"] = json!("$DIR/ca/crl.pem");
        }
    }
    (host, args)
}

#[test]
fn each_reason_renews_exactly_where_renew_on_names_it() {
    for reason in REASONS {
        let (host, args) = situation(reason);
        let with = |on: Value| {
            let mut args = args.clone();
            args["certificates"][0]["renew"] = json!({"on": on});
            args
        };
        let others: Vec<_> = REASONS
            .into_iter()
            .filter(|other| *other != reason)
            .collect();
        let kept = host.run(&with(json!(others)));
        assert_eq!(
            of_web(&kept)["action"],
            "keep",
            "{reason}: {}",
            kept.report()
        );
        assert!(
            kept.value["warnings"]
                .to_string()
                .contains(&format!("'renew.on' does not name '{reason}'")),
            "{reason}: {}",
            kept.report()
        );
        let checked = host.module(&with(json!([reason]))).check(true).run();
        for answer in [checked, host.run(&with(json!([reason])))] {
            assert_eq!(
                of_web(&answer)["action"],
                "issue",
                "{reason}: {}",
                answer.report()
            );
            let found = of_web(&answer)["reasons"].as_array().unwrap();
            let kinds: Vec<_> = found.iter().map(|found| found["kind"].clone()).collect();
            assert_eq!(kinds, [reason], "{}", answer.report());
        }
        host.assert_pair("web.pem", "web.key");
        assert!(!host.run(&args).changed(), "{reason} again, with all");
    }
}

#[test]
fn a_share_of_the_lifetime_decides_when_a_certificate_is_due() {
    let host = Host::new("root ca\nbetween ca web '80 days ago' '20 days'");
    let wish = |before: &str| {
        web(
            json!({"common_name": "web.example.org", "renew": {"before": before, "on": ["expiry"]}}),
        )
    };
    let kept = host.run(&wish("19%"));
    assert_eq!(of_web(&kept)["action"], "keep", "{}", kept.report());
    let due = host.module(&wish("21%")).check(true).run();
    assert_eq!(of_web(&due)["reasons"][0]["kind"], "expiry");
    let new = host.run(&wish("21%"));
    assert_eq!(of_web(&new)["action"], "issue");
    assert!(!host.run(&wish("21%")).changed(), "again");
    // 398 days and the minutes that it is backdated: a fifth before the end.
    let days = |name: &str| {
        let text = of_web(&new)[name].as_str().unwrap();
        host.shell(&format!("date -u -d {text} +%s"))
            .trim()
            .parse::<i64>()
            .unwrap()
            / 86_400
    };
    assert!(((days("not_after") - days("renew_at")) - 398 * 21 / 100).abs() <= 1);
    for bad in ["0%", "100%", "-1%", "33 %%", "%"] {
        let refused = host.module(&wish(bad)).run();
        assert_eq!(refused.kind(), "input.invalid", "{bad}");
        assert!(
            refused.msg().contains("renew.before"),
            "{bad}: {}",
            refused.msg()
        );
    }
}
