// SPDX-License-Identifier: Apache-2.0
//! What the options of a connection mean, and opening it.

use std::path::{Path, PathBuf};

use ansible_module::Faults;
use pki::{KeyFormat, PrivateKey};
use vault::{Auth, Error, Result, Settings, Vault};
use web::{Identity, Trust};

use crate::place::Place;
use crate::{ConnectionParams, Environment};

/// Whose certificates count.
#[derive(Clone, Debug)]
enum Authorities {
    System,
    Pem(String),
    /// A file, or a directory of files.
    At(PathBuf),
    /// Whoever answers.
    Anybody,
}

/// A connection whose options are sound. Its files are read when it is opened.
#[derive(Clone, Debug)]
pub struct Connection {
    settings: Settings,
    authorities: Authorities,
    /// Certificate and key.
    client: Option<(PathBuf, PathBuf)>,
}

impl ConnectionParams {
    /// What the options at this path mean, with what the environment says where they say nothing.
    pub fn understood(
        &self,
        at: &str,
        environment: &Environment,
        faults: &mut Faults,
    ) -> Option<Connection> {
        let before = faults.len();
        let mut at = Place::new(at, faults);
        let given = Given {
            params: self,
            environment,
        };
        let addresses = given.addresses(&mut at);
        let authorities = given.authorities(&mut at);
        let client = given.client(&mut at);
        let params = self.auth.clone().unwrap_or_default();
        let auth = params.understood(&mut at.below("auth"), environment, client.is_some());
        let namespace = given.text(self.namespace.as_deref(), "NAMESPACE");
        let settings = Settings {
            addresses,
            namespace: namespace.map(|name| at.word("namespace", name)),
            server_name: given
                .text(self.tls_server_name.as_deref(), "TLS_SERVER_NAME")
                .map(|name| at.word("tls_server_name", name)),
            timeout: at.span("timeout", &self.timeout, 1),
            retry_window: at.span("retry_window", &self.retry_window, 0),
            wait_unsealed: at.span("wait_unsealed", &self.wait_unsealed, 0),
            pin_active: self.pin_active,
            allow_plaintext: self.allow_plaintext,
            revoke_after: params.revoke_after,
            auth: auth.unwrap_or(Auth::None),
            ..Settings::default()
        };
        (faults.len() == before).then_some(Connection {
            settings,
            authorities,
            client,
        })
    }
}

/// The options and the environment.
struct Given<'a> {
    params: &'a ConnectionParams,
    environment: &'a Environment,
}

impl Given<'_> {
    /// The option, or what the environment has.
    fn text<'a>(&'a self, option: Option<&'a str>, name: &str) -> Option<&'a str> {
        option.or_else(|| self.environment.value(name).map(|(_, value)| value))
    }

    fn addresses(&self, at: &mut Place<'_>) -> Vec<String> {
        let (option, addresses) = match (&self.params.url, self.environment.value("ADDR")) {
            (Some(given), _) => ("url", given.clone()),
            (None, Some((_, value))) => {
                let parts = value.split(',').map(|part| part.trim().to_owned());
                ("url", parts.collect())
            }
            (None, None) => {
                at.fault("url", "give it, or set BAO_ADDR or VAULT_ADDR");
                return Vec::new();
            }
        };
        if addresses.is_empty() {
            at.fault(option, "give at least one address");
        }
        for (index, address) in addresses.iter().enumerate() {
            if let Err(error) = vault::check_address(address, self.params.allow_plaintext) {
                at.fault(&format!("{option}[{index}]"), error.to_string());
            }
        }
        addresses
    }

    fn authorities(&self, at: &mut Place<'_>) -> Authorities {
        if let Some((name, value)) = self.environment.value("SKIP_VERIFY")
            && is_true(value)
            && self.params.validate_certs
        {
            let why = format!(
                "{name} is set: give 'validate_certs: false' too if nobody's certificates shall be verified, or unset it"
            );
            at.fault("validate_certs", why);
        }
        let path = self.params.ca_path.as_deref();
        match (&self.params.ca_pem, path) {
            (Some(_), Some(_)) => at.fault("", "give one of 'ca_path' and 'ca_pem'"),
            _ if !self.params.validate_certs => return Authorities::Anybody,
            (Some(pem), None) => return Authorities::Pem(pem.clone()),
            (None, path) => {
                let path = self.text(path, "CACERT");
                if let Some(path) = self.text(path, "CAPATH") {
                    return Authorities::At(at.absolute("ca_path", path));
                }
            }
        }
        Authorities::System
    }

    fn client(&self, at: &mut Place<'_>) -> Option<(PathBuf, PathBuf)> {
        let certificate = self.text(self.params.client_cert.as_deref(), "CLIENT_CERT");
        let key = self.text(self.params.client_key.as_deref(), "CLIENT_KEY");
        match (certificate, key) {
            (Some(certificate), Some(key)) => Some((
                at.absolute("client_cert", certificate),
                at.absolute("client_key", key),
            )),
            (None, None) => None,
            (Some(_), None) => {
                at.fault("client_key", "'client_cert' needs it");
                None
            }
            (None, Some(_)) => {
                at.fault("client_cert", "'client_key' needs it");
                None
            }
        }
    }
}

impl Connection {
    /// Reads the files and opens it. Nothing is asked yet.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn open(&self) -> Result<Vault> {
        Vault::open(self.settings()?)
    }

    /// The settings, with what is in the files.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn settings(&self) -> Result<Settings> {
        let mut settings = self.settings.clone();
        settings.trust = match &self.authorities {
            Authorities::System => Trust::System,
            Authorities::Anybody => Trust::Anybody,
            Authorities::Pem(pem) => Trust::Only(pem.clone().into_bytes()),
            Authorities::At(path) => Trust::Only(authorities(path)?),
        };
        if let Some((certificate, key)) = &self.client {
            settings.identity = Some(identity(certificate, key)?);
        }
        Ok(settings)
    }

    /// The addresses.
    pub fn addresses(&self) -> &[String] {
        &self.settings.addresses
    }

    /// What its user should hear in any case.
    pub fn warnings(&self) -> Vec<String> {
        match self.authorities {
            Authorities::Anybody => vec![format!(
                "the certificate of {} is not verified: whoever is on the way can read and change everything",
                self.settings.addresses.join(", ")
            )],
            _ => Vec::new(),
        }
    }
}

fn is_true(text: &str) -> bool {
    !matches!(
        text.to_ascii_lowercase().as_str(),
        "0" | "f" | "false" | "no" | "off"
    )
}

const WHAT: &str = "authorities of the server";

/// The authorities of a file, or of all files of a directory.
fn authorities(path: &Path) -> Result<Vec<u8>> {
    if !path.is_dir() {
        let text = vault::read_text(WHAT, path)?;
        return Ok(text.as_bytes().to_vec());
    }
    let unreadable = |error: std::io::Error| Error::File {
        what: WHAT,
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.sort();
    let mut all = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = vault::read_text(WHAT, file)?;
        // A directory of authorities may hold lists of revoked certificates and notes too.
        if text.contains("-----BEGIN CERTIFICATE-----") {
            all.extend_from_slice(text.as_bytes());
            all.push(b'\n');
        }
    }
    Ok(all)
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity> {
    let chain = vault::read_text("client certificate", certificate)?;
    let what = "key of the client certificate";
    let text = vault::read_text(what, key)?;
    let unusable = |error: pki::Error| Error::File {
        what,
        path: key.to_owned(),
        reason: error.to_string(),
    };
    let read = PrivateKey::from_pem(text.as_bytes(), None).map_err(unusable)?;
    let pem = read.to_pem(KeyFormat::Pkcs8, None).map_err(unusable)?;
    Ok(Identity {
        chain: chain.as_bytes().to_vec(),
        private_key: pem.to_vec(),
    })
}
