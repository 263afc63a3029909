// SPDX-License-Identifier: Apache-2.0
//! `Params` → [`Request`] of backend `vault`. What all authorities have is checked where those of files are.

mod wish;

use ansible_module::{Faults, InputFaults};
use vault_options::{Connection, Environment};

pub use wish::{Upload, Wish};

use super::config::wish::ConfigWish;
use super::options;
use crate::names::AuthorityName;
use crate::params::Params;
use crate::request::{self, CrlWish, RevokeWish};

/// What one task asks of a mount.
#[derive(Debug)]
pub struct Request {
    /// The server.
    pub connection: Connection,
    /// The mount of the PKI engine, without slashes at its ends.
    pub mount: String,
    /// How the mount is configured.
    pub config: ConfigWish,
    /// The wished authorities, in the order given.
    pub authorities: Vec<Wish>,
    /// Certificates to be revoked.
    pub revoke: Vec<RevokeWish>,
    /// Which lists to look after.
    pub crl: CrlWish,
    /// Whether the server and all issuers are reported.
    pub inspect: bool,
    /// How many requests at once.
    pub parallel: usize,
}

impl Request {
    /// Checks all options.
    pub fn try_from_params(mut params: Params) -> Result<Self, InputFaults> {
        let mut faults = Faults::new();
        options::refuse_at_vault(&params, &mut faults);
        let backend = params.backend.vault.take();
        let mount = match &backend {
            Some(backend) => mount("backend.vault.mount", &backend.mount, &mut faults),
            None => String::new(),
        };
        let connection = backend.and_then(|backend| {
            let environment = Environment::of_process();
            let given = backend.connection;
            given.understood("backend.vault", &environment, &mut faults)
        });
        let config = ConfigWish::new(params.vault_config.unwrap_or_default(), &mount, &mut faults);
        let authorities = wish::authorities(params.authorities, &mount, &mut faults);
        refuse_signing(params.sign.len(), &mut faults);
        let revoke = request::signing::revocations(params.revoke, &mut faults);
        refuse_dates(&revoke, &mut faults);
        let crl = request::signing::lists(params.crl, &mut faults);
        if config.disable.is_some() && !(authorities.is_empty() && revoke.is_empty()) {
            faults.push(
                "vault_config.disable",
                "removes the mount; leave authorities and revoke out of the task",
            );
        }
        let parallel = request::parallel(params.parallel, &mut faults);
        // Without a connection there is a fault, and the other way round.
        let Some(connection) = connection else {
            faults.into_result(())?;
            return Err(InputFaults::one(
                "backend",
                "choose one backend: files or vault",
            ));
        };
        faults.into_result(Self {
            connection,
            mount,
            config,
            authorities,
            revoke,
            crl,
            inspect: params.inspect,
            parallel,
        })
    }

    /// The wish for `name`.
    pub fn authority(&self, name: &AuthorityName) -> Option<&Wish> {
        self.authorities.iter().find(|wish| wish.name() == name)
    }

    /// Whether nothing but a look is asked for.
    pub fn is_idle(&self) -> bool {
        self.config.is_empty() && self.asks_for_nothing()
    }

    /// Whether nothing is asked of authorities.
    pub fn asks_for_nothing(&self) -> bool {
        self.authorities.is_empty() && self.revoke.is_empty() && self.crl.authorities.is_none()
    }

    /// All mounts that the task is about: its own first.
    pub fn mounts(&self) -> Vec<&str> {
        let mut mounts = vec![self.mount.as_str()];
        for wish in &self.authorities {
            if !mounts.contains(&wish.parent_mount.as_str()) {
                mounts.push(&wish.parent_mount);
            }
        }
        mounts
    }
}

/// A path of the server: letters, digits, `-`, `_`, `.` and slashes between them.
fn mount(path: &str, text: &str, faults: &mut Faults) -> String {
    let trimmed = text.trim_matches('/');
    let sound = |part: &str| {
        !part.is_empty()
            && part != ".."
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !trimmed.split('/').all(sound) {
        faults.push(
            path,
            format!("'{}' is not the path of a mount", text.escape_debug()),
        );
    }
    trimmed.to_owned()
}

/// Without a role a server copies whatever a request asks for, so what a profile grants could not be kept.
fn refuse_signing(count: usize, faults: &mut Faults) {
    for index in 0..count {
        faults.push(
            format!("sign[{index}]"),
            "a Vault signs the requests of hosts under its roles: use cert_request with its issuer vault; an authority of another mount is signed with 'parent_mount'",
        );
    }
}

fn refuse_dates(revoke: &[RevokeWish], faults: &mut Faults) {
    for (index, wish) in revoke.iter().enumerate() {
        if wish.at.is_some() {
            faults.push(
                format!("revoke[{index}].at"),
                "a Vault revokes as of now; leave it out",
            );
        }
    }
}
