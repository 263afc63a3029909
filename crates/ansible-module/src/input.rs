// SPDX-License-Identifier: Apache-2.0
//! From the command line to a JSON object.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The most that is read of an arguments file.
pub(crate) const LIMIT_MIB: u64 = 64;

/// The key under which Ansible wraps the arguments of its own modules.
const WRAPPER: &str = "ANSIBLE_MODULE_ARGS";

/// What the command line asks for.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    /// Run on the arguments from there.
    Run(Source),
    /// Print the table of options.
    Spec,
    /// Print name and version.
    Version,
}

/// Where the arguments are.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => out.write_str("standard input"),
            Self::File(path) => write!(out, "'{}'", path.display()),
        }
    }
}

/// The arguments cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The operator should correct the call.
    #[error("expected one argument, a file with JSON or '-', but got {count}")]
    CommandLine { count: usize },
    /// The operator should look at what made the arguments.
    #[error("the arguments in {from} are not JSON")]
    NotJson {
        from: Source,
        source: serde_json::Error,
    },
    /// The operator should look at what made the arguments.
    #[error("the arguments in {from} are {found}, not a JSON object")]
    NotAnObject { from: Source, found: &'static str },
    /// The operator should give a file, or pipe the arguments in.
    #[error("no arguments: standard input is a terminal; give a file with JSON as the argument")]
    Terminal,
    /// The operator should look at what made the arguments.
    #[error("the arguments in {from} are empty; give a JSON object with the options")]
    Empty { from: Source },
    /// The operator should save the file in another encoding.
    #[error("the arguments in {from} are encoded as UTF-16; save them as UTF-8")]
    Utf16 { from: Source },
    /// The operator should split the task.
    #[error("the arguments in {from} are larger than {LIMIT_MIB} MiB")]
    TooLarge { from: Source },
    /// The operator should look at the file and its permissions.
    #[error("cannot read the arguments in {from}")]
    Unreadable { from: Source, source: io::Error },
}

impl Failure for Error {
    fn kind(&self) -> &str {
        match self {
            Self::NotJson { .. }
            | Self::NotAnObject { .. }
            | Self::Empty { .. }
            | Self::Utf16 { .. } => "input.not_json",
            Self::CommandLine { .. }
            | Self::Terminal
            | Self::TooLarge { .. }
            | Self::Unreadable { .. } => "input.unreadable",
        }
    }
}

/// Reads the command line without the name of the program.
pub(crate) fn command(mut arguments: Vec<OsString>) -> Result<Command, Error> {
    let count = arguments.len();
    match (arguments.pop(), arguments.is_empty()) {
        (None, _) => Ok(Command::Run(Source::Stdin)),
        (Some(_), false) => Err(Error::CommandLine { count }),
        (Some(it), true) => Ok(match it.to_str() {
            Some("-") => Command::Run(Source::Stdin),
            Some("--spec") => Command::Spec,
            Some("--version") => Command::Version,
            _ => Command::Run(Source::File(it.into())),
        }),
    }
}

/// Reads at most [`LIMIT_MIB`] from the source.
pub(crate) fn read(source: &Source) -> Result<Zeroizing<Vec<u8>>, Error> {
    match source {
        Source::Stdin if io::stdin().is_terminal() => Err(Error::Terminal),
        Source::Stdin => bounded(io::stdin().lock(), || Source::Stdin),
        Source::File(path) => {
            let from = || Source::File(path.clone());
            match File::open(path) {
                Ok(file) => bounded(file, from),
                Err(source) => Err(Error::Unreadable {
                    from: from(),
                    source,
                }),
            }
        }
    }
}

fn bounded(reader: impl Read, from: impl Fn() -> Source) -> Result<Zeroizing<Vec<u8>>, Error> {
    let limit = LIMIT_MIB << 20;
    let mut bytes = Zeroizing::new(Vec::new());
    match reader.take(limit + 1).read_to_end(&mut bytes) {
        Ok(count) if count as u64 > limit => Err(Error::TooLarge { from: from() }),
        Ok(_) => Ok(bytes),
        Err(source) => Err(Error::Unreadable {
            from: from(),
            source,
        }),
    }
}

/// Parses the arguments: an object, also inside Ansible's wrapper.
pub(crate) fn parse(bytes: &[u8], from: Source) -> Result<Map<String, Value>, Error> {
    // Editors on Windows begin a file with a byte order mark; JSON has none (RFC 8259 section 8.1).
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(Error::Empty { from });
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Error::Utf16 { from });
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(mut map)) => match map.get_mut(WRAPPER).map(Value::take) {
            Some(Value::Object(inner)) if map.len() == 1 => Ok(inner),
            Some(other) => {
                map.insert(WRAPPER.to_owned(), other);
                Ok(map)
            }
            None => Ok(map),
        },
        Ok(other) => Err(Error::NotAnObject {
            from,
            found: crate::coerce::noun(&other),
        }),
        Err(source) => Err(Error::NotJson { from, source }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Result<Value, String> {
        parse(text.as_bytes(), Source::Stdin)
            .map(Value::Object)
            .map_err(|e| crate::flatten(&e))
    }

    #[test]
    fn an_object_and_a_wrapped_object_are_the_same() {
        assert_eq!(parsed(r#"{"a": 1}"#), Ok(json!({"a": 1})));
        assert_eq!(
            parsed(r#"{"ANSIBLE_MODULE_ARGS": {"a": 1}}"#),
            Ok(json!({"a": 1}))
        );
    }

    #[test]
    fn a_wrapper_with_company_is_not_a_wrapper() {
        let odd = r#"{"ANSIBLE_MODULE_ARGS":{"a":1},"b":2}"#;
        assert_eq!(
            parsed(odd),
            Ok(json!({"ANSIBLE_MODULE_ARGS": {"a": 1}, "b": 2}))
        );
    }

    #[test]
    fn what_is_no_object_is_said() {
        assert_eq!(
            parsed("[]"),
            Err("the arguments in standard input are a list, not a JSON object".into())
        );
        assert_eq!(
            parsed(r#"{"a": "#),
            Err("the arguments in standard input are not JSON: EOF while parsing a value at line 1 column 6"
                .into())
        );
    }

    #[test]
    fn the_encoding_of_an_editor_on_windows_is_read_or_named() {
        assert_eq!(parsed("\u{feff}{\"a\": 1}\r\n"), Ok(json!({"a": 1})));
        let of = |bytes: &[u8]| parse(bytes, Source::Stdin).map_err(|e| crate::flatten(&e));
        assert_eq!(
            of(b"\xff\xfe{\0}\0"),
            Err("the arguments in standard input are encoded as UTF-16; save them as UTF-8".into())
        );
        assert_eq!(
            of(b" \n"),
            Err(
                "the arguments in standard input are empty; give a JSON object with the options"
                    .into()
            )
        );
    }

    #[test]
    fn the_command_line_has_one_argument_at_most() {
        let of = |words: &[&str]| command(words.iter().map(OsString::from).collect());
        assert!(matches!(of(&[]), Ok(Command::Run(Source::Stdin))));
        assert!(matches!(of(&["-"]), Ok(Command::Run(Source::Stdin))));
        assert!(matches!(of(&["--spec"]), Ok(Command::Spec)));
        assert!(matches!(of(&["--version"]), Ok(Command::Version)));
        assert!(matches!(of(&["/a"]), Ok(Command::Run(Source::File(_)))));
        assert!(matches!(
            of(&["/a", "/b"]),
            Err(Error::CommandLine { count: 2 })
        ));
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let endless = io::repeat(b' ');
        let error = bounded(endless, || Source::Stdin)
            .map(|_| ())
            .map_err(|e| e.to_string());
        assert_eq!(
            error,
            Err("the arguments in standard input are larger than 64 MiB".into())
        );
    }
}
