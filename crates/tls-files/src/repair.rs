// SPDX-License-Identifier: Apache-2.0
//! Repairing attributes in place.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Mode, Uid};

use crate::attributes::drift;
use crate::destination::{Destination, Directories, find};
use crate::install::Prepared;
use crate::{Error, ObservedAttributes, Result, Target, selinux};

/// Gives the files the attributes that are asked, without touching their content; returns those that were changed.
///
/// A mode is tightened before the owner changes and widened after, so that nobody has a right in between that he has
/// neither before nor after. Files that do not exist are skipped.
///
/// # Errors
/// Those of [`check_destination`](crate::check_destination); [`Error::HardLinked`]; [`Error::Os`]. Files before the
/// failing one keep their repaired attributes.
pub fn fix_attributes(targets: &[Target]) -> Result<Vec<PathBuf>> {
    let mut directories = Directories::default();
    let mut found = Vec::new();
    for target in targets {
        let destination = find(target, &mut directories)?;
        if destination.existing.is_some() {
            found.push((target, destination));
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    // Under the locks, for a run beside us may be replacing these files.
    let set = "attributes";
    let _prepared = Prepared::new(set, found.iter().map(|(target, _)| target.path.as_path()))?;
    let mut fixed = Vec::new();
    for (target, destination) in &found {
        if fix(target, destination)? {
            fixed.push(target.path.clone());
        }
    }
    Ok(fixed)
}

fn fix(target: &Target, destination: &Destination) -> Result<bool> {
    let path = destination.directory.join(&destination.name);
    let file = destination
        .directory
        .open_file(&destination.name)
        .map_err(Error::os("open", &path))?;
    let stat = rustix::fs::fstat(&file).map_err(Error::os("read the attributes of", &path))?;
    let found = ObservedAttributes::new(&stat, &file);
    if drift(&target.attributes, &found).is_empty() {
        return Ok(false);
    }
    let file = File::from(file);
    // The C type of the count differs between architectures; this one does not.
    let names = file
        .metadata()
        .map_err(Error::os("read the attributes of", &path))?
        .nlink();
    // Who can write into the directory could have linked somebody else's file to this name.
    if names != 1 {
        return Err(Error::HardLinked { path, names });
    }
    let attributes = &target.attributes;
    let mode = target.final_mode(Some(found.mode));
    set_mode(&file, found.mode & mode, &path)?;
    let owner = attributes
        .owner
        .filter(|&id| id != found.owner)
        .map(Uid::from_raw);
    let group = attributes
        .group
        .filter(|&id| id != found.group)
        .map(Gid::from_raw);
    if owner.is_some() || group.is_some() {
        rustix::fs::fchown(&file, owner, group).map_err(Error::os("change the owner of", &path))?;
    }
    if let (Some(wanted), Some(before)) = (&attributes.context, &found.context)
        && let Some(context) = wanted.resolve(Some(before))
    {
        selinux::set_context(&file, &context, &path)?;
    }
    set_mode(&file, mode, &path)?;
    Ok(true)
}

fn set_mode(file: impl AsFd, mode: u32, path: &Path) -> Result<()> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode)).map_err(Error::os("set the mode of", path))
}
