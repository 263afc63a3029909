// SPDX-License-Identifier: Apache-2.0
//! The page: the whole fleet in one file of HTML, without a server and without anything from outside.
//!
//! All of it is there without scripts; the script only sorts and filters what is there. The policy in the page
//! lets nothing run or load but the one style and the one script whose digests it names.

mod attention;
mod issuers;
mod keys;
mod lanes;
mod overview;
mod table;
mod timeline;

use std::fmt;

use crate::authorities::Authorities;
use crate::escape::Text;
use crate::{Fleet, Level, Moment, Row};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");
/// The digests of [`STYLE`] and [`SCRIPT`], between the tags as they stand. A test has openssl compute them.
const STYLE_SHA256: &str = "kIl8CWYYPw63E4m0mT7ws4ARCEMSAdvj6fENcFrsmjg=";
const SCRIPT_SHA256: &str = "EJA9DCDjkerNl1uv4bFLd9DoKHk4B9p7z+VX1Pe4FzY=";

/// The page of a fleet. Days are counted from `now`.
pub fn page(fleet: &Fleet, now: Moment) -> String {
    let rows = fleet.rows();
    let authorities = Authorities::above(&rows);
    Page {
        fleet,
        rows: &rows,
        authorities: &authorities,
        now,
    }
    .to_string()
}

/// What the parts of the page are made of.
#[derive(Clone, Copy)]
struct Page<'a> {
    fleet: &'a Fleet,
    rows: &'a [Row<'a>],
    authorities: &'a Authorities,
    now: Moment,
}

impl Page<'_> {
    fn count(&self, level: Level) -> usize {
        self.rows.iter().filter(|row| row.level() == level).count()
    }

    /// Days from now until a certificate ends, for people.
    fn days(&self, end: Moment) -> String {
        match end.days_after(self.now) {
            1 => "1 day".to_owned(),
            days @ 0..=36_500 => format!("{days} days"),
            36_501.. => "no end in sight".to_owned(),
            -1 => "ended today".to_owned(),
            -2 => "ended 1 day ago".to_owned(),
            days => format!("ended {} days ago", -(days + 1)),
        }
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        f.write_str("<body>\n<a class=skip href=\"#table\">To the table</a>\n")?;
        overview::write(f, self)?;
        f.write_str("<main>\n")?;
        attention::write(f, self)?;
        timeline::write(f, self)?;
        lanes::write(f, self)?;
        table::write(f, self)?;
        issuers::write(f, self)?;
        keys::write(f, self)?;
        f.write_str("</main>\n")?;
        writeln!(
            f,
            "<footer><p>Written by <b>cert_check</b> of tls.everywhere, as of <time datetime=\"{0}\">{0}</time>. \
             Days are whole days from then.</p></footer>",
            self.now
        )?;
        write!(f, "<script>{SCRIPT}</script>\n</body>\n</html>\n")
    }
}

impl Page<'_> {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = match self.fleet.reports() {
            [one] => one.host.clone(),
            many => format!("{} hosts", many.len()),
        };
        writeln!(
            f,
            "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{STYLE_SHA256}'; \
             script-src 'sha256-{SCRIPT_SHA256}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
             <meta name=color-scheme content=\"light dark\">\n<meta name=referrer content=no-referrer>\n\
             <meta name=generator content=\"tls.everywhere cert_check\">\n\
             <title>Certificates of {}: {} fail, {} warn, {} ok</title>\n<style>{STYLE}</style>\n</head>",
            Text(&hosts),
            self.count(Level::Fail),
            self.count(Level::Warn),
            self.count(Level::Ok),
        )
    }
}

/// A state: a shape and a word, and only then a colour.
struct State(Level);

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<b class=\"s {0}\">{0}</b>", self.0.word())
    }
}

#[cfg(test)]
mod tests;
