// SPDX-License-Identifier: Apache-2.0
//! Tables over the decision. A site is what `apply` would have left: a root `Root`, below it the active
//! authority `Int`; each row changes the wish, what is seen, or the time, and names all reasons that follow.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod authorities;
mod drift;
mod lists;
mod refusals;
mod signatures;

use pki::{Authority, CertificateTemplate, Curve, KeyAlgorithm, Lifetime, PrivateKey, self_sign};
use serde_json::{Value, json};

use super::*;
use crate::index::Index;
use crate::observe::{Link, ObservedKey};
use crate::tree::FIRST_GENERATION;

const NOW: Timestamp = Timestamp(1_800_000_000);
const DAY: u64 = 86_400;

/// A change of what is seen.
type Change = fn(&mut Site);

fn as_it_is(_: &mut Site) {}

/// The tree as observed, and the keys that made it.
struct Site {
    tree: ObservedTree,
}

impl Site {
    fn empty() -> Self {
        Self {
            tree: ObservedTree::default(),
        }
    }

    /// With `Root` and the active `Int`, made at [`NOW`].
    fn new() -> Self {
        let mut site = Self::empty();
        let request = task(json!({"authorities": both()}));
        let plan = site.decide(&request, NOW);
        for decided in plan.authorities {
            let Act::Issue(issue) = decided.act else {
                panic!("{decided:?}")
            };
            site.make(&decided.name, issue.signer.as_ref(), &issue.template);
            site.authority(decided.name.as_str()).index.service =
                decided.service.unwrap_or_default();
        }
        site
    }

    fn decide(&self, request: &Request, now: Timestamp) -> Plan {
        decide(request, &self.tree, now)
    }

    fn authority(&mut self, name: &str) -> &mut ObservedAuthority {
        self.tree.authorities.get_mut(&named(name)).unwrap()
    }

    fn certificate(&self, name: &str) -> Certificate {
        let found = &self.tree.authorities[&named(name)];
        found.certificate.clone().unwrap()
    }

    /// `name` as one who signs.
    fn signer(&self, name: &AuthorityName) -> Authority {
        let found = &self.tree.authorities[name];
        let ObservedKey::Open { private, .. } = &found.key else {
            panic!("the key of '{name}' is not open")
        };
        let above = found.chain.iter().flatten().skip(1).cloned().collect();
        let certificate = found.certificate.clone().unwrap();
        Authority::new(certificate, private.clone(), above).unwrap()
    }

    fn make(
        &mut self,
        name: &AuthorityName,
        signer: Option<&AuthorityName>,
        template: &CertificateTemplate,
    ) {
        let key = new_key();
        let (certificate, above) = match signer.map(|signer| self.signer(signer)) {
            None => (self_sign(template, &key).unwrap(), Vec::new()),
            Some(signer) => {
                let certificate = signer.sign(template, &key.public_key().unwrap()).unwrap();
                let mut above = vec![signer.certificate().clone()];
                above.extend_from_slice(signer.chain());
                (certificate, above)
            }
        };
        let chain = std::iter::once(certificate.clone()).chain(above).collect();
        let found = ObservedAuthority {
            generations: BTreeMap::from([(FIRST_GENERATION, certificate.clone())]),
            certificate: Some(certificate),
            chain: Some(chain),
            ..only_key(key)
        };
        self.tree.authorities.insert(name.clone(), found);
    }

    /// The certificate and all its generations are gone, the key is there.
    fn lose_certificate(&mut self, name: &str) {
        let found = self.authority(name);
        found.certificate = None;
        found.generations.clear();
    }
}

fn named(name: &str) -> AuthorityName {
    AuthorityName::new(name).unwrap()
}

fn new_key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Ecdsa(Curve::P256)).unwrap()
}

fn open(private: PrivateKey) -> ObservedKey {
    ObservedKey::Open {
        public: private.public_key().unwrap(),
        private,
        encrypted: false,
    }
}

/// An authority with a key and nothing else.
fn only_key(key: PrivateKey) -> ObservedAuthority {
    ObservedAuthority {
        certificate: None,
        link: Link::Generation(FIRST_GENERATION),
        generations: BTreeMap::new(),
        next_generation: FIRST_GENERATION + 1,
        key: open(key),
        pending_key: None,
        pending_request: None,
        current_request: None,
        chain: None,
        index: Index::default(),
        crl: None,
        bridges: BTreeMap::new(),
        drift: Vec::new(),
        directory_drift: Vec::new(),
        missing_directories: Vec::new(),
    }
}

fn later(days: u64) -> Timestamp {
    NOW + Lifetime(days * DAY)
}

/// The wishes that a new site fulfils.
fn both() -> Value {
    json!([root(json!({})), int(json!({}))])
}

fn root(change: Value) -> Value {
    merged(json!({"name": "Root"}), change)
}

fn int(change: Value) -> Value {
    merged(
        json!({"name": "Int", "type": "intermediate", "parent": "Root", "state": "active"}),
        change,
    )
}

/// Fields of `change` take the place of those of `whole`; null takes one away.
fn merged(mut whole: Value, change: Value) -> Value {
    let (Value::Object(all), Value::Object(change)) = (&mut whole, change) else {
        panic!("only objects can be merged")
    };
    all.extend(change);
    all.retain(|_, value| !value.is_null());
    whole
}

/// The request of a task, with what the table of options would fill in.
fn task(options: Value) -> Request {
    let defaults = json!({
        "backend": {"files": {"directory": "/tree", "key_mode": "0600", "key_directory_mode": "0700",
            "certificate_mode": "0644", "directory_mode": "0755"}},
        "lock_timeout": "1s",
    });
    let mut options = merged(defaults, options);
    for (list, defaults) in [
        (
            "authorities",
            json!({"type": "root", "state": "present", "warn_before": "30d", "reason": "unspecified", "force": false}),
        ),
        ("sign", json!({"profile": "server", "renew_before": "30d"})),
        ("revoke", json!({"reason": "unspecified"})),
    ] {
        for entry in options
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            *entry = merged(defaults.clone(), entry.take());
        }
    }
    Request::try_from_params(serde_json::from_value(options).unwrap()).unwrap()
}

fn kinds(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.kind).collect()
}
