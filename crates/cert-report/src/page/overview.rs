// SPDX-License-Identifier: Apache-2.0
//! The top of the page: how many of what, and what ends next.

use std::collections::HashSet;
use std::fmt;

use super::{Page, State};
use crate::escape::{Text, cut};
use crate::{Level, Moment, Report};

/// After how many seconds a report is old beside the page: a day's check did not run.
const OLD: i64 = 2 * 86_400;

pub(super) fn write(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    f.write_str("<header>\n<h1>Certificates</h1>\n")?;
    facts(f, page)?;
    f.write_str("<ul class=tiles>\n")?;
    for (level, words) in [
        (Level::Fail, "clients fail, or will at once"),
        (Level::Warn, "to be looked at"),
        (Level::Ok, "as they should be"),
    ] {
        let count = page.count(level);
        let none = if count == 0 { " none" } else { "" };
        writeln!(
            f,
            "<li class=\"tile {}{none}\"><span class=big>{count}</span> {}<span class=small>{words}</span></li>",
            level.word(),
            State(level)
        )?;
    }
    next(f, page)?;
    f.write_str("</ul>\n")?;
    old(f, page)?;
    f.write_str("</header>\n")
}

fn facts(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let reports = page.fleet.reports();
    let endpoints: usize = reports.iter().map(|report| report.endpoints.len()).sum();
    let files: usize = reports.iter().map(|report| report.files.len()).sum();
    let prints: HashSet<&str> = reports
        .iter()
        .flat_map(leaves)
        .map(|leaf| leaf.fingerprint_sha256.as_str())
        .collect();
    writeln!(
        f,
        "<p class=facts>{}, {}, {}, {} from {}. As of <time datetime=\"{now}\" data-now=\"{}\">{} UTC</time>.</p>\n\
         <p class=\"facts aged\" role=status hidden></p>",
        counted(reports.len(), "host"),
        counted(endpoints, "endpoint"),
        counted(files, "file"),
        counted(prints.len(), "certificate"),
        match page.authorities.len() {
            1 => "1 authority".to_owned(),
            many => format!("{many} authorities"),
        },
        page.now.0,
        minutes(page.now),
        now = page.now,
    )
}

fn leaves(report: &Report) -> impl Iterator<Item = &crate::Certificate> {
    let endpoints = report
        .endpoints
        .iter()
        .filter_map(|endpoint| endpoint.chain.first());
    endpoints.chain(report.files.iter().filter_map(|file| file.chain.first()))
}

/// `2026-11-26 09:00`.
fn minutes(at: Moment) -> String {
    at.to_string()
        .chars()
        .take(16)
        .collect::<String>()
        .replace('T', " ")
}

fn counted(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

/// The first certificate to end of those that have not yet.
fn next(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let coming = page
        .rows
        .iter()
        .filter_map(|row| Some((row, row.ends().filter(|end| *end >= page.now)?)));
    let Some((row, end)) = coming.min_by_key(|(_, end)| *end) else {
        return Ok(());
    };
    let days = end.days_after(page.now);
    let word = if days == 1 { "day" } else { "days" };
    writeln!(
        f,
        "<li class=\"tile next\"><span class=big>{days}</span> <b>{word}</b><span class=small>until {} ends, <time \
         datetime=\"{end}\">{}</time></span></li>",
        Text(&cut(&row.title(), 70)),
        end.date(),
    )
}

/// Reports that are older than the page: what they say may have changed.
fn old(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let old: Vec<String> = page
        .fleet
        .reports()
        .iter()
        .filter(|report| page.now.0.saturating_sub(report.generated_at.0) > OLD)
        .map(|report| format!("{} ({})", report.host, report.generated_at.date()))
        .collect();
    if old.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "<p class=\"note warn\">{} Their check has not run for more than two days: {}.</p>",
        State(Level::Warn),
        Text(&cut(&old.join(", "), 600))
    )
}
