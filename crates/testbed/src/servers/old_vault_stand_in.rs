// SPDX-License-Identifier: Apache-2.0
//! A stand-in for what a PKI mount of Vault 1.10 and before answers differently: no package has one, so its answers are
//! written down from the source of Vault 1.8 (see `reference/vault.md`, b.3 and b.4). It makes no certificate: those that it
//! shows are given.

use serde_json::{Value, json};

use super::{Asked, ServiceStandIn};

/// What that server would say: one issuer for each mount, no names, no list of issuers.
#[derive(Debug, Default)]
struct Mount {
    has_root: bool,
    has_pending_key: bool,
}

/// Starts the stand-in, whose one mount is `pki`; `certificate` and `csr` are what it shows.
#[track_caller]
pub fn old_vault_stand_in(certificate: &str, csr: &str) -> ServiceStandIn {
    let (certificate, csr) = (certificate.to_owned(), csr.to_owned());
    let mut mount = Mount::default();
    ServiceStandIn::start(move |asked| mount.answer(asked, &certificate, &csr))
}

impl Mount {
    fn answer(&mut self, asked: &Asked, certificate: &str, csr: &str) -> (u16, Value) {
        let path = asked.path.trim_start_matches("/v1/");
        match (asked.method.as_str(), path) {
            ("GET", path) if path.starts_with("sys/health") => (200, health()),
            // Over one that is there: nothing is made, and that is a success.
            ("POST", "pki/root/generate/internal") if self.has_root => {
                let warning = "Refusing to generate a root certificate over an existing root certificate. If you \
                               really want to destroy the original root certificate, please issue a delete against \
                               pki/root.";
                (200, envelope(Value::Null, &[warning]))
            }
            ("POST", "pki/root/generate/internal") => {
                self.has_root = true;
                let data = json!({"certificate": certificate, "issuing_ca": certificate, "serial_number": "11:22", "expiration": 1});
                (200, envelope(data, &[]))
            }
            ("POST", "pki/intermediate/generate/internal") => {
                self.has_pending_key = true;
                (200, envelope(json!({"csr": csr}), &[]))
            }
            ("POST", "pki/intermediate/set-signed") => self.set_signed(asked, certificate),
            _ => (
                404,
                json!({"errors": ["1 error occurred:\n\t* unsupported path\n\n"]}),
            ),
        }
    }

    /// Only the certificate of the key that waits is taken, and nothing is said of it.
    fn set_signed(&mut self, asked: &Asked, certificate: &str) -> (u16, Value) {
        if !self.has_pending_key {
            let why = "could not find any existing entry with a private key";
            return (400, json!({"errors": [why]}));
        }
        if asked.body["certificate"] != certificate {
            let why = "verification of parsed bundle failed: public key of certificate does not match private key";
            return (
                500,
                json!({"errors": [format!("1 error occurred:\n\t* {why}\n\n")]}),
            );
        }
        self.has_pending_key = false;
        (204, Value::Null)
    }
}

fn health() -> Value {
    json!({"initialized": true, "sealed": false, "standby": false, "server_time_utc": 1, "version": "1.10.11"})
}

fn envelope(data: Value, warnings: &[&str]) -> Value {
    let warnings = match warnings {
        [] => Value::Null,
        some => json!(some),
    };
    json!({"request_id": "0", "data": data, "warnings": warnings, "auth": null, "wrap_info": null})
}
