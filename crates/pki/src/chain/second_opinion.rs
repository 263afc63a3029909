// SPDX-License-Identifier: Apache-2.0
//! OpenSSL verifies the finished path with its own rules, at our instant.

use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509StoreContext};

use super::node::Node;
use super::{Error, MAX_DEPTH, Named, Result};
use crate::{Certificate, Timestamp};

/// Asks OpenSSL whether `path` (leaf first) holds if its last certificate is trusted.
///
/// No purpose is set, so that extended key usage plays no part. Policies are processed (RFC 5280
/// §6.1.2 to §6.1.5), which our own search leaves to this place.
pub(super) fn ask(nodes: &[Node], path: &[usize], now: Timestamp) -> Result<()> {
    let Some((leaf, above)) = path.split_first() else {
        return Ok(());
    };
    let mut untrusted = Stack::new()?;
    for index in above {
        untrusted.push(nodes[*index].openssl.clone())?;
    }
    let anchor = &nodes[*path.last().unwrap_or(leaf)].openssl;
    let store = store(anchor.clone(), now)?;
    let mut context = X509StoreContext::new()?;
    let refusal = context.init(&store, &nodes[*leaf].openssl, &untrusted, |context| {
        if context.verify_cert()? {
            return Ok(None);
        }
        let at = context.current_cert().and_then(|at| at.to_der().ok());
        Ok(Some((at, context.error().error_string().to_owned())))
    })?;
    let Some((at, reason)) = refusal else {
        return Ok(());
    };
    let found = at.and_then(|der| Certificate::from_der(&der).ok());
    Err(Error::SecondOpinion {
        certificate: found.map_or_else(|| nodes[*leaf].named(), |found| Named::of(&found)),
        reason,
    })
}

fn store(anchor: X509, now: Timestamp) -> Result<X509Store> {
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_time(now.0);
    parameters.set_depth(i32::try_from(MAX_DEPTH).unwrap_or(i32::MAX));
    parameters.set_flags(
        X509VerifyFlags::PARTIAL_CHAIN
            | X509VerifyFlags::POLICY_CHECK
            | X509VerifyFlags::TRUSTED_FIRST,
    )?;
    let mut builder = X509StoreBuilder::new()?;
    builder.add_cert(anchor)?;
    builder.set_param(&parameters)?;
    Ok(builder.build())
}
