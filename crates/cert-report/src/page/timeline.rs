// SPDX-License-Identifier: Apache-2.0
//! When the certificates of the whole fleet end, counted: a bar for each day, week or month.

use std::collections::HashMap;
use std::fmt;

use super::Page;
use crate::{Level, Moment};

const DAY: i64 = 86_400;
/// What ends later is in the last bar.
const MOST_DAYS: i64 = 420;
/// The drawing, in its own units.
const LEFT: i64 = 44;
const WIDTH: i64 = 1120;
const HEIGHT: i64 = 140;
/// What is free above the highest bar, for its number.
const TOP: i64 = 16;
/// The bars for what has ended, and for what ends later.
const OUTER: i64 = 64;

/// Certificates of each level in one bar: fail, warn, ok.
type Counts = [i64; 3];

/// The bars, and what they stand for.
struct Bars {
    /// Days of one bar.
    step: i64,
    ended: Counts,
    bars: Vec<Counts>,
    later: Counts,
}

pub(super) fn write(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let ends = ends(page);
    if ends.is_empty() {
        return Ok(());
    }
    let bars = Bars::of(&ends, page.now);
    writeln!(
        f,
        "<section aria-labelledby=timeline>\n<h2 id=timeline>When they end</h2>\n\
         <div class=scroll tabindex=0 role=group aria-labelledby=timeline><svg class=bars viewBox=\"0 0 {} {}\" role=img \
         aria-label=\"{}\">{}",
        LEFT + WIDTH + 8,
        HEIGHT + 48,
        bars.told(),
        PATTERNS,
    )?;
    bars.draw(f, page.now)?;
    writeln!(
        f,
        "</svg></div>\n<p class=legend>{} per bar. <span class=\"key fail\">fail</span> <span class=\"key warn\">warn</span> \
         <span class=\"key ok\">ok</span></p>\n</section>",
        match bars.step {
            1 => "One day".to_owned(),
            days => format!("{days} days"),
        }
    )
}

/// The levels differ in their filling too, for paper and for eyes that do not tell the colours apart.
const PATTERNS: &str = "<defs><pattern id=hatch width=6 height=6 patternUnits=userSpaceOnUse patternTransform=\"rotate(45)\">\
    <rect width=6 height=6 class=under /><rect width=3 height=6 class=over /></pattern></defs>";

/// Each certificate once, with the worst that is said of it.
fn ends(page: &Page<'_>) -> Vec<(Moment, Level)> {
    let mut all = HashMap::<&str, (Moment, Level)>::new();
    for row in page.rows {
        if let Some(leaf) = row.leaf() {
            let known = all
                .entry(&leaf.fingerprint_sha256)
                .or_insert_with(|| (leaf.not_after, row.level()));
            known.1 = known.1.max(row.level());
        }
    }
    all.into_values().collect()
}

impl Bars {
    fn of(ends: &[(Moment, Level)], now: Moment) -> Self {
        let days = |end: Moment| end.days_after(now);
        let far = ends
            .iter()
            .map(|(end, _)| days(*end))
            .filter(|days| *days < MOST_DAYS)
            .max();
        let range = far.unwrap_or(0).max(13) + 1;
        let step = [1, 2, 7, 14]
            .into_iter()
            .find(|step| range <= step * 60)
            .unwrap_or(14);
        let last = usize::try_from((range + step - 1) / step).unwrap_or(1);
        let mut all = Self {
            step,
            ended: [0; 3],
            bars: vec![[0; 3]; last],
            later: [0; 3],
        };
        for (end, level) in ends {
            let bar = if *end < now {
                &mut all.ended
            } else {
                usize::try_from(days(*end) / step)
                    .ok()
                    .and_then(|at| all.bars.get_mut(at))
                    .unwrap_or(&mut all.later)
            };
            bar[place(*level)] += 1;
        }
        all
    }

    /// For whoever does not see the drawing.
    fn told(&self) -> String {
        let within = |days: i64| -> i64 {
            let bars = usize::try_from(days / self.step).unwrap_or(0);
            self.bars.iter().take(bars.max(1)).map(sum).sum()
        };
        format!(
            "{} ended; {} end within about 30 days, {} within about 90; {} later than shown. The table has each.",
            sum(&self.ended),
            within(30),
            within(90),
            sum(&self.later)
        )
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>, now: Moment) -> fmt::Result {
        let highest = [&self.ended, &self.later]
            .into_iter()
            .chain(&self.bars)
            .map(sum)
            .max()
            .unwrap_or(1)
            .max(1);
        let (begin, end) = (LEFT + OUTER, LEFT + WIDTH - OUTER);
        let count = i64::try_from(self.bars.len()).unwrap_or(1).max(1);
        let at = |bar: i64| begin + (end - begin) * bar / count;
        self.axis(f, highest, now, begin, end)?;
        bar(f, &self.ended, LEFT + 4, 28, highest, "ended")?;
        for (number, counts) in (0..).zip(&self.bars) {
            let from = Moment(now.0 + number * self.step * DAY);
            let gap = if count > 40 { 1 } else { 3 };
            bar(
                f,
                counts,
                at(number),
                (at(number + 1) - at(number) - gap).max(1),
                highest,
                &from.date(),
            )?;
        }
        bar(f, &self.later, end + 24, 28, highest, "later")
    }

    fn axis(
        &self,
        f: &mut fmt::Formatter<'_>,
        highest: i64,
        now: Moment,
        begin: i64,
        end: i64,
    ) -> fmt::Result {
        let floor = HEIGHT + 8;
        write!(
            f,
            "<line class=axis x1={LEFT} y1={floor} x2={} y2={floor} />",
            LEFT + WIDTH
        )?;
        write!(
            f,
            "<line class=grid x1={LEFT} y1=8 x2={} y2=8 />",
            LEFT + WIDTH
        )?;
        write!(
            f,
            "<text class=num x={} y=12>{highest}</text><text class=num x={0} y={floor}>0</text>",
            LEFT - 6
        )?;
        write!(
            f,
            "<text class=mid x={} y={}>ended</text>",
            LEFT + OUTER / 2,
            floor + 18
        )?;
        write!(
            f,
            "<text class=mid x={} y={}>later</text>",
            end + OUTER / 2,
            floor + 18
        )?;
        write!(
            f,
            "<line class=now x1={begin} y1=8 x2={begin} y2={} />",
            floor + 6
        )?;
        let range = i64::try_from(self.bars.len()).unwrap_or(1) * self.step;
        let mut free = begin;
        for (day, text) in marks(now, range) {
            let x = begin + (end - begin) * day / range.max(1);
            if x < free || x > end - 30 {
                continue;
            }
            write!(
                f,
                "<line class=axis x1={x} y1={floor} x2={x} y2={} />",
                floor + 6
            )?;
            write!(f, "<text x={} y={}>{text}</text>", x + 3, floor + 18)?;
            free = x + 74;
        }
        Ok(())
    }
}

/// Today, and each month's first day, with how they are written below the axis.
fn marks(now: Moment, range: i64) -> Vec<(i64, String)> {
    let mut all = vec![(0, "today".to_owned())];
    for day in 1..range {
        let date = Moment(now.0 + day * DAY).date();
        if date.ends_with("-01") || (range < 40 && day % 7 == 0) {
            all.push((
                day,
                if range < 40 {
                    date[5..].to_owned()
                } else {
                    month(&date)
                },
            ));
        }
    }
    all
}

/// `2027-01-01` as `Jan 2027`.
fn month(date: &str) -> String {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let number: usize = date
        .get(5..7)
        .and_then(|month| month.parse().ok())
        .unwrap_or(1);
    let name = NAMES
        .get(number.saturating_sub(1))
        .copied()
        .unwrap_or_default();
    format!("{name} {}", date.get(..4).unwrap_or_default())
}

/// One bar: failures at the bottom, where they are seen first.
fn bar(
    f: &mut fmt::Formatter<'_>,
    counts: &Counts,
    x: i64,
    width: i64,
    highest: i64,
    name: &str,
) -> fmt::Result {
    let all = sum(counts);
    if all == 0 {
        return Ok(());
    }
    let said: Vec<String> = [Level::Fail, Level::Warn, Level::Ok]
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(level, count)| format!("{count} {}", level.word()))
        .collect();
    write!(f, "<g><title>{name}: {}</title>", said.join(", "))?;
    let mut floor = HEIGHT + 8;
    for (level, count) in [Level::Fail, Level::Warn, Level::Ok]
        .into_iter()
        .zip(counts)
    {
        if *count == 0 {
            continue;
        }
        // Also one of thousands is seen.
        let height = ((HEIGHT - TOP) * count / highest).max(3);
        floor = (floor - height).max(2);
        write!(
            f,
            "<rect class=\"b {}\" x={x} y={floor} width={width} height={height} />",
            level.word()
        )?;
    }
    if width >= 18 {
        write!(
            f,
            "<text class=mid x={} y={}>{all}</text>",
            x + width / 2,
            (floor - 4).max(8)
        )?;
    }
    f.write_str("</g>")
}

fn sum(counts: &Counts) -> i64 {
    counts.iter().sum()
}

fn place(level: Level) -> usize {
    match level {
        Level::Fail => 0,
        Level::Warn => 1,
        Level::Ok => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_day_or_more_so_that_there_are_not_too_many() {
        let now = Moment(0);
        let step = |days: i64| Bars::of(&[(Moment(days * DAY), Level::Ok)], now).step;
        assert_eq!(
            [step(13), step(59), step(60), step(90), step(398)],
            [1, 1, 2, 2, 7]
        );
        assert_eq!(
            Bars::of(&[(Moment(9_000 * DAY), Level::Ok)], now).later,
            [0, 0, 1]
        );
    }

    #[test]
    fn what_has_ended_stands_by_itself() {
        let now = Moment(100 * DAY);
        let ends = [
            (Moment(100 * DAY - 1), Level::Fail),
            (now, Level::Warn),
            (Moment(101 * DAY), Level::Ok),
        ];
        let bars = Bars::of(&ends, now);
        assert_eq!(
            (bars.ended, bars.bars[0], bars.bars[1]),
            ([1, 0, 0], [0, 1, 0], [0, 0, 1])
        );
        assert!(
            bars.told().starts_with("1 ended; 2 end within"),
            "{}",
            bars.told()
        );
    }

    #[test]
    fn months_are_named() {
        assert_eq!(month("2027-01-01"), "Jan 2027");
        assert_eq!(marks(Moment(0), 60)[1], (31, "Feb 1970".to_owned()));
    }
}
