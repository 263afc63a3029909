// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::params::OPTIONS;

/// As the walk would leave the input: defaults filled in.
fn request(mut input: Value) -> Result<Request, InputFaults> {
    let defaults = json!({"sets": [], "directories": [], "make_directories": false, "directory_mode": "0755", "read": [],
                          "read_matching": [], "exist": [], "lock_timeout": "60s"});
    for (key, value) in defaults.as_object().unwrap() {
        let given = input.as_object_mut().unwrap();
        given.entry(key.clone()).or_insert_with(|| value.clone());
    }
    for set in input["sets"].as_array_mut().unwrap() {
        for file in set["files"].as_array_mut().unwrap() {
            let file = file.as_object_mut().unwrap();
            file.entry("state").or_insert_with(|| json!("present"));
            file.entry("backup").or_insert_with(|| json!(false));
        }
    }
    Request::try_from_params(&serde_json::from_value(input).unwrap())
}

fn paths_of_faults(input: Value) -> Vec<String> {
    let faults = request(input).unwrap_err();
    faults
        .faults()
        .iter()
        .map(|fault| fault.path.clone())
        .collect()
}

#[test]
fn the_table_is_sound() {
    assert_eq!(ansible_module::table_defects(OPTIONS), Vec::<String>::new());
}

#[test]
fn every_fault_is_told_with_its_path() {
    let file = |path: &str| json!({"path": path, "content": "x"});
    let found = paths_of_faults(json!({
        "sets": [
            {"name": "a", "files": [file("/x"), file("y"), file("/z/../x")]},
            {"name": "a", "files": [file("/x"), {"path": "/b"}, {"path": "/c", "content": "x", "content_base64": "eA=="},
                                    {"path": "/d", "content_base64": "?"}, {"path": "/e", "content": "x", "mode": "999"}]},
            {"name": "", "files": []},
        ],
        "directories": ["d"], "read": ["r"], "read_matching": ["m", "/a[b"], "exist": ["e"], "directory_mode": "x",
        "parallel": 0, "lock_timeout": "60",
    }));
    let expected = [
        "sets[0].files[1].path",
        "sets[0].files[2].path",
        "sets[1].files[1]",
        "sets[1].files[2]",
        "sets[1].files[3].content_base64",
        "sets[1].files[4].mode",
        "sets[2].files",
        "sets[1].name",
        "sets[2].name",
        "sets[1].files[0].path",
        "directories[0]",
        "directory_mode",
        "read[0]",
        "read_matching[0]",
        "read_matching[1]",
        "exist[0]",
        "parallel",
        "lock_timeout",
    ];
    assert_eq!(found, expected);
}

#[test]
fn content_comes_as_text_or_base64_and_its_keys_are_noticed() {
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let set = json!({"name": "a", "files": [
        {"path": "/text", "content": key}, {"path": "/base64", "content_base64": "eHl6\nCg=="},
        {"path": "/told", "content": key, "holds_private_key": false},
    ]});
    let request = request(json!({"sets": [set]})).unwrap();
    let files = &request.sets[0].files;
    let content = |index: usize| match &files[index].wish {
        Wish::Present(content) => content.to_vec(),
        Wish::Absent | Wish::Retired => Vec::new(),
    };
    assert_eq!(content(0), key.as_bytes());
    assert_eq!(content(1), b"xyz\n");
    let secret: Vec<_> = files.iter().map(|file| file.target.secret).collect();
    assert_eq!(secret, [true, false, false]);
    assert_eq!(
        format!("{:?}", files[0].wish),
        format!("Present({} bytes)", key.len())
    );
}

#[test]
fn durations_have_a_unit() {
    let of = |text: &str| {
        request(json!({"lock_timeout": text})).map(|request| request.lock_timeout.as_secs())
    };
    assert_eq!(of("90s").unwrap(), 90);
    assert_eq!(of("2m").unwrap(), 120);
    assert_eq!(of("1h").unwrap(), 3600);
    for wrong in [
        "",
        "s",
        "5",
        "5d",
        "-1s",
        "5 s",
        "99999999999999999999s",
        "9999999999999999999h",
        "5µ",
    ] {
        assert!(of(wrong).is_err(), "{wrong}");
    }
}
