// SPDX-License-Identifier: Apache-2.0
//! Kolla's copies, made anew as Kolla makes them, and put back if the container's own validation says no.

use std::path::Path;

use containers::inside::{InsideFile, Root};
use containers::kolla::Copy;
use containers::processes;

use super::{Done, Work};
use crate::failure::Failure;
use crate::observe::CopySeen;

impl Work<'_> {
    /// Refreshes the copies, then validates; on a no the old copies are back and nothing else was done.
    pub(super) fn refresh(&self, done: &mut Done) -> Result<(), Failure> {
        let Some(evidence) = self.candidate.evidence.as_ref().filter(|_| self.act.sync) else {
            return Ok(());
        };
        let container = done.container.as_ref().unwrap_or(&self.candidate.container);
        let root = Root::of(container)?;
        // All are read before one is written: what cannot be read could not be put back.
        let mut old = Vec::new();
        for seen in evidence.stale_copies() {
            old.push((seen, root.read(&seen.copy.destination)?));
        }
        let written = old
            .iter()
            .try_for_each(|(seen, before)| self.write(&root, seen, before.as_ref()));
        match written.and_then(|()| self.validate()) {
            Ok(()) => {
                done.actions.push(String::from("sync"));
                Ok(())
            }
            Err(failure) => {
                let lost: Vec<String> = old
                    .iter()
                    .filter_map(|(seen, before)| put_back(&root, seen, before.as_ref()).err())
                    .map(|error| ansible_module::flatten(&error))
                    .collect();
                if !lost.is_empty() {
                    done.warnings.push(format!(
                        "an old copy could not be put back: {}",
                        lost.join("; ")
                    ));
                }
                Err(failure)
            }
        }
    }

    fn write(
        &self,
        root: &Root,
        seen: &CopySeen,
        before: Option<&InsideFile>,
    ) -> Result<(), Failure> {
        let content = match (&self.wanted.key_file, seen.is_key) {
            (Some(key), true) => &key.content,
            _ => &self.wanted.file.content,
        };
        let source = root.read(&seen.copy.source)?;
        let (owner, mode) = match (before, &source) {
            (Some(before), _) => (before.owner, before.mode),
            (None, Some(source)) => (source.owner, source.mode),
            (None, None) => ((0, 0), 0o600),
        };
        // What Kolla's description says holds only where there is no file yet that already has it.
        let (owner, mode) = match before {
            Some(_) => (owner, mode),
            None => (
                self.described_owner(root, &seen.copy).unwrap_or(owner),
                seen.copy.mode.unwrap_or(mode),
            ),
        };
        Ok(root.replace(&seen.copy.destination, content, owner, mode)?)
    }

    /// `user` or `user:group`, by the container's own accounts, as the host counts.
    fn described_owner(&self, root: &Root, copy: &Copy) -> Option<(u32, u32)> {
        let text = copy.owner.as_deref()?;
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        let number =
            |file: &str, name: &str| name.parse().ok().or_else(|| root.account(file, name));
        let uid = number("/etc/passwd", user)?;
        let gid = number("/etc/group", group)?;
        let pid = self.candidate.container.pid?;
        let map = |file: &str, inside| {
            processes::on_the_host(Path::new(&format!("/proc/{pid}/{file}")), inside)
        };
        Some((map("uid_map", uid)?, map("gid_map", gid)?))
    }
}

/// As it was; a copy that was not there goes again.
fn put_back(root: &Root, seen: &CopySeen, before: Option<&InsideFile>) -> containers::Result<()> {
    let path = &seen.copy.destination;
    match before {
        Some(before) => root.replace(path, &before.content, before.owner, before.mode),
        None => root.remove(path),
    }
}
