// SPDX-License-Identifier: Apache-2.0
//! Accounts: made, found, changed, given up; and what else an account does.

use std::collections::BTreeSet;
use std::sync::Arc;

use acme::{
    Account, ChallengeKind, ExternalAccount, OrderStatus, PreferredChain, Registration, Revoked,
    certificate_id, revoke_with_key,
};
use pki::crl::RevocationReason;
use pki::jws::{HmacAlgorithm, from_base64url};
use pki::{Certificate, Curve, KeyAlgorithm, PrivateKey};
use serde_json::json;
use testbed::servers::{Release, Rule, Settings, get, post};

use crate::world::{World, account, assert_verifies, order_of, prove, request};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap()
}

fn world(release: Release) -> World {
    World::new(&Settings::always_valid(release))
}

fn issue(account: &Account, texts: &[&str]) -> (Certificate, PrivateKey) {
    let order = account.new_order(&order_of(texts)).unwrap();
    let order = prove(account, order, &ChallengeKind::Dns01).unwrap();
    let (request, key) = request(texts);
    let order = account.finalize(&order, &request).unwrap();
    let url = order.certificate.unwrap();
    let issued = account.download(&url, &request, None).unwrap();
    (issued.chain.certificates[0].clone(), key)
}

#[test]
fn an_account_lives_from_its_creation_to_its_end() {
    for release in [Release::Stable, Release::New] {
        let world = world(release);
        let server = world.open();
        let (old, new) = (
            key(),
            PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P384)).unwrap(),
        );
        let registration = Registration {
            contacts: vec!["mailto:a@example.org".to_owned()],
            terms_agreed: true,
            external: None,
        };
        let (made, facts) =
            Account::create(Arc::clone(&server), old.clone(), &registration).unwrap();
        assert_eq!(facts.contact, ["mailto:a@example.org"]);
        // Made twice it is the same one, and its key finds it.
        let (same, _) = Account::create(Arc::clone(&server), old.clone(), &registration).unwrap();
        let (found, _) = Account::find(Arc::clone(&server), old.clone()).unwrap();
        assert_eq!((same.url(), found.url()), (made.url(), made.url()));
        made.check_pin(found.url()).unwrap();
        let error = made.check_pin("https://localhost/other").unwrap_err();
        assert_eq!(error.kind(), "acme.account_mismatch");
        let facts = made
            .set_contacts(&["mailto:b@example.org".to_owned()])
            .unwrap();
        assert_eq!(facts.contact, ["mailto:b@example.org"]);
        assert_eq!(made.facts().unwrap().contact, ["mailto:b@example.org"]);
        // Another key: the account is the same, and only the new key finds it.
        let changed = made.change_key(new.clone()).unwrap();
        assert_eq!(changed.url(), found.url());
        assert_eq!(changed.facts().unwrap().status, "valid");
        let error = Account::find(Arc::clone(&server), old).unwrap_err();
        assert_eq!(error.kind(), "acme.account_gone");
        changed.deactivate().unwrap();
        let error = Account::find(server, new).unwrap_err();
        assert_eq!(error.kind(), "acme.account_gone", "{error}");
    }
}

/// An account whose new key is thrown away is lost.
#[test]
fn a_new_key_counts_also_where_nobody_heard_that_it_does() {
    const CHANGE: &str = "POST /rollover-account-key";
    let html = [("content-type", "text/html")];
    for (rule, sent) in [
        (Rule::lose_answer(CHANGE, 1), 1),
        // The gateway gave up, the server did not; asked again, it refuses the old key.
        (Rule::replace_answer(CHANGE, 1, 502, &html, "<html>"), 2),
    ] {
        let world = world(Release::New);
        let account = world.account();
        world.fault(vec![rule]);
        let changed = account.change_key(key()).unwrap();
        assert_eq!(changed.url(), account.url());
        assert_eq!(changed.facts().unwrap().status, "valid");
        assert!(account.facts().is_err());
        assert_eq!(world.proxy.count(CHANGE), sent);
    }
    let world = world(Release::New);
    let (account, other) = (world.account(), key());
    world.fault(vec![Rule::problem(CHANGE, 1, 403, "unauthorized", &[])]);
    let error = account.change_key(other.clone()).unwrap_err();
    assert_eq!(error.kind(), "acme.problem");
    assert_eq!(account.facts().unwrap().status, "valid");
    // The key of another account stays with it.
    let registration = Registration {
        terms_agreed: true,
        ..Registration::default()
    };
    Account::create(Arc::clone(account.server()), other.clone(), &registration).unwrap();
    // Pebble would take it, against RFC 8555 §7.3.5.
    world.fault(vec![Rule::problem(CHANGE, 1, 409, "malformed", &[])]);
    let error = account.change_key(other).unwrap_err();
    assert_eq!(error.kind(), "acme.problem");
    assert_eq!(account.facts().unwrap().status, "valid");
}

#[test]
fn orders_are_listed_over_pages_where_the_server_lists_them() {
    let settings = Settings::always_valid(Release::New);
    let world = World::new(&settings.environment("PEBBLE_WFE_ORDERS_PER_PAGE", "2"));
    let account = world.account();
    let made: BTreeSet<_> = (0..5)
        .map(|n| {
            account
                .new_order(&order_of(&[&format!("n{n}.example")]))
                .unwrap()
                .url
        })
        .collect();
    let listed: BTreeSet<_> = account.orders().unwrap().into_iter().collect();
    assert_eq!(listed, made);
    let name = "a.example".parse().unwrap();
    let error = account.pre_authorize(&name).unwrap_err();
    assert_eq!(error.kind(), "acme.unsupported");
}

#[test]
fn a_key_without_an_account_is_told() {
    let world = world(Release::New);
    let error = Account::find(world.open(), key()).unwrap_err();
    assert_eq!(error.kind(), "acme.account_gone");
    // An account that another server had, with orders.
    let url = world.proxy.url("/my-account/4711");
    let stray = Account::known(world.open(), key(), url).unwrap();
    let error = stray.new_order(&order_of(&["a.example"])).unwrap_err();
    assert_eq!(error.kind(), "acme.account_gone", "{error}");
}

#[test]
fn external_credentials_are_wanted_and_checked() {
    const SECRET: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let settings = Settings::always_valid(Release::Stable).configuration(json!({
        "externalAccountBindingRequired": true,
        "externalAccountMACKeys": {"kid-1": SECRET},
    }));
    let world = World::new(&settings);
    let secret = from_base64url("HMAC key", SECRET).unwrap();
    let with = |secret: &[u8]| Registration {
        terms_agreed: true,
        external: Some(ExternalAccount {
            kid: "kid-1".to_owned(),
            secret: secret.to_vec().into(),
            algorithm: HmacAlgorithm::Hs256,
        }),
        contacts: Vec::new(),
    };
    Account::create(world.open(), key(), &with(&secret)).unwrap();
    let error = Account::create(world.open(), key(), &with(b"wrong")).unwrap_err();
    assert_ne!(error.kind(), "acme.unsupported");
    let shown = format!("{:?} {error}", with(&secret));
    assert!(!shown.contains(SECRET) && shown.contains("elided"));
    let without = Registration {
        terms_agreed: true,
        ..Registration::default()
    };
    let error = Account::create(world.open(), key(), &without).unwrap_err();
    assert_eq!(error.kind(), "acme.unsupported");
}

#[test]
fn the_chain_to_another_root_is_found_by_name_subject_and_key() {
    let settings =
        Settings::always_valid(Release::Stable).environment("PEBBLE_ALTERNATE_ROOTS", "2");
    let world = World::new(&settings.environment("PEBBLE_CHAIN_LENGTH", "2"));
    let account = world.account();
    let order = account.new_order(&order_of(&["a.example"])).unwrap();
    let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
    let (request, _) = request(&["a.example"]);
    let url = account
        .finalize(&order, &request)
        .unwrap()
        .certificate
        .unwrap();
    let root = Certificate::from_pem(&world.pebble.root_pem(2)).unwrap();
    let facts = root.facts();
    let identifier = facts.subject_key_identifier.clone().unwrap();
    let colons: Vec<_> = identifier
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for text in [
        facts.subject.common_name().unwrap().to_owned(),
        facts.subject.to_string(),
        colons.join(":"),
        colons.concat().to_uppercase(),
    ] {
        let wish: PreferredChain = text.parse().unwrap();
        let issued = account.download(&url, &request, Some(&wish)).unwrap();
        assert!(issued.is_preferred, "{text}");
        assert_eq!(
            issued.chain.root_name(),
            facts.subject.common_name().unwrap()
        );
        assert_verifies(&world, &issued.chain, 2, "a.example");
    }
    let wish = PreferredChain::CommonName("ISRG Root X1".to_owned());
    let issued = account.download(&url, &request, Some(&wish)).unwrap();
    assert!(!issued.is_preferred);
    assert_eq!(issued.roots.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_verifies(&world, &issued.chain, 0, "a.example");
}

fn is_revoked(world: &World, certificate: &Certificate) -> bool {
    let path = format!(
        "/cert-status-by-serial/{}",
        certificate.facts().serial.to_string().to_lowercase()
    );
    let (status, _, body) = get(world.pebble.management_port(), &path);
    assert_eq!(status, 200, "{path}");
    String::from_utf8(body).unwrap().contains("\"Revoked\"")
}

#[test]
fn certificates_are_revoked_by_account_and_by_their_own_key() {
    let world = world(Release::New);
    let account = world.account();
    let (certificate, _) = issue(&account, &["a.example"]);
    assert!(!is_revoked(&world, &certificate));
    let revoke = |certificate: &Certificate| {
        account
            .revoke(certificate, RevocationReason::Superseded)
            .unwrap()
    };
    assert_eq!(revoke(&certificate), Revoked::Now);
    assert!(is_revoked(&world, &certificate));
    assert_eq!(revoke(&certificate), Revoked::Before);
    // The server has done it, though its answer was lost or a gateway gave up; asked again, it says so.
    const REVOKE: &str = "POST /revoke-cert";
    let html = [("content-type", "text/html")];
    for (rule, since) in [
        (Rule::lose_answer(REVOKE, 1), Revoked::Now),
        (Rule::lose_request(REVOKE, 1), Revoked::Now),
        (
            Rule::replace_answer(REVOKE, 1, 502, &html, "<html>"),
            Revoked::Before,
        ),
    ] {
        let (certificate, _) = issue(&account, &["a.example"]);
        let before = world.proxy.count(REVOKE);
        world.fault(vec![rule]);
        assert_eq!(revoke(&certificate), since);
        assert!(is_revoked(&world, &certificate));
        assert_eq!(world.proxy.count(REVOKE) - before, 2);
    }
    let (certificate, key) = issue(&account, &["b.example"]);
    let server = account.server();
    revoke_with_key(server, &certificate, &key, RevocationReason::KeyCompromise).unwrap();
    assert!(is_revoked(&world, &certificate));
    let (certificate, _) = issue(&account, &["c.example"]);
    let stranger = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
    revoke_with_key(
        server,
        &certificate,
        &stranger,
        RevocationReason::Unspecified,
    )
    .unwrap_err();
    assert!(!is_revoked(&world, &certificate));
}

#[test]
fn profiles_are_asked_for_and_checked() {
    let settings = Settings::always_valid(Release::New).configuration(json!({"profiles": {
        "short": {"description": "six days", "validityPeriod": 518_400},
        "classic": {"description": "ninety days", "validityPeriod": 7_776_000},
    }}));
    let world = World::new(&settings);
    let account = world.account();
    let with = |profile: &str| acme::OrderRequest {
        profile: Some(profile.to_owned()),
        ..order_of(&["a.example"])
    };
    let order = account.new_order(&with("short")).unwrap();
    assert_eq!(order.profile.as_deref(), Some("short"));
    let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
    let (request, _) = request(&["a.example"]);
    let url = account
        .finalize(&order, &request)
        .unwrap()
        .certificate
        .unwrap();
    let leaf = &account
        .download(&url, &request, None)
        .unwrap()
        .chain
        .certificates[0];
    let lifetime = leaf.facts().not_after.0 - leaf.facts().not_before.0;
    assert!(lifetime < 7 * 86_400, "{lifetime}");
    let error = account.new_order(&with("long")).unwrap_err();
    assert_eq!(error.kind(), "acme.profile");
    assert!(
        error.to_string().ends_with("the server has classic, short"),
        "{error}"
    );
    // One that is not what was asked for is refused, and given up.
    let other = json!({"profile": "classic"});
    world.fault(vec![Rule::edit("POST /order-plz", 1, other)]);
    let looked = world.proxy.count("POST /authZ/");
    let error = account.new_order(&with("short")).unwrap_err();
    assert_eq!(error.kind(), "acme.profile");
    assert_eq!(
        world.proxy.count("POST /authZ/") - looked,
        2,
        "looked at, and given up"
    );
    // Pebble 2.4.0 would ignore it without a word.
    let old = World::new(&Settings::always_valid(Release::Stable));
    let error = old.account().new_order(&with("short")).unwrap_err();
    assert_eq!(error.kind(), "acme.profile");
}

#[test]
fn the_server_says_when_to_renew_and_what_replaced_what() {
    let world = world(Release::New);
    let account = world.account();
    let server = account.server();
    let (certificate, _) = issue(&account, &["a.example"]);
    let info = server.renewal_info(&certificate).unwrap();
    let facts = certificate.facts();
    let at = info.renew_at("host01");
    assert!(facts.not_before < at && at < facts.not_after, "{info:?}");
    assert!(info.holds_at(acme::Clock::now(&*world.clock)));
    // The operator wants it now.
    let id = certificate_id(&certificate).unwrap();
    let window = json!({"suggestedWindow": {
        "start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"},
        "explanationURL": "https://ca.example/incident?secret=1"});
    let order = json!({"certificate": certificate.to_pem(), "ariResponse": window.to_string()});
    let port = world.pebble.management_port();
    let (status, _, body) = post(port, "/set-renewal-info/", order.to_string().as_bytes());
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let info = server.renewal_info(&certificate).unwrap();
    assert!(info.renew_at("host01") < facts.not_before);
    assert_eq!(
        info.explanation.as_deref(),
        Some("https://ca.example/incident")
    );
    // Replaced once; the second time the server is asked without.
    let replacing = acme::OrderRequest {
        replaces: Some(id.clone()),
        ..order_of(&["a.example"])
    };
    let order = account.new_order(&replacing).unwrap();
    assert_eq!(order.replaces, Some(id));
    let order = prove(&account, order, &ChallengeKind::Dns01).unwrap();
    account
        .finalize(&order, &request(&["a.example"]).0)
        .unwrap();
    let again = account.new_order(&replacing).unwrap();
    assert_eq!(again.replaces, None);
    // Of another account, as Boulder says it, of a server that is another's, and of other names.
    for (status, kind) in [
        (403, "unauthorized"),
        (404, "malformed"),
        (400, "malformed"),
    ] {
        let refused = Rule::problem("POST /order-plz", 1, status, kind, &[]);
        world.fault(vec![refused]);
        let order = account.new_order(&replacing).unwrap();
        assert_eq!(order.replaces, None, "{status} {kind}");
    }
    let other = crate::world::account(&world.open(), KeyAlgorithm::Ecdsa(Curve::P256));
    let order = other.new_order(&replacing).unwrap();
    assert_eq!(order.replaces, None, "the certificate of another account");
    // A server without such information, and a window that is none.
    let old = World::new(&Settings::always_valid(Release::Stable));
    let error = old.open().renewal_info(&certificate).unwrap_err();
    assert_eq!(error.kind(), "acme.unsupported");
    let turned = json!({"suggestedWindow": {
        "start": "2020-01-02T00:00:00Z", "end": "2020-01-01T00:00:00Z"}});
    let order = json!({"certificate": certificate.to_pem(), "ariResponse": turned.to_string()});
    post(port, "/set-renewal-info/", order.to_string().as_bytes());
    let error = server.renewal_info(&certificate).unwrap_err();
    assert_eq!(error.kind(), "acme.bad_answer");
}

#[test]
fn what_is_not_wanted_any_more_is_given_up() {
    let world = world(Release::Stable);
    let account = account(&world.open(), KeyAlgorithm::Ecdsa(Curve::P384));
    let order = account
        .new_order(&order_of(&["a.example", "b.example"]))
        .unwrap();
    assert_eq!(account.give_up(&order).unwrap(), 2);
    assert_eq!(account.give_up(&order).unwrap(), 0);
    let seen = account.order(&order.url).unwrap();
    // "deactivated", says Pebble 2.4, which no order can be by the RFC.
    assert_eq!(seen.status, OrderStatus::Invalid);
}

/// One pool of nonces and one account for all threads; each request has a nonce of its own.
#[test]
fn many_threads_share_an_account() {
    let world = world(Release::New);
    let account = world.account();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let account = &account;
            scope.spawn(move || {
                let name = format!("n{number}.example");
                account.new_order(&order_of(&[&name])).unwrap()
            });
        }
    });
    assert_eq!(world.proxy.count("POST /order-plz"), 8);
}
