// SPDX-License-Identifier: Apache-2.0
//! The trees of authorities.

use std::fmt;

use super::Page;
use crate::Level;
use crate::authorities::Kind;
use crate::escape::{Text, common_name, cut};

/// How many certificates of an authority are named; the table has all.
const MOST: usize = 8;
/// How deep a tree is drawn. Real ones have three levels; what a server sends may be anything.
const DEEPEST: usize = 8;

pub(super) fn write(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let tops = page.authorities.tops();
    if tops.is_empty() {
        return Ok(());
    }
    f.write_str(
        "<section aria-labelledby=issuers>\n<h2 id=issuers>Who signed them</h2>\n<ul class=tree>\n",
    )?;
    for top in tops {
        authority(f, page, top, 0)?;
    }
    f.write_str("</ul>\n</section>\n")
}

/// How many certificates are below it, and how many of them are not as they should be.
fn counts(f: &mut fmt::Formatter<'_>, page: &Page<'_>, number: usize) -> fmt::Result {
    let below = page.authorities.below(number);
    write!(f, " <span class=count>{}</span>", below.len())?;
    for level in [Level::Fail, Level::Warn] {
        let count = below
            .iter()
            .filter(|row| page.rows[**row].level() == level)
            .count();
        if count > 0 {
            write!(f, " <b class=\"s {0}\">{count} {0}</b>", level.word())?;
        }
    }
    Ok(())
}

fn authority(
    f: &mut fmt::Formatter<'_>,
    page: &Page<'_>,
    number: usize,
    depth: usize,
) -> fmt::Result {
    let node = page.authorities.at(number);
    let name = cut(&common_name(&node.subject), 100);
    write!(f, "<li><details open><summary><b>{}</b>", Text(&name))?;
    let kind = match node.kind {
        Kind::Trusted => "trusted root",
        Kind::Shown if depth == 0 => "root that is not trusted here",
        Kind::Shown => "intermediate",
        Kind::Unseen => "nobody sent its certificate",
        Kind::SelfSigned => "no authority stands behind them",
    };
    write!(f, " <small>{kind}")?;
    if let Some(end) = node.not_after {
        write!(
            f,
            ", {} <time datetime=\"{end}\">{}</time>",
            page.days(end),
            end.date()
        )?;
    }
    f.write_str("</small>")?;
    counts(f, page, number)?;
    f.write_str("</summary>\n<ul>")?;
    for child in &node.children {
        if depth < DEEPEST {
            authority(f, page, *child, depth + 1)?;
        } else {
            f.write_str("<li class=leaf>and more authorities below</li>\n")?;
        }
    }
    for leaf in node.leaves.iter().take(MOST) {
        // Leaves are numbers of these rows.
        let row = &page.rows[*leaf];
        let days = row.ends().map(|end| page.days(end)).unwrap_or_default();
        writeln!(
            f,
            "<li class=\"leaf {}\"><a href=\"#r{leaf}\">{}</a> <small>{days}</small></li>",
            row.level().word(),
            Text(&cut(&row.title(), 100)),
        )?;
    }
    if node.leaves.len() > MOST {
        writeln!(
            f,
            "<li class=leaf><small>and {} more</small></li>",
            node.leaves.len() - MOST
        )?;
    }
    f.write_str("</ul></details></li>\n")
}
