// SPDX-License-Identifier: Apache-2.0
//! Bad days of a server, injected before a real Pebble.

use std::time::{Duration, Instant};

use acme::{ChallengeKind, Error, Identifier, OrderStatus, ProblemKind};
use serde_json::json;
use testbed::servers::{ChallengeStandIn, DnsStandIn, Release, Rule, Settings};

use crate::world::{World, assert_verifies, names, order_of, proofs, prove, request};

pub(crate) const ORDER: &str = "POST /order-plz";

pub(crate) fn world() -> World {
    World::new(&Settings::always_valid(Release::Stable))
}

pub(crate) fn html(matches: &str, count: usize, status: u16) -> Rule {
    let headers = [("content-type", "text/html")];
    Rule::answer(matches, count, status, &headers, "<html>bad gateway</html>")
}

#[test]
fn a_nonce_that_is_refused_ten_times_is_replaced_ten_times() {
    let world = world();
    let account = world.account();
    world.fault(vec![Rule::problem(ORDER, 10, 400, "badNonce", &[])]);
    account.new_order(&order_of(&["example.org"])).unwrap();
    assert_eq!(world.proxy.count(ORDER), 11);
    // Each used the nonce that came with the refusal.
    assert_eq!(world.proxy.count("HEAD /nonce-plz"), 1);
}

#[test]
fn nonces_are_not_replaced_for_ever() {
    let world = world();
    let account = world.account();
    world.fault(vec![Rule::problem(ORDER, 99, 400, "badNonce", &[])]);
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "acme.nonces_refused");
    assert_eq!(world.proxy.count(ORDER), 13);
}

#[test]
fn a_third_of_all_nonces_refused_does_no_harm() {
    let settings = Settings::always_valid(Release::Stable);
    let world = World::new(&settings.environment("PEBBLE_WFE_NONCEREJECT", "30"));
    let account = world.account();
    for number in 0..5 {
        let name = format!("n{number}.example.org");
        let order = account.new_order(&order_of(&[&name])).unwrap();
        prove(&account, order, &ChallengeKind::Dns01).unwrap();
    }
}

#[test]
fn a_short_limit_is_waited_for_in_seconds_and_until_a_date() {
    let world = world();
    let account = world.account();
    let limit = |value| Rule::problem(ORDER, 1, 429, "rateLimited", &[("Retry-After", value)]);
    world.fault(vec![limit("2")]);
    account.new_order(&order_of(&["example.org"])).unwrap();
    assert_eq!(world.clock.waits(), [Duration::from_secs(2)]);
    // A date that is over, as a clock that is ahead sees it.
    world.fault(vec![limit("Sun, 06 Nov 1994 08:49:37 GMT")]);
    account.new_order(&order_of(&["example.org"])).unwrap();
    assert_eq!(world.clock.waits()[1], Duration::from_secs(1));
}

#[test]
fn a_limit_of_a_day_fails_at_once_and_says_when() {
    let world = world();
    let account = world.account();
    let day = [("Retry-After", "86400")];
    world.fault(vec![Rule::problem(ORDER, 9, 429, "rateLimited", &day)]);
    let before = acme::Clock::now(&*world.clock);
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "acme.rate_limited");
    let span = error.retry_at().unwrap().0 - before.0;
    assert!((86_400..86_410).contains(&span), "{span}");
    assert!(
        error.to_string().contains("injected by the fault proxy"),
        "{error}"
    );
    assert_eq!(
        (world.proxy.count(ORDER), world.clock.waits().len()),
        (1, 0)
    );
}

#[test]
fn short_limits_are_not_waited_for_without_end() {
    let world = world();
    let account = world.account();
    let often = [("Retry-After", "25")];
    world.fault(vec![Rule::problem(ORDER, 99, 429, "rateLimited", &often)]);
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "acme.rate_limited");
    assert_eq!(world.proxy.count(ORDER), 3);
}

#[test]
fn an_order_that_shall_not_be_asked_for_a_day_is_left_at_once() {
    let world = world();
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    world.fault(vec![Rule::edit_header(
        "POST /my-order/",
        9,
        "retry-after",
        Some("86400"),
    )]);
    let order = account.order(&order.url).unwrap();
    let error = account
        .wait_while(order, &[OrderStatus::Pending])
        .unwrap_err();
    assert_eq!(error.kind(), "acme.not_yet");
    assert!(error.retry_at().is_some());
    assert_eq!(world.proxy.count("POST /my-order/"), 1);
}

#[test]
fn an_order_that_stays_pending_is_left_after_the_deadline() {
    let mut world = world();
    world.patience.deadline = Duration::from_secs(60);
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    let order_url = order.url.clone();
    let error = account
        .wait_while(order, &[OrderStatus::Pending])
        .unwrap_err();
    assert_eq!(error.kind(), "acme.not_done");
    let waited: Duration = world.clock.waits().iter().sum();
    assert!(waited <= Duration::from_secs(60), "{waited:?}");
    // One that may be asked again at once is not asked all the time.
    let at_once = Rule::edit_header("POST /my-order/", 999, "retry-after", Some("0"));
    world.fault(vec![at_once]);
    let (order, before) = (
        account.order(&order_url).unwrap(),
        world.clock.waits().len(),
    );
    account
        .wait_while(order, &[OrderStatus::Pending])
        .unwrap_err();
    let looks = world.clock.waits().len() - before;
    assert!(looks < 30, "{looks}");
}

#[test]
fn a_pause_longer_than_time_itself_after_a_short_one_is_no_panic() {
    let world = world();
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    let say = |value| Rule::edit_header("POST /my-order/", 1, "retry-after", Some(value));
    world.fault(vec![say("2"), say("18446744073709551615")]);
    let order = account.order(&order.url).unwrap();
    let error = account
        .wait_while(order, &[OrderStatus::Pending])
        .unwrap_err();
    assert_eq!(error.kind(), "acme.not_yet", "{error}");
    assert!(error.to_string().contains("before 9999-12-31"), "{error}");
    assert_eq!(world.clock.waits(), [Duration::from_secs(2)]);
}

#[test]
fn a_page_of_html_with_503_is_asked_again_a_bounded_number_of_times() {
    let world = world();
    let account = world.account();
    world.fault(vec![html(ORDER, 2, 503)]);
    account.new_order(&order_of(&["example.org"])).unwrap();
    assert_eq!(world.proxy.count(ORDER), 3);
    world.fault(vec![html(ORDER, 99, 503)]);
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "acme.server_failed");
    assert!(
        error.to_string().contains("status 503: 24 bytes text/html"),
        "{error}"
    );
    assert_eq!(world.proxy.count(ORDER), 3 + 5);
}

#[test]
fn a_server_that_is_closed_for_a_while_or_a_day_says_so_with_503() {
    let world = world();
    let account = world.account();
    let closed = |span| {
        let headers = [("content-type", "text/html"), ("retry-after", span)];
        Rule::answer(ORDER, 1, 503, &headers, "<html>maintenance</html>")
    };
    world.fault(vec![closed("7")]);
    account.new_order(&order_of(&["example.org"])).unwrap();
    assert_eq!(world.clock.waits(), [Duration::from_secs(7)]);
    world.fault(vec![closed("86400")]);
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "acme.not_yet");
    assert_eq!(world.clock.waits().len(), 1);
    // A failure of the server with a problem document is one too.
    world.fault(vec![Rule::problem(ORDER, 1, 500, "serverInternal", &[])]);
    account.new_order(&order_of(&["example.org"])).unwrap();
}

#[test]
fn a_server_that_stops_answering_is_left_in_time() {
    let mut world = world();
    world.timeout = Duration::from_secs(2);
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    world.fault(vec![Rule::hang("POST", 99)]);
    let begin = Instant::now();
    let error = account.order(&order.url).unwrap_err();
    assert_eq!(error.kind(), "web.timed_out");
    // Looking is repeated once.
    assert_eq!(world.proxy.count("POST /my-order/"), 2);
    assert!(begin.elapsed() < Duration::from_secs(20));
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "web.timed_out");
    // Ordering is not: the server may have heard.
    assert_eq!(world.proxy.count(ORDER), 2);
}

#[test]
fn everything_at_a_server_has_one_limit_and_what_is_over_it_is_not_sent() {
    let mut world = world();
    world.patience.whole = Some(Duration::from_secs(90));
    let account = world.account();
    let limited = |span| Rule::problem(ORDER, 1, 429, "rateLimited", &[("retry-after", span)]);
    world.fault(vec![limited("50"), limited("50").after(1)]);
    account.new_order(&order_of(&["example.org"])).unwrap();
    let error = account.new_order(&order_of(&["example.org"])).unwrap_err();
    assert_eq!(error.kind(), "acme.out_of_time", "{error}");
    assert_eq!(world.proxy.count(ORDER), 3);
    // The second pause was cut, and nothing was sent after it.
    assert!(world.clock.waits()[1] <= Duration::from_secs(40));
    let asked = world.proxy.log().len();
    let error = account.facts().unwrap_err();
    assert_eq!(error.kind(), "acme.out_of_time");
    assert_eq!(world.proxy.log().len(), asked);
}

/// Nothing in RFC 8555 tells whether there is an order; one that nobody knows ends by itself.
#[test]
fn an_order_that_a_gateway_hid_is_made_again_and_the_other_ends_by_itself() {
    let world = world();
    let account = world.account();
    let html = [("content-type", "text/html")];
    world.fault(vec![Rule::replace_answer(ORDER, 1, 502, &html, "<html>")]);
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    prove(&account, order, &ChallengeKind::Dns01).unwrap();
    assert_eq!(world.proxy.count(ORDER), 2);
    assert_eq!(account.orders().unwrap().len(), 2);
}

#[test]
fn a_limit_that_no_clock_can_show_is_no_panic() {
    let mut world = world();
    world.timeout = Duration::MAX;
    world.patience = acme::Patience {
        max_wait: Duration::MAX,
        pause: Duration::MAX,
        deadline: Duration::MAX,
        whole: Some(Duration::MAX),
        ..world.patience
    };
    let account = world.account();
    world.fault(vec![Rule::answer(ORDER, 2, 503, &[], "")]);
    account.new_order(&order_of(&["example.org"])).unwrap();
    assert_eq!(world.clock.waits().len(), 2);
}

#[test]
fn looking_is_repeated_when_its_answer_is_lost() {
    let world = world();
    let account = world.account();
    let order = account.new_order(&order_of(&["example.org"])).unwrap();
    world.fault(vec![Rule::lose_answer("POST /my-order/", 2)]);
    assert_eq!(account.order(&order.url).unwrap(), order);
    assert_eq!(world.proxy.count("POST /my-order/"), 3);
}

/// A server that has issued although nobody heard it, and one that never got the request.
#[test]
fn the_certificate_is_there_although_the_answer_to_finalize_was_lost() {
    for (release, rule, sent) in [
        (Release::Stable, Rule::lose_answer("POST /finalize", 1), 1),
        (Release::New, Rule::lose_answer("POST /finalize", 1), 1),
        (Release::New, Rule::lose_request("POST /finalize", 1), 2),
        (
            Release::New,
            Rule::edit_header("POST /finalize", 1, "location", None),
            1,
        ),
    ] {
        let world = World::new(&Settings::always_valid(release));
        let account = world.account();
        let order = account.new_order(&order_of(&["example.org"])).unwrap();
        let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
        world.fault(vec![rule]);
        let (request, _) = request(&["example.org"]);
        let order = account.finalize(&order, &request).unwrap();
        let url = order.certificate.unwrap();
        let issued = account.download(&url, &request, None).unwrap();
        assert_verifies(&world, &issued.chain, 0, "example.org");
        assert_eq!(world.proxy.count("POST /finalize"), sent);
    }
}

#[test]
fn one_of_five_names_that_fails_is_named_and_the_others_are_proved() {
    let host = ChallengeStandIn::start();
    let dns = DnsStandIn::start(Some(std::net::Ipv4Addr::LOCALHOST.into()));
    let settings = Settings::validating(Release::New, host.port()).dns(dns.address());
    // So that what was proved is asked for no more.
    let world = World::new(&settings.environment("PEBBLE_AUTHZREUSE", "100"));
    let account = world.account();
    let texts = [
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
    ];
    let order = account.new_order(&order_of(&texts)).unwrap();
    let shown = proofs(&account, &order, &ChallengeKind::Http01);
    for (number, (proof, _)) in shown.iter().enumerate() {
        let acme::Proof::File { path, content } = proof else {
            panic!("{proof:?}")
        };
        host.put(
            path,
            if number == 2 {
                "something else"
            } else {
                content
            },
        );
    }
    let authorizations = account.authorizations(&order).unwrap();
    let error = prove(&account, order, &ChallengeKind::Http01).unwrap_err();
    let failed = error.failed_identifiers();
    assert_eq!(failed.len(), 1, "{error}");
    assert_eq!(failed[0].identifier, authorizations[2].identifier);
    assert!(matches!(
        failed[0].kind,
        ProblemKind::Unauthorized | ProblemKind::IncorrectResponse
    ));
    assert!(error.to_string().contains("something else"), "{error}");
    let others: Vec<_> = texts
        .iter()
        .copied()
        .filter(|text| failed[0].identifier != names(&[text])[0])
        .collect();
    assert_eq!(others.len(), 4);
    // The others are being validated side by side with the one that failed.
    let mut left = 300;
    let ready = loop {
        let order = account.new_order(&order_of(&others)).unwrap();
        if order.status == OrderStatus::Ready || left == 0 {
            break order;
        }
        left -= 1;
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(ready.status, OrderStatus::Ready);
}

#[test]
fn a_name_that_the_server_does_not_issue_for_is_named() {
    let settings = Settings::always_valid(Release::New);
    let blocked = json!({"domainBlocklist": ["blocked.example"]});
    let world = World::new(&settings.configuration(blocked));
    let account = world.account();
    let texts = ["a.example", "blocked.example", "b.example"];
    let error = account.new_order(&order_of(&texts)).unwrap_err();
    assert_eq!(error.kind(), "acme.problem");
    let failed = error.failed_identifiers();
    assert_eq!(failed.len(), 1, "{error}");
    assert_eq!(failed[0].identifier, names(&["blocked.example"])[0]);
    assert_eq!(failed[0].kind, ProblemKind::RejectedIdentifier);
}

#[test]
fn subproblems_of_a_failed_order_are_told_by_name() {
    let world = world();
    let account = world.account();
    let order = account
        .new_order(&order_of(&["a.example", "b.example"]))
        .unwrap();
    let error = json!({
        "type": "urn:ietf:params:acme:error:compound", "detail": "two names",
        "subproblems": [{
            "type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids it",
            "identifier": {"type": "dns", "value": "b.example"},
        }]
    });
    world.fault(vec![Rule::edit(
        "POST /my-order/",
        1,
        json!({"status": "invalid", "error": error}),
    )]);
    let order = account.order(&order.url).unwrap();
    let error = account
        .wait_while(order, &[OrderStatus::Pending])
        .unwrap_err();
    let Error::OrderFailed { failed, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(failed[0].identifier, Identifier::Dns("b.example".into()));
    assert_eq!(failed[0].kind, ProblemKind::Caa);
    assert!(
        error
            .to_string()
            .ends_with("b.example: CAA forbids it (caa)"),
        "{error}"
    );
}
