// SPDX-License-Identifier: Apache-2.0
//! The table: everything, a line for each endpoint and for each file that says more.

use std::fmt;

use super::{Page, State};
use crate::escape::{Name, Text, common_name, cut};
use crate::{Certificate, Finding, Level, Place, Row};

/// How many names are shown at once, and how many when the line is opened.
const FIRST: usize = 2;
const ALL: usize = 60;

/// The columns: their class, which sets the width, and their name.
const COLUMNS: [(&str, &str); 8] = [
    ("c-state", "State"),
    ("c-days", "Days left"),
    ("c-service", "Service"),
    ("c-host", "Where"),
    ("c-names", "Names"),
    ("c-issuer", "Issuer"),
    ("c-by", "Served by"),
    ("c-found", "Found"),
];

pub(super) fn write(f: &mut fmt::Formatter<'_>, page: &Page<'_>) -> fmt::Result {
    f.write_str("<section aria-labelledby=table class=wide>\n<h2 id=table>All of them</h2>\n")?;
    f.write_str(CONTROLS)?;
    f.write_str("<table>\n<caption class=hide>Certificates by endpoint and file, the worst and the next to end first</caption>\n<colgroup>")?;
    for (class, _) in COLUMNS {
        write!(f, "<col class={class}>")?;
    }
    f.write_str("</colgroup>\n<thead><tr>")?;
    for (_, name) in COLUMNS {
        write!(f, "<th scope=col>{name}</th>")?;
    }
    f.write_str("</tr></thead>\n<tbody>\n")?;
    for (number, row) in page.rows.iter().enumerate() {
        line(f, page, number, row)?;
    }
    f.write_str("</tbody>\n</table>\n")?;
    if page.rows.is_empty() {
        f.write_str("<p class=calm>Nothing was looked at.</p>\n")?;
    }
    f.write_str("</section>\n")
}

/// Shown by the script: without it they would do nothing.
const CONTROLS: &str = "<form class=controls hidden role=search aria-label=\"Filter the table\">\
    <label>Find <input type=search name=q placeholder=\"name, host, issuer, serial …\" autocomplete=off></label>\
    <fieldset><legend>State</legend>\
    <label><input type=checkbox name=level value=fail checked> <b class=\"s fail\">fail</b></label>\
    <label><input type=checkbox name=level value=warn checked> <b class=\"s warn\">warn</b></label>\
    <label><input type=checkbox name=level value=ok checked> <b class=\"s ok\">ok</b></label></fieldset>\
    <label>Service <select name=service><option value=\"\">all</option></select></label>\
    <label>Host <select name=host><option value=\"\">all</option></select></label>\
    <label>Issuer <select name=issuer><option value=\"\">all</option></select></label>\
    <label>Marked <select name=mark><option value=\"\">all</option><option value=shared>shared key</option>\
    <option value=unserved>not served</option></select></label>\
    <button type=reset>Show all</button><output role=status aria-live=polite></output></form>\n";

fn line(f: &mut fmt::Formatter<'_>, page: &Page<'_>, number: usize, row: &Row<'_>) -> fmt::Result {
    let ends = row.ends().map(|end| end.0.to_string()).unwrap_or_default();
    write!(
        f,
        "<tr id=r{number} data-end=\"{ends}\"><td>{}",
        State(row.level())
    )?;
    match row.ends() {
        Some(end) => write!(
            f,
            "<td class=n>{} <small>{}</small>",
            page.days(end),
            end.date()
        )?,
        None => f.write_str("<td>")?,
    }
    write!(f, "<th scope=row>{}", Text(&cut(row.service(), 120)))?;
    place(f, row)?;
    f.write_str("<td>")?;
    if let Some(leaf) = row.leaf() {
        names(f, leaf)?;
    }
    f.write_str("<td>")?;
    if let Some(leaf) = row.leaf() {
        write!(f, "{}", Text(&cut(&common_name(&leaf.issuer), 120)))?;
    }
    by(f, row)?;
    found(f, row)?;
    f.write_str("</tr>\n")
}

fn place(f: &mut fmt::Formatter<'_>, row: &Row<'_>) -> fmt::Result {
    match row.place {
        Place::Endpoint(endpoint) => {
            write!(
                f,
                "<td><span>{}</span>:{}",
                Name(&cut(&endpoint.host, 120)),
                endpoint.port
            )?;
            let address = endpoint
                .address
                .as_ref()
                .filter(|address| **address != endpoint.host);
            let protocol =
                Some(&endpoint.protocol).filter(|word| !matches!(word.as_str(), "tls" | ""));
            let more: Vec<String> = address
                .into_iter()
                .chain(protocol)
                .map(|word| cut(word, 60))
                .collect();
            if more.is_empty() {
                return Ok(());
            }
            write!(f, " <small>{}</small>", Name(&more.join(" ")))
        }
        Place::File(file) => write!(
            f,
            "<td><span>{}</span> <small>{}</small>",
            Name(&cut(row.host, 120)),
            Name(&cut(&file.path, 300))
        ),
    }
}

fn names(f: &mut fmt::Formatter<'_>, leaf: &Certificate) -> fmt::Result {
    let subject = common_name(&leaf.subject);
    let all: Vec<&str> = match leaf.names.is_empty() {
        true => vec![&subject],
        false => leaf.names.iter().map(String::as_str).collect(),
    };
    let first: Vec<String> = all.iter().take(FIRST).map(|name| cut(name, 90)).collect();
    write!(f, "<details><summary>{}", Name(&first.join(", ")))?;
    if all.len() > FIRST {
        write!(f, " <small>+{}</small>", all.len() - FIRST)?;
    }
    f.write_str("</summary><p>")?;
    for fact in facts(leaf, &all) {
        writeln!(f, "{}", Text(&fact))?;
    }
    f.write_str("</p></details>")
}

/// What a line shows when it is opened.
fn facts(leaf: &Certificate, names: &[&str]) -> Vec<String> {
    let further = names.iter().skip(FIRST).take(ALL);
    let mut all: Vec<String> = further.map(|name| cut(name, 255)).collect();
    if names.len() > FIRST + ALL {
        all.push(format!("and {} more names", names.len() - FIRST - ALL));
    }
    let bits = leaf.key.bits.map(|bits| format!("{bits} bits"));
    let key = [
        Some(leaf.key.algorithm.clone()),
        leaf.key.curve.clone(),
        bits,
    ];
    let key: Vec<String> = key
        .into_iter()
        .flatten()
        .filter(|word| !word.is_empty())
        .collect();
    let facts = [
        ("Subject", cut(&leaf.subject, 300)),
        ("Issuer", cut(&leaf.issuer, 300)),
        (
            "Valid",
            format!("{} to {}", leaf.not_before, leaf.not_after),
        ),
        ("Key", key.join(" ")),
        ("Signed", cut(&leaf.signature, 60)),
        ("Serial", cut(&leaf.serial, 80)),
        ("SHA-256", cut(&leaf.fingerprint_sha256, 100)),
    ];
    let said = facts.into_iter().filter(|(_, value)| !value.is_empty());
    all.extend(said.map(|(what, value)| format!("{what}: {value}")));
    all
}

fn by(f: &mut fmt::Formatter<'_>, row: &Row<'_>) -> fmt::Result {
    f.write_str("<td>")?;
    match row.place {
        Place::Endpoint(endpoint) => {
            let Some(by) = &endpoint.served_by else {
                return Ok(());
            };
            write!(
                f,
                "{}",
                Text(&cut(by.process.as_deref().unwrap_or_default(), 60))
            )?;
            let pid = by.pid.map(|pid| pid.to_string());
            let container = by
                .container
                .as_ref()
                .map(|name| format!("container {}", cut(name, 80)));
            let more: Vec<String> = pid.into_iter().chain(container).collect();
            write!(f, " <small>{}</small>", Text(&more.join(", ")))
        }
        Place::File(file) if file.served_at.is_empty() => f.write_str("<small>nobody</small>"),
        Place::File(file) => write!(
            f,
            "<small>{}</small>",
            Text(&cut(&file.served_at.join(", "), 200))
        ),
    }
}

fn found(f: &mut fmt::Formatter<'_>, row: &Row<'_>) -> fmt::Result {
    f.write_str("<td>")?;
    if row.shared {
        f.write_str("<b class=\"mark shared\">shared key</b> ")?;
    }
    if row.unserved {
        f.write_str("<b class=\"mark unserved\">not served</b> ")?;
    }
    row.findings()
        .iter()
        .try_for_each(|finding| one(f, finding))
}

fn one(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let quiet = if finding.level == Level::Ok {
        " class=quiet"
    } else {
        ""
    };
    write!(f, "<p{quiet}>{}</p>", Name(&cut(&finding.detail, 400)))
}
