// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashMap;
use std::time::UNIX_EPOCH;

use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::*;
use crate::{Element, Kind, Outcome, Secret, flatten, table_defects};

static DOOR: [OptionSpec; 3] = [
    OptionSpec::new("name", Kind::Str).required(),
    OptionSpec::new("code", Kind::Str).secret(),
    OptionSpec::new("labels", Kind::Dict).free(),
];

static OPTIONS: [OptionSpec; 5] = [
    OptionSpec::new("doors", Kind::List(Element::Dict))
        .options(&DOOR)
        .default("[]"),
    OptionSpec::new("token", Kind::Raw).secret(),
    OptionSpec::new("count", Kind::Int).aliases(&["number"]),
    OptionSpec::new("force", Kind::Bool).default("false"),
    OptionSpec::new("paths", Kind::List(Element::Path)),
];

#[derive(serde::Deserialize)]
struct Door {
    name: String,
    code: Option<Secret<String>>,
    #[serde(default)]
    labels: HashMap<String, Value>,
}

#[derive(serde::Deserialize)]
struct Params {
    doors: Vec<Door>,
    token: Option<Value>,
    count: Option<i64>,
    force: bool,
}

/// Says everything that it was told, secrets too.
struct Gossip;

impl Module for Gossip {
    const NAME: &'static str = "gossip";
    type Params = Params;
    type Failure = InputFaults;

    fn options() -> &'static [OptionSpec] {
        &OPTIONS
    }

    fn run(invocation: Invocation<Params>) -> Result<Outcome, InputFaults> {
        let Params {
            doors,
            token,
            count,
            force,
        } = invocation.params;
        let mut said = format!("{token:?} {count:?} {} ", token.clone().unwrap_or_default());
        let mut facts = Map::new();
        for door in &doors {
            let code = door.code.as_ref().map_or("", |code| code.expose());
            said.push_str(&format!("{} {code} {:?};", door.name, door.labels));
            facts.insert(format!("door {code}"), code.into());
        }
        if force {
            Err(InputFaults::one("force", said))
        } else {
            Ok(Outcome {
                msg: Some(said),
                facts,
                ..Outcome::default()
            })
        }
    }
}

fn answer(input: Value) -> Value {
    let Value::Object(input) = input else {
        panic!("an object")
    };
    let line = respond::<Gossip>(input, UNIX_EPOCH, None).line;
    assert!(!line.contains('\n'));
    serde_json::from_str(&line).unwrap()
}

#[test]
fn the_table_of_these_tests_is_sound() {
    assert_eq!(table_defects(&OPTIONS), [""; 0]);
}

#[test]
fn what_the_type_refuses_after_the_table_is_a_fault_without_secrets() {
    static LOOSE: [OptionSpec; 1] = [OptionSpec::new("pin", Kind::Raw).secret()];
    #[derive(serde::Deserialize)]
    struct Strict {
        #[expect(dead_code, reason = "only its type matters")]
        pin: u8,
    }
    struct Loose;
    impl Module for Loose {
        const NAME: &'static str = "loose";
        type Params = Strict;
        type Failure = InputFaults;
        fn options() -> &'static [OptionSpec] {
            &LOOSE
        }
        fn run(_: Invocation<Strict>) -> Result<Outcome, InputFaults> {
            Ok(Outcome::default())
        }
    }
    let input = Map::from_iter([("pin".to_owned(), json!("hunter2"))]);
    let line = respond::<Loose>(input, UNIX_EPOCH, None).line;
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(answer["error"]["kind"], "input.invalid");
    assert_eq!(
        answer["msg"],
        "the options do not fit together: invalid type: string \"********\", expected u8"
    );
}

#[test]
fn a_garbled_check_mode_is_a_fault_and_never_a_real_run() {
    let answer = answer(json!({"_ansible_check_mode": "perhaps", "count": "x"}));
    assert_eq!(
        answer["faults"],
        json!([
            {"path": "_ansible_check_mode", "message": "expected a boolean"},
            {"path": "count", "message": "expected a whole number, got 'x'"},
        ])
    );
}

#[test]
fn a_garbled_no_log_hides_rather_than_shows() {
    let answer = answer(json!({"_ansible_no_log": "perhaps", "count": 1}));
    assert_eq!(answer["failed"], true);
    assert!(answer.get("invocation").is_none(), "{answer}");
}

#[test]
fn unknown_keys_of_ansible_are_accepted() {
    let answer = answer(json!({"_ansible_from_the_future": {"a": 1}, "_ansible_socket": null}));
    assert_eq!(answer["changed"], false);
    assert!(answer.get("failed").is_none());
}

#[test]
fn control_is_read() {
    let Value::Object(input) = json!({
        "_ansible_check_mode": true, "_ansible_diff": "yes", "_ansible_verbosity": 3, "_ansible_no_log": false,
        "_ansible_tmpdir": "/tmp/x", "_ansible_selinux_special_fs": ["nfs"], "_ansible_debug": false,
        "_ansible_module_name": "tls.everywhere.gossip", "_ansible_version": "2.19.2", "count": 1,
    }) else {
        panic!("an object")
    };
    let mut faults = Faults::new();
    let (control, options) = Control::split(input, &mut faults);
    assert!(faults.is_empty());
    assert_eq!(Value::Object(options), json!({"count": 1}));
    let wanted = Control {
        check_mode: true,
        diff: true,
        verbosity: 3,
        no_log: false,
        tmpdir: Some("/tmp/x".into()),
        selinux_special_fs: vec!["nfs".to_owned()],
        module_name: Some("tls.everywhere.gossip".to_owned()),
        version: Some("2.19.2".to_owned()),
        others: Map::from_iter([("debug".to_owned(), false.into())]),
    };
    assert_eq!(control, wanted);
}

#[test]
fn the_spec_is_pinned() {
    assert_eq!(
        spec::<Gossip>().to_string(),
        format!(
            concat!(
                r#"{{"module":"gossip","version":"{}","options":{{"#,
                r#""doors":{{"type":"list","elements":"dict","required":false,"default":[],"no_log":false,"#,
                r#""options":{{"name":{{"type":"str","required":true,"no_log":false}},"#,
                r#""code":{{"type":"str","required":false,"no_log":true}},"#,
                r#""labels":{{"type":"dict","required":false,"no_log":false,"free":true}}}}}},"#,
                r#""token":{{"type":"raw","required":false,"no_log":true}},"#,
                r#""count":{{"type":"int","required":false,"aliases":["number"],"no_log":false}},"#,
                r#""force":{{"type":"bool","required":false,"default":false,"no_log":false}},"#,
                r#""paths":{{"type":"list","elements":"path","required":false,"no_log":false}}}}}}"#,
            ),
            VERSION
        )
    );
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("yes"),
            Just("[1, 2]"),
            Just("{\"name\": 1}"),
            Just("[{"),
            Just("a,b")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof![
            Just("doors"),
            Just("name"),
            Just("code"),
            Just("labels"),
            Just("token"),
            Just("count"),
            Just("number"),
            Just("force"),
            Just("paths"),
            Just("_ansible_check_mode"),
            Just("_ansible_diff"),
            Just("_ansible_no_log"),
            Just("ANSIBLE_MODULE_ARGS"),
            Just("other"),
            Just(""),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..8).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(k, v)| (k.to_owned(), v))
                        .collect(),
                )
            }),
        ]
    })
}

/// Every string in the answer but the kept keys.
fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            if key.starts_with("door ") {
                found.push(key);
            }
            strings(value, found);
        }),
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_json_is_answered_by_one_line_of_json(input in json_value()) {
        if let Ok(input) = input::parse(input.to_string().as_bytes(), Source::Stdin) {
            let answer = respond::<Gossip>(input, UNIX_EPOCH, Some(Path::new("/root")));
            prop_assert!(!answer.line.contains('\n'));
            let value: Value = serde_json::from_str(&answer.line).unwrap();
            prop_assert!(value["changed"].is_boolean());
            prop_assert_eq!(value["failed"] == true, answer.failed);
            prop_assert_eq!(value["error"]["kind"].is_string(), answer.failed);
        }
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = input::parse(&bytes, Source::Stdin) {
            prop_assert_eq!(error.kind(), "input.not_json");
            prop_assert!(flatten(&error).starts_with("the arguments in standard input are"));
        }
    }

    #[test]
    fn no_answer_says_a_secret(code in "[a-z\"\\\\\né]{6,20}", token in "[A-Z0-9]{8,20}", force in any::<bool>()) {
        let token = format!("{token}#");
        let answer = answer(json!({
            "doors": [{"name": format!("n{code}n"), "code": code, "labels": {"l": code}}],
            "token": {"deep": [token]}, "force": force, "paths": ["/a", code],
        }));
        let mut found = Vec::new();
        strings(&answer, &mut found);
        for text in found {
            // An option that is not secret but holds the same text is scrubbed as well.
            prop_assert!(!text.contains(&code) && !text.contains(&token), "{text:?}");
        }
    }
}
