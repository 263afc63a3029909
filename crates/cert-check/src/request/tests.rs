// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::SystemTime;

use ansible_module::understood;
use serde_json::{Value, json};

use super::*;
use crate::CertCheck;

pub(crate) fn request(options: Value) -> Result<Request, InputFaults> {
    let Value::Object(map) = options else {
        panic!("options are an object");
    };
    let invocation = understood::<CertCheck>(map, SystemTime::UNIX_EPOCH)?;
    Request::try_from_params(invocation.params)
}

fn faults(options: Value) -> Vec<String> {
    let faults = request(options).unwrap_err();
    faults.faults().iter().map(ToString::to_string).collect()
}

#[test]
fn a_domain_is_host_and_port_in_each_of_its_forms() {
    let list = [
        "a.example",
        "b.example:8443",
        "c.example 5671",
        "::1",
        "[::1]:25",
        "10.0.0.1 389",
    ];
    let request = request(json!({"domains": list})).unwrap();
    let places: Vec<String> = request.endpoints.iter().map(Endpoint::place).collect();
    assert_eq!(
        places,
        [
            "a.example:443",
            "b.example:8443",
            "c.example:5671",
            "[::1]:443",
            "[::1]:25",
            "10.0.0.1:389"
        ]
    );
    let protocols: Vec<_> = request
        .endpoints
        .iter()
        .map(|each| each.starttls.map(|it| it.name()))
        .collect();
    assert_eq!(
        protocols,
        [None, None, None, None, Some("smtp"), Some("ldap")]
    );
}

#[test]
fn the_certificate_must_be_good_for_what_is_asked_for() {
    let request = request(json!({"endpoints": [
        {"host": "10.0.0.1"},
        {"host": "10.0.0.1", "sni": "api.example"},
        {"host": "node-1", "sni": ""},
        {"host": "node-1", "names": []},
        {"host": "node-1", "names": ["a.example", "10.1.1.1"], "service": "api"},
    ]}))
    .unwrap();
    let shown = |each: &Endpoint| {
        let names: Vec<String> = each.names.iter().map(ToString::to_string).collect();
        let sni = each.server_name.as_ref().map_or("-", |name| name.as_str());
        format!("{} {sni} {}", each.service, names.join(","))
    };
    let shown: Vec<String> = request.endpoints.iter().map(shown).collect();
    assert_eq!(
        shown,
        [
            "10.0.0.1 - 10.0.0.1",
            "api.example api.example api.example",
            "node-1 - node-1",
            "node-1 node-1 ",
            "api node-1 a.example,10.1.1.1"
        ]
    );
}

#[test]
fn all_faults_are_told_together() {
    let told = faults(json!({
        "endpoints": [{"host": "a b"}, {"host": "a", "port": 0, "warn": "soon"}, {"host": "*.a.example"}],
        "domains": ["x y", "{{ list }}"],
        "files": [{"path": "relative"}],
        "trust": {"system": false},
        "revocation": {"crl": ["http://"]},
        "timeout": 0,
        "parallel": 5000,
        "report": {"json": "/a", "html": "/a"},
    }));
    let paths: Vec<&str> = told
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "endpoints[0].host",
            "endpoints[1].port",
            "endpoints[1].warn",
            "endpoints[2].host",
            "domains[0]",
            "domains[1]",
            "files[0].path",
            "trust",
            "revocation.crl[0]",
            "timeout",
            "parallel",
            "report"
        ]
    );
}
