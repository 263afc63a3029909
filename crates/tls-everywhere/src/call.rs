// SPDX-License-Identifier: Apache-2.0
//! Which module a command line calls.
//!
//! | call | what is meant |
//! |---|---|
//! | `cert_request ARGS`, by whatever link or copy of that name | the module `cert_request` |
//! | `AnsiballZ_cert_request ARGS` | the same: so Ansible names a copy of a binary module on the target |
//! | any other name, `cert_request ARGS` | the same |
//! | any other name, `--commit` | the committer, which is `/proc/self/exe` of a module that changes files |
//! | any other name, `--version` | the version |

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use ansible_module::Failure;

/// What Ansible writes before the name of a module that it copies to a target.
const ANSIBLE_PREFIX: &str = "AnsiballZ_";

/// A module and its way in.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Its main function, on the arguments behind its name.
    pub(crate) main: fn(Vec<OsString>) -> ExitCode,
}

impl Entry {
    pub(crate) const fn new(name: &'static str, main: fn(Vec<OsString>) -> ExitCode) -> Self {
        Self { name, main }
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Call {
    /// This module, on these arguments.
    Module(&'static Entry, Vec<OsString>),
    /// The renames of a module that has started us.
    Committer,
    /// Name and version.
    Version,
    /// Nothing that there is.
    Nothing(Wrong),
}

/// The operator should name a module.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Wrong {
    #[error(
        "no module is named; as the name of the call or the first argument, give one of {known}"
    )]
    Missing { known: String },
    #[error(
        "'{word}' is no module; as the name of the call or the first argument, give one of {known}"
    )]
    Unknown { word: String, known: String },
}

impl Failure for Wrong {
    fn kind(&self) -> &str {
        "input.unreadable"
    }
}

/// Reads the whole command line, the name of the call first.
pub(crate) fn read(
    modules: &'static [Entry],
    command_line: impl IntoIterator<Item = OsString>,
) -> Call {
    let mut words = command_line.into_iter();
    let called = words.next().unwrap_or_default();
    if let Some(entry) = base_name(&called).and_then(|name| find(modules, name)) {
        return Call::Module(entry, words.collect());
    }
    let Some(first) = words.next() else {
        return Call::Nothing(Wrong::Missing {
            known: names(modules),
        });
    };
    match first.to_str() {
        Some("--commit") => Call::Committer,
        Some("--version") => Call::Version,
        word => match word.and_then(|name| find(modules, name)) {
            Some(entry) => Call::Module(entry, words.collect()),
            None => Call::Nothing(Wrong::Unknown {
                word: first.to_string_lossy().into_owned(),
                known: names(modules),
            }),
        },
    }
}

/// The file's name without its directory and without what Ansible adds to it.
fn base_name(called: &OsStr) -> Option<&str> {
    let name = Path::new(called).file_name()?.to_str()?;
    Some(name.strip_prefix(ANSIBLE_PREFIX).unwrap_or(name))
}

fn find(modules: &'static [Entry], name: &str) -> Option<&'static Entry> {
    modules.iter().find(|entry| entry.name == name)
}

fn names(modules: &[Entry]) -> String {
    let names: Vec<&str> = modules.iter().map(|entry| entry.name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    static MODULES: [Entry; 2] = [
        Entry::new("first", |_| ExitCode::SUCCESS),
        Entry::new("second", |_| ExitCode::SUCCESS),
    ];

    /// The call in words.
    fn told(words: &[&str]) -> String {
        match read(&MODULES, words.iter().map(OsString::from)) {
            Call::Module(entry, arguments) => format!("{} {arguments:?}", entry.name),
            Call::Committer => "committer".to_owned(),
            Call::Version => "version".to_owned(),
            Call::Nothing(wrong) => wrong.to_string(),
        }
    }

    #[test]
    fn the_name_of_the_call_goes_before_its_arguments() {
        for name in [
            "first",
            "/usr/libexec/first",
            "./first",
            "/tmp/AnsiballZ_first",
        ] {
            assert_eq!(told(&[name]), "first []");
            assert_eq!(told(&[name, "second"]), r#"first ["second"]"#);
            assert_eq!(told(&[name, "--commit"]), r#"first ["--commit"]"#);
        }
    }

    #[test]
    fn under_any_other_name_the_first_argument_is_the_module() {
        for name in [
            "tls_everywhere",
            "/cache/tls_everywhere-0af3",
            "exe",
            "firsts",
            "",
        ] {
            assert_eq!(told(&[name, "second", "-"]), r#"second ["-"]"#);
            assert_eq!(told(&[name, "first", "second"]), r#"first ["second"]"#);
        }
    }

    #[test]
    fn the_committer_is_known_under_the_name_that_it_is_started_by() {
        assert_eq!(told(&["/proc/self/exe", "--commit"]), "committer");
        assert_eq!(told(&["tls_everywhere", "--version"]), "version");
    }

    #[test]
    fn a_wrong_call_is_told_what_there_is() {
        let rest = "as the name of the call or the first argument, give one of first, second";
        assert_eq!(told(&[]), format!("no module is named; {rest}"));
        assert_eq!(told(&["exe"]), format!("no module is named; {rest}"));
        // No prefix there: only Ansible's copies have it.
        for word in ["third", "-", "", "AnsiballZ_first", "/usr/libexec/first"] {
            assert_eq!(
                told(&["exe", word]),
                format!("'{word}' is no module; {rest}")
            );
        }
    }

    #[test]
    fn what_is_no_text_is_no_module() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"first\xff".to_vec());
        let call = read(&MODULES, [odd.clone(), odd]);
        assert!(
            matches!(call, Call::Nothing(Wrong::Unknown { .. })),
            "{call:?}"
        );
    }
}
