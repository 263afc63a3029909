// SPDX-License-Identifier: Apache-2.0
//! The ways to log in: what the options of each mean.

use vault::{Auth, Held, Secret, SecretId};

use crate::place::Place;
use crate::{AuthParams, Environment};

/// Where Kubernetes lays the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The options of each way beside `method` and `revoke_after`.
const OPTIONS_OF: &[(&str, &[&str])] = &[
    ("token", &["token", "token_file"]),
    (
        "approle",
        &[
            "mount",
            "role",
            "role_id",
            "role_id_file",
            "secret_id",
            "secret_id_file",
            "wrapped_secret_id",
            "wrapped_secret_id_file",
        ],
    ),
    ("cert", &["mount", "role"]),
    ("jwt", &["mount", "role", "jwt", "jwt_file"]),
    ("kubernetes", &["mount", "role", "jwt", "jwt_file"]),
    (
        "userpass",
        &["mount", "username", "password", "password_file"],
    ),
    ("none", &[]),
];

impl AuthParams {
    /// Who we are; `None` if that is faulty.
    pub(crate) fn understood(
        &self,
        at: &mut Place<'_>,
        environment: &Environment,
        has_client_cert: bool,
    ) -> Option<Auth> {
        self.check_options(at);
        let mount = match &self.mount {
            Some(mount) => at.word("mount", mount),
            None => self.method.clone(),
        };
        let role = self.role.as_deref().map(|role| at.word("role", role));
        match self.method.as_str() {
            "approle" => self.approle(at, mount, role),
            "cert" => {
                if !has_client_cert {
                    at.fault("method", "it needs 'client_cert' and 'client_key'");
                }
                Some(Auth::Certificate { mount, role })
            }
            "jwt" => {
                let jwt = at.needed_secret("jwt", self.jwt.as_ref(), self.jwt_file.as_deref())?;
                Some(Auth::Jwt { mount, role, jwt })
            }
            "kubernetes" => self.kubernetes(at, mount, role),
            "none" => Some(Auth::None),
            "userpass" => self.userpass(at, mount),
            _ => self.token(at, environment),
        }
    }

    fn token(&self, at: &mut Place<'_>, environment: &Environment) -> Option<Auth> {
        let (given, file) = (self.token.as_ref(), self.token_file.as_deref());
        if given.is_none() && file.is_none() {
            if let Some((_, token)) = environment.value("TOKEN") {
                return Some(Auth::Token(Held::Given(Secret::new(token))));
            }
            at.fault(
                "",
                "give 'token' or 'token_file', set BAO_TOKEN or VAULT_TOKEN, or choose another 'method'",
            );
        }
        at.secret("token", given, file).map(Auth::Token)
    }

    fn approle(&self, at: &mut Place<'_>, mount: String, role: Option<String>) -> Option<Auth> {
        let file = self.role_id_file.as_deref();
        let role_id = at.needed_secret("role_id", self.role_id.as_ref(), file);
        let file = self.secret_id_file.as_deref();
        let plain = at.secret("secret_id", self.secret_id.as_ref(), file);
        let file = self.wrapped_secret_id_file.as_deref();
        let wrapped = at.secret("wrapped_secret_id", self.wrapped_secret_id.as_ref(), file);
        let secret_id = match (plain, wrapped) {
            (None, None) => SecretId::None,
            (Some(held), None) => SecretId::Plain(held),
            (None, Some(token)) => SecretId::Wrapped { token, role },
            (Some(_), Some(_)) => {
                at.fault("", "give one of 'secret_id' and 'wrapped_secret_id'");
                return None;
            }
        };
        let role_id = role_id?;
        Some(Auth::AppRole {
            mount,
            role_id,
            secret_id,
        })
    }

    fn kubernetes(&self, at: &mut Place<'_>, mount: String, role: Option<String>) -> Option<Auth> {
        if role.is_none() {
            at.fault("role", "it is needed for this method");
        }
        let jwt = match (&self.jwt, &self.jwt_file) {
            (None, None) => Some(Held::File(SERVICE_ACCOUNT.into())),
            (given, file) => at.secret("jwt", given.as_ref(), file.as_deref()),
        };
        let (role, jwt) = (role?, jwt?);
        Some(Auth::Kubernetes { mount, role, jwt })
    }

    fn userpass(&self, at: &mut Place<'_>, mount: String) -> Option<Auth> {
        let username = match &self.username {
            Some(name) => Some(at.word("username", name)),
            None => {
                at.fault("username", "it is needed for this method");
                None
            }
        };
        let file = self.password_file.as_deref();
        let password = at.needed_secret("password", self.password.as_ref(), file);
        Some(Auth::Userpass {
            mount,
            username: username?,
            password: password?,
        })
    }

    /// An option of another way would be ignored, so its user has meant something else.
    fn check_options(&self, at: &mut Place<'_>) {
        let own = OPTIONS_OF.iter().find(|(name, _)| *name == self.method);
        let Some((_, own)) = own else {
            return;
        };
        for (option, _) in self.given().into_iter().filter(|(_, given)| *given) {
            if !own.contains(&option) {
                let why = format!("it means nothing for the method '{}'", self.method);
                at.fault(option, why);
            }
        }
    }

    fn given(&self) -> [(&'static str, bool); 15] {
        [
            ("mount", self.mount.is_some()),
            ("role", self.role.is_some()),
            ("token", self.token.is_some()),
            ("token_file", self.token_file.is_some()),
            ("role_id", self.role_id.is_some()),
            ("role_id_file", self.role_id_file.is_some()),
            ("secret_id", self.secret_id.is_some()),
            ("secret_id_file", self.secret_id_file.is_some()),
            ("wrapped_secret_id", self.wrapped_secret_id.is_some()),
            (
                "wrapped_secret_id_file",
                self.wrapped_secret_id_file.is_some(),
            ),
            ("jwt", self.jwt.is_some()),
            ("jwt_file", self.jwt_file.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("password_file", self.password_file.is_some()),
        ]
    }
}
