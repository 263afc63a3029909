// SPDX-License-Identifier: Apache-2.0
//! Who asks a cloud: the members of `auth` of clouds.yaml, which are those of the option of this name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ansible_module::{Kind, OptionSpec, Secret as Hidden};
use dns::publish::{Credential, Domain, Identity, Named};

use super::Secret;
use crate::failure::CertificateError;

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("auth_url", Kind::Str).required(),
    OptionSpec::new("username", Kind::Str),
    OptionSpec::new("user_id", Kind::Str),
    OptionSpec::new("user_domain_name", Kind::Str),
    OptionSpec::new("user_domain_id", Kind::Str),
    OptionSpec::new("password", Kind::Str).secret(),
    OptionSpec::new("password_file", Kind::Path),
    OptionSpec::new("project_name", Kind::Str),
    OptionSpec::new("project_id", Kind::Str),
    OptionSpec::new("project_domain_name", Kind::Str),
    OptionSpec::new("project_domain_id", Kind::Str),
    OptionSpec::new("application_credential_id", Kind::Str),
    OptionSpec::new("application_credential_name", Kind::Str),
    OptionSpec::new("application_credential_secret", Kind::Str).secret(),
    OptionSpec::new("application_credential_secret_file", Kind::Path),
    OptionSpec::new("token", Kind::Str).secret(),
    OptionSpec::new("token_file", Kind::Path),
];

/// The types of authentication that there are here.
pub(super) const TYPES: &[&str] = &["password", "v3applicationcredential", "token"];
/// Members that may be in a file of their own, named by the same member with this behind it.
const SECRETS: [&str; 3] = ["application_credential_secret", "password", "token"];
const IN_FILE: &str = "_file";
/// The domain that every Keystone begins with.
const USUAL_DOMAIN: &str = "default";

/// The members, by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Auth(pub(super) BTreeMap<String, Hidden<String>>);

/// Which member is wrong, and what is.
pub(super) type Wrong = (String, String);

impl Auth {
    fn text(&self, names: &[&str]) -> Option<&str> {
        let mut found = names.iter().filter_map(|name| self.0.get(*name));
        found.next().map(|hidden| hidden.expose().as_str())
    }

    /// Where Keystone is.
    pub(super) fn url(&self) -> Result<&str, Wrong> {
        self.text(&["auth_url"])
            .ok_or_else(|| missing("auth_url", "it says where the cloud is"))
    }

    /// A secret; the empty text while it is in a file that was not read yet.
    fn secret(&self, name: &str) -> Result<String, Wrong> {
        let in_file = format!("{name}{IN_FILE}");
        match (self.text(&[name]), self.text(&[&in_file])) {
            (Some(text), None) => Ok(text.to_owned()),
            (None, Some(path)) if path.starts_with('/') => Ok(String::new()),
            (None, Some(_)) => Err((in_file, "is not an absolute path".into())),
            (None, None) => Err(missing(name, &format!("give it or '{in_file}'"))),
            (Some(_), Some(_)) => Err((in_file, format!("give one of it and '{name}'"))),
        }
    }

    /// With the secrets of files in the places of their names.
    pub(super) fn with_files_read(mut self) -> Result<Self, CertificateError> {
        for name in SECRETS {
            if let Some(path) = self.0.remove(&format!("{name}{IN_FILE}")) {
                let text = Secret::File(PathBuf::from(path.expose())).read()?;
                self.0.insert(name.into(), Hidden::new(text.to_string()));
            }
        }
        Ok(self)
    }

    /// As Keystone wants it.
    pub(super) fn identity(&self, kind: Option<&str>) -> Result<Identity, Wrong> {
        match kind.unwrap_or_else(|| self.usual_type()) {
            "v3applicationcredential" => Ok(Identity::ApplicationCredential {
                credential: self.credential()?,
                secret: self.secret("application_credential_secret")?,
            }),
            "token" | "v3token" => Ok(Identity::Token {
                token: self.secret("token")?,
                project: self.project().ok(),
            }),
            "password" | "v3password" => Ok(Identity::Password {
                user: self.user()?,
                password: self.secret("password")?,
                project: self.project()?,
            }),
            other => {
                let types = TYPES.join(", ");
                Err((
                    String::new(),
                    format!("'{other}' is not one of the types {types}"),
                ))
            }
        }
    }

    /// All that keeps it from being what Keystone wants.
    pub(super) fn faults(&self, kind: Option<&str>) -> Vec<Wrong> {
        let several = match kind.unwrap_or_else(|| self.usual_type()) {
            "v3applicationcredential" => vec![
                self.credential().err(),
                self.secret("application_credential_secret").err(),
            ],
            "password" => vec![
                self.user().err(),
                self.secret("password").err(),
                self.project().err(),
            ],
            _ => vec![self.identity(kind).err()],
        };
        several.into_iter().flatten().collect()
    }

    fn usual_type(&self) -> &'static str {
        let has = |name: &str| self.0.keys().any(|key| key.starts_with(name));
        match (has("application_credential_"), has("token")) {
            (true, _) => "v3applicationcredential",
            (false, true) => "token",
            (false, false) => "password",
        }
    }

    fn credential(&self) -> Result<Credential, Wrong> {
        let id = self.text(&["application_credential_id"]);
        let name = self.text(&["application_credential_name"]);
        match (id, name) {
            (Some(id), _) => Ok(Credential::Id(id.to_owned())),
            (None, Some(name)) => Ok(Credential::Name(name.to_owned(), self.user()?)),
            (None, None) => {
                let why = "give it, or 'application_credential_name' and whose it is";
                Err(missing("application_credential_id", why))
            }
        }
    }

    fn user(&self) -> Result<Named, Wrong> {
        let named = self.named(&["user_id"], &["username"], "user");
        named.ok_or_else(|| missing("username", "give it or 'user_id'"))
    }

    fn project(&self) -> Result<Named, Wrong> {
        let (ids, names) = (["project_id", "tenant_id"], ["project_name", "tenant_name"]);
        let named = self.named(&ids, &names, "project");
        named.ok_or_else(|| {
            missing(
                "project_name",
                "give it or 'project_id': the zone's project",
            )
        })
    }

    fn named(&self, ids: &[&str], names: &[&str], of: &str) -> Option<Named> {
        if let Some(id) = self.text(ids) {
            return Some(Named::Id(id.to_owned()));
        }
        let name = self.text(names)?.to_owned();
        let id = self.text(&[&format!("{of}_domain_id")]);
        let domain = self.text(&[&format!("{of}_domain_name")]);
        let usual = self.text(&["default_domain_id"]).unwrap_or(USUAL_DOMAIN);
        let domain = match (id, domain) {
            (Some(id), _) => Domain::Id(id.to_owned()),
            (None, Some(domain)) => Domain::Name(domain.to_owned()),
            (None, None) => match self.text(&["default_domain_name"]) {
                Some(domain) => Domain::Name(domain.to_owned()),
                None => Domain::Id(usual.to_owned()),
            },
        };
        Some(Named::Name(name, domain))
    }
}

fn missing(name: &str, why: &str) -> Wrong {
    (name.to_owned(), format!("is missing; {why}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn auth(members: &[(&str, &str)]) -> Auth {
        let each = members.iter();
        Auth(
            each.map(|(name, text)| ((*name).into(), Hidden::new((*text).into())))
                .collect(),
        )
    }

    #[test]
    fn the_type_is_told_by_what_is_given() {
        let by_id = auth(&[
            ("application_credential_id", "i"),
            ("application_credential_secret", "s"),
        ]);
        let wanted = Identity::ApplicationCredential {
            credential: Credential::Id("i".into()),
            secret: "s".into(),
        };
        assert_eq!(by_id.identity(None).unwrap(), wanted);
        let project = [("project_name", "p"), ("project_domain_name", "D")];
        let password = auth(&[&project[..], &[("username", "u"), ("password", "s")]].concat());
        let wanted = Identity::Password {
            user: Named::Name("u".into(), Domain::Id("default".into())),
            password: "s".into(),
            project: Named::Name("p".into(), Domain::Name("D".into())),
        };
        assert_eq!(password.identity(None).unwrap(), wanted);
        assert_eq!(password.identity(Some("v3password")).unwrap(), wanted);
        let token = auth(&[("token", "s")]).identity(None).unwrap();
        let wanted = Identity::Token {
            token: "s".into(),
            project: None,
        };
        assert_eq!(token, wanted);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (members, kind, wrong) in [
            (&[][..], None, "username"),
            (&[("user_id", "u")], None, "password"),
            (&[("user_id", "u"), ("password", "s")], None, "project_name"),
            (
                &[("user_id", "u"), ("password_file", "s")],
                None,
                "password_file",
            ),
            (&[("token", "s"), ("token_file", "/s")], None, "token_file"),
            (&[], Some("token"), "token"),
            (
                &[("application_credential_secret", "s")],
                None,
                "application_credential_id",
            ),
            (&[("application_credential_name", "s")], None, "username"),
            (&[], Some("v3oidcpassword"), ""),
        ] {
            let told = auth(members).identity(kind).unwrap_err();
            assert_eq!(told.0, wrong, "{members:?}");
            assert_eq!(auth(members).faults(kind)[0], told);
        }
    }
}
