// SPDX-License-Identifier: Apache-2.0
//! The wishes `authorities` of backend `vault`.

use std::path::PathBuf;

use ansible_module::Faults;
use pki::{Certificate, ExtendedKeyUsage, KeyAlgorithm, Lifetime};

use super::mount;
use crate::names::AuthorityName;
use crate::params::{self, Authority};
use crate::request::{self, AuthorityWish, State, authority::bundle};
use crate::vault::params::{InVault, Validate};
use crate::vault::subject;

/// A wished authority in a Vault.
#[derive(Debug)]
pub struct Wish {
    /// What every authority has. Its name is the issuer's.
    pub base: AuthorityWish,
    /// The name of its key.
    pub key_name: String,
    /// The mount of its parent.
    pub parent_mount: String,
    /// The issuers above it, as they shall be served; not compared if not given.
    pub chain_issuers: Option<Vec<String>>,
    /// What becomes of a leaf that would outlive it; not compared if not given.
    pub leaf_not_after: Option<String>,
    /// Where its request is written.
    pub csr_path: Option<PathBuf>,
    /// What an upload must fulfil.
    pub upload: Upload,
}

/// What an upload must fulfil.
#[derive(Debug)]
pub struct Upload {
    /// The roots at which the chain may end; empty if one of the upload may be it.
    pub roots: Vec<Certificate>,
    /// How long it must still be valid.
    pub min_remaining: Lifetime,
    /// How many certificates the chain may have, itself and the root included.
    pub max_depth: Option<usize>,
    /// Whether certificates that are not of the chain may come with it.
    pub allow_unrelated: bool,
    /// The purposes that leaves below must be able to have.
    pub purposes: Vec<ExtendedKeyUsage>,
    /// Whether the chain must end in a root.
    pub require_root: bool,
}

impl Wish {
    /// The name of the issuer.
    pub fn name(&self) -> &AuthorityName {
        &self.base.name
    }
}

/// Checks `authorities`.
pub(super) fn authorities(
    mut wishes: Vec<Authority>,
    own_mount: &str,
    faults: &mut Faults,
) -> Vec<Wish> {
    let mut extras = Vec::new();
    for (index, wish) in wishes.iter_mut().enumerate() {
        let at = format!("authorities[{index}]");
        check_name(&format!("{at}.name"), &wish.name, faults);
        check_key(&at, wish, faults);
        check_constraints(&at, wish, faults);
        let in_vault = std::mem::take(&mut wish.in_vault);
        check_options(&at, &wish.state, &in_vault, own_mount, faults);
        extras.push((at, wish.name.clone(), in_vault));
    }
    let checked = request::authority::authorities(wishes, faults);
    let each = checked.into_iter().filter_map(|base| {
        let found = extras
            .iter()
            .position(|(_, name, _)| name == base.name.as_str())?;
        let (at, _, in_vault) = extras.swap_remove(found);
        Some(wish(&at, base, in_vault, own_mount, faults))
    });
    each.collect()
}

fn wish(
    at: &str,
    base: AuthorityWish,
    in_vault: InVault,
    own_mount: &str,
    faults: &mut Faults,
) -> Wish {
    for attribute in subject::without_field(base.names.subject()) {
        faults.push(
            format!("{at}.subject"),
            format!(
                "a Vault has no field for '{attribute}'; it knows country, organization, organizational_unit, locality, state, street, postal_code, common_name and serial_number"
            ),
        );
    }
    let key_name = in_vault
        .key_name
        .inspect(|name| check_name(&format!("{at}.key_name"), name, faults));
    let parent_mount = in_vault.parent_mount.map_or_else(
        || own_mount.to_owned(),
        |text| mount(&format!("{at}.parent_mount"), &text, faults),
    );
    for (index, name) in in_vault.chain_issuers.iter().flatten().enumerate() {
        check_name(&format!("{at}.chain_issuers[{index}]"), name, faults);
    }
    Wish {
        key_name: key_name.unwrap_or_else(|| base.name.to_string()),
        parent_mount,
        chain_issuers: in_vault.chain_issuers,
        leaf_not_after: in_vault.leaf_not_after_behavior,
        csr_path: in_vault
            .csr_path
            .map(|path| absolute(&format!("{at}.csr_path"), &path, faults)),
        upload: upload(at, in_vault.root_ca, in_vault.validate, faults),
        base,
    }
}

/// What the server accepts as a name, and does not keep for itself.
fn check_name(path: &str, name: &str, faults: &mut Faults) {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let sound = name.bytes().next().is_some_and(inner)
        && name.bytes().last().is_some_and(inner)
        && name
            .bytes()
            .all(|byte| inner(byte) || b"-.".contains(&byte));
    if !sound {
        faults.push(
            path,
            format!(
                "'{}' is not a name of a Vault: letters, digits and '_', inside also '-' and '.'",
                name.escape_debug()
            ),
        );
    } else if ["default", "next"].contains(&name) {
        faults.push(
            path,
            format!("'{name}' is a word of the server; choose another name"),
        );
    }
}

/// The sizes that the server makes.
fn check_key(at: &str, wish: &Authority, faults: &mut Faults) {
    const SIZES: [i64; 4] = [2048, 3072, 4096, 8192];
    let size = wish.key.as_ref().and_then(|key| key.size);
    let is_rsa = |key: &params::Key| matches!(key.algorithm.as_deref(), None | Some("rsa"));
    if let Some(size) = size
        && wish.key.as_ref().is_some_and(is_rsa)
        && !SIZES.contains(&size)
    {
        faults.push(
            format!("{at}.key.size"),
            format!("a Vault makes no RSA keys of {size} bits; use 2048, 3072, 4096 or 8192"),
        );
    }
}

/// Where the server makes the certificate it can permit domains, and no more; an authority outside can do all.
fn check_constraints(at: &str, wish: &Authority, faults: &mut Faults) {
    let made_here = ["present", "active", "cross_signed"].contains(&wish.state.as_str());
    let Some(constraints) = wish.name_constraints.as_ref().filter(|_| made_here) else {
        return;
    };
    let others = [
        ("permitted_ip", &constraints.permitted_ip),
        ("permitted_email", &constraints.permitted_email),
        ("excluded_dns", &constraints.excluded_dns),
        ("excluded_ip", &constraints.excluded_ip),
        ("excluded_email", &constraints.excluded_email),
    ];
    for (option, _) in others.iter().filter(|(_, given)| given.is_some()) {
        faults.push(
            format!("{at}.name_constraints.{option}"),
            "a Vault can only write permitted_dns; leave it out, or have the authority signed outside",
        );
    }
}

fn check_options(at: &str, state: &str, options: &InVault, own_mount: &str, faults: &mut Faults) {
    let only = [
        ("root_ca", options.root_ca.is_some(), "signed"),
        ("validate", options.validate.is_some(), "signed"),
        ("csr_path", options.csr_path.is_some(), "csr"),
        ("confirm", options.confirm.is_some(), "absent"),
    ];
    for (option, is_given, of) in only {
        if is_given && state != of {
            faults.push(
                format!("{at}.{option}"),
                format!("is only for state {of}, not {state}"),
            );
        }
    }
    let confirmed = options
        .confirm
        .as_deref()
        .map(|text| text.trim_matches('/'));
    if state == "absent" && confirmed != Some(own_mount) {
        faults.push(
            format!("{at}.confirm"),
            format!("state absent removes issuer and key for good; to say that it is meant give 'confirm: {own_mount}'"),
        );
    }
}

fn absolute(path: &str, text: &str, faults: &mut Faults) -> PathBuf {
    let place = PathBuf::from(text);
    if !place.is_absolute() || place.file_name().is_none() {
        faults.push(path, format!("'{text}' is not an absolute path of a file"));
    }
    place
}

fn upload(
    at: &str,
    root_ca: Option<String>,
    validate: Option<Validate>,
    faults: &mut Faults,
) -> Upload {
    let roots = root_ca
        .and_then(|text| bundle(&format!("{at}.root_ca"), &text, faults))
        .unwrap_or_default();
    let at = format!("{at}.validate");
    let Some(rules) = validate else {
        return Upload {
            roots,
            min_remaining: Lifetime(30 * 86_400),
            max_depth: None,
            allow_unrelated: false,
            purposes: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
            require_root: true,
        };
    };
    let depth = rules.max_depth.map(usize::try_from);
    if matches!(depth, Some(Err(_) | Ok(0))) {
        faults.push(
            format!("{at}.max_depth"),
            "is not a number of certificates; give 1 or more",
        );
    }
    let parsed = request::parsed(&format!("{at}.min_remaining"), &rules.min_remaining, faults);
    Upload {
        roots,
        min_remaining: parsed.unwrap_or(Lifetime(0)),
        max_depth: depth.and_then(Result::ok),
        allow_unrelated: rules.allow_unrelated,
        purposes: purposes(&format!("{at}.required_eku"), &rules.required_eku, faults),
        require_root: rules.require_root,
    }
}

/// `server` and `client` as in the charm's words, or any name of a purpose.
fn purposes(path: &str, words: &[String], faults: &mut Faults) -> Vec<ExtendedKeyUsage> {
    let each = words.iter().enumerate();
    each.filter_map(|(index, word)| match word.as_str() {
        "server" => Some(ExtendedKeyUsage::ServerAuth),
        "client" => Some(ExtendedKeyUsage::ClientAuth),
        _ => request::parsed(&format!("{path}[{index}]"), word, faults),
    })
    .collect()
}

impl Wish {
    /// The key of a new authority: what is wished, else the shortest that is good for decades.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.base
            .key
            .unwrap_or(KeyAlgorithm::Ecdsa(pki::Curve::P384))
    }

    /// The certificates of state `signed`.
    pub fn uploaded(&self) -> &[Certificate] {
        match &self.base.state {
            State::Signed(certificates) => certificates,
            _ => &[],
        }
    }
}
