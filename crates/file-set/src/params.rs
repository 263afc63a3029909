// SPDX-License-Identifier: Apache-2.0
//! What Ansible sent: the table of options and the structs that it fills. No thinking here.

use ansible_module::{Element, Kind, OptionSpec, Secret};
use serde::Deserialize;
use serde_json::Value;

const FILE: &[OptionSpec] = &[
    OptionSpec::new("path", Kind::Path).required(),
    OptionSpec::new("state", Kind::Str)
        .choices(&["present", "absent", "retired"])
        .default(r#""present""#),
    OptionSpec::new("content", Kind::Str).secret(),
    OptionSpec::new("content_base64", Kind::Str).secret(),
    OptionSpec::new("holds_private_key", Kind::Bool),
    OptionSpec::new("owner", Kind::Str),
    OptionSpec::new("group", Kind::Str),
    OptionSpec::new("mode", Kind::Raw),
    OptionSpec::new("context", Kind::Str).aliases(&["secontext"]),
    OptionSpec::new("setype", Kind::Str),
    OptionSpec::new("backup", Kind::Bool).default("false"),
];

const SET: &[OptionSpec] = &[
    OptionSpec::new("name", Kind::Str).required(),
    OptionSpec::new("files", Kind::List(Element::Dict))
        .options(FILE)
        .required(),
];

/// The one table of options of `file_set`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("sets", Kind::List(Element::Dict))
        .options(SET)
        .default("[]"),
    OptionSpec::new("directories", Kind::List(Element::Path)).default("[]"),
    OptionSpec::new("make_directories", Kind::Bool).default("false"),
    OptionSpec::new("directory_mode", Kind::Raw).default(r#""0755""#),
    OptionSpec::new("read", Kind::List(Element::Path)).default("[]"),
    OptionSpec::new("read_matching", Kind::List(Element::Str)).default("[]"),
    OptionSpec::new("exist", Kind::List(Element::Path)).default("[]"),
    OptionSpec::new("parallel", Kind::Int),
    OptionSpec::new("lock_timeout", Kind::Str).default(r#""60s""#),
];

/// All options of one task.
#[derive(Debug, Deserialize)]
pub struct Params {
    /// The wished sets.
    pub sets: Vec<SetParams>,
    /// Directories that shall exist.
    pub directories: Vec<String>,
    /// Whether the missing directories of the files are made.
    pub make_directories: bool,
    /// Mode of directories that are made.
    pub directory_mode: Value,
    /// Files whose content is answered.
    pub read: Vec<String>,
    /// Patterns of such files.
    pub read_matching: Vec<String>,
    /// Files of which it is only answered whether they exist.
    pub exist: Vec<String>,
    /// Workers at once; not given: the cores of the host.
    pub parallel: Option<i64>,
    /// How long to wait for another run on the same directories.
    pub lock_timeout: String,
}

/// One set.
#[derive(Debug, Deserialize)]
pub struct SetParams {
    /// Unique in the task.
    pub name: String,
    /// In the order of the renames: keys first.
    pub files: Vec<FileParams>,
}

/// One file.
#[derive(Debug, Deserialize)]
pub struct FileParams {
    /// Where it is.
    pub path: String,
    /// `present`, `absent` or `retired`.
    pub state: String,
    /// What is in it, as text.
    pub content: Option<Secret<String>>,
    /// What is in it, as base64.
    pub content_base64: Option<Secret<String>>,
    /// Whether it is treated as a private key; not given: its content tells.
    pub holds_private_key: Option<bool>,
    /// Name or number.
    pub owner: Option<String>,
    /// Name or number.
    pub group: Option<String>,
    /// Octal text, number or symbolic.
    pub mode: Option<Value>,
    /// The whole SELinux context.
    pub context: Option<String>,
    /// Only its type.
    pub setype: Option<String>,
    /// Keep a copy of what is replaced.
    pub backup: bool,
}
