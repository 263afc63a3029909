// SPDX-License-Identifier: Apache-2.0
//! An authority that certmonger knows.

use crate::tracked::{Properties, last};

/// An authority; what identifies it is its object, and for people its nickname.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Its object.
    pub path: String,
    /// Its name in `getcert list-cas`.
    pub nickname: String,
    /// Its roots, PEM.
    pub roots: Vec<String>,
    /// Certificates between roots and leaves, and roots that are not trusted first, PEM.
    pub others: Vec<String>,
}

impl Authority {
    pub(crate) fn from_properties(path: String, properties: &Properties) -> Self {
        let mut others = properties.seconds("root-other-certs");
        others.extend(properties.seconds("other-certs"));
        Self {
            path,
            nickname: properties.text("nickname").unwrap_or_default(),
            roots: properties.seconds("root-certs"),
            others,
        }
    }

    /// By which requests name it.
    #[must_use]
    pub fn id(&self) -> &str {
        last(&self.path)
    }
}
