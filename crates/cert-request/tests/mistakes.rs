// SPDX-License-Identifier: Apache-2.0
//! What a tired operator writes and a crowded host refuses.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use serde_json::json;
use support::{EXECUTABLE, Host, of_web, web};
use testbed::ModuleRun;

#[test]
fn a_key_in_the_wrong_option_is_not_echoed() {
    let host = Host::new("root ca");
    let key = String::from_utf8(host.sandbox.read("ca/ca.key")).unwrap();
    let certificate = String::from_utf8(host.sandbox.read("ca/ca.pem")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    for issuer in [
        json!({"provided": {"certificate_content": key, "private_key_content": certificate}}),
        json!({"provided": {"certificate": certificate, "private_key": key}}),
        json!({"provided": {"certificate_content": format!("{certificate}{key}"), "private_key_content": certificate}}),
        json!({"external": {"signed": key}}),
        json!({"provided": {"certificat": key}}),
    ] {
        let answer = host.module(&web(json!({"issuer": issuer}))).run();
        assert!(answer.failed(), "{}", answer.report());
        answer.never_says(secret);
    }
}

#[test]
fn where_no_thread_can_be_started_the_work_is_done_all_the_same() {
    let host = Host::new("root ca");
    let mut args = web(json!({}));
    let first = args["certificates"][0].clone();
    for number in 0..3 {
        let mut next = first.clone();
        next["name"] = json!(format!("w{number}"));
        next["files"] = json!([
            {"content": "private_key", "path": format!("$DIR/w{number}.key")},
            {"content": "certificate", "path": format!("$DIR/w{number}.pem")}]);
        args["certificates"].as_array_mut().unwrap().push(next);
    }
    args["parallel"] = json!(4);
    // A stack for which no machine has the addresses: every start of a thread fails, as under a full cgroup.
    let answer = host
        .module(&args)
        .env("RUST_MIN_STACK", (1_u64 << 60).to_string())
        .run();
    assert!(!answer.failed(), "{}", answer.report());
    for name in ["web", "w0", "w1", "w2"] {
        host.assert_pair(&format!("{name}.pem"), &format!("{name}.key"));
    }
}

/// Root opens every directory, so this runs as somebody who is not root.
#[test]
fn a_directory_that_cannot_be_opened_spoils_only_its_own_entry() {
    let host = Host::new("root ca\nmkdir closed open\nchmod 0 closed");
    std::fs::copy(EXECUTABLE, host.sandbox.join("cert_request")).unwrap();
    let mut script = format!(
        "#!/bin/sh\nexec {}/cert_request \"$@\"\n",
        host.sandbox.path().display()
    );
    if std::fs::metadata(host.sandbox.path()).unwrap().uid() == 0 {
        script = script.replace(
            "exec ",
            "exec setpriv --reuid 65534 --regid 65534 --clear-groups ",
        );
        for path in ["", "open", "closed", "ca", "ca/ca.key", "ca/ca.pem"] {
            chown(host.sandbox.join(path), Some(65534), Some(65534)).unwrap();
        }
    }
    let run = host.sandbox.write("run", script);
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o755)).unwrap();
    let files = |directory: &str| {
        json!([{"content": "private_key", "path": format!("$DIR/{directory}/k")},
               {"content": "certificate", "path": format!("$DIR/{directory}/c")}])
    };
    let mut args = web(json!({"files": files("open")}));
    let mut other = args["certificates"][0].clone();
    other["name"] = json!("other");
    other["files"] = files("closed");
    let mut waiting = other.clone();
    waiting["name"] = json!("waiting");
    waiting["files"] = json!([{"content": "csr", "path": "$DIR/open/csr"}]);
    waiting["issuer"] = json!({"external": {}});
    args["state_dir"] = json!("$DIR/closed/state");
    let entries = args["certificates"].as_array_mut().unwrap();
    entries.extend([other, waiting]);
    let answer = ModuleRun::new(run)
        .args(args)
        .sandbox(&host.sandbox)
        .on_stdin()
        .run();
    assert_eq!(of_web(&answer)["action"], "issue", "{}", answer.report());
    host.assert_pair("open/c", "open/k");
    let failures = answer.value["failures"].as_object().unwrap();
    assert_eq!(
        failures.keys().collect::<Vec<_>>(),
        ["other", "waiting"],
        "{}",
        answer.report()
    );
    // A request that lies where we may not look is not a broken one, which the operator would remove.
    assert_eq!(
        failures["waiting"]["kind"],
        "files.permission_denied",
        "{}",
        answer.report()
    );
}

#[test]
fn a_key_in_the_file_of_the_certificate_is_taken_out() {
    let host = Host::new("root ca");
    let args = web(json!({}));
    host.run(&args);
    host.shell("cat web.key >> web.pem");
    let answer = host.run(&args);
    assert_eq!(of_web(&answer)["action"], "rewrite", "{}", answer.report());
    assert!(
        !String::from_utf8(host.sandbox.read("web.pem"))
            .unwrap()
            .contains("PRIVATE")
    );
    host.assert_pair("web.pem", "web.key");
    assert!(!host.run(&args).changed());
}

#[test]
fn plausible_slips_are_named() {
    let host = Host::new("");
    for (change, expected) in [
        (
            json!({"ttl": 398}),
            "'398' has no unit; write 398d for days or 398s for seconds",
        ),
        (
            json!({"common_name": "{{ fqdn }}"}),
            "is a template that was not rendered",
        ),
        (
            json!({"common_name": "{{ fqdn }}", "dns": []}),
            "is a template that was not rendered",
        ),
        (
            json!({"subject": {"country": false}}),
            "quote it, as in \"NO\"",
        ),
        (json!({"key": {"size": -1}}), "'-1' is not a number of bits"),
        (
            json!({"issuer": {"self_signed": null}}),
            "no issuer is given",
        ),
        (json!({"dns": "{{ fqdn }}"}), "is not a valid DNS name"),
    ] {
        let answer = host.module(&web(change)).run();
        assert_eq!(answer.kind(), "input.invalid", "{}", answer.report());
        assert!(answer.msg().contains(expected), "{}", answer.msg());
        let faults = answer.value["faults"].as_array().map(Vec::len);
        assert_eq!(faults, Some(1), "one slip, one fault: {}", answer.report());
    }
}
