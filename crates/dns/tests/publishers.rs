// SPDX-License-Identifier: Apache-2.0
//! Ways to publish against BIND: updates, zone files, hooks. `dig` and `named-checkzone` are the witnesses.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, with figures"
)]

mod support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use dns::Clock;
use dns::publish::{Published, Publisher, Rfc2136, TextRecord, ZoneFile};
use support::{key, name, updater};
use testbed::Sandbox;
use testbed::servers::{DnsWorld, Named, SIGNING_ZONE, World, free_addresses};

const ZONE: &str = "$TTL 60\n\
    @ SOA ns1.acme-sign.test. host.acme-sign.test. ( 2026112601 ; by hand\n 600 60 3600 5 )\n\
    @ NS ns1\nns1 A 127.0.0.1\n@ TXT \"somebody's\"\n";

fn record(owner: &str, value: &str) -> TextRecord {
    TextRecord {
        zone: name(SIGNING_ZONE),
        owner: name(owner),
        value: value.into(),
        ttl: 60,
    }
}

fn steps(steps: usize) -> Published {
    Published {
        steps,
        warnings: Vec::new(),
    }
}

/// A server whose zone is a file that we write.
fn static_zone() -> Named {
    let [address] = free_addresses();
    Named::start(
        address,
        "recursion no; allow-transfer { any; };",
        "zone \"acme-sign.test\" { type primary; file \"zone.db\"; };",
        &[("zone.db", ZONE.into())],
    )
}

fn zone_file(path: PathBuf, now: SystemTime) -> ZoneFile {
    ZoneFile {
        path,
        zone: name(SIGNING_ZONE),
        keep: Duration::from_secs(3600),
        check: Some(
            ["named-checkzone", "-q", SIGNING_ZONE, "/dev/stdin"]
                .map(str::to_owned)
                .into(),
        ),
        reload: None,
        within: Duration::from_secs(20),
        clock: Clock::starting_at(now),
    }
}

fn served_file(server: &Named) -> ZoneFile {
    ZoneFile {
        reload: Some(server.rndc_argv(&["reload", SIGNING_ZONE])),
        ..zone_file(server.file("zone.db"), SystemTime::now())
    }
}

/// What the server shows, as soon as it shows as many lines.
fn shown(server: &Named, owner: &str, lines: usize) -> String {
    for _ in 0..1000 {
        let said = server.dig(&[owner, "TXT"]);
        if said.lines().count() == lines {
            return said;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    server.dig(&[owner, "TXT"])
}

fn checkzone(path: &Path) {
    let mut command = Command::new("named-checkzone");
    let output = command.arg(SIGNING_ZONE).arg(path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn rfc2136_sends_one_message_for_all_records_of_a_zone() {
    let world = DnsWorld::start(&World::default());
    let publisher = Rfc2136 {
        updater: updater(&world, Some(key("hmac-sha256"))),
        zone: None,
    };
    let records: Vec<TextRecord> = (0..300)
        .map(|host| record(&format!("h{host}.acme-sign.test"), "v"))
        .collect();
    assert_eq!(publisher.publish(&records).unwrap(), steps(1));
    assert_eq!(world.texts().len(), 300);
    assert_eq!(publisher.withdraw(&records[1..]).unwrap(), steps(1));
    assert_eq!(
        world.texts(),
        [("h0.acme-sign.test".into(), "\"v\"".into())]
    );
    assert_eq!(publisher.publish(&[]).unwrap(), steps(0));
}

#[test]
fn zone_file_adds_and_removes_exactly_its_records_and_raises_the_serial() {
    let server = static_zone();
    let path = server.file("zone.db");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let publisher = served_file(&server);
    let long = "l".repeat(300);
    let records = [
        record(SIGNING_ZONE, "token"),
        record("h1.acme-sign.test", &long),
        record("h1.acme-sign.test", "with \"quotes\"; and \\"),
    ];
    assert_eq!(publisher.publish(&records).unwrap(), steps(1));
    assert_eq!(
        shown(&server, SIGNING_ZONE, 2).lines().max().unwrap(),
        "\"token\""
    );
    let said = shown(&server, "h1.acme-sign.test", 2);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    let two_strings = format!("\"{}\" \"{}\"", &long[..255], &long[255..]);
    assert_eq!(
        lines,
        [two_strings.as_str(), r#""with \"quotes\"; and \\""#]
    );
    assert_eq!(
        server.dig(&[SIGNING_ZONE, "SOA"]).split(' ').nth(2),
        Some("2026112602")
    );
    // Again there is nothing to write; it is a new file with the old one's mode.
    assert_eq!(publisher.publish(&records).unwrap(), steps(0));
    let now = fs::metadata(&path).unwrap();
    assert_eq!(now.mode() & 0o7777, 0o640);
    assert_ne!(now.ino(), inode);
    assert_eq!(publisher.withdraw(&records[..1]).unwrap(), steps(1));
    assert_eq!(shown(&server, SIGNING_ZONE, 1), "\"somebody's\"");
    assert_eq!(publisher.withdraw(&records).unwrap(), steps(1));
    let text = fs::read_to_string(&path).unwrap();
    let own = text.split("; BEGIN").next().unwrap();
    assert_eq!(own, ZONE.replace("2026112601", "2026112604"));
}

#[test]
fn zone_file_keeps_the_owner() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let path = sandbox.write("zone.db", ZONE);
    std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
    let publisher = zone_file(path.clone(), SystemTime::now());
    publisher.publish(&[record(SIGNING_ZONE, "token")]).unwrap();
    let now = fs::metadata(&path).unwrap();
    assert_eq!((now.uid(), now.gid()), (65534, 65534));
}

/// Only root can give a file away; with TEST_MUST_MOUNT set, as in CI, we must be root.
fn is_root() -> bool {
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        assert!(
            std::env::var_os("TEST_MUST_MOUNT").is_none(),
            "this needs root, and TEST_MUST_MOUNT says that it must not be skipped"
        );
        // Not `eprintln!`, which is not shown of a test that passes.
        let _ = writeln!(std::io::stderr(), "skipped: only root can give a file away");
    }
    root
}

#[test]
fn zone_file_takes_twenty_at_once_that_do_not_erase_each_other() {
    let server = static_zone();
    let publisher = served_file(&server);
    std::thread::scope(|scope| {
        for run in 0..20 {
            let publisher = publisher.clone();
            scope.spawn(move || {
                let own = [record(SIGNING_ZONE, &format!("run {run}"))];
                publisher.publish(&own).unwrap();
            });
        }
    });
    assert_eq!(shown(&server, SIGNING_ZONE, 21).lines().count(), 21);
    std::thread::scope(|scope| {
        for run in 0..20 {
            let publisher = publisher.clone();
            scope.spawn(move || {
                let own = [record(SIGNING_ZONE, &format!("run {run}"))];
                publisher.withdraw(&own).unwrap();
            });
        }
    });
    assert_eq!(shown(&server, SIGNING_ZONE, 1), "\"somebody's\"");
    let serial = server.dig(&[SIGNING_ZONE, "SOA"]);
    assert_eq!(serial.split(' ').nth(2), Some("2026112641"));
}

#[test]
fn zone_file_forgets_what_runs_that_failed_left_long_ago() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("zone.db", ZONE);
    let now = SystemTime::now();
    let hours = |hours: u64| zone_file(path.clone(), now + Duration::from_secs(hours * 3600));
    hours(0).publish(&[record(SIGNING_ZONE, "lost")]).unwrap();
    hours(2).publish(&[record(SIGNING_ZONE, "new")]).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("\"new\"") && !text.contains("\"lost\""),
        "{text}"
    );
}

#[test]
fn zone_file_stays_as_it_is_when_the_check_refuses_the_new_one() {
    let sandbox = Sandbox::new();
    // A CNAME beside other records is refused by named-checkzone.
    let broken = format!("{ZONE}h1 CNAME h2\n");
    let path = sandbox.write("zone.db", &broken);
    let publisher = zone_file(path.clone(), SystemTime::now());
    let before = sandbox.listing();
    let error = publisher
        .publish(&[record("h1.acme-sign.test", "token")])
        .unwrap_err();
    assert_eq!(error.kind(), "dns.program");
    let text = error.to_string();
    assert!(
        text.starts_with("'named-checkzone -q acme-sign.test /dev/stdin' ended with status 1"),
        "{text}"
    );
    sandbox.assert_unmoved(&before, "after a refusal");
    let error = publisher
        .publish(&[record("h1.example.test", "token")])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "zone file '{}': 'h1.example.test' is not in its zone 'acme-sign.test'",
            path.display()
        )
    );
    let missing = zone_file(sandbox.join("none.db"), SystemTime::now());
    let error = missing.publish(&[record(SIGNING_ZONE, "x")]).unwrap_err();
    assert_eq!(error.kind(), "dns.zone_file");
}

#[test]
fn zone_file_tells_the_server_again_after_a_reload_that_failed() {
    let server = static_zone();
    let publisher = served_file(&server);
    let lost = ZoneFile {
        reload: Some(vec!["false".into()]),
        ..publisher.clone()
    };
    let own = [record(SIGNING_ZONE, "token")];
    assert_eq!(lost.publish(&own).unwrap_err().kind(), "dns.program");
    assert_eq!(publisher.publish(&own).unwrap(), steps(0));
    assert_eq!(shown(&server, SIGNING_ZONE, 2).lines().count(), 2);
}

/// The variable says which file; only the test below sets it.
#[test]
#[ignore = "what the test below kills"]
fn child_that_writes_until_it_is_killed() {
    let path = PathBuf::from(std::env::var("ZONE_FILE_TO_WRITE").unwrap());
    let publisher = ZoneFile {
        check: None,
        ..zone_file(path, SystemTime::now())
    };
    for run in 0.. {
        let own = [record("busy.acme-sign.test", &format!("run {}", run % 7))];
        publisher.publish(&own).unwrap();
        publisher.withdraw(&own).unwrap();
    }
}

#[test]
fn zone_file_is_whole_after_kill_9_at_any_moment() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("zone.db", ZONE);
    let publisher = zone_file(path.clone(), SystemTime::now());
    let kept = [record("kept.acme-sign.test", "token")];
    publisher.publish(&kept).unwrap();
    let mut left_over = 0;
    for round in 0..25 {
        let inode = fs::metadata(&path).unwrap().ino();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_writes_until_it_is_killed",
                "--ignored",
            ])
            .env("ZONE_FILE_TO_WRITE", &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // As soon as it writes, each moment is as likely as any other.
        let begun = std::time::Instant::now();
        while fs::metadata(&path).unwrap().ino() == inode {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it does not begin"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(1_700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        checkzone(&path);
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .contains("kept.acme-sign.test. 60 IN TXT")
        );
        left_over += sandbox.listing().0.len() - 2;
    }
    println!("25 kills left {left_over} temporaries");
    publisher.publish(&[record(SIGNING_ZONE, "after")]).unwrap();
    checkzone(&path);
    let names: Vec<String> = sandbox
        .listing()
        .0
        .keys()
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(names, [".", "zone.db"]);
    let serial = fs::read_to_string(&path).unwrap();
    let serial = serial
        .split("( ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    // At least one write in each round, beside the first and the last.
    assert!(serial.parse::<u32>().unwrap() >= 2_026_112_628, "{serial}");
}
