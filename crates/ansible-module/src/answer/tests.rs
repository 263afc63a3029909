// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::json;
use zeroize::Zeroizing;

use super::*;
use crate::outcome::Deprecation;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn context(diff: bool, no_log: bool) -> Context {
    Context {
        control: Control {
            diff,
            no_log,
            ..Control::default()
        },
        module_args: map(json!({"name": "Ada", "password": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"})),
        option_names: vec!["name", "password"],
        scrubber: Scrubber::new([Zeroizing::new("hunter2".to_owned())]),
    }
}

fn outcome() -> Outcome {
    Outcome {
        changed: true,
        msg: Some("wrote 'x'".to_owned()),
        facts: map(json!({"serial": "0A", "none": null, "in": {"none": null, "list": [null, 1]}})),
        diff: vec![Diff {
            before_header: "/x".to_owned(),
            after_header: "/x".to_owned(),
            before: Value::Null,
            after: json!({"b": 1, "a": "hunter2"}),
        }],
        warnings: vec!["soon".to_owned()],
        deprecations: vec![Deprecation {
            msg: "old".to_owned(),
            version: Some("2.0.0".to_owned()),
            ..Deprecation::default()
        }],
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot log in with 'hunter2'")]
struct Refused {
    #[source]
    cause: std::io::Error,
}

impl Failure for Refused {
    fn kind(&self) -> &str {
        "login.refused"
    }
    fn hint(&self) -> Option<String> {
        Some("is hunter2 right?".to_owned())
    }
    fn facts(&self) -> Map<String, Value> {
        map(json!({"attempts": 3, "changed": "no", "failed": false, "nothing": null}))
    }
    fn changed(&self) -> bool {
        true
    }
    fn warnings(&self) -> Vec<String> {
        vec!["hunter2 is short".to_owned()]
    }
}

#[test]
fn success_is_pinned() {
    let answer = context(true, false).success(outcome());
    assert!(!answer.failed);
    assert_eq!(
        answer.line,
        r#"{"changed":true,"msg":"wrote 'x'","serial":"0A","in":{"list":[null,1]},"diff":[{"before_header":"/x","after_header":"/x","before":"","after":"a: ********\nb: 1\n"}],"warnings":["soon"],"deprecations":[{"msg":"old","version":"2.0.0"}],"invocation":{"module_args":{"name":"Ada","password":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}}}"#
    );
}

#[test]
fn nothing_to_say_is_not_said() {
    let answer = Context::default().success(Outcome::default());
    assert_eq!(
        answer.line,
        r#"{"changed":false,"invocation":{"module_args":{}}}"#
    );
}

#[test]
fn a_diff_is_answered_only_where_it_was_asked_for() {
    assert!(
        !context(false, false)
            .success(outcome())
            .line
            .contains("\"diff\"")
    );
}

#[test]
fn no_log_hides_invocation_and_diff() {
    let line = context(true, true).success(outcome()).line;
    assert!(
        !line.contains("invocation") && !line.contains("\"diff\""),
        "{line}"
    );
}

#[test]
fn failure_is_pinned() {
    let cause = std::io::Error::other("the server said hunter2 is wrong");
    let answer = context(true, false).failure(&Refused { cause }, false);
    assert!(answer.failed);
    assert_eq!(
        answer.line,
        r#"{"failed":true,"changed":true,"msg":"cannot log in with '********': the server said ******** is wrong","error":{"kind":"login.refused","caused_by":["the server said ******** is wrong"],"hint":"is ******** right?"},"attempts":3,"warnings":["******** is short"],"invocation":{"module_args":{"name":"Ada","password":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}}}"#
    );
}

#[test]
fn words_of_the_protocol_and_options_stay_though_they_are_secrets() {
    let mut context = context(true, false);
    let weak = ["changed", "msg", "name", "module_args"].map(|s| Zeroizing::new(s.to_owned()));
    context.scrubber = Scrubber::new(weak);
    let outcome = Outcome {
        msg: Some("the msg".to_owned()),
        ..Outcome::default()
    };
    assert_eq!(
        context.success(outcome).line,
        r#"{"changed":false,"msg":"the ********","invocation":{"module_args":{"name":"Ada","password":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}}}"#
    );
}
