// SPDX-License-Identifier: Apache-2.0
//! What needs attention, said before anything else.

use std::fmt;

use super::{Page, State};
use crate::Level;
use crate::escape::{Text, cut};

/// How many are said here; the table has all.
const MOST: usize = 12;

pub(super) fn write(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    f.write_str(
        "<section aria-labelledby=attention>\n<h2 id=attention>What needs attention</h2>\n",
    )?;
    // The rows are in this order: failures first.
    let bad: Vec<_> = page
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.level() != Level::Ok)
        .collect();
    if bad.is_empty() {
        return f.write_str(
            "<p class=calm>Nothing. Every certificate is served as it should be.</p>\n</section>\n",
        );
    }
    f.write_str("<ul class=attention>\n")?;
    for (number, row) in bad.iter().take(MOST) {
        write!(
            f,
            "<li>{}<div><a href=\"#r{number}\">{}</a>",
            State(row.level()),
            Text(&cut(&row.title(), 160))
        )?;
        let said = row
            .findings()
            .iter()
            .filter(|finding| finding.level != Level::Ok);
        for finding in said.take(4) {
            write!(f, "<p>{}</p>", Text(&cut(&finding.detail, 400)))?;
        }
        f.write_str("</div></li>\n")?;
    }
    f.write_str("</ul>\n")?;
    if bad.len() > MOST {
        writeln!(
            f,
            "<p class=more><a href=\"#table\">{} more are first in the table</a></p>",
            bad.len() - MOST
        )?;
    }
    f.write_str("</section>\n")
}
