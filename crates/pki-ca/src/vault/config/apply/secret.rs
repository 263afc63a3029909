// SPDX-License-Identifier: Apache-2.0
//! Issues one wrapped secret into its file.

use serde_json::{Value, json};
use tls_files::{Attributes, FileChange, Mode, Target};
use vault::{Repeat, Vault};
use zeroize::Zeroizing;

use super::super::error::Error;
use super::super::secret_id::SecretIdWish;
use super::Applied;

/// Asks for a secret and writes the token that can be exchanged for it. A secret that cannot be written is destroyed.
pub(super) fn issue(
    vault: &Vault,
    wish: &SecretIdWish,
    applied: &mut Applied,
) -> Result<(), Error> {
    let target = target(wish);
    let unwritable = |source| Error::File {
        what: "write",
        path: wish.path.clone(),
        source,
    };
    // Before the server is asked, so that no secret is made for nothing.
    tls_files::check_destination(&target).map_err(unwritable)?;
    let path = format!("{}/secret-id", wish.role);
    let body = Value::Object(wish.body.clone());
    let wrapped = vault
        .write_wrapped(&path, &body, wish.wrap_ttl)
        .map_err(Error::server(format!("issue a secret for '{}'", wish.name)))?;
    let mut content = Zeroizing::new(wrapped.token.expose().as_bytes().to_vec());
    content.push(b'\n');
    let change = FileChange { target, content };
    let installed = tls_files::install(&format!("vault-secret-{}", wish.name), vec![change]);
    match installed {
        Ok(installed) => {
            applied.warnings.extend(installed.warnings);
            let accessor = wrapped.wrapped_accessor;
            applied.accessors.insert(wish.name.clone(), accessor);
            Ok(())
        }
        Err(source) => {
            destroy(vault, wish, &wrapped.wrapped_accessor, applied);
            Err(unwritable(source))
        }
    }
}

/// Only its owner may read it, whoever that is.
fn target(wish: &SecretIdWish) -> Target {
    Target {
        path: wish.path.clone(),
        attributes: Attributes {
            owner: wish.owner,
            group: wish.group,
            mode: Some(Mode::new(0o600)),
            context: None,
        },
        secret: true,
        backup: false,
    }
}

fn destroy(vault: &Vault, wish: &SecretIdWish, accessor: &str, applied: &mut Applied) {
    let path = format!("{}/secret-id-accessor/destroy", wish.role);
    let body = json!({"secret_id_accessor": accessor});
    if vault.write(&path, &body, Repeat::Safe).is_err() {
        applied.warnings.push(format!(
            "the secret for '{}' was issued and could be neither written nor destroyed; destroy it by its accessor {accessor}",
            wish.name
        ));
    }
}
