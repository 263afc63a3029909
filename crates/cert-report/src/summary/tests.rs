// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::{Certificate, Endpoint, Finding, Report};

const NOW: Moment = Moment(1_795_683_600);

fn endpoint(service: &str, level: Level, days: i64) -> Endpoint {
    Endpoint {
        service: service.into(),
        host: "ctl0".into(),
        port: 443,
        status: level,
        findings: vec![Finding {
            kind: "x".into(),
            level,
            detail: format!("{service} is {}", level.word()),
        }],
        chain: vec![Certificate {
            not_after: Moment(NOW.0 + days * 86_400),
            issuer: "CN=CA".into(),
            ..Certificate::default()
        }],
        ..Endpoint::default()
    }
}

fn fleet(endpoints: Vec<Endpoint>) -> Fleet {
    Fleet::of([Report {
        endpoints,
        ..Report::new("ctl0", NOW)
    }])
}

#[test]
fn a_person_reads_the_worst_first_and_what_ends_next() {
    let told = summary(
        &fleet(vec![
            endpoint("late", Level::Ok, 80),
            endpoint("soon", Level::Warn, 5),
            endpoint("gone", Level::Fail, -2),
        ]),
        NOW,
    );
    assert_eq!(told.level, Level::Fail);
    assert_eq!(
        told.subject,
        "[certcheck] ctl0: 1 fail, 1 warn; next to end: soon at ctl0:443 in 5 d"
    );
    assert_eq!(
        told.body,
        "FAIL (1)\n\n  gone at ctl0:443\n    gone is fail\n\nWARN (1)\n\n  soon at ctl0:443\n    soon is warn\n\nNEXT TO END\n\n      \
         5 days  2026-12-01  soon at ctl0:443, by CA\n     80 days  2027-02-14  late at ctl0:443, by CA\n\n3 looked at on 1 host(s), 1 as \
         they should be.\nAs of 2026-11-26T09:00:00Z.\n"
    );
}

#[test]
fn all_well_is_said_so() {
    let told = summary(&fleet(vec![endpoint("a", Level::Ok, 80)]), NOW);
    assert_eq!(
        told.subject,
        "[certcheck] ctl0: all well; next to end: a at ctl0:443 in 80 d"
    );
    assert_eq!(
        summary(&Fleet::default(), NOW).subject,
        "[certcheck] 0 hosts: all well"
    );
}

#[test]
fn a_hostile_name_begins_no_header_and_no_line() {
    let evil = "x\r\nBcc: everyone@example.com\n\nFAIL (9)\u{202e}ä";
    let told = summary(&fleet(vec![endpoint(evil, Level::Fail, 3)]), NOW);
    let mail = told.message(NOW);
    assert_eq!(told.subject.lines().count(), 1);
    assert!(told.subject.is_ascii());
    assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
    assert_eq!(
        told.body
            .lines()
            .filter(|line| line.starts_with("FAIL"))
            .count(),
        1,
        "{mail}"
    );
    assert!(
        mail.contains("\nDate: Thu, 26 Nov 2026 09:00:00 +0000\n"),
        "{mail}"
    );
    let headers = mail.lines().take_while(|line| !line.is_empty()).count();
    assert_eq!(headers, 8, "{mail}");
}

#[test]
fn a_long_list_is_cut_and_counted() {
    let many = (0..100)
        .map(|n| endpoint(&format!("s{n}"), Level::Fail, 1))
        .collect();
    let told = summary(&fleet(many), NOW);
    assert!(told.body.contains("  ... and 60 more\n"), "{}", told.body);
}

#[test]
fn a_trouble_is_the_same_whatever_its_words_and_the_order_are() {
    let told = |words: &str, level: Level| {
        let mut bad = endpoint("bad", Level::Fail, 5);
        bad.findings[0].detail = words.to_owned();
        let soon = endpoint("soon", level, 9);
        let both = match words {
            "first" => vec![bad, soon],
            _ => vec![soon, bad],
        };
        summary(&fleet(both), NOW)
    };
    let (first, second) = (told("first", Level::Warn), told("second", Level::Warn));
    assert_ne!(first.body, second.body);
    assert_eq!(
        (&first.failures, &first.trouble),
        (&second.failures, &second.trouble)
    );
    // The warning is over: that is another trouble, and the same failures.
    let over = told("first", Level::Ok);
    assert_eq!(over.failures, first.failures);
    assert_ne!(over.trouble, first.trouble);
    let mail = first.message(NOW);
    let header = format!(
        "\nX-Certcheck-Fail: {}\nX-Certcheck-Trouble: {}\n\n",
        first.failures, first.trouble
    );
    assert!(mail.contains(&header), "{mail}");
    assert_ne!(told("first", Level::Fail).failures, first.failures);
}

#[test]
fn the_hash_is_that_of_its_authors() {
    // Test vectors of draft-eastlake-fnv.
    assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
}
