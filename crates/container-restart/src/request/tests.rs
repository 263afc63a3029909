// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::params::OPTIONS;

/// The options as the walk of the protocol hands them over: with the defaults of the table.
fn params(given: Value) -> Params {
    let mut all = json!({
        "replaces": [], "containers": [], "engine": "auto", "engine_timeout": 30, "action": "auto", "signal": "HUP",
        "manager": "auto", "lock": "none", "lock_name": "x", "lock_ttl": 600, "lock_timeout": 900, "sync": true, "escalate": true, "only_if": "stale", "verify": "auto", "verify_timeout": 30,
        "verify_consecutive": 3, "wait_healthy": true, "stable_for": 5, "serial": 1, "max_failures": 0,
        "restart_dependents": true, "missing": "fail", "not_running": "skip", "unproven": "warn",
        "state_dir": "/run/tls-everywhere", "certificate": "/etc/pki/a.pem",
    });
    all.as_object_mut()
        .unwrap()
        .extend(given.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn faults(given: Value) -> Vec<String> {
    let refused = Request::try_from_params(params(given)).err();
    let faults = refused
        .map(|refused| refused.faults().to_vec())
        .unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn the_table_of_options_is_sound() {
    assert_eq!(ansible_module::table_defects(OPTIONS), Vec::<String>::new());
}

#[test]
fn what_cert_request_hands_over_is_taken() {
    let restart = json!({"name": "haproxy", "certificate": "/etc/pki/a.pem", "private_key": null,
        "replaces": ["AB".repeat(32)], "containers": ["haproxy", "haproxy"]});
    let request = Request::try_from_params(params(restart)).unwrap();
    let wish = ContainerWish {
        name: String::from("haproxy"),
        action: None,
    };
    assert_eq!(request.selection, Selection::Named(vec![wish]));
    assert_eq!(request.replaces, [Fingerprint(vec!["AB"; 32].join(":"))]);
    assert_eq!(
        Request::try_from_params(params(json!({})))
            .unwrap()
            .selection,
        Selection::Found
    );
}

#[test]
fn a_container_may_have_an_action_of_its_own() {
    let given = json!({"containers": [{"name": "rabbitmq", "command": ["rabbitmqctl", "eval", "x"]}, {"name": "web", "signal": "USR1"}]});
    let Selection::Named(wishes) = Request::try_from_params(params(given)).unwrap().selection
    else {
        unreachable!("two are named")
    };
    assert!(
        matches!(&wishes[0].action, Some(ActionWish::Execute { command, user: None }) if command.len() == 3)
    );
    assert_eq!(wishes[1].action, Some(ActionWish::Signal(Signal::Usr1)));
}

#[test]
fn every_fault_is_named_with_its_path() {
    let given = json!({
        "certificate": "a.pem", "replaces": ["xyz"], "containers": ["a*", {"name": "b", "comand": ["x"]}, 3],
        "labels": {"a": "b"}, "action": "exec", "serial": 0, "verify": [{"host": "www.example.com"}], "stop_timeout": -1,
    });
    assert_eq!(
        faults(given),
        [
            "certificate: 'a.pem' is not an absolute path",
            "command: is required for the action 'exec'",
            "replaces[0]: 'xyz' is not a SHA-256 fingerprint of 64 hexadecimal digits",
            "labels: give names in 'containers' or 'labels', not both",
            "containers[0]: 'a*' is no name of a container; names are exact, not patterns",
            "containers[1].comand: unknown option; known are: name, action, signal, command, command_user",
            "containers[2]: expected a name or a dictionary",
            "verify[0].host: give an address of this host; a name goes into 'sni'",
            "verify[0].port: is required, 1 to 65535",
            "stop_timeout: give 0 to 86400 seconds",
            "serial: give 1 to 1000",
        ]
    );
}

#[test]
fn a_lock_is_taken_only_where_one_is_wanted() {
    let lock = |given| Request::try_from_params(params(given)).unwrap().lock;
    assert!(lock(json!({})).is_none());
    let terms = lock(json!({"lock": "pacemaker", "lock_timeout": 0})).unwrap();
    assert_eq!((terms.ttl.as_secs(), terms.wait.as_secs()), (600, 0));
    assert_eq!(
        faults(json!({"lock_name": "a'b", "lock_ttl": 0})),
        [
            "lock_name: 'a\\'b': give letters, digits and _.- only",
            "lock_ttl: give 10 to 86400 seconds"
        ]
    );
}

#[test]
fn a_template_that_was_not_rendered_is_no_path() {
    let said = faults(json!({"certificate": "{{ x }}"}));
    assert!(said[0].contains("was not rendered"), "{said:?}");
}

#[test]
fn endpoints_are_read() {
    let given = json!({"verify": [{"port": "5671", "sni": "rabbit.example"}, {"host": "::1", "port": 3306, "starttls": "mysql"}]});
    let request = Request::try_from_params(params(given)).unwrap();
    let Verify::Endpoints(endpoints) = request.verify else {
        unreachable!("two are given")
    };
    assert_eq!(endpoints[0].address.to_string(), "127.0.0.1:5671");
    assert_eq!(endpoints[1].starttls, Some(StartTls::Mysql));
    use tls_probe::StartTls;
}
