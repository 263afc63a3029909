// SPDX-License-Identifier: Apache-2.0
//! Podman by its command line, where it has no socket.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::api::gone;
use super::{Address, Engine, Executed, Execution, Kind, Label};
use crate::program::{self, Account};
use crate::{Container, Error, Result};

/// The default grace of `podman restart`, in seconds.
const DEFAULT_GRACE: u64 = 10;

#[derive(Debug)]
pub(super) struct CommandLine {
    label: Label,
    program: String,
    account: Option<Account>,
    limit: Duration,
}

impl CommandLine {
    pub(super) fn new(program: PathBuf, user: Option<(String, Account)>, limit: Duration) -> Self {
        let (name, account) = user.unzip();
        Self {
            program: program.display().to_string(),
            label: Label {
                kind: Kind::Podman,
                address: Address::Program(program, name),
            },
            account,
            limit,
        }
    }

    fn run(&self, arguments: &[&str], limit: Duration) -> Result<Vec<u8>> {
        let mut argv = vec![self.program.as_str()];
        argv.extend(arguments);
        program::expect(&argv, self.account.as_ref(), limit)
    }

    fn garbled(&self, request: &str, why: impl Into<String>) -> Error {
        Error::Answer {
            engine: self.label.to_string(),
            request: request.to_owned(),
            why: why.into(),
        }
    }

    fn list(&self, request: &str, bytes: &[u8]) -> Result<Vec<Value>> {
        serde_json::from_slice(bytes)
            .map_err(|error| self.garbled(request, format!("it is not JSON: {error}")))
    }

    fn inspected(&self, bytes: &[u8]) -> Result<Vec<Container>> {
        let values = self.list("inspect", bytes)?;
        let read = values.iter().map(Container::from_inspect);
        read.collect::<Result<_, _>>()
            .map_err(|why| self.garbled("inspect", why))
    }

    fn is_missing(error: &Error) -> bool {
        matches!(error, Error::Program { said, .. }
            if said.contains("no such container") || said.contains("no container with name or ID") || said.contains("no such object"))
    }
}

impl Engine for CommandLine {
    fn label(&self) -> &Label {
        &self.label
    }

    fn containers(&self) -> Result<Vec<Container>> {
        let listed = self.run(
            &["ps", "--all", "--no-trunc", "--format", "json"],
            self.limit,
        )?;
        let listed = self.list("ps", &listed)?;
        let ids: Vec<&str> = listed
            .iter()
            .filter_map(|item| item.get("Id").and_then(Value::as_str))
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut arguments = vec!["inspect", "--type", "container"];
        arguments.extend(&ids);
        match self.run(&arguments, self.limit) {
            Ok(bytes) => self.inspected(&bytes),
            // One was removed meanwhile: each alone.
            Err(error) if Self::is_missing(&error) => {
                let each = ids.iter().map(|id| self.inspect(id));
                each.filter_map(Result::transpose).collect()
            }
            Err(error) => Err(error),
        }
    }

    fn inspect(&self, name: &str) -> Result<Option<Container>> {
        // A name that looks like an option is no name.
        match self.run(&["inspect", "--type", "container", "--", name], self.limit) {
            Ok(bytes) => {
                let mut found = self.inspected(&bytes)?.into_iter();
                Ok(found.find(|each| each.id == name || each.name == name))
            }
            Err(error) if Self::is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn restart(&self, container: &Container, grace: Option<u64>) -> Result<()> {
        let seconds = grace.map(|seconds| seconds.to_string());
        let mut arguments = vec!["restart"];
        if let Some(seconds) = &seconds {
            arguments.extend(["--time", seconds]);
        }
        arguments.push(&container.id);
        let wait = grace.or(container.stop_timeout).unwrap_or(DEFAULT_GRACE);
        let done = self.run(&arguments, Duration::from_secs(wait) + self.limit);
        match done {
            Err(error) if Self::is_missing(&error) => Err(gone(container)),
            other => other.map(drop),
        }
    }

    fn execute(&self, container: &Container, execution: &Execution<'_>) -> Result<Executed> {
        let mut argv = vec![self.program.as_str(), "exec"];
        if !execution.input.is_empty() {
            argv.push("--interactive");
        }
        if let Some(user) = execution.user {
            argv.extend(["--user", user]);
        }
        argv.push(&container.id);
        argv.extend(execution.argv.iter().map(String::as_str));
        let said = program::run(
            &argv,
            self.account.as_ref(),
            execution.input,
            execution.limit,
        )?;
        let mut output = said.stdout;
        output.extend(said.stderr);
        // 125 is Podman's own failure, the others are the program's.
        if said.status == 125 {
            return Err(Error::Program {
                command: argv.join(" "),
                status: String::from("125"),
                said: program::last_lines(&output, 3),
            });
        }
        Ok(Executed {
            status: i64::from(said.status),
            output,
        })
    }

    fn last_lines(&self, container: &Container, count: usize) -> Result<String> {
        let number = count.to_string();
        let argv = [
            self.program.as_str(),
            "logs",
            "--tail",
            &number,
            &container.id,
        ];
        let said = program::run(&argv, self.account.as_ref(), b"", self.limit)?;
        let mut output = said.stdout;
        output.extend(said.stderr);
        Ok(program::last_lines(&output, count))
    }
}
