// SPDX-License-Identifier: Apache-2.0
//! What a person is told: the subject of a mail, and its text.

use std::fmt;

use crate::escape::{common_name, cut, is_deceptive};
use crate::{Fleet, Level, Moment, Row};

/// How many entries of a level are told; the page has all.
const MOST: usize = 40;

/// What a person is told of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The worst of everything: whether there is anything to tell.
    pub level: Level,
    /// One line of ASCII.
    pub subject: String,
    /// The text, without the headers of a mail.
    pub body: String,
    /// Tells one trouble from another: the same as long as the same entries have the same findings at the same levels,
    /// whatever their words are. Only what failed.
    pub failures: String,
    /// The same of warnings and failures.
    pub trouble: String,
}

/// Sums up what was found, as of `now`.
pub fn summary(fleet: &Fleet, now: Moment) -> Summary {
    let rows = fleet.rows();
    Summary {
        level: fleet.level(),
        subject: subject(fleet, &rows, now),
        body: Body {
            fleet,
            rows: &rows,
            now,
        }
        .to_string(),
        failures: identity(&rows, Level::Fail),
        trouble: identity(&rows, Level::Warn),
    }
}

impl Summary {
    /// The mail (RFC 5322) but for From and To, which whoever sends it puts before it. Two headers of its own say whether
    /// it is the trouble that was told before.
    pub fn message(&self, now: Moment) -> String {
        format!(
            "Subject: {}\nDate: {}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n\
             X-Certcheck-Fail: {}\nX-Certcheck-Trouble: {}\n\n{}",
            self.subject,
            now.mail_date(),
            self.failures,
            self.trouble,
            self.body
        )
    }
}

/// A short word for what is wrong from a level on. Details are not in it: they count days and seconds.
fn identity(rows: &[Row<'_>], least: Level) -> String {
    let mut found: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            let at = (row.host, row.title());
            let bad = row.findings().iter().filter(|each| each.level >= least);
            // Quoted, so that no name of a stranger ends one part and begins the next.
            bad.map(move |each| format!("{at:?} {:?} {}\n", each.kind, each.level.word()))
        })
        .collect();
    found.sort();
    found.dedup();
    format!("{:016x}", fnv1a(found.concat().as_bytes()))
}

/// FNV-1a with 64 bits. Nobody gains from a collision, and the number is the same in each build.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A value of a header: one line of ASCII, so that nothing that came from outside begins another header.
fn header(text: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    cut(text, 180)
        .replace('…', "...")
        .chars()
        .map(safe)
        .collect()
}

/// A line of the text: names of strangers neither end it nor turn it around.
fn line(text: &str, most: usize) -> String {
    let safe = |c: char| if is_deceptive(c) { '\u{fffd}' } else { c };
    cut(text, most).chars().map(safe).collect()
}

fn count(rows: &[Row<'_>], level: Level) -> usize {
    rows.iter().filter(|row| row.level() == level).count()
}

fn subject(fleet: &Fleet, rows: &[Row<'_>], now: Moment) -> String {
    let on = match fleet.reports() {
        [one] => one.host.clone(),
        many => format!("{} hosts", many.len()),
    };
    let (fail, warn) = (count(rows, Level::Fail), count(rows, Level::Warn));
    let next = next_to_end(rows, now)
        .map(|(row, days)| format!("; next to end: {} in {days} d", row.title()))
        .unwrap_or_default();
    let verdict = if fail + warn == 0 {
        "all well".to_owned()
    } else {
        format!("{fail} fail, {warn} warn")
    };
    header(&format!("[certcheck] {on}: {verdict}{next}"))
}

/// The first certificate to end of those that have not yet.
fn next_to_end<'a, 'r>(rows: &'a [Row<'r>], now: Moment) -> Option<(&'a Row<'r>, i64)> {
    rows.iter()
        .filter_map(|row| Some((row, row.ends().filter(|end| *end >= now)?)))
        .min_by_key(|(_, end)| *end)
        .map(|(row, end)| (row, end.days_after(now)))
}

struct Body<'a> {
    fleet: &'a Fleet,
    rows: &'a [Row<'a>],
    now: Moment,
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, title) in [(Level::Fail, "FAIL"), (Level::Warn, "WARN")] {
            self.level(f, level, title)?;
        }
        self.ends(f)?;
        self.keys(f)?;
        let (hosts, ok) = (self.fleet.reports().len(), count(self.rows, Level::Ok));
        writeln!(
            f,
            "{} looked at on {hosts} host(s), {ok} as they should be.",
            self.rows.len()
        )?;
        writeln!(f, "As of {}.", self.now)
    }
}

impl Body<'_> {
    fn level(&self, f: &mut fmt::Formatter<'_>, level: Level, title: &str) -> fmt::Result {
        let all: Vec<&Row<'_>> = self
            .rows
            .iter()
            .filter(|row| row.level() == level)
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        writeln!(f, "{title} ({})\n", all.len())?;
        for row in all.iter().take(MOST) {
            writeln!(f, "  {}", line(&row.title(), 200))?;
            for finding in row.findings() {
                writeln!(f, "    {}", line(&finding.detail, 400))?;
            }
        }
        if all.len() > MOST {
            writeln!(f, "  ... and {} more", all.len() - MOST)?;
        }
        writeln!(f)
    }

    fn ends(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut next: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| Some((row, row.leaf()?)))
            .filter(|(_, leaf)| leaf.not_after >= self.now)
            .collect();
        next.sort_by_key(|(_, leaf)| leaf.not_after);
        if next.is_empty() {
            return Ok(());
        }
        writeln!(f, "NEXT TO END\n")?;
        for (row, leaf) in next.iter().take(5) {
            let (days, date) = (leaf.not_after.days_after(self.now), leaf.not_after.date());
            let issuer = line(&common_name(&leaf.issuer), 60);
            writeln!(
                f,
                "  {days:>5} days  {date}  {}, by {issuer}",
                line(&row.title(), 120)
            )?;
        }
        writeln!(f)
    }

    fn keys(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.fleet.shared_keys();
        if shared.is_empty() {
            return Ok(());
        }
        writeln!(f, "ONE KEY FOR SEVERAL SERVICES\n")?;
        for key in shared.iter().take(MOST) {
            writeln!(f, "  {}", line(&key.users.join("; "), 400))?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests;
