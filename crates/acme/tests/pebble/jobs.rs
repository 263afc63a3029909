// SPDX-License-Identifier: Apache-2.0
//! The walk of a certificate: phases in several processes, crashes between them, and what heals itself.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use acme::state::{State, Wanted, Why};
use acme::{Account, ChallengeKind, Job, OrderRequest, Proof, Publisher};
use pki::{CertificateRequest, Curve, KeyAlgorithm, PrivateKey};
use serde_json::json;
use testbed::Sandbox;
use testbed::servers::{ChallengeStandIn, DnsStandIn, Release, Rule, Settings};

use crate::world::{World, account, assert_verifies, order_of, request, request_of};

const HTTP: &ChallengeKind = &ChallengeKind::Http01;

/// What a process has: the same values make the same process again.
struct Wish {
    _directory: Sandbox,
    state: PathBuf,
    order: OrderRequest,
    request: CertificateRequest,
    key: PrivateKey,
}

impl Wish {
    fn new(texts: &[&str]) -> Self {
        let directory = Sandbox::new();
        let (request, key) = request(texts);
        Self {
            state: directory.join("main.json"),
            _directory: directory,
            order: order_of(texts),
            request,
            key,
        }
    }

    fn job<'a>(&'a self, account: &'a Account) -> Job<'a> {
        Job {
            account,
            order: &self.order,
            request: &self.request,
            challenge: HTTP,
            preferred: None,
            state: &self.state,
        }
    }

    fn saved(&self) -> State {
        State::load(&self.state).unwrap().unwrap()
    }
}

/// A web server of the test as publisher.
struct Web<'a>(&'a ChallengeStandIn);

impl Publisher for Web<'_> {
    fn publish(&self, proofs: &mut [Wanted]) -> Result<(), String> {
        for wanted in proofs {
            let Proof::File { path, content } = &wanted.proof else {
                return Err("no file".to_owned());
            };
            self.0.put(path, content);
            wanted.published = Some(json!({"path": path}));
        }
        Ok(())
    }

    fn withdraw(&self, proofs: &[Wanted]) -> Result<(), String> {
        for wanted in proofs {
            if let Proof::File { path, .. } = &wanted.proof {
                self.0.remove(path);
            }
        }
        Ok(())
    }
}

fn world(release: Release) -> (World, ChallengeStandIn, DnsStandIn) {
    let host = ChallengeStandIn::start();
    let dns = DnsStandIn::start(Some(Ipv4Addr::LOCALHOST.into()));
    // Requests are counted here: none is repeated because Pebble refuses a nonce, as it does now and then.
    let settings = Settings::validating(release, host.port())
        .dns(dns.address())
        .environment("PEBBLE_WFE_NONCEREJECT", "0");
    (World::new(&settings), host, dns)
}

#[test]
fn all_phases_in_one_process_leave_nothing_shown() {
    let (world, host, _dns) = world(Release::New);
    let account = world.account();
    let wish = Wish::new(&["a.example", "b.example"]);
    let done = wish.job(&account).run(&Web(&host)).unwrap();
    assert_verifies(&world, &done.issued.chain, 0, "b.example");
    assert!(host.is_empty() && done.warnings.is_empty() && done.restarted.is_empty());
    assert!(wish.saved().shown().is_empty());
    // Until it is installed the same certificate comes again, and nothing is ordered.
    let again = wish.job(&account).run(&Web(&host)).unwrap();
    assert_eq!(again.issued, done.issued);
    assert_eq!(world.proxy.count("POST /order-plz"), 1);
    State::forget(&wish.state).unwrap();
}

/// Nonces come with the answers, and only the order is looked at while names are validated.
#[test]
fn no_more_is_asked_than_the_protocol_needs() {
    let settings = Settings::always_valid(Release::New);
    let world = World::new(&settings);
    let account = world.account();
    let texts: Vec<_> = (0..20).map(|n| format!("n{n}.example")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let wish = Wish::new(&texts);
    struct Anyone;
    impl Publisher for Anyone {
        fn publish(&self, _: &mut [Wanted]) -> Result<(), String> {
            Ok(())
        }
        fn withdraw(&self, _: &[Wanted]) -> Result<(), String> {
            Ok(())
        }
    }
    wish.job(&account).run(&Anyone).unwrap();
    let count = |matches| world.proxy.count(matches);
    assert_eq!((count("GET /dir"), count("POST /sign-me-up")), (1, 1));
    assert_eq!((count("POST /authZ/"), count("POST /chalZ/")), (20, 20));
    assert_eq!(
        (
            count("POST /order-plz"),
            count("POST /finalize"),
            count("POST /certZ")
        ),
        (1, 1, 1)
    );
    // One for the account, and one for each thread that asks before another's answer has brought one.
    assert!(
        count("HEAD /nonce-plz") <= 8,
        "{}",
        count("HEAD /nonce-plz")
    );
    // How often depends on how long Pebble takes, which on a busy machine is long.
    assert!(
        count("POST /my-order/") <= 60,
        "{}",
        count("POST /my-order/")
    );
    assert_eq!(world.proxy.log().len(), account.server().requests());
}

/// Each step for all before the next: what the server wants to be waited for one is over for the others.
#[test]
fn many_certificates_wait_together() {
    let world = World::new(&Settings::always_valid(Release::New));
    let account = world.account();
    let wishes: Vec<_> = (0..4)
        .map(|n| Wish::new(&[&format!("n{n}.example")]))
        .collect();
    let job = |wish: &'_ Wish| wish.job(&account).begin().unwrap();
    let begun: Vec<_> = wishes.iter().map(|wish| (wish, job(wish))).collect();
    world.fault(vec![Rule::edit_header(
        "POST /finalize",
        4,
        "Retry-After",
        Some("5"),
    )]);
    let answered: Vec<_> = begun
        .into_iter()
        .map(|(wish, begun)| (wish, wish.job(&account).answer(begun).unwrap()))
        .collect();
    let handed_in: Vec<_> = answered
        .into_iter()
        .map(|(wish, underway)| (wish, wish.job(&account).hand_in(underway).unwrap()))
        .collect();
    let before = world.clock.waits().len();
    for (wish, underway) in handed_in {
        wish.job(&account).fetch(underway).unwrap();
    }
    let waits = world.clock.waits();
    let waited: Duration = waits[before..].iter().sum();
    let alone = Duration::from_secs(5);
    assert!(
        waited > alone / 2 && waited < alone * 3 / 2,
        "{:?}",
        &waits[before..]
    );
}

#[test]
fn phases_in_processes_of_their_own_go_on_where_the_one_before_ended() {
    let (world, host, _dns) = world(Release::Stable);
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
    let process = || {
        let registration = acme::Registration {
            terms_agreed: true,
            ..acme::Registration::default()
        };
        Account::create(world.open(), key.clone(), &registration)
            .unwrap()
            .0
    };
    let wish = Wish::new(&["a.example", "b.example"]);
    let begun = wish.job(&process()).begin().unwrap();
    assert_eq!(begun.proofs.len(), 2);
    // Requested twice: the same order, the same proofs.
    let mut proofs = wish.job(&process()).begin().unwrap().proofs;
    assert_eq!(proofs, begun.proofs);
    assert_eq!(world.proxy.count("POST /order-plz"), 1);
    Web(&host).publish(&mut proofs).unwrap();
    let issued = wish.job(&process()).complete().unwrap();
    assert_verifies(&world, &issued.chain, 0, "a.example");
}

/// The worst moment: the server issues, its answer is lost, and so is all that is asked afterwards.
#[test]
fn a_certificate_whose_birth_nobody_heard_of_is_fetched_by_the_next_run() {
    let (world, host, _dns) = world(Release::New);
    let account = world.account();
    let wish = Wish::new(&["a.example"]);
    let mut proofs = wish.job(&account).begin().unwrap().proofs;
    Web(&host).publish(&mut proofs).unwrap();
    world.fault(vec![
        Rule::lose_answer("POST /finalize", 9),
        // Looked at before the challenge, and until it was met; from then on nothing comes through.
        Rule::lose_request("POST /my-order/", 99).after(1),
    ]);
    let error = wish.job(&account).complete().unwrap_err();
    assert_eq!(error.kind(), "web.broken");
    // Whatever got lost first, the state knows the order.
    world.fault(vec![Rule::lose_answer("POST /finalize", 9)]);
    let order = wish.saved().order.unwrap();
    let seen = account.order(&order).unwrap();
    account
        .wait_while(seen, &[acme::OrderStatus::Pending])
        .unwrap();
    world.fault(vec![
        Rule::lose_answer("POST /finalize", 9),
        Rule::lose_request("POST /my-order/", 99).after(1),
    ]);
    let error = wish.job(&account).complete().unwrap_err();
    assert_eq!(error.kind(), "web.broken");
    assert_eq!(world.proxy.count("POST /finalize"), 1);
    world.fault(Vec::new());
    let issued = wish.job(&account).complete().unwrap();
    assert_verifies(&world, &issued.chain, 0, "a.example");
    assert_eq!(
        world.proxy.count("POST /finalize"),
        1,
        "nothing was handed in twice"
    );
    assert_eq!(world.proxy.count("POST /order-plz"), 1);
    // With another key it is of no use.
    let other = Wish {
        request: request_of(
            &["a.example"],
            &PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap(),
        ),
        ..wish
    };
    let error = other.job(&account).complete().unwrap_err();
    assert_eq!(error.kind(), "acme.start_again");
    assert!(error.to_string().contains("another key"), "{error}");
    assert!(other.key.public_key().is_ok());
}

#[test]
fn an_order_that_expired_between_the_phases_is_made_anew_and_says_so() {
    let (world, host, _dns) = world(Release::Stable);
    let account = world.account();
    let wish = Wish::new(&["a.example"]);
    wish.job(&account).begin().unwrap();
    let gone = Rule::problem("POST /my-order/", 1, 404, "malformed", &[]);
    world.fault(vec![gone.clone()]);
    let error = wish.job(&account).complete().unwrap_err();
    assert_eq!(error.kind(), "acme.start_again");
    world.fault(vec![gone]);
    let done = wish.job(&account).run(&Web(&host)).unwrap();
    assert_eq!(done.restarted, [Why::OrderMissing]);
    assert_verifies(&world, &done.issued.chain, 0, "a.example");
    // And one that ends before it could be finished.
    State::forget(&wish.state).unwrap();
    wish.job(&account).begin().unwrap();
    let ends = json!({"expires": "2020-01-01T00:00:00Z", "status": "pending"});
    world.fault(vec![Rule::edit("POST /my-order/", 1, ends)]);
    let done = wish.job(&account).run(&Web(&host)).unwrap();
    assert!(
        matches!(done.restarted[..], [Why::Expired(_)]),
        "{:?}",
        done.restarted
    );
}

#[test]
fn an_order_that_pebble_does_not_know_is_made_anew() {
    for release in [Release::Stable, Release::New] {
        let (world, host, _dns) = world(release);
        let account = world.account();
        let wish = Wish::new(&["a.example"]);
        wish.job(&account).begin().unwrap();
        let mut state = wish.saved();
        state.order = Some(world.proxy.url("/my-order/forgotten"));
        state.save(&wish.state).unwrap();
        let done = wish.job(&account).run(&Web(&host)).unwrap();
        assert_eq!(done.restarted, [Why::OrderMissing]);
        assert_verifies(&world, &done.issued.chain, 0, "a.example");
    }
}

/// A server that has moved, all of it, with its accounts.
#[test]
fn an_order_on_a_host_that_the_directory_no_longer_names_is_made_anew() {
    let (world, host, _dns) = world(Release::New);
    let account = world.account();
    let wish = Wish::new(&["a.example"]);
    wish.job(&account).begin().unwrap();
    let mut state = wish.saved();
    state.order = Some("https://old.ca.example/my-order/1".to_owned());
    state.save(&wish.state).unwrap();
    let error = wish.job(&account).complete().unwrap_err();
    assert_eq!(error.kind(), "acme.start_again");
    let done = wish.job(&account).run(&Web(&host)).unwrap();
    assert_eq!(done.restarted, [Why::Elsewhere]);
    assert_verifies(&world, &done.issued.chain, 0, "a.example");
}

#[test]
fn a_clock_that_is_far_ahead_costs_one_certificate_however_often_it_is_tried() {
    let (world, host, _dns) = world(Release::New);
    let account = world.account();
    let wish = Wish::new(&["a.example"]);
    let mut proofs = wish.job(&account).begin().unwrap().proofs;
    Web(&host).publish(&mut proofs).unwrap();
    wish.job(&account).complete().unwrap();
    world
        .clock
        .set_ahead(Duration::from_secs(10 * 365 * 86_400));
    for _ in 0..2 {
        let error = wish.job(&account).run(&Web(&host)).unwrap_err();
        assert_eq!(error.kind(), "acme.clock_ahead", "{error}");
    }
    world.clock.set_ahead(Duration::ZERO);
    let done = wish.job(&account).run(&Web(&host)).unwrap();
    assert_verifies(&world, &done.issued.chain, 0, "a.example");
    assert_eq!(world.proxy.count("POST /order-plz"), 1);
}

#[test]
fn a_name_that_nobody_ordered_is_not_proved() {
    let (world, host, _dns) = world(Release::Stable);
    let account = world.account();
    let wish = Wish::new(&["a.example"]);
    let victim = json!({"identifier": {"type": "dns", "value": "victim.example"}});
    world.fault(vec![Rule::edit("POST /authZ/", 1, victim)]);
    let error = wish.job(&account).run(&Web(&host)).unwrap_err();
    assert_eq!(error.kind(), "acme.bad_answer");
    assert!(
        error
            .to_string()
            .ends_with("it is for victim.example, which was not ordered"),
        "{error}"
    );
    assert!(wish.saved().proofs.is_empty() && host.is_empty());
    // And one that forgets to say that it is for a wildcard is understood.
    let wish = Wish::new(&["*.a.example"]);
    world.fault(vec![Rule::edit(
        "POST /authZ/",
        1,
        json!({"wildcard": false}),
    )]);
    let job = Job {
        challenge: &ChallengeKind::Dns01,
        ..wish.job(&account)
    };
    assert_eq!(job.begin().unwrap().proofs.len(), 1);
}

#[test]
fn a_lost_account_is_told_and_a_new_one_goes_on() {
    let (first, host, _dns) = world(Release::Stable);
    let lost = first.account();
    let wish = Wish::new(&["a.example"]);
    wish.job(&lost).begin().unwrap();
    let deny = Rule::problem("POST /my-order/", 1, 400, "accountDoesNotExist", &[]);
    first.fault(vec![deny]);
    let error = wish.job(&lost).run(&Web(&host)).unwrap_err();
    assert_eq!(error.kind(), "acme.account_gone");
    // A server that has forgotten all, as Pebble does when it restarts.
    let (forgetful, _, _) = world(Release::Stable);
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
    let error = Account::find(forgetful.open(), key).unwrap_err();
    assert_eq!(error.kind(), "acme.account_gone");
    let other = account(&first.open(), KeyAlgorithm::Ecdsa(Curve::P256));
    let done = wish.job(&other).run(&Web(&host)).unwrap();
    assert_eq!(done.restarted, [Why::KeyChanged]);
}

#[test]
fn a_server_that_named_a_day_is_not_asked_before() {
    let (world, host, _dns) = world(Release::Stable);
    let account = world.account();
    let wish = Wish::new(&["a.example"]);
    let day = [("Retry-After", "86400")];
    world.fault(vec![Rule::problem(
        "POST /order-plz",
        9,
        429,
        "rateLimited",
        &day,
    )]);
    let error = wish.job(&account).run(&Web(&host)).unwrap_err();
    assert_eq!(error.kind(), "acme.rate_limited");
    let asked = world.proxy.log().len();
    let error = wish.job(&account).run(&Web(&host)).unwrap_err();
    assert_eq!(error.kind(), "acme.not_yet");
    assert_eq!(error.retry_at(), wish.saved().retry_at);
    assert_eq!(world.proxy.log().len(), asked, "nothing was asked");
    // The day is over.
    world.fault(Vec::new());
    acme::Clock::wait(&*world.clock, Duration::from_secs(86_500));
    wish.job(&account).begin().unwrap();
}

#[test]
fn what_was_shown_is_taken_back_when_a_name_fails_and_the_order_is_given_up() {
    let (world, host, _dns) = world(Release::New);
    let account = world.account();
    let wish = Wish::new(&["a.example", "b.example"]);
    struct Half<'a>(Web<'a>);
    impl Publisher for Half<'_> {
        fn publish(&self, proofs: &mut [Wanted]) -> Result<(), String> {
            self.0.publish(&mut proofs[..1])
        }
        fn withdraw(&self, proofs: &[Wanted]) -> Result<(), String> {
            self.0.withdraw(proofs)
        }
    }
    let error = wish.job(&account).run(&Half(Web(&host))).unwrap_err();
    assert_eq!(error.kind(), "acme.order_failed");
    assert_eq!(error.failed_identifiers().len(), 1, "{error}");
    assert!(host.is_empty());
    assert_eq!(wish.saved().last_error.unwrap().kind, "acme.order_failed");
    // The next run knows that it is of no use.
    let done = wish.job(&account).run(&Web(&host)).unwrap();
    assert_eq!(done.restarted, [Why::OrderInvalid]);
    struct Broken;
    impl Publisher for Broken {
        fn publish(&self, _: &mut [Wanted]) -> Result<(), String> {
            Err("the name server refuses".to_owned())
        }
        fn withdraw(&self, _: &[Wanted]) -> Result<(), String> {
            Err("a record stays".to_owned())
        }
    }
    // Other names: Pebble lets a proof count twice, one time in a hundred also where it shall not.
    let wish = Wish::new(&["c.example", "d.example"]);
    let error = wish.job(&account).run(&Broken).unwrap_err();
    assert_eq!(error.kind(), "acme.proof");
    // What may still be shown is known, and the next one that can takes it back.
    assert_eq!(wish.saved().shown().len(), 2);
    wish.job(&account).withdraw(&Web(&host)).unwrap();
    assert!(wish.saved().shown().is_empty());
}
