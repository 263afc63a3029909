// SPDX-License-Identifier: Apache-2.0
//! SELinux contexts of files, through the extended attribute `security.selinux`.
//!
//! Without a context asked for, a replaced file's context is copied and a new file keeps what the kernel gives it in
//! that directory. `restorecon` is never run: the policy's opinion about a path is the policy's tool's business.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

use crate::{Error, Result};

const ATTRIBUTE: &str = "security.selinux";
/// Exists exactly if selinuxfs is mounted, that is if the kernel runs with SELinux.
const ENFORCE: &str = "/sys/fs/selinux/enforce";

/// A SELinux context, whole or in part: parts that are `None` stay as they are on the file.
///
/// The parts are Ansible's `seuser`, `serole`, `setype` and `selevel`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelinuxContext {
    /// The SELinux user, for example `system_u`.
    pub user: Option<String>,
    /// The role, for example `object_r`.
    pub role: Option<String>,
    /// The type, for example `cert_t`.
    pub kind: Option<String>,
    /// The level or range, for example `s0`.
    pub level: Option<String>,
}

impl SelinuxContext {
    /// Reads a whole context, `user:role:type[:level]`.
    ///
    /// # Errors
    /// [`Error::InvalidContext`].
    pub fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.splitn(4, ':').collect();
        let sound =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
        if parts.len() < 3 || !parts.iter().all(sound) {
            return Err(Error::InvalidContext {
                value: text.to_owned(),
            });
        }
        let part = |index: usize| parts.get(index).map(|&part| part.to_owned());
        Ok(Self {
            user: part(0),
            role: part(1),
            kind: part(2),
            level: part(3),
        })
    }

    /// The whole context of a file that has the context `current`; `None` if a part is known to neither.
    pub fn resolve(&self, current: Option<&str>) -> Option<String> {
        let current = current
            .and_then(|text| Self::parse(text).ok())
            .unwrap_or_default();
        let user = self.user.clone().or(current.user)?;
        let role = self.role.clone().or(current.role)?;
        let kind = self.kind.clone().or(current.kind)?;
        Some(match self.level.clone().or(current.level) {
            Some(level) => format!("{user}:{role}:{kind}:{level}"),
            None => format!("{user}:{role}:{kind}"),
        })
    }
}

/// Whether this host runs with SELinux; asked once per process.
pub(crate) fn is_enabled() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| Path::new(ENFORCE).exists())
}

/// The context of an open file; `None` where the file system has none.
pub(crate) fn context_of(file: impl AsFd) -> Option<String> {
    let mut buffer = [0_u8; 512];
    let length = rustix::fs::fgetxattr(file, ATTRIBUTE, &mut buffer[..]).ok()?;
    let text = std::str::from_utf8(buffer.get(..length)?).ok()?;
    Some(text.trim_end_matches('\0').to_owned())
}

/// Gives an open file a context; `false` if the file system cannot keep one.
pub(crate) fn set_context(file: impl AsFd, context: &str, path: &Path) -> Result<bool> {
    // The kernel's own values end with a NUL; libselinux writes it too.
    let value = [context.as_bytes(), b"\0"].concat();
    match rustix::fs::fsetxattr(file, ATTRIBUTE, &value, XattrFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP) => Ok(false),
        Err(errno) => Err(Error::os("set the SELinux context of", path)(errno)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_read_in_its_parts() {
        let context = SelinuxContext::parse("system_u:object_r:cert_t:s0:c1,c2").unwrap();
        assert_eq!(context.kind.as_deref(), Some("cert_t"));
        assert_eq!(context.level.as_deref(), Some("s0:c1,c2"));
        assert_eq!(
            context.resolve(None).unwrap(),
            "system_u:object_r:cert_t:s0:c1,c2"
        );
    }

    #[test]
    fn a_partial_context_keeps_the_other_parts_of_the_file() {
        let context = SelinuxContext {
            kind: Some("cert_t".to_owned()),
            ..SelinuxContext::default()
        };
        assert_eq!(
            context.resolve(Some("u:r:etc_t:s0")).unwrap(),
            "u:r:cert_t:s0"
        );
        assert_eq!(context.resolve(None), None);
    }

    #[test]
    fn what_is_no_context_is_refused() {
        for text in ["", "cert_t", "a:b", "a::c", "a:b:c d"] {
            assert!(
                matches!(
                    SelinuxContext::parse(text),
                    Err(Error::InvalidContext { .. })
                ),
                "{text}"
            );
        }
        assert_eq!(
            SelinuxContext::parse("cert_t").unwrap_err().to_string(),
            "'cert_t' is not a SELinux context; write user:role:type:level, for example 'system_u:object_r:cert_t:s0'"
        );
    }

    /// The attribute is an ordinary one for a kernel without SELinux, so root can test the calls anywhere.
    #[test]
    fn a_context_is_written_and_read_back() {
        let file = tempfile::tempfile().unwrap();
        match set_context(&file, "system_u:object_r:cert_t:s0", Path::new("x")) {
            Ok(true) => assert_eq!(context_of(&file).unwrap(), "system_u:object_r:cert_t:s0"),
            Ok(false) => {}
            Err(error) => {
                assert!(!rustix::process::geteuid().is_root(), "{error:?}");
                assert_eq!(error.to_string(), "cannot set the SELinux context of 'x'");
            }
        }
    }
}
