// SPDX-License-Identifier: Apache-2.0
//! Accounts (RFC 8555 §7.3).

use std::fmt;
use std::sync::Arc;

use pki::PrivateKey;
use pki::jws::HmacAlgorithm;
use serde::Deserialize;
use serde_json::{Value, json};
use web::Response;
use zeroize::Zeroizing;

use crate::certificate::links;
use crate::challenge::Holder;
use crate::jws::{Signer, external_binding, jwk};
use crate::{Authorization, Error, Identifier, ProblemKind, Result, Server};

/// What an account is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// `mailto:` URLs.
    pub contacts: Vec<String>,
    /// Whether the user agrees to the terms of service.
    pub terms_agreed: bool,
    /// What binds it to an account that the server's operator made.
    pub external: Option<ExternalAccount>,
}

/// Credentials from the server's operator (RFC 8555 §7.3.4).
#[derive(Clone)]
pub struct ExternalAccount {
    /// The name of the key.
    pub kid: String,
    /// The key.
    pub secret: Zeroizing<Vec<u8>>,
    /// What is made with it.
    pub algorithm: HmacAlgorithm,
}

/// Shows no key.
impl fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalAccount({}, key elided)", self.kid)
    }
}

/// What a server says of an account.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountFacts {
    /// `valid`, `deactivated` or `revoked`.
    pub status: String,
    /// Whom it tells of what happens.
    pub contact: Vec<String>,
    /// Where its orders are listed.
    pub orders: Option<String>,
    /// Whether it agreed to the terms.
    pub terms_of_service_agreed: Option<bool>,
}

/// An account of a server: its key and its URL. Threads may share it.
#[derive(Clone)]
pub struct Account {
    server: Arc<Server>,
    key: PrivateKey,
    url: String,
    thumbprint: String,
}

impl Account {
    /// Makes the account of a key, or finds the one that there is.
    ///
    /// # Errors
    /// [`Error::Problem`] with the server's reason; [`Error::AccountGone`] for the key of an account that was given up;
    /// [`Error::Unsupported`] if external credentials are wanted and there are none.
    pub fn create(
        server: Arc<Server>,
        key: PrivateKey,
        registration: &Registration,
    ) -> Result<(Self, AccountFacts)> {
        let url = &server.directory().new_account;
        let mut payload = json!({ "termsOfServiceAgreed": registration.terms_agreed });
        if !registration.contacts.is_empty() {
            payload["contact"] = registration.contacts.clone().into();
        }
        match &registration.external {
            Some(with) => {
                payload["externalAccountBinding"] =
                    external_binding(&key, url, &with.kid, &with.secret, with.algorithm)?;
            }
            None if server.directory().meta.external_account_required => {
                return Err(server.lacks("accounts without external credentials (EAB)"));
            }
            None => {}
        }
        // Where there are credentials, it is these that are not good: spent, or unknown.
        let gone: &[ProblemKind] = match registration.external {
            Some(_) => &[],
            None => &[ProblemKind::Unauthorized],
        };
        Self::register(server, key, &payload, gone)
    }

    /// Finds the account of a key and makes none.
    ///
    /// # Errors
    /// [`Error::AccountGone`] if there is none, or it was given up.
    pub fn find(server: Arc<Server>, key: PrivateKey) -> Result<(Self, AccountFacts)> {
        let payload = json!({ "onlyReturnExisting": true });
        Self::register(server, key, &payload, &[ProblemKind::Unauthorized])
    }

    fn register(
        server: Arc<Server>,
        key: PrivateKey,
        payload: &Value,
        unknown: &[ProblemKind],
    ) -> Result<(Self, AccountFacts)> {
        let url = server.directory().new_account.clone();
        let signer = Signer {
            key: &key,
            account: None,
        };
        let answer = server
            .post(signer, &url, Some(payload), JSON)
            .map_err(|error| gone(&server, error, unknown))?;
        let found = location(&server, &url, &answer)?;
        let facts: AccountFacts = answer.json()?;
        if facts.status != "valid" {
            return Err(Error::AccountGone {
                server: web::shown(server.url()),
                reason: format!("it is {}", facts.status.escape_debug()),
            });
        }
        Ok((Self::known(server, key, found)?, facts))
    }

    /// An account whose URL is known; the server is not asked.
    pub fn known(server: Arc<Server>, key: PrivateKey, url: String) -> Result<Self> {
        let thumbprint = key.public_key()?.jwk()?.thumbprint();
        let url = server.own(&url, &url)?;
        Ok(Self {
            server,
            key,
            url,
            thumbprint,
        })
    }

    /// Where it is; other programs call it the account's URI.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The thumbprint of its key (RFC 7638).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Its server.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Who shows proofs for it.
    pub fn holder(&self) -> Holder<'_> {
        Holder {
            account: &self.url,
            thumbprint: &self.thumbprint,
        }
    }

    /// Fails unless it is the pinned account.
    ///
    /// # Errors
    /// [`Error::AccountMismatch`].
    pub fn check_pin(&self, pinned: &str) -> Result<()> {
        match self.url == pinned {
            true => Ok(()),
            false => Err(Error::AccountMismatch {
                pinned: pinned.to_owned(),
                found: self.url.clone(),
            }),
        }
    }

    /// What the server says of it.
    pub fn facts(&self) -> Result<AccountFacts> {
        Ok(self.post(&self.url, None)?.json()?)
    }

    /// Replaces its contacts.
    pub fn set_contacts(&self, contacts: &[String]) -> Result<AccountFacts> {
        let payload = json!({ "contact": contacts });
        Ok(self.post(&self.url, Some(&payload))?.json()?)
    }

    /// The URLs of its orders that the server lists (RFC 8555 §7.1.2.1), the first thousand at most.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it lists none, as Let's Encrypt.
    pub fn orders(&self) -> Result<Vec<String>> {
        let facts = self.facts()?;
        let list = facts
            .orders
            .ok_or_else(|| self.server.lacks("a list of orders"))?;
        let mut next = Some(self.server.own(&self.url, &list)?);
        let mut found = Vec::new();
        while let Some(url) = next.take().filter(|_| found.len() < ORDER_LIMIT) {
            let answer = self.post(&url, None)?;
            let page: Orders = answer.json()?;
            // An empty page with a next one would go on for ever.
            if page.orders.is_empty() {
                break;
            }
            found.extend(page.orders);
            if let Some(to) = links(&answer, "next")
                .next()
                .and_then(|to| web::join(&url, to))
            {
                next = Some(self.server.own(&url, &to)?);
            }
        }
        Ok(found)
    }

    /// Proves a name ahead of an order (RFC 8555 §7.4.1). The account may then order certificates for it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] at most servers, Let's Encrypt and Pebble among them.
    pub fn pre_authorize(&self, identifier: &Identifier) -> Result<Authorization> {
        let url = self.server.directory().new_authz.as_deref();
        let url = url.ok_or_else(|| self.server.lacks("proving names ahead of an order"))?;
        let answer = self.post(url, Some(&json!({ "identifier": identifier })))?;
        self.authorization(&location(&self.server, url, &answer)?)
    }

    /// Gives it up, for ever: its key is good for nothing at this server any more.
    pub fn deactivate(self) -> Result<()> {
        let payload = json!({ "status": "deactivated" });
        self.post(&self.url, Some(&payload)).map(|_| ())
    }

    /// Gives it another key; the old one is good for nothing afterwards. The caller keeps both until this returns.
    ///
    /// # Errors
    /// Only if the new key does not count: where the answer is lost, or a failure of the server came after the change
    /// (and asking again with the old key is refused), the server is asked who the new key is. If it cannot be asked
    /// either, the caller keeps both, and [`Self::find`] tells later.
    pub fn change_key(&self, new: PrivateKey) -> Result<Self> {
        let directory = self.server.directory();
        let url = directory.key_change.as_ref();
        let url = url.ok_or_else(|| self.server.lacks("another key for an account"))?;
        let payload = json!({ "account": self.url, "oldKey": jwk(&self.key)? });
        let signer = Signer {
            key: &new,
            account: None,
        };
        let inner = signer.inner(url, &payload)?;
        match self.post(url, Some(&inner)) {
            Ok(_) => Self::known(Arc::clone(&self.server), new, self.url.clone()),
            Err(error) => match Self::find(Arc::clone(&self.server), new) {
                Ok((changed, _)) if changed.url == self.url => Ok(changed),
                _ => Err(error),
            },
        }
    }

    /// Sends a request of this account.
    pub(crate) fn post(&self, url: &str, payload: Option<&Value>) -> Result<Response> {
        self.post_for(url, payload, JSON)
    }

    /// As [`Self::post`], for an answer of another type.
    pub(crate) fn post_for(
        &self,
        url: &str,
        payload: Option<&Value>,
        accept: &str,
    ) -> Result<Response> {
        let signer = Signer {
            key: &self.key,
            account: Some(&self.url),
        };
        // Also where the URL comes from a state file or a caller.
        let url = self.server.own(url, url)?;
        self.server
            .post(signer, &url, payload, accept)
            .map_err(|error| gone(&self.server, error, &[]))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Orders {
    orders: Vec<String>,
}

/// More orders are not listed.
const ORDER_LIMIT: usize = 1_000;

/// What most answers are.
const JSON: &str = "application/json";

/// The URL of what was made; it may be relative.
pub(crate) fn location(server: &Server, asked: &str, answer: &Response) -> Result<String> {
    match answer.header("location").map(|to| web::join(asked, to)) {
        Some(Some(url)) => server.own(asked, &url),
        _ => Err(Error::bad_answer(asked, "it does not say where (Location)")),
    }
}

/// An error that says that there is no account, as such; `also` are types that mean the same here.
pub(crate) fn gone(server: &Server, error: Error, also: &[ProblemKind]) -> Error {
    match error {
        Error::Problem { problem, .. }
            if problem.kind == ProblemKind::AccountDoesNotExist || also.contains(&problem.kind) =>
        {
            Error::AccountGone {
                server: web::shown(server.url()),
                reason: problem.to_string(),
            }
        }
        other => other,
    }
}
