// SPDX-License-Identifier: Apache-2.0
//! An acme-dns server, with accounts from options or from a file as its other clients write it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ansible_module::{Element, Kind, OptionSpec};
use dns::Name;
use dns::publish::{Account, AcmeDns, Publisher};
use serde::Deserialize;

use super::place::Place;
use super::secret::{read_text, unreadable};
use super::service::{Asked, Plain, Service};
use super::{Given, Provider, Way};
use crate::failure::CertificateError;

const ACCOUNT: &[OptionSpec] = &[
    OptionSpec::new("fulldomain", Kind::Str).required(),
    OptionSpec::new("subdomain", Kind::Str),
    OptionSpec::new("username", Kind::Str).required(),
    OptionSpec::new("password", Kind::Str).required().secret(),
];

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("url", Kind::Str).required(),
    OptionSpec::new("accounts", Kind::List(Element::Dict)).options(ACCOUNT),
    OptionSpec::new("accounts_file", Kind::Path),
    OptionSpec::new("ca_file", Kind::Path),
    OptionSpec::new("timeout", Kind::Str).default(r#""30s""#),
];

/// What the server says of its records; nobody can say otherwise.
const TTL: u32 = 1;
/// How messages call the file.
const FILE: &str = "the accounts of acme-dns";

/// The options of acme-dns.
#[derive(Debug, Deserialize)]
pub struct Params {
    pub url: String,
    pub accounts: Option<Vec<AccountParams>>,
    pub accounts_file: Option<String>,
    pub ca_file: Option<String>,
    pub timeout: String,
}

/// An account, as the server answers its registration.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountParams {
    pub fulldomain: String,
    pub subdomain: Option<String>,
    pub username: String,
    pub password: ansible_module::Secret<String>,
}

#[derive(Debug)]
enum Accounts {
    Given(Vec<Account>),
    File(PathBuf),
}

#[derive(Debug)]
struct Server {
    service: Service,
    accounts: Accounts,
}

impl AccountParams {
    fn account(&self) -> dns::Result<Account> {
        let full_domain: Name = self.fulldomain.parse()?;
        let first = self.fulldomain.split('.').next().unwrap_or_default();
        let subdomain = self.subdomain.as_deref().unwrap_or(first).to_owned();
        Ok(Account {
            full_domain,
            subdomain,
            username: self.username.clone(),
            password: self.password.expose().clone(),
        })
    }
}

impl Given for Params {
    const NAME: &'static str = "acme_dns";

    fn provider(&self, at: &mut Place<'_>) -> Option<Provider> {
        let asked = Asked {
            url: &self.url,
            ca_file: self.ca_file.as_deref(),
            timeout: &self.timeout,
        };
        let service = Service::understood(at, asked, Plain::Allowed);
        let accounts = match (&self.accounts, &self.accounts_file) {
            (Some(given), None) => {
                let each = given.iter().enumerate();
                let each = each.filter_map(|(index, one)| {
                    at.good(&format!("accounts[{index}].fulldomain"), one.account())
                });
                Some(Accounts::Given(each.collect()))
            }
            (None, Some(path)) => at.absolute("accounts_file", path).map(Accounts::File),
            _ => {
                at.fault("", "give exactly one of 'accounts' and 'accounts_file'");
                None
            }
        };
        let way = Server {
            service: service?,
            accounts: accounts?,
        };
        Some(Provider::new(TTL, way))
    }
}

impl Way for Server {
    fn open(&self, _: SystemTime) -> Result<Box<dyn Publisher + Sync>, CertificateError> {
        let accounts = match &self.accounts {
            Accounts::Given(accounts) => accounts.clone(),
            Accounts::File(path) => read(path)?,
        };
        let client = self.service.client()?;
        Ok(Box::new(AcmeDns::new(client, &self.service.url, accounts)))
    }
}

/// A JSON object with an account for each name that was registered, as lego and cert-manager have it.
fn read(path: &Path) -> Result<Vec<Account>, CertificateError> {
    let text = read_text(FILE, path)?;
    let all: BTreeMap<String, AccountParams> = serde_json::from_str(&text).map_err(|error| {
        // The message of serde_json may quote a password.
        let why = format!(
            "line {} is not as it must be; it is a JSON object that has for each name one with fulldomain, username and password",
            error.line()
        );
        unreadable(FILE, path, why)
    })?;
    let named = |(name, one): (&String, &AccountParams)| {
        let why = |error: dns::Error| unreadable(FILE, path, format!("at '{name}': {error}"));
        one.account().map_err(why)
    };
    all.iter().map(named).collect()
}
