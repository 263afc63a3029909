// SPDX-License-Identifier: Apache-2.0
//! Logging in.

use std::sync::PoisonError;

use serde_json::{Value, json};
use web::Method;

use crate::call::{Call, Leave, Repeat};
use crate::session::Session;
use crate::{Answer, Auth, Error, Held, Result, Secret, SecretId, Vault};

impl Vault {
    /// A new session.
    pub(crate) fn log_in(&self) -> Result<Session> {
        let (method, path, body) = match &self.settings().auth {
            Auth::None => return Ok(Session::given(Secret::new(""))),
            Auth::Token(held) => return Ok(Session::given(self.secret(held, "token")?)),
            Auth::AppRole {
                mount,
                role_id,
                secret_id,
            } => ("approle", mount, self.approle(mount, role_id, secret_id)?),
            Auth::Certificate { mount, role } => ("cert", mount, named(role.as_deref())),
            Auth::Jwt { mount, role, jwt } => {
                let jwt = self.secret(jwt, "token for the login")?;
                let mut body = json!({"jwt": jwt.expose()});
                if let Some(role) = role {
                    body["role"] = json!(role);
                }
                ("jwt", mount, body)
            }
            Auth::Kubernetes { mount, role, jwt } => {
                let jwt = self.secret(jwt, "token of the service account")?;
                (
                    "kubernetes",
                    mount,
                    json!({"role": role, "jwt": jwt.expose()}),
                )
            }
            Auth::Userpass {
                mount,
                username,
                password,
            } => {
                let password = self.secret(password, "password")?;
                let path = format!("auth/{mount}/login/{username}");
                let body = json!({"password": password.expose()});
                return self.log_in_at("userpass", &path, &body);
            }
        };
        self.log_in_at(method, &format!("auth/{path}/login"), &body)
    }

    fn log_in_at(&self, method: &'static str, path: &str, body: &Value) -> Result<Session> {
        let call = Call::new(Method::Post, path)?
            .json(body)
            .leave(Leave::Nobody);
        let answer = self.done(&call).map_err(|error| refused(error, method))?;
        let Some(auth) = answer.auth else {
            return Err(Error::Answer {
                url: answer.url,
                reason: "there is no token in it".to_owned(),
            });
        };
        let token = Secret::new(auth.client_token);
        self.sessions.hide(&token);
        Ok(Session::ours(token, &auth.token_type))
    }

    fn approle(&self, mount: &str, role_id: &Held, secret_id: &SecretId) -> Result<Value> {
        let role_id = self.secret(role_id, "role_id")?;
        let mut body = json!({"role_id": role_id.expose()});
        let secret_id = match secret_id {
            SecretId::None => return Ok(body),
            SecretId::Plain(held) => self.secret(held, "secret_id")?,
            SecretId::Wrapped { token, role } => self.unwrapped(mount, token, role.as_deref())?,
        };
        body["secret_id"] = json!(secret_id.expose());
        Ok(body)
    }

    /// What is in a wrapping token, if it was made by the role's own path: otherwise somebody has put another there.
    fn unwrapped(&self, mount: &str, token: &Held, role: Option<&str>) -> Result<Secret> {
        let known = self.sessions.unwrapped.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = known.as_ref() {
            return Ok(secret.clone());
        }
        let token = self.secret(token, "wrapped secret_id")?;
        let lookup = Call::new(Method::Post, "sys/wrapping/lookup")?
            .json(&json!({"token": token.expose()}))
            .leave(Leave::Nobody);
        let found = self.done(&lookup).map_err(spent)?;
        self.check_origin(&found, mount, role)?;
        let unwrap = Call::new(Method::Post, "sys/wrapping/unwrap")?
            .leave(Leave::Token(token))
            .repeat(Repeat::Never);
        let answer = self.done(&unwrap).map_err(spent)?;
        let secret = Secret::new(answer.text("secret_id")?);
        self.sessions.hide(&secret);
        *known = Some(secret.clone());
        Ok(secret)
    }

    /// `auth/MOUNT/role/ROLE/secret-id`.
    fn check_origin(&self, found: &Answer, mount: &str, role: Option<&str>) -> Result<()> {
        let path = found.text("creation_path")?.trim_matches('/');
        let inner = path
            .strip_prefix(&format!("auth/{mount}/role/"))
            .and_then(|rest| rest.strip_suffix("/secret-id"));
        let is_ours = match (inner, role) {
            (Some(inner), Some(role)) => inner == role,
            (Some(inner), None) => !inner.is_empty() && !inner.contains('/'),
            (None, _) => false,
        };
        match is_ours {
            true => Ok(()),
            false => Err(Error::WrappedSecretForeign {
                url: found.url.clone(),
                creation_path: self
                    .sessions
                    .masked(path)
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(200)
                    .collect(),
                expected: format!("auth/{mount}/role/{}/secret-id", role.unwrap_or("ROLE")),
            }),
        }
    }

    /// Reads a secret, which no message will show.
    fn secret(&self, held: &Held, what: &'static str) -> Result<Secret> {
        let secret = held.read(what)?;
        let is_sendable = |b: u8| (0x20..0x7f).contains(&b);
        if what.ends_with("token") && !secret.expose().bytes().all(is_sendable) {
            return Err(Error::Setting {
                what,
                reason: "it has characters that no header takes".to_owned(),
            });
        }
        self.sessions.hide(&secret);
        Ok(secret)
    }
}

fn named(role: Option<&str>) -> Value {
    match role {
        Some(role) => json!({"name": role}),
        None => json!({}),
    }
}

/// A wrapping token that is not valid was used by somebody, or is too old; the server does not tell.
fn spent(error: Error) -> Error {
    match error {
        Error::Refused { url, .. }
        | Error::TokenInvalid { url, .. }
        | Error::PermissionDenied { url, .. } => Error::WrappedSecretUsed { url },
        other => other,
    }
}

fn refused(error: Error, method: &'static str) -> Error {
    match error {
        Error::Refused { url, reason, .. } => Error::LoginRefused {
            url,
            method,
            reason,
        },
        // Who logs in has no token yet: an unknown name, a wrong secret, or a way that is not mounted.
        Error::TokenInvalid { url, .. } | Error::PermissionDenied { url, .. } => {
            Error::LoginRefused {
                url,
                method,
                reason:
                    "permission denied; is this way to log in mounted there, and in this namespace?"
                        .to_owned(),
            }
        }
        Error::NoMount { url, path } => Error::LoginRefused {
            url,
            method,
            reason: format!("nothing is mounted at '{path}'"),
        },
        other => other,
    }
}
