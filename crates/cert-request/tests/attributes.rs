// SPDX-License-Identifier: Apache-2.0
//! Owners, groups, modes, contexts and backups of what is written.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that starts programs"
)]

mod support;

use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};
use support::{Host, of_web, web};

/// The set of [`web`] with more options for its key file.
fn keyed(options: Value) -> Value {
    let mut args = web(json!({}));
    let file = args["certificates"][0]["files"][0].as_object_mut().unwrap();
    file.extend(options.as_object().unwrap().clone());
    args
}

#[test]
fn symbolic_modes_add_to_what_is_there_and_are_kept() {
    let host = Host::new("root ca");
    for (wish, mode) in [("u=rw,g=r,o=", 0o640), ("g-r", 0o600), ("u=r,g=", 0o400)] {
        let args = keyed(json!({"mode": wish}));
        let answer = host.run(&args);
        assert!(answer.changed(), "{wish}: {}", answer.report());
        assert_eq!(host.sandbox.mode("web.key"), mode, "{wish}");
        assert!(!host.run(&args).changed(), "{wish} again");
        // A new set gets the same mode as the repaired one.
        let mut forced = args.clone();
        forced["certificates"][0]["renew"] = json!({"force": true});
        host.run(&forced);
        assert_eq!(host.sandbox.mode("web.key"), mode, "{wish} after a renewal");
    }
    host.assert_pair("web.pem", "web.key");
}

#[test]
fn an_open_mode_of_a_key_is_refused_before_anything_is_written() {
    let host = Host::new("root ca");
    for wish in ["0644", "a+r", "u=rw,o=r"] {
        let answer = host.module(&keyed(json!({"mode": wish}))).run();
        assert!(answer.failed(), "{wish}: {}", answer.report());
        assert!(!host.sandbox.join("web.key").exists(), "{wish}");
        assert!(!host.sandbox.join("web.pem").exists(), "{wish}");
    }
}

/// As in Debian: `daemon` is a user and a group.
#[test]
fn owners_and_groups_go_by_name_or_number() {
    let host = Host::new("root ca");
    let id = |option: &str| {
        host.shell(&format!("id {option} daemon"))
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    let (user, group) = (id("-u"), id("-g"));
    if host.shell("id -u").trim() != "0" {
        return; // Nobody else may give files away.
    }
    let of_key = || {
        let found = std::fs::metadata(host.sandbox.join("web.key")).unwrap();
        (found.uid(), found.gid())
    };
    let named = keyed(json!({"owner": "daemon", "group": "daemon"}));
    assert!(host.run(&named).changed());
    assert_eq!(of_key(), (user, group));
    assert_eq!(host.sandbox.mode("web.key"), 0o600);
    let numbered = keyed(json!({"owner": user, "group": group.to_string()}));
    assert!(!host.run(&numbered).changed(), "the same by number");
    let back = host.run(&keyed(json!({"group": "root"})));
    assert_eq!(of_web(&back)["action"], "fix_attributes");
    assert_eq!(
        of_key(),
        (user, 0),
        "the owner stays where nothing is said of it"
    );
    let unknown = host.module(&keyed(json!({"group": "no-such-group"}))).run();
    assert!(
        unknown.msg().contains("'no-such-group'"),
        "{}",
        unknown.report()
    );
}

/// Ansible's form of a backup: `PATH.PID.YYYY-MM-DD@HH:MM:SS~`.
fn backups(host: &Host) -> Vec<String> {
    host.shell("ls -A | grep '~$' || true")
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_backup_is_the_old_pair_and_there_is_none_without_an_old_one() {
    let host = Host::new("root ca");
    let mut args = keyed(json!({"backup": true}));
    args["certificates"][0]["files"][1]["backup"] = json!(true);
    host.run(&args);
    host.run(&args);
    assert!(backups(&host).is_empty(), "nothing was replaced");
    let old = (host.sandbox.read("web.key"), host.sandbox.read("web.pem"));
    args["certificates"][0]["renew"] = json!({"force": true});
    let checked = host.module(&args).check(true).run();
    assert!(checked.changed() && backups(&host).is_empty());
    let answer = host.run(&args);
    let found = backups(&host);
    assert_eq!(found.len(), 2, "{}", answer.report());
    for name in &found {
        let is_key = name.starts_with("web.key.");
        let (content, mode) = if is_key {
            (&old.0, 0o600)
        } else {
            (&old.1, 0o644)
        };
        assert_eq!(&host.sandbox.read(name), content, "{name}");
        assert_eq!(host.sandbox.mode(name), mode, "{name}");
    }
    let told = answer.stdout.as_str();
    assert!(
        found.iter().all(|name| told.contains(name)),
        "the answer tells where: {found:?}\n{}",
        answer.report()
    );
}

#[test]
fn a_context_is_warned_about_where_there_is_no_selinux() {
    let host = Host::new("root ca");
    if std::path::Path::new("/sys/fs/selinux/enforce").exists() {
        return;
    }
    for option in ["context", "secontext"] {
        host.shell("rm -f web.key web.pem");
        let args = keyed(json!({option: "system_u:object_r:cert_t:s0"}));
        let answer = host.run(&args);
        let expected = host.sandbox.place(&json!([
            "'web': the SELinux context of '$DIR/web.key' is ignored: this host runs without SELinux"
        ]));
        assert_eq!(answer.value["warnings"], expected, "{option}");
        assert!(!host.run(&args).changed(), "{option} again");
    }
    let answer = host.module(&keyed(json!({"context": "cert_t"}))).run();
    assert_eq!(answer.kind(), "input.invalid", "{}", answer.report());
}
