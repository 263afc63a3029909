// SPDX-License-Identifier: Apache-2.0

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A module in a few lines of shell: `body` sees CHECK (true or false) and prints the answer.
struct Fixture {
    sandbox: Sandbox,
}

impl Fixture {
    fn new(body: &str, files: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::new();
        let script = format!(
            "#!/bin/sh\n\
             CHECK=$(sed 's/.*\"_ansible_check_mode\":\\([a-z]*\\).*/\\1/' \"$1\")\n\
             DIR=$(sed 's/.*\"dir\":\"\\([^\"]*\\)\".*/\\1/' \"$1\")\n\
             cd \"$DIR\"\n{body}\n"
        );
        let path = sandbox.write("module", script);
        must(
            fs::set_permissions(path, PermissionsExt::from_mode(0o755)),
            "chmod",
        );
        sandbox.write("cases/it/args.json", r#"{"dir": "$DIR"}"#);
        for (name, content) in files {
            sandbox.write(format!("cases/it/{name}"), content);
        }
        Self { sandbox }
    }

    /// The first line of the report; "good" if there is none.
    fn verdict(&self) -> String {
        match run_case(&self.sandbox.join("cases/it"), &self.sandbox.join("module")) {
            Ok(()) => "good".to_owned(),
            Err(report) => report.lines().next().unwrap_or_default().to_owned(),
        }
    }
}

fn verdict(body: &str, files: &[(&str, &str)]) -> String {
    Fixture::new(body, files).verdict()
}

/// Makes the file `made` once.
const GOOD: &str = r#"
[ -e made ] && { echo '{"changed":false}'; exit; }
[ "$CHECK" = true ] || { umask 077; echo x >made; }
echo '{"changed":true,"msg":"made it at 12"}'"#;

const EXPECT: (&str, &str) = (
    "expect.json",
    r#"{"changed": true, "msg": "made it at [..]"}"#,
);

#[test]
fn a_good_module_passes() {
    let after = (
        "after.txt",
        "# what is there\nexact\n0600 made\n0755 .\nabsent other\n",
    );
    assert_eq!(verdict(GOOD, &[EXPECT, after]), "good");
}

#[test]
fn what_before_and_setup_prepare_is_seen() {
    let files = [
        ("before/sub/a", "a"),
        (
            "setup.sh",
            "echo y >made; ln -s sub/a link; [ \"$DIR\" = \"$PWD\" ]\n",
        ),
        ("expect.json", r#"{"changed": false}"#),
        (
            "after.txt",
            "exact\nlink link -> sub/a\n0644 sub/a\n0644 made",
        ),
    ];
    assert_eq!(verdict(&format!("umask 022{GOOD}"), &files), "good");
}

#[test]
fn a_check_that_writes_is_found() {
    let body = r#"[ -e made ] && c=false || c=true; echo x >made; echo "{\"changed\":$c}""#;
    assert_eq!(verdict(body, &[EXPECT]), "check: something on disk moved:");
}

#[test]
fn a_check_that_predicts_wrongly_is_found() {
    let body = r#"[ "$CHECK" = true ] && { echo '{"changed":false}'; exit; }"#.to_owned() + GOOD;
    assert_eq!(
        verdict(&body, &[EXPECT]),
        "check: $.changed: expected true, found false"
    );
    let files = [EXPECT, ("expect-check.json", r#"{"changed": false}"#)];
    assert_eq!(verdict(&body, &files), "good");
}

#[test]
fn a_second_run_that_changes_is_found() {
    let body = r#"[ "$CHECK" = true ] || date >made; echo '{"changed":true,"msg":"made it at 1"}'"#;
    assert_eq!(
        verdict(body, &[EXPECT]),
        "again: $.changed: expected false, found true"
    );
    let files = [EXPECT, ("expect-again.json", r#"{"changed": true}"#)];
    assert_eq!(verdict(body, &files), "good");
}

#[test]
fn a_second_run_that_only_says_unchanged_is_found() {
    let body = r#"
[ -e made ] && { [ "$CHECK" = true ] || { cp made n; mv n made; }; echo '{"changed":false}'; exit; }"#;
    let body = body.to_owned() + GOOD;
    assert_eq!(verdict(&body, &[EXPECT]), "again: something on disk moved:");
}

#[test]
fn a_refusal_that_leaves_something_is_found() {
    let refusal =
        r#"echo '{"failed":true,"changed":false,"error":{"kind":"input.invalid"}}'; exit 1"#;
    let expect = (
        "expect.json",
        r#"{"failed": true, "error": {"kind": "input.invalid"}}"#,
    );
    assert_eq!(verdict(refusal, &[expect]), "good");
    let body = format!(r#"[ "$CHECK" = true ] || echo x >left; {refusal}"#);
    assert_eq!(
        verdict(&body, &[expect]),
        "real, which failed: something on disk moved:"
    );
}

#[test]
fn a_spoilt_answer_is_found() {
    let two = "echo '{\"changed\":false}'; echo more";
    assert_eq!(
        verdict(two, &[EXPECT]),
        "expected exactly one line on stdout, got 2"
    );
    assert_eq!(
        verdict("true", &[EXPECT]),
        "expected exactly one line on stdout, got 0"
    );
    let lie = "echo '{\"failed\":true}'";
    assert_eq!(
        verdict(lie, &[EXPECT]),
        "the exit status and 'failed' do not agree"
    );
}

#[test]
fn an_answer_with_key_material_is_found() {
    let line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2";
    let key = format!("-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n");
    for place in ["before/old.key", "before/sub/old.key"] {
        let says = format!(
            "rm -r old.key sub 2>/dev/null; echo '{{\"changed\":false,\"diff\":\"{line}\"}}'"
        );
        assert_eq!(
            verdict(&says, &[EXPECT, (place, &key)]),
            format!("'{line}' was printed")
        );
    }
    let certificate = key.replace("PRIVATE KEY", "CERTIFICATE");
    let says = format!("echo '{{\"changed\":false,\"certificate\":\"{line}\"}}'");
    let expect = ("expect.json", r#"{"changed": false}"#);
    assert_eq!(
        verdict(&says, &[expect, ("before/a.pem", &certificate)]),
        "good"
    );
}

#[test]
fn each_line_of_after_txt_is_checked() {
    for (line, wrong) in [
        ("0644 made", "after.txt: '0644 made', but made is f 0600 "),
        ("0600 other", "after.txt: '0600 other', but it is not there"),
        ("absent made", "after.txt: 'absent made', but it is there"),
        (
            "link made -> x",
            "after.txt: 'link made -> x', but it is f 0600 ",
        ),
        ("exact", "after.txt: not named: made f 0600 "),
        ("rubbish", "after.txt: 'rubbish' is no line of this format"),
        (
            "rubbish made",
            "after.txt: 'rubbish made' is no line of this format",
        ),
    ] {
        let found = verdict(GOOD, &[EXPECT, ("after.txt", line)]);
        assert!(found.starts_with(wrong), "{line}: {found}");
    }
}

#[test]
fn a_case_without_expectation_is_no_case() {
    assert_eq!(verdict(GOOD, &[]), "there is no expect.json");
    let broken = verdict(GOOD, &[("expect.json", "{")]);
    assert!(broken.contains("expect.json is not JSON"), "{broken}");
}

#[test]
fn all_cases_of_a_directory_run_and_an_empty_one_is_refused() {
    let fixture = Fixture::new(GOOD, &[EXPECT]);
    run(
        fixture.sandbox.join("cases"),
        fixture.sandbox.join("module"),
    );
    let empty = Sandbox::new();
    assert!(panic::catch_unwind(|| run(empty.path(), fixture.sandbox.join("module"))).is_err());
    fixture
        .sandbox
        .write("cases/bad/expect.json", "{\"changed\": \"never\"}");
    fixture
        .sandbox
        .write("cases/bad/args.json", r#"{"dir": "$DIR"}"#);
    let failed = panic::catch_unwind(|| {
        run(
            fixture.sandbox.join("cases"),
            fixture.sandbox.join("module"),
        )
    });
    let report = failed
        .err()
        .and_then(|payload| payload.downcast::<String>().ok())
        .unwrap_or_default();
    assert!(report.starts_with("1 of 2 cases failed"), "{report}");
    assert!(
        report.contains("cases/bad: real: $.changed: expected \"never\", found true"),
        "{report}"
    );
    assert!(
        report.contains("0600") && report.contains("==== stderr"),
        "the report shows the tree: {report}"
    );
}
