// SPDX-License-Identifier: Apache-2.0
//! What Ansible itself tells a module, in the keys that begin with `_ansible_`.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::coerce;
use crate::faults::Faults;

/// The prefix of Ansible's own keys. Their list grows with each release, so all of the prefix are accepted.
pub(crate) const PREFIX: &str = "_ansible_";

/// File systems on which Ansible does not set a SELinux context, unless it says otherwise.
///
/// Source: ansible-core `lib/ansible/config/base.yml`, `DEFAULT_SELINUX_SPECIAL_FS`.
const SELINUX_SPECIAL_FS: [&str; 6] = ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"];

/// How the module was asked to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// Say what would change, and change nothing.
    pub check_mode: bool,
    /// A diff was asked for.
    pub diff: bool,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// The task has `no_log`: neither options nor diff are answered.
    pub no_log: bool,
    /// The task's private temporary directory on this host, if Ansible made one.
    pub tmpdir: Option<PathBuf>,
    /// Names of file systems on which no SELinux context can be set.
    pub selinux_special_fs: Vec<String>,
    /// The name under which the task called the module.
    pub module_name: Option<String>,
    /// The version of ansible-core.
    pub version: Option<String>,
    /// Every other key of Ansible's, as it came.
    pub others: Map<String, Value>,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            check_mode: false,
            diff: false,
            verbosity: 0,
            no_log: false,
            tmpdir: None,
            selinux_special_fs: SELINUX_SPECIAL_FS.map(str::to_owned).to_vec(),
            module_name: None,
            version: None,
            others: Map::new(),
        }
    }
}

impl Control {
    /// Takes Ansible's keys out of the input; what remains are the options.
    ///
    /// A key that decides what happens and has a value which cannot be understood is a fault: a garbled
    /// check mode must not turn into a real run.
    pub(crate) fn split(
        input: Map<String, Value>,
        faults: &mut Faults,
    ) -> (Self, Map<String, Value>) {
        let mut control = Self::default();
        let mut options = Map::new();
        for (key, value) in input {
            match key.strip_prefix(PREFIX) {
                None => drop(options.insert(key, value)),
                Some(_) if value.is_null() => {}
                Some(word) => {
                    if let Err(wanted) = control.take(word, value) {
                        // Whoever set it, however badly, wanted less to be said.
                        control.no_log |= word == "no_log";
                        faults.push(&key, format!("expected {wanted}"));
                    }
                }
            }
        }
        (control, options)
    }

    fn take(&mut self, word: &str, value: Value) -> Result<(), &'static str> {
        match word {
            "check_mode" => self.check_mode = boolean(&value)?,
            "diff" => self.diff = boolean(&value)?,
            "no_log" => self.no_log = boolean(&value)?,
            "verbosity" => {
                let level = coerce::integer(&value).ok_or("a whole number")?;
                self.verbosity = u8::try_from(level.clamp(0, 255)).unwrap_or(u8::MAX);
            }
            "tmpdir" => {
                self.tmpdir =
                    Some(PathBuf::from(text(value)?)).filter(|p| !p.as_os_str().is_empty())
            }
            "selinux_special_fs" => self.selinux_special_fs = texts(value)?,
            "module_name" => self.module_name = text(value).ok(),
            "version" => self.version = text(value).ok(),
            _ => drop(self.others.insert(word.to_owned(), value)),
        }
        Ok(())
    }
}

fn boolean(value: &Value) -> Result<bool, &'static str> {
    coerce::boolean(value).ok_or("a boolean")
}

fn text(value: Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err("a string"),
    }
}

fn texts(value: Value) -> Result<Vec<String>, &'static str> {
    match value {
        Value::Array(items) => items
            .into_iter()
            .map(|item| text(item).map_err(|_| "a list of strings"))
            .collect(),
        _ => Err("a list of strings"),
    }
}
