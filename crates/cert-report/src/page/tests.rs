// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;
use crate::{Anchor, Certificate, Endpoint, FileEntry, Finding, Key, Report, ServedBy, Unserved};

const NOW: Moment = Moment(1_795_683_600);
const EVIL: &str = "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload=alert(1)\u{202e}&";

/// What openssl says of a text.
fn digest(text: &str) -> String {
    let run = |argv: &[&str], input: &[u8]| {
        let mut child = match Command::new(argv[0])
            .args(&argv[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        {
            Ok(child) => child,
            Err(error) => panic!("openssl is needed (scripts/setup-debian test): {error}"),
        };
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().stdout
    };
    let raw = run(&["openssl", "dgst", "-sha256", "-binary"], text.as_bytes());
    String::from_utf8(run(&["openssl", "base64"], &raw))
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn the_policy_names_the_style_and_the_script_as_they_are() {
    assert_eq!(digest(STYLE), STYLE_SHA256, "put it into STYLE_SHA256");
    assert_eq!(digest(SCRIPT), SCRIPT_SHA256, "put it into SCRIPT_SHA256");
}

#[test]
fn style_and_script_end_where_their_tags_do() {
    assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ] {
        assert!(!SCRIPT.contains(word), "{word}");
    }
    for word in ["url(h", "@import", "http:", "https:"] {
        assert!(!STYLE.contains(word) && !SCRIPT.contains(word), "{word}");
    }
}

/// A report in which every text is hostile.
fn hostile() -> Report {
    let evil = || EVIL.to_owned();
    let leaf = Certificate {
        subject: format!("CN={EVIL}"),
        issuer: format!("CN={EVIL}"),
        names: vec![evil(); 100],
        not_before: Moment(i64::MIN),
        not_after: Moment(i64::MAX),
        serial: evil(),
        fingerprint_sha256: evil(),
        key: Key {
            algorithm: evil(),
            bits: Some(1),
            curve: Some(evil()),
            sha256: evil(),
        },
        signature: evil(),
    };
    let finding = Finding {
        kind: evil(),
        level: Level::Fail,
        detail: evil(),
    };
    let mut report = Report::new(EVIL, NOW);
    let root = Anchor {
        subject: evil(),
        fingerprint_sha256: evil(),
        not_after: NOW,
    };
    for service in [evil(), evil() + "2"] {
        report.endpoints.push(Endpoint {
            service,
            host: evil(),
            address: Some(evil() + "a"),
            port: 1,
            sni: Some(evil()),
            protocol: evil(),
            status: Level::Fail,
            findings: vec![finding.clone()],
            chain: vec![leaf.clone(), leaf.clone()],
            chain_not_after: None,
            trusted_by: Some(root.clone()),
            served_by: Some(ServedBy {
                process: Some(evil()),
                pid: Some(1),
                container: Some(evil()),
            }),
            seconds: f64::NAN,
        });
    }
    report.files.push(FileEntry {
        service: evil(),
        path: evil(),
        status: Level::Warn,
        findings: vec![finding],
        chain: vec![leaf],
        trusted_by: None,
        served_at: vec![evil()],
    });
    report.unserved.push(Unserved {
        path: evil(),
        subject: evil(),
        fingerprint_sha256: "other".into(),
    });
    report
}

#[test]
fn nothing_of_a_hostile_report_is_markup() {
    let html = page(&Fleet::of([hostile()]), NOW);
    assert!(
        !html.contains("<script>alert") && !html.contains("<img") && !html.contains('\u{202e}')
    );
    assert_eq!(html.matches("<script").count(), 1);
    assert_eq!(html.matches("</script").count(), 1);
    assert_eq!(html.matches("<style").count(), 1);
    // Each attribute that has text of strangers in it is quoted, and its quotes are escaped: no tag has one of theirs.
    for tag in html
        .split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap_or_default())
    {
        assert!(
            !tag.contains("onload=") && !tag.contains("onerror="),
            "{tag}"
        );
    }
}

#[test]
fn an_empty_fleet_has_a_page() {
    let html = page(&Fleet::default(), NOW);
    assert!(
        html.contains("0 hosts, 0 endpoints, 0 files, 0 certificates from 0 authorities"),
        "{html}"
    );
    assert!(html.contains("Nothing was looked at."));
}

#[test]
fn days_are_told_as_people_count_them() {
    let html = |seconds: i64| {
        let mut report = Report::new("a", NOW);
        let leaf = Certificate {
            not_after: Moment(NOW.0 + seconds),
            ..Certificate::default()
        };
        report.endpoints.push(Endpoint {
            service: "x".into(),
            chain: vec![leaf],
            ..Endpoint::default()
        });
        page(&Fleet::of([report]), NOW)
    };
    for (seconds, told) in [
        (-1, "ended today"),
        (-86_401, "ended 1 day ago"),
        (-3 * 86_400, "ended 2 days ago"),
        (0, "0 days"),
        (86_400, "1 day "),
        (90 * 86_400, "90 days"),
        (i64::MAX - NOW.0, "no end"),
    ] {
        assert!(
            html(seconds).contains(&format!("<td class=n>{told}")),
            "{seconds}: {told}"
        );
    }
}

fn looked(host: &str, at: Moment) -> Report {
    let mut report = Report::new(host, at);
    report.endpoints.push(Endpoint::default());
    report
}

#[test]
fn an_old_report_is_said_to_be_old() {
    let fleet = Fleet::of([
        looked("fresh", NOW),
        looked("stale", Moment(NOW.0 - 5 * 86_400)),
    ]);
    let html = page(&fleet, NOW);
    assert!(
        html.contains("has not run for more than two days: stale (2026-11-21)"),
        "{html}"
    );
}
