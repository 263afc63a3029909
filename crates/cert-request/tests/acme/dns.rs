// SPDX-License-Identifier: Apache-2.0
//! Names proved in the DNS, by the host's own TSIG key.

use serde_json::{Value, json};
use testbed::servers::{DnsWorld, Release, SECRET, World};

use crate::world::{Lab, of};

fn issuer(dns: &DnsWorld) -> Value {
    let [primary, secondary] = dns.authoritative();
    json!({
        "http": null,
        "provider": {"rfc2136": {"server": primary.to_string(), "key_name": "key-hmac-sha256", "secret": SECRET}},
        "target": {"zone": "acme-sign.test"},
        "propagation": {
            "resolvers": [dns.resolver.address().to_string()],
            "nameservers": [primary.to_string(), secondary.to_string()],
            "timeout": "20s",
        },
    })
}

#[test]
fn all_certificates_are_proved_by_one_publication() {
    let dns = DnsWorld::start(&World::default());
    let port = testbed::servers::free_port();
    let lab = Lab::beside(dns.resolver.address(), Release::New, (port, port), 5);
    let issuer = issuer(&dns);
    let task = lab.task(
        &[
            ("one", &["h0.example.test", "h1.example.test"]),
            ("wild", &["*.h2.example.test", "h2.example.test"]),
        ],
        &issuer,
    );
    let answer = lab.succeed(&task);
    answer.never_says(SECRET);
    assert_eq!(answer.value["renewed"], json!(["one", "wild"]));
    lab.assert_issued("one", "h1.example.test");
    lab.assert_issued("wild", "any.h2.example.test");
    assert!(dns.texts().is_empty(), "{:?}", dns.texts());
    let updates = dns.primary.log().matches("adding an RR").count();
    assert_eq!(updates, 4, "{}", dns.primary.log());
    assert!(!lab.succeed(&task).changed());

    // One name that leads nowhere drops out before it costs the others anything.
    let task = lab.task(
        &[
            ("lost", &["nowhere.example.test"]),
            ("fine", &["h3.example.test"]),
        ],
        &issuer,
    );
    let told = lab.module(&task).check(true).run();
    assert!(told.kind().starts_with("dns.target"), "{}", told.report());
    assert_eq!(of(&told, "fine")["action"], "issue");
    let answer = lab.run(&task);
    assert!(
        answer.kind().starts_with("dns.target"),
        "{}",
        answer.report()
    );
    assert_eq!(of(&answer, "fine")["action"], "issue");
    lab.assert_issued("fine", "h3.example.test");
}

/// Nothing but the key of the account is the same for both.
#[test]
fn two_tasks_at_the_same_moment_make_one_account_of_one_key() {
    let dns = DnsWorld::start(&World::default());
    let port = testbed::servers::free_port();
    let lab = Lab::beside(dns.resolver.address(), Release::New, (port, port), 0);
    let mut issuer = issuer(&dns);
    issuer["account_key"] = json!("$DIR/account/account.key");
    std::fs::create_dir(lab.sandbox.join("account")).unwrap();
    let tasks = ["h0", "h1"].map(|name| {
        std::fs::create_dir(lab.sandbox.join(name)).unwrap();
        let mut task = lab.task(&[(name, &[&format!("{name}.example.test")])], &issuer);
        task["state_dir"] = json!(format!("$DIR/state-{name}"));
        for (at, file) in ["key", "pem"].iter().enumerate() {
            let path = format!("$DIR/{name}/{name}.{file}");
            task["certificates"][0]["files"][at]["path"] = json!(path);
        }
        task
    });
    std::thread::scope(|scope| {
        let runs = tasks
            .each_ref()
            .map(|task| scope.spawn(|| lab.succeed(task)));
        for run in runs {
            assert!(run.join().unwrap().changed());
        }
    });
    assert_eq!((lab.orders(), lab.accounts()), (2, 1));
    for task in &tasks {
        assert!(!lab.succeed(task).changed());
    }
}
