// SPDX-License-Identifier: Apache-2.0
//! Another server than Pebble: OpenBao, which wants external credentials and looks at real BINDs. Its http-01 asks port
//! 80 of every name and nothing else, which is no test's to take; HTTP is Pebble's part.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use acme::{
    Account, ChallengeKind, Error, ExternalAccount, Issued, OrderStatus, Patience, Proof,
    Registration, RunningClock, Server, revoke_with_key,
};
use pki::crl::RevocationReason;
use pki::jws::HmacAlgorithm;
use pki::{Certificate, Curve, KeyAlgorithm, PrivateKey};
use testbed::servers::{DnsWorld, OpenBao, World};
use web::{Client, Settings, Trust};

use crate::world::{order_of, proofs, prove, request};

fn dns() -> DnsWorld {
    // The zone's own name is proved elsewhere, too.
    let extra = "_acme-challenge CNAME wild.acme-sign.test.\n".to_owned();
    DnsWorld::start(&World {
        extra,
        ..World::default()
    })
}

fn open(bao: &OpenBao) -> Arc<Server> {
    let client = Client::new(&Settings {
        trust: Trust::Only(bao.ca_pem()),
        timeout: Duration::from_secs(20),
        ..Settings::default()
    });
    let clock = Arc::new(RunningClock::set(SystemTime::now()));
    let url = bao.directory_url();
    Arc::new(Server::open(client.unwrap(), &url, clock, Patience::default()).unwrap())
}

fn registration(bao: &OpenBao) -> Registration {
    let (kid, key) = bao.credentials();
    let secret = data_encoding::BASE64URL_NOPAD.decode(key.as_bytes());
    Registration {
        external: Some(ExternalAccount {
            kid,
            secret: secret.unwrap().into(),
            algorithm: HmacAlgorithm::Hs256,
        }),
        ..Registration::default()
    }
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap()
}

/// Shows the records of an order at its CNAMEs' ends, and finishes it.
fn issue(dns: &DnsWorld, account: &Account, texts: &[&str]) -> (Issued, PrivateKey) {
    let order = account.new_order(&order_of(texts)).unwrap();
    let lines: Vec<String> = proofs(account, &order, &ChallengeKind::Dns01)
        .into_iter()
        .map(|(proof, _)| {
            let Proof::Txt { name, value, .. } = proof else {
                panic!("{proof:?}")
            };
            let ends = dns.resolver.dig(&[&name, "CNAME"]);
            format!("update add {ends} 1 TXT {value}")
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    dns.nsupdate(&lines);
    dns.wait_until("the secondary is behind", || {
        let serial = |server: &testbed::servers::Named| server.dig(&["acme-sign.test", "SOA"]);
        serial(&dns.primary) == serial(&dns.secondary)
    });
    let order = prove(account, order, &ChallengeKind::Dns01).unwrap();
    let (request, key) = request(texts);
    let order = account.finalize(&order, &request).unwrap();
    assert_eq!(order.status, OrderStatus::Valid);
    let url = order.certificate.unwrap();
    (account.download(&url, &request, None).unwrap(), key)
}

fn bound(bao: &OpenBao) -> Account {
    Account::create(open(bao), key(), &registration(bao))
        .unwrap()
        .0
}

/// Each credentials are good for one account, and that one may show them again, as a task does in each run.
#[test]
fn openbao_binds_an_account_to_credentials_once() {
    let dns = dns();
    let bao = OpenBao::start(dns.resolver.address());
    let server = open(&bao);
    let create = |key: &PrivateKey, with: &Registration| {
        let account = Account::create(Arc::clone(&server), key.clone(), with);
        account.map(|(account, _)| account.url().to_owned())
    };
    let (own, with) = (key(), registration(&bao));
    let none = create(&own, &Registration::default()).unwrap_err();
    assert!(none.to_string().contains("(EAB)"), "{none}");
    let url = create(&own, &with).unwrap();
    assert_eq!(create(&own, &with).unwrap(), url);
    assert_eq!(Account::find(open(&bao), own).unwrap().0.url(), url);
    // What is wrong is told in the server's words, and not that an account is gone which never was.
    let spent = create(&key(), &with).unwrap_err();
    assert_eq!(spent.kind(), "acme.problem", "{spent}");
    assert!(
        spent.to_string().contains("failed to verify eab"),
        "{spent}"
    );
}

#[test]
fn openbao_issues_renews_and_revokes_by_dns_01() {
    let dns = dns();
    let bao = OpenBao::start(dns.resolver.address());
    let account = bound(&bao);
    let texts = ["example.test", "*.example.test", "h1.example.test"];
    let (first, _) = issue(&dns, &account, &texts);
    let chain = &first.chain.certificates;
    // It sends the root too.
    assert_eq!(
        (chain.len(), first.chain.root_name().as_str()),
        (3, "Bao Root")
    );
    for name in ["example.test", "any.example.test", "h1.example.test"] {
        let rest: String = chain[1..].iter().map(Certificate::to_pem).collect();
        testbed::witness::verify(bao.root_pem(), rest, chain[0].to_pem(), name).unwrap();
    }
    let facts = chain[0].facts();
    let (begins, ends) = (facts.not_before.0, facts.not_after.0);
    // It lets it begin half a minute earlier.
    assert!((0..=60).contains(&(ends - begins - OpenBao::LIFETIME)));

    let (second, own) = issue(&dns, &account, &texts);
    let renewed = &second.chain.certificates[0];
    assert_ne!(renewed.facts().serial, facts.serial);

    let serial = |certificate: &Certificate| certificate.facts().serial.to_string();
    account
        .revoke(&chain[0], RevocationReason::Unspecified)
        .unwrap();
    assert_ne!(bao.revoked_at(&serial(&chain[0])), 0);
    assert_eq!(bao.revoked_at(&serial(renewed)), 0);
    let unspecified = RevocationReason::Unspecified;
    revoke_with_key(account.server(), renewed, &own, unspecified).unwrap();
    assert_ne!(bao.revoked_at(&serial(renewed)), 0);
}

/// What Pebble has and this server has not is named before or by its refusal.
#[test]
fn what_openbao_lacks_is_told() {
    let dns = dns();
    let bao = OpenBao::start(dns.resolver.address());
    let account = bound(&bao);
    let (issued, _) = issue(&dns, &account, &["h0.example.test"]);
    let leaf = &issued.chain.certificates[0];
    let kind = |error: Error| error.kind();
    let ari = account.server().renewal_info(leaf).unwrap_err();
    assert!(ari.to_string().contains("(ARI)"), "{ari}");
    let mut order = order_of(&["h0.example.test"]);
    order.profile = Some("shortlived".to_owned());
    let error = account.new_order(&order).unwrap_err();
    assert_eq!(kind(error), "acme.profile");
    order.profile = None;
    order.not_after = Some(leaf.facts().not_after);
    let error = account.new_order(&order).unwrap_err();
    assert!(
        error.to_string().contains("NotAfter are not supported"),
        "{error}"
    );
    let superseded = RevocationReason::Superseded;
    let error = account.revoke(leaf, superseded).unwrap_err();
    assert!(error.to_string().contains("badRevocationReason"), "{error}");
    // What it replaces is not told to a server that shows no renewal information; it refuses nothing.
    order.not_after = None;
    order.replaces = acme::certificate_id(leaf).ok();
    assert!(order.replaces.is_some());
    account.new_order(&order).unwrap();
}
