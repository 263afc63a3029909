// SPDX-License-Identifier: Apache-2.0
//! What the OCSP answer says that a server hands out with its certificate.

use cert_report::{Finding, Level};
use pki::ocsp::{Status, status};
use pki::{Certificate, Timestamp};

use super::finding;

/// `path` is the leaf, then its issuer.
pub(super) fn judge(
    path: &[Certificate],
    answer: Option<&[u8]>,
    now: Timestamp,
) -> Option<Finding> {
    let leaf = path.first()?;
    let demanded = leaf.facts().must_staple;
    let Some(answer) = answer else {
        return demanded.then(|| {
            let detail = "the certificate demands an OCSP answer beside it (must-staple), and the server sends none; switch stapling on";
            finding("staple_missing", Level::Fail, detail)
        });
    };
    // Clients that look at it at all refuse a certificate that demands a good one.
    let level = if demanded { Level::Fail } else { Level::Warn };
    let invalid = |why: String| {
        let detail = format!("the OCSP answer that the server hands out says nothing: {why}");
        Some(finding("staple_invalid", level, detail))
    };
    match status(answer, leaf, path.get(1)?, now) {
        Ok(Status::Good) => None,
        Ok(Status::Revoked { at, reason }) => {
            let reason = reason
                .map(|reason| format!(" ({reason})"))
                .unwrap_or_default();
            let detail = format!(
                "it was revoked at {at}{reason}, says the OCSP answer that the server hands out; renew it"
            );
            Some(finding("revoked", Level::Fail, detail))
        }
        Ok(Status::Unknown) => invalid("its responder does not know the certificate".to_owned()),
        Err(error) => invalid(ansible_module::flatten(&error)),
    }
}
