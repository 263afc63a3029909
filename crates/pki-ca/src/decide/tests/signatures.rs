// SPDX-License-Identifier: Apache-2.0
//! Why a request is signed, or the files around its certificate are written.

use pki::crl::Revocation;
use pki::{CertificateRequest, RequestTemplate, Subject};

use super::*;
use crate::names::EntryName;
use crate::observe::ObservedEntry;
use crate::plan::SignAct;

/// The key of `web` and a site that keeps its certificate.
struct Kept {
    site: Site,
    key: PrivateKey,
}

/// A change of what is seen.
type KeptChange = fn(&mut Kept);

fn web() -> EntryName {
    EntryName::new("web").unwrap()
}

fn request_of(key: &PrivateKey, common_name: &str, dns: &str) -> String {
    let mut template = RequestTemplate {
        subject: Subject::from_pairs([("CN", common_name)]).unwrap(),
        ..RequestTemplate::default()
    };
    template.names.dns = vec![dns.parse().unwrap()];
    CertificateRequest::create(&template, key).unwrap().to_pem()
}

impl Kept {
    /// What `change` of the wish for `web` asks for, signed and kept.
    fn new(change: Value) -> Self {
        Self::signed_at(NOW, change)
    }

    /// The same, signed when the clock said `at`.
    fn signed_at(at: Timestamp, change: Value) -> Self {
        let (site, key) = (Site::new(), new_key());
        let mut kept = Self { site, key };
        let plan = kept.site.decide(&kept.wish(change), at);
        let Ok([signature]) = <[_; 1]>::try_from(plan.signatures) else {
            panic!("one is wished")
        };
        let signature = signature.unwrap();
        let SignAct::Issue(template) = signature.act else {
            panic!("{signature:?}")
        };
        let signer = kept.site.signer(&signature.authority);
        let certificate = signer
            .sign(&template, &kept.key.public_key().unwrap())
            .unwrap();
        let mut ca_bundle = vec![signer.certificate().clone()];
        ca_bundle.extend_from_slice(signer.chain());
        let chain = sign::chain(&certificate, &ca_bundle);
        let entry = ObservedEntry {
            certificate,
            chain,
            ca_bundle,
        };
        kept.site.tree.entries.insert(web(), Ok(entry));
        kept
    }

    fn wish(&self, change: Value) -> Request {
        let csr = request_of(&self.key, "web.example.org", "web.example.org");
        task(json!({"sign": [merged(json!({"name": "web", "csr": csr}), change)]}))
    }

    fn entry(&mut self) -> &mut ObservedEntry {
        self.site
            .tree
            .entries
            .get_mut(&web())
            .unwrap()
            .as_mut()
            .unwrap()
    }

    fn reasons(&self, request: &Request, now: Timestamp) -> Vec<&'static str> {
        let plan = self.site.decide(request, now);
        let signature = plan.signatures[0].as_ref().unwrap();
        assert_eq!(
            signature.changes(),
            !signature.reasons.is_empty(),
            "{signature:?}"
        );
        kinds(&signature.reasons)
    }
}

#[test]
fn each_change_of_the_wish_is_a_reason() {
    let kept = Kept::new(json!({}));
    let other = new_key();
    let asks = |key: &PrivateKey, common_name: &str, dns: &str| json!({"csr": request_of(key, common_name, dns)});
    let rows: Vec<(&str, Value, &[&str])> = vec![
        ("the same again", json!({}), &[]),
        ("under another name", json!({"name": "api"}), &["missing"]),
        ("without a name", json!({"name": null}), &["missing"]),
        (
            "another subject",
            asks(&kept.key, "api.example.org", "web.example.org"),
            &["subject"],
        ),
        (
            "another alternative name",
            asks(&kept.key, "web.example.org", "api.example.org"),
            &["names"],
        ),
        (
            "another key",
            asks(&other, "web.example.org", "web.example.org"),
            &["key"],
        ),
        (
            "another usage",
            json!({"key_usage": ["digitalSignature", "keyAgreement"]}),
            &["key_usage"],
        ),
        (
            "another purpose",
            json!({"profile": "client"}),
            &["extended_key_usage"],
        ),
        ("another signer", json!({"authority": "Root"}), &["issuer"]),
        (
            "an authority in place of a server",
            json!({"authority": "Root", "profile": "ca"}),
            &[
                "key_usage",
                "extended_key_usage",
                "basic_constraints",
                "issuer",
            ],
        ),
        (
            "all at once",
            asks(&other, "api.example.org", "api.example.org"),
            &["subject", "names", "key"],
        ),
    ];
    for (name, change, expected) in rows {
        assert_eq!(kept.reasons(&kept.wish(change), NOW), expected, "{name}");
    }
}

#[test]
fn time_decides_in_two_stretches() {
    let kept = Kept::new(json!({}));
    let wish = kept.wish(json!({}));
    for (days, expected) in [
        (0, vec![]),
        (367, vec![]),
        (369, vec!["expiry"]),
        (399, vec!["expiry"]),
    ] {
        assert_eq!(
            kept.reasons(&wish, later(days)),
            expected,
            "after {days} days"
        );
    }
}

#[test]
fn what_a_fast_clock_has_signed_is_signed_again_only_if_it_is_of_no_use_yet() {
    let minutes = |count: u64| NOW + Lifetime(count * 60);
    for (ahead, expected) in [(60, vec![]), (64, vec![]), (66, vec!["not_yet_valid"])] {
        let kept = Kept::signed_at(minutes(ahead), json!({}));
        let wish = kept.wish(json!({}));
        assert_eq!(kept.reasons(&wish, NOW), expected, "{ahead} minutes ahead");
        let again = Kept::new(json!({}));
        assert_eq!(again.reasons(&again.wish(json!({})), NOW), [""; 0]);
    }
}

#[test]
fn a_certificate_begins_before_it_is_made_but_not_before_its_signer() {
    let begin = |kept: &mut Kept| kept.entry().certificate.facts().not_before;
    let mut late = Kept::signed_at(later(30), json!({}));
    assert_eq!(begin(&mut late), later(30) - pki::CLOCK_TOLERANCE);
    let mut soon = Kept::signed_at(NOW, json!({}));
    let signer = soon.site.certificate("Int").facts().not_before;
    assert_eq!(signer, NOW - pki::CLOCK_TOLERANCE);
    assert_eq!(begin(&mut soon), signer);
    let mut short = Kept::signed_at(later(30), json!({"ttl": "1h"}));
    assert_eq!(begin(&mut short), later(30) - Lifetime(15 * 60));
}

#[test]
fn each_change_of_what_is_seen_is_a_reason() {
    let rows: [(&str, KeptChange, &[&str]); 3] = [
        (
            "its chain is lost",
            |kept| kept.entry().chain.clear(),
            &["chain"],
        ),
        (
            "its bundle is lost",
            |kept| kept.entry().ca_bundle.clear(),
            &["ca_bundle"],
        ),
        (
            "it is revoked",
            |kept| {
                let revocation = Revocation {
                    serial: kept.entry().certificate.facts().serial.clone(),
                    at: NOW,
                    reason: None,
                };
                kept.site.authority("Int").index.revoked.push(revocation);
            },
            &["revoked"],
        ),
    ];
    for (name, change, expected) in rows {
        let mut kept = Kept::new(json!({}));
        change(&mut kept);
        assert_eq!(kept.reasons(&kept.wish(json!({})), NOW), expected, "{name}");
    }
}

#[test]
fn what_the_same_task_does_to_its_authority_is_a_reason() {
    let mut kept = Kept::new(json!({}));
    let sign = json!([{"name": "web", "csr": request_of(&kept.key, "web.example.org", "web.example.org")}]);
    let serial = kept.entry().certificate.facts().serial.to_string();
    let rows = [
        ("nothing", json!({}), vec![]),
        (
            "a new certificate",
            json!({"regenerate": "Int"}),
            vec!["chain"],
        ),
        (
            "a new key",
            json!({"regenerate_key": "Int"}),
            vec!["issuer"],
        ),
        (
            "its revocation",
            json!({"revoke": [{"authority": "Int", "serial": serial}]}),
            vec!["revoked"],
        ),
    ];
    for (name, change, expected) in rows {
        let request = task(merged(json!({"authorities": both(), "sign": sign}), change));
        assert_eq!(kept.reasons(&request, NOW), expected, "{name}");
    }
}
