// SPDX-License-Identifier: Apache-2.0
//! Runs an executable as Ansible runs a binary module.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::expectation::mismatches;
use crate::must;
use crate::sandbox::{Listing, Sandbox};

/// How long a module may take; generous, because the machines of tests are loaded.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// One run of a module, to be described and then started with [`ModuleRun::run`].
#[derive(Clone, Debug)]
pub struct ModuleRun {
    executable: PathBuf,
    args: Value,
    control: Map<String, Value>,
    environment: Vec<(OsString, OsString)>,
    stdin: bool,
    tree: Option<PathBuf>,
    time_limit: Duration,
}

impl ModuleRun {
    /// A run of the executable, `env!("CARGO_BIN_EXE_name")` in its own tests, without arguments.
    pub fn new(executable: impl Into<PathBuf>) -> Self {
        let executable = executable.into();
        let name = executable
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Self {
            control: control(&name.unwrap_or_default()),
            executable,
            args: json!({}),
            environment: Vec::new(),
            stdin: false,
            tree: None,
            time_limit: TIME_LIMIT,
        }
    }

    /// The options of the task.
    pub fn args(mut self, args: Value) -> Self {
        self.args = args;
        self
    }

    /// Check mode.
    pub fn check(self, on: bool) -> Self {
        self.control("_ansible_check_mode", on)
    }

    /// Diff mode.
    pub fn diff(self, on: bool) -> Self {
        self.control("_ansible_diff", on)
    }

    /// The task has `no_log`.
    pub fn no_log(self, on: bool) -> Self {
        self.control("_ansible_no_log", on)
    }

    /// Sets one of Ansible's own keys, with its prefix.
    pub fn control(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.control.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a variable of the otherwise clean environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Hands the arguments over on standard input, as the action plugin does where it can pipeline.
    pub fn on_stdin(mut self) -> Self {
        self.stdin = true;
        self
    }

    /// Shows the tree of the sandbox when an expectation fails; replaces `$DIR` in the arguments given so far.
    pub fn sandbox(mut self, sandbox: &Sandbox) -> Self {
        self.args = sandbox.place(&self.args);
        self.tree = Some(sandbox.path().to_owned());
        self
    }

    /// How long the module may take, else 300 seconds.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Starts the module, waits for it and reads its answer.
    ///
    /// Fails unless stdout is exactly one line with one JSON object, and the status is 1 if `failed`, else 0.
    #[track_caller]
    pub fn run(&self) -> Answer {
        let mut answer = self.start();
        let lines: Vec<_> = answer.stdout.lines().collect();
        if lines.len() != 1 || !answer.stdout.ends_with('\n') {
            answer.fail(&format!(
                "expected exactly one line on stdout, got {}",
                lines.len()
            ));
        }
        match serde_json::from_str(&answer.stdout) {
            Ok(value @ Value::Object(_)) => answer.value = value,
            Ok(_) => answer.fail("the line on stdout is not a JSON object"),
            Err(error) => answer.fail(&format!("the line on stdout is not JSON: {error}")),
        }
        if answer.status != Some(i32::from(answer.failed())) {
            answer.fail("the exit status and 'failed' do not agree");
        }
        answer
    }

    fn start(&self) -> Answer {
        let private = must(tempfile::tempdir(), "cannot make a private directory");
        let input = self.input(private.path());
        let mut command = assert_cmd::Command::new(&self.executable);
        command
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", private.path())
            .env("LC_ALL", "C.UTF-8")
            .envs(self.environment.iter().cloned())
            .current_dir(private.path())
            .timeout(self.time_limit);
        if self.stdin {
            command.write_stdin(input.to_string());
        } else {
            let file = private.path().join("args");
            must(
                fs::write(&file, input.to_string()),
                "cannot write the arguments",
            );
            command.arg(file);
        }
        let output = must(
            command.output(),
            &format!("cannot start {}", self.executable.display()),
        );
        Answer {
            status: output.status.code(),
            value: Value::Null,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            run: self.clone(),
        }
    }

    fn input(&self, private: &Path) -> Value {
        let mut input = self.control.clone();
        input
            .entry("_ansible_tmpdir")
            .or_insert_with(|| private.to_string_lossy().into());
        if let Value::Object(args) = &self.args {
            input.extend(args.clone());
        }
        Value::Object(input)
    }
}

/// Every key that ansible-core 2.14 to 2.19 sends.
///
/// Source: `ActionBase._update_module_args` in `lib/ansible/plugins/action/__init__.py` of 2.14.18, 2.16.14
/// and 2.19.2: `string_conversion_action` is gone in 2.19, the last three are new in it.
fn control(module_name: &str) -> Map<String, Value> {
    let keys = json!({
        "_ansible_check_mode": false,
        "_ansible_no_log": false,
        "_ansible_debug": false,
        "_ansible_diff": false,
        "_ansible_verbosity": 0,
        "_ansible_version": "2.19.2",
        "_ansible_module_name": format!("tls.everywhere.{module_name}"),
        "_ansible_syslog_facility": "LOG_USER",
        "_ansible_selinux_special_fs": ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"],
        "_ansible_string_conversion_action": "warn",
        "_ansible_socket": null,
        "_ansible_shell_executable": "/bin/sh",
        "_ansible_keep_remote_files": false,
        "_ansible_remote_tmp": "~/.ansible/tmp",
        "_ansible_ignore_unknown_opts": false,
        "_ansible_target_log_info": null,
        "_ansible_tracebacks_for": [],
    });
    match keys {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// What a module answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The exit status; `None` if a signal ended the module.
    pub status: Option<i32>,
    /// The line of stdout.
    pub value: Value,
    /// Standard output as it came.
    pub stdout: String,
    /// Standard error as it came.
    pub stderr: String,
    run: ModuleRun,
}

impl Answer {
    /// `changed` of the answer; false if it is not there.
    pub fn changed(&self) -> bool {
        self.value["changed"] == true
    }

    /// `failed` of the answer; false if it is not there.
    pub fn failed(&self) -> bool {
        self.value["failed"] == true
    }

    /// `error.kind` of the answer, or empty.
    pub fn kind(&self) -> &str {
        self.value["error"]["kind"].as_str().unwrap_or_default()
    }

    /// `msg` of the answer, or empty.
    pub fn msg(&self) -> &str {
        self.value["msg"].as_str().unwrap_or_default()
    }

    /// Fails unless the answer fits (see [`mismatches`]).
    #[track_caller]
    pub fn expect(&self, expected: &Value) -> &Self {
        let lines = mismatches(expected, &self.value);
        if !lines.is_empty() {
            self.fail(&lines.join("\n"));
        }
        self
    }

    /// Fails if the text is anywhere in what the module printed.
    #[track_caller]
    pub fn never_says(&self, secret: &str) -> &Self {
        if self.stdout.contains(secret) || self.stderr.contains(secret) {
            self.fail(&format!("'{secret}' was printed"));
        }
        self
    }

    /// Fails with everything that is known of the run.
    #[track_caller]
    pub fn fail(&self, why: &str) -> ! {
        panic!("{why}\n{}", self.report())
    }

    /// Everything that is known of the run, for a person.
    pub fn report(&self) -> String {
        let run = &self.run;
        let tree = match &run.tree {
            Some(tree) if tree.is_dir() => format!("{}:\n{}", tree.display(), Listing::of(tree)),
            _ => "no sandbox\n".to_owned(),
        };
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        let shown = if self.value.is_null() {
            self.stdout.clone()
        } else {
            pretty(&self.value)
        };
        format!(
            "==== executable\n{}\n==== options\n{}\n==== control\n{}\n==== status\n{:?}\n\
             ==== tree\n{tree}==== stdout\n{shown}\n==== stderr\n{}\n====",
            run.executable.display(),
            pretty(&run.args),
            Value::Object(run.control.clone()),
            self.status,
            self.stderr,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// A module that answers its environment, its directory and its input.
    fn mirror(sandbox: &Sandbox) -> ModuleRun {
        let script = "#!/bin/sh\n\
            printf '{\"changed\":false,\"variables\":\"%s\",\"cwd\":\"%s\",\"argc\":%d,\"input\":%s}\\n' \\\n\
            \"$(env | sed 's/=.*//' | sort | tr '\\n' ' ')\" \"$PWD\" $# \"$(cat \"${1:--}\")\"\n\
            echo on stderr >&2\n";
        let path = sandbox.write("mirror", script);
        must(
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755)),
            "chmod",
        );
        ModuleRun::new(path)
    }

    #[test]
    fn the_module_sees_what_ansible_sends_and_no_more() {
        let sandbox = Sandbox::new();
        let run = mirror(&sandbox)
            .args(json!({"path": "$DIR/x"}))
            .sandbox(&sandbox)
            .check(true);
        let answer = run.env("EXTRA", "1").run();
        assert_eq!(answer.value["variables"], "EXTRA HOME LC_ALL PATH PWD ");
        assert_eq!(
            answer.value["input"]["path"],
            format!("{}/x", sandbox.path().display())
        );
        assert_eq!(answer.value["input"]["_ansible_check_mode"], true);
        assert_eq!(answer.value["input"]["_ansible_diff"], false);
        let keys = answer.value["input"].as_object().map(|input| input.len());
        assert_eq!(keys, Some(19), "one option and Ansible's 18 keys");
        let cwd = answer.value["cwd"].as_str().unwrap_or_default();
        assert_eq!(answer.value["input"]["_ansible_tmpdir"], cwd);
        assert!(
            !Path::new(cwd).exists(),
            "the private directory is gone after the run"
        );
        assert_eq!(
            (answer.status, answer.stderr.as_str()),
            (Some(0), "on stderr\n")
        );
    }

    #[test]
    fn standard_input_carries_the_same_arguments() {
        let sandbox = Sandbox::new();
        let run = mirror(&sandbox).args(json!({"a": 1})).no_log(true);
        let (file, stdin) = (run.run(), run.clone().on_stdin().run());
        assert_eq!(
            (&file.value["argc"], &stdin.value["argc"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(stdin.value["input"]["a"], 1);
        assert_eq!(stdin.value["input"]["_ansible_no_log"], true);
    }

    #[test]
    fn a_failed_expectation_shows_everything() {
        let sandbox = Sandbox::new();
        sandbox.write("key.pem", "k");
        let answer = mirror(&sandbox)
            .args(json!({"option": "o1"}))
            .sandbox(&sandbox)
            .run();
        answer
            .expect(&json!({"changed": false, "failed": null}))
            .never_says("hunter2");
        let expected = AssertUnwindSafe(|| drop(answer.expect(&json!({"changed": true})).clone()));
        let silent = AssertUnwindSafe(|| drop(answer.never_says("on stderr").clone()));
        let failures = [
            (catch_unwind(expected), "$.changed: expected true"),
            (catch_unwind(silent), "'on stderr' was printed"),
        ];
        for (failure, why) in failures {
            let report = failure
                .err()
                .and_then(|it| it.downcast::<String>().ok())
                .unwrap_or_default();
            for part in [
                why,
                "\"option\": \"o1\"",
                "f 0644",
                "key.pem",
                "on stderr",
                "Some(0)",
            ] {
                assert!(report.contains(part), "{part} in {report}");
            }
        }
    }
}
