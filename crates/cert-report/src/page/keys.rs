// SPDX-License-Identifier: Apache-2.0
//! Keys that several services share, and certificates that nobody serves.

use std::fmt;

use super::Page;
use crate::escape::{Text, common_name, cut};

/// How many of each are named.
const MOST: usize = 100;

pub(super) fn write(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    shared(f, page)?;
    unserved(f, page)
}

fn shared(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let keys = page.fleet.shared_keys();
    if keys.is_empty() {
        return Ok(());
    }
    f.write_str(
        "<section aria-labelledby=shared>\n<h2 id=shared>One key for several services</h2>\n<p>Whoever takes the key from one \
         of them has the others too.</p>\n<ul class=keys>\n",
    )?;
    for key in keys.iter().take(MOST) {
        let users: Vec<String> = key
            .users
            .iter()
            .take(20)
            .map(|user| cut(user, 120))
            .collect();
        write!(
            f,
            "<li><b class=\"mark shared\">shared key</b> <code>{}</code> ",
            Text(&cut(&key.sha256, 17))
        )?;
        write!(f, "{}", Text(&users.join(" · ")))?;
        if key.users.len() > users.len() {
            write!(f, " and {} more", key.users.len() - users.len())?;
        }
        f.write_str("</li>\n")?;
    }
    closing(f, keys.len())
}

fn unserved(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    let files = page.fleet.unserved();
    if files.is_empty() {
        return Ok(());
    }
    f.write_str(
        "<section aria-labelledby=unserved>\n<h2 id=unserved>Certificates that nobody serves</h2>\n<p>Forgotten, or their \
         service was not told to load them.</p>\n<ul class=keys>\n",
    )?;
    for (host, file) in files.iter().take(MOST) {
        writeln!(
            f,
            "<li><b class=\"mark unserved\">not served</b> {} <code>{}</code> on {}</li>",
            Text(&cut(&common_name(&file.subject), 100)),
            Text(&cut(&file.path, 300)),
            Text(&cut(host, 100)),
        )?;
    }
    closing(f, files.len())
}

fn closing(f: &mut fmt::Formatter<'_>, all: usize) -> fmt::Result {
    if all > MOST {
        writeln!(f, "<li>and {} more</li>", all - MOST)?;
    }
    f.write_str("</ul>\n</section>\n")
}
