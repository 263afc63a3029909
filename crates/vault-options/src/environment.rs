// SPDX-License-Identifier: Apache-2.0
//! The environment, read once.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

const NAMES: &[&str] = &[
    "ADDR",
    "CACERT",
    "CAPATH",
    "CLIENT_CERT",
    "CLIENT_KEY",
    "NAMESPACE",
    "SKIP_VERIFY",
    "TLS_SERVER_NAME",
    "TOKEN",
];

/// What the environment says of a connection. `BAO_*` counts before `VAULT_*`; what is empty is not set.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<&'static str, (String, Zeroizing<String>)>);

impl Environment {
    /// That of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place; its names are fixed"
    )]
    pub fn of_process() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// One that a function knows, for tests.
    pub fn of(value: impl Fn(&str) -> Option<String>) -> Self {
        let found = |short: &&'static str| {
            ["BAO", "VAULT"].iter().find_map(|prefix| {
                let name = format!("{prefix}_{short}");
                let text = value(&name).filter(|text| !text.trim().is_empty())?;
                Some((*short, (name, Zeroizing::new(text.trim().to_owned()))))
            })
        };
        Self(NAMES.iter().filter_map(found).collect())
    }

    /// The value of `BAO_NAME` or `VAULT_NAME`, and which it is.
    pub(crate) fn value(&self, short: &str) -> Option<(&str, &str)> {
        let (name, value) = self.0.get(short)?;
        Some((name, value))
    }
}

/// Shows names only: a value may be a token.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.values().map(|(name, _)| name))
            .finish()
    }
}
