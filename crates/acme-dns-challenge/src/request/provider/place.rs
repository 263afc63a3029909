// SPDX-License-Identifier: Apache-2.0
//! The options of one way: what they mean, and where their faults are.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ansible_module::Faults;
use dns::Name;
use zeroize::Zeroizing;

use super::Secret;
use crate::request::{absolute, name, span};

/// RFC 2181 §8 allows 31 bits; a record for a minute's work needs no more than a day.
pub(super) const LONGEST_TTL: u32 = 86_400;

/// The path of the options, and the faults of all of them.
pub(super) struct Place<'a> {
    at: String,
    faults: &'a mut Faults,
}

impl<'a> Place<'a> {
    pub(super) fn new(at: String, faults: &'a mut Faults) -> Self {
        Self { at, faults }
    }

    fn path_of(&self, option: &str) -> String {
        match option {
            "" => self.at.clone(),
            option => format!("{}.{option}", self.at),
        }
    }

    /// Something is wrong with an option; with all of them where it has no name.
    pub(super) fn fault(&mut self, option: &str, why: impl Into<String>) {
        let at = self.path_of(option);
        self.faults.push(at, why);
    }

    /// What is good, or a fault.
    pub(super) fn good<T, E: ToString>(&mut self, option: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.fault(option, error.to_string()))
            .ok()
    }

    pub(super) fn absolute(&mut self, option: &str, text: &str) -> Option<PathBuf> {
        absolute(&self.path_of(option), text, self.faults)
    }

    pub(super) fn name(&mut self, option: &str, text: &str) -> Option<Name> {
        name(&self.path_of(option), text, self.faults)
    }

    pub(super) fn span(&mut self, option: &str, text: &str) -> Duration {
        span(&self.path_of(option), text, self.faults)
    }

    /// Seconds for which records may be kept, in the range that the way takes.
    pub(super) fn ttl(&mut self, given: i64, range: RangeInclusive<u32>) -> u32 {
        match u32::try_from(given) {
            Ok(ttl) if range.contains(&ttl) => ttl,
            _ => {
                let (least, most) = range.into_inner();
                self.fault("ttl", format!("give {least} to {most} seconds"));
                0
            }
        }
    }

    /// A program and its arguments.
    pub(super) fn command(&mut self, option: &str, command: &[String]) {
        if command.first().is_none_or(String::is_empty) {
            let rule = "name a program, then its arguments, each an element of the list";
            self.fault(option, rule);
        }
    }

    /// A secret that is given, or whose file is, in the option with `_file` behind it. None is no fault, both are.
    pub(super) fn secret(
        &mut self,
        option: &str,
        given: Option<&ansible_module::Secret<String>>,
        file: Option<&str>,
    ) -> Option<Secret> {
        match (given, file) {
            (None, None) => None,
            (Some(text), None) => Some(Secret::Given(Zeroizing::new(text.expose().clone()))),
            (None, Some(path)) => {
                let option = format!("{option}_file");
                self.absolute(&option, path).map(Secret::File)
            }
            (Some(_), Some(_)) => {
                let rule = format!("give one of '{option}' and '{option}_file'");
                self.fault("", rule);
                None
            }
        }
    }

    /// The same, where one of the two must be given.
    pub(super) fn needed_secret(
        &mut self,
        option: &str,
        given: Option<&ansible_module::Secret<String>>,
        file: Option<&str>,
    ) -> Option<Secret> {
        if given.is_none() && file.is_none() {
            let rule = format!("give one of '{option}' and '{option}_file'");
            self.fault("", rule);
        }
        self.secret(option, given, file)
    }

    /// An identifier, which may become a part of a URL.
    pub(super) fn word(&mut self, option: &str, text: &str) {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if text.is_empty() || !text.bytes().all(is_plain) {
            self.fault(
                option,
                "give letters, digits, '-', '.' and '_', and nothing else",
            );
        }
    }
}
