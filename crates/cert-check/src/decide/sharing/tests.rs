// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use cert_report::{Certificate, Endpoint, Key, Moment};
use serde_json::json;

use super::*;
use crate::request::tests::request;

fn certificate(fingerprint: &str, key: &str) -> Certificate {
    Certificate {
        fingerprint_sha256: fingerprint.to_owned(),
        key: Key {
            sha256: key.to_owned(),
            ..Key::default()
        },
        ..Certificate::default()
    }
}

/// One endpoint called by its user, and one file called by its certificate.
fn marked(file: Certificate) -> (Report, Vec<SharedKey>) {
    let options = json!({
        "endpoints": [{"host": "keystone.test", "service": "keystone-admin"}],
        "files": [{"path": "/etc/a.pem", "service": "keystone"}],
    });
    let request = request(options).unwrap();
    let mut report = Report::new("a", Moment(0));
    report.endpoints.push(Endpoint {
        service: "keystone-admin".to_owned(),
        host: "keystone.test".to_owned(),
        port: 443,
        chain: vec![certificate("one", "key")],
        ..Endpoint::default()
    });
    report.files.push(FileEntry {
        service: "keystone".to_owned(),
        path: "/etc/a.pem".to_owned(),
        chain: vec![file],
        ..FileEntry::default()
    });
    let shared = mark(&request, &mut report);
    (report, shared)
}

#[test]
fn a_file_that_is_served_is_no_further_service() {
    let (report, shared) = marked(certificate("one", "key"));
    assert_eq!(shared, []);
    assert_eq!(report.endpoints[0].findings, []);
    assert_eq!(report.files[0].findings, []);
}

#[test]
fn a_file_with_another_certificate_of_the_same_key_is_one() {
    let (report, shared) = marked(certificate("two", "key"));
    assert_eq!(shared.len(), 1);
    let kinds =
        [&report.endpoints[0].findings, &report.files[0].findings].map(|all| all[0].kind.as_str());
    assert_eq!(kinds, ["shared_key", "shared_key"]);
}
