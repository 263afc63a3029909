// SPDX-License-Identifier: Apache-2.0
//! Any program.

use std::time::{Duration, SystemTime};

use ansible_module::{Element, Kind, OptionSpec};
use dns::publish::{Hook, Publisher};
use serde::Deserialize;

use super::place::{LONGEST_TTL, Place};
use super::{Given, Provider, Way};
use crate::failure::CertificateError;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("command", Kind::List(Element::Str)).required(),
    OptionSpec::new("ttl", Kind::Int).default("60"),
    OptionSpec::new("timeout", Kind::Str).default(r#""5m""#),
];

/// The options of a program.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub command: Vec<String>,
    pub ttl: i64,
    pub timeout: String,
}

#[derive(Debug)]
struct Program {
    command: Vec<String>,
    within: Duration,
}

impl Given for Params {
    const NAME: &'static str = "hook";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        at.command("command", &self.command);
        let ttl = at.ttl(self.ttl, 0..=LONGEST_TTL);
        let within = at.span("timeout", &self.timeout);
        let command = self.command.clone();
        Some(Provider::new(ttl, Program { command, within }))
    }
}

impl Way for Program {
    fn open(&self, _: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        Ok(Box::new(Hook {
            command: self.command.clone(),
            within: self.within,
        }))
    }
}
