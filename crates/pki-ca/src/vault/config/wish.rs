// SPDX-License-Identifier: Apache-2.0
//! [`VaultConfig`] → [`ConfigWish`]: after this nothing is missing, contradictory or unparsed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ansible_module::Faults;
use serde_json::{Value, json};

use super::access;
use super::field::Field;
use super::fields::{ACME_HEADERS, TIDY};
use super::object::Object;
use super::params::{Disable, Given, Mount, Role, Tidy, VaultConfig};
use super::secret_id::SecretIdWish;
use super::{span, value};

/// The wished fields of an object, each with what is sent.
pub type Fields = Vec<(Field, Value)>;

/// What is wished of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectWish {
    /// Which.
    pub object: Object,
    /// Its option, for messages.
    pub option: String,
    /// Whether it should be there.
    pub present: bool,
    /// Whether it may be made where it is not.
    pub create: bool,
    /// Its fields.
    pub fields: Fields,
    /// What else it gets when it is made, and keeps if somebody changes it later.
    pub when_made: Fields,
}

impl ObjectWish {
    /// A wish for these fields.
    pub fn new(object: Object, option: impl Into<String>, fields: Fields) -> Self {
        Self {
            object,
            option: option.into(),
            present: true,
            create: true,
            fields,
            when_made: Vec::new(),
        }
    }

    /// The wished value of a field.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let mut fields = self.fields.iter();
        fields.find_map(|(field, value)| (field.name == name).then_some(value))
    }
}

/// A tidy that is started by the task.
#[derive(Clone, Debug, PartialEq)]
pub struct TidyWish {
    /// What it does.
    pub fields: Fields,
    /// Not if one has finished within these seconds.
    pub every: Option<u64>,
    /// How many seconds its end is waited for.
    pub wait: u64,
}

/// The wished configuration of one mount.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigWish {
    /// The mount, without slashes at its ends.
    pub mount: String,
    /// All objects, in the order in which they are written.
    pub objects: Vec<ObjectWish>,
    /// Secrets to be issued.
    pub secret_ids: Vec<SecretIdWish>,
    /// A tidy to be started.
    pub tidy: Option<TidyWish>,
    /// The end of the mount: the directory that receives what it holds before.
    pub disable: Option<PathBuf>,
}

impl ConfigWish {
    /// Checks the options of `vault_config` for this mount.
    pub fn new(params: VaultConfig, mount: &str, faults: &mut Faults) -> Self {
        let mut wish = Self {
            mount: mount.trim_matches('/').to_owned(),
            ..Self::default()
        };
        if let Some(disable) = &params.disable {
            if !params.stands_alone() {
                faults.push(
                    "vault_config.disable",
                    "removes the mount; leave the other options of vault_config out",
                );
            }
            return wish.disabled(disable, faults);
        }
        wish.settings(&params, faults);
        wish.roles(params.roles, faults);
        if let Some(given) = &params.acme {
            wish.acme(given, faults);
        }
        access::wishes(params.access, &mut wish, faults);
        wish.tidy = params.tidy.map(|given| tidy(&given, faults));
        wish
    }

    /// Whether nothing is wished.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
            && self.secret_ids.is_empty()
            && self.tidy.is_none()
            && self.disable.is_none()
    }

    /// The wish for an object.
    pub fn object(&self, wanted: &Object) -> Option<&ObjectWish> {
        self.objects.iter().find(|wish| &wish.object == wanted)
    }

    fn disabled(mut self, disable: &Disable, faults: &mut Faults) -> Self {
        if disable.confirm.trim_matches('/') != self.mount {
            faults.push(
                "vault_config.disable.confirm",
                format!(
                    "'{}' is not the mount '{}'; repeat its name to say that all its keys, issuers and lists shall go",
                    disable.confirm, self.mount
                ),
            );
        }
        let export = PathBuf::from(&disable.export);
        absolute("vault_config.disable.export", &export, faults);
        self.disable = Some(export);
        self
    }

    fn settings(&mut self, params: &VaultConfig, faults: &mut Faults) {
        if let Some(mount) = &params.mount {
            self.objects.push(self::mount(mount, faults));
        }
        for (object, given) in [
            (Object::Cluster, &params.cluster),
            (Object::Urls, &params.urls),
            (Object::Crl, &params.crl),
            (Object::AutoTidy, &params.auto_tidy),
        ] {
            if let Some(given) = given {
                let option = format!("vault_config.{object}");
                let fields = fields(object.fields(), given, &option, faults);
                self.objects.push(ObjectWish::new(object, option, fields));
            }
        }
    }

    fn roles(&mut self, roles: Vec<Role>, faults: &mut Faults) {
        let mut seen = BTreeSet::new();
        for (index, role) in roles.into_iter().enumerate() {
            let option = format!("vault_config.roles[{index}]");
            name(&format!("{option}.name"), &role.name, faults);
            if !seen.insert(role.name.clone()) {
                faults.push(
                    format!("{option}.name"),
                    format!("'{}' is there twice", role.name),
                );
            }
            let object = Object::Role(role.name);
            let fields = fields(object.fields(), &role.fields, &option, faults);
            let wish = ObjectWish::new(object, option, fields);
            self.objects.push(ObjectWish {
                present: role.state != "absent",
                ..wish
            });
        }
    }

    /// Clients of ACME need headers that a mount does not answer by itself.
    fn acme(&mut self, given: &Given, faults: &mut Faults) {
        let option = "vault_config.acme";
        let wish = ObjectWish::new(
            Object::Acme,
            option,
            fields(Object::Acme.fields(), given, option, faults),
        );
        let enabled = wish.field("enabled") == Some(&Value::Bool(true));
        if enabled && self.object(&Object::Mount).is_none() {
            let mount = ObjectWish::new(Object::Mount, option, Vec::new());
            let create = false;
            self.objects.insert(0, ObjectWish { create, ..mount });
        }
        self.objects.push(wish);
    }

    /// Whether the mount must answer the headers that clients of ACME need.
    pub fn needs_acme_headers(&self) -> bool {
        let acme = self.object(&Object::Acme);
        acme.and_then(|wish| wish.field("enabled")) == Some(&Value::Bool(true))
    }
}

/// The headers that clients of ACME need and `present` lacks, behind it.
pub fn with_acme_headers(present: &Value) -> Value {
    let mut headers = value::list(present);
    for needed in ACME_HEADERS {
        if !headers
            .iter()
            .any(|there| there.eq_ignore_ascii_case(needed))
        {
            headers.push(needed.to_owned());
        }
    }
    json!(headers)
}

fn mount(given: &Mount, faults: &mut Faults) -> ObjectWish {
    let option = "vault_config.mount";
    let fields = fields(Object::Mount.fields(), &given.fields, option, faults);
    let wish = ObjectWish::new(Object::Mount, option, fields);
    let span = |name| wish.field(name).and_then(Value::as_u64).unwrap_or(0);
    let (default, longest) = (span("default_lease_ttl"), span("max_lease_ttl"));
    if longest > 0 && default > longest {
        faults.push(
            format!("{option}.default_lease_ttl"),
            format!(
                "{} is longer than max_lease_ttl, {}",
                span::text(default),
                span::text(longest)
            ),
        );
    }
    ObjectWish {
        create: given.create,
        ..wish
    }
}

fn tidy(given: &Tidy, faults: &mut Faults) -> TidyWish {
    let option = "vault_config.tidy";
    let every = given.every.as_deref();
    TidyWish {
        fields: fields(&TIDY, &given.fields, option, faults),
        every: every.map(|every| seconds(&format!("{option}.every"), every, faults)),
        wait: seconds(&format!("{option}.wait"), &given.wait, faults),
    }
}

/// What is sent for each field that is given.
pub fn fields(table: &[Field], given: &Given, option: &str, faults: &mut Faults) -> Fields {
    let mut wished = Vec::new();
    for field in table {
        let Some(given) = given.get(field.name).filter(|given| !given.is_null()) else {
            continue;
        };
        match value::parse(*field, given) {
            Ok(value) => wished.push((*field, value)),
            Err(fault) => faults.push(format!("{option}.{}", field.name), fault),
        }
    }
    wished
}

/// The seconds of a span; a fault is noted at `option`.
pub fn seconds(option: &str, text: &str, faults: &mut Faults) -> u64 {
    span::seconds(text).unwrap_or_else(|fault| {
        faults.push(option, fault);
        0
    })
}

/// Names are parts of paths; the server answers "unsupported path" to others.
pub fn name(option: &str, name: &str, faults: &mut Faults) {
    let edge = |found: Option<char>| found.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let inner = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let is_good = edge(name.chars().next())
        && edge(name.chars().next_back())
        && name.chars().all(inner)
        && !name.contains("..");
    if !is_good {
        faults.push(
            option,
            format!(
                "'{}' is not a name that the server takes: letters, digits, '_', and inside it '.' and '-'",
                name.escape_debug()
            ),
        );
    }
}

/// Paths of files are absolute.
pub fn absolute(option: &str, path: &Path, faults: &mut Faults) {
    if !path.is_absolute() {
        faults.push(
            option,
            format!("'{}' is not an absolute path", path.display()),
        );
    }
}
