// SPDX-License-Identifier: Apache-2.0
//! How values are written in JSON.

use pki::Timestamp;
use serde::{Deserialize, Deserializer};

/// An RFC 3339 instant that may be missing. One that cannot be read counts as missing: it is the server's advice.
pub(crate) fn instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
