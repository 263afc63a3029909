// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;
use crate::{Finding, Moment, ServedBy, Unserved};

const HOSTILE: &str = "a\"b\\c\nd} 7\n# TYPE x counter\u{202e}";

fn sample() -> Report {
    let mut report = Report::new("ctl0", Moment(1_795_683_600));
    let leaf = Certificate {
        subject: format!("CN={HOSTILE}"),
        issuer: "CN=Cloud\\, Services,O=Example".into(),
        not_before: Moment(1_795_000_000),
        not_after: Moment(1_799_000_000),
        serial: "0a".into(),
        fingerprint_sha256: "ff".into(),
        ..Certificate::default()
    };
    let above = Certificate {
        not_after: Moment(1_798_000_000),
        ..leaf.clone()
    };
    let finding = Finding {
        kind: "expires_soon".into(),
        level: Level::Warn,
        detail: HOSTILE.into(),
    };
    report.endpoints.push(Endpoint {
        service: HOSTILE.into(),
        host: "fd00::1".into(),
        port: 443,
        protocol: "tls".into(),
        status: Level::Warn,
        findings: vec![finding.clone(), finding.clone()],
        chain: vec![leaf.clone(), above],
        served_by: Some(ServedBy {
            process: Some("haproxy".into()),
            ..ServedBy::default()
        }),
        seconds: 0.0125,
        ..Endpoint::default()
    });
    report.endpoints.push(report.endpoints[0].clone());
    report.endpoints.push(Endpoint {
        service: "dead".into(),
        host: "b".into(),
        port: 1,
        ..Endpoint::default()
    });
    report.files.push(FileEntry {
        path: "/a.pem".into(),
        chain: vec![leaf],
        findings: vec![finding],
        ..FileEntry::default()
    });
    report.unserved.push(Unserved {
        path: "/a.pem".into(),
        ..Unserved::default()
    });
    report
}

#[test]
fn each_series_is_there_once_and_says_what_was_found() {
    let text = metrics(&sample());
    let of = |name: &str| -> Vec<&str> {
        text.lines()
            .filter(|line| line.starts_with(&format!("{name}{{")))
            .collect()
    };
    assert_eq!(of("certcheck_endpoint_up").len(), 2, "{text}");
    assert!(
        of("certcheck_endpoint_up")[0].ends_with("protocol=\"tls\"} 1"),
        "{text}"
    );
    assert!(of("certcheck_endpoint_up")[1].ends_with(" 0"), "{text}");
    assert!(of("certcheck_endpoint_not_after_timestamp_seconds")[0].ends_with(" 1799000000"));
    assert!(of("certcheck_endpoint_chain_not_after_timestamp_seconds")[0].ends_with(" 1798000000"));
    assert!(of("certcheck_endpoint_certificate_info")[0].contains("issuer_cn=\"Cloud, Services\""));
    assert_eq!(of("certcheck_endpoint_finding").len(), 1, "{text}");
    assert!(
        text.contains("\ncertcheck_unserved_certificates 1\n"),
        "{text}"
    );
    assert!(
        text.contains("\ncertcheck_last_run_timestamp_seconds 1795683600\n"),
        "{text}"
    );
}

#[test]
fn a_hostile_name_stays_within_its_label() {
    let text = metrics(&sample());
    assert!(text.contains(r#"service="a\"b\\c"#), "{text}");
    assert!(
        text.lines()
            .all(|line| line.starts_with("certcheck_") || line.starts_with("# ")),
        "{text}"
    );
    assert!(!text.contains("\n# TYPE x"), "{text}");
}

#[test]
fn servers_that_only_their_addresses_tell_apart_have_series_of_their_own() {
    let at = |address: &str, status: Level| Endpoint {
        service: "api".into(),
        host: "api.test".into(),
        port: 443,
        protocol: "tls".into(),
        address: Some(address.into()),
        status,
        ..Endpoint::default()
    };
    let mut report = Report::new("a", Moment(5));
    report.endpoints = vec![at("10.0.0.1", Level::Ok), at("10.0.0.1", Level::Ok)];
    let status = |report: &Report| {
        let text = metrics(report);
        let lines = text
            .lines()
            .filter(|line| line.starts_with("certcheck_endpoint_status"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let common = r#"service="api",endpoint="api.test:443",server_name="",protocol="tls""#;
    let line =
        |more: &str, value: u8| format!("certcheck_endpoint_status{{{common}{more}}} {value}");
    assert_eq!(status(&report), [line("", 0)]);
    report.endpoints.push(at("10.0.0.2", Level::Fail));
    assert_eq!(
        status(&report),
        [
            line(",address=\"10.0.0.1\"", 0),
            line(",address=\"10.0.0.2\"", 2)
        ]
    );
    let fleet = Fleet::of([report]);
    assert_eq!(fleet.rows()[0].title(), "api at api.test:443 (10.0.0.2)");
}

#[test]
fn what_clients_do_not_need_ends_no_chain() {
    let mut report = sample();
    report.endpoints.truncate(1);
    report.endpoints[0].chain_not_after = Some(Moment(1_799_000_000));
    let line = "protocol=\"tls\"} 1799000000";
    let text = metrics(&report);
    let name = "certcheck_endpoint_chain_not_after_timestamp_seconds{";
    let mut all = text.lines().filter(|each| each.starts_with(name));
    assert!(all.all(|each| each.ends_with(line)), "{text}");
    assert!(text.contains(name));
}

#[test]
fn a_check_that_found_nothing_still_says_when_it_ran() {
    let text = metrics(&Report::new("a", Moment(5)));
    assert!(
        text.contains("certcheck_last_run_timestamp_seconds 5\n"),
        "{text}"
    );
    assert!(!text.contains("certcheck_endpoint"), "{text}");
}

/// Prometheus' own tool reads it, and has nothing against its names.
#[test]
fn promtool_has_nothing_against_it() {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => panic!("promtool is needed (scripts/setup-debian test): {error}"),
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(metrics(&sample()).as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.trim().is_empty(), "{said}");
}
