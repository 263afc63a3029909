// SPDX-License-Identifier: Apache-2.0
//! The example module as a process: every line that Ansible could get, literally.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests start programs and write files"
)]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// `cargo test` builds the examples beside the tests.
fn greet() -> Command {
    let test = std::env::current_exe().unwrap();
    let path: PathBuf = test
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("examples/greet");
    assert!(
        path.is_file(),
        "{} is missing: run `cargo test -p ansible-module`",
        path.display()
    );
    let mut command = Command::new(path);
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(input: &str) -> Output {
    let mut child = greet().arg("-").stdin(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// Status and stdout; stderr must be empty.
fn told(output: Output) -> (Option<i32>, String) {
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

fn answer(input: Value) -> (Option<i32>, String) {
    told(run(&input.to_string()))
}

fn line(text: &str) -> String {
    format!("{text}\n")
}

#[test]
fn success() {
    let (status, stdout) = answer(json!({"who": "Ada", "times": "2", "password": "hunter2"}));
    assert_eq!(status, Some(0));
    assert_eq!(
        stdout,
        line(
            r#"{"changed":true,"msg":"greeted 'Ada' 2 times","greeting":"Hello Ada","friends":[],"passwords":0,"invocation":{"module_args":{"name":"Ada","times":2,"password":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER","tone":"warm","friends":[]}}}"#
        )
    );
}

#[test]
fn check_mode_with_diff() {
    let input =
        json!({"name": "Ada", "tone": "cold", "_ansible_check_mode": true, "_ansible_diff": true});
    let (status, stdout) = answer(input);
    assert_eq!(status, Some(0));
    assert_eq!(
        stdout,
        line(
            r#"{"changed":true,"msg":"would greet 'Ada' 1 times","greeting":"Ada","friends":[],"passwords":0,"diff":[{"before_header":"greeting","after_header":"greeting","before":"","after":"text: Ada\ntimes: 1\n"}],"warnings":["that was cold"],"invocation":{"module_args":{"name":"Ada","tone":"cold","times":1,"friends":[]}}}"#
        )
    );
}

#[test]
fn no_log_and_deprecations() {
    let input =
        json!({"name": "Ada", "mishap": "old", "_ansible_no_log": true, "_ansible_diff": true});
    let (status, stdout) = answer(input);
    assert_eq!(status, Some(0));
    assert_eq!(
        stdout,
        line(
            r#"{"changed":true,"msg":"greeted 'Ada' 1 times","greeting":"Hello Ada","friends":[],"passwords":0,"deprecations":[{"msg":"shouting is deprecated","version":"2.0.0","collection_name":"tls.everywhere"}]}"#
        )
    );
}

#[test]
fn unknown_option() {
    let (status, stdout) = answer(json!({"name": "Ada", "tmies": 2}));
    assert_eq!(status, Some(1));
    assert_eq!(
        stdout,
        line(
            r#"{"failed":true,"changed":false,"msg":"tmies: unknown option, did you mean 'times'?","error":{"kind":"input.invalid","caused_by":[]},"faults":[{"path":"tmies","message":"unknown option, did you mean 'times'?"}],"invocation":{"module_args":{"name":"Ada","times":1,"tone":"warm","friends":[]}}}"#
        )
    );
}

#[test]
fn all_faults() {
    let input = json!({
        "times": "often", "tone": "hunter2", "password": ["hunter2"],
        "friends": [{"name": "Bo"}, {"password": "hunter3"}, "hunter4"],
    });
    let (status, stdout) = answer(input);
    assert_eq!(status, Some(1));
    assert_eq!(
        stdout,
        line(
            r#"{"failed":true,"changed":false,"msg":"6 faults in the options: times: expected a whole number, got 'often'; tone: '********' is not one of: warm, cold; password: expected a string, got a list; friends[1].name: is required; friends[2]: expected a dictionary, got a string; name: is required","error":{"kind":"input.invalid","caused_by":[]},"faults":[{"path":"times","message":"expected a whole number, got 'often'"},{"path":"tone","message":"'********' is not one of: warm, cold"},{"path":"password","message":"expected a string, got a list"},{"path":"friends[1].name","message":"is required"},{"path":"friends[2]","message":"expected a dictionary, got a string"},{"path":"name","message":"is required"}],"invocation":{"module_args":{"friends":[{"name":"Bo"},{"password":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}]}}}"#
        )
    );
}

#[test]
fn error_chain_with_a_secret() {
    let (status, stdout) = answer(json!({"name": "Ada", "mishap": "error", "password": "hunter2"}));
    assert_eq!(status, Some(1));
    assert_eq!(
        stdout,
        line(
            r#"{"failed":true,"changed":false,"msg":"cannot greet 'Ada': the door does not open with '********': bad lock for ********","error":{"kind":"greet.door","caused_by":["the door does not open with '********'","bad lock for ********"],"hint":"ring the bell"},"door":"front","invocation":{"module_args":{"name":"Ada","mishap":"error","password":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER","times":1,"tone":"warm","friends":[]}}}"#
        )
    );
}

#[test]
fn panic() {
    for mishap in ["panic", "panic_in_thread"] {
        let (status, stdout) =
            answer(json!({"name": "Ada", "mishap": mishap, "password": "hunter2"}));
        assert_eq!(status, Some(1), "{mishap}");
        // The number of a line of the example is nobody's business.
        let (before, after) = stdout.split_once("greet.rs:").unwrap();
        let stdout = format!(
            "{before}greet.rs:NN{}",
            after.trim_start_matches(|c: char| c.is_ascii_digit())
        );
        let wanted = r#"{"failed":true,"changed":false,"msg":"internal error at crates/ansible-module/examples/greet.rs:NN: stumbled over ********","error":{"kind":"internal.panic","caused_by":[],"hint":"this is a bug in greet VERSION; run the task again, and report this answer with the options"},"invocation":{"module_args":{"name":"Ada","mishap":"MISHAP","password":"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER","times":1,"tone":"warm","friends":[]}}}"#;
        let wanted = wanted
            .replace("MISHAP", mishap)
            .replace("VERSION", ansible_module::VERSION);
        assert_eq!(stdout, line(&wanted));
    }
}

#[test]
fn stray_prints_do_not_spoil_the_answer() {
    let output = run(&json!({"name": "Ada", "mishap": "print"}).to_string());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        line(
            r#"{"changed":true,"msg":"greeted 'Ada' 1 times","greeting":"Hello Ada","friends":[],"passwords":0,"invocation":{"module_args":{"name":"Ada","mishap":"print","times":1,"tone":"warm","friends":[]}}}"#
        )
    );
    let mut lines: Vec<_> = std::str::from_utf8(&output.stderr)
        .unwrap()
        .lines()
        .collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["a line on stderr", "a stray line", "and a half one"]
    );
}

#[test]
fn spec() {
    let (status, stdout) = told(greet().arg("--spec").output().unwrap());
    assert_eq!(status, Some(0));
    let wanted = r#"{"module":"greet","version":"VERSION","options":{"name":{"type":"str","required":true,"aliases":["who"],"no_log":false},"times":{"type":"int","required":false,"default":1,"no_log":false},"tone":{"type":"str","required":false,"default":"warm","choices":["warm","cold"],"no_log":false},"password":{"type":"str","required":false,"no_log":true},"friends":{"type":"list","elements":"dict","required":false,"default":[],"no_log":false,"options":{"name":{"type":"str","required":true,"no_log":false},"password":{"type":"str","required":false,"no_log":true}}},"mishap":{"type":"str","required":false,"choices":["error","panic","panic_in_thread","print","old"],"no_log":false}}}"#;
    assert_eq!(
        stdout,
        line(&wanted.replace("VERSION", ansible_module::VERSION))
    );
}

#[test]
fn version() {
    let (status, stdout) = told(greet().arg("--version").output().unwrap());
    assert_eq!(
        (status, stdout),
        (Some(0), format!("greet {}\n", ansible_module::VERSION))
    );
}

#[test]
fn the_arguments_may_be_a_file_or_wrapped_or_on_standard_input() {
    let direct = answer(json!({"name": "Ada"}));
    assert_eq!(
        answer(json!({"ANSIBLE_MODULE_ARGS": {"name": "Ada"}})),
        direct
    );
    let path = std::env::temp_dir().join(format!("greet-{}.json", std::process::id()));
    std::fs::write(&path, r#"{"name": "Ada"}"#).unwrap();
    let by_file = told(greet().arg(&path).output().unwrap());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(by_file, direct);
}

#[test]
fn unreadable_arguments() {
    let (status, stdout) = told(greet().arg("/nowhere/args").output().unwrap());
    assert_eq!(status, Some(1));
    assert_eq!(
        stdout,
        line(
            r#"{"failed":true,"changed":false,"msg":"cannot read the arguments in '/nowhere/args': No such file or directory (os error 2)","error":{"kind":"input.unreadable","caused_by":["No such file or directory (os error 2)"]},"invocation":{"module_args":{}}}"#
        )
    );
    let (status, stdout) = told(greet().args(["a", "b"]).output().unwrap());
    assert_eq!(status, Some(1));
    assert_eq!(
        stdout,
        line(
            r#"{"failed":true,"changed":false,"msg":"expected one argument, a file with JSON or '-', but got 2","error":{"kind":"input.unreadable","caused_by":[]},"invocation":{"module_args":{}}}"#
        )
    );
}

#[test]
fn arguments_that_are_not_json() {
    let (status, stdout) = told(run("{\"password\": \"hunter2\", "));
    assert_eq!(status, Some(1));
    assert_eq!(
        stdout,
        line(
            r#"{"failed":true,"changed":false,"msg":"the arguments in standard input are not JSON: EOF while parsing a value at line 1 column 24","error":{"kind":"input.not_json","caused_by":["EOF while parsing a value at line 1 column 24"]},"invocation":{"module_args":{}}}"#
        )
    );
    let (status, stdout) = told(run("[]"));
    assert_eq!(status, Some(1));
    assert!(stdout.contains(r#""kind":"input.not_json""#), "{stdout}");
}

/// Nobody reads the answer: status 1, and not a word on stderr.
#[test]
fn a_reader_that_went_away() {
    let mut child = greet().stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    child
        .stdin
        .take()
        .unwrap()
        .write_all(br#"{"name": "Ada"}"#)
        .unwrap();
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(1), ""));
}

/// No descriptor is left for the real standard output: it is told on the one that there is.
#[test]
fn standard_output_that_cannot_be_set_aside() {
    let program = greet().get_program().to_owned();
    let limited = Command::new("sh")
        .args(["-c", "exec <&-; ulimit -n 3; exec \"$0\" -"])
        .arg(program)
        .output();
    let (status, stdout) = told(limited.unwrap());
    assert_eq!(status, Some(1));
    assert!(stdout.starts_with(
        r#"{"failed":true,"changed":false,"msg":"cannot set standard output aside: "#
    ));
    assert!(
        stdout.contains(r#""kind":"internal.stdout""#) && stdout.lines().count() == 1,
        "{stdout}"
    );
}
