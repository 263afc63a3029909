// SPDX-License-Identifier: Apache-2.0
//! From the arguments to the answer.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::answer::{Answer, Context};
use crate::control::Control;
use crate::faults::{Faults, InputFaults};
use crate::input::{self, Command, Source};
use crate::options::{OptionSpec, table_json};
use crate::scrub::Scrubber;
use crate::walk::{Walked, echo, walk};
use crate::{Failure, Invocation, Module, VERSION, panic, stdout};

/// The real standard output could not be set aside: the operator should look at the limits of the process.
#[derive(Debug, thiserror::Error)]
#[error("cannot set standard output aside")]
struct StdoutFailure(#[source] std::io::Error);

impl Failure for StdoutFailure {
    fn kind(&self) -> &str {
        "internal.stdout"
    }
}

pub(crate) fn main<M: Module>(arguments: Vec<OsString>) -> ExitCode {
    // Process-wide, and the modules' work begins only below: this is the place where the world comes in.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock and the environment"
    )]
    let (now, home) = (SystemTime::now(), std::env::var_os("HOME"));
    panic::install(M::NAME);
    match input::command(arguments) {
        Ok(Command::Spec) => print(&spec::<M>().to_string(), false),
        Ok(Command::Version) => print_version(M::NAME),
        Ok(Command::Run(source)) => {
            let answer = match stdout::guard() {
                Ok(()) => run::<M>(source, now, home.as_deref().map(Path::new)),
                Err(error) => Context::default().failure(&StdoutFailure(error), false),
            };
            print(&answer.line, answer.failed)
        }
        Err(error) => refuse(&error),
    }
}

pub(crate) fn print_version(name: &str) -> ExitCode {
    print(&format!("{name} {VERSION}"), false)
}

pub(crate) fn refuse(failure: &impl Failure) -> ExitCode {
    print(&Context::default().failure(failure, false).line, true)
}

/// Prints the line; status 1 for a failure, or if nobody reads.
fn print(line: &str, failed: bool) -> ExitCode {
    match stdout::answer(line) {
        Ok(()) if !failed => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn spec<M: Module>() -> Value {
    json!({"module": M::NAME, "version": VERSION, "options": table_json(M::options())})
}

fn run<M: Module>(source: Source, now: SystemTime, home: Option<&Path>) -> Answer {
    match input::read(&source).and_then(|bytes| input::parse(&bytes, source)) {
        Ok(input) => respond::<M>(input, now, home),
        Err(error) => Context::default().failure(&error, false),
    }
}

/// Answers parsed arguments.
pub(crate) fn respond<M: Module>(
    input: Map<String, Value>,
    now: SystemTime,
    home: Option<&Path>,
) -> Answer {
    let mut faults = Faults::new();
    let (control, options) = Control::split(input, &mut faults);
    let Walked {
        options,
        faults: more,
        secrets,
        shifted,
    } = walk(options, M::options(), home);
    faults.append(more);
    if !faults.is_empty()
        && !shifted
        && let Ok(params) = serde_json::from_value(Value::Object(options.clone()))
    {
        faults.append_from_elsewhere(M::further_faults(params));
    }
    let context = Arc::new(context::<M>(&control, &options, secrets));
    panic::know(Arc::clone(&context));
    if let Err(faults) = faults.into_result(()) {
        return context.failure(&faults, false);
    }
    match serde_json::from_value(Value::Object(options)) {
        Ok(params) => match M::run(Invocation {
            params,
            control,
            now,
        }) {
            Ok(outcome) => context.success(outcome),
            Err(failure) => context.failure(&failure, false),
        },
        Err(error) => context.failure(&beyond_the_table(&error), false),
    }
}

/// What options mean that came another way than Ansible's: the same walk over the same table.
pub(crate) fn understood<M: Module>(
    input: Map<String, Value>,
    now: SystemTime,
) -> Result<Invocation<M::Params>, InputFaults> {
    let mut faults = Faults::new();
    let (control, options) = Control::split(input, &mut faults);
    let walked = walk(options, M::options(), None);
    faults.append(walked.faults);
    faults.into_result(())?;
    let params = serde_json::from_value(Value::Object(walked.options));
    Ok(Invocation {
        params: params.map_err(|error| beyond_the_table(&error))?,
        control,
        now,
    })
}

fn context<M: Module>(
    control: &Control,
    options: &Map<String, Value>,
    secrets: Vec<Zeroizing<String>>,
) -> Context {
    let mut option_names = Vec::new();
    collect_names(M::options(), &mut option_names);
    Context {
        control: control.clone(),
        module_args: echo(options, M::options()),
        option_names,
        scrubber: Scrubber::new(secrets),
    }
}

fn collect_names(table: &'static [OptionSpec], names: &mut Vec<&'static str>) {
    for spec in table {
        names.push(spec.name);
        collect_names(spec.options, names);
    }
}

/// What the type of the parameters refuses although the table accepts it.
fn beyond_the_table(error: &serde_json::Error) -> InputFaults {
    InputFaults::one("", format!("the options do not fit together: {error}"))
}

#[cfg(test)]
mod tests;
