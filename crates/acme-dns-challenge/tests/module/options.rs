// SPDX-License-Identifier: Apache-2.0
//! What else a task may ask for: chains, other challenges, other places for records, waiting, several runs at once.

use serde_json::{Value, json};
use testbed::servers::{Named, World, free_addresses};

use crate::lab::{Lab, Setup, certificate, with};

#[test]
fn the_chain_that_is_preferred_is_taken_and_one_that_there_is_not_is_told() {
    let lab = Lab::with(Setup {
        environment: vec![
            ("PEBBLE_ALTERNATE_ROOTS", "2"),
            ("PEBBLE_CHAIN_LENGTH", "2"),
        ],
        ..Setup::default()
    });
    let root = pki::Certificate::from_pem(&lab.pebble.root_pem(2)).unwrap();
    let name = root.facts().subject.common_name().unwrap().to_owned();
    let wanted = with(
        &lab.csr("main", &["h0.example.test"]),
        json!({"preferred_chain": name}),
    );
    let other = with(
        &lab.csr("other", &["h1.example.test"]),
        json!({"preferred_chain": "No Such Root"}),
    );
    let answer = lab
        .task(json!({"certificates": [wanted, other], "provider": lab.provider()}))
        .run();
    assert!(!answer.failed(), "{}", answer.report());
    lab.assert_issued_by(2, "main", "h0.example.test");
    assert_eq!(certificate(&answer, "main")["warnings"], json!([]));
    lab.assert_issued_by(0, "other", "h1.example.test");
    let told = certificate(&answer, "other")["warnings"].to_string();
    assert!(
        told.contains("no chain leads to the preferred root") && told.contains(&name),
        "{told}"
    );
}

#[test]
fn dns_account_01_and_dns_persist_01_are_proved_at_names_of_their_own() {
    let lab = Lab::new("");
    let task = |name: &str, challenge: &str| {
        // Names in the zone that is written to need no CNAME.
        let host = format!("{name}.acme-sign.test");
        json!({"certificates": [lab.csr(name, &[&host])], "provider": lab.provider(), "challenge": challenge})
    };
    let answer = lab.task(task("labelled", "dns-account-01")).run();
    assert!(!answer.failed(), "{}", answer.report());
    lab.assert_issued("labelled", "labelled.acme-sign.test");
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());

    let persistent = task("persist", "dns-persist-01");
    let answer = lab.task(persistent.clone()).run();
    assert!(!answer.failed(), "{}", answer.report());
    lab.assert_issued("persist", "persist.acme-sign.test");
    // It says that the account may, and stays; the next certificate finds it there.
    let texts = lab.dns.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(texts[0].0, "_validation-persist.persist.acme-sign.test");
    assert!(
        texts[0]
            .1
            .contains(answer.value["account_uri"].as_str().unwrap()),
        "{texts:?}"
    );
    let again = lab
        .task(with(&persistent, json!({"renew": {"force": true}})))
        .run();
    assert!(!again.failed(), "{}", again.report());
    assert_eq!(lab.dns.texts(), texts);
}

#[test]
fn a_name_that_leads_out_of_the_zone_costs_no_order_and_nothing_is_written() {
    let lab = Lab::with(Setup {
        world: World {
            extra: "_acme-challenge.out CNAME elsewhere.example.test.\nelsewhere TXT x\n"
                .to_owned(),
            ..World::default()
        },
        proxied: true,
        ..Setup::default()
    });
    let certificates = json!([
        lab.csr("out", &["out.example.test"]),
        lab.csr("none", &["none.example.test"])
    ]);
    let task = json!({"certificates": certificates, "provider": lab.provider()});
    for check in [true, false] {
        let answer = lab.task(task.clone()).check(check).run();
        assert_eq!(
            certificate(&answer, "out")["error"]["kind"],
            "dns.target_outside",
            "{}",
            answer.report()
        );
        assert_eq!(
            certificate(&answer, "none")["error"]["kind"],
            "dns.target_missing",
            "{}",
            answer.report()
        );
    }
    assert_eq!(
        lab.count("POST /order-plz"),
        0,
        "named before anything is ordered"
    );
    assert!(lab.dns.texts().is_empty());
}

#[test]
fn a_record_that_resolvers_may_still_know_is_waited_out_or_not() {
    let lab = Lab::new("");
    for (name, hold, least) in [("h0", true, 2_000), ("h1", false, 0)] {
        lab.dns
            .nsupdate(&[&format!("update add {name}.acme-sign.test. 3 TXT old")]);
        lab.dns.wait_until("the secondary has no record", || {
            !lab.dns
                .secondary
                .dig(&[&format!("{name}.acme-sign.test"), "TXT"])
                .is_empty()
        });
        let task = json!({"certificates": [lab.csr(name, &[&format!("{name}.example.test")])], "provider": lab.provider()});
        let mut args = task;
        let servers: Vec<String> = lab
            .dns
            .authoritative()
            .iter()
            .map(ToString::to_string)
            .collect();
        args["propagation"] = json!({"resolvers": [lab.dns.resolver.address().to_string()], "nameservers": servers, "timeout": "20s", "hold": hold});
        let answer = lab.task(args).run();
        assert!(!answer.failed(), "{}", answer.report());
        let held = answer.value["timings"]["held_ms"].as_u64().unwrap();
        assert!(held >= least && (hold || held == 0), "{held}");
    }
    // What somebody else wrote is still there.
    assert_eq!(lab.dns.texts().len(), 2, "{:?}", lab.dns.texts());
}

/// A server with a zone that takes no updates.
fn static_zone() -> Named {
    let [address] = free_addresses();
    let zone = "$TTL 1\n@ SOA ns1.static.test. host.static.test. 1 600 60 3600 1\n@ NS ns1\nns1 A 127.0.0.1\nkept TXT \"kept\"\n";
    let known = "zone \"static.test\" { type primary; file \"zone.db\"; };";
    Named::start(
        address,
        "recursion no;",
        known,
        &[("zone.db", zone.to_owned())],
    )
}

#[test]
fn a_zone_file_is_written_and_the_server_told() {
    let server = static_zone();
    let lab = Lab::with(Setup {
        world: World {
            extra: "_acme-challenge.z CNAME z.static.test.\n".to_owned(),
            elsewhere: vec![("static.test".to_owned(), server.address())],
            ..World::default()
        },
        ..Setup::default()
    });
    let provider = json!({"zone_file": {
        "path": server.file("zone.db"), "zone": "static.test", "reload": server.rndc_argv(&["reload", "static.test"]),
    }});
    let mut task = json!({"certificates": [lab.csr("z", &["z.example.test"])], "provider": provider, "target": {"zone": "static.test"}});
    // The walk asks the servers of both zones.
    let servers: Vec<String> = lab
        .dns
        .authoritative()
        .iter()
        .chain([&server.address()])
        .map(ToString::to_string)
        .collect();
    task["propagation"] = json!({"resolvers": [lab.dns.resolver.address().to_string()], "nameservers": servers, "timeout": "20s"});
    let answer = lab.task(task).run();
    assert!(!answer.failed(), "{}", answer.report());
    lab.assert_issued("z", "z.example.test");
    let left = std::fs::read_to_string(server.file("zone.db")).unwrap();
    assert!(
        left.contains("kept TXT \"kept\"") && !left.contains("z.static.test"),
        "{left}"
    );
    assert_eq!(server.dig(&["z.static.test", "TXT"]), "");
    let serial = server.dig(&["static.test", "SOA"]);
    assert!(!serial.contains(" 1 600"), "it was raised: {serial}");
}

/// The second waits for the first, and finds what it needs.
#[test]
fn two_runs_with_one_state_directory_order_once() {
    let lab = Lab::with(Setup {
        environment: vec![("PEBBLE_WFE_NONCEREJECT", "0")],
        proxied: true,
        ..Setup::default()
    });
    let task = json!({"certificates": [lab.csr("main", &["h0.example.test"])], "provider": lab.provider(), "renew": {"ari": false}});
    let both = [lab.start(task.clone()), lab.start(task)];
    let mut states: Vec<String> = both
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(output.status.success(), "{answer}");
            answer["certificates"]["main"]["status"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    states.sort();
    assert_eq!(states, ["issued", "valid"]);
    assert_eq!(
        (lab.count("POST /order-plz"), lab.count("POST /sign-me-up")),
        (1, 1)
    );
    lab.assert_issued("main", "h0.example.test");
}

/// Each with its own key and account; one must not erase the record of the other. What the authority's resolver has seen of the
/// first alone it keeps for a second, and nobody can tell it to forget: who meets that is issued by its next run.
#[test]
fn two_hosts_get_certificates_for_one_name_at_the_same_moment() {
    let lab = Lab::new("");
    let tasks = ["one", "two"].map(|name| {
        json!({"certificates": [lab.csr(name, &["h0.example.test"])], "provider": lab.provider(),
            "account_key": format!("$DIR/{name}.account"), "state_dir": format!("$DIR/state-{name}")})
    });
    let both = tasks.clone().map(|task| lab.start(task));
    for (child, task) in both.into_iter().zip(tasks) {
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            continue;
        }
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Correct value not found"), "{said}");
        lab.let_resolvers_forget();
        let answer = lab.task(task).run();
        assert!(!answer.failed(), "{}", answer.report());
    }
    lab.assert_issued("one", "h0.example.test");
    lab.assert_issued("two", "h0.example.test");
    assert!(lab.dns.texts().is_empty(), "{:?}", lab.dns.texts());
}
