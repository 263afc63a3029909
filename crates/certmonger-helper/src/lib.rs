// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! The other way to call a module: as a helper of certmonger, which then makes the keys, tracks the certificates and renews
//! them, while the module gets them signed.
//!
//! `getcert add-ca -c NAME -e 'MODULE --certmonger FILE'`; FILE holds the options of the module as JSON. certmonger says in
//! the environment what it wants and reads standard output and the status (doc/helpers.txt of certmonger 0.79).

mod answer;
mod call;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use serde_json::{Map, Value};

pub use answer::{Answer, Status};
pub use call::{Call, Operation};

/// Options of a module, or of one entry of its list.
pub type Options = Map<String, Value>;

/// Answers certmonger: `file` is the argument behind `--certmonger`.
pub fn main(
    file: Option<OsString>,
    answer: impl FnOnce(&Call, Options, SystemTime) -> Answer,
) -> ExitCode {
    #[allow(
        clippy::disallowed_methods,
        reason = "with ansible_module::main the one place that reads the clock and the environment"
    )]
    let (now, call) = (SystemTime::now(), Call::new(|name| std::env::var_os(name)));
    let answer = match file.as_deref() {
        None => Answer::unconfigured("give the file with the options after --certmonger"),
        Some(path) => match read(Path::new(path)) {
            Ok(options) => answer(&call, options, now),
            Err(why) => Answer::unconfigured(why),
        },
    };
    // If certmonger has gone, nobody can be told.
    let _ = writeln!(std::io::stdout(), "{}", answer.text.trim_end());
    if let Some(told) = &answer.told {
        let _ = writeln!(std::io::stderr(), "{told}");
    }
    ExitCode::from(answer.status as u8)
}

fn read(path: &Path) -> Result<Options, String> {
    let text = std::fs::read(path)
        .map_err(|error| format!("cannot read the options in '{}': {error}", path.display()))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Object(options)) => Ok(options),
        Ok(_) => Err(format!(
            "the options in '{}' are no JSON object",
            path.display()
        )),
        Err(error) => Err(format!(
            "the options in '{}' are not JSON: {error}",
            path.display()
        )),
    }
}

/// The one entry of the list `list`, taken out of the options; what certmonger says itself is not in it.
///
/// # Errors
/// What is wrong with the options.
pub fn template(options: &mut Options, list: &str, reserved: &[&str]) -> Result<Options, String> {
    let found = match options.remove(list) {
        None => return Ok(Map::new()),
        Some(Value::Array(entries)) => <[Value; 1]>::try_from(entries).ok(),
        Some(_) => None,
    };
    let Some([Value::Object(template)]) = found else {
        return Err(format!(
            "{list}: give one entry, with what holds for all certificates"
        ));
    };
    match reserved.iter().find(|key| template.contains_key(**key)) {
        Some(key) => Err(format!(
            "{list}[0].{key}: comes from certmonger, leave it out"
        )),
        None => Ok(template),
    }
}

/// The text of an option.
pub fn text<'a>(options: &'a Options, key: &str) -> Option<&'a str> {
    options.get(key).and_then(Value::as_str)
}
