// SPDX-License-Identifier: Apache-2.0
//! What the roles of a mount allow: the server does not compare it with what an authority may certify.

use std::collections::BTreeMap;

use ::vault::{Error, Vault};

use crate::failure::Failure;
use crate::vault::failure::VaultFailure;

/// The domains of each role; none where the token may not see roles.
pub(super) fn domains(
    vault: &Vault,
    mount: &str,
) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut found = BTreeMap::new();
    let names = match vault.list(&format!("{mount}/roles")) {
        Ok(names) => names,
        Err(Error::PermissionDenied { .. }) => return Ok(found),
        Err(error) => {
            let what = format!("list the roles of mount '{mount}'");
            return Err(VaultFailure::server(what)(error));
        }
    };
    for name in names {
        let role = match vault.read(&format!("{mount}/roles/{name}")) {
            Ok(Some(role)) => role,
            Ok(None) | Err(Error::PermissionDenied { .. }) => continue,
            Err(error) => {
                let what = format!("read role '{name}' of mount '{mount}'");
                return Err(VaultFailure::server(what)(error));
            }
        };
        found.insert(name, role.texts("allowed_domains"));
    }
    Ok(found)
}
