// SPDX-License-Identifier: Apache-2.0
//! The lives of the certificates that end next, each a lane: from its beginning, over today, to its end.

use std::collections::HashSet;
use std::fmt;

use super::Page;
use crate::escape::{Text, cut};
use crate::{Certificate, Moment, Row};

/// How many lanes.
const MOST: usize = 16;
/// The drawing, in its own units: names, lanes, days.
const NAMES: i64 = 330;
const LANES: i64 = 660;
const WIDTH: i64 = 1172;
const LANE: i64 = 26;

pub(super) fn write(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let next = next(page);
    if next.is_empty() {
        return Ok(());
    }
    let height = LANE * i64::try_from(next.len()).unwrap_or(0) + 30;
    writeln!(
        f,
        "<section aria-labelledby=next>\n<h2 id=next>The next to end</h2>\n<div class=scroll tabindex=0 role=group \
         aria-labelledby=next><svg class=lanes viewBox=\"0 0 {WIDTH} {height}\" role=img aria-label=\"The {} certificates that \
         end next, from their beginning over today to their end. The table has the same in words.\">",
        next.len(),
    )?;
    let window = Window::of(&next, page.now);
    for (number, (row, leaf)) in (0..).zip(&next) {
        lane(f, page, &window, row, leaf, number * LANE)?;
    }
    let today = window.x(page.now);
    write!(
        f,
        "<line class=now x1={today} y1=0 x2={today} y2={} />",
        height - 20
    )?;
    write!(f, "<text class=mid x={today} y={}>today</text>", height - 5)?;
    for (at, anchor) in [(window.from, ""), (window.to, " class=end")] {
        let x = window.x(at);
        write!(
            f,
            "<text{anchor} x={x} y={}>{}</text>",
            height - 5,
            at.date()
        )?;
    }
    f.write_str("</svg></div>\n</section>\n")
}

/// Those that end next, and those that have ended: each certificate once.
fn next<'a>(page: &Page<'a>) -> Vec<(&'a Row<'a>, &'a Certificate)> {
    let mut all: Vec<_> = page
        .rows
        .iter()
        .filter_map(|row| Some((row, row.leaf()?)))
        .collect();
    all.sort_by_key(|(_, leaf)| leaf.not_after);
    let mut seen = HashSet::new();
    all.retain(|(_, leaf)| seen.insert(&leaf.fingerprint_sha256));
    all.truncate(MOST);
    all
}

/// What the lanes show of time: today at a third, so that most is what is left.
struct Window {
    from: Moment,
    to: Moment,
}

impl Window {
    fn of(lanes: &[(&Row<'_>, &Certificate)], now: Moment) -> Self {
        let last = lanes
            .iter()
            .map(|(_, leaf)| leaf.not_after)
            .max()
            .unwrap_or(now);
        let left = (last.0.saturating_sub(now.0)).clamp(14 * 86_400, 400 * 86_400);
        Self {
            from: Moment(now.0 - left / 2),
            to: Moment(now.0 + left),
        }
    }

    fn x(&self, at: Moment) -> i64 {
        let at = at.0.clamp(self.from.0, self.to.0) - self.from.0;
        NAMES + LANES * at / (self.to.0 - self.from.0).max(1)
    }
}

fn lane(
    f: &mut fmt::Formatter<'_>,
    page: &Page<'_>,
    window: &Window,
    row: &Row<'_>,
    leaf: &Certificate,
    top: i64,
) -> fmt::Result {
    let level = row.level().word();
    let (begin, end, today) = (
        window.x(leaf.not_before),
        window.x(leaf.not_after),
        window.x(page.now),
    );
    let (bar, text) = (top + 6, top + 17);
    write!(
        f,
        "<g><title>{}: {} to {}</title>",
        Text(&cut(&row.title(), 200)),
        leaf.not_before,
        leaf.not_after
    )?;
    write!(
        f,
        "<text class=end x={} y={text}>{}</text>",
        NAMES - 12,
        Text(&cut(&row.title(), 42))
    )?;
    write!(
        f,
        "<rect class=track x={NAMES} y={bar} width={LANES} height=14 rx=3 />"
    )?;
    let lived = end.min(today) - begin;
    if lived > 0 {
        write!(
            f,
            "<rect class=lived x={begin} y={bar} width={lived} height=14 />"
        )?;
    }
    let left = end - begin.max(today);
    if left > 0 {
        write!(
            f,
            "<rect class=\"b {level}\" x={} y={bar} width={left} height=14 />",
            begin.max(today)
        )?;
    } else {
        write!(
            f,
            "<rect class=\"b {level}\" x={} y={bar} width=4 height=14 />",
            (end - 2).max(NAMES)
        )?;
    }
    write!(
        f,
        "<text x={} y={text}>{}</text><text class=\"end t {level}\" x={WIDTH} y={text}>{level}</text></g>",
        NAMES + LANES + 12,
        page.days(leaf.not_after),
    )
}
