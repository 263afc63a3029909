// SPDX-License-Identifier: Apache-2.0
//! How values are written in JSON.

use pki::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

/// An RFC 3339 instant that may be missing. One that cannot be read counts as missing: it is the server's advice.
pub(crate) fn instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// The other way, for the state file.
pub(crate) fn write_instant<S: Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_some(&at.to_string()),
        None => serializer.serialize_none(),
    }
}
