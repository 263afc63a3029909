// SPDX-License-Identifier: Apache-2.0
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
//! The protocol between Ansible and a native module.
//!
//! A module is a type that implements [`Module`]; its `main` is one call. This crate reads the arguments,
//! checks them against the module's table of options, runs it, and prints exactly one line of JSON whatever
//! happens. It is the only crate that prints, and it has no word of the modules' domain.
//!
//! ```no_run
//! // main.rs
//! # use ansible_module::{Invocation, InputFaults, Module, OptionSpec, Outcome};
//! # struct Greet;
//! # impl Module for Greet {
//! #     const NAME: &'static str = "greet";
//! #     type Params = ();
//! #     type Failure = InputFaults;
//! #     fn options() -> &'static [OptionSpec] { &[] }
//! #     fn run(_: Invocation<()>) -> Result<Outcome, InputFaults> { Ok(Outcome::default()) }
//! # }
//! fn main() -> std::process::ExitCode {
//!     ansible_module::main::<Greet>()
//! }
//! ```
//!
//! # The command line
//!
//! | call | what happens |
//! |---|---|
//! | `greet ARGS.json` | runs on the arguments in the file, as Ansible calls a binary module |
//! | `greet -`, `greet` | runs on the arguments on standard input |
//! | `greet --spec` | prints the table of options |
//! | `greet --version` | prints `greet 0.1.0` |
//!
//! # Input
//!
//! One JSON object of at most 64 MiB, bare or inside `{"ANSIBLE_MODULE_ARGS": …}`:
//!
//! ```json
//! {"name": "Ada", "times": "2", "password": "hunter2", "_ansible_check_mode": false, "_ansible_diff": true}
//! ```
//!
//! Every key that begins with `_ansible_` is Ansible's own and goes to [`Control`]. The rest is walked over the
//! table: unknown options, wrong types, missing ones and values outside the choices are collected, all of
//! them, with paths such as `certificates[3].dns[0]`. Types are as lenient as Ansible's (see [`Kind`]); null is
//! the same as not given; defaults are filled in (those inside a dictionary only if the dictionary is there).
//!
//! # Output
//!
//! On success, status 0 (`diff` only if Ansible asked for it, `warnings` and `deprecations` only if any):
//!
//! ```json
//! {"changed": true, "msg": "wrote 'Hello Ada'", "greeting": "Hello Ada",
//!  "diff": [{"before_header": "greeting", "after_header": "greeting", "before": "", "after": "text: Hello Ada\n"}],
//!  "warnings": ["…"], "deprecations": [{"msg": "…", "version": "2.0.0", "collection_name": "tls.everywhere"}],
//!  "invocation": {"module_args": {"name": "Ada", "times": 2, "password": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}}}
//! ```
//!
//! On failure, status 1 (the module's facts, such as `faults`, stand at the top):
//!
//! ```json
//! {"failed": true, "changed": false, "msg": "cannot greet: the door is closed",
//!  "error": {"kind": "greet.door", "caused_by": ["the door is closed"], "hint": "open it"},
//!  "invocation": {"module_args": {"name": "Ada", "times": 2}}}
//! ```
//!
//! The kinds of this crate itself:
//!
//! | kind | what |
//! |---|---|
//! | `input.unreadable` | the arguments cannot be read, are too large, or the command line is wrong |
//! | `input.not_json` | the arguments are not JSON, or not an object |
//! | `input.invalid` | options are wrong; `faults` is `[{path, message}]` |
//! | `internal.panic` | a bug |
//! | `internal.stdout` | standard output could not be set aside |
//!
//! If nobody reads standard output any more, the status is 1 and nothing else is said. Absent facts have
//! no key: members that are null are left out at every depth.
//!
//! # Secrets
//!
//! Every string inside an option with [`OptionSpec::secret`] is replaced by `********` wherever it occurs in
//! the answer: in strings and keys, in error chains and in panic messages, also trimmed or quoted, and line by
//! line from 16 characters on (a PEM body). Shorter than 3 characters, it is replaced only where it is the
//! whole string. The words of the protocol and the names of options stay as keys. In `invocation` the option
//! reads `VALUE_SPECIFIED_IN_NO_LOG_PARAMETER`; options that were refused do not appear there. With the task's
//! `no_log`, neither `invocation` nor `diff` is answered.
//!
//! What a module prints goes to standard error, unscrubbed: the lints of this workspace refuse it.
//!
//! # The shape of `--spec`
//!
//! `type`, `required` and `no_log` are always there, the others where they apply; `elements` for lists only,
//! `free` where a dictionary also takes keys outside its `options`:
//!
//! ```json
//! {"module": "greet", "version": "0.1.0", "options": {
//!   "name": {"type": "str", "required": true, "aliases": ["who"], "no_log": false},
//!   "tone": {"type": "str", "required": false, "default": "warm", "choices": ["warm", "cold"], "no_log": false},
//!   "friends": {"type": "list", "elements": "dict", "required": false, "no_log": false, "options": {
//!     "password": {"type": "str", "required": false, "no_log": true}}}}}
//! ```

mod answer;
mod coerce;
mod control;
mod facts_text;
mod failure;
mod faults;
mod input;
mod items;
mod key_material;
mod options;
mod outcome;
mod panic;
mod respond;
mod scrub;
mod secret;
mod stdout;
mod walk;
mod workers;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::SystemTime;

use serde::de::DeserializeOwned;

pub use control::Control;
pub use failure::{Failure, chain, flatten};
pub use faults::{Fault, Faults, InputFaults, unrendered};
pub use items::{FailedItem, shared_kind, summary};
pub use options::{Element, Kind, OptionSpec, table_defects, with_defaults};
pub use outcome::{Deprecation, Diff, Outcome};
pub use panic::note_change;
pub use secret::Secret;
pub use workers::each;

/// The version of the collection, which all its executables share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A native module.
pub trait Module {
    /// The name in playbooks, without the collection: `cert_request`.
    const NAME: &'static str;

    /// What the options become; after the walk nothing in it can be of a wrong type.
    type Params: DeserializeOwned;

    /// What can go wrong.
    type Failure: Failure;

    /// The one table of options.
    fn options() -> &'static [OptionSpec];

    /// The faults that the table cannot see: contradictions, names that are none, paths named twice.
    ///
    /// Asked only when the table has found faults, on what it left of the input, so that one answer names the faults
    /// of all entries; `run` refuses them by itself where the table found none.
    fn further_faults(params: Self::Params) -> Faults {
        let _ = params;
        Faults::new()
    }

    /// Does the work.
    ///
    /// # Errors
    /// Whatever the module cannot do, as data.
    fn run(invocation: Invocation<Self::Params>) -> Result<Outcome, Self::Failure>;
}

/// Everything a module gets from outside.
#[derive(Clone, Debug)]
pub struct Invocation<P> {
    /// The options.
    pub params: P,
    /// How to run.
    pub control: Control,
    /// The clock, read once.
    pub now: SystemTime,
}

/// Runs the module on what the command line says and answers on standard output.
pub fn main<M: Module>() -> ExitCode {
    main_on::<M>(std::env::args_os().skip(1).collect())
}

/// As [`main`], on the arguments behind the name: for an executable that has several modules and has found out which one
/// is called.
pub fn main_on<M: Module>(arguments: Vec<OsString>) -> ExitCode {
    respond::main::<M>(arguments)
}

/// Answers a call that is none of any module, in the form of all answers; status 1.
pub fn refuse(failure: &impl Failure) -> ExitCode {
    respond::refuse(failure)
}

/// Prints name and version of an executable that has several modules, as `--version` of one does.
pub fn print_version(name: &str) -> ExitCode {
    respond::print_version(name)
}

/// What options mean that another program than Ansible has given, for a module that is also called in that program's
/// way; the module's own [`Module::run`] takes it from there.
///
/// # Errors
/// All faults of the options, each with its path.
pub fn understood<M: Module>(
    input: serde_json::Map<String, serde_json::Value>,
    now: SystemTime,
) -> Result<Invocation<M::Params>, InputFaults> {
    respond::understood::<M>(input, now)
}
