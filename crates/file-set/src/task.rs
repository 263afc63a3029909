// SPDX-License-Identifier: Apache-2.0
//! The walk of one task: directories, locks, observe, decide, (check mode answers here,) apply, answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ansible_module::{Control, Faults, Invocation, Module, OptionSpec, Outcome, each, flatten};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use tls_files::{DirectoryLocks, Observed};

use crate::apply::{self, Applied};
use crate::decide::{Action, Decision, decide};
use crate::directories;
use crate::failure::{SetError, TaskError};
use crate::observe::{exists, observe};
use crate::outcome::{SetOutcome, Surroundings, answer};
use crate::params::{OPTIONS, Params};
use crate::request::{FileSet, Request, Wish};

/// The module.
pub struct FileSetModule;

impl Module for FileSetModule {
    const NAME: &'static str = "file_set";
    type Params = Params;
    type Failure = TaskError;

    fn options() -> &'static [OptionSpec] {
        OPTIONS
    }

    fn further_faults(params: Params) -> Faults {
        Request::try_from_params(&params).map_or_else(Faults::from, |_| Faults::new())
    }

    fn run(invocation: Invocation<Params>) -> Result<Outcome, TaskError> {
        let request = Request::try_from_params(&invocation.params)?;
        Task {
            request: &request,
            control: &invocation.control,
        }
        .run()
    }
}

struct Task<'a> {
    request: &'a Request,
    control: &'a Control,
}

/// What was found out before the sets are looked at.
#[derive(Default)]
struct Ground {
    around: Surroundings,
    /// Directories in which nothing can be done, and why.
    broken: BTreeMap<PathBuf, SetError>,
}

impl Task<'_> {
    fn run(&self) -> Result<Outcome, TaskError> {
        let mut ground = Ground::default();
        self.make_directories(&mut ground)?;
        let _locks = self.lock_and_recover(&mut ground)?;
        let outcomes = each(&self.request.sets, self.request.parallel, |set| {
            self.outcome(set, &ground)
        });
        ground.around.read = self.read();
        answer(&outcomes, ground.around)
    }

    /// Directories that are wished for themselves must be made or the task fails; those of files spoil their sets only.
    fn make_directories(&self, ground: &mut Ground) -> Result<(), TaskError> {
        for directory in &self.request.directories {
            let made = self.make_directory(directory)?;
            ground.around.made_directories.extend(made);
        }
        if self.request.make_directories {
            for directory in self.directories() {
                match self.make_directory(&directory) {
                    Ok(made) => ground.around.made_directories.extend(made),
                    // Found again with the file that cannot be in it.
                    Err(tls_files::Error::NotADirectory { .. }) => {}
                    Err(error) => drop(ground.broken.insert(directory, SetError::from(error))),
                }
            }
        }
        let made = &mut ground.around.made_directories;
        made.sort();
        made.dedup();
        Ok(())
    }

    fn make_directory(&self, directory: &Path) -> tls_files::Result<Vec<PathBuf>> {
        if self.control.check_mode {
            directories::missing(directory)
        } else {
            directories::make(directory, self.request.directory_mode)
        }
    }

    /// Every directory into which something may be written.
    fn directories(&self) -> BTreeSet<PathBuf> {
        let files = self.request.sets.iter().flat_map(|set| &set.files);
        files
            .filter(|file| matches!(file.wish, Wish::Present(_)) || exists(&file.target.path))
            .filter_map(|file| file.target.path.parent())
            .map(Path::to_path_buf)
            .collect()
    }

    fn lock_and_recover(&self, ground: &mut Ground) -> Result<Option<DirectoryLocks>, TaskError> {
        if self.control.check_mode || self.request.sets.is_empty() {
            return Ok(None);
        }
        // One that cannot be opened spoils only the sets that name it; they say why when they come to it.
        let can_be_opened = |directory: &PathBuf| std::fs::read_dir(directory).is_ok();
        let open: Vec<PathBuf> = self
            .directories()
            .into_iter()
            .filter(can_be_opened)
            .collect();
        let locks = DirectoryLocks::acquire(open.clone(), self.request.lock_timeout)?;
        for directory in open {
            match tls_files::recover([directory.clone()]) {
                Ok(done) => ground.around.recovered.extend(done),
                Err(error) => drop(ground.broken.insert(directory, SetError::from(error))),
            }
        }
        Ok(Some(locks))
    }

    fn outcome(&self, set: &FileSet, ground: &Ground) -> SetOutcome {
        let mut outcome = SetOutcome {
            name: set.name.clone(),
            decision: Decision::default(),
            applied: Applied::default(),
            failed: None,
        };
        if let Err(error) = self.work(set, ground, &mut outcome) {
            outcome.failed = Some(error.of(&set.name));
        }
        outcome
    }

    fn work(
        &self,
        set: &FileSet,
        ground: &Ground,
        outcome: &mut SetOutcome,
    ) -> Result<(), SetError> {
        let parents = set
            .files
            .iter()
            .filter_map(|file| file.target.path.parent());
        if let Some(error) = parents
            .into_iter()
            .find_map(|parent| ground.broken.get(parent))
        {
            return Err(error.share());
        }
        let seen = observe(set)?;
        if !self.request.make_directories && !seen.missing_directories.is_empty() {
            return Err(SetError::directories_missing(set));
        }
        outcome.decision = decide(set, &seen);
        apply::check(set, &outcome.decision)?;
        if !self.control.check_mode && outcome.decision.action() != Action::Keep {
            outcome.applied = apply::apply(set, &outcome.decision)?;
        }
        Ok(())
    }

    /// What was asked for: contents, the reason where there is none, and what exists.
    fn read(&self) -> Map<String, Value> {
        let mut paths: BTreeMap<String, PathBuf> = BTreeMap::new();
        let matching = self.request.read_matching.iter().flat_map(matching);
        for path in self.request.read.iter().cloned().chain(matching) {
            paths.insert(path.display().to_string(), path);
        }
        let (mut contents, mut problems) = (Map::new(), Map::new());
        for (name, path) in paths {
            match tls_files::observe(&path) {
                Observed::Present(read) => {
                    contents.insert(name, json!(BASE64.encode(&read.bytes)));
                }
                Observed::Absent => {
                    problems.insert(name.clone(), json!(format!("'{name}' does not exist")));
                }
                Observed::Unreadable(error) => {
                    problems.insert(name, json!(flatten(&error)));
                }
            }
        }
        let existing: Vec<String> = self
            .request
            .exist
            .iter()
            .filter(|path| exists(path))
            .map(|path| path.display().to_string())
            .collect();
        Map::from_iter([
            (String::from("contents"), Value::Object(contents)),
            (String::from("problems"), Value::Object(problems)),
            (String::from("existing"), json!(existing)),
        ])
    }
}

/// The files that match; a directory that cannot be read has none.
fn matching(pattern: &glob::Pattern) -> impl Iterator<Item = PathBuf> {
    glob::glob(pattern.as_str()).into_iter().flatten().flatten()
}
