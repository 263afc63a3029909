// SPDX-License-Identifier: Apache-2.0
//! Where Kolla's start copied a file to.
//!
//! A Kolla container does not read the mounted file: `kolla_set_configs` copies it at each start (`COPY_ALWAYS`), or at
//! the first start only (`COPY_ONCE`). The rules are those of kolla `docker/base/set_configs.py`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::inside::Root;
use crate::{Container, Result};

/// Where Kolla's description is in a container.
pub const CONFIG: &str = "/var/lib/kolla/config_files/config.json";

/// When Kolla copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// At each start.
    Always,
    /// At the first start only: a restart refreshes nothing.
    Once,
}

impl Strategy {
    /// What the environment of the container says.
    pub fn of(container: &Container) -> Option<Self> {
        match container.variable("KOLLA_CONFIG_STRATEGY")? {
            "COPY_ALWAYS" => Some(Self::Always),
            "COPY_ONCE" => Some(Self::Once),
            _ => None,
        }
    }

    /// Kolla's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Always => "COPY_ALWAYS",
            Self::Once => "COPY_ONCE",
        }
    }
}

/// A copy that Kolla makes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// What is copied, in the container.
    pub source: PathBuf,
    /// Where to, in the container.
    pub destination: PathBuf,
    /// `user` or `user:group`; the owner of the source where nothing is said.
    pub owner: Option<String>,
    /// Octal permission bits; those of the source where nothing is said.
    pub mode: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
struct Description {
    #[serde(default)]
    config_files: Vec<ConfigFile>,
}

#[derive(Debug, Deserialize)]
struct ConfigFile {
    source: String,
    dest: String,
    owner: Option<String>,
    perm: Option<String>,
    #[serde(default)]
    preserve_properties: bool,
}

/// The copies of `file` (a path in the container) that its description names; none if there is no description, and
/// what is wrong with it if it cannot be read.
pub fn copies(root: &Root, file: &Path) -> Result<Result<Vec<Copy>, String>> {
    let Some(text) = root.read(Path::new(CONFIG))? else {
        return Ok(Ok(Vec::new()));
    };
    Ok(copies_in(&text.content, file))
}

fn copies_in(text: &[u8], file: &Path) -> Result<Vec<Copy>, String> {
    let description: Description = serde_json::from_slice(text)
        .map_err(|error| format!("'{CONFIG}' is not as Kolla writes it: {error}"))?;
    let each = description.config_files.iter();
    Ok(each.filter_map(|entry| entry.copy_of(file)).collect())
}

impl ConfigFile {
    fn copy_of(&self, file: &Path) -> Option<Copy> {
        // The part of the path that the pattern matches; the rest is below a directory that is copied whole.
        let depth = Path::new(&self.source).components().count();
        let matched: PathBuf = file.components().take(depth).collect();
        if !matches(&self.source, &matched) {
            return None;
        }
        let rest = file.strip_prefix(&matched).ok()?;
        let mut destination = PathBuf::from(&self.dest);
        if self.dest.ends_with('/') {
            destination.push(matched.file_name()?);
        }
        if !rest.as_os_str().is_empty() {
            destination.push(rest);
        }
        let own = |value: &Option<String>| value.clone().filter(|_| !self.preserve_properties);
        Some(Copy {
            source: file.to_owned(),
            destination,
            owner: own(&self.owner),
            mode: own(&self.perm).and_then(|text| u32::from_str_radix(&text, 8).ok()),
        })
    }
}

/// Python's `glob.glob` without brackets: `*` and `?` within one part of the path, and no leading dot.
fn matches(pattern: &str, path: &Path) -> bool {
    let (pattern, path) = (Path::new(pattern).components(), path.components());
    if pattern.clone().count() != path.clone().count() {
        return false;
    }
    pattern.zip(path).all(|(pattern, part)| {
        let pattern = pattern.as_os_str().to_string_lossy();
        let part = part.as_os_str().to_string_lossy();
        (!part.starts_with('.') || pattern.starts_with('.'))
            && fits(pattern.as_bytes(), part.as_bytes())
    })
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            fits(rest, text)
                || text
                    .split_first()
                    .is_some_and(|(_, after)| fits(pattern, after))
        }
        (Some((b'?', pattern)), Some((_, text))) => fits(pattern, text),
        (Some((a, pattern)), Some((b, text))) if a == b => fits(pattern, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLEO: &str = r#"{"command": "/usr/sbin/haproxy", "config_files": [
        {"source": "/var/lib/kolla/config_files/src/*", "dest": "/", "merge": true, "preserve_properties": true},
        {"source": "/var/lib/kolla/config_files/src-tls/*", "dest": "/", "merge": true, "optional": true,
         "preserve_properties": true}], "permissions": []}"#;

    const KOLLA: &str = r#"{"command": "x", "config_files": [
        {"source": "/var/lib/kolla/config_files/haproxy.cfg", "dest": "/etc/haproxy/haproxy.cfg", "owner": "root", "perm": "0644"},
        {"source": "/var/lib/kolla/config_files/haproxy.pem", "dest": "/etc/haproxy/certificates/haproxy.pem",
         "owner": "haproxy", "perm": "0600"}]}"#;

    fn destinations(text: &str, file: &str) -> Result<Vec<String>, String> {
        let found = copies_in(text.as_bytes(), Path::new(file))?;
        Ok(found
            .iter()
            .map(|copy| copy.destination.display().to_string())
            .collect())
    }

    #[test]
    fn a_whole_tree_is_copied_below_the_root() {
        let file = "/var/lib/kolla/config_files/src-tls/etc/pki/tls/certs/haproxy.pem";
        assert_eq!(
            destinations(TRIPLEO, file),
            Ok(vec![String::from("/etc/pki/tls/certs/haproxy.pem")])
        );
        assert_eq!(
            destinations(TRIPLEO, "/etc/pki/tls/certs/haproxy.pem"),
            Ok(Vec::new())
        );
    }

    #[test]
    fn a_single_file_is_copied_with_its_owner_and_mode() {
        let found = copies_in(
            KOLLA.as_bytes(),
            Path::new("/var/lib/kolla/config_files/haproxy.pem"),
        );
        let expected = Copy {
            source: PathBuf::from("/var/lib/kolla/config_files/haproxy.pem"),
            destination: PathBuf::from("/etc/haproxy/certificates/haproxy.pem"),
            owner: Some(String::from("haproxy")),
            mode: Some(0o600),
        };
        assert_eq!(found, Ok(vec![expected]));
    }

    #[test]
    fn patterns_match_within_one_part_and_no_hidden_file() {
        assert!(matches("/a/*.pem", Path::new("/a/x.pem")));
        assert!(matches("/a/?.*", Path::new("/a/x.pem")));
        assert!(!matches("/a/*.pem", Path::new("/a/b/x.pem")));
        assert!(!matches("/a/*", Path::new("/a/.hidden")));
    }

    #[test]
    fn a_description_that_is_none_is_said() {
        let said = destinations("{", "/x").map_err(|why| why.contains("is not as Kolla writes it"));
        assert_eq!(said, Err(true));
    }
}
