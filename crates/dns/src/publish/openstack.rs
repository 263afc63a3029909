// SPDX-License-Identifier: Apache-2.0
//! A token of Keystone (Identity v3), and where a service is.

use std::fmt;

use serde_json::{Value, json};
use web::{Client, Method, Request};

use crate::publish::api::Api;
use crate::{Error, Result};

/// Who asks. `Debug` shows no secret.
#[derive(Clone)]
pub enum Identity {
    /// An application credential, which knows its project.
    ApplicationCredential {
        /// Its identifier.
        id: String,
        /// Its secret.
        secret: String,
    },
    /// A user in a project.
    Password {
        /// The user's name.
        username: String,
        /// The domain of the user, by name.
        user_domain: String,
        /// The user's password.
        password: String,
        /// The project, by name.
        project: String,
        /// The domain of the project, by name.
        project_domain: String,
    },
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApplicationCredential { id, secret: _ } => {
                write!(f, "ApplicationCredential({id})")
            }
            Self::Password { username, .. } => write!(f, "Password({username})"),
        }
    }
}

/// A cloud, as an entry of clouds.yaml describes it.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// Where Keystone is, with or without `/v3`.
    pub auth_url: String,
    /// Who asks.
    pub identity: Identity,
    /// Which region; none: the first one that has the service.
    pub region: Option<String>,
    /// Which of a service's endpoints: `public`, `internal`, `admin`.
    pub interface: String,
}

/// A token, and the address of the service that it is for.
pub(super) struct Session {
    pub(super) token: String,
    pub(super) endpoint: String,
}

impl Cloud {
    /// Gets a token, and looks in the catalogue that comes with it.
    pub(super) fn session(
        &self,
        client: &std::sync::Arc<Client>,
        service: &str,
    ) -> Result<Session> {
        let base = self.auth_url.trim_end_matches('/');
        let base = base.strip_suffix("/v3").unwrap_or(base);
        let api = Api::new("Keystone", client.clone(), base);
        let request = Request::new(Method::Post, format!("{base}/v3/auth/tokens"));
        let answer = api.send(Method::Post, request.json(&self.question()))?;
        let catalogue: Value = answer.json()?;
        let token = answer
            .header("x-subject-token")
            .ok_or_else(|| refused("Keystone gives no token".into()))?
            .to_owned();
        let endpoint = self.endpoint(&catalogue["token"]["catalog"], service);
        Ok(Session {
            token,
            endpoint: endpoint.ok_or_else(|| {
                let region = self.region.as_deref().unwrap_or("any region");
                let interface = &self.interface;
                refused(format!(
                    "its catalogue has no {interface} endpoint of type '{service}' in {region}"
                ))
            })?,
        })
    }

    fn question(&self) -> Value {
        match &self.identity {
            Identity::ApplicationCredential { id, secret } => json!({"auth": {"identity": {
                "methods": ["application_credential"],
                "application_credential": {"id": id, "secret": secret},
            }}}),
            Identity::Password {
                username,
                user_domain,
                password,
                project,
                project_domain,
            } => json!({"auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {
                        "name": username, "domain": {"name": user_domain}, "password": password,
                    }},
                },
                "scope": {"project": {"name": project, "domain": {"name": project_domain}}},
            }}),
        }
    }

    fn endpoint(&self, catalogue: &Value, service: &str) -> Option<String> {
        let services = catalogue.as_array()?.iter();
        let mut endpoints = services
            .filter(|entry| entry["type"] == service)
            .filter_map(|entry| entry["endpoints"].as_array())
            .flatten();
        let found = endpoints.find(|endpoint| {
            let region = self.region.as_deref();
            endpoint["interface"] == self.interface.as_str()
                && region.is_none_or(|region| {
                    endpoint["region_id"] == region || endpoint["region"] == region
                })
        });
        found?["url"].as_str().map(str::to_owned)
    }
}

fn refused(why: String) -> Error {
    Error::Configuration {
        what: "cloud".into(),
        why,
    }
}
