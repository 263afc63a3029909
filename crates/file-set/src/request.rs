// SPDX-License-Identifier: Apache-2.0
//! `Params` → [`Request`]: after this nothing is missing, contradictory or unparsed. All faults of the input are
//! collected, each with the path of its option.

mod file;
mod key_material;

use std::collections::BTreeMap;
use std::path::{Component, PathBuf};
use std::time::Duration;

use ansible_module::{Faults, InputFaults};
use glob::Pattern;
use tls_files::Mode;

pub use file::{FileWish, Wish};
pub use key_material::holds_private_key;

use crate::params::Params;

/// More workers than this only cost memory.
const MOST_WORKERS: usize = 256;
/// Longest name of a set: it becomes part of a file name.
const LONGEST_NAME: usize = 200;

/// Files that are replaced together.
#[derive(Debug)]
pub struct FileSet {
    /// How messages, results and journals call it.
    pub name: String,
    /// In the order of the renames.
    pub files: Vec<FileWish>,
}

/// What one task asks for.
#[derive(Debug)]
pub struct Request {
    /// The wished sets, in the order given.
    pub sets: Vec<FileSet>,
    /// Directories that shall exist.
    pub directories: Vec<PathBuf>,
    /// Whether the missing directories of the files are made.
    pub make_directories: bool,
    /// Mode of directories that are made.
    pub directory_mode: u32,
    /// Files whose content is answered.
    pub read: Vec<PathBuf>,
    /// Patterns of such files.
    pub read_matching: Vec<Pattern>,
    /// Files of which it is only answered whether they exist.
    pub exist: Vec<PathBuf>,
    /// Workers at once.
    pub parallel: usize,
    /// How long to wait for another run.
    pub lock_timeout: Duration,
}

impl Request {
    /// Checks all options.
    ///
    /// # Errors
    /// All faults of the input at once.
    pub fn try_from_params(params: &Params) -> Result<Self, InputFaults> {
        let mut faults = Faults::new();
        let sets = params
            .sets
            .iter()
            .enumerate()
            .map(|(index, set)| FileSet {
                name: set.name.clone(),
                files: file::files(&format!("sets[{index}].files"), &set.files, &mut faults),
            })
            .collect();
        check_names(params, &mut faults);
        check_paths(params, &mut faults);
        let request = Self {
            sets,
            directories: paths("directories", &params.directories, &mut faults),
            make_directories: params.make_directories,
            directory_mode: directory_mode(params, &mut faults),
            read: paths("read", &params.read, &mut faults),
            read_matching: patterns(&params.read_matching, &mut faults),
            exist: paths("exist", &params.exist, &mut faults),
            parallel: parallel(params.parallel, &mut faults),
            lock_timeout: wait(&params.lock_timeout, &mut faults),
        };
        faults.into_result(request)
    }
}

/// An absolute path without `..`.
pub(crate) fn absolute(at: &str, text: &str, faults: &mut Faults) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    if !path.is_absolute() {
        faults.push(
            at,
            format!("'{text}' is not an absolute path; begin it with '/'"),
        );
        return None;
    }
    if path.components().any(|part| part == Component::ParentDir) {
        faults.push(
            at,
            format!("'{text}' contains '..'; write the path without it"),
        );
        return None;
    }
    Some(path.components().collect())
}

/// Paths in the caller's spelling, under which they are answered.
fn paths(option: &str, given: &[String], faults: &mut Faults) -> Vec<PathBuf> {
    for (index, text) in given.iter().enumerate() {
        absolute(&format!("{option}[{index}]"), text, faults);
    }
    given.iter().map(PathBuf::from).collect()
}

fn patterns(given: &[String], faults: &mut Faults) -> Vec<Pattern> {
    let each = given.iter().enumerate();
    each.filter_map(|(index, text)| {
        let at = format!("read_matching[{index}]");
        absolute(&at, text, faults)?;
        Pattern::new(text)
            .map_err(|error| faults.push(at, format!("'{text}' is not a pattern: {error}")))
            .ok()
    })
    .collect()
}

fn directory_mode(params: &Params, faults: &mut Faults) -> u32 {
    Mode::parse_from_value(&params.directory_mode)
        .map_err(|error| faults.push("directory_mode", error.to_string()))
        .map_or(0o755, |mode| mode.resolve(0o755))
}

fn parallel(wished: Option<i64>, faults: &mut Faults) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match wished.map(usize::try_from) {
        None => cores,
        Some(Ok(count)) if (1..=MOST_WORKERS).contains(&count) => count,
        Some(_) => {
            faults.push("parallel", format!("give 1 to {MOST_WORKERS}"));
            cores
        }
    }
}

/// A whole number with the unit s, m or h.
fn wait(text: &str, faults: &mut Faults) -> Duration {
    let seconds = text.len().checked_sub(1).and_then(|at| {
        let (number, unit) = (text.get(..at)?, text.get(at..)?);
        let scale = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(scale)
    });
    if seconds.is_none() {
        faults.push(
            "lock_timeout",
            format!("'{text}' is not a duration; write for example 60s or 5m"),
        );
    }
    Duration::from_secs(seconds.unwrap_or_default())
}

fn check_names(params: &Params, faults: &mut Faults) {
    let mut seen = BTreeMap::new();
    for (index, set) in params.sets.iter().enumerate() {
        let at = format!("sets[{index}].name");
        if set.name.is_empty() || set.name.len() > LONGEST_NAME {
            faults.push(&at, format!("give 1 to {LONGEST_NAME} bytes"));
        }
        if let Some(first) = seen.insert(set.name.as_str(), index) {
            let message = format!(
                "'{}' is already the name of sets[{first}]; give each set its own name",
                set.name
            );
            faults.push(at, message);
        }
    }
}

/// Each path belongs to one file of one set.
fn check_paths(params: &Params, faults: &mut Faults) {
    let mut seen: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (index, set) in params.sets.iter().enumerate() {
        for (position, file) in set.files.iter().enumerate() {
            let path: PathBuf = PathBuf::from(&file.path).components().collect();
            if let Some(first) = seen.insert(path, &set.name) {
                let message = format!(
                    "'{}' is named twice: in set '{first}' and in set '{}'; name each file once",
                    file.path, set.name
                );
                faults.push(format!("sets[{index}].files[{position}].path"), message);
            }
        }
    }
}

#[cfg(test)]
mod tests;
