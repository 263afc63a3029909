// SPDX-License-Identifier: Apache-2.0
//! Certificates from both Pebbles, validated over real HTTP and by records of a stand-in name server.

use std::net::Ipv4Addr;

use crate::world::{World, account, assert_verifies, order_of, proofs, prove, request};
use acme::{Account, ChallengeKind, Order, OrderStatus, Proof};
use pki::{Curve, KeyAlgorithm};
use testbed::servers::{ChallengeStandIn, DnsStandIn, Release, Settings};

/// Shows the proofs of an order where Pebble looks, and finishes it.
fn finish(
    account: &Account,
    order: Order,
    kind: &ChallengeKind,
    texts: &[&str],
    show: impl Fn(&Proof),
) -> acme::Issued {
    for (proof, _) in proofs(account, &order, kind) {
        show(&proof);
    }
    let order = prove(account, order, kind).unwrap();
    let (request, _) = request(texts);
    let order = account.finalize(&order, &request).unwrap();
    assert_eq!(order.status, OrderStatus::Valid);
    let url = order.certificate.unwrap();
    account.download(&url, &request, None).unwrap()
}

fn by_http(release: Release, algorithm: KeyAlgorithm) {
    let host = ChallengeStandIn::start();
    let dns = DnsStandIn::start(Some(Ipv4Addr::LOCALHOST.into()));
    let settings = Settings::validating(release, host.port()).dns(dns.address());
    let world = World::new(&settings);
    let account = account(&world.open(), algorithm);
    let texts = ["a.example.org", "b.example.org", "127.0.0.1"];
    let order = account.new_order(&order_of(&texts)).unwrap();
    assert_eq!(order.status, OrderStatus::Pending);
    let issued = finish(&account, order, &ChallengeKind::Http01, &texts, |proof| {
        let Proof::File { path, content } = proof else {
            panic!("{proof:?}")
        };
        host.put(path, content);
    });
    for name in texts {
        assert_verifies(&world, &issued.chain, 0, name);
    }
}

#[test]
fn names_and_an_address_are_proved_by_http_01_to_the_stable_pebble() {
    by_http(Release::Stable, KeyAlgorithm::Ecdsa(Curve::P256));
}

#[test]
fn names_and_an_address_are_proved_by_http_01_to_the_new_pebble() {
    by_http(Release::New, KeyAlgorithm::Ecdsa(Curve::P384));
}

#[test]
fn an_rsa_account_is_as_good() {
    by_http(Release::New, KeyAlgorithm::Rsa { bits: 2048 });
}

fn by_record(release: Release, kind: &ChallengeKind, texts: &[&str]) {
    let dns = DnsStandIn::start(None);
    let settings = Settings::validating(release, 1).dns(dns.address());
    let world = World::new(&settings);
    let account = world.account();
    let order = account.new_order(&order_of(texts)).unwrap();
    let issued = finish(&account, order, kind, texts, |proof| {
        let Proof::Txt { name, value, stays } = proof else {
            panic!("{proof:?}")
        };
        assert_eq!(*stays, *kind == ChallengeKind::DnsPersist01);
        dns.add_txt(name, value);
    });
    for name in texts {
        // openssl wants to know what the wildcard stands for.
        assert_verifies(&world, &issued.chain, 0, &name.replace('*', "any"));
    }
}

#[test]
fn a_wildcard_and_its_parent_are_proved_by_two_values_at_one_name() {
    let texts = ["example.org", "*.example.org"];
    by_record(Release::Stable, &ChallengeKind::Dns01, &texts);
    by_record(Release::New, &ChallengeKind::Dns01, &texts);
}

#[test]
fn dns_account_01_has_the_label_that_pebble_looks_at() {
    let texts = ["example.org", "www.example.org"];
    by_record(Release::New, &ChallengeKind::DnsAccount01, &texts);
}

#[test]
fn dns_persist_01_has_the_record_that_pebble_looks_at() {
    by_record(Release::New, &ChallengeKind::DnsPersist01, &["example.org"]);
    by_record(
        Release::New,
        &ChallengeKind::DnsPersist01,
        &["*.example.org"],
    );
}
