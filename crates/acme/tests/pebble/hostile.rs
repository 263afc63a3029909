// SPDX-License-Identifier: Apache-2.0
//! Servers that are not what they should be, or send what nobody asked for.

use std::time::Duration;

use acme::{ChallengeKind, Patience, Server};
use serde_json::json;
use testbed::servers::Rule;

use crate::faults::{ORDER, html, world};
use crate::world::{assert_verifies, order_of, prove, request};

#[test]
fn the_certificate_of_the_server_itself_may_be_unknown() {
    let world = world();
    let client = web::Client::new(&web::Settings::default()).unwrap();
    let clock = world.clock.clone();
    let error = Server::open(client, &world.proxy.url("/dir"), clock, Patience::default());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), "web.untrusted");
    assert!(error.to_string().contains("self-signed"), "{error}");
    assert_eq!(world.clock.waits().len(), 0);
}

#[test]
fn a_directory_that_is_none_is_refused_by_what_is_wrong_with_it() {
    let world = world();
    let json = [("content-type", "application/json")];
    let huge = format!("{{\"newNonce\": \"{}\"}}", "x".repeat(2 << 20));
    let foreign = json!({
        "newNonce": "no URL", "newAccount": "https://a.example", "newOrder": "https://a.example"
    });
    for (rule, kind) in [
        (Rule::answer("/dir", 9, 200, &json, huge), "web.too_large"),
        (
            Rule::answer("/dir", 9, 200, &json, "{\"newNonce\":"),
            "web.content",
        ),
        (Rule::answer("/dir", 9, 200, &json, "[]"), "web.content"),
        (Rule::answer("/dir", 9, 200, &json, "{}"), "web.content"),
        (
            Rule::answer("/dir", 9, 200, &json, foreign.to_string()),
            "acme.bad_answer",
        ),
        (html("/dir", 9, 200), "web.content"),
        (html("/dir", 9, 404), "acme.bad_answer"),
        (
            Rule::answer(
                "/dir",
                9,
                302,
                &[("location", "https://evil.example/?t=1")],
                "",
            ),
            "acme.redirected",
        ),
    ] {
        world.fault(vec![rule]);
        let error = world.try_open().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().len() < 300);
    }
}

#[test]
fn an_order_that_leads_elsewhere_or_is_for_others_is_refused() {
    let world = world();
    let account = world.account();
    let evil = "https://evil.example/x";
    for (rule, reason) in [
        (
            Rule::edit(ORDER, 1, json!({"finalize": evil})),
            "none of the directory's servers",
        ),
        (
            Rule::edit(ORDER, 1, json!({"authorizations": [evil]})),
            "none of the directory's servers",
        ),
        (
            Rule::edit(ORDER, 1, json!({"certificate": evil})),
            "none of the directory's servers",
        ),
        (
            Rule::edit_header(ORDER, 1, "location", Some(evil)),
            "none of the directory's servers",
        ),
        (
            Rule::edit_header(ORDER, 1, "location", None),
            "does not say where",
        ),
        (
            Rule::edit(
                ORDER,
                1,
                json!({"identifiers": [{"type": "dns", "value": "evil.example"}]}),
            ),
            "its order is for other names",
        ),
    ] {
        world.fault(vec![rule]);
        let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
        assert_eq!(error.kind(), "acme.bad_answer");
        assert!(error.to_string().contains(reason), "{error}");
    }
    // The order is refused, and what it left to be proved is given up.
    let gave_up = world.proxy.count("POST /authZ/");
    assert_eq!(gave_up, 2, "looked at, and given up");
    let many = vec![world.proxy.url("/authZ/1"); 1_001];
    world.fault(vec![Rule::edit(ORDER, 1, json!({"authorizations": many}))]);
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert!(error.to_string().contains("too many names"), "{error}");
    world.fault(vec![Rule::edit(ORDER, 1, json!({"status": "closed"}))]);
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "web.content");
}

#[test]
fn a_certificate_that_nobody_asked_for_is_not_taken() {
    let world = world();
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
    let (request, _) = request(&["example.org"]);
    let url = account
        .finalize(&order, &request)
        .unwrap()
        .certificate
        .unwrap();
    let (other_key, _) = crate::world::request(&["example.org"]);
    let error = account.download(&url, &other_key, None).unwrap_err();
    assert_eq!(error.kind(), "acme.certificate_wrong");
    let pem = [("content-type", "application/pem-certificate-chain")];
    for (rule, kind) in [
        (html("POST /certZ", 1, 200), "web.content"),
        (
            Rule::answer("POST /certZ", 1, 200, &pem, "no certificate"),
            "acme.certificate_wrong",
        ),
        (
            Rule::answer("POST /certZ", 1, 200, &pem, "x".repeat(2 << 20)),
            "web.too_large",
        ),
    ] {
        world.fault(vec![rule]);
        let error = account.download(&url, &request, None).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

/// It would be lost with its alternative, and ordered again in each run.
#[test]
fn a_certificate_whose_alternative_is_bad_is_taken_without_it() {
    let world = world();
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
    let (request, _) = request(&["example.org"]);
    let finalized = account.finalize(&order, &request).unwrap();
    let url = finalized.certificate.unwrap();
    let wish = "another root".parse().unwrap();
    let pem = [("content-type", "application/pem-certificate-chain")];
    let alternative = |at: &str| {
        let link = format!("<{at}>;rel=\"alternate\"");
        Rule::edit_header("POST /certZ", 1, "link", Some(&link))
    };
    let own = world.proxy.url("/certZ/other");
    for (link, rule, asked) in [
        ("https://evil.example/c", None, 1),
        (&own, None, 2),
        (
            &own,
            Some(Rule::answer("POST /certZ", 1, 200, &pem, "no certificate")),
            2,
        ),
        (&own, Some(html("POST /certZ", 1, 200)), 2),
    ] {
        let before = world.proxy.count("POST /certZ");
        world.fault([alternative(link)].into_iter().chain(rule).collect());
        let issued = account.download(&url, &request, Some(&wish)).unwrap();
        assert!(!issued.is_preferred && issued.roots.len() == 1, "{link}");
        assert_verifies(&world, &issued.chain, 0, "example.org");
        assert_eq!(world.proxy.count("POST /certZ") - before, asked, "{link}");
    }
}

#[test]
fn a_clock_that_is_a_little_behind_does_no_harm_and_one_that_is_far_behind_is_named() {
    let world = world();
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
    let (request, _) = request(&["example.org"]);
    let url = account
        .finalize(&order, &request)
        .unwrap()
        .certificate
        .unwrap();
    world.clock.set_behind(Duration::from_secs(3_700));
    account.download(&url, &request, None).unwrap();
    world.clock.set_behind(Duration::from_secs(7_200));
    let error = account.download(&url, &request, None).unwrap_err();
    assert_eq!(error.kind(), "acme.clock_behind");
    assert!(error.to_string().ends_with("check the clock"), "{error}");
}

/// Else each run would order another certificate, until the server's limits say no.
#[test]
fn a_certificate_is_kept_when_the_clock_is_so_far_ahead_that_it_seems_to_have_ended() {
    let world = world();
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
    let (request, _) = request(&["example.org"]);
    let url = account
        .finalize(&order, &request)
        .unwrap()
        .certificate
        .unwrap();
    world
        .clock
        .set_ahead(Duration::from_secs(10 * 365 * 86_400));
    let error = account.download(&url, &request, None).unwrap_err();
    assert_eq!(error.kind(), "acme.clock_ahead");
    assert!(error.to_string().contains("set the clock"), "{error}");
    // One that has ended at the server as well is of no use.
    let late = Rule::edit_header(
        "POST /certZ",
        1,
        "date",
        Some("Fri, 01 Jan 2100 00:00:00 GMT"),
    );
    world.fault(vec![late]);
    let error = account.download(&url, &request, None).unwrap_err();
    assert_eq!(error.kind(), "acme.certificate_wrong");
    assert!(error.to_string().contains("expired"), "{error}");
}
