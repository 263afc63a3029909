// SPDX-License-Identifier: Apache-2.0
//! A token of Keystone (Identity v3), and where a service is.

use std::fmt;

use serde_json::{Value, json};
use web::{Client, Method, Request};

use crate::publish::api::Api;
use crate::{Error, Result};

/// A domain of users and projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By its identifier.
    Id(String),
    /// By its name.
    Name(String),
}

/// A user or a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its identifier.
    Id(String),
    /// By its name in a domain.
    Name(String, Domain),
}

/// An application credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// By its identifier.
    Id(String),
    /// By its name, of a user.
    Name(String, Named),
}

/// Who asks. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Identity {
    /// An application credential, which knows its project.
    ApplicationCredential {
        /// Which.
        credential: Credential,
        /// Its secret.
        secret: String,
    },
    /// A user in a project.
    Password {
        /// Who.
        user: Named,
        /// The user's password.
        password: String,
        /// Where.
        project: Named,
    },
    /// A token that somebody else got.
    Token {
        /// It.
        token: String,
        /// Where; none: where it is for already.
        project: Option<Named>,
    },
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApplicationCredential {
                credential,
                secret: _,
            } => write!(f, "ApplicationCredential({credential:?})"),
            Self::Password {
                user,
                password: _,
                project,
            } => write!(f, "Password({user:?}, {project:?})"),
            Self::Token { token: _, project } => write!(f, "Token({project:?})"),
        }
    }
}

impl Identity {
    fn secret(&self) -> &str {
        match self {
            Self::ApplicationCredential { secret, .. } => secret,
            Self::Password { password, .. } => password,
            Self::Token { token, .. } => token,
        }
    }

    /// The body of a request for a token.
    fn question(&self) -> Value {
        let (identity, project) = match self {
            Self::ApplicationCredential { credential, secret } => {
                let mut body = match credential {
                    Credential::Id(id) => json!({"id": id}),
                    Credential::Name(name, user) => json!({"name": name, "user": user.to_json()}),
                };
                body["secret"] = secret.as_str().into();
                let body =
                    json!({"methods": ["application_credential"], "application_credential": body});
                (body, None)
            }
            Self::Password {
                user,
                password,
                project,
            } => {
                let mut user = user.to_json();
                user["password"] = password.as_str().into();
                let body = json!({"methods": ["password"], "password": {"user": user}});
                (body, Some(project))
            }
            Self::Token { token, project } => {
                let body = json!({"methods": ["token"], "token": {"id": token}});
                (body, project.as_ref())
            }
        };
        let mut auth = json!({"identity": identity});
        if let Some(project) = project {
            auth["scope"] = json!({"project": project.to_json()});
        }
        json!({"auth": auth})
    }
}

impl Named {
    fn to_json(&self) -> Value {
        match self {
            Self::Id(id) => json!({"id": id}),
            Self::Name(name, Domain::Id(id)) => json!({"name": name, "domain": {"id": id}}),
            Self::Name(name, Domain::Name(domain)) => {
                json!({"name": name, "domain": {"name": domain}})
            }
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
        let api = Api::new("Keystone", client.clone(), base).hiding(self.identity.secret());
        let request = Request::new(Method::Post, format!("{base}/v3/auth/tokens"));
        let answer = api.send(Method::Post, request.json(&self.identity.question()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_those_of_the_identity_api() {
        let user = Named::Name("u".into(), Domain::Name("D".into()));
        let project = Named::Name("p".into(), Domain::Id("d".into()));
        for (identity, question) in [
            (
                Identity::ApplicationCredential {
                    credential: Credential::Name("c".into(), user.clone()),
                    secret: "s".into(),
                },
                json!({"identity": {"methods": ["application_credential"], "application_credential": {
                    "name": "c", "user": {"name": "u", "domain": {"name": "D"}}, "secret": "s",
                }}}),
            ),
            (
                Identity::Password {
                    user: Named::Id("u".into()),
                    password: "s".into(),
                    project: project.clone(),
                },
                json!({
                    "identity": {"methods": ["password"], "password": {"user": {"id": "u", "password": "s"}}},
                    "scope": {"project": {"name": "p", "domain": {"id": "d"}}},
                }),
            ),
            (
                Identity::Token {
                    token: "s".into(),
                    project: None,
                },
                json!({"identity": {"methods": ["token"], "token": {"id": "s"}}}),
            ),
        ] {
            assert_eq!(identity.question(), json!({"auth": question}));
            assert!(!format!("{identity:?}").contains("\"s\""), "{identity:?}");
        }
    }
}
