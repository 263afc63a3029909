// SPDX-License-Identifier: Apache-2.0
//! Entries of clouds.yaml, with secure.yaml beside it, as openstacksdk reads them; but the working directory, which
//! says nothing where Ansible runs a module, is not looked into.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ansible_module::Secret as Hidden;
use serde_json::{Map, Value};

use super::auth::Auth;
use super::place::Place;
use super::secret::{read_text, unreadable};
use super::yaml;
use crate::failure::CertificateError;

/// Where clouds.yaml is looked for, as the default of an option.
pub(super) const USUAL_FILES: &str =
    r#"["~/.config/openstack/clouds.yaml", "/etc/openstack/clouds.yaml"]"#;
/// What takes precedence over a clouds.yaml beside it.
const SECURE: &str = "secure.yaml";
const WHAT: &str = "clouds.yaml";

/// A cloud, and the files of which the first one that exists has it.
#[derive(Clone, Debug)]
pub(super) struct CloudName {
    name: String,
    files: Vec<PathBuf>,
}

/// What an entry says that is of use here.
#[derive(Debug)]
pub(super) struct Entry {
    file: PathBuf,
    name: String,
    pub(super) auth: Auth,
    pub(super) auth_type: Option<String>,
    pub(super) region: Option<String>,
    pub(super) interface: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
}

impl CloudName {
    pub(super) fn understood(at: &mut Place<'_>, name: &str, files: &[String]) -> Self {
        if files.is_empty() {
            at.fault("clouds_files", "name at least one file");
        }
        let paths = files.iter().enumerate();
        let paths =
            paths.filter_map(|(index, path)| at.absolute(&format!("clouds_files[{index}]"), path));
        Self {
            name: name.to_owned(),
            files: paths.collect(),
        }
    }

    /// Reads it.
    pub(super) fn entry(&self) -> Result<Entry, CertificateError> {
        let file = self.files.iter().find(|file| file.exists());
        let Some(file) = file else {
            let first = self.files.first().cloned().unwrap_or_default();
            let others = self
                .files
                .iter()
                .skip(1)
                .map(|file| format!("'{}'", file.display()));
            let others: Vec<String> = others.collect();
            let why = match others.is_empty() {
                true => String::from("it does not exist"),
                false => format!("neither it nor {} exists", others.join(", ")),
            };
            return Err(unreadable(WHAT, &first, why));
        };
        let mut cloud = self.cloud(file)?.ok_or_else(|| self.unknown(file))?;
        let secure = file.with_file_name(SECURE);
        if secure.exists()
            && let Some(more) = self.cloud(&secure)?
        {
            put_over(&mut cloud, more);
        }
        Entry::of(file, &self.name, &cloud).map_err(|why| unreadable(WHAT, file, why))
    }

    /// What a file says of the cloud.
    fn cloud(&self, file: &Path) -> Result<Option<Map<String, Value>>, CertificateError> {
        let all = clouds(file)?;
        match all.get(&self.name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members.clone())),
            Some(_) => {
                let why = format!("its cloud '{}' is not a mapping", self.name);
                Err(unreadable(WHAT, file, why))
            }
        }
    }

    fn unknown(&self, file: &Path) -> CertificateError {
        let all = clouds(file).unwrap_or_default();
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        let why = format!(
            "it has no cloud '{}'; there are: {}",
            self.name,
            names.join(", ")
        );
        unreadable(WHAT, file, why)
    }
}

impl Entry {
    fn of(file: &Path, name: &str, cloud: &Map<String, Value>) -> Result<Self, String> {
        let text = |key: &str| cloud.get(key).and_then(Value::as_str).map(str::to_owned);
        if says(cloud, "verify", &["false", "no", "off", "0"])
            || says(cloud, "insecure", &["true", "yes", "on", "1"])
        {
            return Err(format!(
                "cloud '{name}' turns verification of certificates off; name the authority as 'cacert' in its place"
            ));
        }
        if text("identity_api_version").is_some_and(|version| version.starts_with('2')) {
            return Err(format!(
                "cloud '{name}' wants version 2 of Keystone's API; there is only 3 here"
            ));
        }
        if cloud.contains_key("cert") {
            return Err(format!(
                "cloud '{name}' wants a client certificate, which is not supported here"
            ));
        }
        let ca_file = text("cacert").map(PathBuf::from);
        if ca_file.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err(format!(
                "'cacert' of cloud '{name}' is not an absolute path"
            ));
        }
        let auth = cloud.get("auth").and_then(Value::as_object);
        let members = auth.into_iter().flatten().filter_map(|(key, value)| {
            let value = value.as_str()?;
            Some((key.clone(), Hidden::new(value.to_owned())))
        });
        let interface = text("interface").or_else(|| text("endpoint_type"));
        Ok(Self {
            file: file.to_owned(),
            name: name.to_owned(),
            auth: Auth(members.collect::<BTreeMap<_, _>>()),
            auth_type: text("auth_type"),
            region: text("region_name"),
            // Old files say publicURL.
            interface: interface.map(|word| word.trim_end_matches("URL").to_owned()),
            ca_file,
        })
    }

    /// What is wrong with a member of its `auth`.
    pub(super) fn wrong(&self, (member, why): (String, String)) -> CertificateError {
        let at = match member.as_str() {
            "" => String::from("auth_type"),
            member => format!("auth.{member}"),
        };
        let why = format!("{at} of cloud '{}': {why}", self.name);
        unreadable(WHAT, &self.file, why)
    }
}

fn clouds(file: &Path) -> Result<Map<String, Value>, CertificateError> {
    let text = read_text(WHAT, file)?;
    let mut tree = yaml::read(&text).map_err(|why| unreadable(WHAT, file, why))?;
    match tree["clouds"].take() {
        Value::Object(clouds) => Ok(clouds),
        _ => Err(unreadable(WHAT, file, "it has no mapping 'clouds'")),
    }
}

fn says(cloud: &Map<String, Value>, key: &str, words: &[&str]) -> bool {
    let text = cloud.get(key).and_then(Value::as_str).unwrap_or_default();
    words.contains(&text.to_ascii_lowercase().as_str())
}

/// The members of `more` take precedence, at every depth.
fn put_over(members: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (members.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => put_over(inner, value),
            (_, value) => drop(members.insert(key, value)),
        }
    }
}
