// SPDX-License-Identifier: Apache-2.0
//! The options of a connection: where they are, and the faults of all of them.

use std::path::{Component, PathBuf};
use std::time::Duration;

use ansible_module::{Faults, unrendered};
use pki::Lifetime;
use vault::{Held, Secret};

pub(crate) struct Place<'a> {
    at: String,
    faults: &'a mut Faults,
}

impl<'a> Place<'a> {
    pub(crate) fn new(at: impl Into<String>, faults: &'a mut Faults) -> Self {
        Self {
            at: at.into(),
            faults,
        }
    }

    pub(crate) fn below(&mut self, option: &str) -> Place<'_> {
        Place {
            at: self.path_of(option),
            faults: self.faults,
        }
    }

    fn path_of(&self, option: &str) -> String {
        match (self.at.as_str(), option) {
            (at, "") => at.to_owned(),
            ("", option) => option.to_owned(),
            (at, option) => format!("{at}.{option}"),
        }
    }

    /// Something is wrong with an option; with all of them where it has no name.
    pub(crate) fn fault(&mut self, option: &str, why: impl Into<String>) {
        let at = self.path_of(option);
        self.faults.push(at, why);
    }

    /// An absolute path without `..`.
    pub(crate) fn absolute(&mut self, option: &str, text: &str) -> PathBuf {
        let path = PathBuf::from(text);
        let has_parent = path.components().any(|part| part == Component::ParentDir);
        if !path.is_absolute() || has_parent {
            self.fault(
                option,
                format!("'{text}' is not an absolute path without '..'"),
            );
        }
        path
    }

    /// A span between a least number of seconds and a day.
    pub(crate) fn span(&mut self, option: &str, text: &str, least: u64) -> Duration {
        match text.parse::<Lifetime>() {
            Ok(Lifetime(seconds)) if (least..=86_400).contains(&seconds) => {
                return Duration::from_secs(seconds);
            }
            Ok(_) if least == 0 => self.fault(option, format!("'{text}' is more than a day")),
            Ok(_) => self.fault(
                option,
                format!("'{text}' is not between {least} s and a day"),
            ),
            Err(error) => self.fault(option, error.to_string()),
        }
        Duration::ZERO
    }

    /// A text that becomes a part of a URL's path or a header.
    pub(crate) fn word(&mut self, option: &str, text: &str) -> String {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._/@".contains(&b);
        let inner = text.trim_matches('/');
        let has_dots = inner.split('/').any(|part| matches!(part, "" | "." | ".."));
        if !text.bytes().all(is_plain) || has_dots {
            let why = unrendered(text).unwrap_or_else(|| {
                format!("'{text}' is not letters, digits and '-._@', with single '/' between them")
            });
            self.fault(option, why);
        }
        inner.to_owned()
    }

    /// A secret that is given, or whose file is, in the option with `_file` behind it. None is no fault, both are.
    pub(crate) fn secret(
        &mut self,
        option: &str,
        given: Option<&ansible_module::Secret<String>>,
        file: Option<&str>,
    ) -> Option<Held> {
        match (given, file) {
            (None, None) => None,
            (Some(text), None) => {
                let text = text.expose().trim();
                if text.is_empty() || !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
                    self.fault(
                        option,
                        "it is empty, or has characters that no header takes",
                    );
                }
                Some(Held::Given(Secret::new(text)))
            }
            (None, Some(path)) => {
                let option = format!("{option}_file");
                Some(Held::File(self.absolute(&option, path)))
            }
            (Some(_), Some(_)) => {
                self.fault("", format!("give one of '{option}' and '{option}_file'"));
                None
            }
        }
    }

    /// The same, where one of the two must be given.
    pub(crate) fn needed_secret(
        &mut self,
        option: &str,
        given: Option<&ansible_module::Secret<String>>,
        file: Option<&str>,
    ) -> Option<Held> {
        if given.is_none() && file.is_none() {
            let rule = format!("give one of '{option}' and '{option}_file'");
            self.fault("", rule);
        }
        self.secret(option, given, file)
    }
}
