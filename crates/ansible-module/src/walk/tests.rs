// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::json;

use super::*;
use crate::options::{Element, table_defects};

static KEY: [OptionSpec; 3] = [
    OptionSpec::new("size", Kind::Int).default("2048"),
    OptionSpec::new("passphrase", Kind::Str).secret(),
    OptionSpec::new("format", Kind::Str)
        .choices(&["pkcs8", "traditional"])
        .default(r#""pkcs8""#),
];

static ENTRY: [OptionSpec; 6] = [
    OptionSpec::new("name", Kind::Str).required(),
    OptionSpec::new("dns", Kind::List(Element::Str)).aliases(&["subject_alt_name"]),
    OptionSpec::new("key", Kind::Dict).options(&KEY),
    OptionSpec::new("subject", Kind::Dict).free(),
    OptionSpec::new("mode", Kind::Raw),
    OptionSpec::new("path", Kind::Path),
];

static TABLE: [OptionSpec; 6] = [
    OptionSpec::new("certificates", Kind::List(Element::Dict))
        .required()
        .options(&ENTRY),
    OptionSpec::new("state", Kind::Str)
        .choices(&["present", "absent"])
        .default(r#""present""#),
    OptionSpec::new("force", Kind::Bool).default("false"),
    OptionSpec::new("answer", Kind::Str).choices(&["yes", "maybe"]),
    OptionSpec::new("share", Kind::Float),
    OptionSpec::new("tokens", Kind::List(Element::Str)).secret(),
];

fn walked(input: Value) -> Walked {
    let Value::Object(input) = input else {
        panic!("an object")
    };
    walk(input, &TABLE, Some(Path::new("/root")))
}

/// The faults as lines.
fn faults(input: Value) -> Vec<String> {
    walked(input)
        .faults
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn taken(input: Value) -> Value {
    let walked = walked(input);
    assert_eq!(
        walked
            .faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [""; 0]
    );
    Value::Object(walked.options)
}

#[test]
fn the_table_of_these_tests_is_sound() {
    assert_eq!(table_defects(&TABLE), [""; 0]);
}

#[test]
fn values_are_brought_to_their_types_and_defaults_filled_in() {
    let input = json!({"certificates": [{
        "name": 3, "dns": "a.example, b.example", "key": {"size": "4096"}, "mode": 416, "path": "~/x",
        "subject": {"organization": "O", "common_name": "C"},
    }], "force": "yes", "share": "0.5"});
    let wanted = json!({"certificates": [{
        "name": "3", "dns": ["a.example", "b.example"], "key": {"size": 4096, "format": "pkcs8"},
        "mode": 416, "path": "/root/x", "subject": {"organization": "O", "common_name": "C"},
    }], "force": true, "share": 0.5, "state": "present"});
    let taken = taken(input);
    assert_eq!(taken, wanted);
    let order: Vec<_> = taken["certificates"][0]["subject"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(
        order,
        ["organization", "common_name"],
        "a free dictionary keeps its order"
    );
}

#[test]
fn null_and_omit_are_the_same_as_not_given() {
    let omit = "__omit_place_holder__0123456789";
    let input = json!({"certificates": [{"name": "a", "dns": null, "path": omit}], "state": null, "force": omit});
    let wanted = json!({"certificates": [{"name": "a"}], "state": "present", "force": false});
    assert_eq!(taken(input), wanted);
    assert_eq!(
        faults(json!({"certificates": null})),
        ["certificates: is required"]
    );
}

#[test]
fn all_faults_come_at_once_with_their_paths() {
    let input = json!({
        "certificates": [
            {"name": "a"},
            {"nmae": "b", "dns": [{"x": 1}, "ok", null], "key": {"size": "big", "format": "der"}},
            "c",
            {"name": ["d"], "key": [], "path": 7, "subject": "O=x"},
        ],
        "sate": "present",
        "state": "gone",
        "force": "perhaps",
        "share": "much",
        "colour": "red",
    });
    assert_eq!(
        faults(input),
        [
            "certificates[1].nmae: unknown option, did you mean 'name'?",
            "certificates[1].dns[0]: expected a string, got a dictionary",
            "certificates[1].dns[2]: expected a string, got null",
            "certificates[1].key.size: expected a whole number, got 'big'",
            "certificates[1].key.format: 'der' is not one of: pkcs8, traditional",
            "certificates[1].name: is required",
            "certificates[2]: expected a dictionary, got a string",
            "certificates[3].name: expected a string, got a list",
            "certificates[3].key: expected a dictionary, got a list",
            "certificates[3].path: expected a path, got '7'",
            "certificates[3].subject: expected a dictionary, got a string",
            "sate: unknown option, did you mean 'state'?",
            "state: 'gone' is not one of: present, absent",
            "force: expected a boolean, got 'perhaps'",
            "share: expected a number, got 'much'",
            "colour: unknown option; known are: certificates, state, force, answer, share, tokens",
        ]
    );
}

#[test]
fn an_alias_counts_as_the_option() {
    let wanted =
        json!({"certificates": [{"name": "a", "dns": ["x"]}], "state": "present", "force": false});
    assert_eq!(
        taken(json!({"certificates": [{"name": "a", "subject_alt_name": "x"}]})),
        wanted
    );
    let both = json!({"certificates": [{"name": "a", "subject_alt_name": "x", "dns": ["x"]}]});
    assert_eq!(
        taken(both),
        wanted,
        "Ansible's validation adds the name to the alias"
    );
    let differing =
        json!({"certificates": [{"name": "a", "dns": ["x"], "subject_alt_name": ["y"]}]});
    assert_eq!(
        faults(differing),
        [
            "certificates[0].subject_alt_name: 'dns' is given under two of its names, with different values"
        ]
    );
    assert_eq!(
        faults(json!({"certificates": [{"name": "a", "subject_alt_nmae": []}]})),
        ["certificates[0].subject_alt_nmae: unknown option, \
          did you mean 'subject_alt_name'?"]
    );
}

#[test]
fn a_bare_yes_is_the_choice_that_it_was() {
    assert_eq!(
        taken(json!({"certificates": [], "answer": true}))["answer"],
        "yes"
    );
    assert_eq!(
        faults(json!({"certificates": [], "answer": false})),
        ["answer: 'False' is not one of: yes, maybe"]
    );
}

#[test]
fn structures_may_come_as_json_strings() {
    let input = json!({"certificates": r#"[{"name": "a", "key": "{\"size\": 3072}"}]"#});
    assert_eq!(taken(input)["certificates"][0]["key"]["size"], 3072);
}

#[test]
fn every_string_of_a_secret_is_remembered_even_if_it_is_faulty() {
    let input = json!({
        "certificates": [
            {"name": "a", "key": {"passphrase": "first"}},
            {"name": "b", "key": {"passphrase": ["second", {"x": "third"}]}},
            {"name": "c", "key": "fourth"},
            {"name": "d", "key": "{\"passphrase\": \"fifth\"}"},
            {"name": "e", "key": {"passphrase": 123456}},
        ],
        "tokens": "sixth,seventh",
    });
    let walked = walked(input);
    let secrets: Vec<_> = walked
        .secrets
        .iter()
        .map(|secret| secret.as_str())
        .collect();
    for wanted in [
        "first", "second", "third", "fourth", "fifth", "123456", "sixth", "seventh",
    ] {
        assert!(secrets.contains(&wanted), "{wanted} in {secrets:?}");
    }
    assert!(!secrets.contains(&"a"), "a name is no secret");
    for fault in walked.faults.iter() {
        assert!(
            !fault.message.contains("second") && !fault.message.contains("fourth"),
            "{fault}"
        );
    }
}

#[test]
fn the_echo_has_no_secrets_and_nothing_that_was_refused() {
    let walked = walked(json!({
        "certificates": [{"name": "a", "key": {"passphrase": "hunter2"}, "passphrase": "hunter3"}],
        "tokens": ["t1", "t2"], "state": "hunter4",
    }));
    assert_eq!(
        Value::Object(echo(&walked.options, &TABLE)),
        json!({
            "certificates": [{"name": "a", "key": {
                "passphrase": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "size": 2048, "format": "pkcs8",
            }}],
            "tokens": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "force": false,
        })
    );
}

#[test]
fn a_thousand_entries_are_walked_each() {
    let entry =
        |i: usize| json!({"name": format!("c{i}"), "dns": [format!("h{i}.example")], "key": {}});
    let mut entries: Vec<_> = (0..1000).map(entry).collect();
    entries[999]["dnss"] = json!([]);
    let walked = walked(json!({"certificates": entries}));
    assert_eq!(
        walked.options["certificates"].as_array().map(Vec::len),
        Some(1000)
    );
    assert_eq!(walked.faults.len(), 1);
    assert_eq!(
        walked
            .faults
            .iter()
            .next()
            .map(ToString::to_string)
            .unwrap(),
        "certificates[999].dnss: unknown option, did you mean 'dns'?"
    );
}

#[test]
fn defects_of_a_table_are_found() {
    static INNER: [OptionSpec; 1] = [OptionSpec::new("x", Kind::Int).default("many")];
    static BAD: [OptionSpec; 5] = [
        OptionSpec::new("a", Kind::Str).aliases(&["b"]),
        OptionSpec::new("b", Kind::Str).required().default(r#""x""#),
        OptionSpec::new("c", Kind::Str).options(&INNER),
        OptionSpec::new("d", Kind::Int).default(r#""3""#),
        OptionSpec::new("e", Kind::Str)
            .default(r#""z""#)
            .choices(&["x", "y"]),
    ];
    assert_eq!(
        table_defects(&BAD),
        [
            "b: the name 'b' is declared twice",
            "b: required and with a default",
            "c: only a dictionary has options of its own",
            "c.x: the default 'many' is not JSON",
            "d: the default '\"3\"' is not of the option's type",
            "e: the default '\"z\"' is not of the option's type",
        ]
    );
}

#[test]
fn of_a_dictionary_in_the_place_of_a_list_only_the_secrets_are_remembered() {
    let walked = walked(
        json!({"certificates": {"name": "web", "key": {"passphrase": "hunter2", "size": 1}}}),
    );
    let secrets: Vec<_> = walked.secrets.iter().map(|it| it.as_str()).collect();
    assert_eq!(secrets, ["hunter2"]);
}
