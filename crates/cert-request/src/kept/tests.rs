// SPDX-License-Identifier: Apache-2.0
//! Decisions about what certmonger keeps, as tables; `tests/certmonger` holds a real daemon to the same.
#![expect(clippy::unwrap_used, reason = "tests")]

use certmonger::{Place, RequestPath, State, Tracked};
use issuers::{Issued, Issuer, SelfSigned, Wish};
use pki::{Certificate, CertificateRequest, Lifetime, PrivateKey, Timestamp};
use serde_json::{Value, json};

use super::{Kept, differences};
use crate::decide::{Decision, decide};
use crate::issuance::Loaded;
use crate::observe::{FileFacts, Observation, Presence};
use crate::request::{Entry, IssuerSpec, Request};

const NOW: Timestamp = Timestamp(1_800_000_000);

fn entry(change: &Value, issuer: &Value) -> Entry {
    let mut certmonger = json!({"ca": "self-sign", "wait": true, "wait_timeout": "5m"});
    let mut wish = json!({
        "name": "web",
        "dns": ["web.example.org", "b.example.org"],
        "files": [
            {"content": "private_key", "path": "/web.key"},
            {"content": "certificate", "path": "/web.pem"},
        ],
    });
    certmonger
        .as_object_mut()
        .unwrap()
        .extend(issuer.as_object().unwrap().clone());
    let object = wish.as_object_mut().unwrap();
    object.insert(String::from("issuer"), json!({"certmonger": certmonger}));
    object.extend(change.as_object().unwrap().clone());
    let params = json!({"certificates": [wish], "state": "present", "state_dir": "/state", "lock_timeout": "1s"});
    let request = Request::try_from_params(&serde_json::from_value(params).unwrap()).unwrap();
    request.entries.into_iter().next().unwrap()
}

/// A host on which certmonger has done what the entry wishes.
struct Host {
    seen: Observation,
    request: Option<Tracked>,
}

impl Host {
    fn new() -> Self {
        let entry = entry(&json!({}), &json!({}));
        let key = PrivateKey::generate(entry.key.algorithm).unwrap();
        let csr = CertificateRequest::create(&entry.template, &key).unwrap();
        let wish = Wish {
            template: &entry.template,
            key: &key,
            not_before: NOW - Lifetime(300),
            not_after: NOW + Lifetime(86_400 * 365),
            now: NOW,
        };
        let Issued::Bytes { pem } = SelfSigned::default().issue(&csr, &wish).unwrap() else {
            unreachable!()
        };
        let certificate = Certificate::from_pem(&pem).unwrap();
        let file = FileFacts {
            presence: Presence::Present { difference: None },
            drift: Vec::new(),
            open_mode: None,
        };
        let request = tracked(&csr, &certificate);
        Self {
            seen: Observation {
                files: vec![file.clone(), file],
                key: Some(key),
                certificate: Some(certificate),
                is_pair: true,
                ..Observation::default()
            },
            request: Some(request),
        }
    }

    fn decide(&self, entry: &Entry) -> Decision {
        self.decide_at(entry, NOW)
    }

    fn decide_at(&self, entry: &Entry, now: Timestamp) -> Decision {
        let IssuerSpec::Certmonger(spec) = &entry.issuer else {
            unreachable!()
        };
        let authority = certmonger::Authority {
            path: String::from("/org/fedorahosted/certmonger/cas/CA1"),
            nickname: String::from("SelfSign"),
            roots: Vec::new(),
            others: Vec::new(),
        };
        let kept = self
            .request
            .as_ref()
            .and_then(|request| request.cert.as_deref());
        let kept = Kept {
            issuer: issuers::Certmonger::new(&spec.ca, &[], &[], kept),
            authority,
            request: self.request.clone(),
            principal: spec.principal.clone(),
            spec: spec.as_ref().clone(),
            is_ca_file_missing: false,
            place: Place::from_environment(None, None).unwrap(),
        };
        decide(entry, &Loaded::Certmonger(Box::new(kept)), &self.seen, now).unwrap()
    }

    fn says(&self, entry: &Entry) -> (&'static str, Vec<&'static str>) {
        let decision = self.decide(entry);
        let kinds = decision.reasons.iter().map(|reason| reason.kind.word());
        (decision.action.word(), kinds.collect())
    }
}

/// As certmonger describes what getcert asked for, names in another order and in other letters.
fn tracked(csr: &CertificateRequest, certificate: &Certificate) -> Tracked {
    Tracked {
        path: RequestPath::new("/org/fedorahosted/certmonger/requests/Request7"),
        nickname: String::from("by-hand"),
        state: State::new("MONITORING"),
        stuck: false,
        ca_error: None,
        cert_file: Some("/web.pem".into()),
        key_file: Some("/web.key".into()),
        cert_owner: None,
        cert_mode: 0,
        key_owner: None,
        key_mode: 0,
        key_pin_file: None,
        key_type: Some(String::from("RSA")),
        key_size: 4096,
        ca: Some(String::from("CA1")),
        profile: None,
        issuer: None,
        monitoring: true,
        auto_renew: true,
        subject: Some(String::from("CN=web.example.org")),
        key_usage: None,
        extended_key_usage: Vec::new(),
        dns: vec![
            String::from("B.example.org"),
            String::from("web.example.org"),
        ],
        email: Vec::new(),
        principal: Vec::new(),
        ip: Vec::new(),
        challenge_password_file: None,
        pre_save: None,
        post_save: Some(String::from("/bin/true")),
        ca_files: Vec::new(),
        cert: Some(certificate.to_pem()),
        csr: Some(csr.to_pem()),
        submitted: 1_800_000_000,
    }
}

#[test]
fn a_change_of_the_options_leads_to_what_it_needs_and_no_more() {
    let host = Host::new();
    for (change, issuer, action, kinds) in [
        (json!({}), json!({}), "keep", vec![]),
        (
            json!({"dns": ["b.example.org", "web.example.org"]}),
            json!({}),
            "keep",
            vec![],
        ),
        // What is not said is not compared, nor is the size that certmonger does not keep up to date.
        (
            json!({"key": {"algorithm": "rsa"}}),
            json!({}),
            "keep",
            vec![],
        ),
        (
            json!({"key": {"algorithm": "rsa", "size": 2048}}),
            json!({}),
            "keep",
            vec![],
        ),
        (
            json!({"key": {"size": 3072}}),
            json!({}),
            "issue",
            vec!["key"],
        ),
        (
            json!({"key": {"algorithm": "ecdsa"}}),
            json!({}),
            "issue",
            vec!["key"],
        ),
        (
            json!({"ip": ["192.0.2.1"]}),
            json!({}),
            "issue",
            vec!["names", "names"],
        ),
        (
            json!({"dns": ["web.example.org"]}),
            json!({}),
            "issue",
            vec!["names"],
        ),
        (
            json!({"common_name": "web.example.org"}),
            json!({}),
            "keep",
            vec![],
        ),
        (
            json!({"common_name": "other"}),
            json!({}),
            "issue",
            vec!["subject"],
        ),
        (
            json!({"key_usage": ["digital_signature"]}),
            json!({}),
            "issue",
            vec!["usages"],
        ),
        (
            json!({"extended_key_usage": ["server_auth"]}),
            json!({}),
            "issue",
            vec!["usages"],
        ),
        (
            json!({"principal": ["HTTP/a@B"]}),
            json!({}),
            "issue",
            vec!["names"],
        ),
        (
            json!({"renew": {"force": true}}),
            json!({}),
            "issue",
            vec!["forced"],
        ),
        (
            json!({"common_name": "other", "renew": {"on": ["expiry"]}}),
            json!({}),
            "keep",
            vec![],
        ),
        (json!({}), json!({"profile": "x"}), "issue", vec!["issuer"]),
        (json!({}), json!({"issuer": "x"}), "issue", vec!["issuer"]),
        (json!({}), json!({"post_save": "/bin/true"}), "keep", vec![]),
        (
            json!({}),
            json!({"post_save": ""}),
            "track",
            vec!["tracking"],
        ),
        (
            json!({}),
            json!({"pre_save": "/bin/true"}),
            "track",
            vec!["tracking"],
        ),
        (
            json!({}),
            json!({"auto_renew": false}),
            "track",
            vec!["tracking"],
        ),
        (
            json!({}),
            json!({"ca_file": "/ca.pem"}),
            "track",
            vec!["tracking"],
        ),
    ] {
        let said = host.says(&entry(&change, &issuer));
        assert_eq!(said, (action, kinds), "{change} {issuer}");
    }
}

#[test]
fn a_wish_that_renew_on_holds_back_is_a_warning() {
    let change = json!({"common_name": "other", "renew": {"on": ["expiry"]}});
    let decision = Host::new().decide(&entry(&change, &json!({})));
    assert!(
        decision
            .warnings
            .iter()
            .any(|warning| warning.contains("renew.on")),
        "{:?}",
        decision.warnings
    );
}

#[test]
fn each_state_has_its_action() {
    for (state, ca_error, has_files, action, kind) in [
        ("MONITORING", None, true, "keep", None),
        // The last renewal of certmonger's own failed; what is in service is as wished.
        ("MONITORING", Some("no"), true, "keep", None),
        ("CA_WORKING", None, true, "wait", None),
        ("CA_WORKING", None, false, "wait", Some("missing")),
        ("GENERATING_CSR", None, false, "wait", Some("missing")),
        ("NEED_CSR", None, true, "wait", None),
        ("NEED_CSR", None, false, "issue", Some("missing")),
        ("POST_SAVED_CERT", None, true, "wait", None),
        (
            "CA_UNREACHABLE",
            Some("down"),
            false,
            "issue",
            Some("refused"),
        ),
        (
            "CA_UNREACHABLE",
            Some("down"),
            true,
            "issue",
            Some("refused"),
        ),
        ("CA_REJECTED", Some("no"), false, "issue", Some("refused")),
        ("NEED_CERTSAVE_PERMS", None, false, "issue", Some("refused")),
        (
            "NEWLY_ADDED_NEED_KEYINFO_READ_PIN",
            None,
            true,
            "issue",
            Some("refused"),
        ),
    ] {
        let mut host = Host::new();
        let request = host.request.as_mut().unwrap();
        request.state = State::new(state);
        request.ca_error = ca_error.map(str::to_owned);
        if !has_files {
            host.seen = Observation {
                files: host
                    .seen
                    .files
                    .iter()
                    .map(|_| FileFacts {
                        presence: Presence::Absent,
                        drift: Vec::new(),
                        open_mode: None,
                    })
                    .collect(),
                is_pair: true,
                ..Observation::default()
            };
        }
        let (said, kinds) = host.says(&entry(&json!({}), &json!({})));
        assert_eq!(said, action, "{state}");
        assert!(
            kind.is_none_or(|kind| kinds.contains(&kind)),
            "{state}: {kinds:?}"
        );
    }
}

#[test]
fn names_that_were_refused_are_asked_for_again_although_certmonger_has_them() {
    let mut host = Host::new();
    let wished = entry(&json!({"dns": ["web.example.org"]}), &json!({}));
    let key = host.seen.key.as_ref().unwrap();
    let request = host.request.as_mut().unwrap();
    request.dns = vec![String::from("web.example.org")];
    request.csr = Some(
        CertificateRequest::create(&wished.template, key)
            .unwrap()
            .to_pem(),
    );
    assert_eq!(
        host.says(&wished),
        ("keep", vec![]),
        "a certificate may have more names"
    );
    host.request.as_mut().unwrap().ca_error = Some(String::from("no"));
    assert_eq!(host.says(&wished), ("issue", vec!["refused"]));
}

#[test]
fn certmonger_renews_by_itself_unless_something_else_is_said() {
    let mut host = Host::new();
    let last_day = Timestamp(NOW.0 + 86_400 * 364);
    let at = |host: &Host, change: Value, issuer: Value, now| {
        let decision = host.decide_at(&entry(&change, &issuer), now);
        decision.action.word()
    };
    assert_eq!(at(&host, json!({}), json!({}), last_day), "keep");
    assert_eq!(
        at(&host, json!({}), json!({"auto_renew": false}), last_day),
        "issue"
    );
    assert_eq!(
        at(
            &host,
            json!({"renew": {"before": "2d"}}),
            json!({}),
            last_day
        ),
        "issue"
    );
    let after_the_end = last_day + Lifetime(86_400 * 2);
    assert_eq!(at(&host, json!({}), json!({}), after_the_end), "issue");
    host.request = None;
    assert_eq!(at(&host, json!({}), json!({}), last_day), "track");
}

#[test]
fn a_pair_that_certmonger_does_not_know_is_tracked_or_replaced() {
    let mut host = Host::new();
    host.request = None;
    // Self-signed, as the authority would.
    assert_eq!(
        host.says(&entry(&json!({}), &json!({}))),
        ("track", vec!["tracking"])
    );
    let other = entry(&json!({}), &json!({"ca": "IPA"}));
    assert_eq!(host.says(&other), ("issue", vec!["issuer", "tracking"]));
}

#[test]
fn nothing_differs_from_the_request_that_was_just_asked_for() {
    let host = Host::new();
    let entry = entry(&json!({}), &json!({}));
    let IssuerSpec::Certmonger(spec) = &entry.issuer else {
        unreachable!()
    };
    let kept = Kept {
        issuer: issuers::Certmonger::default(),
        authority: certmonger::Authority {
            path: String::from("/cas/CA1"),
            nickname: String::from("SelfSign"),
            roots: Vec::new(),
            others: Vec::new(),
        },
        request: None,
        principal: Vec::new(),
        spec: spec.as_ref().clone(),
        is_ca_file_missing: false,
        place: Place::from_environment(None, None).unwrap(),
    };
    assert_eq!(
        differences(&entry, &kept, host.request.as_ref().unwrap()),
        []
    );
}
