// SPDX-License-Identifier: Apache-2.0
//! Our part of a zone file.

use std::fmt::Write as _;

use crate::Name;

const BEGIN: &str = "; BEGIN tls.everywhere: text records of challenges, written by programs";
const END: &str = "; END tls.everywhere";
const SINCE: &str = " ; since ";

/// A record of the section.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) owner: Name,
    /// As in a zone file.
    pub(super) text: String,
    pub(super) ttl: u32,
    /// When it was written, in seconds since 1970.
    pub(super) since: u64,
}

impl Entry {
    fn is_same_record(&self, other: &Self) -> bool {
        self.owner == other.owner && self.text == other.text
    }

    /// `h1.acme.example. 60 IN TXT "…" ; since 1800000000`
    fn read(line: &str) -> Option<Self> {
        let (record, since) = line.rsplit_once(SINCE)?;
        let mut fields = record.splitn(5, ' ');
        let (owner, ttl) = (fields.next()?, fields.next()?);
        let is_text = fields.next()? == "IN" && fields.next()? == "TXT";
        is_text.then_some(())?;
        Some(Self {
            owner: owner.parse().ok()?,
            text: fields.next()?.to_owned(),
            ttl: ttl.parse().ok()?,
            since: since.parse().ok()?,
        })
    }
}

/// A zone file, taken apart: what is before our section, the section, what is behind it.
#[derive(Debug)]
pub(super) struct Section {
    before: String,
    after: String,
    pub(super) entries: Vec<Entry>,
}

impl Section {
    /// A file without a section has an empty one at its end.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut section = Self {
            before: String::new(),
            after: String::new(),
            entries: Vec::new(),
        };
        let mut place = Place::Before;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end();
            match place {
                Place::Before if bare == BEGIN => place = Place::Inside,
                Place::Before => section.before.push_str(line),
                Place::Inside if bare == END => place = Place::After,
                Place::Inside => section.entries.push(Entry::read(bare).ok_or_else(|| {
                    format!("the line '{bare}' is in the section of challenges and was not written by us; move it out")
                })?),
                Place::After if bare == BEGIN => {
                    return Err("it has two sections of challenges; remove one".into());
                }
                Place::After => section.after.push_str(line),
            }
        }
        match place {
            Place::Inside => Err(format!("the line '{END}' is missing")),
            _ => Ok(section),
        }
    }

    pub(super) fn write(&self) -> String {
        let mut text = self.before.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let _ = writeln!(text, "{BEGIN}");
        for entry in &self.entries {
            let Entry {
                owner,
                text: value,
                ttl,
                since,
            } = entry;
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{} {ttl} IN TXT {value}{SINCE}{since}",
                owner.absolute()
            );
        }
        let _ = writeln!(text, "{END}");
        text.push_str(&self.after);
        text
    }

    /// Takes out what was written before that time.
    pub(super) fn forget_before(&mut self, time: u64) {
        self.entries.retain(|entry| entry.since >= time);
    }

    /// Adds entries; those that are there already and not older than `young` stay as they are.
    pub(super) fn add(&mut self, entries: Vec<Entry>, young: u64) {
        for entry in entries {
            let known = self
                .entries
                .iter_mut()
                .find(|known| known.is_same_record(&entry));
            match known {
                Some(known) if known.since >= young => {}
                Some(known) => *known = entry,
                None => self.entries.push(entry),
            }
        }
    }

    pub(super) fn remove(&mut self, entries: &[Entry]) {
        self.entries
            .retain(|known| !entries.iter().any(|entry| entry.is_same_record(known)));
    }
}

#[derive(Clone, Copy)]
enum Place {
    Before,
    Inside,
    After,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn entry(owner: &str, text: &str, since: u64) -> Entry {
        Entry {
            owner: owner.parse().unwrap(),
            text: format!("\"{text}\""),
            ttl: 60,
            since,
        }
    }

    #[test]
    fn what_is_around_the_section_stays_byte_for_byte() {
        let text = "a\r\n\n; x\n; BEGIN tls.everywhere: text records of challenges, written by programs\n\
                    h1.x. 60 IN TXT \"a; b\" \"c ; since 1\" ; since 7\n; END tls.everywhere\nz";
        let section = Section::read(text).unwrap();
        assert_eq!(
            section.entries,
            [Entry {
                text: "\"a; b\" \"c ; since 1\"".into(),
                ..entry("h1.x", "", 7)
            }]
        );
        assert_eq!(section.write(), text);
        let without = Section::read("a").unwrap();
        assert!(without.write().starts_with("a\n; BEGIN"));
    }

    #[test]
    fn entries_are_added_kept_and_forgotten_by_their_time() {
        let mut section = Section::read("").unwrap();
        section.add(vec![entry("a", "x", 100), entry("b", "y", 50)], 0);
        section.add(vec![entry("a", "x", 200), entry("b", "y", 200)], 100);
        assert_eq!(
            section.entries,
            [entry("a", "x", 100), entry("b", "y", 200)]
        );
        section.remove(&[entry("b", "z", 0), entry("a", "y", 0)]);
        assert_eq!(section.entries.len(), 2);
        section.forget_before(101);
        assert_eq!(section.entries, [entry("b", "y", 200)]);
        section.remove(&[entry("b", "y", 0)]);
        assert!(section.entries.is_empty());
    }

    #[test]
    fn a_section_that_somebody_changed_is_refused() {
        for (text, why) in [
            (format!("{BEGIN}\n"), format!("the line '{END}' is missing")),
            (
                format!("{BEGIN}\nwww A 192.0.2.1\n{END}\n"),
                "the line 'www A 192.0.2.1' is in the section of challenges and was not written by us; move it out".into(),
            ),
            (
                format!("{BEGIN}\n{END}\n{BEGIN}\n{END}\n"),
                "it has two sections of challenges; remove one".into(),
            ),
        ] {
            assert_eq!(Section::read(&text).unwrap_err(), why);
        }
    }
}
