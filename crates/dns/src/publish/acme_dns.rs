// SPDX-License-Identifier: Apache-2.0
//! By an acme-dns server, which serves nothing but challenges.
//!
//! An account of it is one name with its last two values: a third pushes out the first without a word, so a third in one
//! run is refused. It removes nothing; the next values do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use web::{Client, Method, Request};

use crate::publish::api::Api;
use crate::publish::{Published, Publisher, TextRecord};
use crate::{Error, Name, Result};

/// So many values a name keeps.
const KEPT: usize = 2;
/// What it takes for a value: the base64 of a SHA-256.
const VALUE_LENGTH: usize = 43;

/// An account of acme-dns, as its registration answers. `Debug` shows no password.
#[derive(Clone)]
pub struct Account {
    /// The whole name that it writes: the target of the CNAME.
    pub full_domain: Name,
    /// Its first label.
    pub subdomain: String,
    /// Who writes.
    pub username: String,
    /// And with what.
    pub password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("full_domain", &self.full_domain)
            .finish_non_exhaustive()
    }
}

/// An acme-dns server and our accounts there.
#[derive(Clone, Debug)]
pub struct AcmeDns {
    api: Api,
    accounts: BTreeMap<Name, Account>,
}

impl AcmeDns {
    /// The server at `url`.
    pub fn new(
        client: Arc<Client>,
        url: &str,
        accounts: impl IntoIterator<Item = Account>,
    ) -> Self {
        let accounts = accounts.into_iter();
        Self {
            api: Api::new("acme-dns", client, url),
            accounts: accounts
                .map(|account| (account.full_domain.clone(), account))
                .collect(),
        }
    }

    /// The records with their accounts, or why they cannot be published, before anything is.
    fn planned<'a>(
        &'a self,
        records: &'a [TextRecord],
    ) -> Result<Vec<(&'a Account, &'a TextRecord)>> {
        let mut values: BTreeMap<&Name, Vec<&str>> = BTreeMap::new();
        let mut planned = Vec::new();
        for record in records {
            let owner = &record.owner;
            let account = self.accounts.get(owner).ok_or_else(|| {
                refused(
                    owner,
                    "there is no account whose fulldomain it is; the CNAME must lead to one",
                )
            })?;
            if record.value.len() != VALUE_LENGTH {
                return Err(refused(
                    owner,
                    "acme-dns takes values of 43 characters only, those of dns-01",
                ));
            }
            let known = values.entry(owner).or_default();
            if known.contains(&record.value.as_str()) {
                continue;
            }
            known.push(&record.value);
            if known.len() > KEPT {
                return Err(refused(
                    owner,
                    "acme-dns keeps the last two values of a name; give names accounts of their own",
                ));
            }
            planned.push((account, record));
        }
        Ok(planned)
    }
}

impl Publisher for AcmeDns {
    fn name(&self) -> &'static str {
        "acme_dns"
    }

    fn publish(&self, records: &[TextRecord]) -> Result<Published> {
        let planned = self.planned(records)?;
        for (account, record) in &planned {
            let body = json!({"subdomain": account.subdomain, "txt": record.value});
            let request = Request::new(Method::Post, format!("{}/update", self.api.base()))
                .header("X-Api-User", &account.username)
                .header("X-Api-Key", &account.password)
                .json(&body);
            let api = self.api.clone().hiding(&account.password);
            let answer: Value = api.send(Method::Post, request)?.json()?;
            if answer["txt"].as_str() != Some(&record.value) {
                return Err(refused(
                    &record.owner,
                    "acme-dns answers with another value",
                ));
            }
        }
        Ok(Published {
            steps: planned.len(),
            ..Published::default()
        })
    }

    /// There is nothing that removes; old values are pushed out.
    fn withdraw(&self, _: &[TextRecord]) -> Result<Published> {
        Ok(Published::default())
    }
}

fn refused(owner: &Name, why: &str) -> Error {
    Error::Configuration {
        what: format!("'{owner}' at acme-dns"),
        why: why.into(),
    }
}
