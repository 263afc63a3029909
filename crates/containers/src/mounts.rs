// SPDX-License-Identifier: Apache-2.0
//! Where a file of the host is in a container.

use std::path::{Path, PathBuf};

use crate::{Container, Mount, MountKind};

/// A mount that holds the file, and where it is in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Source of the mount, on the host.
    pub source: PathBuf,
    /// Destination of the mount, in the container.
    pub destination: PathBuf,
    /// The file, in the container.
    pub path: PathBuf,
    /// What is mounted.
    pub what: Mounted,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mounted {
    /// The file itself: a file that takes its place on the host stays outside.
    File,
    /// A directory above it.
    Directory,
    /// A volume above it.
    Volume,
}

impl Mounted {
    /// The word in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Volume => "volume",
        }
    }
}

/// A path of the host, as written and as it is once all links are followed.
#[derive(Clone, Debug)]
pub struct HostPath {
    written: PathBuf,
    real: PathBuf,
}

impl HostPath {
    /// Follows the links; what is not there is as written.
    pub fn new(path: &Path) -> Self {
        Self {
            written: path.to_owned(),
            real: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        }
    }

    /// As the user wrote it.
    pub fn written(&self) -> &Path {
        &self.written
    }
}

/// The places of the file in the container, each once, the most exact mount first.
///
/// Both the written and the real path are compared: certbot's `live/` holds links into `archive/`, and what is mounted
/// may be either.
pub fn places(container: &Container, file: &HostPath) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    for mount in &container.mounts {
        for place in places_in(mount, file) {
            if !found.iter().any(|other| other.path == place.path) {
                found.push(place);
            }
        }
    }
    found.sort_by_key(|place| std::cmp::Reverse(place.source.components().count()));
    found
}

fn places_in(mount: &Mount, file: &HostPath) -> Vec<Place> {
    let source = HostPath::new(&mount.source);
    let mut found = Vec::new();
    for path in [&file.written, &file.real] {
        for base in [&source.written, &source.real] {
            let Ok(rest) = path.strip_prefix(base) else {
                continue;
            };
            let is_file = rest.as_os_str().is_empty();
            let place = Place {
                source: mount.source.clone(),
                destination: mount.destination.clone(),
                path: if is_file {
                    mount.destination.clone()
                } else {
                    mount.destination.join(rest)
                },
                what: match mount.kind {
                    _ if is_file => Mounted::File,
                    MountKind::Bind => Mounted::Directory,
                    MountKind::Volume => Mounted::Volume,
                },
            };
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }
    found
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn mount(source: &Path, destination: &str) -> Mount {
        Mount {
            kind: MountKind::Bind,
            source: source.to_owned(),
            destination: PathBuf::from(destination),
        }
    }

    fn paths(mount: &Mount, file: &Path) -> Vec<(String, Mounted)> {
        let found = places_in(mount, &HostPath::new(file));
        found
            .into_iter()
            .map(|place| (place.path.display().to_string(), place.what))
            .collect()
    }

    #[test]
    fn a_directory_a_file_and_neither() {
        let file = Path::new("/no/such/etc/pki/tls/a.pem");
        let directory = mount(Path::new("/no/such/etc/pki"), "/certs");
        assert_eq!(
            paths(&directory, file),
            [(String::from("/certs/tls/a.pem"), Mounted::Directory)]
        );
        let itself = mount(file, "/a.pem");
        assert_eq!(
            paths(&itself, file),
            [(String::from("/a.pem"), Mounted::File)]
        );
        assert_eq!(paths(&mount(Path::new("/no/such/etc/pk"), "/x"), file), []);
    }

    #[test]
    fn links_are_compared_as_written_and_as_they_are() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("le/archive")).unwrap();
        std::fs::create_dir_all(at("le/live")).unwrap();
        std::fs::write(at("le/archive/c2.pem"), "x").unwrap();
        std::os::unix::fs::symlink("../archive/c2.pem", at("le/live/c.pem")).unwrap();
        std::os::unix::fs::symlink("le", at("letsencrypt")).unwrap();
        let live = at("le/live/c.pem");
        let whole = paths(&mount(&at("le"), "/le"), &live);
        let names: Vec<&str> = whole.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["/le/live/c.pem", "/le/archive/c2.pem"]);
        assert_eq!(
            paths(&mount(&at("le/archive"), "/a"), &live),
            [(String::from("/a/c2.pem"), Mounted::Directory)]
        );
        assert_eq!(
            paths(&mount(&live, "/c.pem"), &live),
            [(String::from("/c.pem"), Mounted::File)]
        );
        let through = paths(&mount(&at("letsencrypt"), "/le"), &live);
        assert!(
            through.iter().any(|(path, _)| path == "/le/archive/c2.pem"),
            "{through:?}"
        );
    }
}
