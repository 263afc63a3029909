// SPDX-License-Identifier: Apache-2.0
//! The other way to be called: `cert_check --config FILE [--mail]`, without Ansible. FILE has the options of the module as
//! JSON.
//!
//! What was found is told to people on standard output; with `--mail` as a mail that lacks From and To. The status says it to programs: 0 all is well, 1 there are
//! warnings, 2 something has failed or a report could not be written, 3 nothing could be checked.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use ansible_module::{flatten, understood};
use cert_report::{Fleet, Level, summary};
use serde_json::{Map, Value};

use crate::failure::{TaskFailure, told};
use crate::outcome::{counts, problems};
use crate::task::{CertCheck, Checked, check};

/// Nothing could be checked.
const UNUSABLE: u8 = 3;

/// Runs the check that the file describes.
pub fn main(words: &[OsString]) -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "with ansible_module::main the one place that reads the clock"
    )]
    let now = SystemTime::now();
    let (done, tell): (_, fn(&Checked) -> String) = match words {
        [path] => (run(Path::new(path), now), text),
        [path, mail] if mail == "--mail" => (run(Path::new(path), now), message),
        _ => (
            Err(
                "give the file with the options after --config, and --mail or nothing behind it"
                    .to_owned(),
            ),
            text,
        ),
    };
    match done {
        Ok(checked) => {
            // If nobody reads it, the status still tells.
            let _ = std::io::stdout().write_all(tell(&checked).as_bytes());
            ExitCode::from(match checked.report.level() {
                _ if !checked.unwritten.is_empty() => 2,
                Level::Ok => 0,
                Level::Warn => 1,
                Level::Fail => 2,
            })
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "cert_check: {why}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn run(path: &Path, now: SystemTime) -> Result<Checked, String> {
    let options = read(path)?;
    let invocation =
        understood::<CertCheck>(options, now).map_err(|faults| told(&TaskFailure::from(faults)))?;
    let (_, checked) = check(invocation, true).map_err(|failure| told(&failure))?;
    Ok(checked)
}

fn read(path: &Path) -> Result<Map<String, Value>, String> {
    let shown = path.display();
    let text = std::fs::read(path)
        .map_err(|error| format!("cannot read the options in '{shown}': {error}"))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Object(options)) => Ok(options),
        Ok(_) => Err(format!("the options in '{shown}' are no JSON object")),
        Err(error) => Err(format!("the options in '{shown}' are not JSON: {error}")),
    }
}

fn message(checked: &Checked) -> String {
    let now = checked.report.generated_at;
    let mut told = summary(&Fleet::of([checked.report.clone()]), now);
    if !checked.unwritten.is_empty() {
        told.subject.push_str("; a report could not be written");
        // That is a trouble of its own, and a failure.
        for identity in [&mut told.failures, &mut told.trouble] {
            identity.push_str("-unwritten");
        }
    }
    let notes = notes(checked);
    if !notes.is_empty() {
        told.body.push_str(&format!("\n{notes}"));
    }
    told.message(now)
}

/// What is told beside the findings, a line each.
fn notes(checked: &Checked) -> String {
    let unwritten = checked.unwritten.iter().map(|failure| flatten(failure));
    let all = checked.warnings.iter().cloned().chain(unwritten);
    all.map(|note| format!("note: {note}\n")).collect()
}

fn text(checked: &Checked) -> String {
    let [ok, warn, fail] = counts(&checked.report);
    let mut text = format!(
        "{} on {}: {ok} ok, {warn} with warnings, {fail} failed\n",
        checked.report.level().word(),
        checked.report.host,
    );
    for line in problems(&checked.report) {
        text.push_str(&line);
        text.push('\n');
    }
    text + &notes(checked)
}
