// SPDX-License-Identifier: Apache-2.0
//! Options that belong to one backend only, refused at the other, each with its path.

use ansible_module::Faults;

use super::params::InVault;
use crate::params::{Authority, Params};

/// What only a Vault has, in a task for files.
pub(crate) fn refuse_at_files(params: &Params, faults: &mut Faults) {
    const ONLY: &str = "is only for backend vault";
    for (index, authority) in params.authorities.iter().enumerate() {
        for option in given(&authority.in_vault) {
            faults.push(format!("authorities[{index}].{option}"), ONLY);
        }
    }
    if params.vault_config.is_some() {
        faults.push("vault_config", ONLY);
    }
    if params.inspect {
        faults.push("inspect", ONLY);
    }
}

fn given(options: &InVault) -> Vec<&'static str> {
    let all = [
        ("key_name", options.key_name.is_some()),
        ("parent_mount", options.parent_mount.is_some()),
        ("chain_issuers", options.chain_issuers.is_some()),
        (
            "leaf_not_after_behavior",
            options.leaf_not_after_behavior.is_some(),
        ),
        ("csr_path", options.csr_path.is_some()),
        ("root_ca", options.root_ca.is_some()),
        ("validate", options.validate.is_some()),
        ("confirm", options.confirm.is_some()),
    ];
    let given = all.into_iter().filter(|(_, is_given)| *is_given);
    given.map(|(option, _)| option).collect()
}

/// What only a tree of files has, or what a Vault keeps elsewhere, in a task for a Vault.
pub(crate) fn refuse_at_vault(params: &Params, faults: &mut Faults) {
    if params.backend.files.is_some() {
        faults.push("backend", "choose one backend: files or vault");
    }
    for (option, chosen) in [
        ("regenerate", &params.regenerate),
        ("regenerate_key", &params.regenerate_key),
    ] {
        if chosen.as_ref().is_some_and(is_something) {
            faults.push(
                option,
                "an issuer of a Vault is never replaced; make a new one under another name, set its state to active, then retire the old one",
            );
        }
    }
    for (index, authority) in params.authorities.iter().enumerate() {
        refuse_authority(&format!("authorities[{index}]"), authority, faults);
    }
}

fn refuse_authority(at: &str, authority: &Authority, faults: &mut Faults) {
    const OF_MOUNT: &str = "is a setting of the mount in a Vault, for all its issuers";
    let key = authority.key.as_ref();
    let refused = [
        ("crl_urls", authority.crl_urls.is_some(), OF_MOUNT),
        ("issuer_urls", authority.issuer_urls.is_some(), OF_MOUNT),
        (
            "policies",
            authority.policies.is_some(),
            "a Vault writes no policies into authorities",
        ),
        (
            "key.passphrase",
            key.is_some_and(|key| key.passphrase.is_some()),
            "a key in a Vault never leaves it and has no passphrase",
        ),
        (
            "key.algorithm",
            key.is_some_and(|key| key.algorithm.as_deref() == Some("ed448")),
            "a Vault makes no ed448 keys",
        ),
    ];
    for (option, is_given, why) in refused {
        if is_given {
            faults.push(format!("{at}.{option}"), why);
        }
    }
}

/// Nothing, false and the empty string select none.
fn is_something(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !["", "false", "no"].contains(&text.to_ascii_lowercase().as_str()),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}
