// SPDX-License-Identifier: Apache-2.0
//! A Pebble, the fault proxy before it where a test wants faults, and who asks them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use acme::{
    Account, Challenge, ChallengeKind, Clock, Error, Identifier, Order, OrderRequest, Patience,
    Proof, Registration, Server,
};
use pki::{
    CertificateRequest, Curve, KeyAlgorithm, PrivateKey, RequestTemplate, SubjectAltNames,
    Timestamp,
};
use testbed::servers::{FaultProxy, Pebble, Rule, Settings};
use web::{Client, Trust};

const MILLENNIUM: Duration = Duration::from_secs(31_557_600_000);

/// Waits a little and says that it was all: a test of a pause of a minute takes 30 ms.
pub(crate) struct QuickClock {
    begin: Instant,
    behind: Mutex<Duration>,
    ahead: Mutex<Duration>,
    waits: Mutex<Vec<Duration>>,
}

impl QuickClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            behind: Mutex::default(),
            ahead: Mutex::default(),
            waits: Mutex::default(),
        })
    }

    pub(crate) fn set_behind(&self, span: Duration) {
        *self.behind.lock().unwrap() = span;
    }

    pub(crate) fn set_ahead(&self, span: Duration) {
        *self.ahead.lock().unwrap() = span;
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        (SystemTime::now() + *self.ahead.lock().unwrap() - *self.behind.lock().unwrap()).into()
    }

    fn wait(&self, span: Duration) {
        self.waits.lock().unwrap().push(span);
        let slept = span.min(Duration::from_millis(30));
        std::thread::sleep(slept);
        let mut ahead = self.ahead.lock().unwrap();
        // No further than a calendar shows.
        *ahead = ahead.saturating_add(span - slept).min(MILLENNIUM);
    }

    fn running(&self) -> Duration {
        self.begin.elapsed() + *self.ahead.lock().unwrap()
    }
}

pub(crate) struct World {
    pub(crate) pebble: Pebble,
    pub(crate) proxy: FaultProxy,
    pub(crate) clock: Arc<QuickClock>,
    pub(crate) patience: Patience,
    /// How long a request may take. Long, since a busy machine is no fault of the server.
    pub(crate) timeout: Duration,
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        let pebble = Pebble::start(settings);
        let proxy = FaultProxy::start(Some(pebble.port()), pebble.certificate());
        Self {
            pebble,
            proxy,
            clock: QuickClock::new(),
            patience: Patience::default(),
            timeout: Duration::from_secs(20),
        }
    }

    /// Pebble writes its URLs with the host and port that it is asked by.
    pub(crate) fn open(&self) -> Arc<Server> {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Arc<Server>, Error> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let url = self.proxy.url("/dir");
        Server::open(self.client(), &url, clock, self.patience).map(Arc::new)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&web::Settings {
            trust: Trust::Only(self.proxy.ca_pem().to_vec()),
            timeout: self.timeout,
            ..web::Settings::default()
        })
        .unwrap()
    }

    pub(crate) fn account(&self) -> Account {
        account(&self.open(), KeyAlgorithm::Ecdsa(Curve::P256))
    }

    pub(crate) fn fault(&self, rules: Vec<Rule>) {
        self.proxy.set(rules);
    }
}

pub(crate) fn account(server: &Arc<Server>, algorithm: KeyAlgorithm) -> Account {
    let key = PrivateKey::generate(algorithm).unwrap();
    let registration = Registration {
        terms_agreed: true,
        ..Registration::default()
    };
    Account::create(Arc::clone(server), key, &registration)
        .unwrap()
        .0
}

pub(crate) fn names(texts: &[&str]) -> Vec<Identifier> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn order_of(texts: &[&str]) -> OrderRequest {
    OrderRequest::of(names(texts))
}

/// A new key and the request for it.
pub(crate) fn request(texts: &[&str]) -> (CertificateRequest, PrivateKey) {
    let key = PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap();
    (request_of(texts, &key), key)
}

pub(crate) fn request_of(texts: &[&str], key: &PrivateKey) -> CertificateRequest {
    let mut names = SubjectAltNames::default();
    for text in texts {
        match text.parse() {
            Ok(ip) => names.ip.push(ip),
            Err(_) => names.dns.push(text.parse().unwrap()),
        }
    }
    let template = RequestTemplate {
        names,
        ..RequestTemplate::default()
    };
    CertificateRequest::create(&template, key).unwrap()
}

/// The proofs of an order and the challenges that they are for.
pub(crate) fn proofs(
    account: &Account,
    order: &Order,
    kind: &ChallengeKind,
) -> Vec<(Proof, Challenge)> {
    let authorizations = account.authorizations(order).unwrap();
    authorizations
        .iter()
        .map(|known| Proof::of(known, kind, account.holder()).unwrap())
        .collect()
}

/// Answers all challenges of a kind and waits until the order is ready.
pub(crate) fn prove(account: &Account, order: Order, kind: &ChallengeKind) -> Result<Order, Error> {
    let challenges: Vec<_> = proofs(account, &order, kind)
        .into_iter()
        .map(|(_, challenge)| challenge)
        .collect();
    account.answer(&challenges)?;
    let order = account.order(&order.url)?;
    account.wait_while(order, &[acme::OrderStatus::Pending])
}

/// Fails unless the openssl command agrees that the chain leads to the root and is for the name.
pub(crate) fn assert_verifies(world: &World, chain: &acme::Chain, root: usize, name: &str) {
    let leaf = chain.certificates[0].to_pem();
    let rest: String = chain.certificates[1..].iter().map(|c| c.to_pem()).collect();
    let root = world.pebble.root_pem(root);
    testbed::witness::verify(&root, rest, leaf, name).unwrap();
}
