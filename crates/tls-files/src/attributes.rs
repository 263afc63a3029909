// SPDX-License-Identifier: Apache-2.0
//! Owner, group, mode and SELinux context: asked for and found.

use std::path::PathBuf;

use crate::{Error, Mode, ObservedFile, Result, SelinuxContext, selinux};

/// The attributes that the user asks for; `None` leaves an existing file's attribute as it is.
///
/// # Defaults
/// A new file belongs to the effective user and group, and has mode 0600 if it is a secret, else 0644.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// User ID.
    pub owner: Option<u32>,
    /// Group ID.
    pub group: Option<u32>,
    /// Permissions.
    pub mode: Option<Mode>,
    /// SELinux context; ignored with a warning where there is no SELinux.
    pub context: Option<SelinuxContext>,
}

/// A file that shall exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub path: PathBuf,
    /// With which attributes.
    pub attributes: Attributes,
    /// Whether it contains a private key: then nobody else gets access and the directory must not be open to all.
    pub secret: bool,
    /// Whether the replaced file is kept beside, named as Ansible names its backups.
    pub backup: bool,
}

/// The attributes that a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedAttributes {
    /// User ID.
    pub owner: u32,
    /// Group ID.
    pub group: u32,
    /// Permission bits, up to `0o7777`.
    pub mode: u32,
    /// SELinux context, where there is SELinux.
    pub context: Option<String>,
}

/// One attribute that differs from what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// `mode`, `owner`, `group` or `context`.
    pub what: &'static str,
    /// What the file has.
    pub before: String,
    /// What is asked.
    pub after: String,
}

/// How the attributes of a file differ from what is asked; empty if they do not.
///
/// Modes are four octal digits, owners and groups numbers. Contexts are compared only where the file has one.
pub fn attribute_drift(target: &Target, file: &ObservedFile) -> Vec<Drift> {
    drift(&target.attributes, &file.attributes)
}

pub(crate) fn drift(wanted: &Attributes, found: &ObservedAttributes) -> Vec<Drift> {
    let Attributes {
        owner,
        group,
        mode,
        context,
    } = wanted;
    let mut drift = Vec::new();
    let mut compare = |what, before: String, after: Option<String>| {
        if let Some(after) = after.filter(|after| *after != before) {
            drift.push(Drift {
                what,
                before,
                after,
            });
        }
    };
    let octal = |bits: u32| format!("{bits:04o}");
    compare(
        "mode",
        octal(found.mode),
        mode.as_ref().map(|mode| octal(mode.resolve(found.mode))),
    );
    compare(
        "owner",
        found.owner.to_string(),
        owner.map(|id| id.to_string()),
    );
    compare(
        "group",
        found.group.to_string(),
        group.map(|id| id.to_string()),
    );
    if let (Some(wanted), Some(before)) = (context, &found.context) {
        compare("context", before.clone(), wanted.resolve(Some(before)));
    }
    drift
}

impl ObservedAttributes {
    /// The attributes in a `stat`, with the context of the open file where there is SELinux.
    pub(crate) fn new(stat: &rustix::fs::Stat, file: impl std::os::fd::AsFd) -> Self {
        let context = selinux::is_enabled()
            .then(|| selinux::context_of(file))
            .flatten();
        Self {
            owner: stat.st_uid,
            group: stat.st_gid,
            mode: stat.st_mode & 0o7777,
            context,
        }
    }
}

impl Target {
    /// The permission bits that the file gets, if its present ones are `existing`.
    ///
    /// A secret whose mode is left as it is still loses what everybody could do with it.
    pub(crate) fn final_mode(&self, existing: Option<u32>) -> u32 {
        let new = if self.secret { 0o600 } else { 0o644 };
        match (&self.attributes.mode, existing) {
            (Some(mode), existing) => mode.resolve(existing.unwrap_or(new)),
            (None, Some(bits)) if self.secret => bits & !0o007,
            (None, existing) => existing.unwrap_or(new),
        }
    }

    /// Refuses a mode that opens a secret to everybody.
    pub(crate) fn check_mode(&self, existing: Option<u32>) -> Result<()> {
        let mode = self.final_mode(existing);
        if self.secret && mode & 0o007 != 0 {
            return Err(Error::ModeTooOpen {
                path: self.path.clone(),
                mode,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> ObservedAttributes {
        ObservedAttributes {
            owner: 0,
            group: 5,
            mode: 0o644,
            context: Some("u:r:etc_t:s0".to_owned()),
        }
    }

    #[test]
    fn nothing_asked_is_no_drift() {
        assert_eq!(drift(&Attributes::default(), &found()), []);
    }

    #[test]
    fn each_attribute_that_differs_is_told_with_both_values() {
        let wanted = Attributes {
            owner: Some(188),
            group: Some(5),
            mode: Some(Mode::new(0o640)),
            context: Some(SelinuxContext {
                kind: Some("cert_t".to_owned()),
                ..SelinuxContext::default()
            }),
        };
        let told: Vec<_> = drift(&wanted, &found())
            .into_iter()
            .map(|d| format!("{} {} {}", d.what, d.before, d.after))
            .collect();
        assert_eq!(
            told,
            [
                "mode 0644 0640",
                "owner 0 188",
                "context u:r:etc_t:s0 u:r:cert_t:s0"
            ]
        );
    }

    #[test]
    fn a_context_is_no_drift_where_the_file_has_none() {
        let wanted = Attributes {
            context: SelinuxContext::parse("u:r:t:s0").ok(),
            ..Attributes::default()
        };
        assert_eq!(
            drift(
                &wanted,
                &ObservedAttributes {
                    context: None,
                    ..found()
                }
            ),
            []
        );
    }

    #[test]
    fn a_secret_never_stays_open_to_everybody() {
        let target = |secret, mode| Target {
            path: PathBuf::from("/k"),
            attributes: Attributes {
                mode,
                ..Attributes::default()
            },
            secret,
            backup: false,
        };
        assert_eq!(target(true, None).final_mode(Some(0o644)), 0o640);
        assert_eq!(target(true, None).final_mode(None), 0o600);
        assert_eq!(target(false, None).final_mode(Some(0o600)), 0o600);
        assert_eq!(target(false, None).final_mode(None), 0o644);
        let error = target(true, Some(Mode::new(0o644)))
            .check_mode(None)
            .map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("refusing mode 0644 for the secret '/k': it grants access to everybody; use '0640' with a group, or '0600'".to_owned())
        );
        assert!(
            target(true, Some(Mode::new(0o660)))
                .check_mode(None)
                .is_ok()
        );
    }
}
