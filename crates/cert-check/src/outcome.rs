// SPDX-License-Identifier: Apache-2.0
//! What is answered: what was found, and its problems in words.

use ansible_module::Outcome;
use cert_report::{Level, Report};
use serde_json::{Map, Value, json};

use crate::decide::all_findings;
use crate::failure::{TaskFailure, Unwritten};
use crate::request::{FailOn, Request};
use crate::task::Checked;

/// Problems that a message spells out; `problems` has all.
const SPELLED_OUT: usize = 3;

/// The answer of the task.
///
/// # Errors
/// [`TaskFailure::Found`] if the task was told to fail on what was found, and [`TaskFailure::Unwritten`] if a report could
/// not be written; both carry the same facts.
pub fn answer(request: &Request, checked: Checked) -> Result<Outcome, TaskFailure> {
    let problems = problems(&checked.report);
    let level = checked.report.level();
    let facts = facts(&checked, &problems);
    let changed = !checked.written.is_empty();
    if let Some(Unwritten { path, source }) = checked.unwritten.into_iter().next() {
        return Err(TaskFailure::Unwritten {
            path,
            source: Box::new(source),
            facts: Box::new(facts),
            changed,
            warnings: checked.warnings,
        });
    }
    let fails = match request.fail_on {
        FailOn::Never => false,
        FailOn::Fail => level == Level::Fail,
        FailOn::Warn => level >= Level::Warn,
    };
    let summary = message(&checked.report, &problems);
    if fails {
        return Err(TaskFailure::Found {
            summary,
            has_failed: level == Level::Fail,
            facts: Box::new(facts),
            changed,
            warnings: checked.warnings,
        });
    }
    Ok(Outcome {
        changed,
        msg: Some(summary),
        facts,
        diff: Vec::new(),
        warnings: checked.warnings,
        deprecations: Vec::new(),
    })
}

/// Each finding as `LEVEL service (host:port): detail [kind]`, worst first.
pub fn problems(report: &Report) -> Vec<String> {
    let mut found: Vec<_> = all_findings(report)
        .filter(|(_, finding)| finding.level > Level::Ok)
        .collect();
    found.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.level));
    let lines = found.into_iter().map(|(at, finding)| {
        let (level, kind) = (finding.level.word(), &finding.kind);
        format!("{level}: {at}: {} [{kind}]", finding.detail)
    });
    lines.collect()
}

/// How many entries are at each level.
pub fn counts(report: &Report) -> [usize; 3] {
    let endpoints = report.endpoints.iter().map(|each| each.status);
    let files = report.files.iter().map(|each| each.status);
    let mut counts = [0; 3];
    for level in endpoints.chain(files) {
        counts[match level {
            Level::Ok => 0,
            Level::Warn => 1,
            Level::Fail => 2,
        }] += 1;
    }
    counts
}

/// One sentence for people.
pub fn message(report: &Report, problems: &[String]) -> String {
    let [ok, warn, fail] = counts(report);
    let mut text = format!("{ok} ok, {warn} with warnings, {fail} failed");
    for problem in problems.iter().take(SPELLED_OUT) {
        text.push_str("; ");
        text.push_str(problem);
    }
    let more = problems.len().saturating_sub(SPELLED_OUT);
    if more > 0 {
        text.push_str(&format!("; and {more} more, see 'problems'"));
    }
    text
}

fn facts(checked: &Checked, problems: &[String]) -> Map<String, Value> {
    let report = &checked.report;
    let [ok, warn, fail] = counts(report);
    let facts = json!({
        "status": report.level().word(),
        "summary": {"ok": ok, "warn": warn, "fail": fail},
        "problems": problems,
        "endpoints": report.endpoints,
        "files": report.files,
        "shared_keys": report.shared_keys,
        "unserved": report.unserved,
        "written": checked.written,
    });
    match facts {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
